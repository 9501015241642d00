"""What a book learns from campaigns: from orders, a campaign log and the book's kind of model.

The model is fitted again to the orders before the first campaign, so that nothing of what the
campaigns did is in what it expects. What it expects of each customer narrows the intervals
(:mod:`clv.recommend.campaigns.effects`), and turns more purchases into customers kept
(:mod:`clv.campaigns.thinning`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from clv.arrays import Floats, Rows
from clv.book import Book
from clv.book.orders import orders_of
from clv.campaigns.design import compared_by_chance, design_of, short_window
from clv.campaigns.result import ArmResult, CampaignFit, CampaignResult, SegmentResult
from clv.campaigns.segmentation import Segmentation, segment_evidence
from clv.campaigns.thinning import Thinned
from clv.errors import CampaignsError, FitError, RequestError
from clv.recommend.campaigns import (
    Effects,
    Evidence,
    adjusted_effects,
    fit_propensity,
    qini,
    randomised_effects,
    retention_posterior,
    segment_effects,
)
from clv.recommend.learned import Basis, Learned
from clv.recommend.policy import Policy
from clv.recommend.retention_segments import By
from clv.transactions.campaigns import CampaignLog, CampaignOutcomes, campaign_outcomes
from clv.transactions.orders import Orders
from clv.transactions.summary import histories
from clv.value.leaving import value_leaving
from clv.value.lifetime_value import paid_share
from clv.value.terms import Terms

if TYPE_CHECKING:
    import pandas as pd

    from clv.models.base import PurchaseModel

__all__ = ["By", "fit_campaigns"]

NORMAL_95 = 1.959963984540054
"""Standard deviations of a 95 % interval."""

FEW = 100
"""Customers of an arm below which its interval is called rough. What customers buy is skewed: where
their rates had a gamma shape of 0.3, simulated 95 % intervals held in 85 % of the campaigns with 20
customers in the smaller arm, in 90 % with 50, in 92 % with 100 and in 94 % with 500."""


def fit_campaigns(
    book: Book,
    log: CampaignLog,
    *,
    orders: Orders | str | os.PathLike[str] | pd.DataFrame | None = None,
    window: int | None = None,
    randomised: bool = False,
    by: By = "value",
) -> CampaignFit:
    """Learn what campaigns did, and what of it the policy should follow.

    Rows of the log after the end of the orders are set aside. Nothing is written;
    ``book.learn(fit.learned)`` does.

    Parameters
    ----------
    book : Book
        Its kind of models, terms and policy are used.
    log : CampaignLog
        From :func:`clv.read_campaigns`.
    orders : Orders, path, pattern of paths, or pandas.DataFrame, optional
        Orders of before and after the campaigns; those of the book where not given.
    window : int, optional
        Days after a campaign's day to look at; all that were observed, at most 365, if not given.
    randomised : bool
        Whether chance decided, in the shares seen, where the log states no probabilities.
    by : {"value", "stage"}
        Which customers are told apart: fifths by value, or stages of the relationship.

    Returns
    -------
    CampaignFit

    Raises
    ------
    CampaignsError
        Where a campaign cannot tell anything, with the reason.
    RequestError
        Where the book's orders cannot be read again.
    """
    if by not in ("value", "stage"):
        raise RequestError(f"Customers are told apart by value or by stage; got {by!r}.")
    found = orders_of(book, orders)
    log = log.observed(found.end)
    begins = log.frame["date"].min().date()
    expect = _Expected.before(book, found.orders, begins - timedelta(days=1))
    policy = book.stated_policy
    compared = [
        compared_by_chance(
            campaign_outcomes(found.orders, log, name, end=found.end, window=window, unit=book.unit)
        )
        for name in log.campaigns
    ]
    segments = Segmentation.of(policy, by, [expect.worth(policy, o) for o in compared])
    results: list[CampaignResult] = []
    by_segment: list[dict[int, Evidence]] = []
    evidence: dict[Basis, list[Evidence]] = {"causal": [], "associational": []}
    for outcomes in compared:
        result, said, of_segments = _campaign(
            policy, expect, outcomes, segments, randomised=randomised
        )
        results.append(result)
        evidence[result.basis] += said
        by_segment += [of_segments] if result.basis == "causal" else []
    basis: Basis = "causal" if evidence["causal"] else "associational"
    posterior = retention_posterior(policy, evidence[basis]) if evidence[basis] else None
    figures = posterior.figures(basis) if posterior else ()
    return CampaignFit(
        campaigns=tuple(results),
        posterior=posterior,
        learned=Learned.of(
            figures,
            source=log.sha256,
            learned_on=found.end,
            policy_version=policy.version,
            segments=segments.learned(posterior, by_segment) if posterior else None,
        ),
        notices=(*log.report.notices, *found.notices),
        set_aside=tuple(str(aside) for aside in log.report.set_aside),
        currency=policy.currency,
        policy_version=policy.version,
    )


@dataclass(frozen=True)
class _Expected:
    """Models of the time before the campaigns, and the terms of values."""

    purchases: PurchaseModel
    spend: Any
    paid: float
    terms: Terms

    @classmethod
    def before(cls, book: Book, orders: Orders, last: Any) -> _Expected:
        policy = book.stated_policy
        try:
            known = histories(orders, end=last, unit=book.unit)
            return cls(
                type(book.purchases).fit(known).model,
                type(book.spend).fit(known).model,
                paid_share(known),
                Terms(policy.margin, policy.discount_rate, policy.horizon_months),
            )
        except (FitError, RequestError) as error:
            raise CampaignsError(
                f"The orders up to {last}, before the first campaign, do not tell what customers "
                f"would have done without it. {error}"
            ) from None

    def worth(self, policy: Policy, o: CampaignOutcomes) -> Floats:
        """P(alive) × value if alive of each customer, as it was before the campaign."""
        spend = self.paid * self.spend.expected_spend(
            o.spend_frequency, np.nan_to_num(o.monetary_value)
        )
        bought = self.purchases.discounted_purchases_if_alive(
            o.frequency,
            o.T,
            o.recency,
            rate=self.terms.rate(o.unit),
            horizon=self.terms.horizon(o.first_date, o.unit),
        )
        alive = self.purchases.p_alive(o.frequency, o.recency, o.T)
        return np.asarray(alive * (policy.margin * spend * bought))


def _campaign(
    policy: Policy,
    expect: _Expected,
    o: CampaignOutcomes,
    segments: Segmentation,
    *,
    randomised: bool,
) -> tuple[CampaignResult, list[Evidence], dict[int, Evidence]]:
    model, w, x, t_x, T = expect.purchases, o.window_time, o.frequency, o.recency, o.T
    alive = model.p_alive(x, t_x, T)
    spend = expect.paid * expect.spend.expected_spend(
        o.spend_frequency, np.nan_to_num(o.monetary_value)
    )
    rate, horizon = expect.terms.rate(o.unit), expect.terms.horizon(o.first_date, o.unit)
    discounted = model.discounted_purchases_if_alive(x, T, t_x, rate=rate, horizon=horizon)
    value = policy.margin * spend * discounted
    leaves = 1 - model.survival_if_alive(w, x, T, t_x)
    baseline = alive * model.expected_purchases_if_alive(w, x, T, t_x)
    margin = policy.margin * np.nan_to_num(o.amount)
    foreseen = np.column_stack([baseline, policy.margin * spend * baseline])
    probability, basis, concerns = design_of(o, randomised=randomised)
    if basis == "causal":
        by_chance = [
            randomised_effects(y, o.arm, probability, foreseen) for y in (o.purchases, margin)
        ]
        bought, earned = by_chance
    else:
        known = np.column_stack([foreseen, np.log1p(x), t_x, T, alive, np.log1p(alive * value)])
        likely = fit_propensity(o.arm, known, o.arms)
        concerns += likely.concerns(o.arms)
        bought, earned = (adjusted_effects(y, o.arm, known, likely) for y in (o.purchases, margin))
    sizes = np.bincount(o.arm)
    concerns += [
        f"Only {n:,} customers in arm {arm!r}: its interval is rough."
        for arm, n in zip(o.arms, sizes, strict=True)
        if n < FEW
    ]
    months = policy.retention.period_months
    period = Terms(1.0, 0.0, months).horizon(o.first_date, o.unit)
    in_period = 1 - model.survival_if_alive(period, x, T, t_x)
    concerns += short_window(o, months, float(alive @ leaves), float(alive @ in_period))
    in_control = o.arm == 0
    drift = float(o.purchases[in_control].sum() / baseline[in_control].sum())
    thinned = Thinned.of(model, x, T, alive, w)
    kept, gain = thinned.curve(np.ones(len(o), dtype=np.bool_), drift)
    concerns += [
        f"Arm {arm!r} bought {effect:.3f} times more per customer than the control arm, and "
        f"keeping every leaver would bring {gain[-1]:.3f}: this may be chance, or the campaign "
        "also made customers buy more often or earlier. The part kept is at most 100 %."
        for arm, effect in zip(o.arms[1:], bought.effect, strict=True)
        if effect > gain[-1]
    ]
    known_spend = [
        j for j in range(1, len(o.arms)) if (o.spend[o.arm == j] > 0).all()
    ]  # nan is not
    pick = np.array(known_spend, dtype=np.intp) - 1
    evidence = Evidence(
        effect=bought.effect[pick],
        covariance=bought.covariance[np.ix_(pick, pick)],
        kept=kept,
        gain=gain,
        reach=tuple(
            ((o.spend / spend)[o.arm == j], (alive * leaves)[o.arm == j]) for j in known_spend
        ),
        customers=int(sizes[0] + sizes[known_spend].sum()),
    )
    segment = segments.codes(policy, o, alive, alive * value)
    curves = [thinned.curve(segment == g, drift) for g in range(len(segments.names))]
    lost = value_leaving(
        model, x, t_x, T, rate=rate, horizon=horizon, leaving=w, discounted=discounted
    )
    stake = alive * value * lost
    return (
        CampaignResult(
            campaign=o.campaign,
            first_date=o.first_date,
            window=o.window,
            basis=basis,
            control=o.arms[0],
            control_customers=int(sizes[0]),
            control_purchases=float(o.purchases[in_control].mean()),
            expected_purchases=float(baseline[in_control].mean()),
            arms=tuple(
                _arm(o, j, bought, earned, evidence, float(stake.mean()))
                for j in range(1, len(o.arms))
            ),
            segments={
                arm: _segments(bought.scores[j], segment, segments.names, curves)
                for j, arm in enumerate(o.arms[1:])
            },
            qini={arm: qini(earned.scores[j], stake) for j, arm in enumerate(o.arms[1:])},
            concerns=tuple(concerns),
            set_aside=tuple(str(aside) for aside in o.report.set_aside),
        ),
        [evidence] if known_spend else [],
        segment_evidence(
            segment, o.arm, bought.scores, (o.spend / spend, alive * leaves), curves, known_spend
        ),
    )


def _arm(
    o: CampaignOutcomes,
    j: int,
    bought: Effects,
    earned: Effects,
    evidence: Evidence,
    stake: float,
) -> ArmResult:
    """Say what one arm did."""
    inside = o.arm == j
    cost = float(o.spend[inside].mean())
    bounds = [tuple(float(side[j - 1]) for side in one.interval()) for one in (bought, earned)]
    effect = float(bought.effect[j - 1])
    kept = [float(evidence.kept_for(one)) for one in (effect, *bounds[0])]
    earns = (float(earned.effect[j - 1]), *bounds[1])
    paid = cost > 0  # neither nothing nor unknown
    return ArmResult(
        arm=o.arms[j],
        customers=int(inside.sum()),
        spend=cost,
        purchases=effect,
        purchases_low=bounds[0][0],
        purchases_high=bounds[0][1],
        margin=earns[0],
        margin_low=earns[1],
        margin_high=earns[2],
        kept=kept[0],
        kept_low=kept[1],
        kept_high=kept[2],
        margin_per_unit=earns[0] / cost if paid else None,
        margin_per_unit_low=earns[1] / cost if paid else None,
        margin_per_unit_high=earns[2] / cost if paid else None,
        value_per_unit=kept[0] * stake / cost if paid else None,
        value_per_unit_low=kept[1] * stake / cost if paid else None,
        value_per_unit_high=kept[2] * stake / cost if paid else None,
    )


def _segments(
    scores: Floats, segment: Rows, names: Sequence[str], curves: Sequence[tuple[Floats, Floats]]
) -> tuple[SegmentResult, ...]:
    """Say for whom an arm did what.

    Purchases of a segment are compared with those that keeping every leaver of it would bring: on
    that scale segments can be alike, however much each buys.
    """
    most = np.array([gain[-1] for _, gain in curves])
    known = most[segment] > 0
    pooled = segment_effects(
        np.where(known, scores / np.where(known, most[segment], 1.0), np.nan), segment, names
    )
    results = []
    for one in pooled:
        kept, gain = curves[names.index(one.segment)]
        reach = NORMAL_95 * one.standard_deviation
        there = np.array([one.mean, one.mean - reach, one.mean + reach, one.estimate])
        mean, low, high, alone = np.interp(there, gain / gain[-1], kept).tolist()
        results.append(
            SegmentResult(one.segment, one.customers, mean, low, high, alone, one.p_harm)
        )
    return tuple(results)
