"""Returns as service incidents: who sent back what, when, and what it was worth."""

from __future__ import annotations

from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from clv.transactions.returns.matching import NOTHING
from clv.transactions.returns.netting import NetReturns

__all__ = ["RETURNED_ITEM", "incident_rows"]

RETURNED_ITEM = "returned_item"
"""The type of incident that a return is."""


def incident_rows(returns: NetReturns) -> ir.Table:
    """One row per customer and moment with a return, in the columns of an incident log.

    Parameters
    ----------
    returns : NetReturns
        Of a log of orders.

    Returns
    -------
    ibis.Table
        `customer_id` (text), `occurred_at`, `type`, `order_id` (the order that was reversed, where
        it is known and only one), `loss_amount` (what came back; null where the log has no
        amounts) and `detected_by` (the customer), sorted by customer and time. A discount that is
        a line of its order is none.
    """
    t = returns.table.filter(~returns.table["reduces_price"])
    of = cast("ir.StringColumn", t["order"]).nullif(NOTHING)
    several = (of.nunique() > 1) | (of.count() < t.count())
    loss = t["worth"].sum().cast("float64") if returns.has_amount else ibis.null(dt.float64)
    rows = t.group_by("customer_id", occurred_at="at").aggregate(
        of=of.min(), several=several, loss_amount=loss
    )
    return rows.select(
        customer_id=rows["customer_id"].cast(str),
        occurred_at=rows["occurred_at"],
        type=ibis.literal(RETURNED_ITEM),
        order_id=ibis.ifelse(rows["several"], ibis.null(dt.string), rows["of"]),
        loss_amount=rows["loss_amount"],
        detected_by=ibis.literal("customer"),
    ).order_by("customer_id", "occurred_at")
