"""What to expect of a customer who is alive, with and without incidents to come.

Without, a customer is one of BG/NBD with λ ~ Gamma(r+x, α+T), p ~ Beta(a, b+x+Ω), Ω the exponents
of the incidents survived (shared link; 0 with the separate one).

With, each purchase brings an incident with probability q, which is survived with probability
1 − π̄ (or E[(1 − p)^ω] over the incidents). Survived purchases then have probability

    1 − p' = (1 − p) (1 − q + q · P(survives an incident | p)),

and given p the customer is one of BG/NBD who leaves with probability p' after a purchase:

    E[X(t)] = E_p[ (1 − ((α+T)/(α+T+p't))^(r+x)) / p' ],
    E[∫ e^(−δs) dX(s)] = E_p[ ∫ e^(−δs) (R/A) (1 + p's/A)^(−R−1) ds ],  R = r+x, A = α+T.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clv import numerics
from clv.arrays import Floats, Rows
from clv.errors import ParameterError, RequestError
from clv.incident_history import IncidentHistories
from clv.models.arguments import refuse_impossible
from clv.models.base import Number, refuse_endless

if TYPE_CHECKING:
    from clv.models.incidents.likelihood import Link

__all__ = ["FutureIncidents", "IncidentAnswers"]


KINDS = 32
"""Exponents that stand for the incidents to come: means of as many equal shares of them."""


@dataclass(frozen=True)
class FutureIncidents:
    """Incidents to be expected.

    Parameters
    ----------
    per_purchase : float
        q, the probability that a purchase brings one.
    dropout : float
        π̄, the probability that one ends the relationship, with the separate link.
    exponents : tuple of float
        ω of incidents that are equally likely, with the shared link; these leave π̄ out.

    Examples
    --------
    >>> FutureIncidents(0.1, 0.2).survives(np.array([0.5])).round(2)
    array([0.98])
    """

    per_purchase: float
    dropout: float = 0.0
    exponents: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse probabilities that are none."""
        faults = [
            f"Incidents to come need {name} from 0 to 1; got {value:g}"
            for name, value in (("per_purchase", self.per_purchase), ("dropout", self.dropout))
            if not 0 <= value <= 1
        ]
        if not all(w >= 0 for w in self.exponents):
            faults.append("Exponents of incidents to come cannot be negative")
        if faults:
            raise ParameterError.of(faults)

    @classmethod
    def of(cls, per_purchase: float, effects: Floats, link: Link) -> FutureIncidents:
        """Incidents like those of a log: π or ω of each."""
        q = min(1.0, per_purchase)
        if not len(effects):
            return cls(0.0)
        if link == "separate":
            return cls(q, float(effects.mean()))
        shares = np.array_split(np.sort(effects), min(KINDS, len(effects)))
        return cls(q, exponents=tuple(float(share.mean()) for share in shares))

    def survives(self, p: Floats) -> Floats:
        """P(survives what a purchase may bring | p), without the purchase's own dropout."""
        q = self.per_purchase
        if not self.exponents:
            return np.full_like(p, 1 - q * self.dropout)
        ln_stay = np.log1p(-p)
        gone = -np.mean([np.expm1(w * ln_stay) for w in self.exponents], axis=0)
        return np.asarray(1 - q * gone)

    def leaves(self, p: Floats) -> Floats:
        """p', the probability of leaving at a purchase or at the incident that it brings."""
        return np.asarray(p + (1 - p) * (1 - self.survives(p)))


class IncidentAnswers:
    """Expectations of :class:`~clv.IncidentBGNBD`, given its parameters and P(alive)."""

    r: float
    alpha: float
    a: float
    b: float

    def p_alive(self, histories: IncidentHistories) -> Floats:
        """P(still a customer at T) of the customers with incidents."""
        raise NotImplementedError

    def survived_exponent(self, histories: IncidentHistories) -> Floats:
        """Exponent of 1 − p that a customer alive at T has survived beyond the x purchases."""
        raise NotImplementedError

    def expected_purchases_if_alive(
        self,
        t: Number,
        x: Number = 0,
        T: Number = 0,
        survived: Number = 0,
        *,
        future: FutureIncidents | None = None,
    ) -> Floats:
        """E[purchases in (T, T + t] | alive at T].

        Parameters
        ----------
        t : float or array_like
            Time ahead.
        x, T : float or array_like
            Repeat transactions in T; a new customer by default.
        survived : float or array_like
            :meth:`survived_exponent` of the incidents.
        future : FutureIncidents, optional
            Incidents to come; none by default.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> from clv.models.incidents.model import IncidentBGNBD
        >>> model = IncidentBGNBD(.243, 4.414, .793, 2.426, {"type:late": -.85})
        >>> alone = model.expected_purchases_if_alive(39, x=2, T=38.86)
        >>> more = model.expected_purchases_if_alive(39, 2, 38.86, future=FutureIncidents(.1, .3))
        >>> round(float(alone), 4), round(float(more), 4)
        (1.6874, 1.6313)
        """
        refuse_impossible(t=t, x=x, T=T)

        def answer(t: Floats, x: Floats, T: Floats, survived: Floats) -> Floats:
            R, A, a, B = self._given_alive(x, T, survived)
            if future is None:
                return numerics.expected_purchases(t, R, A, a, B)

            def given_p(p: Floats, i: Rows) -> Floats:
                leaves = future.leaves(p)
                return -np.expm1(-R[i, None] * np.log1p(leaves * (t / A)[i, None])) / leaves

            return numerics.mean_over_p(given_p, t / A, R, a, B)

        return numerics.on_distinct(answer, t, x, T, survived)[()]

    def discounted_purchases_if_alive(
        self,
        x: Number = 0,
        T: Number = 0,
        survived: Number = 0,
        *,
        rate: float,
        horizon: float = math.inf,
        future: FutureIncidents | None = None,
    ) -> Floats:
        """E[purchases in (T, T + horizon], each times e^(−rate·time) | alive at T].

        Parameters
        ----------
        x, T, survived, future
            As of :meth:`expected_purchases_if_alive`.
        rate : float
            Continuous discount rate per unit of time.
        horizon : float, optional
            How far ahead to count; without end by default.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where rate or horizon are negative; without either, where the sum is infinite, or there
            are incidents to come.

        Examples
        --------
        >>> from clv.models.incidents.model import IncidentBGNBD
        >>> model = IncidentBGNBD(.243, 4.414, .793, 2.426, {"type:late": -.85})
        >>> weekly = math.log(1.10) / 52.18
        >>> round(float(model.discounted_purchases_if_alive(2, 38.86, rate=weekly)), 2)
        8.77
        """
        refuse_endless(rate, horizon, "a", self.a)
        refuse_impossible(x=x, T=T)
        if future is not None and rate == 0 and math.isinf(horizon):
            raise RequestError(
                "Purchases with incidents to come are counted to a horizon, or discounted; give "
                "one of the two."
            )

        def answer(x: Floats, T: Floats, survived: Floats) -> Floats:
            R, A, a, B = self._given_alive(x, T, survived)
            if future is None:
                return numerics.discounted_purchases(horizon, rate, R, A, a, B)
            end = horizon if rate == 0 else min(horizon, 60 / rate)  # e^−60 is nothing
            return _discounted(end, rate, R, A, a, B, future.leaves)

        return numerics.on_distinct(answer, x, T, survived)[()]

    def expected_purchases(
        self,
        t: float,
        histories: IncidentHistories,
        *,
        future: FutureIncidents | None = None,
    ) -> Floats:
        """E[purchases in (T, T + t]] of the customers with incidents: P(alive) × E[... | alive].

        Parameters
        ----------
        t : float
            Time ahead.
        histories : IncidentHistories
            What was seen.
        future : FutureIncidents, optional
            Incidents to come; none by default.

        Returns
        -------
        ndarray, shape (n,)
        """
        alive = self.p_alive(histories)
        survived = self.survived_exponent(histories)
        return alive * self.expected_purchases_if_alive(
            t, histories.frequency, histories.T, survived, future=future
        )

    def discounted_expected_transactions(
        self,
        histories: IncidentHistories,
        *,
        rate: float,
        horizon: float = math.inf,
        future: FutureIncidents | None = None,
    ) -> Floats:
        """Discounted expected transactions of the customers with incidents, from T on.

        Parameters
        ----------
        histories : IncidentHistories
            What was seen.
        rate, horizon, future
            As of :meth:`discounted_purchases_if_alive`.

        Returns
        -------
        ndarray, shape (n,)
        """
        alive = self.p_alive(histories)
        survived = self.survived_exponent(histories)
        return alive * self.discounted_purchases_if_alive(
            histories.frequency, histories.T, survived, rate=rate, horizon=horizon, future=future
        )

    def _given_alive(
        self, x: Floats, T: Floats, survived: Floats
    ) -> tuple[Floats, Floats, float, Floats]:
        return self.r + x, self.alpha + T, self.a, self.b + x + survived


def _discounted(
    end: float,
    rate: float,
    R: Floats,
    A: Floats,
    a: float,
    B: Floats,
    leaves: Callable[[Floats], Floats],
) -> Floats:
    """The integral over time by panels in v, s = step (e^v − 1), step = 1/((R + 1)/A + δ).

    As in :func:`clv.numerics.discounted_purchases`, with p' for p.
    """
    step = 1 / ((R + 1) / A + rate)
    v_end = np.log1p(end / step)
    nodes, weights = numerics.panels(max(1, int(np.ceil(v_end.max() / 2))))

    def given_p(p: Floats, i: Rows) -> Floats:
        gone = leaves(p)
        total = np.zeros((len(R[i]), len(p)))
        for node, weight in zip(nodes, weights, strict=True):
            s = step[i] * np.expm1(v_end[i] * node)
            ds = v_end[i] * (step[i] + s) * weight
            decay = np.exp(-(R[i] + 1)[:, None] * np.log1p(gone * (s / A[i])[:, None]))
            total += (ds * np.exp(-rate * s) * R[i] / A[i])[:, None] * decay
        return total

    return numerics.mean_over_p(given_p, end / A, R + 1, a, B)
