"""The names of the columns of a source: each there once, and not too many of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

__all__ = ["faults_of_names"]

MOST = 1_000
"""Columns of a file: an order has a few; each one costs time, and a thousand take seconds."""


def faults_of_names(names: Sequence[str], file: str) -> list[str]:
    """Say what is wrong with the names of a file's columns; nothing where they will do.

    Parameters
    ----------
    names : sequence of str
        In their order.
    file : str
        What they are of.

    Examples
    --------
    >>> faults_of_names(["date", "total", "Total"], "orders.csv")
    ["'orders.csv' has columns whose names differ only in case: 'total' and 'Total'."]
    """
    if len(names) > MOST:
        return [
            (
                f"{file!r} has {len(names):,} columns; up to {MOST:,} are read. Orders stand one "
                "in a row: keep the columns that say who bought, when, and for how much."
            )
        ]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    faults = []
    if twice:
        faults.append(f"{file!r} has more than one column named {', '.join(map(repr, twice))}.")
    cases: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        cases.setdefault(name.casefold(), []).append(name)
    faults += [
        f"{file!r} has columns whose names differ only in case: {' and '.join(map(repr, alike))}."
        for alike in cases.values()
        if len(alike) > 1
    ]
    return faults
