"""Dates that are not ISO 8601: the one layout in which a whole column can be read.

`03/04/2011` is two dates. A column of such dates is read only where one layout reads every one of
them and the other does not; where both do, the user must say.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir

from clv.transactions.report import counted
from clv.transactions.sources import Source
from clv.transactions.values import FIRST_DAY, LAST_DAY, date_text

__all__ = ["Layout", "LayoutChoice", "choose", "faults_of"]


@dataclass(frozen=True)
class Layout:
    """A way to write a date."""

    strptime: str
    words: str


LAYOUTS = (
    Layout("%m/%d/%Y", "month/day/year"),
    Layout("%d/%m/%Y", "day/month/year"),
    Layout("%m-%d-%Y", "month-day-year"),
    Layout("%d-%m-%Y", "day-month-year"),
    Layout("%d.%m.%Y", "day.month.year"),
    Layout("%Y.%m.%d", "year.month.day"),
    Layout("%Y%m%d", "yearmonthday"),
    Layout("%d %b %Y", "day month-name year"),
    Layout("%d-%b-%Y", "day-month-name-year"),
    Layout("%d %B %Y", "day month-name year"),
    Layout("%b %d, %Y", "month-name day, year"),
    Layout("%B %d, %Y", "month-name day, year"),
)


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
    """

    layout: Layout
    others: tuple[Layout, ...]
    example: str
    dates: int


def choose(source: Source, column: str) -> LayoutChoice | None:
    """Return the layout of a column of dates that are not ISO 8601; None where none reads any."""
    text, strptime = date_text(source.table[column], time=False), source.engine.strptime
    read = source.table.select(
        text=text,
        **{f"as_{i}": _within(strptime(text, one.strptime)) for i, one in enumerate(LAYOUTS)},
    )
    counts = source.collect(
        read.aggregate(**{f"as_{i}": read[f"as_{i}"].sum() for i in range(len(LAYOUTS))})
    ).to_pylist()[0]
    hits = [int(counts[f"as_{i}"] or 0) for i in range(len(LAYOUTS))]
    most = max(hits)
    if not most:
        return None
    best = [i for i, hit in enumerate(hits) if hit == most]
    if len({LAYOUTS[i].words for i in best}) == 1:  # `May`: short and long names are one reading
        best = best[:1]
    # The example is a date that only this layout reads, where there is one beside the next best.
    lesser = [i for i, hit in enumerate(hits) if hit < most]
    rival = max(lesser, key=hits.__getitem__, default=best[0])
    ours, theirs = read[f"as_{best[0]}"], read[f"as_{rival}"]
    read = read.mutate(shown=ours & (theirs.isnull() | ~theirs) if len(best) == 1 else ours)
    rows = source.first_rows(read, "shown", ["text"])
    return LayoutChoice(
        LAYOUTS[best[0]],
        tuple(LAYOUTS[i] for i in best[1:]),
        str(rows[0].values[0]),
        most,
    )


def faults_of(
    column: str, bad: int, rows: int, where: str, choice: LayoutChoice | None
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
    """
    faults = []
    if bad:
        sure = choice is not None and not choice.others
        wanted = f"as {choice.layout.words}" if choice and sure else "as 2024-01-31 (ISO 8601)"
        faults.append(
            f"No readable date in {bad:,} of {counted(rows, 'row')}, column {column!r} ({where}). "
            f"Write every date {wanted}."
        )
    if choice is not None and choice.others:
        ways = " and as ".join(one.words for one in (choice.layout, *choice.others))
        faults.append(
            f"The dates in column {column!r} (such as {choice.example!r}) can be read as "
            f"{ways}, and no row tells which. Write them as 2024-01-31 (ISO 8601)."
        )
    return faults


def _within(day: ir.DateValue) -> ir.BooleanValue:
    return day.between(FIRST_DAY, LAST_DAY)
