"""What regular customers do next: expectations, counts and draws of BG/CNBD-k and MBG/CNBD-k.

Each is a mean over the phases j since the last purchase, weighed as in the likelihood, of what
:mod:`clv.models.erlang` says of a customer who is alive and j phases past it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from clv.errors import RequestError
from clv.models import erlang
from clv.models.arguments import refuse_impossible
from clv.models.base import Number
from clv.models.condensed_likelihood import ln_phases
from clv.models.family_of_k import FamilyOfK
from clv.numerics import on_distinct

__all__ = ["CondensedFuture", "leaves_at"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, init=False)
class CondensedFuture(FamilyOfK):
    """The part of a condensed beta-geometric model that looks ahead."""

    chances_before_repeat: ClassVar[int]
    """How often a customer could have left before the first repeat purchase: 0 or 1."""

    def survival_if_alive(
        self, t: Number, x: Number = 0, T: Number = 0, t_x: Number | None = None
    ) -> Floats:
        """P(alive at T + t | alive at T, x, t_x, T).

        Parameters
        ----------
        t : float or array_like
            Time ahead.
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : float or array_like, optional
            Time of the last; without it, the mean over what it can have been.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv.models.mbg_cnbd import MBGCNBD
        >>> round(float(MBGCNBD(r=.5, alpha=3.1, a=.9, b=1.6, k=2).survival_if_alive(52)), 4)
        0.6437
        """
        refuse_impossible(t=t)

        def mean(j: Floats, t: Floats, R: Floats, A: Floats, B: Floats) -> Floats:
            return erlang.alive_survival(t, R, A, self.a, B, self.k, j)

        # Rounding may lift a sum of probabilities above 1.
        return np.minimum(self._mean_over_phases(mean, x, T, t_x, t), 1.0)

    def _ln_phase_weights(self, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """Log-weights of j = 0 … k−1 phases since the last purchase, shape (k, n); nan: unknown.

        Up to a constant (R)_j (T−t_x)^j / (j! (α+T)^j); where t_x is not known, by the chance of
        kx + j phases in T, (R)_j (kx)! T^j / ((kx+j)! (α+T)^j).
        """
        k = self.k
        known = ~np.isnan(t_x)
        since = np.where(known, T - t_x, T) / (self.alpha + T)
        done = np.where(known, 0, k * x)
        return np.stack(list(ln_phases(k, self.r + k * x, since, done)))

    def _mean_over_phases(
        self,
        given_j: Callable[..., Floats],
        x: Number,
        T: Number,
        t_x: Number | None,
        *ahead: Number,
    ) -> Floats:
        """Mean of given_j(j, *ahead, R + j, A, B) over the phases j since the last purchase."""
        k, o = self.k, self.chances_before_repeat
        unknown = np.where(np.asarray(x) == 0, 0.0, np.nan)

        refuse_impossible(x=x, t_x=t_x, T=T)

        def distinct(x: Floats, T: Floats, t_x: Floats, *ahead: Floats) -> Floats:
            weights = softmax(self._ln_phase_weights(x, T, t_x), axis=0)
            j, row = np.nonzero(weights)
            j = j.astype(float)
            R, A, B = self.r + k * x[row] + j, self.alpha + T[row], self.b + x[row] + o
            each = given_j(j, *(v[row] for v in ahead), R, A, B)
            return np.asarray(np.bincount(row, weights[weights > 0] * each, len(x)), dtype=float)

        return on_distinct(distinct, x, T, unknown if t_x is None else t_x, *ahead)[()]

    # -- what to expect -----------------------------------------------------------------------

    def expected_purchases(
        self, t: Number, x: Number = 0, t_x: Number = 0, T: Number = 0
    ) -> Floats:
        """E[purchases in (T, T + t] | x, t_x, T] = P(alive) × E[... | alive].

        Parameters
        ----------
        t : float or array_like
            Time ahead.
        x, t_x, T : float or array_like
            History of each customer; a new customer by default.

        Returns
        -------
        float or ndarray
        """
        return self.p_alive(x, t_x, T) * self.expected_purchases_if_alive(t, x, T, t_x)

    def expected_purchases_if_alive(
        self, t: Number, x: Number = 0, T: Number = 0, t_x: Number | None = None
    ) -> Floats:
        """E[purchases in (T, T + t] | alive at T, x, t_x, T].

        Unlike in BG/NBD it depends on t_x: the longer ago, the nearer the next purchase.

        Parameters
        ----------
        t : float or array_like
            Time ahead.
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : float or array_like, optional
            Time of the last; without it, the mean over what it can have been.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv.models.mbg_cnbd import MBGCNBD
        >>> model = MBGCNBD(r=.5, alpha=3.1, a=.9, b=1.6, k=2)
        >>> round(float(model.expected_purchases_if_alive(39, x=2, T=38.86, t_x=30.43)), 4)
        1.9388
        """
        refuse_impossible(t=t)

        def mean(j: Floats, t: Floats, R: Floats, A: Floats, B: Floats) -> Floats:
            return erlang.expected_purchases(t, R, A, self.a, B, self.k, j)

        return self._mean_over_phases(mean, x, T, t_x, t)

    def discounted_expected_transactions(
        self,
        x: Number = 0,
        t_x: Number = 0,
        T: Number = 0,
        *,
        rate: float,
        horizon: float = math.inf,
    ) -> Floats:
        """Discounted expected (residual) transactions: each purchase worth e^(−rate·time).

        Parameters
        ----------
        x, t_x, T : float or array_like
            History of each customer; a new customer by default.
        rate : float
            Continuous discount rate per unit of time.
        horizon : float, optional
            How far ahead to count; without end by default.

        Returns
        -------
        float or ndarray
        """
        alive = self.discounted_purchases_if_alive(x, T, t_x, rate=rate, horizon=horizon)
        return self.p_alive(x, t_x, T) * alive

    def discounted_purchases_if_alive(
        self,
        x: Number = 0,
        T: Number = 0,
        t_x: Number | None = None,
        *,
        rate: float,
        horizon: float = math.inf,
    ) -> Floats:
        """E[purchases in (T, T + horizon], each times e^(−rate·time) | alive at T, x, t_x, T].

        Parameters
        ----------
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : float or array_like, optional
            Time of the last; without it, the mean over what it can have been.
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
        >>> from clv.models.mbg_cnbd import MBGCNBD
        >>> model = MBGCNBD(r=.5, alpha=3.1, a=.9, b=1.6, k=2)
        >>> weekly = math.log(1.10) / 52.18
        >>> round(float(model.discounted_purchases_if_alive(2, 38.86, 30.43, rate=weekly)), 2)
        8.9
        """
        if not (rate >= 0 and horizon >= 0):
            raise RequestError(
                f"The discount rate and the horizon cannot be negative; got rate = {rate}, "
                f"horizon = {horizon}."
            )
        if rate == 0 and math.isinf(horizon) and self.a <= 1:
            raise RequestError(
                f"Without a discount rate and a horizon the expected number of purchases is "
                f"infinite, because a = {self.a:.3g} is not above 1: some customers never leave. "
                "Give one of the two."
            )

        def mean(j: Floats, R: Floats, A: Floats, B: Floats) -> Floats:
            return erlang.discounted_purchases(horizon, rate, R, A, self.a, B, self.k, j)

        return self._mean_over_phases(mean, x, T, t_x)

    def pmf(self, n: Number, t: Number, x: Number = 0, t_x: Number = 0, T: Number = 0) -> Floats:
        """P(n purchases in (T, T + t] | x, t_x, T).

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
        >>> from clv.models.mbg_cnbd import MBGCNBD
        >>> model = MBGCNBD(r=.5, alpha=3.1, a=.9, b=1.6, k=2)
        >>> [round(float(p), 3) for p in model.pmf([0, 1, 2], t=39)]
        [0.614, 0.173, 0.081]
        """
        refuse_impossible(n=n, t=t)

        def mean(j: Floats, n: Floats, t: Floats, R: Floats, A: Floats, B: Floats) -> Floats:
            return erlang.purchases_pmf(n, t, R, A, self.a, B, self.k, j)

        p = self.p_alive(x, t_x, T)
        alive = self._mean_over_phases(mean, x, T, t_x, n, t)
        return np.asarray(p * alive + np.where(np.asarray(n) == 0, 1 - p, 0))[()]

    def simulate_purchases(
        self,
        t: Number,
        rng: np.random.Generator,
        x: Number = 0,
        t_x: Number = 0,
        T: Number = 0,
    ) -> Floats:
        """Draw the number of purchases in (T, T + t] of customers with histories (x, t_x, T).

        A customer is alive with P(alive) and then j phases past the last purchase; of Poisson(λt)
        more every k-th is a purchase, up to the one at which the customer leaves.

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
        >>> from clv.models.mbg_cnbd import MBGCNBD
        >>> rng = np.random.default_rng(1)
        >>> model = MBGCNBD(r=.5, alpha=3.1, a=.9, b=1.6, k=2)
        >>> model.simulate_purchases(52.0, rng, [26, 2], [30, 9], 31).shape
        (2,)
        """
        refuse_impossible(t=t, x=x, t_x=t_x, T=T)
        t, x, t_x, T = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (t, x, t_x, T)))
        k = self.k
        alive = rng.random(x.shape) < self.p_alive(x, t_x, T)
        x_a, T_a = x[alive], T[alive]
        weights = softmax(self._ln_phase_weights(x_a, T_a, t_x[alive]), axis=0)
        j = (rng.random(x_a.shape) > np.cumsum(weights, axis=0)[:-1]).sum(axis=0)
        rate = rng.gamma(self.r + k * x_a + j) / (self.alpha + T_a)
        without = (j + rng.poisson(rate * t[alive])) // k
        p = rng.beta(self.a, self.b + x_a + self.chances_before_repeat)
        bought = np.zeros(x.shape)
        bought[alive] = np.minimum(without, leaves_at(p, rng))
        return bought


def leaves_at(p: Floats, rng: np.random.Generator) -> Floats:
    """Draw geometric numbers from 1; inf for the p = 0 that a small a draws."""
    with np.errstate(divide="ignore"):
        return np.maximum(1, np.ceil(rng.exponential(size=p.shape) / -np.log1p(-p)))
