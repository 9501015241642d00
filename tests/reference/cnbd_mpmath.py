"""BG/CNBD-k and MBG/CNBD-k to many digits with mpmath, phase by phase.

The package adds up purchases n = 1, 2, …, each from an incomplete beta function or an integral over
time. Nothing here does. The number M of phases ahead is negative binomial; j + M phases make N =
⌊(j + M)/k⌋ purchases, were there no dropout; and of N purchases a customer who may leave makes

    h(N) = Σ_(n ≤ N) B(a, B+n−1)/B(a, B) = (a+B−1)/(a−1) · [1 − Γ(B+N) Γ(a+B−1) / (Γ(B) Γ(a+B+N−1))]

in expectation, and is still there with probability B(a, B+N)/B(a, B). So an answer is one sum over
M, taken phase by phase. Where there are too many phases for that, the sum beyond the first is an
integral over N with the corrections of Euler and Maclaurin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp

from tests.reference.bg_nbd_mpmath import digits


@dataclass(frozen=True)
class Case:
    """Parameters, k, whether one can leave after the first purchase, a history, a time ahead."""

    r: float
    alpha: float
    a: float
    b: float
    k: int
    o: int
    x: int
    t_x: float
    T: float
    t: float


def alive_terms(c: Case) -> list[Any]:
    """Platzer & Reutterer's likelihood of the alive: j phases since the last purchase, j < k."""
    r, alpha, a, b, t_x, T = (mp.mpf(v) for v in (c.r, c.alpha, c.a, c.b, c.t_x, c.T))
    R = r + c.k * c.x
    stayed = mp.beta(a, b + c.x + c.o) / mp.beta(a, b) * alpha**r / mp.gamma(r)
    return [
        stayed * mp.gamma(R + j) * (T - t_x) ** j / mp.factorial(j) * (alpha + T) ** -(R + j)
        for j in range(c.k)
    ]


def left_term(c: Case) -> Any:
    """The likelihood of those who left after the purchase at t_x."""
    if c.x + c.o == 0:
        return mp.mpf(0)
    r, alpha, a, b, t_x = (mp.mpf(v) for v in (c.r, c.alpha, c.a, c.b, c.t_x))
    R = r + c.k * c.x
    left = mp.beta(a + 1, b + c.x + c.o - 1) / mp.beta(a, b)
    return left * mp.gamma(R) / mp.gamma(r) * alpha**r * (alpha + t_x) ** -R


def log_likelihood(c: Case, log_gaps: float) -> Any:
    """ln L of the times themselves: with the density of each Erlang time between purchases."""
    with digits(40):
        whole = mp.log(sum(alive_terms(c)) + left_term(c))
        return whole + (c.k - 1) * mp.mpf(log_gaps) - c.x * mp.loggamma(c.k)


def p_alive(c: Case) -> Any:
    """Share of the alive."""
    with digits(40):
        alive = sum(alive_terms(c))
        return alive / (alive + left_term(c))


def expected_purchases(c: Case) -> Any:
    """Given alive at T: Σ P(M) h(N)."""
    return mean_over_phases(c, bought)


def survival(c: Case) -> Any:
    """P(alive at T + t | alive at T): Σ P(M) B(a, B+N)/B(a, B)."""
    return mean_over_phases(c, stayed)


def pmf_if_alive(c: Case, n: int) -> Any:
    """P(n purchases in t | alive): the n-th of N ≥ n is the last, or n = N and all are stayed."""

    def exactly(N: Any, a: Any, B: Any) -> Any:
        leaves = mp.beta(a + 1, B + n - 1) / mp.beta(a, B) if n else mp.mpf(0)
        if n > N:
            return mp.mpf(0)
        return stayed(N, a, B) + leaves if n == N else leaves

    return mean_over_phases(c, exactly)


def bought(N: Any, a: Any, B: Any) -> Any:
    """h(N)."""
    if min(abs(a - 1), abs(a + B - 1)) < NUDGE:
        a += NUDGE  # a removable singularity: off by NUDGE, and by 10^-30 / NUDGE
    share = mp.gammaprod([B + N, a + B - 1], [B, a + B + N - 1])
    return (a + B - 1) / (a - 1) * (1 - share)


def stayed(N: Any, a: Any, B: Any) -> Any:
    """E[(1 − p)^N]."""
    return mp.gammaprod([a + B, B + N], [B, a + B + N])


def phases(M: Any, R: Any, z: Any) -> Any:
    """P(M phases): negative binomial."""
    if M < 0:
        return mp.mpf(0)
    ln = mp.loggamma(R + M) - mp.loggamma(R) - mp.loggamma(M + 1)
    return mp.exp(ln + M * mp.log(z) + R * mp.log1p(-z))


NUDGE = mp.mpf(10) ** -15

PHASE_BY_PHASE = 20_000
"""Phases that are added one by one, as long as they last; and the first of more."""


def mean_over_phases(c: Case, f: Callable[[Any, Any, Any], Any]) -> Any:
    """Mean of f(N, a, B) over the phases before, weighed by the terms of the alive, and ahead."""
    with digits(30):
        terms = alive_terms(c)
        R, A, t = mp.mpf(c.r) + c.k * c.x, mp.mpf(c.alpha) + mp.mpf(c.T), mp.mpf(c.t)
        a, B, z = mp.mpf(c.a), mp.mpf(c.b) + c.x + c.o, t / (A + t)
        known: dict[int, Any] = {}

        def at(N: int) -> Any:
            if N not in known:
                known[N] = f(N, a, B)
            return known[N]

        total = mp.mpf(0)
        for j, weight in enumerate(terms):
            if weight:
                total += weight * _ahead(at, lambda N: f(N, a, B), R + j, z, c.k, j)
        return total / sum(terms)


def _ahead(
    at: Callable[[int], Any], smooth: Callable[[Any], Any], R: Any, z: Any, k: int, j: int
) -> Any:
    """Σ P(M) f(⌊(j + M)/k⌋) for one j."""
    total, chance, M = mp.mpf(0), (1 - z) ** R, 0
    while True:
        total += chance * at((M + j) // k)
        chance *= z * (R + M) / (M + 1)
        M += 1
        last_of_purchase = (M + j) % k == 0
        # From here on a term is at most f(N) < 2 f(0) + N, and the chances fall by ρ at least.
        rho = max(z, z * (R + M) / (M + 1))
        if rho < 1 and last_of_purchase:
            rest = chance / (1 - rho) * (M + 2 + 1 / (1 - rho))
            if rest < mp.mpf(10) ** -16 * total:
                return total
        if M >= PHASE_BY_PHASE and last_of_purchase:
            return total + _beyond(smooth, R, z, k, j, (M + j) // k)


def _beyond(f: Callable[[Any], Any], R: Any, z: Any, k: int, j: int, first: int) -> Any:
    """Σ of g(N) = f(N) P(N) from N = first: with l = first − ½, ∫ g + g'(l)/24 − 7 g‴(l)/5760."""
    with digits(30):

        def g(N: Any) -> Any:
            M = N * k - j
            chance, total = phases(M, R, z), mp.mpf(0)
            for _ in range(k):
                total += chance
                chance *= z * (R + M) / (M + 1)
                M += 1
            return f(N) * total

        low = mp.mpf(first) - mp.mpf(1) / 2
        mean, sd = R * z / (1 - z) / k, mp.sqrt(R * z) / (1 - z) / k
        points = {low} | {mean + i * sd for i in (-14, -9, -6, -4, -2, -1, 0, 1, 2, 4, 6, 9, 14)}
        points |= {low * mp.mpf(2) ** (mp.mpf(i) / 6) for i in range(1, 240)}
        far = mean + 14 * sd + 90 / (1 - z) / k
        ends = [*sorted(p for p in points if low <= p < far), far]
        integral = mp.quad(g, ends, maxdegree=6)
        return integral + mp.diff(g, low) / 24 - 7 * mp.diff(g, low, 3) / 5760
