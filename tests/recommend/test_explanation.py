"""A policy in words: what it says follows from the policy, for each of the three examples."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.recommend.explanation import EXAMPLES, explain_policy
from clv.recommend.policy import Policy
from clv.recommend.recovery import recovery_limit


@given(st.floats(0.05, 0.9), st.floats(0, 0.5), st.none() | st.integers(1, 120))
def test_value_is_the_sum_over_the_months(margin: float, d: float, months: int | None) -> None:
    policy = Policy(margin=margin, discount_rate=d, horizon_months=months)
    for example in EXAMPLES:
        monthly = margin * example.spend * example.per_year / 12
        # 12,000 months: what is left after them is below 1e-20 of the whole at 5 % leaving a year
        ends = range(1, (months or 12_000) + 1)
        summed = sum(monthly * (example.stays / (1 + d)) ** (month / 12) for month in ends)
        assert example.value(policy) == pytest.approx(summed, rel=1e-9)


def test_answers_are_those_of_the_functions() -> None:
    policy = Policy.parse('currency = "EUR"')
    explained = explain_policy(policy)
    assert [one.stage for one in explained.customers] == ["new", "long-time", "long-time"]
    values = [one.value for one in explained.customers]
    assert values == sorted(values)
    for one, told in zip(explained.customers, explained.paragraphs, strict=True):
        assert [answer.problem for answer in one.answers] == ["late_delivery", "mistreated"]
        for answer in one.answers:
            same = recovery_limit(
                policy, answer.problem, answer.loss,
                value_if_alive=one.value, frequency=one.customer.purchases - 1,
            )  # fmt: skip
            assert answer == same
            assert f"{answer.recommended:,.2f} EUR" in " ".join(told)
            assert answer.binding in " ".join(told)
        assert f"{one.value:,.2f} EUR" in told[1]
        assert (f"{one.retention:,.2f} EUR" in told[-1]) or one.retention == 0
    assert explained.policy_version == policy.version


def test_a_figure_of_the_policy_that_changes_is_told() -> None:
    plain = explain_policy(Policy())
    for line, part in {
        "[recovery]\nprompt_hours = 8.0": "Answer within 8 hours",
        "[authority]\nmanager = 700.0": "manager 700.00",
        "[recovery]\nmost_in_12_months = 90.0": "in 12 months nobody more than 90.00",
        "[fairness]\nspread = 3.0": "more than 3 times the floor, where the problem type has one",
        "[integral]\nvalue_share = 0.05": "5 % or more of the value",
        "[abuse]\nfactor = 4.0": "over 4 times as often",
        '[stages]\nlabel_new = "fresh"': "Stage: fresh.",
        "[retention]\nappreciation_new = 2.5": "2.50 is set aside as thanks",
        "[problems.lost]\nlabel = 'lost parcel'\ndropout = 0.9": "Lost parcel, 25.00 lost",
        "[problems.outage]\nperson_decides = true": "outage, safety or privacy",
    }.items():
        told = explain_policy(Policy.parse(line))
        assert part in " ".join([*sum(told.paragraphs, ()), *told.rules]), line
        assert part not in " ".join([*sum(plain.paragraphs, ()), *plain.rules]), line
        assert told.policy_version != plain.policy_version


def test_no_goodwill_is_said_so() -> None:
    explained = explain_policy(Policy.parse("[problems.late_delivery]\nfloor_share = 0.0"))
    assert (
        "Late delivery, 25.00 lost: fix it and apologise, no goodwill" in explained.paragraphs[0][2]
    )


def test_a_policy_with_one_problem_type_only_people_settle() -> None:
    lines = "".join(f"[problems.{key}]\nperson_decides = true\n" for key in Policy().problems)
    explained = explain_policy(Policy.parse(lines))
    assert all("a person decides" in line for told in explained.paragraphs for line in told[2:4])


def test_ready_for_json() -> None:
    told = explain_policy(Policy()).to_dict()
    assert json.loads(json.dumps(told)) == told
    assert len(told["rows"]) == 6
