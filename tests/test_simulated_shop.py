"""The simulated shop does what its truth says, counted in the data and never fitted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clv.simulated_shop import GROUP_FAILURE, TRUTH, Arm, Shop, simulate

LARGE = replace(TRUTH, customers=4000)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(LARGE, seed=3)


def test_a_seed_makes_one_shop_and_another_seed_another() -> None:
    small = replace(TRUTH, customers=60)
    once, again, other = simulate(small), simulate(small), simulate(small, seed=5)
    pd.testing.assert_frame_equal(once.orders, again.orders)
    pd.testing.assert_frame_equal(once.incidents, again.incidents)
    assert not once.orders["amount"].equals(other.orders["amount"])


def test_without_problems_or_leaving_orders_are_gamma_poisson() -> None:
    # E[orders after the first in t] = r t / alpha, of a rate Gamma(r, alpha); a → 0: nobody leaves.
    truth = replace(LARGE, problems={}, a=1e-9, b=1.0, group_failure_share=0.0, acquisition_days=1)
    orders = simulate(truth, seed=1).orders
    days = (truth.end - truth.start).days
    mean = truth.r * days / truth.alpha
    spread = math.sqrt(mean + truth.r * (days / truth.alpha) ** 2)  # of a negative binomial
    repeats = len(orders) / truth.customers - 1
    assert repeats == pytest.approx(mean, abs=4 * spread / math.sqrt(truth.customers))


def test_amounts_have_the_mean_of_gamma_gamma(shop: Shop) -> None:
    # p v / (q - 1) = 40; mean of each customer's mean, each customer weighing the same.
    means = shop.orders.groupby("customer_id")["amount"].mean()
    want = LARGE.p * LARGE.v / (LARGE.q - 1)
    assert means.mean() == pytest.approx(want, abs=4 * means.std() / math.sqrt(len(means)))


def test_problems_come_at_their_rate() -> None:
    # Seen by operations, whoever is still there; the days of the group failure have their own.
    orders = simulate(replace(LARGE, group_failure_share=0.0), seed=2)
    strike = pd.date_range(LARGE.group_failure_start, periods=LARGE.group_failure_days)
    early = orders.orders["date"] < pd.Timestamp("2023-10-01")  # the later may be still to come
    at_risk = int((early & ~orders.orders["date"].isin(strike)).sum())
    known = set(orders.orders.loc[early, "order_id"])
    for kind in ("late_delivery", "out_of_stock"):
        rate = LARGE.problems[kind].per_order
        happened = orders.incidents[orders.incidents["type"] == kind]["order_id"].isin(known).sum()
        assert happened == pytest.approx(rate * at_risk, abs=4 * math.sqrt(rate * at_risk))


def test_a_certain_end_ends_it() -> None:
    # With a logit of 30 every incident is the last thing but operations' own findings.
    fatal = {k: replace(p, detected_by="customer") for k, p in TRUTH.problems.items()}
    truth = replace(
        LARGE, problems=fatal, severity=0.0, unresolved=0.0, upset=0.0, goodwill=0.0,
        lateness=0.0, earlier_purchases=0.0, earlier_incident=0.0, group_failure_share=0.0,
    )  # fmt: skip
    truth = replace(truth, problems={k: replace(p, dropout=1 - 1e-13) for k, p in fatal.items()})
    shop = simulate(truth, seed=4)
    assert shop.incidents["customer_id"].is_unique
    last = shop.orders.groupby("customer_id")["date"].max()
    ended = shop.incidents.set_index("customer_id")["occurred_at"]
    assert (last[ended.index] <= ended).all()


def test_the_group_failure_is_one_cause_on_its_days(shop: Shop) -> None:
    together = shop.incidents[shop.incidents["problem_id"] == GROUP_FAILURE]
    ordered = together["order_id"].map(shop.orders.set_index("order_id")["date"])
    strike = pd.date_range(LARGE.group_failure_start, periods=LARGE.group_failure_days)
    assert ordered.isin(strike).all()
    assert set(together["type"]) == {"late_delivery"}
    of_all = shop.orders["date"].isin(strike).sum()
    share = LARGE.group_failure_share
    assert len(together) == pytest.approx(
        share * of_all, abs=4 * math.sqrt(of_all * share * (1 - share))
    )


def test_the_step_of_goodwill_is_drawn_at_its_probability(shop: Shop) -> None:
    drawn = shop.incidents[shop.incidents["assigned_arm"].notna()]
    step = drawn["assigned_arm"] == "step"
    p = LARGE.step_probability
    assert step.mean() == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / len(drawn)))
    assert np.allclose(drawn["assignment_probability"], np.where(step, p, 1 - p))
    ratio = drawn["goodwill_amount"] / drawn["loss_amount"]
    assert (ratio[step] > 0.95 * LARGE.step_ratio).all()  # goodwill is rounded to cents
    assert (ratio[~step] < 1.05 * LARGE.usual_ratio + 0.01 / 0.2).all()


def test_arms_are_drawn_at_their_shares_and_spend_what_they_say(shop: Shop) -> None:
    table = shop.campaigns
    for name, arm in LARGE.arms.items():
        of_arm = table[table["arm"] == name]
        assert set(of_arm["spend"]) == {arm.spend}
        assert set(of_arm["assignment_probability"]) == {arm.share}
        assert len(of_arm) / len(table) == pytest.approx(
            arm.share, abs=4 * math.sqrt(arm.share * (1 - arm.share) / len(table))
        )


def test_a_campaign_that_keeps_everybody_keeps_them() -> None:
    # All leave after the second order (p → 1), but those whom the campaign keeps from its day on.
    truth = replace(
        TRUTH, customers=500, a=1e9, b=1e-9, problems={}, group_failure_share=0.0,
        kept_share=1.0, spend_scale=1e-3, arms={"control": Arm(0.5, 0), "all": Arm(0.5, 1.0)},
    )  # fmt: skip
    shop = simulate(truth, seed=6)
    orders = shop.orders.groupby("customer_id").size()
    arm = shop.campaigns.set_index("customer_id")["arm"]
    assert orders[arm[arm == "control"].index].max() == 2
    assert orders[arm[arm == "all"].index].max() > 5


def test_dropout_adds_up_what_its_truth_says() -> None:
    # By hand: logit .25 + .45 · 2 − .3 ln 4 + .9 · .5 − 1.3 ln 1.5 + 1.5 · .5 · (1 − 2⁻¹) + 1.
    logit = (
        math.log(0.25 / 0.75) + 0.9 - 0.3 * math.log(4) + 0.45
        - 1.3 * math.log(1.5) + 0.375 + 1.0
    )  # fmt: skip
    pi = TRUTH.dropout(
        "defective", severity=3, earlier_purchases=3, earlier_incident=0.5, goodwill_ratio=0.5,
        hours=28.0, resolved=False,
    )  # fmt: skip
    assert pi == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-12)
