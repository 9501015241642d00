"""What every size of budget brings: gain and marginal return against the total.

As the price of money falls, customer i begins to get more than the least at ln μ = b_i and has the
most at ln μ = b_i − k_i (hi_i − lo_i), with b_i = ln(w_i k_i) − k_i lo_i. Between the two the
customer gets `(b_i − ln μ)/k_i` more than the least, which keeps `(exp(b_i) − μ)/k_i` more. So with
the prices in order every customer is free for a run of them, and both sums

    S(ln μ) = Σ lo_i                      + Σ_free (b_i − ln μ)/k_i    + Σ_most (hi_i − lo_i)
    G(ln μ) = Σ w_i (1 − exp(−k_i lo_i))  + Σ_free (exp(b_i) − μ)/k_i  + Σ_most (the like at hi_i)

are running totals of what enters and leaves at each price: one pass over the customers answers for
any number of prices. Newton's method then moves all prices at once to the totals asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import AllocationError
from clv.recommend.allocation import exceeds
from clv.recommend.diminishing import DiminishingReturns

__all__ = ["BudgetCurve", "budget_curve"]

POINTS = 25
"""Totals of the curve where none are asked for."""

BEYOND = 1.5
"""How far the curve then goes, as a multiple of the total worth asking for."""

PASSES = 100
"""More than halving alone needs to exhaust the digits of ln μ."""


NEAR = 1e-10
"""A total is met to this part of it: running sums over millions do not carry more digits."""

SAMPLE = 1 << 16
"""Customers whose prices are a start for those of all."""


@dataclass(frozen=True, eq=False)
class BudgetCurve:
    """What budgets of many sizes bring, each divided in the best way.

    Attributes
    ----------
    total : ndarray, shape (m,)
        Budgets, rising, in money.
    gain : ndarray, shape (m,)
        Value that each is expected to keep, before its cost, in money.
    marginal_return : ndarray, shape (m,)
        What the last unit of each returns; below 1 where the budget is larger than is worth asking
        for.
    optimal_total, optimal_gain : float
        The budget whose last unit returns just itself, and what it keeps.
    gain_low, gain_high : ndarray, shape (m,), or None
        Bounds of the value that each keeps, where they were drawn, in money.
    """

    total: Floats
    gain: Floats
    marginal_return: Floats
    optimal_total: float
    optimal_gain: float
    gain_low: Floats | None = None
    gain_high: Floats | None = None


def budget_curve(
    w: npt.ArrayLike,
    k: npt.ArrayLike,
    *,
    lo: npt.ArrayLike = 0.0,
    hi: npt.ArrayLike = np.inf,
    totals: npt.ArrayLike | None = None,
) -> BudgetCurve:
    """Return what budgets of many sizes bring.

    Parameters
    ----------
    w, k, lo, hi
        As in :func:`clv.recommend.allocation.allocate`.
    totals : array_like, shape (m,), optional
        The budgets, rising; from the least possible to half as much again as is worth asking for,
        if not given.

    Returns
    -------
    BudgetCurve
        Unlike an allocation, which keeps such money, it spends budgets above the optimal total
        too, to show what that returns.

    Raises
    ------
    AllocationError
        Where a number makes no sense, or a budget is less than the least or more than the most
        that can be spent.

    Examples
    --------
    >>> curve = budget_curve([120, 30, 200], [.05, .05, .02], totals=[40, 80, 120])
    >>> curve.gain.round(2).tolist(), curve.marginal_return.round(2).tolist()
    ([142.46, 219.76, 266.49], [2.54, 1.45, 0.93])
    >>> round(curve.optimal_total, 2)
    113.26
    """
    customers = DiminishingReturns.of(w, k, lo, hi)
    floors, room = customers.floors(), customers.room()
    optimal_total, _ = customers.spent(0.0)
    if totals is None:
        end = max(floors, min(room, BEYOND * optimal_total))
        asked = floors + (end - floors) * np.linspace(0, 1, POINTS) ** 2  # it bends most at first
    else:
        asked = np.asarray(totals, dtype=float)
        _refuse(asked, floors, room)
    ln_mu = _prices(customers, asked)
    _, gain, _ = _sums(customers, ln_mu)
    optimal_gain = _sums(customers, np.zeros(1))[1]
    return BudgetCurve(asked, gain, np.exp(ln_mu), optimal_total, float(optimal_gain[0]))


def _refuse(totals: Floats, floors: float, room: float) -> None:
    """Refuse totals that cannot be spent, or are not in order."""
    if totals.ndim != 1 or not len(totals) or not np.isfinite(totals).all():
        raise AllocationError("The totals of a curve are one or more amounts.")
    faults = []
    if (np.diff(totals) < 0).any():
        faults.append("The totals of a curve must rise.")
    if exceeds(floors, float(totals[0])):
        faults.append(
            f"The least per customer adds up to {floors:,.2f}, more than a budget of "
            f"{totals[0]:,.2f}."
        )
    if exceeds(float(totals[-1]), room):
        faults.append(
            f"The most per customer adds up to {room:,.2f}, less than a budget of "
            f"{totals[-1]:,.2f}."
        )
    if faults:
        raise AllocationError.of(faults)


def _prices(customers: DiminishingReturns, totals: Floats) -> Floats:
    """Ln μ for each of the totals, by Newton for all at once, each inside a bracket."""
    if not len(customers):
        return np.zeros_like(totals)
    begin = float(np.max(customers.a - customers.k * customers.lo))
    low, step = min(0.0, begin), 1.0
    most = min(float(totals[-1]), customers.room()) * (1 - 1e-13)
    while customers.spent(low)[0] < most:
        low, step = low - step, 2 * step
    lows, highs = np.full_like(totals, low), np.full_like(totals, begin)
    ln_mu = np.clip(_guess(customers, totals, begin, low), low, begin)
    ln_mu[totals <= customers.floors()] = begin
    for _ in range(PASSES):
        spent, _, slope = _sums(customers, ln_mu)
        over = spent - totals
        lows, highs = np.where(over > 0, ln_mu, lows), np.where(over > 0, highs, ln_mu)
        done = np.abs(over) <= NEAR * totals
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = ln_mu + over / slope
        inside = (newton > lows) & (newton < highs)
        moved = np.where(done, ln_mu, np.where(inside, newton, (lows + highs) / 2))
        if (moved == ln_mu).all():
            break
        ln_mu = moved
    return ln_mu


def _guess(customers: DiminishingReturns, totals: Floats, begin: float, low: float) -> Floats:
    """Prices to start from: of many customers, those at which a sample of them spends as much."""
    every = len(customers) // SAMPLE
    if every < 2:
        return np.linspace(begin, low, len(totals))
    some = customers.take(slice(None, None, every))
    parts = totals * (len(some) / len(customers))
    return _prices(some, np.clip(parts, some.floors(), some.room()))


def _sums(customers: DiminishingReturns, ln_mu: Floats) -> tuple[Floats, Floats, Floats]:
    """S and G at each price, and −dS/d ln μ, in one pass.

    From the highest price down, where all get the least: running totals of who has entered, so that
    small budgets keep their digits.
    """
    m = len(ln_mu)
    order = np.argsort(-ln_mu, kind="stable")
    price = -ln_mu[order]  # rising, as searchsorted wants it
    change = np.zeros((5, m + 1))
    for b in customers.blocks():
        a, k, lo, hi = customers.a[b], customers.k[b], customers.lo[b], customers.hi[b]
        begin, per = a - k * lo, 1 / k
        enter = np.searchsorted(price, -begin, side="right")
        leave = np.maximum(enter, np.searchsorted(price, k * hi - a, side="left"))
        left = np.exp(begin) * per  # to keep of each beyond the least: w exp(−k lo)
        for row, each in enumerate((per, begin * per, left)):
            change[row] += np.bincount(enter, each, m + 1) - np.bincount(leave, each, m + 1)
        change[3] += np.bincount(leave, hi - lo, m + 1)
        change[4] += np.bincount(leave, -left * np.expm1(-k * (hi - lo)), m + 1)
    free, begins, lefts, fixed, kept = np.cumsum(change[:, :m], axis=1)
    spent = customers.floors() + (begins + price * free) + fixed
    gain = float(np.sum(customers.gain(customers.lo))) + (lefts - np.exp(-price) * free) + kept
    back = np.argsort(order, kind="stable")
    return spent[back], gain[back], free[back]
