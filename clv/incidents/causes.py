"""What the incidents of a book's customers cost, and who went quiet after one.

The model of incidents values every incident at its own time, with what was known then: the customer
as of that day, cut off there. What came later says how it turned out.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.book import Book
from clv.errors import RequestError
from clv.history import DAYS_PER_UNIT
from clv.incident_history import IncidentHistories
from clv.incidents.learning import IncidentLearning, learn_from_incidents
from clv.incidents.record import incident_record, learned_policy, of_customers, some_incidents
from clv.models.incidents.model import IncidentBGNBD
from clv.recommend.causes import Cause, causes
from clv.recommend.policy import Policy
from clv.transactions.incidents import IncidentLog, read_incidents

if TYPE_CHECKING:
    import pandas as pd

    from clv.transactions.orders import Orders

__all__ = ["By", "CausesReport", "SilentCustomer", "incident_causes"]

By = Literal["type", "product", "problem_id"]
UNKNOWN = "(not known)"


@dataclass(frozen=True)
class SilentCustomer:
    """A customer who has neither bought nor been in touch since the company failed.

    Attributes
    ----------
    customer_id : str
        Who.
    problem : str
        Type of the last failure.
    since : str
        Its day, as "2024-12-31".
    value_if_alive : float
        What the customer is worth from here on, if still there.
    p_alive, p_alive_without : float
        Probability of being there still, and what it would be without the failure.
    at_stake : float
        value_if_alive × what the failure took from P(alive): what a word in time might have kept.
    """

    customer_id: str
    problem: str
    since: str
    value_if_alive: float
    p_alive: float
    p_alive_without: float
    at_stake: float


@dataclass(frozen=True, eq=False)
class CausesReport:
    """What incidents cost, by cause.

    Attributes
    ----------
    by : {"type", "product", "problem_id"}
        What tells one cause from another.
    causes : tuple of Cause
        Each cause, the most at risk first.
    total : Cause
        All of them.
    silent : tuple of SilentCustomer
        Customers who went quiet after an operational failure, the most at stake first.
    learning : IncidentLearning
        What the figures rest on.
    policy : Policy
        The book's, with what this log teaches: what is at risk and what is recommended.
    """

    by: By
    causes: tuple[Cause, ...]
    total: Cause
    silent: tuple[SilentCustomer, ...]
    learning: IncidentLearning = field(repr=False)
    policy: Policy = field(repr=False)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Keys of assumed figures of the policy that had a part in it."""
        of_problems = tuple(f"problems.{kind}." for kind in self.learning.histories.kinds)
        parts = ("margin", "discount_rate", "horizon_months", "recovery.", "dropout.", *of_problems)
        return tuple(key for key in self.policy.assumed if key.startswith(parts))

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in plain types, ready for JSON."""
        return {
            "by": self.by,
            "end": self.learning.fit.end.isoformat() if self.learning.fit.end else None,
            "causes": [cause.to_dict() for cause in self.causes],
            "total": self.total.to_dict(),
            "silent": [asdict(one) for one in self.silent],
            "concerns": list(self.learning.fit.concerns),
            "rows": self.learning.histories.report.to_dict(),
            "notices": list(self.learning.notices),
            "assumed": list(self.assumed),
            "currency": self.policy.currency,
            "policy_version": self.policy.version,
        }


def incident_causes(
    book: Book,
    incidents: IncidentLog | str | os.PathLike[str] | pd.DataFrame,
    *,
    orders: Orders | str | os.PathLike[str] | pd.DataFrame | None = None,
    by: By = "type",
) -> CausesReport:
    """Say what incidents cost by cause, what preventing them is worth, and who went quiet.

    Parameters
    ----------
    book : Book
        Whose customers.
    incidents : IncidentLog, path, pattern of paths, or pandas.DataFrame
        As for :func:`clv.read_incidents`.
    orders : Orders, path, pattern of paths, or pandas.DataFrame, optional
        Where the orders of the book are, if not where they were when it was built.
    by : {"type", "product", "problem_id"}
        What tells one cause from another: a column of the log.

    Returns
    -------
    CausesReport

    Raises
    ------
    RequestError
        Where the log has no such column.
    IncidentsError, OrdersError, FitError
        As for :func:`clv.incidents.learning.learn_from_incidents`.

    Examples
    --------
    >>> import clv, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     book = clv.build_book(clv.datasets.path("online_retail"), f"{folder}/book",
    ...                           end="2011-12-09")
    ...     report = incident_causes(book, clv.datasets.path("online_retail_incidents"))
    >>> [cause.name for cause in report.causes], report.total.incidents
    (['returned_item'], 3475)
    """
    if by not in get_args(By):
        raise RequestError(f"Incidents are told apart by {', '.join(get_args(By))}; got {by!r}.")
    log = incidents
    if not isinstance(log, IncidentLog):
        log = read_incidents(log, kinds=book.stated_policy.problems)
    if by != "type" and by not in log.columns.roles:
        raise RequestError(
            f"The log {log.source!r} has no column {by}, so its incidents cannot be told apart by "
            "it. Name the column in the log, or ask --by type."
        )
    learning = learn_from_incidents(book, log, orders=orders)
    policy = learned_policy(book, learning)
    h = learning.histories
    rows = log.frame.loc[h.row]
    names = rows[by].fillna(UNKNOWN).to_numpy(str)
    record = incident_record(book, learning, policy)
    days = float(record.days_ago.max()) + 1
    (total,) = causes(np.full(len(names), "all"), record, days=days)
    return CausesReport(
        by=by,
        causes=causes(names, record, days=days),
        total=total,
        silent=_silent(book, learning),
        learning=learning,
        policy=policy,
    )


def _silent(book: Book, learning: IncidentLearning) -> tuple[SilentCustomer, ...]:
    """Customers whose last sign of life came before a failure that operations saw."""
    h, fit = learning.histories, learning.fit
    who = h.incident_customer
    last = np.append(np.flatnonzero(np.diff(who)), h.incidents - 1)  # of each customer
    quiet = ~h.contact[last] & (h.time[last] >= h.recency)
    # all failures since the last purchase and the last contact
    sign = np.where(h.contact, h.time, -1.0)
    heard = np.maximum.reduceat(sign, np.searchsorted(who, np.arange(len(h.T))))
    trailing = quiet[who] & ~h.contact & (h.time >= np.maximum(h.recency, heard)[who])
    without = _p_alive_without(fit.model, h, trailing)
    value = of_customers(book, h.customer_id, "value_if_alive")
    alive = fit.p_alive
    stake = value * np.maximum(0.0, without - alive)
    order = [i for i in np.argsort(-stake, kind="stable") if quiet[i] and stake[i] > 0]
    length = DAYS_PER_UNIT[h.unit]
    return tuple(
        SilentCustomer(
            str(h.customer_id[i]),
            h.kinds[h.kind[last[i]]],
            (book.end - timedelta(days=round((h.T[i] - h.time[last[i]]) * length))).isoformat(),
            float(value[i]),
            float(alive[i]),
            float(without[i]),
            float(stake[i]),
        )
        for i in order
    )


def _p_alive_without(
    model: IncidentBGNBD, h: IncidentHistories, gone: npt.NDArray[np.bool_]
) -> Floats:
    """P(alive) of the customers with incidents, had some of these not happened."""
    kept = np.flatnonzero(~gone)
    still, owner = np.unique(h.incident_customer[kept], return_inverse=True)
    alive = np.asarray(model.base.p_alive(h.frequency, h.recency, h.T), dtype=float)
    if len(still):
        others = some_incidents(
            h,
            kept,
            customer_id=h.customer_id[still],
            frequency=h.frequency[still],
            recency=h.recency[still],
            T=h.T[still],
            incident_customer=owner.astype(np.int64),
        )
        alive[still] = model.p_alive(others)
    return alive
