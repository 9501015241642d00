"""How sure a recovery limit is: the customer's value and the problem's dropout, drawn together.

A limit depends on the product of two figures of which neither is known:

- V, the value from now on. A book states the 10 % and 90 % points of its posterior; here it is
  log-normal through both.
- π0, the part who leave if nothing is done. On log-odds it is normal around the policy's figure,
  with the deviation of the posterior where the company's own record has taught it, else of the
  prior that the record would start from (:mod:`clv.recommend.incident_prior`). The parts that
  belong to the problem type, severity, earlier purchases and an earlier incident add up, with the
  correlation that they have where the same record taught them.

They come from different records and are drawn independently, at the points of a lattice that fills
the square evenly: the answer to one question is always the same. What the policy states of goodwill
and of waiting is taken as it stands.

A gain is linear in π0, so the best amount follows from its mean. A π0 that the policy states is
that mean. Of one that was learned the log-odds are known with a deviation s, and the mean is
E[1/(1 + e^−(η + s Z))], Z standard normal, by Gauss-Hermite quadrature: above the middle where π0
is below one half, by a twentieth of itself at .1 and s = .35.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtri

from clv.arrays import Floats
from clv.recommend.policy import Policy
from clv.recommend.response import dropout_before

__all__ = ["DRAWS", "expected_dropout", "log_odds_sd", "normal_draws", "ten_ninety", "value_draws"]

DRAWS = 399
"""Points drawn; of N the k-th smallest and largest hold 1 − 2k/(N + 1): .8 exactly, with k = 40."""

TEN_NINETY = 1.2815515655446004
"""The 90 % point of the standard normal distribution."""

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
"""For means over a standard normal; relative error 3e-6 at s = 1, 1e-13 at .35."""

GOLDEN = (5**0.5 - 1) / 2
"""Multiples of the golden ratio fill the unit interval evenly, however many there are."""


@cache
def normal_draws() -> tuple[Floats, Floats]:
    """Two independent standard normal columns of shape (:data:`DRAWS`,), the same at every call.

    Examples
    --------
    >>> first, second = normal_draws()
    >>> round(float(first.std()), 2), round(abs(float(np.corrcoef(first, second)[0, 1])), 2)
    (1.0, 0.01)
    """
    i = np.arange(DRAWS)
    columns = ndtri((i + 0.5) / DRAWS), ndtri((0.5 + i * GOLDEN) % 1)
    for column in columns:
        column.flags.writeable = False
    return columns


def value_draws(low: npt.ArrayLike, high: npt.ArrayLike, z: npt.ArrayLike) -> Any:
    """Values whose 10 % and 90 % points are these, at standard normal scores.

    Parameters
    ----------
    low, high : array_like
        The two points, in money, at least 0 and in this order.
    z : array_like
        Scores.

    Returns
    -------
    ndarray
        Log-normal; normal and never below 0 where `low` is 0.

    Examples
    --------
    >>> value_draws(100.0, 400.0, [-1.2815515655446004, 0, 1.2815515655446004]).round(6).tolist()
    [100.0, 200.0, 400.0]
    """
    low, high, z = (np.asarray(v, dtype=float) for v in (low, high, z))
    positive = low > 0
    ln_low, ln_high = (np.log(np.where(positive, v, 1.0)) for v in (low, high))
    share = z / TEN_NINETY
    lognormal = np.exp((ln_low + ln_high) / 2 + share * (ln_high - ln_low) / 2)
    normal = np.maximum(0.0, (low + high) / 2 + share * (high - low) / 2)
    return np.where(positive, lognormal, normal)


def log_odds_sd(
    policy: Policy,
    problem: str,
    *,
    frequency: npt.ArrayLike = 0,
    severity: npt.ArrayLike = 1,
    days_since_incident: npt.ArrayLike = np.inf,
) -> Any:
    """Standard deviation of the log-odds of leaving over a problem.

    Parameters
    ----------
    policy : Policy
        With what was learned, if anything was.
    problem : str
        Key of a problem type.
    frequency, severity, days_since_incident : array_like
        As in :func:`~clv.recommend.response.dropout_before`.

    Returns
    -------
    ndarray or float

    Examples
    --------
    >>> round(float(log_odds_sd(Policy(), "defective", frequency=5)), 3)
    0.786
    """
    parts = _parts(policy, problem, frequency, severity, days_since_incident)
    return _combined(policy, parts)


def expected_dropout(
    policy: Policy,
    problem: str,
    *,
    frequency: npt.ArrayLike = 0,
    severity: npt.ArrayLike = 1,
    days_since_incident: npt.ArrayLike = np.inf,
) -> Any:
    """E[π0]: part of such customers who leave over a problem if nothing is done.

    Parameters
    ----------
    policy : Policy
        With what was learned, if anything was.
    problem, frequency, severity, days_since_incident
        As in :func:`log_odds_sd`.

    Returns
    -------
    ndarray or float
        π0 at the policy's figures, averaged over what is not known of the learned ones.

    Examples
    --------
    >>> round(float(expected_dropout(Policy(), "late_delivery", frequency=5)), 4)  # stated
    0.0444
    """
    middle = dropout_before(
        policy.problem(problem).dropout,
        policy.dropout,
        earlier_purchases=frequency,
        severity=severity,
        days_since_incident=days_since_incident,
    )
    used = policy.learned.used if policy.learned else {}
    parts = _parts(policy, problem, frequency, severity, days_since_incident)
    learned = {key: part for key, part in parts.items() if key in used}
    if not learned:
        return middle
    sd = np.asarray(_combined(policy, learned))
    odds, total = logit(middle), 0.0
    for z, weight in zip(NODES, WEIGHTS, strict=True):
        total = total + weight * expit(odds + sd * z)
    return total


def _parts(
    policy: Policy,
    problem: str,
    frequency: npt.ArrayLike,
    severity: npt.ArrayLike,
    days_since_incident: npt.ArrayLike,
) -> dict[str, tuple[Any, float]]:
    """Factor and standard deviation of each figure that adds to the log-odds of leaving."""
    rules = policy.learning
    n, level, days = (
        np.asarray(v, dtype=float) for v in (frequency, severity, days_since_incident)
    )
    before = np.exp(-days / policy.dropout.earlier_incident_days)
    stated = {
        f"problems.{problem}.dropout": (1.0, rules.dropout_sd),
        "dropout.per_severity_level": (level - 1, rules.severity_sd),
        "dropout.per_log_purchases": (np.log1p(n), rules.purchases_sd),
        "dropout.earlier_incident": (before, rules.earlier_incident_sd),
    }
    return {key: (factor, _sd(policy, key, sd)) for key, (factor, sd) in stated.items()}


def _combined(policy: Policy, parts: Mapping[str, tuple[Any, float]]) -> Any:
    """Standard deviation of their sum."""
    learned = policy.learned
    variance = sum((factor * sd) ** 2 for factor, sd in parts.values())
    for (one, (f, s)), (other, (g, t)) in combinations(parts.items(), 2):
        known = learned is not None and one in learned.used and other in learned.used
        rho = dict(learned[one].correlations).get(other, 0.0) if learned and known else 0.0
        if rho:
            variance = variance + 2 * rho * f * s * g * t
    return np.sqrt(np.maximum(0.0, variance))


def ten_ninety(draws: npt.NDArray[np.floating[Any]]) -> tuple[float, float]:
    """The 10 % and 90 % points of draws; each is one of them where there are :data:`DRAWS`."""
    low, high = np.quantile(draws, (0.1, 0.9), method="weibull")
    return float(low), float(high)


def _sd(policy: Policy, key: str, prior: float) -> float:
    learned = policy.learned
    return learned[key].posterior_sd if learned and key in learned.used else prior
