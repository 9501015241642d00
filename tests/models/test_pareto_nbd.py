"""Every Pareto/NBD answer against mpmath, where the textbook's two 2F1 cancel or overflow.

What must hold (x ≤ 1,000, T ≤ 10,000 units, parameters from .01 to 1,000, α ≫ β, α ≪ β, α = β, s
at and near 1): within 1e-8 relative of the reference, never nan, inf or negative.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import nbinom

from clv.errors import RequestError
from clv.history import Histories
from clv.models.pareto_nbd import ParetoNBD
from tests.battery import Customer, customers
from tests.reference import pareto_nbd_mpmath as reference
from tests.reference.pareto_nbd_mpmath import PURCHASES, Answers, Case

TOLERANCE = 1e-8
SMALLEST = 1e-300
"""Below this a double loses digits and then vanishes; the difference must vanish too."""

GRID = reference.stored()


def model(c: Case) -> ParetoNBD:
    return ParetoNBD(c.r, c.alpha, c.s, c.beta)


def far_from(got: Callable[[Case], Any], want: Callable[[Answers], Any]) -> list[str]:
    """The cases in which `got` misses `want`, said so that one can be run again."""
    faults = []
    for c, said in GRID:
        value, exact = float(got(c)), want(said)
        off = abs(mp.mpf(value) - exact) if math.isfinite(value) and value >= 0 else mp.inf
        if off > TOLERANCE * exact + SMALLEST:
            faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    return faults


def test_the_grid_holds_the_edges_that_it_is_made_for() -> None:
    cases = [c for c, _ in GRID]
    # The last bit of a power differs between releases of NumPy.
    again = [dataclasses.astuple(c) for c in reference.grid()]
    assert np.allclose([dataclasses.astuple(c) for c in cases], again, rtol=1e-14, atol=0)
    assert len(cases) >= 200
    assert {c.x for c in cases} == set(PURCHASES)
    assert sum(c.s == 1 for c in cases) >= 20
    assert sum(0 < abs(c.s - 1) < 0.02 for c in cases) >= 20
    assert sum(c.alpha == c.beta for c in cases) >= 20
    assert sum(0 < abs(c.alpha / c.beta - 1) < 1e-8 for c in cases) >= 10
    assert sum(c.alpha > 1e4 * c.beta for c in cases) >= 20
    assert sum(c.beta > 1e4 * c.alpha for c in cases) >= 20
    assert sum(c.T == 10_000 for c in cases) >= 20
    assert sum(c.t_x == c.T > 0 for c in cases) >= 20
    assert sum(0 < c.t_x <= 1e-6 * c.T for c in cases) >= 20
    assert sum(c.T == 0 for c in cases) >= 2
    assert {c.n for c in cases} == {0, 1, 2, 7, 60, 400}
    assert sum(c.horizon == math.inf for c in cases) >= 20


def test_p_alive_is_the_share_of_the_alive_in_the_likelihood() -> None:
    assert not far_from(lambda c: model(c).p_alive(c.x, c.t_x, c.T), lambda said: said.p_alive)


def test_log_likelihood_is_the_integral_over_the_time_of_leaving() -> None:
    # Relative to the likelihood where |ln L| < 1, to its logarithm elsewhere.
    faults = []
    for c, said in GRID:
        value, exact = float(model(c).log_likelihood(c.x, c.t_x, c.T)), said.log_likelihood
        if not abs(mp.mpf(value) - exact) <= TOLERANCE * max(1, abs(exact)):
            faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    assert not faults


def test_expected_purchases_of_the_alive_are_the_closed_form() -> None:
    assert not far_from(
        lambda c: model(c).expected_purchases_if_alive(c.t, c.x, c.T),
        lambda said: said.expected_purchases_if_alive,
    )


def test_expected_purchases_of_a_customer_are_those_of_the_alive_times_p_alive() -> None:
    assert not far_from(
        lambda c: model(c).expected_purchases(c.t, c.x, c.t_x, c.T),
        lambda said: said.p_alive * said.expected_purchases_if_alive,
    )


def test_discounted_purchases_are_an_exponential_integral() -> None:
    assert not far_from(
        lambda c: model(c).discounted_purchases_if_alive(c.x, c.T, rate=c.rate, horizon=c.horizon),
        lambda said: said.discounted_purchases_if_alive,
    )


def test_pmf_given_a_history_is_the_integral_over_the_time_of_leaving() -> None:
    assert not far_from(lambda c: model(c).pmf(c.n, c.t, c.x, c.t_x, c.T), lambda said: said.pmf)


def test_pmf_of_a_new_customer() -> None:
    assert not far_from(lambda c: model(c).pmf(c.n, c.t), lambda said: said.pmf_new)


def test_all_customers_at_once_are_each_customer_alone() -> None:
    """Rows of like length share a quadrature rule; whom one shares it with must not matter."""
    rng = np.random.default_rng(4)
    x = rng.choice(PURCHASES, 200).astype(float)
    T = 10 ** rng.uniform(-1, 4, 200)
    t_x = np.where(x > 0, T * rng.choice([1e-6, 0.3, 1.0], 200), 0)
    n, t = rng.choice([0, 1, 7, 60], 200).astype(float), 10 ** rng.uniform(-3, 4, 200)
    m = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669)
    answers: list[tuple[Any, Callable[[int], Any]]] = [
        (m.log_likelihood(x, t_x, T), lambda i: m.log_likelihood(x[i], t_x[i], T[i])),
        (m.p_alive(x, t_x, T), lambda i: m.p_alive(x[i], t_x[i], T[i])),
        (m.pmf(n, t, x, t_x, T), lambda i: m.pmf(n[i], t[i], x[i], t_x[i], T[i])),
        (
            m.discounted_purchases_if_alive(x, T, rate=0.002),
            lambda i: m.discounted_purchases_if_alive(x[i], T[i], rate=0.002),
        ),
    ]
    for together, alone in answers:
        one_by_one = np.array([float(alone(i)) for i in range(200)])
        assert together == pytest.approx(one_by_one, rel=1e-9, abs=SMALLEST)


def test_likelihoods_at_many_parameters_are_those_at_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values alone and values with derivatives, in chunks of any size, are sums over customers."""
    rng = np.random.default_rng(8)
    T = rng.uniform(1, 80, 300)
    h = Histories.from_arrays(*ParetoNBD(0.6, 5.0, 0.8, 12.0).simulate(T, rng), T, unit="week")
    thetas = 10 ** rng.uniform(-1, 1.5, (30, 4))
    together = ParetoNBD.log_likelihoods(thetas, h)
    for chunk in (1, 500):
        monkeypatch.setattr("clv.models.pareto_nbd_mixture.CHUNK", chunk)
        for theta, value in zip(thetas, together, strict=True):
            each = ParetoNBD(*theta.tolist()).log_likelihood(h.frequency, h.recency, h.T)
            assert float(h.weight @ each) == pytest.approx(value, rel=1e-12)
            assert ParetoNBD.likelihood(theta, h).value == pytest.approx(value, rel=1e-12)


# -- laws of this model only -----------------------------------------------------------------------


@settings(max_examples=40)
@given(customers(ParetoNBD))
def test_a_customer_who_just_bought_is_alive(c: Customer) -> None:
    """One leaves at any time, not at purchases: whoever bought at T is still there."""
    assert c.model.p_alive(c.x, c.T, c.T) == 1


@settings(max_examples=40)
@given(customers(ParetoNBD))
def test_whoever_leaves_late_is_a_negative_binomial_customer(c: Customer) -> None:
    """β = ∞ but for rounding: nobody leaves, and purchases are those of the NBD (Ehrenberg)."""
    stays = ParetoNBD(**(c.model.parameters | {"beta": 1e15}))
    r, alpha = stays.r, stays.alpha
    bought_last = (c.x, c.T, c.T)
    expected = (r + c.x) * c.t / (alpha + c.T)
    assert stays.expected_purchases(c.t, *bought_last) == pytest.approx(expected, rel=1e-8)
    share = c.t / (alpha + c.T + c.t)
    purchases = nbinom.pmf(np.arange(20), r + c.x, 1 - share)  # SciPy counts the failures
    assert stays.pmf(np.arange(20), c.t, *bought_last) == pytest.approx(purchases, rel=1e-8)


def test_without_end_and_discount_the_sum_is_finite_only_for_s_above_1() -> None:
    # ∫ (1 + u/B)^(−s) du = B/(s − 1)
    m = ParetoNBD(0.5, 10.0, 1.5, 12.0)
    assert m.discounted_purchases_if_alive(2, 30, rate=0) == pytest.approx(
        2.5 / 40 * 42 / 0.5, rel=1e-12
    )
    for s in (0.6, 1.0):
        with pytest.raises(RequestError, match="some customers never leave"):
            ParetoNBD(0.5, 10.0, s, 12.0).discounted_purchases_if_alive(2, 30, rate=0)


def test_a_negative_rate_or_horizon_is_refused() -> None:
    m = ParetoNBD(0.5, 10.0, 1.5, 12.0)
    for asked in ({"rate": -0.1}, {"rate": 0.1, "horizon": -1.0}, {"rate": math.nan}):
        with pytest.raises(RequestError, match="cannot be negative"):
            m.discounted_purchases_if_alive(2, 30, **asked)


# -- the references, against each other ------------------------------------------------------------

TRIED = [c for k, c in enumerate(reference.grid()) if k % 29 == 0 and c.t_x < c.T] + [
    Case(0.553, 10.578, 0.606, 11.669, 2, 30.43, 38.86, 39.0, 3, 0.002, 52.0),  # models.md, CDNOW
    Case(1.5, 12.0, 2.5, 3.0, 7, 9.0, 20.0, 200.0, 10, 0.01, 100.0),
]


@pytest.mark.parametrize("c", TRIED, ids=str)
def test_the_integral_is_the_difference_of_two_2f1(c: Case) -> None:
    with mp.workdps(reference.DIGITS):
        _, one = reference.mixture(c)
        _, other = reference.mixture_2f1(c)
        assert abs(one - other) <= 1e-12 * one


@pytest.mark.parametrize("c", TRIED[-2:], ids=str)
def test_the_stored_routes_agree_with_adaptive_quadrature(c: Case) -> None:
    R, A, B, s = c.r + c.x, c.alpha + c.T, c.beta + c.T, c.s

    def purchases(u: Any) -> Any:
        return R / A * mp.exp(-c.rate * u) * (1 + u / B) ** -s

    discounted = mp.quad(purchases, [0, c.horizon / 4, c.horizon])
    assert abs(reference.discounted_purchases_if_alive(c) / discounted - 1) < 1e-12

    def leaves(u: Any) -> Any:
        nbd = mp.binomial(R + c.n - 1, c.n) * (A / (A + u)) ** R * (u / (A + u)) ** c.n
        return nbd * s / B * (1 + u / B) ** -(s + 1)

    stays = leaves(mp.mpf(c.t)) / (s / B) * (1 + c.t / B)
    exact = stays + mp.quad(leaves, [0, c.t / 30, c.t / 6, c.t])
    assert abs(reference.pmf_if_alive(c) / exact - 1) < 1e-12
