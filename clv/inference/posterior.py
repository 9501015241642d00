"""The joint posterior of a model's parameters, by importance sampling around its mode.

A handful of parameters with a smooth posterior need no Markov chain. Draws from a multivariate t
around the mode in the log-parameters are weighted by the exact posterior; Pareto smoothing
(Vehtari, Simpson, Gelman, Yao & Gabry 2024, Journal of Machine Learning Research 25(72)) steadies
the largest weights, and its k̂ says whether they can be trusted. Where k̂ > 0.7 they cannot: the
draws then say where the posterior is, better than the mode did, and a t with their weighted mean
and covariance is drawn from instead (adaptive importance sampling: Cappé, Guillin, Marin & Robert
2004, Journal of Computational and Graphical Statistics 13(4)). After three such attempts a sampler
takes over (emcee, the extra `mcmc`), or the posterior is refused.

Without a prior there may be no posterior: where dropout vanishes, or customers become alike, a
likelihood tends to a constant, and its integral over the log-parameters is infinite. So every
parameter that the fit has no prior for gets the model's weak one (:meth:`Model.weak_prior`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from clv.arrays import Floats
from clv.errors import RequestError
from clv.models.base import Model
from clv.models.maximum_likelihood import Fit, LogNormal, log_prior, maximise
from clv.numerics import central_tails

__all__ = ["Posterior", "log_posterior", "posterior", "weighted_quantiles"]

M = TypeVar("M", bound=Model[Any])
M_co = TypeVar("M_co", bound=Model[Any], covariant=True)

AT_THE_MODE, ADAPTED = 7, 5
"""Degrees of freedom of the proposals: their tails are heavier than those of a posterior with this
many customers; more so where the mode's curvature was no guide."""

TRUSTED_K = 0.7
"""Largest k̂ at which smoothed importance weights are used (Vehtari et al. 2024, section 3.2.4)."""

ATTEMPTS = 3
"""At adapting the proposal."""


@dataclass(frozen=True, eq=False)
class Posterior(Generic[M_co]):
    """Draws from the posterior of a model's parameters, with weights.

    Attributes
    ----------
    fit : Fit
        Data, model, and the priors that were given.
    draws : ndarray, shape (n, k)
        Parameters, in the order of `fit.parameters`.
    weights : ndarray, shape (n,)
        Of the draws; they sum to 1.
    k_hat : float or None
        Pareto's k̂ of the weights; None for draws of a sampler.
    effective_size : float
        How many independent draws would say as much of a mean.
    method : {"importance", "mcmc"}
        How it was drawn.
    attempts : int
        How often the proposal was adapted before its weights could be trusted.
    """

    fit: Fit[M_co]
    draws: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    k_hat: float | None
    effective_size: float
    method: str
    attempts: int = 0

    @property
    def prior(self) -> dict[str, LogNormal]:
        """The prior of each parameter: the fit's own, or the model's weak one."""
        return _whole_prior(self.fit)

    @property
    def mean(self) -> dict[str, float]:
        """Posterior mean of each parameter."""
        return self._by_name(self.weights @ self.draws)

    @property
    def standard_deviation(self) -> dict[str, float]:
        """Posterior standard deviation of each parameter."""
        return self._by_name(np.sqrt(np.diag(self.covariance)))

    @property
    def monte_carlo_error(self) -> dict[str, float]:
        """Standard error of each mean from the finite number of draws."""
        deviation = self.standard_deviation
        return {name: sd / math.sqrt(self.effective_size) for name, sd in deviation.items()}

    @property
    def covariance(self) -> Floats:
        """Posterior covariance of the parameters, shape (k, k)."""
        away = self.draws - self.weights @ self.draws
        return np.asarray((self.weights[:, None] * away).T @ away)

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Central interval of each parameter."""
        low, high = weighted_quantiles(self.draws, self.weights, central_tails(level))
        names = self.fit.parameters
        return dict(zip(names, zip(low.tolist(), high.tolist(), strict=True), strict=True))

    def models(self, count: int, rng: np.random.Generator) -> list[M_co]:
        """Draw models from the posterior, equally likely, to carry its uncertainty onward.

        Drawn by systematic resampling, which adds the least noise of its own.
        """
        start = rng.random()
        at = (np.arange(count) + start) / count
        order = rng.permutation(len(self.weights))
        chosen = order[np.searchsorted(np.cumsum(self.weights[order]), at).clip(max=len(order) - 1)]
        kind = type(self.fit.model)
        return [kind.from_vector(theta) for theta in self.draws[rng.permutation(chosen)]]

    def to_inference_data(self, *, count: int = 4000, seed: int = 1) -> Any:
        """Give equally weighted draws as ArviZ has them; needs the package `arviz-base`.

        Parameters
        ----------
        count : int
            Number of draws.
        seed : int
            Of the resampling.
        """
        try:
            from arviz_base import from_dict
        except ImportError:
            raise RequestError(
                "ArviZ is not installed, and its inference data need it: pip install 'clv[mcmc]'."
            ) from None
        models = self.models(count, np.random.default_rng(seed))
        sample = {name: [[m.parameters[name] for m in models]] for name in self.fit.parameters}
        return from_dict({"posterior": {k: np.array(v) for k, v in sample.items()}})

    @cached_property
    def sentence(self) -> str:
        """How good the posterior is, in words."""
        if self.k_hat is None:
            how = f"sampled by a Markov chain ({len(self.draws):,} draws"
        else:
            how = f"{len(self.draws):,} weighted draws (Pareto k {self.k_hat:.2f}, good below 0.7"
        given = [
            f"{name} log-normal, median {p.median:g}, sigma {p.sigma:g}"
            for name, p in self.fit.prior.items()
        ]
        weak = {name: p for name, p in self.prior.items() if name not in self.fit.prior}
        if weak:
            medians = ", ".join(f"{name} {p.median:.4g}" for name, p in weak.items())
            sigma = next(iter(weak.values())).sigma
            given.append(f"weak (assumed): log-normal, sigma {sigma:g}, medians {medians}")
        prior = "; ".join(given)
        return f"Posterior of {how}; effective size {self.effective_size:,.0f}); prior: {prior}."

    def to_dict(self) -> dict[str, Any]:
        """Summary in plain types."""
        return {
            "model": self.fit.model.name,
            "method": self.method,
            "draws": len(self.draws),
            "effective_size": self.effective_size,
            "k_hat": self.k_hat,
            "mean": self.mean,
            "standard_deviation": self.standard_deviation,
            "interval_95": {k: list(v) for k, v in self.interval(0.95).items()},
            "sentence": self.sentence,
        }

    def _by_name(self, values: Floats) -> dict[str, float]:
        return dict(zip(self.fit.parameters, values.tolist(), strict=True))


def posterior(fit: Fit[M], *, draws: int = 4000, seed: int = 1) -> Posterior[M]:
    """Draw from the joint posterior of the parameters of a fit.

    The prior of a parameter is that of the fit. A parameter without one gets a weak log-normal
    prior, assumed, so that the posterior is one: sigma 2, the median 1 for a shape and the data's
    own scale for a rate (:meth:`Model.weak_prior`). `Posterior.sentence` states all of them.

    Parameters
    ----------
    fit : Fit
        The model, its data, and priors where there are any.
    draws : int
        How many draws; at least 100.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    Posterior

    Raises
    ------
    RequestError
        For fewer than 100 draws.
    FitError
        Where the weights cannot be trusted and the sampler is not installed or mixes too slowly.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> post = clv.posterior(fit)
    >>> post.k_hat < 0.7, post.effective_size > 2000
    (True, True)
    >>> post.prior["a"]
    LogNormal(median=1.0, sigma=2.0)
    """
    if draws < 100:
        raise RequestError(f"A posterior needs at least 100 draws; got {draws}.")
    rng = np.random.default_rng(seed)
    centre = _log_parameters(fit)
    spread = fit.log_covariance
    if set(fit.prior) < set(fit.parameters):
        mode = maximise(type(fit.model), fit.histories, prior=_whole_prior(fit), start=centre)
        centre, spread = _log_parameters(mode), mode.log_covariance
    proposal = _Proposal(centre, np.asarray(np.linalg.cholesky(spread)), AT_THE_MODE)
    started = time.perf_counter()
    for attempt in range(ATTEMPTS + 1):
        log_draws = proposal.draw(draws, rng)
        weights, k_hat = _weigh(log_posterior(fit, log_draws) - proposal.log_density(log_draws))
        if k_hat <= TRUSTED_K:
            return Posterior(
                fit=fit,
                draws=np.exp(log_draws),
                weights=weights,
                k_hat=k_hat,
                effective_size=float(1 / (weights**2).sum()),
                method="importance",
                attempts=attempt,
            )
        proposal = proposal.adapted(log_draws, weights)
    from clv.inference.markov_chain import sample

    per_draw = (time.perf_counter() - started) / (draws * (ATTEMPTS + 1))
    chain = sample(
        lambda at: log_posterior(fit, at),
        proposal.draw,
        draws,
        rng,
        label=fit.model.label,
        k_hat=k_hat,
        seconds_each=per_draw,
    )
    return Posterior(
        fit=fit,
        draws=np.exp(chain.draws),
        weights=np.full(len(chain.draws), 1 / len(chain.draws)),
        k_hat=None,
        effective_size=chain.effective_size,
        method="mcmc",
        attempts=ATTEMPTS,
    )


def log_posterior(fit: Fit[Any], log_draws: Floats) -> Floats:
    """Log of the posterior density in the log-parameters, up to a constant.

    Parameters
    ----------
    fit : Fit
        Model, data and priors; parameters without a prior have the weak one.
    log_draws : ndarray, shape (n, k)
        Logarithms of parameters.

    Returns
    -------
    ndarray, shape (n,)
    """
    kind = type(fit.model)
    inside = np.abs(log_draws).max(axis=1) < 50
    value = np.full(len(log_draws), -np.inf)
    value[inside] = kind.log_likelihoods(np.exp(log_draws[inside]), fit.histories)
    return value + log_prior(kind, _whole_prior(fit), log_draws)


def _whole_prior(fit: Fit[Any]) -> dict[str, LogNormal]:
    if set(fit.prior) == set(fit.parameters):
        return fit.prior
    weak: dict[str, LogNormal] = type(fit.model).weak_prior(fit.histories)
    return weak | fit.prior


def _log_parameters(fit: Fit[Any]) -> Floats:
    return np.asarray(np.log(list(fit.parameters.values())))


class _Proposal(NamedTuple):
    """A multivariate t in the log-parameters.

    Attributes
    ----------
    centre : ndarray, shape (k,)
        Its mode.
    root : ndarray, shape (k, k)
        Lower triangular; root rootᵀ is its scale.
    nu : int
        Degrees of freedom.
    """

    centre: Floats
    root: Floats
    nu: int

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Draw `count` points, shape (count, k)."""
        z = rng.standard_normal((count, len(self.centre)))
        scale = np.sqrt(self.nu / rng.chisquare(self.nu, count))
        return self.centre + (z * scale[:, None]) @ self.root.T

    def log_density(self, points: Floats) -> Floats:
        """Log-density at each point, up to a constant."""
        z = np.linalg.solve(self.root, (points - self.centre).T)
        return np.asarray(
            -(self.nu + len(self.centre)) / 2 * np.log1p((z**2).sum(axis=0) / self.nu)
        )

    def adapted(self, points: Floats, weights: Floats) -> _Proposal:
        """Take the weighted mean and covariance of the points, and heavier tails."""
        centre = weights @ points
        away = points - centre
        covariance = (weights[:, None] * away).T @ away
        try:
            root = np.asarray(np.linalg.cholesky(covariance))
        except np.linalg.LinAlgError:  # one point has all the weight
            return self._replace(nu=ADAPTED)
        return _Proposal(centre, root, ADAPTED)


def _weigh(log_ratio: Floats) -> tuple[Floats, float]:
    """Smooth the weights e^log_ratio; they then sum to 1. Also give their k̂."""
    from arviz_stats.base.array import array_stats

    # psislw takes what loo has, the negative of the log-ratios.
    log_weights, k_hat = array_stats.psislw(log_ratio.max() - log_ratio)  # type: ignore[no-untyped-call]
    weights = np.exp(log_weights)
    return weights / weights.sum(), float(k_hat)


def weighted_quantiles(values: Floats, weights: Floats, at: Sequence[float]) -> Floats:
    """Quantiles of weighted rows: values (n, ...), weights (n,); returns (len(at), ...)."""
    order = np.argsort(values, axis=0)
    sorted_values = np.take_along_axis(values, order, axis=0)
    cumulative = np.cumsum(weights[order], axis=0)
    picks = [np.argmax(cumulative >= q * cumulative[-1], axis=0) for q in at]
    return np.stack([np.take_along_axis(sorted_values, i[None], axis=0)[0] for i in picks])
