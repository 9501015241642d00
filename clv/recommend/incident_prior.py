"""From the policy to a prior for what incidents do, and from the posterior back to the policy.

The incident-aware model has the probability that incident j ends the relationship as

    logit π_j = θ_type + θ_sev (severity − 1) + θ_n ln(1 + earlier purchases) + θ_inc earlier
                + θ_g ln(1 + goodwill/loss) + θ_h (1 − g(h)) + θ_u [unresolved] + θ_? [unknown]

so that its base case is an incident answered promptly, fixed, without goodwill. In the policy's
letters (:mod:`clv.recommend.response`) such a customer leaves with π0 [1 − e(1 − ρ)], while π0 is
for a problem left alone. With q = exp(−1/κ_rel), what goodwill of the whole loss leaves, and at the
median π0 of the policy's problem types (log-odds differ little between them):

    θ_type = logit( π0 [1 − e(1 − ρ)] )
    θ_g    = [ logit( π0 [1 − e(1 − ρq)] ) − logit( π0 [1 − e(1 − ρ)] ) ] / ln 2
    θ_h    = [ logit( π0 [1 − e g∞ (1 − ρ)] ) − logit( π0 [1 − e(1 − ρ)] ) ] / (1 − g∞)
    θ_u    = logit(π0) − logit( π0 [1 − e(1 − ρ)] )

and θ_sev, θ_n, θ_inc are figures of the policy themselves.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from clv.errors import RequestError
from clv.recommend.learned import Basis, Learned, LearnedFigure
from clv.recommend.policy import Policy, RecoveryRules

__all__ = ["incident_prior", "learned_from_incidents"]

Prior = dict[str, tuple[float, float]]

TYPE = "type:"
"""Begins the name of a problem type's coefficient."""

SMALLEST = 1e-3
"""A share of leavers that a policy states as 0 or 1 is a prior at this distance from it: log-odds
of 0 and 1 are infinite, and no record could ever move them."""

OF_DROPOUT = {
    "severity": ("per_severity_level", "severity_sd"),
    "earlier_purchases": ("per_log_purchases", "purchases_sd"),
    "earlier_incident": ("earlier_incident", "earlier_incident_sd"),
}
"""Coefficients that are figures of the policy themselves, and their prior deviations."""


def incident_prior(policy: Policy) -> Prior:
    """Return mean and standard deviation of each coefficient of the incident-aware model.

    Parameters
    ----------
    policy : Policy
        Its figures are the means, its `learning` figures the deviations.

    Returns
    -------
    dict of str to (float, float)
        "type:KEY" for each problem type, "severity", "earlier_purchases", "earlier_incident",
        "goodwill", "lateness", "unresolved", "goodwill_unknown", all log-odds of leaving.

    Examples
    --------
    >>> prior = incident_prior(Policy())
    >>> [round(number, 3) for number in prior["type:defective"]]
    [-2.051, 0.7]
    >>> prior["severity"], round(prior["goodwill"][0], 3)
    ((0.5, 0.25), -0.818)
    """
    rules, learning = policy.recovery, policy.learning
    e, rho, slow = rules.savable_share, rules.goodwill_share, rules.slow_share
    pi0 = _typical_dropout(policy)
    base = _logit(pi0 * _left_after_fix(rules))
    with_goodwill = _logit(pi0 * (1 - e * (1 - rho * _left_of_goodwill(rules))))
    # where nothing is lost by waiting, by the policy, the covariate is 0 and its effect unseen
    g = slow if slow < 1 else 0.0
    late = _logit(pi0 * (1 - e * g * (1 - rho)))
    prior: Prior = {
        TYPE + key: (_logit(kind.dropout * _left_after_fix(rules)), learning.dropout_sd)
        for key, kind in policy.problems.items()
    }
    for name, (key, sd) in OF_DROPOUT.items():
        prior[name] = (getattr(policy.dropout, key), getattr(learning, sd))
    prior["goodwill"] = ((with_goodwill - base) / math.log(2), learning.goodwill_sd)
    prior["lateness"] = ((late - base) / (1 - g), learning.lateness_sd)
    prior["unresolved"] = (_logit(pi0) - base, learning.unresolved_sd)
    prior["goodwill_unknown"] = (learning.goodwill_unknown, learning.goodwill_unknown_sd)
    return prior


def learned_from_incidents(
    policy: Policy,
    posterior: Mapping[str, tuple[float, float]],
    observations: Mapping[str, int],
    *,
    goodwill_randomised: bool,
    source: str,
    learned_on: date,
    correlations: tuple[Sequence[str], npt.NDArray[np.float64]] | None = None,
) -> Learned:
    """Return what a fit of the incident-aware model says about the policy's figures.

    A type's π0 is its learned probability over 1 − e(1 − ρ). Goodwill's effect d, the part of the
    base case's leavers that goodwill of the whole loss keeps, gives e and ρ: what a fix alone wins,
    f = e(1 − ρ), is not learned from it and stays, so that every π0 stays too, and

        e = f + d(1 − f)/(1 − q)        ρ = 1 − f/e

    with e at least f (goodwill that does harm does nothing) and at most 1. Goodwill is used only
    where chance decided it; how long customers waited, nobody decided by chance: it is shown.

    Parameters
    ----------
    policy : Policy
        The one whose :func:`incident_prior` the fit started from.
    posterior : mapping of str to (float, float)
        Mean and standard deviation of coefficients, by the names of :func:`incident_prior`.
    observations : mapping of str to int
        Incidents that speak about each coefficient; 0 where not named.
    goodwill_randomised : bool
        Whether the effect of goodwill was learned from randomised goodwill alone.
    source : str
        Hash of the incident log.
    learned_on : date
        The last day of the log.
    correlations : (sequence of str, ndarray of shape (K, K)), optional
        Names of coefficients and their posterior correlation; independent where not given.

    Returns
    -------
    Learned
        Whether a problem was solved and what is unknown are no figures of the policy: left out.

    Raises
    ------
    RequestError
        Where a coefficient is not one of the prior's.

    Examples
    --------
    >>> learned = learned_from_incidents(
    ...     Policy(), {"type:defective": (-2.5, 0.1)}, {"type:defective": 900},
    ...     goodwill_randomised=False, source="9f3c", learned_on=date(2024, 6, 30),
    ... )
    >>> round(learned["problems.defective.dropout"].value, 4)
    0.0998
    """
    prior = incident_prior(policy)
    strange = [name for name in posterior if name not in prior]
    if strange:
        raise RequestError(
            f"The policy has no prior for {', '.join(strange)}; it has one for {', '.join(prior)}."
        )
    rho = _correlations(posterior, correlations)
    figures = []
    for name, (mean, sd) in posterior.items():
        for key, value, basis in _moved(policy, name, mean, randomised=goodwill_randomised):
            own_scale = name in OF_DROPOUT
            figures.append(
                LearnedFigure(
                    key,
                    value,
                    *prior[name],
                    posterior_mean=float(mean),
                    posterior_sd=float(sd),
                    basis=basis,
                    observations=int(observations.get(name, 0)),
                    scale="value" if own_scale else "log-odds",
                    correlations=rho.get(name, ()),
                )
            )
    return Learned.of(figures, source=source, learned_on=learned_on, policy_version=policy.version)


def _correlations(
    posterior: Mapping[str, tuple[float, float]],
    known: tuple[Sequence[str], npt.NDArray[np.float64]] | None,
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Those between figures that add up to the log-odds of leaving, by coefficient."""
    if known is None:
        return {}
    key = {name: f"problems.{name.removeprefix(TYPE)}.dropout" for name in posterior}
    key |= {name: f"dropout.{told}" for name, (told, _) in OF_DROPOUT.items()}
    names, matrix = known
    adds = [n for n in names if n in posterior and (n.startswith(TYPE) or n in OF_DROPOUT)]
    place = {name: i for i, name in enumerate(names)}
    return {
        one: tuple(
            (key[other], float(np.clip(matrix[place[one], place[other]], -1, 1)))
            for other in adds
            if other != one
        )
        for one in adds
    }


def _moved(
    policy: Policy, name: str, mean: float, *, randomised: bool
) -> list[tuple[str, float, Basis]]:
    """Key, value and basis of the policy's figures that a coefficient speaks about."""
    rules = policy.recovery
    pi0 = _typical_dropout(policy)
    left = _left_after_fix(rules)
    base = _logit(pi0 * left)
    if name.startswith(TYPE):
        value = min(1.0, _expit(mean) / max(left, SMALLEST))
        return [(f"problems.{name.removeprefix(TYPE)}.dropout", value, "data")]
    if name in OF_DROPOUT:
        return [(f"dropout.{OF_DROPOUT[name][0]}", mean, "data")]
    if name == "goodwill":
        basis: Basis = "causal" if randomised else "associational"
        kept = 1 - _expit(base + mean * math.log(2)) / _expit(base)
        f = 1 - left
        e = min(1.0, f + max(0.0, kept) * left / (1 - _left_of_goodwill(rules)))
        rho = 1 - f / e if e else rules.goodwill_share
        return [
            ("recovery.savable_share", e, basis),
            ("recovery.goodwill_share", max(0.0, rho), basis),
        ]
    if name == "lateness" and left < 1 and rules.slow_share < 1:
        after = _expit(base + mean * (1 - rules.slow_share)) / pi0
        slow = min(1.0, max(0.0, (1 - after) / (1 - left)))
        return [("recovery.slow_share", slow, "associational")]
    return []


def _typical_dropout(policy: Policy) -> float:
    """The median π0 of the problem types, at which log-odds are taken where no type is meant."""
    pi0 = statistics.median(kind.dropout for kind in policy.problems.values())
    return min(max(pi0, SMALLEST), 1 - SMALLEST)


def _left_after_fix(rules: RecoveryRules) -> float:
    """1 − e(1 − ρ): of those who would leave, the part that a prompt fix alone does not keep."""
    return 1 - rules.savable_share * (1 - rules.goodwill_share)


def _left_of_goodwill(rules: RecoveryRules) -> float:
    """exp(−1/κ_rel): what goodwill of the whole loss leaves of what goodwill can do."""
    return math.exp(-1 / rules.money_scale)


def _logit(p: float) -> float:
    p = min(max(p, SMALLEST), 1 - SMALLEST)
    return math.log(p / (1 - p))


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
