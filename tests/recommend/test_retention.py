"""Retention budgets: the policy's figures in, who gets how much out, in numbers and in words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from clv.errors import AllocationError, RequestError
from clv.recommend import Policy, RetentionBudget, allocate, retention_budget
from clv.recommend.policy import RetentionRules
from clv.recommend.quotas import Quota
from clv.recommend.stages import STAGES

COLUMNS: dict[str, list[float]] = {
    "p_alive": [0.9, 0.5, 0.99],
    "value_if_alive": [800.0, 90.0, 3000.0],
    "value_leaves": [0.4, 0.3, 0.1],
    "expected_spend": [60.0, 40.0, 120.0],
}


def budget(
    policy: Policy | None = None, *, total: float | None = None, **over: Any
) -> RetentionBudget:
    return retention_budget(
        policy or Policy(), ["007", "b", "c"], **{**COLUMNS, **over}, total=total
    )


def test_benefit_and_scale_are_those_of_the_policy() -> None:
    # w = A·V·d·e and k = 1/(scale × spend per purchase); without a budget s = ln(wk)/k
    policy = Policy(retention=RetentionRules(effect=0.3, money_scale=0.5, max_per_customer=1e6))
    A, V, d, m = (np.array(column) for column in COLUMNS.values())
    w, scale = A * V * d * 0.3, 0.5 * m
    got = budget(policy)
    spend = np.maximum(0, scale * np.log(w / scale))
    assert got.spend == pytest.approx(spend)
    assert got.expected_gain == pytest.approx(w * (1 - np.exp(-spend / scale)))
    assert got.total == pytest.approx(spend.sum())
    assert got.optimal_total == pytest.approx(spend.sum())


def test_the_worked_example_of_the_allocation() -> None:
    # docs/explanation/retention.md, first two customers: w (120, 30), k .05 at a spend of 40
    # and a scale of .5; the same budget less what the third got, so the same shadow price.
    got = retention_budget(
        Policy(retention=RetentionRules(effect=0.3, min_per_customer=5.0)),
        ["a", "b"],
        p_alive=[1, 1],
        value_if_alive=[400, 100],
        value_leaves=[1, 1],
        expected_spend=[40, 40],
        total=80 - 47.77907,
    )
    assert got.spend == pytest.approx([27.22093, 5], abs=1e-5)
    assert got.shadow_price == pytest.approx(1.5383539, abs=1e-6)


def test_rows_keep_ids_as_text_and_in_order() -> None:
    rows = budget(total=20).to_dict()["rows"]
    assert [row["customer_id"] for row in rows] == ["007", "b", "c"]
    assert list(rows[0]) == ["customer_id", "spend", "expected_gain"]


def test_stable_keys_and_json() -> None:
    told = json.loads(json.dumps(budget(total=20).to_dict()))
    assert set(told) == {
        "rows", "total", "shadow_price", "optimal_total", "unspent",
        "assumed", "sentences", "currency", "policy_version", "total_gain", "gain_low", "gain_high",
        "gain_low_orders", "gain_high_orders", "range_from_money",
        "customers_kept", "harmed", "segments", "cost_of_quotas",
    }  # fmt: skip
    assert told["total"] == pytest.approx(20)


def test_assumed_figures_are_named_until_set() -> None:
    assert "retention.effect" in budget().assumed
    learned = Policy.parse("[retention]\neffect = 0.2")
    assert "retention.effect" not in budget(learned).assumed
    assert "retention.money_scale" in budget(learned).assumed


def test_limits_per_customer_are_kept() -> None:
    got = budget(Policy(retention=RetentionRules(min_per_customer=2.0, max_per_customer=12.0)))
    assert got.spend.min() >= 2
    assert got.spend.max() <= 12
    assert got.optimal_total == got.total


def test_sentences_say_what_the_next_unit_returns_and_what_to_ask_for() -> None:
    euro = Policy(currency="EUR")
    short = budget(euro, total=20)
    assert f"next 1.00 EUR of budget would keep {short.shadow_price:.2f}" in short.sentences[1]
    assert f"worth asking for is {short.optimal_total:,.2f} EUR" in short.sentences[1]
    plenty = budget(euro, total=10_000)
    assert f"{plenty.unspent:,.2f} EUR of the budget is not spent" in plenty.sentences[1]
    assert (
        f"{plenty.optimal_total:,.2f} EUR is the total worth asking for"
        in budget(euro).sentences[1]
    )
    assert "no reason to ask for a budget" in budget(value_if_alive=[0, 0, 0]).sentences[0]


def test_nothing_at_stake_needs_no_spend_per_purchase() -> None:
    got = budget(value_if_alive=[800, 0, 3000], expected_spend=[60, 0, 120])
    assert got.spend[1] == 0


def test_all_faults_at_once_with_the_customers() -> None:
    with pytest.raises(RequestError) as told:
        budget(
            p_alive=[1.2, 0.5, 1],
            value_if_alive=[1, np.nan, -3],
            expected_spend=[0, 1, 1],
            value_leaves=[0.1, 2, 0.1],
        )
    for part in (
        "p_alive",
        "007",
        "value_if_alive",
        "2 of 3",
        "b, c",
        "value_leaves",
        "expected_spend",
    ):
        assert part in str(told.value)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(RequestError, match=r"value_leaves \(2,\)"):
        budget(value_leaves=[0.1, 0.1])


def test_floors_above_the_budget_are_refused() -> None:
    with pytest.raises(AllocationError, match="more than the budget"):
        budget(Policy(retention=RetentionRules(min_per_customer=10.0)), total=20)


def test_learned_effects_take_the_place_of_the_policy() -> None:
    # w = A·V·d·e and k = 1/(scale · m), customer by customer
    e, scale = np.array([0.3, 0.5, 0.1]), np.array([0.5, 0.4, 1.0])
    A, V, d, m = (np.array(column) for column in COLUMNS.values())
    got = budget(effect=e, money_scale=scale, total=60)
    direct = allocate(A * V * d * e, 1 / (scale * m), hi=50, total=60)
    assert got.spend == pytest.approx(direct.spend)
    assert not {"retention.effect", "retention.money_scale"} & set(got.assumed)
    assert "retention.max_per_customer" in got.assumed
    same = budget(effect=[0.3] * 3, money_scale=[0.5] * 3, total=60)
    assert same.spend == pytest.approx(budget(total=60).spend)


def test_customers_whom_contact_drives_away_get_nothing_and_are_counted() -> None:
    policy = Policy(retention=RetentionRules(min_per_customer=2.0))
    got = budget(policy, effect=[0.3, -0.2, 0.0])
    assert got.spend[1:].tolist() == [0, 0]
    assert got.harmed == 1
    assert any("1 customer is left alone" in told for told in got.sentences)
    harmful = budget(Policy(retention=RetentionRules(effect=-0.1)))
    assert (harmful.harmed, harmful.total) == (3, 0)
    assert "no reason to ask for a budget" in harmful.sentences[0]
    assert "3 customers are left alone" in harmful.sentences[1]


def test_the_least_by_stage_holds_where_stages_are_given() -> None:
    policy = Policy(retention=RetentionRules(min_long_time=7.0, min_per_customer=1.0))
    codes = [STAGES.index(name) for name in ("long_time", "long_time", "new")]
    got = budget(policy, stage=codes, total=20)
    assert got.spend.min() >= 1
    assert got.spend[:2].min() >= 7
    assert not any("not applied" in told for told in got.sentences)
    assert any("least by stage is not applied" in told for told in budget(policy).sentences)
    with pytest.raises(RequestError, match="stage"):
        budget(policy, stage=[1, 2])


def test_segments_and_quotas() -> None:
    got = budget(total=30, segment=["x", "y", "x"], quotas={"y": Quota(least=3)})
    assert got.spend[1] == pytest.approx(3)
    assert [(s.segment, s.customers, s.binding) for s in got.segments] == [
        ("x", 2, ""),
        ("y", 1, "least"),
    ]
    assert got.cost_of_quotas > 0
    free = budget(total=30)
    lost = free.total_gain - got.total_gain
    assert got.cost_of_quotas == pytest.approx(lost)
    assert any(f"would gain {lost:,.2f} more" in told for told in got.sentences)
    assert next(got.rows())["segment"] == "x"
    assert got.to_dict()["segments"][1]["most"] is None
    with pytest.raises(RequestError, match="segment"):
        budget(quotas={"y": Quota(least=3)})


def test_customers_kept_are_gains_over_values() -> None:
    # kept_i = A d e (1 − exp(−ks)), so gain = kept · V
    got = budget(total=40)
    V = np.array(COLUMNS["value_if_alive"])
    kept = float((got.expected_gain / V).sum())
    assert got.customers_kept == pytest.approx(kept)
    assert got.cost_of_keeping == pytest.approx(40 / kept)
    assert np.isnan(budget(value_if_alive=[0, 0, 0]).cost_of_keeping)


def test_learned_figures_that_make_no_sense_are_refused() -> None:
    with pytest.raises(RequestError) as told:
        budget(effect=[1.2, 0.1, 0.1], money_scale=[0.0, 1, 1])
    assert "effect must be from -1 to 1" in str(told.value)
    assert "money_scale must be a finite number above 0" in str(told.value)
