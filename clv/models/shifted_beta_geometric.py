"""Shifted beta-geometric (sBG): how long subscribers stay.

For contracts, where one sees who leaves. Assumptions: at the end of each period a subscriber leaves
with probability θ, the same in every period; θ ~ Beta(α, β) across subscribers. The longer someone
has stayed the smaller θ must be, so retention rises with age although nobody's own ever changes.

Fader, P. S. and Hardie, B. G. S. (2007), How to project customer retention. Journal of Interactive
Marketing 21(1), 76-90. https://doi.org/10.1002/dir.20074
Fader, P. S. and Hardie, B. G. S. (2010), Customer-base valuation in a contractual setting: the
perils of ignoring heterogeneity. Marketing Science 29(1), 85-93.
https://doi.org/10.1287/mksc.1080.0482
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from clv.arrays import Floats
from clv.errors import NotIdentifiedError
from clv.models.base import Derivatives, Model, Number, refuse_endless
from clv.models.beta_geometric_lifetime import (
    discounted_periods,
    log_rising,
    survival,
    survived,
    whole,
)
from clv.models.survival_counts import SurvivalCounts
from clv.numerics import dot, on_distinct

__all__ = ["ShiftedBetaGeometric"]


@dataclass(frozen=True)
class ShiftedBetaGeometric(Model[SurvivalCounts]):
    """sBG with given parameters.

    Time is counted in periods of the contract. Everybody pays for the first period; after t periods
    a subscriber has had t chances to leave.

    Parameters
    ----------
    alpha, beta : float
        Of the beta distribution of the probabilities of leaving at the end of a period.

    Examples
    --------
    >>> from clv.datasets import load_sbg
    >>> counts = SurvivalCounts.from_survivors(load_sbg()["highend_alive"])
    >>> model = ShiftedBetaGeometric.fit(counts).model
    >>> round(model.alpha, 3), round(model.beta, 3)
    (0.668, 3.806)
    >>> model.survival([8, 9, 10, 11, 12]).round(4)
    array([0.4604, 0.4358, 0.4142, 0.3951, 0.378 ])
    """

    name: ClassVar[str] = "sbg"
    label: ClassVar[str] = "sBG"

    alpha: float
    beta: float

    # -- the likelihood of a history ----------------------------------------------------------

    def log_likelihood(self, periods: Number, left: npt.ArrayLike) -> Floats:
        """ln P(T = t) of subscribers who left after t periods, ln S(t) of those who did not.

        Parameters
        ----------
        periods : int or array_like
            Periods paid for, t, at least 1.
        left : bool or array_like
            Whether the subscriber left at the end of them.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> ShiftedBetaGeometric(.668, 3.806).log_likelihood([1, 7], [True, False]).round(4)
        array([-1.9017, -0.7155])
        """
        t, gone = whole("periods", periods, least=1), np.asarray(left, dtype=bool)
        alpha, beta = self.alpha, self.beta
        ln_left = betaln(alpha + 1, beta + t - 1) - betaln(alpha, beta)
        ln_stayed = betaln(alpha, beta + t) - betaln(alpha, beta)
        return np.asarray(np.where(gone, ln_left, ln_stayed))[()]

    @classmethod
    def likelihood(cls, theta: Floats, histories: SurvivalCounts) -> Derivatives:
        """Log-likelihood of all counts with exact derivatives in (α, β).

        P(T = t) = α (β)_(t−1)/(α+β)_t and S(t) = (β)_t/(α+β)_t.
        """
        alpha, beta = theta
        left, stayed = histories.left, histories.stayed
        of_beta, of_both = log_rising(beta, len(left)), log_rising(alpha + beta, len(left))
        b0, b1, b2 = (dot(left, v[:-1]) + dot(stayed, v[1:]) for v in of_beta)
        ab0, ab1, ab2 = (dot(left + stayed, v[1:]) for v in of_both)
        gone = float(left.sum())
        return Derivatives(
            gone * math.log(alpha) + b0 - ab0,
            np.array([gone / alpha - ab1, b1 - ab1]),
            np.array([[-gone / alpha**2 - ab2, -ab2], [-ab2, b2 - ab2]]),
        )

    # -- how long subscribers stay ------------------------------------------------------------

    def survival(self, t: Number) -> Floats:
        """S(t), the part of a cohort that is still there after t chances to leave.

        Parameters
        ----------
        t : int or array_like
            Periods paid for; 1 for t = 0.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> round(float(ShiftedBetaGeometric(.668, 3.806).survival(12)), 3)
        0.378
        """
        return survival(whole("t", t, least=0), self.alpha, np.asarray(self.beta))[()]

    def retention_rate(self, t: Number) -> Floats:
        """r(t) = S(t)/S(t − 1) = (β + t − 1)/(α + β + t − 1), part of those in period t who renew.

        Parameters
        ----------
        t : int or array_like
            Period, at least 1.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> ShiftedBetaGeometric(.668, 3.806).retention_rate([1, 2, 10]).round(3)
        array([0.851, 0.878, 0.95 ])
        """
        survivors = self.beta + whole("t", t, least=1) - 1
        return np.asarray(survivors / (self.alpha + survivors))[()]

    def pmf(self, t: Number) -> Floats:
        """P(T = t), the part of a cohort that leaves at the end of its t-th period.

        Parameters
        ----------
        t : int or array_like
            Period; 0 for t = 0.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> ShiftedBetaGeometric(.668, 3.806).pmf([1, 2, 3]).round(4)
        array([0.1493, 0.1038, 0.0771])
        """
        t = whole("t", t, least=0)
        before = np.maximum(t, 1) - 1
        stays = survival(before, self.alpha, np.asarray(self.beta))
        leaves = self.alpha / (self.alpha + self.beta + before)
        return np.asarray(np.where(t > 0, stays * leaves, 0.0))[()]

    # -- what to expect -----------------------------------------------------------------------

    def expected_lifetime(self, *, horizon: float = math.inf) -> float:
        """E[periods paid for] by a new customer, within the first `horizon` of them.

        Parameters
        ----------
        horizon : int or inf, optional
            How many periods to count; without end by default.

        Returns
        -------
        float

        Raises
        ------
        RequestError
            Where it is infinite: no horizon, and α ≤ 1.

        Examples
        --------
        >>> round(ShiftedBetaGeometric(.668, 3.806).expected_lifetime(horizon=12), 3)
        7.156
        """
        return self.discounted_expected_lifetime(rate=0.0, horizon=horizon)

    def discounted_expected_lifetime(self, *, rate: float, horizon: float = math.inf) -> float:
        """DEL: E[Σ e^(−rate·t) over the periods paid for] by a new customer, t = 0, 1, ….

        The first period is paid for now, for certain and without discount. Fader & Hardie (2010).

        Parameters
        ----------
        rate : float
            Continuous discount rate per period: ln(1 + d) for a discount of d per period.
        horizon : int or inf, optional
            How many periods to count; without end by default.

        Returns
        -------
        float

        Raises
        ------
        RequestError
            Where the rate or the horizon is negative, or the sum is infinite: no discount, no
            horizon, and α ≤ 1.

        Examples
        --------
        >>> model = ShiftedBetaGeometric(.668, 3.806)
        >>> round(model.discounted_expected_lifetime(rate=math.log(1.10)), 3)
        5.923
        """
        return float(self._discounted(np.zeros(()), rate, horizon))

    def discounted_expected_residual_lifetime(
        self, n: Number, *, rate: float, horizon: float = math.inf
    ) -> Floats:
        """DERL: E[Σ e^(−rate·t) over further periods paid for] by a customer in the n-th period.

        Seen from the end of period n, just before the customer renews or leaves: the next period
        counts with probability r(n) and without discount. Fader & Hardie (2010).

        Parameters
        ----------
        n : int or array_like
            Periods the customer has paid for, at least 1.
        rate : float
            Continuous discount rate per period: ln(1 + d) for a discount of d per period.
        horizon : int or inf, optional
            How many further periods to count; without end by default.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where the rate or the horizon is negative, or the sum is infinite: no discount, no
            horizon, and α ≤ 1.

        Examples
        --------
        >>> model = ShiftedBetaGeometric(.668, 3.806)
        >>> model.discounted_expected_residual_lifetime([1, 5], rate=math.log(1.10)).round(3)
        array([5.415, 6.897])
        """
        n = whole("n", n, least=1)
        return np.asarray(self.retention_rate(n) * self._discounted(n, rate, horizon))[()]

    def _discounted(self, n: Floats, rate: float, horizon: float) -> Floats:
        """Discounted periods from the next one on, which a customer pays for after n chances."""
        periods = whole("The horizon", horizon, least=0, endless=True)
        refuse_endless(rate, horizon, "alpha", self.alpha, what="periods")

        def distinct(periods: Floats, n: Floats) -> Floats:
            return discounted_periods(periods, rate, self.alpha, self.beta + n)

        return on_distinct(distinct, *np.broadcast_arrays(np.atleast_1d(periods), n)).reshape(
            n.shape
        )

    def simulate(
        self, periods: Number, rng: np.random.Generator
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Draw (periods paid for, whether they left then) of subscribers seen for some periods.

        Parameters
        ----------
        periods : int or array_like
            Periods since each subscriber was won, at least 1.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        periods, left : ndarray
            As for :meth:`SurvivalCounts.from_arrays`.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> t, left = ShiftedBetaGeometric(.668, 3.806).simulate(np.full(4, 7), rng)
        >>> bool((left == (t < 7)).all())
        True
        """
        seen = np.asarray(whole("periods", periods, least=1))
        stays = 1 + survived(rng.beta(self.alpha, self.beta, seen.shape), rng)
        return np.minimum(stays, seen), stays <= seen

    # -- fitting ------------------------------------------------------------------------------

    @classmethod
    def starts(cls, histories: SurvivalCounts) -> list[Floats]:
        """Start from the part that left in the first period, with guesses of how they differ."""
        left = float(histories.left[0] + 1) / (histories.customers + 2)
        return [np.array([left * s, (1 - left) * s]) for s in (0.5, 2.0, 8.0, 40.0)]

    @classmethod
    def refuse_unidentified(cls, histories: SurvivalCounts) -> None:
        """Refuse one subscriber, one period, and cohorts that nobody or everybody left at once."""
        c = histories
        if c.customers < 2:
            raise NotIdentifiedError(
                "There is one subscriber only: how subscribers differ cannot be learned from one."
            )
        if not c.left.any():
            raise NotIdentifiedError(
                f"None of the {c.customers:,} subscribers left in {len(c.left)} periods, so how "
                "long they stay cannot be learned. Observe for longer."
            )
        if c.left[0] == c.customers:
            raise NotIdentifiedError(
                f"All {c.customers:,} subscribers left after the first period; how they differ "
                "cannot be learned. There is nothing to fit: nobody renews."
            )
        if not (c.left[1:].any() or c.stayed[1:].any()):
            raise NotIdentifiedError(
                "One period only was observed: it gives the part that leaves first, but not how "
                "retention changes with age. Observe for at least one more."
            )

    @classmethod
    def sample(cls, histories: SurvivalCounts, patterns: int) -> SurvivalCounts:
        """Take all counts: there are two for each age, however many subscribers."""
        del patterns
        return histories

    @classmethod
    def size(cls, histories: SurvivalCounts) -> tuple[int, int]:
        """Count the subscribers, and the kinds of them that the likelihood is made of."""
        kinds = np.count_nonzero(histories.left) + np.count_nonzero(histories.stayed)
        return histories.customers, int(kinds)
