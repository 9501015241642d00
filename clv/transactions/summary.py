"""From days with purchases to histories: one row per customer, and their distinct patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from clv.errors import RequestError
from clv.history import DAYS_PER_UNIT, Floats, Histories, SpendPatterns, Unit
from clv.transactions.end_of_log import end_taken, silence
from clv.transactions.engines import Engine
from clv.transactions.orders import Orders
from clv.transactions.repeated_rows import repeated_by
from clv.transactions.report import (
    SUBTRACTED,
    UNMATCHED,
    OrdersReport,
    SetAside,
    after_the_end,
)
from clv.transactions.sources import Source

__all__ = [
    "CustomerHistories",
    "check_unit",
    "gaps_of",
    "histories",
    "of_table",
    "patterns",
    "read_date",
]


LATEST_END = date(2999, 12, 31)
"""What is forecast from there on still has dates of four digits."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CustomerHistories(Histories):
    """Histories that know their customers.

    Attributes
    ----------
    table : ibis.Table
        One row per customer, held by the engine, in no order:

        - `customer_id`: text;
        - `first_date`: the day of the first purchase;
        - `frequency`: days with a purchase after the first;
        - `recency`, `T`: from the first to the last purchase and to the end, in `unit`;
        - `monetary_value`: mean of the totals of the repeat days whose total is positive, null
          where there is none;
        - `spend_frequency`: how many such days there are;
        - `recency_days`, `T_days`: recency and T in whole days.
    days : ibis.Table
        One row per customer and day with a purchase up to the end, less what was returned by then.
    gaps : ibis.Table or None
        How often (`times`) a purchase came so many days (`gap`) after the customer's purchase
        before, one row per number of days; computed only where it is used. None where it is not
        known: of histories that newer orders continue, if their book has not kept it.
    end : date
        The last day of observation.
    end_assumed : bool
        Whether the end is only the last date of the log.
    report : OrdersReport
        Rows and amounts of the orders: read, kept, and set aside, now also after the end; and
        what became of returns up to it.
    opened : Source
        The source, whose engine holds the tables.
    """

    end: date
    table: ir.Table = field(repr=False)
    days: ir.Table = field(repr=False)
    gaps: ir.Table | None = field(repr=False)
    end_assumed: bool
    report: OrdersReport = field(repr=False)
    opened: Source = field(repr=False)

    @property
    def first_date(self) -> date:
        """The day of the first purchase of all customers."""
        return self.end - timedelta(days=round(float(self.T.max()) * DAYS_PER_UNIT[self.unit]))

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per customer with the columns `lifetimes` has, sorted by customer id.

        `monetary_value` is nan, not 0, where a customer has no repeat day with spend.
        """
        columns = ["frequency", "recency", "T", "monetary_value", "spend_frequency", "first_date"]
        rows = self.table.order_by("customer_id").select("customer_id", *columns)
        frame: pd.DataFrame = self.opened.collect(rows).to_pandas(date_as_object=False)
        return frame.set_index("customer_id")

    def with_log_gaps(self) -> CustomerHistories:
        """Return these histories with `log_gaps`, where the gaps are known.

        Only the models of regular customers need it, so it is made when one of them is fitted.
        """
        if self.log_gaps is not None or self.gaps is None:
            return self
        found = self.opened.collect(self.gaps.order_by("gap").select("gap", "times"))
        length, times = (column.to_numpy().astype(np.float64) for column in found.columns)
        return replace(self, log_gaps=float(times @ np.log(length / DAYS_PER_UNIT[self.unit])))


def histories(
    orders: Orders, *, end: date | str | None = None, unit: Unit = "day"
) -> CustomerHistories:
    """Summarise orders into one history per customer, observed up to an end.

    Orders of one customer on one day are one transaction. The first is counted neither in
    frequency nor in monetary value. A week is seven days, never a calendar week. Returns up to the
    end are subtracted from their orders (see :func:`read_orders`); a day whose every order came to
    nothing by it is no transaction.

    Parameters
    ----------
    orders : Orders
        From :func:`read_orders`.
    end : date or "YYYY-MM-DD", optional
        The last day of observation. Without it the last date of the log is taken, which makes
        customers look more recently active than they are if the log went on without orders.
    unit : {"day", "week"}
        The unit of recency and T.

    Raises
    ------
    RequestError
        For an end before the first order, in the far future, taken from an order of a day that is
        not yet, or by which every order was returned, an end that is no
        date, or another unit.

    Notes
    -----
    Fader, Hardie & Lee (2005), "Counting your customers" the easy way, for the
    conventions of frequency, recency and T.

    Examples
    --------
    >>> import pandas as pd
    >>> from clv.transactions.orders import read_orders
    >>> orders = read_orders(pd.DataFrame({
    ...     "customer_id": ["007", "007", "007", "011"],
    ...     "date": ["2024-01-01", "2024-01-15", "2024-01-15", "2024-01-08"],
    ...     "amount": [10.0, 12.5, 8.0, 3.0],
    ... }))
    >>> h = histories(orders, end="2024-01-29", unit="week")
    >>> row = h.to_pandas().loc["007"]
    >>> [float(row[name]) for name in ("frequency", "recency", "T", "monetary_value")]
    [1.0, 2.0, 4.0, 20.5]
    """
    check_unit(unit)
    last = orders.last_date if end is None else read_date(end, "end")
    if end is None and last > date.today() + timedelta(days=1):  # it may be tomorrow elsewhere
        raise RequestError(
            f"The last order is of {last}, a day that is not yet, so the end of observation cannot "
            "be taken from it. Give the last day of observation (--end 2024-12-31; in Python "
            'end="2024-12-31"): orders after it are set aside.'
        )
    if last > LATEST_END:
        raise RequestError(f"The end of observation {last} is after {LATEST_END}: no log goes on.")
    if last < orders.first_date:
        raise RequestError(
            f"The end of observation {last} is before the first order: the orders run from "
            f"{orders.first_date} to {orders.last_date}."
        )
    days = orders.days_by(last)
    if orders.returns is not None:  # more than a filter: not to be done for each question
        days = orders.opened.materialise(days)
    table = orders.opened.materialise(_summary(days, orders.opened.engine, last, unit))
    return of_table(
        table,
        orders,
        days,
        end=last,
        unit=unit,
        end_assumed=end is None,
        gaps=gaps_of(days),
        notices=[] if end is None else silence(orders, last),
    )


def of_table(
    table: ir.Table,
    orders: Orders,
    days: ir.Table,
    *,
    end: date,
    unit: Unit,
    end_assumed: bool,
    gaps: ir.Table | None,
    notices: Sequence[str],
) -> CustomerHistories:
    """Return the histories of a table with one row per customer, and what to know of them.

    Parameters
    ----------
    table : ibis.Table
        As :attr:`CustomerHistories.table`, kept by the engine of `orders`.
    orders : Orders
        Those that were read for it.
    days, end, unit, end_assumed, gaps
        As of :class:`CustomerHistories`.
    notices : sequence of str
        What else a reader of the results should know.
    """
    x, recency_days, T_days, weight = patterns(
        orders.opened, table, "frequency", "recency_days", "T_days"
    )
    if not len(x):
        raise RequestError(f"Every order up to {end} was returned: nobody is a customer.")
    spend = None
    if orders.has_amount:
        bought = table.filter(table["spend_frequency"] > 0)
        spend = SpendPatterns(*patterns(orders.opened, bought, "spend_frequency", "monetary_value"))
    report = _report(orders, end)
    if end_assumed:
        report = report.noting(end_taken(orders, end))
    report = report.noting(*notices)
    return CustomerHistories(
        frequency=x,
        recency=recency_days / DAYS_PER_UNIT[unit],
        T=T_days / DAYS_PER_UNIT[unit],
        weight=weight,
        spend=spend,
        unit=unit,
        end=end,
        table=table,
        days=days,
        gaps=gaps,
        end_assumed=end_assumed,
        report=report,
        opened=orders.opened,
    )


def check_unit(unit: Unit) -> None:
    """Refuse a unit of time that is neither day nor week."""
    if unit not in DAYS_PER_UNIT:
        raise RequestError(f"The unit is {unit!r}; it must be 'day' or 'week' (seven days).")


def read_date(given: date | str, name: str) -> date:
    """Return a date as given, or as "YYYY-MM-DD" says."""
    if isinstance(given, datetime):
        return given.date()
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise RequestError(
            f"{name} is {given!r}; it must be a date written as 2024-01-31."
        ) from None


def _summary(days: ir.Table, engine: Engine, end: date, unit: Unit) -> ir.Table:
    """One row per customer: repeat days, first to last, first to end, and the repeat days' mean.

    No window over a customer's days is needed: every sum over repeat days is the sum over all
    days less the first day's share, which the same pass finds.
    """
    first_amount = engine.on_first_day(days["amount"], days["date"])
    per = days.group_by("customer_id").aggregate(
        first_date=days["date"].min(),
        last_date=days["date"].max(),
        days=days.count(),
        total=days["amount"].sum() - first_amount,
        spend_frequency=(
            days.count(where=days["amount"] > 0) - (first_amount > 0).cast("int64")
        ).fill_null(0),
    )
    last_day: ir.DateScalar = ibis.literal(end)
    recency = per["last_date"].delta(per["first_date"], unit="day")
    T = last_day.delta(per["first_date"], unit="day")
    length = DAYS_PER_UNIT[unit]
    mean: Any = per["total"].cast("float64") / per["spend_frequency"].nullif(0)
    return per.select(
        customer_id=per["customer_id"].cast(str),
        first_date=per["first_date"],
        frequency=per["days"] - 1,
        recency=recency / length,
        T=T / length,
        monetary_value=mean,
        spend_frequency=per["spend_frequency"],
        recency_days=recency,
        T_days=T,
    )


def gaps_of(days: ir.Table) -> ir.Table:
    """How often a purchase came so many days after the customer's purchase before."""
    before = days["date"].lag().over(group_by="customer_id", order_by="date")
    gaps = days.select(gap=days["date"].delta(before, unit="day"))
    gaps = gaps.filter(gaps["gap"].notnull())
    return gaps.group_by("gap").aggregate(times=gaps.count())


def patterns(opened: Source, table: ir.Table, *keys: str) -> tuple[Floats, ...]:
    """Return the distinct rows of some columns, sorted by them, and how many customers share each.

    Sorted, because the order in which an engine returns groups depends on its threads, and sums
    of floats on their order.
    """
    grouped = table.group_by(*keys).aggregate(customers=table.count()).order_by(*keys)
    found = opened.collect(grouped.select(*keys, "customers"))
    return tuple(column.to_numpy().astype(np.float64) for column in found.columns)


def _report(orders: Orders, end: date) -> OrdersReport:
    """Account for the rows up to an end: returns after it have taken nothing back yet."""
    known, every = orders.as_of(end).days, orders.days
    figures = [
        days.aggregate(rows=days["rows"].sum(), amount=days["amount"].sum())
        for days in (every, known.filter(known["date"] <= end))
    ]
    of_all, seen = (orders.opened.collect(figure).to_pylist()[0] for figure in figures)
    rows = int(of_all["rows"] or 0) - int(seen["rows"] or 0)
    amount = None
    if orders.has_amount:
        amount = (of_all["amount"] or Decimal(0)) - (seen["amount"] or Decimal(0))
    report = repeated_by(orders.report, orders.repeated, end)
    after = after_the_end(end)
    if orders.returns is None:
        return report.without(SetAside(after, rows, amount))
    netted = (orders.as_of(end).returns or orders.returns).up_to(end)
    later = orders.returns.up_to(end)  # however matched
    report = report.without(SetAside(after, rows, amount))
    # Rows kept are less by the orders alone; set aside are the returns with them.
    others = [a for a in orders.report.set_aside if a.reason not in {SUBTRACTED, UNMATCHED}]
    rows += later.late_rows
    if amount is not None and later.late_amount is not None:
        amount += later.late_amount
    aside = [*others, *netted.set_aside, *([SetAside(after, rows, amount)] if rows else [])]
    return replace(report, set_aside=tuple(aside), returns=netted.report)
