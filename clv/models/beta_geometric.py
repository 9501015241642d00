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
import numpy.typing as npt
from scipy.special import betainc, betaln, digamma, expit, gammaln, polygamma, xlogy

from clv import numerics
from clv.history import Histories
from clv.models.arguments import refuse_impossible
from clv.models.base import Derivatives, Number, PurchaseModel, refuse_endless
from clv.models.beta_geometric_histories import per_history
from clv.numerics import dot

__all__ = ["BetaGeometric"]

CHUNK = 1_000_000
"""Largest number of log-likelihoods held at once (8 MB a column)."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BetaGeometric(PurchaseModel):
    """A beta-geometric/NBD model with given parameters: what BG/NBD and MBG/NBD share."""

    chances_before_repeat: ClassVar[int]
    """How often a customer could have left before the first repeat purchase: 0 or 1."""

    r: float
    alpha: float
    a: float
    b: float

    # -- the likelihood of a history ----------------------------------------------------------

    def log_likelihood(self, x: Number, t_x: Number, T: Number) -> Floats:
        """Log-likelihood ln L(r, α, a, b | x, t_x, T) of each history.

        Of BG/NBD, equation (6) of Fader, Hardie & Lee (2005). A density in the x purchase times:
        in a unit c times as long it is higher by x ln c.

        Parameters
        ----------
        x, t_x, T : float or array_like
            History of each customer.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv import BGNBD
        >>> round(float(BGNBD(.243, 4.414, .793, 2.426).log_likelihood(2, 30.43, 38.86)), 4)
        -9.4586
        """
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        refuse_impossible(x=x, t_x=t_x, T=T)
        x, t_x, T = (np.asarray(v, dtype=float) for v in (x, t_x, T))
        ln_a1 = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        ln_a2 = betaln(a, b + x + self.chances_before_repeat) - betaln(a, b)
        ln_a3 = -(r + x) * np.log(alpha + T)
        ln_mixture = np.logaddexp(0, self._ln_odds_left(x, t_x, T))
        return np.asarray(ln_a1 + ln_a2 + ln_a3 + ln_mixture)[()]

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

    def p_alive(self, x: Number, t_x: Number, T: Number) -> Floats:
        """P(still a customer at T | x, t_x, T).

        In BG/NBD it is 1 for every customer with x = 0, who could only leave after a repeat
        purchase (Fader, Hardie & Lee 2005, note 1); in MBG/NBD it falls with T for them too.

        Parameters
        ----------
        x, t_x, T : float or array_like
            History of each customer.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv import BGNBD
        >>> round(float(BGNBD(.243, 4.414, .793, 2.426).p_alive(2, 30.43, 38.86)), 3)
        0.727
        """
        refuse_impossible(x=x, t_x=t_x, T=T)
        x, t_x, T = (np.asarray(v, dtype=float) for v in (x, t_x, T))
        return np.asarray(expit(-self._ln_odds_left(x, t_x, T)))[()]

    def survival_if_alive(
        self, t: Number, x: Number = 0, T: Number = 0, t_x: Number | None = None
    ) -> Floats:
        """P(alive at T + t | alive at T, x, T) = E_p[((α+T)/(α+T+pt))^(r+x)].

        Parameters
        ----------
        t : float or array_like
            Time ahead.
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : optional
            Time of the last; says nothing more of a customer who is alive.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv import BGNBD
        >>> round(float(BGNBD(.243, 4.414, .793, 2.426).survival_if_alive(52)), 4)
        0.7644
        """
        refuse_impossible(t=t, x=x, T=T)
        return numerics.on_distinct(
            lambda t, x, T: numerics.alive_survival(t, *self._given_alive(x, T)), t, x, T
        )[()]

    def _given_alive(self, x: Floats, T: Floats) -> tuple[Floats, Floats, float, Floats]:
        """R, A, a, B of a customer alive at T: λ ~ Gamma(r+x, α+T), p ~ Beta(a, b+x+o)."""
        return self.r + x, self.alpha + T, self.a, self.b + x + self.chances_before_repeat

    # -- what to expect -----------------------------------------------------------------------

    def expected_purchases_if_alive(
        self, t: Number, x: Number = 0, T: Number = 0, t_x: Number | None = None
    ) -> Floats:
        """E[purchases in (T, T + t] | alive at T, x, T].

        Of BG/NBD, equation (10) of Fader, Hardie & Lee (2005) without its factor P(alive), in a
        form that has no singularity at a = 1: E_p[(1 − ((α+T)/(α+T+pt))^(r+x)) / p],
        p ~ Beta(a, b+x+o).

        Parameters
        ----------
        t : float or array_like
            Time ahead.
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : optional
            Time of the last; says nothing more of a customer who is alive.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv import BGNBD
        >>> model = BGNBD(.243, 4.414, .793, 2.426)
        >>> round(float(model.expected_purchases_if_alive(39, x=2, T=38.86)), 4)
        1.6874
        """
        refuse_impossible(t=t, x=x, T=T)
        return numerics.on_distinct(
            lambda t, x, T: numerics.expected_purchases(t, *self._given_alive(x, T)), t, x, T
        )[()]

    def discounted_purchases_if_alive(
        self,
        x: Number = 0,
        T: Number = 0,
        t_x: Number | None = None,
        *,
        rate: float,
        horizon: float = math.inf,
    ) -> Floats:
        """E[purchases in (T, T + horizon], each times e^(−rate·time) | alive at T, x, T].

        The mean of λ (1 − e^(−(δ + λp) h)) / (δ + λp) over λ and p.

        Parameters
        ----------
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : optional
            Time of the last; says nothing more of a customer who is alive.
        rate : float
            Continuous discount rate δ per unit of time.
        horizon : float, optional
            How far ahead to count; without end by default.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where rate and horizon are negative, or the sum is infinite: no discount, no horizon,
            and a ≤ 1.

        Examples
        --------
        >>> from clv import BGNBD
        >>> weekly = math.log(1.10) / 52.18
        >>> model = BGNBD(.243, 4.414, .793, 2.426)
        >>> round(float(model.discounted_purchases_if_alive(2, 38.86, rate=weekly)), 2)
        8.77
        """
        refuse_endless(rate, horizon, "a", self.a)
        refuse_impossible(x=x, T=T)
        return numerics.on_distinct(
            lambda x, T: numerics.discounted_purchases(horizon, rate, *self._given_alive(x, T)),
            x,
            T,
        )[()]

    def pmf(self, n: Number, t: Number, x: Number = 0, t_x: Number = 0, T: Number = 0) -> Floats:
        """P(n purchases in (T, T + t] | x, t_x, T).

        A customer alive at T is a new one of BG/NBD with r+x, α+T, a and b+x+o for parameters, so
        this is equation (8) of Fader, Hardie & Lee (2005) with those, times P(alive).

        Parameters
        ----------
        n : int or array_like
            Number of purchases.
        t : float or array_like
            Time ahead.
        x, t_x, T : float or array_like
            History of each customer; a new customer by default.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv import BGNBD
        >>> model = BGNBD(.243, 4.414, .793, 2.426)
        >>> [round(float(p), 3) for p in model.pmf([0, 1, 2], t=39)]
        [0.574, 0.199, 0.085]
        """
        refuse_impossible(n=n, t=t, x=x, t_x=t_x, T=T)
        n, t, x, T = (np.asarray(v, dtype=float) for v in (n, t, x, T))
        R, A, a, B = self._given_alive(x, T)
        ln_factorial = gammaln(R + n) - gammaln(R) - gammaln(n + 1)
        ln_rate = xlogy(n, t / (A + t))  # 0 for n = 0, t = 0 too
        stays = ln_factorial - R * np.log1p(t / A) + ln_rate + betaln(a, B + n) - betaln(a, B)
        j = np.maximum(n, 1)
        leaves = np.exp(betaln(a + 1, B + j - 1) - betaln(a, B)) * betainc(j, R, t / (A + t))
        alive = np.exp(stays) + np.where(n > 0, leaves, 0)
        p = self.p_alive(x, t_x, T)
        return np.asarray(p * alive + np.where(n == 0, 1 - p, 0))[()]

    def simulate(self, T: Number, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw (x, t_x) of new customers observed for times T.

        Without dropout a customer would buy K ~ Poisson(λT) times at uniform times; the customer
        leaves at chance N ~ Geometric(p), the repeat N − o. So x = min(K, N − o), and t_x is the
        x-th of K uniforms.

        Parameters
        ----------
        T : float or array_like
            Time from the first purchase to the end of observation, one a customer.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        x, t_x : ndarray
            Repeat transactions and time of the last; t_x = 0 where x = 0.

        Examples
        --------
        >>> from clv import BGNBD
        >>> rng = np.random.default_rng(1)
        >>> x, t_x = BGNBD(.243, 4.414, .793, 2.426).simulate(np.full(4, 39.0), rng)
        >>> x.shape, bool((t_x <= 39).all())
        ((4,), True)
        """
        T = np.asarray(T, dtype=float)
        rate = rng.gamma(self.r, 1 / self.alpha, T.shape)
        p = rng.beta(self.a, self.b, T.shape)
        without = rng.poisson(rate * T)
        x = np.minimum(without, _geometric(p, rng) - self.chances_before_repeat)
        t_x = np.zeros(T.shape)
        some = x > 0
        t_x[some] = T[some] * rng.beta(x[some], without[some] - x[some] + 1)
        return x, t_x

    def simulate_purchases(
        self,
        t: Number,
        rng: np.random.Generator,
        x: Number = 0,
        t_x: Number = 0,
        T: Number = 0,
    ) -> Floats:
        """Draw the number of purchases in (T, T + t] of customers with histories (x, t_x, T).

        A customer is alive with P(alive), and then buys K ~ Poisson(λt) times, or leaves at the
        N-th purchase, N ~ Geometric(p), with λ ~ Gamma(r+x, α+T), p ~ Beta(a, b+x+o).

        Parameters
        ----------
        t : float or array_like
            Time ahead.
        rng : numpy.random.Generator
            Source of the randomness.
        x, t_x, T : float or array_like
            History of each customer; new customers by default.

        Returns
        -------
        ndarray

        Examples
        --------
        >>> from clv import BGNBD
        >>> rng = np.random.default_rng(1)
        >>> BGNBD(.243, 4.414, .793, 2.426).simulate_purchases(52.0, rng, [26, 2], [30, 9], 31)
        array([6., 0.])
        """
        refuse_impossible(t=t, x=x, t_x=t_x, T=T)
        t, x, t_x, T = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (t, x, t_x, T)))
        alive = rng.random(x.shape) < self.p_alive(x, t_x, T)
        bought = np.zeros(x.shape)
        R, A, a, B = self._given_alive(x[alive], T[alive])
        without = rng.poisson(rng.gamma(R) / A * t[alive])
        bought[alive] = np.minimum(without, _geometric(rng.beta(a, B), rng))
        return bought

    def dropout_slope(self) -> Floats:
        """Slope of ln E[p] = ln(a/(a + b)) in (ln r, ln α, ln a, ln b)."""
        stays = self.b / (self.a + self.b)
        return np.array([0.0, 0.0, stays, -stays])

    # -- fitting ------------------------------------------------------------------------------

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


def _geometric(p: Floats, rng: np.random.Generator) -> Floats:
    """Draw geometric numbers from 1 by inversion; inf for the p = 0 that a small a draws."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        drawn = np.ceil(np.log(rng.random(p.shape)) / np.log1p(-p))
    drawn = np.where(np.isfinite(drawn), np.maximum(drawn, 1), np.inf)
    return np.where(p == 1, 1, drawn)
