"""What a reader of any figure that rests on a fit must know: which quantities the data hardly tell.

The rules are the same for every kind of fit (plain, with covariates, with seasons). Quantities are
looked at where they are positive and their logarithms nearly normal: parameters, and the factors
e^γ of covariates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from clv.arrays import Floats
from clv.models.base import Model

__all__ = ["LOOSE", "Uncertain", "concerns_of", "log_interval", "plain_concerns_of"]


LOOSE = 1.5
"""Standard error of a log-parameter above which a fit is flagged: its 95 % interval then spans a
factor of more than e^(2 · 1.96 · 1.5) = 358."""

LENT = 0.9
"""Share of a prior's spread that remains from which the data are said to add hardly anything."""


@dataclass(frozen=True)
class Uncertain:
    """A quantity besides the model's parameters that may be told or not, such as e^γ.

    Attributes
    ----------
    name : str
        In sentences.
    value : float
        The quantity, positive.
    log_error : float
        Standard error of its logarithm.
    """

    name: str
    value: float
    log_error: float


def log_interval(value: float, log_error: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of a positive quantity whose logarithm is normal.

    Examples
    --------
    >>> low, high = log_interval(2.0, 0.1)
    >>> round(low, 3), round(high, 3)
    (1.644, 2.433)
    """
    factor = math.exp(float(ndtri((1 + level) / 2)) * log_error)
    return value / factor, value * factor


def concerns_of(
    model: Model[Any],
    log_covariance: Floats,
    *,
    prior_sigmas: Mapping[str, float] | None = None,
    more: tuple[Uncertain, ...] = (),
) -> tuple[str, ...]:
    """Say what the data hardly tell, in sentences; nothing where they tell all.

    Parameters
    ----------
    model : Model
        The fitted model.
    log_covariance : ndarray, shape (k, k)
        Of the logarithms of its parameters, whatever else was fitted with them included.
    prior_sigmas : mapping of parameter name to float, optional
        Spread of the prior of a log-parameter, where there is one.
    more : tuple of Uncertain, optional
        What else was fitted.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from clv import BGNBD
    >>> concerns_of(BGNBD(.243, 4.414, .793, 2.426), 0.01 * np.eye(4))
    ()
    """
    own, told = _parameters(model, log_covariance), []
    loose = [_with_interval(one) for one in own if one.log_error > LOOSE]
    if loose:
        told.append(
            f"The data hardly tell {' and '.join(loose)} of {model.label} (95 % intervals). "
            f"{_leaving(model, log_covariance, len(loose))}A longer log or a prior helps."
        )
    loose = [_with_interval(one) for one in more if one.log_error > LOOSE]
    if loose:
        told.append(
            f"The data hardly tell {' and '.join(loose)} (95 % intervals), and so what is said of "
            "customers who differ in them. Leave the column out, put levels together, or use more "
            "customers."
        )
    sigmas = prior_sigmas or {}
    lent = [one.name for one in own if one.log_error > LENT * sigmas.get(one.name, math.inf)]
    if lent:
        told.append(
            f"What is said of {' and '.join(lent)} of {model.label} is the prior's: the "
            "data hardly narrow it."
        )
    intervals = {one.name: log_interval(one.value, one.log_error) for one in own}
    return (*told, *model.caveats(intervals))


def plain_concerns_of(
    model: Model[Any],
    log_covariance: Floats,
    *,
    prior_sigmas: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """Say the same to who knows no parameters; as empty as :func:`concerns_of`.

    Parameters
    ----------
    model, log_covariance, prior_sigmas
        As there.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from clv import GammaGamma
    >>> print(*plain_concerns_of(GammaGamma(6.25, 3.74, 15.44), np.diag([9, 0.01, 0.01])))
    The orders do not tell what customers spend in every respect. A longer log tells more.
    """
    own, told = _parameters(model, log_covariance), []
    if any(one.log_error > LOOSE for one in own):
        if _leaving_is_open(model, log_covariance):
            told.append(
                "The orders hardly tell how many customers leave, so the probability of being a "
                "customer still is uncertain, and with it every value far ahead; that it is near 1 "
                "may only say that the log is too short to see anyone leave. A longer log tells "
                "more."
            )
        else:
            better = "; how many leave is told better" if model.dropout_slope() is not None else ""
            told.append(
                f"The orders do not tell {model.learns} in every respect{better}. A longer log "
                "tells more."
            )
    sigmas = prior_sigmas or {}
    if any(one.log_error > LENT * sigmas.get(one.name, math.inf) for one in own):
        told.append(
            f"What is said of {model.learns} rests in part on what was assumed (a prior): the "
            "orders hardly change it."
        )
    intervals = {one.name: log_interval(one.value, one.log_error) for one in own}
    return (*told, *model.plain_caveats(intervals))


def _parameters(model: Model[Any], log_covariance: Floats) -> list[Uncertain]:
    errors = np.sqrt(np.diag(log_covariance)).tolist()
    return [
        Uncertain(name, value, error)
        for (name, value), error in zip(model.parameters.items(), errors, strict=True)
    ]


def _with_interval(one: Uncertain) -> str:
    low, high = log_interval(one.value, one.log_error)
    return f"{one.name} ({low:.2g} to {high:.2g})"


def _leaving(model: Model[Any], log_covariance: Floats, loose: int) -> str:
    """Say whether the loose parameters leave open how many customers leave."""
    if model.dropout_slope() is None:
        return ""
    if not _leaving_is_open(model, log_covariance):
        if loose == 1:
            return "How many customers leave is told better. "
        return "Their ratio is told better, and with it how many customers leave. "
    return (
        "How many customers leave is therefore uncertain, and with it P(alive) and every value "
        "far ahead; that P(alive) is near 1 may only say that the log is too short to see "
        "anyone leave. "
    )


def _leaving_is_open(model: Model[Any], log_covariance: Floats) -> bool:
    slope = model.dropout_slope()
    return slope is not None and math.sqrt(float(slope @ log_covariance @ slope)) > LOOSE
