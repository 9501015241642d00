"""One of several offers, or none, for each of many customers: the multiple-choice knapsack.

    maximise Σ_i (v_ij(i) − c_ij(i))   subject to   Σ_i c_ij(i) ≤ B,      j(i) = none: v = c = 0

At a price λ of money every customer chooses alone, and what all choose bounds what anyone can do:

    j_i(λ) = argmax_j (v_ij − λ c_ij),    net gain ≤ Σ_i max_j (v_ij − λ c_ij) + (λ − 1) B,    λ ≥ 1

The spend of these choices falls in λ, in steps; λ ≥ 1 because money that would return less than
itself is kept. Between two prices that enclose the budget only those matter who choose differently
at the two; the ratio of what their switch gains to what it costs is a chord of their own curve, and
filling the budget in the order of these ratios gives the next price to try. When the bound meets
what this fills, with the last switch made in part, the price is the best there is, and only that
one switch separates whole offers from the bound.

After Zemel, E. (1984), An O(n) algorithm for the linear multiple choice knapsack problem and
related problems. Information Processing Letters 18(3), 123-128.
https://doi.org/10.1016/0020-0190(84)90014-0; and Pisinger, D. (1995), A minimal algorithm for the
multiple-choice knapsack problem. European Journal of Operational Research 83, 394-410.
https://doi.org/10.1016/0377-2217(95)00015-I
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats

__all__ = ["NOTHING", "Chosen", "Offers", "Relaxed", "fill", "relax"]
Places = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]

NOTHING = -1
"""The place of no offer."""

BLOCK = 1 << 15
"""Customers worked on at a time: their temporaries stay in the processor's cache."""

SAMPLE = 1 << 18
"""Customers from whom the next price is guessed, where more are undecided."""

ROUNDS = 200
"""Prices tried at most; some ten are needed."""

DIGITS = 1e-12
"""Relative difference of two sums over millions that rounding explains."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """What customers choose: the place of the offer, its value and its cost, each of shape (n,)."""

    which: Places
    value: Floats
    cost: Floats

    def take(self, rows: Mask) -> Chosen:
        """Return what these customers choose."""
        return Chosen(self.which[rows], self.value[rows], self.cost[rows])


@dataclass(frozen=True, eq=False)
class Offers:
    """What every offer keeps of every customer, and what it costs.

    Attributes
    ----------
    value : ndarray, shape (n, m)
        v, in money, finite.
    cost : ndarray, shape (1, m) or (n, m)
        c, in money, finite, at least 0.
    """

    value: npt.NDArray[np.floating]
    cost: npt.NDArray[np.floating]

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.value)

    def take(self, rows: Mask) -> Offers:
        """Return the offers to these customers."""
        return Offers(self.value[rows], self.cost if len(self.cost) == 1 else self.cost[rows])

    def blocks(self) -> Iterator[tuple[slice, list[tuple[Floats, Floats]]]]:
        """Yield blocks of customers, with value and cost of each offer to them."""
        for start in range(0, len(self), BLOCK):
            b = slice(start, min(start + BLOCK, len(self)))
            of = slice(None) if len(self.cost) == 1 else b
            yield (
                b,
                [
                    (self.value[b, j].astype(float), self.cost[of, j].astype(float))
                    for j in range(self.value.shape[1])
                ],
            )

    def choose(self, price: float) -> Chosen:
        """Return what each customer chooses at a price of money; the dearest price is infinite.

        At an infinite price nothing is chosen that costs anything.
        """
        n = len(self)
        which = np.full(n, NOTHING, dtype=np.int16)
        value, cost = np.zeros(n), np.zeros(n)
        for b, columns in self.blocks():
            best = np.zeros(len(which[b]))
            for j, (v, c) in enumerate(columns):
                net = v - price * c if np.isfinite(price) else np.where(c > 0, -np.inf, v)
                better = net > best
                np.copyto(best, net, where=better)
                np.copyto(value[b], v, where=better)
                np.copyto(cost[b], c, where=better)
                np.copyto(which[b], np.int16(j), where=better)
        return Chosen(which, value, cost)

    def chosen(self, which: Places) -> Chosen:
        """Return given choices with their values and costs."""
        at = np.maximum(which, 0)[:, None]
        value = np.take_along_axis(self.value, at, 1)[:, 0].astype(float)
        cost = np.take_along_axis(np.broadcast_to(self.cost, self.value.shape), at, 1)[:, 0]
        there = which != NOTHING
        return Chosen(which, np.where(there, value, 0.0), np.where(there, cost, 0.0).astype(float))


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Choices within the budget, and what is proved of all others.

    Attributes
    ----------
    which : ndarray of int, shape (n,)
        Place of the offer; -1 for nothing.
    price : float
        λ, what the next unit of budget returns.
    bound : float
        No choices within the budget keep more than this, what they cost deducted.
    """

    which: Places
    price: float
    bound: float


def relax(offers: Offers, budget: float) -> Relaxed:
    """Choose within a budget at the price of money that gives the lowest bound.

    Parameters
    ----------
    offers : Offers
        What each offer keeps and costs.
    budget : float
        B, at least 0 and less than the choices at λ = 1 cost.
    """
    dear, cheap = offers.choose(1.0), offers.choose(np.inf)
    bound, price = float(np.sum(dear.value) - np.sum(dear.cost)) + budget, 1.0
    which, rows = cheap.which.copy(), np.arange(len(offers))
    value = cost = aim = 0.0  # of those settled; how far beside the budget to aim
    trial, stuck = np.nan, False
    for _ in range(ROUNDS):
        # who chooses alike at both prices chooses so at all between them
        undecided = dear.cost > cheap.cost
        which[rows] = cheap.which
        value += float(np.sum(cheap.value[~undecided]))
        cost += float(np.sum(cheap.cost[~undecided]))
        rows, offers = rows[undecided], offers.take(undecided)
        dear, cheap = dear.take(undecided), cheap.take(undecided)
        if not len(rows):
            break
        left = budget - cost - float(np.sum(cheap.cost))
        exact = stuck or len(rows) <= SAMPLE
        before = trial
        trial, gained = _next_price(dear, cheap, left, exact=exact, aim=aim)
        filled = value + float(np.sum(cheap.value)) + gained
        if trial == before:
            break
        middle = offers.choose(trial)
        spent = cost + float(np.sum(middle.cost))
        at_trial = value + float(np.sum(middle.value)) + trial * (budget - spent)
        if at_trial < bound:
            bound, price = at_trial, trial
        if exact and bound - filled <= DIGITS * bound:
            break
        # a guess from a sample aims beside the budget, so that the other price moves next
        if spent > budget:
            dear, aim = middle, -0.01
        else:
            cheap, aim = middle, 0.01
        stuck = float(np.mean(dear.cost > cheap.cost)) > 0.9
    if len(rows):
        gain, spend = dear.value - cheap.value, dear.cost - cheap.cost
        order = np.argsort(-gain / spend, kind="stable")
        left = budget - cost - float(np.sum(cheap.cost))
        switched = order[fill(spend[order], left)]
        which[rows[switched]] = dear.which[switched]
    return Relaxed(which, price, bound - budget)


def _next_price(
    dear: Chosen, cheap: Chosen, left: float, *, exact: bool, aim: float
) -> tuple[float, float]:
    """Return the price at which switches from cheap to dear use up what is left, and their gain.

    The last switch is made in part. From a sample where not `exact`: then the price alone means
    something, and it is aimed that share of all switches beside the budget.
    """
    n = len(dear.cost)
    step = slice(None) if exact else slice(None, None, -(-n // SAMPLE))
    gain = dear.value[step] - cheap.value[step]
    spend = dear.cost[step] - cheap.cost[step]
    ratio = gain / spend
    order = np.argsort(-ratio, kind="stable")
    used = np.cumsum(spend[order])
    target = left
    if not exact:
        target = used[-1] * (left / float(np.sum(dear.cost - cheap.cost)) + aim)
    k = min(int(np.searchsorted(used, target, side="right")), len(order) - 1)
    before = float(used[k - 1]) if k else 0.0
    last = float(ratio[order[k]])
    return last, float(np.sum(gain[order[:k]])) + last * (target - before)


def fill(cost: Floats, left: float) -> npt.NDArray[np.intp]:
    """Return the places of costs that fit into what is left, taken in their order.

    >>> fill(np.array([3.0, 9.0, 4.0, 1.0]), 8.0).tolist()
    [0, 2, 3]
    """
    taken = []
    rest = np.arange(len(cost))
    while True:
        rest = rest[cost[rest] <= left]
        if not len(rest):
            break
        used = np.cumsum(cost[rest])
        k = int(np.searchsorted(used, left, side="right"))
        taken.append(rest[:k])
        left -= float(used[k - 1])
        rest = rest[k + 1 :]
    return np.concatenate(taken) if taken else rest
