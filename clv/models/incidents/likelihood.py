r"""The likelihood of histories with incidents, with exact gradient and Hessian.

With φ_i the log of a fate's probability given the parameters (:mod:`clv.models.incidents.fates`),

    ln L = Σ_customers [ ln Γ(r+x) − ln Γ(r) + r ln α + ln Σ_i e^φ_i ],
    φ_i = −(r+x) ln(α + τ_i) + (the dropout part, separate or shared),

and with w_i = e^φ_i / Σ e^φ the posterior probability of a fate,

    ∇ ln Σ e^φ = Σ w ∇φ = g,      ∇² ln Σ e^φ = Σ w (∇²φ + ∇φ ∇φᵀ) − g gᵀ.

The rows ∇φ of all fates of all customers are one matrix, so that the sums are matrix products. For
the customers without incidents the likelihood is that of BG/NBD on patterns.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from clv.arrays import Floats
from clv.history import Histories
from clv.incident_history import IncidentHistories
from clv.models.base import Derivatives
from clv.models.bg_nbd import BGNBD
from clv.models.incidents.fates import Fates
from clv.models.incidents.separate import separate, separate_values
from clv.models.incidents.shared import shared, shared_values
from clv.side_by_side import side_by_side, slices

__all__ = ["IncidentLikelihood", "Link"]


Link = Literal["separate", "shared"]
"""Whether an incident ends a relationship with a probability of its own, or through p."""

CHUNK = 200_000
"""Fates whose logs a thread holds at once: 1.6 MB a column, for the processor's cache."""

PARAMETERS = 4
"""r, α, a, b; the coefficients follow."""


class IncidentLikelihood:
    """Log-likelihood of histories with incidents as a function of (r, α, a, b, θ).

    Parameters
    ----------
    histories : IncidentHistories
        Customers with incidents and without.
    z : ndarray, shape (K, m)
        Covariates of the incidents.
    link : {"separate", "shared"}
        How an incident ends a relationship.
    """

    def __init__(self, histories: IncidentHistories, z: Floats, link: Link) -> None:
        self.histories, self.z, self.link = histories, z, link
        self.fates = Fates.of(histories)

    def at(self, parameters: Floats) -> Derivatives:
        """Log-likelihood with exact derivatives in (r, α, a, b, θ).

        Parameters
        ----------
        parameters : ndarray, shape (4 + K,)

        Returns
        -------
        Derivatives
        """
        (r, alpha, a, b), theta = parameters[:PARAMETERS], parameters[PARAMETERS:]
        size = len(parameters)
        g, h = np.zeros(size), np.zeros((size, size))
        value = 0.0
        if len(self.histories.plain):
            value, g[:PARAMETERS], h[:PARAMETERS, :PARAMETERS] = BGNBD.likelihood(
                parameters[:PARAMETERS], self.histories.plain
            )
        fates = self.fates
        if not len(fates):
            return Derivatives(value, g, h)
        k, _, count = fates.distinct_x
        customers = len(fates.x)
        value += float(count @ (gammaln(r + k) - gammaln(r))) + customers * r * np.log(alpha)
        g[0] += count @ (digamma(r + k) - digamma(r)) + customers * np.log(alpha)
        g[1] += customers * r / alpha
        h[0, 0] += count @ (polygamma(1, r + k) - polygamma(1, r))
        h[0, 1] += customers / alpha
        h[1, 0] += customers / alpha
        h[1, 1] -= customers * r / alpha**2

        part = (separate if self.link == "separate" else shared)(
            float(a), float(b), theta, fates, self.z
        )
        value += part.common
        g[2:] += part.slope
        h[2:, 2:] += part.bend

        until, y = alpha + fates.time, r + fates.x[fates.owner]
        ln_sum, w = fates.mixture(part.fates - y * np.log(until))
        value += float(ln_sum.sum())
        rows = np.concatenate([-np.log(until)[None], (-y / until)[None], part.rows])
        mean = fates.by_customer(rows * w)
        g += mean.sum(axis=1)
        h += (rows * w) @ rows.T - mean @ mean.T
        bend = w @ (1 / until)
        h[0, 1] -= bend
        h[1, 0] -= bend
        h[1, 1] += w @ (y / until**2)
        h[2:, 2:] += part.curvature(w)
        return Derivatives(value, g, (h + h.T) / 2)

    def values(self, parameters: Floats) -> Floats:
        """Log-likelihood at many sets of parameters.

        Parameters
        ----------
        parameters : ndarray, shape (D, 4 + K)

        Returns
        -------
        ndarray, shape (D,)
        """
        plain: Histories = self.histories.plain
        total = np.zeros(len(parameters))
        if len(plain) and len(parameters):
            total += BGNBD.log_likelihoods(parameters[:, :PARAMETERS], plain)
        if not len(self.fates) or not len(parameters):
            return total
        step = max(1, CHUNK // len(self.fates))

        def part(some: slice) -> Floats:
            of_customers, ln_fates = self._terms(parameters[some])
            return np.asarray((of_customers + self.fates.ln_sum(ln_fates)).sum(axis=1))

        return np.asarray(total + np.concatenate(side_by_side(part, slices(len(parameters), step))))

    def each(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Log-likelihood of each customer with incidents, and P(alive at T), at one point.

        Parameters
        ----------
        parameters : ndarray, shape (4 + K,)

        Returns
        -------
        ln_likelihood, p_alive : ndarray, shape (n,)
        """
        ln_sum, share = self.mixture(parameters)
        return ln_sum, share[self.fates.alive]

    def mixture(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Log-likelihood of each customer with incidents, and the probability of each fate.

        Parameters
        ----------
        parameters : ndarray, shape (4 + K,)

        Returns
        -------
        ln_likelihood, share : ndarray, shapes (n,) and (f,)
        """
        of_customers, ln_fates = self._terms(parameters[None])
        ln_sum, share = self.fates.mixture(ln_fates[0])
        return of_customers[0] + ln_sum, share

    def _terms(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Log of what all fates of a customer share, and of each fate, one row a parameter set."""
        r, alpha, a, b = (column[:, None] for column in parameters[:, :PARAMETERS].T)
        fates = self.fates
        values = separate_values if self.link == "separate" else shared_values
        common, of_fates = values(a, b, parameters[:, PARAMETERS:], fates, self.z)
        k, k_of, _ = fates.distinct_x
        of_counts = gammaln(r + k) - gammaln(r) + r * np.log(alpha)
        of_customers = of_counts[:, k_of] + common
        y = r + fates.x[fates.owner]
        return of_customers, of_fates - y * np.log(alpha + fates.time)
