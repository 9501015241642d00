"""Fit BG/NBD with incidents: the mode of the posterior, and how sure it is.

The mode is in ln r, ln α, ln a, ln b, under a flat prior, and in the coefficients under independent
normal ones. Newton's method with the exact Hessian starts from the fit of BG/NBD without incidents
and from the prior's means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri

from clv.arrays import Floats
from clv.errors import FitError, NotIdentifiedError, ParameterError, UnknownNameError
from clv.incident_histories import IncidentHistories
from clv.models.base import Derivatives
from clv.models.bg_nbd import BGNBD
from clv.models.incidents.answers import FutureIncidents
from clv.models.incidents.concerns import concerns_of_incidents
from clv.models.incidents.covariates import NUMERIC, RANDOMISED, TYPE, Handling, design
from clv.models.incidents.effects import Effect, effects_of
from clv.models.incidents.likelihood import PARAMETERS, IncidentLikelihood, Link
from clv.models.incidents.model import IncidentBGNBD
from clv.models.maximum_likelihood import Fit
from clv.models.newton import flat, maximum

__all__ = ["IncidentFit", "fit_incidents"]

Prior = Mapping[str, tuple[float, float]]

LEAST_ARM = 15
"""Incidents in each arm from which randomised goodwill gets a coefficient of its own."""

FARTHEST = 28.0
"""No log-parameter or coefficient is sought farther than this from where the search begins."""


@dataclass(frozen=True, eq=False)
class IncidentFit:
    """A fitted model of incidents, how sure it is, and on what.

    Attributes
    ----------
    model : IncidentBGNBD
        The mode, able to answer.
    log_likelihood : float
        Of the data at the mode, with all constants; the prior is not in it.
    covariance : ndarray, shape (4 + K, 4 + K)
        Of ln r, ln α, ln a, ln b and the coefficients, from the exact Hessian.
    prior : dict of str to (float, float)
        Mean and standard deviation of each coefficient, as the fit used them.
    plain : Fit
        BG/NBD of the same customers, as if nothing had happened to anybody.
    gradient_norm : float
        Largest slope per customer.
    iterations : int
        Passes over the data.
    histories : IncidentHistories
        What was fitted.
    likelihood : IncidentLikelihood
        Of the histories.
    expected_goodwill : array_like or None
        As it was given to the fit.
    """

    model: IncidentBGNBD
    log_likelihood: float
    covariance: Floats = field(repr=False)
    prior: dict[str, tuple[float, float]]
    plain: Fit[BGNBD] = field(repr=False)
    gradient_norm: float
    iterations: int
    histories: IncidentHistories = field(repr=False)
    likelihood: IncidentLikelihood = field(repr=False)
    expected_goodwill: npt.ArrayLike | None = field(repr=False)

    @property
    def mode(self) -> Floats:
        """(ln r, ln α, ln a, ln b, θ)."""
        mode = self.model.vector.copy()
        mode[:PARAMETERS] = np.log(mode[:PARAMETERS])
        return mode

    @property
    def parameters(self) -> dict[str, float]:
        """r, α, a, b and the coefficients by name."""
        return dict(
            zip(
                ("r", "alpha", "a", "b", *self.model.names), self.model.vector.tolist(), strict=True
            )
        )

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard error of each parameter."""
        errors = np.sqrt(np.diag(self.covariance))
        errors[:PARAMETERS] *= self.model.vector[:PARAMETERS]
        return dict(zip(self.parameters, errors.tolist(), strict=True))

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Interval of each: normal for coefficients, normal in the logarithm for r, α, a, b."""
        if not 0 < level < 1:
            raise ParameterError(f"An interval's level lies between 0 and 1; got {level:g}")
        reach = float(ndtri((1 + level) / 2)) * np.sqrt(np.diag(self.covariance))
        low, high = self.mode - reach, self.mode + reach
        for ends in (low, high):
            ends[:PARAMETERS] = np.exp(ends[:PARAMETERS])
        return dict(
            zip(self.parameters, zip(low.tolist(), high.tolist(), strict=True), strict=True)
        )

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What was learned of each coefficient, by the normal approximation at the mode."""
        return effects_of(self.prior, self.model.coefficients, self.standard_errors, self.used)

    @cached_property
    def used(self) -> dict[str, int]:
        """In how many incidents each coefficient plays a part."""
        counts = np.count_nonzero(self.likelihood.z, axis=1).tolist()
        return dict(zip(self.model.names, counts, strict=True))

    @property
    def goodwill_basis(self) -> str:
        """On what the effect of goodwill rests: "causal" where enough of it was drawn by chance."""
        return "causal" if RANDOMISED in self.model.names else "associational"

    @cached_property
    def concerns(self) -> tuple[str, ...]:
        """What a reader of any figure that rests on this fit must know."""
        return concerns_of_incidents(self)

    @property
    def identified(self) -> bool:
        """Whether every figure can be taken as it is; `concerns` says what stands against it."""
        return not self.concerns

    @property
    def p_alive(self) -> Floats:
        """P(alive at T) of the customers with incidents, shape (n,)."""
        return self.likelihood.each(self.model.vector)[1]

    @property
    def future_incidents(self) -> FutureIncidents:
        """Incidents as they were here, to be expected from here on."""
        return self.model.future_incidents(self.histories, expected_goodwill=self.expected_goodwill)

    @property
    def customers(self) -> int:
        """How many customers were fitted."""
        return self.histories.customers

    @property
    def incidents(self) -> int:
        """How many incidents they had."""
        return self.histories.incidents

    @property
    def unit(self) -> str:
        """Unit of time of the parameters."""
        return self.histories.unit

    @property
    def end(self) -> date | None:
        """Last day of observation."""
        return self.histories.end

    def to_dict(self) -> dict[str, Any]:
        """All that a file needs, in plain types."""
        return {
            "model": self.model.name,
            "link": self.model.link,
            "parameters": self.parameters,
            "standard_errors": self.standard_errors,
            "covariance": self.covariance.tolist(),
            "effects": [effect.to_dict() for effect in self.effects],
            "goodwill_basis": self.goodwill_basis,
            "log_likelihood": self.log_likelihood,
            "customers": self.customers,
            "incidents": self.incidents,
            "unit": self.unit,
            "end": self.end.isoformat() if self.end else None,
            "identified": self.identified,
            "concerns": list(self.concerns),
            "gradient_norm": self.gradient_norm,
            "iterations": self.iterations,
        }


def fit_incidents(
    model: type[IncidentBGNBD],
    histories: IncidentHistories,
    prior: Prior,
    *,
    link: Link,
    handling: Handling,
    expected_goodwill: npt.ArrayLike | None,
) -> IncidentFit:
    """Fit; see :meth:`clv.IncidentBGNBD.fit`."""
    if not histories.incidents:
        raise NotIdentifiedError(
            f"None of the {histories.customers:,} customers had an incident, so there is nothing "
            "to learn of incidents from; fit BGNBD."
        )
    _refuse_prior(prior, histories)
    plain = BGNBD.fit(histories.without_incidents())
    handling = handling.learned_from(histories)
    prior = _with_randomised(prior, histories, handling, expected_goodwill)
    if link == "shared":
        prior = on_exponents(prior, plain.model)
    names = tuple(prior)
    z = design(histories, names, handling, expected_goodwill)
    likelihood = IncidentLikelihood(histories, z, link)
    mean, sd = (np.array([pair[k] for pair in prior.values()]) for k in (0, 1))

    def posterior(at: Floats) -> Derivatives:
        scale = np.ones(len(at))
        scale[:PARAMETERS] = np.exp(at[:PARAMETERS])
        parameters = at.copy()
        parameters[:PARAMETERS] = scale[:PARAMETERS]
        value, g, h = likelihood.at(parameters)
        g = g * scale
        h = h * np.outer(scale, scale)
        h[range(PARAMETERS), range(PARAMETERS)] += g[:PARAMETERS]
        away = (at[PARAMETERS:] - mean) / sd
        g[PARAMETERS:] -= away / sd
        h[PARAMETERS:, PARAMETERS:] -= np.diag(sd**-2)
        return Derivatives(value - float(away @ away) / 2, g, h)

    start = np.concatenate([np.log(list(plain.parameters.values())), mean])
    found = maximum(
        posterior,
        start,
        customers=histories.customers,
        inside=lambda at: bool(np.abs(at - start).max() < FARTHEST),
    )
    precision = -found.derivatives.hessian
    _refuse_flat(precision, names, found.at)
    if found.stopped:
        raise FitError(
            f"The fit of {model.label} stopped before an optimum: the posterior still rises by "
            f"{found.slope:.1e} per customer after {found.passes} steps."
        )
    covariance = np.linalg.inv(precision)
    r, alpha, a, b = np.exp(found.at[:PARAMETERS]).tolist()
    theta = found.at[PARAMETERS:]
    away = (theta - mean) / sd
    coefficients = dict(zip(names, theta.tolist(), strict=True))
    return IncidentFit(
        model=model(r, alpha, a, b, coefficients, link, handling),
        log_likelihood=found.derivatives.value + float(away @ away) / 2,
        covariance=(covariance + covariance.T) / 2,
        prior=dict(prior),
        plain=plain,
        gradient_norm=found.slope,
        iterations=found.passes,
        histories=histories,
        likelihood=likelihood,
        expected_goodwill=expected_goodwill,
    )


def on_exponents(prior: Prior, plain: BGNBD) -> dict[str, tuple[float, float]]:
    """Carry a prior on logit π over to ln ω; see :meth:`clv.IncidentBGNBD.fit`.

    1 − π = (1 − p̄)^ω at the mean of p, so ω = ln(1−π)/ln(1−p̄), and
    d ln ω/d logit π = π/(−ln(1−π)).
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


def _refuse_prior(prior: Prior, histories: IncidentHistories) -> None:
    """Refuse priors that are none, and incidents of a type without one."""
    known = {*NUMERIC, RANDOMISED}
    faults = [
        f"There is no coefficient {name!r} to put a prior on; a type's is 'type:...', the others "
        f"are {', '.join(sorted(known))}"
        for name in prior
        if name not in known and not name.startswith(TYPE)
    ]
    faults += [
        f"The prior of {name!r} needs a finite mean and a standard deviation above 0; got "
        f"{mean:g} and {sd:g}"
        for name, (mean, sd) in prior.items()
        if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0)
    ]
    counts = np.bincount(histories.kind, minlength=len(histories.kinds))
    missing = [
        k for k, n in zip(histories.kinds, counts, strict=True) if n and TYPE + k not in prior
    ]
    if missing and not faults:
        types = [n.removeprefix(TYPE) for n in prior if n.startswith(TYPE)]
        raise UnknownNameError(
            "prior for incidents of type", missing[0], types,
            then=f"Types of the log without a prior: {', '.join(missing)}.",
        )  # fmt: skip
    if faults:
        raise ParameterError.of(faults)


def _with_randomised(
    prior: Prior,
    histories: IncidentHistories,
    handling: Handling,
    expected_goodwill: npt.ArrayLike | None,
) -> dict[str, tuple[float, float]]:
    """Put a prior on the effect of goodwill drawn by chance where there is enough; else take it."""
    names = dict(prior)
    of_drawn = names.pop(RANDOMISED, prior.get("goodwill"))
    if of_drawn is None:
        return names
    (drawn,) = design(histories, (*_types(histories), RANDOMISED), handling, expected_goodwill)[-1:]
    if min(int((drawn > 0).sum()), int((drawn < 0).sum())) >= LEAST_ARM:
        names[RANDOMISED] = of_drawn
    return names


def _types(histories: IncidentHistories) -> tuple[str, ...]:
    return tuple(TYPE + kind for kind in histories.kinds)


def _refuse_flat(precision: Floats, names: tuple[str, ...], at: Floats) -> None:
    """Refuse an optimum that is flat in some direction."""
    loose = flat(precision)
    if not loose.any():
        return
    every = ("r", "alpha", "a", "b", *names)
    which = ", ".join(name for name, one in zip(every, loose, strict=True) if one)
    values = ", ".join(
        f"{n} = {v:.3g}" for n, v in zip(every[:PARAMETERS], np.exp(at[:PARAMETERS]), strict=True)
    )
    raise NotIdentifiedError(
        f"The data cannot tell {which} of {IncidentBGNBD.label}: the posterior is flat there (the "
        f"search ended at {values}). Use a longer log or more customers."
    )
