"""The importance-sampled posterior against long Markov chains, and its safeguards."""

from __future__ import annotations

import builtins
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import clv
from clv.arrays import Floats
from clv.errors import FitError, RequestError
from clv.inference.markov_chain import SECONDS, sample
from clv.inference.posterior import log_posterior, weighted_quantiles
from clv.models.base import Model
from clv.transactions.summary import CustomerHistories

# Mean and its Monte Carlo error, from tests/studies/posterior_reference.py: emcee, 64 walkers,
# 14,000 steps after burn-in, at least 14,000 effective draws, under the same prior.
REFERENCE = {
    "bg-nbd": {
        "r": (0.243603, 9.1e-5),
        "alpha": (4.45475, 0.0027),
        "a": (0.827846, 0.0015),
        "b": (2.59689, 0.0059),
    },
    "mbg-nbd": {
        "r": (0.534228, 0.00062),
        "alpha": (6.27859, 0.0052),
        "a": (0.924708, 0.0013),
        "b": (1.76121, 0.0047),
    },
    "gamma-gamma": {"p": (6.38858, 0.0085), "q": (3.75798, 0.0019), "v": (15.9743, 0.028)},
    "pareto-nbd": {
        "r": (0.548557, 0.00036),
        "alpha": (10.5726, 0.0063),
        "ln s": (-0.321633, 0.0036),  # s has sd 1.1 around .82, beta 41 around 20: tails too long
        "ln beta": (2.71469, 0.0053),  # for their own means to say much
    },
}


@pytest.mark.parametrize("model", [clv.BGNBD, clv.MBGNBD, clv.GammaGamma, clv.ParetoNBD])
def test_means_agree_with_a_long_chain(model: type[Model[Any]], cdnow: CustomerHistories) -> None:
    post = clv.posterior(model.fit(cdnow), draws=4000)
    assert post.effective_size >= 2000
    assert post.k_hat is not None
    assert post.k_hat < 0.7
    logged = dataclasses.replace(post, draws=np.log(post.draws))
    for name, (mean, error) in REFERENCE[model.name].items():
        told, parameter = (logged if name.startswith("ln ") else post), name.removeprefix("ln ")
        # within two Monte Carlo errors, those of both samples together
        both = 2 * np.hypot(told.monte_carlo_error[parameter], error)
        assert told.mean[parameter] == pytest.approx(mean, abs=both), name


def test_covariance_nears_that_of_the_fit_where_the_posterior_is_normal() -> None:
    # 20,000 customers: normal to a few percent.
    rng = np.random.default_rng(7)
    T = rng.uniform(30, 78, 20_000)
    x, t_x = clv.BGNBD(0.5, 6.0, 1.0, 2.5).simulate(T, rng)
    fit = clv.BGNBD.fit(clv.Histories.from_arrays(x, t_x, T, unit="week"))
    post = clv.posterior(fit, draws=3000)
    sd = np.array(list(post.standard_deviation.values()))
    assert np.allclose(sd, np.sqrt(np.diag(fit.covariance)), rtol=0.1)


def test_log_posterior_is_the_likelihood_plus_the_prior(cdnow: CustomerHistories) -> None:
    prior = {name: clv.LogNormal(0.5, 0.3) for name in ("r", "alpha", "a", "b")}
    fit = clv.BGNBD.fit(cdnow, prior=prior)
    thetas = np.array([[0.25, 4.5, 0.7, 2.2], [0.2, 4.0, 1.0, 3.0]])
    found = log_posterior(fit, np.log(thetas))
    wanted = []
    for theta in thetas:
        of_data = clv.BGNBD(*theta).log_likelihood(cdnow.frequency, cdnow.recency, cdnow.T)
        z = (np.log(theta) - np.log(0.5)) / 0.3
        wanted.append(float(cdnow.weight @ of_data) - float(z @ z) / 2)
    assert np.diff(found) == pytest.approx(np.diff(wanted), abs=1e-8)


def test_a_prior_narrows_and_pulls(cdnow: CustomerHistories) -> None:
    free = clv.posterior(clv.BGNBD.fit(cdnow), draws=2000)
    held = clv.posterior(clv.BGNBD.fit(cdnow, prior={"a": clv.LogNormal(0.5, 0.1)}), draws=2000)
    assert held.standard_deviation["a"] < 0.5 * free.standard_deviation["a"]
    assert 0.5 < held.mean["a"] < free.mean["a"]
    assert "log-normal, median 0.5" in held.sentence


def test_resampled_models_have_the_posterior_mean(cdnow: CustomerHistories) -> None:
    post = clv.posterior(clv.BGNBD.fit(cdnow), draws=2000)
    models = post.models(4000, np.random.default_rng(2))
    for name, mean in post.mean.items():
        drawn = np.mean([model.parameters[name] for model in models])
        assert drawn == pytest.approx(mean, abs=post.standard_deviation[name] / 20)


def test_same_seed_same_draws(cdnow: CustomerHistories) -> None:
    fit = clv.BGNBD.fit(cdnow)
    one, two = (clv.posterior(fit, draws=500, seed=9) for _ in range(2))
    assert np.array_equal(one.draws, two.draws)
    assert np.array_equal(one.weights, two.weights)


def test_sampler_takes_over_where_weights_cannot_be_trusted(
    cdnow: CustomerHistories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clv.inference.importance.TRUSTED_K", -10.0)
    fit = clv.BGNBD.fit(cdnow)
    post = clv.posterior(fit, draws=1000)
    assert post.method == "mcmc"
    assert post.k_hat is None
    for name, (mean, _) in REFERENCE["bg-nbd"].items():
        assert post.mean[name] == pytest.approx(mean, abs=4 * post.monte_carlo_error[name]), name


def test_a_poor_proposal_is_adapted_until_its_weights_can_be_trusted() -> None:
    """A hundred customers, whose posterior of a and b is a bent ridge; a chain is the witness."""
    truth = clv.MBGNBD(0.525, 6.183, 0.891, 1.614)  # Batislam, Denizel & Filiztekin (2007)
    rng = np.random.default_rng([100, 39])
    T = rng.integers(27 * 7, 39 * 7, 100, endpoint=True) / 7
    h = clv.Histories.from_arrays(*truth.simulate(T, rng), T, unit="week")
    fit = clv.MBGNBD.fit(h, prior=clv.MBGNBD.weak_prior(h))
    post = clv.posterior(fit)
    assert post.attempts > 0
    assert post.method == "importance"
    assert post.k_hat is not None
    assert post.k_hat <= 0.7
    chain = sample(
        lambda at: log_posterior(fit, at),
        lambda n, rng: np.log(post.draws[rng.choice(len(post.weights), n, p=post.weights)]),
        20_000, rng, label="MBG/NBD", k_hat=1.0, seconds_each=1e-5,
    )  # fmt: skip
    log_means = post.weights @ np.log(post.draws)
    log_spread = chain.draws.std(axis=0)
    error = log_spread * np.sqrt(1 / post.effective_size + 1 / chain.effective_size)
    assert (np.abs(log_means - chain.draws.mean(axis=0)) < 3 * error).all()


def test_a_chain_stops_when_its_minute_is_over() -> None:
    """2,000 evaluations are allowed, and a chain in 4 dimensions needs far more."""
    asked = 0

    def normal(at: Floats) -> Floats:
        nonlocal asked
        asked += len(at)
        return np.asarray(-(at**2).sum(axis=1) / 2)

    def start(n: int, rng: np.random.Generator) -> Floats:
        return rng.standard_normal((n, 4))

    with pytest.raises(FitError, match=r"mixes too slowly .* 62 steps of 32 walkers"):
        sample(
            normal, start, 1000, np.random.default_rng(1),
            label="BG/NBD", k_hat=1.0, seconds_each=SECONDS / 2000,
        )  # fmt: skip
    assert asked <= 2000 + 32 + 1000  # the walkers' first places, and where these were looked for


def test_a_chain_needs_somewhere_to_start() -> None:
    def nowhere(at: Floats) -> Floats:
        return np.full(len(at), -np.inf)

    with pytest.raises(FitError, match=r"only 0 of 1,000 draws have a density"):
        sample(
            nowhere, lambda n, rng: rng.standard_normal((n, 4)), 100, np.random.default_rng(1),
            label="BG/NBD", k_hat=1.0, seconds_each=1e-6,
        )  # fmt: skip


def test_without_the_sampler_it_says_how_to_get_it(
    cdnow: CustomerHistories, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def no_emcee(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - its name in builtins
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if name == "emcee":
            raise ImportError(name)
        return real(name, globals, locals, fromlist or (), level)

    monkeypatch.setattr("clv.inference.importance.TRUSTED_K", -10.0)
    monkeypatch.delitem(sys.modules, "emcee", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_emcee)
    with pytest.raises(FitError, match=r"clv\[mcmc\]"):
        clv.posterior(clv.BGNBD.fit(cdnow), draws=200)


def test_inference_data_has_the_parameters(cdnow: CustomerHistories) -> None:
    data = clv.posterior(clv.BGNBD.fit(cdnow), draws=500).to_inference_data(count=300)
    assert set(data["posterior"].data_vars) == {"r", "alpha", "a", "b"}
    assert data["posterior"]["r"].shape == (1, 300)


def test_weighted_quantiles_equal_repeated_values() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(7, 2))
    times = np.array([3, 1, 2, 5, 1, 1, 4])
    found = weighted_quantiles(values, times / times.sum(), [0.1, 0.5, 0.9])
    repeated = np.repeat(values, times, axis=0)
    wanted = np.quantile(repeated, [0.1, 0.5, 0.9], axis=0, method="inverted_cdf")
    assert np.array_equal(found, wanted)


def test_too_few_draws_are_refused(cdnow: CustomerHistories) -> None:
    with pytest.raises(RequestError, match="at least 100"):
        clv.posterior(clv.BGNBD.fit(cdnow), draws=10)
