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


def known(e: Floats) -> Propensity:
    """The propensity of two arms, stated."""
    return Propensity(np.column_stack([1 - e, e]), np.zeros(2))


def test_those_who_were_chosen_differ_and_the_adjustment_sees_it() -> None:
    y, arm, z, _ = chosen(4)
    naive = randomised_effects(y, arm, np.full(len(y), 0.5))
    assert naive.interval()[0][0] > 1.5  # the truth is 0.5
    found = adjusted_effects(y, arm, z, fit_propensity(arm, z))
    low, high = found.interval()
    assert low[0] < 0.5 < high[0]
    assert found.standard_error[0] < 0.06


def test_either_of_the_two_models_may_be_wrong() -> None:
    y, arm, z, _ = chosen(5)
    right_outcome = adjusted_effects(y, arm, z, known(np.full(len(y), 0.5)))
    assert right_outcome.effect[0] == pytest.approx(0.5, abs=4 * right_outcome.standard_error[0])
    y, arm, z, e = chosen(6, 80_000, bent=True)  # e^z is no line in z
    right_propensity = adjusted_effects(y, arm, z, known(e))
    error = right_propensity.standard_error[0]
    assert right_propensity.effect[0] == pytest.approx(0.5, abs=4 * error)
    both_wrong = adjusted_effects(y, arm, z, known(np.full(len(y), 0.5)))
    assert abs(both_wrong.effect[0] - 0.5) > 4 * both_wrong.standard_error[0]


def test_adjusted_intervals_cover() -> None:
    covered = 0
    for seed in range(20):
        y, arm, z, _ = chosen(seed, 1000)
        low, high = adjusted_effects(y, arm, z, fit_propensity(arm, z)).interval()
        covered += int(low[0] < 0.5 < high[0])
    assert covered >= 16  # of 20 intervals of 95 %, fewer cover with probability 0.003


def test_the_order_of_rows_does_not_matter_to_the_folds() -> None:
    y, arm, z, _ = chosen(7, 500)
    once = adjusted_effects(y, arm, z, fit_propensity(arm, z))
    order = np.random.default_rng(7).permutation(500)
    y, arm, z = y[order], arm[order], z[order]
    again = adjusted_effects(y, arm, z, fit_propensity(arm, z))
    np.testing.assert_allclose(again.effect, once.effect, rtol=1e-6)
    np.testing.assert_allclose(again.standard_error, once.standard_error, rtol=1e-6)


def three_arms(seed: int, n: int) -> tuple[Floats, Floats, Floats]:
    """Outcome, arm and covariate. Arms 1 and 2 add 0.4 + 0.4 z and 0.2 − 0.3 z, hence 0.4 and 0.2
    on average over everybody; arm 1 went to high z and arm 2 to low, where each does most.
    """
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    odds = np.exp(np.column_stack([0 * z, z, -z]))
    likely = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    arm = np.minimum((rng.random(n)[:, None] > likely).sum(axis=1), 2)
    effect = np.column_stack([0 * z, 0.4 + 0.4 * z, 0.2 - 0.3 * z])
    return z + effect[np.arange(n), arm] + rng.normal(size=n), arm, z


def test_every_arm_speaks_of_all_customers() -> None:
    runs = [three_arms(seed, 2000) for seed in range(40)]
    found = [adjusted_effects(y, arm, z, fit_propensity(arm, z)) for y, arm, z in runs]
    effects = np.array([one.effect for one in found])
    error = effects.std(axis=0, ddof=1) / np.sqrt(len(runs))
    assert (np.abs(effects.mean(axis=0) - [0.4, 0.2]) < 4 * error).all()
    # Of 80 intervals of 95 %, 69 or fewer cover with probability 0.002 were they independent.
    bounds = [one.interval() for one in found]
    covered = sum(int(((low < [0.4, 0.2]) & (high > [0.4, 0.2])).sum()) for low, high in bounds)
    assert covered >= 70
    # Among the customers of the arm and the control alone the effects are others: those who got
    # arm 1 have z above the average, and it does more for them.
    y, arm, z = three_arms(1, 40_000)
    for j, true in ((1, 0.4), (2, 0.2)):
        pair = (arm == j) | (arm == 0)
        alone = adjusted_effects(
            y[pair], arm[pair] > 0, z[pair], fit_propensity(arm[pair] > 0, z[pair])
        )
        assert alone.interval()[0][0] > true


def test_the_covariance_of_adjusted_effects_is_that_of_other_campaigns() -> None:
    found = []
    for seed in range(150):
        y, arm, z = three_arms(seed, 1000)
        found.append(adjusted_effects(y, arm, z, fit_propensity(arm, z)))
    seen = np.cov(np.array([one.effect for one in found]).T)
    claimed = np.mean([one.covariance for one in found], axis=0)
    # A covariance of 150 pairs has a standard error of √((v₁v₂ + c²)/150).
    error = np.sqrt((np.outer(np.diag(seen), np.diag(seen)) + seen**2) / 150)
    assert (np.abs(seen - claimed) < 3.5 * error).all()


def test_probabilities_of_three_arms_are_found() -> None:
    _, arm, z = three_arms(3, 40_000)
    odds = np.exp(np.column_stack([0 * z, z, -z]))
    true = odds / odds.sum(axis=1, keepdims=True)
    found = fit_propensity(arm, z).probability
    # coefficients have standard errors of about 0.015: at |z| of 3, 5 % of the odds
    assert np.abs(found - true).max() < 0.03
    assert np.abs(found - true).mean() < 0.005
    np.testing.assert_allclose(found.mean(axis=0), np.bincount(arm) / len(arm), atol=1e-3)


def test_poor_overlap_is_told() -> None:
    rng = np.random.default_rng(9)
    z = rng.normal(size=2000)
    found = fit_propensity(rng.random(2000) < 1 / (1 + np.exp(-6 * z)), z)
    # logistic(6z) < 0.05 where z < −0.491: Φ(−0.491) = 0.312, with a standard error of 0.010
    np.testing.assert_allclose(found.beyond, 0.312, atol=0.04)
    none, letter = found.concerns(["none", "letter"])
    assert "hardly anybody alike was in arm 'none'" in none
    assert "'letter'" in letter


def test_a_small_arm_is_no_lack_of_overlap() -> None:
    # 3 % of the customers, by chance: nobody's probability is small beside that share.
    rng = np.random.default_rng(9)
    z = rng.normal(size=5000)
    found = fit_propensity(rng.random(5000) < 0.03, z)
    assert found.concerns(["none", "letter"]) == []


def test_nobody_alike_left_untreated_is_refused() -> None:
    z = np.linspace(-1, 1, 200)
    with pytest.raises(CampaignsError, match="tells exactly who was in arm '1' and"):
        fit_propensity(z > 0.3, z)
    arm = np.where(z > 0.3, 2, np.arange(200) % 2)  # only the second arm has nobody alike
    with pytest.raises(CampaignsError, match="in arm 'voucher' and who"):
        fit_propensity(arm, z, ["none", "letter", "voucher"])


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
    with pytest.raises(RequestError, match="of 2 customers and 2 arms; the outcome is of 4 and 2"):
        adjusted_effects([1, 2, 3, 4], [0, 0, 1, 1], [1, 2, 3, 4], known(np.full(2, 0.5)))
