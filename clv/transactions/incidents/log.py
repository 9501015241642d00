"""Read an incident log: every row kept, set aside with a reason, or refused with its place."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.errors import IncidentsError
from clv.transactions.column_names import plain
from clv.transactions.incidents.columns import IncidentColumns, recognise
from clv.transactions.incidents.reading import canonical, collect
from clv.transactions.incidents.values import type_of, types_of_tags
from clv.transactions.logs import Mask, fingerprint, open_log, set_aside
from clv.transactions.report import LogReport, counted

__all__ = ["IncidentLog", "read_incidents"]

IDENTITY = ("customer_id", "order_id", "type", "occurred_at")
"""Rows that agree in these tell of one incident."""

SENSE = 100.0
"""Goodwill above this multiple of the loss is taken for a slip of the pen."""


@dataclass(frozen=True, eq=False)
class IncidentLog:
    """What went wrong for which customers, and what was done about it.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per incident, in the order of the log, indexed by `row` (the row of the log, from
        0). Columns, all there, missing values as None or nan: `customer_id` (text), `occurred_at`
        (time, in UTC where the log says an offset), `type`, `order_id`, `severity` (1 to 4),
        `loss_amount`, `goodwill_amount`, `goodwill_form`, `response_hours`, `detected_by`
        ("customer", "ops" or "social"), `resolved` (1 or 0), `problem_id`, `product`, `fault`,
        `assigned_arm`, `assignment_probability`, `usual_offer`, `step_offer`.
    columns : IncidentColumns
        The columns that were taken.
    report : LogReport
        Rows read, kept and set aside.
    source : str
        What was read, as it was named.
    sha256 : str
        Of files, the hash of their content; of a frame, the hash of its incidents as text.
    """

    frame: pd.DataFrame = field(repr=False)
    columns: IncidentColumns = field(repr=False)
    report: LogReport = field(repr=False)
    source: str
    sha256: str = field(repr=False)

    def __len__(self) -> int:
        """Return the number of incidents."""
        return len(self.frame)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of incident that there are, sorted."""
        return tuple(sorted(self.frame["type"].unique()))


def read_incidents(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    kinds: Collection[str] | None = None,
    columns: Mapping[str, str] | None = None,
) -> IncidentLog:
    """Read incidents from CSV or Parquet files, a data frame, or an export of Zendesk tickets.

    `customer_id`, `occurred_at` and `type` must be there; of the others each is taken that is.
    Rows without a customer, without a type or of a type that is not known, and repeated rows
    (same customer, order, type and time) are set aside, counted in :attr:`IncidentLog.report`.
    Goodwill that is not there is not known; it is never taken for 0.

    Parameters
    ----------
    source : path, pattern of paths, or pandas.DataFrame
        CSV (.csv, .tsv, .txt, also .gz; UTF-8, with a header line) or Parquet.
    kinds : collection of str, optional
        The types that are known, as the problem types of a policy are; any type where not given.
    columns : mapping of str to str, optional
        Canonical name to the name in the log, for columns that are not recognised.

    Returns
    -------
    IncidentLog
        What :func:`incident_histories` needs beside the orders.

    Raises
    ------
    IncidentsError
        Where there is no such file, a column is missing, or rows contradict themselves: times or
        numbers that cannot be read, severities outside 1 to 4, negative money, probabilities
        outside (0, 1]; all faults at once, with how many, where, and what they say.

    Notes
    -----
    Times are read as the dates of orders are. Where nothing says who detected an incident, the
    customer is taken to have reported it; the report says so.

    Examples
    --------
    >>> import pandas as pd
    >>> log = read_incidents(pd.DataFrame({
    ...     "customer": ["007", "011", None],
    ...     "occurred_at": ["2024-03-01 09:30", "2024-03-02", "2024-03-02"],
    ...     "type": ["late delivery", "defective", "defective"],
    ...     "loss": [40.0, 25.0, 10.0],
    ... }), kinds=["late_delivery", "defective"])
    >>> log.frame[["customer_id", "type", "loss_amount"]].to_numpy().tolist()
    [['007', 'late_delivery', 40.0], ['011', 'defective', 25.0]]
    >>> [str(aside) for aside in log.report.set_aside]
    ['1 row: no customer id (row 2)']
    """
    opened = open_log(source, "incidents", IncidentsError)
    taken = recognise(list(opened.table.columns), columns)
    found = collect(opened, taken)
    said = found.rows
    frame, faults = canonical(opened, said, taken)
    if found.faults or faults:
        raise IncidentsError.of(found.faults + faults)
    frame["type"], of_types = _types(said, kinds)
    report, left = set_aside(opened, said, _not_incidents(frame, said))
    report = report.noting(*found.notices, *of_types)
    kept = frame[left]
    if kept.empty:
        why = "; ".join(str(aside) for aside in report.set_aside)
        raise IncidentsError.of(
            [f"No row of {opened.name!r} is an incident to learn from: {why}."],
            then=" ".join(of_types),
        )
    kept, money = _money(kept)
    return IncidentLog(
        frame=kept,
        columns=taken,
        report=report.noting(*_detected(said, kept, taken), *money),
        source=opened.name,
        sha256=fingerprint(opened, kept),
    )


def _types(
    said: pd.DataFrame, kinds: Collection[str] | None
) -> tuple[npt.NDArray[np.object_], list[str]]:
    """Return the type of each row, None where it is not known, and what to say about them."""
    notices: list[str] = []
    if "tags" in said:
        of_tags = [types_of_tags(text, kinds) for text in said["tags"]]
        several = sum(len(found) > 1 for found in of_tags)
        if several:
            notices.append(
                f"{counted(several, 'ticket')} had tags of more than one type; the first was taken."
            )
        types = [found[0] if found else None for found in of_tags]
        words = Counter(
            tag
            for text, kind in zip(said["tags"], types, strict=True)
            if kind is None and text
            for tag in text.split()
        )
        what = "Tags"
    else:
        types = [type_of(text, kinds) for text in said["type"]]
        words = Counter(
            text for text, kind in zip(said["type"], types, strict=True) if kind is None and text
        )
        what = "Types"
    if words:
        most = ", ".join(
            f"{word!r} ({n:,}{_meant(word, kinds)})" for word, n in words.most_common(5)
        )
        more = f" and {len(words) - 5:,} more" if len(words) > 5 else ""
        known = f" Known types: {', '.join(sorted(kinds))}." if kinds else ""
        notices.append(f"{what} that are not known: {most}{more}.{known}")
    return np.array(types, dtype=object), notices


def _meant(word: str, kinds: Collection[str] | None) -> str:
    """Ask whether a type of a name like this was meant."""
    known = {plain(kind): kind for kind in kinds or ()}
    near = difflib.get_close_matches(plain(word), known, n=1)
    return f"; did you mean {known[near[0]]!r}?" if near else ""


def _not_incidents(frame: pd.DataFrame, said: pd.DataFrame) -> list[tuple[str, Mask, str | None]]:
    """Rows to set aside: why, which, and the column that is shown of them."""
    known = "tags" if "tags" in said else "type"
    unknown = "no tag that names a type" if "tags" in said else "a type that is not known"
    no_type, unsaid = frame["type"].isna().to_numpy(), said[known].isna().to_numpy()
    no_customer = frame["customer_id"].isna().to_numpy()
    left = ~no_customer & ~no_type
    twice = np.zeros(len(frame), dtype=np.bool_)
    twice[left] = frame.loc[left, list(IDENTITY)].duplicated().to_numpy()
    return [
        ("no customer id", no_customer, None),
        ("no type", no_type & unsaid, None),
        (unknown, no_type & ~unsaid, known),
        ("the same customer, order, type and time as an earlier row", twice, "customer_id"),
    ]


def _money(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take goodwill that makes no sense for not known, and say what is not known."""
    goodwill, loss = frame["goodwill_amount"], frame["loss_amount"]
    beyond = goodwill > SENSE * loss
    notices = []
    if beyond.any():
        first = ", ".join(
            f"{goodwill[row]:g} for a loss of {loss[row]:g}" for row in frame.index[beyond][:3]
        )
        notices.append(
            f"Goodwill above {SENSE:g} times the loss in {counted(int(beyond.sum()), 'incident')} "
            f"({first}) is taken to be not known. Are both in the same currency and unit?"
        )
        frame = frame.assign(goodwill_amount=goodwill.mask(beyond))
    unknown = int(frame["goodwill_amount"].isna().sum())
    if unknown:
        notices.append(
            f"Goodwill is not known for {unknown:,} of {counted(len(frame), 'incident')}; it is "
            "not taken to be 0. Write 0 where none was given."
        )
    return frame, notices


def _detected(said: pd.DataFrame, kept: pd.DataFrame, taken: IncidentColumns) -> list[str]:
    """Say where it was only assumed that the customer reported the incident."""
    if taken.zendesk and "detected_by" not in said:
        return []  # a ticket is the customer's
    unsaid = len(kept)
    if "detected_by" in said:
        unsaid = int(said["detected_by"].loc[kept.index].isna().sum())
    if not unsaid:
        return []
    told = (
        f"Who detected it is not said for {unsaid:,} of {counted(len(kept), 'incident')}; the "
        "customer is assumed to have reported it, and so to have been there still. Write ops in "
        "a column detected_by where your own people or systems found it."
    )
    return [told]
