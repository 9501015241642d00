"""Lines of orders that are kept, so that what comes later finds the orders that it changes.

A return may reverse any earlier order of its customer, and a line may belong to an order that was
begun before. Which order a return takes back hangs on all the lines before it and on nothing else,
so that lines that were kept and those that came later, put together, give what all give at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from clv.transactions.orders import Orders
from clv.transactions.reading import Reading
from clv.transactions.returns.netting import sales_and_returns
from clv.transactions.sources import Source
from clv.transactions.values import AMOUNT

__all__ = ["FEW", "LINES", "are_kept", "lines_of", "typed", "write_lines"]

LINES: Mapping[str, dt.DataType] = {
    "customer_id": dt.string,
    "date": dt.date,
    "at": dt.Timestamp(),
    "order_id": dt.string,
    "item": dt.string,
    "quantity": AMOUNT,
    "amount": AMOUNT,
    "back": dt.boolean,
    "reverses": dt.string,
}
"""Columns of kept lines, of which a log has those that it tells: who bought or sent back (`back`)
what, when (`at`: the time, or the day where that is all there is), and under which number."""


FEW = 1_000_000
"""Lines that are kept in about a second and six megabytes (measured), whether or not they will ever
be needed."""


def are_kept(orders: Orders) -> bool:
    """Whether the lines of orders are kept for what may come later.

    Where many rows bear no number of their order and none of them was ever a return, hardly one
    will be; and where returns are ignored, only such a number binds lines together.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    """
    if orders.schema.order_id is not None or orders.returns is not None:
        return True
    return orders.returns_policy != "ignore" and orders.report.rows_kept <= FEW


def lines_of(orders: Orders) -> ir.Table:
    """Return the lines of orders: sales, and returns unless they are ignored.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`; its source is read again.

    Returns
    -------
    ibis.Table
        One row per line, in no order: those of `LINES` that the log tells.

    Examples
    --------
    >>> import pandas as pd
    >>> from clv.transactions.orders import read_orders
    >>> orders = read_orders(pd.DataFrame({
    ...     "customer_id": ["007", "007"],
    ...     "date": ["2024-01-15", "2024-01-20"],
    ...     "amount": [12.5, -4.0],
    ... }))
    >>> orders.opened.collect(lines_of(orders).order_by("at"))["back"].to_pylist()
    [False, True]
    """
    lines = sales_and_returns(orders.opened, Reading(orders.schema, orders.opened.engine))
    if orders.returns_policy == "ignore":
        lines = lines.filter(~lines["back"])
    return typed(lines)


def write_lines(lines: ir.Table, end: date, opened: Source, file: Path) -> None:
    """Write lines up to a day, the same ones always to the same bytes.

    Parameters
    ----------
    lines : ibis.Table
        As :func:`lines_of` has them.
    end : date
        The last day. What an order has after it is kept by who reads it then.
    opened : Source
        Whose engine holds them.
    file : Path
        Parquet; what stands there is replaced.
    """
    # Whether a column may be null, which the file says, is known of a table as it is.
    seen = opened.materialise(lines.filter(lines["date"] <= end))
    opened.write_parquet(seen.order_by(*seen.columns), file)
    opened.engine.drop(seen)


def typed(lines: ir.Table) -> ir.Table:
    """Return lines with the columns of `LINES` that they have, in that order and of those types."""
    return lines.select(
        **{name: lines[name].cast(kind) for name, kind in LINES.items() if name in lines.columns}
    )
