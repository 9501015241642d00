"""BG/BB to many digits with mpmath, by the closed forms of Fader, Hardie & Shang (2010).

The package adds up positive terms in logs and takes means over θ by quadrature. Nothing here does:
the likelihood is the paper's sum of beta functions, expected purchases its difference of gamma
functions over γ − 1, discounted ones its Gauss 2F1, the pmf its sum over the last opportunity, with
digits enough for what they lose by cancellation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath as mp

DIGITS = 60
NUDGE = mp.mpf(10) ** -20
"""Distance at which the removable singularity at γ = 1 is straddled; the error is its square."""


@dataclass(frozen=True)
class Case:
    """Parameters, a history, and t opportunities ahead."""

    alpha: float
    beta: float
    gamma: float
    delta: float
    x: int
    t_x: int
    T: int
    t: int


@cache
def likelihood(c: Case) -> Any:
    """L(α, β, γ, δ | x, t_x, n); always asked for with :data:`DIGITS`."""
    a, b, g, d = (mp.mpf(v) for v in (c.alpha, c.beta, c.gamma, c.delta))
    stays = mp.beta(a + c.x, b + c.T - c.x) * mp.beta(g, d + c.T)
    leaves = mp.fsum(
        mp.beta(a + c.x, b + c.t_x - c.x + i) * mp.beta(g + 1, d + c.t_x + i)
        for i in range(c.T - c.t_x)
    )
    return (stays + leaves) / (mp.beta(a, b) * mp.beta(g, d))


def p_alive(c: Case) -> Any:
    """P(alive at n + 1 | x, t_x, n)."""
    a, b, g, d = (mp.mpf(v) for v in (c.alpha, c.beta, c.gamma, c.delta))
    stays = mp.beta(a + c.x, b + c.T - c.x) * mp.beta(g, d + c.T + 1)
    return stays / (mp.beta(a, b) * mp.beta(g, d)) / likelihood(c)


def expected_purchases(c: Case) -> Any:
    """E[X(n, n + n*) | x, t_x, n]; the factor 1/(γ − 1) is why γ = 1 is straddled."""
    if c.gamma == 1:
        return (_expected(c, 1 + NUDGE) + _expected(c, 1 - NUDGE)) / 2
    return _expected(c, mp.mpf(c.gamma))


def _expected(c: Case, g: Any) -> Any:
    a, b, d, n = mp.mpf(c.alpha), mp.mpf(c.beta), mp.mpf(c.delta), c.T
    gone = mp.gammaprod([1 + d + n], [g + d + n])
    gone -= mp.gammaprod([1 + d + n + c.t], [g + d + n + c.t])
    buys = mp.beta(a + c.x + 1, b + n - c.x) / mp.beta(a, b)
    return buys * d / (g - 1) * mp.gammaprod([g + d], [1 + d]) * gone / likelihood(c)


def discounted_purchases(c: Case, rate: float) -> Any:
    """DERT, with 1/(1 + d) = e^−rate."""
    a, b, g, d = (mp.mpf(v) for v in (c.alpha, c.beta, c.gamma, c.delta))
    z = mp.exp(-mp.mpf(rate))
    buys = mp.beta(a + c.x + 1, b + c.T - c.x) / mp.beta(a, b)
    there = mp.beta(g, d + c.T + 1) / mp.beta(g, d)
    return buys * there * z * gauss(g, d + c.T + 1, z) / likelihood(c)


def gauss(a: Any, b: Any, z: Any) -> Any:
    """2F1(1, b; a + b; z) for 0 < z < 1: its series term by term, or that at 1 − z for z near 1.

    mpmath's own leaves the truth by 1e-5 in rare spots (a 453.99, b 1000.14, z .9048), at any
    precision.
    """
    if a < 30 and 1 - z < 1e-5:
        if a == mp.nint(a):
            return (_gauss_near_1(a - NUDGE, b, z) + _gauss_near_1(a + NUDGE, b, z)) / 2
        return _gauss_near_1(a, b, z)
    total = term = mp.mpf(1)
    above, below = b, a + b
    for i in range(30_000):
        term *= z * above / below
        above, below = above + 1, below + 1
        total += term
        if i % 100 == 99:
            left = min(1 / (1 - z), below / (a - 1) if a > 1 else mp.inf)
            if term * left < mp.mpf(10) ** -13 * total:
                return total
    message = f"the series for a = {a}, b = {b}, z = {z} does not end"
    raise ArithmeticError(message)


def discounted_purchases_within(c: Case, rate: float, horizon: int) -> Any:
    """The same, opportunity by opportunity: P(buys at n + i) e^(−rate·i)."""
    a, b, g, d = (mp.mpf(v) for v in (c.alpha, c.beta, c.gamma, c.delta))
    there = mp.beta(g, d + c.T) / mp.beta(g, d)
    total = mp.mpf(0)
    for i in range(horizon):
        there *= (d + c.T + i) / (g + d + c.T + i)
        total += there * mp.exp(-mp.mpf(rate) * (i + 1))
    return total * mp.beta(a + c.x + 1, b + c.T - c.x) / mp.beta(a, b) / likelihood(c)


def _gauss_near_1(a: Any, b: Any, z: Any) -> Any:
    """The same by the series at 1 − z (DLMF 15.8.4), singular where a is whole."""
    total = term = mp.mpf(1)
    for i in range(100):
        term *= (b + i) / (2 - a + i) * (1 - z)
        total += term
    power = mp.gammaprod([a + b, 1 - a], [b]) * (1 - z) ** (a - 1) * z ** (1 - a - b)
    return (a + b - 1) / (a - 1) * total + power


def pmf(c: Case, k: int) -> Any:
    """P(X(n, n + n*) = k | x, t_x, n)."""
    a, b, g, d = (mp.mpf(v) for v in (c.alpha, c.beta, c.gamma, c.delta))
    unit = mp.beta(a, b) * mp.beta(g, d) * likelihood(c)
    here = mp.beta(a + c.x, b + c.T - c.x) * mp.beta(g, d + c.T) / unit
    total = mp.mpf(0) if k else 1 - here
    if k > c.t:
        return total
    stays = mp.beta(a + c.x + k, b + c.T - c.x + c.t - k) * mp.beta(g, d + c.T + c.t)
    total += mp.binomial(c.t, k) * stays / unit
    for i in range(k, c.t):
        leaves = mp.beta(a + c.x + k, b + c.T - c.x + i - k) * mp.beta(g + 1, d + c.T + i)
        total += mp.binomial(i, k) * leaves / unit
    return total
