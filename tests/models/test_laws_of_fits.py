"""What holds for the fit of every model: derivatives, weights, covariance, prior."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import chi2, norm

from clv.errors import ParameterError
from clv.models.maximum_likelihood import Fit, LogNormal
from tests.battery import MODELS, PARAMETERS_OF_TIME, TIMED, Subject, log_uniform, slopes

of_every_model = pytest.mark.parametrize("subject", MODELS, ids=str)

few = settings(max_examples=25)


@cache
def fitted(name: str) -> Fit[Any]:
    """The fit to 3,000 customers drawn from the model."""
    subject = next(s for s in MODELS if s.model.name == name)
    return type(subject.model).fit(subject.histories(3000, seed=1))


# -- derivatives -----------------------------------------------------------------------------------


@of_every_model
@few
@given(data=st.data())
def test_score_and_hessian_are_the_slopes_of_value_and_score(
    subject: Subject, data: st.DataObject
) -> None:
    kind, h = type(subject.model), subject.histories(40, seed=2)
    theta = np.array([data.draw(log_uniform(0.05, 50)) for _ in kind.parameter_names()])
    at = kind.likelihood(theta, h)
    assert (at.hessian == at.hessian.T).all()
    score = slopes(lambda v: kind.likelihood(v, h).value, theta)
    # Differences of a value near 1e3 hold its slope, times the parameter, to about 1e-8.
    assert theta * at.gradient == pytest.approx(theta * score, rel=1e-6, abs=1e-6)
    hessian = slopes(lambda v: kind.likelihood(v, h).gradient, theta)
    scale = np.outer(theta, theta)
    assert scale * at.hessian == pytest.approx(scale * hessian, rel=1e-6, abs=1e-6)


@of_every_model
def test_the_likelihood_is_the_sum_over_customers(subject: Subject) -> None:
    columns = subject.columns(200, 3)
    each = subject.log_likelihoods(columns).sum()
    h = subject.data(columns)
    assert type(subject.model).likelihood(subject.theta, h).value == pytest.approx(each, rel=1e-12)


@of_every_model
def test_likelihoods_at_many_parameters_are_those_at_each(subject: Subject) -> None:
    kind, h = type(subject.model), subject.histories(100, seed=8)
    thetas = subject.theta * np.exp(np.random.default_rng(8).normal(0, 1, (7, len(subject.theta))))
    each = [kind.likelihood(theta, h).value for theta in thetas]
    assert kind.log_likelihoods(thetas, h) == pytest.approx(each, rel=1e-9)


@of_every_model
def test_likelihoods_of_parts_add_up(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clv.models.base.PART", 64)
    monkeypatch.setattr("clv.models.gamma_gamma.PART", 64)
    kind, h = type(subject.model), subject.histories(500, seed=9)
    parts = kind.parts(h)
    assert len(parts) > 2 or parts == [h]
    assert sum(kind.size(part)[1] for part in parts) == kind.size(h)[1]
    whole = kind.likelihood(subject.theta, h)
    for i, of_whole in enumerate(whole):
        of_parts = sum(kind.likelihood(subject.theta, part)[i] for part in parts)
        assert of_parts == pytest.approx(of_whole, rel=1e-11, abs=1e-11)
    at = subject.theta[None] * [[0.9], [1.1]]
    of_parts = sum(kind.log_likelihoods(at, part) for part in parts)
    assert of_parts == pytest.approx(kind.log_likelihoods(at, h), rel=1e-12)


# -- what must not matter --------------------------------------------------------------------------


@of_every_model
def test_row_order_does_not_matter(subject: Subject) -> None:
    columns = subject.columns(500, 4)
    shuffled = np.random.default_rng(4).permutation(500)
    one = subject.data(columns)
    other = subject.data({k: v[shuffled] for k, v in columns.items()})
    kind = type(subject.model)
    assert kind.fit(one).to_dict() == kind.fit(other).to_dict()


@of_every_model
def test_a_weight_of_3_is_three_customers(subject: Subject) -> None:
    columns = subject.columns(400, 5)
    thrice = subject.data({k: np.tile(v, 3) for k, v in columns.items()})
    weighted = subject.data(columns | {"weights": np.full(400, 3.0)})
    kind = type(subject.model)
    one, other = kind.fit(thrice).to_dict(), kind.fit(weighted).to_dict()
    assert one == other
    single = kind.fit(subject.data(columns))
    assert one["parameters"] == pytest.approx(single.parameters, rel=1e-6)
    assert 3 * np.array(one["covariance"]) == pytest.approx(single.covariance, rel=1e-5)


@pytest.mark.parametrize("subject", TIMED, ids=str)
def test_the_unit_of_time_only_scales_the_parameters_of_time(subject: Subject) -> None:
    """BG/BB counts opportunities and sBG periods of a contract, which have no other unit."""
    columns = subject.columns(600, 6)
    weeks = subject.data(columns)
    days = subject.data(columns | {k: 7 * columns[k] for k in ("recency", "T")}, unit="day")
    kind = type(subject.model)
    in_weeks, in_days = kind.fit(weeks), kind.fit(days)
    timed = weeks.spend is None
    shift = np.log(7) * (weeks.weight @ weeks.frequency) if timed else 0
    for name, value in in_weeks.parameters.items():
        factor = 7 if name in PARAMETERS_OF_TIME else 1
        assert in_days.parameters[name] == pytest.approx(factor * value, rel=1e-5)
    assert in_days.log_likelihood == pytest.approx(in_weeks.log_likelihood - shift, abs=1e-6)


# -- recovery and covariance -----------------------------------------------------------------------


def distance(fit: Fit[Any], subject: Subject) -> float:
    """Squared distance from the true log-parameters in the metric of the covariance."""
    off = np.log(np.array(list(fit.parameters.values()))) - np.log(subject.theta)
    return float(off @ np.linalg.solve(fit.log_covariance, off))


@of_every_model
def test_a_fit_recovers_what_the_customers_were_drawn_with(subject: Subject) -> None:
    kind = type(subject.model)
    fit = kind.fit(subject.histories(20_000, seed=7))
    k = len(subject.theta)
    assert distance(fit, subject) < chi2.ppf(0.999, k)  # fixed seed
    spread = np.sqrt(np.diag(fit.log_covariance))
    assert (spread < 0.25).all()  # else anything would be recovered
    assert fit.log_likelihood >= kind.likelihood(subject.theta, fit.histories).value


@of_every_model
def test_covariance_is_the_spread_of_fits_to_fresh_customers(subject: Subject) -> None:
    """In every direction: with a right covariance the squared distance has mean k, the number of
    parameters, and standard deviation √(2k/fits); one wrong off the diagonal is far from it."""
    kind, k, fits = type(subject.model), len(subject.theta), 60
    found = [kind.fit(subject.histories(4000, seed=100 + i)) for i in range(fits)]
    mean = np.mean([distance(fit, subject) for fit in found])
    assert mean == pytest.approx(k, abs=4 * np.sqrt(2 * k / fits))
    logs = np.log([list(fit.parameters.values()) for fit in found])
    said = np.mean([np.sqrt(np.diag(fit.log_covariance)) for fit in found], axis=0)
    # The standard deviation of 60 draws is known to 9 %.
    assert logs.std(axis=0, ddof=1) / said == pytest.approx(1, abs=0.36)


@of_every_model
def test_covariance_is_the_inverse_of_the_curvature(subject: Subject) -> None:
    fit = fitted(subject.model.name)
    theta = np.array(list(fit.parameters.values()))
    kind = type(subject.model)
    curvature = -slopes(lambda v: kind.likelihood(v, fit.histories).gradient, theta)
    assert fit.covariance @ curvature == pytest.approx(np.eye(len(theta)), abs=1e-4)
    assert (fit.covariance == fit.covariance.T).all()
    assert (np.linalg.eigvalsh(fit.covariance) > 0).all()
    assert fit.gradient_norm < 1e-8
    assert fit.log_covariance * np.outer(theta, theta) == pytest.approx(fit.covariance, rel=1e-12)


# -- what a fit says -------------------------------------------------------------------------------


@of_every_model
def test_criteria_and_intervals_are_what_they_are_called(subject: Subject) -> None:
    fit = fitted(subject.model.name)
    k = len(fit.parameters)
    assert fit.aic == pytest.approx(2 * k - 2 * fit.log_likelihood, rel=1e-15)
    assert fit.bic == pytest.approx(k * np.log(3000) - 2 * fit.log_likelihood, rel=1e-15)
    log_spread = np.sqrt(np.diag(fit.log_covariance))
    for level in (0.5, 0.95):
        z = norm.ppf((1 + level) / 2)
        for (name, (low, high)), spread in zip(
            fit.interval(level).items(), log_spread, strict=True
        ):
            value = fit.parameters[name]
            assert low < value < high
            assert np.log(high / value) == pytest.approx(z * spread, rel=1e-12)
            assert low * high == pytest.approx(value**2, rel=1e-12)
            # To first order the spread of the logarithm is the relative standard error.
            assert spread * value == pytest.approx(fit.standard_errors[name], rel=1e-12)


@of_every_model
@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
def test_an_interval_has_a_level_between_0_and_1(subject: Subject, level: float) -> None:
    with pytest.raises(ParameterError, match="between 0 and 1"):
        fitted(subject.model.name).interval(level)


@of_every_model
def test_a_fit_goes_through_json_unchanged(subject: Subject) -> None:
    fit = fitted(subject.model.name)
    said = fit.to_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert type(fit.log_likelihood) is float
    assert type(subject.model)(**said["parameters"]) == fit.model
    assert said["model"] == subject.model.name
    assert said["customers"] == 3000
    assert said["converged"] is True


# -- prior -----------------------------------------------------------------------------------------


@of_every_model
def test_a_prior_pulls_towards_its_median_the_more_the_narrower_it_is(subject: Subject) -> None:
    free = fitted(subject.model.name)
    kind = type(subject.model)
    for name, value in free.parameters.items():
        for factor in (0.7, 1.4):
            median = factor * value
            away = []
            for sigma in (1e-3, 0.1, 0.5, 50.0):
                prior = {name: LogNormal(median, sigma)}
                pulled = kind.fit(free.histories, prior=prior).parameters[name]
                away.append(abs(np.log(pulled / median)))
            assert away == sorted(away), name
            assert away[0] < 0.01 * abs(np.log(factor)), name
            assert away[-1] == pytest.approx(abs(np.log(factor)), rel=0.01), name


@of_every_model
def test_the_fit_with_a_prior_is_the_mode_of_the_posterior(subject: Subject) -> None:
    """An optimiser without derivatives, on the sum written out, finds no other place."""
    kind, h = type(subject.model), subject.histories(800, seed=9)
    prior = {name: LogNormal(2.0, 0.7) for name in kind.parameter_names()}
    fit = kind.fit(h, prior=prior)

    def minus_log_posterior(log_theta: Any) -> float:
        log_prior = norm.logpdf(log_theta, np.log(2.0), 0.7).sum()
        return -kind.likelihood(np.exp(log_theta), h).value - float(log_prior)

    at = np.log(list(fit.parameters.values()))
    best = minimize(
        minus_log_posterior,
        at + 0.3,
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 5000, "maxfev": 5000},
    )
    assert best.x == pytest.approx(at, abs=1e-4)
    assert minus_log_posterior(at) <= best.fun + 1e-8
    # Its log-likelihood is that of the data, without the prior.
    assert fit.log_likelihood == kind.likelihood(np.exp(at), h).value
    assert fit.log_likelihood < kind.fit(h).log_likelihood
