from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.arrays import Floats
from clv.errors import RequestError
from clv.recommend.campaigns import Evidence, retention_posterior
from clv.recommend.policy import Policy
from clv.recommend.retention_uncertainty import SCALE_SD

KEPT = np.linspace(-1, 1, 41)
GAIN = 0.4 * KEPT + 0.2 * KEPT**3  # rising, bent, 0 at 0


def evidence(
    spends: tuple[float, ...], effects: tuple[float, ...], error: float, n: int = 1
) -> Evidence:
    """Arms that spent multiples of a purchase's value on customers who are all alike."""
    return Evidence(
        effect=np.array(effects),
        covariance=error**2 * (np.eye(len(effects)) + 1) / 2,  # a control as large as each arm
        kept=KEPT,
        gain=GAIN,
        reach=tuple((np.full(n, spend), np.ones(n)) for spend in spends),
        customers=1000,
    )


def by_drawing(policy: Policy, said: Evidence, draws: int = 400_000) -> tuple[Floats, Floats]:
    """Moments of e and σ by weighting draws from the prior: another way to the same integral."""
    rng = np.random.default_rng(1)
    e = rng.normal(policy.retention.effect, policy.learning.retention_effect_sd, draws)
    scale = policy.retention.money_scale * np.exp(
        SCALE_SD * rng.normal(size=draws) - SCALE_SD**2 / 2
    )
    ratio = np.array([reach[0][0] for reach in said.reach])
    kept = e * (1 - np.exp(-ratio[:, None] / scale))
    left = said.effect[:, None] - np.interp(kept, KEPT, GAIN)
    weight = np.exp(-0.5 * np.sum(left * np.linalg.solve(said.covariance, left), axis=0))
    weight[np.abs(e) > 1] = 0
    means = np.array([np.average(v, weights=weight) for v in (e, scale)])
    sds = [
        np.sqrt(np.average((v - m) ** 2, weights=weight))
        for v, m in zip((e, scale), means, strict=True)
    ]
    return means, np.array(sds)


def test_without_campaigns_the_prior_stays() -> None:
    found = retention_posterior(Policy(), [])
    assert found.effect == pytest.approx((0.3, 0.15), rel=1e-3)
    # E[σ] = σ₀, and sd σ₀ √(e^(s²) − 1) of a log-normal
    assert found.money_scale == pytest.approx(found.money_scale_prior, rel=2e-3)
    assert found.money_scale[0] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(
    "said",
    [
        evidence((0.4,), (0.12,), 0.05),
        evidence((0.1, 1.0), (0.05, 0.2), 0.04),
        evidence((0.1, 1.0), (-0.03, -0.08), 0.03),
    ],
)
def test_it_is_the_integral_over_both(said: Evidence) -> None:
    found = retention_posterior(Policy(), [said])
    means, sds = by_drawing(Policy(), said)
    # 400,000 weighted draws: the smallest effective number here gives about 1 %
    assert (found.effect[0], found.money_scale[0]) == pytest.approx(tuple(means), rel=0.03)
    assert (found.effect[1], found.money_scale[1]) == pytest.approx(tuple(sds), rel=0.03)


def test_two_spends_tell_both_figures() -> None:
    # Truth: e 0.5, σ 0.2; the arms keep 0.5 (1 − e^(−s/0.2)) of the leavers.
    spends = (0.1, 0.4, 1.5)
    kept = [0.5 * (1 - np.exp(-s / 0.2)) for s in spends]
    sure = evidence(spends, tuple(np.interp(kept, KEPT, GAIN)), 0.001)
    found = retention_posterior(Policy(), [sure])
    assert found.effect[0] == pytest.approx(0.5, abs=4 * found.effect[1])
    assert found.money_scale[0] == pytest.approx(0.2, abs=4 * found.money_scale[1])
    assert found.effect[1] < 0.01
    assert found.money_scale[1] < 0.01
    assert all(f.share_from_data > 0.99 for f in found.figures("causal"))


def test_one_spend_cannot_tell_reach_from_effect() -> None:
    sure = evidence((0.4,), (0.1,), 0.001)
    found = retention_posterior(Policy(), [sure])
    assert found.effect[1] > 0.03  # however sure the arm's own effect is
    assert found.money_scale[1] > 0.1


@given(st.floats(-0.2, 0.3), st.floats(0.01, 0.2))
@settings(max_examples=15)
def test_a_second_campaign_like_the_first_counts_as_twice_the_customers(
    effect: float, error: float
) -> None:
    one, half = evidence((0.5,), (effect,), error), evidence((0.5,), (effect,), error / np.sqrt(2))
    twice = retention_posterior(Policy(), [one, one])
    big = retention_posterior(Policy(), [half])
    assert twice.effect == pytest.approx(big.effect, rel=1e-6)
    assert twice.customers == 2000


@given(st.floats(0.02, 0.2))
@settings(max_examples=15)
def test_a_larger_effect_means_that_more_are_kept(error: float) -> None:
    small = retention_posterior(Policy(), [evidence((0.5,), (0.05,), error)])
    large = retention_posterior(Policy(), [evidence((0.5,), (0.15,), error)])
    assert large.effect[0] > small.effect[0]


def test_harm_is_learned_too() -> None:
    found = retention_posterior(Policy(), [evidence((0.5, 2.0), (-0.15, -0.2), 0.01)])
    assert found.effect[0] < 0
    learned = {f.key: f.value for f in found.figures("causal")}
    assert learned["retention.effect"] < 0


def test_many_customers_are_grouped_without_loss() -> None:
    rng = np.random.default_rng(3)
    ratio, weight = rng.gamma(2.0, 0.2, 20_000), rng.random(20_000)
    said = Evidence(np.zeros(1), np.eye(1), KEPT, GAIN, ((ratio, weight),), 20_000)
    scales = np.array([0.05, 0.5, 2.0])
    direct = [np.average(1 - np.exp(-ratio / s), weights=weight) for s in scales]
    np.testing.assert_allclose(said.shares(scales)[0], direct, rtol=1e-3)


def test_what_the_policy_states_is_where_it_starts() -> None:
    stated = Policy.parse("[retention]\neffect = 0.1\nmoney_scale = 2.0")
    found = retention_posterior(stated, [])
    assert found.effect_prior[0] == 0.1
    assert found.money_scale[0] == pytest.approx(2.0, rel=1e-3)


def test_figures_without_chance_are_not_used() -> None:
    figures = retention_posterior(Policy(), [evidence((0.5,), (0.1,), 0.05)]).figures(
        "associational"
    )
    assert [figure.used for figure in figures] == [False, False]


def test_a_curve_that_falls_is_refused() -> None:
    with pytest.raises(RequestError, match="must rise"):
        Evidence(np.zeros(1), np.eye(1), KEPT, -GAIN, ((KEPT, KEPT),), 1)
    with pytest.raises(RequestError, match="covariance must be 1 by 1"):
        Evidence(np.zeros(1), np.eye(2), KEPT, GAIN, ((KEPT, KEPT),), 1)


def test_where_one_arm_fixes_only_their_product_both_go_together() -> None:
    # e (1 − exp(−.4/σ)) is known: the larger the scale, the larger e must be
    found = retention_posterior(Policy(), [evidence((0.4,), (0.1,), 0.001)])
    assert found.correlation > 0.8
    assert retention_posterior(Policy(), []).correlation == pytest.approx(0, abs=1e-9)
    effect, scale = found.figures("causal")
    assert dict(effect.correlations) == {"retention.money_scale": found.correlation}
    assert dict(scale.correlations) == {"retention.effect": found.correlation}
