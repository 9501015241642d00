"""How a customer with a problem responds: to the problem, to waiting, to goodwill.

Symbols: V, the value from now on of a customer who is alive; A, the probability of being alive
when the offer is made; π0, the probability that the problem, left alone, ends the relationship;
h, hours until the response; s, goodwill at face value; e, ρ, κ, g∞, h0, H as in
:class:`~clv.recommend.policy.RecoveryRules`; u0·W, what is at stake through word of mouth.

    π(s, h) = π0 · [1 − e · g(h) · (1 − ρ · exp(−s/κ))]
    g(h)    = g∞ + (1 − g∞) · 2^(−max(0, h − h0)/H)
    D       = e · g(h) · ρ · (A · π0 · V + u0 · W)

Recovery never takes dropout below what it is without a problem: a "service recovery paradox" does
not hold for repurchase (De Matos, Henrique & Rossi 2007, doi:10.1177/1094670507303012).
Everything works element by element.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from clv.recommend.policy import DropoutRules, Policy, RecoveryRules

__all__ = [
    "Form",
    "dropout_after",
    "dropout_before",
    "most_savable",
    "promptness",
    "promptness_lost",
    "unit_cost",
]

Form = Literal["cash", "credit"]
"""What goodwill is given in: cash (or its like), or store credit."""


def promptness(h: npt.ArrayLike, rules: RecoveryRules) -> Any:
    """g(h): what an answer after h hours does, as a part of what a prompt one does.

    Parameters
    ----------
    h : array_like
        Hours from the problem to the answer, at least 0.
    rules : RecoveryRules
        Holds g∞, h0 and H.

    Returns
    -------
    ndarray or float
        From g∞ to 1.

    Examples
    --------
    >>> [round(float(promptness(h, RecoveryRules())), 4) for h in (0, 28, 52, 100)]
    [1.0, 0.75, 0.625, 0.5312]
    """
    late = np.maximum(0.0, np.asarray(h, dtype=float) - rules.prompt_hours)
    return rules.slow_share + (1 - rules.slow_share) * np.exp2(-late / rules.half_life_hours)


def promptness_lost(h: npt.ArrayLike, rules: RecoveryRules) -> Any:
    """−g'(h): what an answer loses of a prompt one's effect with each hour more.

    Parameters
    ----------
    h : array_like
        Hours from the problem to the answer, at least 0.
    rules : RecoveryRules
        Holds g∞, h0 and H.

    Returns
    -------
    ndarray or float
        Per hour; 0 before h0, and at h0 itself the slope after it.

    Examples
    --------
    >>> [round(float(promptness_lost(h, RecoveryRules())), 4) for h in (0, 4, 28)]
    [0.0, 0.0144, 0.0072]
    """
    h = np.asarray(h, dtype=float)
    slope = np.log(2) / rules.half_life_hours * (promptness(h, rules) - rules.slow_share)
    return np.where(h >= rules.prompt_hours, slope, 0.0)[()]


def dropout_before(
    base: npt.ArrayLike,
    rules: DropoutRules,
    *,
    earlier_purchases: npt.ArrayLike = 0,
    severity: npt.ArrayLike = 1,
    days_since_incident: npt.ArrayLike = np.inf,
    log_odds: npt.ArrayLike = 0.0,
) -> Any:
    """π0: probability that the problem ends the relationship if nothing is done.

    Parameters
    ----------
    base : array_like
        π0 of the problem type, from 0 to 1.
    rules : DropoutRules
        What moves it, on the scale of log-odds.
    earlier_purchases : array_like
        Purchases before the one that went wrong, at least 0.
    severity : array_like
        Level from 1 (as the problem type says) to 4.
    days_since_incident : array_like
        Days since the customer's problem before this one; infinite where there was none.
    log_odds : array_like
        Added to the log-odds: how far off they are thought to be.

    Returns
    -------
    ndarray or float
        A probability.

    Examples
    --------
    >>> round(float(dropout_before(0.30, DropoutRules(), earlier_purchases=5)), 4)
    0.1863
    """
    n, level, days = (
        np.asarray(v, dtype=float) for v in (earlier_purchases, severity, days_since_incident)
    )
    return expit(
        logit(np.asarray(base, dtype=float))
        + rules.per_severity_level * (level - 1)
        + rules.per_log_purchases * np.log1p(n)
        + rules.earlier_incident * np.exp(-days / rules.earlier_incident_days)
        + np.asarray(log_odds, dtype=float)
    )


def dropout_after(
    s: npt.ArrayLike,
    h: npt.ArrayLike,
    *,
    pi0: npt.ArrayLike,
    kappa: npt.ArrayLike,
    rules: RecoveryRules,
) -> Any:
    """π(s, h): probability of leaving after goodwill s and an answer within h hours.

    Parameters
    ----------
    s : array_like
        Goodwill at face value, in money, at least 0.
    h : array_like
        Hours from the problem to the answer, at least 0.
    pi0 : array_like
        π0, from :func:`dropout_before`.
    kappa : array_like
        κ, in money, above 0.
    rules : RecoveryRules
        Holds e, ρ and the effect of waiting.

    Returns
    -------
    ndarray or float
        A probability, at most π0.

    Examples
    --------
    >>> round(float(dropout_after(0, 0, pi0=0.3, kappa=20, rules=RecoveryRules())), 4)
    0.228
    """
    e, rho = rules.savable_share, rules.goodwill_share
    decay = np.exp(-np.asarray(s, dtype=float) / np.asarray(kappa, dtype=float))
    return np.asarray(pi0, dtype=float) * (1 - e * promptness(h, rules) * (1 - rho * decay))


def most_savable(at_stake: npt.ArrayLike, h: npt.ArrayLike, rules: RecoveryRules) -> Any:
    """D: what goodwill on top of a proper fix could keep at most.

    Parameters
    ----------
    at_stake : array_like
        A · π0 · V + u0 · W, in money.
    h : array_like
        Hours from the problem to the answer, at least 0.
    rules : RecoveryRules
        Holds e, ρ and the effect of waiting.

    Returns
    -------
    ndarray or float
        In money.

    Examples
    --------
    >>> round(float(most_savable(0.3 * 400, 0, RecoveryRules())), 4)
    43.2
    """
    e, rho = rules.savable_share, rules.goodwill_share
    return e * promptness(h, rules) * rho * np.asarray(at_stake, dtype=float)


def unit_cost(policy: Policy, form: Form = "cash") -> float:
    """c: real cost of goodwill of face value 1; credit costs redemption × (1 − margin).

    Examples
    --------
    >>> unit_cost(Policy(), "cash"), round(unit_cost(Policy(), "credit"), 2)
    (1.0, 0.42)
    """
    return policy.recovery.credit_redemption * (1 - policy.margin) if form == "credit" else 1.0
