"""What regular customers do next: expectations, counts and draws of BG/CNBD-k and MBG/CNBD-k.

Each is a mean over the phases j since the last purchase, weighed as in the likelihood, of what
:mod:`clv.models.erlang` says of a customer who is alive and j phases past it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import softmax

from clv.arrays import Floats
from clv.models import erlang
from clv.models.beta_geometric_lifetime import survived
from clv.models.condensed_likelihood import ln_phases
from clv.models.family_of_k import FamilyOfK

__all__ = ["CondensedFuture"]


@dataclass(frozen=True, init=False)
class CondensedFuture(FamilyOfK):
    """The part of a condensed beta-geometric model that looks ahead."""

    chances_before_repeat: ClassVar[int]
    """How often a customer could have left before the first repeat purchase: 0 or 1."""

    recency_matters_if_alive: ClassVar[bool] = True
    dropout_shape: ClassVar[str] = "a"

    def _survival_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
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
        self, given_j: Callable[..., Floats], x: Floats, T: Floats, t_x: Floats, *ahead: Floats
    ) -> Floats:
        """Mean of given_j(j, *ahead, R + j, A, B) over the phases j since the last purchase."""
        k, o = self.k, self.chances_before_repeat
        weights = softmax(self._ln_phase_weights(x, T, t_x), axis=0)
        j, row = np.nonzero(weights)
        j = j.astype(float)
        R, A, B = self.r + k * x[row] + j, self.alpha + T[row], self.b + x[row] + o
        each = given_j(j, *(v[row] for v in ahead), R, A, B)
        return np.asarray(np.bincount(row, weights[weights > 0] * each, len(x)), dtype=float)

    # -- what to expect -----------------------------------------------------------------------

    def _purchases_if_alive(self, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        def mean(j: Floats, t: Floats, R: Floats, A: Floats, B: Floats) -> Floats:
            return erlang.expected_purchases(t, R, A, self.a, B, self.k, j)

        return self._mean_over_phases(mean, x, T, t_x, t)

    def _discounted_if_alive(
        self, x: Floats, T: Floats, t_x: Floats, *, rate: float, horizon: float
    ) -> Floats:
        def mean(j: Floats, R: Floats, A: Floats, B: Floats) -> Floats:
            return erlang.discounted_purchases(horizon, rate, R, A, self.a, B, self.k, j)

        return self._mean_over_phases(mean, x, T, t_x)

    def _pmf_if_alive(self, n: Floats, t: Floats, x: Floats, T: Floats, t_x: Floats) -> Floats:
        def mean(j: Floats, n: Floats, t: Floats, R: Floats, A: Floats, B: Floats) -> Floats:
            return erlang.purchases_pmf(n, t, R, A, self.a, B, self.k, j)

        return self._mean_over_phases(mean, x, T, t_x, n, t)

    def _draw_if_alive(
        self, t: Floats, x: Floats, T: Floats, t_x: Floats, rng: np.random.Generator
    ) -> Floats:
        """Draw the phases j since the last purchase; of Poisson(λt) more every k-th is a purchase.

        They end with the one at which the customer leaves.
        """
        weights = softmax(self._ln_phase_weights(x, T, t_x), axis=0)
        j = (rng.random(x.shape) > np.cumsum(weights, axis=0)[:-1]).sum(axis=0)
        rate = rng.gamma(self.r + self.k * x + j) / (self.alpha + T)
        without = (j + rng.poisson(rate * t)) // self.k
        p = rng.beta(self.a, self.b + x + self.chances_before_repeat)
        return np.asarray(np.minimum(without, 1 + survived(p, rng)))
