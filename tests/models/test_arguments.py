"""Questions that no model can answer are refused, never answered with a number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import clv
from clv.errors import ParameterError, RequestError
from clv.models.base import PurchaseModel

MODELS: list[PurchaseModel] = [
    clv.BGNBD(0.243, 4.414, 0.793, 2.426),  # Fader, Hardie & Lee (2005), table 2
    clv.MBGNBD(0.525, 6.183, 0.891, 1.614),  # Batislam et al. (2007), CDNOW
    clv.ParetoNBD(0.553, 10.578, 0.606, 11.669),  # Fader, Hardie & Lee (2005), table 2
    clv.BGCNBD(0.5, 3.1, 0.9, 1.6, k=2),  # any
]
ASKED: dict[str, Callable[[PurchaseModel], object]] = {
    "t_x above T": lambda m: m.p_alive(2, 50, 39),
    "x below 0": lambda m: m.p_alive(-2, 0, 39),
    "nan": lambda m: m.p_alive(np.nan, 0, 39),
    "likelihood of t_x above T": lambda m: m.log_likelihood(2, 50, 39),
    "time ahead below 0": lambda m: m.expected_purchases(-5.0),
    "time ahead nan": lambda m: m.expected_purchases(np.nan),
    "survival of T below 0": lambda m: m.survival_if_alive(5.0, 1, -3.0),
    "half a purchase": lambda m: m.pmf(1.5, 5.0),
    "purchases below 0": lambda m: m.pmf(-1, 5.0),
    "discounting nan": lambda m: m.discounted_purchases_if_alive(np.nan, 39.0, rate=0.001),
    "drawing with time below 0": lambda m: m.simulate_purchases(-5.0, np.random.default_rng(1)),
}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize("question", ASKED)
def test_impossible_questions_are_refused(model: PurchaseModel, question: str) -> None:
    with pytest.raises(RequestError, match="of 1 customers have"):
        ASKED[question](model)


def test_all_faults_are_told_with_their_rows() -> None:
    with pytest.raises(RequestError) as told:
        MODELS[0].p_alive([1, -1, 2], [9.0, 0.0, 50.0], [39.0, 39.0, 39.0])
    assert "1 of 3 customers have x that is not a number of at least 0 (first rows: 1)" in str(
        told.value
    )
    assert "1 of 3 customers have t_x > T (first rows: 2)" in str(told.value)


def test_spend_below_0_is_refused_and_none_is_not_looked_at() -> None:
    spend = clv.GammaGamma(6.25, 3.74, 15.44)
    with pytest.raises(RequestError, match="below 0 or nan"):
        spend.expected_spend(2, -50)
    with pytest.raises(RequestError, match="at least 0"):
        spend.expected_spend(-2, 5)
    assert spend.expected_spend(0, np.nan) == spend.population_mean


@pytest.mark.parametrize("value", ["x", None, -1.0, 0.0, np.nan, np.inf])
def test_parameters_must_be_positive_numbers(value: object) -> None:
    with pytest.raises(ParameterError, match="BG/NBD needs r > 0"):
        clv.BGNBD(value, 4.414, 0.793, 2.426)  # type: ignore[arg-type]
