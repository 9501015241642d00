"""The orders that all files say which can be read, and the list of those that are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["HEADER", "MADE", "ROWS", "TEXT", "made"]

ROWS = (
    ("007", "2024-01-15", "29.99"),
    ("007", "2024-02-14", "10.01"),
    ("007", "2024-03-15", "20.01"),
    ("011", "2024-02-29", "1234.50"),
    ("Zoë", "2024-01-31", "5.00"),
    ("Zoë", "2024-03-30", "7.50"),
    ("Zoë", "2024-03-30", "4.50"),
)
HEADER = ("customer_id", "date", "amount")
TEXT = "".join(",".join(row) + "\n" for row in (HEADER, *ROWS))

MADE: dict[str, Callable[[Path], None]] = {}
"""How to make each file at a path."""


def made(name: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def keep(maker: Callable[[Path], None]) -> Callable[[Path], None]:
        MADE[name] = maker
        return maker

    return keep
