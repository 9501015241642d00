r"""Pooled spend: the limit of Gamma-Gamma where customers do not differ in what they spend.

Gamma-Gamma has z ~ Gamma(p, ν) for a transaction and ν ~ Gamma(q, v) across customers. As q → ∞
with v/q fixed, every customer gets the same ν and so the same mean, p/ν = μ. What a customer has
spent then says nothing of what the customer will spend: the expectation is μ for all, and its
maximum-likelihood estimate is the mean of all purchases, Σ n x m / Σ n x.

Whether the limit is the optimum is told by the slope of the log-likelihood in 1/q at 1/q = 0. To
first order in 1/q a mean over ν ~ (mean ν0, variance ν0²/q) adds ν0²/2q · [(∂ ln f)² + ∂² ln f]
to each ln f, with ln f = p x ln ν − ν x m + …; summed over customers, with ν0 = p/μ,

    slope = ½ Σ n [ (p x)² (m/μ − 1)² − p x ] .

It compares the spread of the customers' means with what chance alone gives (variance μ²/(p x)). Up
to 0, customers differ no more than by chance, and no finite q fits better than the limit.

Fader, P. S. and Hardie, B. G. S. (2013), The Gamma-Gamma model of monetary value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import digamma

from clv.arrays import Floats
from clv.errors import NotIdentifiedError, ParameterError
from clv.history import Histories, SpendPatterns

__all__ = ["PooledSpend", "PooledSpendFit", "customers_differ"]


@dataclass(frozen=True)
class PooledSpend:
    """Every customer's purchases have the same mean.

    Parameters
    ----------
    mean : float
        Mean value of a purchase, positive, in money.

    Examples
    --------
    >>> PooledSpend(12.5).expected_spend([0, 3], [0.0, 80.0])
    array([12.5, 12.5])
    """

    name: ClassVar[str] = "pooled-spend"
    label: ClassVar[str] = "Pooled spend"
    learns: ClassVar[str] = "what customers spend"

    mean: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and self.mean > 0):
            raise ParameterError(f"{self.label} needs mean > 0; got mean = {self.mean!r}")

    @property
    def parameters(self) -> dict[str, float]:
        """The parameter by name."""
        return {"mean": float(self.mean)}

    @property
    def population_mean(self) -> float:
        """Mean value of a purchase of a customer not seen yet."""
        return self.mean

    def expected_spend(self, x: npt.ArrayLike, m: npt.ArrayLike) -> Floats:
        """E[mean transaction value | x transactions of mean value m]: the mean of all.

        Parameters
        ----------
        x, m : float or array_like
            Transactions with a positive value, and their mean; they change nothing.

        Returns
        -------
        float or ndarray
        """
        shape = np.broadcast_shapes(np.shape(x), np.shape(m))
        return np.full(shape, self.mean)[()]

    @classmethod
    def fit(cls, histories: Histories) -> PooledSpendFit:
        """Fit the mean of all purchases, where customers differ no more than by chance.

        Parameters
        ----------
        histories : Histories
            With spend, of at least two customers.

        Returns
        -------
        PooledSpendFit

        Raises
        ------
        NotIdentifiedError
            Where there is too little spend, or customers do differ: Gamma-Gamma is for those.
        """
        spend = histories.spend
        if spend is None or spend.customers < 2:
            count = 0 if spend is None else spend.customers
            raise NotIdentifiedError(
                f"{count} of {histories.customers:,} customers have a repeat transaction with a "
                "positive amount; what is spent cannot be learned from so few."
            )
        if customers_differ(spend):
            raise NotIdentifiedError(
                f"The {spend.customers:,} customers with repeat transactions differ in what they "
                "spend by more than chance; one mean for all would hide it."
            )
        purchases = float(spend.weight @ spend.frequency)
        mean = float(spend.weight @ (spend.frequency * spend.mean_value)) / purchases
        return PooledSpendFit(cls(mean), spend.customers, int(purchases), histories)


@dataclass(frozen=True, eq=False)
class PooledSpendFit:
    """A mean of all purchases, and on what it rests.

    Attributes
    ----------
    model : PooledSpend
        The mean.
    customers, purchases : int
        Customers with repeat transactions of a positive value, and how many such transactions.
    histories : Histories
        What was fitted.
    """

    model: PooledSpend
    customers: int
    purchases: int
    histories: Histories = field(repr=False)

    @property
    def parameters(self) -> dict[str, float]:
        """The parameter by name."""
        return self.model.parameters

    @property
    def identified(self) -> bool:
        """Whether every figure can be taken as it is: how customers differ was not learned."""
        return False

    @property
    def concerns(self) -> tuple[str, ...]:
        """What a reader of any figure that rests on this fit must know."""
        told = (
            f"The {self.customers:,} customers with repeat purchases differ in what they spend no "
            "more than by chance, so Gamma-Gamma cannot be fitted; every customer is taken to "
            f"spend the mean of their {self.purchases:,} repeat purchases, "
            f"{self.model.mean:,.2f} each. If customers do differ, this hides it."
        )
        return (told,)

    @property
    def plain_concerns(self) -> tuple[str, ...]:
        """The same in words that name no model."""
        return tuple(told.replace("Gamma-Gamma cannot be fitted; ", "") for told in self.concerns)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        end = self.histories.end
        return {
            "model": self.model.name,
            "parameters": self.parameters,
            "customers": self.customers,
            "purchases": self.purchases,
            "unit": self.histories.unit,
            "end": end.isoformat() if end else None,
            "identified": self.identified,
            "concerns": list(self.concerns),
        }


def customers_differ(spend: SpendPatterns) -> bool:
    """Whether customers differ in what they spend by more than chance does.

    Examples
    --------
    >>> x, one = np.array([1.0, 1.0, 16.0, 16.0]), np.ones(4)
    >>> customers_differ(SpendPatterns(x, np.array([18.0, 22.0, 10.0, 30.0]), one))
    True
    >>> customers_differ(SpendPatterns(x, np.array([10.0, 30.0, 18.0, 22.0]), one))
    False
    """
    x, m, n = spend.frequency, spend.mean_value, spend.weight
    mean = float(n @ (x * m)) / float(n @ x)
    away = m / mean - 1
    p = _regularity(x, np.log1p(away), n)
    if p is None:
        return False  # all the same: nothing varies, within customers or between them
    return bool(n @ ((p * x * away) ** 2 - p * x) > 0)


def _regularity(x: Floats, ln: Floats, n: Any) -> float | None:
    """Maximum-likelihood p of z ~ Gamma(p, p/μ), `ln` being ln(m/μ); None where p → ∞.

    At the best μ the slope is Σ n x [ln(p x) − ψ(p x) + ln(m/μ)]: falling in p, and for p → ∞ it
    tends to Σ n x ln(m/μ), which is below 0 unless all m are equal.
    """

    def slope(ln_p: float) -> float:
        px = np.exp(ln_p) * x
        return float(n @ (x * (np.log(px) - digamma(px) + ln)))

    low, high = math.log(1e-8), math.log(1e12)
    if slope(high) >= 0:
        return None
    return math.exp(float(brentq(slope, low, high, xtol=1e-12)))
