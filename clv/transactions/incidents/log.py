"""Read an incident log: every row kept, set aside with a reason, or refused with its place."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.errors import IncidentsError
from clv.transactions.column_names import plain
from clv.transactions.incidents.columns import IncidentColumns, recognise
from clv.transactions.incidents.reading import canonical, collect
from clv.transactions.incidents.values import type_of, types_of_tags
from clv.transactions.logs import Mask, fingerprint, open_log, set_aside
from clv.transactions.report import NO_CUSTOMER, LogReport, counted
from clv.transactions.sources import Source

__all__ = ["IncidentLog", "read_incidents"]

IDENTITY = ("customer_id", "order_id", "type", "occurred_at")
"""Rows that agree in these tell of one incident."""

DOUBTFUL = 10.0
"""Goodwill above this multiple of the loss is told, and counts: little is gained beyond some 1.5
times the price (Haesevoets et al. 2017), but who gives ten times it may have had a reason."""

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
    (same customer, order, type and time) are set aside, counted in :attr:`IncidentLog.report`;
    repeated rows with other facts are counted apart, and the report says which facts.
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
    twice, otherwise, contradictions = _repeated(opened, frame)
    report, left = set_aside(opened, said, _not_incidents(frame, said, twice, otherwise))
    report = report.noting(*found.notices, *of_types, *contradictions)
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
        spelt = {text: types_of_tags(text, kinds) for text in set(said["tags"])}
        of_tags = [spelt[text] for text in said["tags"]]
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
        named = {text: type_of(text, kinds) for text in set(said["type"])}
        types = [named[text] for text in said["type"]]
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


def _not_incidents(
    frame: pd.DataFrame, said: pd.DataFrame, twice: Mask, otherwise: Mask
) -> list[tuple[str, Mask, str | None]]:
    """Rows to set aside: why, which, and the column that is shown of them."""
    known = "tags" if "tags" in said else "type"
    unknown = "no tag that names a type" if "tags" in said else "a type that is not known"
    no_type, unsaid = frame["type"].isna().to_numpy(), said[known].isna().to_numpy()
    no_customer = frame["customer_id"].isna().to_numpy()
    same = "the same customer, order, type and time as an earlier row"
    return [
        (NO_CUSTOMER, no_customer, None),
        ("no type", no_type & unsaid, None),
        (unknown, no_type & ~unsaid, known),
        (f"{same}, but other facts", otherwise, "customer_id"),
        (same, twice, "customer_id"),
    ]


def _repeated(source: Source, frame: pd.DataFrame) -> tuple[Mask, Mask, list[str]]:
    """Rows that tell of an incident again, those of them that tell it otherwise, and a notice."""
    twice, otherwise = np.zeros((2, len(frame)), dtype=np.bool_)
    known = frame[frame["customer_id"].notna() & frame["type"].notna()]
    again = known.duplicated(list(IDENTITY))
    if not again.any():
        return twice, otherwise, []
    rows = known.index.to_series()
    first = rows.groupby([known[name] for name in IDENTITY], dropna=False).transform("first")[again]
    facts = [name for name in frame if name not in IDENTITY]
    copies = known.loc[again, facts]
    kept = known.loc[first, facts].set_axis(copies.index)
    differ = (copies != kept) & ~(copies.isna() & kept.isna())
    twice[copies.index] = True
    otherwise[copies.index] = differ.any(axis=1)
    if not otherwise.any():
        return twice, otherwise, []
    told = []
    for row in np.flatnonzero(otherwise)[:3].tolist():
        here, there = (source.places([at])[0] for at in (row, int(first[row])))
        said = [
            f"{name} {_written(copies.at[row, name])}, not {_written(kept.at[row, name])}"
            for name in facts
            if differ.at[row, name]
        ]
        told.append(f"{here} against {there}: {', '.join(said)}")
    many = int(otherwise.sum())
    notice = (
        f"{counted(many, 'row')} {'tells' if many == 1 else 'tell'} of the incident of an earlier "
        f"row with other facts ({'; '.join(told)}). The earlier row was kept. If they are two "
        "incidents, write the order_id or the time of day of each."
    )
    return twice, otherwise, [notice]


def _written(fact: Any) -> str:
    """Write a fact as a log does."""
    if pd.isna(fact):
        return "nothing"
    return f"{fact:g}" if isinstance(fact, float) else repr(fact)


def _money(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take goodwill that makes no sense for not known; say what is doubtful or not known."""
    goodwill, loss = frame["goodwill_amount"], frame["loss_amount"]
    beyond = goodwill > SENSE * loss
    doubtful = (goodwill > DOUBTFUL * loss) & ~beyond
    notices = [
        f"Goodwill above {least:g} times the loss in {counted(int(rows.sum()), 'incident')} "
        f"({_amounts(frame[rows])}) {done} Are both in the same currency and unit?"
        for rows, least, done in (
            (beyond, SENSE, "is taken to be not known."),
            (doubtful, DOUBTFUL, "counts as it stands, and weighs heavily in what is learned."),
        )
        if rows.any()
    ]
    frame = frame.assign(goodwill_amount=goodwill.mask(beyond))
    unknown = int(frame["goodwill_amount"].isna().sum())
    if unknown:
        notices.append(
            f"Goodwill is not known for {unknown:,} of {counted(len(frame), 'incident')}; it is "
            "not taken to be 0. Write 0 where none was given."
        )
    return frame, notices


def _amounts(incidents: pd.DataFrame) -> str:
    """Write goodwill and loss of the first three."""
    first = incidents[["goodwill_amount", "loss_amount"]].head(3).itertuples(index=False)
    return ", ".join(f"{given:g} for a loss of {lost:g}" for given, lost in first)


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
