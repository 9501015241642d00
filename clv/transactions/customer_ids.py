"""Customer ids that stand for no one customer: nested, cut by a spreadsheet, alike but for case."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from clv.errors import OrdersError
from clv.transactions.report import counted, quoted
from clv.transactions.schema import Schema
from clv.transactions.sources import Source
from clv.transactions.values import folded

__all__ = ["alike_ids", "refuse_cut_ids", "refuse_nested_ids"]

CUT = r"^\d(\.\d+)?E\+\d+$"
"""How Excel writes a number of 12 digits or more, and with it each of those that begin alike."""


def refuse_nested_ids(source: Source, schema: Schema) -> None:
    """Refuse a column of customers that holds lists or structures.

    Parameters
    ----------
    source : Source
        The orders.
    schema : Schema
        Which columns are taken.
    """
    kind = source.table[schema.customer_id].type()
    if kind.is_nested():
        raise OrdersError(
            f"Column {schema.customer_id!r} holds {kind}; a customer id is one text or number. "
            "Take it out of the structure into a column of its own."
        )


def refuse_cut_ids(source: Source, schema: Schema, days: ir.Table, rows: int) -> None:
    """Refuse ids such as `4.00638E+12`: customers whose ids begin alike have become one.

    Parameters
    ----------
    source : Source
        The orders.
    schema : Schema
        Which columns are taken.
    days : ibis.Table
        One row per customer and day, with `customer_id`.
    rows : int
        How many rows the source has.
    """
    ids = days["customer_id"]
    if not isinstance(ids, ir.StringColumn):
        return
    if not source.collect(days.aggregate(some=ids.contains("E+").any()))["some"][0].as_py():
        return
    text = source.table[schema.customer_id].cast(str).strip()
    table = source.table.select(
        said=text, cut=text.re_search(CUT).fill_null(ibis.literal(value=False))
    )
    many = int(source.collect(table.aggregate(n=table["cut"].sum()))["n"][0].as_py() or 0)
    if many:
        first = source.first_rows(table, "cut", ["said"])
        where = "; ".join(f"{row.where}: {quoted(row.values[0])}" for row in first)
        raise OrdersError(
            f"Customer ids in {many:,} of {counted(rows, 'row')}, column {schema.customer_id!r}, "
            f"were shortened by a spreadsheet ({where}): their digits are lost, and several "
            "customers may have become one. Export the orders anew, and do not save them in a "
            "spreadsheet before that column is formatted as text."
        )


def alike_ids(source: Source, schema: Schema, days: ir.Table) -> list[str]:
    """Say which customers have ids that differ only in case.

    Parameters
    ----------
    source : Source
        The orders.
    schema : Schema
        Which columns are taken.
    days : ibis.Table
        One row per customer and day, with `customer_id`.
    """
    ids = days["customer_id"]
    if schema.id_case == "fold" or not isinstance(ids, ir.StringColumn):
        return []
    cases = days.aggregate(large=(ids != ids.lower()).any(), small=(ids != ids.upper()).any())
    seen = source.collect(cases).to_pylist()[0]
    if not (seen["large"] and seen["small"]):  # else all letters are of one size
        return []
    alike = days.group_by(key=folded(ids)).aggregate(one=ids.min(), other=ids.max())
    alike = alike.filter(alike["one"] != alike["other"])
    many = int(source.collect(alike.aggregate(n=alike.count()))["n"][0].as_py())
    if not many:
        return []
    some = source.collect(alike.order_by("key").limit(3)).to_pylist()
    shown = ", ".join(f"{row['one']!r} and {row['other']!r}" for row in some)
    return [
        (
            f"{counted(many, 'customer id')} {'is' if many == 1 else 'are'} there in more than one "
            f'case ({shown}). They are taken for different customers; id_case = "fold" in a schema '
            "makes them one."
        )
    ]
