"""Orders made of lines that are read already: days with purchases, and what came back of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import ibis.expr.types as ir

from clv.transactions.order_lines import RolledUp, by_day, rolled_up
from clv.transactions.returns.netting import NetReturns, netted
from clv.transactions.sources import Source

__all__ = ["FromLines", "from_lines"]


@dataclass(frozen=True, eq=False)
class FromLines:
    """What lines come to.

    Attributes
    ----------
    rolled : RolledUp
        Days with a sale.
    returns : NetReturns or None
        Returns with their orders; None where there are none, or they are ignored.
    first_date, last_date : date
        The first day with a sale, and the last with a sale or a return that counts.
    """

    rolled: RolledUp
    returns: NetReturns | None
    first_date: date
    last_date: date


def from_lines(
    source: Source,
    lines: ir.Table,
    policy: Literal["net", "ignore", "incident"],
    *,
    has_amount: bool,
    order_id: str | None,
) -> FromLines:
    """Make of lines what reading makes of the rows of a source.

    Parameters
    ----------
    source : Source
        Whose engine holds them.
    lines : ibis.Table
        As :func:`clv.transactions.returns.netting.sales_and_returns` has them; at least one is a
        sale.
    policy : {"net", "ignore", "incident"}
        What is done with returns.
    has_amount : bool
        Whether the lines have amounts.
    order_id : str or None
        The column of the source that names orders.
    """
    sold = lines.filter(~lines["back"])
    days = source.materialise(by_day(sold))
    figures = lines.aggregate(
        sold=(~lines["back"]).sum(),
        back=lines["back"].sum(),
        first=lines["date"].min(where=~lines["back"]),
        last=lines["date"].max(where=~lines["back"]),
    )
    (seen,) = source.collect(figures).to_pylist()
    rolled = RolledUp(days, 0)
    if "order_id" in lines.columns:
        rolled = rolled_up(source, sold, days, int(seen["sold"]), str(order_id))
    last, back = seen["last"], None
    if seen["back"] and policy != "ignore":
        back = netted(source, lines, policy, has_amount=has_amount)
        last = max(last, back.last_date)
    return FromLines(rolled, back, seen["first"], last)
