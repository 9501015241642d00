"""What a campaign log says: texts, days and numbers, and the faults that they have."""

from __future__ import annotations

from dataclasses import replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from clv.errors import CampaignsError
from clv.transactions.campaigns.columns import CampaignColumns
from clv.transactions.engine import Source, in_order
from clv.transactions.incidents.values import numbers_of
from clv.transactions.logs import Said, places, read_rows
from clv.transactions.report import counted
from clv.transactions.values import blank, customer, day

__all__ = ["canonical", "collect"]

RANGE = {
    "spend": (0.0, np.inf, "0 or more"),
    "assignment_probability": (np.nextafter(0.0, 1.0), 1.0, "above 0 and at most 1"),
}
"""Least and most of the numbers, and how the range is said."""


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
            "blank": blank(table[when]),
        }
        found: pd.DataFrame = in_order(source, table.select(**texts, **days)).to_pandas()
        found["date"] = pd.to_datetime(found["date"]).astype("datetime64[us]")
        for role in texts:
            found[role] = found[role].astype(object).where(found[role].notna(), None)
        return found

    said = read_rows(source, when, "date", read)
    return replace(said, notices=[str(taken), *said.notices])


def canonical(
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
