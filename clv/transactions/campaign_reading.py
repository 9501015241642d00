"""What a campaign log says: texts, days and numbers, and the faults that they have."""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.errors import CampaignsError
from clv.transactions import engine, layouts
from clv.transactions.campaign_columns import CampaignColumns
from clv.transactions.engine import Source
from clv.transactions.incident_values import numbers_of
from clv.transactions.report import counted, quoted
from clv.transactions.values import blank, customer, day

__all__ = ["Said", "campaign_values", "collect", "places"]

Mask = npt.NDArray[np.bool_]

RANGE = {
    "spend": (0.0, np.inf, "0 or more"),
    "assignment_probability": (np.nextafter(0.0, 1.0), 1.0, "above 0 and at most 1"),
}
"""Least and most of the numbers, and how the range is said."""


@dataclass(frozen=True, eq=False)
class Said:
    """What the rows of a log say.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row per row of the log: each role that the log has as text, None for nothing, and
        `date` as a day.
    notices : list of str
        How it was read.
    faults : list of str
        Days that cannot be read.
    """

    rows: pd.DataFrame
    notices: list[str]
    faults: list[str]


def collect(source: Source, taken: CampaignColumns) -> Said:
    """Collect what the log says.

    Raises
    ------
    CampaignsError
        Where it has no rows.
    """
    table, names = source.table, dict(taken.roles)
    if not int(table.count().to_pyarrow().as_py()):
        raise CampaignsError(f"{source.name!r} has a header but no rows.")
    when = names.pop("date")
    texts = {role: customer(table[name]).cast(str) for role, name in names.items()}

    def read(layout: str | None) -> pd.DataFrame:
        days: dict[str, ir.Value] = {
            "date": day(table[when], layout),
            "written": table[when].cast(str),
            "no_date": blank(table[when]),
        }
        found: pd.DataFrame = table.select(**texts, **days).to_pyarrow().to_pandas()
        found["date"] = pd.to_datetime(found["date"]).astype("datetime64[us]")
        for role in texts:
            found[role] = found[role].astype(object).where(found[role].notna(), None)
        return found

    said, notices = read(None), [str(taken)]
    unread, choice = _unread(said), None
    if unread.any():
        choice = layouts.choose(source, when)
        if choice is not None and choice.dates > int(said["date"].notna().sum()):
            said = read(choice.layout.strptime)
            unread = _unread(said)
            notices.append(
                f"Dates were read as {choice.layout.words} (such as {choice.example!r}); no other "
                "layout reads as many."
            )
        else:
            choice = None
    where = "; ".join(places(source, said, unread, "written"))
    faults = layouts.faults_of(when, int(unread.sum()), len(said), where, choice)
    return Said(said, notices, faults)


def _unread(said: pd.DataFrame) -> Mask:
    """Rows without a readable day; a row without day and customer is a blank line."""
    empty = said["no_date"].to_numpy(dtype=np.bool_) & said["customer_id"].isna().to_numpy()
    return np.asarray(said["date"].isna().to_numpy() & ~empty)


def campaign_values(
    source: Source, said: pd.DataFrame, taken: CampaignColumns
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows with all canonical columns, and every fault of their values."""
    n = len(said)
    frame = pd.DataFrame(index=pd.RangeIndex(n, name="row"))
    for role in ("customer_id", "arm"):
        frame[role] = said[role].to_numpy()
    frame["date"] = said["date"].to_numpy()
    day_as_text = said["date"].dt.strftime("%Y-%m-%d")
    named = said.get("campaign", day_as_text)
    frame["campaign"] = named.where(named.notna(), day_as_text).to_numpy(dtype=object)
    faults: list[str] = []
    for role, (least, most, range_told) in RANGE.items():
        if role not in said:
            frame[role] = np.nan
            continue
        numbers, unread = numbers_of(said[role].tolist(), {})
        unread |= ~np.isfinite(numbers) & said[role].notna().to_numpy()
        outside = ~unread & ((numbers < least) | (numbers > most))
        name = taken.roles[role]
        for broken, what, then in (
            (unread, f"No readable {role}", "Write plain numbers such as 0.25, or nothing."),
            (outside, f"A {role} that is not {range_told}", "Mend these rows first."),
        ):
            if broken.any():
                where = "; ".join(places(source, said, broken, role))
                faults.append(
                    f"{what} in {int(broken.sum()):,} of {counted(n, 'row')}, column {name!r} "
                    f"({where}). {then}"
                )
        frame[role] = numbers
    return frame, faults


def places(source: Source, said: pd.DataFrame, rows: Mask, shown: str | None) -> tuple[str, ...]:
    """Say where the first three of some rows stand, and what one of their columns says."""
    first = np.flatnonzero(rows)[:3]
    where = engine.places(source, [int(i) for i in first])
    if shown is None:
        return tuple(where)
    values = said[shown].iloc[first]
    return tuple(f"{at}: {quoted(value)}" for at, value in zip(where, values, strict=True))
