"""Beta-geometric/NBD with parameters of each history's own: what covariates need.

The log-likelihood of one history is G + u + ln(1 + e^ω), with o chances to leave before the first
repeat and

    G = ln Γ(r+x) − ln Γ(r) + r ln α + ln B(a, b+x+o) − ln B(a, b),     u = −(r+x) ln(α+T),
    ω = ln a − ln(b+x+o−1) + (r+x) ln[(α+T)/(α+t_x)], the log-odds of having left.

With q = 1/(1 + e^−ω) the gradient is G' + u' + q ω', and the Hessian
G'' + u'' + q ω'' + q(1−q) ω' ω'ᵀ. Where all histories share their parameters, their sum is cheaper
in :meth:`clv.models.beta_geometric.BetaGeometric.likelihood`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, digamma, expit, gammaln, polygamma

from clv.arrays import Floats, Rows
from clv.numerics import distinct_rows

__all__ = ["per_history"]


def per_history(
    theta: Sequence[npt.ArrayLike], x: Floats, t_x: Floats, T: Floats, chances_before_repeat: int
) -> tuple[Floats, Floats, Floats]:
    """Log-likelihood of each history with derivatives, each with parameters of its own.

    Parameters
    ----------
    theta : sequence of float or ndarray, shape (n,)
        (r, α, a, b): one number for all histories, or one a history.
    x, t_x, T : ndarray, shape (n,)
        The histories.
    chances_before_repeat : int
        0 for BG/NBD, 1 for MBG/NBD.

    Returns
    -------
    value, gradient, hessian : ndarray, shapes (n,), (4, n) and (4, 4, n)
        In (r, α, a, b).
    """
    r, alpha, a, b = (np.asarray(p, dtype=float) for p in theta)
    chances = x + chances_before_repeat
    g, h = np.zeros((4, *x.shape)), np.zeros((4, 4, *x.shape))

    # G is the same for all histories with the same x and parameters.
    k, at = _distinct(x, r)
    r_k = r if r.ndim == 0 else r[k]
    n = r_k + x[k]
    value = (gammaln(n) - gammaln(r_k))[at] + r * np.log(alpha)
    g[0] = (digamma(n) - digamma(r_k))[at] + np.log(alpha)
    g[1] = r / alpha
    h[0, 0] = (polygamma(1, n) - polygamma(1, r_k))[at]
    h[0, 1] = 1 / alpha
    h[1, 1] = -r / alpha**2
    k, at = _distinct(x, a, b)
    a_k, b_k = (p if p.ndim == 0 else p[k] for p in (a, b))
    n = b_k + chances[k]
    value = value + (betaln(a_k, n) - betaln(a_k, b_k))[at]
    of_both = digamma(a_k + b_k) - digamma(a_k + n)
    bend = polygamma(1, a_k + b_k) - polygamma(1, a_k + n)
    g[2] = of_both[at]
    g[3] = (of_both + digamma(n) - digamma(b_k))[at]
    h[2, 2] = h[2, 3] = bend[at]
    h[3, 3] = (bend + polygamma(1, n) - polygamma(1, b_k))[at]

    y, end, last = r + x, alpha + T, alpha + t_x
    left = b + np.maximum(chances, 1) - 1
    growth = np.log1p((T - t_x) / last)
    omega = np.where(chances > 0, np.log(a / left) + y * growth, -np.inf)
    q = expit(omega)
    value = value - y * np.log(end) + np.logaddexp(0, omega)
    slopes = [growth, y * (1 / end - 1 / last), np.broadcast_to(1 / a, x.shape), -1 / left]
    g[0] -= np.log(end)
    g[1] -= y / end
    h[0, 1] += -1 / end + q * (1 / end - 1 / last)
    h[1, 1] += y / end**2 + q * y * (1 / last**2 - 1 / end**2)
    h[2, 2] -= q / a**2
    h[3, 3] += q / left**2
    doubt = q * (1 - q)
    for i in range(4):
        g[i] += q * slopes[i]
        for j in range(i, 4):
            h[i, j] += doubt * slopes[i] * slopes[j]
            h[j, i] = h[i, j]
    return value, g, h


def _distinct(x: Floats, *parameters: Floats) -> tuple[Rows, Rows]:
    """Find one row of each different (x, parameters), and where every row is among them."""
    varying = [p for p in parameters if p.ndim]
    if varying:
        return distinct_rows([*varying, x])
    whole = x.astype(np.intp)
    one = np.full(int(whole.max()) + 1, -1, dtype=np.intp)
    one[whole] = np.arange(len(x))
    rows = one[one >= 0]
    place = np.cumsum(one >= 0) - 1
    return rows, place[whole]
