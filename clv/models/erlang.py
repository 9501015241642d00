"""Purchases at every k-th phase of a Poisson process: what a customer who is alive does next.

A customer who is alive and j phases past the last purchase has λ ~ Gamma(R, A) and p ~ Beta(a, B).
The n-th purchase ahead is phase m = nk − j ahead, and the customer has stayed for it with
probability q_n = E[(1 − p)^(n−1)] = B(a, B+n−1)/B(a, B). In a time s ahead, with z = s/(A + s), the
number of phases is negative binomial, so every expectation is a sum of positive terms over n:

    E[X(t)]            = Σ q_n I_z(m, R)                       (I: regularised incomplete beta)
    E[∫ e^(−δs) dX(s)] = Σ q_n ∫ e^(−δs) dI_z(m, R)
    P(still alive)     = Σ q_(n+1) P(nk ≤ j + phases < (n+1)k)   from n = 0.

Where purchases are many the sums run over blocks of n, each three times as long as all before it,
taken by the Gauss rule for sums over equally spaced points (its orthogonal polynomials are Gram's)
and halved until two levels agree. They end where the rest is proven to be nothing: from one phase
to the next every factor but q, which falls, changes by at most ρ = z max(1, (R + m)/m), so that
what follows a term f is at most f / (1 − ρ^k).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.special import betainc, betaincc, gammaln

from clv.arrays import Floats, Rows
from clv.numerics import panels

__all__ = [
    "alive_survival",
    "discounted_purchases",
    "expected_purchases",
    "purchases_pmf",
]

Term = Callable[[Floats, Rows], Floats]
"""`term(n, i)`: the n-th terms, n of shape (len(i), m), of the rows i."""

FIRST = 16
"""Terms that are added one by one, and nodes of a block's rule (exact to degree 31)."""

AGREE = 1e-11
"""Two levels of halving agree within this share of the sum; the finer is nearer by far."""

NOTHING = 1e-13
"""The sum ends where the rest is below this share of it."""

QUICK = 8
"""Panels up to which an integral over time is cheaper than incomplete beta functions."""

CHUNK = 2_000_000
"""Largest number of values held at once (16 MB)."""


def expected_purchases(
    t: Floats, R: Floats, A: Floats, a: float, B: Floats, k: int, j: Floats
) -> Floats:
    """E[X(t) | alive, j phases done] for λ ~ Gamma(R, A), p ~ Beta(a, B); all of shape (n,).

    For k = 1 this is :func:`clv.numerics.expected_purchases`.

    >>> one = [np.array([v]) for v in (39.0, 2.243, 43.274, 4.426, 0.0)]
    >>> t, R, A, B, j = one
    >>> round(float(expected_purchases(t, R, A, .793, B, 1, j)[0]), 4)
    1.6874
    """
    total = np.empty_like(R)
    quick = (t > 0) & (_panel_counts(t, 0.0, R, A, k) <= QUICK)
    total[quick] = _over_time(t[quick], 0.0, R[quick], A[quick], a, B[quick], k, j[quick])
    R, odds, B, j = (v[~quick] for v in (R, t / A, B, j))

    def term(n: Floats, i: Rows) -> Floats:
        m = n * k - j[i, None]
        return _stays(n, a, B[i, None]) * _reached(m, R[i, None], odds[i, None])

    total[~quick] = _sum(term, R, odds, k, j)
    return total


def alive_survival(
    t: Floats, R: Floats, A: Floats, a: float, B: Floats, k: int, j: Floats
) -> Floats:
    """P(still alive after a further t | alive, j phases done); all of shape (n,).

    For k = 1 this is :func:`clv.numerics.alive_survival`.
    """
    odds = t / A

    def term(n: Floats, i: Rows) -> Floats:
        buys = _counted(n, R[i, None], odds[i, None], k, j[i, None])
        return _stays(n + 1, a, B[i, None]) * buys

    return _counted(np.zeros_like(R), R, odds, k, j) + _sum(term, R, odds, k, j)


def purchases_pmf(
    n: Floats, t: Floats, R: Floats, A: Floats, a: float, B: Floats, k: int, j: Floats
) -> Floats:
    """P(X(t) = n | alive, j phases done): stays for n purchases, or leaves at the n-th."""
    odds = t / A
    stays = _stays(n + 1, a, B) * _counted(n, R, odds, k, j)
    some = np.maximum(n, 1)
    leaves = _stays(some, a, B) * a / (a + B + some - 1) * _reached(some * k - j, R, odds)
    return np.where(n > 0, stays + leaves, stays)


def discounted_purchases(
    horizon: float, rate: float, R: Floats, A: Floats, a: float, B: Floats, k: int, j: Floats
) -> Floats:
    """E[∫ e^(−δs) dX(s) | alive, j phases done] over 0 < s < horizon, δ = `rate` ≥ 0.

    Phase m comes at rate Γ(R+m)/(Γ(R)Γ(m)) z^m (1−z)^R / s. With s = step (e^v − 1), where step is
    the shorter of A/(R + 1) and 1/δ, that varies in v over lengths of 1/k at first and of
    1/√min(m, R) around its peak; Legendre panels of 12 nodes follow it. Beyond (60 + 4k)/δ nothing
    is left. Without discount and horizon the mean is E[1/p] = (a + B − 1)/(a − 1) for a > 1.
    """
    if rate == 0 and math.isinf(horizon):
        return (a + B - 1) / (a - 1) if a > 1 else np.full_like(R, np.inf)
    if rate == 0:
        return expected_purchases(np.full_like(R, horizon), R, A, a, B, k, j)
    end = min(horizon, (60 + 4 * k) / rate)
    if end == 0:
        return np.zeros_like(R)
    return _over_time(np.full_like(R, end), rate, R, A, a, B, k, j)


def _step(rate: float, R: Floats, A: Floats) -> Floats:
    return 1 / ((R + 1) / A + rate)


def _panel_counts(end: Floats, rate: float, R: Floats, A: Floats, k: int) -> Floats:
    """Panels of the integral over time; see :func:`discounted_purchases`."""
    v_end = np.log1p(end / _step(rate, R, A))
    sharpest = np.minimum(R, 4 * R * end / A + 10 * k)
    width = np.minimum(min(2.0, 8 / k), 9 / np.sqrt(1 + sharpest))
    counts: Floats = np.ceil(np.maximum(1, v_end / width))
    return counts


def _over_time(
    end: Floats, rate: float, R: Floats, A: Floats, a: float, B: Floats, k: int, j: Floats
) -> Floats:
    """E[∫ e^(−δs) dX(s)] over 0 < s < end, end > 0, as a sum over n of integrals over s."""
    step, counts = _step(rate, R, A), _panel_counts(end, rate, R, A, k)
    v_end = np.log1p(end / step)
    total = np.empty_like(R)
    for count in np.unique(counts):
        rows = np.flatnonzero(counts == count)
        u, w = panels(int(count))
        chunk = max(1, CHUNK // (2 * FIRST * len(u)))
        for i in (rows[c : c + chunk] for c in range(0, len(rows), chunk)):
            v = v_end[i, None] * u
            s = step[i, None] * np.expm1(v)
            # ds / s = e^v / (e^v − 1) dv
            ln_weight = np.log(v_end[i, None] * w / -np.expm1(-v)) - rate * s
            total[i] = _discounted(R[i], s / A[i, None], ln_weight, a, B[i], k, j[i])
    return total


def _discounted(
    R: Floats, odds: Floats, ln_weight: Floats, a: float, B: Floats, k: int, j: Floats
) -> Floats:
    """Σ_n q_n Σ_s e^ln_weight Γ(R+m)/(Γ(R)Γ(m)) z^m (1−z)^R, shape (n,), for s on axis 1."""
    ln_z, ln_base = -np.log1p(1 / odds), ln_weight - R[:, None] * np.log1p(odds)

    def term(n: Floats, i: Rows) -> Floats:
        m = n * k - j[i, None]
        ln_first = _ln_rising(m, R[i, None]) - gammaln(R[i, None])
        each = m[:, :, None] * ln_z[i, None, :] + ln_base[i, None, :]
        in_time: Floats = np.exp(ln_first[:, :, None] + each).sum(axis=2)
        return _stays(n, a, B[i, None]) * in_time

    return _sum(term, R, odds[:, -1], k, j)


# -- the factors of a term ----------------------------------------------------------------------


def _stays(n: Floats, a: float, B: Floats) -> Floats:
    """q_n = E[(1 − p)^(n−1)] = Γ(a+B) Γ(B+n−1) / (Γ(B) Γ(a+B+n−1))."""
    return np.exp(_ln_rising(B, a) - _ln_rising(B + n - 1, a))


def _reached(m: Floats, R: Floats, odds: Floats) -> Floats:
    """P(at least m phases) = I_z(m, R), z = odds/(1 + odds), by whichever of z, 1 − z is exact."""
    m, R, odds = np.broadcast_arrays(m, R, odds)
    near = odds < 1
    reached = np.empty(m.shape)
    reached[near] = betainc(m[near], R[near], (odds / (1 + odds))[near])
    reached[~near] = betaincc(R[~near], m[~near], 1 / (1 + odds[~near]))
    return reached


def _counted(n: Floats, R: Floats, odds: Floats, k: int, j: Floats) -> Floats:
    """P(nk ≤ j + phases < (n+1)k): the purchases there would be without dropout are n."""
    first = n * k - j
    total = np.zeros(np.broadcast_shapes(first.shape, R.shape))
    for i in range(k):
        m = first + i
        total += np.where(m >= 0, _phases_pmf(np.maximum(m, 0), R, odds), 0)
    return total


def _phases_pmf(m: Floats, R: Floats, odds: Floats) -> Floats:
    """Negative binomial Γ(R+m)/(Γ(R) m!) z^m (1−z)^R."""
    some = np.maximum(m, 1)
    with np.errstate(divide="ignore"):  # odds = 0: no phase in no time
        ln_z = -np.log1p(1 / odds)
    ln = _ln_rising(some, R) - gammaln(R) - np.log(some) + some * ln_z
    return np.exp(np.where(m > 0, ln, 0) - R * np.log1p(odds))


def _ln_rising(m: Floats, a: float | Floats) -> Floats:
    """ln Γ(m + a) − ln Γ(m) for m > 0, without the loss of digits that large m would bring.

    Stirling's series of both where m is at least 16; its first term left out is below 2e-15.
    """
    big = np.maximum(m, 16.0)
    stirling = (a + big - 0.5) * np.log1p(a / big) + a * (np.log(big) - 1)
    stirling += _stirling_rest(a + big) - _stirling_rest(big)
    small = np.minimum(m, 16.0)
    return np.where(m >= 16, stirling, gammaln(small + a) - gammaln(small))


def _stirling_rest(m: Floats) -> Floats:
    """ln Γ(m) − [(m − ½) ln m − m + ½ ln 2π], up to m^−9."""
    inverse = 1 / m**2
    series = 1 / 1260 + inverse * (-1 / 1680 + inverse / 1188)
    return (1 / 12 + inverse * (-1 / 360 + inverse * series)) / m


# -- sums over purchases ------------------------------------------------------------------------


def _sum(term: Term, R: Floats, odds: Floats, k: int, j: Floats) -> Floats:
    """Σ term(n) over n = 1, 2, … for each row; odds = z/(1−z), the largest z that a term has."""
    total = np.zeros_like(R)
    rows = np.arange(len(R))
    start, length = 1, FIRST
    while len(rows):
        total[rows] = _block(term, rows, start, length, total[rows])
        start, length = start + length, 3 * (start + length - 1)
        n = np.full((len(rows), 1), float(start))
        last = term(n, rows)[:, 0]
        m = start * k - j[rows]
        # 1 − ρ, as long as it is positive: the least of 1 − z and 1 − z (R + m)/m
        falls = np.minimum(1.0, (m - R[rows] * odds[rows]) / m) / (1 + odds[rows])
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = last / -np.expm1(k * np.log1p(-np.maximum(falls, 0)))
        rows = rows[~((falls > 0) & (rest <= NOTHING * total[rows]))]
    return total


def _block(term: Term, rows: Rows, start: int, length: int, before: Floats) -> Floats:
    """`before` plus the terms from `start` on, `length` of them, by halving where needed."""
    at = np.full(len(rows), float(start))
    which = np.arange(len(rows))
    total = before.copy()
    coarse = _rule_sum(term, rows, at, length)
    if length <= FIRST:
        return total + coarse
    scale = before + coarse
    while len(which):
        length //= 2
        left = _rule_sum(term, rows[which], at, length)
        right = _rule_sum(term, rows[which], at + length, length)
        np.maximum.at(scale, which, before[which] + left + right)
        done = np.abs(left + right - coarse) <= AGREE * scale[which]
        if length <= FIRST:
            done[:] = True
        np.add.at(total, which[done], (left + right)[done])
        more = ~done
        which = np.concatenate([which[more], which[more]])
        at = np.concatenate([at[more], at[more] + length])
        coarse = np.concatenate([left[more], right[more]])
    return total


def _rule_sum(term: Term, rows: Rows, at: Floats, length: int) -> Floats:
    nodes, weights = _sum_rule(length)
    n = at[:, None] + nodes
    total: Floats = np.einsum("ij,j->i", term(n, rows), weights)
    return total


@cache
def _sum_rule(length: int) -> tuple[Floats, Floats]:
    """Gauss rule for Σ f(i), i = 0 … length−1: every point up to FIRST of them, then nodes.

    Golub and Welsch (1969) with the recurrence of Gram's polynomials,
    β_i = i² (length² − i²) / (4 (4i² − 1)).
    """
    if length <= FIRST:
        return np.arange(float(length)), np.ones(length)
    i = np.arange(1.0, FIRST)
    beta = i**2 * (1 - (i / length) ** 2) / (4 * (4 * i**2 - 1))
    off = np.sqrt(beta)
    points, vectors = np.linalg.eigh(np.diag(off, 1) + np.diag(off, -1))
    return (length - 1) / 2 + length * points, length * vectors[0] ** 2
