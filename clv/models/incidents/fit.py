"""Fit BG/NBD with incidents: the mode of the posterior, and how sure it is.

The mode is in ln r, ln α, ln a, ln b and the coefficients, all with normal priors
(:mod:`clv.models.incidents.priors`). Newton's method with the exact Hessian starts from the fit of
BG/NBD without incidents and from the prior's means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtri

from clv.arrays import Floats
from clv.errors import FitError, NotIdentifiedError, ParameterError
from clv.incident_history import IncidentHistories
from clv.models.base import Derivatives
from clv.models.bg_nbd import BGNBD
from clv.models.incidents.answers import FutureIncidents
from clv.models.incidents.concerns import concerns_of_incidents
from clv.models.incidents.covariates import SELECTION, Handling, design
from clv.models.incidents.effects import Effect, effects_of
from clv.models.incidents.likelihood import PARAMETERS, IncidentLikelihood, Link
from clv.models.incidents.model import IncidentBGNBD
from clv.models.incidents.priors import Prior, PriorOf, prior_of
from clv.models.maximum_likelihood import Fit
from clv.models.newton import maximum

__all__ = ["IncidentFit", "fit_incidents"]

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
    believed : PriorOf
        Before the data: the prior as the fit used it.
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
    """

    model: IncidentBGNBD
    log_likelihood: float
    covariance: Floats = field(repr=False)
    believed: PriorOf = field(repr=False)
    plain: Fit[BGNBD] = field(repr=False)
    gradient_norm: float
    iterations: int
    histories: IncidentHistories = field(repr=False)
    likelihood: IncidentLikelihood = field(repr=False)

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
    def prior(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation of each coefficient before the data."""
        return self.believed.of_coefficients

    def log_posterior(self, points: Floats) -> Floats:
        """Log of the posterior density, up to a constant.

        Parameters
        ----------
        points : ndarray, shape (D, 4 + K)
            (ln r, ln α, ln a, ln b, θ), as :attr:`mode`.

        Returns
        -------
        ndarray, shape (D,)
        """
        value = np.full(len(points), -np.inf)
        inside = np.abs(points[:, :PARAMETERS]).max(axis=1) < 50
        at = points[inside]
        away = at - self.believed.mean
        parameters = np.concatenate([np.exp(at[:, :PARAMETERS]), at[:, PARAMETERS:]], axis=1)
        with np.errstate(all="ignore"):  # absurd points have no density
            told = self.likelihood.values(parameters)
        told -= np.einsum("di,ij,dj->d", away, self.believed.precision, away) / 2
        value[inside] = np.where(np.isnan(told), -np.inf, told)
        return value

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
        return "causal" if SELECTION in self.model.names else "associational"

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
        return self.model.future_incidents(self.histories)

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
) -> IncidentFit:
    """Fit; see :meth:`clv.IncidentBGNBD.fit`."""
    if not histories.incidents:
        raise NotIdentifiedError(
            f"None of the {histories.customers:,} customers had an incident, so there is nothing "
            "to learn of incidents from; fit BGNBD."
        )
    everyone = histories.without_incidents()
    BGNBD.refuse_unidentified(everyone)
    weak = BGNBD.weak_prior(everyone)
    plain = BGNBD.fit(everyone, prior=weak)
    handling, believed = prior_of(
        prior, histories, handling.learned_from(histories), plain.model, weak,
        link=link,
    )  # fmt: skip
    z = design(histories, believed.names, handling)
    likelihood = IncidentLikelihood(histories, z, link)

    def posterior(at: Floats) -> Derivatives:
        scale = np.concatenate([np.exp(at[:PARAMETERS]), np.ones(len(z))])
        parameters = np.where(np.arange(len(at)) < PARAMETERS, scale, at)
        value, g, h = likelihood.at(parameters)
        g = g * scale
        h = h * np.outer(scale, scale)
        h[range(PARAMETERS), range(PARAMETERS)] += g[:PARAMETERS]
        away = at - believed.mean
        pull = believed.precision @ away
        return Derivatives(value - float(away @ pull) / 2, g - pull, h - believed.precision)

    start = believed.mean.copy()
    start[:PARAMETERS] = np.log(list(plain.parameters.values()))
    found = maximum(
        posterior,
        start,
        customers=histories.customers,
        inside=lambda at: bool(np.abs(at - start).max() < FARTHEST),
    )
    if found.stopped:
        raise FitError(
            f"The fit of {model.label} stopped before an optimum: the posterior still rises by "
            f"{found.slope:.1e} per customer after {found.passes} steps."
        )
    covariance = np.linalg.inv(-found.derivatives.hessian)
    r, alpha, a, b = np.exp(found.at[:PARAMETERS]).tolist()
    coefficients = dict(zip(believed.names, found.at[PARAMETERS:].tolist(), strict=True))
    away = found.at - believed.mean
    return IncidentFit(
        model=model(r, alpha, a, b, coefficients, link, handling),
        log_likelihood=found.derivatives.value + float(away @ believed.precision @ away) / 2,
        covariance=(covariance + covariance.T) / 2,
        believed=believed,
        plain=plain,
        gradient_norm=found.slope,
        iterations=found.passes,
        histories=histories,
        likelihood=likelihood,
    )
