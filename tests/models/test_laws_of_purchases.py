"""What holds for every model of purchases, whatever its parameters and the customer's history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln
from scipy.stats import chisquare, kstest

from clv.models.base import PurchaseModel
from tests.battery import (
    MEMORYLESS,
    PARAMETERS_OF_TIME,
    PURCHASE_MODELS,
    Customer,
    customers,
    log_uniform,
)

KINDS = [type(model) for model in PURCHASE_MODELS]
of_every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
of_every_memoryless_kind = pytest.mark.parametrize(
    "kind", [type(model) for model in MEMORYLESS], ids=lambda kind: kind.name
)
at_published = pytest.mark.parametrize("model", PURCHASE_MODELS, ids=lambda m: m.name)

COUNTS = np.arange(1500.0)
"""With x ≤ 30 and t ≤ 3 (α + T), less than 1e-15 of the purchases lie beyond."""

NOISE = 1e-10
"""Relative error granted to the quadratures; tests/test_numerics.py holds them to 1e-8."""

few = settings(max_examples=settings().max_examples * 2 // 5)  # 20 of 50


def pmf(c: Customer) -> Any:
    return c.model.pmf(COUNTS, c.t, *c.history)


# -- counts ----------------------------------------------------------------------------------------


@of_every_kind
@few
@given(data=st.data())
def test_probabilities_sum_to_1_and_their_mean_is_the_expectation(
    kind: type[PurchaseModel], data: st.DataObject
) -> None:
    c = data.draw(customers(kind))
    p = pmf(c)
    assert (p >= 0).all()
    assert p.sum() == pytest.approx(1, abs=1e-9)
    expected = c.model.expected_purchases(c.t, *c.history)
    assert p @ COUNTS == pytest.approx(expected, rel=1e-8, abs=1e-14)


@of_every_kind
@few
@given(data=st.data())
def test_the_likelihood_is_the_density_of_what_the_pmf_counts(
    kind: type[PurchaseModel], data: st.DataObject
) -> None:
    """L is the density of the times of all x purchases: over the first x − 1, anywhere before
    t_x, it integrates to L t_x^(x−1)/(x−1)!, and over t_x to P(x purchases in T)."""
    c = data.draw(customers(kind).filter(lambda c: c.T > 0))

    def density(t_x: float) -> float:
        others = (c.x - 1) * np.log(t_x) - gammaln(c.x)
        return float(np.exp(c.model.log_likelihood(c.x, t_x, c.T) + others))

    if c.x:
        total = sum(
            quad(density, low * c.T, high * c.T, epsabs=0, epsrel=1e-9)[0]
            for low, high in ((1e-12, 1e-3), (1e-3, 0.1), (0.1, 1))
        )
    else:
        total = float(np.exp(c.model.log_likelihood(0, 0, c.T)))
    assert c.model.pmf(c.x, c.T) == pytest.approx(total, rel=1e-7)


# -- what to expect --------------------------------------------------------------------------------


@of_every_kind
@few
@given(data=st.data())
def test_purchases_begin_at_0_and_rise(kind: type[PurchaseModel], data: st.DataObject) -> None:
    c = data.draw(customers(kind))
    x, t_x, T = c.history
    for last in (None, t_x):
        so_far = c.model.expected_purchases_if_alive(c.t * np.arange(6), x, T, last)
        assert so_far[0] == 0
        assert so_far[1] > 0
        assert (np.diff(so_far) >= -NOISE * so_far[1]).all()  # far ahead nobody is left


@of_every_memoryless_kind
@few
@given(data=st.data())
def test_purchases_rise_ever_more_slowly(kind: type[PurchaseModel], data: st.DataObject) -> None:
    """Nothing but a customer's leaving changes the rate, so it only falls.

    Not the rate of regular customers: it is low just after a purchase and rises to the next.
    """
    c = data.draw(customers(kind))
    x, _, T = c.history
    so_far = c.model.expected_purchases_if_alive(c.t * np.arange(6), x, T)
    assert (np.diff(so_far, 2) <= NOISE * so_far[1]).all()
    r, alpha = c.model.parameters["r"], c.model.parameters["alpha"]
    assert so_far[1] <= (r + x) * c.t / (alpha + T) * (1 + 1e-12)  # if nobody left


@of_every_kind
@few
@given(data=st.data())
def test_a_customer_is_alive_now_and_less_and_less_surely_later(
    kind: type[PurchaseModel], data: st.DataObject
) -> None:
    c = data.draw(customers(kind))
    alive = c.model.survival_if_alive(c.t * np.arange(6), c.x, c.T)
    assert alive[0] == pytest.approx(1, abs=NOISE)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (np.diff(alive) <= NOISE * alive[:-1]).all()
    assert alive[5] < alive[0]
    assert 0 <= c.model.p_alive(*c.history) <= 1


@of_every_kind
@few
@given(data=st.data())
def test_p_alive_falls_with_silence(kind: type[PurchaseModel], data: st.DataObject) -> None:
    c = data.draw(customers(kind))
    silence = c.model.p_alive(c.x, c.t_x, c.T + c.t * np.arange(6))
    assert (np.diff(silence) <= 1e-15).all()


@of_every_kind
@few
@given(data=st.data())
def test_silence_is_as_likely_as_the_longer_history_is_against_the_shorter(
    kind: type[PurchaseModel], data: st.DataObject
) -> None:
    """P(no purchase in (T, T + t] | x, t_x, T) = L(x, t_x, T + t) / L(x, t_x, T)."""
    c = data.draw(customers(kind))
    x, t_x, T = c.history
    ratio = c.model.log_likelihood(x, t_x, T + c.t) - c.model.log_likelihood(x, t_x, T)
    assert c.model.pmf(0, c.t, x, t_x, T) == pytest.approx(np.exp(ratio), rel=1e-8)


# -- discounting -----------------------------------------------------------------------------------


@of_every_kind
@few
@given(data=st.data())
def test_without_discount_a_horizon_holds_the_expected_purchases(
    kind: type[PurchaseModel], data: st.DataObject
) -> None:
    c = data.draw(customers(kind))
    undiscounted = c.model.discounted_expected_transactions(*c.history, rate=0, horizon=c.t)
    expected = c.model.expected_purchases(c.t, *c.history)
    assert undiscounted == pytest.approx(expected, rel=1e-9)


@of_every_kind
@few
@given(data=st.data())
def test_discounting_is_its_integral_by_parts(
    kind: type[PurchaseModel], data: st.DataObject
) -> None:
    """∫ e^(−δs) dE(s) = e^(−δh) E(h) + δ ∫ e^(−δs) E(s) ds, with E(s) the expected purchases."""
    c = data.draw(customers(kind))
    rate = data.draw(log_uniform(1e-3, 3)) / c.t

    def discounted(s: float) -> float:
        later = c.model.expected_purchases_if_alive(s, c.x, c.T)
        return float(np.exp(-rate * s) * later)

    area, _ = quad(discounted, 0, c.t, epsabs=0, epsrel=1e-9, limit=200)
    got = c.model.discounted_purchases_if_alive(c.x, c.T, rate=rate, horizon=c.t)
    assert got == pytest.approx(discounted(c.t) + rate * area, rel=1e-7)


@of_every_kind
@few
@given(data=st.data())
def test_a_higher_rate_takes_away_and_a_longer_horizon_adds(
    kind: type[PurchaseModel], data: st.DataObject
) -> None:
    c = data.draw(customers(kind))

    def discounted(rate: float, horizon: float) -> float:
        m = c.model
        return float(m.discounted_purchases_if_alive(c.x, c.T, rate=rate, horizon=horizon))

    rates = [discounted(k / c.t, c.t) for k in (0, 0.1, 1, 10)]
    assert all(np.diff(rates) < 0)
    horizons = [discounted(1 / c.t, h) for h in (0, c.t, 3 * c.t, 20 * c.t)]
    assert 0 == horizons[0] < horizons[1]
    assert all(np.diff(horizons) >= -NOISE * horizons[1])  # far ahead nothing is added
    assert discounted(1 / c.t, np.inf) == pytest.approx(horizons[-1], rel=1e-6)


# -- units -----------------------------------------------------------------------------------------


@of_every_kind
@few
@given(data=st.data(), days=st.sampled_from([7.0, 365.25, 1 / 24]))
def test_the_unit_of_time_only_shifts_the_log_likelihood(
    kind: type[PurchaseModel], data: st.DataObject, days: float
) -> None:
    c = data.draw(customers(kind))
    scaled = {k: v * days for k, v in c.model.parameters.items() if k in PARAMETERS_OF_TIME}
    m, w = c.model, replace(c.model, **scaled)
    x, t_x, T = c.history
    later: tuple[int, float, float] = (x, days * t_x, days * T)
    shift = m.log_likelihood(x, t_x, T) - w.log_likelihood(*later)
    assert shift == pytest.approx(x * np.log(days), rel=1e-9, abs=1e-9)
    for one, other in (
        (m.p_alive(x, t_x, T), w.p_alive(*later)),
        (m.expected_purchases(c.t, x, t_x, T), w.expected_purchases(days * c.t, *later)),
        (m.survival_if_alive(c.t, x, T), w.survival_if_alive(days * c.t, x, days * T)),
        (
            m.discounted_purchases_if_alive(x, T, rate=0.01),
            w.discounted_purchases_if_alive(x, days * T, rate=0.01 / days),
        ),
    ):
        assert one == pytest.approx(other, rel=1e-8)


# -- simulation ------------------------------------------------------------------------------------

DRAWS = 20_000
CHANCE = 1e-3
"""Of failing a right model, had the seed not been fixed."""


def chance_of(counts: Any, p: Any) -> float:
    """p-value of a chi-square test of drawn counts, those of fewer than 10 expected in one."""
    top = int(np.flatnonzero(DRAWS * p >= 10).max())
    observed = np.bincount(np.minimum(counts, top + 1).astype(int), minlength=top + 2)
    expected = DRAWS * np.append(p[: top + 1], 1 - p[: top + 1].sum())
    return float(chisquare(observed, expected).pvalue)


@at_published
@pytest.mark.parametrize("T", [3.0, 39.0, 400.0])
def test_simulated_customers_buy_as_often_as_the_pmf_says(model: PurchaseModel, T: float) -> None:
    x, t_x = model.simulate(np.full(DRAWS, T), np.random.default_rng(11))
    assert ((t_x > 0) == (x > 0)).all()
    assert (t_x <= T).all()
    assert chance_of(x, model.pmf(np.arange(400), T)) > CHANCE


@at_published
@pytest.mark.parametrize("x", [1, 2, 5])
def test_simulated_last_purchases_lie_where_the_likelihood_says(
    model: PurchaseModel, x: int
) -> None:
    T = 39.0
    drawn, t_x = model.simulate(np.full(10 * DRAWS, T), np.random.default_rng(12))
    at = np.linspace(0, T, 20_001)[1:] - T / 40_000
    density = np.exp(model.log_likelihood(x, at, T)) * at ** (x - 1)
    below = np.concatenate([[0], np.cumsum(density)]) / density.sum()
    assert (drawn == x).sum() > 1000
    uniform = np.interp(t_x[drawn == x], np.linspace(0, T, 20_001), below)
    assert kstest(uniform, "uniform").pvalue > CHANCE


@at_published
@pytest.mark.parametrize("history", [(0, 0.0, 0.0), (2, 30.43, 38.86), (26, 216 / 7, 31.0)])
def test_purchases_drawn_given_a_history_follow_its_pmf(
    model: PurchaseModel, history: tuple[int, float, float]
) -> None:
    rng = np.random.default_rng(13)
    drawn = model.simulate_purchases(np.full(DRAWS, 52.0), rng, *history)
    assert chance_of(drawn, model.pmf(np.arange(600), 52.0, *history)) > CHANCE
