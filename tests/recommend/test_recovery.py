"""One customer's answer: the amounts, the words, what is assumed, the JSON."""

from __future__ import annotations

import json
import re
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
        "ceiling", "floor", "authority", "pay_now", "escalate", "binding", "cost_per_hour",
        "cost_per_late_hour", "stage", "reasons", "warnings", "owed", "other_form", "risk_averse",
        "review", "assumed", "learned", "inputs", "currency", "policy_version", "recommended_low",
        "recommended_high", "without_range",
    ]  # fmt: skip
    assert told["customer_id"] == "00042"
    assert isinstance(told["reasons"], list)


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
