"""What is known of each incident: its stakes on its own day, and how it turned out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clv.arrays import Floats
from clv.book import Book
from clv.history import DAYS_PER_UNIT, Histories
from clv.incident_history import IncidentHistories
from clv.incidents.learning import IncidentLearning
from clv.incidents.purchases import purchases_around
from clv.recommend.causes import IncidentRecord
from clv.recommend.limits import recovery_limits
from clv.recommend.policy import Policy
from clv.recommend.response import unit_cost
from clv.value.terms import Terms

__all__ = ["incident_record", "learned_policy", "of_customers", "some_incidents"]


def learned_policy(book: Book, learning: IncidentLearning) -> Policy:
    """The book's policy once it has learned this; the book itself is left as it is."""
    learned = learning.learned
    if book.learned is not None:
        learned = book.learned.with_figures(learned)
    return book.stated_policy.with_learned(learned)


def incident_record(book: Book, learning: IncidentLearning, policy: Policy) -> IncidentRecord:
    """What is known of each incident: its stakes on its day, and how it turned out.

    Parameters
    ----------
    book : Book
        Whose customers.
    learning : IncidentLearning
        Model and incidents.
    policy : Policy
        Says what is at risk, and what is recommended.

    Returns
    -------
    IncidentRecord
        In the order of `learning.histories`.
    """
    h, fit = learning.histories, learning.fit
    model, who = fit.model, h.incident_customer
    then = _as_of_each(learning)
    likelihood = model.likelihood(then)
    stays = np.array([likelihood.each(drawn.vector)[1] for drawn in learning.models])
    pi = learning.dropout_draws
    # seen by operations, an incident says nothing of who is there: P(alive) after it is A(1 − π)
    there = np.where(h.contact, 1.0, np.minimum(1.0, (stays / (1 - pi)).mean(axis=0)))
    terms = Terms(policy.margin, policy.discount_rate, policy.horizon_months)
    purchases = model.discounted_purchases_if_alive(
        then.frequency,
        then.T,
        model.survived_exponent(then),
        rate=terms.rate(book.unit),
        horizon=terms.horizon(book.end, book.unit),
        future=fit.future_incidents,
    )
    spend = of_customers(book, h.customer_id, "expected_spend")[who]
    value = policy.margin * spend * purchases
    ahead = h.T[who] - h.time
    buys = np.array(
        [
            -np.expm1(-(d.r + then.frequency) * np.log1p(ahead / (d.alpha + then.T)))
            for d in learning.models
        ]
    )
    left = np.zeros(h.incidents)
    fates = fit.likelihood.fates
    _, share = fit.likelihood.mixture(model.vector)
    left[~fates.survived] = share[fates.at_incident]
    goodwill, cost = _given(learning, policy)
    alone, recommended = _by_policy(learning, policy, value, there)
    return IncidentRecord(
        customer=who,
        value=value,
        there=there,
        dropout_alone=alone,
        dropout=pi,
        left=left,
        returned=h.frequency[who] > h.earlier_purchases,
        p_returned=stays * buys,
        goodwill=goodwill,
        recommended=recommended,
        unit_cost=cost,
        again=h.earlier_incident > 0,
        days_ago=ahead * DAYS_PER_UNIT[h.unit],
    )


def _as_of_each(learning: IncidentLearning) -> IncidentHistories:
    """The customer of each incident as of its day: purchases and incidents up to then."""
    h = learning.histories
    who = h.incident_customer
    first = np.searchsorted(who, np.arange(len(h.T)))[who]
    upto = np.arange(h.incidents) - first + 1
    owner = np.repeat(np.arange(h.incidents), upto)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(upto) - upto, upto) + first[owner]
    last, _ = purchases_around(h)
    return some_incidents(
        h,
        place,
        customer_id=np.arange(h.incidents).astype(str).astype(object),
        frequency=h.earlier_purchases,
        recency=last,
        T=h.time,
        incident_customer=owner,
    )


OF_INCIDENT = (
    *("time", "contact", "kind", "severity", "earlier_purchases", "earlier_incident"),
    *("goodwill_ratio", "hours", "resolved", "assignment_probability", "step"),
    *("expected_goodwill", "row"),
)


def some_incidents(
    h: IncidentHistories, place: npt.NDArray[np.int64], **customers: npt.NDArray[Any]
) -> IncidentHistories:
    """Some of the incidents, of the customers given, and nobody without an incident.

    Parameters
    ----------
    h : IncidentHistories
        Where the incidents are from.
    place : ndarray of int, shape (k,)
        Which of them.
    **customers : ndarray
        customer_id, frequency, recency, T and incident_customer, as of :class:`IncidentHistories`.

    Returns
    -------
    IncidentHistories
    """
    none = np.empty(0)
    return IncidentHistories(
        plain=Histories(none, none, none, none, None, h.unit, h.end),
        kinds=h.kinds,
        unit=h.unit,
        end=h.end,
        **{name: getattr(h, name)[place] for name in OF_INCIDENT},
        **customers,
    )


def of_customers(book: Book, ids: npt.NDArray[Any], column: str) -> Floats:
    """Read a column of the values of some customers; the mean of all where one is not known."""
    table = book.read(["customer_id", column])
    known = pd.Index(table.column("customer_id").to_pylist(), dtype=object)
    place = known.get_indexer(pd.Index(ids, dtype=object))
    values = table.column(column).to_numpy().astype(float)
    # orders that the book has not seen may have customers that it does not know
    return np.where(place >= 0, values[place], float(values.mean()))


def _given(learning: IncidentLearning, policy: Policy) -> tuple[Floats, Floats]:
    """Goodwill of each incident at face value, and its real cost per unit."""
    rows = learning.log.frame.loc[learning.histories.row]
    credit = rows["goodwill_form"].fillna("").str.lower().str.contains("credit|voucher").to_numpy()
    cost = np.where(credit, unit_cost(policy, "credit"), unit_cost(policy, "cash"))
    return rows["goodwill_amount"].to_numpy(dtype=float), cost


def _by_policy(
    learning: IncidentLearning, policy: Policy, value: Floats, there: Floats
) -> tuple[Floats, Floats]:
    """π0 of each incident, and what the policy recommends; nan where the loss is not known."""
    h = learning.histories
    rows = learning.log.frame.loc[h.row]
    loss = rows["loss_amount"].to_numpy(dtype=float)
    with np.errstate(divide="ignore"):
        since = -policy.dropout.earlier_incident_days * np.log(h.earlier_incident)
    alone, recommended = np.zeros(h.incidents), np.zeros(h.incidents)
    for code, key in enumerate(h.kinds):
        some = h.kind == code
        if not some.any():
            continue
        limits = recovery_limits(
            policy,
            key,
            np.nan_to_num(loss[some]),
            value_if_alive=value[some],
            frequency=h.earlier_purchases[some],
            hours=np.nan_to_num(h.hours[some]),
            severity=np.round(h.severity[some]),
            days_since_incident=since[some],
            p_alive=there[some],
        )
        alone[some], recommended[some] = limits.dropout, limits.recommended
    return alone, np.where(np.isnan(loss), np.nan, recommended)
