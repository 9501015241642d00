"""Dividing a budget over customers, each with returns that diminish.

    maximise Σ w_i (1 − exp(−k_i s_i))   subject to   Σ s_i ≤ B,   lo_i ≤ s_i ≤ hi_i

The last unit spent on customer i returns `w_i k_i exp(−k_i s_i)`. At the optimum it returns the
same, μ, for everyone who is not at a bound:

    s_i(μ) = clip( (ln(w_i k_i) − ln μ) / k_i , lo_i , hi_i ),   μ ≥ 1

μ, the shadow price, is what the next unit of budget returns. It never goes below 1: money that
would return less than itself is not spent, so the total at μ = 1 is the one worth asking for.

What a price makes of all customers is :mod:`clv.recommend.diminishing`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import AllocationError
from clv.recommend.diminishing import DiminishingReturns

__all__ = ["Allocation", "allocate", "check_total", "exceeds"]


@dataclass(frozen=True, eq=False)
class Allocation:
    """A budget divided.

    Attributes
    ----------
    spend : ndarray, shape (n,)
        What to spend on each, in money.
    gain : ndarray, shape (n,)
        What that is expected to keep of each, before its cost: w(1 − exp(−ks)).
    shadow_price : float
        μ ≥ 1: what the next unit of budget returns; 1 where there is enough budget.
    total : float
        What is spent, the sum of `spend`.
    optimal_total : float
        The total at which the last unit returns just itself: the budget worth asking for.
    unspent : float
        What is left of the budget because it would return less than itself.
    """

    spend: Floats
    gain: Floats
    shadow_price: float
    total: float
    optimal_total: float
    unspent: float

    @property
    def total_gain(self) -> float:
        """The sum of `gain`."""
        return float(self.gain.sum())


def allocate(
    w: npt.ArrayLike,
    k: npt.ArrayLike,
    *,
    lo: npt.ArrayLike = 0.0,
    hi: npt.ArrayLike = np.inf,
    total: float | None = None,
) -> Allocation:
    """Divide a budget so that no unit would return more elsewhere.

    Parameters
    ----------
    w : array_like, shape (n,)
        Most that spend can keep of each customer, in money. Customers with w ≤ 0 get nothing,
        not even `lo`: there is nothing to save, or the effect is harm.
    k : array_like, shape (n,)
        How fast returns diminish, per unit of money, above 0.
    lo, hi : array_like, shape (n,) or scalar
        Least and most to spend on each customer with w > 0.
    total : float, optional
        The budget; the optimal total if not given.

    Returns
    -------
    Allocation

    Raises
    ------
    AllocationError
        Where a number makes no sense, lo is above hi, or the floors alone exceed the budget.

    Examples
    --------
    >>> a = allocate([120, 30, 200], [.05, .05, .02], lo=5, hi=[50, 50, 60], total=80)
    >>> a.spend.round(5).tolist(), round(a.shadow_price, 7), round(a.total_gain, 6)
    ([27.22093, 5.0, 47.77907], 1.5383539, 218.951202)
    """
    customers = DiminishingReturns.of(w, k, lo, hi)
    check_total(total)
    floors = customers.floors()
    if total is not None and exceeds(floors, total):
        raise AllocationError(
            f"The least to spend on each of {len(customers):,} customers adds up to "
            f"{floors:,.2f}, more than the budget of {total:,.2f}. Lower the least per customer "
            f"or raise the budget by {floors - total:,.2f}."
        )
    optimal_total, _ = customers.spent(0.0)
    if total is None or total >= optimal_total:
        spend = customers.spend(0.0)
        price, unspent = 1.0, 0.0 if total is None else total - optimal_total
    else:
        spend = customers.spend(customers.solve(total))
        customers.settle(spend, total)
        price, unspent = max(1.0, customers.next_unit(spend)), 0.0
    gain = customers.gain(spend)
    return Allocation(
        customers.of_all(spend),
        customers.of_all(gain),
        price,
        float(spend.sum()),
        optimal_total,
        unspent,
    )


def check_total(total: float | None) -> None:
    """Refuse a budget that is no amount."""
    if total is not None and not (np.isfinite(total) and total >= 0):
        raise AllocationError(f"The budget must be an amount of at least 0; got {total:g}.")


def exceeds(needed: float, there: float) -> bool:
    """Whether more is needed than there is, by more than the last digits of a long sum."""
    return needed > there * (1 + 1e-12)
