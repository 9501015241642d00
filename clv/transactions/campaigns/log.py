"""Read a campaign log: every row kept, set aside with a reason, or refused with its place.

A row is one customer in one campaign: when, in which arm, what was spent, and with what
probability chance put the customer there. One arm is the control, which got nothing: without
customers who could have been treated and were not, what a campaign did cannot be told.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from clv.errors import CampaignsError
from clv.transactions.campaigns.columns import recognise
from clv.transactions.campaigns.reading import canonical, collect
from clv.transactions.column_names import plain
from clv.transactions.logs import LogColumns, Mask, fingerprint, open_log, set_aside
from clv.transactions.report import NO_CUSTOMER, LogReport, counted
from clv.transactions.summary import read_date

__all__ = ["CampaignLog", "read_campaigns"]

CONTROL = frozenset(
    {"control", "controlgroup", "holdout", "holdoutgroup", "none", "nothing", "untreated"}
)
"""Names of an arm that got nothing, without case, spaces and punctuation."""

SENSE = 100.0
"""Spend above this multiple of its arm's median is more likely a slip of the pen."""

COLUMNS = (
    *("campaign", "customer_id", "date", "arm", "control", "spend"),
    "assignment_probability",
)


@dataclass(frozen=True, eq=False)
class CampaignLog:
    """Who was in which arm of which campaign, and what it cost.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per customer and campaign, in the order of the log, indexed by `row` (the row of
        the log, from 0): `campaign` (text; the date, where the log does not name it),
        `customer_id` (text), `date`, `arm` (text), `control` (bool), `spend` (0 in the control
        arm where it is not said; nan in the others), `assignment_probability` (of the arm that
        the customer is in; nan where chance did not decide, or nobody says so).
    columns : LogColumns
        The columns that were taken.
    report : LogReport
        Rows read, kept and set aside.
    source : str
        What was read, as it was named.
    sha256 : str
        Of files, the hash of their content; of a frame, the hash of its rows as text.
    """

    frame: pd.DataFrame = field(repr=False)
    columns: LogColumns = field(repr=False)
    report: LogReport = field(repr=False)
    source: str
    sha256: str = field(repr=False)

    def __len__(self) -> int:
        """Return the number of customers in campaigns."""
        return len(self.frame)

    @property
    def campaigns(self) -> tuple[str, ...]:
        """The campaigns, in the order of their first dates."""
        first = self.frame.groupby("campaign")["date"].min()
        return tuple(sorted(first.index, key=lambda name: (first[name], name)))

    def observed(self, end: date | str) -> CampaignLog:
        """Set aside rows after an end, and campaigns that are left with one kind of customers.

        Parameters
        ----------
        end : date or "YYYY-MM-DD"
            The last day of observation.

        Returns
        -------
        CampaignLog
            With the rows that something can have been seen of; they are accounted for in its
            report.

        Raises
        ------
        CampaignsError
            Where nothing is left.

        Examples
        --------
        >>> import pandas as pd
        >>> log = read_campaigns(pd.DataFrame({
        ...     "customer_id": ["007", "011", "012"], "spend": [5.0, 0.0, 5.0],
        ...     "arm": ["voucher", "none", "voucher"],
        ...     "date": ["2024-03-01", "2024-03-01", "2024-04-02"],
        ...     "campaign": "spring",
        ... }))
        >>> [str(aside) for aside in log.observed("2024-03-31").report.set_aside]
        ["1 row: after the end of observation, 2024-03-31 (customer '012' on 2024-04-02)"]
        """
        last = read_date(end, "end")
        late = (self.frame["date"] > pd.Timestamp(last)).to_numpy()
        if not late.any():
            return self
        shown = self.frame[late].head(3)
        report = self.report.without(
            f"after the end of observation, {last}",
            int(late.sum()),
            tuple(
                f"customer {who!r} on {day:%Y-%m-%d}"
                for who, day in zip(shown["customer_id"], shown["date"], strict=True)
            ),
        )
        report, kept = _without_one_sided(report, self.frame[~late])
        if kept.empty:
            why = "; ".join(str(aside) for aside in report.set_aside)
            raise CampaignsError(
                f"The orders are observed up to {last}. Up to then no campaign of {self.source!r} "
                f"has customers of both kinds, treated and not: {why}. Give later orders, or wait."
            )
        return replace(self, frame=kept, report=report)


def read_campaigns(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    control: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> CampaignLog:
    """Read a campaign log from CSV or Parquet files or a data frame.

    `customer_id`, `date` and `arm` must be there; `campaign`, `spend` and
    `assignment_probability` are taken where they are. Rows without a customer or an arm, repeated
    rows, and customers in two arms of one campaign are set aside, counted in
    :attr:`CampaignLog.report`; so are campaigns that left nobody untreated, or treated nobody.

    Parameters
    ----------
    source : path, pattern of paths, or pandas.DataFrame
        CSV (.csv, .tsv, .txt, also .gz; UTF-8, with a header line) or Parquet.
    control : str, optional
        The arm that got nothing; recognised where it is called control, holdout or none.
    columns : mapping of str to str, optional
        Canonical name to the name in the log, for columns that are not recognised.

    Returns
    -------
    CampaignLog
        What :func:`campaign_outcomes` needs beside the orders.

    Raises
    ------
    CampaignsError
        Where there is no such file, a column or the control arm is missing, values cannot be read,
        or no campaign has both treated and untreated customers; all faults at once.

    Examples
    --------
    >>> import pandas as pd
    >>> log = read_campaigns(pd.DataFrame({
    ...     "customer": ["007", "011", "011", None],
    ...     "date": "2024-03-01",
    ...     "arm": ["voucher", "Hold-out", "Hold-out", "voucher"],
    ...     "spend": [5.0, None, None, 5.0],
    ... }))
    >>> log.frame[["customer_id", "arm", "control", "spend"]].to_numpy().tolist()
    [['007', 'voucher', False, 5.0], ['011', 'Hold-out', True, 0.0]]
    >>> [str(aside) for aside in log.report.set_aside]
    ['1 row: no customer id (row 3)', "1 row: the same as an earlier row (row 2: '011')"]
    """
    opened = open_log(source, "campaigns", CampaignsError)
    taken = recognise(list(opened.table.columns), columns)
    said = collect(opened, taken)
    frame, faults = canonical(opened, said.rows, taken)
    arms = sorted(frame["arm"].dropna().unique())
    untreated, unnamed = _control(arms, control)
    if said.faults or faults or unnamed:
        raise CampaignsError.of(said.faults + faults + unnamed)
    frame["control"] = frame["arm"].isin(untreated)
    frame["arm"] = frame["arm"].mask(frame["control"], untreated[0])  # however it is spelt
    frame["spend"] = frame["spend"].mask(frame["control"] & frame["spend"].isna(), 0.0)
    report, left = set_aside(opened, said.rows, _unusable(frame))
    report = report.noting(*said.notices)
    kept = frame[left]
    report, kept = _without_one_sided(report, kept)
    if kept.empty:
        why = "; ".join(str(aside) for aside in report.set_aside)
        raise CampaignsError(
            f"No campaign of {opened.name!r} has customers of both kinds, treated and not, so "
            f"what it did cannot be told: {why}. Leave some customers out of the next one, drawn "
            "by chance."
        )
    return CampaignLog(
        frame=kept[list(COLUMNS)],
        columns=taken,
        report=report.noting(*_unsaid(kept)),
        source=opened.name,
        sha256=fingerprint(opened, kept),
    )


def _control(arms: list[str], asked: str | None) -> tuple[list[str], list[str]]:
    """Return the names of the arm that got nothing, and why there is none."""
    if not arms:
        return [], ["No row says which arm its customer was in."]
    told = f"The arms are {', '.join(map(repr, arms[:10]))}."
    if asked is not None:
        found = [arm for arm in arms if plain(arm) == plain(asked)]
        return found, [] if found else [f"There is no arm {asked!r} (given as control). {told}"]
    found = [arm for arm in arms if plain(arm) in CONTROL]
    fault = ""
    if not found:
        fault = (
            "No arm is called control, holdout or none, so nobody is known to have got nothing. "
            f"{told} If one of them got nothing, say which: control='...', or on the command line "
            "--control ARM. If everybody got something, nothing can be learned from this log."
        )
    elif len({plain(arm) for arm in found}) > 1:
        fault = (
            f"More than one arm may be the control: {', '.join(map(repr, found))}. Say which: "
            f"control={found[0]!r}, or on the command line --control {found[0]}."
        )
    return found, [fault] if fault else []


def _unusable(frame: pd.DataFrame) -> list[tuple[str, Mask, str | None]]:
    """Rows that cannot be used: why, which, and the column that is shown of them."""
    no_customer = frame["customer_id"].isna().to_numpy()
    no_arm = frame["arm"].isna().to_numpy()
    usable = frame[~no_customer & ~no_arm]
    who = ["campaign", "customer_id"]
    several = usable.groupby(who)["arm"].transform("nunique") > 1
    torn, again = np.zeros((2, len(frame)), dtype=np.bool_)
    torn[usable.index] = several
    once = usable[~several]
    again[once.index] = once.duplicated(who)
    same = "the same as an earlier row"
    if again.any():
        alike = once.duplicated([*who, "date", "arm", "spend", "assignment_probability"])
        if not (alike[once.duplicated(who)]).all():
            same = "the same customer, campaign and arm as an earlier row"
    return [
        (NO_CUSTOMER, no_customer, None),
        ("no arm", no_arm, None),
        ("a customer in more than one arm of a campaign", torn, "customer_id"),
        (same, again, "customer_id"),
    ]


def _without_one_sided(report: LogReport, kept: pd.DataFrame) -> tuple[LogReport, pd.DataFrame]:
    """Set aside campaigns in which everybody was treated, or nobody."""
    share = kept.groupby("campaign")["control"].transform("mean")
    for reason, rows in (
        ("a campaign in which everybody was treated", share == 0),
        ("a campaign in which nobody was treated", share == 1),
    ):
        names = kept["campaign"][rows].unique()[:3]
        report = report.without(reason, int(rows.sum()), tuple(f"campaign {n!r}" for n in names))
    return report, kept[(share > 0) & (share < 1)]


def _unsaid(kept: pd.DataFrame) -> list[str]:
    """Say what the log does not tell, and what follows from it."""
    notices = []
    treated = kept[~kept["control"]]
    unknown = int(treated["spend"].isna().sum())
    if unknown:
        notices.append(
            f"What was spent is not known for {unknown:,} of {counted(len(treated), 'treated row')}"
            "; it is not taken to be 0."
        )
    notices += _beyond_sense(treated)
    unsaid = int(kept["assignment_probability"].isna().sum())
    if unsaid:
        notices.append(
            f"With what probability chance chose the arm is not said for {unsaid:,} of "
            f"{counted(len(kept), 'row')}: a campaign with such rows is taken as one in which "
            "somebody chose the customers."
        )
    return notices


def _beyond_sense(treated: pd.DataFrame) -> list[str]:
    """Say where so much was spent that it is more likely a slip of the pen."""
    paid = treated[treated["spend"] > 0]
    usual = paid.groupby(["campaign", "arm"])["spend"].transform("median")
    beyond = paid[paid["spend"] > SENSE * usual]
    if beyond.empty:
        return []
    first = ", ".join(
        f"{spent:g} on {who!r}"
        for who, spent in beyond[["customer_id", "spend"]].head(3).itertuples(index=False)
    )
    told = (
        f"More than {SENSE:g} times what is usual in the arm was spent in "
        f"{counted(len(beyond), 'row')} ({first}). It counts as it stands, and moves the mean "
        "spend of the arm: is it in the same currency and unit?"
    )
    return [told]
