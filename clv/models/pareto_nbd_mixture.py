"""The terms of the Pareto/NBD likelihood: alive at T, or left at a time u between t_x and T.

See :mod:`clv.models.pareto_nbd` for the integral, and why its terms are positive and the panels of
this width hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from clv.models.base import Number
from clv.numerics import panels

__all__ = ["CHUNK", "as_columns", "mixture", "terms"]

Floats = npt.NDArray[np.float64]

CHUNK = 4_000_000
"""Largest number of integrand values held at once (32 MB)."""


def as_columns(
    theta: Floats | Sequence[Number], x: Floats, i: npt.NDArray[np.intp]
) -> list[Floats]:
    """Give the parameters of rows i as columns, shape (rows, 1)."""
    return [np.broadcast_to(np.asarray(p, dtype=float), x.shape)[i, None] for p in theta]


def terms(
    theta: Floats | Sequence[Number], x: Floats, t_x: Floats, T: Floats
) -> Iterator[tuple[npt.NDArray[np.intp], Floats, Floats]]:
    """Yield the terms of the mixture {...}, some rows at a time.

    Rows i; u, shape (rows, 1 + nodes): T, then the times at which the customer may have left;
    φ of the same shape, the logs of the terms.
    """
    r, alpha, s, beta = (np.asarray(p, dtype=float) for p in theta)
    kappa = (r + x + 1) / (alpha + t_x) + (s + 1) / (beta + t_x)
    v_end = np.log1p(kappa * (T - t_x))
    count = np.maximum(1, np.ceil(v_end / 1.25)).astype(int)
    for panel_count in np.unique(count):
        nodes, weights = panels(int(panel_count))
        rows = np.flatnonzero(count == panel_count)
        step = max(1, CHUNK // len(nodes))
        for i in (rows[k : k + step] for k in range(0, len(rows), step)):
            r, alpha, s, beta = as_columns(theta, x, i)
            left_at = np.expm1(v_end[i, None] * nodes) / kappa[i, None]
            u = np.concatenate([T[i, None], t_x[i, None] + left_at], axis=1)
            phi = -(r + x[i, None]) * np.log(alpha + u) - (s + 1) * np.log(beta + u)
            phi[:, 0] += np.log(beta + T[i, None])[:, 0]
            with np.errstate(divide="ignore"):  # T = t_x: no time to leave in
                du = weights * v_end[i, None] * (left_at + 1 / kappa[i, None])
                phi[:, 1:] += np.log(s * du)
            yield i, u, phi


def mixture(
    theta: Sequence[Floats], x: Floats, u: Floats, phi: Floats
) -> tuple[Floats, Floats, Floats]:
    """Take ln Σ e^φ of each row, its gradient, and the upper half of its Hessian."""
    r, alpha, s, beta = theta
    top = phi.max(axis=1, keepdims=True)
    share = np.exp(phi - top)
    total = share.sum(axis=1)
    share /= total[:, None]
    value = np.log(total) + top[:, 0]

    R = r + x[:, None]
    power = np.repeat(s + 1, phi.shape[1], axis=1)
    power[:, 0] = s[:, 0]
    inv_a, inv_b = 1 / (alpha + u), 1 / (beta + u)
    of_s = np.repeat(1 / s, phi.shape[1], axis=1)
    of_s[:, 0] = 0
    slopes = [-np.log(alpha + u), -R * inv_a, of_s - np.log(beta + u), -power * inv_b]
    g = np.stack([(share * d).sum(axis=1) for d in slopes])
    h = np.zeros((4, *g.shape))
    for i in range(4):
        weighted = share * slopes[i]
        for j in range(i, 4):
            h[i, j] = (weighted * slopes[j]).sum(axis=1) - g[i] * g[j]
    h[0, 1] -= (share * inv_a).sum(axis=1)
    h[1, 1] += (share * R * inv_a**2).sum(axis=1)
    h[2, 2] -= (share * of_s).sum(axis=1) / s[:, 0]
    h[2, 3] -= (share * inv_b).sum(axis=1)
    h[3, 3] += (share * power * inv_b**2).sum(axis=1)
    return value, g, h
