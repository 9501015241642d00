"""Intervals of each customer's value, and of the sum over all customers.

Two kinds, never to be mixed up (:mod:`clv.inference.intervals`):

- of `value_if_alive`, an **expectation interval**: how far the parameters leave the expectation
  open. It is what a decision that rests on the expectation inherits.
- of `lifetime_value`, a **predictive interval**: what this customer's margin may come to, with
  parameters, dropout, counts and spend. Of all customers together the chance of each nearly
  cancels; the parameters do not, because every customer has the same ones.

Future i of every customer is drawn with models i, the same for all customers, so the sum over the
customers of their futures i is a draw of the total: parameters shared, chance independent.

The purchases of one future are counted, not dated: each is worth the customer's mean discount,
E[discounted purchases] / E[purchases] within the horizon. The mean is exact; the spread leaves out
when within the horizon a customer buys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats, Rows
from clv.models.base import PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.side_by_side import side_by_side, slices

__all__ = [
    "LEVEL",
    "CustomerColumns",
    "ValueIntervals",
    "bounds",
    "futures",
    "sample_by_value",
    "total_interval",
    "value_intervals",
]

LEVEL = 0.8
"""Of all intervals shown: 8 in 10 customers, or totals, lie between the bounds."""

FUTURES, FEW_CUSTOMERS = (399, 99), 10_000
"""Futures of each customer: more of up to so many customers, for steadier bounds. Of N draws the
k-th smallest and the k-th largest hold 1 − 2k/(N + 1) of one more on average, whatever the
distribution: .8 exactly, with k = 40 of 399 and with 10 of 99."""

TOTALS = 99
"""Draws of a total that a sample tells, as many as of the futures of many customers."""

CHUNK = 16_384


@dataclass(frozen=True, eq=False)
class CustomerColumns:
    """What is known of each customer, one value a row.

    Attributes
    ----------
    x, t_x, T : ndarray, shape (n,)
        Histories, in the unit of the models.
    k, m : ndarray, shape (n,)
        Repeat transactions with a positive value, and their mean; 0 where there is none.
    """

    x: Floats
    t_x: Floats
    T: Floats
    k: Floats
    m: Floats

    def __len__(self) -> int:
        """Return the number of customers."""
        return len(self.x)

    def take(self, rows: slice | npt.NDArray[np.intp]) -> CustomerColumns:
        """Return some of the customers."""
        return CustomerColumns(*(c[rows] for c in (self.x, self.t_x, self.T, self.k, self.m)))


@dataclass(frozen=True, eq=False)
class ValueIntervals:
    """Bounds a customer, and what the sum of all may come to.

    Attributes
    ----------
    value_if_alive : ndarray, shape (2, n)
        Expectation interval of the value from now on if still a customer.
    lifetime_value : ndarray, shape (2, n), or None
        Predictive interval of the discounted margin to come; None without a horizon.
    total : tuple of float, or None
        Predictive interval of the sum of the latter.
    """

    value_if_alive: Floats
    lifetime_value: Floats | None
    total: tuple[float, float] | None


def futures(customers: int) -> int:
    """How many futures are drawn of each of so many customers.

    >>> futures(2357), futures(1_000_000)
    (399, 99)
    """
    return FUTURES[customers > FEW_CUSTOMERS]


def value_intervals(
    purchases: Sequence[PurchaseModel],
    spends: Sequence[GammaGamma],
    customers: CustomerColumns,
    *,
    discount: Floats,
    margin: float,
    paid_share: float,
    rate: float,
    horizon: float,
    seed: int = 1,
) -> ValueIntervals:
    """Draw intervals of the value of each customer and of their sum.

    Parameters
    ----------
    purchases, spends : sequence of models
        From the posteriors, equally likely, at least :func:`futures` of each.
    customers : CustomerColumns
        Their histories and spend.
    discount : ndarray, shape (n,)
        Mean discount factor of each customer's purchases within the horizon.
    margin : float
        Share of revenue that remains.
    paid_share : float
        Share of purchases that are paid for.
    rate : float
        Continuous discount rate per unit of time.
    horizon : float
        How far ahead value counts; inf for all the future.
    seed : int
        The same seed gives the same intervals.

    Returns
    -------
    ValueIntervals
    """
    count = futures(len(customers))
    pairs = list(zip(purchases[:count], spends[:count], strict=True))
    rows, place = _patterns(customers)
    future = np.empty((len(pairs), len(rows)), dtype=np.float32)
    for i, (model, _) in enumerate(pairs):
        future[i] = model.discounted_purchases_if_alive(
            rows.x, rows.T, rows.t_x, rate=rate, horizon=horizon
        )
    finite = math.isfinite(horizon)
    n = len(customers)
    of_stay, of_life = np.empty((2, n)), np.empty((2, n))
    parts = slices(n, CHUNK)
    streams = np.random.default_rng(seed).spawn(len(parts))

    def one(part: slice, rng: np.random.Generator) -> Floats:
        some = customers.take(part)
        stays = np.empty((len(pairs), len(some)), dtype=np.float32)
        lives = np.zeros_like(stays)
        sums = np.zeros(len(pairs))
        for i, (model, spend) in enumerate(pairs):
            each = margin * paid_share * spend.expected_spend(some.k, some.m)
            stays[i] = each * future[i, place[part]]
            if finite:
                bought = model.simulate_purchases(horizon, rng, some.x, some.t_x, some.T)
                value = _worth(spend, bought, some, paid_share, rng) * margin * discount[part]
                lives[i], sums[i] = value, value.sum()
        of_stay[:, part], of_life[:, part] = bounds(stays), bounds(lives)
        return sums

    totals = np.sum(side_by_side(one, parts, streams), axis=0)
    if not finite:
        return ValueIntervals(of_stay, None, None)
    low, high = bounds(totals)
    return ValueIntervals(of_stay, of_life, (float(low), float(high)))


def sample_by_value(values: Floats, size: int) -> tuple[Rows, Floats]:
    """Choose customers who tell the interval of a total, the likelier the larger.

    Few customers may carry a total. With chances that grow as the sum of a customer's value and
    the mean value, whoever has more than twice the total over `size` is chosen for sure, and nobody
    stands for more than twice as many as in a plain sample.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Expected value of each customer, not negative; where all are 0, each is as likely.
    size : int
        How many to choose, about.

    Returns
    -------
    rows : ndarray of int, shape (n,)
        Who is chosen, in order.
    weight : ndarray, shape (n,)
        For how many customers each of them stands.

    Examples
    --------
    >>> rows, weight = sample_by_value(np.array([1.0, 1.0, 98.0, 1.0, 1.0]), 4)
    >>> 2 in rows, round(float(weight.max()), 1)
    (True, 2.4)
    """
    chance = values + (values.mean() or 1.0)
    upto = np.cumsum(chance)
    places = (np.arange(size) + 0.5) * upto[-1] / size
    rows, times = np.unique(np.searchsorted(upto, places), return_counts=True)
    return rows, times * upto[-1] / (size * chance[rows])


def total_interval(
    purchases: Sequence[PurchaseModel],
    spends: Sequence[GammaGamma],
    sample: CustomerColumns,
    *,
    discount: Floats,
    margin: float,
    paid_share: float,
    rate: float,
    horizon: float,
    total: float,
    expected: Floats,
    weight: Floats,
    seed: int = 1,
) -> tuple[float, float]:
    """Draw the interval of the sum over many customers from a sample of them.

    Customer j of the sample stands for w_j customers. With models i the total is drawn as
    V · Σ w_j E_ij / Σ w_j E_j + Σ √w_j · (S_ij − E_ij), where V is the expected total, E_ij and
    S_ij the customer's expectation and future under models i, and E_j is `expected`. The ratio
    carries the parameters, which all customers share, and hardly depends on who is sampled; the
    difference is chance, whose variance is w_j times that of one customer.

    Parameters
    ----------
    purchases, spends : sequence of models
        From the posteriors, equally likely, at least :data:`TOTALS` of each.
    sample : CustomerColumns
        Histories and spend of the customers sampled.
    discount, margin, paid_share, rate, horizon
        As for :func:`value_intervals`; the horizon is finite.
    total : float
        Expected lifetime value of all customers together.
    expected : ndarray, shape (n,)
        That of the sample's customers.
    weight : ndarray, shape (n,)
        For how many customers each of the sample stands.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    tuple of float
        0 and 0 where the total is 0: nobody is worth less than nothing.
    """
    if not total:
        return 0.0, 0.0
    pairs = list(zip(purchases[:TOTALS], spends[:TOTALS], strict=True))
    c, root = sample, np.sqrt(weight)
    whole = float(weight @ expected)

    def one(pair: tuple[PurchaseModel, GammaGamma], rng: np.random.Generator) -> float:
        model, spend = pair
        each = margin * paid_share * spend.expected_spend(c.k, c.m)
        to_come = model.discounted_purchases_if_alive(c.x, c.T, c.t_x, rate=rate, horizon=horizon)
        mean = model.p_alive(c.x, c.t_x, c.T) * each * to_come
        bought = model.simulate_purchases(horizon, rng, c.x, c.t_x, c.T)
        drawn = _worth(spend, bought, c, paid_share, rng) * margin * discount
        return float(total * (weight @ mean) / whole + root @ (drawn - mean))

    sums = np.array(side_by_side(one, pairs, np.random.default_rng(seed).spawn(len(pairs))))
    low, high = bounds(sums)
    return float(low), float(high)


def bounds(draws: npt.NDArray[np.floating]) -> Floats:
    """Bounds of level :data:`LEVEL` over the first axis, each one of the draws.

    Examples
    --------
    >>> bounds(np.arange(1.0, 100.0))
    array([10., 90.])
    """
    rank = math.floor((1 - LEVEL) / 2 * (len(draws) + 1) + 1e-9)
    low, high = rank - 1, len(draws) - rank
    parted = np.partition(draws, (low, high), axis=0)
    return np.stack([parted[low], parted[high]]).astype(float)


def _worth(
    spend: GammaGamma,
    bought: Floats,
    customers: CustomerColumns,
    paid_share: float,
    rng: np.random.Generator,
) -> Floats:
    """Draw what a number of purchases each are worth together."""
    worth = np.zeros_like(bought)
    some = np.flatnonzero(bought)
    paid = bought[some]
    if paid_share < 1:
        paid = rng.binomial(paid.astype(np.int64), paid_share).astype(float)
    worth[some] = spend.simulate_total(paid, rng, customers.k[some], customers.m[some])
    return worth


def _patterns(customers: CustomerColumns) -> tuple[CustomerColumns, npt.NDArray[np.intp]]:
    """Distinct (x, t_x, T), and which of them each customer has."""
    history = np.stack([customers.x, customers.t_x, customers.T])
    order = np.lexsort(history[::-1])
    history = history[:, order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (history[:, 1:] != history[:, :-1]).any(axis=0)
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.cumsum(new) - 1
    x, t_x, T = history[:, new]
    none = np.zeros(len(x))
    return CustomerColumns(x, t_x, T, none, none), place
