"""d = ln B(a, β) − ln B(a, β+ω), exact for any ω: what one more exponent costs.

A customer whose p ~ Beta(a, β) survives an event of exponent ω with probability
E[(1 − p)^ω] = e^−d, and leaves at it with probability 1 − e^−d. For small ω, d is a small
difference of large numbers; as an integral of a positive function,

    d = ∫₀^ω [ψ(a+β+u) − ψ(β+u)] du,

it is not. The integrand's nearest singularity lies at u = −β, so that for ω ≤ β/2 eight
Gauss-Legendre nodes leave an error of (5 + √24)^−16 = 1e-16; for larger ω nothing cancels and the
logs of gamma functions are subtracted. The derivatives are treated in the same way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln, polygamma, roots_legendre

from clv.arrays import Floats

__all__ = ["BetaGap", "beta_gap", "beta_gap_derivatives"]


NODES = 8
Z, W = roots_legendre(NODES)


class BetaGap(NamedTuple):
    """d with its derivatives, each of the shape of β and ω."""

    d: Floats
    in_a: Floats
    in_beta: Floats
    in_omega: Floats
    in_a_a: Floats
    in_a_omega: Floats
    in_beta_beta: Floats
    in_omega_omega: Floats

    @property
    def in_a_beta(self) -> Floats:
        """The same as twice in a: d depends on a and β through a+β but for terms in β alone."""
        return self.in_a_a

    @property
    def in_beta_omega(self) -> Floats:
        """The same as twice in ω: d depends on both through β+ω but for terms in β alone."""
        return self.in_omega_omega


def beta_gap(a: npt.ArrayLike, beta: Floats, omega: Floats) -> Floats:
    """Ln B(a, β) − ln B(a, β+ω), arrays that broadcast.

    Examples
    --------
    >>> import math
    >>> tiny = float(beta_gap(1.0, np.array([3.0]), np.array([1e-20]))[0])  # ω/3 to first order
    >>> math.isclose(tiny, 1e-20 / 3, rel_tol=1e-14)
    True
    """
    a, beta, omega = np.broadcast_arrays(a, beta, omega)
    d = np.array(
        gammaln(beta) - gammaln(beta + omega) + gammaln(a + beta + omega) - gammaln(a + beta)
    )
    near = omega <= beta / 2
    if near.any():
        w, u = _nodes(omega[near])
        base = beta[near][..., None] + u
        of_a = a[near][..., None]
        d[near] = (w * (digamma(of_a + base) - digamma(base))).sum(axis=-1)
    return d


def beta_gap_derivatives(a: float, beta: Floats, omega: Floats) -> BetaGap:
    """D with its derivatives to second order; β and ω of shape (n,)."""
    c, far = a + beta, beta + omega
    end = a + far
    d = beta_gap(a, beta, omega)
    in_a = digamma(end) - digamma(c)
    in_omega = digamma(end) - digamma(far)
    in_beta = digamma(beta) - digamma(far) + in_a
    bend_end, bend_far = polygamma(1, end), polygamma(1, far)
    bend_c = polygamma(1, c)
    in_a_a = bend_end - bend_c
    in_beta_beta = polygamma(1, beta) - bend_far + in_a_a
    near = omega <= beta / 2
    if near.any():
        w, u = _nodes(omega[near])
        low, high = beta[near, None] + u, c[near, None] + u
        slopes, bends = polygamma(1, high), polygamma(2, high)
        in_a[near] = (w * slopes).sum(axis=1)
        in_beta[near] = (w * (slopes - polygamma(1, low))).sum(axis=1)
        in_a_a[near] = (w * bends).sum(axis=1)
        in_beta_beta[near] = (w * (bends - polygamma(2, low))).sum(axis=1)
    return BetaGap(d, in_a, in_beta, in_omega, in_a_a, bend_end, in_beta_beta, bend_end - bend_far)


def _nodes(omega: Floats) -> tuple[Floats, Floats]:
    """Weights and nodes on [0, ω], shape (..., NODES)."""
    half = omega[..., None] / 2
    return half * W, half * (Z + 1)
