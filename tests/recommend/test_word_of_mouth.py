"""Word of mouth: it closes on the company's own acquisition, or is not priced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.recommend.policy import AcquisitionFigures, Policy, WordOfMouthRules
from clv.recommend.word_of_mouth import word_of_mouth

COMPANY = AcquisitionFigures(
    cost_per_customer=30.0,
    acquired_per_year=100_000.0,
    share_by_word_of_mouth=0.3,
    happy_customers=400_000.0,
)
GROSS = 150.0
"""Value of a new customer before the 30 that winning one costs: 120 net, as in the examples."""


def policy(told_when_happy: float = 5, told_when_unhappy: float = 10, **rules: Any) -> Policy:
    told = {"told_when_happy": told_when_happy, "told_when_unhappy": told_when_unhappy}
    return Policy(acquisition=COMPANY, word_of_mouth=WordOfMouthRules(**told, **rules))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # docs/explanation/word_of_mouth.md: 100,000 acquired, 30 %, 400,000 happy, V_new 120.
        ((5, 10), (9.00, 9.90, 18.90)),
        ((50, 100), (9.00, 9.90, 18.90)),
        ((50, 250), (9.00, 24.75, 33.75)),
    ],
)
def test_worked_examples(told: tuple[float, float], expected: tuple[float, ...]) -> None:
    worth = word_of_mouth(policy(*told), GROSS)
    found = (worth.per_happy, worth.per_unhappy, worth.swing)
    assert found == pytest.approx(expected, abs=5e-10)
    assert worth.at_stake == pytest.approx(0.8 * worth.swing)  # u0 of the default policy
    assert worth.priced
    assert not worth.warnings


@given(st.floats(1, 1e3), st.floats(0.1, 20), st.floats(0, 2), st.floats(30, 1e4))
def test_it_explains_the_customers_whom_it_has_brought(
    happy: float, ratio: float, weight: float, value: float
) -> None:
    worth = word_of_mouth(policy(happy, happy * ratio, weight_of_bad=weight), value)
    # all happy customers together bring the value of all who came by word of mouth
    assert worth.per_happy * 400_000 == pytest.approx(0.3 * 100_000 * (value - 30), abs=1e-6)
    assert worth.per_unhappy == pytest.approx(weight * ratio * worth.per_happy, abs=1e-9)


@pytest.mark.parametrize("missing", list(AcquisitionFigures.model_fields))
def test_without_any_one_figure_nothing_is_priced(missing: str) -> None:
    figures = AcquisitionFigures(**{**COMPANY.model_dump(), missing: None})
    worth = word_of_mouth(Policy(acquisition=figures), GROSS)
    assert (worth.priced, worth.swing, worth.at_stake) == (False, 0, 0)
    assert f"[acquisition] of the policy lacks {missing}" in worth.warnings[0]
    assert not worth.assumed


def test_all_that_is_missing_is_named() -> None:
    (told,) = word_of_mouth(Policy(), None).warnings
    for name in ("nothing of [acquisition]", "the value of a new customer"):
        assert name in told
    one, *others = AcquisitionFigures.model_fields
    stated = AcquisitionFigures(**{one: COMPANY.model_dump()[one]})
    (told,) = word_of_mouth(Policy(acquisition=stated), GROSS).warnings
    assert all(name in told for name in others)
    assert one not in told


def test_nothing_is_gained_by_customers_who_cost_more_than_they_are_worth() -> None:
    worth = word_of_mouth(policy(), 30.0)
    assert (worth.priced, worth.swing) == (True, 0)
    assert "worth nothing" in worth.warnings[0]


def test_figures_that_contradict_each_other_are_flagged() -> None:
    few = AcquisitionFigures(**{**COMPANY.model_dump(), "happy_customers": 100.0})
    (told,) = word_of_mouth(Policy(acquisition=few), GROSS).warnings
    assert "60 new customers come for each person" in told  # 30,000 / (100 · 5)


def test_what_is_assumed() -> None:
    own = Policy.parse("[word_of_mouth]\nweight_of_bad = 0.55").model_copy(
        update={"acquisition": COMPANY}
    )
    names = {"told_when_happy", "told_when_unhappy", "unhappy_if_ignored"}
    assert set(word_of_mouth(own, GROSS).assumed) == {f"word_of_mouth.{n}" for n in names}


def test_ready_for_json() -> None:
    worth = word_of_mouth(policy(), GROSS)
    assert json.loads(json.dumps(worth.to_dict()))["swing"] == worth.swing


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number(value: float) -> None:
    with pytest.raises(RequestError, match="finite amount"):
        word_of_mouth(policy(), value)
