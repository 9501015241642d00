"""Ids: customers who may be one, and orders that may be several."""

from __future__ import annotations

import unicodedata
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from clv.quality.report import FINE, LOOK, Finding, percent
from clv.transactions.order_lines import ORDER_DAYS
from clv.transactions.order_totals import one_amount, totals_repeated
from clv.transactions.orders import Orders
from clv.transactions.reading import Reading
from clv.transactions.report import counted, quoted
from clv.transactions.summary import CustomerHistories
from clv.transactions.values import folded

__all__ = ["customer_ids", "ids_of_orders", "order_ids"]

UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
"""Signs without a width: they come from web pages, and from files put together."""

MARKS = "\u0300-\u036f\u1100-\u11ff\u3099\u309a"
"""Parts of letters that are written apart: `e` and an accent, as computers of Apple name files."""


def customer_ids(orders: Orders, found: CustomerHistories) -> Finding:
    """Say which customers have ids that differ only in case, space, unseen signs or leading zeros.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    groups, ids, examples = 0, 0, list[str]()
    if isinstance(orders.days["customer_id"], ir.StringColumn):
        table = _as_seen(orders, found)
        who = table["seen"]
        key = folded(who).replace(" ", "").re_replace("^0+", "")
        alike = table.group_by(key=key).aggregate(
            ids=table.count(), one=table["customer_id"].min(), other=table["customer_id"].max()
        )
        alike = orders.opened.materialise(alike.filter(alike["ids"] > 1))
        (row,) = orders.opened.collect(
            alike.aggregate(groups=alike.count(), ids=alike["ids"].sum())
        ).to_pylist()
        groups, ids = int(row["groups"]), int(row["ids"] or 0)
        some = orders.opened.collect(alike.order_by("one").limit(3)).to_pylist()
        examples = [_both(row["one"], row["other"]) for row in some]
        orders.opened.engine.drop(alike)
    figures = {"ids": ids, "groups": groups, "examples": examples}
    if not groups:
        return Finding(
            "customer_ids",
            FINE,
            "No two customer ids differ only in case, space, signs that are not seen, or leading "
            "zeros.",
            "",
            figures,
        )
    return Finding(
        "customer_ids",
        LOOK,
        f"{counted(ids, 'customer id')} differ from another only in case, space, signs that are "
        f"not seen, or leading zeros, such as {'; '.join(examples)}. They are taken for different "
        "customers.",
        'Where each group is one customer, make them one: id_case = "fold" in a schema for case; '
        "spaces and zeros in the export.",
        figures,
    )


def _both(one: str, other: str) -> str:
    """Two ids; where they look alike in every font, with the codes of their letters."""
    alike = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    return " and ".join(ascii(who) if alike else quoted(who) for who in (one, other))


def _as_seen(orders: Orders, found: CustomerHistories) -> ir.Table:
    """Each customer's id, and `seen`: with its letters put together, without unseen signs."""
    table = found.table.select("customer_id")
    who = table["customer_id"]
    odd = orders.opened.collect(table.filter(who.re_search(f"[{UNSEEN}{MARKS}]")))
    ids = odd["customer_id"].cast(pa.string())
    if not len(ids):
        return table.mutate(seen=who)
    bare = pc.replace_substring_regex(ids, pattern=f"[{UNSEEN}]", replacement="")
    seen = pc.utf8_normalize(bare, form="NFC")
    pairs = orders.opened.engine.from_arrow(pa.table({"odd": ids, "said": seen}))
    joined = table.left_join(pairs, table["customer_id"] == pairs["odd"])
    return joined.select("customer_id", seen=ibis.coalesce(joined["said"], joined["customer_id"]))


def order_ids(orders: Orders, found: CustomerHistories) -> Finding | None:
    """Say which order ids are there for several customers, or on several days.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    del found  # an id used twice is so before the end and after it
    column = orders.schema.order_id
    if column is None:
        return None
    reading, table = Reading(orders.schema, orders.opened.engine), orders.opened.table
    rows = reading.log(table, order=table[column].cast(str))
    bought = rows.filter(rows["aside"].isnull())
    return ids_of_orders(orders, bought, repeated=orders.report.duplicate_rows)


def ids_of_orders(orders: Orders, rows: ir.Table, *, repeated: int = 0) -> Finding:
    """Say of purchases which order ids are there for several customers, or on several days.

    Parameters
    ----------
    orders : Orders
        Whose engine holds them.
    rows : ibis.Table
        Purchases with `customer_id`, `date` and `order`, the number of their order.
    repeated : int
        How many of them repeat an earlier one in every column.
    """
    rows = rows.filter(rows["order"].notnull())
    who = rows["customer_id"].cast(str)
    per = rows.group_by("order").aggregate(
        customers=who.min() != who.max(),
        days=rows["date"].min() != rows["date"].max(),
        lines=rows.count(),
        least=rows["amount"].min(),
        most=rows["amount"].max(),
        one=who.min(),
        other=who.max(),
        first=rows["date"].min(),
        last=rows["date"].max(),
    )
    per = orders.opened.materialise(per)
    alike = one_amount(per)
    (row,) = orders.opened.collect(
        per.aggregate(
            orders=per.count(),
            customers=per["customers"].sum(),
            days=per["days"].sum(),
            several=(per["lines"] > 1).sum(),
            alike=alike.sum(),
            amounts=per["least"].nunique(where=alike),
            further=(per["lines"] - 1).sum(where=alike),
        )
    ).to_pylist()
    many = {name: int(found or 0) for name, found in row.items()}
    odd = per.filter(per["customers"] | per["days"]).order_by("order").limit(3)
    examples = [_example(row) for row in orders.opened.collect(odd).to_pylist()]
    orders.opened.engine.drop(per)
    figures = {
        "orders": many["orders"],
        "of_several_customers": many["customers"],
        "on_several_days": many["days"],
        "of_several_lines": many["several"],
        "of_one_amount": many["alike"],
        "examples": examples,
    }
    total = orders.schema.amount is not None and totals_repeated(
        many["several"],
        many["alike"],
        many["amounts"],
        further=many["further"],
        repeated=repeated,
    )
    if total:
        return Finding(
            "order_ids",
            LOOK,
            f"{many['alike']:,} of {counted(many['several'], 'order')} with several lines "
            f"({percent(many['alike'] / many['several'])}) have one amount on all of them.",
            f"Is column {orders.schema.amount!r} the total of the order? Then it is counted once "
            "for each line: hand over one row for each order, or the columns of price and "
            "quantity. If each line is a piece of one price, all is well.",
            figures,
        )
    if not (many["customers"] or many["days"]):
        return Finding(
            "order_ids",
            FINE,
            f"Each of {counted(many['orders'], 'order id')} is of one customer and one day.",
            "",
            figures,
        )
    told = [
        f"{counted(odd, 'order id')} ({percent(odd / many['orders'])}) {where}"
        for where in ("with several customers", "on several days")
        if (odd := many[where.rpartition(" ")[2]])
    ]
    apart = (
        f"Lines of one order that lie up to {ORDER_DAYS} days apart count as one purchase on its "
        "first day; those further apart stay on their days: is the number used again, each year or "
        "in each shop? That does harm only where returns name the order that they reverse."
    )
    own = "Where customers share an id, each has an order of their own. "
    verb = "is" if told[0].startswith("1 ") else "are"
    return Finding(
        "order_ids",
        LOOK,
        f"There {verb} {' and '.join(told)}, such as {'; '.join(examples)}.",
        f"{own if many['customers'] else ''}{apart}",
        figures,
    )


def _example(row: dict[str, Any]) -> str:
    customers = f"customers {row['one']} and {row['other']}" if row["customers"] else ""
    days = f"{row['first']} and {row['last']}" if row["days"] else ""
    return f"{quoted(row['order'])} ({', '.join(filter(None, [customers, days]))})"
