"""Beta-geometric models of regular customers: times between purchases are Erlang-k.

What BG/CNBD-k and MBG/CNBD-k share. A hidden counter explains them: phases arrive as a Poisson
process of rate λ ~ Gamma(r, α), and every k-th is a purchase. With k = 1 every phase is one, which
is BG/NBD; the larger k, the more regular the customer. Dropout is that of BG/NBD: after a purchase
the customer leaves with probability p ~ Beta(a, b), with o = 0 or 1 chances of it before
the first repeat.

A customer with x repeats, the last at t_x, has R = r + kx, and either left at t_x or is alive at T
with j < k further phases, so that with c = (Σ of ln times between purchases)

    L = e^((k−1)c) / Γ(k)^x · Γ(R) α^r / Γ(r) · {
          B(a, b+x+o)/B(a, b) · Σ_j Γ(R+j)/(Γ(R) j!) (T − t_x)^j (α+T)^−(R+j)
        + 1[x+o > 0] · B(a+1, b+x+o−1)/B(a, b) · (α+t_x)^−R },

a sum of positive terms. c meets no parameter: it moves the log-likelihood by a constant and decides
between one k and another. Given alive, the terms are the weights of j, λ ~ Gamma(R + j, α + T) and
p ~ Beta(a, b+x+o); what such a customer does next is in :mod:`clv.models.condensed_future`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln, logsumexp, polygamma

from clv.arrays import Floats
from clv.history import Histories
from clv.models.base import Derivatives
from clv.models.beta_geometric_lifetime import survived
from clv.models.condensed_future import CondensedFuture
from clv.models.condensed_likelihood import add_terms, all_ln_times, ln_terms, ln_times
from clv.models.purchase_formulas import Number, each, every_row
from clv.numerics import dot

__all__ = ["CondensedBetaGeometric"]

ROWS = 100_000
"""Histories whose terms are held at once."""


@dataclass(frozen=True, init=False)
class CondensedBetaGeometric(CondensedFuture):
    """What BG/CNBD-k and MBG/CNBD-k share; each k is a model (a class) of its own."""

    # -- the likelihood of a history ----------------------------------------------------------

    def log_likelihood(
        self, x: Number, t_x: Number, T: Number, log_gaps: Number | None = None
    ) -> Floats:
        """Log-likelihood ln L(r, α, a, b | x, t_x, T) of each history.

        Parameters
        ----------
        x, t_x, T : float or array_like
            History of each customer.
        log_gaps : float or array_like, optional
            Sum of the logarithms of the times between its purchases. Without it, L is the mean over
            all the times at which x purchases up to t_x can have been, which is what compares with
            the likelihood of BG/NBD where only (x, t_x, T) is known.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv.models.mbg_cnbd import MBGCNBD
        >>> model = MBGCNBD(r=.5, alpha=3.1, a=.9, b=1.6, k=2)
        >>> gaps = np.log([10.0, 20.43])
        >>> round(float(model.log_likelihood(2, 30.43, 38.86, log_gaps=gaps.sum())), 4)
        -9.0636
        """
        self._refuse(x=x, t_x=t_x, T=T)
        return each(self._log_likelihood, x, t_x, T, log_gaps=log_gaps)

    @every_row
    def _log_likelihood(
        self, x: Floats, t_x: Floats, T: Floats, log_gaps: Number | None = None
    ) -> Floats:
        r, alpha, a, b, k = self.r, self.alpha, self.a, self.b, self.k
        x, t_x, T = np.broadcast_arrays(x, t_x, T)
        phi = list(ln_terms(self._theta, k, self.chances_before_repeat, x, t_x, T))
        R = r + k * x
        ln = gammaln(R) - gammaln(r) + r * math.log(alpha) - R * np.log(alpha + T)
        ln += betaln(a, b + x + self.chances_before_repeat) - betaln(a, b)
        return np.asarray(ln + logsumexp(phi, axis=0) + ln_times(k, x, t_x, log_gaps))

    @property
    def _theta(self) -> Floats:
        return np.array([self.r, self.alpha, self.a, self.b])

    @classmethod
    def likelihood(cls, theta: Floats, histories: Histories) -> Derivatives:
        """Log-likelihood of all histories with exact derivatives in (r, α, a, b).

        ln Σ e^φ over the terms φ of {...}: with q the share of each term the gradient is Σ q φ' and
        the Hessian Σ q φ'' + Σ q (φ' − Σ q φ')(φ' − Σ q φ')ᵀ. The factor before {...} depends on x
        alone, so it costs as much as there are different x.
        """
        r, alpha, a, b = theta
        k, o = cls.k, cls.chances_before_repeat
        x, n = histories.frequency, histories.weight
        per_x = np.bincount(x.astype(np.intp), weights=n)
        m = per_x[per_x > 0].astype(float)
        some = np.flatnonzero(per_x).astype(float)
        R, b_x = r + k * some, b + some + o
        customers = float(m.sum())
        value = dot(m, gammaln(R) - gammaln(r) + betaln(a, b_x) - betaln(a, b))
        value += customers * r * math.log(alpha) + all_ln_times(k, histories)
        d_ab = digamma(a + b) - digamma(a + b_x)
        dd_ab = polygamma(1, a + b) - polygamma(1, a + b_x)
        g = np.array(
            [
                dot(m, digamma(R) - digamma(r)) + customers * math.log(alpha),
                customers * r / alpha,
                dot(m, d_ab),
                dot(m, d_ab + digamma(b_x) - digamma(b)),
            ]
        )
        h = np.zeros((4, 4))
        h[0, 0] = dot(m, polygamma(1, R) - polygamma(1, r))
        h[0, 1] = customers / alpha
        h[1, 1] = -customers * r / alpha**2
        h[2, 2] = h[2, 3] = dot(m, dd_ab)
        h[3, 3] = dot(m, dd_ab + polygamma(1, b_x) - polygamma(1, b))
        for i in (slice(c, c + ROWS) for c in range(0, len(x), ROWS)):
            value += add_terms(theta, k, o, x[i], histories.recency[i], histories.T[i], n[i], g, h)
        h = np.triu(h) + np.triu(h, 1).T
        return Derivatives(float(value), g, h)

    @classmethod
    def log_likelihoods(cls, thetas: Floats, histories: Histories) -> Floats:
        """Log-likelihood of all histories at many parameters, thetas (n, 4); returns (n,)."""
        k, o, h = cls.k, cls.chances_before_repeat, histories
        x, at = np.unique(h.frequency, return_inverse=True)
        m = np.bincount(at, weights=h.weight)
        step = max(1, ROWS // len(h))
        parts = []
        for some in (thetas[i : i + step].T[:, :, None] for i in range(0, len(thetas), step)):
            r, alpha, a, b = some
            R, b_x = r + k * x, b + x + o
            per_x = gammaln(R) - gammaln(r) + r * np.log(alpha) + betaln(a, b_x) - betaln(a, b)
            terms = np.logaddexp.reduce(
                list(ln_terms(some, k, o, h.frequency, h.recency, h.T)), axis=0
            )
            mixture = terms - R[:, at] * np.log(alpha + h.T)
            parts.append(np.einsum("ij,j->i", per_x, m) + np.einsum("ij,j->i", mixture, h.weight))
        return np.concatenate(parts) + all_ln_times(k, h)

    # -- what the history says of the customer ------------------------------------------------

    @every_row
    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """Take the share of all terms of the likelihood but one.

        A regular customer who is overdue is sooner given up than BG/NBD would.
        """
        x, t_x, T = np.broadcast_arrays(x, t_x, T)
        *alive, left = ln_terms(self._theta, self.k, self.chances_before_repeat, x, t_x, T)
        return np.asarray(np.exp(-np.logaddexp(0, left - logsumexp(alive, axis=0))))

    # -- simulation ---------------------------------------------------------------------------

    def _draw_histories(self, T: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Of Poisson(λT) phases every k-th is a purchase, up to chance N ~ Geometric(p) to leave.

        That is the repeat N − o. t_x is the kx-th of the phases' uniform times.
        """
        k = self.k
        phases = rng.poisson(rng.gamma(self.r, 1 / self.alpha, T.shape) * T)
        last = 1 + survived(rng.beta(self.a, self.b, T.shape), rng)
        x = np.minimum(phases // k, last - self.chances_before_repeat)
        t_x = np.zeros(T.shape)
        some = x > 0
        t_x[some] = T[some] * rng.beta(k * x[some], phases[some] - k * x[some] + 1)
        return x, t_x

    def simulate_log_gaps(self, x: Number, t_x: Number, rng: np.random.Generator) -> Floats:
        """Draw the sum of ln times between purchases of customers with x repeats up to t_x.

        The times are t_x times a Dirichlet(k, …, k) draw, whatever λ is.

        Parameters
        ----------
        x, t_x : float or array_like
            Repeat transactions, and time of the last, as :meth:`simulate` draws them.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        ndarray
            0 where x = 0.

        Examples
        --------
        >>> from clv.models.mbg_cnbd import MBGCNBD
        >>> rng = np.random.default_rng(1)
        >>> model = MBGCNBD(r=.5, alpha=3.1, a=.9, b=1.6, k=2)
        >>> bool(np.isclose(model.simulate_log_gaps([0, 1], [0, 9.0], rng)[1], np.log(9)))
        True
        """
        x, t_x = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (x, t_x)))
        whose = np.repeat(np.arange(x.size), x.ravel().astype(np.intp))
        lengths = rng.gamma(self.k, size=len(whose))
        total = np.bincount(whose, lengths, x.size)
        shares = lengths / total[whose] * t_x.ravel()[whose]
        ln = np.asarray(np.bincount(whose, np.log(shares), x.size), dtype=float)
        return ln.reshape(x.shape)

    # -- fitting ------------------------------------------------------------------------------

    @classmethod
    def scales(cls, histories: Histories) -> dict[str, float]:
        """α in times between phases, k of which make a purchase."""
        h = histories
        return {"alpha": float((h.weight @ h.T) / (cls.k * h.weight @ h.frequency))}

    @classmethod
    def starts(cls, histories: Histories) -> list[Floats]:
        """Start from the crude rate of phases, with guesses of how unequal customers are."""
        rate = cls.k * (histories.weight @ histories.frequency) / (histories.weight @ histories.T)
        return [
            np.array([r, r / (rate * faster), a, b])
            for r in (0.25, 1.0)
            for faster in (1.0, 3.0)
            for a, b in ((0.2, 4.0), (0.8, 2.5))
        ]

    @classmethod
    def sample(cls, histories: Histories, patterns: int) -> Histories:
        """Take every so-many-th pattern; the times between purchases decide nothing in a search."""
        some = super().sample(histories, patterns)
        return Histories(some.frequency, some.recency, some.T, some.weight, unit=some.unit)

    @classmethod
    def parts(cls, histories: Histories) -> Sequence[Histories]:
        """Leave them together: the times between purchases are those of all customers."""
        return [histories]
