"""Gaps in the calendar: days without orders on which that weekday usually has some.

What a customer buys on one day is one order here, however many lines the log has of it.

A day's weekday is usually open where at least four in five of the nearest same weekdays, eight
before and eight after the gap, had orders. There the number of orders is taken for negative
binomial, with the mean m of those before or of those after the gap, whichever is less (a log may
grow), and the shape k that the log's days show around their own means: the surprise -ln P(none) is
k ln(1 + m/k), which is m where days vary no more than by chance (Poisson). Else P(none) is the
share of those days without orders, on the side where it is greater. A shop that is closed on
Sundays has no surprise in them. The surprises of the days of a run add up; a run is a gap where
they exceed ln(100 days), so that a log without gaps shows one in a hundred times at most.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.quality.report import FINE, LOOK, Finding
from clv.transactions.orders import Orders
from clv.transactions.report import counted
from clv.transactions.summary import CustomerHistories, last_seen

__all__ = ["calendar_gaps"]

Integers = npt.NDArray[np.int64]

NEIGHBOURS = 8
"""Same weekdays looked at on each side of a run of days."""

OPEN = 0.8
"""Share of days with orders from which a weekday is usually open."""

SHOWN = 10
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def calendar_gaps(orders: Orders, found: CustomerHistories) -> Finding:
    """Say on which days orders are missing.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    seen = orders.days.filter(orders.days["date"] <= found.end)
    per_day = seen.group_by("date").aggregate(orders=seen.count()).order_by("date")
    table = orders.opened.collect(per_day)
    days = table["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    counts = table["orders"].to_numpy().astype(np.int64)
    end = int(np.datetime64(found.end, "D").astype(np.int64))
    excess, limit = _excess(days, counts), _limit(days, end)
    gaps = [gap for gap in _runs(days, end) if _surprise(days, counts, excess, *gap) > limit]
    usual = [_usual(days, counts, *gap).sum() for gap in gaps]
    span = end - int(days[0]) + 1
    longest = sorted(range(len(gaps)), key=lambda i: (-usual[i], gaps[i]))[:SHOWN]
    told: list[dict[str, Any]] = [
        {
            "first_day": _day(gaps[i][0]).isoformat(),
            "last_day": _day(gaps[i][1]).isoformat(),
            "days": gaps[i][1] - gaps[i][0] + 1,
            "usual_orders": round(float(usual[i]), 1),
        }
        for i in longest
    ]
    closed = _closed(days, counts)
    figures: dict[str, Any] = {
        "days": span,
        "days_without_orders": span - len(days),
        "closed_weekdays": closed,
        "gap_count": len(gaps),
        "gaps": told,
    }
    shut = f" It is closed on {' and '.join(f'{day}s' for day in closed)}." if closed else ""
    if not gaps:
        none = span - len(days)
        without = (
            f"{counted(none, 'day')} of {span:,} {'has' if none == 1 else 'have'} no orders, as is "
            "usual for such weekdays and so few orders a day"
            if none
            else f"Every one of {counted(span, 'day')} has orders"
        )
        return Finding("calendar", FINE, f"{without}.{shut}", "", figures)
    some = "; ".join(_said(gap) for gap in told[:3])
    more = f", and {len(gaps) - 3} shorter" if len(gaps) > 3 else ""
    at_end = _to_the_end(orders, gaps[-1], end)
    return Finding(
        "calendar",
        LOOK,
        f"{counted(len(gaps), 'gap')} in the calendar: no orders on {some}{more}.{shut}",
        "Was the shop closed then, or are orders missing? Customers seem silent for as long as "
        f"orders are missing, and the models take silence for leaving.{at_end}",
        figures,
    )


def _to_the_end(orders: Orders, gap: tuple[int, int], end: int) -> str:
    """Say what to do where the last gap goes on to the end, and no order is later."""
    first, last = gap
    if last < end:
        return ""
    (row,) = orders.opened.collect(
        orders.days.aggregate(last=orders.days["date"].max())
    ).to_pylist()
    if row["last"] > _day(end):
        return ""
    seen = last_seen(orders, _day(first - 1))
    return f" If the orders are complete only to {seen}, give that as the end: --end {seen}."


def _said(gap: dict[str, Any]) -> str:
    days = (
        gap["first_day"]
        if gap["days"] == 1
        else f"{gap['first_day']} to {gap['last_day']} ({gap['days']:,} days)"
    )
    return f"{days}, when some {gap['usual_orders']:,.0f} would be usual"


def _runs(days: Integers, end: int) -> list[tuple[int, int]]:
    """First and last day of each run without orders, up to the end of observation."""
    bounded = np.append(days, end + 1)
    at = np.flatnonzero(np.diff(bounded) > 1)
    return [(int(bounded[i]) + 1, int(bounded[i + 1]) - 1) for i in at]


def _limit(days: Integers, end: int) -> float:
    return math.log(100 * (end - int(days[0]) + 1))


def _excess(days: Integers, counts: Integers) -> float:
    """1/k: how much more days vary around their means than by chance, in squares of the means.

    A day's mean is that of the same weekday in the four weeks before and the four after it, whose
    own chance adds an eighth to the squares; with k they are 9/8 (m + m²/k) on average.
    """
    each = np.zeros(int(days[-1] - days[0]) + 1)
    each[days - days[0]] = counts
    weeks = np.arange(-4, 5) * 7
    middle = np.arange(28, len(each) - 28)
    around = each[middle[:, None] + weeks[weeks != 0]].mean(axis=1) if len(middle) else each[:0]
    squares = ((each[middle] - around) ** 2).sum() / (9 / 8)
    scale = float((around**2).sum())
    return max(0.0, float(squares - around.sum()) / scale) if scale else 0.0


def _surprise(days: Integers, counts: Integers, excess: float, first: int, last: int) -> float:
    """-ln P(no orders from the first to the last day)."""
    often_each = _each_weekday(first, last)
    mean = _usual(days, counts, first, last) / np.maximum(often_each, 1)
    of_a_day = np.log1p(mean * excess) / excess if excess else mean
    surprise = 0.0
    for weekday, often in enumerate(often_each):
        sides = [n for n in _neighbours(days, counts, first, last, weekday) if len(n)]
        if not sides:
            continue
        if np.concatenate(sides).astype(bool).mean() >= OPEN:
            surprise += often * of_a_day[weekday]
        else:
            without = max(float((side == 0).mean()) for side in sides)
            surprise -= often * math.log(max(without, 0.01))
    return surprise


def _usual(days: Integers, counts: Integers, first: int, last: int) -> Floats:
    """Orders that the days of a run would have had, by weekday."""
    means = np.zeros(7)
    for weekday in range(7):
        sides = _neighbours(days, counts, first, last, weekday)
        means[weekday] = min((side.mean() for side in sides if len(side)), default=0.0)
    return means * _each_weekday(first, last)


def _neighbours(
    days: Integers, counts: Integers, first: int, last: int, weekday: int
) -> list[Integers]:
    """Orders on the nearest days of a weekday before a run and after it, within the log."""
    back = 7 * np.arange(NEIGHBOURS)
    before = first - 1 - (first - 1 - weekday) % 7 - back
    after = last + 1 + (weekday - last - 1) % 7 + back
    found = []
    for near in (before, after):
        inside = near[(near >= days[0]) & (near <= days[-1])]
        at = np.minimum(np.searchsorted(days, inside), len(days) - 1)
        found.append(np.where(days[at] == inside, counts[at], 0))
    return found


def _each_weekday(first: int, last: int) -> Floats:
    """How many days of each weekday a run has; weekday 0 is that of day 0, 1970-01-01."""
    weekdays = np.arange(7)
    return ((last - weekdays) // 7 - (first - 1 - weekdays) // 7).astype(float)


def _closed(days: Integers, counts: Integers) -> list[str]:
    """Weekdays on which there are hardly ever orders, where there usually are on others."""
    weeks = (int(days[-1]) - int(days[0]) + 1) / 7
    had = np.bincount((days + 3) % 7, minlength=7)  # 1970-01-01 was a Thursday
    if weeks < NEIGHBOURS or had.max() < OPEN * weeks or not counts.sum():
        return []
    return [name for name, n in zip(WEEKDAYS, had, strict=True) if n <= (1 - OPEN) / 4 * weeks]


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
