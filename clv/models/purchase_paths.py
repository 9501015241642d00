"""Futures of customers at several times: how many purchases by each, drawn jointly.

`simulate_purchases` of a model draws the count at one time. A sum over months needs the counts of
one future at the end of each month. All models here buy in a Poisson process of phases, every k-th
of which is a purchase (k = 1 but for the models of regular customers), until the customer leaves:

- BG/NBD and its kin: at a purchase, the N-th from now, N ~ Geometric(p), p ~ Beta(a, b + x + o);
- Pareto/NBD: at any time, after a lifetime of Exponential(μ), μ ~ Gamma(s, β + T).

Given that the customer is alive, λ ~ Gamma(r + kx + j, α + T), j of the phases being past since the
last purchase: P(j) ∝ Γ(r + kx + j)/j! · ((T − t_x)/(α + T))^j, j < k.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln, softmax

from clv.arrays import Floats
from clv.errors import RequestError
from clv.models.base import PurchaseModel
from clv.models.beta_geometric import BetaGeometric
from clv.models.condensed_beta_geometric import CondensedBetaGeometric
from clv.models.pareto_nbd import ParetoNBD

__all__ = ["simulate_path"]


def simulate_path(
    model: PurchaseModel,
    times: Sequence[float],
    rng: np.random.Generator,
    x: Floats,
    t_x: Floats,
    T: Floats,
) -> Floats:
    """Draw the number of purchases in (T, T + t] for each t of one future a customer.

    Parameters
    ----------
    model : PurchaseModel
        BG/NBD, MBG/NBD, Pareto/NBD or a BG/CNBD-k or MBG/CNBD-k.
    times : sequence of float
        Times ahead, rising, in the model's unit.
    rng : numpy.random.Generator
        Source of the randomness.
    x, t_x, T : ndarray, shape (n,)
        Histories.

    Returns
    -------
    ndarray, shape (len(times), n)
        Counts, rising along the first axis.

    Raises
    ------
    RequestError
        For times that fall, and a model whose futures are not drawn here.

    Examples
    --------
    >>> from clv import BGNBD
    >>> rng = np.random.default_rng(1)
    >>> x, t_x, T = np.array([26.0, 2.0]), np.array([30.0, 9.0]), np.array([31.0, 31.0])
    >>> simulate_path(BGNBD(.243, 4.414, .793, 2.426), [26.0, 52.0], rng, x, t_x, T).shape
    (2, 2)
    """
    steps = np.diff(np.asarray(times, dtype=float), prepend=0.0)
    if (steps < 0).any():
        raise RequestError(f"The times of a path must rise from 0; got {list(times)}.")
    counts = np.zeros((len(steps), len(x)))
    alive = np.flatnonzero(rng.random(len(x)) < model.p_alive(x, t_x, T))
    x, t_x, T = x[alive], t_x[alive], T[alive]
    if isinstance(model, ParetoNBD):
        rate = rng.gamma(model.r + x) / (model.alpha + T)
        with np.errstate(divide="ignore"):
            left = (
                rng.exponential(size=x.shape) * (model.beta + T) / rng.gamma(model.s, size=x.shape)
            )
        bought = np.zeros_like(x)
        for i, step in enumerate(steps):
            bought += rng.poisson(rate * np.clip(left, 0.0, step))
            left -= step
            counts[i, alive] = bought
        return counts
    if not isinstance(model, (BetaGeometric, CondensedBetaGeometric)):
        raise RequestError(f"Futures of {model.label} are not drawn month by month.")
    k = int(getattr(model, "k", 1))
    phases = _phases_past(model.r + k * x, (T - t_x) / (model.alpha + T), k, rng)
    rate = rng.gamma(model.r + k * x + phases) / (model.alpha + T)
    p = rng.beta(model.a, model.b + x + model.chances_before_repeat)
    with np.errstate(divide="ignore"):  # p = 0: never leaves
        last = np.maximum(1, np.ceil(rng.exponential(size=p.shape) / -np.log1p(-p)))
    for i, step in enumerate(steps):
        phases = phases + rng.poisson(rate * step)
        counts[i, alive] = np.minimum(phases // k, last)
    return counts


def _phases_past(shape: Floats, share: Floats, k: int, rng: np.random.Generator) -> Floats:
    """Draw j, the phases since the last purchase; 0 for k = 1."""
    if k == 1:
        return np.zeros_like(shape)
    j = np.arange(k)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(j > 0, j * np.log(share), 0.0)
    weight = softmax(gammaln(shape + j) - gammaln(j + 1) + power, axis=0)
    below = np.cumsum(weight, axis=0)[:-1]
    return np.asarray((rng.random(shape.shape) > below).sum(axis=0), dtype=float)
