"""The mode of a seasonal model: purchase model and season index, shrunk towards flat.

The index s and the parameters θ maximise

    ln L(θ, s) − Σ u_m² / 2σ²,   ln s_m = u_m − ln Σ_k w_k e^(u_k),   Σ u_m = 0,

with w the shares of the seasons in a year. The second term shrinks the index towards flat: it is
the prior u ~ Normal(0, σ²) on the deviations. σ is learned from the data too, by the marginal
likelihood (Laplace's approximation of the integral over θ and u) times σ, the weak prior of Chung,
Rabe-Hesketh, Dorie, Gelman & Liu (2013) that keeps σ from being 0. Data without a season give a
small σ and a nearly flat index; data with one give a σ that shrinks little.

Times scaled by c leave L as it is where α is scaled too, so the search runs with Σ u = 0 and its
own α, and the index is brought to mean 1 afterwards.

Chung, Y., Rabe-Hesketh, S., Dorie, V., Gelman, A. and Liu, J. (2013), A nondegenerate penalized
likelihood estimator for variance parameters in multilevel models. Psychometrika 78(4), 685-709.
https://doi.org/10.1007/s11336-013-9328-2
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy.linalg import helmert
from scipy.optimize import minimize_scalar

from clv.arrays import Floats
from clv.errors import FitError
from clv.models.base import Derivatives
from clv.models.maximum_likelihood import LogNormal, log_prior
from clv.models.newton import maximum
from clv.models.seasons.model import SeasonalLikelihood
from clv.models.seasons.season import year_shares

__all__ = ["SeasonalMode"]


SIGMAS = (1e-3, 3.0)
"""Between these σ is looked for."""


class SeasonalMode:
    """The penalised likelihood in φ = (ln θ, v): u = Q v spans the deviations that sum to 0."""

    def __init__(self, likelihood: SeasonalLikelihood, prior: Mapping[str, LogNormal]) -> None:
        self.likelihood, self.prior = likelihood, prior
        self.shares = year_shares(likelihood.index)
        self.names = likelihood.model.parameter_names()
        k, seasons = len(self.names), len(self.shares)
        basis = helmert(seasons).T  # orthonormal columns, each of sum 0
        self.back = np.zeros((k + seasons, k + seasons - 1))  # φ → (ln θ, u)
        self.back[:k, :k] = np.eye(k)
        self.back[k:, k:] = basis
        self.customers = likelihood.histories.customers
        self._last: tuple[bytes, Derivatives] | None = None

    def _data(self, phi: Floats) -> Derivatives:
        """Log-likelihood, and log-prior of θ if there is one, with derivatives in φ."""
        key = phi.tobytes()
        if self._last is None or self._last[0] != key:
            whole = self.back @ phi
            k = len(self.names)
            value, g, h = self.likelihood.at(whole[:k], whole[k:])
            at = Derivatives(value, self.back.T @ g, self.back.T @ h @ self.back)
            self._last = key, at
        return self._last[1]

    def log_likelihood(self, phi: Floats) -> float:
        """Log-likelihood of the data alone."""
        return self._data(phi).value

    def penalised(self, phi: Floats, sigma: float) -> Derivatives:
        """What is maximised: log-likelihood, log-prior and shrinkage."""
        value, g, h = self._data(phi)
        k = len(self.names)
        v = np.where(np.arange(len(phi)) < k, 0.0, phi)
        value += float(log_prior(self.likelihood.model, self.prior, self.normalised(phi)[0]))
        g, h = g - v / sigma**2, h - np.diag((np.arange(len(phi)) >= k) / sigma**2)
        # The prior of α is on that of an index with mean 1: ln α = φ_α − ln Z(u), so its terms
        # carry the slope and curvature of ln Z.
        slope, bend = self._log_mean(phi)
        for i, name in enumerate(self.names):
            if name in self.prior:
                weight = self.prior[name].sigma ** -2
                away = self.normalised(phi)[0][i] - math.log(self.prior[name].median)
                d = np.eye(len(phi))[i] - (slope if name == "alpha" else 0)
                g = g - weight * away * d
                h = h - weight * np.outer(d, d)
                if name == "alpha":
                    h = h + weight * away * bend
        return Derivatives(value - float(v @ v) / (2 * sigma**2), g, h)

    def _log_mean(self, phi: Floats) -> tuple[Floats, Floats]:
        """Gradient and Hessian in φ of ln Z(u) = ln Σ w e^u."""
        k = len(self.names)
        u = self.back[k:] @ phi
        p = self.shares * np.exp(u - u.max())
        p /= p.sum()
        rows = self.back[k:]
        return rows.T @ p, rows.T @ (np.diag(p) - np.outer(p, p)) @ rows

    def normalised(self, phi: Floats) -> tuple[Floats, Floats]:
        """(ln θ, ln s) with a mean index of 1: dividing time by Z divides α."""
        k = len(self.names)
        log_theta, u = phi[:k].copy(), self.back[k:] @ phi
        ln_z = float(np.log(self.shares @ np.exp(u)))
        log_theta[self.names.index("alpha")] -= ln_z
        return log_theta, u - ln_z

    def search(self, start: Floats, sigma: float) -> Floats:
        """Find the mode at a given σ by Newton's method in a trust region."""
        found = maximum(
            lambda phi: self.penalised(phi, sigma),
            start,
            customers=self.customers,
            inside=lambda phi: float(np.abs(phi).max()) <= 28,
            slope=1e-9,
        )
        if found.stopped:
            raise FitError(
                f"The seasonal fit stopped before an optimum: the log-likelihood still rises by "
                f"{found.slope:.1e} per customer and log-parameter. Fit the plain model first; "
                "where that succeeds, a smaller sigma or a prior on the parameters steadies this "
                "fit."
            )
        return found.at

    def best_sigma(self, start: Floats) -> float:
        """σ with the largest marginal likelihood (Laplace) times σ."""
        at = start

        def loss(ln_sigma: float) -> float:
            nonlocal at
            sigma = math.exp(ln_sigma)
            at = self.search(at, sigma)
            value, _, hessian = self.penalised(at, sigma)
            seasons = len(self.shares) - 1
            half_ln_det = float(np.linalg.slogdet(-hessian)[1]) / 2
            return -(value - seasons * ln_sigma - half_ln_det + ln_sigma)

        low, high = (math.log(s) for s in SIGMAS)
        found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-3})
        return math.exp(float(found.x))

    def log_covariance(self, phi: Floats, sigma: float) -> Floats:
        """Covariance of (ln θ, ln s): that of φ, carried through the normalisation."""
        inverse = np.linalg.inv(-self.penalised(phi, sigma).hessian)
        k = len(self.names)
        slope, _ = self._log_mean(phi)
        moved = self.back.copy()
        moved[k:] -= slope
        moved[self.names.index("alpha")] -= slope
        covariance = moved @ inverse @ moved.T
        return np.asarray((covariance + covariance.T) / 2)
