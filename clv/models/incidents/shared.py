"""Incidents that end a relationship through the customer's own fragility p.

An incident is worth ω_j purchases' dropouts, 1 − π_j = (1 − p)^ω_j with ω_j = exp(θ·z_j). A
customer who survived x purchases and incidents of exponents Ω in all has p ~ Beta(a, b+x+Ω), so
that, with Ω_s of the incidents certainly survived and Ω_i of the unsure ones before i, times
1/B(a, b),

    left at t_x          B(a+1, b+x−1+Ω_s)
    left at incident i   B(a, β_i) − B(a, β_i+ω_i),  β_i = b+x+Ω_s+Ω_i
    alive                B(a, b+x+Ω_s+Ω_k)

The middle one is B(a, β_i) (1 − e^−d), see :mod:`clv.models.incidents.beta_gap`. A fate depends on
θ through its β and its ω alone; ∂ω = ω z, ∂²ω = ω z zᵀ.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, digamma, polygamma

from clv.arrays import Floats
from clv.models.incidents.beta_gap import beta_gap, beta_gap_derivatives
from clv.models.incidents.fates import Fates
from clv.models.incidents.parts import Part

__all__ = ["shared", "shared_values"]


def _survived(b: Floats, omega: Floats, fates: Fates) -> Floats:
    """β of each fate: b, purchases and exponents survived before it, shape (..., f)."""
    sure = fates.over_incidents(np.where(fates.survived, omega, 0))
    beta = b + (fates.x + sure)[..., fates.owner] + fates.sums_before(omega[..., ~fates.survived])
    beta[..., fates.at_purchase] -= 1
    return np.asarray(beta)


def shared_values(
    a: Floats, b: Floats, theta: Floats, fates: Fates, z: Floats
) -> tuple[Floats, Floats]:
    """Logs of what a customer's fates share, and of each fate, at D sets of parameters.

    Parameters and result as of :func:`clv.models.incidents.separate.separate_values`.
    """
    omega = np.exp(theta @ z)
    beta = _survived(b, omega, fates)
    of_a = np.broadcast_to(a, beta.shape).copy()
    of_a[:, fates.at_purchase] += 1
    value = betaln(of_a, beta)
    i = fates.at_incident
    gap = beta_gap(a, beta[:, i], omega[:, ~fates.survived])
    value[:, i] += np.log(-np.expm1(-gap))
    common = np.broadcast_to(-betaln(a, b), (len(theta), len(fates.x)))
    return common, value


def shared(a: float, b: float, theta: Floats, fates: Fates, z: Floats) -> Part:
    """Return the same at one set of parameters, with exact derivatives in (a, b, θ)."""
    size, n = 2 + len(theta), len(fates.x)
    omega = np.exp(theta @ z)
    unsure, i = ~fates.survived, fates.at_incident
    beta = _survived(np.array(b), omega, fates)
    of_a = np.full(len(fates), a)
    of_a[fates.at_purchase] += 1

    value = betaln(of_a, beta)
    sum_slope, sum_bend = digamma(of_a + beta), polygamma(1, of_a + beta)
    in_a, in_beta = digamma(of_a) - sum_slope, digamma(beta) - sum_slope
    in_a_a, in_a_beta = polygamma(1, of_a) - sum_bend, -sum_bend
    in_beta_beta = polygamma(1, beta) - sum_bend
    # Left at an incident: ln(1 − e^−d) more, of slope d'/(e^d − 1).
    gap = beta_gap_derivatives(a, beta[i], omega[unsure])
    value[i] += np.log(-np.expm1(-gap.d))
    e = 1 / np.expm1(gap.d)
    doubt = e * (1 + e)
    in_a[i] += e * gap.in_a
    in_beta[i] += e * gap.in_beta
    in_a_a[i] += e * gap.in_a_a - doubt * gap.in_a**2
    in_a_beta[i] += e * gap.in_a_beta - doubt * gap.in_a * gap.in_beta
    in_beta_beta[i] += e * gap.in_beta_beta - doubt * gap.in_beta**2
    in_omega = e * gap.in_omega
    in_a_omega = e * gap.in_a_omega - doubt * gap.in_a * gap.in_omega
    in_beta_omega = e * gap.in_beta_omega - doubt * gap.in_beta * gap.in_omega
    in_omega_omega = e * gap.in_omega_omega - doubt * gap.in_omega**2

    d_omega = omega * z
    own = d_omega[:, unsure]
    sure = fates.over_incidents(np.where(fates.survived, d_omega, 0))
    d_beta = sure[:, fates.owner] + fates.sums_before(own)
    rows = np.concatenate([in_a[None], in_beta[None], in_beta * d_beta])
    rows[2:, i] += in_omega * own

    def curvature(share: Floats) -> Floats:
        h, s = np.zeros((size, size)), share[i]
        h[0, 0] = share @ in_a_a
        h[0, 1] = share @ in_a_beta
        h[1, 1] = share @ in_beta_beta
        h[0, 2:] = d_beta @ (share * in_a_beta) + own @ (s * in_a_omega)
        h[1, 2:] = d_beta @ (share * in_beta_beta) + own @ (s * in_beta_omega)
        h = np.triu(h) + np.triu(h, 1).T
        cross = (d_beta[:, i] * (s * in_beta_omega)) @ own.T
        h[2:, 2:] = (d_beta * (share * in_beta_beta)) @ d_beta.T + cross + cross.T
        h[2:, 2:] += (own * (s * in_omega_omega)) @ own.T
        # ∂²ω of an incident: through the β of all fates after it, and its own fate's ω.
        pull = share * in_beta
        through = np.empty_like(omega)
        through[fates.survived] = fates.by_customer(pull)[_customers(fates)][fates.survived]
        through[unsure] = (fates.sums_from(pull) - pull)[i] + s * in_omega
        h[2:, 2:] += (d_omega * through) @ z.T
        return h

    return Part(*_common(a, b, n, size), value, rows, curvature)


def _common(a: float, b: float, n: int, size: int) -> tuple[float, Floats, Floats]:
    """−n ln B(a, b), what all fates of n customers share, with gradient and Hessian."""
    slope, bend = np.zeros(size), np.zeros((size, size))
    ends = np.array([a, b])
    slope[:2] = n * (digamma(a + b) - digamma(ends))
    bend[:2, :2] = n * (polygamma(1, a + b) - np.diag(polygamma(1, ends)))
    return float(-n * betaln(a, b)), slope, bend


def _customers(fates: Fates) -> npt.NDArray[np.intp]:
    """Whose each incident is, shape (m,)."""
    sizes = np.diff(fates.first_incident, append=len(fates.survived))
    return np.repeat(np.arange(len(fates.x)), sizes)
