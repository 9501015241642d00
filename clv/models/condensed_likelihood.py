"""The likelihood of histories whose times between purchases are Erlang-k, term by term.

The sum {...} of :mod:`clv.models.condensed_beta_geometric`, over (α+T)^−R: terms φ_0 … φ_(k−1) for
the customers alive and j phases past their last purchase, and one for those who left after it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import gammaln

from clv.arrays import Floats
from clv.history import Histories
from clv.models.base import Number
from clv.numerics import dot

__all__ = ["add_terms", "all_ln_times", "ln_phases", "ln_terms", "ln_times"]


def ln_phases(k: int, R: Floats, share: Floats, done: Floats | int = 0) -> Iterator[Floats]:
    """Yield ln Π_(i<j) (R+i)/(done+1+i) · share for j = 0 … k−1; −inf for j > 0 in no time."""
    with np.errstate(divide="ignore"):
        ln_share = np.log(share)
    ln = np.zeros_like(R)
    for j in range(k):
        yield ln
        ln = ln + np.log((R + j) / (done + 1 + j)) + ln_share


def ln_terms(theta: Floats, k: int, o: int, x: Floats, t_x: Floats, T: Floats) -> Iterator[Floats]:
    """Yield φ_0 … φ_(k−1) of the customers alive, then φ of those who left, all less −R ln(α+T)."""
    r, alpha, a, b = theta
    R, chances = r + k * x, x + o
    yield from ln_phases(k, R, (T - t_x) / (alpha + T))
    left = np.log(a / (b + np.maximum(chances, 1) - 1)) + R * np.log1p((T - t_x) / (alpha + t_x))
    yield np.where(chances > 0, left, -np.inf)


def ln_times(k: int, x: Floats, t_x: Floats, log_gaps: Number | None) -> Floats:
    """ln of what the times between purchases add: e^((k−1)c)/Γ(k)^x with c = `log_gaps`.

    Where c is not known the mean over x times of which the last is t_x, Γ(x) t_x^(x(k−1)) / Γ(kx).
    """
    if k == 1:
        return np.zeros_like(x)
    if log_gaps is not None:
        return np.asarray((k - 1) * np.asarray(log_gaps, dtype=float) - x * gammaln(k))
    again = x > 0
    n, last = np.where(again, x, 1), np.where(again, t_x, 1)
    return np.where(again, gammaln(n) + n * (k - 1) * np.log(last) - gammaln(k * n), 0)


def all_ln_times(k: int, histories: Histories) -> float:
    """Sum :func:`ln_times` over all customers."""
    x, n = histories.frequency, histories.weight
    if k > 1 and histories.log_gaps is not None:
        return (k - 1) * histories.log_gaps - dot(n, x) * float(gammaln(k))
    return dot(n, ln_times(k, x, histories.recency, None))


def add_terms(
    theta: Floats,
    k: int,
    o: int,
    x: Floats,
    t_x: Floats,
    T: Floats,
    n: Floats,
    g: Floats,
    h: Floats,
) -> float:
    """Return Σ n ln {...}, and add its derivatives in (r, α, a, b) to g and the upper half of h.

    φ_j has slopes Σ_(i<j) 1/(R+i) − ln(α+T) in r and −(R+j)/(α+T) in α; the last one
    −ln(α+t_x), −R/(α+t_x), 1/a and −1/(b+x+o−1).
    """
    r, alpha, a, b = theta
    R, bT, bt = r + k * x, alpha + T, alpha + t_x
    phi = np.stack(list(ln_terms(theta, k, o, x, t_x, T)))
    top = phi.max(axis=0)
    share = np.exp(phi - top)
    total = share.sum(axis=0)
    share *= n / total  # times the customers
    value = dot(n, np.log(total) + top - R * np.log(bT))

    ln_T, stay = np.log(bT), share[:-1]
    rising, squares = np.zeros_like(x), np.zeros_like(x)
    slopes_r = np.empty_like(phi)
    for j in range(k):
        slopes_r[j] = rising - ln_T
        h[0, 0] -= dot(stay[j], squares)
        rising, squares = rising + 1 / (R + j), squares + 1 / (R + j) ** 2
    slopes_r[k] = -np.log(bt)
    phases = R + np.arange(k)[:, None]
    slopes_alpha = np.concatenate([-phases / bT, (-R / bt)[None]])
    left, c = share[k], np.where(x + o > 0, b + x + o - 1, 1)
    staying = stay.sum(axis=0)
    h[0, 1] -= dot(staying, 1 / bT) + dot(left, 1 / bt)
    h[1, 1] += dot(np.einsum("ij,ij->j", stay, phases), 1 / bT**2) + dot(left, R / bt**2)
    h[2, 2] -= float(left.sum()) / a**2
    h[3, 3] += dot(left, 1 / c**2)

    # Slopes of a and b are 0 for the alive; about their means the squares lose no digits.
    is_left = np.zeros_like(phi)
    is_left[k] = 1
    slopes = [slopes_r, slopes_alpha, is_left / a, -is_left / c]
    means = [np.einsum("ij,ij->j", share, d) / n for d in slopes]
    about = [d - mean for d, mean in zip(slopes, means, strict=True)]
    for i in range(4):
        g[i] += dot(n, means[i])
        weighted = share * about[i]
        for j in range(i, 4):
            h[i, j] += float(np.einsum("ij,ij->", weighted, about[j]))
    return value
