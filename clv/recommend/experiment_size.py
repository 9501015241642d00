r"""How many incidents an experiment takes, and what so many can show.

Of those who stay over the incident a part b buys again within the window of follow-up, so that a
step which keeps δ of the customers raises the share who come back from p₀ = (1 − π) b to
p₁ = (1 − π + δ) b. With N incidents, a part f of them with the step, the difference of the two
shares has the variance

    V/N,    V = p₁ (1 − p₁)/f + p₀ (1 − p₀)/(1 − f),

and shows, at level α (two-sided), with power Φ( √(N/V) (p₁ − p₀) − z_{1−α/2} ). A power 1 − β thus
asks for N = V (z_{1−α/2} + z_{1−β})² / (p₁ − p₀)² incidents (Fleiss, Levin & Paik 2003, chapter 4;
not pooled, as the estimate does not pool either).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from clv.errors import RequestError

__all__ = ["incidents_needed", "power", "smallest_effect"]

SIGNIFICANCE = 0.05


def power(
    incidents: npt.ArrayLike,
    effect: npt.ArrayLike,
    *,
    dropout: float,
    returns: float,
    share: float,
    level: float = SIGNIFICANCE,
) -> Any:
    """Probability that so many incidents show an effect of this size.

    Parameters
    ----------
    incidents : array_like
        N, in both arms together.
    effect : array_like
        δ, by how much the step lowers the part of the customers who leave: 0.02 is two points.
    dropout : float
        π, the part who leave with the usual offer, from 0 to 1.
    returns : float
        b, of those who stay, the part who buy again within the window, above 0.
    share : float
        f, the part of the offers that is varied, above 0 and below one half.
    level : float
        α, how often an effect may be seen where there is none.

    Returns
    -------
    float or ndarray

    Raises
    ------
    RequestError
        Where a share is none, or the effect is larger than the dropout.

    Examples
    --------
    >>> round(float(power(2000, 0.05, dropout=0.15, returns=0.6, share=0.1)), 3)
    0.125
    """
    n = np.asarray(incidents, dtype=float)
    difference, variance = _design(effect, dropout, returns, share)
    z = np.sqrt(n / variance) * difference
    return ndtr(z - ndtri(1 - level / 2))[()]


def incidents_needed(
    effect: npt.ArrayLike,
    *,
    dropout: float,
    returns: float,
    share: float,
    power: float = 0.8,
    level: float = SIGNIFICANCE,
) -> Any:
    """N: how many incidents until an effect of this size shows with this power.

    Parameters
    ----------
    effect, dropout, returns, share, level
        As of :func:`power`; the effect above 0.
    power : float
        1 − β, how often it shall show.

    Returns
    -------
    float or ndarray
        Whole incidents, in both arms together.

    Examples
    --------
    >>> float(incidents_needed(0.05, dropout=0.15, returns=0.6, share=0.1))
    24085.0
    """
    if not level / 2 < power < 1:
        raise RequestError(f"A power lies between {level / 2:g} and 1; got {power:g}.")
    difference, variance = _design(effect, dropout, returns, share)
    if np.any(difference <= 0):
        raise RequestError("No number of incidents shows an effect of 0.")
    reach = ndtri(1 - level / 2) + ndtri(power)
    return np.ceil(variance * (reach / difference) ** 2)[()]


def smallest_effect(
    incidents: float,
    *,
    dropout: float,
    returns: float,
    share: float,
    power: float = 0.8,
    level: float = SIGNIFICANCE,
) -> float:
    """δ: the smallest effect that so many incidents show with this power.

    Parameters
    ----------
    incidents, dropout, returns, share, level
        As of :func:`power`.
    power : float
        How often it shall show.

    Returns
    -------
    float
        nan where not even keeping everybody would show.

    Examples
    --------
    >>> round(smallest_effect(24085, dropout=0.15, returns=0.6, share=0.1), 3)
    0.05
    """

    def missing(effect: float) -> float:
        difference, variance = _design(effect, dropout, returns, share)
        reach = ndtri(1 - level / 2) + ndtri(power)
        return float(np.sqrt(incidents / variance) * difference - reach)

    if not incidents > 0 or missing(dropout) < 0:
        return math.nan
    return float(brentq(missing, 0.0, dropout, xtol=1e-12))


def _design(effect: npt.ArrayLike, dropout: float, returns: float, share: float) -> tuple[Any, Any]:
    """p₁ − p₀ and V."""
    delta = np.asarray(effect, dtype=float)
    faults = []
    if not 0 < dropout < 1:
        faults.append(f"The part who leave must lie between 0 and 1; got {dropout:g}.")
    elif not np.all((delta >= 0) & (delta <= dropout)):
        faults.append(
            f"A step cannot keep more than the {dropout:.1%} who leave, nor less than nobody; got "
            f"an effect of {float(np.ravel(delta)[0]):g}."
        )
    if not 0 < returns <= 1:
        faults.append(f"The part who buy again must be above 0 and at most 1; got {returns:g}.")
    if not 0 < share < 0.5:
        faults.append(
            f"The part of the offers that is varied must lie between 0 and 0.5; got {share:g}."
        )
    if faults:
        raise RequestError.of(faults)
    p0 = (1 - dropout) * returns
    p1 = (1 - dropout + delta) * returns
    return p1 - p0, p1 * (1 - p1) / share + p0 * (1 - p0) / (1 - share)
