"""Ids that are no customers: `guest`, `unknown`, and one with far more orders than all others."""

from __future__ import annotations

import json
from typing import Any

import ibis
import ibis.expr.types as ir

from clv.quality.report import FINE, LOOK, Finding, percent
from clv.transactions.orders import Orders
from clv.transactions.report import counted, quoted
from clv.transactions.summary import CustomerHistories

__all__ = ["placeholder"]

LARGE_SHARE = 0.05
"""Share of all orders that one customer hardly places alone (assumed)."""

MANY_TIMES = 50
"""How many times as many orders as a customer on average one customer hardly places (assumed)."""

FAR_SHARE, FAR_TIMES = 0.01, 3
"""Nor is it one customer who has at least this share, and so many times as many orders as the
customer whom one in a thousand of the others reaches (assumed). In CDNOW, Online Retail and
simulated shops the first customer has at most 2.3 times as many (measured)."""

FEW_ORDERS = 5
"""Orders up to which a word may be the name of a customer (assumed)."""

WORDS = (
    *("guest", "guests", "guest user", "guest customer", "guest checkout", "anonymous", "anon"),
    *("unknown", "unregistered", "no customer", "no name", "noname", "nobody", "not set"),
    *("walk-in", "walkin", "walk in", "cash sale", "dummy", "test", "?"),
    *("gast", "gäste", "gastkunde", "gastbestellung", "anonym", "unbekannt", "kein kunde"),
    *("laufkunde", "laufkundschaft", "barverkauf", "n.n.", "invité", "anonyme"),
    *("inconnu", "invitado", "anónimo", "anonimo", "desconocido", "ospite", "sconosciuto"),
)
"""Words that stand for customers who are not known, also before the @ of an address."""


def placeholder(orders: Orders, found: CustomerHistories) -> Finding:
    """Say which ids hardly stand for one customer: by their words, or by the number of orders.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    collect = orders.opened.collect
    days = orders.days.filter(orders.days["date"] <= ibis.literal(found.end))
    per = days.group_by("customer_id").aggregate(orders=days["rows"].sum())
    per = orders.opened.materialise(per)
    by_orders = per.order_by(per["orders"].desc(), "customer_id")
    row, *next_ones = collect(by_orders.limit(2 + found.customers // 1000)).to_pylist()
    total = int(collect(per.aggregate(orders=per["orders"].sum()))["orders"][0].as_py())
    words = _words(collect(_like_words(per)).to_pylist())
    orders.opened.engine.drop(per)
    many, share = int(row["orders"]), int(row["orders"]) / total
    most = str(row["customer_id"])
    usual = int(next_ones[-1]["orders"]) if next_ones else many
    far = share >= FAR_SHARE and many >= FAR_TIMES * usual
    large = (share >= LARGE_SHARE or far) and share * found.customers >= MANY_TIMES
    figures: dict[str, Any] = {
        "customer": most,
        "orders": many,
        "order_share": share,
        "words": list(words),
    }
    told = []
    if large:
        told.append(
            f"Customer {quoted(row['customer_id'])} has {counted(many, 'order')}, "
            f"{percent(share)} of all of them: {share * found.customers:,.0f} times as many as a "
            "customer on average."
        )
    others = {who: n for who, n in words.items() if not (large and who == most)}
    if others:
        some = ", ".join(f"{quoted(who)} ({counted(n, 'order')})" for who, n in others.items())
        told.append(
            f"The customer {some} bears" if len(others) == 1 else f"The customers {some} bear"
        )
        told[-1] += " a word for customers who are not known."
    if not told:
        said = f"The customer with most orders has {percent(share)} of them."
        return Finding("placeholder", FINE, said, "", figures)
    nobody = list(dict.fromkeys([most] * large + list(words)))
    return Finding(
        "placeholder",
        LOOK,
        " ".join(told),
        "Is it a word for customers who are not known, such as guests, or a till? Then say in a "
        f"schema that it is nobody, no_customer = {json.dumps(nobody, ensure_ascii=False)}: such "
        "rows are set aside, and told.",
        figures,
    )


def _like_words(per: ir.Table) -> ir.Table:
    """Return the ids that are such words, and 0 and 1."""
    said = per["customer_id"].cast(str).lower().re_replace("@.*$", "")
    return per.filter(said.isin([*WORDS, "0", "1"])).order_by(per["orders"].desc(), "customer_id")


def _words(rows: list[dict[str, Any]]) -> dict[str, int]:
    """Keep those with more than a few orders; where there is a customer 1, 0 is one as well."""
    numbers = {"0", "1"} if any(str(row["customer_id"]) == "1" for row in rows) else {"1"}
    many = {str(row["customer_id"]): int(row["orders"]) for row in rows}
    return {who: n for who, n in many.items() if n > FEW_ORDERS and who not in numbers}
