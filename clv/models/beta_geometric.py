"""Beta-geometric/NBD: customers buy at random and may leave after a purchase.

What BG/NBD and its modification share. While alive a customer buys at rate λ ~ Gamma(r, α); after a
purchase the customer leaves with probability p ~ Beta(a, b). In BG/NBD that can happen after each
repeat purchase; in MBG/NBD after the first purchase too. With o = 0 or 1 such chances before the
first repeat, a customer with x repeats who is alive has survived x + o of them, so

    L = Γ(r+x) α^r / Γ(r) · { B(a, b+x+o)/B(a, b) · (α+T)^−(r+x)
                            + 1[x+o > 0] · B(a+1, b+x+o−1)/B(a, b) · (α+t_x)^−(r+x) },

and given alive λ ~ Gamma(r+x, α+T), p ~ Beta(a, b+x+o): from there on the models are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import betainc, betaln, digamma, expit, gammaln, polygamma, xlogy

from clv import numerics
from clv.arrays import Floats
from clv.history import Histories
from clv.models.base import Derivatives, PurchaseModel
from clv.models.beta_geometric_histories import per_history
from clv.models.beta_geometric_lifetime import survived
from clv.models.purchase_formulas import Number, every_row
from clv.numerics import dot

__all__ = ["BetaGeometric"]

CHUNK = 100_000
"""Log-likelihoods held at once: .8 MB a column, for the processor's cache."""


@dataclass(frozen=True)
class BetaGeometric(PurchaseModel):
    """A beta-geometric/NBD model with given parameters: what BG/NBD and MBG/NBD share."""

    dropout_shape: ClassVar[str] = "a"

    chances_before_repeat: ClassVar[int]
    """How often a customer could have left before the first repeat purchase: 0 or 1."""

    r: float
    alpha: float
    a: float
    b: float

    # -- the likelihood of a history ----------------------------------------------------------

    @every_row
    def _log_likelihood(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """Of BG/NBD, equation (6) of Fader, Hardie & Lee (2005)."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        ln_a1 = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        ln_a2 = betaln(a, b + x + self.chances_before_repeat) - betaln(a, b)
        ln_a3 = -(r + x) * np.log(alpha + T)
        ln_mixture = np.logaddexp(0, self._ln_odds_left(x, t_x, T))
        return np.asarray(ln_a1 + ln_a2 + ln_a3 + ln_mixture)

    def _ln_odds_left(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """Log-odds of having left; −inf where there was no chance to leave yet, x + o = 0."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        growth = np.log1p((T - t_x) / (alpha + t_x))
        chances = x + self.chances_before_repeat
        odds = np.log(a / (b + np.maximum(chances, 1) - 1)) + (r + x) * growth
        return np.where(chances > 0, odds, -np.inf)

    @classmethod
    def likelihood(cls, theta: Floats, histories: Histories) -> Derivatives:
        """Log-likelihood of all histories with exact derivatives in (r, α, a, b).

        ln L = G(x; r, a, b) + r ln α + ln(e^u + e^w), u = −(r+x) ln(α+T) for the customers who are
        alive, w = ln a − ln(b+x+o−1) − (r+x) ln(α+t_x) for those who left. G depends on x alone, so
        it costs as much as there are different x.
        """
        r, alpha, a, b = theta
        o = cls.chances_before_repeat
        x, t_x, T, n = histories.frequency, histories.recency, histories.T, histories.weight
        could_leave = x + o > 0

        per_x = np.bincount(x.astype(np.intp), weights=n)
        k = np.flatnonzero(per_x)
        m = per_x[k]
        customers = m.sum()
        b_k = b + k + o
        value = float(m @ (gammaln(r + k) - gammaln(r) + betaln(a, b_k) - betaln(a, b)))
        value += customers * r * math.log(alpha)
        d_ab, dd_ab = (
            digamma(a + b) - digamma(a + b_k),
            polygamma(1, a + b) - polygamma(1, a + b_k),
        )
        g = np.array(
            [
                m @ (digamma(r + k) - digamma(r)) + customers * math.log(alpha),
                customers * r / alpha,
                m @ d_ab,
                m @ (d_ab + digamma(b_k) - digamma(b)),
            ]
        )
        h = np.zeros((4, 4))
        h[0, 0] = m @ (polygamma(1, r + k) - polygamma(1, r))
        h[0, 1] = customers / alpha
        h[1, 1] = -customers * r / alpha**2
        h[2, 2] = h[2, 3] = m @ dd_ab
        h[3, 3] = m @ (dd_ab + polygamma(1, b_k) - polygamma(1, b))

        # ln(e^u + e^w): customers who could not leave yet have the first term only.
        y, bT = r + x, alpha + T
        ln_T, y_T = np.log(bT), y / bT
        n0 = np.where(could_leave, 0, n)
        value -= dot(n0, y * ln_T)
        g[0] -= dot(n0, ln_T)
        g[1] -= dot(n0, y_T)
        h[0, 1] -= dot(n0, 1 / bT)
        h[1, 1] += dot(n0, y_T / bT)

        x, t_x, y, n, bT, ln_T, y_T = (v[could_leave] for v in (x, t_x, y, n, bT, ln_T, y_T))
        bt = alpha + t_x
        ln_t, c, y_t = np.log(bt), b + x + o - 1, y / bt
        ln_odds = math.log(a) - np.log(c) + y * (ln_T - ln_t)
        left = expit(ln_odds)
        value += dot(n, np.logaddexp(0, ln_odds) - y * ln_T)
        # Gradients of u and of w − u; the Hessian is Σ (1−q) u'' + q w'' + q(1−q)(w−u)'(w−u)'ᵀ.
        q = n * left
        stay, s = n - q, q * (1 - left)
        e = [ln_T - ln_t, y_T - y_t, np.full_like(c, 1 / a), -1 / c]
        g[0] += dot(q, e[0]) - dot(n, ln_T)
        g[1] += dot(q, e[1]) - dot(n, y_T)
        g[2] += q.sum() / a
        g[3] += dot(q, e[3])
        h[0, 1] -= dot(stay, 1 / bT) + dot(q, 1 / bt)
        h[1, 1] += dot(stay, y_T / bT) + dot(q, y_t / bt)
        h[2, 2] -= q.sum() / a**2
        h[3, 3] += dot(q, 1 / c**2)
        for i in range(4):
            se = s * e[i]
            for j in range(i, 4):
                h[i, j] += dot(se, e[j])
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
            (r, α, a, b): one number for all histories, or one a history.
        x, t_x, T : ndarray, shape (n,)
            The histories.

        Returns
        -------
        value, gradient, hessian : ndarray, shapes (n,), (4, n) and (4, 4, n)
            In (r, α, a, b); :meth:`likelihood` is their weighted sum where all share them.
        """
        return per_history(theta, x, t_x, T, cls.chances_before_repeat)

    @classmethod
    def log_likelihoods(cls, thetas: Floats, histories: Histories) -> Floats:
        """Log-likelihood of all histories at many parameters, thetas (n, 4); returns (n,)."""
        o = cls.chances_before_repeat
        h = histories
        k, at = np.unique(h.frequency, return_inverse=True)
        m = np.bincount(at, weights=h.weight)
        step = max(1, CHUNK // len(h))
        parts = []
        for some in (thetas[i : i + step] for i in range(0, len(thetas), step)):
            r, alpha, a, b = (column[:, None] for column in some.T)
            b_k = b + k + o
            per_x = gammaln(r + k) - gammaln(r) + betaln(a, b_k) - betaln(a, b) + r * np.log(alpha)
            ln_c = np.log(a / np.maximum(b_k - 1, 1e-300))
            ln_c[:, k + o == 0] = -np.inf
            y, ln_T = r + h.frequency, np.log(alpha + h.T)
            odds = ln_c[:, at] + y * (ln_T - np.log(alpha + h.recency))
            mixture = np.logaddexp(0, odds) - y * ln_T
            parts.append(np.einsum("ij,j->i", per_x, m) + np.einsum("ij,j->i", mixture, h.weight))
        return np.concatenate(parts)

    # -- what the history says of the customer ------------------------------------------------

    @every_row
    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return np.asarray(expit(-self._ln_odds_left(x, t_x, T)))

    def _survival_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """E_p[((α+T)/(α+T+pt))^(r+x)]."""
        return numerics.alive_survival(t, *self._given_alive(x, T))

    def _given_alive(self, x: Floats, T: Floats) -> tuple[Floats, Floats, float, Floats]:
        """R, A, a, B of a customer alive at T: λ ~ Gamma(r+x, α+T), p ~ Beta(a, b+x+o)."""
        return self.r + x, self.alpha + T, self.a, self.b + x + self.chances_before_repeat

    # -- what to expect -----------------------------------------------------------------------

    def _purchases_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """Of BG/NBD, equation (10) of Fader, Hardie & Lee (2005) without its factor P(alive).

        In a form that has no singularity at a = 1: E_p[(1 − ((α+T)/(α+T+pt))^(r+x)) / p],
        p ~ Beta(a, b+x+o).
        """
        return numerics.expected_purchases(t, *self._given_alive(x, T))

    def _discounted_if_alive(
        self, x: Floats, T: Floats, t_x: Floats, *, rate: float, horizon: float
    ) -> Floats:
        return numerics.discounted_purchases(horizon, rate, *self._given_alive(x, T))

    @every_row
    def _pmf_if_alive(self, n: Floats, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """Equation (8) of Fader, Hardie & Lee (2005) with the parameters of a customer alive at T.

        Such a customer is a new one of BG/NBD with r+x, α+T, a and b+x+o for parameters.
        """
        R, A, a, B = self._given_alive(x, T)
        ln_factorial = gammaln(R + n) - gammaln(R) - gammaln(n + 1)
        ln_rate = xlogy(n, t / (A + t))  # 0 for n = 0, t = 0 too
        stays = ln_factorial - R * np.log1p(t / A) + ln_rate + betaln(a, B + n) - betaln(a, B)
        j = np.maximum(n, 1)
        leaves = np.exp(betaln(a + 1, B + j - 1) - betaln(a, B)) * betainc(j, R, t / (A + t))
        return np.asarray(np.exp(stays) + np.where(n > 0, leaves, 0))

    # -- simulation ---------------------------------------------------------------------------

    def _draw_histories(self, T: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Without dropout a customer would buy K ~ Poisson(λT) times at uniform times.

        The customer leaves at chance N ~ Geometric(p), the repeat N − o. So x = min(K, N − o), and
        t_x is the x-th of K uniforms.
        """
        rate = rng.gamma(self.r, 1 / self.alpha, T.shape)
        p = rng.beta(self.a, self.b, T.shape)
        without = rng.poisson(rate * T)
        x = np.minimum(without, 1 + survived(p, rng) - self.chances_before_repeat)
        t_x = np.zeros(T.shape)
        some = x > 0
        t_x[some] = T[some] * rng.beta(x[some], without[some] - x[some] + 1)
        return x, t_x

    def _draw_if_alive(
        self, t: Floats, x: Floats, T: Floats, t_x: Floats, rng: np.random.Generator
    ) -> Floats:
        """Draw K ~ Poisson(λt), or N ~ Geometric(p) at which the customer leaves, the smaller."""
        R, A, a, B = self._given_alive(x, T)
        without = rng.poisson(rng.gamma(R) / A * t)
        return np.asarray(np.minimum(without, 1 + survived(rng.beta(a, B), rng)))

    def dropout_slope(self) -> Floats:
        """Slope of ln E[p] = ln(a/(a + b)) in (ln r, ln α, ln a, ln b)."""
        stays = self.b / (self.a + self.b)
        return np.array([0.0, 0.0, stays, -stays])

    # -- fitting ------------------------------------------------------------------------------

    @classmethod
    def scales(cls, histories: Histories) -> dict[str, float]:
        """α in times between purchases."""
        h = histories
        return {"alpha": float((h.weight @ h.T) / (h.weight @ h.frequency))}

    @classmethod
    def starts(cls, histories: Histories) -> list[Floats]:
        """Start from the crude purchase rate, with several guesses of how unequal customers are."""
        rate = (histories.weight @ histories.frequency) / (histories.weight @ histories.T)
        return [
            np.array([r, r / (rate * faster), a, b])
            for r in (0.25, 1.0)
            for faster in (1.0, 3.0)
            for a, b in ((0.2, 4.0), (0.8, 2.5))
        ]
