"""Predictive intervals of the months of a forecast, and of their sum.

One draw: models from the posterior, the same for all customers; a future of each customer, its
purchases month by month, and what they are worth at the customer's own mean; the sum over the
customers. The chance of each customer is independent and nearly cancels in the sum, the parameters
are shared and do not. A month's bounds and the total's come from the same draws, so that months
which are high together make a high total; the bounds of the total are not sums of bounds.

Of more than twice :data:`SAMPLE` customers a random sample of n out of N is drawn. With E the
expectation in the sample and S its draw, a draw of the sum over all is

    expected of all · E(models) / E(fitted models)  +  √(N/n) · [S − E(models)] :

what the parameters change in proportion, and chance scaled to the variance of N customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np

from clv.arrays import Floats
from clv.models.base import PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.models.pooled_spend import PooledSpend
from clv.models.purchase_paths import simulate_path
from clv.value.forecast import ForecastMonth
from clv.value.value_intervals import LEVEL, CustomerColumns, bounds, futures

__all__ = ["SAMPLE", "Forecast", "draw_sums", "total_of", "with_intervals"]

Spend = GammaGamma | PooledSpend

SAMPLE = 20_000
"""Customers whose futures are drawn; all of them up to twice as many, which is quicker still."""


@dataclass(frozen=True)
class Forecast(Sequence[ForecastMonth]):
    """A forecast month by month, its total, and how sure it is.

    Attributes
    ----------
    rows : tuple of ForecastMonth
        The months; also what iteration gives.
    total : ForecastMonth
        Their sum, from the first day to the last.
    level : float
        Of the intervals.
    without_intervals : str
        Why intervals are missing, of all or of revenue and margin; empty where none are.
    """

    rows: tuple[ForecastMonth, ...]
    total: ForecastMonth
    level: float = LEVEL
    without_intervals: str = ""

    @overload
    def __getitem__(self, index: int) -> ForecastMonth: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ForecastMonth]: ...

    def __getitem__(self, index: Any) -> Any:
        """Return a month, or some."""
        return self.rows[index]

    def __len__(self) -> int:
        """Return the number of months."""
        return len(self.rows)

    def __iter__(self) -> Iterator[ForecastMonth]:
        """Go through the months."""
        return iter(self.rows)


def total_of(rows: Sequence[ForecastMonth]) -> ForecastMonth:
    """Return the sum of some months, without intervals: bounds do not add up."""
    return ForecastMonth(
        month="total",
        first_day=rows[0].first_day,
        last_day=rows[-1].last_day,
        partial=False,
        orders=sum(row.orders for row in rows),
        revenue=sum(row.revenue for row in rows),
        margin=sum(row.margin for row in rows),
    )


def with_intervals(
    rows: Sequence[ForecastMonth],
    orders: Floats,
    revenue: Floats | None,
    margin: float,
) -> tuple[tuple[ForecastMonth, ...], ForecastMonth]:
    """Give months and their total the bounds that draws of them have.

    Parameters
    ----------
    rows : sequence of ForecastMonth
        The forecast in expectation.
    orders, revenue : ndarray, shape (draws, months)
        Draws of the sums over all customers; None for revenue of which there are none.
    margin : float
        Share of revenue that remains.

    Returns
    -------
    months : tuple of ForecastMonth
    total : ForecastMonth
    """

    def bounded(row: ForecastMonth, count: Floats, money: Floats | None) -> ForecastMonth:
        low, high = bounds(count).tolist()
        row = replace(row, orders_low=low, orders_high=high)
        if money is None:
            return row
        low, high = bounds(money).tolist()
        return replace(
            row,
            revenue_low=low,
            revenue_high=high,
            margin_low=margin * low,
            margin_high=margin * high,
        )

    months = tuple(
        bounded(row, orders[:, i], None if revenue is None else revenue[:, i])
        for i, row in enumerate(rows)
    )
    every = None if revenue is None else revenue.sum(axis=1)
    return months, bounded(total_of(rows), orders.sum(axis=1), every)


def draw_sums(
    purchases: Sequence[PurchaseModel],
    spends: Sequence[GammaGamma] | None,
    customers: CustomerColumns,
    times: Sequence[float],
    *,
    fitted: tuple[PurchaseModel, Spend],
    expected: tuple[Floats, Floats],
    paid_share: float,
    sample: int = SAMPLE,
    seed: int = 1,
) -> tuple[Floats, Floats | None]:
    """Draw what all customers order, and spend, in each of some periods in a row.

    Parameters
    ----------
    purchases, spends : sequence of models
        From the posteriors, equally likely, at least :func:`futures` of each; None for no spend.
    customers : CustomerColumns
        Their histories and spend.
    times : sequence of float
        Ends of the periods, as times ahead in the models' unit.
    fitted : tuple of models
        Purchases and spend, as fitted: what `expected` was computed with.
    expected : tuple of ndarray, shape (periods,)
        Expected orders and revenue of all customers.
    paid_share : float
        Share of purchases that are paid for.
    sample : int
        Customers to draw, if there are more than twice as many.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    orders, revenue : ndarray, shape (draws, periods)
        Revenue is None without spend models.
    """
    rng = np.random.default_rng(seed)
    everyone = len(customers)
    some = customers
    if everyone > 2 * sample:
        some = customers.take(np.sort(rng.choice(everyone, sample, replace=False)))
    count = futures(everyone)
    orders = np.empty((count, len(times)))
    revenue = np.empty_like(orders)
    pairs = [(purchases[i], spends[i] if spends else None) for i in range(count)]
    for i, (model, spend) in enumerate(pairs):
        counts = np.diff(
            simulate_path(model, times, rng, some.x, some.t_x, some.T), axis=0, prepend=0
        )
        orders[i] = counts.sum(axis=1)
        if spend is not None:
            revenue[i] = _revenue(spend, counts, some, paid_share, rng)
    if len(some) < everyone:
        scale = everyone / len(some)
        usual = _expected(*fitted, some, times, paid_share)
        for i, (model, spend) in enumerate(pairs):
            given = _expected(model, spend or fitted[1], some, times, paid_share)
            for drawn, of_all, of_some, mean in zip(
                (orders, revenue), expected, usual, given, strict=True
            ):
                chance = drawn[i] - mean
                drawn[i] = of_all * mean / of_some + np.sqrt(scale) * chance
    return orders, revenue if spends else None


def _revenue(
    spend: GammaGamma,
    counts: Floats,
    customers: CustomerColumns,
    paid_share: float,
    rng: np.random.Generator,
) -> Floats:
    """Draw what purchases of shape (periods, n) are worth, the customer's own mean in all of them.

    Given the history ν ~ Gamma(q + p k, v + k m); n purchases add up to Gamma(p n)/ν.
    """
    p, q, v = spend.p, spend.q, spend.v
    nu = rng.gamma(q + p * customers.k) / (v + customers.k * customers.m)
    period, who = np.nonzero(counts)
    bought = counts[period, who]
    if paid_share < 1:
        bought = rng.binomial(bought.astype(np.int64), paid_share).astype(float)
    worth = rng.gamma(p * bought) / nu[who]
    return np.bincount(period, worth, len(counts)).astype(float)


def _expected(
    model: PurchaseModel,
    spend: Spend,
    customers: CustomerColumns,
    times: Sequence[float],
    paid_share: float,
) -> tuple[Floats, Floats]:
    """Expected orders and revenue of some customers in each period."""
    c = customers
    alive = model.p_alive(c.x, c.t_x, c.T)
    worth = alive * paid_share * spend.expected_spend(c.k, c.m)
    until = [model.expected_purchases_if_alive(t, c.x, c.T, c.t_x) for t in times]
    within = np.diff(np.stack(until), axis=0, prepend=0)
    return within @ alive, within @ worth
