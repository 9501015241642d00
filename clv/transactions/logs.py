"""What logs of incidents and of campaigns have in common: columns by role, rows, numbers, places.

Orders are left out: they are too many to leave the engine, and have no roles beyond four. A log
is read row by row, each of its columns as text.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.arrays import Floats
from clv.errors import ClvError, OrdersError
from clv.transactions import dates
from clv.transactions.column_names import looks_like_values, plain
from clv.transactions.engines import Engine
from clv.transactions.report import LogReport, counted, quoted
from clv.transactions.sources import Source, files, open_source
from clv.transactions.values import MISSING, MISSING_ID, blank, customer, zoned

__all__ = [
    "MONEY",
    "PROBABILITY",
    "LogColumns",
    "Mask",
    "Range",
    "Said",
    "faults_of_rows",
    "fingerprint",
    "numbers",
    "numbers_of",
    "open_log",
    "read_rows",
    "roles_of",
    "set_aside",
]

Mask = npt.NDArray[np.bool_]


class Range(NamedTuple):
    """Least and most that a number of a log can be, and how that is said."""

    least: float
    most: float
    told: str


MONEY = Range(0.0, np.inf, "0 or more")
PROBABILITY = Range(np.nextafter(0.0, 1.0), 1.0, "above 0 and at most 1")


@dataclass(frozen=True)
class LogColumns:
    """The columns of a log that were taken.

    Attributes
    ----------
    roles : dict of str to str
        The name in the log of each role that it has.
    """

    roles: Mapping[str, str]

    def __str__(self) -> str:
        """Say it in a sentence."""
        taken = ", ".join(f"{role} {name!r}" for role, name in self.roles.items())
        return f"Columns taken: {taken}."


@dataclass(frozen=True, eq=False)
class Said:
    """What the rows of a log say.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per row of the log: each role that the log has as text, None for nothing, and its
        days or times read.
    notices : list of str
        How it was read.
    faults : list of str
        Days or times that cannot be read.
    """

    rows: pd.DataFrame
    notices: list[str]
    faults: list[str]


def open_log(
    source: str | os.PathLike[str] | pd.DataFrame, what: str, error: type[ClvError]
) -> Source:
    """Open a log that has rows.

    Parameters
    ----------
    source : path, pattern of paths, or pandas.DataFrame
        The log.
    what : str
        What its rows are, for messages.
    error : type of ClvError
        What is raised where it cannot be read, or is empty.
    """
    try:
        opened = open_source(source, what)
    except OrdersError as cause:  # the opening of files knows orders only
        raise error(str(cause)) from cause
    if not len(opened.collect(opened.table.limit(1))):
        raise error(f"{opened.name!r} has a header but no rows.")
    return opened


def roles_of(
    names: Sequence[str],
    given: Mapping[str, str],
    candidates: Mapping[str, Sequence[str]],
    required: Mapping[str, str],
    error: type[ClvError],
) -> dict[str, str]:
    """Take the columns that were named, and for the other roles the only one that can have it.

    Parameters
    ----------
    names : sequence of str
        The columns of the log.
    given : mapping of str to str
        Role to column, where the user said it.
    candidates : mapping of str to sequence of str
        The columns that could have each role there is.
    required : mapping of str to str
        What the roles mean that must be there.
    error : type of ClvError
        What is raised where a column is missing, could be more than one, or is taken twice; all
        faults at once.
    """
    faults = []
    for role, name in given.items():
        if role not in candidates:
            faults.append(
                f"There is no role {role!r} in columns=; the roles are {', '.join(candidates)}."
            )
        elif name not in names:
            near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            faults.append(f"There is no column {name!r} (given as {role}).{hint}")
    roles = {}
    for role, could in candidates.items():
        found = [given[role]] if role in given else could
        if len(found) > 1:
            faults.append(
                f"The {role} could be any of {' and '.join(map(repr, found))}. Call the one that "
                f"is meant {role} in the file, or say which in Python: "
                f"columns={{{role!r}: {found[0]!r}}}."
            )
        if found:
            roles[role] = found[0]
    faults += [
        f"No column is recognised as the {role} ({meaning}). Call it {role} in the file, or name "
        f"it in Python: columns={{{role!r}: '...'}}."
        for role, meaning in required.items()
        if role not in roles
    ]
    taken = list(roles.values())
    faults += [
        f"The column {name!r} is taken twice; every role needs a column of its own."
        for name in sorted({name for name in taken if taken.count(name) > 1})
    ]
    if faults:
        then = f"The columns are: {', '.join(map(repr, names))}.{looks_like_values(names)}"
        raise error.of(faults, then=then)
    return roles


def read_rows(
    source: Source,
    texts: Mapping[str, str],
    times: Mapping[str, str],
    read: Callable[[ir.Column, Engine, str | None], ir.Value],
) -> Said:
    """Read the rows of a log, their dates in the layout that reads most of them.

    Parameters
    ----------
    source : Source
        The log.
    texts, times : mapping of str to str
        Role to column; the first of the times must be there in every row.
    read : callable
        Column of times, engine and layout (None: the usual ones) to what they say.
    """
    role, column = next(iter(times.items()))
    when = source.table[column]
    as_text = {
        # No arm and no type of incident is called as what an id that is missing may be.
        name: customer(source.table[taken], MISSING_ID if name == "customer_id" else MISSING).cast(
            str
        )
        for name, taken in texts.items()
    }

    def rows(layout: str | None) -> tuple[pd.DataFrame, Mask]:
        table = source.table.select(
            **as_text,
            **{
                name: read(source.table[taken], source.engine, layout)
                for name, taken in times.items()
            },
            written=when.cast(str),
            blank=blank(when),
            zoned=zoned(when),
        )
        found: pd.DataFrame = source.in_order(table).to_pandas()
        for name in texts:
            found[name] = found[name].astype(object).where(found[name].notna(), None)
        for name in times:
            found[name] = pd.to_datetime(found[name]).astype("datetime64[us]")
        # A row without date and customer is a blank line.
        empty = found["blank"].to_numpy(dtype=np.bool_) & found["customer_id"].isna().to_numpy()
        return found, np.asarray(found[role].isna().to_numpy() & ~empty)

    said, unread = rows(None)
    notices, choice = [*source.notices], None
    if unread.any():
        choice = dates.choose(source, column)
        if choice is not None and choice.dates > int(said[role].notna().sum()):
            said, unread = rows(choice.layout.strptime)
            notices.append(
                f"Dates were read as {choice.layout.words} (such as {choice.example!r}); no other "
                "layout reads as many."
            )
        else:
            choice = None
    where = "; ".join(_places(source, said, unread, "written"))
    faults = dates.faults_of(column, int(unread.sum()), len(said), where, choice, has_schema=False)
    if said["zoned"].any():
        notices.append(
            f"{counted(int(said['zoned'].sum()), 'time')} came with an offset from UTC; the day "
            "that counts is the one in UTC."
        )
    return Said(said, notices, faults)


def numbers(
    source: Source,
    said: pd.DataFrame,
    role: str,
    column: str,
    within: Range,
    words: Mapping[str, float] | None = None,
) -> tuple[Floats, list[str]]:
    """Return the numbers of a role, nan where the log says nothing, and what is wrong with them.

    Parameters
    ----------
    source : Source
        The log.
    said : pandas.DataFrame
        What its rows say.
    role, column : str
        The role, and its column in the log.
    within : Range
        What the numbers can be.
    words : mapping of str to float, optional
        Words that are taken for numbers.
    """
    if role not in said:
        return np.full(len(said), np.nan), []
    found, unread = numbers_of(said[role].tolist(), words or {})
    unread |= ~np.isfinite(found) & said[role].notna().to_numpy()
    outside = ~unread & ((found < within.least) | (found > within.most))
    wanted = "Write plain numbers such as 1234.50, and nothing where it is not known."
    faults = faults_of_rows(source, said, unread, role, column, f"No readable {role}", wanted)
    article = "An" if role[0] in "aeio" else "A"  # u: "a usual_offer"
    return found, faults + faults_of_rows(
        source, said, outside, role, column, f"{article} {role} that is not {within.told}",
        "Mend these rows first.",
    )  # fmt: skip


def numbers_of(said: Sequence[str | None], words: Mapping[str, float]) -> tuple[Floats, Mask]:
    """Return numbers, written as such or as words, and which texts are neither; nan for nothing.

    >>> numbers, unread = numbers_of(["3", "high", None, "purple"], {"high": 3.0})
    >>> numbers.tolist(), unread.tolist()
    ([3.0, 3.0, nan, nan], [False, False, False, True])
    """
    found = np.full(len(said), np.nan)
    unread = np.zeros(len(said), dtype=np.bool_)
    for i, text in enumerate(said):
        if text is None:
            continue
        try:
            found[i] = words[plain(text)] if plain(text) in words else float(text)
        except ValueError:
            unread[i] = True
    return found, unread


def faults_of_rows(
    source: Source,
    said: pd.DataFrame,
    broken: Mask,
    role: str,
    column: str,
    what: str,
    then: str,
) -> list[str]:
    """Say how many rows have a fault in a role, where the first are and what they say."""
    if not broken.any():
        return []
    where = "; ".join(_places(source, said, broken, role))
    many = f"{int(broken.sum()):,} of {counted(len(said), 'row')}"
    return [f"{what} in {many}, column {column!r} ({where}). {then}"]


def set_aside(
    source: Source, said: pd.DataFrame, reasons: Iterable[tuple[str, Mask, str | None]]
) -> tuple[LogReport, Mask]:
    """Set rows aside, each for the first reason that holds of it.

    Parameters
    ----------
    source : Source
        The log.
    said : pandas.DataFrame
        What its rows say.
    reasons : iterable of (str, ndarray of bool, str or None)
        Why, which rows, and the column that is shown of them.

    Returns
    -------
    LogReport
        The rows accounted for.
    ndarray of bool, shape (n,)
        Which are left.
    """
    report = LogReport(len(said), len(said))
    left = np.ones(len(said), dtype=np.bool_)
    for reason, rows, shown in reasons:
        here = rows & left
        report = report.without(reason, int(here.sum()), _places(source, said, here, shown))
        left &= ~rows
    return report, left


def fingerprint(source: Source, frame: pd.DataFrame) -> str:
    """Hash what was read: the bytes of files; of a data frame the rows that were kept."""
    if source.paths:
        return files.sha256(list(source.paths))
    return hashlib.sha256(frame.to_csv().encode()).hexdigest()


def _places(source: Source, said: pd.DataFrame, rows: Mask, shown: str | None) -> tuple[str, ...]:
    """Say where the first three of some rows stand, and what one of their columns says."""
    first = np.flatnonzero(rows)[:3]
    where = source.places([int(i) for i in first])
    if shown is None:
        return tuple(where)
    values = said[shown].iloc[first]
    return tuple(f"{at}: {quoted(value)}" for at, value in zip(where, values, strict=True))
