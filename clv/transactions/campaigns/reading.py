"""What a campaign log says: texts, days and numbers, and the faults that they have."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from clv.transactions.logs import MONEY, PROBABILITY, LogColumns, Said, numbers, read_rows
from clv.transactions.sources import Source
from clv.transactions.values import day

__all__ = ["canonical", "collect"]

RANGE = {"spend": MONEY, "assignment_probability": PROBABILITY}
"""What the numbers of a log can be."""


def collect(source: Source, taken: LogColumns) -> Said:
    """Collect what the log says: texts by role, days, and how it was read."""
    texts = {role: column for role, column in taken.roles.items() if role != "date"}
    said = read_rows(source, texts, {"date": taken.roles["date"]}, day)
    return replace(said, notices=[str(taken), *said.notices])


def canonical(
    source: Source, said: pd.DataFrame, taken: LogColumns
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows with all canonical columns, and every fault of their values."""
    frame = pd.DataFrame(index=pd.RangeIndex(len(said), name="row"))
    for role in ("customer_id", "arm", "date"):
        frame[role] = said[role].to_numpy()
    day_as_text = said["date"].dt.strftime("%Y-%m-%d")
    named = said.get("campaign", day_as_text)
    frame["campaign"] = named.where(named.notna(), day_as_text).to_numpy(dtype=object)
    faults: list[str] = []
    for role, within in RANGE.items():
        frame[role], wrong = numbers(source, said, role, taken.roles.get(role, role), within)
        faults += wrong
    return frame, faults
