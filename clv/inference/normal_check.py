"""Draws from a density that is normal to the eye: with very many customers no weight is needed.

The log-likelihood of n customers departs from a parabola around its mode, over the width of the
posterior, by terms of order 1/√n (Bernstein and von Mises). With 100,000 distinct histories the
weights of draws from the normal are all nearly the same, while each costs a pass over the
histories. So a few draws are weighted, and where their weights hardly differ the normal itself is
drawn from. Where log-weights have the variance s², the effective size is a share e^(−s²).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from clv.arrays import Floats

__all__ = ["NormalSample", "sample_normal"]

LOOKED_AT = 16
"""Draws that are weighted; the standard error of s is s/5."""

LARGEST_SPREAD = 0.1
"""Of log-weights, at most: the weights would leave an effective size of 99 %, and by Cauchy and
Schwarz leaving them out moves no posterior mean by more than s of its standard deviations."""


class NormalSample(NamedTuple):
    """Equally likely draws.

    Attributes
    ----------
    points : ndarray, shape (n, k)
        From the normal.
    spread : float
        Standard deviation of the log-weights that were looked at.
    """

    points: Floats
    spread: float


def sample_normal(
    log_density: Callable[[Floats], Floats],
    centre: Floats,
    covariance: Floats,
    draws: int,
    rng: np.random.Generator,
) -> NormalSample | None:
    """Draw from the normal at the mode of a density, where that is what the density is.

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

    Returns
    -------
    NormalSample or None
        None where the density is not so near to a normal.

    Examples
    --------
    >>> def bell(points):
    ...     return -(points**2).sum(axis=1) / 2
    >>> rng = np.random.default_rng(1)
    >>> found = sample_normal(bell, np.zeros(2), np.eye(2), 1000, rng)
    >>> found.points.shape, found.spread < 1e-9
    ((1000, 2), True)
    >>> sample_normal(lambda at: -np.abs(at).sum(axis=1), np.zeros(2), np.eye(2), 1000, rng)
    """
    z = rng.standard_normal((max(draws, LOOKED_AT), len(centre)))
    points = centre + z @ np.linalg.cholesky(covariance).T
    looked_at = slice(0, LOOKED_AT)
    log_weights = log_density(points[looked_at]) + (z[looked_at] ** 2).sum(axis=1) / 2
    spread = float(np.std(log_weights, ddof=1))
    return NormalSample(points[:draws], spread) if spread <= LARGEST_SPREAD else None
