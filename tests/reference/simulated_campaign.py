"""Customers of a campaign, lived through purchase by purchase; nothing of the models' formulas.

A customer buys at rate λ ~ Gamma(r, α), and after a repeat purchase leaves with probability
p ~ Beta(a, b); in the campaign's window, in arm j, with p (1 − h_j).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PARAMETERS = {"r": 1.5, "alpha": 50.0, "a": 0.9, "b": 2.5}
"""Assumed: of the order of a shop where half of the customers come back within a quarter."""


@dataclass(frozen=True)
class Lived:
    """Histories up to the campaign, arms, and purchases in its window."""

    frequency: Floats
    recency: Floats
    T: Floats
    arm: npt.NDArray[np.intp]
    purchases: Floats


def live(
    n: int, averted: tuple[float, ...], shares: tuple[float, ...], window: float, seed: int
) -> Lived:
    """Live through n customers; `averted` is h of each arm, the control's (0) first."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(PARAMETERS["r"], 1 / PARAMETERS["alpha"], n)
    p = rng.beta(PARAMETERS["a"], PARAMETERS["b"], n)
    T = rng.uniform(100, 400, n)
    arm = rng.choice(len(shares), n, p=shares)
    left_of_p = p * (1 - np.array(averted)[arm])
    x, t_x, bought = np.zeros(n), np.zeros(n), np.zeros(n)
    at, there = np.zeros(n), np.ones(n, dtype=bool)
    while there.any():
        at += rng.exponential(size=n) / rate
        there &= at < T + window
        before = there & (at < T)
        after = there & (at >= T)
        x[before] += 1
        t_x[before] = at[before]
        bought[after] += 1
        there &= rng.random(n) >= np.where(at < T, p, left_of_p)
    return Lived(x, t_x, T, arm.astype(np.intp), bought)
