"""What is said to be wrong with `lifetimes` is, and our answers are there where its are not."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.datasets import load_donations
from clv.history import Histories
from clv.inference.lifetimes_models import COUNTERPARTS
from clv.models.base import Model
from clv.models.bg_bb import BGBB
from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.transactions.summary import CustomerHistories

OF = {counterpart.model: counterpart for counterpart in COUNTERPARTS}

pytestmark = pytest.mark.filterwarnings("ignore")  # what lifetimes and NumPy say of nan and inf

both_of_bg_nbd = pytest.mark.parametrize("kind", [BGNBD, MBGNBD], ids=lambda kind: kind.name)


def says(kind: type[Model[Any]], words: str) -> bool:
    return any(words in defect for defect in OF[kind].known_defects)


def theirs(model: Model[Any]) -> Any:
    fitter = OF[type(model)].new()
    fitter.params_ = pd.Series(model.parameters)
    return fitter


@both_of_bg_nbd
def test_at_a_1_expected_purchases_are_infinite(kind: Any) -> None:
    model = kind(0.243, 4.414, 1.0, 2.426)
    its = theirs(model).conditional_expected_number_of_purchases_up_to_time(39, 2, 30.43, 38.86)
    assert says(kind, "infinite at a = 1")
    assert np.isinf(its)
    assert 0 < model.expected_purchases(39, 2, 30.43, 38.86) < 39


def test_at_a_plus_b_1_expected_purchases_of_one_time_buyers_are_nan() -> None:
    model = BGNBD(0.243, 4.414, 0.6, 0.4)
    its = theirs(model).conditional_expected_number_of_purchases_up_to_time(39, 0, 0, 38.86)
    assert says(BGNBD, "nan at a + b = 1")
    assert np.isnan(its)
    assert 0 < model.expected_purchases(39, 0, 0, 38.86) < 39


@both_of_bg_nbd
def test_the_probability_of_200_purchases_is_nan(kind: Any) -> None:
    model = kind(0.243, 4.414, 0.793, 2.426)
    assert says(kind, "nan for n of 200")
    assert np.isnan(theirs(model).probability_of_n_purchases_up_to_time(39, 200))
    assert 0 < model.pmf(200, 39) < 1e-6


def test_pareto_nbd_has_no_standard_errors(cdnow: CustomerHistories) -> None:
    fitted = OF[ParetoNBD].new().fit(cdnow.frequency, cdnow.recency, cdnow.T, cdnow.weight)
    assert says(ParetoNBD, "no standard errors")
    assert not hasattr(fitted, "standard_errors_")


def test_at_gamma_1_expected_purchases_of_bg_bb_are_nan() -> None:
    model = BGBB(1.204, 0.75, 1.0, 2.783)
    x, t_x, n = (np.array([v]) for v in (2, 4, 6))
    its = theirs(model).conditional_expected_number_of_purchases_up_to_time(5, x, t_x, n)
    assert says(BGBB, "nan at gamma = 1")
    assert np.isnan(its).all()
    assert 0 < model.expected_purchases(5, 2, 4, 6) < 5


def test_spend_is_negative_below_q_1() -> None:
    model = GammaGamma(6.25, 0.5, 15.44)
    assert says(GammaGamma, "negative for q < 1")
    assert theirs(model).conditional_expected_average_profit(0, 0) < 0
    assert model.population_mean == np.inf


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, BGBB, GammaGamma], ids=lambda kind: kind.name)
def test_the_covariance_is_wrong_off_the_diagonal(kind: Any, cdnow: CustomerHistories) -> None:
    data: Histories = cdnow
    if kind is BGBB:
        d = load_donations()
        data = Histories.from_arrays(
            d.frequency, d.recency, d.periods, weights=d.weights, unit="period"
        )
    fit = kind.fit(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = OF[kind].new().fit(*OF[kind].patterns(data)).variance_matrix_.to_numpy()
    assert says(kind, "scaled by p_j²")
    theta = np.array(list(fit.parameters.values()))
    assert found == pytest.approx(fit.log_covariance * theta**2, rel=0.02)
    assert np.diag(found) == pytest.approx(np.diag(fit.covariance), rel=0.02)
    assert (np.abs(found / found.T - 1) > 0.1).any()
