from __future__ import annotations

import numpy as np
import pytest

from clv.campaigns.thinning import Thinned
from clv.models.base import PurchaseModel
from clv.models.bg_nbd import BGNBD
from clv.models.mbg_cnbd import MBGCNBD
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD
from tests.reference.simulated_campaign import PARAMETERS, live

MODELS: list[PurchaseModel] = [
    BGNBD(**PARAMETERS),
    MBGNBD(**PARAMETERS),
    ParetoNBD(1.5, 50.0, 0.8, 120.0),
    MBGCNBD(1.5, 25.0, 0.9, 2.5, k=2),
]
X, T = np.array([0.0, 2.0, 9.0, 30.0]), np.array([150.0, 300.0, 280.0, 350.0])
ALIVE = np.array([0.5, 0.2, 0.9, 1.0])
EVERYBODY = np.ones(4, dtype=bool)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_curve_rises_through_nothing_to_everybody(model: PurchaseModel) -> None:
    kept, gain = Thinned.of(model, X, T, ALIVE, 200.0).curve(EVERYBODY, 1.0)
    assert (np.diff(kept) > 0).all()
    assert (np.diff(gain) >= 0).all()
    assert kept[-1] == pytest.approx(1.0, abs=1e-3)
    assert np.interp(0.0, kept, gain) == pytest.approx(0.0, abs=1e-12)
    assert kept[0] < -0.3


@pytest.mark.parametrize("model", MODELS[:3], ids=lambda model: model.name)
def test_if_nobody_leaves_everybody_goes_on_buying(model: PurchaseModel) -> None:
    # E[λ | alive] = (r + x)/(α + T) in all three models.
    _, gain = Thinned.of(model, X, T, ALIVE, 200.0).curve(EVERYBODY, 1.0)
    rate = (model.parameters["r"] + X) / (model.parameters["alpha"] + T)
    expected = ALIVE * (200 * rate - model.expected_purchases_if_alive(200.0, X, T))
    assert gain[-1] == pytest.approx(expected.mean(), rel=1e-4)


def test_what_the_control_arm_bought_moves_the_gain_and_not_the_parts() -> None:
    thinned = Thinned.of(MODELS[0], X, T, ALIVE, 200.0)
    kept, gain = thinned.curve(EVERYBODY, 1.0)
    same, more = thinned.curve(EVERYBODY, 1.5)
    np.testing.assert_array_equal(kept, same)
    np.testing.assert_allclose(more, 1.5 * gain)


def test_the_curve_of_all_is_made_of_those_of_its_parts() -> None:
    thinned = Thinned.of(MODELS[0], X, T, ALIVE, 200.0)
    some = np.array([True, True, False, False])
    gains = [thinned.curve(these, 1.0)[1] for these in (some, ~some, EVERYBODY)]
    np.testing.assert_allclose((gains[0] + gains[1]) / 2, gains[2], atol=1e-12)


def test_nobody_there_to_keep() -> None:
    thinned = Thinned.of(MODELS[0], X, T, ALIVE, 200.0)
    kept, gain = thinned.curve(~EVERYBODY, 1.0)
    assert kept.tolist() == gain.tolist() == [0.0]


@pytest.mark.parametrize("averted", [0.6, -0.5])
def test_it_is_what_customers_do_of_whom_fewer_or_more_leave(averted: float) -> None:
    # 400,000 customers lived through purchase by purchase; half of them with p (1 − h).
    lived = live(400_000, (0.0, averted), (0.5, 0.5), 200.0, seed=1)
    model = BGNBD(**PARAMETERS)
    alive = model.p_alive(lived.frequency, lived.recency, lived.T)
    thinned = Thinned.of(model, lived.frequency, lived.T, alive, 200.0)
    _, gain = thinned.curve(np.ones(400_000, dtype=bool), 1.0)
    bought = [lived.purchases[lived.arm == arm] for arm in (0, 1)]
    seen = bought[1].mean() - bought[0].mean()
    error = np.sqrt(sum(one.var() / len(one) for one in bought))
    survive = model.survival_if_alive((1 - averted) * 200.0, lived.frequency, lived.T)
    stay = model.survival_if_alive(200.0, lived.frequency, lived.T)
    part = alive @ (survive - stay) / (alive @ (1 - stay))
    kept, gain = thinned.curve(np.ones(400_000, dtype=bool), 1.0)
    # p (1.5) above 1 is cut in the lives and not in the formula: 2 % of the difference
    assert np.interp(part, kept, gain) == pytest.approx(seen, abs=4 * error + 0.02 * abs(seen))
