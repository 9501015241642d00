"""Dividing a budget over offers that come whole: a letter, a voucher, a call.

Each customer gets one of the offers or none. The choice is made at a price of money
(:mod:`clv.recommend.knapsack`), which also proves a bound; how far the choice may be from the best
one there is, the gap, is part of the answer. Where it is not negligible, which is so for small
budgets, those offers that could still be part of something better are searched exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import AllocationError, rows_at_fault
from clv.recommend.allocation import check_total
from clv.recommend.knapsack import Chosen, Offers, Places, fill, relax

__all__ = ["OfferAllocation", "allocate_offers"]

NEGLIGIBLE = 1e-6
"""Part of what can be gained at most that is not worth a search."""

CORE = 2_000
"""Pairs of customer and offer that are searched exactly; more would take minutes."""

NODES = 20_000
"""Branches that the search looks into. Not a time: the answer must not depend on the machine."""


@dataclass(frozen=True, eq=False)
class OfferAllocation:
    """A budget divided over offers.

    Attributes
    ----------
    offer : ndarray of int, shape (n,)
        Place of the offer that each customer gets; -1 for none.
    spend, gain : ndarray, shape (n,)
        What it costs, and the value it is expected to keep, before its cost, in money.
    shadow_price : float
        λ ≥ 1: what the next unit of budget returns, as far as offers can be had in part.
    total : float
        What is spent.
    optimal_total : float
        The total at which no further offer returns what it costs: the budget worth asking for.
    unspent : float
        What is left of the budget: it returns less than itself, or no offer fits into it.
    gap : float
        No other choice within the budget brings more net gain (value kept less its cost) than
        this one by more than so much, in money. 0: it is proved to be the best.
    """

    offer: Places
    spend: Floats
    gain: Floats
    shadow_price: float
    total: float
    optimal_total: float
    unspent: float
    gap: float

    @property
    def total_gain(self) -> float:
        """The sum of `gain`."""
        return float(np.sum(self.gain))

    @property
    def relative_gap(self) -> float:
        """The gap as a part of the most net gain that any choice can bring."""
        most = self.total_gain - self.total + self.gap
        return self.gap / most if self.gap > 0 else 0.0


def allocate_offers(
    value: npt.ArrayLike, cost: npt.ArrayLike, *, total: float | None = None
) -> OfferAllocation:
    """Give each customer one of the offers, or none, so that a budget keeps the most value.

    Parameters
    ----------
    value : array_like, shape (n, m)
        Value that each of m offers keeps of each of n customers, in money; below its cost, or
        negative, where it should not be made. Floats of any size are read as they are, a block of
        customers at a time.
    cost : array_like, shape (m,) or (n, m)
        What the offers cost, in money, at least 0: the same for all customers, or for each.
    total : float, optional
        The budget; the optimal total if not given.

    Returns
    -------
    OfferAllocation

    Raises
    ------
    AllocationError
        Where a number makes no sense.

    Examples
    --------
    >>> chosen = allocate_offers([[4, 9], [5, 14], [1, 3]], [1, 5], total=7)
    >>> chosen.offer.tolist(), chosen.total, chosen.gap
    ([0, 1, -1], 6.0, 0.0)
    """
    offers = _checked(value, cost)
    check_total(total)
    free_hand = offers.choose(1.0)
    optimal_total = float(np.sum(free_hand.cost))
    if total is None or total >= optimal_total:
        unspent = 0.0 if total is None else total - optimal_total
        return _answer(free_hand, 1.0, optimal_total, unspent, 0.0)
    del free_hand
    relaxed = relax(offers, total)
    chosen = offers.chosen(relaxed.which)
    gap = relaxed.bound - _net(chosen)
    if gap > NEGLIGIBLE * relaxed.bound:
        chosen = _improved(offers, chosen, total)
        gap = relaxed.bound - _net(chosen)
    if gap > NEGLIGIBLE * relaxed.bound:
        chosen, gap = _searched(offers, chosen, relaxed.price, gap, total)
    # a bound that differs by what rounding adds up to is met
    gap = gap if gap > 1e-12 * (abs(relaxed.bound) + total) else 0.0
    left = max(0.0, total - float(np.sum(chosen.cost)))
    return _answer(chosen, relaxed.price, optimal_total, left, gap)


def _answer(
    chosen: Chosen, price: float, optimal_total: float, unspent: float, gap: float
) -> OfferAllocation:
    total = float(np.sum(chosen.cost))
    return OfferAllocation(
        chosen.which, chosen.cost, chosen.value, price, total, optimal_total, unspent, gap
    )


def _checked(value: npt.ArrayLike, cost: npt.ArrayLike) -> Offers:
    """Return the offers; all that makes no sense in one error."""
    v, c = (
        x if x.dtype.kind == "f" else x.astype(float) for x in (np.asarray(value), np.asarray(cost))
    )
    if v.ndim != 2 or c.shape not in (v.shape, v.shape[1:]) or v.shape[1] > np.iinfo("i2").max:
        raise AllocationError(
            "Offers need a value of shape (customers, offers) and a cost for each offer, or for "
            f"each customer and offer; got shapes {v.shape} and {c.shape}."
        )
    offers = Offers(v, np.atleast_2d(c))
    who = "offers" if c.ndim == 1 else "customers"
    ok = np.ones(len(offers.cost), dtype=bool) if c.ndim == 2 else np.isfinite(c) & (c >= 0)
    if c.ndim == 2:
        for j in range(c.shape[1]):
            ok &= np.isfinite(c[:, j]) & (c[:, j] >= 0)
    finite = np.ones(len(v), dtype=bool)
    for j in range(v.shape[1]):
        finite &= np.isfinite(v[:, j])
    faults = rows_at_fault(~finite, "a value that is not a finite number")
    faults += rows_at_fault(~ok, "a cost that is not a finite number of at least 0", who)
    if faults:
        raise AllocationError.of(faults)
    return offers


def _net(chosen: Chosen) -> float:
    return float(np.sum(chosen.value) - np.sum(chosen.cost))


def _improved(offers: Offers, chosen: Chosen, total: float) -> Chosen:
    """Spend what is left on the best further switches, be they on the way of λ or not."""
    while True:
        left = total - float(np.sum(chosen.cost))
        which, best, extra = chosen.which.copy(), np.zeros(len(offers)), np.zeros(len(offers))
        for b, columns in offers.blocks():
            for j, (v, c) in enumerate(columns):
                more = c - chosen.cost[b]
                gain = v - chosen.value[b] - more
                # what is better and not dearer comes first
                ratio = gain / np.maximum(more, 1e-12 * (1 + left))
                better = (gain > 0) & (more <= left) & (ratio > best[b])
                np.copyto(best[b], ratio, where=better)
                np.copyto(extra[b], more, where=better)
                np.copyto(which[b], np.int16(j), where=better)
        rows = np.flatnonzero(best)
        if not len(rows):
            return chosen
        order = rows[np.argsort(-best[rows], kind="stable")]
        switched = order[fill(np.maximum(extra[order], 0.0), left)]
        new = chosen.which.copy()
        new[switched] = which[switched]
        chosen = offers.chosen(new)


def _searched(
    offers: Offers, chosen: Chosen, price: float, gap: float, total: float
) -> tuple[Chosen, float]:
    """Search exactly among the offers that can be part of something better.

    An offer that at the price of the bound is worse for its customer than the best one by more
    than the gap cannot be: whatever it is part of is bound to be below what is chosen already.
    What is left is given to HiGHS.

    Returns
    -------
    tuple of Chosen and float
        The better choice, and the gap that is left; as they were where too much is left to search.
    """
    core = _core(offers, chosen, price, gap)
    if core is None:
        return chosen, gap
    if not len(core[0]):
        return chosen, 0.0

    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    row, place, net, cost = core
    customers, pair = np.unique(row, return_inverse=True)
    settled = np.ones(len(offers), dtype=bool)
    settled[customers] = False
    n = len(pair)
    one_each = csr_array((np.ones(n), (pair, np.arange(n))), shape=(len(customers), n))
    found = milp(
        -net,
        integrality=np.ones(n, dtype=int),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(one_each, 1, 1),
            LinearConstraint(cost[None, :], -np.inf, total - float(np.sum(chosen.cost[settled]))),
        ],
        options={"mip_rel_gap": 0.0, "node_limit": NODES},
    )
    if found.x is None:
        return chosen, gap
    which = chosen.which.copy()
    taken = found.x > 0.5
    which[row[taken]] = place[taken]
    better = offers.chosen(which)
    # the solver keeps the budget to a millionth only
    if float(np.sum(better.cost)) > total * (1 + 1e-12) or _net(better) < _net(chosen):
        better = chosen
    bound = float(np.sum((chosen.value - chosen.cost)[settled])) - float(found.mip_dual_bound)
    return better, min(gap, max(0.0, bound - _net(better)))


def _core(
    offers: Offers, chosen: Chosen, price: float, gap: float
) -> tuple[npt.NDArray[np.intp], Places, Floats, Floats] | None:
    """Customers, offers (-1: none), net gains and costs of the pairs left; None: too many."""
    found: list[tuple[npt.NDArray[Any], ...]] = []
    count = 0
    for b, columns in offers.blocks():
        n = b.stop - b.start
        value = np.column_stack([np.zeros(n), *(v for v, _ in columns)])
        cost = np.column_stack([np.zeros(n), *(np.broadcast_to(c, n) for _, c in columns)])
        at_price = value - price * cost
        short = at_price.max(axis=1, keepdims=True) - at_price
        possible = short <= gap * (1 + 1e-9)
        possible[np.arange(n), chosen.which[b] + 1] = True
        possible[possible.sum(axis=1) == 1] = False
        row, place = np.nonzero(possible)
        found.append((row + b.start, place - 1, (value - cost)[possible], cost[possible]))
        count += len(row)
        if count > CORE:
            return None
    row, place, net, cost = (np.concatenate(column) for column in zip(*found, strict=True))
    return row, place.astype(np.int16), net, cost
