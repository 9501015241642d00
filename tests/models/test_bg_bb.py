"""BG/BB: the paper's figures, its closed forms to many digits, the laws, and bad histories."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.datasets import load_donations
from clv.errors import HistoryError, NotIdentifiedError, ParameterError, RequestError
from clv.history import Histories
from clv.models.bg_bb import BGBB
from tests.reference import bg_bb_mpmath as reference
from tests.reference.bg_bb_mpmath import Case

PAPER = BGBB(1.204, 0.750, 0.657, 2.783)  # Fader, Hardie & Shang (2010), the donations
TOLERANCE = 1e-8
SMALLEST = 1e-300


@pytest.fixture(scope="module")
def donations() -> Histories:
    d = load_donations()
    return Histories.from_arrays(
        d.frequency, d.recency, d.periods, weights=d.weights, unit="period"
    )


# -- the paper's figures ----------------------------------------------------------------------


def test_the_donations_give_the_papers_figures(donations: Histories) -> None:
    fit = BGBB.fit(donations)
    # Fader, Hardie & Shang (2010): three decimals printed; log-likelihood to one.
    printed = {"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783}
    assert fit.parameters == pytest.approx(printed, abs=5e-4)
    assert fit.log_likelihood == pytest.approx(-33_225.6, abs=0.05)
    assert (fit.customers, fit.patterns, fit.unit) == (11_104, 22, "period")
    per_pattern = fit.model.log_likelihood(donations.frequency, donations.recency, donations.T)
    assert fit.log_likelihood == pytest.approx(float(donations.weight @ per_pattern), rel=1e-12)


# -- the closed forms to many digits ----------------------------------------------------------


def grid() -> Iterator[Case]:
    """Corners of the parameters, then log-uniform draws with every known edge in turn."""
    rng = np.random.default_rng(2010)
    ahead = (1, 2, 5, 50, 200)
    for k, (alpha, beta, gamma, delta) in enumerate(product((0.01, 1000.0), repeat=4)):
        for x, t_x in ((0, 0), (1, 200), (200, 200), (100, 150)):
            yield Case(alpha, beta, gamma, delta, x, t_x, 200, ahead[k % 5])
    for k in range(200):
        alpha, beta, gamma, delta = (float(v) for v in 10 ** rng.uniform(-2, 3, 4))
        T = (0, 1, 2, 3, 6, 25, 100, 200)[k % 8]
        t_x = int(rng.integers(0, T + 1))
        x = int(rng.integers(1, t_x + 1)) if t_x else 0
        match k % 9:
            case 0:
                gamma = 1.0
            case 1:
                gamma = 1 + float(rng.choice([-1, 1])) * 10.0 ** -float(rng.integers(3, 15))
            case 2:
                x = t_x
            case 3:
                x = t_x = T
            case 4:
                x = t_x = 0
            case 5:
                x, t_x = min(T, 1), T
        yield Case(alpha, beta, gamma, delta, x, t_x, T, ahead[k % 5] if k % 11 else 0)


GRID = list(grid())


def model(c: Case) -> BGBB:
    return BGBB(c.alpha, c.beta, c.gamma, c.delta)


def history(c: Case) -> tuple[int, int, int]:
    return c.x, c.t_x, c.T


def far_from(
    got: Callable[[Case], Any], want: Callable[[Case], Any], cases: list[Case] = GRID
) -> list[str]:
    """The cases in which `got` misses `want`, said so that one can be run again."""
    faults = []
    with mp.workdps(reference.DIGITS):
        for c in cases:
            value, exact = float(got(c)), want(c)
            off = abs(mp.mpf(value) - exact) if math.isfinite(value) and value >= 0 else mp.inf
            if off > TOLERANCE * exact + SMALLEST:
                faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    return faults


def rate(c: Case) -> float:
    return (1e-12, 1e-6, 0.002, 0.1, 3.0)[GRID.index(c) % 5]


def test_the_grid_holds_the_edges_that_it_is_made_for() -> None:
    assert len(GRID) >= 200
    assert sum(c.T == 200 for c in GRID) >= 80
    assert sum(c.gamma == 1 for c in GRID) >= 20
    assert sum(0 < abs(c.gamma - 1) < 1.1e-3 for c in GRID) >= 20
    assert sum(c.x == 0 < c.T for c in GRID) >= 20
    assert sum(c.x == c.T > 0 for c in GRID) >= 20
    assert sum(c.t == 200 for c in GRID) >= 20
    for name in ("alpha", "beta", "gamma", "delta"):
        values = [getattr(c, name) for c in GRID]
        assert (min(values), max(values)) == (0.01, 1000)


def test_log_likelihood_is_the_papers() -> None:
    # Relative to the likelihood where |ln L| < 1, to its logarithm elsewhere.
    faults = []
    with mp.workdps(reference.DIGITS):
        for c in GRID:
            value = float(model(c).log_likelihood(*history(c)))
            exact = mp.log(reference.likelihood(c))
            if not abs(mp.mpf(value) - exact) <= TOLERANCE * max(1, abs(exact)):
                faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    assert not faults


def test_p_alive_is_the_papers() -> None:
    assert not far_from(lambda c: model(c).p_alive(*history(c)), reference.p_alive)


def test_expected_purchases_are_the_papers_also_at_gamma_1() -> None:
    assert not far_from(
        lambda c: model(c).expected_purchases(c.t, *history(c)), reference.expected_purchases
    )


@pytest.mark.parametrize("k", [0, 1, 2, 40, 200])
def test_pmf_is_the_papers(k: int) -> None:
    cases = GRID[k % 5 :: 5]
    assert not far_from(
        lambda c: model(c).pmf(k, c.t, *history(c)), lambda c: reference.pmf(c, k), cases
    )


def test_discounted_purchases_without_a_horizon_are_the_papers_dert() -> None:
    assert not far_from(
        lambda c: model(c).discounted_expected_transactions(*history(c), rate=rate(c)),
        lambda c: reference.discounted_purchases(c, rate(c)),
    )


def test_discounted_purchases_up_to_a_horizon() -> None:
    assert not far_from(
        lambda c: model(c).discounted_expected_transactions(
            *history(c), rate=rate(c), horizon=c.t * 3
        ),
        lambda c: reference.discounted_purchases_within(c, rate(c), c.t * 3),
        GRID[::2],
    )


def test_without_discount_and_horizon_purchases_are_finite_only_for_gamma_above_1() -> None:
    # Σ P(there for n + i) of a beta-geometric lifetime is (γ + δ + n)/(γ − 1) from n + 1 on.
    leaving = [c for c in GRID if c.gamma > 1.001]
    assert not far_from(
        lambda c: model(c).discounted_purchases_if_alive(c.x, c.T, rate=0),
        lambda c: (
            (mp.mpf(c.alpha) + c.x)
            / (mp.mpf(c.alpha) + c.beta + c.T)
            * (mp.mpf(c.gamma) + c.delta + c.T)
            / (mp.mpf(c.gamma) - 1)
        ),
        leaving,
    )
    with pytest.raises(RequestError, match="some customers never leave"):
        PAPER.discounted_purchases_if_alive(rate=0)


# -- laws -------------------------------------------------------------------------------------

POSITIVE = st.floats(-2, 3).map(lambda e: 10.0**e)
MODELS = st.builds(BGBB, POSITIVE, POSITIVE, POSITIVE, POSITIVE)


@st.composite
def histories(draw: st.DrawFn, most: int = 30) -> tuple[int, int, int]:
    T = draw(st.integers(0, most))
    t_x = draw(st.integers(0, T))
    return draw(st.integers(1, t_x)) if t_x else 0, t_x, T


@given(MODELS, st.integers(0, 25))
def test_all_histories_of_some_length_have_probability_1(m: BGBB, T: int) -> None:
    x, t_x = np.array([(0, 0), *((x, t) for t in range(1, T + 1) for x in range(1, t + 1))]).T
    orders = [math.comb(int(t) - 1, int(k) - 1) if k else 1 for k, t in zip(x, t_x, strict=True)]
    assert np.exp(m.log_likelihood(x, t_x, T)) @ np.array(orders) == pytest.approx(1, abs=1e-9)


@given(MODELS, histories())
def test_the_next_opportunity_is_a_ratio_of_likelihoods(
    m: BGBB, past: tuple[int, int, int]
) -> None:
    x, t_x, T = past
    buys = float(m.log_likelihood(x + 1, T + 1, T + 1) - m.log_likelihood(x, t_x, T))
    misses = float(m.log_likelihood(x, t_x, T + 1) - m.log_likelihood(x, t_x, T))
    assert m.pmf([0, 1], 1, *past) == pytest.approx([math.exp(misses), math.exp(buys)], rel=1e-9)


@given(MODELS, histories(), st.integers(0, 30))
def test_pmf_sums_to_1_and_has_the_expected_purchases_for_mean(
    m: BGBB, past: tuple[int, int, int], t: int
) -> None:
    k = np.arange(t + 3)
    p = m.pmf(k, t, *past)
    assert (p >= 0).all()
    assert not p[t + 1 :].any()
    assert p.sum() == pytest.approx(1, abs=1e-9)
    assert p @ k == pytest.approx(float(m.expected_purchases(t, *past)), rel=1e-8, abs=1e-300)


@given(MODELS, histories(), st.floats(0, 2), st.integers(0, 20))
def test_expectations_rise_with_time_and_fall_with_discount(
    m: BGBB, past: tuple[int, int, int], rate: float, t: int
) -> None:
    x, _, T = past
    assert m.expected_purchases(0, *past) == 0
    now, later = (float(m.expected_purchases(v, *past)) for v in (t, t + 1))
    assert 0 <= now <= later * (1 + 1e-10)
    assert later <= (t + 1) * (1 + 1e-10)
    ahead = m.survival_if_alive(np.arange(6), x, T)
    assert ahead[0] == 1
    assert (np.diff(ahead) <= 1e-12).all()
    discounted = float(m.discounted_expected_transactions(*past, rate=rate, horizon=t))
    assert math.exp(-rate * t) * now * (1 - 1e-9) <= discounted <= now * (1 + 1e-9)


@given(MODELS, histories(), st.integers(1, 12))
def test_the_longer_since_the_last_purchase_the_less_likely_alive(
    m: BGBB, past: tuple[int, int, int], more: int
) -> None:
    x, t_x, T = past
    here, later = float(m.p_alive(x, t_x, T)), float(m.p_alive(x, t_x, T + more))
    assert 0 <= later <= here * (1 + 1e-12)
    assert here <= 1


@given(MODELS)
@settings(max_examples=30)
def test_score_and_hessian_agree_with_finite_differences(m: BGBB) -> None:
    some = Histories.from_arrays(
        [0, 1, 3, 6, 40, 2], [0, 2, 6, 6, 77, 8], [6, 6, 7, 6, 90, 9],
        weights=[5, 2, 1, 3, 1, 2], unit="period",
    )  # fmt: skip
    theta = np.array(list(m.parameters.values()))
    at = BGBB.likelihood(theta, some)
    size = float(np.abs(theta * at.gradient).max()) + abs(at.value)
    assert (at.hessian == at.hessian.T).all()
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5 * theta[i]
        above, below = (BGBB.likelihood(theta + s, some) for s in (step, -step))
        slope = (above.value - below.value) / 2e-5
        assert slope == pytest.approx(theta[i] * at.gradient[i], rel=1e-6, abs=1e-9 * size)
        curve = theta * (above.gradient - below.gradient) / 2e-5
        exact = theta * theta[i] * at.hessian[i]
        assert curve == pytest.approx(exact, rel=1e-6, abs=1e-8 * size)


def test_a_weight_is_that_many_customers_and_their_order_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    x, t_x = PAPER.simulate(np.full(400, 6), rng)
    weights = rng.integers(1, 4, 400)
    together = Histories.from_arrays(x, t_x, np.full(400, 6), weights=weights, unit="period")
    order = rng.permutation(int(weights.sum()))
    rows = np.repeat(np.arange(400), weights)[order]
    apart = Histories.from_arrays(x[rows], t_x[rows], np.full(len(rows), 6), unit="period")
    left, right = BGBB.fit(together), BGBB.fit(apart)
    assert left.parameters == right.parameters
    assert left.log_likelihood == right.log_likelihood


def test_many_histories_at_once_are_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    x, t_x = PAPER.simulate(np.full(60, 40), np.random.default_rng(5))
    h = Histories.from_arrays(x, t_x, np.full(60, 40), unit="period")
    theta = np.array(list(PAPER.parameters.values()))
    whole = BGBB.likelihood(theta, h), PAPER.pmf(3, 9, x, t_x, 40)
    monkeypatch.setattr("clv.models.bg_bb_mixture.CHUNK", 50)
    parts = BGBB.likelihood(theta, h), PAPER.pmf(3, 9, x, t_x, 40)
    assert parts[0].value == pytest.approx(whole[0].value, rel=1e-13)
    assert parts[0].gradient == pytest.approx(whole[0].gradient, rel=1e-10)
    assert parts[0].hessian == pytest.approx(whole[0].hessian, rel=1e-10)
    assert parts[1] == pytest.approx(whole[1], rel=1e-13)


# -- simulation -------------------------------------------------------------------------------


def test_simulated_histories_have_their_probabilities() -> None:
    draws = 200_000
    x, t_x = PAPER.simulate(np.full(draws, 4), np.random.default_rng(6))
    for k, last in [(0, 0), *((k, t) for t in range(1, 5) for k in range(1, t + 1))]:
        orders = math.comb(last - 1, k - 1) if k else 1
        p = orders * math.exp(float(PAPER.log_likelihood(k, last, 4)))
        seen = float(((x == k) & (t_x == last)).mean())
        assert abs(seen - p) < 4.5 * math.sqrt(p * (1 - p) / draws)  # 4.5 standard errors


def test_simulated_purchases_have_the_pmf() -> None:
    draws = 100_000
    past = (2, 4, 6)
    n = PAPER.simulate_purchases(5, np.random.default_rng(7), *(np.full(draws, v) for v in past))
    for k, p in enumerate(PAPER.pmf(np.arange(6), 5, *past)):
        assert abs((n == k).mean() - p) < 4.5 * math.sqrt(p * (1 - p) / draws)


def test_simulation_recovers_the_parameters() -> None:
    T = np.repeat([4, 8, 12], 20_000)
    truth = BGBB(0.8, 2.0, 1.5, 6.0)
    x, t_x = truth.simulate(T, np.random.default_rng(8))
    fit = BGBB.fit(Histories.from_arrays(x, t_x, T, unit="period"))
    for name, value in truth.parameters.items():
        assert abs(fit.parameters[name] - value) < 4 * fit.standard_errors[name]


def test_extreme_dropout_can_be_simulated() -> None:
    rng = np.random.default_rng(9)
    x, _ = BGBB(1, 1, 0.01, 1000).simulate(np.full(200, 50), rng)
    gone, _ = BGBB(1, 1, 1000, 0.01).simulate(np.full(200, 50), rng)
    assert x.mean() == pytest.approx(25, abs=5)  # p is uniform and hardly anyone leaves
    assert gone.mean() < 1


# -- bad input --------------------------------------------------------------------------------


def test_histories_that_cannot_be_are_refused_with_their_rows() -> None:
    with pytest.raises(HistoryError) as raised:
        PAPER.log_likelihood([1, 3, 2, 1], [1, 2, 2.5, 1], [6, 6, 6, 6.5])
    message = str(raised.value)
    assert "1 of 4 histories have more purchases than opportunities" in message
    assert "1 with x = 3, t_x = 2, T = 6" in message
    assert "2 of 4 histories have a recency or T that is not a whole number" in message
    assert "opportunities to buy" in message
    with pytest.raises(HistoryError, match="1 of 1 customers have recency > T"):
        PAPER.p_alive(2, 7, 6)
    days = Histories.from_arrays([9, 0], [2, 0], [6, 6])
    with pytest.raises(HistoryError, match=r"more purchases than .* x = 9, t_x = 2, T = 6"):
        BGBB.fit(days)


@pytest.mark.parametrize(
    ("x", "t_x", "T", "says"),
    [
        ([0, 0, 0], [0, 0, 0], [6, 6, 6], "None of the 150 customers bought again"),
        ([2], [4], [6], "one customer only"),
        ([1, 0, 1], [1, 0, 1], [1, 1, 1], "There is 1 opportunity"),
        ([1, 0, 2], [2, 0, 2], [2, 2, 2], "There are 2 opportunities"),
        ([6, 5, 6], [6, 5, 6], [6, 5, 6], "All 150 customers bought at every opportunity"),
        ([1, 2, 3, 4], [4, 4, 4, 4], [4, 4, 4, 4], "cannot tell"),  # nobody leaves
        ([1, 2, 3, 0], [1, 2, 3, 0], [5, 5, 5, 5], "cannot tell"),  # nobody misses one
    ],
)
def test_what_cannot_be_identified_is_refused(
    x: list[int], t_x: list[int], T: list[int], says: str
) -> None:
    h = Histories.from_arrays(x, t_x, T, unit="period")
    with pytest.raises(NotIdentifiedError, match=says):
        BGBB.fit(replace(h, weight=h.weight * (1 if h.customers == 1 else 50)))


def test_times_that_are_no_opportunities_are_refused() -> None:
    asked: list[Callable[[], Any]] = [
        lambda: PAPER.expected_purchases(2.5, 1, 1, 3),
        lambda: PAPER.expected_purchases(-1, 1, 1, 3),
        lambda: PAPER.pmf(1.5, 4),
        lambda: PAPER.survival_if_alive(1, T=math.nan),
        lambda: PAPER.discounted_purchases_if_alive(rate=0.1, horizon=2.5),
    ]
    for ask in asked:
        with pytest.raises(RequestError, match="whole number of periods"):
            ask()
    with pytest.raises(RequestError, match=r"2 of 3 are not: -1, 0\.5"):
        PAPER.expected_purchases([1, -1, 0.5])
    with pytest.raises(RequestError, match="discount rate and the horizon cannot be negative"):
        PAPER.discounted_purchases_if_alive(rate=-0.1)


def test_parameters_are_positive() -> None:
    with pytest.raises(ParameterError, match="BG/BB needs gamma > 0; got gamma = 0"):
        BGBB(1, 1, 0, 1)
