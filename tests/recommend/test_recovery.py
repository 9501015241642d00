"""One customer's answer: the amounts, the words, what is assumed, the JSON."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.recommend import Policy, Recovery, recovery_limit
from clv.recommend.limits import BINDINGS

DEFAULT = Policy()
WIDE = "\n[fairness]\nspread = 1000.0\n"


def answer(text: str = "", problem: str = "defective", **more: Any) -> Recovery:
    """An answer that the spread of goodwill, which has tests of its own, does not limit."""
    request = {"loss": 40.0, "value_if_alive": 2000.0, "frequency": 2, **more}
    return recovery_limit(Policy.parse(text + WIDE), problem, **request)


@given(
    loss=st.floats(0, 1e6),
    V=st.floats(0, 1e9),
    problem=st.sampled_from([*DEFAULT.problems]),
    hours=st.floats(0, 500),
    given_before=st.floats(0, 600),
    severity=st.integers(1, 4),
)
def test_every_answer_gives_reasons_that_can_be_read_aloud(
    loss: float, V: float, problem: str, hours: float, given_before: float, severity: int
) -> None:
    got = recovery_limit(
        DEFAULT,
        problem,
        loss,
        value_if_alive=V,
        frequency=3,
        hours=hours,
        severity=severity,
        given_12_months=given_before,
    )
    assert got.binding in BINDINGS
    for reason in got.reasons:
        assert re.fullmatch(r"[A-Z0-9][ -~]+\.", reason), reason  # plain letters, one sentence end
        assert not re.search(r"nan|inf\b|None|_", reason), reason
    assert any("owed by law" in reason for reason in got.reasons)
    json.dumps(got.to_dict(), allow_nan=False)


def test_stable_keys() -> None:
    told = answer(customer_id="00042").to_dict()
    assert list(told) == [
        "customer_id", "sentence", "problem", "loss", "first_gesture", "recommended", "most",
        "ceiling", "floor", "authority", "pay_now", "escalate", "binding",
        "amount_binding", "cost_per_hour", "cost_per_late_hour", "stage", "reasons", "warnings",
        "owed", "other_form", "risk_averse", "review", "assumed", "learned", "inputs", "currency",
        "policy_version", "recommended_low", "recommended_high", "without_range",
    ]  # fmt: skip
    assert told["customer_id"] == "00042"
    assert isinstance(told["reasons"], list)


@pytest.mark.parametrize(
    ("text", "more", "limit", "said"),
    [
        (
            "[recovery]\nmost_in_12_months = 500",
            {"given_12_months": 497},
            "12-month limit",
            "497.00",
        ),
        ("[problems.defective]\nfloor_fixed = 300", {}, "policy floor", "(policy floor"),
        ("", {"value_if_alive": 20.0}, "policy floor, not justified by value", "not justified"),
        ("", {"already_given": 10.0}, "given already", "already: that is all it is worth"),
    ],
)
def test_of_an_integral_customer_the_limit_is_told_too(
    text: str, more: dict[str, Any], limit: str, said: str
) -> None:
    """A person decides; what bound the amount is what would bind it of any other customer."""
    asked = {"loss": 40.0, "value_if_alive": 9000.0, "frequency": 2} | more
    policy = Policy.parse(text)
    theirs, others = (
        recovery_limit(policy, "defective", **asked, value_share=share) for share in (0.5, 0.0)
    )
    assert theirs.binding == "a person decides"
    assert theirs.amount_binding == others.binding == others.amount_binding
    assert theirs.amount_binding.startswith(limit)
    (reason,) = (told for told in theirs.reasons if "from which a person decides" in told)
    assert "Goodwill alone, within the policy" in reason
    assert said in reason


def test_amounts_carry_the_currency() -> None:
    got = answer('currency = "EUR"')
    assert got.currency == "EUR"
    assert "27.00 EUR" in " ".join(got.reasons)


@pytest.mark.parametrize(
    ("text", "more", "binding", "said"),
    [
        ("", {}, "value at stake", "where the next 1 would bring back less than it costs"),
        ("", {"value_if_alive": 10.0, "loss": 10.0}, "too little at stake", "takes no goodwill"),
        ("", {"value_if_alive": 1e6}, "share of the loss", "1.5 times the loss, 60.00"),
        ("", {"given_12_months": 490.0}, "12-month limit", "490.00 has been given"),
        ("[recovery]\nhandling_cost = 28", {"loss": 19.0}, "too small to handle", "too small"),
        ("", {"value_if_alive": 500.0, "loss": 120.0}, "policy floor, not justified by value",
         "not justified by value: at this customer's value none pays for itself"),
        ("", {"problem": "mistreated", "loss": 2.0}, "policy floor", "gets 10.00 (policy floor)"),
        ("", {"problem": "safety_or_privacy"}, "a person decides", "decided by a person"),
    ],
)  # fmt: skip
def test_the_words_say_what_decided(
    text: str, more: dict[str, Any], binding: str, said: str
) -> None:
    got = answer(text, **more)
    assert got.binding == binding
    assert any(said in reason for reason in got.reasons)


def test_who_may_give_it() -> None:
    small = answer(value_if_alive=1200.0)
    assert small.authority == "automatic"
    assert any("without asking anyone" in reason for reason in small.reasons)
    middle = answer()
    assert middle.authority == "agent"
    assert any("agent may give 27.00 without asking" in reason for reason in middle.reasons)
    none = answer(value_if_alive=10.0, loss=10.0)
    assert not any("may give" in reason or "may approve" in reason for reason in none.reasons)


def test_asking_is_advised_for_or_against_with_both_amounts() -> None:
    against = answer(value_if_alive=8000.0, hours=4.0)
    assert not against.escalate
    assert against.pay_now == DEFAULT.authority.agent
    cost = f"{against.inputs.cost_of_asking:,.2f}"
    assert any("Give 50.00 now" in reason and cost in reason for reason in against.reasons)
    wanted = answer(value_if_alive=50_000.0, loss=400.0, hours=1000.0)
    assert wanted.escalate
    assert any(reason.startswith("Ask for the rest: it gains") for reason in wanted.reasons)
    owed = answer(problem="billing_error", loss=900.0, value_if_alive=10.0)
    assert owed.escalate
    assert any("floor is above what the agent may give" in reason for reason in owed.reasons)


def test_the_first_gesture_is_offered_first() -> None:
    assert any("Offer 13.00 first" in reason for reason in answer().reasons)
    assert any(
        "offer goodwill only if" in r
        for r in answer(value_if_alive=800.0, problem="returned_item", loss=30.0).reasons
    )
    floor = answer(value_if_alive=1500.0, loss=60.0, problem="wrong_item")
    assert floor.first_gesture == floor.floor < floor.recommended
    assert any("Offer the policy floor of 6.00 first" in reason for reason in floor.reasons)


def test_waiting_is_named() -> None:
    assert any("After 28 hours" in r and "75 %" in r for r in answer(hours=28.0).reasons)  # g(28)
    assert not any("hours an answer" in r for r in answer(hours=4.0).reasons)


def test_word_of_mouth_and_doubt_are_named() -> None:
    got = answer(word_of_mouth=15.12, p_alive=0.5)
    assert any("15.12 of it through what others are told" in reason for reason in got.reasons)
    assert any("chance that this is still a customer is 50 %" in reason for reason in got.reasons)


def test_assumed_names_what_had_a_part_and_nothing_else() -> None:
    plain = set(answer().assumed)
    assert {"recovery.savable_share", "problems.defective.dropout", "authority.agent"} <= plain
    assert not any(key.startswith(("retention.", "problems.outage")) for key in plain)
    conditional: dict[str, dict[str, Any]] = {
        "dropout.per_severity_level": {"severity": 2},
        "dropout.earlier_incident": {"days_since_incident": 10.0},
        "recovery.half_life_hours": {"hours": 10.0},
        "margin": {"form": "credit"},
        "recovery.escalation_cost": {"value_if_alive": 1e5},
    }
    for key, more in conditional.items():
        assert key not in plain
        assert key in answer(**more).assumed
    assert "dropout.per_log_purchases" in plain
    assert "dropout.per_log_purchases" not in answer(frequency=0).assumed


def test_what_the_company_has_set_is_not_assumed() -> None:
    text = "[recovery]\nsavable_share = 0.6\n[problems.defective]\ndropout = 0.15"
    own, assumed = answer(text), answer()
    assert own.recommended == assumed.recommended
    assert set(assumed.assumed) - set(own.assumed) == {
        "recovery.savable_share",
        "problems.defective.dropout",
    }
    assert own.policy_version == assumed.policy_version


def test_inputs_are_kept() -> None:
    inputs = answer(value_if_alive=np.float64(2000), hours=28, form="credit").inputs
    assert (inputs.value_if_alive, inputs.hours, inputs.form) == (2000.0, 28.0, "credit")
    assert inputs.promptness == pytest.approx(0.75)  # g(28), docs/explanation/recovery.md
    assert inputs.unit_cost == pytest.approx(0.42)  # .7 × (1 − .4)
    assert answer(days_since_incident=float("nan")).inputs.days_since_incident is None


def test_one_customer_only() -> None:
    with pytest.raises(RequestError, match="one customer"):
        answer(loss=[1.0, 2.0])


# ------------------------------------------------------------------------ what comes beside it


def test_the_answer_comes_in_one_sentence() -> None:
    cases: dict[str, dict[str, Any]] = {
        "Offer 13.00 first; if that is not enough, up to 27.00. The agent may give it.": {},
        "Offer nothing more: 27.00 has been given on this problem already.": {"already_given": 27},
        "Fix it and apologise; no goodwill.": {"value_if_alive": 10.0, "loss": 10.0},
        "A person decides this one: pass it on at once, and promise nothing.": {
            "problem": "safety_or_privacy"
        },
    }
    for sentence, more in cases.items():
        assert answer(**more).sentence == sentence
    # 13 of the 27 have been given; the tier goes by all of them
    told = "Fix it and apologise; if that is not enough, offer up to 14.00 more."
    assert answer(already_given=13.0).sentence == f"{told} The agent may give it."


def test_the_sentence_says_whom_to_ask() -> None:
    against = answer(value_if_alive=8000.0, hours=4.0)
    assert against.sentence.endswith(
        "up to 50.00 now; do not ask for more, the wait would cost more than it gains."
    )
    wanted = answer(value_if_alive=50_000.0, loss=400.0, hours=1000.0)
    amount = f"{wanted.recommended:,.2f}"
    assert wanted.sentence.endswith(f" now, and ask: the manager tier may give {amount}.")
    used_up = answer(problem="billing_error", loss=900.0, value_if_alive=10.0, already_given=50.0)
    assert used_up.sentence == "Ask: the senior tier may give 40.00 more."  # 10 % of 900, less 50


def test_both_forms_stand_side_by_side() -> None:
    cash, credit = answer(), answer(form="credit")
    for one, other in ((cash, credit), (credit, cash)):
        beside = one.other_form
        assert (beside.form, beside.unit_cost) == (other.inputs.form, other.inputs.unit_cost)
        for name in ("first_gesture", "recommended", "most"):
            assert getattr(beside, name) == getattr(other, name)
        assert beside.net_gain == other.inputs.net_gain
    assert any(reason.startswith("In store credit it would be") for reason in cash.reasons)
    assert any(reason.startswith("In cash it would be 27.00") for reason in credit.reasons)


def test_the_spread_is_named_where_it_binds() -> None:
    got = recovery_limit(DEFAULT, "defective", 40.0, value_if_alive=2000.0, frequency=2)
    assert (got.binding, got.recommended) == ("fair spread", 10.0)  # 5 times 5 % of 40
    told = " ".join(got.reasons)
    assert (
        "nobody gets more than 5 times the least that anyone gets, the policy floor: 10.00" in told
    )
    assert f"would justify up to {got.most:,.2f}" in told
    assert "fairness.spread" in got.assumed
    assert "fairness.spread" not in answer(problem="returned_item").assumed  # it has no floor


def test_what_an_hour_costs_is_said_before_it_is_lost_and_after() -> None:
    prompt, edge, late = (answer(hours=h) for h in (0.0, 4.0, 28.0))
    assert prompt.cost_per_hour == 0
    assert any(
        f"after that each hour costs {prompt.cost_per_late_hour:.2f}" in r for r in prompt.reasons
    )
    assert any(r.startswith("From now on each hour") for r in edge.reasons)
    assert edge.cost_per_hour == edge.cost_per_late_hour == prompt.cost_per_late_hour
    assert any(f"Each hour more costs {late.cost_per_hour:.2f}" in r for r in late.reasons)


def test_a_policy_that_pays_more_than_is_at_stake_is_flagged() -> None:
    got = answer(problem="mistreated", loss=2.0, value_if_alive=20.0)
    assert got.recommended == got.floor == 10
    (warning,) = got.warnings
    assert f"costs more than all that is at stake with this customer, {got.ceiling:,.2f}" in warning
    assert not answer(problem="mistreated", loss=2.0, value_if_alive=200.0).warnings


LAW = """
[[statutory]]
name = "refund of the shipping fee"
problems = ["late_delivery"]
country = "Utopia"
amount = 5.0
valid_from = 2022-01-01
source = "an invented law"
"""


def test_what_the_law_gives_stands_beside_and_changes_nothing() -> None:
    case: dict[str, Any] = {"problem": "late_delivery", "value_if_alive": 9000.0}
    with_law, without = answer(LAW, on=date(2024, 3, 1), **case), answer(**case)
    (owed,) = with_law.owed
    assert owed.amount == 5
    assert owed.sentence in with_law.reasons
    assert with_law.recommended == without.recommended
    assert not answer(LAW, on=date(2021, 3, 1), **case).owed
    assert not answer(LAW, on=date(2024, 3, 1), country="Arcadia", **case).owed
    json.dumps(with_law.to_dict(), allow_nan=False)


def test_one_flat_row_for_csv() -> None:
    row = answer(LAW, "late_delivery", on=date(2024, 3, 1), claims=3).row()
    assert all(value is None or isinstance(value, str | float | bool) for value in row.values())
    assert row["reasons"].startswith("Kept, this customer is worth")


@given(
    V=st.floats(0, 1e6),
    low=st.floats(0, 1),
    high=st.floats(1, 3),
    problem=st.sampled_from([*DEFAULT.problems]),
    already=st.floats(0, 100),
)
def test_the_range_is_one(V: float, low: float, high: float, problem: str, already: float) -> None:
    got = recovery_limit(
        DEFAULT, problem, 40.0, value_if_alive=V, frequency=3, value_low=low * V,
        value_high=high * V, already_given=already,
    )  # fmt: skip
    assert got.recommended_low is not None
    assert got.recommended_high is not None
    assert 0 <= got.recommended_low <= got.recommended_high
    assert got.without_range == ""
