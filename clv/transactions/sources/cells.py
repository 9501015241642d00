"""Cells of sheets and of tables whose columns have no types: what they say, as text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

__all__ = ["cell_text"]


def cell_text(cell: Any) -> str | None:
    """What a cell says; a number as short as can be, without a point where it is whole.

    >>> from datetime import date
    >>> [cell_text(cell) for cell in (17850.0, 29.99, "  ", date(2024, 1, 31))]
    ['17850', '29.99', None, '2024-01-31']
    """
    match cell:
        case None:
            said = ""
        case bool():
            said = str(cell).lower()
        case float() if cell.is_integer() and abs(cell) < 2**53:
            said = str(int(cell))
        case datetime():
            said = cell.isoformat(" ")
        case bytes():
            said = cell.hex()
        case _:  # of a float Python writes as few digits as tell it apart
            said = str(cell).strip()
    return said or None
