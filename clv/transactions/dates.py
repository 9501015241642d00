"""Dates that are not ISO 8601: the one layout in which a whole column can be read.

`03/04/2011` is two dates. A column of such dates is read only where one layout reads every one of
them and the other does not; where both do, the user must say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from clv.transactions.layouts import ISO, LAYOUTS, Layout
from clv.transactions.report import counted, quoted
from clv.transactions.sources import Source
from clv.transactions.values import day

__all__ = ["LayoutChoice", "choose", "faults_of"]

ZONE_NAME = re.compile(r":\d\d(\.\d+)? ?(?![AP]M\b)[A-Z]{2,5}\b")
"""A time with letters behind it; AM and PM are no zones."""


@dataclass(frozen=True)
class LayoutChoice:
    """The layout that reads most dates of a column.

    Attributes
    ----------
    layout : Layout
        That layout.
    others : tuple of Layout
        Those that read just as many; none where the choice is certain.
    example : str
        A date as it is written; one that the next best layout does not read, if the choice is
        certain.
    dates : int
        How many dates it reads.
    mixed : str
        Where another layout reads dates that this one does not: that layout and such a date.
    """

    layout: Layout
    others: tuple[Layout, ...]
    example: str
    dates: int
    mixed: str = ""

    @property
    def notice(self) -> str:
        """Say which layout was taken."""
        return (
            f"Dates were read as {self.layout.words} (such as {self.example!r}); no other layout "
            "reads as many."
        )


def choose(source: Source, column: str) -> LayoutChoice | None:
    """Return the layout of a column of dates that are not ISO 8601; None where none reads any.

    Parameters
    ----------
    source : Source
        Where the dates are.
    column : str
        Its column with the dates.
    """
    written = source.table[column]
    read = source.table.select(
        text=written.cast(str).strip(),
        **{
            f"as_{i}": day(written, source.engine, one.strptime).notnull()
            for i, one in enumerate(LAYOUTS)
        },
    )
    counts = _sums(source, read, [f"as_{i}" for i in range(len(LAYOUTS))])
    hits = [counts[f"as_{i}"] for i in range(len(LAYOUTS))]
    most = max(hits)
    if not most:
        return None
    best = [i for i, hit in enumerate(hits) if hit == most]
    if len({LAYOUTS[i].strptime.replace("%b", "%B") for i in best}) == 1:
        best = best[-1:]  # `May`: short and long names are one reading
    # The example is a date that only this layout reads, where there is one beside the next best.
    lesser = [i for i, hit in enumerate(hits) if hit < most]
    rival = best[1] if len(best) > 1 else max(lesser, key=hits.__getitem__, default=best[0])
    ours, theirs = read[f"as_{best[0]}"], read[f"as_{rival}"]
    read = read.mutate(shown=ours & ~theirs if len(best) == 1 else ours, missed=theirs & ~ours)
    example = source.first_rows(read, "shown", ["text"])[0].values[0]
    missed = source.first_rows(read, "missed", ["text"])
    mixed = f"{LAYOUTS[rival].words} ({quoted(missed[0].values[0])})" if missed else ""
    return LayoutChoice(
        LAYOUTS[best[0]], tuple(LAYOUTS[i] for i in best[1:]), str(example), most, mixed
    )


def faults_of(
    column: str,
    bad: int,
    rows: int,
    where: str,
    choice: LayoutChoice | None,
    *,
    has_schema: bool = True,
) -> list[str]:
    """Say which dates of a column cannot be read, and that a layout has a rival.

    Parameters
    ----------
    column : str
        The column of the source.
    bad, rows : int
        Rows without a readable date, and all rows.
    where : str
        Examples of those.
    choice : LayoutChoice or None
        The layout that was taken; None is ISO 8601.
    has_schema : bool
        Whether a schema can say how the dates are written.
    """
    faults = []
    if bad:
        sure = choice is not None and not choice.others and not choice.mixed
        wanted = f"as {choice.layout.words}" if choice and sure else ISO
        both = other = ""
        if ZONE_NAME.search(where):
            both = (
                "Letters such as EST stand for several time zones, so no day is certain: write "
                "the offset from UTC, as 2024-01-31 23:30:00-05:00. "
            )
        elif choice is None and has_schema:
            other = (
                ", or say in a schema (--schema FILE) how they are written, such as "
                'date_layout = "%y-%m-%d" for 24-01-31'
            )
        if choice is not None and choice.mixed:
            both = (
                f"Some are written as {choice.layout.words} ({choice.example!r}), others as "
                f"{choice.mixed}. "
            )
        faults.append(
            f"No readable date in {bad:,} of {counted(rows, 'row')}, column {column!r} ({where}). "
            f"{both}Write every date {wanted}{other}."
        )
    if choice is not None and choice.others and not choice.mixed:
        ways = " and as ".join(one.words for one in (choice.layout, *choice.others))
        say = f', or say which in a schema: date_layout = "{choice.layout.words}"'
        faults.append(
            f"The dates in column {column!r} (such as {choice.example!r}) can be read as "
            f"{ways}, and no row tells which. Write them {ISO}{say if has_schema else ''}."
        )
    return faults


def _sums(source: Source, table: ir.Table, names: list[str]) -> dict[str, int]:
    row: dict[str, Any] = source.collect(
        table.aggregate(**{name: table[name].sum() for name in names})
    ).to_pylist()[0]
    return {name: int(row[name] or 0) for name in names}
