"""Pareto/NBD: customers buy at random and may leave at any time.

Assumptions: while alive a customer buys at rate λ ~ Gamma(r, α); the time until the customer leaves
is exponential with rate μ ~ Gamma(s, β); λ and μ are independent.

Schmittlein, D. C., Morrison, D. G. and Colombo, R. (1987), Counting your customers: who are they
and what will they do next? Management Science 33(1), 1-24. https://doi.org/10.1287/mnsc.33.1.1
Fader, P. S. and Hardie, B. G. S. (2005), A note on deriving the Pareto/NBD model and related
expressions.

The textbook likelihood is a difference of two 2F1 that cancel for large x. Here it stays what it
is, a sum over the time u at which the customer may have left,

    L = Γ(r+x) α^r β^s / Γ(r) · { (α+T)^−(r+x) (β+T)^−s
                                 + ∫ s (α+u)^−(r+x) (β+u)^−(s+1) du over t_x < u < T },

of positive terms. With κ = (r+x+1)/(α+t_x) + (s+1)/(β+t_x), no less than the rate at which the
integrand falls at first, and no less than the nearness of its singularities at −α and −β, and
u = t_x + (e^v − 1)/κ it varies over lengths of about 1 in v, so Legendre panels of width 1.25 in v
hold it to 1e-10, and gradient and Hessian are sums over the same nodes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
from scipy.special import digamma, exprel, gammaln, polygamma, xlogy

from clv.arrays import Floats
from clv.history import Histories
from clv.models.base import Derivatives, PurchaseModel
from clv.models.pareto_nbd_mixture import ln_mixture, mixture
from clv.models.purchase_formulas import Number, every_row
from clv.numerics import CHUNK, dot, panels

__all__ = ["ParetoNBD"]


@dataclass(frozen=True)
class ParetoNBD(PurchaseModel):
    """Pareto/NBD with given parameters.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the gamma distribution of purchase rates; α in units of time.
    s, beta : float
        Shape and rate of the gamma distribution of dropout rates; β in units of time.

    Examples
    --------
    >>> model = ParetoNBD(r=.553, alpha=10.578, s=.606, beta=11.669)
    >>> round(float(model.expected_purchases(52, x=26, t_x=30.86, T=31)), 2)
    25.46
    """

    name: ClassVar[str] = "pareto-nbd"
    label: ClassVar[str] = "Pareto/NBD"

    r: float
    alpha: float
    s: float
    beta: float

    dropout_shape: ClassVar[str] = "s"

    # -- the likelihood of a history ----------------------------------------------------------

    def _log_likelihood(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        r, alpha, s, beta = self.r, self.alpha, self.s, self.beta
        before = gammaln(r + x) - gammaln(r) + r * math.log(alpha) + s * math.log(beta)
        return np.asarray(before + ln_mixture((r, alpha, s, beta), x, t_x, T)[0])

    @classmethod
    def likelihood(cls, theta: Floats, histories: Histories) -> Derivatives:
        """Log-likelihood of all histories with exact derivatives in (r, α, s, β)."""
        r, alpha, s, beta = theta
        x, n = histories.frequency, histories.weight
        per_x = np.bincount(x.astype(np.intp), weights=n)
        k = np.flatnonzero(per_x).astype(float)
        m: Floats = per_x[per_x > 0].astype(float)
        customers = float(m.sum())
        value = dot(m, gammaln(r + k) - gammaln(r))
        value += customers * (r * math.log(alpha) + s * math.log(beta))
        g = np.array(
            [
                dot(m, digamma(r + k) - digamma(r)) + customers * math.log(alpha),
                customers * r / alpha,
                customers * math.log(beta),
                customers * s / beta,
            ]
        )
        h = np.zeros((4, 4))
        h[0, 0] = dot(m, polygamma(1, r + k) - polygamma(1, r))
        h[0, 1] = customers / alpha
        h[1, 1] = -customers * r / alpha**2
        h[2, 3] = customers / beta
        h[3, 3] = -customers * s / beta**2
        for i, of_each, slope, curvature in mixture(list(theta), x, histories.recency, histories.T):
            value += dot(n[i], of_each)
            g += np.einsum("in,n->i", slope, n[i])
            h += np.einsum("ijn,n->ij", curvature, n[i])
        h = np.triu(h) + np.triu(h, 1).T
        return Derivatives(float(value), g, h)

    @classmethod
    def per_history(
        cls, theta: Sequence[Number], x: Floats, t_x: Floats, T: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Log-likelihood of each history with derivatives, each with parameters of its own.

        Parameters
        ----------
        theta : sequence of float or ndarray, shape (n,)
            (r, α, s, β): one number for all histories, or one a history.
        x, t_x, T : ndarray, shape (n,)
            The histories.

        Returns
        -------
        value, gradient, hessian : ndarray, shapes (n,), (4, n) and (4, 4, n)
            In (r, α, s, β); :meth:`likelihood` is their weighted sum where all share them.
        """
        r, alpha, s, beta = (np.broadcast_to(np.asarray(p, dtype=float), x.shape) for p in theta)
        value, g, h = np.empty(x.shape), np.empty((4, *x.shape)), np.empty((4, 4, *x.shape))
        for i, *answers in mixture(theta, x, t_x, T):
            value[i], g[:, i], h[:, :, i] = answers
        value += gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        g[0] += digamma(r + x) - digamma(r) + np.log(alpha)
        g[1] += r / alpha
        g[2] += np.log(beta)
        g[3] += s / beta
        h[0, 0] += polygamma(1, r + x) - polygamma(1, r)
        h[0, 1] += 1 / alpha
        h[1, 1] -= r / alpha**2
        h[2, 3] += 1 / beta
        h[3, 3] -= s / beta**2
        for row, column in combinations(range(4), 2):
            h[column, row] = h[row, column]
        return value, g, h

    @classmethod
    def log_likelihoods(cls, thetas: Floats, histories: Histories) -> Floats:
        """Log-likelihood of all histories at many parameters, thetas (n, 4); returns (n,)."""
        h = histories
        per_x = np.bincount(h.frequency.astype(np.intp), weights=h.weight)
        k, m = np.flatnonzero(per_x).astype(float), per_x[per_x > 0].astype(float)
        r, alpha, s, beta = (column[:, None] for column in thetas.T)
        per_k = gammaln(r + k) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        whole = (ln_mixture(list(theta), h.frequency, h.recency, h.T)[0] for theta in thetas)
        return np.array([dot(m, a) + dot(h.weight, b) for a, b in zip(per_k, whole, strict=True)])

    # -- what the history says of the customer ------------------------------------------------

    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """Take the share of the first term of the likelihood."""
        whole, alive = ln_mixture((self.r, self.alpha, self.s, self.beta), x, t_x, T)
        return np.exp(alive - whole)

    @every_row
    def _survival_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """((β + T)/(β + T + t))^s, whatever x."""
        t, x, T = np.broadcast_arrays(t, x, T)
        return np.asarray(np.exp(-self.s * np.log1p(t / (self.beta + T))))

    # -- what to expect -----------------------------------------------------------------------

    @every_row
    def _purchases_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """(r+x)/(α+T) · ∫ ((β+T)/(β+T+u))^s du over 0 < u < t.

        The integral is (β+T) times (1 − e^(−(s−1)l))/(s − 1) with l = ln(1 + t/(β+T)), which has no
        singularity at s = 1.
        """
        since = np.log1p(t / (self.beta + T))
        time_alive = (self.beta + T) * since * exprel((1 - self.s) * since)
        return np.asarray((self.r + x) / (self.alpha + T) * time_alive)

    def _discounted_if_alive(
        self, x: Floats, T: Floats, t_x: Floats, *, rate: float, horizon: float
    ) -> Floats:
        """(r+x)/(α+T) · ∫ e^(−δu) ((β+T)/(β+T+u))^s du over 0 < u < horizon."""
        A, B = self.alpha + T, self.beta + T
        if rate == 0 and math.isinf(horizon):
            return np.asarray((self.r + x) / A * B / (self.s - 1))
        end = horizon if rate == 0 else min(horizon, 60 / rate)
        kappa = rate + (self.s + 1) / B  # keeps u = −B, where the integrand is singular, away
        v_end = np.log1p(kappa * end)
        nodes, weights = panels(max(1, math.ceil(float(np.max(v_end)) / 2)))
        time_alive = np.zeros_like(B)
        for node, weight in zip(nodes, weights, strict=True):
            u = np.expm1(v_end * node) / kappa
            du = weight * v_end * (u + 1 / kappa)
            time_alive = time_alive + du * np.exp(-rate * u - self.s * np.log1p(u / B))
        return np.asarray((self.r + x) / A * time_alive)

    def _pmf_if_alive(self, n: Floats, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """Sum the negative binomials of those who stay, and over v = ln(1 + κu) of those who leave.

        The integrand is log-concave in ln u. If it has its peak before t, that is at least
        1/√h long, h = n(R+s)/(n+R+s). Else it rises towards t, at last at the rate g, and what lies
        more than 40/g before ln t is less than e^−40 of the whole.
        """
        R, A, B, s = self.r + x, self.alpha + T, self.beta + T, self.s
        ln_ways = gammaln(R + n) - gammaln(R) - gammaln(n + 1)
        total = np.exp(ln_ways + xlogy(n, t / (A + t)) - R * np.log1p(t / A) - s * np.log1p(t / B))
        kappa = (R + n + 1) / A + (s + 1) / B
        v_end = np.log1p(kappa * t)
        h = n * (R + s) / (n + R + s)
        g = (n * A - R * t) / (A + t) + 1 - (s + 1) * t / (B + t)
        rises = g > 4
        g = np.where(rises, g, 4)
        v_low = np.where(rises, np.log1p(kappa * t * np.exp(-40 / g)), 0)
        in_v = np.where(rises, g / np.maximum(-np.expm1(-v_end), 1e-300), 4)  # du/dv = u + 1/κ
        width = np.minimum(6 / np.sqrt(16 + h), 6 / in_v)
        # Powers of two, so that rows of like size share a rule.
        count = 2 ** np.ceil(np.log2(np.maximum((v_end - v_low) / width, 1))).astype(int)
        for panel_count in np.unique(count):
            nodes, weights = panels(int(panel_count))
            rows = np.flatnonzero(count == panel_count)
            step = max(1, CHUNK // len(nodes))
            for i in (rows[k : k + step] for k in range(0, len(rows), step)):
                length = (v_end - v_low)[i, None]
                u = np.expm1(v_low[i, None] + length * nodes) / kappa[i, None]
                du = weights * length * (u + 1 / kappa[i, None])
                a, b, m = A[i, None], B[i, None], n[i, None]
                phi = ln_ways[i, None] + xlogy(m, u / (a + u)) - R[i, None] * np.log1p(u / a)
                total[i] += (du * s / b * np.exp(phi - (s + 1) * np.log1p(u / b))).sum(axis=1)
        return total

    # -- simulation ---------------------------------------------------------------------------

    def _draw_histories(self, T: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Purchases until the customer leaves, or until T, are Poisson and at uniform times."""
        rate = rng.gamma(self.r, 1 / self.alpha, T.shape)
        with np.errstate(divide="ignore"):
            lifetime = rng.exponential(size=T.shape) / rng.gamma(self.s, 1 / self.beta, T.shape)
        until = np.minimum(T, lifetime)
        x = rng.poisson(rate * until).astype(float)
        t_x = np.zeros(T.shape)
        some = x > 0
        t_x[some] = until[some] * rng.random(int(some.sum())) ** (1 / x[some])
        return x, t_x

    def _draw_if_alive(
        self, t: Floats, x: Floats, T: Floats, t_x: Floats, rng: np.random.Generator
    ) -> Floats:
        """Draw purchases at rate λ ~ Gamma(r+x, α+T), until leaving at rate μ ~ Gamma(s, β+T)."""
        rate = rng.gamma(self.r + x) / (self.alpha + T)
        leaving = rng.gamma(self.s, size=rate.shape) / (self.beta + T)
        with np.errstate(divide="ignore"):
            lifetime = rng.exponential(size=rate.shape) / leaving
        return np.asarray(rng.poisson(rate * np.minimum(t, lifetime)), dtype=float)

    def dropout_slope(self) -> Floats:
        """Slope of ln E[μ] = ln(s/β) in (ln r, ln α, ln s, ln β)."""
        return np.array([0.0, 0.0, 1.0, -1.0])

    # -- fitting ------------------------------------------------------------------------------

    @classmethod
    def scales(cls, histories: Histories) -> dict[str, float]:
        """α in times between purchases, β in lengths of the log."""
        h = histories
        return {
            "alpha": float((h.weight @ h.T) / (h.weight @ h.frequency)),
            "beta": float(h.T.max()),
        }

    @classmethod
    def starts(cls, histories: Histories) -> list[Floats]:
        """Start from the crude purchase rate and the length of the log, with several guesses."""
        rate = (histories.weight @ histories.frequency) / (histories.weight @ histories.T)
        span = float(histories.T.max())
        return [
            np.array([r, r / (rate * faster), s, s * span * longer])
            for r in (0.3, 1.0)
            for faster in (1.0, 3.0)
            for s, longer in ((0.3, 0.5), (0.7, 2.0))
        ]
