"""What was learned of problems and of what moves them, in words and numbers for people."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from clv.models.incidents.covariates import SELECTION, TYPE
from clv.models.incidents.effects import Basis, Effect
from clv.models.incidents.fit import IncidentFit
from clv.models.incidents.likelihood import Link

__all__ = ["LearnedEffect", "LearnedType", "ends", "learned_effects", "on_log_odds"]

NEAR_ZERO = 0.02
"""A share of customers lost over a problem below which the problem is called harmless, assumed."""

Use = Literal["used", "shown, not used"]


@dataclass(frozen=True)
class LearnedType:
    """What was learned of one type of problem.

    Attributes
    ----------
    problem, label : str
        Its key in the policy, and what people call it.
    incidents : int
        How many there were.
    assumed, learned : float
        π0, the part of new customers who leave over it if nothing is done: the policy's, and after
        the data.
    learned_low, learned_high : float
        80 % interval of it.
    lost_assumed, lost, lost_low, lost_high : float
        Part of the customers there who left over these incidents as they were handled: by the
        prior; after the data, with 80 % interval.
    share_from_data : float
        How much of what was learned is data.
    """

    problem: str
    label: str
    incidents: int
    assumed: float
    learned: float
    learned_low: float
    learned_high: float
    lost_assumed: float
    lost: float
    lost_low: float
    lost_high: float
    share_from_data: float

    @property
    def harmless(self) -> bool:
        """Whether the data tell that next to nobody leaves over it, where some were expected to."""
        return self.lost_high < NEAR_ZERO <= self.lost_assumed


@dataclass(frozen=True)
class LearnedEffect:
    """What was learned of something that moves how many leave.

    Attributes
    ----------
    name : str
        Of the coefficient.
    meaning : str
        What it does, in words that end in "times".
    assumed, learned : float
        By how much it multiplies the odds of leaving: before the data and after them.
    learned_low, learned_high : float
        80 % interval of it.
    share_from_data : float
        How much of it is data.
    basis : {"data", "causal", "associational"}
        On what it rests.
    use : str
        Whether limits follow it.
    incidents : int
        How many speak about it.
    """

    name: str
    meaning: str
    assumed: float
    learned: float
    learned_low: float
    learned_high: float
    share_from_data: float
    basis: Basis
    use: Use
    incidents: int


def learned_effects(fit: IncidentFit, effects: Iterable[Effect]) -> tuple[LearnedEffect, ...]:
    """Tell every effect that is not a type of problem by what it does to the odds of leaving.

    Parameters
    ----------
    fit : IncidentFit
        What they are effects of.
    effects : iterable of Effect
        On the scale of log-odds, as :func:`on_log_odds` gives them.

    Returns
    -------
    tuple of LearnedEffect
    """
    told = []
    for effect in effects:
        if effect.name.startswith(TYPE):
            continue
        unit, meaning = _MEANING[effect.name]
        if effect.name == "lateness":
            unit = 1 - fit.model.handling.slow_share
        low, high = ends(unit * effect.posterior_mean, unit * effect.posterior_sd)
        told.append(
            LearnedEffect(
                effect.name,
                meaning,
                math.exp(unit * effect.prior_mean),
                math.exp(unit * effect.posterior_mean),
                math.exp(low),
                math.exp(high),
                effect.share_from_data,
                effect.basis,
                _use(effect, fit.model.link),
                effect.incidents,
            )
        )
    return tuple(told)


def on_log_odds(fit: IncidentFit, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Bring effects on ln ω back to the log-odds of π, as at the mean of p.

    The inverse of how the prior was carried there (:meth:`clv.IncidentBGNBD.fit`), to first order
    for everything but the types: π = 1 − (1−p̄)^ω, d ln ω/d logit π = π/(−ln(1−π)).

    Parameters
    ----------
    fit : IncidentFit
        With the separate link, effects are on that scale already.
    effects : tuple of Effect
        As of the fit, or of its posterior.

    Returns
    -------
    tuple of Effect
    """
    if fit.model.link == "separate":
        return effects
    per_purchase = math.log1p(fit.plain.model.a / fit.plain.model.b)

    def hazard_of(ln_omega: float) -> float:
        return min(per_purchase * math.exp(min(ln_omega, 50.0)), 30.0)

    of_types = [hazard_of(e.prior_mean) for e in effects if e.name.startswith(TYPE)]
    typical = float(np.mean(-np.expm1(-np.array(of_types))))
    slope = typical / -math.log1p(-typical)
    told = []
    for e in effects:
        if e.name.startswith(TYPE):
            before, after = hazard_of(e.prior_mean), hazard_of(e.posterior_mean)
            at = [-math.expm1(-h) / h for h in (before, after)]
            means = [math.log(math.expm1(h)) for h in (before, after)]
        else:
            at = [slope, slope]
            means = [e.prior_mean / slope, e.posterior_mean / slope]
        told.append(
            replace(
                e,
                prior_mean=means[0],
                prior_sd=e.prior_sd / at[0],
                posterior_mean=means[1],
                posterior_sd=e.posterior_sd / at[1],
            )
        )
    return tuple(told)


def _use(effect: Effect, link: Link) -> Use:
    shown = link == "shared" or effect.basis == "associational"
    return "shown, not used" if shown else "used"


_MEANING = {
    "severity": (1.0, "each level of severity above 1"),
    "earlier_purchases": (math.log(2), "one earlier purchase instead of none"),
    "earlier_incident": (1.0, "a problem that day already"),
    "goodwill": (math.log(2), "goodwill of the whole loss instead of none"),
    "lateness": (math.nan, "a very late answer instead of a prompt one"),
    "unresolved": (1.0, "a problem that was not solved"),
    "goodwill_unknown": (1.0, "goodwill that nobody wrote down"),
    SELECTION: (math.log(2), "being thought to need goodwill of the whole loss"),
}
"""Change of the covariate that is told, and what it stands for; ln 2 is ln(1 + 1)."""


def ends(mean: float, sd: float) -> tuple[float, float]:
    """80 % interval of the normal law.

    >>> ends(0.0, 1.0)
    (-1.2815515655446004, 1.2815515655446004)
    """
    reach = 1.2815515655446004 * sd
    return mean - reach, mean + reach
