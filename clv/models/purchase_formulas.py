"""The formulas that a model of purchases is made of, and how they are computed for many customers.

A model writes each for arrays, in its paper's letters, and nothing else: arguments are checked and
explained in :mod:`clv.models.purchase_answers`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.models.arguments import refuse_impossible
from clv.numerics import on_distinct

__all__ = ["Number", "PurchaseFormulas", "each", "every_row"]

Number = npt.ArrayLike
"""A number or an array of numbers; the answer has the shape that the arguments broadcast to."""

Formula = TypeVar("Formula", bound=Callable[..., Floats])


def every_row(formula: Formula) -> Formula:
    """Mark a formula that costs less than looking for equal rows: it is computed for every row."""
    formula.every_row = True  # type: ignore[attr-defined]
    return formula


def each(formula: Callable[..., Floats], *columns: Number, **given: object) -> Floats:
    """Compute a formula for each row of the columns, once for equal rows unless `every_row`.

    Parameters
    ----------
    formula : callable
        Takes the columns as float arrays, and what is given.
    *columns : float or array_like
        What differs between customers.
    **given : object
        What does not.

    Returns
    -------
    float or ndarray
        Of the shape that the columns broadcast to.
    """
    if getattr(formula, "every_row", False):
        return np.asarray(formula(*(np.asarray(c, dtype=float) for c in columns), **given))[()]
    return np.asarray(on_distinct(lambda *rows: formula(*rows, **given), *columns))[()]


UNKNOWN = np.array(np.nan)


class PurchaseFormulas(ABC):
    """What a model of purchases says, each in a formula.

    All arguments are float arrays that broadcast, and hold histories that customers can have. t_x
    of customers who are alive is nan where it is not known, or says nothing more of them.
    """

    recency_matters_if_alive: ClassVar[bool] = False
    """Whether t_x says more of a customer who is known to be alive."""

    dropout_shape: ClassVar[str]
    """The parameter that must be above 1 for an endless sum without discount to be finite."""

    def _refuse(
        self,
        *,
        x: Number = 0,
        t_x: Number | None = None,
        T: Number = 0,
        t: Number = 0,
        n: Number = 0,
        horizon: float = 0,
    ) -> None:
        """Refuse what no customer can have; a negative horizon is not asked of this."""
        refuse_impossible(x=x, t_x=t_x, T=T, t=t, n=n)

    def _each_alive(
        self,
        formula: Callable[..., Floats],
        x: Number,
        T: Number,
        t_x: Number | None,
        *ahead: Number,
        **given: object,
    ) -> Floats:
        """Compute a formula of customers who are alive; where t_x says no more it splits no row."""
        if not self.recency_matters_if_alive:
            return each(formula, *ahead, x, T, t_x=UNKNOWN, **given)
        if t_x is None:
            t_x = np.where(np.asarray(x) == 0, 0.0, np.nan)
        return each(formula, *ahead, x, T, t_x, **given)

    @abstractmethod
    def _log_likelihood(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """ln L of each history."""

    @abstractmethod
    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """P(alive) of each history."""

    @abstractmethod
    def _survival_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """P(alive at T + t) of customers alive at T."""

    @abstractmethod
    def _purchases_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """E[purchases in (T, T + t]] of customers alive at T."""

    @abstractmethod
    def _discounted_if_alive(
        self, x: Floats, T: Floats, t_x: Floats, *, rate: float, horizon: float
    ) -> Floats:
        """Discounted E[purchases] of customers alive at T; rate and horizon give a finite sum."""

    @abstractmethod
    def _pmf_if_alive(self, n: Floats, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """P(n purchases in (T, T + t]) of customers alive at T."""

    @abstractmethod
    def _draw_histories(self, T: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw (x, t_x) of new customers."""

    @abstractmethod
    def _draw_if_alive(
        self, t: Floats, x: Floats, T: Floats, t_x: Floats, rng: np.random.Generator
    ) -> Floats:
        """Draw the purchases in (T, T + t] of customers alive at T; arrays of one shape."""
