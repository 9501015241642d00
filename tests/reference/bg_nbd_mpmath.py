"""BG/NBD to many digits with mpmath, the textbook's way: closed forms in 2F1, sums, time integrals.

The package integrates λ and time out and sums over p. Nothing here does: the expectations come
from Gauss's 2F1 (Fader, Hardie & Lee 2005, equations 9 and 10), the survival from Euler's integral
of it, the discounted purchases from a quadrature over time. What the textbook's forms lose by
cancellation they get back in digits: every figure is computed with more and more of them until two
in a row agree. :func:`mean_over_p` is a third way, for a check of the other two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import inf
from typing import Any

import mpmath as mp
import numpy as np

AGREE = mp.mpf(10) ** -13
"""Relative difference below which two precisions count as one answer."""

NUDGE = mp.mpf(10) ** -40
"""Distance at which a removable singularity (a = 1, a + b + x = 1) is straddled."""

SHORT = 1000
"""Terms of a series that is summed as it stands."""


@contextmanager
def digits(count: int) -> Iterator[None]:
    """Compute with so many digits."""
    with mp.workdps(count):
        yield


def converged(f: Callable[[], Any], *, start: int = 30, most: int = 2000) -> Any:
    """`f()` with enough digits: two answers in a row, the second with twice the digits, agree."""
    count, before = start, None
    while count <= most:
        with digits(count):
            try:
                now = f()
            except (mp.libmp.NoConvergence, ZeroDivisionError, ValueError):
                now = None
            if now is not None and before is not None and abs(now - before) <= AGREE * abs(now):
                return now
        before, count = now, 2 * count
    message = f"no agreement with {most} digits"
    raise ArithmeticError(message)


def gauss(u: Any, v: Any, w: Any, z: Any) -> Any:
    """2F1(u, v; w; z), u, v > 0, 0 ≤ z < 1: by a short series of positive terms, if there is one.

    Else mpmath's own. Near z = 1 that goes over to 1 − z; where |w − u − v| is large it then
    cancels badly, costs seconds, and in rare spots returns nonsense at any precision (such as
    u 1.43, v 916.1, w 1592.4, z .85).
    """
    excess = w - u - v

    def terms(excess: Any) -> Any:
        geometric = (80 + max(0, -excess)) / (1 - z)  # terms rise for a while, then fall like z^k
        algebraic = w * mp.mpf(10) ** (35 / excess) if excess > 1 else mp.inf  # like k^(-excess)
        return min(geometric, algebraic)

    raw, euler = terms(excess), terms(-excess) if w > max(u, v) else mp.inf
    if w <= 0 or min(raw, euler) > SHORT:
        return mp.hyp2f1(u, v, w, z, maxterms=10**6)
    if raw <= euler:
        return positive_series(u, v, w, z)
    return (1 - z) ** excess * positive_series(w - u, w - v, w, z)


def positive_series(u: Any, v: Any, w: Any, z: Any) -> Any:
    """Gauss's series of positive terms."""
    term = total = mp.mpf(1)
    k = 0
    while term > mp.eps * (1 - z) * total or (u + k) * (v + k) * z >= (w + k) * (1 + k):
        term *= (u + k) * (v + k) / ((w + k) * (1 + k)) * z
        total += term
        k += 1
    return total


@dataclass(frozen=True)
class Case:
    """Parameters, a history and a time ahead; t_x and T as the package is given them."""

    r: float
    alpha: float
    a: float
    b: float
    x: int
    t_x: float
    T: float
    t: float

    @property
    def alive(self) -> tuple[Any, Any, Any, Any]:
        """R, A, a, B: λ ~ Gamma(R, A), p ~ Beta(a, B) of a customer who is alive."""
        return (
            mp.mpf(self.r) + self.x,
            mp.mpf(self.alpha) + mp.mpf(self.T),
            mp.mpf(self.a),
            mp.mpf(self.b) + self.x,
        )


def likelihood_parts(c: Case) -> tuple[Any, Any]:
    """Equation (6): the customers still alive, and those who left after the purchase at t_x."""
    r, alpha, a, b, t_x, T = (mp.mpf(v) for v in (c.r, c.alpha, c.a, c.b, c.t_x, c.T))
    gammas = mp.gamma(r + c.x) * alpha**r / mp.gamma(r)
    alive = mp.beta(a, b + c.x) / mp.beta(a, b) * gammas / (alpha + T) ** (r + c.x)
    if c.x == 0:
        return alive, mp.mpf(0)
    left = mp.beta(a + 1, b + c.x - 1) / mp.beta(a, b) * gammas / (alpha + t_x) ** (r + c.x)
    return alive, left


def log_likelihood(c: Case) -> Any:
    """ln of equation (6)."""
    return mp.log(converged(lambda: sum(likelihood_parts(c))))


def p_alive(c: Case) -> Any:
    """Share of the alive in equation (6)."""

    def share() -> Any:
        alive, left = likelihood_parts(c)
        return alive / (alive + left)

    return converged(share)


def expected_purchases(c: Case) -> Any:
    """Equation (10), given alive; with x = T = 0 equation (9)."""

    def closed(nudge: Any) -> Any:
        R, A, a, B = c.alive
        a += nudge
        z = mp.mpf(c.t) / (A + c.t)
        tail = (1 - z) ** R * gauss(R, B, a + B - 1, z)
        return (a + B - 1) / (a - 1) * (1 - tail)

    def straddled() -> Any:
        _, _, a, B = c.alive
        if min(abs(a - 1), abs(a + B - 1)) > mp.mpf(10) ** -12:
            return closed(0)
        # The mean of both sides is off by the second derivative times NUDGE² only.
        with digits(mp.mp.dps + 90):
            return (closed(NUDGE) + closed(-NUDGE)) / 2

    return converged(straddled)


def survival(c: Case) -> Any:
    """E[e^(−λpt)] = 2F1(R, a; a + B; −t/A), by Pfaff's transformation a sum of positive terms."""

    def pfaff() -> Any:
        R, A, a, B = c.alive
        z = mp.mpf(c.t) / (A + c.t)
        return (1 - z) ** R * gauss(R, B, a + B, z)

    return converged(pfaff)


def purchase_rate(R: Any, A: Any, a: Any, B: Any, s: Any) -> Any:
    """E[λ e^(−λps)], purchases per unit of time s ahead, of a customer alive now."""
    z = s / (A + s)
    return R / A * (1 - z) ** (R + 1) * gauss(R + 1, B, a + B, z)


def discounted_purchases(c: Case, *, rate: float, horizon: float = inf) -> Any:
    """∫ e^(−δs) E[λ e^(−λps)] ds by quadrature over time, in v = ln(1 + s/step)."""

    def over_time() -> Any:
        R, A, a, B = c.alive
        step = 1 / ((R + 1) / A + rate)
        end = min(mp.mpf(horizon), mp.mpf(60) / rate if rate else mp.inf)
        last = mp.log1p(end / step)

        def integrand(v: Any) -> Any:
            s = step * mp.expm1(v)
            return (step + s) * mp.exp(-rate * s) * purchase_rate(R, A, a, B, s)

        pieces = int(mp.ceil(last / 3))
        points = [last * i / pieces for i in range(pieces + 1)]
        return sum(gauss_legendre(integrand, *ends) for ends in pairwise(points))

    return converged(over_time)


@cache
def legendre_rule(count: int, at: int) -> list[tuple[Any, Any]]:
    """Nodes and weights on [-1, 1] with `at` digits: NumPy's, polished by Newton's method."""

    def slope(z: Any) -> Any:
        return count * (z * mp.legendre(count, z) - mp.legendre(count - 1, z)) / (z**2 - 1)

    with digits(at + 20):
        rule = []
        for start in np.polynomial.legendre.leggauss(count)[0].tolist():
            z = mp.mpf(start)
            for _ in range(int(mp.ceil(mp.log(at, 2)))):
                z -= mp.legendre(count, z) / slope(z)
            rule.append((z, 2 / ((1 - z**2) * slope(z) ** 2)))
        return rule


def gauss_legendre(f: Callable[[Any], Any], low: Any, high: Any) -> Any:
    """Integrate over one piece with 32 nodes."""
    middle, half = (low + high) / 2, (high - low) / 2
    return half * sum(w * f(middle + half * z) for z, w in legendre_rule(32, mp.mp.dps))


def pmf_if_alive(c: Case, n: int) -> Any:
    """Equation (8) for a customer with r + x, α + T, a, b + x: P(n purchases in t | alive)."""

    def equation_8() -> Any:
        R, A, a, B = c.alive
        z = mp.mpf(c.t) / (A + c.t)
        term = (1 - z) ** R
        below = mp.mpf(0)  # Σ over j < n of the NBD probabilities
        for j in range(n):
            below += term
            term *= (R + j) / (j + 1) * z
        stays = mp.beta(a, B + n) / mp.beta(a, B) * term
        if n == 0:
            return stays
        # 1 − Σ, where that leaves any digits; else the Σ over j ≥ n.
        beyond, j = 1 - below, n
        if 2 * below > 1:
            beyond = mp.mpf(0)
            while term > mp.eps * (1 - z) * beyond or (R + j) * z >= j + 1:
                beyond += term
                term *= (R + j) / (j + 1) * z
                j += 1
        return stays + mp.beta(a + 1, B + n - 1) / mp.beta(a, B) * beyond

    return converged(equation_8)


def mean_over_p(c: Case, g: Callable[[Any], Any]) -> Any:
    """E[g(p)], p ~ Beta(a, b + x), by Gauss-Legendre in logit(p); for a and b of .3 or more."""
    _, _, a, B = c.alive

    def integrand(u: Any) -> Any:
        p, q = 1 / (1 + mp.exp(-u)), 1 / (1 + mp.exp(u))
        return p**a * q**B * g(p)

    with digits(20):
        peak, width = mp.log(a / B), mp.sqrt(1 / a + 1 / B)
        far = 33 / min(a, B) + 15 * width  # beyond it less than 1e-14 of the Beta density
        pieces = int(mp.ceil(2 * far / min(3, 6 * width)))
        points = [peak - far + 2 * far * i / pieces for i in range(pieces + 1)]
        total = sum(gauss_legendre(integrand, *ends) for ends in pairwise(points))
        return total / mp.beta(a, B)


def expected_purchases_over_p(c: Case) -> Any:
    """E_p[(1 − (A/(A + pt))^R) / p]."""
    R, A, _, _ = c.alive
    return mean_over_p(c, lambda p: -mp.expm1(-R * mp.log1p(p * c.t / A)) / p)


def survival_over_p(c: Case) -> Any:
    """E_p[(A/(A + pt))^R]."""
    R, A, _, _ = c.alive
    return mean_over_p(c, lambda p: mp.exp(-R * mp.log1p(p * c.t / A)))


def discounted_purchases_over_p(c: Case, *, rate: float) -> Any:
    """E_p[(R/p) U(1, 1 − R, δA/p)]: time integrated in closed form, without a horizon."""
    R, A, _, _ = c.alive

    def given_p(p: Any) -> Any:
        y = rate * A / p
        return R / p * mp.hyperu(1, 1 - R, y)

    return mean_over_p(c, given_p)
