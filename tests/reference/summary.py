"""Histories the slow way: plain Python, one customer after the other, independent of the engine."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Line:
    """One row of a log."""

    customer: str | None
    time: datetime
    amount: Decimal


@dataclass(frozen=True)
class History:
    """One customer's history, times in days."""

    first: date
    frequency: int
    recency: int
    T: int
    spend_frequency: int
    monetary_value: float | None


def histories(lines: list[Line], end: date) -> dict[str, History]:
    """Fader, Hardie & Lee (2005): days, not orders; the first is not a repeat."""
    totals: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for line in lines:
        customer = (line.customer or "").strip()
        if not customer or line.amount < 0 or line.time.date() > end:
            continue
        days = totals[customer]
        days[line.time.date()] = days.get(line.time.date(), Decimal(0)) + line.amount
    found = {}
    for customer, days in totals.items():
        first, *repeats = sorted(days)
        spent = [days[day] for day in repeats if days[day] > 0]
        found[customer] = History(
            first=first,
            frequency=len(repeats),
            recency=(max(days) - first).days,
            T=(end - first).days,
            spend_frequency=len(spent),
            monetary_value=float(sum(spent)) / len(spent) if spent else None,
        )
    return found


def repeats_by(lines: list[Line], day: date) -> int:
    """Count the repeat transactions of all customers up to a day."""
    return sum(history.frequency for history in histories(lines, day).values())
