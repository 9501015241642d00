"""sBG: the paper's figures, 2F1 to many digits, the laws, and counts that cannot be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.datasets import load_sbg
from clv.errors import HistoryError, NotIdentifiedError, ParameterError, RequestError
from clv.models.shifted_beta_geometric import ShiftedBetaGeometric
from clv.models.survival_counts import SurvivalCounts
from tests.reference.bg_bb_mpmath import gauss

TOLERANCE = 1e-8
SMALLEST = 1e-300
HIGH_END = ShiftedBetaGeometric(0.668, 3.806)  # Fader & Hardie (2007), the High End segment


# -- the paper's figures ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segment", "alpha", "beta", "log_likelihood"),
    [("regular", 0.704, 1.182, -1680.27), ("highend", 0.668, 3.806, -1611.16)],
)
def test_the_two_segments_give_the_papers_figures(
    segment: str, alpha: float, beta: float, log_likelihood: float
) -> None:
    # Fader & Hardie (2007), seven years of calibration: three decimals printed, two for ln L.
    fit = ShiftedBetaGeometric.fit(SurvivalCounts.from_survivors(load_sbg()[f"{segment}_alive"]))
    assert fit.parameters == pytest.approx({"alpha": alpha, "beta": beta}, abs=5e-4)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=5e-3)
    assert (fit.customers, fit.patterns, fit.unit, fit.end) == (1000, 8, "period", None)


def test_the_projection_of_the_high_end_segment_is_the_papers() -> None:
    # Fader & Hardie (2007): survival in years 8 to 12, four decimals printed.
    fit = ShiftedBetaGeometric.fit(SurvivalCounts.from_survivors(load_sbg()["highend_alive"]))
    printed = [0.4604, 0.4358, 0.4142, 0.3951, 0.3780]
    assert fit.model.survival(np.arange(8, 13)) == pytest.approx(printed, abs=5e-5)


# -- closed forms to many digits --------------------------------------------------------------


class Case(NamedTuple):
    """Parameters, an age, a discount rate and a horizon."""

    alpha: float
    beta: float
    t: int
    rate: float
    horizon: int


def grid() -> Iterator[Case]:
    """Corners of the parameters, then log-uniform draws; α = 1 and next to it; t to 1,000."""
    rng = np.random.default_rng(2007)
    ages, rates = (1, 2, 7, 100, 1000), (0.0, 1e-12, 1e-6, 0.002, 0.1, 5.0)
    horizons = (1, 2, 12, 300, 1000)
    for alpha in (0.01, 1000.0):
        for beta in (0.01, 1000.0):
            yield from (
                Case(alpha, beta, t, r, h)
                for t in ages
                for r, h in zip(rates[:5], horizons, strict=True)
            )
    for k in range(160):
        alpha, beta = (float(v) for v in 10 ** rng.uniform(-2, 3, 2))
        match k % 8:
            case 0:
                alpha = 1.0
            case 1:
                alpha = 1 + float(rng.choice([-1, 1])) * 10.0 ** -float(rng.integers(3, 15))
        yield Case(alpha, beta, ages[k % 5], rates[k // 5 % 6], int(rng.choice(horizons)))


GRID = list(grid())


def far_from(
    got: Callable[[ShiftedBetaGeometric, Case], Any], want: Callable[[Any, Any, Case], Any],
    cases: list[Case] = GRID,
) -> list[str]:  # fmt: skip
    """The cases in which `got` misses `want`, said so that one can be run again."""
    faults = []
    with mp.workdps(50):
        for c in cases:
            value = float(got(ShiftedBetaGeometric(c.alpha, c.beta), c))
            exact = want(mp.mpf(c.alpha), mp.mpf(c.beta), c)
            off = abs(mp.mpf(value) - exact) if math.isfinite(value) and value >= 0 else mp.inf
            if off > TOLERANCE * exact + SMALLEST:
                faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    return faults


def periods(alpha: Any, beta: Any, c: Case, n: int) -> Any:
    """Σ S(n + i)/S(n) e^(−rate·i) for 0 ≤ i < horizon, period by period."""
    total, stays = mp.mpf(0), mp.mpf(1)
    z = mp.exp(-mp.mpf(c.rate))
    for i in range(c.horizon):
        total += stays
        stays *= z * (beta + n + i) / (alpha + beta + n + i)
    return total


def test_the_grid_holds_the_edges_that_it_is_made_for() -> None:
    assert len(GRID) >= 200
    assert sum(c.alpha == 1 for c in GRID) >= 20
    assert sum(0 < abs(c.alpha - 1) < 1.1e-3 for c in GRID) >= 20
    assert sum(c.t == 1000 for c in GRID) >= 40
    assert sum(c.rate == 0 for c in GRID) >= 20
    assert sum(0 < c.rate < 1e-5 for c in GRID) >= 40


def test_survival_and_churn_are_ratios_of_beta_functions() -> None:
    assert not far_from(
        lambda m, c: m.survival(c.t), lambda a, b, c: mp.beta(a, b + c.t) / mp.beta(a, b)
    )
    assert not far_from(
        lambda m, c: m.pmf(c.t), lambda a, b, c: mp.beta(a + 1, b + c.t - 1) / mp.beta(a, b)
    )
    assert not far_from(
        lambda m, c: m.retention_rate(c.t),
        lambda a, b, c: mp.beta(a, b + c.t) / mp.beta(a, b + c.t - 1),
    )


def test_residual_lifetimes_up_to_a_horizon_are_sums_over_periods() -> None:
    assert not far_from(
        lambda m, c: m.discounted_expected_residual_lifetime(c.t, rate=c.rate, horizon=c.horizon),
        lambda a, b, c: (b + c.t - 1) / (a + b + c.t - 1) * periods(a, b, c, c.t),
    )


def test_lifetimes_of_new_customers_up_to_a_horizon_are_sums_over_periods() -> None:
    assert not far_from(
        lambda m, c: m.discounted_expected_lifetime(rate=c.rate, horizon=c.horizon),
        lambda a, b, c: periods(a, b, c, 0),
    )


def test_discounted_lifetimes_without_a_horizon_are_gauss_2f1() -> None:
    # Fader & Hardie (2010), DEL and DERL, with 1/(1 + d) = e^−rate.
    discounted = [c for c in GRID if c.rate > 0]
    assert len(discounted) >= 150
    assert not far_from(
        lambda m, c: m.discounted_expected_lifetime(rate=c.rate),
        lambda a, b, c: gauss(a, b, mp.exp(-mp.mpf(c.rate))),
        discounted[::3],
    )
    assert not far_from(
        lambda m, c: m.discounted_expected_residual_lifetime(c.t, rate=c.rate),
        lambda a, b, c: (b + c.t - 1) / (a + b + c.t - 1)
        * gauss(a, b + c.t, mp.exp(-mp.mpf(c.rate))),
        discounted,
    )  # fmt: skip


def test_without_discount_and_horizon_lifetimes_are_finite_only_for_alpha_above_1() -> None:
    # E[1/θ] for θ ~ Beta(α, β).
    assert not far_from(
        lambda m, _: m.expected_lifetime(),
        lambda a, b, _: (a + b - 1) / (a - 1),
        [c for c in GRID if c.alpha > 1],
    )
    for ask in (
        HIGH_END.expected_lifetime,
        lambda: HIGH_END.discounted_expected_residual_lifetime(3, rate=0),
    ):
        with pytest.raises(RequestError, match=r"alpha = 0.668 is not above 1: some .* never"):
            ask()


# -- laws -------------------------------------------------------------------------------------

POSITIVE = st.floats(-2, 3).map(lambda e: 10.0**e)
MODELS = st.builds(ShiftedBetaGeometric, POSITIVE, POSITIVE)


@given(MODELS, st.integers(1, 1000))
def test_who_left_and_who_is_there_are_everybody(m: ShiftedBetaGeometric, t: int) -> None:
    ages = np.arange(t + 1)
    assert m.pmf(ages).sum() + m.survival(t) == pytest.approx(1, abs=1e-9)
    assert m.survival(0) == 1
    assert m.pmf(0) == 0
    assert (np.diff(m.survival(ages)) <= 0).all()


@given(MODELS, st.integers(2, 200))
def test_retention_rises_with_age_and_multiplies_to_survival(
    m: ShiftedBetaGeometric, t: int
) -> None:
    r = m.retention_rate(np.arange(1, t + 1))
    assert (np.diff(r) >= 0).all()
    assert np.exp(np.log(r).sum()) == pytest.approx(float(m.survival(t)), rel=1e-9, abs=1e-300)


@given(MODELS, st.integers(1, 40), st.floats(0, 3), st.integers(1, 60))
def test_lifetimes_rise_with_the_horizon_and_fall_with_the_discount(
    m: ShiftedBetaGeometric, n: int, rate: float, horizon: int
) -> None:
    def lasts(rate: float, horizon: int) -> float:
        return float(m.discounted_expected_residual_lifetime(n, rate=rate, horizon=horizon))

    assert lasts(rate, 0) == 0
    assert lasts(rate, horizon) <= lasts(rate, horizon + 1) * (1 + 1e-10)
    assert lasts(rate, horizon) <= lasts(0, horizon) * (1 + 1e-10) <= horizon * (1 + 2e-10)
    assert lasts(rate, 1) == pytest.approx(float(m.retention_rate(n)), rel=1e-10)


@given(MODELS, st.floats(1e-6, 3), st.integers(1, 60))
def test_a_new_customer_is_one_period_and_then_one_in_period_1(
    m: ShiftedBetaGeometric, rate: float, horizon: int
) -> None:
    rest = m.discounted_expected_residual_lifetime(1, rate=rate, horizon=horizon)
    whole = m.discounted_expected_lifetime(rate=rate, horizon=horizon + 1)
    assert whole == pytest.approx(1 + math.exp(-rate) * float(rest), rel=1e-10)


def test_the_log_likelihood_is_that_of_each_subscriber() -> None:
    t, left = HIGH_END.simulate(np.tile([2, 5, 9], 100), np.random.default_rng(1))
    counts = SurvivalCounts.from_arrays(t, left)
    at = ShiftedBetaGeometric.likelihood(np.array([0.668, 3.806]), counts)
    each = HIGH_END.log_likelihood(t, left)
    assert at.value == pytest.approx(each.sum(), rel=1e-12)
    expected = np.where(left, np.log(HIGH_END.pmf(t)), np.log(HIGH_END.survival(t)))
    assert each == pytest.approx(expected, rel=1e-12)


@given(MODELS)
def test_score_and_hessian_agree_with_finite_differences(m: ShiftedBetaGeometric) -> None:
    counts = SurvivalCounts(np.array([5.0, 3, 0, 1]), np.array([0.0, 4, 0, 9]))
    theta = np.array([m.alpha, m.beta])
    at = ShiftedBetaGeometric.likelihood(theta, counts)
    size = float(np.abs(theta * at.gradient).max()) + abs(at.value)
    assert (at.hessian == at.hessian.T).all()
    for i in range(2):
        step = np.zeros(2)
        step[i] = 1e-5 * theta[i]
        above, below = (ShiftedBetaGeometric.likelihood(theta + s, counts) for s in (step, -step))
        slope = (above.value - below.value) / 2e-5
        assert slope == pytest.approx(theta[i] * at.gradient[i], rel=1e-6, abs=1e-9 * size)
        curve = theta * (above.gradient - below.gradient) / 2e-5
        exact = theta * theta[i] * at.hessian[i]
        assert curve == pytest.approx(exact, rel=1e-6, abs=1e-8 * size)


# -- counts -----------------------------------------------------------------------------------


def test_one_subscriber_a_row_gives_the_counts_of_the_cohorts() -> None:
    young, old = [500, 430], [1000, 869, 743, 653]
    periods, left, weights = zip(
        (1, True, 70 + 131), (1, False, 430), (2, True, 126), (3, True, 90), (3, False, 653),
        strict=True,
    )  # fmt: skip
    rows = SurvivalCounts.from_arrays(periods, left, weights=weights)
    for counts in (
        SurvivalCounts.from_survivors(young, old),
        SurvivalCounts.from_survivors(old, young),
        SurvivalCounts.from_arrays(np.repeat(periods, weights), np.repeat(left, weights)),
    ):
        assert counts.left.tolist() == rows.left.tolist() == [201, 126, 90]
        assert counts.stayed.tolist() == rows.stayed.tolist() == [430, 0, 653]
        assert counts.customers == 1500


def test_cohorts_of_different_ages_are_fitted_together() -> None:
    truth = ShiftedBetaGeometric(1.4, 5.0)
    seen = np.repeat([2, 5, 9], 20_000)
    t, left = truth.simulate(seen, np.random.default_rng(2))
    fit = ShiftedBetaGeometric.fit(SurvivalCounts.from_arrays(t, left))
    for name, value in truth.parameters.items():
        assert abs(fit.parameters[name] - value) < 4 * fit.standard_errors[name]
    cohorts = [
        [int((seen == age).sum()), *(int(((seen == age) & ((t > k) | ~left) & (t >= k)).sum())
                                     for k in range(1, age + 1))]
        for age in (2, 5, 9)
    ]  # fmt: skip
    again = ShiftedBetaGeometric.fit(SurvivalCounts.from_survivors(*cohorts))
    assert again.parameters == fit.parameters


def test_simulated_lifetimes_have_their_probabilities() -> None:
    draws = 200_000
    t, left = HIGH_END.simulate(np.full(draws, 6), np.random.default_rng(3))
    for age in range(1, 7):
        p = float(HIGH_END.pmf(age))
        seen = float((left & (t == age)).mean())
        assert abs(seen - p) < 4.5 * math.sqrt(p * (1 - p) / draws)  # 4.5 standard errors
    assert (t[~left] == 6).all()


@pytest.mark.parametrize(
    ("cohorts", "says"),
    [
        ([[1000, 869, 900]], "cohort 1: 900 are there after 2 periods but only 869 after 1"),
        ([[100, 90], [100, 90.5]], "cohort 2: 90.5 after 1 periods is not a whole number"),
        ([[100, -3]], "-3 after 1 periods is not a whole number"),
        ([[100, math.nan]], "nan after 1 periods is not a whole number"),
        ([[100]], "cohort 1: it needs the number won and at least one later count"),
        ([[0, 0]], "nobody was won"),
        ([], "there is no cohort"),
    ],
)
def test_survivors_that_cannot_be_are_refused(cohorts: list[list[float]], says: str) -> None:
    with pytest.raises(HistoryError, match=says):
        SurvivalCounts.from_survivors(*cohorts)


def test_all_faults_of_the_cohorts_are_told_at_once() -> None:
    with pytest.raises(HistoryError) as raised:
        SurvivalCounts.from_survivors([100, 90.5, 95], [50, 60])
    message = str(raised.value)
    assert "cohort 1: 90.5" in message
    assert "cohort 1: 95 are there after 2" in message
    assert "cohort 2: 60 are there after 1" in message
    assert "2 more faults" in message


def test_subscribers_that_cannot_be_are_refused() -> None:
    with pytest.raises(HistoryError) as raised:
        SurvivalCounts.from_arrays([1, 0, 2.5, 3], [1, 0, 1, 2], weights=[1, 1, 0, 1])
    message = str(raised.value)
    assert "2 of 4 subscribers have a number of periods that is not whole" in message
    assert "(first rows: 1, 2)" in message
    assert "`left` that is neither true nor false (first rows: 3)" in message
    assert "a weight that is not positive (first rows: 2)" in message
    with pytest.raises(HistoryError, match="one value a subscriber"):
        SurvivalCounts.from_arrays([1, 2], [True])
    with pytest.raises(HistoryError, match="one value a subscriber"):
        SurvivalCounts.from_arrays([], [])


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(HistoryError, match="got shapes"):
        SurvivalCounts(np.zeros(2), np.zeros(3))
    with pytest.raises(HistoryError, match=r"left has 1 negative or missing .*ages: 2"):
        SurvivalCounts(np.array([1.0, -1]), np.zeros(2))
    with pytest.raises(HistoryError, match="no subscribers"):
        SurvivalCounts(np.zeros(2), np.zeros(2))


@pytest.mark.parametrize(
    ("cohorts", "says"),
    [
        ([[1, 0]], "one subscriber only"),
        ([[100, 100, 100]], "None of the 100 subscribers left in 2 periods"),
        ([[100, 0, 0]], "All 100 subscribers left after the first period"),
        ([[100, 60]], "One period only was observed"),
        ([[1000, 800, 640, 512]], "cannot tell alpha, beta"),  # retention does not rise: θ is one
        ([[1000, 900, 700, 300]], "cannot tell alpha, beta"),  # it falls
    ],
)
def test_what_cannot_be_identified_is_refused(cohorts: list[list[int]], says: str) -> None:
    with pytest.raises(NotIdentifiedError, match=says):
        ShiftedBetaGeometric.fit(SurvivalCounts.from_survivors(*cohorts))


def test_what_is_no_number_of_periods_is_refused() -> None:
    for ask in (
        lambda: HIGH_END.survival(-1),
        lambda: HIGH_END.survival(1.5),
        lambda: HIGH_END.retention_rate(0),
        lambda: HIGH_END.discounted_expected_residual_lifetime(0, rate=0.1),
        lambda: HIGH_END.discounted_expected_lifetime(rate=0.1, horizon=-1),
        lambda: HIGH_END.expected_lifetime(horizon=math.nan),
    ):
        with pytest.raises(RequestError, match="whole number of periods"):
            ask()
    with pytest.raises(RequestError, match="discount rate and the horizon cannot be negative"):
        HIGH_END.discounted_expected_lifetime(rate=-0.01)
    with pytest.raises(RequestError, match="discount rate and the horizon cannot be negative"):
        HIGH_END.discounted_expected_lifetime(rate=math.nan)


def test_parameters_are_positive() -> None:
    with pytest.raises(ParameterError, match="sBG needs alpha > 0; got alpha = -1"):
        ShiftedBetaGeometric(-1, 2)
