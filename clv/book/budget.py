"""Retention budgets from a customer book: over customers and offers, and of every size."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.book.decisions import HISTORY, Opened
from clv.book.intervals import customer_columns
from clv.errors import RequestError
from clv.recommend.budget_curve import BudgetCurve, budget_curve
from clv.recommend.new_customers import NewCustomer, new_customer
from clv.recommend.quotas import Quota
from clv.recommend.retention import RetentionBudget, retention_budget
from clv.recommend.retention_offers import Offer, OfferBudget, retention_offers
from clv.recommend.stages import STAGES, stage_of
from clv.recommend.stakes import RetentionStakes, value_kept
from clv.small_tables import read_small_table
from clv.value.forecast_intervals import SAMPLE
from clv.value.stake_draws import Stakes, stakes_under
from clv.value.terms import Terms, days_per_unit
from clv.value.value_intervals import LEVEL, CustomerColumns, bounds, futures

__all__ = [
    "NO_SEGMENT",
    "acquisition",
    "assumed",
    "budget",
    "curve",
    "offers",
    "read_segments",
    "retention_stakes",
    "stages",
    "under_models",
]

COLUMNS = ("p_alive", "value_if_alive", "value_leaves", "expected_spend")

NO_SEGMENT = "(no segment)"
"""The segment of customers whom a table of segments does not name."""


def stages(book: Opened) -> npt.NDArray[np.intp]:
    """Stage of each customer, as a place in :data:`clv.recommend.stages.STAGES`.

    Parameters
    ----------
    book : Opened
        Whose customers.
    """
    table = book.read(("frequency", "T", "p_alive", "lifetime_value"))
    x, T, alive, value = (np.asarray(column, dtype=float) for column in table.columns)
    total = float(np.sum(value))
    return stage_of(
        book.policy,
        days_since_first=T * days_per_unit(book.unit),
        purchases=x + 1,
        p_alive=alive,
        value_share=value / total if total > 0 else np.zeros_like(value),
    )


def _stakes(book: Opened) -> dict[str, Any]:
    """What retention is about, by the names that budgets take."""
    table = book.read(COLUMNS)
    return dict(zip(COLUMNS, (c.to_numpy() for c in table.columns), strict=True))


def _ids(book: Opened) -> npt.NDArray[Any]:
    ids: npt.NDArray[Any] = book.read(("customer_id",)).column(0).to_numpy()
    return ids


def budget(
    book: Opened,
    total: float | None = None,
    *,
    by: npt.ArrayLike | None = None,
    quotas: Mapping[Hashable, Quota] | None = None,
) -> RetentionBudget:
    """Split a retention budget over all customers, and say how sure its gain is.

    Parameters
    ----------
    book : Opened
        Whose customers.
    total : float, optional
        Money to spend; the total worth asking for if not given.
    by : "stage" or array_like, shape (customers,), optional
        Tell it by the stages of the policy, or by a segment for each customer in the order of ids.
    quotas : mapping of label to Quota, optional
        Least and most that stages or segments get.

    Returns
    -------
    RetentionBudget
    """
    codes, labels = stages(book), list[str]()
    segment: npt.NDArray[Any] | None = None if by is None else np.asarray(by)
    if segment is not None and segment.ndim == 0:
        if str(by) != "stage":
            raise RequestError(f"A budget is told by 'stage', or by segments; got {str(by)!r}.")
        labels = [book.policy.stages.labels[name] for name in STAGES]
        segment = np.array(labels, dtype=object)[codes]
    divided = retention_budget(
        book.policy,
        _ids(book),
        **_stakes(book),
        stage=codes,
        segment=segment,
        quotas=quotas,
        total=total,
    )
    shares = divided.segments
    if labels:
        shares = tuple(sorted(shares, key=lambda share: labels.index(str(share.segment))))
    divided = replace(divided, segments=shares, assumed=(*book.assumed_terms, *divided.assumed))
    return _with_range(book, divided)


def _with_range(book: Opened, divided: RetentionBudget) -> RetentionBudget:
    """Say how far the orders leave open what a budget keeps."""
    funded = np.flatnonzero(divided.spend > 0)
    if book.without_intervals or not len(funded):
        return divided
    if len(funded) > SAMPLE:  # what they keep under other models, in proportion
        funded = np.sort(np.random.default_rng(1).choice(funded, SAMPLE, replace=False))
    count = futures(len(funded))
    customers = customer_columns(book.read(HISTORY)).take(funded)
    kept = [
        value_kept(book.policy, divided.spend[funded], **under._asdict())
        for under in under_models(
            book,
            customers,
            book.draws["purchases"].models[:count],
            book.draws["spend"].models[:count],
        )
    ]
    share = divided.total_gain / float(np.sum(divided.expected_gain[funded]))
    low, high = bounds(share * np.array(kept)).tolist()
    return divided.with_range(low, high, LEVEL)


def under_models(
    book: Opened, customers: CustomerColumns, purchases: Sequence[Any], spends: Sequence[Any]
) -> list[Stakes]:
    """What is at stake with customers under models, on the book's terms.

    Parameters
    ----------
    book : Opened
        Whose terms.
    customers : CustomerColumns
        Whom it is about; any histories.
    purchases, spends : sequence of models
        As many of the one as of the other.
    """
    policy, unit = book.policy, book.unit
    terms = Terms(policy.margin, policy.discount_rate, policy.horizon_months)
    return list(
        stakes_under(
            purchases,
            spends,
            customers,
            margin=policy.margin,
            paid_share=book.manifest["paid_share"],
            rate=terms.rate(unit),
            horizon=terms.horizon(book.end, unit),
            leaving=Terms(1.0, 0.0, book.manifest["leave_months"]).horizon(book.end, unit),
        )
    )


def offers(book: Opened, of: Sequence[Offer], total: float | None = None) -> OfferBudget:
    """Give each customer one of the offers, or none.

    Parameters
    ----------
    book : Opened
        Whose customers.
    of : sequence of Offer
        What can be offered.
    total : float, optional
        Money to spend; the total worth asking for if not given.
    """
    divided = retention_offers(book.policy, _ids(book), of, **_stakes(book), total=total)
    return replace(divided, assumed=(*book.assumed_terms, *divided.assumed))


def curve(book: Opened, totals: npt.ArrayLike | None = None) -> BudgetCurve:
    """What retention budgets of many sizes bring.

    Parameters
    ----------
    book : Opened
        Whose customers.
    totals : array_like, optional
        The budgets, rising; up to half as much again as is worth asking for if not given.
    """
    at = retention_stakes(book)
    return budget_curve(at.w, at.k, lo=at.least, hi=at.most, totals=totals)


def assumed(book: Opened) -> tuple[str, ...]:
    """Dotted keys of the figures behind retention that nobody has confirmed.

    Parameters
    ----------
    book : Opened
        Whose policy.
    """
    return (*book.assumed_terms, *retention_stakes(book).assumed)


def retention_stakes(book: Opened) -> RetentionStakes:
    """What is at stake with each customer, in the order of ids.

    Parameters
    ----------
    book : Opened
        Whose customers.
    """
    return RetentionStakes.of(book.policy, _ids(book), **_stakes(book), stage=stages(book))


def acquisition(book: Opened) -> NewCustomer:
    """What a new customer is worth: the first purchase, taken as an average one, and all after it.

    Parameters
    ----------
    book : Opened
        Whose models.
    """
    none = np.zeros(1)
    (new,) = under_models(
        book, CustomerColumns(none, none, none, none, none), [book.purchases], [book.spend]
    )
    return new_customer(
        book.policy,
        first_purchase=float(new.expected_spend[0]),
        value_after=float(new.value_if_alive[0]),
    )


def read_segments(book: Opened, path: str | Path) -> npt.NDArray[Any]:
    """Segment of each customer of a book, from a CSV file.

    Parameters
    ----------
    book : Opened
        Whose customers.
    path : str or Path
        A file with a header, customer ids in its first column and segments in its second;
        customers whom it does not name are in :data:`NO_SEGMENT`.

    Returns
    -------
    ndarray of str, shape (customers,)
        In the order of ids.

    Raises
    ------
    RequestError
        Where the file cannot be read, names nobody of the book, or somebody twice.
    """
    try:
        table = read_small_table(path)
    except RequestError as error:
        raise RequestError(
            f"{error} Segments come from a CSV file, or are the stages of the relationship: stage."
        ) from None
    if len(table.columns) < 2:
        where = "its header has one" if table.columns else "it is empty"
        raise RequestError(f"{path} needs two columns, customer ids and their segments; {where}.")
    pairs = [(row[0], row[1]) for row in table.rows]
    named = dict(pairs)
    if len(named) < len(pairs):
        twice = next(who for i, (who, _) in enumerate(pairs) if who in dict(pairs[:i]))
        raise RequestError(
            f"{path} names {len(pairs) - len(named):,} customers twice (first: {twice})."
        )
    ids = _ids(book)
    strangers = len(set(named) - set(ids.tolist()))
    if strangers == len(named):
        raise RequestError(
            f"{path} names none of the customers of the book; its first is "
            f"{pairs[0][0] if pairs else 'missing'!r}, theirs {str(ids[0])!r}."
        )
    return np.array([named.get(str(who), "") or NO_SEGMENT for who in ids], dtype=object)
