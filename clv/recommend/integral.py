"""Integral customers: what saving one is worth to a company that cannot take the loss lightly.

Losing value L with probability π0 is turned by a recovery into losing it with probability π1. By
expected value that is worth (π0 − π1) · L. A company that dislikes large losses, with exponential
utility and risk tolerance R, would pay up to the sum that leaves it as well off:

    R · ln[ (1 − π0 + π0 e^(L/R)) / (1 − π1 + π1 e^(L/R)) ]

It tends to (π0 − π1) · L as R grows. It can lie on either side of that: where a loss stays likely
whatever is done, somebody who dislikes risk counts on it already.

Howard, R. A. (1988), Decision analysis: practice and promise. Management Science 34(6), 679-695.
https://doi.org/10.1287/mnsc.34.6.679
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from clv.errors import RequestError
from clv.recommend.policy import money

__all__ = ["RiskAverse", "risk_averse", "risk_averse_limit"]


def risk_averse_limit(loss: float, before: float, after: float, risk_tolerance: float) -> float:
    """Return the most that taking a loss from one probability to another is worth.

    Parameters
    ----------
    loss : float
        L, what would be lost, in money, at least 0.
    before, after : float
        π0 and π1, probabilities of losing it without and with the recovery.
    risk_tolerance : float
        R, in money, above 0; infinite for a company that goes by expected value.

    Returns
    -------
    float
        In money; below 0 where the recovery makes the loss likelier.

    Raises
    ------
    RequestError
        Where an amount or a probability makes no sense.

    Examples
    --------
    >>> [round(risk_averse_limit(50_000, 0.3, 0.1, R), 2) for R in (100_000, 25_000, 1e6)]
    [11497.04, 14410.75, 10150.22]
    >>> risk_averse_limit(50_000, 0.3, 0.1, math.inf)
    10000.0
    """
    faults = [
        f"{name} must be from 0 to 1; got {p:g}."
        for name, p in (("before", before), ("after", after))
        if not 0 <= p <= 1
    ]
    if not (math.isfinite(loss) and loss >= 0):
        faults.append(f"The loss must be a finite amount of at least 0; got {loss:g}.")
    if not risk_tolerance > 0:
        faults.append(f"The risk tolerance must be above 0; got {risk_tolerance:g}.")
    if faults:
        raise RequestError.of(faults)
    u = loss / risk_tolerance
    if u < SMALL:  # the variances tell what the expectations leave out, to the third order in u
        spread = before * (1 - before) - after * (1 - after)
        return loss * (before - after + u / 2 * spread)
    return risk_tolerance * (_log_mean_exp(before, u) - _log_mean_exp(after, u))


SMALL = 1e-6
"""Below this L/R the two logarithms agree in so many digits that the difference has too few."""


def _log_mean_exp(p: float, u: float) -> float:
    """ln(1 − p + p·e^u) for u ≥ 0, without overflow."""
    if u < 1:
        return math.log1p(p * math.expm1(u))
    return u + math.log(p + (1 - p) * math.exp(-u)) if p else 0.0


@dataclass(frozen=True)
class RiskAverse:
    """What the best recovery of an integral customer is worth, all it takes included.

    Attributes
    ----------
    before, after : float
        Probability of losing the customer if nothing is done, and after the best recovery.
    expected_value : float
        What that is worth by expected value, in money.
    limit : float or None
        The same to the company, which cannot take the loss lightly; None where the policy does not
        state its risk tolerance.
    sentence : str
        The same in words.
    """

    before: float
    after: float
    expected_value: float
    limit: float | None
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self)


def risk_averse(
    loss: float, before: float, after: float, risk_tolerance: float | None, currency: str = ""
) -> RiskAverse:
    """Return what a person needs who decides about an integral customer.

    Parameters
    ----------
    loss, before, after : float
        As in :func:`risk_averse_limit`.
    risk_tolerance : float or None
        R; None where it is not known: then the limit is not either.
    currency : str
        For the words.

    Returns
    -------
    RiskAverse

    Examples
    --------
    >>> one = risk_averse(50_000, 0.3, 0.1, 25_000)
    >>> round(one.expected_value, 2), round(one.limit, 2)
    (10000.0, 14410.75)
    """
    expected = risk_averse_limit(loss, before, after, math.inf)
    told = (
        f"The best recovery takes the chance of losing this customer from {100 * before:.0f} % to "
        f"{100 * after:.0f} %. By expected value that is worth up to {money(expected, currency)}, "
        "the fix and all else it takes included."
    )
    if risk_tolerance is None:
        limit = None
        told += (
            " What it is worth to a company that cannot take the loss lightly: state "
            "risk_tolerance in [integral] of the policy."
        )
    else:
        limit = risk_averse_limit(loss, before, after, risk_tolerance)
        told += (
            f" To a company with a risk tolerance of {money(risk_tolerance, currency)} it is worth "
            f"up to {money(limit, currency)}."
        )
    return RiskAverse(before, after, expected, limit, told)
