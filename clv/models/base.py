"""What a model is: a frozen set of parameters that answers every question, and can be fitted.

A model class says its parameters' names, its log-likelihood of a set of histories with gradient
and Hessian, where to start, and which data cannot identify it. :meth:`Model.fit` does the rest.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, Self, TypeVar

import numpy as np

from clv.arrays import Floats
from clv.errors import NotIdentifiedError, ParameterError
from clv.history import Histories
from clv.models.arguments import refuse_endless
from clv.models.purchase_answers import PurchaseAnswers
from clv.models.purchase_formulas import Number
from clv.side_by_side import slices

if TYPE_CHECKING:
    from clv.models.maximum_likelihood import Fit, LogNormal

__all__ = ["PART", "Derivatives", "Model", "Number", "PurchaseModel", "refuse_endless"]

PART = 16_384
"""Patterns of one part of the histories."""

WEAK = 2.0
"""Sigma of the prior of a parameter of which nothing is said: e^(1.96 · 2) = 50."""

D = TypeVar("D")
"""What a model is fitted to: :class:`clv.Histories`, or counts of survivors."""


class Derivatives(NamedTuple):
    """A log-likelihood with its gradient, shape (k,), and Hessian, shape (k, k)."""

    value: float
    gradient: Floats
    hessian: Floats


@dataclass(frozen=True)
class Model(ABC, Generic[D]):
    """Parameters of one model: positive numbers, checked when the value is made."""

    name: ClassVar[str]
    """Name in files and commands, such as "bg-nbd"."""
    label: ClassVar[str]
    """Name in sentences, such as "BG/NBD"."""
    learns: ClassVar[str] = "when customers buy and leave"
    """What it learns, in sentences for who knows no models."""

    def __post_init__(self) -> None:
        faults = []
        for field in self.parameter_names():
            value = getattr(self, field)
            good = isinstance(value, (int, float, np.number)) and math.isfinite(value) and value > 0
            if not good:
                faults.append(f"{self.label} needs {field} > 0; got {field} = {value!r}")
        if faults:
            raise ParameterError.of(faults)

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Names of the parameters, in the paper's order."""
        return tuple(f.name for f in fields(cls))

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return {name: float(getattr(self, name)) for name in self.parameter_names()}

    def caveats(self, intervals: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
        """What the parameters, or those in their 95 % intervals, imply that a reader must know."""
        return ()

    def plain_caveats(self, intervals: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
        """The same, in words that name no parameter."""
        return ()

    def dropout_slope(self) -> Floats | None:
        """Slope in the log-parameters of the log of how readily a mean customer leaves."""
        return None

    @classmethod
    def from_vector(cls, theta: Floats) -> Self:
        """Make the model from its parameters in order."""
        return cls(*(float(v) for v in theta))

    @classmethod
    def fit(cls, histories: D, *, prior: Mapping[str, LogNormal] | None = None) -> Fit[Self]:
        """Fit by maximum likelihood on the distinct histories.

        Parameters
        ----------
        histories : Histories
            From :func:`clv.histories` or :meth:`clv.Histories.from_arrays`.
        prior : mapping of parameter name to LogNormal, optional
            Independent log-normal priors; the fit is then the posterior mode in the log-parameters.
            None by default.

        Returns
        -------
        Fit
            The model with its log-likelihood, covariance and diagnostics.

        Raises
        ------
        NotIdentifiedError
            Where the data cannot tell the parameters, with the reason.
        FitError
            Where the optimiser stops before an optimum.
        """
        from clv.models.maximum_likelihood import maximise

        return maximise(cls, histories, prior=prior)

    @classmethod
    @abstractmethod
    def likelihood(cls, theta: Floats, histories: D) -> Derivatives:
        """Log-likelihood of all histories at the parameters `theta`, exact to second order.

        Parameters
        ----------
        theta : ndarray, shape (k,)
            The parameters in order.
        histories : Histories
            What the model is fitted to, each counted with its weight.

        Returns
        -------
        Derivatives
            Value, gradient and Hessian in the parameters themselves.
        """

    @classmethod
    def log_likelihoods(cls, thetas: Floats, histories: D) -> Floats:
        """Log-likelihood of all histories at many parameters.

        Parameters
        ----------
        thetas : ndarray, shape (n, k)
            Sets of parameters in order, one a row.
        histories : Histories
            What the model is fitted to.

        Returns
        -------
        ndarray, shape (n,)
        """
        return np.array([cls.likelihood(theta, histories).value for theta in thetas])

    @classmethod
    def scales(cls, histories: D) -> dict[str, float]:
        """Scale, in the data's units, of each parameter that has a unit; shapes have none."""
        del histories
        return {}

    @classmethod
    def weak_prior(cls, histories: D) -> dict[str, LogNormal]:
        """Independent log-normal prior of every parameter, which only rules out the absurd.

        Sigma is 2: a factor of 50 either way is within a 95 % interval. The median is 1 for a
        shape, and for a rate or scale that of the data (:meth:`scales`), so that another unit of
        time or money changes nothing.

        Parameters
        ----------
        histories : Histories or SurvivalCounts
            The data to be fitted.

        Returns
        -------
        dict of str to LogNormal

        Examples
        --------
        >>> from clv import BGNBD, Histories
        >>> h = Histories.from_arrays([2, 0, 1, 4, 0], [30, 0, 9, 33, 0], [35] * 5, unit="week")
        >>> BGNBD.weak_prior(h)["alpha"]
        LogNormal(median=25.0, sigma=2.0)
        """
        from clv.models.maximum_likelihood import LogNormal

        of_data = cls.scales(histories)
        return {name: LogNormal(of_data.get(name, 1.0), WEAK) for name in cls.parameter_names()}

    @classmethod
    @abstractmethod
    def starts(cls, histories: D) -> list[Floats]:
        """Where the search may begin; the most likely one is taken."""

    @classmethod
    @abstractmethod
    def refuse_unidentified(cls, histories: D) -> None:
        """Raise :class:`NotIdentifiedError` for data that cannot tell the parameters."""

    @classmethod
    @abstractmethod
    def sample(cls, histories: D, patterns: int) -> D:
        """Take some of the histories, evenly, to approach the optimum cheaply.

        Parameters
        ----------
        histories : Histories
            All of them.
        patterns : int
            How many distinct ones to take, about.

        Returns
        -------
        Histories
            Of the same kind.
        """

    @classmethod
    def parts(cls, histories: D) -> Sequence[D]:
        """Split many histories into parts, whose log-likelihoods add up to that of all.

        Parameters
        ----------
        histories : Histories
            All of them.

        Returns
        -------
        sequence of Histories
            Of the same kind, each small enough for a processor's cache; just one by default.
        """
        return [histories]

    @classmethod
    @abstractmethod
    def size(cls, histories: D) -> tuple[int, int]:
        """Count the customers and the distinct patterns that the likelihood is made of."""


class PurchaseModel(PurchaseAnswers, Model[Histories]):
    """A model of when customers buy and leave.

    x is the number of repeat transactions, t_x the time from the first to the last, T the time
    from the first to the end of observation, all in the unit of the data the model was fitted to.
    With x = t_x = T = 0, the defaults, the customer is a new one, just after the first purchase.

    Answers given that the customer is alive take t_x last: in most models it says nothing more of
    such a customer. Where it does (regular customers), None stands for the mean over what it can
    be.
    """

    @classmethod
    def refuse_unidentified(cls, histories: Histories) -> None:
        """Refuse one customer only, and customers without a repeat purchase."""
        if histories.customers < 2:
            raise NotIdentifiedError(
                "There is one customer only: how customers differ cannot be learned from one. "
                "Fit on a log of many customers, then ask about this one."
            )
        if histories.repeat_customers == 0:
            raise NotIdentifiedError(
                f"None of the {histories.customers:,} customers bought again, so neither the "
                "purchase rate nor the dropout can be learned. Use a longer log, or check that the "
                "customer ids are the same across a customer's orders."
            )

    @classmethod
    def sample(cls, histories: Histories, patterns: int) -> Histories:
        """Take every k-th pattern."""
        return _patterns(histories, slice(None, None, -(-len(histories) // patterns)))

    @classmethod
    def parts(cls, histories: Histories) -> Sequence[Histories]:
        """Split the patterns in their order."""
        return [_patterns(histories, some) for some in slices(len(histories), PART)]

    @classmethod
    def size(cls, histories: Histories) -> tuple[int, int]:
        """Count all customers, and their distinct (x, t_x, T)."""
        return histories.customers, len(histories)


def _patterns(histories: Histories, some: slice) -> Histories:
    h = histories
    return replace(
        h,
        frequency=h.frequency[some],
        recency=h.recency[some],
        T=h.T[some],
        weight=h.weight[some],
    )
