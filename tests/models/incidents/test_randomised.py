"""What goodwill does: on knowledge that the model lacks, and by chance; and what is no chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.incident_history import IncidentHistories
from clv.models.incidents.model import IncidentBGNBD
from clv.models.incidents.randomised import flaw_of_design, not_chance
from tests.models.incidents.test_fit import a_shop, far
from tests.reference.incident_shop import Case, Seen, open_shop

GOODWILL = {"type:late": -0.9, "type:defective": -0.5, "earlier_purchases": -0.35}
WEAK = {
    "type:late": (-1.7, 1.0), "type:defective": (-1.7, 1.0), "earlier_purchases": (-0.35, 0.2),
    "goodwill": (0.0, 1.0),
}  # fmt: skip
EFFECT = -0.418  # recommender.md: the true effect of goodwill; estimated -.92 where it leaks


def to_good_customers(rng: np.random.Generator, case: Case) -> tuple[float, float, float]:
    """Agents give the whole loss back to those of whom they know that they are well disposed."""
    return float(case.hidden > 0), math.nan, math.nan


def by_history(rng: np.random.Generator, case: Case) -> tuple[float, float, float]:
    return min(1.0, 0.3 * case.earlier_purchases), math.nan, math.nan


CHANCE, STEP = 0.4, 1.5


def a_step_more(rng: np.random.Generator, case: Case) -> tuple[float, float, float]:
    """The same as to good customers, and a step more or none by chance."""
    base = float(case.hidden > 0)
    drawn = rng.random() < CHANCE
    expected = CHANCE * math.log(1 + base + STEP) + (1 - CHANCE) * math.log(1 + base)
    return base + STEP * drawn, CHANCE if drawn else 1 - CHANCE, expected


def goodwill_shop(goodwill: Any, *, hidden: float, seed: int = 1) -> Seen:
    true = a_shop(
        GOODWILL | {"goodwill": EFFECT}, goodwill=goodwill, hidden=hidden,
        per_purchase=0.25, hours=1e-9, resolved=1.0,
    )  # fmt: skip
    return open_shop(true, np.full(8000, 80.0), seed)


def test_goodwill_by_modelled_history_biases_nothing() -> None:
    fit = IncidentBGNBD.fit(goodwill_shop(by_history, hidden=0).histories, WEAK)
    assert abs(far(fit, "goodwill", EFFECT)) < 3
    assert fit.goodwill_basis == "associational"


def test_goodwill_on_knowledge_that_the_model_lacks_biases_badly() -> None:
    """True -.418, estimated -.92 and the like (recommender.md), whatever the size of the log."""
    fit = IncidentBGNBD.fit(goodwill_shop(to_good_customers, hidden=-0.3).histories, WEAK)
    assert fit.model.coefficients["goodwill"] < -0.8
    assert far(fit, "goodwill", EFFECT) < -3
    (goodwill,) = (e for e in fit.effects if e.name == "goodwill")
    assert goodwill.basis == "associational"
    assert any("Who gets more may be who would have stayed" in c for c in fit.concerns)


def test_chance_finds_the_effect_where_knowledge_leaks() -> None:
    went = goodwill_shop(a_step_more, hidden=-0.6)
    fit = IncidentBGNBD.fit(went.histories, WEAK)
    assert fit.goodwill_basis == "causal"
    for name, truth in {"goodwill": EFFECT, **GOODWILL}.items():  # types: without goodwill
        assert abs(far(fit, name, truth)) < 3, name
    assert far(fit, "goodwill_selection", 0.0) < -5  # where the leak has gone
    bases = {e.name: e.basis for e in fit.effects}
    assert bases["goodwill"] == "causal"
    assert bases["goodwill_selection"] == "associational"
    assert bases["type:late"] == "data"
    # The answers take the randomised part for what it was when they see these histories again.
    alive = fit.model.p_alive(went.histories)
    assert alive == pytest.approx(fit.p_alive, rel=1e-12)


def test_nothing_of_the_reasons_is_lent_to_the_effect_of_chance() -> None:
    """Before the data θ_g and θ_a = θ_g + δ are independent, each with the prior of goodwill."""
    fit = IncidentBGNBD.fit(goodwill_shop(a_step_more, hidden=0).histories, WEAK)
    g, d = (fit.model.names.index(n) for n in ("goodwill", "goodwill_selection"))
    covariance = fit.believed.covariance[4:, 4:]
    of_reasons = np.eye(len(covariance))[g] + np.eye(len(covariance))[d]
    assert of_reasons @ covariance[g] == pytest.approx(0, abs=1e-12)
    assert of_reasons @ covariance @ of_reasons == pytest.approx(WEAK["goodwill"][1] ** 2)
    assert covariance[g, g] == pytest.approx(WEAK["goodwill"][1] ** 2)


Design = Callable[[IncidentHistories, np.random.Generator], IncidentHistories]


def of_both_arms(h: IncidentHistories, rng: np.random.Generator) -> IncidentHistories:
    """P(step) written down for both arms; by what is known it is .7 for some, .4 for others."""
    e = np.where(h.kind == 0, 0.7, 0.4)
    return replace(h, step=(rng.random(len(e)) < e).astype(float), assignment_probability=e)


def three_arms(h: IncidentHistories, rng: np.random.Generator) -> IncidentHistories:
    """None .6, two steps of .2 each, both called step."""
    step = rng.random(h.incidents) > 0.6
    return replace(h, step=step.astype(float), assignment_probability=np.where(step, 0.2, 0.6))


def chosen(h: IncidentHistories, rng: np.random.Generator) -> IncidentHistories:
    """Somebody's choice, called chance."""
    step = (rng.random(h.incidents) < 0.5).astype(float)
    return replace(h, step=step, assignment_probability=np.where(step == 1, CHANCE, 1 - CHANCE))


def nameless(h: IncidentHistories, rng: np.random.Generator) -> IncidentHistories:
    return replace(
        h, step=np.full(h.incidents, np.nan), expected_goodwill=np.full(h.incidents, np.nan)
    )


def without_offers(h: IncidentHistories, rng: np.random.Generator) -> IncidentHistories:
    some = rng.random(h.incidents) < 0.1
    return replace(h, expected_goodwill=np.where(some, np.nan, h.expected_goodwill))


def wrong_offers(h: IncidentHistories, rng: np.random.Generator) -> IncidentHistories:
    return replace(h, expected_goodwill=0.5 * h.expected_goodwill)


def few(h: IncidentHistories, rng: np.random.Generator) -> IncidentHistories:
    some = np.arange(h.incidents) < 20
    p, step, expected = (
        np.where(some, column, np.nan)
        for column in (h.assignment_probability, h.step, h.expected_goodwill)
    )
    return replace(h, assignment_probability=p, step=step, expected_goodwill=expected)


def unstated(h: IncidentHistories, rng: np.random.Generator) -> IncidentHistories:
    """Arms, as drawn, but nobody wrote down with what probability."""
    unknown = np.full(h.incidents, np.nan)
    return replace(h, assignment_probability=unknown, expected_goodwill=unknown)


@pytest.mark.parametrize(
    ("design", "told"),
    [
        (unstated, "name an arm, but with what probability it was drawn is not known"),
        (of_both_arms, "which is not chance"),
        (three_arms, "which is not chance"),
        (chosen, "which is not chance"),
        (nameless, "called neither usual nor step"),
        (without_offers, "do not say what both arms would have given"),
        (wrong_offers, "not on average what the draws would give"),
        (few, "of its draws are in one of the arms"),
    ],
)
def test_what_is_no_design_of_two_arms_is_not_causal(design: Design, told: str) -> None:
    went = goodwill_shop(a_step_more, hidden=-0.6).histories
    odd = design(went, np.random.default_rng(2))
    assert told in flaw_of_design(odd)
    assert not flaw_of_design(went)
    fit = IncidentBGNBD.fit(odd, WEAK)
    assert fit.goodwill_basis == "associational"
    assert any(told in c and "Who gets more" in c for c in fit.concerns)


@given(
    st.integers(0, 2**32 - 1), st.lists(st.floats(0.02, 0.98), min_size=1, max_size=30),
    st.integers(30, 300),
)  # fmt: skip
def test_draws_with_the_stated_probabilities_pass_for_chance(
    seed: int, shares: list[float], n: int
) -> None:
    """Whatever the probabilities, one half and above too; the test errs in one of 1,000."""
    rng = np.random.default_rng(seed)
    e = rng.choice(shares, n)
    passed = [not not_chance(e, (rng.random(n) < e).astype(float)) for _ in range(3)]
    assert any(passed)
