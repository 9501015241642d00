"""The sum in the Pareto/NBD likelihood: alive at T, or left at a time u between t_x and T.

See :mod:`clv.models.pareto_nbd` for the integral, and why panels of this width in v hold it.

Every term is taken relative to (α+t_x)^−(r+x) (β+t_x)^−(s+1), where the integrand is largest, so
that none overflows. With a(u) = ln((α+u)/(α+t_x)) and b(u) = ln((β+u)/(β+t_x)) the terms are

    (β+T) e^(−(r+x) a(T) − (s+1) b(T))    and    s e^(−(r+x) a(u) − (s+1) b(u)) du.

A panel is a column of nodes; a row of the data has as many columns as it needs, and rows that need
more come first: the rows with a j-th panel are then the first so many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from clv.arrays import Floats, Rows
from clv.models.base import Number
from clv.numerics import panels

__all__ = ["ln_mixture", "mixture"]


WIDTH = 1.25
"""Of a panel, in v."""

CHUNK = 12_000
"""About how many values of the integrand are held at once: 96 KB, which a core keeps near, and less
than the 128 KB from which C libraries fetch fresh pages for every array (2.5 times as slow)."""

_one_panel = cache(lambda: panels(1))


def ln_mixture(theta: Sequence[Number], x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
    """Take the log of the sum of all terms, and of the first, the customers alive; (n,) each."""
    whole, alive = np.empty(x.shape), np.empty(x.shape)
    for t in _terms(theta, x, t_x, T):
        total = t.over_rows(np.add.reduce(t.left, axis=0))
        whole[t.rows] = t.ln_scale + np.log(np.exp(t.ln_alive) + total)
        alive[t.rows] = t.ln_scale + t.ln_alive
    return whole, alive


def mixture(
    theta: Sequence[Number], x: Floats, t_x: Floats, T: Floats
) -> Iterator[tuple[Rows, Floats, Floats, Floats]]:
    """Take the log of the sum, its gradient in (r, α, s, β) and the upper half of its Hessian.

    With q the share of a term in the sum and φ its log, the gradient is Σ q φ' and the Hessian
    Σ q φ'' + Σ q φ' φ'ᵀ − (Σ q φ')(Σ q φ')ᵀ. Relative to t_x, φ' is −a, −(r+x)/(α+u),
    1/s − b, −(s+1)/(β+u) of those who left at u, and −a, −(r+x)/(α+T), −b, −s/(β+T) of the alive;
    what it is at t_x is added at the end.

    Yields
    ------
    rows, value, gradient, hessian : ndarray, shapes (n,), (n,), (4, n) and (4, 4, n)
        Some rows at a time, and what belongs to them.
    """
    pairs = list(combinations_with_replacement(range(4), 2))
    for t in _terms(theta, x, t_x, T):
        r, _, s, _ = t.theta
        R = r + x[t.rows]
        # Σ over the nodes of each panel of (1, f, f fᵀ) × the term, with f = (a, 1/(α+u), b − 1/s,
        # 1/(β+u)); then over the panels of each row.
        slopes = (t.a, 1 / t.from_alpha, t.b - t.of_panels(1 / s), 1 / t.from_beta)
        weighted = [t.left * f for f in slopes]
        sums = [np.add.reduce(t.left, axis=0)]
        sums += [np.add.reduce(w, axis=0) for w in weighted]
        sums += [np.einsum("jp,jp->p", weighted[k], slopes[m]) for k, m in pairs]
        total, *moments = (t.over_rows(column) for column in sums)
        alive = np.exp(t.ln_alive)
        whole = alive + total
        q = alive / whole
        moments = [m / whole for m in moments]

        factor = (-1.0, -R, -1.0, -(s + 1))
        of_alive = (-t.a_end, -R / t.alpha_end, -t.b_end, -s / t.beta_end)
        g = np.stack([factor[k] * moments[k] + q * of_alive[k] for k in range(4)])
        h = np.zeros((4, 4, len(t.rows)))
        for (k, m), of_left in zip(pairs, moments[4:], strict=True):
            h[k, m] = factor[k] * factor[m] * of_left + q * of_alive[k] * of_alive[m] - g[k] * g[m]
        square_a, square_b = moments[4 + pairs.index((1, 1))], moments[4 + pairs.index((3, 3))]
        h[0, 1] += g[1] / R
        h[1, 1] += R * (square_a + q / t.alpha_end**2)
        h[2, 2] -= (1 - q) / s**2
        h[2, 3] -= moments[3] + q / t.beta_end
        h[3, 3] += (s + 1) * square_b + q * s / t.beta_end**2
        g[0] -= t.ln_alpha
        g[2] -= t.ln_beta
        yield t.rows, t.ln_scale + np.log(whole), g, h


class _Terms(NamedTuple):
    """The terms of some rows: (n,) for a row, (nodes, panels) for those who left.

    Attributes
    ----------
    theta : list of ndarray
        Parameters, shape () or one a row.
    rows : ndarray of int, shape (n,)
        Which rows.
    sizes : list of int
        How many of them, from the first, have a j-th panel.
    a, b, from_alpha, from_beta, left : ndarray, shape (nodes, panels)
        a(u), b(u), α + u, β + u, and the terms.
    ln_alive, ln_scale : ndarray, shape (n,)
        Log of the first term; log of what all terms are relative to.
    a_end, b_end, alpha_end, beta_end : ndarray, shape (n,)
        a(T), b(T), α + T, β + T.
    ln_alpha, ln_beta : ndarray, shape (n,)
        ln(α + t_x), ln(β + t_x).
    """

    theta: list[Floats]
    rows: Rows
    sizes: list[int]
    a: Floats
    b: Floats
    from_alpha: Floats
    from_beta: Floats
    left: Floats
    ln_alive: Floats
    ln_scale: Floats
    a_end: Floats
    b_end: Floats
    alpha_end: Floats
    beta_end: Floats
    ln_alpha: Floats
    ln_beta: Floats

    def of_panels(self, per_row: Floats) -> Floats:
        """Repeat what a row has for each of its panels; leave what all rows share."""
        return _of_panels(per_row, self.sizes)

    def over_rows(self, per_panel: Floats) -> Floats:
        """Add up the panels of each row."""
        start = self.sizes[0]
        total = per_panel[:start].copy()
        for size in self.sizes[1:]:
            total[:size] += per_panel[start : start + size]
            start += size
        return total


def _of_panels(per_row: Floats, sizes: list[int]) -> Floats:
    if per_row.ndim == 0 or len(sizes) == 1:
        return per_row
    return np.concatenate([per_row[:size] for size in sizes])


def _terms(theta: Sequence[Number], x: Floats, t_x: Floats, T: Floats) -> Iterator[_Terms]:
    """Yield the terms, some rows at a time."""
    if not len(x):
        return
    each = [np.asarray(p, dtype=float) for p in theta]
    r, alpha, s, beta = each
    kappa = (r + x + 1) / (alpha + t_x) + (s + 1) / (beta + t_x)
    v_end = np.log1p(kappa * (T - t_x))
    counts = np.maximum(np.ceil(v_end / WIDTH), 1).astype(np.int16)
    order = np.argsort(-counts, kind="stable")
    node, weight = (column[:, None] for column in _one_panel())
    values = np.cumsum(counts[order], dtype=np.intp) * len(node)
    cuts = np.searchsorted(values, np.arange(CHUNK, values[-1], CHUNK))
    for i in np.split(order, np.unique(cuts[cuts > 0])):
        r, alpha, s, beta = mine = [p[i] if p.ndim else p for p in each]
        count = counts[i]
        sizes = np.searchsorted(-count, -np.arange(int(count[0])), side="left").tolist()
        R, t, until = r + x[i], t_x[i], T[i]
        alpha_t, beta_t, alpha_end, beta_end = alpha + t, beta + t, alpha + until, beta + until
        a_end, b_end = np.log(alpha_end / alpha_t), np.log(beta_end / beta_t)
        ln_alpha, ln_beta = np.log(alpha_t), np.log(beta_t)

        scale = 1 / kappa[i]
        width = v_end[i] / count
        v = np.concatenate([width[:size] * (j + node) for j, size in enumerate(sizes)], axis=1)
        e_v = np.exp(v)
        u = _of_panels(t - scale, sizes) + _of_panels(scale, sizes) * e_v  # t_x + (e^v − 1)/κ
        from_alpha = _of_panels(alpha, sizes) + u
        from_beta = _of_panels(beta, sizes) + u
        a = np.log(from_alpha / _of_panels(alpha_t, sizes))
        b = np.log(from_beta / _of_panels(beta_t, sizes))
        left = np.exp(_of_panels(-R, sizes) * a - _of_panels(s + 1, sizes) * b)
        left *= e_v * weight  # du = e^v dv/κ
        left *= _of_panels(s * width * scale, sizes)
        yield _Terms(
            mine, i, sizes, a, b, from_alpha, from_beta, left,
            np.log(beta_end) - R * a_end - (s + 1) * b_end, -R * ln_alpha - (s + 1) * ln_beta,
            a_end, b_end, alpha_end, beta_end, ln_alpha, ln_beta,
        )  # fmt: skip
