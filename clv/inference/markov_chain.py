"""A Markov chain for posteriors that importance sampling cannot hold, within a bounded effort.

The affine-invariant ensemble sampler of Goodman & Weare (2010, Communications in Applied
Mathematics and Computational Science 5(1)), by emcee: a ridge that bends does not slow it much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from clv.arrays import Floats
from clv.errors import FitError

__all__ = ["Chain", "sample"]

SECONDS = 60.0
"""About how long a chain may take, by what an evaluation of the posterior took before."""

STEPS = 500
"""Between looks at whether the chain is long enough."""

LONG, BURN = 50, 5
"""Autocorrelation times that a chain must have, and of these the ones left out at its start."""


class Chain(NamedTuple):
    """Equally weighted draws, shape (n, k), and how many independent ones they are worth."""

    draws: Floats
    effective_size: float


def sample(
    log_density: Callable[[Floats], Floats],
    start: Callable[[int, np.random.Generator], Floats],
    draws: int,
    rng: np.random.Generator,
    *,
    label: str,
    k_hat: float,
    seconds_each: float,
) -> Chain:
    """Sample a density over a few numbers.

    Parameters
    ----------
    log_density : callable
        Of points (n, k), up to a constant; shape (n,).
    start : callable
        Draws so many points to start from.
    draws : int
        How many draws to return.
    rng : numpy.random.Generator
        Source of the randomness.
    label : str
        Model, in sentences.
    k_hat : float
        Why importance sampling was given up.
    seconds_each : float
        What one evaluation takes. It sets how many there may be, so that the whole takes about a
        minute.

    Returns
    -------
    Chain

    Raises
    ------
    FitError
        Where the sampler is not installed, or the chain stays too short.
    """
    try:
        import emcee
    except ImportError:
        raise FitError(
            f"The posterior of {label} is too far from a multivariate t for importance sampling "
            f"(Pareto k {k_hat:.2f}: its weights cannot be trusted). Install the sampler that "
            "takes over: pip install 'clv[mcmc]'; or give a narrower prior."
        ) from None
    tried = start(1000, rng)
    walkers = 8 * tried.shape[1]
    state: Any = tried[np.isfinite(log_density(tried))][:walkers]  # a walker at −∞ stays there
    if len(state) < walkers:
        raise FitError(
            f"The posterior of {label} is nowhere near where importance sampling looked for it: "
            f"only {len(state)} of {len(tried):,} draws have a density. Give a narrower prior."
        )
    sampler = emcee.EnsembleSampler(walkers, tried.shape[1], log_density, vectorize=True)
    sampler.random_state = np.random.RandomState(int(rng.integers(2**31))).get_state()
    most = int(SECONDS / seconds_each / walkers)
    time = np.inf
    while sampler.iteration < most:
        state = sampler.run_mcmc(state, min(STEPS, most - sampler.iteration))
        time = float(np.max(sampler.get_autocorr_time(tol=0)))
        steps = sampler.iteration
        if steps >= (LONG + BURN) * time and (steps - BURN * time) * walkers >= draws:
            chain = sampler.get_chain(discard=int(BURN * time), flat=True)
            chosen = chain[rng.permutation(len(chain))[:draws]]
            return Chain(chosen, min(float(len(chosen)), len(chain) / time))
    raise FitError(
        f"The posterior of {label} mixes too slowly to be trusted: autocorrelation time "
        f"{time:.0f} in {sampler.iteration:,} steps of {walkers} walkers, all that "
        f"{SECONDS:.0f} seconds allow. A narrower prior steadies it."
    )
