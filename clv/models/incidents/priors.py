"""What is believed of a model of incidents before the data.

The coefficients have the normal prior that is given, on the scale of the log-odds of π; r, α, a, b
the weak log-normal one of BG/NBD (:meth:`clv.BGNBD.weak_prior`), which only rules out the absurd: a
company whose customers never leave after a purchase has no optimum in a otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from clv.arrays import Floats
from clv.errors import ParameterError, UnknownNameError
from clv.incident_history import IncidentHistories
from clv.models.bg_nbd import BGNBD
from clv.models.incidents.covariates import NUMERIC, SELECTION, TYPE, Handling, usual_goodwill
from clv.models.incidents.likelihood import PARAMETERS, Link
from clv.models.incidents.randomised import flaw_of_design
from clv.models.maximum_likelihood import LogNormal

__all__ = ["Prior", "PriorOf", "on_exponents", "prior_of"]

Prior = Mapping[str, tuple[float, float]]
"""Mean and standard deviation of each coefficient."""


class PriorOf(NamedTuple):
    """A normal prior of (ln r, ln α, ln a, ln b, θ).

    Attributes
    ----------
    names : tuple of str
        Of the coefficients.
    mean : ndarray, shape (4 + K,)
        Its mean.
    covariance : ndarray, shape (4 + K, 4 + K)
        Its covariance.
    precision : ndarray, shape (4 + K, 4 + K)
        The inverse.
    """

    names: tuple[str, ...]
    mean: Floats
    covariance: Floats
    precision: Floats

    @property
    def of_coefficients(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation of each coefficient."""
        sd = np.sqrt(np.diag(self.covariance))
        pairs = zip(self.mean[PARAMETERS:].tolist(), sd[PARAMETERS:].tolist(), strict=True)
        return dict(zip(self.names, pairs, strict=True))


def prior_of(
    prior: Prior,
    histories: IncidentHistories,
    handling: Handling,
    plain: BGNBD,
    weak: Mapping[str, LogNormal],
    *,
    link: Link,
) -> tuple[Handling, PriorOf]:
    """Put together the prior of a fit, and what goodwill is usual where some is drawn by chance.

    Parameters
    ----------
    prior, link
        As of :meth:`clv.IncidentBGNBD.fit`.
    histories : IncidentHistories
        What is to be fitted.
    handling : Handling
        How handling becomes covariates.
    plain : BGNBD
        Fit without incidents, for the mean of p.
    weak : mapping of str to LogNormal
        Prior of r, α, a, b.

    Returns
    -------
    handling : Handling
        With the usual goodwill.
    PriorOf

    Raises
    ------
    ParameterError, UnknownNameError
        For priors that are none, and incidents of a type without one.
    """
    _refuse_impossible(prior, histories)
    if link == "shared":
        prior = on_exponents(prior, plain)
    names = tuple(prior)
    mean, sd = np.array(list(prior.values())).T
    carried = np.eye(len(names))
    if "goodwill" in prior and not flaw_of_design(histories):
        usual = usual_goodwill(histories, names, handling)
        handling = replace(handling, usual_goodwill=usual)
        # From (θ, θ_g, θ_a) to (θ + δu, θ_g, δ), δ = θ_a − θ_g.
        at = names.index("goodwill")
        mean, sd = np.append(mean, mean[at]), np.append(sd, sd[at])
        difference = np.eye(len(mean))[-1] - np.eye(len(mean))[at]
        carried = np.eye(len(mean)) + np.outer(
            [usual.get(name, 0.0) for name in (*names, SELECTION)], difference
        )
        carried[-1] = difference
        names = (*names, SELECTION)
    own = [weak[name] for name in BGNBD.parameter_names()]
    covariance = np.zeros((PARAMETERS + len(names), PARAMETERS + len(names)))
    covariance[:PARAMETERS, :PARAMETERS] = np.diag([one.sigma**2 for one in own])
    covariance[PARAMETERS:, PARAMETERS:] = (carried * sd**2) @ carried.T
    centre = np.concatenate([np.log([one.median for one in own]), carried @ mean])
    precision = np.asarray(np.linalg.inv(covariance))
    return handling, PriorOf(names, centre, covariance, precision)


def on_exponents(prior: Prior, plain: BGNBD) -> dict[str, tuple[float, float]]:
    """Carry a prior on logit π over to ln ω; see :meth:`clv.IncidentBGNBD.fit`.

    1 − π = (1 − p̄)^ω at the mean of p, so ω = ln(1−π)/ln(1−p̄), and
    d ln ω/d logit π = π/(−ln(1−π)).

    Parameters
    ----------
    prior : mapping of str to (float, float)
        On the scale of log-odds.
    plain : BGNBD
        Has the mean of p.

    Returns
    -------
    dict of str to (float, float)
    """
    per_purchase = math.log1p(plain.a / plain.b)  # −ln(1 − p̄), p̄ = a/(a+b)
    pi = {n: float(expit(mean)) for n, (mean, _) in prior.items() if n.startswith(TYPE)}
    typical = float(np.mean(list(pi.values())))
    carried = {}
    for name, (mean, sd) in prior.items():
        of_this = pi.get(name, typical)
        hazard = -math.log1p(-of_this)
        slope = of_this / hazard
        centre = math.log(hazard / per_purchase) if name in pi else slope * mean
        carried[name] = (centre, slope * sd)
    return carried


def _refuse_impossible(prior: Prior, histories: IncidentHistories) -> None:
    """Refuse priors that are none, and incidents of a type without one."""
    faults = [
        f"There is no coefficient {name!r} to put a prior on; a type's is 'type:...', the others "
        f"are {', '.join(sorted(NUMERIC))}"
        for name in prior
        if name not in NUMERIC and not name.startswith(TYPE)
    ]
    faults += [
        f"The prior of {name!r} needs a finite mean and a standard deviation above 0; got "
        f"{mean:g} and {sd:g}"
        for name, (mean, sd) in prior.items()
        if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0)
    ]
    if faults:
        raise ParameterError.of(faults)
    counts = np.bincount(histories.kind, minlength=len(histories.kinds))
    missing = [
        k for k, n in zip(histories.kinds, counts, strict=True) if n and TYPE + k not in prior
    ]
    if missing:
        types = [n.removeprefix(TYPE) for n in prior if n.startswith(TYPE)]
        raise UnknownNameError(
            "prior for incidents of type", missing[0], types,
            then=f"Types of the log without a prior: {', '.join(missing)}.",
        )  # fmt: skip
