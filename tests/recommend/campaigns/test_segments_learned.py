"""Effects of segments: what is recovered, where one effect serves all, where harm is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.recommend.campaigns import Evidence, learned_segments, retention_posterior
from clv.recommend.campaigns.segments import between_variance, pooled
from clv.recommend.policy import Policy

KEPT = np.linspace(-1, 1, 41)
GAIN = 0.4 * KEPT + 0.2 * KEPT**3  # rising, bent, 0 at 0
SPENDS = (0.3, 1.2)
NAMES = [f"segment {code}" for code in range(6)]


def said(e: float, error: float, scale: float = 0.5, noise: float = 0.0) -> Evidence:
    """Two arms on customers who are all alike, of whom money keeps e."""
    kept = e * -np.expm1(-np.array(SPENDS) / scale)
    return Evidence(
        effect=np.interp(kept, KEPT, GAIN) + noise,
        covariance=error**2 * (np.eye(2) + 1) / 2,  # a control as large as each arm
        kept=KEPT,
        gain=GAIN,
        reach=tuple((np.full(1, spend), np.ones(1)) for spend in SPENDS),
        customers=500,
    )


def test_sure_segments_have_their_own_effects() -> None:
    truth = [0.5, 0.1, -0.4]
    of_all = retention_posterior(Policy(), [said(float(np.mean(truth)), 1e-4)])
    found = learned_segments(of_all, {i: [said(e, 1e-4)] for i, e in enumerate(truth)}, NAMES)
    assert [one.segment for one in found] == NAMES[:3]
    # σ is learned too, and the curve's bend is met at the mean of the arms
    assert [one.effect for one in found] == pytest.approx(truth, abs=0.02)
    assert [one.p_harm > 0.99 for one in found] == [False, False, True]
    assert [one.customers for one in found] == [500] * 3


def test_segments_that_are_alike_have_one_effect() -> None:
    of_all = retention_posterior(Policy(), [said(0.3, 0.01)])
    assert learned_segments(of_all, {0: [said(0.3, 0.02)], 1: [said(0.31, 0.02)]}, NAMES) == ()
    assert learned_segments(of_all, {0: [said(0.3, 0.02)]}, NAMES) == ()
    assert learned_segments(of_all, {}, NAMES) == ()


@given(st.lists(st.floats(-0.6, 0.6), min_size=3, max_size=6), st.floats(0.005, 0.05))
@settings(max_examples=20, deadline=None)
def test_each_leans_on_the_others_and_never_past_them(truth: list[float], error: float) -> None:
    of_all = retention_posterior(Policy(), [said(float(np.mean(truth)), error)])
    found = learned_segments(of_all, {i: [said(e, error)] for i, e in enumerate(truth)}, NAMES)
    start = of_all.effect_prior[0]
    scale = of_all.money_scale[0]
    alone = [
        e * s for e in truth  # read at another σ than the truth's: at most by this much
        for s in (-np.expm1(-x / 0.5) / -np.expm1(-x / scale) for x in SPENDS)
    ]  # fmt: skip
    for one in found:
        assert min([*alone, start]) - 0.02 <= one.effect <= max([*alone, start]) + 0.02


def test_twice_the_campaign_is_as_good_as_twice_the_customers() -> None:
    of_all = retention_posterior(Policy(), [said(0.1, 0.01)])
    twice = learned_segments(of_all, {0: [said(0.4, 0.03)] * 2, 1: [said(-0.2, 0.03)] * 2}, NAMES)
    half = 0.03 / np.sqrt(2)
    big = learned_segments(of_all, {0: [said(0.4, half)], 1: [said(-0.2, half)]}, NAMES)
    for one, other in zip(twice, big, strict=True):
        assert (one.effect, one.sd) == pytest.approx((other.effect, other.sd), rel=1e-9)


def test_what_the_money_scale_leaves_open_moves_all_segments() -> None:
    of_all = retention_posterior(Policy(), [said(0.1, 0.01)])
    found = learned_segments(of_all, {0: [said(0.4, 0.01)], 1: [said(-0.2, 0.01)]}, NAMES)
    common = of_all.correlation * of_all.effect[1]
    assert common != 0
    assert [one.sd * one.correlation for one in found] == pytest.approx([common] * 2)
    assert all(one.sd > abs(common) for one in found)


def test_harm_that_is_not_there_is_seldom_claimed() -> None:
    """Of 400 logs with five segments alike at e .3, each known to ± .09, by simulation."""
    rng = np.random.default_rng(1)
    of_all = retention_posterior(Policy(), [said(0.3, 0.02)])
    error, harmed = 0.05, 0
    for _ in range(400):
        noise = rng.multivariate_normal(np.zeros(2), said(0.3, error).covariance, 5)
        evidence = {i: [said(0.3, error, noise=noise[i])] for i in range(5)}
        found = learned_segments(of_all, evidence, NAMES)
        harmed += any(one.effect < 0 for one in found)
    assert harmed <= 12  # 3 %


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8), st.floats(0.01, 1), st.floats(0, 1))
def test_a_prior_is_one_more_observation_of_the_centre(
    values: list[float], error: float, between: float
) -> None:
    y = np.array(values)
    errors = np.full(len(y), error)
    spread = error**2 + between
    mean, sd = pooled(y, errors, between, prior=(0.3, 0.15))
    precision = len(y) / spread + 0.15**-2
    centre = (y.sum() / spread + 0.3 * 0.15**-2) / precision
    share = error**2 / spread
    assert mean == pytest.approx(share * centre + (1 - share) * y)
    assert sd == pytest.approx(np.sqrt((1 - share) * error**2 + share**2 / precision))


def test_between_variance_is_what_chance_does_not_explain() -> None:
    rng = np.random.default_rng(2)
    estimates = rng.normal(0, np.hypot(0.3, 0.1), 4000)  # ω .3, errors .1
    assert between_variance(estimates, np.full(4000, 0.1)) == pytest.approx(0.09, rel=0.08)
    assert between_variance(np.ones(5), np.full(5, 0.1)) == 0
