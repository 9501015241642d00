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
from scipy.special import betaln

from clv.arrays import Floats
from clv.errors import HistoryError, NotIdentifiedError
from clv.history import Histories, check
from clv.models.arguments import refuse_impossible
from clv.models.base import Derivatives, PurchaseModel
from clv.models.beta_geometric_lifetime import (
    discounted_periods,
    survival,
    survived,
    whole,
)
from clv.models.bg_bb_mixture import ragged, terms
from clv.models.purchase_formulas import Number, every_row
from clv.numerics import dot, on_distinct

__all__ = ["BGBB"]


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

    dropout_shape: ClassVar[str] = "gamma"

    # -- the likelihood of a history ----------------------------------------------------------

    def _log_likelihood(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return self._mixture(x, t_x, T)[0]

    def _mixture(self, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
        """Take ln L, and the share in L of the customers who are there for the next opportunity."""
        theta = np.array([self.alpha, self.beta, self.gamma, self.delta])
        ln_whole, alive = np.empty(x.size), np.empty(x.size)
        for part in terms(theta, x, t_x, T):
            ln_whole[part.rows] = part.ln_total
            alive[part.rows] = part.share[part.stays]
        return ln_whole, alive

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

    def _p_alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return self._mixture(x, t_x, T)[1]

    @every_row
    def _survival_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """(δ+T+1)_t / (γ+δ+T+1)_t, whatever x."""
        t, _, T = np.broadcast_arrays(t, x, T)
        return survival(t, self.gamma, self.delta + T + 1)

    # -- what to expect -----------------------------------------------------------------------

    @every_row
    def _purchases_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """(α+x)/(α+β+T) times the expected number of opportunities that the customer is there for.

        The latter knows T only: fewer rows differ in it than in (x, T).
        """
        return self._discounted(t, x, T, rate=0.0)

    @every_row
    def _discounted_if_alive(
        self, x: Floats, T: Floats, t_x: Floats, *, rate: float, horizon: float
    ) -> Floats:
        return self._discounted(np.asarray(horizon, dtype=float), x, T, rate=rate)

    def _discounted(self, t: Floats, x: Floats, T: Floats, *, rate: float) -> Floats:
        def periods(t: Floats, T: Floats) -> Floats:
            return discounted_periods(t, rate, self.gamma, self.delta + T + 1)

        t, x, T = np.broadcast_arrays(t, x, T)
        buys = (self.alpha + x) / (self.alpha + self.beta + T)
        return np.asarray(buys * math.exp(-rate) * on_distinct(periods, t, T))

    def _pmf_if_alive(self, n: Floats, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        """Sum beta-binomials over the opportunities that the customer is there for."""
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

    # -- simulation ---------------------------------------------------------------------------

    def _draw_histories(self, T: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Of the opportunities that a customer is there for, each set of x is as likely.

        So t_x is found from the end, where a purchase is at the last of k with probability x/k.
        """
        p = rng.beta(self.alpha, self.beta, T.shape)
        there = np.minimum(T, survived(rng.beta(self.gamma, self.delta, T.shape), rng))
        x = np.asarray(rng.binomial(there.astype(np.int64), p), dtype=float)
        t_x = np.where(x > 0, there, 0.0)
        looking = x > 0
        while looking.any():
            looking &= rng.random(T.shape) * t_x >= x
            t_x -= looking
        return x, t_x

    def _draw_if_alive(
        self, t: Floats, x: Floats, T: Floats, t_x: Floats, rng: np.random.Generator
    ) -> Floats:
        """Draw with p ~ Beta(α+x, β+T−x) and θ ~ Beta(γ, δ+T+1)."""
        p = rng.beta(self.alpha + x, self.beta + T - x)
        lasts = 1 + survived(rng.beta(self.gamma, self.delta + T + 1), rng)
        there = np.minimum(t, lasts)
        return np.asarray(rng.binomial(there.astype(np.int64), p), dtype=float)

    def _refuse(
        self,
        *,
        x: Number = 0,
        t_x: Number | None = None,
        T: Number = 0,
        t: Number = 0,
        n: Number = 0,
        horizon: float = 0,
    ) -> None:
        """Refuse what is no whole number of opportunities, and more purchases than them."""
        for what, values in (("n", n), ("t", t), ("T", T)):
            if what != "T" or t_x is None:
                whole(what, values, least=0)
        whole("The horizon", horizon, least=0, endless=True)
        if t_x is None:
            refuse_impossible(x=x)
        else:
            _refuse_histories(x, t_x, T)

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
        x, T = h.frequency, h.T
        _refuse_histories(x, h.recency, T)
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


def _refuse_histories(x: Number, t_x: Number, T: Number) -> None:
    """Refuse histories that no customer of such opportunities can have, with what they are."""
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
