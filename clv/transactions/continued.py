"""Histories continued: what was known of customers up to some end, and the orders that came later.

Nothing of the earlier orders is read again. A customer's history is a few sums, so that of all
orders follows from that of the earlier ones and the days of the later ones: repeat days and what
was spent on them add up, the first day stays, the last day moves. For a customer who is new the
first of the later days is the first of all, which counts as no repeat.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

from clv.errors import OrdersError
from clv.history import DAYS_PER_UNIT, Unit
from clv.transactions.end_of_log import QUIET_DAYS, silence_told
from clv.transactions.engines import DuckDBEngine, Engine
from clv.transactions.orders import Orders, Policy
from clv.transactions.reading import REVERSAL, Reading
from clv.transactions.report import OrdersReport, counted, quoted
from clv.transactions.returns.matching import LINE, NAMED
from clv.transactions.schema import Schema
from clv.transactions.sources import Source
from clv.transactions.summary import (
    CustomerHistories,
    gaps_of,
    of_table,
)

__all__ = [
    "MOST",
    "Known",
    "beyond",
    "continued",
    "no_orders",
    "strangers_told",
    "too_early",
]

TOTAL = dt.Decimal(38, 4)

MOST = 1e10
"""Up to what total the mean tells it to the fourth decimal: a float has 53 bits, and mean, total
and ten thousand times the total are each rounded once."""

STRANGERS = 20
"""Newer customers of whom one at least had come before (assumed), where ids are written alike."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of customers up to the end of an observation.

    Attributes
    ----------
    table : ibis.Table
        One row per customer, kept by the engine of the later orders: `customer_id` (text),
        `first_date`, `frequency`, `recency_days`, `spend_frequency`, and `total`, what was spent
        on the repeat days (an exact decimal).
    end : date
        The last day of that observation.
    gaps : ibis.Table or None
        As :attr:`CustomerHistories.gaps`; None where it was not kept.
    """

    table: ir.Table = field(repr=False)
    end: date
    gaps: ir.Table | None = field(repr=False)

    @classmethod
    def of(
        cls, table: ir.Table, engine: Engine, *, end: date, unit: Unit, gaps: ir.Table | None = None
    ) -> Self:
        """Take histories back to what they were made of.

        Parameters
        ----------
        table : ibis.Table
            The columns of :attr:`CustomerHistories.table`, or of the values of a book.
        engine : Engine
            What holds it.
        end, unit, gaps
            Of these histories.

        Raises
        ------
        OrdersError
            Where a mean does not tell the total that it was made of.
        """
        total = (table["monetary_value"] * table["spend_frequency"]).fill_null(0.0)
        large = engine.collect(table.aggregate(many=(total >= MOST).sum()))["many"][0].as_py()
        if large:
            raise OrdersError(
                f"{counted(int(large), 'customer')} spent {MOST:,.0f} or more on repeat days: the "
                "mean does not tell such a total to its last decimal."
            )
        days = (table["recency"] * DAYS_PER_UNIT[unit]).round().cast("int64")
        kept = engine.materialise(
            table.select(
                "customer_id",
                "first_date",
                "frequency",
                "spend_frequency",
                recency_days=days,
                total=total.cast(TOTAL),
            )
        )
        return cls(kept, end, gaps)


def continued(
    known: Known, orders: Orders, *, end: date, unit: Unit, end_assumed: bool = False
) -> CustomerHistories:
    """Return the histories of all orders, from what was known and the orders that came later.

    Parameters
    ----------
    known : Known
        The earlier orders, summarised.
    orders : Orders
        Those that came later, none of them up to the end of the earlier ones.
    end : date
        The new last day of observation.
    unit : {"day", "week"}
        The unit of recency and T.
    end_assumed : bool
        Whether the end is only the last date of the orders.

    Returns
    -------
    CustomerHistories
        To the last bit those that :func:`histories` makes of all orders at once. Their report
        and their `days` are of the later orders alone.
    """
    opened = orders.opened
    days = orders.days_by(end)
    both = opened.materialise(_known_beside_days(known, days, opened.engine))
    table = opened.materialise(_added_up(both, end, unit))
    gaps = None
    if known.gaps is not None:
        gaps = opened.materialise(_gaps(known.gaps, days, both))
    notices = _strangers(opened, both)
    if not end_assumed:  # else the end is a day of the log, and told as such
        notices += _silence(opened, table, end)
    opened.engine.drop(both)
    return of_table(
        table,
        orders,
        days,
        end=end,
        unit=unit,
        end_assumed=end_assumed,
        gaps=gaps,
        notices=notices,
    )


def too_early(orders: Orders, end: date) -> str:
    """Say which orders and returns are no later ones, with the first; empty where all are.

    Parameters
    ----------
    orders : Orders
        That should be later.
    end : date
        The last day of the earlier ones.
    """
    early = orders.days.filter(orders.days["date"] <= end)
    row = orders.opened.collect(early.aggregate(rows=early["rows"].sum())).to_pylist()[0]
    many = int(row["rows"] or 0)
    if orders.returns is not None:
        back = orders.returns.table
        back = back.filter(back["date"] <= end)
        many += orders.opened.collect(back.aggregate(rows=back.count()))["rows"][0].as_py()
    if not many:
        return ""
    reading = Reading(orders.schema, orders.opened.engine)
    rows = orders.opened.table
    said = [rows[str(name)].cast(str) for name in (orders.schema.customer_id, orders.schema.date)]
    log = reading.log(rows, said_0=said[0], said_1=said[1])
    none = ibis.literal(value=False)
    counts = log["aside"].isnull()
    if orders.returns is not None:
        counts |= log["aside"] == REVERSAL
    log = log.mutate(early=((log["date"] <= end) & counts).fill_null(none))
    first = orders.opened.first_rows(log, "early", ["said_0", "said_1"])
    told = "; ".join(f"{found.where}: {', '.join(map(quoted, found.values))}" for found in first)
    return (
        f"{counted(many, 'row')} of {orders.source!r} "
        f"{'is' if many == 1 else 'are'} dated {end} or before ({told})"
    )


def beyond(orders: Orders, known: Known, end: date) -> str:
    """Say which returns may reverse orders from before; empty where none does.

    A return finds the latest order that it can reverse. So one that names an order of its own log
    reverses that one whatever came before; and so does one that names none and has the same line
    there before it.

    Parameters
    ----------
    orders : Orders
        The later ones, with their returns.
    known : Known
        The customers of the earlier ones.
    end : date
        Up to when returns count.
    """
    if orders.returns is None:
        return ""
    back = orders.returns.table
    same_line = (back["step"] == LINE) & back["order_id"].isnull()
    sure = ((back["step"] == NAMED) | same_line).fill_null(ibis.literal(value=False))
    back = back.filter(~sure & (back["date"] <= end)).mutate(
        customer_id=back["customer_id"].cast(str)
    )
    open_ones = back.semi_join(known.table, "customer_id")
    first = open_ones.order_by("date", "customer_id").limit(3).select("customer_id", "date")
    source = orders.opened
    many = source.collect(open_ones.aggregate(many=open_ones.count()))["many"][0].as_py()
    if not many:
        return ""
    told = "; ".join(
        f"{quoted(row['customer_id'])} on {row['date']}"
        for row in source.collect(first).to_pylist()
    )
    return f"{counted(many, 'return')} of {orders.source!r} may reverse orders before ({told})"


def no_orders(
    schema: Schema, end: date, *, returns: Policy = "net", engine: Engine | None = None
) -> Orders:
    """Return orders of which there are none: nobody bought anything after some day.

    Parameters
    ----------
    schema : Schema
        How the orders before were read.
    end : date
        That day.
    returns : {"net", "ignore", "incident"}
        What is done with returns.
    engine : Engine, optional
        What will compute.
    """
    engine = engine or DuckDBEngine()
    kinds = {"customer_id": pa.string(), "date": pa.date32(), "rows": pa.int64()}
    columns = pa.schema(kinds | {"amount": pa.decimal128(38, 4)})
    days = engine.from_arrow(columns.empty_table())
    nothing = Decimal(0)
    return Orders(
        days=days,
        source="no orders",
        schema=schema,
        report=OrdersReport(0, 0, nothing, nothing),
        first_date=end,
        last_date=end,
        sha256=hashlib.sha256().hexdigest(),
        opened=Source(days, "no orders", "frame", engine),
        returns_policy=returns,
    )


def _known_beside_days(known: Known, days: ir.Table, engine: Engine) -> ir.Table:
    """One row per customer: what was known (null of a new one), and what came (null of none)."""
    later = days.group_by("customer_id").aggregate(
        first=days["date"].min(),
        last=days["date"].max(),
        days=days.count(),
        spent=days["amount"].sum().cast(TOTAL),
        paid=days.count(where=days["amount"] > 0),
        first_spent=engine.on_first_day(days["amount"], days["date"]).cast(TOTAL),
    )
    later = later.mutate(customer_id=later["customer_id"].cast(str)).rename(later_id="customer_id")
    both = known.table.outer_join(later, known.table["customer_id"] == later["later_id"])
    return both.mutate(customer_id=both["customer_id"].coalesce(both["later_id"])).drop("later_id")


def _added_up(both: ir.Table, end: date, unit: Unit) -> ir.Table:
    """One row per customer, as :attr:`CustomerHistories.table`."""
    new = both["first_date"].isnull()
    first = both["first_date"].coalesce(both["first"])
    days, paid = both["days"].fill_null(0), both["paid"].fill_null(0)
    spent = both["spent"].fill_null(Decimal(0))
    paid_first = (both["first_spent"] > 0).cast("int64")
    recency: ir.IntegerValue = ibis.ifelse(
        both["last"].isnull(), both["recency_days"], both["last"].delta(first, unit="day")
    )
    last_day: ir.DateScalar = ibis.literal(end)
    T = last_day.delta(first, unit="day")
    total = ibis.ifelse(new, spent - both["first_spent"], both["total"] + spent).cast(TOTAL)
    paid_days: ir.IntegerValue = ibis.ifelse(new, paid - paid_first, both["spend_frequency"] + paid)
    length = DAYS_PER_UNIT[unit]
    mean: Any = total.cast("float64") / paid_days.nullif(0)
    return both.select(
        customer_id=both["customer_id"],
        first_date=first,
        frequency=ibis.ifelse(new, days - 1, both["frequency"] + days),
        recency=recency / length,
        T=T / length,
        monetary_value=mean,
        spend_frequency=paid_days,
        recency_days=recency,
        T_days=T,
    )


def _gaps(gaps: ir.Table, days: ir.Table, both: ir.Table) -> ir.Table:
    """Add the gaps between later orders, and those between a customer's earlier and later ones."""
    again = both.filter(both["first_date"].notnull() & both["first"].notnull())
    between = again.select(
        gap=again["first"].delta(again["first_date"], unit="day") - again["recency_days"],
        times=ibis.literal(1, dt.int64),
    )
    every = ibis.union(
        *(
            table.cast({"gap": "int64", "times": "int64"})
            for table in (gaps, between, gaps_of(days))
        )
    )
    return every.group_by("gap").aggregate(times=every["times"].sum().cast("int64"))


def strangers_told(came: int, known: int) -> list[str]:
    """Say so where nobody who came later was known before.

    Parameters
    ----------
    came, known : int
        Customers who came later, and how many of them had come before.

    Raises
    ------
    OrdersError
        Where they are :data:`STRANGERS` or more: values of them all would be those of others.
    """
    if known or not came:
        return []
    told = (
        f"None of the {counted(came, 'customer')} of the newer orders was known before. Are their "
        "ids written as those of the earlier orders, with the same zeros and letters?"
    )
    if came >= STRANGERS:
        raise OrdersError(
            f"{told} If they are all new indeed, build once from all orders: clv build ORDERS -o "
            "BOOK."
        )
    return [told]


def _strangers(source: Source, both: ir.Table) -> list[str]:
    came = both.filter(both["first"].notnull())
    counts = came.aggregate(all=came.count(), known=came["first_date"].count())
    row = source.collect(counts).to_pylist()[0]
    return strangers_told(row["all"], row["known"])


def _silence(source: Source, table: ir.Table, end: date) -> list[str]:
    """Say so where the log is silent before its end: how long it ever was before is not known."""
    since = (table["T_days"] - table["recency_days"]).min()
    days = source.collect(table.aggregate(days=since))["days"][0].as_py()
    return [silence_told(end - timedelta(days=days), end)] if days >= QUIET_DAYS else []
