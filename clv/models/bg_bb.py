"""BG/BB: customers may buy at each of a row of opportunities, and may leave before any of them.

For what happens at given occasions, such as yearly donations, events or seasons: at each
opportunity a customer buys or does not. Assumptions: before each opportunity, the first included, a
customer leaves with probability θ; one who is still there buys at it with probability p;
p ~ Beta(α, β) and θ ~ Beta(γ, δ) across customers, independently.

Fader, P. S., Hardie, B. G. S. and Shang, J. (2010), Customer-base analysis in a discrete-time
noncontractual setting. Marketing Science 29(6), 1086-1108. https://doi.org/10.1287/mksc.1100.0580

Time is counted in opportunities after the one at which the customer was won: x of them with a
purchase, t_x the last of these (0 if there is none), T the number of opportunities so far, the
paper's n. A customer may have left after t_x or any later opportunity j, or be there for the next:

    L = Σ (α)_x (β)_(j−x) / (α+β)_j · γ (δ)_j / (γ+δ)_(j+1)  over t_x ≤ j ≤ T
      +   (α)_x (β)_(T−x) / (α+β)_T · (δ)_(T+1) / (γ+δ)_(T+1),

with (α)_x = α (α + 1) … (α + x − 1). All terms are positive, and their logs are sums without a
cancellation. This is the paper's likelihood, whose last term holds those who left after T too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from clv.errors import HistoryError, NotIdentifiedError
from clv.history import Histories, check
from clv.models.base import Derivatives, Number, PurchaseModel, refuse_endless
from clv.models.beta_geometric_lifetime import (
    discounted_periods,
    survival,
    survived,
    whole,
)
from clv.models.bg_bb_mixture import ragged, terms
from clv.numerics import dot, on_distinct

__all__ = ["BGBB"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BGBB(PurchaseModel):
    """BG/BB with given parameters.

    Times are whole numbers of opportunities. "Alive" means: there for the next opportunity, T + 1,
    as in the paper; so a new customer is alive with probability δ/(γ + δ), as one may leave before
    the first opportunity.

    Parameters
    ----------
    alpha, beta : float
        Of the beta distribution of the probabilities of buying at an opportunity.
    gamma, delta : float
        Of the beta distribution of the probabilities of leaving before an opportunity.

    Examples
    --------
    >>> from clv.datasets import load_donations
    >>> d = load_donations()
    >>> h = Histories.from_arrays(d.frequency, d.recency, d.periods, weights=d.weights,
    ...                           unit="period")
    >>> {name: round(value, 3) for name, value in BGBB.fit(h).parameters.items()}
    {'alpha': 1.204, 'beta': 0.75, 'gamma': 0.657, 'delta': 2.783}
    """

    name: ClassVar[str] = "bg-bb"
    label: ClassVar[str] = "BG/BB"

    alpha: float
    beta: float
    gamma: float
    delta: float

    # -- the likelihood of a history ----------------------------------------------------------

    def log_likelihood(self, x: Number, t_x: Number, T: Number) -> Floats:
        """Log-likelihood ln L(α, β, γ, δ | x, t_x, T) of each history.

        Of one order of purchases and misses; the C(t_x − 1, x − 1) orders with the same x and t_x
        are equally likely.

        Parameters
        ----------
        x, t_x, T : int or array_like
            History of each customer: purchases, the opportunity of the last, opportunities.

        Returns
        -------
        float or ndarray

        Raises
        ------
        HistoryError
            Where a history is impossible, naming the rows.

        Examples
        --------
        >>> round(float(BGBB(1.204, .750, .657, 2.783).log_likelihood(2, 4, 6)), 4)
        -5.1957
        """
        return self._mixture(x, t_x, T)[0][()]

    def _mixture(self, x: Number, t_x: Number, T: Number) -> tuple[Floats, Floats]:
        """Take ln L, and the share in L of the customers who are there for the next opportunity."""
        columns = _checked(x, t_x, T)
        shape, flat = columns[0].shape, [c.ravel() for c in columns]
        theta = np.array([self.alpha, self.beta, self.gamma, self.delta])
        ln_whole, alive = np.empty(flat[0].size), np.empty(flat[0].size)
        for part in terms(theta, *flat):
            ln_whole[part.rows] = part.ln_total
            alive[part.rows] = part.share[part.stays]
        return ln_whole.reshape(shape), alive.reshape(shape)

    @classmethod
    def likelihood(cls, theta: Floats, histories: Histories) -> Derivatives:
        """Log-likelihood of all histories with exact derivatives in (α, β, γ, δ).

        ln Σ e^φ over the terms φ of the mixture: with q the share of each term the gradient is
        Σ q φ' and the Hessian Σ q φ'' + Σ q φ' φ'ᵀ − (Σ q φ')(Σ q φ')ᵀ.
        """
        value, g, h = 0.0, np.zeros(4), np.zeros((4, 4))
        weight = histories.weight
        for part in terms(theta, histories.frequency, histories.recency, histories.T):
            n = weight[part.rows]
            value += dot(n, part.ln_total)
            w = part.share * n[part.of]
            mean = [part.per_row(part.share * slope) for slope in part.slopes]
            for i in range(4):
                g[i] += dot(n, mean[i])
                w_i = w * part.slopes[i]
                for j in range(i, 4):
                    h[i, j] += dot(w_i, part.slopes[j]) - dot(n * mean[i], mean[j])
            for (i, j), curve in part.curves.items():
                h[i, j] += dot(w, curve)
        return Derivatives(value, g, np.triu(h) + np.triu(h, 1).T)

    # -- what the history says of the customer ------------------------------------------------

    def p_alive(self, x: Number, t_x: Number, T: Number) -> Floats:
        """P(there for opportunity T + 1 | x, t_x, T), the paper's P(alive at n + 1).

        Below 1 even for a customer who has just bought: one may leave before the next opportunity.
        P(not yet left at opportunity T itself) is this times (γ + δ + T)/(δ + T).

        Parameters
        ----------
        x, t_x, T : int or array_like
            History of each customer.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> BGBB(1.204, .750, .657, 2.783).p_alive([0, 2, 6], [0, 4, 6], 6).round(3)
        array([0.108, 0.59 , 0.93 ])
        """
        # Checked before equal rows are joined, so that a fault is told by its row.
        return on_distinct(lambda *rows: self._mixture(*rows)[1], *_checked(x, t_x, T))[()]

    def survival_if_alive(
        self, t: Number, x: Number = 0, T: Number = 0, t_x: Number | None = None
    ) -> Floats:
        """P(there for opportunity T + 1 + t | there for T + 1), (δ+T+1)_t / (γ+δ+T+1)_t, any x.

        Parameters
        ----------
        t : int or array_like
            Opportunities ahead.
        x, T : int or array_like
            Purchases at T opportunities; a new customer by default.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> round(float(BGBB(1.204, .750, .657, 2.783).survival_if_alive(5, T=6)), 4)
        0.7595
        """
        t, _, T = np.broadcast_arrays(whole("t", t, least=0), x, whole("T", T, least=0))
        return survival(t, self.gamma, self.delta + T + 1)[()]

    # -- what to expect -----------------------------------------------------------------------

    def expected_purchases_if_alive(
        self, t: Number, x: Number = 0, T: Number = 0, t_x: Number | None = None
    ) -> Floats:
        """E[purchases at the next t opportunities | there for the first of them, x, T].

        (α+x)/(α+β+T) times the expected number of them that the customer is there for.

        Parameters
        ----------
        t : int or array_like
            Opportunities ahead.
        x, T : int or array_like
            Purchases at T opportunities; a new customer by default.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> model = BGBB(1.204, .750, .657, 2.783)
        >>> round(float(model.expected_purchases_if_alive(5, x=6, T=6)), 3)
        4.033
        """
        t = whole("t", t, least=0)
        return self._purchases_if_alive(t, x, T, rate=0.0)

    def discounted_purchases_if_alive(
        self,
        x: Number = 0,
        T: Number = 0,
        t_x: Number | None = None,
        *,
        rate: float,
        horizon: float = math.inf,
    ) -> Floats:
        """E[purchases at the next `horizon` opportunities, each times e^(−rate·time) | alive].

        The next opportunity is one period ahead and discounted once. With P(alive) as a factor and
        no horizon this is the paper's DERT.

        Parameters
        ----------
        x, T : int or array_like
            Purchases at T opportunities; a new customer by default.
        rate : float
            Continuous discount rate per period: ln(1 + d) for the paper's discount d per period.
        horizon : int or inf, optional
            How many opportunities to count; without end by default.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where rate or horizon are negative, or the sum is infinite: no discount, no horizon,
            and γ ≤ 1.

        Examples
        --------
        >>> model = BGBB(1.204, .750, .657, 2.783)
        >>> round(float(model.discounted_purchases_if_alive(6, 6, rate=math.log(1.10))), 2)
        6.35
        """
        periods = whole("The horizon", horizon, least=0, endless=True)
        refuse_endless(rate, horizon, "gamma", self.gamma)
        return self._purchases_if_alive(periods, x, T, rate=rate)

    def _purchases_if_alive(self, t: Floats, x: Number, T: Number, *, rate: float) -> Floats:
        def periods(t: Floats, T: Floats) -> Floats:
            return discounted_periods(t, rate, self.gamma, self.delta + T + 1)

        t, x, T = np.broadcast_arrays(t, np.asarray(x, dtype=float), whole("T", T, least=0))
        buys = (self.alpha + x) / (self.alpha + self.beta + T)
        return np.asarray(buys * math.exp(-rate) * on_distinct(periods, t, T))[()]

    def pmf(self, n: Number, t: Number, x: Number = 0, t_x: Number = 0, T: Number = 0) -> Floats:
        """P(n purchases at the next t opportunities | x, t_x, T).

        A customer who is there for l of them buys by a beta-binomial; l is summed over.

        Parameters
        ----------
        n : int or array_like
            Number of purchases.
        t : int or array_like
            Opportunities ahead.
        x, t_x, T : int or array_like
            History of each customer; a new customer by default.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> model = BGBB(1.204, .750, .657, 2.783)
        >>> model.pmf([0, 1, 2, 3], 3, x=2, t_x=4, T=6).round(3)
        array([0.58 , 0.221, 0.147, 0.051])
        """
        n, t = whole("n", n, least=0), whole("t", t, least=0)
        p = self.p_alive(x, t_x, T)
        alive = on_distinct(self._pmf_if_alive, n, t, x, T)
        return np.asarray(p * alive + np.where(n == 0, 1 - p, 0))[()]

    def _pmf_if_alive(self, n: Floats, t: Floats, x: Floats, T: Floats) -> Floats:
        alpha, beta = self.alpha + x, self.beta + T - x
        gamma, delta = self.gamma, self.delta + T + 1
        total = np.where((t == 0) & (n == 0), 1.0, 0.0)
        # Fewer opportunities than purchases, or none, have no part in the sum.
        first = np.maximum(n, 1)
        for rows, of, later in ragged(np.maximum(t - first + 1, 0)):
            there = first[rows][of] + later
            k, t_i, a, b = (v[rows][of] for v in (n, t, alpha, beta))
            d = delta[rows][of]
            leaves = np.where(there < t_i, gamma / (gamma + d + there - 1), 1.0)
            ln_ways = -betaln(there - k + 1, k + 1) - np.log(there + 1)
            ln_p = ln_ways + betaln(a + k, b + there - k) - betaln(a, b)
            ln_p += betaln(gamma, d + there - 1) - betaln(gamma, d)
            total[rows] += np.bincount(of, leaves * np.exp(ln_p), minlength=len(rows))
        return total

    def simulate_purchases(
        self,
        t: Number,
        rng: np.random.Generator,
        x: Number = 0,
        t_x: Number = 0,
        T: Number = 0,
    ) -> Floats:
        """Draw the number of purchases at the next t opportunities, given (x, t_x, T).

        A customer who is alive has p ~ Beta(α+x, β+T−x), θ ~ Beta(γ, δ+T+1).

        Parameters
        ----------
        t : int or array_like
            Opportunities ahead.
        rng : numpy.random.Generator
            Source of the randomness.
        x, t_x, T : int or array_like
            History of each customer; new customers by default.

        Returns
        -------
        ndarray

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> BGBB(1.204, .750, .657, 2.783).simulate_purchases(5, rng, [0, 6, 6], [0, 6, 6], 6)
        array([0., 0., 5.])
        """
        times = whole("t", t, least=0)
        times, x, t_x, T = np.broadcast_arrays(times, *(np.asarray(v, float) for v in (x, t_x, T)))
        alive = rng.random(x.shape) < self.p_alive(x, t_x, T)
        x, T = x[alive], T[alive]
        p = rng.beta(self.alpha + x, self.beta + T - x)
        lasts = 1 + survived(rng.beta(self.gamma, self.delta + T + 1), rng)
        there = np.minimum(times[alive], lasts)
        bought = np.zeros(alive.shape)
        bought[alive] = rng.binomial(there.astype(np.int64), p)
        return bought

    def simulate(self, T: Number, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw (x, t_x) of new customers observed for T opportunities.

        Of the opportunities that a customer is there for, each set of x is as likely; t_x is found
        from the end, where a purchase is at the last of k with probability x/k.

        Parameters
        ----------
        T : int or array_like
            Opportunities, one number a customer.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        x, t_x : ndarray
            Purchases and the opportunity of the last; t_x = 0 where x = 0.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> x, t_x = BGBB(1.204, .750, .657, 2.783).simulate(np.full(4, 6), rng)
        >>> x.shape, bool((t_x <= 6).all())
        ((4,), True)
        """
        T = np.asarray(whole("T", T, least=0))
        p = rng.beta(self.alpha, self.beta, T.shape)
        there = np.minimum(T, survived(rng.beta(self.gamma, self.delta, T.shape), rng))
        x = np.asarray(rng.binomial(there.astype(np.int64), p), dtype=float)
        t_x = np.where(x > 0, there, 0.0)
        looking = x > 0
        while looking.any():
            looking &= rng.random(T.shape) * t_x >= x
            t_x -= looking
        return x, t_x

    # -- fitting ------------------------------------------------------------------------------

    @classmethod
    def starts(cls, histories: Histories) -> list[Floats]:
        """Start from the share of opportunities used up to the last purchase, and some guesses."""
        n, x, t_x = histories.weight, histories.frequency, histories.recency
        buys = float((n @ x + 1) / (n @ t_x + 2))
        return [
            np.array([buys * s, (1 - buys) * s, leaves * k, (1 - leaves) * k])
            for s in (1.0, 4.0)
            for leaves in (0.03, 0.1, 0.3)
            for k in (1.0, 5.0)
        ]

    @classmethod
    def refuse_unidentified(cls, histories: Histories) -> None:
        """Refuse impossible histories, too few opportunities, and customers who are all alike."""
        h = histories
        x, _, T = _checked(h.frequency, h.recency, h.T)
        super().refuse_unidentified(h)
        most = int(T.max())
        if most < 3:
            raise NotIdentifiedError(
                f"There {'is' if most == 1 else 'are'} {most} opportunit"
                f"{'y' if most == 1 else 'ies'} to buy at, which give too few kinds of history for "
                "four parameters; at least 3 are needed. Observe for longer."
            )
        if (x == T).all():
            raise NotIdentifiedError(
                f"All {h.customers:,} customers bought at every opportunity, so how they differ "
                "and when they leave cannot be learned."
            )


def _checked(x: Number, t_x: Number, T: Number) -> list[Floats]:
    """Broadcast histories counted in opportunities; refuse those that no customer can have."""
    columns = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (x, t_x, T)))
    flat = [v.ravel() for v in columns]
    k, last, end = flat
    check(k, last, end, np.ones(k.size), unit="period")
    rules = {
        "a recency or T that is not a whole number of opportunities": (last != np.floor(last))
        | (end != np.floor(end)),
        "more purchases than opportunities up to the last one (frequency > recency)": k > last,
    }
    faults = []
    for what, broken in rules.items():
        rows = np.flatnonzero(broken)
        if len(rows):
            first = ", ".join(
                f"{i} with x = {k[i]:g}, t_x = {last[i]:g}, T = {end[i]:g}" for i in rows[:3]
            )
            faults.append(
                f"{len(rows):,} of {k.size:,} histories have {what} (first rows: {first})"
            )
    if faults:
        raise HistoryError.of(
            faults,
            then="BG/BB counts time in opportunities to buy, at most one purchase at each.",
        )
    return list(columns)
