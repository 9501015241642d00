"""Incidents that end a relationship with a probability of their own: 1 − π_j, whatever p is.

With η_j = θ·z_j and π_j = 1/(1 + e^−η_j), relative to B(a, b+x)/B(a, b) and to the incidents that
were certainly survived, the logs of the fates are

    left at t_x          ln a − ln(b+x−1)        [B(a+1, b+x−1)/B(a, b+x) = a/(b+x−1)]
    left at incident i   Σ_{l<i} ln(1 − π_l) + ln π_i
    alive                Σ_l ln(1 − π_l)

∂ ln π = (1−π) z, ∂ ln(1−π) = −π z, and both have the second derivative −π(1−π) z zᵀ. So an incident
adds −π(1−π) z zᵀ times the share of its customer's fates that reach it.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, digamma, expit, polygamma

from clv.arrays import Floats
from clv.models.incidents.fates import Fates
from clv.models.incidents.parts import Part

__all__ = ["separate", "separate_values"]


def separate_values(
    a: Floats, b: Floats, theta: Floats, fates: Fates, z: Floats
) -> tuple[Floats, Floats]:
    """Logs of what a customer's fates share, and of each fate, at D sets of parameters.

    Parameters
    ----------
    a, b : ndarray, shape (D, 1)
        Of the distribution of p.
    theta : ndarray, shape (D, K)
        Coefficients.
    fates : Fates
        Fates of the customers.
    z : ndarray, shape (K, m)
        Covariates of the incidents.

    Returns
    -------
    common, of_fates : ndarray, shapes (D, n) and (D, f)
    """
    eta = theta @ z
    stays = -np.logaddexp(0, eta)
    k, at, _ = fates.distinct_x
    common = (betaln(a, b + k) - betaln(a, b))[:, at]
    common += fates.over_incidents(np.where(fates.survived, stays, 0))
    unsure = ~fates.survived
    value = fates.sums_before(stays[:, unsure])
    value[:, fates.at_incident] -= np.logaddexp(0, -eta[:, unsure])
    x = fates.x[fates.owner[fates.at_purchase]]
    value[:, fates.at_purchase] += np.log(a) - np.log(b + x - 1)
    return common, value


def separate(a: float, b: float, theta: Floats, fates: Fates, z: Floats) -> Part:
    """Return the same at one set of parameters, with exact derivatives in (a, b, θ)."""
    k_of = len(theta)
    common, (value,) = separate_values(np.array([[a]]), np.array([[b]]), theta[None, :], fates, z)
    pi = expit(theta @ z)
    unsure = ~fates.survived
    sure = z[:, fates.survived]
    of_sure = pi[fates.survived]

    slope = np.zeros(2 + k_of)
    bend = np.zeros((2 + k_of, 2 + k_of))
    k, _, count = fates.distinct_x
    of_both, both_bend = (
        digamma(a + b) - digamma(a + b + k),
        polygamma(1, a + b) - polygamma(1, a + b + k),
    )
    slope[0] = count @ of_both
    slope[1] = count @ (of_both + digamma(b + k) - digamma(b))
    bend[0, 0] = bend[0, 1] = bend[1, 0] = count @ both_bend
    bend[1, 1] = count @ (both_bend + polygamma(1, b + k) - polygamma(1, b))
    slope[2:] = -sure @ of_sure
    bend[2:, 2:] = -(sure * (of_sure * (1 - of_sure))) @ sure.T

    z_unsure, p = z[:, unsure], pi[unsure]
    rows = np.zeros((2 + k_of, len(fates)))
    rows[2:] = fates.sums_before(-p * z_unsure)
    rows[2:, fates.at_incident] += (1 - p) * z_unsure
    left = b + fates.x[fates.owner[fates.at_purchase]] - 1
    rows[0, fates.at_purchase] = 1 / a
    rows[1, fates.at_purchase] = -1 / left

    def curvature(share: Floats) -> Floats:
        h = np.zeros((2 + k_of, 2 + k_of))
        doubt = share[fates.at_purchase]
        h[0, 0] = -doubt.sum() / a**2
        h[1, 1] = doubt @ left**-2
        reached = fates.sums_from(share)[fates.at_incident]
        h[2:, 2:] = -(z_unsure * (reached * p * (1 - p))) @ z_unsure.T
        return h

    return Part(float(common.sum()), slope, bend, value, rows, curvature)
