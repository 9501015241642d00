"""The part of a customer's value that leaves: beside customers whose rates are drawn, and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv import BGNBD, MBGNBD, ParetoNBD
from clv.models.base import PurchaseModel
from clv.value.leaving import value_leaving

# Fader, Hardie & Lee (2005), Batislam, Denizel & Filiztekin (2007) and Schmittlein, Morrison &
# Colombo (1987) as fitted to the CDNOW sample, in weeks.
MODELS = [
    BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
    MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614),
    ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669),
]
X, T_X, T = np.array([0.0, 2, 9]), np.array([0.0, 30.43, 36]), np.full(3, 38.86)
RATE = math.log1p(0.1) * 7 / 365.25


def share(model: PurchaseModel, horizon: float, leaving: float, rate: float = RATE) -> np.ndarray:
    return value_leaving(model, X, T_X, T, rate=rate, horizon=horizon, leaving=leaving)


@pytest.mark.parametrize("horizon", [52.0, 156.0])
def test_beside_customers_whose_rates_are_drawn(horizon: float) -> None:
    # given alive, λ ~ Gamma(r + x, α + T) and p ~ Beta(a, b + x) of BG/NBD; one who is known leaves
    # within Y with probability 1 − exp(−λpY) and is worth λ (1 − exp(−(δ + λp)h)) / (δ + λp)
    model, Y, rng = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426), 52.0, np.random.default_rng(3)
    got = share(model, horizon, Y)
    for i in range(3):
        n = 400_000
        rate = rng.gamma(model.r + X[i], 1 / (model.alpha + T[i]), n)
        force = rate * rng.beta(model.a, model.b + X[i], n)
        value = rate * -np.expm1(-(RATE + force) * horizon) / (RATE + force)
        lost = value * -np.expm1(-force * Y)
        drawn = float(lost.mean() / value.mean())
        error = float((lost - drawn * value).std() / math.sqrt(n) / value.mean())
        assert got[i] == pytest.approx(drawn, abs=5 * error)


@given(st.floats(1, 500), st.floats(0.1, 500), st.sampled_from([0.0, RATE, 0.05]))
def test_less_value_leaves_than_customers_where_buying_does_not_make_them_leave(
    horizon: float, leaving: float, rate: float
) -> None:
    # Pareto/NBD: given alive, the rates of buying and of leaving are independent, and value falls
    # in the latter; in BG/NBD who buys more is worth more, and leaves sooner
    model = MODELS[2]
    got = share(model, horizon, leaving, rate)
    leaves = 1 - model.survival_if_alive(leaving, X, T, T_X)
    assert ((got >= 0) & (got <= leaves + 1e-9)).all()


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@given(st.floats(1, 500), st.floats(0.1, 100), st.floats(1.01, 5))
def test_more_leaves_in_a_longer_period(
    model: PurchaseModel, horizon: float, leaving: float, longer: float
) -> None:
    assert (share(model, horizon, leaving * longer) >= share(model, horizon, leaving) - 1e-9).all()


def test_of_a_short_horizon_it_is_the_probability_of_leaving_weighted_by_purchases() -> None:
    # h → 0: value is the purchase rate, so d → 1 − E[λ e^(−λpY)] / E[λ], again by drawing
    model, rng, n = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426), np.random.default_rng(5), 400_000
    got = share(model, 1e-3, 26.0)
    for i in range(3):
        rate = rng.gamma(model.r + X[i], 1 / (model.alpha + T[i]), n)
        stays = np.exp(-rate * rng.beta(model.a, model.b + X[i], n) * 26.0)
        assert got[i] == pytest.approx(1 - float((rate * stays).mean() / rate.mean()), abs=0.01)


def test_what_is_known_already_need_not_be_computed_again() -> None:
    model = MODELS[0]
    known = model.discounted_purchases_if_alive(X, T, T_X, rate=RATE, horizon=156.0)
    again = value_leaving(
        model, X, T_X, T, rate=RATE, horizon=156.0, leaving=52.0, discounted=known
    )
    assert again.tolist() == share(model, 156.0, 52.0).tolist()


def test_all_the_future_may_count() -> None:
    far, none = share(MODELS[0], 20_000.0, 52.0), share(MODELS[0], math.inf, 52.0)
    assert none == pytest.approx(far, rel=1e-4)
