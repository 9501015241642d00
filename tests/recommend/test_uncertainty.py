"""Draws of a customer's value and of a problem's dropout: their points, deviations and laws."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import kstest, norm

from clv.recommend import Policy, recovery_limit, recovery_limits
from clv.recommend.incident_prior import incident_prior
from clv.recommend.learned import Learned, LearnedFigure
from clv.recommend.uncertainty import (
    DRAWS,
    expected_dropout,
    log_odds_sd,
    normal_draws,
    ten_ninety,
    value_draws,
)

CASE: dict[str, Any] = {"loss": 100.0, "value_if_alive": 2000.0, "frequency": 5}
WIDE = Policy.parse("[fairness]\nspread = 1000.0")


def test_the_lattice_fills_the_square() -> None:
    first, second = normal_draws()
    for column in (first, second):
        assert kstest(column, norm.cdf).statistic < 3 / DRAWS  # random points: some 1/√399 = .05
    # the share of points in a corner of the square is the corner's area
    for u in (0.1, 0.3, 0.5, 0.9):
        for v in (0.2, 0.5, 0.8):
            inside = (norm.cdf(first) < u) & (norm.cdf(second) < v)
            assert inside.mean() == pytest.approx(u * v, abs=0.01)


@given(st.floats(1e-6, 1e6), st.floats(1, 100))
def test_values_have_the_points_that_were_given(low: float, times: float) -> None:
    first, _ = normal_draws()
    drawn = ten_ninety(value_draws(low, low * times, first))
    assert drawn == pytest.approx((low, low * times), rel=0.02)


def test_a_value_that_may_be_nothing() -> None:
    first, _ = normal_draws()
    drawn = value_draws(0.0, 10.0, first)
    assert (drawn >= 0).all()
    assert ten_ninety(drawn) == pytest.approx((0, 10), abs=0.05)


def test_deviations_are_those_of_the_prior() -> None:
    policy = Policy()
    prior = incident_prior(policy)
    plain = log_odds_sd(policy, "defective")
    assert plain == pytest.approx(prior["type:defective"][1])
    parts: dict[str, tuple[dict[str, Any], float]] = {
        "severity": ({"severity": 3}, 2),
        "earlier_purchases": ({"frequency": 9}, float(np.log(10))),
        "earlier_incident": ({"days_since_incident": 60}, float(np.exp(-1))),
    }
    for name, (more, covariate) in parts.items():
        added = log_odds_sd(policy, "defective", **more) ** 2 - plain**2
        assert np.sqrt(added) == pytest.approx(prior[name][1] * covariate)


def learned(sd: float, *, randomised: bool = True) -> Policy:
    figure = LearnedFigure(
        "problems.defective.dropout", 0.15, prior_mean=-2.0, prior_sd=0.7, posterior_mean=-2.0,
        posterior_sd=sd, basis="data" if randomised else "associational", observations=500,
        scale="log-odds",
    )  # fmt: skip
    return WIDE.with_learned(Learned.of([figure], source="a", learned_on=date(2024, 1, 1)))


def test_what_was_learned_is_surer() -> None:
    assert log_odds_sd(learned(0.1), "defective") == pytest.approx(0.1)
    assert log_odds_sd(learned(0.1), "outage") == pytest.approx(0.7)
    shown_only = learned(0.1, randomised=False)
    assert log_odds_sd(shown_only, "defective") == pytest.approx(0.7)
    wide, narrow = (
        recovery_limit(policy, "defective", value_low=1900.0, value_high=2100.0, **CASE)
        for policy in (WIDE, learned(0.1))
    )
    for one in (wide, narrow):
        assert one.recommended_low is not None
        assert one.recommended_high is not None
        assert one.recommended_low <= one.recommended <= one.recommended_high
    assert narrow.recommended_high - narrow.recommended_low < (  # type: ignore[operator]
        wide.recommended_high - wide.recommended_low  # type: ignore[operator]
    )
    assert narrow.learned == ("problems.defective.dropout",)
    assert "learning.dropout_sd" in wide.assumed
    assert "learning.dropout_sd" not in narrow.assumed
    assert "problems.defective.dropout" not in narrow.assumed


def test_the_range_is_that_of_a_simulation() -> None:
    """200,000 plain random draws of V and π0, each put through the limit."""
    policy = Policy.parse("[recovery]\ngrid = 0.01\n[fairness]\nspread = 1000.0")
    got = recovery_limit(policy, "defective", value_low=1500.0, value_high=2600.0, **CASE)
    rng = np.random.default_rng(7)
    V = np.exp(rng.normal(np.log(1500 * 2600) / 2, np.log(2600 / 1500) / 2 / 1.28155, 200_000))
    sd = np.sqrt(0.7**2 + (0.2 * np.log(6)) ** 2)  # the policy's deviations, 5 purchases
    odds = np.exp(np.log(0.15 / 0.85) - 0.35 * np.log(6) + rng.normal(0, sd, 200_000))
    D = 0.36 * odds / (1 + odds) * V  # e ρ π0 V
    wanted = np.maximum(5.0, np.minimum(150.0, 50 * np.log(np.maximum(D / 50, 1))))  # κ 50
    assert (got.recommended_low, got.recommended_high) == pytest.approx(
        tuple(np.quantile(wanted, (0.1, 0.9))), rel=0.03
    )


def test_the_same_question_has_the_same_answer() -> None:
    one, other = (
        recovery_limit(Policy(), "defective", value_low=1500.0, value_high=2600.0, **CASE)
        for _ in range(2)
    )
    assert one == other


@given(st.floats(0.02, 0.7), st.integers(0, 30), st.floats(0.01, 0.9))
def test_what_was_learned_counts_by_its_mean(sd: float, frequency: int, rho: float) -> None:
    """E over the joint normal law of both learned figures, by drawing from it on a lattice."""
    policy = learned_together(sd, rho)
    ln = np.log1p(frequency)
    z, w = normal_draws()
    of_type = sd * z
    per_purchase = 0.1 * (-rho * z + np.sqrt(1 - rho**2) * w)
    middle = logit(0.15) - 0.3 * ln
    mean = float(expit(middle + of_type + per_purchase * ln).mean())
    spread = float(np.std(of_type + per_purchase * ln))
    assert expected_dropout(policy, "defective", frequency=frequency) == pytest.approx(
        mean, rel=0.01
    )
    assert log_odds_sd(policy, "defective", frequency=frequency) == pytest.approx(spread, rel=0.02)
    limits = recovery_limits(policy, "defective", 40.0, value_if_alive=400.0, frequency=frequency)
    assert float(limits.dropout) == pytest.approx(mean, rel=0.01)
    off = recovery_limits(
        policy, "defective", 40.0, value_if_alive=400.0, frequency=frequency, log_odds=0.0
    )
    assert float(off.dropout) == pytest.approx(float(expit(middle)))


def learned_together(sd: float, rho: float) -> Policy:
    """A type and what earlier purchases do, learned from one record; correlated by −ρ."""
    keys = ("problems.defective.dropout", "dropout.per_log_purchases")
    of_type = LearnedFigure(
        keys[0], 0.15, prior_mean=-2.0, prior_sd=0.7, posterior_mean=-2.0, posterior_sd=sd,
        basis="data", observations=500, scale="log-odds", correlations=((keys[1], -rho),),
    )  # fmt: skip
    of_purchases = LearnedFigure(
        keys[1], -0.3, prior_mean=-0.35, prior_sd=0.2, posterior_mean=-0.3, posterior_sd=0.1,
        basis="data", observations=500, correlations=((keys[0], -rho),),
    )  # fmt: skip
    return WIDE.with_learned(
        Learned.of([of_type, of_purchases], source="a", learned_on=date(2024, 1, 1))
    )


def test_what_is_stated_is_taken_as_stated() -> None:
    """The worked examples of the policy's own figures have no deviation in them."""
    assert expected_dropout(Policy(), "defective") == pytest.approx(0.15, rel=1e-12)
    shown_only = learned(0.5, randomised=False)
    assert expected_dropout(shown_only, "defective") == pytest.approx(0.15, rel=1e-12)
    assert expected_dropout(learned(0.5), "defective") > 0.16
    # what was learned of one figure alone: the others count as they are stated
    alone = expected_dropout(learned(0.5), "defective", severity=3)
    assert alone < 0.15 * np.e / (0.85 + 0.15 * np.e) * 1.06
