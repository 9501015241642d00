"""Draws from a density that is known up to a constant, by importance sampling around its mode.

A handful of parameters with a smooth posterior need no Markov chain. Draws from a mixture of
multivariate t around the mode are weighted by the exact density; Pareto smoothing (Vehtari,
Simpson, Gelman, Yao & Gabry 2024, Journal of Machine Learning Research 25(72)) steadies the
largest weights, and its k̂ says whether they can be trusted. Above 0.5 the weighted draws say
better than the mode did where the density is, and move the mixture
(:mod:`clv.inference.proposal`), up to three times. Where k̂ stays above 0.7 a sampler takes over
(emcee, the extra `mcmc`), or the density is refused.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from clv.arrays import Floats
from clv.inference.proposal import Proposal

__all__ = ["Sample", "sample_density"]

TRUSTED_K = 0.7
"""Largest k̂ at which smoothed importance weights are used (Vehtari et al. 2024, section 3.2.4)."""

GOOD_K = 0.5
"""k̂ up to which the proposal is left as it is: the weights have a finite variance, so that Monte
Carlo errors mean what they say (Vehtari et al. 2024, section 2.4)."""

ATTEMPTS = 3
"""At adapting the proposal."""


class Sample(NamedTuple):
    """Weighted draws from a density.

    Attributes
    ----------
    points : ndarray, shape (n, k)
        The draws.
    weights : ndarray, shape (n,)
        They sum to 1.
    k_hat : float or None
        Pareto's k̂ of the weights; None for draws of a sampler.
    effective_size : float
        How many independent draws would say as much of a mean.
    method : {"importance", "mcmc"}
        How they were drawn.
    attempts : int
        How often the proposal was adapted.
    """

    points: Floats
    weights: Floats
    k_hat: float | None
    effective_size: float
    method: Literal["importance", "mcmc"]
    attempts: int


def sample_density(
    log_density: Callable[[Floats], Floats],
    centre: Floats,
    covariance: Floats,
    draws: int,
    rng: np.random.Generator,
    *,
    label: str,
) -> Sample:
    """Draw from a density over a few numbers.

    Parameters
    ----------
    log_density : callable
        Of points (n, k), up to a constant; shape (n,).
    centre, covariance : ndarray, shapes (k,) and (k, k)
        Its mode, and the inverse of its negative Hessian there.
    draws : int
        How many.
    rng : numpy.random.Generator
        Source of the randomness.
    label : str
        Whose density it is, in sentences.

    Returns
    -------
    Sample

    Raises
    ------
    FitError
        Where the weights cannot be trusted and the sampler is not installed or mixes too slowly.

    Examples
    --------
    >>> def bell(points):
    ...     return -(points**2).sum(axis=1) / 2
    >>> found = sample_density(bell, np.zeros(2), np.eye(2), 1000, np.random.default_rng(1),
    ...                        label="a bell")
    >>> found.method, found.k_hat < 0.5
    ('importance', True)
    """
    proposal = Proposal.around(centre, covariance)
    started = time.perf_counter()
    best, lowest = None, math.inf
    for attempt in range(ATTEMPTS + 1):
        points = proposal.draw(draws, rng)
        weights, k_hat = _weigh(log_density(points) - proposal.log_density(points))
        if k_hat < lowest:
            size = float(1 / (weights**2).sum())
            best, lowest = Sample(points, weights, k_hat, size, "importance", attempt), k_hat
        if k_hat <= GOOD_K:
            break
        proposal = proposal.adapted(points, weights)
    if best is not None and lowest <= TRUSTED_K:
        return best
    from clv.inference.markov_chain import sample

    per_draw = (time.perf_counter() - started) / (draws * (ATTEMPTS + 1))
    chain = sample(
        log_density, proposal.draw, draws, rng, label=label, k_hat=lowest, seconds_each=per_draw
    )
    weights = np.full(len(chain.draws), 1 / len(chain.draws))
    return Sample(chain.draws, weights, None, chain.effective_size, "mcmc", ATTEMPTS)


def _weigh(log_ratio: Floats) -> tuple[Floats, float]:
    """Smooth the weights e^log_ratio; they then sum to 1. Also give their k̂.

    Where few draws have all the weight there is no tail to fit, and k̂ is infinite.
    """
    from arviz_stats.base.array import array_stats

    with np.errstate(divide="ignore", invalid="ignore"):
        # psislw takes what loo has, the negative of the log-ratios.
        log_weights, k_hat = array_stats.psislw(log_ratio.max() - log_ratio)  # type: ignore[no-untyped-call]
    if not (np.isfinite(k_hat) and np.isfinite(log_weights.max())):
        weights, k_hat = np.exp(log_ratio - log_ratio.max()), math.inf
    else:
        weights = np.exp(log_weights)
    return weights / weights.sum(), float(k_hat)
