"""What is to be known of the end of a log: of which day it is, and whether the log ends before."""

from __future__ import annotations

from datetime import date

import numpy as np

from clv.transactions.orders import Orders
from clv.transactions.report import counted

__all__ = ["QUIET_DAYS", "end_taken", "last_seen", "silence", "silence_told"]

QUIET_DAYS = 7
"""Days without orders before the end from which it is asked whether the log is complete."""


def end_taken(orders: Orders, end: date) -> str:
    """Say of which day the end is that was not given, and what that does.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    end : date
        The last date in the log.
    """
    told = (
        f"The end of observation was not given, so it is taken to be the last date in the log, "
        f"{end}"
    )
    if _last_return(orders) == end:
        bought = orders.opened.collect(orders.days.aggregate(last=orders.days["date"].max()))
        last = bought["last"][0].as_py()
        if last is not None and last < end:
            told += (
                f", that of a return; the last order is of {last}. If the orders are complete only "
                "to that day, give it as the end"
            )
    return (
        f"{told}. If the orders were observed for longer, customers have been silent longer than "
        "is counted here and their probability of being alive comes out too high: give the end."
    )


def silence(orders: Orders, end: date) -> list[str]:
    """Say so where the log is silent before its end for longer than it ever was.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    end : date
        Of the observation.
    """
    if (end - orders.last_date).days < QUIET_DAYS and _last_return(orders) != orders.last_date:
        return []
    found = orders.opened.collect(orders.days.select("date").distinct().order_by("date"))
    dates = found.column(0).to_numpy().astype("datetime64[D]")
    longest = int(np.diff(dates).max().astype(int)) if len(dates) > 1 else 0
    last: date = dates[-1].item()
    if (end - last).days < max(QUIET_DAYS, longest + 1):
        return []
    than = f"; the longest such gap before was {counted(longest, 'day')}"
    return [silence_told(last, end, than, seen=last_seen(orders, last))]


def last_seen(orders: Orders, last: date) -> date:
    """Return the last day on which orders were recorded: lines of the last may be of later ones.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    last : date
        The day of the last order.
    """
    return last if _last_return(orders) == orders.last_date else orders.last_date


def _last_return(orders: Orders) -> date | None:
    return None if orders.returns is None else orders.returns.last_date


def silence_told(last: date, end: date, than: str = "", *, seen: date | None = None) -> str:
    """Say that there is no order from some day on.

    Parameters
    ----------
    last : date
        The day of the last order.
    end : date
        Of the observation.
    than : str
        What the silence is longer than, if that is known.
    seen : date, optional
        The last date in the log, if it is another.
    """
    return (
        f"There is no order in the {(end - last).days:,} days before the end of observation, {end}"
        f"{than}. If the orders are complete only to {seen or last}, give that as the end: "
        "customers else seem to have gone silent, and their probability of being alive and their "
        "values come out too low."
    )
