"""Retention budgets from a customer book: over customers and offers, and of every size."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats, Rows
from clv.book.budget_range import EffectOfMoney, kept_ranges, under_models
from clv.book.decisions import Opened
from clv.errors import RequestError, UnknownNameError
from clv.recommend.budget_curve import BudgetCurve, budget_curve
from clv.recommend.diminishing import DiminishingReturns
from clv.recommend.new_customers import NewCustomer, new_customer
from clv.recommend.quotas import Quota
from clv.recommend.retention import RetentionBudget, retention_budget
from clv.recommend.retention_offers import Offer, OfferBudget, retention_offers
from clv.recommend.retention_segments import RetentionSegments
from clv.recommend.retention_uncertainty import KeptRange, MoneyDraws
from clv.recommend.retention_words import told_of_segments
from clv.recommend.stages import STAGES, stage_of
from clv.recommend.stakes import RetentionStakes
from clv.small_tables import read_small_table
from clv.value.terms import days_per_unit
from clv.value.value_intervals import CustomerColumns

__all__ = [
    "NO_SEGMENT",
    "acquisition",
    "assumed",
    "budget",
    "curve",
    "kept_range",
    "offers",
    "read_segments",
    "retention_stakes",
    "segments_told",
    "stages",
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


def _stakes(book: Opened, learned: _EffectsLearned | None) -> dict[str, Any]:
    """What retention is about, by the names that budgets take."""
    table = book.read(COLUMNS)
    columns = dict(zip(COLUMNS, (c.to_numpy() for c in table.columns), strict=True))
    return columns | ({} if learned is None else {"effect": learned.effect})


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
        Least and most that stages or segments get; a stage by its label or its key in the policy.

    Returns
    -------
    RetentionBudget
    """
    codes, labels, learned = stages(book), list[str](), _EffectsLearned.of(book)
    segment: npt.NDArray[Any] | None = None if by is None else np.asarray(by)
    if segment is not None and segment.ndim == 0:
        if str(by) != "stage":
            raise RequestError(f"A budget is told by 'stage', or by segments; got {str(by)!r}.")
        labels = [book.policy.stages.labels[name] for name in STAGES]
        segment = np.array(labels, dtype=object)[codes]
        quotas = _of_stages(book, quotas or {}, set(segment.tolist()))
    divided = retention_budget(
        book.policy,
        _ids(book),
        **_stakes(book, learned),
        stage=codes,
        segment=segment,
        quotas=quotas,
        total=total,
    )
    shares = divided.segments
    if labels:
        shares = tuple(sorted(shares, key=lambda share: labels.index(str(share.segment))))
    told = () if learned is None else learned.sentences
    divided = replace(
        divided,
        segments=shares,
        assumed=(*book.assumed_terms, *divided.assumed),
        sentences=(*divided.sentences, *told),
    )
    kept = kept_range(book, divided.spend, divided.expected_gain)
    return divided if kept is None else divided.with_range(kept)


def _of_stages(
    book: Opened, quotas: Mapping[Hashable, Quota], peopled: set[str]
) -> dict[Hashable, Quota]:
    """Quotas by the labels of the stages; without those that a stage with nobody in it meets."""
    labels: dict[str, str] = dict(book.policy.stages.labels)
    named = {labels.get(str(name), str(name)): quota for name, quota in quotas.items()}
    for name in named:
        if name not in labels.values():
            known = ", ".join(labels[stage] for stage in STAGES)
            raise UnknownNameError("stage", name, labels.values(), then=f"The stages are {known}.")
    return {name: quota for name, quota in named.items() if name in peopled or quota.least > 0}


def kept_range(book: Opened, spend: Floats, gain: Floats) -> KeptRange | None:
    """Say how far orders and response leave open what money spent on customers keeps.

    Parameters
    ----------
    book : Opened
        Whose customers.
    spend, gain : ndarray, shape (customers,)
        What is spent on each, and what that is expected to keep, in money.

    Returns
    -------
    KeptRange or None
        None where nothing is spent, or the book has no draws of its models.
    """
    if book.without_intervals or not (spend > 0).any():
        return None
    drawn = MoneyDraws.of(book.policy)
    effect = _effect(book, _EffectsLearned.of(book), drawn, len(spend))
    return kept_ranges(book, spend[None], gain[None], effect, drawn)[0]


@dataclass(frozen=True, eq=False)
class _EffectsLearned:
    """What campaigns taught by segment, and the segment of each customer."""

    segments: RetentionSegments
    code: Rows
    effect: Floats
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, book: Opened) -> _EffectsLearned | None:
        """Return it where the book has learned any."""
        learned = book.policy.learned
        if learned is None or learned.segments is None:
            return None
        table = book.read(("p_alive", "value_if_alive"))
        alive, value = (np.asarray(column, dtype=float) for column in table.columns)
        code = learned.segments.codes(worth=alive * value, stage=stages(book))
        return cls(
            learned.segments,
            code,
            learned.segments.effect(code, otherwise=book.policy.retention.effect),
            told_of_segments(learned.segments, code, alive * value, book.policy.currency),
        )


def _effect(
    book: Opened, learned: _EffectsLearned | None, drawn: MoneyDraws, n: int
) -> EffectOfMoney:
    """e of each customer, and how sure it is."""
    whole = np.full(n, 1.0)
    if learned is None:
        e = book.policy.retention.effect
        return EffectOfMoney(e * whole, drawn.effect_sd * whole, drawn.correlation * whole)
    sd, correlation = learned.segments.doubt(
        learned.code, sd=drawn.effect_sd, correlation=drawn.correlation
    )
    return EffectOfMoney(learned.effect, sd, correlation)


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
    learned = _EffectsLearned.of(book)
    divided = retention_offers(book.policy, _ids(book), of, **_stakes(book, learned), total=total)
    return replace(
        divided,
        assumed=(*book.assumed_terms, *divided.assumed),
        sentences=(*divided.sentences, *segments_told(book)),
    )


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
    found = budget_curve(at.w, at.k, lo=at.least, hi=at.most, totals=totals)
    if book.without_intervals or not (at.w > 0).any():
        return found
    drawn = MoneyDraws.of(book.policy)
    customers = DiminishingReturns.of(at.w, at.k, at.least, at.most)
    spend = np.array(
        [customers.of_all(customers.spend(float(x))) for x in np.log(found.marginal_return)]
    )
    effect = _effect(book, _EffectsLearned.of(book), drawn, len(at.w))
    gain = np.maximum(at.w, 0.0) * -np.expm1(-at.k * spend)
    ranges = kept_ranges(book, spend, gain, effect, drawn)
    return replace(
        found,
        gain_low=np.array([one.low for one in ranges]),
        gain_high=np.array([one.high for one in ranges]),
    )


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
    return RetentionStakes.of(
        book.policy, _ids(book), **_stakes(book, _EffectsLearned.of(book)), stage=stages(book)
    )


def segments_told(book: Opened) -> tuple[str, ...]:
    """Say which segments campaigns showed to be harmed by contact, or to be unsure.

    Parameters
    ----------
    book : Opened
        Whose customers.
    """
    learned = _EffectsLearned.of(book)
    return () if learned is None else learned.sentences


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


def read_segments(book: Opened, path: str | Path) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
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
    segment : ndarray of str, shape (customers,)
        In the order of ids.
    notices : tuple of str
        Whom of the file the book does not know, and who of the book has no segment.

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
    known = set(ids.tolist())
    strangers = [who for who in named if who not in known]
    if len(strangers) == len(named):
        raise RequestError(
            f"{path} names none of the customers of the book; its first is "
            f"{pairs[0][0] if pairs else 'missing'!r}, theirs {str(ids[0])!r}."
        )
    segment = np.array([named.get(str(who), "") or NO_SEGMENT for who in ids], dtype=object)
    return segment, _left_over(path, named, strangers, ids[segment == NO_SEGMENT].tolist())


def _left_over(
    path: str | Path, named: Mapping[str, str], strangers: Sequence[str], without: Sequence[str]
) -> tuple[str, ...]:
    """Say whom a file of segments names for nothing, and whom it does not name."""
    told = []
    if strangers:
        told.append(
            f"{len(strangers):,} of the {len(named):,} customers that {path} names are not in the "
            f"book (first: {', '.join(strangers[:3])})."
        )
    if without:
        told.append(
            f"{len(without):,} customers of the book have no segment in {path} (first: "
            f"{', '.join(map(str, without[:3]))}); they are told as {NO_SEGMENT}."
        )
    return tuple(told)
