"""Gaps in the calendar: days without orders on which that weekday usually has some.

What a customer buys on one day is one order here, however many lines the log has of it.

A day's weekday is usually open where at least four in five of the nearest same weekdays, eight
before and eight after the gap, had orders. There the number of orders is taken for negative
binomial, with the mean m of those before or of those after the gap, or of the two nearest on one
side and one order more, whichever is least (a log may grow, or its level move within weeks), and
the shape k that the log's days show around their own means: the surprise -ln P(none) is
k ln(1 + m/k), which is m where days vary no more than by chance (Poisson). Else P(none) is the
share of those days without orders, on the side where it is greater. A shop that is closed on
Sundays has no surprise in them. The surprises of the days of a run add up; a run is a gap where
they exceed ln(100 days), so that a log without gaps, whose days vary around a level that moves
slowly, shows one in a hundred times at most.

In a hundred simulated logs of two years each, with 1, 8, 20 and 100 orders a day, none was told of
steady shops, of such that are closed on Sundays, grow fiftyfold or have a year's wave, and of days
that vary; with 8 and more none either of eight weeks a year at a tenth of the usual, and in up to
4 % where the level wanders. With one order a day a quiet season is told in most logs. Gaps of a day
are all found with 20 orders a day, of two days in 96 % with 8, and in 85 % where besides one day
had thirty times the usual (`python -m tests.studies.calendar_alarms --logs 100`).
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.quality.report import FINE, LOOK, Finding
from clv.transactions.end_of_log import last_seen
from clv.transactions.orders import Orders
from clv.transactions.report import counted
from clv.transactions.summary import CustomerHistories

__all__ = ["calendar_gaps", "gaps_of"]

Integers = npt.NDArray[np.int64]

NEIGHBOURS = 8
"""Same weekdays looked at on each side of a run of days."""

NEAREST = 2
"""Same weekdays on one side of a run that are looked at by themselves: the level may move."""

EXCEPTIONAL = (4, 10)
"""A day is exceptional beyond 4 times the median of its neighbours and 10 orders (assumed)."""

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
    gaps = gaps_of(days, counts, end)
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


def gaps_of(days: Integers, counts: Integers, end: int) -> list[tuple[int, int]]:
    """First and last day of each gap.

    Parameters
    ----------
    days, counts : ndarray of int, shape (n,)
        Days with orders, numbered from any, in order; how many each has.
    end : int
        The last day that was observed.
    """
    excess, limit = _excess(days, counts), _limit(days, end)
    return [gap for gap in _runs(days, end) if _surprise(days, counts, excess, *gap) > limit]


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
    own chance adds an eighth to the squares; with k they are 9/8 (m + m²/k) on average. One
    exceptional day would make all others look as if they varied as much: it and its neighbours are
    cut at a multiple of the median of these.
    """
    each = np.zeros(int(days[-1] - days[0]) + 1)
    each[days - days[0]] = counts
    weeks = np.arange(-4, 5) * 7
    middle = np.arange(28, len(each) - 28)
    if not len(middle):
        return 0.0
    neighbours = each[middle[:, None] + weeks[weeks != 0]]
    times, more = EXCEPTIONAL
    most = times * np.median(neighbours, axis=1) + more
    around = np.minimum(neighbours, most[:, None]).mean(axis=1)
    squares = ((np.minimum(each[middle], most) - around) ** 2).sum() / (9 / 8)
    scale = float((around**2).sum())
    return max(0.0, float(squares - around.sum()) / scale) if scale else 0.0


def _surprise(days: Integers, counts: Integers, excess: float, first: int, last: int) -> float:
    """-ln P(no orders from the first to the last day)."""
    surprise = 0.0
    for weekday, often in enumerate(_each_weekday(first, last)):
        sides = [n for n in _neighbours(days, counts, first, last, weekday) if len(n)]
        if not sides:
            continue
        if np.concatenate(sides).astype(bool).mean() >= OPEN:
            near = [side[:NEAREST] for side in sides if len(side) >= NEAREST]
            mean = min(
                *(float(side.mean()) for side in sides),
                *((float(side.sum()) + 1) / NEAREST for side in near),
                math.inf,
            )
            surprise += often * (math.log1p(mean * excess) / excess if excess else mean)
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
