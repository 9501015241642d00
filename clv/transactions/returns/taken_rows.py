"""Which rows returns take back where some name their order and others do not.

A return that names its order takes a row of that order, however many were sold since; one that
names none takes the row sold last of those still there. In one line of sales this is a stack of
which some things are taken from the middle: one event after the other, which no window over rows
can say. Few lines have both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["ASKED", "NAMES", "SOLD", "replay"]

SOLD: Final = 1
NAMES: Final = 0
ASKED: Final = -1
"""The `way` of an event: a row sold; a return that names its order; one that does not."""


def replay(events: Iterable[dict[str, Any]], line: tuple[str, ...]) -> list[dict[str, Any]]:
    """Tell of each return that names no order which row it takes, and when rows went back.

    Parameters
    ----------
    events : iterable of dict
        `way` (:data:`SOLD`, :data:`NAMES` or :data:`ASKED`), `at`, `date`, `order` (that of the
        row, or the one a return names), `n` (of returns) and the columns of `line`. At one time
        rows are sold first, and what is named goes back before what is not.
    line : tuple of str
        Columns in which a row and the return that takes it are the same.

    Returns
    -------
    list of dict
        Events without returns that name their order, each with `way_before`, `date_before` and
        `order_before` of the row that a return takes, and `back_at`, when a row went back; None
        where there is none.
    """
    stacks: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    of_orders: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    told = []
    for event in sorted(events, key=_by_time):
        key = tuple(event[name] for name in line)
        of_order = (*key, event["date"], event["order"])
        taken = None
        if event["way"] != SOLD:
            taken = _last_there(stacks[key] if event["way"] == ASKED else of_orders[of_order])
            if taken is not None:
                taken["back_at"] = event["at"]
        if event["way"] == NAMES:
            continue
        before = taken or {}
        row = event | {f"{name}_before": before.get(name) for name in ("way", "date", "order")}
        row["back_at"] = None
        told.append(row)
        if event["way"] == SOLD:
            stacks[key].append(row)
            of_orders[of_order].append(row)
    return told


def _by_time(event: dict[str, Any]) -> tuple[Any, ...]:
    n = -1 if event["n"] is None else event["n"]
    return event["at"], -event["way"], event["date"], event["order"], n


def _last_there(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Take the last of some rows that has not gone back."""
    while rows:
        row = rows.pop()
        if row["back_at"] is None:
            return row
    return None
