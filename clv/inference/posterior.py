"""The joint posterior of a model's parameters, by importance sampling around its mode.

Drawn in the log-parameters by :mod:`clv.inference.importance`; with very many customers from the
normal at the mode, where a look shows that it is no other (:mod:`clv.inference.normal_check`).

Without a prior there may be no posterior: where dropout vanishes, or customers become alike, a
likelihood tends to a constant, and its integral over the log-parameters is infinite. So every
parameter that the fit has no prior for gets the model's weak one (:meth:`Model.weak_prior`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

import numpy as np

from clv.arrays import Floats
from clv.errors import RequestError
from clv.inference.importance import sample_density
from clv.inference.normal_check import sample_normal
from clv.models.base import Model
from clv.models.maximum_likelihood import Fit, LogNormal, log_prior, maximise
from clv.numerics import central_tails
from clv.side_by_side import side_by_side

__all__ = ["Posterior", "log_posterior", "posterior", "weighted_quantiles"]

MANY_HISTORIES = 50_000
"""Distinct histories from which it is looked whether the posterior is a normal."""

M = TypeVar("M", bound=Model[Any])
M_co = TypeVar("M_co", bound=Model[Any], covariant=True)


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
        Pareto's k̂ of the weights; None for draws without weights.
    effective_size : float
        How many independent draws would say as much of a mean.
    method : {"importance", "mcmc", "normal"}
        How it was drawn.
    attempts : int
        How often the proposal was adapted.
    spread : float or None
        Of draws from the normal at the mode: the standard deviation of the logarithms of the
        weights they would have; no mean is farther off than so many of its standard deviations.
    """

    fit: Fit[M_co]
    draws: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    k_hat: float | None
    effective_size: float
    method: str
    attempts: int = 0
    spread: float | None = None

    @property
    def prior(self) -> dict[str, LogNormal]:
        """The prior of each parameter: the fit's own, or the model's weak one."""
        return _whole_prior(self.fit)

    @property
    def mean(self) -> dict[str, float]:
        """Posterior mean of each parameter; of one with a long tail the median says more."""
        return self._by_name(self.weights @ self.draws)

    @property
    def standard_deviation(self) -> dict[str, float]:
        """Posterior standard deviation of each parameter."""
        return self._by_name(np.sqrt(np.diag(self.covariance)))

    @property
    def monte_carlo_error(self) -> dict[str, float]:
        """Standard error of each mean from the finite number of draws.

        √Σ w² (θ − mean)² of importance-weighted draws; of a chain's the standard deviation over the
        root of the effective size.
        """
        if self.method == "mcmc":
            deviation = self.standard_deviation
            return {name: sd / math.sqrt(self.effective_size) for name, sd in deviation.items()}
        away = self.draws - self.weights @ self.draws
        return self._by_name(np.sqrt(self.weights**2 @ away**2))

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
        if self.spread is not None:
            how = (
                f"the normal distribution at the mode ({len(self.draws):,} draws; their "
                f"log-weights would differ by {self.spread:.2f}, good below 0.1"
            )
        elif self.k_hat is None:
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
            "spread": self.spread,
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

    def density(at: Floats) -> Floats:
        return log_posterior(fit, at)

    if fit.patterns >= MANY_HISTORIES:
        # A weak prior moves the mode of so many by nothing to speak of; if it did, it would show.
        normal = sample_normal(density, centre, spread, draws, rng)
        if normal is not None:
            equal = np.full(draws, 1 / draws)
            points = np.exp(normal.points)
            return Posterior(fit, points, equal, None, float(draws), "normal", 0, normal.spread)
    if set(fit.prior) < set(fit.parameters):
        mode = maximise(type(fit.model), fit.histories, prior=_whole_prior(fit), start=centre)
        centre, spread = _log_parameters(mode), mode.log_covariance
    found = sample_density(density, centre, spread, draws, rng, label=fit.model.label)
    return Posterior(
        fit=fit,
        draws=np.exp(found.points),
        weights=found.weights,
        k_hat=found.k_hat,
        effective_size=found.effective_size,
        method=found.method,
        attempts=found.attempts,
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
    if not inside.any():
        return value
    of_part = partial(kind.log_likelihoods, np.exp(log_draws[inside]))
    value[inside] = sum(side_by_side(of_part, kind.parts(fit.histories)))
    return value + log_prior(kind, _whole_prior(fit), log_draws)


def _whole_prior(fit: Fit[Any]) -> dict[str, LogNormal]:
    if set(fit.prior) == set(fit.parameters):
        return fit.prior
    weak: dict[str, LogNormal] = type(fit.model).weak_prior(fit.histories)
    return weak | fit.prior


def _log_parameters(fit: Fit[Any]) -> Floats:
    return np.asarray(np.log(list(fit.parameters.values())))


def weighted_quantiles(values: Floats, weights: Floats, at: Sequence[float]) -> Floats:
    """Quantiles of weighted rows: values (n, ...), weights (n,); returns (len(at), ...)."""
    order = np.argsort(values, axis=0)
    sorted_values = np.take_along_axis(values, order, axis=0)
    cumulative = np.cumsum(weights[order], axis=0)
    picks = [np.argmax(cumulative >= q * cumulative[-1], axis=0) for q in at]
    return np.stack([np.take_along_axis(sorted_values, i[None], axis=0)[0] for i in picks])
