"""Stages: everyone is in exactly one, by the rules in their order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clv.errors import PolicyError, RequestError
from clv.recommend.policy import IntegralRules, Policy, StageRules
from clv.recommend.stages import STAGES, by_stage, stage_of

customers = st.fixed_dictionaries(
    {
        "days_since_first": st.floats(0, 5000) | st.just(math.nan),
        "purchases": st.integers(1, 100),
        "p_alive": st.floats(0, 1),
        "value_share": st.floats(0, 1),
    }
).map(
    lambda one: {**one, "purchases": 0 if math.isnan(one["days_since_first"]) else one["purchases"]}
)


def named(policy: Policy | None = None, **customer: Any) -> str:
    given_too = {"days_since_first": 200.0, "purchases": 2, "p_alive": 0.9, "value_share": 1e-4}
    return STAGES[int(stage_of(policy or Policy(), **(given_too | customer)))]


@pytest.mark.parametrize(
    ("customer", "stage"),
    [
        # The defaults of [stages] and [integral], on both sides of each of their limits.
        ({"days_since_first": math.nan, "purchases": 0}, "prospect"),
        ({"days_since_first": 0.0, "purchases": 1, "p_alive": 1.0}, "new"),
        ({"days_since_first": 89.9, "purchases": 2}, "new"),
        ({"days_since_first": 89.9, "purchases": 3}, "short_time"),
        ({"days_since_first": 90.0, "purchases": 1}, "short_time"),
        ({"days_since_first": 364.9, "purchases": 50}, "short_time"),
        ({"days_since_first": 365.0, "purchases": 3}, "long_time"),
        ({"days_since_first": 3650.0, "purchases": 2}, "short_time"),
        ({"days_since_first": 3650.0, "purchases": 50, "p_alive": 0.2}, "long_time"),
        ({"days_since_first": 3650.0, "purchases": 50, "p_alive": 0.199}, "lapsed"),
        ({"value_share": 0.01, "p_alive": 0.1}, "integral"),
        ({"value_share": 0.00999}, "short_time"),
    ],
)
def test_rules_of_the_default_policy(customer: dict[str, Any], stage: str) -> None:
    assert named(**customer) == stage


@given(st.lists(customers, min_size=1, max_size=20))
def test_many_at_once_as_one_by_one(many: list[dict[str, Any]]) -> None:
    together = stage_of(Policy(), **{name: [one[name] for one in many] for name in many[0]})
    assert [STAGES[code] for code in together] == [named(**one) for one in many]


@given(customers, st.floats(0, 1))
def test_after_a_contact_nobody_is_lapsed_or_steps_back(
    customer: dict[str, Any], share: float
) -> None:
    before, after = named(**customer), named(**{**customer, "p_alive": 1.0})
    assert after != "lapsed"
    assert before in {after, "lapsed"}


def test_the_policy_moves_the_limits() -> None:
    own = Policy(
        stages=StageRules(new_days=10.0, long_time_purchases=30, lapsed_below=0.0),
        integral=IntegralRules(value_share=0.2),
    )
    assert named(own, days_since_first=20.0, purchases=1) == "short_time"
    assert named(own, days_since_first=3650.0, purchases=29, p_alive=0.0) == "short_time"
    assert named(own, value_share=0.19) == "short_time"


def test_a_customer_cannot_be_new_and_long_time() -> None:
    with pytest.raises(PolicyError, match=r"stages: a customer cannot be long-time .* still new"):
        Policy.parse("[stages]\nnew_days = 400.0")


def test_every_stage_has_a_label_in_order() -> None:
    assert tuple(StageRules().labels) == STAGES
    own = Policy.parse('[stages]\nlabel_long_time = "Stammkunde"')
    (totals,) = (one for one in by_stage(own, [3], {}) if one.customers)
    assert totals.label == "Stammkunde"
    assert not own.assumed.keys() & {f"stages.label_{stage}" for stage in STAGES}


@given(
    arrays(np.int64, 30, elements=st.integers(0, len(STAGES) - 1)),
    arrays(np.float64, 30, elements=st.floats(0, 1e6)),
)
def test_stages_add_up_to_all(codes: Any, value: Any) -> None:
    totals = by_stage(Policy(), codes, {"value": value})
    assert tuple(one.stage for one in totals) == STAGES
    assert sum(one.customers for one in totals) == len(codes)
    assert sum(one.totals["value"] for one in totals) == pytest.approx(value.sum())
    for code, one in enumerate(totals):
        in_it = value[codes == code]
        assert one.customers == len(in_it)
        if len(in_it):
            assert one.means["value"] == pytest.approx(in_it.mean())
        else:
            assert math.isnan(one.means["value"])
    if value.sum():
        assert sum(one.shares["value"] for one in totals) == pytest.approx(1)


def test_a_row_for_people() -> None:
    row = by_stage(Policy(), [1, 1], {"value": [1.0, 3.0]})[1].to_dict()
    assert row == {
        "stage": "new", "customers": 2, "value": 4.0, "value_share": 1.0, "value_mean": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"days_since_first": -1.0}, "a negative time since the first order"),
        ({"days_since_first": math.nan}, "purchases, but no time"),
        ({"purchases": 0}, "fewer than 1 purchase"),
        ({"p_alive": 1.5}, "P(alive) outside 0 to 1"),
        ({"p_alive": math.nan}, "P(alive) outside 0 to 1"),
        ({"value_share": -0.1}, "a value share outside 0 to 1"),
    ],
)
def test_customers_who_cannot_be(wrong: dict[str, Any], part: str) -> None:
    with pytest.raises(RequestError) as told:
        named(**wrong)
    assert part in str(told.value)


def test_all_that_is_wrong_at_once() -> None:
    with pytest.raises(RequestError, match="1 more fault"):
        named(p_alive=2.0, value_share=2.0)


def test_columns_of_another_length() -> None:
    with pytest.raises(RequestError, match=r"stage \(2,\), value \(3,\)"):
        by_stage(Policy(), [1, 1], {"value": [1.0, 2.0, 3.0]})
