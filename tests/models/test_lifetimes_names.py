"""The names of `lifetimes` give the answers of the methods that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

import clv
from clv.models.base import PurchaseModel

MODELS: list[PurchaseModel] = [
    clv.BGNBD(0.243, 4.414, 0.793, 2.426),  # Fader, Hardie & Lee (2005), table 2
    clv.MBGNBD(0.525, 6.183, 0.891, 1.614),  # Batislam et al. (2007), CDNOW
    clv.ParetoNBD(0.553, 10.578, 0.606, 11.669),  # Fader, Hardie & Lee (2005), table 2
]
HISTORY = (np.array([2.0, 26.0]), np.array([30.43, 30.86]), np.array([38.86, 31.0]))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_same_answers_under_both_names(model: PurchaseModel) -> None:
    x, t_x, T = HISTORY
    assert np.array_equal(model.conditional_probability_alive(x, t_x, T), model.p_alive(x, t_x, T))
    assert np.array_equal(
        model.conditional_expected_number_of_purchases_up_to_time(39, x, t_x, T),
        model.expected_purchases(39, x, t_x, T),
    )
    assert model.expected_number_of_purchases_up_to_time(52) == model.expected_purchases(52)
    assert model.probability_of_n_purchases_up_to_time(52, 3) == model.pmf(3, 52)


def test_argument_order_is_that_of_lifetimes() -> None:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    theirs = clv.to_lifetimes(fit)
    asked = (39.0, 2.0, 30.43, 38.86)
    ours = fit.model.conditional_expected_number_of_purchases_up_to_time(*asked)
    assert ours == pytest.approx(
        float(theirs.conditional_expected_number_of_purchases_up_to_time(*asked)), rel=1e-6
    )
    assert fit.model.probability_of_n_purchases_up_to_time(52.0, 3) == pytest.approx(
        float(theirs.probability_of_n_purchases_up_to_time(52.0, 3)), rel=1e-6
    )


def test_spend_and_summary() -> None:
    model = clv.GammaGamma(6.25, 3.74, 15.44)
    assert model.conditional_expected_average_profit(2, 22.35) == model.expected_spend(2, 22.35)
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    theirs = clv.to_lifetimes(fit).summary
    assert list(fit.summary.columns) == list(theirs.columns)
    assert np.allclose(fit.summary, theirs)
