"""What happened after a calibration period: to customers, and to the total day by day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.errors import RequestError
from clv.history import DAYS_PER_UNIT, Floats, Unit
from clv.transactions.orders import Orders
from clv.transactions.summary import CustomerHistories, histories, patterns, read_date

__all__ = ["Holdout", "Tracking", "holdout", "tracking"]


@dataclass(frozen=True, eq=False)
class Holdout:
    """Histories up to a date, and what the same customers did after it.

    Attributes
    ----------
    calibration : CustomerHistories
        Customers with a purchase in the calibration period, observed to its end.
    table : ibis.Table
        One row per such customer, held by the engine, in no order: `customer_id`;
        `holdout_frequency`, days with a purchase in the holdout period; `holdout_value`, what
        was spent on them (null where amounts are not known).
    end : date
        The last day of the holdout period; it begins the day after ``calibration.end``.
    duration : float
        How long the holdout period is, in the unit of the calibration.
    returned_later : Decimal or None
        What was returned in the holdout period of orders of the calibration period. It is not
        subtracted from `holdout_value`: the calibration could not know it, and no purchase of the
        holdout lost it. None where amounts are not known.
    added_later : Decimal or None
        What lines dated in the holdout period added to orders begun in the calibration period,
        less what earlier returns beyond the worth of such an order then take of it. It is in
        neither period's money, for such a line is no purchase of its own: what orders come to on
        the last day is the money of both periods (that of customers new in the holdout included)
        and `added_later`, less `returned_later`. None where amounts are not known.
    """

    calibration: CustomerHistories
    table: ir.Table = field(repr=False)
    end: date
    duration: float
    returned_later: Decimal | None = None
    added_later: Decimal | None = None

    @cached_property
    def transactions(self) -> int:
        """Customer-days with a purchase in the holdout period."""
        total = self.table.aggregate(total=self.table["holdout_frequency"].sum())
        return int(self.calibration.opened.collect(total)["total"][0].as_py())

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per customer: the calibration summary beside the holdout."""
        after: pd.DataFrame = self.calibration.opened.collect(self.table).to_pandas()
        return self.calibration.to_pandas().join(after.set_index("customer_id"))

    def outcomes(self) -> tuple[Floats, ...]:
        """Distinct (frequency, recency, T, holdout frequency) and their customers, sorted."""
        table = self.calibration.table.inner_join(self.table, "customer_id")
        return patterns(
            self.calibration.opened, table, "frequency", "recency", "T", "holdout_frequency"
        )


def holdout(
    orders: Orders,
    *,
    calibration_end: date | str,
    end: date | str | None = None,
    unit: Unit = "day",
) -> Holdout:
    """Split orders into a calibration and a holdout period.

    Customers who bought nothing in the holdout period are there with 0; those who came only
    in it are not, for nothing was known of them. Both periods have orders less returns by the
    same rule, each as it stood on its last day.

    Parameters
    ----------
    orders : Orders
        From :func:`read_orders`.
    calibration_end : date or "YYYY-MM-DD"
        The last day of the calibration period.
    end : date or "YYYY-MM-DD", optional
        The last day of the holdout period; the last date of the orders if not given.
    unit : {"day", "week"}
        The unit of recency, T and the duration.

    Raises
    ------
    RequestError
        Where a date is none, or the periods are not in order.

    Examples
    --------
    >>> import pandas as pd
    >>> from clv.transactions.orders import read_orders
    >>> orders = read_orders(pd.DataFrame({
    ...     "customer_id": ["007", "007", "011"],
    ...     "date": ["2024-01-01", "2024-01-15", "2024-01-08"],
    ...     "amount": [10.0, 12.5, 3.0],
    ... }))
    >>> split = holdout(orders, calibration_end="2024-01-10", end="2024-01-31", unit="week")
    >>> split.duration, split.to_pandas()["holdout_frequency"].to_dict()
    (3.0, {'007': 1, '011': 0})
    """
    cut = read_date(calibration_end, "calibration_end")
    last = orders.last_date if end is None else read_date(end, "end")
    if last <= cut:
        raise RequestError(
            f"The holdout period is empty: calibration ends on {cut} and the holdout on {last}; "
            f"the orders run from {orders.first_date} to {orders.last_date}."
        )
    calibration = histories(orders, end=cut, unit=unit)
    seen = orders.days_by(last, cut=cut)
    later = seen["date"] > cut
    per = seen.group_by("customer_id").aggregate(
        first_date=seen["date"].min(),
        holdout_frequency=seen.count(where=later),
        value=seen["amount"].sum(where=later),
    )
    known = per.filter(per["first_date"] <= cut)
    value = known["value"].cast("float64")
    table = known.select(
        customer_id=known["customer_id"].cast(str),
        holdout_frequency=known["holdout_frequency"],
        holdout_value=value.fill_null(0.0) if orders.has_amount else value,
    )
    returned = _returned_later(orders, cut, last)
    return Holdout(
        calibration=calibration,
        table=orders.opened.materialise(table),
        end=last,
        duration=(last - cut).days / DAYS_PER_UNIT[unit],
        returned_later=returned,
        added_later=None if returned is None else _added_later(orders, cut, last, returned),
    )


def _returned_later(orders: Orders, cut: date, last: date) -> Decimal | None:
    if not orders.has_amount:
        return None
    returns = orders.as_of(last).returns
    return Decimal(0) if returns is None else returns.taken_later(cut, last)


def _added_later(orders: Orders, cut: date, last: date, returned: Decimal) -> Decimal:
    """What orders begun by a day came to on a later one, returns between the two aside."""
    if orders.as_of(cut) is orders:  # no order goes on after it
        return Decimal(0)
    now = orders.days_by(last)
    return (
        _worth(orders, now.filter(now["date"] <= cut))
        + returned
        - _worth(orders, orders.days_by(cut))
    )


def _worth(orders: Orders, days: ir.Table) -> Decimal:
    found = orders.opened.collect(days.aggregate(worth=days["amount"].sum()))["worth"][0].as_py()
    return found or Decimal(0)


@dataclass(frozen=True, eq=False)
class Tracking:
    """New customers and repeat transactions, day by day.

    Attributes
    ----------
    dates : ndarray of datetime64[D], shape (days,)
        Every day from the first order to the end.
    new_customers : ndarray of int, shape (days,)
        Customers whose first purchase was on that day.
    repeat_transactions : ndarray of int, shape (days,)
        Days with a purchase after a customer's first, up to and including that day.
    """

    dates: npt.NDArray[np.datetime64]
    new_customers: npt.NDArray[np.int64]
    repeat_transactions: npt.NDArray[np.int64]


def tracking(
    orders: Orders, *, joined_by: date | str | None = None, end: date | str | None = None
) -> Tracking:
    """Count new customers and cumulative repeat transactions on each day.

    Parameters
    ----------
    orders : Orders
        From :func:`read_orders`.
    joined_by : date or "YYYY-MM-DD", optional
        Only customers whose first purchase was on that day or before, as those of a calibration
        period; all if not given.
    end : date or "YYYY-MM-DD", optional
        The last day; the last date of the orders if not given.

    Raises
    ------
    RequestError
        Where a date is none, or lies before the first order.

    Examples
    --------
    >>> import pandas as pd
    >>> from clv.transactions.orders import read_orders
    >>> orders = read_orders(pd.DataFrame({
    ...     "customer_id": ["007", "007", "011"], "date": ["2024-01-01", "2024-01-03", "2024-01-03"]
    ... }))
    >>> track = tracking(orders)
    >>> track.new_customers.tolist(), track.repeat_transactions.tolist()
    ([1, 0, 1], [0, 0, 1])
    """
    last = orders.last_date if end is None else read_date(end, "end")
    joined = last if joined_by is None else read_date(joined_by, "joined_by")
    for name, day in (("end", last), ("joined_by", joined)):
        if day < orders.first_date:
            raise RequestError(
                f"{name} is {day}, before the first order: the orders run from "
                f"{orders.first_date} to {orders.last_date}."
            )
    days = orders.days_by(last, cut=joined)
    first = days.group_by("customer_id").aggregate(first_date=days["date"].min())
    first = first.filter(first["first_date"] <= joined)
    born = first.group_by(date=first["first_date"]).aggregate(n=first.count())
    # A customer's days less the first are repeats: all days of the cohort less those born.
    cohort = days.semi_join(first, "customer_id")
    bought = cohort.group_by("date").aggregate(n=cohort.count())
    length = (last - orders.first_date).days + 1
    dates = np.datetime64(orders.first_date, "D") + np.arange(length)
    new_customers = _daily(orders, born, dates)
    purchases = _daily(orders, bought, dates)
    return Tracking(dates, new_customers, np.cumsum(purchases - new_customers))


def _daily(
    orders: Orders, counts: ir.Table, dates: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.int64]:
    """Spread counts by date over every day, 0 where there are none."""
    found = orders.opened.collect(counts.select("date", "n"))
    spread = np.zeros(len(dates), dtype=np.int64)
    at = found["date"].to_numpy().astype("datetime64[D]") - dates[0]
    spread[at.astype(np.int64)] = found["n"].to_numpy()
    return spread
