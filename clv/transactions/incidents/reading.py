"""What an incident log says: texts, times and numbers, and the faults that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.errors import IncidentsError
from clv.transactions import engine, layouts
from clv.transactions.engine import Source, in_order
from clv.transactions.incidents.columns import IncidentColumns, known_roles
from clv.transactions.incidents.values import DETECTED, SEVERITY, TRUTH, meanings, numbers_of
from clv.transactions.report import counted, quoted
from clv.transactions.values import blank, customer, moment, zoned

__all__ = ["Mask", "Said", "canonical", "collect", "places"]

Mask = npt.NDArray[np.bool_]

NUMBERS = (
    *("loss_amount", "goodwill_amount", "response_hours", "assignment_probability"),
    *("usual_offer", "step_offer"),
)

RANGE = {
    "severity": (1.0, 4.0, "from 1 to 4"),
    "loss_amount": (0.0, np.inf, "0 or more"),
    "goodwill_amount": (0.0, np.inf, "0 or more"),
    "response_hours": (0.0, np.inf, "0 or more"),
    "usual_offer": (0.0, np.inf, "0 or more"),
    "step_offer": (0.0, np.inf, "0 or more"),
    "assignment_probability": (np.nextafter(0.0, 1.0), 1.0, "above 0 and at most 1"),
}
"""Least and most of the numbers that have a range, and how it is said."""


@dataclass(frozen=True, eq=False)
class Said:
    """What the rows of a log say.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per row of the log: each role that the log has as text, None for nothing, and
        `occurred_at` as a time.
    notices : list of str
        How it was read.
    faults : list of str
        Times that cannot be read.
    """

    rows: pd.DataFrame
    notices: list[str]
    faults: list[str]


def collect(source: Source, taken: IncidentColumns) -> Said:
    """Collect what the log says.

    Raises
    ------
    IncidentsError
        Where it has no rows.
    """
    table, names = source.table, dict(taken.roles)
    notices = []
    if not int(table.count().to_pyarrow().as_py()):
        raise IncidentsError(f"{source.name!r} has a header but no rows.")
    if taken.zendesk:
        names["customer_id"] = _named_customer(table, taken.customers)
    if taken.tags is not None:
        names["tags"] = taken.tags
    if taken.reply_minutes is not None:
        names["reply_minutes"] = taken.reply_minutes
    when = names.pop("occurred_at")
    texts = {role: customer(table[name]).cast(str) for role, name in names.items()}

    def read(layout: str | None) -> pd.DataFrame:
        times: dict[str, ir.Value] = {
            "occurred_at": moment(table[when], layout),
            "written_at": table[when].cast(str),
            "no_time": blank(table[when]),
            "zoned": zoned(table[when]),
        }
        if taken.solved_at is not None:
            times["solved_at"] = moment(table[taken.solved_at], layout)
        found: pd.DataFrame = in_order(source, table.select(**texts, **times)).to_pandas()
        for role in texts:
            found[role] = found[role].astype(object).where(found[role].notna(), None)
        return found

    said = read(None)
    unread = _unread(said)
    choice = None
    if unread.any():
        choice = layouts.choose(source, when)
        if choice is not None and choice.dates > int(said["occurred_at"].notna().sum()):
            said = read(choice.layout.strptime)
            unread = _unread(said)
            notices.append(
                f"Dates were read as {choice.layout.words} (such as {choice.example!r}); no other "
                "layout reads as many."
            )
        else:
            choice = None
    where = "; ".join(places(source, said, unread, "written_at"))
    faults = layouts.faults_of(when, int(unread.sum()), len(said), where, choice)
    if said["zoned"].any():
        notices.append(
            f"{counted(int(said['zoned'].sum()), 'time')} came with an offset from UTC; an "
            "incident belongs to its day in UTC."
        )
    told = [str(IncidentColumns(dict(taken.roles) | {"customer_id": names["customer_id"]}))]
    return Said(said, told + _of_zendesk(taken) + notices, faults)


def _unread(said: pd.DataFrame) -> Mask:
    empty = said["no_time"].to_numpy(dtype=np.bool_) & said["customer_id"].isna().to_numpy()
    return np.asarray(said["occurred_at"].isna().to_numpy() & ~empty)


def _named_customer(table: ir.Table, candidates: Sequence[str]) -> str:
    """Return the first of some columns that says something in any row."""
    counts = {f"n{i}": customer(table[name]).count() for i, name in enumerate(candidates)}
    row = table.aggregate(**counts).to_pyarrow().to_pylist()[0]
    return next((c for i, c in enumerate(candidates) if row[f"n{i}"]), candidates[0])


def _of_zendesk(taken: IncidentColumns) -> list[str]:
    if not taken.zendesk:
        return []
    hours = (
        f"hours until the {taken.reply} from {taken.reply_minutes!r}"
        if taken.reply_minutes
        else f"hours until the solution from {taken.solved_at!r}"
        if taken.solved_at
        else "hours until the answer are not known"
    )
    kind = f"type from {taken.tags!r}, " if taken.tags else ""
    told = (
        f"Read as an export of Zendesk tickets: {kind}severity from the priority (low 1, normal 2, "
        f"high 3, urgent 4), {hours}. Times without an offset are those of the account's zone."
    )
    return [told]


def canonical(
    source: Source, said: pd.DataFrame, taken: IncidentColumns
) -> tuple[pd.DataFrame, list[str]]:
    """Return the incidents with all canonical columns, and every fault of their values."""
    n = len(said)
    frame = pd.DataFrame(index=pd.RangeIndex(n, name="row"))
    faults: list[str] = []

    def fault(broken: Mask, role: str, what: str, then: str) -> None:
        if broken.any():
            where = "; ".join(places(source, said, broken, role))
            name = taken.roles[role]
            many = counted(n, "row")
            faults.append(
                f"{what} in {int(broken.sum()):,} of {many}, column {name!r} ({where}). {then}"
            )

    for role in known_roles():
        given = said[role] if role in said else pd.Series([None] * n, dtype=object)
        texts = given.tolist()
        if role == "occurred_at":
            frame[role] = pd.to_datetime(given).to_numpy(dtype="datetime64[us]")
        elif role in NUMBERS or role in {"severity", "resolved"}:
            words = {"severity": SEVERITY, "resolved": TRUTH}.get(role, {})
            numbers, unread = numbers_of(texts, words)
            unread |= np.isinf(numbers) | (np.isnan(numbers) & given.notna().to_numpy() & ~unread)
            wanted = "Write plain numbers such as 1234.50"
            if role == "resolved":
                unread |= ~np.isin(numbers, (0, 1)) & ~np.isnan(numbers)
                wanted = "Write yes or no"
            fault(
                unread, role, f"No readable {role}", f"{wanted}, and nothing where it is not known."
            )
            least, most, range_told = RANGE.get(role, (-np.inf, np.inf, ""))
            outside = ~unread & ((numbers < least) | (numbers > most))
            fault(outside, role, f"A {role} that is not {range_told}", "Mend these rows first.")
            frame[role] = numbers
        elif role == "detected_by":
            found = meanings(texts, DETECTED)
            fault(found == "?", role, "Neither customer, ops nor social", "Write one of these.")
            frame[role] = np.where(found == None, "customer", found)  # noqa: E711  elementwise
        else:
            frame[role] = np.array(texts, dtype=object)
    if "reply_minutes" in said:
        minutes, _ = numbers_of(said["reply_minutes"].tolist(), {})
        frame["response_hours"] = np.where(minutes >= 0, minutes / 60, np.nan)
    elif "solved_at" in said:
        took = pd.to_datetime(said["solved_at"]).to_numpy() - frame["occurred_at"].to_numpy()
        hours = took / np.timedelta64(1, "h")
        frame["response_hours"] = np.where(hours >= 0, hours, np.nan)
    return frame, faults


def places(source: Source, said: pd.DataFrame, rows: Mask, shown: str | None) -> tuple[str, ...]:
    """Say where the first three of some rows stand, and what one of their columns says."""
    first = np.flatnonzero(rows)[:3]
    where = engine.places(source, [int(i) for i in first])
    if shown is None:
        return tuple(where)
    values = said[shown].iloc[first]
    return tuple(f"{at}: {quoted(value)}" for at, value in zip(where, values, strict=True))
