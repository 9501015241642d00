"""What an incident log says: texts, times and numbers, and the faults that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from clv.transactions.incidents.columns import ROLES, IncidentColumns
from clv.transactions.incidents.values import DETECTED, SEVERITY, TRUTH, meanings
from clv.transactions.logs import (
    MONEY,
    PROBABILITY,
    Range,
    Said,
    faults_of_rows,
    numbers,
    numbers_of,
    read_rows,
)
from clv.transactions.sources import Source
from clv.transactions.values import customer, moment

__all__ = ["canonical", "collect"]

RANGE = {
    "severity": Range(1.0, 4.0, "from 1 to 4"),
    "loss_amount": MONEY,
    "goodwill_amount": MONEY,
    "response_hours": Range(0.0, np.inf, "0 or more"),
    "resolved": Range(-np.inf, np.inf, ""),
    "usual_offer": MONEY,
    "step_offer": MONEY,
    "assignment_probability": PROBABILITY,
}
"""What the numbers of a log can be."""

WORDS = {"severity": SEVERITY, "resolved": TRUTH}


def collect(source: Source, taken: IncidentColumns) -> Said:
    """Collect what the log says: texts by role, times, and how it was read."""
    texts, times = dict(taken.roles), {"occurred_at": taken.roles["occurred_at"]}
    del texts["occurred_at"]
    if taken.zendesk:
        texts["customer_id"] = _named_customer(source, taken.customers)
    if taken.tags is not None:
        texts["tags"] = taken.tags
    if taken.reply_minutes is not None:
        texts["reply_minutes"] = taken.reply_minutes
    if taken.solved_at is not None:
        times["solved_at"] = taken.solved_at
    said = read_rows(source, texts, times, moment)
    used = IncidentColumns(dict(taken.roles) | {"customer_id": texts["customer_id"]})
    return replace(said, notices=[str(used), *_of_zendesk(taken), *said.notices])


def _named_customer(source: Source, candidates: Sequence[str]) -> str:
    """Return the first of some columns that says something in any row."""
    table = source.table
    counts = {f"n{i}": customer(table[name]).count() for i, name in enumerate(candidates)}
    row = source.collect(table.aggregate(**counts)).to_pylist()[0]
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
    for role in ROLES:
        texts = said[role].tolist() if role in said else [None] * n
        column = taken.roles.get(role, role)
        if role == "occurred_at":
            frame[role] = said[role].to_numpy()
        elif role in RANGE:
            found, wrong = numbers(source, said, role, column, RANGE[role], WORDS.get(role))
            frame[role] = found
            faults += wrong
        elif role == "detected_by":
            who = meanings(texts, DETECTED)
            faults += faults_of_rows(
                source, said, who == "?", role, column, "Neither customer, ops nor social",
                "Write one of these.",
            )  # fmt: skip
            frame[role] = np.where(who == None, "customer", who)  # noqa: E711  elementwise
        else:
            frame[role] = np.array(texts, dtype=object)
    if "reply_minutes" in said:
        minutes, _ = numbers_of(said["reply_minutes"].tolist(), {})
        frame["response_hours"] = np.where(minutes >= 0, minutes / 60, np.nan)
    elif "solved_at" in said:
        took = said["solved_at"].to_numpy() - frame["occurred_at"].to_numpy()
        hours = took / np.timedelta64(1, "h")
        frame["response_hours"] = np.where(hours >= 0, hours, np.nan)
    return frame, faults
