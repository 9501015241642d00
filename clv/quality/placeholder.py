"""One customer with a large share of all orders: `guest` and `unknown` are no customers."""

from __future__ import annotations

import json

import ibis

from clv.quality.report import FINE, LOOK, Finding, percent
from clv.transactions.orders import Orders
from clv.transactions.report import counted, quoted
from clv.transactions.summary import CustomerHistories

__all__ = ["placeholder"]

LARGE_SHARE = 0.05
"""Share of all orders that one customer hardly places alone (assumed)."""

MANY_TIMES = 50
"""How many times as many orders as a customer on average one customer hardly places (assumed)."""


def placeholder(orders: Orders, found: CustomerHistories) -> Finding:
    """Say whether one id has so many of the orders that it hardly stands for one customer.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    days = orders.days.filter(orders.days["date"] <= ibis.literal(found.end))
    per = days.group_by("customer_id").aggregate(orders=days["rows"].sum())
    per = orders.opened.materialise(per)
    first = orders.opened.collect(per.order_by(per["orders"].desc(), "customer_id").limit(1))
    total = orders.opened.collect(per.aggregate(orders=per["orders"].sum()))
    orders.opened.engine.drop(per)
    (row,) = first.to_pylist()
    many, share = int(row["orders"]), int(row["orders"]) / int(total["orders"][0].as_py())
    who = quoted(row["customer_id"])
    figures = {"customer": str(row["customer_id"]), "orders": many, "order_share": share}
    if share < LARGE_SHARE or share * found.customers < MANY_TIMES:
        told = f"The customer with most orders has {percent(share)} of them."
        return Finding("placeholder", FINE, told, "", figures)
    return Finding(
        "placeholder",
        LOOK,
        f"Customer {who} has {counted(many, 'order')}, {percent(share)} of all of them: "
        f"{share * found.customers:,.0f} times as many as a customer on average.",
        "Is it a word for customers who are not known, such as guests, or a till? Then say in a "
        f"schema that it is nobody, no_customer = [{json.dumps(figures['customer'])}]: such rows "
        "are set aside, and told.",
        figures,
    )
