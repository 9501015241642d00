"""How sure it is what money achieves: the draws have the moments that were stated or learned."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from clv.recommend.learned import Learned, LearnedFigure
from clv.recommend.policy import Policy
from clv.recommend.retention_uncertainty import SCALE_SD, KeptRange, MoneyDraws
from clv.recommend.retention_words import told_of_range
from clv.recommend.uncertainty import DRAWS

EFFECT, SCALE = "retention.effect", "retention.money_scale"


def learned(correlation: float, *, scale_sd: float = 0.08) -> Policy:
    """A policy that has learned e .5 ± .1 and σ .2 with a correlation."""

    def figure(key: str, value: float, sd: float, other: str) -> LearnedFigure:
        return LearnedFigure(
            key, value, 0.3, 0.15, value, sd, "causal", 900, correlations=((other, correlation),)
        )

    figures = [figure(EFFECT, 0.5, 0.1, SCALE), figure(SCALE, 0.2, scale_sd, EFFECT)]
    return Policy().with_learned(Learned.of(figures, source="9f3c", learned_on=date(2024, 6, 30)))


def drawn_from(policy: Policy) -> tuple[MoneyDraws, np.ndarray]:
    drawn = MoneyDraws.of(policy)
    e = drawn.effects(policy.retention.effect, drawn.effect_sd, drawn.correlation)
    assert e.shape == (DRAWS, 1)
    return drawn, e[:, 0]


def test_what_is_assumed_has_the_deviations_that_campaigns_start_from() -> None:
    policy = Policy()
    drawn, e = drawn_from(policy)
    assert e.mean() == pytest.approx(policy.retention.effect, abs=0.002)
    assert e.std() == pytest.approx(policy.learning.retention_effect_sd, rel=0.02)
    # log-normal with E[σ] = σ₀, of which a lattice of 399 points holds all but the far tail
    assert drawn.money_scale.mean() == pytest.approx(policy.retention.money_scale, rel=0.01)
    assert np.log(drawn.money_scale).std() == pytest.approx(SCALE_SD, rel=0.01)
    assert np.corrcoef(e, drawn.money_scale)[0, 1] == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.8])
def test_what_was_learned_has_the_moments_of_its_posterior(correlation: float) -> None:
    drawn, e = drawn_from(learned(correlation))
    assert (e.mean(), e.std()) == (pytest.approx(0.5, abs=0.005), pytest.approx(0.1, rel=0.03))
    assert drawn.money_scale.mean() == pytest.approx(0.2, rel=0.01)
    assert drawn.money_scale.std() == pytest.approx(0.08, rel=0.03)
    assert np.corrcoef(e, drawn.money_scale)[0, 1] == pytest.approx(correlation, abs=0.03)


def test_no_effect_is_beyond_all_leavers() -> None:
    e = MoneyDraws.of(Policy()).effects([0.9, -0.9], [0.5, 0.5], [0.0, 0.0])
    assert e.min() == -1
    assert e.max() == 1


def test_the_words_name_both_parts() -> None:
    said = told_of_range(KeptRange(50.0, 400.0, 160.0, 190.0, 0.998, "learned"), "EUR")
    assert "between 50.00 EUR and 400.00 EUR (80 % interval)" in said
    assert "Over 99 % of this doubt is about what money achieves" in said
    assert "learned from your campaigns" in said
    assert "between 160.00 EUR and 190.00 EUR" in said
