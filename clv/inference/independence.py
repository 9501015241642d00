"""Test whether the value of a purchase is independent of how often a customer buys.

Gamma-Gamma assumes it: then a lifetime value is (expected purchases) × (expected spend). Under the
assumption the mean of a customer's transaction values has the same expectation whatever x, so its
covariance with x is zero. Its variance does depend on x (a mean of more values varies less), hence
the standard error here does not assume it constant: White's, each residual divided by what its
customer's own pull on the slope leaves of it (HC3: MacKinnon & White 1985, Journal of Econometrics
29(3)), for a few customers who buy very often would otherwise make it too small. A rank correlation
would not do: means of few skewed values have a lower median, so ranks correlate even where the
assumption holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy.special import stdtr, stdtrit

from clv.errors import NotIdentifiedError
from clv.history import Histories

__all__ = ["SpendIndependence", "spend_independence"]

WEAK, STRONG = 0.1, 0.3
"""Conventional sizes of a correlation (Cohen 1988): below WEAK hardly matters for the values."""

TOO_WIDE = 1.0
"""The width of an interval that tells nothing: any wider has strong correlations in it, and 0
(assumed)."""


@dataclass(frozen=True)
class SpendIndependence:
    """How far mean spend goes with frequency among the customers with repeat purchases.

    Attributes
    ----------
    correlation : float
        Pearson's, of the number of repeat transactions and their mean value.
    low, high : float
        Its 95 % interval, valid when the spread of spend differs by frequency.
    p_value : float
        Two-sided, of no correlation.
    customers : int
        Customers compared.
    """

    correlation: float
    low: float
    high: float
    p_value: float
    customers: int

    @property
    def sentence(self) -> str:
        """What it means for the values."""
        shown = (
            f"Spend per purchase and number of purchases correlate by {self.correlation:z.2f} "
            f"(95 % interval {self.low:z.2f} to {self.high:z.2f}, {self.customers:,} customers)"
        )
        size = abs(self.correlation)
        if self.high - self.low > TOO_WIDE:
            return (
                f"{shown}: too wide to tell whether they are independent, as Gamma-Gamma assumes."
            )
        if self.low <= 0 <= self.high:
            return f"{shown}: no sign against Gamma-Gamma's assumption that they are independent."
        if size < WEAK:
            return (
                f"{shown}: against Gamma-Gamma's assumption that they are independent, but too "
                "weakly to matter for the values."
            )
        seldom, often = ("high", "low") if self.correlation > 0 else ("low", "high")
        how = "weakly against" if size < STRONG else "clearly against"
        return (
            f"{shown}: {how} Gamma-Gamma's assumption that they are independent. Customers who buy "
            f"seldom are valued somewhat too {seldom}, frequent buyers somewhat too {often}."
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        return {
            "correlation": self.correlation,
            "low": self.low,
            "high": self.high,
            "p_value": self.p_value,
            "customers": self.customers,
            "sentence": self.sentence,
        }


def spend_independence(histories: Histories) -> SpendIndependence:
    """Test Gamma-Gamma's assumption on the customers with repeat purchases.

    Parameters
    ----------
    histories : Histories
        With spend.

    Returns
    -------
    SpendIndependence

    Raises
    ------
    NotIdentifiedError
        Where there is no spend, nobody bought again, or frequency or spend does not vary.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> h = clv.histories(orders, end="1997-09-30", unit="week")
    >>> round(clv.spend_independence(h).correlation, 2)
    0.11
    """
    spend = histories.spend
    if spend is None:
        raise NotIdentifiedError(
            "These histories have no spend, so nothing can be said of its independence. Read the "
            "orders with their amounts."
        )
    if not len(spend.weight):
        raise NotIdentifiedError(
            "Nobody bought again for an amount above 0, so nothing can be said of whether spend is "
            "independent of how often customers buy."
        )
    n = spend.weight
    total = float(n.sum())
    dx = spend.frequency - float(n @ spend.frequency) / total
    dm = spend.mean_value - float(n @ spend.mean_value) / total
    spread = math.sqrt(float(n @ dx**2) * float(n @ dm**2))
    if spread == 0:
        raise NotIdentifiedError(
            "Frequency or spend does not vary among the customers with repeat purchases "
            f"({int(total):,}), so their correlation is undefined."
        )
    correlation = float(n @ (dx * dm)) / spread
    # Variance of Σ dx·dm, each customer's own. A customer with leverage 1 is met exactly, whatever
    # was spent: then the data do not say how far the correlation is off.
    in_x = float(n @ dx**2)
    residual = dm - dx * float(n @ (dx * dm)) / in_x
    left = 1 - 1 / total - dx**2 / in_x
    error = math.inf
    if left.min() > 1e-9:
        error = math.sqrt(float(n @ (dx * residual / left) ** 2)) / spread
    freedom = max(1.0, total - 2)
    reach = float(stdtrit(freedom, 0.975)) * error
    return SpendIndependence(
        correlation=correlation,
        low=max(-1.0, correlation - reach),
        high=min(1.0, correlation + reach),
        p_value=float(2 * stdtr(freedom, -abs(correlation) / error)) if error else 0.0,
        customers=int(total),
    )
