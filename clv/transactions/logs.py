"""What logs of incidents and of campaigns have in common: columns by role, rows, places."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.transactions import engine, files, layouts
from clv.transactions.engine import Source
from clv.transactions.report import quoted

__all__ = [
    "Mask",
    "Said",
    "faults_of_choice",
    "faults_of_given",
    "faults_of_taken",
    "fingerprint",
    "places",
    "read_rows",
]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Said:
    """What the rows of a log say.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per row of the log: each role that the log has as text, None for nothing, and its
        day or time read.
    notices : list of str
        How it was read.
    faults : list of str
        Days or times that cannot be read.
    """

    rows: pd.DataFrame
    notices: list[str]
    faults: list[str]


def faults_of_given(
    names: Sequence[str], given: Mapping[str, str], roles: Collection[str]
) -> list[str]:
    """Say which of the columns that the user named are not there, or have no such role."""
    faults = []
    for role, name in given.items():
        if role not in roles:
            faults.append(
                f"There is no role {role!r} in columns=; the roles are {', '.join(roles)}."
            )
        elif name not in names:
            near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
            hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            faults.append(f"There is no column {name!r} (given as {role}).{hint}")
    return faults


def faults_of_choice(role: str, found: Sequence[str]) -> list[str]:
    """Say where more than one column could have a role."""
    if len(found) < 2:
        return []
    candidates = " and ".join(map(repr, found))
    told = f"The {role} could be any of {candidates}. Call the one that is meant {role} in the file"
    return [f"{told}, or say which in Python: columns={{{role!r}: {found[0]!r}}}."]


def faults_of_taken(taken: Mapping[str, str], required: Mapping[str, str]) -> list[str]:
    """Say which required roles have no column, and which columns have two roles."""
    missing = [
        f"No column is recognised as the {role} ({meaning}). Call it {role} in the file, or name "
        f"it in Python: columns={{{role!r}: '...'}}."
        for role, meaning in required.items()
        if role not in taken
    ]
    names = list(taken.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    return missing + [
        f"The column {name!r} is taken twice; every role needs a column of its own."
        for name in twice
    ]


def read_rows(
    source: Source, column: str, role: str, read: Callable[[str | None], pd.DataFrame]
) -> Said:
    """Read the rows of a log, their dates in the layout that reads most of them.

    Parameters
    ----------
    source : Source
        The log.
    column, role : str
        The column of the dates in the log, and the column of the rows that holds them read.
    read : callable
        Layout (None: the usual ones) to rows, with `written`, the date as it stands, and `blank`,
        whether it says nothing.
    """
    said, notices = read(None), []
    unread, choice = _unread(said, role), None
    if unread.any():
        choice = layouts.choose(source, column)
        if choice is not None and choice.dates > int(said[role].notna().sum()):
            said = read(choice.layout.strptime)
            unread = _unread(said, role)
            notices.append(
                f"Dates were read as {choice.layout.words} (such as {choice.example!r}); no other "
                "layout reads as many."
            )
        else:
            choice = None
    where = "; ".join(places(source, said, unread, "written"))
    faults = layouts.faults_of(column, int(unread.sum()), len(said), where, choice)
    return Said(said, notices, faults)


def _unread(said: pd.DataFrame, role: str) -> Mask:
    """Rows without a readable date; a row without date and customer is a blank line."""
    empty = said["blank"].to_numpy(dtype=np.bool_) & said["customer_id"].isna().to_numpy()
    return np.asarray(said[role].isna().to_numpy() & ~empty)


def places(source: Source, said: pd.DataFrame, rows: Mask, shown: str | None) -> tuple[str, ...]:
    """Say where the first three of some rows stand, and what one of their columns says."""
    first = np.flatnonzero(rows)[:3]
    where = engine.places(source, [int(i) for i in first])
    if shown is None:
        return tuple(where)
    values = said[shown].iloc[first]
    return tuple(f"{at}: {quoted(value)}" for at, value in zip(where, values, strict=True))


def fingerprint(source: Source, frame: pd.DataFrame) -> str:
    """Hash what was read: the bytes of files; of a data frame the rows that were kept."""
    if source.paths:
        return files.sha256(list(source.paths))
    return hashlib.sha256(frame.to_csv().encode()).hexdigest()
