"""The ways to write a date that are known beside ISO 8601."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EXCEL", "ISO", "ISO_8601", "LAYOUTS", "Layout", "named"]


@dataclass(frozen=True)
class Layout:
    """A way to write a date: for `strptime`, and in words."""

    strptime: str
    words: str


ISO = "as 2024-01-31 (ISO 8601)"

ISO_8601 = Layout("iso", "ISO 8601")
"""Stated where a schema would else say another; engines read it without a `strptime` layout."""

EXCEL = Layout("excel", "days as Excel counts them")
"""Excel stores the day as a number, 1 for 1900-01-01, and shows it as a date only in Excel."""

LAYOUTS = (
    Layout("%m/%d/%Y", "month/day/year"),
    Layout("%d/%m/%Y", "day/month/year"),
    Layout("%m/%d/%y", "month/day/two-digit year"),
    Layout("%d/%m/%y", "day/month/two-digit year"),
    Layout("%m-%d-%Y", "month-day-year"),
    Layout("%d-%m-%Y", "day-month-year"),
    Layout("%d.%m.%Y", "day.month.year"),
    Layout("%d.%m.%y", "day.month.two-digit year"),
    Layout("%Y.%m.%d", "year.month.day"),
    Layout("%Y%m%d", "yearmonthday"),
    Layout("%d %b %Y", "day short-month-name year"),
    Layout("%d-%b-%Y", "day-short-month-name-year"),
    Layout("%d-%b-%y", "day-short-month-name-two-digit year"),
    Layout("%d %B %Y", "day month-name year"),
    Layout("%b %d, %Y", "short-month-name day, year"),
    Layout("%B %d, %Y", "month-name day, year"),
    EXCEL,
)


def named(name: str) -> Layout | None:
    """Return the layout of a name: its words, "excel", "ISO 8601", or a `strptime` layout, or None.

    >>> named("day.month.year"), named("%d.%m.%Y") == named("day.month.year")
    (Layout(strptime='%d.%m.%Y', words='day.month.year'), True)
    >>> named("dd.mm.yyyy")
    """
    if name.casefold().replace(" ", "") in {"iso", "iso8601"}:
        return ISO_8601
    known = next((one for one in LAYOUTS if name in {one.strptime, one.words}), None)
    return known or (Layout(name, name) if "%" in name else None)
