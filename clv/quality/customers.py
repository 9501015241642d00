"""When customers were first seen: cohorts, and those who were customers before the log begins.

A customer who bought before the log begins is taken for new at the first order that it holds. In a
log that begins with the company, or in the middle of it without such customers, about as many new
customers are seen in the first weeks as later; where the log cuts off a past, many more are. That
supposes that customers are won evenly: where ever more are, they hide such a crowd, and where ever
fewer are, as after a launch, they look like one.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np

from clv.arrays import Floats
from clv.quality.purchase_times import usual_wait
from clv.quality.report import FINE, LOOK, Finding, percent
from clv.transactions.orders import Orders
from clv.transactions.report import counted
from clv.transactions.summary import CustomerHistories

__all__ = ["cohorts", "left_truncation"]

CROWD = 2.0
"""How many times as many customers as later are seen first at the start where the log cuts off a
past (assumed)."""

WINDOWS = 4
"""Windows of one usual wait that the log must have to be judged."""


def cohorts(orders: Orders, found: CustomerHistories) -> Finding:
    """Count customers by the month in which they were first seen.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    new: Counter[str] = Counter()
    again: Counter[str] = Counter()
    for day, customers, repeat in _first_days(orders, found):
        new[f"{day:%Y-%m}"] += customers
        again[f"{day:%Y-%m}"] += repeat
    months = [
        {"month": month, "customers": new[month], "bought_again": again[month]}
        for month in sorted(new)
    ]
    shares = [again[month] / new[month] for month in new if new[month] >= 50]
    spread = (
        f"; of those of a month {100 * min(shares):.0f} % to {100 * max(shares):.0f} % bought again"
        if len(shares) > 1
        else ""
    )
    told = (
        f"{counted(found.customers, 'customer')} first seen in "
        f"{counted(len(months), 'calendar month')}{spread}."
    )
    return Finding("cohorts", FINE, told, "", {"months": months})


def left_truncation(orders: Orders, found: CustomerHistories) -> Finding:
    """Say how many customers seem to have bought before the log begins.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    rows = _first_days(orders, found)
    start, end = found.first_date, found.end
    wait = usual_wait(found)
    width = max(7, math.ceil(wait)) if wait is not None else 0
    span = (end - start).days + 1
    windows = span // width if width else 0
    figures: dict[str, Any] = {
        "window_days": width or None,
        "first_window": None,
        "later_windows": None,
        "share_first_window": None,
        "cohort_until": None,
    }
    last_new = max(day for day, _, _ in rows)
    if windows < WINDOWS:
        return Finding(
            "left_truncation",
            FINE,
            "The log is too short to tell whether customers bought before it begins.",
            "",
            figures,
        )
    counts = _by_window(rows, start, width, windows)
    first, later = int(counts[0]), float(counts[1:].mean())
    figures |= {
        "first_window": first,
        "later_windows": later,
        "share_first_window": first / found.customers,
    }
    if (last_new - start).days < span / 2:
        figures["cohort_until"] = last_new.isoformat()
        return Finding(
            "left_truncation",
            LOOK,
            f"All customers were first seen by {last_new}, and none in the "
            f"{(end - last_new).days:,} days after: this is a cohort.",
            "If its customers were new then, all is well. If it is whoever bought in those days, "
            "they were customers before: T counts from the start of the log, not from their first "
            "purchase, and the models take those who had stayed so far for usual new customers.",
            figures,
        )
    shown = (
        f"In the first {width} days (the usual wait between two purchases) {first:,} customers "
        f"({percent(first / found.customers)}) were first seen, in each {width} days "
        f"later {later:,.0f} on average"
    )
    if first <= CROWD * later or first - later <= 4 * math.sqrt(later):
        told = (
            f"{shown}: no crowd at the start that tells of a past cut off. (Where more and more "
            "customers are won over the log, it could not be told.)"
        )
        return Finding("left_truncation", FINE, told, "", figures)
    after = start + timedelta(days=2 * width)
    return Finding(
        "left_truncation",
        LOOK,
        f"{shown}: some {first - later:,.0f} of them would be customers from before the log "
        "begins, unless it is of customers who were new then, or fewer and fewer were won since, "
        "as after a launch. The T of customers from before is too short, and as only those who had "
        "stayed are seen, new customers look more loyal than they are.",
        "If the log begins with the shop, or is of customers who were new in those days, all is "
        "well. Else read more of the past; or fit once more with the customers first seen after "
        f"{after} only, and see what changes.",
        figures,
    )


def _first_days(orders: Orders, found: CustomerHistories) -> list[tuple[date, int, int]]:
    """Days on which customers were first seen, how many, and how many of them bought again."""
    table = found.table
    per_day = table.group_by("first_date").aggregate(
        customers=table.count(), again=(table["frequency"] > 0).sum()
    )
    rows = orders.opened.collect(per_day.order_by("first_date")).to_pylist()
    return [(row["first_date"], int(row["customers"]), int(row["again"])) for row in rows]


def _by_window(rows: list[tuple[date, int, int]], start: date, width: int, windows: int) -> Floats:
    """Customers first seen in each whole window."""
    at = np.array([(day - start).days // width for day, _, _ in rows])
    counts = np.bincount(at, weights=[n for _, n, _ in rows], minlength=windows)
    return counts[:windows].astype(float)
