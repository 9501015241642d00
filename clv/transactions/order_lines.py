"""Lines of orders, rolled up: an order is placed on one day, however its lines are dated."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from clv.transactions.order_totals import one_amount, totals_repeated
from clv.transactions.reading import Reading
from clv.transactions.report import counted
from clv.transactions.sources import Source

__all__ = ["ORDER_DAYS", "RolledUp", "by_day", "days_of_orders", "roll_up", "rolled_up"]

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
    astride : ibis.Table or None
        Between which days (`first`, `last`) the orders are whose lines are on several; None where
        none are.
    notices : tuple of str
        What was done, and what a reader should look at.
    """

    days: ir.Table
    orders: int
    astride: ir.Table | None = None
    notices: tuple[str, ...] = ()


def roll_up(
    source: Source, reading: Reading, days: ir.Table, rows: int, repeated: int = 0
) -> RolledUp:
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
    repeated : int
        How many of them repeat an earlier one in every column.
    """
    lines = reading.lines(source.table)
    lines = lines.filter(lines["aside"].isnull())
    schema = reading.schema
    return rolled_up(source, lines, days, rows, str(schema.order_id), schema.amount, repeated)


def rolled_up(
    source: Source,
    lines: ir.Table,
    days: ir.Table,
    rows: int,
    column: str,
    amount: str | None = None,
    repeated: int = 0,
) -> RolledUp:
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
    amount : str, optional
        The column that states amounts, to ask whether it is the total of the order where every
        line of an order states the same.
    repeated : int
        As for :func:`roll_up`.
    """
    named = lines.filter(lines["order_id"].notnull())
    worth = named["amount"]
    per = days_of_orders(named, least=worth.min(), most=worth.max())
    alike = one_amount(per)
    split = per.filter(per["split"])
    counts = per.aggregate(
        orders=per.count(),
        lines=per["lines"].sum(),
        split=per["split"].sum(),
        far=per["far"].sum(),
        several=(per["lines"] > 1).sum(),
        alike=alike.sum(),
        amounts=per["least"].nunique(where=alike),
        further=(per["lines"] - 1).sum(where=alike),
    )
    seen = {k: int(v or 0) for k, v in source.collect(counts).to_pylist()[0].items()}
    orders, notices = seen["orders"] + rows - seen["lines"], []
    astride: ir.Table | None = None
    if seen["lines"] > seen["orders"]:
        notices.append(f"The rows kept are {counted(rows, 'line')} of {counted(orders, 'order')}.")
    totals = ("several", "alike", "amounts", "further")
    if amount is not None and totals_repeated(
        **{name: seen[name] for name in totals}, repeated=repeated
    ):
        notices.append(
            f"{seen['alike']:,} of {counted(seen['several'], 'order')} with several lines have one "
            f"amount on all of them: is column {amount!r} the total of the order? Then it is "
            "counted once for each line; hand over one row for each order, or the columns of "
            "price and quantity."
        )
    if seen["split"]:
        first = source.materialise(split.select("customer_id", "order_id", "first"))
        joined = lines.left_join(first, ["customer_id", "order_id"])
        dated = joined.select(
            customer_id=joined["customer_id"],
            date=ibis.coalesce(joined["first"], joined["date"]),
            amount=joined["amount"],
        )
        source.engine.drop(days)
        days = source.materialise(by_day(dated))
        source.engine.drop(first)
        notices.append(
            f"The lines of {counted(seen['split'], 'order')} are dated on several days; each order "
            "counts for the first of them."
        )
    if seen["far"]:
        shown = per.filter(per["far"]).order_by("order_id", "customer_id").limit(3)
        some = ", ".join(
            f"{row['order_id']!r} from {row['first']} to {row['last']}"
            for row in source.collect(shown).to_pylist()
        )
        notices.append(
            f"{counted(seen['far'], 'order id')} of one customer "
            f"{'has' if seen['far'] == 1 else 'have'} lines more than {ORDER_DAYS} days apart "
            f"({some}). Those lines stay on their days: does column {column!r} name orders?"
        )
    if seen["split"] or seen["far"]:
        several = per.filter(per["last"] > per["first"])
        astride = source.materialise(several.select("first", "last"))
    return RolledUp(days, orders, astride, tuple(notices))


def by_day(lines: ir.Table) -> ir.Table:
    """One row per customer and day of some lines: how many (`rows`), and their `amount`."""
    return lines.group_by("customer_id", "date").aggregate(
        rows=lines.count(), amount=lines["amount"].sum()
    )


def days_of_orders(lines: ir.Table, **more: ir.Value) -> ir.Table:
    """One row per order id of a customer: between which days its lines are.

    Parameters
    ----------
    lines : ibis.Table
        `customer_id`, `date` and `order_id`, which every line has.
    **more
        Further columns: what is made of the lines of an order.

    Returns
    -------
    ibis.Table
        `customer_id`, `order_id`, `first` and `last` day, `lines`; `split`, where the lines are on
        several days and the order counts for the first; `far`, where they lie too far apart; and
        what was asked for besides.
    """
    per = lines.group_by("customer_id", "order_id").aggregate(
        first=lines["date"].min(),
        last=lines["date"].max(),
        lines=lines.count(),
        **more,
    )
    span = per["last"].delta(per["first"], unit="day")
    return per.mutate(split=(span > 0) & (span <= ORDER_DAYS), far=span > ORDER_DAYS)
