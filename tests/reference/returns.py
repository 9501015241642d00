"""Returns matched and netted the slow way: plain Python, one return after the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

NOTHING = ""


@dataclass(frozen=True)
class Line:
    """One row of a log; `amount` is negative for a return."""

    customer: str
    time: datetime
    amount: Decimal
    order_id: str | None = None
    item: str | None = None
    quantity: int | None = None
    reverses: str | None = None

    @property
    def back(self) -> bool:
        return self.amount < 0

    @property
    def day(self) -> date:
        return self.time.date()

    @property
    def order(self) -> str:
        return self.order_id or NOTHING

    @property
    def worth(self) -> Decimal:
        return abs(self.amount)

    @property
    def same(self) -> tuple[Any, ...]:
        return (self.customer, self.item or NOTHING, abs(self.quantity or 0), self.worth)


@dataclass
class Matched:
    """A return: how its order was found, which it is, and what it takes from it."""

    line: Line
    step: int | None = None
    day: date | None = None
    order: str | None = None
    applied: Decimal = field(default=Decimal(0))

    def of(self, step: int, day: date, order: str) -> None:
        self.step, self.day, self.order = step, day, order


def order_days(lines: list[Line]) -> dict[int, date]:
    """The day of each sale's order: the first of its lines, where all are within 31 days."""
    by_order = defaultdict(list)
    for i, line in enumerate(lines):
        if not line.back and line.order_id:
            by_order[line.customer, line.order_id].append(i)
    days = {i: line.day for i, line in enumerate(lines)}
    for some in by_order.values():
        dates = [lines[i].day for i in some]
        if (max(dates) - min(dates)).days <= 31:
            days.update(dict.fromkeys(some, min(dates)))
    return days


def pair_lines(
    lines: list[Line], days: dict[int, date], named: list[Matched], asked: list[Matched]
) -> dict[int, datetime]:
    """Give each return the same line that was sold last; tell when each line went back.

    A return that names its order takes such a line of that order, of those still there.
    """
    back_at: dict[int, datetime] = {}
    stacks: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    sales = [(i, line) for i, line in enumerate(lines) if not line.back]
    events: list[tuple[Any, ...]] = [
        (line.time, 0, days[i], line.order, i, None) for i, line in sales
    ]
    events += [(m.line.time, 1, m.line.day, m.line.order, n, m) for n, m in enumerate(named)]
    events += [(m.line.time, 2, m.line.day, m.line.order, n, m) for n, m in enumerate(asked)]
    for time, kind, _, _, i, m in sorted(events, key=lambda e: e[:5]):
        if m is None:
            stacks[lines[i].same].append(i)
        elif kind == 1:
            there = stacks[m.line.same]
            of_order = [s for s in there if (days[s], lines[s].order) == (m.day, m.order)]
            if of_order:
                there.remove(of_order[-1])
                back_at[of_order[-1]] = time
        elif stacks[m.line.same]:
            sold = stacks[m.line.same].pop()
            back_at[sold] = time
            m.of(2, days[sold], lines[sold].order)
    return back_at


def match(lines: list[Line]) -> list[Matched]:
    """Find the order of each return among what came before it."""
    days = order_days(lines)
    sales = [(i, line) for i, line in enumerate(lines) if not line.back]
    worth: dict[tuple[str, date, str], Decimal] = defaultdict(Decimal)
    began: dict[tuple[str, date, str], datetime] = {}
    for i, line in sales:
        key = (line.customer, days[i], line.order)
        worth[key] += line.amount
        began[key] = min(began.get(key, line.time), line.time)

    def rank(m: Matched) -> tuple[Any, ...]:
        r = m.line
        named = r.reverses or r.order_id
        return (
            *(r.customer, r.day, r.order, r.time, *r.same[1:]),
            *(named is None, named or "", r.reverses is not None),
        )

    found = sorted((Matched(line) for line in lines if line.back), key=rank)

    asked = []
    for m in found:
        name = m.line.reverses or m.line.order_id
        there = [
            day
            for customer, day, order in worth
            if name and (customer, order) == (m.line.customer, name) and day <= m.line.day
        ]
        if there:
            m.of(1, max(there), str(name))
        elif m.line.reverses is None:
            asked.append(m)

    back_at = pair_lines(lines, days, [m for m in found if m.step == 1], asked)

    for m in [m for m in asked if m.step is None]:
        r = m.line
        pieces = abs(r.quantity or 0)
        candidates = [
            (
                abs(line.quantity or 0) >= pieces if pieces else line.worth >= r.worth,
                line.time,
                line.order,
                days[i],
                line.worth,
            )
            for i, line in sales
            if r.item
            and (line.customer, line.item) == (r.customer, r.item)
            and line.time <= r.time
            and not (i in back_at and back_at[i] <= r.time)
        ]
        if candidates:
            _, _, order, day, _ = max(candidates)
            m.of(3, day, order)

    for m in [m for m in asked if m.step is None]:
        before = [
            (began[key], key[1], key[2])
            for key in worth
            if key[0] == m.line.customer and worth[key] > 0 and began[key] <= m.line.time
        ]
        if before:
            _, day, order = max(before)
            m.of(4, day, order)

    left = dict(worth)
    for m in sorted(found, key=lambda m: (m.line.day, m.line.time, rank(m))):
        if m.day is not None and m.order is not None:
            key = (m.line.customer, m.day, m.order)
            m.applied = min(m.line.worth, left[key])
            left[key] -= m.applied
    return found


def net_days(lines: list[Line], end: date) -> dict[tuple[str, date], Decimal]:
    """What each customer's days with a purchase are worth, as they stood on a day."""
    days = order_days(lines)
    worth: dict[tuple[str, date, str], Decimal] = defaultdict(Decimal)
    for i, line in enumerate(lines):
        if not line.back and days[i] <= end:
            worth[line.customer, days[i], line.order] += line.amount
    left = dict(worth)
    for m in match(lines):
        if m.day is not None and m.order is not None and m.line.day <= end:
            left[m.line.customer, m.day, m.order] -= m.applied
    found: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for (customer, day, order), rest in left.items():
        if rest > 0 or not worth[customer, day, order]:
            found[customer, day] += rest
    return dict(found)
