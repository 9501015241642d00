"""The joint posterior of a model's parameters, by importance sampling around its mode.

A handful of parameters with a smooth posterior need no Markov chain. Draws from a multivariate t
around the mode in the log-parameters are weighted by the exact posterior; Pareto smoothing
(Vehtari, Simpson, Gelman, Yao & Gabry 2024, Journal of Machine Learning Research 25(72)) steadies
the largest weights, and its k̂ says whether they can be trusted. Where k̂ > 0.7 they cannot, and a
sampler takes over (emcee, the extra `mcmc`), or the posterior is refused.

The prior is the one of the fit. Without one it is flat in the log-parameters: every factor of two
is as likely as the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from clv.errors import FitError, RequestError
from clv.models.base import Model
from clv.models.maximum_likelihood import Fit, log_prior
from clv.numerics import central_tails

__all__ = ["Posterior", "posterior"]

Floats = npt.NDArray[np.float64]
M = TypeVar("M", bound=Model[Any])
M_co = TypeVar("M_co", bound=Model[Any], covariant=True)

DEGREES_OF_FREEDOM = 7
"""Of the proposal: its tails are heavier than those of a posterior with this many customers."""

TRUSTED_K = 0.7
"""Largest k̂ at which smoothed importance weights are used (Vehtari et al. 2024, section 3.2.4)."""

STEPS, ROUNDS = 2000, 10
"""Of the sampler: it goes on until it is 50 autocorrelation times long after its first five."""


@dataclass(frozen=True, eq=False)
class Posterior(Generic[M_co]):
    """Draws from the posterior of a model's parameters, with weights.

    Attributes
    ----------
    fit : Fit
        Mode, data and prior.
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
    """

    fit: Fit[M_co]
    draws: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    k_hat: float | None
    effective_size: float
    method: str

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
        prior = (
            ", ".join(
                f"{name} log-normal, median {p.median:g}, sigma {p.sigma:g}"
                for name, p in self.fit.prior.items()
            )
            or "flat in the logarithms of the parameters"
        )
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

    Parameters
    ----------
    fit : Fit
        The mode: a fit with a prior, or without one for a prior flat in the log-parameters.
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
    """
    if draws < 100:
        raise RequestError(f"A posterior needs at least 100 draws; got {draws}.")
    from arviz_stats.base.array import array_stats

    rng = np.random.default_rng(seed)
    mode = np.log(np.array(list(fit.parameters.values())))
    root = np.linalg.cholesky(fit.log_covariance)
    z = rng.standard_normal((draws, len(mode)))
    nu = DEGREES_OF_FREEDOM
    scale = np.sqrt(nu / rng.chisquare(nu, draws))
    log_draws = mode + (z * scale[:, None]) @ root.T
    distance = (z**2).sum(axis=1) * scale**2
    log_proposal = -(nu + len(mode)) / 2 * np.log1p(distance / nu)
    log_ratio = log_posterior(fit, log_draws) - log_proposal
    # psislw takes what loo has, the negative of the log-ratios.
    log_weights, k_hat = array_stats.psislw(log_ratio.max() - log_ratio)  # type: ignore[no-untyped-call]
    weights = np.exp(log_weights)
    weights /= weights.sum()
    if float(k_hat) > TRUSTED_K:
        return _sample(fit, draws, rng, float(k_hat))
    return Posterior(
        fit=fit,
        draws=np.exp(log_draws),
        weights=weights,
        k_hat=float(k_hat),
        effective_size=float(1 / (weights**2).sum()),
        method="importance",
    )


def log_posterior(fit: Fit[Any], log_draws: Floats) -> Floats:
    """Log of the posterior density in the log-parameters, up to a constant, shape (n,)."""
    kind = type(fit.model)
    inside = np.abs(log_draws).max(axis=1) < 50
    value = np.full(len(log_draws), -np.inf)
    value[inside] = kind.log_likelihoods(np.exp(log_draws[inside]), fit.histories)
    return value + log_prior(kind, fit.prior, log_draws)


def weighted_quantiles(values: Floats, weights: Floats, at: Sequence[float]) -> Floats:
    """Quantiles of weighted rows: values (n, ...), weights (n,); returns (len(at), ...)."""
    order = np.argsort(values, axis=0)
    sorted_values = np.take_along_axis(values, order, axis=0)
    cumulative = np.cumsum(weights[order], axis=0)
    picks = [np.argmax(cumulative >= q * cumulative[-1], axis=0) for q in at]
    return np.stack([np.take_along_axis(sorted_values, i[None], axis=0)[0] for i in picks])


def _sample(fit: Fit[M], draws: int, rng: np.random.Generator, k_hat: float) -> Posterior[M]:
    """Fall back on an affine-invariant ensemble sampler (Goodman & Weare 2010)."""
    try:
        import emcee
    except ImportError:
        raise FitError(
            f"The posterior of {fit.model.label} is too far from a multivariate t for importance "
            f"sampling (Pareto k {k_hat:.2f}, trusted below {TRUSTED_K}). Install the sampler that "
            "takes over: pip install 'clv[mcmc]'; or give a prior."
        ) from None
    mode = np.log(np.array(list(fit.parameters.values())))
    walkers = 8 * len(mode)
    spread = np.linalg.cholesky(fit.log_covariance)
    start = mode + 0.5 * rng.standard_normal((walkers, len(mode))) @ spread.T
    sampler = emcee.EnsembleSampler(
        walkers, len(mode), lambda at: log_posterior(fit, at), vectorize=True
    )
    state = np.random.RandomState(int(rng.integers(2**31))).get_state()
    sampler.random_state = state
    state_now: Any = start
    for _ in range(ROUNDS):
        state_now = sampler.run_mcmc(state_now, STEPS)
        time = float(np.max(sampler.get_autocorr_time(tol=0)))
        if sampler.iteration >= 55 * time and (sampler.iteration - 5 * time) * walkers >= draws:
            break
    else:
        raise FitError(
            f"The posterior of {fit.model.label} mixes too slowly to be trusted: autocorrelation "
            f"time {time:.0f} in {sampler.iteration:,} steps. A prior steadies it."
        )
    burn = int(5 * time)
    chain = sampler.get_chain(discard=burn, flat=True)
    chosen = chain[rng.permutation(len(chain))[:draws]]
    return Posterior(
        fit=fit,
        draws=np.exp(chosen),
        weights=np.full(len(chosen), 1 / len(chosen)),
        k_hat=None,
        effective_size=min(float(len(chosen)), len(chain) / time),
        method="mcmc",
    )
