"""Gamma-Gamma: the value of a customer's transactions, apart from how many there are.

Assumptions: a customer's transaction values vary at random around a mean, z ~ Gamma(p, ν); the
means differ across customers, ν ~ Gamma(q, v); they do not change over time, and do not depend on
how often the customer buys.

Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005), RFM and CLV: using iso-value curves for
customer base analysis. Journal of Marketing Research 42(4), 415-430.
https://doi.org/10.1509/jmkr.2005.42.4.415
Fader, P. S. and Hardie, B. G. S. (2013), The Gamma-Gamma model of monetary value (v is their γ).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from clv.arrays import Floats
from clv.errors import NotIdentifiedError, RequestError, rows_at_fault
from clv.history import Histories, SpendPatterns
from clv.models.base import PART, Derivatives, Model, Number
from clv.models.lifetimes_names import SpendNames
from clv.numerics import dot
from clv.side_by_side import slices

__all__ = ["GammaGamma"]

CHUNK = 100_000
"""Logarithms held at once: .8 MB, for the processor's cache."""


@dataclass(frozen=True)
class GammaGamma(SpendNames, Model[Histories]):
    """Gamma-Gamma with given parameters.

    Parameters
    ----------
    p : float
        Shape of a customer's transaction values: their coefficient of variation is 1/√p.
    q, v : float
        Shape and scale of how customers differ; v in units of money.

    Examples
    --------
    >>> round(float(GammaGamma(p=6.25, q=3.74, v=15.44).expected_spend(2, 22.345)), 2)
    24.66
    """

    name: ClassVar[str] = "gamma-gamma"
    label: ClassVar[str] = "Gamma-Gamma"
    learns = "what customers spend"

    p: float
    q: float
    v: float

    # -- the likelihood of a history ----------------------------------------------------------

    def log_likelihood(self, x: Number, m: Number) -> Floats:
        """Log-density of the mean m of x transaction values, equation (1a) of the 2013 note.

        Parameters
        ----------
        x : float or array_like
            Number of transactions with a positive value, at least 1.
        m : float or array_like
            Their mean value, positive.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> round(float(GammaGamma(6.25, 3.74, 15.44).log_likelihood(2, 22.35)), 4)
        -3.5513
        """
        p, q, v = self.p, self.q, self.v
        x, m = np.asarray(x, dtype=float), np.asarray(m, dtype=float)
        px = p * x
        return np.asarray(
            gammaln(px + q) - gammaln(px) - gammaln(q)
            + q * (math.log(v) - np.log(v + m * x))
            + px * (np.log(m * x) - np.log(v + m * x))
            - np.log(m)
        )[()]  # fmt: skip

    @classmethod
    def likelihood(cls, theta: Floats, histories: Histories) -> Derivatives:
        """Log-likelihood of all spend patterns with exact derivatives in (p, q, v).

        The gamma functions depend on x alone, so they cost as much as there are different x.
        """
        p, q, v = theta
        spend = cls._spend(histories)
        x, m, n = spend.frequency, spend.mean_value, spend.weight
        per_x = np.bincount(x.astype(np.intp), weights=n)
        k = np.flatnonzero(per_x)
        n_k, customers = per_x[k], float(per_x.sum())
        pk = p * k

        total = m * x
        sum_v = v + total
        ln_share = np.log(total) - np.log(sum_v)
        value = float(
            n_k @ (gammaln(pk + q) - gammaln(pk))
            + customers * (q * math.log(v) - gammaln(q))
            - dot(n, q * np.log(sum_v) - p * x * ln_share + np.log(m))
        )
        d1, d2 = digamma(pk + q), polygamma(1, pk + q)
        inverse = 1 / sum_v
        px_q = p * x + q
        g = np.array(
            [
                n_k @ (k * (d1 - digamma(pk))) + dot(n, x * ln_share),
                n_k @ d1 + customers * (math.log(v) - digamma(q)) - dot(n, np.log(sum_v)),
                customers * q / v - dot(n, px_q * inverse),
            ]
        )
        h = np.empty((3, 3))
        h[0, 0] = n_k @ (k**2 * (d2 - polygamma(1, pk)))
        h[0, 1] = h[1, 0] = n_k @ (k * d2)
        h[1, 1] = n_k @ d2 - customers * polygamma(1, q)
        h[0, 2] = h[2, 0] = -dot(n, x * inverse)
        h[1, 2] = h[2, 1] = customers / v - dot(n, inverse)
        h[2, 2] = dot(n, px_q * inverse**2) - customers * q / v**2
        return Derivatives(float(value), g, h)

    @classmethod
    def log_likelihoods(cls, thetas: Floats, histories: Histories) -> Floats:
        """Log-likelihood of all spend patterns at many parameters, thetas (n, 3); returns (n,)."""
        spend = cls._spend(histories)
        x, m, n = spend.frequency, spend.mean_value, spend.weight
        per_x = np.bincount(x.astype(np.intp), weights=n)
        k = np.flatnonzero(per_x)
        total, nx = m * x, n * x
        p, q, v = thetas.T
        pk = p[:, None] * k
        value = np.einsum("ij,j->i", gammaln(pk + q[:, None]) - gammaln(pk), per_x[k])
        value += per_x.sum() * (q * np.log(v) - gammaln(q))
        value += p * dot(nx, np.log(total)) - dot(n, np.log(m))
        step = max(1, CHUNK // len(x))
        for i in range(0, len(thetas), step):  # Σ n (px + q) ln(v + mx), many (p, q, v) at a time
            some = slice(i, i + step)
            ln_v = np.log(v[some, None] + total)
            value[some] -= p[some] * np.einsum("ij,j->i", ln_v, nx)
            value[some] -= q[some] * np.einsum("ij,j->i", ln_v, n)
        return np.asarray(value)

    # -- what to expect -----------------------------------------------------------------------

    @property
    def population_mean(self) -> float:
        """Mean value of a transaction of a customer not seen yet, p v / (q − 1); inf for q ≤ 1."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else math.inf

    def caveats(self, intervals: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
        """Say that the population mean is infinite, q ≤ 1, or may well be."""
        advice = (
            "A few extreme amounts do this; look at the largest orders, or fit with a prior on q."
        )
        if self.q <= 1:
            told = (
                f"Gamma-Gamma's q is {self.q:.3g}: at or below 1 the mean spend of a customer who "
                f"is not yet known is infinite. {advice}"
            )
            return (told,)
        if intervals["q"][0] <= 1:
            told = (
                f"Gamma-Gamma's q ({self.q:.3g}) may be as low as 1, where the mean spend of a "
                f"customer who is not yet known is infinite: what is said of such a customer, "
                f"{self.population_mean:,.2f} per purchase, is uncertain. {advice}"
            )
            return (told,)
        return ()

    def plain_caveats(self, intervals: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
        """The same, in words that name no parameter."""
        if intervals["q"][0] > 1:
            return ()
        mean = f" ({self.population_mean:,.2f} is taken)" if self.q > 1 else ""
        told = (
            "What a customer who has bought once will spend on an order is hardly known"
            f"{mean}: a few very large orders leave it open. Look at the largest orders."
        )
        return (told,)

    def expected_spend(self, x: Number, m: Number) -> Floats:
        """E[mean transaction value | x transactions of mean value m], equation (5) of the note.

        A weighted mean of m and the population mean. Infinite where p x + q ≤ 1: the data say that
        some customers spend without bound, and this one has shown too little to be told apart.

        Parameters
        ----------
        x : float or array_like
            Number of transactions with a positive value; 0 where none is known.
        m : float or array_like
            Their mean value; not looked at where x = 0.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> round(float(GammaGamma(6.25, 3.74, 15.44).expected_spend(0, 0)), 2)
        35.22
        """
        p, q, v = self.p, self.q, self.v
        x, m = np.asarray(x, dtype=float), np.asarray(m, dtype=float)
        faults = rows_at_fault(np.atleast_1d(~(x >= 0)), "x that is not a number of at least 0")
        faults += rows_at_fault(np.atleast_1d((x > 0) & ~(m >= 0)), "a mean value below 0 or nan")
        if faults:
            raise RequestError.of(faults)
        total = np.where(x > 0, x * m, 0.0)
        denominator = p * x + q - 1
        finite = denominator > 0
        spend = p * (v + total) / np.where(finite, denominator, 1.0)
        return np.asarray(np.where(finite, spend, np.inf))[()]

    def simulate(self, x: Number, rng: np.random.Generator) -> Floats:
        """Draw the mean value of x transactions of each customer; nan where x = 0.

        Parameters
        ----------
        x : int or array_like
            Number of transactions, one a customer.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        ndarray

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> GammaGamma(6.25, 3.74, 15.44).simulate(np.array([3, 0]), rng).round(2)
        array([28.45,   nan])
        """
        x = np.asarray(x, dtype=float)
        some = x > 0
        k = np.where(some, x, 1.0)
        nu = rng.gamma(self.q, 1 / self.v, x.shape)
        return np.where(some, rng.gamma(self.p * k) / (nu * k), np.nan)

    def simulate_total(
        self, n: Number, rng: np.random.Generator, x: Number = 0, m: Number = 0
    ) -> Floats:
        """Draw what n further transactions are worth together, given x known ones of mean m.

        Given the history ν ~ Gamma(q + p x, v + x m); n transactions add up to Gamma(p n) / ν.

        Parameters
        ----------
        n : array_like
            Further transactions, one number a customer.
        rng : numpy.random.Generator
            Source of the randomness.
        x, m : array_like
            Known transactions and their mean value; none by default.

        Returns
        -------
        ndarray

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> GammaGamma(6.25, 3.74, 15.44).simulate_total([10, 0], rng, 2, 22.35).round(1)
        array([241.5,   0. ])
        """
        n, x, m = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (n, x, m)))
        total = np.where(x > 0, x * m, 0.0)
        nu = rng.gamma(self.q + self.p * x) / (self.v + total)
        return np.where(n > 0, rng.gamma(self.p * np.maximum(n, 1)) / nu, 0.0)

    # -- fitting ------------------------------------------------------------------------------

    @staticmethod
    def _spend(histories: Histories) -> SpendPatterns:
        if histories.spend is None:
            raise NotIdentifiedError(
                "These histories have no spend: give the amount column when reading the orders, "
                "or monetary_value to Histories.from_arrays."
            )
        return histories.spend

    @classmethod
    def scales(cls, histories: Histories) -> dict[str, float]:
        """v in means of what a customer spends."""
        spend = cls._spend(histories)
        return {"v": float(spend.weight @ spend.mean_value) / spend.customers}

    @classmethod
    def starts(cls, histories: Histories) -> list[Floats]:
        """Start from the mean value, with several guesses of how unequal customers are."""
        spend = cls._spend(histories)
        mean = float(spend.weight @ spend.mean_value) / spend.customers
        return [
            np.array([p, q, mean * (q - 1) / p]) for p in (1.0, 5.0, 20.0) for q in (1.5, 4.0, 15.0)
        ]

    @classmethod
    def refuse_unidentified(cls, histories: Histories) -> None:
        """Refuse fewer than two customers with spend, and spend that does not vary."""
        spend = cls._spend(histories)
        if spend.customers < 2:
            raise NotIdentifiedError(
                f"{spend.customers} of {histories.customers:,} customers have a repeat transaction "
                "with a positive amount; how spend differs cannot be learned. Use a longer log."
            )
        if np.ptp(spend.mean_value) == 0:
            raise NotIdentifiedError(
                f"All {spend.customers:,} customers with repeat transactions spend the same, "
                f"{spend.mean_value[0]:g} each time. There is nothing to fit: use that figure."
            )

    @classmethod
    def sample(cls, histories: Histories, patterns: int) -> Histories:
        """Take every k-th spend pattern."""
        count = len(cls._spend(histories).weight)
        return cls._patterns(histories, slice(None, None, -(-count // patterns)))

    @classmethod
    def parts(cls, histories: Histories) -> Sequence[Histories]:
        """Split the spend patterns in their order."""
        count = len(cls._spend(histories).weight)
        return [cls._patterns(histories, some) for some in slices(count, PART)]

    @classmethod
    def _patterns(cls, histories: Histories, some: slice) -> Histories:
        spend = cls._spend(histories)
        part = SpendPatterns(spend.frequency[some], spend.mean_value[some], spend.weight[some])
        return replace(histories, spend=part)

    @classmethod
    def size(cls, histories: Histories) -> tuple[int, int]:
        """Count the customers with spend, and their distinct (x, m)."""
        spend = cls._spend(histories)
        return spend.customers, len(spend.weight)
