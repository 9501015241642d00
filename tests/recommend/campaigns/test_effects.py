from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.arrays import Floats
from clv.errors import CampaignsError, RequestError
from clv.recommend.campaigns import (
    Propensity,
    adjusted_effects,
    fit_propensity,
    randomised_effects,
    shares_differ,
)

SEEDS = st.integers(0, 2**32 - 1)


def by_chance(seed: int, n: int = 600) -> tuple[Floats, Floats, Floats, Floats]:
    """Outcome, arm, probability and what was foreseen; arms 1 and 2 add 0.5 and −0.25."""
    rng = np.random.default_rng(seed)
    foreseen = rng.gamma(2.0, 1.0, n)
    likely = np.column_stack([0.5 + 0 * foreseen, 0.1 + 0.2 / (1 + foreseen)])
    likely = np.column_stack([likely, 1 - likely.sum(axis=1)])  # of the arms, by what is known
    arm = (rng.random(n)[:, None] > np.cumsum(likely, axis=1)).sum(axis=1)
    outcome = foreseen + np.array([0.0, 0.5, -0.25])[arm] + rng.normal(size=n)
    return outcome, arm, likely[np.arange(n), arm], foreseen


@given(SEEDS)
@settings(max_examples=20)
def test_order_unit_and_origin_of_the_outcome_do_not_matter(seed: int) -> None:
    y, arm, pi, z = by_chance(seed, 200)
    once = randomised_effects(y, arm, pi, z)
    order = np.random.default_rng(seed).permutation(len(y))
    again = randomised_effects(3 * y[order] - 7, arm[order], pi[order], z[order])
    np.testing.assert_allclose(again.effect, 3 * once.effect, atol=1e-9)
    np.testing.assert_allclose(again.covariance, 9 * once.covariance, atol=1e-9)
    np.testing.assert_allclose(again.scores, 3 * once.scores[:, order], atol=1e-9)


@given(SEEDS)
@settings(max_examples=20)
def test_the_effect_is_the_mean_of_its_scores(seed: int) -> None:
    y, arm, pi, z = by_chance(seed, 200)
    found = randomised_effects(y, arm, pi, z)
    np.testing.assert_allclose(found.scores.mean(axis=1), found.effect)


def test_without_covariates_it_is_a_difference_of_weighted_means() -> None:
    y, arm, pi, _ = by_chance(1)
    means = [np.average(y[arm == a], weights=1 / pi[arm == a]) for a in range(3)]
    found = randomised_effects(y, arm, pi)
    np.testing.assert_allclose(found.effect, [means[1] - means[0], means[2] - means[0]])


def test_the_standard_error_of_a_plain_split_is_the_textbooks() -> None:
    # Neyman (1923): s1²/n1 + s0²/n0, with the unbiased variances.
    rng = np.random.default_rng(2)
    arm = np.repeat([0, 1], [700, 300])
    y = rng.normal(size=1000) * np.where(arm, 3.0, 1.0)
    found = randomised_effects(y, arm, np.where(arm, 0.3, 0.7))
    expected = y[arm == 1].var(ddof=1) / 300 + y[arm == 0].var(ddof=1) / 700
    assert found.standard_error[0] ** 2 == pytest.approx(expected, rel=1e-3)


def test_it_is_unbiased_and_its_intervals_cover() -> None:
    # Truth: by_chance adds 0.5 and −0.25. Of 40 intervals of 95 %, 33 or fewer cover with
    # probability 0.003.
    runs = [randomised_effects(*by_chance(seed)) for seed in range(20)]
    effects = np.array([run.effect for run in runs])
    bounds = [run.interval() for run in runs]
    covered = sum(int(((low < [0.5, -0.25]) & (high > [0.5, -0.25])).sum()) for low, high in bounds)
    assert covered >= 34
    error = effects.std(axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(effects.mean(axis=0) - [0.5, -0.25]) < 4 * error).all()


def test_the_covariance_of_two_arms_knows_of_their_common_control() -> None:
    runs = [randomised_effects(*by_chance(seed, 1000)) for seed in range(400)]
    seen = np.cov(np.array([run.effect for run in runs]).T)
    claimed = np.mean([run.covariance for run in runs], axis=0)
    # A covariance of 400 pairs has a standard error of √((v₁v₂ + c²)/400).
    error = np.sqrt((np.outer(np.diag(seen), np.diag(seen)) + seen**2) / 400)
    assert (np.abs(seen - claimed) < 3.5 * error).all()
    assert claimed[0, 1] > 0


def test_what_was_foreseen_narrows_the_interval() -> None:
    # Of the outcome's variance foreseen has 2 (gamma of shape 2), the rest 1: √(1/3) = 0.58.
    rng = np.random.default_rng(3)
    foreseen, arm = rng.gamma(2.0, 1.0, 4000), rng.integers(0, 2, 4000)
    y = foreseen + 0.2 * arm + rng.normal(size=4000)
    half = np.full(4000, 0.5)
    narrow = randomised_effects(y, arm, half, foreseen).standard_error[0]
    wide = randomised_effects(y, arm, half).standard_error[0]
    assert narrow / wide == pytest.approx(np.sqrt(1 / 3), rel=0.05)


def chosen(
    seed: int, n: int = 4000, *, bent: bool = False
) -> tuple[Floats, Floats, Floats, Floats]:
    """Outcome, arm, covariate and true propensity, where those with high z were chosen."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    e = 1 / (1 + np.exp(-z))
    arm = (rng.random(n) < e).astype(int)
    outcome = (3 * np.exp(z) if bent else 2 * z) + 0.5 * arm + rng.normal(size=n)
    return outcome, arm, z, e


def test_those_who_were_chosen_differ_and_the_adjustment_sees_it() -> None:
    y, arm, z, _ = chosen(4)
    naive = randomised_effects(y, arm, np.full(len(y), 0.5))
    assert naive.interval()[0][0] > 1.5  # the truth is 0.5
    found = adjusted_effects(y, arm, z, [fit_propensity(arm == 1, z)])
    low, high = found.interval()
    assert low[0] < 0.5 < high[0]
    assert found.standard_error[0] < 0.06


def test_either_of_the_two_models_may_be_wrong() -> None:
    y, arm, z, _ = chosen(5)
    ignorant = Propensity(np.full(len(y), 0.5), 0.0, float(len(y)))
    right_outcome = adjusted_effects(y, arm, z, [ignorant])
    assert right_outcome.effect[0] == pytest.approx(0.5, abs=4 * right_outcome.standard_error[0])
    y, arm, z, e = chosen(6, 80_000, bent=True)  # e^z is no line in z
    right_propensity = adjusted_effects(y, arm, z, [Propensity(e, 0.0, float(len(y)))])
    error = right_propensity.standard_error[0]
    assert right_propensity.effect[0] == pytest.approx(0.5, abs=4 * error)
    both_wrong = adjusted_effects(y, arm, z, [Propensity(np.full(len(y), 0.5), 0.0, 1.0)])
    assert abs(both_wrong.effect[0] - 0.5) > 4 * both_wrong.standard_error[0]


def test_adjusted_intervals_cover() -> None:
    covered = 0
    for seed in range(20):
        y, arm, z, _ = chosen(seed, 1000)
        low, high = adjusted_effects(y, arm, z, [fit_propensity(arm == 1, z)]).interval()
        covered += int(low[0] < 0.5 < high[0])
    assert covered >= 16  # of 20 intervals of 95 %, fewer cover with probability 0.003


def test_the_order_of_rows_does_not_matter_to_the_folds() -> None:
    y, arm, z, _ = chosen(7, 500)
    once = adjusted_effects(y, arm, z, [fit_propensity(arm == 1, z)])
    order = np.random.default_rng(7).permutation(500)
    y, arm, z = y[order], arm[order], z[order]
    again = adjusted_effects(y, arm, z, [fit_propensity(arm == 1, z)])
    np.testing.assert_allclose(again.effect, once.effect, rtol=1e-6)
    np.testing.assert_allclose(again.standard_error, once.standard_error, rtol=1e-6)


def test_an_arm_is_compared_with_the_control_alone() -> None:
    y, arm, z, _ = chosen(8, 1500)
    third = np.random.default_rng(8).random(1500) < 0.3
    arm = np.where(third, 2, arm)
    propensities = [
        fit_propensity((arm == j)[(arm == j) | (arm == 0)], z[(arm == j) | (arm == 0)])
        for j in (1, 2)
    ]
    found = adjusted_effects(y, arm, z, propensities)
    pair = arm != 2
    alone = adjusted_effects(y[pair], arm[pair], z[pair], propensities[:1])
    # Standardised over other customers, the covariates differ by rounding alone.
    assert found.effect[0] == pytest.approx(alone.effect[0], rel=1e-6)
    assert found.standard_error[0] == pytest.approx(alone.standard_error[0], rel=1e-6)
    assert np.isnan(found.scores[0][arm == 2]).all()


def test_poor_overlap_is_told() -> None:
    rng = np.random.default_rng(9)
    z = rng.normal(size=2000)
    found = fit_propensity(rng.random(2000) < 1 / (1 + np.exp(-6 * z)), z)
    assert found.beyond > 0.3
    assert "hardly anybody alike was treated otherwise" in found.concern
    assert found.effective < 1000


def test_nobody_alike_left_untreated_is_refused() -> None:
    z = np.linspace(-1, 1, 200)
    with pytest.raises(CampaignsError, match="tells exactly who was treated"):
        fit_propensity(z > 0.3, z)


def test_lost_customers_are_seen_in_the_sizes() -> None:
    # 1,000 by a fair coin: 445 and 555 are 3.5 standard errors off, 430 and 570 4.4.
    for treated, seen in ((445, []), (430, [0, 1])):
        arm = np.repeat([1, 0], [treated, 1000 - treated])
        assert shares_differ(arm, np.full(1000, 0.5)).tolist() == seen


def test_what_makes_no_sense_is_refused_all_at_once() -> None:
    with pytest.raises(RequestError) as told:
        randomised_effects([1, np.nan, 2, 3], [0, 0, 1, -1], [0.5, 0.5, 0.5, 1.5])
    assert "outcome" in str(told.value)
    assert "arm below 0" in str(told.value)
    assert "(0, 1]" in str(told.value)
    with pytest.raises(RequestError, match=r"too few in arm 1 \(0\)"):
        randomised_effects([1, 2, 3], [0, 0, 0], [0.5] * 3)
    with pytest.raises(RequestError, match="one row a customer"):
        randomised_effects([1, 2], [0, 1, 1], [0.5, 0.5])
    with pytest.raises(RequestError, match="needs a propensity"):
        adjusted_effects([1, 2, 3, 4], [0, 0, 1, 1], [1, 2, 3, 4], [])
