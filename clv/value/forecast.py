"""What the customers of today will order, month by month.

The forecast is of the customers in the log, in expectation; customers not yet won are not in it.
Months are calendar months. Where the observation ends within a month, the rest of that month comes
first, as a part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from dateutil.relativedelta import relativedelta

from clv.arrays import Floats
from clv.errors import RequestError
from clv.history import Unit
from clv.models.base import PurchaseModel
from clv.value.terms import days_per_unit

__all__ = ["ForecastMonth", "forecast", "months_after"]


@dataclass(frozen=True)
class ForecastMonth:
    """Expected orders of one calendar month, or of what is left of it.

    Attributes
    ----------
    month : str
        "1997-10".
    first_day, last_day : date
        The days it covers; `partial` where they are not the whole month.
    orders : float
        Expected number of orders (customer-days with a purchase).
    revenue, margin : float
        Expected revenue of those orders, and the margin on it; not discounted.
    orders_low, orders_high, revenue_low, revenue_high, margin_low, margin_high : float or None
        Predictive intervals of the three sums, parameters and chance; None where there is none.
    """

    month: str
    first_day: date
    last_day: date
    partial: bool
    orders: float
    revenue: float
    margin: float
    orders_low: float | None = None
    orders_high: float | None = None
    revenue_low: float | None = None
    revenue_high: float | None = None
    margin_low: float | None = None
    margin_high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        return {
            "month": self.month,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "partial": self.partial,
            "orders": self.orders,
            "revenue": self.revenue,
            "margin": self.margin,
            "orders_low": self.orders_low,
            "orders_high": self.orders_high,
            "revenue_low": self.revenue_low,
            "revenue_high": self.revenue_high,
            "margin_low": self.margin_low,
            "margin_high": self.margin_high,
        }


def months_after(end: date, months: int) -> list[tuple[date, date]]:
    """First and last day of the whole calendar months after `end`, after the rest of its own.

    >>> [str(last) for first, last in months_after(date(2011, 12, 9), 2)]
    ['2011-12-31', '2012-01-31', '2012-02-29']
    """
    if not 1 <= months <= 1200:
        raise RequestError(f"A forecast needs between 1 and 1200 months; got {months}.")
    day = relativedelta(days=1)
    first = end + day
    spans = []
    if first.day != 1:
        spans.append((first, first.replace(day=1) + relativedelta(months=1) - day))
        first = spans[0][1] + day
    for k in range(months):
        start = first + relativedelta(months=k)
        spans.append((start, start + relativedelta(months=1) - day))
    return spans


def forecast(
    purchases: PurchaseModel,
    x: Floats,
    T: Floats,
    alive: Floats,
    alive_spend: Floats,
    *,
    t_x: Floats | None = None,
    end: date,
    unit: Unit,
    margin: float,
    months: int,
    ahead: Callable[[date], float] | None = None,
) -> list[ForecastMonth]:
    """Forecast orders, revenue and margin by calendar month.

    Parameters
    ----------
    purchases : PurchaseModel
        When customers buy and leave.
    x, T : ndarray, shape (n,)
        Distinct (repeat transactions, time observed).
    alive, alive_spend : ndarray, shape (n,)
        Sums over the customers with that (x, T) of P(alive) and of P(alive) × expected spend.
    t_x : ndarray, shape (n,), optional
        Time of the last purchase; needed where the rows are distinct in it, for models of regular
        customers.
    end : date
        Last day of observation.
    unit : {"day", "week"}
        Unit of T and of the model.
    margin : float
        Share of revenue that remains.
    months : int
        Whole calendar months, 1 to 1200.
    ahead : callable, optional
        The model's time from `end` to the end of a later day; calendar time in `unit` by default.
        A seasonal model has a time of its own.

    Returns
    -------
    list of ForecastMonth
    """
    spans = months_after(end, months)
    before = np.zeros_like(x)
    rows = []
    for first, last in spans:
        t = (last - end).days / days_per_unit(unit) if ahead is None else ahead(last)
        until = purchases.expected_purchases_if_alive(t, x, T, t_x)
        purchases_in = until - before
        before = until
        revenue = float(alive_spend @ purchases_in)
        rows.append(
            ForecastMonth(
                month=f"{first:%Y-%m}",
                first_day=first,
                last_day=last,
                partial=first.day != 1,
                orders=float(alive @ purchases_in),
                revenue=revenue,
                margin=margin * revenue,
            )
        )
    return rows
