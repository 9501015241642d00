"""The seasonal likelihood against quadrature and finite differences; its model against itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, gamma

from clv import BGNBD, MBGNBD
from clv.errors import HistoryError, RequestError
from clv.history import Histories
from clv.models.beta_geometric import BetaGeometric
from clv.models.seasons.model import SeasonalLikelihood, SeasonalModel
from clv.models.seasons.season import Season, season_names
from tests.models.seasonal_shop import CHRISTMAS, arrivals, counted

Floats = npt.NDArray[np.float64]

MODELS = (BGNBD, MBGNBD)
END = date(2024, 6, 30)
THETA = np.array([0.6, 50.0, 0.9, 2.4])  # invented; a purchase in 80 days or so
CHRISTMAS_SEASON = Season.proportional("month", CHRISTMAS)


def shop(
    model: type[BetaGeometric], index: str, unit: str = "day", n: int = 60
) -> SeasonalLikelihood:
    rng = np.random.default_rng(7)
    base = model.from_vector(THETA * [1, 1 / 7 if unit == "week" else 1, 1, 1])
    built = SeasonalModel(base, CHRISTMAS_SEASON, END, unit)
    bought = built.simulate(arrivals(n, "2022-03-01", "2024-06-30", rng), rng)
    return SeasonalLikelihood(model, *counted(*bought, end=END, unit=unit, index=index), index)


def varied(index: str) -> Floats:
    return np.random.default_rng(3).normal(0, 0.4, len(season_names(index)))


def integral(f: Callable[[float], float], low: float, high: float) -> float:
    return float(quad(f, low, high, epsabs=0, epsrel=1e-11, limit=400)[0])


def by_quadrature(
    model: type[BetaGeometric], theta: Floats, season: Season, days: list[date]
) -> float:
    """Density of one customer's purchase days, integrated over λ and p; τ by a loop over days."""
    r, alpha, a, b = theta.tolist()
    first, x = days[0], len(days) - 1

    def tau(day: date) -> float:
        passed = (first + timedelta(k) for k in range(1, (day - first).days + 1))
        return sum(float(season.on(d)) for d in passed)

    rate: float = math.prod([float(season.on(d)) for d in days[1:]])
    chances = x + model.chances_before_repeat

    def over_rate(t: float) -> float:
        # Substituting λ = z/(α + t) takes the scale out of the integrand.
        def f(z: float) -> float:
            lam = z / (alpha + t)
            density = gamma.pdf(lam, r, scale=1 / alpha)
            return float(lam**x * np.exp(-lam * t) * density / (alpha + t))

        return integral(f, 0, 1) + integral(f, 1, math.inf)

    def stays(p: float) -> float:
        return float((1 - p) ** chances * beta.pdf(p, a, b))

    def leaves(p: float) -> float:
        return float(p * (1 - p) ** (chances - 1) * beta.pdf(p, a, b))

    likelihood = rate * integral(stays, 0, 1) * over_rate(tau(END))
    if chances:
        likelihood += rate * integral(leaves, 0, 1) * over_rate(tau(days[-1]))
    return float(np.log(likelihood))


@pytest.mark.parametrize("model", MODELS)
def test_likelihood_is_the_integral_over_rates_and_dropout(model: type[BetaGeometric]) -> None:
    customers = [
        [date(2023, 11, 20)],
        [date(2023, 1, 5), date(2023, 12, 20)],
        [date(2022, 5, 5), date(2022, 5, 6), date(2022, 12, 24), date(2023, 2, 28)],
        [date(2024, 6, 30)],
        [date(2023, 2, 1), date(2024, 2, 29), date(2024, 6, 30)],
    ]
    theta = np.array([1.3, 40.0, 1.2, 2.6])  # r, a > 1 so that plain quadrature is exact enough
    bought = (
        np.repeat(np.arange(len(customers)), [len(days) for days in customers]),
        np.array([day for days in customers for day in days], dtype="datetime64[D]"),
    )
    h, repeats = counted(*bought, end=END, unit="day", index="month")
    likelihood = SeasonalLikelihood(model, h, repeats, "month")
    expected = sum(by_quadrature(model, theta, CHRISTMAS_SEASON, days) for days in customers)
    found = likelihood.at(np.log(theta), np.log(CHRISTMAS_SEASON.values)).value
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("index", "unit"), [("month", "day"), ("week", "week")])
def test_derivatives_are_those_of_finite_differences(
    model: type[BetaGeometric], index: str, unit: str
) -> None:
    likelihood = shop(model, index, unit)
    at = np.concatenate([np.log(THETA), varied(index)])
    value, gradient, hessian = likelihood.at(at[:4], at[4:])
    assert np.isfinite(value)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9, atol=1e-9)
    step = 1e-5
    for i, e in enumerate(np.eye(len(at))):
        up, down = (likelihood.at((at + s * e)[:4], (at + s * e)[4:]) for s in (step, -step))
        slope = (up.value - down.value) / (2 * step)
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-5)
        bend = (up.gradient - down.gradient) / (2 * step)
        np.testing.assert_allclose(hessian[i], bend, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("unit", ["day", "week"])
def test_a_flat_index_is_the_plain_model(model: type[BetaGeometric], unit: str) -> None:
    likelihood = shop(model, "month", unit)
    value, gradient, hessian = likelihood.at(np.log(THETA), np.zeros(12))
    plain = model.likelihood(THETA, likelihood.histories)
    assert value == pytest.approx(plain.value, rel=1e-12)
    np.testing.assert_allclose(gradient[:4], plain.gradient * THETA, rtol=1e-9)
    as_logs = plain.hessian * np.outer(THETA, THETA) + np.diag(plain.gradient * THETA)
    np.testing.assert_allclose(hessian[:4, :4], as_logs, rtol=1e-9, atol=1e-9)


@given(st.floats(-2, 2), st.sampled_from(MODELS))
@settings(max_examples=20)
def test_only_the_ratio_of_index_and_alpha_can_be_seen(
    shift: float, model: type[BetaGeometric]
) -> None:
    likelihood = shop(model, "month")
    faster = np.log(THETA) + np.array([0, shift, 0, 0])
    assert likelihood.at(faster, varied("month") + shift).value == pytest.approx(
        likelihood.at(np.log(THETA), varied("month")).value, rel=1e-12
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_flat_season_answers_as_the_plain_model(model: type[BetaGeometric]) -> None:
    base = model.from_vector(THETA)
    flat = SeasonalModel(base, Season.flat("month"), END, "day")
    x, t_x, T = np.array([0, 1, 4]), np.array([0.0, 30, 300]), np.array([400.0, 100, 350])
    np.testing.assert_array_equal(flat.p_alive(x, t_x, T), base.p_alive(x, t_x, T))
    ahead = flat.expected_purchases(date(2024, 7, 1), date(2024, 9, 30), x, t_x, T)
    np.testing.assert_allclose(ahead, base.expected_purchases(92, x, t_x, T), rtol=1e-12)


def test_days_ahead_add_up() -> None:
    built = SeasonalModel(BGNBD.from_vector(THETA), CHRISTMAS_SEASON, END, "week")
    parts = [("2024-07-01", "2024-07-31"), ("2024-08-01", "2024-12-09"), ("2024-12-10",) * 2]
    history = {"x": [0, 3], "t_x": [0, 20], "T": [30, 40]}
    total = built.expected_purchases("2024-07-01", "2024-12-10", **history)
    summed = sum(built.expected_purchases(*part, **history) for part in parts)
    np.testing.assert_allclose(summed, total, rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_simulated_purchases_come_when_they_are_expected(model: type[BetaGeometric]) -> None:
    rng = np.random.default_rng(11)
    base = model.from_vector(THETA * [1, 6, 1, 1])  # slow, so that few fall on one day
    n, begin = 40_000, date(2022, 9, 15)
    built = SeasonalModel(base, CHRISTMAS_SEASON, END, "day")
    customer, day = built.simulate(np.full(n, begin), rng)
    assert len(np.unique(customer)) == n
    later = day[day > np.datetime64(begin)]
    bounds = np.arange("2022-10", "2024-08", dtype="datetime64[M]").astype("datetime64[D]") - 1
    bounds = np.concatenate([[np.datetime64(begin)], bounds])
    found = np.histogram(later.astype(int), bounds.astype(int) + 1)[0]
    passed = CHRISTMAS_SEASON.elapsed(begin, bounds)
    expected = n * np.diff(base.expected_purchases(passed))
    # Counts in a month vary a little more than Poisson's, for customers differ: 4 sd of 1.5 × that.
    assert (np.abs(found - expected) < 6 * np.sqrt(expected) + 0.005 * expected).all()
    assert found[3] > 2.5 * found[10]  # December against July of the next year


def test_expected_purchases_are_those_of_simulated_customers() -> None:
    """Simulate to a later end, learn of each only to an earlier one, compare what came between."""
    rng = np.random.default_rng(5)
    base, later = BGNBD.from_vector(THETA * [1, 2, 1, 1]), date(2024, 12, 31)
    built = SeasonalModel(base, CHRISTMAS_SEASON, later, "day")
    customer, day = built.simulate(arrivals(30_000, "2022-06-01", "2024-06-30", rng), rng)
    h, _ = counted(customer, day, end=END, unit="day", index="month")
    early = SeasonalModel(base, CHRISTMAS_SEASON, END, "day")
    each = early.expected_purchases("2024-12-01", "2024-12-31", h.frequency, h.recency, h.T)
    expected = float(h.weight @ each)
    bought = int((day >= np.datetime64("2024-12-01")).sum())
    assert bought == pytest.approx(expected, abs=4 * np.sqrt(1.5 * expected) + 0.01 * expected)


def test_histories_without_dates_are_refused() -> None:
    none = Histories.from_arrays([1], [3.0], [9.0])
    with pytest.raises(HistoryError, match="no end of observation"):
        SeasonalLikelihood(BGNBD, none, np.zeros(12), "month")
    half = Histories.from_arrays([1], [3.5], [9.0], end=END)
    with pytest.raises(HistoryError, match="1 of 1 values of recency are not whole days"):
        SeasonalLikelihood(BGNBD, half, np.ones(12) / 12, "month")
    whole = Histories.from_arrays([1], [3.0], [9.0], end=END)
    with pytest.raises(HistoryError, match="1 repeat purchases and the seasons 12"):
        SeasonalLikelihood(BGNBD, whole, np.ones(12), "month")


@pytest.mark.parametrize(("first", "last"), [("2024-06-30", "2024-07-31"), ("2024-08-02",) * 2])
def test_only_days_after_the_end_can_be_expected(first: str, last: str) -> None:
    built = SeasonalModel(BGNBD.from_vector(THETA), CHRISTMAS_SEASON, END, "day")
    if first > "2024-07":
        last = "2024-08-01"
    with pytest.raises(RequestError, match="after the end of observation"):
        built.expected_purchases(first, last)


def test_customers_cannot_join_after_the_end() -> None:
    built = SeasonalModel(BGNBD.from_vector(THETA), CHRISTMAS_SEASON, END, "day")
    with pytest.raises(RequestError, match="1 of 2 customers first buy after"):
        built.simulate(["2024-06-30", "2024-07-01"], np.random.default_rng(1))
