"""Lines of orders, rolled up: an order is placed on one day, however its lines are dated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from clv.transactions.reading import Reading
from clv.transactions.report import counted
from clv.transactions.sources import Source

__all__ = ["RolledUp", "days_of_orders", "roll_up", "rolled_up"]

ORDER_DAYS = 31
"""Assumed: lines of one order are dated within a month; what lies further apart under one number
is not one order."""


@dataclass(frozen=True, eq=False)
class RolledUp:
    """Days with purchases, after the lines of each order were put on its first day.

    Attributes
    ----------
    days : ibis.Table
        One row per customer and day, as :class:`Orders` has them.
    orders : int
        How many orders there are; a row without an order id is an order of its own.
    last_date : date or None
        The last day with a purchase, where days have changed.
    notices : tuple of str
        What was done, and what a reader should look at.
    """

    days: ir.Table
    orders: int
    last_date: date | None = None
    notices: tuple[str, ...] = ()


def roll_up(source: Source, reading: Reading, days: ir.Table, rows: int) -> RolledUp:
    """Put the lines of an order that are dated on several days on the first of them.

    Parameters
    ----------
    source : Source
        The orders.
    reading : Reading
        How they are read; its schema has an order id.
    days : ibis.Table
        The days with purchases by the dates of the lines; let go if others take their place.
    rows : int
        How many rows are purchases.
    """
    lines = reading.lines(source.table)
    lines = lines.filter(lines["aside"].isnull())
    return rolled_up(source, lines, days, rows, str(reading.schema.order_id))


def rolled_up(source: Source, lines: ir.Table, days: ir.Table, rows: int, column: str) -> RolledUp:
    """Do as :func:`roll_up` with lines that are read already.

    Parameters
    ----------
    source : Source
        Whose engine holds them.
    lines : ibis.Table
        Of sales: `customer_id`, `date`, `amount` and `order_id`.
    days, rows
        As for :func:`roll_up`.
    column : str
        The column of the source that names orders.
    """
    per = days_of_orders(lines.filter(lines["order_id"].notnull()))
    split = per.filter(per["split"])
    counts = per.aggregate(
        orders=per.count(),
        lines=per["lines"].sum(),
        split=per["split"].sum(),
        far=per["far"].sum(),
    )
    seen = {k: int(v or 0) for k, v in source.collect(counts).to_pylist()[0].items()}
    orders, last, notices = seen["orders"] + rows - seen["lines"], None, []
    if seen["lines"] > seen["orders"]:
        notices.append(f"The rows kept are {counted(rows, 'line')} of {counted(orders, 'order')}.")
    if seen["split"]:
        moved = source.materialise(split.select("customer_id", "order_id", "first"))
        joined = lines.left_join(moved, ["customer_id", "order_id"])
        dated = joined.select(
            customer_id=joined["customer_id"],
            date=ibis.coalesce(joined["first"], joined["date"]),
            amount=joined["amount"],
        )
        source.engine.drop(days)
        days = source.materialise(
            dated.group_by("customer_id", "date").aggregate(
                rows=dated.count(), amount=dated["amount"].sum()
            )
        )
        source.engine.drop(moved)
        last = source.collect(days.aggregate(last=days["date"].max()))["last"][0].as_py()
        notices.append(
            f"The lines of {counted(seen['split'], 'order')} are dated on several days; each order "
            "counts for the first of them."
        )
    if seen["far"]:
        first = per.filter(per["far"]).order_by("order_id", "customer_id").limit(3)
        some = ", ".join(
            f"{row['order_id']!r} from {row['first']} to {row['last']}"
            for row in source.collect(first).to_pylist()
        )
        notices.append(
            f"{counted(seen['far'], 'order id')} of one customer "
            f"{'has' if seen['far'] == 1 else 'have'} lines more than {ORDER_DAYS} days apart "
            f"({some}). Those lines stay on their days: does column {column!r} name orders?"
        )
    return RolledUp(days, orders, last, tuple(notices))


def days_of_orders(lines: ir.Table) -> ir.Table:
    """One row per order id of a customer: between which days its lines are.

    Parameters
    ----------
    lines : ibis.Table
        `customer_id`, `date` and `order_id`, which every line has.

    Returns
    -------
    ibis.Table
        `customer_id`, `order_id`, `first` and `last` day, `lines`; `split`, where the lines are on
        several days and the order counts for the first; `far`, where they lie too far apart.
    """
    per = lines.group_by("customer_id", "order_id").aggregate(
        first=lines["date"].min(), last=lines["date"].max(), lines=lines.count()
    )
    span = per["last"].delta(per["first"], unit="day")
    return per.mutate(split=(span > 0) & (span <= ORDER_DAYS), far=span > ORDER_DAYS)
