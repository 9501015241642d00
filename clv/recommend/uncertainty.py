"""How sure a recovery limit is: the customer's value and the problem's dropout, drawn together.

A limit depends on the product of two figures of which neither is known:

- V, the value from now on. A book states the 10 % and 90 % points of its posterior; here it is
  log-normal through both.
- π0, the part who leave if nothing is done. On log-odds it is normal around the policy's figure,
  with the deviation of the posterior where the company's own record has taught it, else of the
  prior that the record would start from (:mod:`clv.recommend.incident_prior`). The parts that
  belong to the problem type, severity, earlier purchases and an earlier incident add up.

They come from different records and are drawn independently, at the points of a lattice that fills
the square evenly: the answer to one question is always the same. What the policy states of goodwill
and of waiting is taken as it stands.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from clv.arrays import Floats
from clv.recommend.policy import Policy

__all__ = ["DRAWS", "log_odds_sd", "normal_draws", "ten_ninety", "value_draws"]

DRAWS = 399
"""Points drawn; of N the k-th smallest and largest hold 1 − 2k/(N + 1): .8 exactly, with k = 40."""

TEN_NINETY = 1.2815515655446004
"""The 90 % point of the standard normal distribution."""

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
    rules = policy.learning
    n, level, days = (
        np.asarray(v, dtype=float) for v in (frequency, severity, days_since_incident)
    )
    variance = (
        _sd(policy, f"problems.{problem}.dropout", rules.dropout_sd) ** 2
        + (_sd(policy, "dropout.per_severity_level", rules.severity_sd) * (level - 1)) ** 2
        + (_sd(policy, "dropout.per_log_purchases", rules.purchases_sd) * np.log1p(n)) ** 2
        + (
            _sd(policy, "dropout.earlier_incident", rules.earlier_incident_sd)
            * np.exp(-days / policy.dropout.earlier_incident_days)
        )
        ** 2
    )
    return np.sqrt(variance)


def ten_ninety(draws: npt.NDArray[np.floating[Any]]) -> tuple[float, float]:
    """The 10 % and 90 % points of draws; each is one of them where there are :data:`DRAWS`."""
    low, high = np.quantile(draws, (0.1, 0.9), method="weibull")
    return float(low), float(high)


def _sd(policy: Policy, key: str, prior: float) -> float:
    learned = policy.learned
    return learned[key].posterior_sd if learned and key in learned.used else prior
