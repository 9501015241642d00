"""What every model of purchases answers, said once: meaning, arguments, checks, shapes.

A public answer refuses what cannot be, broadcasts its arguments, has the model's formula computed
once for each distinct row, and spreads it back to the shape asked. The formulas themselves are in
:mod:`clv.models.purchase_formulas`.
"""

from __future__ import annotations

import math

import numpy as np

from clv.arrays import Floats
from clv.models.arguments import refuse_endless
from clv.models.lifetimes_names import PurchaseNames
from clv.models.purchase_formulas import Number, PurchaseFormulas, each

__all__ = ["PurchaseAnswers"]


class PurchaseAnswers(PurchaseNames, PurchaseFormulas):
    """The questions that can be asked of any model of purchases; :class:`PurchaseModel`."""

    # -- what the history says of the customer ------------------------------------------------

    def log_likelihood(self, x: Number, t_x: Number, T: Number) -> Floats:
        """Log-likelihood of each history, ln L(θ | x, t_x, T).

        With continuous time, a density in the x purchase times: in a unit c times as long it is
        higher by x ln c. With opportunities (BG/BB), the probability of one order of purchases and
        misses; the C(t_x − 1, x − 1) orders with the same x and t_x are equally likely.

        Parameters
        ----------
        x, t_x, T : float or array_like
            History of each customer.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where a history is impossible, naming the rows (BG/BB: HistoryError).

        Examples
        --------
        >>> from clv import BGNBD
        >>> round(float(BGNBD(.243, 4.414, .793, 2.426).log_likelihood(2, 30.43, 38.86)), 4)
        -9.4586
        """
        self._refuse(x=x, t_x=t_x, T=T)
        return each(self._log_likelihood, x, t_x, T)

    def p_alive(self, x: Number, t_x: Number, T: Number) -> Floats:
        """P(still a customer at T | x, t_x, T).

        In BG/NBD and BG/CNBD-k it is 1 for every customer with x = 0, who could only leave after a
        repeat purchase (Fader, Hardie & Lee 2005, note 1); in the other models it falls with T for
        them too. BG/BB gives the paper's P(there for opportunity T + 1), which is below 1 even for
        a customer who has just bought; P(not yet left at opportunity T itself) is that times
        (γ + δ + T)/(δ + T).

        Parameters
        ----------
        x, t_x, T : float or array_like
            History of each customer.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where a history is impossible, naming the rows (BG/BB: HistoryError).

        Examples
        --------
        >>> from clv import BGBB, BGNBD
        >>> round(float(BGNBD(.243, 4.414, .793, 2.426).p_alive(2, 30.43, 38.86)), 3)
        0.727
        >>> BGBB(1.204, .750, .657, 2.783).p_alive([0, 2, 6], [0, 4, 6], 6).round(3)
        array([0.108, 0.59 , 0.93 ])
        """
        self._refuse(x=x, t_x=t_x, T=T)
        return each(self._p_alive, x, t_x, T)

    def survival_if_alive(
        self, t: Number, x: Number = 0, T: Number = 0, t_x: Number | None = None
    ) -> Floats:
        """P(alive at T + t | alive at T, x, T).

        Parameters
        ----------
        t : float or array_like
            Time ahead; whole opportunities for BG/BB.
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : float or array_like, optional
            Time of the last. It matters for regular customers only (BG/CNBD-k, MBG/CNBD-k), whose
            answer is without it the mean over what it can have been.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where the history or the time ahead is impossible, naming the rows.

        Examples
        --------
        >>> from clv import BGNBD
        >>> round(float(BGNBD(.243, 4.414, .793, 2.426).survival_if_alive(52)), 4)
        0.7644
        """
        self._refuse(t=t, x=x, t_x=t_x, T=T)
        return self._each_alive(self._survival_if_alive, x, T, t_x, t)

    # -- what to expect -----------------------------------------------------------------------

    def expected_purchases(
        self, t: Number, x: Number = 0, t_x: Number = 0, T: Number = 0
    ) -> Floats:
        """E[purchases in (T, T + t] | x, t_x, T] = P(alive) × E[... | alive].

        Parameters
        ----------
        t : float or array_like
            Time ahead; whole opportunities for BG/BB.
        x, t_x, T : float or array_like
            History of each customer; a new customer by default.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where the history or the time ahead is impossible, naming the rows.

        Examples
        --------
        >>> from clv import BGNBD
        >>> model = BGNBD(.243, 4.414, .793, 2.426)
        >>> round(float(model.expected_purchases(39, x=2, t_x=30.43, T=38.86)), 3)
        1.226
        """
        return self.p_alive(x, t_x, T) * self.expected_purchases_if_alive(t, x, T, t_x)

    def expected_purchases_if_alive(
        self, t: Number, x: Number = 0, T: Number = 0, t_x: Number | None = None
    ) -> Floats:
        """E[purchases in (T, T + t] | alive at T, x, T].

        Of a regular customer it depends on t_x too: the longer ago, the nearer the next purchase.

        Parameters
        ----------
        t : float or array_like
            Time ahead; whole opportunities for BG/BB.
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : float or array_like, optional
            Time of the last. It matters for regular customers only (BG/CNBD-k, MBG/CNBD-k), whose
            answer is without it the mean over what it can have been.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where the history or the time ahead is impossible, naming the rows.

        Examples
        --------
        >>> from clv import BGNBD
        >>> model = BGNBD(.243, 4.414, .793, 2.426)
        >>> round(float(model.expected_purchases_if_alive(39, x=2, T=38.86)), 4)
        1.6874
        """
        self._refuse(t=t, x=x, t_x=t_x, T=T)
        return self._each_alive(self._purchases_if_alive, x, T, t_x, t)

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
            Continuous discount rate per unit of time, ln(1 + annual rate) / units a year.
        horizon : float, optional
            How far ahead to count; without end by default.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            As :meth:`discounted_purchases_if_alive`.

        Examples
        --------
        >>> from clv import BGNBD
        >>> model, weekly = BGNBD(.243, 4.414, .793, 2.426), math.log(1.10) / 52.18
        >>> round(float(model.discounted_expected_transactions(2, 30.43, 38.86, rate=weekly)), 2)
        6.37
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
        """E[purchases in (T, T + horizon], each times e^(−rate·time) | alive at T, x, T].

        In BG/BB the next opportunity is one period ahead and discounted once: with P(alive) as a
        factor and no horizon this is the paper's DERT.

        Parameters
        ----------
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        t_x : float or array_like, optional
            Time of the last. It matters for regular customers only (BG/CNBD-k, MBG/CNBD-k), whose
            answer is without it the mean over what it can have been.
        rate : float
            Continuous discount rate δ per unit of time: ln(1 + d) for a discount of d a period.
        horizon : float, optional
            How far ahead to count; without end by default.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where the history is impossible, where rate or horizon are negative, or where the sum
            is infinite: no discount, no horizon, and customers of whom some never leave (a, for
            Pareto/NBD s, for BG/BB γ not above 1).

        Examples
        --------
        >>> from clv import BGNBD
        >>> model, weekly = BGNBD(.243, 4.414, .793, 2.426), math.log(1.10) / 52.18
        >>> round(float(model.discounted_purchases_if_alive(2, 38.86, rate=weekly)), 2)
        8.77
        """
        refuse_endless(rate, horizon, self.dropout_shape, getattr(self, self.dropout_shape))
        self._refuse(x=x, t_x=t_x, T=T, horizon=horizon)

        return self._each_alive(self._discounted_if_alive, x, T, t_x, rate=rate, horizon=horizon)

    def pmf(self, n: Number, t: Number, x: Number = 0, t_x: Number = 0, T: Number = 0) -> Floats:
        """P(n purchases in (T, T + t] | x, t_x, T), those who left buying nothing.

        Parameters
        ----------
        n : int or array_like
            Number of purchases.
        t : float or array_like
            Time ahead; whole opportunities for BG/BB.
        x, t_x, T : float or array_like
            History of each customer; a new customer by default.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where the history, the time ahead or the number is impossible, naming the rows.

        Examples
        --------
        >>> from clv import BGNBD
        >>> [round(float(p), 3) for p in BGNBD(.243, 4.414, .793, 2.426).pmf([0, 1, 2], t=39)]
        [0.574, 0.199, 0.085]
        """
        self._refuse(n=n, t=t, x=x, t_x=t_x, T=T)
        p = self.p_alive(x, t_x, T)
        alive = self._each_alive(self._pmf_if_alive, x, T, t_x, n, t)
        return np.asarray(p * alive + np.where(np.asarray(n) == 0, 1 - p, 0))[()]

    # -- simulation ---------------------------------------------------------------------------

    def simulate(self, T: Number, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw (x, t_x) of new customers observed for times T.

        Parameters
        ----------
        T : float or array_like
            Time from the first purchase to the end of observation, one a customer; for BG/BB the
            number of opportunities.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        x, t_x : ndarray
            Repeat transactions and time of the last; t_x = 0 where x = 0.

        Raises
        ------
        RequestError
            Where a time is below 0 or not a number, naming the rows.

        Examples
        --------
        >>> from clv import BGNBD
        >>> rng = np.random.default_rng(1)
        >>> x, t_x = BGNBD(.243, 4.414, .793, 2.426).simulate(np.full(4, 39.0), rng)
        >>> x.shape, bool((t_x <= 39).all())
        ((4,), True)
        """
        self._refuse(T=T)
        return self._draw_histories(np.asarray(T, dtype=float), rng)

    def simulate_purchases(
        self,
        t: Number,
        rng: np.random.Generator,
        x: Number = 0,
        t_x: Number = 0,
        T: Number = 0,
    ) -> Floats:
        """Draw the number of purchases in (T, T + t] of customers with histories (x, t_x, T).

        A customer is alive with P(alive), and then buys as the model says of the living.

        Parameters
        ----------
        t : float or array_like
            Time ahead; whole opportunities for BG/BB.
        rng : numpy.random.Generator
            Source of the randomness.
        x, t_x, T : float or array_like
            History of each customer; new customers by default.

        Returns
        -------
        ndarray

        Raises
        ------
        RequestError
            Where the history or the time ahead is impossible, naming the rows.

        Examples
        --------
        >>> from clv import BGNBD
        >>> rng = np.random.default_rng(1)
        >>> BGNBD(.243, 4.414, .793, 2.426).simulate_purchases(52.0, rng, [26, 2], [30, 9], 31)
        array([6., 0.])
        """
        self._refuse(t=t, x=x, t_x=t_x, T=T)
        t, x, t_x, T = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (t, x, t_x, T)))
        alive = rng.random(x.shape) < self.p_alive(x, t_x, T)
        bought = np.zeros(x.shape)
        bought[alive] = self._draw_if_alive(t[alive], x[alive], T[alive], t_x[alive], rng)
        return bought
