"""What a fitted covariate says: coefficients in words, and likelihood-ratio tests."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scipy.special import ndtr, ndtri

from clv.models.covariates.columns import Column
from clv.numerics import central_tails

__all__ = ["Coefficient", "LikelihoodRatio"]

MEANING: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "alpha": ("more", "fewer", "purchases a {} while a customer".format),
    "a": ("higher", "lower", "odds of leaving after a purchase".format),
    "b": ("higher", "lower", "odds of staying after a purchase".format),
    "beta": ("higher", "lower", "rate of leaving".format),
}
"""Words for e^γ above and below 1, and for what it multiplies, by the parameter it acts through."""


@dataclass(frozen=True)
class Coefficient:
    """One coefficient γ of a covariate.

    Attributes
    ----------
    part : {"purchase", "dropout", "dropout_b"}
        What it acts on.
    column : NumericColumn or CategoricalColumn
        The column.
    level : str or None
        The level compared with the reference; None for one unit more of a number.
    estimate, standard_error : float
        γ and its standard error.
    unit : str
        Unit of time.
    parameter : str
        The parameter that e^γ multiplies or divides: "alpha", "a", "b" or "beta".
    """

    part: str
    column: Column
    level: str | None
    estimate: float
    standard_error: float
    unit: str
    parameter: str

    @property
    def z(self) -> float:
        """γ over its standard error."""
        return self.estimate / self.standard_error

    @property
    def p_value(self) -> float:
        """P(z at least as far from 0) if γ = 0."""
        return 2 * float(ndtr(-abs(self.z)))

    @property
    def factor(self) -> float:
        """e^γ: what the rate or the odds in `meaning` are multiplied by."""
        return math.exp(self.estimate)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Interval of γ.

        Parameters
        ----------
        level : float
            Between 0 and 1.

        Returns
        -------
        tuple of float
        """
        spread = float(ndtri(central_tails(level)[1])) * self.standard_error
        return self.estimate - spread, self.estimate + spread

    @property
    def meaning(self) -> str:
        """What the coefficient says, in a sentence."""
        if self.level is None:
            who = f"One more of {self.column.name}"
        else:
            reference = getattr(self.column, "reference", "")
            who = f"{self.column.name} {self.level} instead of {reference}"
        change = 100 * math.expm1(self.estimate)
        more, less, what = MEANING[self.parameter]
        return f"{who}: {abs(change):.3g} % {more if change >= 0 else less} {what(self.unit)}"

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        return {
            "part": self.part,
            "column": self.column.name,
            "level": self.level,
            "estimate": self.estimate,
            "standard_error": self.standard_error,
            "z": self.z,
            "p_value": self.p_value,
            "factor": self.factor,
            "meaning": self.meaning,
        }


@dataclass(frozen=True)
class LikelihoodRatio:
    """Test of a model against the same without some covariates.

    Attributes
    ----------
    dropped : str
        What the smaller model lacks, such as "purchase: channel".
    statistic : float
        Twice the log-likelihood that it loses.
    degrees_of_freedom : int
        Coefficients that it lacks.
    p_value : float
        P(a loss at least as large) if those coefficients are 0.
    """

    dropped: str
    statistic: float
    degrees_of_freedom: int
    p_value: float
