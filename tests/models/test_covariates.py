"""Laws of the models with covariates: derivatives, answers, and what may not change anything."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import ParameterError, UnknownNameError
from clv.history import Floats, Histories
from clv.models.base import PurchaseModel
from clv.models.bg_bb import BGBB
from clv.models.bg_nbd import BGNBD
from clv.models.covariates import answers as covariate_answers
from clv.models.covariates.columns import CategoricalColumn, NumericColumn
from clv.models.covariates.likelihood import Objective, Patterns
from clv.models.covariates.model import CovariateModel, Effect
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD
from tests.models.customers_with_covariates import (
    AGE,
    BASES,
    CHANNEL,
    customers,
    simulated,
    truth,
)

MODELS = [BGNBD, MBGNBD, ParetoNBD]
parameters = st.lists(st.floats(math.log(0.05), math.log(30)), min_size=4, max_size=4)
coefficients = st.lists(st.floats(-1.5, 1.5), min_size=5, max_size=5)


def some_histories(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories of every kind: none, one, few and many repeats, T = t_x among them."""
    rng = np.random.default_rng(seed)
    x = np.array([0, 0, 1, 1, 2, 3, 7, 40, 150.0])
    T = rng.uniform(1, 100, len(x))
    t_x = np.where(x > 0, T * rng.uniform(0.02, 1, len(x)), 0)
    t_x[3] = T[3]
    return x, t_x, T


@pytest.mark.parametrize("model", MODELS)
@given(logs=parameters)
@settings(deadline=None, max_examples=25)
def test_histories_add_up_to_the_likelihood(
    model: type[BGNBD | MBGNBD | ParetoNBD], logs: list[float]
) -> None:
    theta, (x, t_x, T) = np.exp(logs), some_histories(1)
    whole = model.likelihood(theta, Histories.from_arrays(x, t_x, T))
    for given_as in (list(theta), [np.full(len(x), p) for p in theta]):
        value, g, h = model.per_history(given_as, x, t_x, T)
        np.testing.assert_allclose(value, model(*theta).log_likelihood(x, t_x, T), rtol=1e-9)
        np.testing.assert_allclose(value.sum(), whole.value, rtol=1e-9)
        size = np.abs(g).sum(axis=1)  # the sum may cancel; its terms do not
        np.testing.assert_allclose(g.sum(axis=1), whole.gradient, rtol=1e-9, atol=1e-9 * size.max())
        bends = np.abs(h).sum(axis=2).max()
        np.testing.assert_allclose(h.sum(axis=2), whole.hessian, rtol=1e-8, atol=1e-9 * bends)


def slope(f: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """Central differences of order 4 in each coordinate; error about 1e-9 at step 2e-3."""
    step = 2e-3 * np.eye(len(at))
    return np.array(
        [(8 * (f(at + e) - f(at - e)) - (f(at + 2 * e) - f(at - 2 * e))) / 12 / 2e-3 for e in step]
    )


@pytest.mark.parametrize("model", MODELS)
@given(logs=parameters, gammas=coefficients)
@settings(deadline=None, max_examples=15)
def test_score_and_hessian_are_finite_differences(
    model: type[BGNBD | MBGNBD | ParetoNBD], logs: list[float], gammas: list[float]
) -> None:
    x, t_x, T = some_histories(2)
    rng = np.random.default_rng(3)
    values: dict[str, Floats] = {
        "channel": np.arange(len(x), dtype=float) % 3,
        "age": rng.normal(40, 10, len(x)),
    }
    patterns = Patterns(x, t_x, T, rng.integers(1, 4, len(x)).astype(float), values)
    effects = [
        Effect("purchase", CHANNEL, (0, 0)),
        Effect("purchase", AGE, (0,)),
        Effect("dropout", CHANNEL, (0, 0)),
    ]
    if model is BGNBD:
        effects[2:] = [Effect("dropout", AGE, (0,)), Effect("dropout_b", AGE, (0,))]
    objective = Objective(model, patterns, effects)
    beta = np.array(logs + gammas)
    at = objective(beta)
    g = slope(lambda b: np.array(objective(b).value), beta)
    h = slope(lambda b: objective(b).gradient, beta)
    np.testing.assert_array_equal(at.hessian, at.hessian.T)
    np.testing.assert_allclose(at.gradient, g, rtol=1e-6, atol=1e-6 * np.abs(g).max())
    np.testing.assert_allclose(at.hessian, h, rtol=1e-5, atol=1e-6 * np.abs(h).max())


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Each customer as a mapping."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


@pytest.mark.parametrize("name", BASES)
def test_log_likelihood_is_that_of_each_customers_own_model(name: str) -> None:
    table, model = simulated(name, 60, seed=4), truth(name)
    one_by_one = [
        float(model.model_for(row).log_likelihood(row["frequency"], row["recency"], row["T"]))
        for row in rows_of(table)
    ]
    np.testing.assert_allclose(model.log_likelihood(table), one_by_one, rtol=1e-9)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("effects", ["few dropouts", "a dropout each", "many ages"])
def test_answers_are_those_of_each_customers_own_model(name: str, effects: str) -> None:
    """Asked at once in own time, and interpolated where each has a dropout of their own."""
    model = truth(name)
    if effects != "few dropouts":
        extra = (Effect("dropout", AGE, (0.03,)),)
        model = CovariateModel(model.base, model.effects[1:2] + extra)
        if effects == "a dropout each":
            model = CovariateModel(model.base, extra)
    table = simulated(name, 80, seed=5)
    table["age"] = np.linspace(18, 90, len(table))
    asked = 13.0
    rows = [(model.model_for(row), row) for row in rows_of(table)]

    def each(answer: Callable[..., object]) -> list[float]:
        return [float(np.asarray(answer(m, r["frequency"], r["recency"], r["T"]))) for m, r in rows]

    np.testing.assert_allclose(
        model.p_alive(table), each(lambda m, x, t_x, T: m.p_alive(x, t_x, T)), rtol=1e-8, atol=1e-9
    )
    np.testing.assert_allclose(
        model.expected_purchases(asked, table),
        each(lambda m, x, t_x, T: m.expected_purchases(asked, x, t_x, T)),
        rtol=1e-8,
        atol=1e-9,
    )
    np.testing.assert_allclose(
        model.discounted_expected_transactions(table, rate=0.002, horizon=52),
        each(
            lambda m, x, t_x, T: m.discounted_expected_transactions(
                x, t_x, T, rate=0.002, horizon=52
            )
        ),
        rtol=1e-8,
        atol=1e-9,
    )


def test_interpolation_is_used_and_points_are_added_until_it_is_close() -> None:
    """A model is asked far less often than there are customers; a coarse grid is not trusted."""
    theta = np.tile([1.0, 6.0, 1.0, 4.0], (2_000, 1))
    theta[:, 2] = np.exp(np.linspace(-6, 3, len(theta)))
    x, t_x, T = np.full(2_000, 30.0), np.full(2_000, 60.0), np.full(2_000, 90.0)
    asked = []

    def answer(m: PurchaseModel, i: np.ndarray) -> Floats:
        asked.append(len(i))
        return m.p_alive(x[i], t_x[i], T[i])

    found = covariate_answers.answer_all(BGNBD, theta, answer)
    exact = [float(BGNBD(*p).p_alive(30, 60, 90)) for p in theta]
    np.testing.assert_allclose(found, exact, atol=1e-9)
    whole = [n for n in asked if n == len(theta)]
    assert covariate_answers.FIRST_POINTS < len(whole) < 200


def test_purchase_covariates_stretch_time() -> None:
    """e^γ times the rate is the plain model with times multiplied by e^γ."""
    model = CovariateModel(BASES["bg-nbd"], (Effect("purchase", AGE, (math.log(2) / 10,)),))
    table = pd.DataFrame({"frequency": [3.0], "recency": [20.0], "T": [30.0], "age": [50.0]})
    assert model.p_alive(table)[0] == pytest.approx(model.base.p_alive(3, 40, 60), rel=1e-12)
    assert model.expected_purchases(9, table)[0] == pytest.approx(
        float(model.base.expected_purchases(18, 3, 40, 60)), rel=1e-12
    )


@pytest.mark.parametrize("name", BASES)
def test_a_customer_at_reference_and_mean_has_the_base_parameters(name: str) -> None:
    model = truth(name)
    assert model.model_for(channel="shop", age=40).parameters == pytest.approx(
        model.base.parameters
    )


def test_simulated_histories_are_possible_and_have_the_expected_mean() -> None:
    """Mean of x against E[X(T)], whose standard error is sd/√n; 4.5 of them: 1 in 100,000."""
    rng = np.random.default_rng(6)
    for name in BASES:
        model, table = truth(name), customers(6_000, rng)
        drawn = model.simulate(table, rng)
        assert (drawn["recency"] <= drawn["T"]).all()
        new = table.assign(frequency=0.0, recency=0.0, T=0.0)
        parameters_ = model.parameters_for(new)
        kinds = [type(model.base)(*p) for p in zip(*parameters_.values(), strict=True)]
        sub = rng.choice(len(table), 600, replace=False)
        expected = np.array([float(kinds[i].expected_purchases(table["T"].iloc[i])) for i in sub])
        x = drawn["frequency"].to_numpy()[sub]
        assert abs((x - expected).mean()) < 4.5 * (x - expected).std() / math.sqrt(len(sub))


def test_what_a_model_refuses() -> None:
    with pytest.raises(ParameterError, match=r"BG/BB takes no covariates; bg-nbd, mbg-nbd, pareto"):
        CovariateModel(BGBB(1, 1, 1, 1), ())
    with pytest.raises(ParameterError, match="Pareto/NBD has no part 'dropout_b'"):
        CovariateModel(BASES["pareto-nbd"], (Effect("dropout_b", AGE, (1,)),))
    with pytest.raises(ParameterError, match="'channel' needs 2 coefficients; got 1"):
        Effect("purchase", CHANNEL, (1,))
    with pytest.raises(ParameterError, match="not a finite number"):
        Effect("purchase", AGE, (math.nan,))
    with pytest.raises(UnknownNameError, match=r"no level of 'channel' 'wbe'\. Did you mean 'web'"):
        truth("bg-nbd").model_for(channel="wbe", age=40)
    with pytest.raises(UnknownNameError, match="no column 'age'"):
        truth("bg-nbd").model_for(channel="web")


def test_columns_are_coded_against_the_reference_and_the_mean() -> None:
    table = pd.DataFrame({"channel": ["web", "shop", "phone"], "age": [50, 40, 35]})
    channel = CategoricalColumn("channel", ("phone", "web"), "shop")
    coded = channel.coded(channel.values(table))
    assert coded.tolist() == [[0, 1], [0, 0], [1, 0]]
    age = NumericColumn("age", 40.0, 10.0)
    assert age.coded(age.values(table)).ravel().tolist() == [10, 0, -5]
