"""Covariances by the sandwich and by the bootstrap: right where they should be, carried along."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import clv
from clv.datasets import load_sbg
from clv.errors import FitError, NotIdentifiedError, RequestError
from clv.history import Histories
from clv.models.base import Model
from clv.models.bg_bb import BGBB
from clv.models.bg_cnbd import BGCNBD
from clv.models.bg_nbd import BGNBD
from clv.models.covariance import Resampling, bootstrap, sandwich
from clv.models.covariates.fit import CovariateFit, fit_covariates
from clv.models.gamma_gamma import GammaGamma
from clv.models.maximum_likelihood import Fit, LogNormal
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.models.shifted_beta_geometric import ShiftedBetaGeometric
from clv.models.survival_counts import SurvivalCounts
from tests.models.customers_with_covariates import simulated

Floats = npt.NDArray[np.float64]

ON_CDNOW: tuple[type[Model[Any]], ...] = (BGNBD, MBGNBD, ParetoNBD, GammaGamma)


def errors(fit: Fit[Any]) -> Floats:
    """Standard errors of the log-parameters."""
    return np.asarray(np.sqrt(np.diag(fit.log_covariance)))


@cache
def cdnow() -> Histories:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    return clv.histories(orders, end="1997-09-30", unit="week")


@cache
def fitted(kind: type[Model[Any]]) -> Fit[Any]:
    if kind is ShiftedBetaGeometric:
        return kind.fit(SurvivalCounts.from_survivors(load_sbg()["highend_alive"]))
    if kind is BGBB:
        rng = np.random.default_rng(1)
        x, t_x = BGBB(1.204, 0.750, 0.657, 2.783).simulate(np.full(3000, 6), rng)
        return kind.fit(Histories.from_arrays(x, t_x, np.full(3000, 6), unit="period"))
    return kind.fit(cdnow())


# -- right where they should be --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ON_CDNOW, ids=lambda kind: kind.name)
def test_the_bootstrap_agrees_with_another(kind: type[Model[Any]]) -> None:
    """300 resamples each, other seeds: a ratio is known to √2 · 4.1 % = 5.8 %.

    tests/studies/bootstrap.py holds 10 % with 1,000 of them, against one made independently.
    """
    one, other = (
        fitted(kind).with_covariance("bootstrap", resamples=300, seed=seed) for seed in (1, 2)
    )
    assert errors(one) / errors(other) == pytest.approx(1, abs=0.18)


def test_drawn_weights_are_drawn_customers() -> None:
    """300 samples of rows with replacement, each fitted from scratch: known to 4 %."""
    h = cdnow()
    rows = np.repeat(np.arange(len(h)), h.weight.astype(int))
    rng = np.random.default_rng(3)
    logs = []
    for _ in range(300):
        i = rng.choice(rows, len(rows))
        again = BGNBD.fit(Histories.from_arrays(h.frequency[i], h.recency[i], h.T[i], unit="week"))
        logs.append(np.log(list(again.parameters.values())))
    found = errors(fitted(BGNBD).with_covariance("bootstrap"))
    assert found / np.std(logs, axis=0, ddof=1) == pytest.approx(1, abs=0.15)


def test_the_sandwich_is_near_the_bootstrap_of_bg_nbd_and_the_information_is_not() -> None:
    """Purchase rates of the CDNOW customers are not quite gamma (tests/studies/bootstrap.py)."""
    fit = fitted(BGNBD)
    truth = errors(fit.with_covariance("bootstrap", seed=4))
    assert errors(fit.with_covariance("sandwich")) / truth == pytest.approx(1, abs=0.10)
    assert errors(fit)[1] / truth[1] < 0.88


@pytest.mark.parametrize(
    "model", [BGNBD(0.8, 6.0, 1.2, 3.0), ParetoNBD(0.9, 8.0, 0.9, 12.0)], ids=lambda m: m.name
)
def test_where_the_model_is_right_sandwich_and_information_are_one(model: Any) -> None:
    T = np.full(30_000, 80.0)
    x, t_x = model.simulate(T, np.random.default_rng(5))
    fit = type(model).fit(Histories.from_arrays(x, t_x, T))
    assert errors(fit.with_covariance("sandwich")) / errors(fit) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(
    "kind",
    [*ON_CDNOW, BGBB, ShiftedBetaGeometric, BGCNBD.with_k(2)],
    ids=lambda kind: kind.name,
)
def test_every_model_has_all_three_and_can_go_back(kind: type[Model[Any]]) -> None:
    fit = fitted(kind)
    robust = fit.with_covariance("sandwich")
    drawn = fit.with_covariance("bootstrap", resamples=100)
    for other in (robust, drawn):
        assert other.model == fit.model
        assert (other.log_covariance == other.log_covariance.T).all()
        assert (np.linalg.eigvalsh(other.log_covariance) > 0).all()
        # Of the data at hand; the widest is alpha of MBG/NBD, 1.5 (docs, studies).
        assert (errors(other) / errors(fit) < 1.8).all()
        assert (errors(other) / errors(fit) > 0.6).all()
    back = drawn.with_covariance("information")
    assert back.log_covariance == pytest.approx(fit.log_covariance, rel=1e-6)
    assert back.resampling is None


def test_a_fit_of_k_keeps_its_k() -> None:
    fit = BGCNBD.fit(cdnow())
    robust = fit.with_covariance("sandwich")
    assert type(robust) is type(fit)
    assert robust.log_likelihood_by_k == fit.log_likelihood_by_k
    assert robust.aic == fit.aic


# -- carried along ---------------------------------------------------------------------------------


def test_all_that_rests_on_a_covariance_follows_it() -> None:
    fit = fitted(BGNBD)
    drawn = fit.with_covariance("bootstrap", resamples=200, seed=7)
    theta = np.array(list(fit.parameters.values()))
    assert drawn.covariance == pytest.approx(drawn.log_covariance * np.outer(theta, theta))
    assert drawn.standard_errors["alpha"] == pytest.approx(errors(drawn)[1] * theta[1])
    assert drawn.summary.loc["alpha", "se(coef)"] == drawn.standard_errors["alpha"]
    low, high = drawn.interval()["alpha"]
    assert np.log(high / low) == pytest.approx(2 * 1.959964 * errors(drawn)[1])
    said = json.loads(json.dumps(drawn.to_dict()))
    assert said["covariance_kind"] == "bootstrap"
    assert said["resampling"] == {"resamples": 200, "failed": 0, "seed": 7}
    assert said["covariance"] == drawn.covariance.tolist()
    assert fit.to_dict()["covariance_kind"] == "information"
    assert fit.to_dict()["resampling"] is None
    assert (fit.log_likelihood, fit.aic) == (drawn.log_likelihood, drawn.aic)


def test_concerns_are_those_of_the_covariance() -> None:
    """60 customers: what the curvature says is told, samples of them say is not."""
    rng = np.random.default_rng(8)
    T = np.full(60, 40.0)
    fit = BGNBD.fit(Histories.from_arrays(*BGNBD(0.8, 6.0, 1.2, 3.0).simulate(T, rng), T))
    drawn = fit.with_covariance("bootstrap", resamples=100)
    assert drawn.resampling is not None
    assert drawn.resampling.failed > 1
    assert not drawn.identified
    assert f"{drawn.resampling.failed} of 100 resamples" in drawn.concerns[-1]
    assert drawn.concerns[-1] not in fit.concerns


def test_the_same_seed_draws_the_same_samples() -> None:
    fit = fitted(GammaGamma)
    one, same, other = (
        fit.with_covariance("bootstrap", resamples=100, seed=seed).to_dict() for seed in (1, 1, 2)
    )
    assert one == same
    assert one["covariance"] != other["covariance"]


# -- refusals --------------------------------------------------------------------------------------


def test_what_makes_no_sense_is_refused() -> None:
    fit = fitted(BGNBD)
    kind: Any = "jackknife"
    with pytest.raises(RequestError, match="information, sandwich, bootstrap; got jackknife") as e:
        fit.with_covariance(kind, resamples=10)
    assert "at least 100 resamples; got 10" in str(e.value)
    held = BGNBD.fit(cdnow(), prior={"a": LogNormal(0.8, 1)})
    for one in ("sandwich", "bootstrap"):
        robust: Any = one
        with pytest.raises(RequestError, match=f"The {one} says .* Fit without the prior"):
            held.with_covariance(robust)
    assert held.with_covariance("information").log_covariance == pytest.approx(
        held.log_covariance, rel=1e-5
    )


def test_resamples_without_a_fit_are_counted_and_too_many_are_no_bootstrap() -> None:
    asked = 0

    def refit(n: Floats) -> Floats:
        nonlocal asked
        asked += 1
        if asked % 10 == 0:
            raise FitError("flat")
        return n[:1]

    covariance, how = bootstrap(refit, np.array([50.0, 50.0]), resamples=1000, seed=0)
    assert how == Resampling(1000, 100, 0)
    assert "100 of 1,000" in how.concerns[0]
    # Counts of one of two patterns: binomial(100, 1/2), variance 25; of 900 draws to 5 %.
    assert covariance[0, 0] == pytest.approx(25, rel=0.2)

    def never(_: Floats) -> Floats:
        raise FitError("flat as a board")

    with pytest.raises(NotIdentifiedError, match=r"100 of 100 resamples.*flat as a board"):
        bootstrap(never, np.ones(3), resamples=100, seed=0)


def test_the_sandwich_written_out() -> None:
    rng = np.random.default_rng(9)
    scores, n = rng.normal(size=(7, 3)), rng.integers(1, 5, 7).astype(float)
    information = np.cov(rng.normal(size=(3, 20)))
    middle = sum(k * np.outer(g, g) for g, k in zip(scores, n, strict=True))
    assert sandwich(information, scores, n) == pytest.approx(information @ middle @ information)


# -- with covariates -------------------------------------------------------------------------------


@cache
def with_covariates() -> tuple[pd.DataFrame, CovariateFit]:
    table = simulated("bg-nbd", 1_500, seed=21)
    return table, fit_covariates(BGNBD, table, purchase=["channel", "age"], dropout="channel")


def test_scores_with_covariates_are_the_slopes_of_each_customers_log_likelihood() -> None:
    """The sandwich of differences of the customers' log-likelihoods is the same."""
    table, fit = with_covariates()
    base, effects = fit.model.base, fit.model.effects
    k = len(base.parameters)

    def each(beta: Floats) -> Floats:
        rest = iter(beta[k:].tolist())
        moved = tuple(
            replace(e, coefficients=tuple(next(rest) for _ in e.coefficients)) for e in effects
        )
        model = replace(fit.model, base=type(base).from_vector(np.exp(beta[:k])), effects=moved)
        return model.log_likelihood(table)

    beta = np.array(
        [*np.log(list(base.parameters.values())), *(c.estimate for c in fit.coefficients)]
    )
    steps = 1e-5 * np.eye(len(beta))
    g = np.stack([(each(beta + d) - each(beta - d)) / 2e-5 for d in steps], axis=1)
    robust = fit.with_covariance("sandwich")
    by_hand = sandwich(fit.covariance, g, np.ones(len(table)))
    assert robust.covariance == pytest.approx(by_hand, rel=1e-4, abs=1e-9)
    assert robust.covariance_kind == "sandwich"
    assert fit.with_covariance("information").covariance == pytest.approx(
        fit.covariance, rel=1e-6, abs=1e-12
    )


def test_the_bootstrap_with_covariates_is_near_the_others_where_the_model_is_right() -> None:
    _, fit = with_covariates()
    drawn = fit.with_covariance("bootstrap", resamples=300)
    ratio = np.sqrt(np.diag(drawn.covariance) / np.diag(fit.covariance))
    # 300 resamples: to 4 %; the sandwich of 1,500 customers is itself to some 10 %.
    assert ratio == pytest.approx(1, abs=0.25)
    assert drawn.to_dict()["resampling"]["failed"] == 0
    one = drawn.coefficients[0]
    assert one.standard_error == pytest.approx(np.sqrt(drawn.covariance[4, 4]))
    with pytest.raises(RequestError, match="at least 100 resamples"):
        fit.with_covariance("bootstrap", resamples=2)


def test_covariate_fits_have_the_concerns_of_plain_ones() -> None:
    _, fit = with_covariates()
    assert fit.identified
    assert fit.to_dict()["concerns"] == []
    low, high = fit.interval(0.8)["r"]
    assert low < fit.model.base.parameters["r"] < high


def test_an_effect_that_is_hardly_told_is_said() -> None:
    """Three customers, not quite certain to be there still, are all there is of a level."""
    table = simulated("bg-nbd", 600, seed=22)
    silent = ((table["T"] - table["recency"]) / table["T"]).where(table["frequency"] > 1, np.inf)
    fax = np.argsort(silent.to_numpy())[160:163]
    source = np.where(np.isin(np.arange(600), fax), "fax", "mail")
    fit = fit_covariates(BGNBD, table.assign(source=source), dropout="source")
    (concern,) = fit.concerns
    assert "hardly tell the factor of 'dropout: source = fax' (" in concern
    assert "Leave the column out" in concern
    assert not fit.identified
    assert fit.to_dict()["identified"] is False
