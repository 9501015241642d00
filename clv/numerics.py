"""The dangerous functions, each arguing its own stability.

Three expectations carry every BG/NBD answer about the future. A customer who is alive after x
repeat transactions in T has a purchase rate λ ~ Gamma(R, A) and a dropout probability
p ~ Beta(a, B), with R = r + x, A = α + T, B = b + x. The textbook forms go through 2F1, which
overflows for large x, divides by a − 1, and meets a negative third argument for x = 0 and
a + b < 1. Integrating λ (and time) out first leaves positive, bounded integrands in p, with no
singularity to step around; those are summed here on a rule that fits the Beta weight.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev
from scipy.special import betaln, roots_jacobi, roots_legendre

from clv.arrays import Floats, Rows, sort_rows
from clv.errors import RequestError

__all__ = [
    "alive_survival",
    "central_tails",
    "discounted_purchases",
    "distinct_rows",
    "dot",
    "expected_purchases",
    "mean_over_p",
    "on_distinct",
    "panels",
]

NODES = 12
"""Nodes of one panel. With the panel widths below the answers are within 1e-11 of mpmath's."""

CHUNK = 4_000_000
"""Largest number of integrand values held at once (32 MB)."""


def dot(u: Floats, v: Floats) -> float:
    """Σ u_i v_i in one thread, so that the same data add up to the same bits on every machine load.

    BLAS splits a long product over its threads, which is also slower where they are busy.
    """
    return float(np.einsum("i,i->", u, v))


def central_tails(level: float) -> tuple[float, float]:
    """Probabilities at the ends of a central interval: as much is left below as above.

    Parameters
    ----------
    level : float
        Probability that the interval holds, between 0 and 1.

    Returns
    -------
    low, high : float
        (1 − level)/2 and (1 + level)/2.

    Raises
    ------
    RequestError
        For a level that is not between 0 and 1.

    Examples
    --------
    >>> central_tails(0.5)
    (0.25, 0.75)
    """
    if not 0 < level < 1:
        raise RequestError(f"An interval's level lies between 0 and 1; got {level:g}.")
    return (1 - level) / 2, (1 + level) / 2


def on_distinct(f: Callable[..., Floats], *columns: npt.ArrayLike) -> Floats:
    """`f(*columns)` computed once for each distinct row, and spread back to the shape asked.

    Customers share histories; the cost of an expectation then grows with the histories.
    """
    arrays = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in columns))
    shape = arrays[0].shape
    flat = [a.ravel() for a in arrays]
    if flat[0].size < 2:
        return f(*flat).reshape(shape)
    first, inverse = distinct_rows(flat)
    return f(*(column[first] for column in flat))[inverse].reshape(shape)


HASHED = 20_000
"""Rows from which hashing them beats sorting them, pandas' import included."""


def distinct_rows(columns: list[Floats]) -> tuple[Rows, Rows]:
    """Index of one of each distinct row, and for every row which distinct one it is."""
    if len(columns[0]) < HASHED:
        order, start = sort_rows(columns)
        inverse = np.empty(len(order), dtype=np.intp)
        inverse[order] = np.repeat(np.arange(len(start)), np.diff(start, append=len(order)))
        return order[start], inverse
    from pandas import factorize

    inverse = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes, values = factorize(column, use_na_sentinel=False)
        inverse = _dense(inverse * len(values) + codes)
    which = np.empty(int(inverse.max()) + 1, dtype=np.intp)
    which[inverse] = np.arange(len(inverse))
    return which, inverse


def _dense(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number the codes that occur from 0 up."""
    from pandas import factorize

    size = int(codes.max()) + 1
    if size > 8 * len(codes):
        return np.asarray(factorize(codes)[0], dtype=np.int64)
    there = np.zeros(size, dtype=bool)
    there[codes] = True
    return (np.cumsum(there) - 1)[codes]


def expected_purchases(t: Floats, R: Floats, A: Floats, a: float, B: Floats) -> Floats:
    """E[X(t) | alive] for λ ~ Gamma(R, A), p ~ Beta(a, B); all arrays of shape (n,).

    Given p, the purchases of a customer who leaves with probability p after each have mean
    ∫ E[λ e^(−λps)] ds = (1 − (A/(A + pt))^R) / p: positive, bounded by R t / A, and smooth at
    p = 0. The mean over p is equation (10) of Fader, Hardie & Lee (2005) without its a − 1.
    """

    def given_p(p: Floats, i: Rows) -> Floats:
        return -np.expm1(-R[i, None] * np.log1p(p * (t / A)[i, None])) / p

    return mean_over_p(given_p, t / A, R, a, B)


def alive_survival(t: Floats, R: Floats, A: Floats, a: float, B: Floats) -> Floats:
    """P(still alive after a further t | alive), for λ ~ Gamma(R, A), p ~ Beta(a, B).

    Given λ and p purchases that end the relationship come at rate λp, so the probability is
    E[e^(−λpt)] = E_p[(A/(A + pt))^R].
    """

    def given_p(p: Floats, i: Rows) -> Floats:
        return np.exp(-R[i, None] * np.log1p(p * (t / A)[i, None]))

    # The rule is off by up to 1e-11, which must not make a probability of more than 1.
    return np.minimum(mean_over_p(given_p, t / A, R, a, B), 1)


def discounted_purchases(
    horizon: float, rate: float, R: Floats, A: Floats, a: float, B: Floats
) -> Floats:
    """E[∫ e^(−δs) dX(s) | alive] over 0 < s < horizon, δ = `rate` ≥ 0, horizon ≤ inf.

    The purchase rate of a customer alive now is E[λ e^(−λps)] = (R/A) E_p[(1 + ps/A)^(−R−1)] at
    time s, and falls over times of A/(R + 1), the discount over times of 1/δ. With the shorter for
    step, s = step (e^v − 1), the integrand in v varies over lengths of about 1 whatever the
    parameters, so Legendre panels of width 2 integrate it; beyond 60/δ nothing is left. Without
    discount and horizon the mean is E[1/p] = (a + B − 1)/(a − 1), infinite unless a > 1.
    """
    if rate == 0 and np.isinf(horizon):
        return (a + B - 1) / (a - 1) if a > 1 else np.full_like(R, np.inf)
    end = horizon if rate == 0 else min(horizon, 60 / rate)
    if end == 0:
        return np.zeros_like(R)
    return _over_times(lambda R, A, B: _discounted(end, rate, R, A, a, B), R, A, B)


def _discounted(end: float, rate: float, R: Floats, A: Floats, a: float, B: Floats) -> Floats:
    step = 1 / ((R + 1) / A + rate)
    v_end = np.log1p(end / step)
    nodes, weights = panels(int(np.ceil(v_end.max() / 2)))
    mean = np.empty_like(R)
    chunk = max(1, CHUNK // (8 * len(nodes)))
    for i in (slice(k, k + chunk) for k in range(0, len(R), chunk)):
        s = step[i, None] * np.expm1(v_end[i, None] * nodes)
        ds = v_end[i, None] * (step[i, None] + s) * weights
        left = _rate_left(s / A[i, None], R[i] + 1, a, B[i])
        mean[i] = R[i] / A[i] * np.einsum("ij,ij->i", ds * np.exp(-rate * s), left)
    return mean


_TAIL, _FALLEN = 4, 1e-13
"""Last coefficients, and what they must have fallen to beside the largest."""


def _rate_left(w: Floats, R: Floats, a: float, B: Floats) -> Floats:
    """E_p[(1 + pw)^(−R)] for w of shape (n, m): the rate of the alive after times of wA, over R/A.

    It is one curve for all rows of the same R and B, so of the same x. With v = ln(1 + Rw), curve
    times e^v is what the integral over time sums in v, so an error small beside its largest value
    is small beside the integral. It is analytic within π of the real line: 12 Chebyshev points and
    5 for each unit of v hold it, more where all p are near 1 and R is large. The last coefficients
    show whether they are enough; where they never are, each w is computed.
    """
    order, start = sort_rows([R, B])
    left, todo = np.empty_like(w), np.split(order, start[1:])
    for more in (1, 4):
        if not todo:
            return left
        first = np.array([i[0] for i in todo])
        end = np.log1p(R[first] * np.array([w[i].max() for i in todo]))
        count = more * int(12 + 5 * end.max())
        worth = np.array([w[i].size > 1.5 * count for i in todo])
        if not worth.any():
            break
        curves = _curves(count, end[worth], R[first[worth]], a, B[first[worth]])
        fallen = np.zeros(len(todo), dtype=bool)
        fallen[worth] = np.abs(curves[-_TAIL:]).max(axis=0) < _FALLEN * np.abs(curves).max(axis=0)
        if fallen.any():
            done = [i for i, ok in zip(todo, fallen, strict=True) if ok]
            which = np.repeat(np.arange(len(done)), [len(i) for i in done])
            i, to, c = np.concatenate(done), end[fallen], curves[:, fallen[worth]]
            grown = 1 + R[i, None] * w[i]
            u = 2 * np.log(grown) / to[which, None] - 1
            left[i] = chebyshev.chebval(u, c[:, which, None], tensor=False) / grown
        todo = [i for i, ok in zip(todo, fallen, strict=True) if not ok]
    if todo:
        i = np.concatenate(todo)
        left[i] = _mean_power(w[i].T, R[i], a, B[i]).T
    return left


def _curves(count: int, end: Floats, R: Floats, a: float, B: Floats) -> Floats:
    """Chebyshev coefficients of e^v E_p[(1 + pw)^(−R)], v = ln(1 + Rw) on [0, end], in columns."""
    nodes, to_coefficients = _chebyshev(count)
    v = end * (nodes[:, None] + 1) / 2
    return to_coefficients @ (_mean_power(np.expm1(v) / R, R, a, B) * np.exp(v))


def _mean_power(w: Floats, R: Floats, a: float, B: Floats) -> Floats:
    """E_p[(1 + pw)^(−R)], shape (m, n), for w of that shape and R, B of shape (n,)."""
    shape = w.shape
    w, R, B = (np.broadcast_to(c, shape).ravel() for c in (w, R, B))

    def given_p(p: Floats, i: Rows) -> Floats:
        return np.exp(-R[i, None] * np.log1p(p * w[i, None]))

    return mean_over_p(given_p, w, R, a, B).reshape(shape)


POINTS, CHECKS = 24, 4
"""Chebyshev points in ln A for one R, and answers by which the interpolation is checked."""


def _over_times(
    f: Callable[[Floats, Floats, Floats], Floats], R: Floats, A: Floats, B: Floats
) -> Floats:
    """f(R, A, B), positive and smooth in A, where many A share one (R, B): one x, many T.

    ln f is analytic in ln A, so few points interpolate it; each R is checked at some of its own A,
    and computed directly where that does not agree to 1e-11.
    """
    order, start = sort_rows([R])
    groups = np.split(order, start[1:])
    many = [i for i in groups if len(i) > 4 * POINTS and np.ptp(A[i]) > 0]
    direct = [i for i in groups if len(i) <= 4 * POINTS or np.ptp(A[i]) == 0]
    nodes, to_coefficients = _chebyshev(POINTS)
    asked = [_chebyshev_times(A[i], nodes) for i in many] + [A[i] for i in direct]
    first = [i[0] for i in many + direct]
    sizes = [len(times) for times in asked]
    if not asked:
        return f(R, A, B)
    found = f(np.repeat(R[first], sizes), np.concatenate(asked), np.repeat(B[first], sizes))
    answers = np.split(found, np.cumsum(sizes)[:-1])
    result = np.empty_like(A)
    for i, values in zip(direct, answers[len(many) :], strict=True):
        result[i] = values
    for i, times, values in zip(many, asked, answers, strict=False):
        u = np.log(np.concatenate([A[i], times[POINTS:]]))
        low, high = u[: len(i)].min(), u[: len(i)].max()
        coefficients = to_coefficients @ np.log(values[:POINTS])
        told = np.exp(chebyshev.chebval((2 * u - low - high) / (high - low), coefficients))
        away = np.abs(told[len(i) :] / values[POINTS:] - 1)
        good = bool((away < 1e-11).all())
        result[i] = told[: len(i)] if good else f(R[i], A[i], B[i])
    return result


@functools.cache
def _chebyshev(count: int) -> tuple[Floats, Floats]:
    """Chebyshev points in (−1, 1), and the matrix from values there to coefficients."""
    nodes: Floats = chebyshev.chebpts1(count)
    to_coefficients = np.linalg.inv(chebyshev.chebvander(nodes, count - 1)).astype(float)
    return nodes, to_coefficients


def _chebyshev_times(A: Floats, nodes: Floats) -> Floats:
    """Chebyshev points in ln A over the range of A, then some of the A themselves."""
    low, high = np.log(A.min()), np.log(A.max())
    own = np.sort(A)[np.linspace(0, len(A) - 1, CHECKS).astype(int)]
    return np.concatenate([np.exp((low + high + (high - low) * nodes) / 2), own])


@dataclass(frozen=True)
class _BetaRule:
    """Nodes in (0, 1), with ln p, ln(1 − p) and the log of the weight without the Beta density."""

    p: Floats
    log_p: Floats
    log_q: Floats
    log_weight: Floats


def _beta_rule(a: float, b: float, N: float, scale: float) -> _BetaRule:
    """Build a rule for ∫ p^(a−1) (1−p)^(b+x−1) g(p) dp, for every x whose 1 + a + b + x + R ≤ N.

    `scale` is the largest 1 + b + x + max(R, 1) σ: below p ~ 1/scale the rest of the integrand is
    flat, and its singularity at −1/σ is four times as far as p0.

    - [0, p0], p0 = 1/(4 scale): Gauss-Jacobi with weight p^(a−1), which is singular for a < 1;
    - [1 − v0, 1], v0 = 1/(4N): Gauss-Jacobi with weight (1−p)^(b−1);
    - between them Legendre panels in logit(p). There every factor is analytic in a strip of
      half-width π and the sharpest peak of p^a (1−p)^(b+x) (1+pσ)^(−R) has curvature N/4, so
      panels of width min(3, 9/√N) hold 12 nodes to 1e-11 of the answer.
    """
    p0, v0 = 0.25 / scale, 0.25 / N
    low, high = np.log(p0) - np.log1p(-p0), np.log1p(-v0) - np.log(v0)
    u, w = panels(int(np.ceil((high - low) / min(3.0, 9 / np.sqrt(N)))))
    logit = low + (high - low) * u
    log_p, log_q = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    # dp = p (1 − p) d logit
    log_w = np.log(w * (high - low)) + log_p + log_q
    p_parts, log_p_parts = [np.exp(log_p)], [log_p]
    log_q_parts, log_w_parts = [log_q], [log_w]
    if a < _SINGULAR:
        z, w = _jacobi(a - 1)
        z = p0 * (z + 1) / 2
        p_parts.append(z)
        log_p_parts.append(np.log(z))
        log_q_parts.append(np.log1p(-z))
        log_w_parts.append(np.log(w) + a * np.log(p0 / 2) - (a - 1) * np.log(z))
    if b < _SINGULAR:
        z, w = _jacobi(b - 1)
        z = v0 * (z + 1) / 2
        p_parts.append(1 - z)
        log_p_parts.append(np.log1p(-z))
        log_q_parts.append(np.log(z))
        log_w_parts.append(np.log(w) + b * np.log(v0 / 2) - (b - 1) * np.log(z))
    return _BetaRule(*(np.concatenate(c) for c in (p_parts, log_p_parts, log_q_parts, log_w_parts)))


@functools.lru_cache(maxsize=256)
def _jacobi(exponent: float) -> tuple[Floats, Floats]:
    """Nodes and weights of ∫ (1 + z)^exponent g(z) dz on (−1, 1): eigenvalues, and often asked."""
    z, w = roots_legendre(NODES) if exponent == 0 else roots_jacobi(NODES, 0, exponent)
    return z, w


def panels(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights on [0, 1] of `count` equal Gauss-Legendre panels."""
    z, w = _jacobi(0.0)
    nodes = (np.arange(count)[:, None] + (z + 1) / 2) / count
    return nodes.ravel(), np.tile(w / 2 / count, count)


_SINGULAR = 40.0
"""Above this exponent the end pieces hold less than 4^-40 of the mass and are left out."""


def mean_over_p(
    given_p: Callable[[Floats, Rows], Floats],
    sigma: Floats,
    R: Floats,
    a: float,
    B: Floats,
) -> Floats:
    """E[g(p)], p ~ Beta(a, B), for g that varies with p over lengths of 1/σ or, if less, 1/(Rσ).

    Rows share a rule made for the smallest of their B, with the rest (1 − p)^(B − b) in the
    integrand. At p = 1 that is a polynomial where B − b is whole, which the rule integrates; where
    it is not, it is singular, so only rows that differ by whole numbers share one. Beyond
    `_SINGULAR` nothing is left at p = 1.
    """
    N, scale = 1 + a + B + R, 1 + B + np.maximum(R, 1) * sigma
    mean = np.empty_like(R)
    # A rule fine enough for large x is dear: rows of like size share one.
    size = np.floor(np.log2(N) / 2) + 1000 * np.floor(np.log2(scale) / 8)
    from_whole = np.round((B - B.min(initial=np.inf)) % 1, 8) % 1
    order, start = sort_rows([size, np.where(B < _SINGULAR, from_whole, 0.0)])
    for rows in np.split(order, start[1:]) if len(order) else []:
        b = float(B[rows].min())
        rule = _beta_rule(a, b, float(N[rows].max()), float(scale[rows].max()))
        base = rule.log_weight + (a - 1) * rule.log_p + (b - 1) * rule.log_q
        chunk = max(1, CHUNK // len(rule.p))
        for i in (rows[k : k + chunk] for k in range(0, len(rows), chunk)):
            each, which = np.unique(B[i], return_inverse=True)  # few: x is whole
            more = (each - b)[:, None] * rule.log_q - betaln(a, each)[:, None]
            mean[i] = np.einsum("ij,ij->i", np.exp(base + more)[which], given_p(rule.p, i))
    return mean
