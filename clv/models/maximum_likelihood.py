"""Maximum likelihood on distinct histories, by Newton's method in the log-parameters.

The log-likelihoods are smooth in a few positive parameters and come with exact gradient and
Hessian (:mod:`clv.models.newton`). Where there are many patterns, a part of them brings the search
near the optimum, so that few full passes remain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np

from clv.arrays import Floats
from clv.errors import FitError, NotIdentifiedError, ParameterError, RequestError
from clv.models.base import Derivatives, Model
from clv.models.concerns import concerns_of, log_interval, plain_concerns_of
from clv.models.lifetimes_names import summary_table
from clv.models.newton import Optimum, flat, maximum
from clv.side_by_side import side_by_side

if TYPE_CHECKING:
    import pandas as pd

    from clv.models.covariance import CovarianceKind, Resampling

__all__ = ["Fit", "LogNormal", "log_prior", "maximise"]

M = TypeVar("M", bound=Model[Any])
M_co = TypeVar("M_co", bound=Model[Any], covariant=True)

SAMPLE = 4_000
"""Patterns that the search starts on."""

SCREEN = 100
"""Patterns on which the places to start from are compared."""

FARTHEST = 16.0
"""Log-parameters are searched within 16 of the first start, which has the units of the data: a
factor of nine million either way. An optimum beyond is none."""


@dataclass(frozen=True)
class LogNormal:
    """Prior of one parameter: its logarithm is normal.

    Parameters
    ----------
    median : float
        Half of the prior lies below.
    sigma : float
        Standard deviation of the logarithm; 1 says "within a factor of 7, most likely".
    """

    median: float
    sigma: float

    def __post_init__(self) -> None:
        faults = [
            f"A log-normal prior needs {name} > 0; got {name} = {value:g}"
            for name, value in (("median", self.median), ("sigma", self.sigma))
            if not (math.isfinite(value) and value > 0)
        ]
        if faults:
            raise ParameterError.of(faults)


@dataclass(frozen=True, eq=False)
class Fit(Generic[M_co]):
    """A fitted model, how sure it is, and on what.

    Attributes
    ----------
    model : Model
        The parameters at the optimum, able to answer everything.
    log_likelihood : float
        Of the data at the optimum, with all constants, in the unit of time of the data.
    covariance : ndarray, shape (k, k)
        Of the parameters, in the order of `model.parameters`.
    log_covariance : ndarray, shape (k, k)
        The same of the logarithms of the parameters.
    covariance_kind : {"information", "sandwich", "bootstrap"}
        Where both come from; the exact Hessian unless :meth:`with_covariance` was asked.
    resampling : Resampling or None
        How many resamples a bootstrap made, and how many could not be fitted.
    gradient_norm : float
        Largest slope of the log-likelihood (plus log-prior) in a log-parameter, per customer.
    iterations : int
        Newton steps on all patterns.
    converged : bool
        Whether an optimum was reached; a fit that did not is raised as :class:`FitError`.
    customers, patterns : int
        Customers fitted, and the distinct histories that stand for them.
    histories : Histories
        What was fitted; for a model of subscriptions the counts of survivors.
    prior : dict of str to LogNormal
        Priors used; empty for maximum likelihood.
    """

    model: M_co
    log_likelihood: float
    covariance: Floats = field(repr=False)
    log_covariance: Floats = field(repr=False)
    covariance_kind: CovarianceKind
    resampling: Resampling | None
    gradient_norm: float
    iterations: int
    converged: bool
    customers: int
    patterns: int
    histories: Any = field(repr=False)
    prior: dict[str, LogNormal]

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return self.model.parameters

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard error of each parameter."""
        return dict(zip(self.parameters, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    @property
    def summary(self) -> pd.DataFrame:
        """The table that `lifetimes` shows: coef, se(coef) and 95 % bounds."""
        return summary_table(self.parameters, self.standard_errors)

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Interval of each parameter, normal in its logarithm, hence positive.

        Examples
        --------
        >>> from clv import BGNBD, Histories
        >>> h = Histories.from_arrays([2, 0, 1, 4, 0], [30, 0, 9, 33, 0], [39] * 5, unit="week")
        >>> wide = {"r": LogNormal(.3, 1), "alpha": LogNormal(5, 1), "a": LogNormal(1, 1),
        ...         "b": LogNormal(2, 1)}
        >>> low, high = BGNBD.fit(h, prior=wide).interval(.8)["r"]
        >>> 0 < low < high
        True
        """
        if not 0 < level < 1:
            raise ParameterError(f"An interval's level lies between 0 and 1; got {level:g}")
        errors = np.sqrt(np.diag(self.log_covariance)).tolist()
        return {
            name: log_interval(value, error, level)
            for (name, value), error in zip(self.parameters.items(), errors, strict=True)
        }

    def with_covariance(
        self, kind: CovarianceKind, *, resamples: int = 1000, seed: int = 0
    ) -> Self:
        """Return the same fit with another covariance; all that rests on it follows.

        "information", the inverse of the negative Hessian, takes the model to be right.
        "sandwich" (Huber 1967; White 1982) does not, and costs one pass; it is a first-order
        approximation. "bootstrap" draws customers with replacement and fits each sample: it takes
        neither the model to be right nor the log-likelihood to be quadratic. Where the three
        agree, take the first. Where they do not, the bootstrap's are the standard errors to
        report.

        Parameters
        ----------
        kind : {"information", "sandwich", "bootstrap"}
            Which.
        resamples : int
            How many samples a bootstrap draws, at least 100: a standard error of 1,000 is good to
            2 %.
        seed : int
            Of the draws.

        Returns
        -------
        Fit

        Raises
        ------
        RequestError
            For another kind, too few resamples, and for the sandwich or the bootstrap of a fit
            with a prior.
        NotIdentifiedError
            Where hardly any sample could be fitted.

        Examples
        --------
        >>> import clv
        >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
        >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
        >>> for one in (fit, fit.with_covariance("sandwich")):
        ...     print(one.covariance_kind, round(one.standard_errors["alpha"], 2))
        information 0.38
        sandwich 0.47
        """
        from clv.models.covariance import of_fit

        log_covariance, resampling = of_fit(self, kind, resamples=resamples, seed=seed)
        theta = np.array(list(self.parameters.values()))
        return replace(
            self,
            covariance=log_covariance * np.outer(theta, theta),
            log_covariance=log_covariance,
            covariance_kind=kind,
            resampling=resampling,
        )

    @property
    def identified(self) -> bool:
        """Whether every figure can be taken as it is; `concerns` says what stands against it."""
        return not self.concerns

    @property
    def concerns(self) -> tuple[str, ...]:
        """What a reader of any figure that rests on this fit must know."""
        sigmas = {name: prior.sigma for name, prior in self.prior.items()}
        told = concerns_of(self.model, self.log_covariance, prior_sigmas=sigmas)
        return (*told, *(self.resampling.concerns if self.resampling else ()))

    @property
    def plain_concerns(self) -> tuple[str, ...]:
        """What a reader who knows no parameters must know: the same in other words."""
        sigmas = {name: prior.sigma for name, prior in self.prior.items()}
        return plain_concerns_of(self.model, self.log_covariance, prior_sigmas=sigmas)

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2k − 2 ln L.

        Of a fit with a prior L is the likelihood at the mode that the prior has moved, below the
        maximum, and k counts every parameter in full: compare it only with fits under like priors.
        """
        return 2 * len(self.parameters) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, k ln(customers) − 2 ln L; L as in `aic`."""
        return len(self.parameters) * math.log(self.customers) - 2 * self.log_likelihood

    @property
    def unit(self) -> str:
        """Unit of time of the parameters."""
        return str(self.histories.unit)

    @property
    def end(self) -> date | None:
        """Last day of observation."""
        end: date | None = self.histories.end
        return end

    def to_dict(self) -> dict[str, Any]:
        """All that a file or `clv fit --format json` needs, in plain types."""
        return {
            "model": self.model.name,
            "parameters": self.parameters,
            "standard_errors": self.standard_errors,
            "covariance": self.covariance.tolist(),
            "covariance_kind": self.covariance_kind,
            "resampling": self.resampling.to_dict() if self.resampling else None,
            "log_likelihood": self.log_likelihood,
            "aic": self.aic,
            "bic": self.bic,
            "customers": self.customers,
            "patterns": self.patterns,
            "unit": self.unit,
            "end": self.end.isoformat() if self.end else None,
            "converged": self.converged,
            "identified": self.identified,
            "concerns": list(self.concerns),
            "gradient_norm": self.gradient_norm,
            "iterations": self.iterations,
            "prior": {k: {"median": v.median, "sigma": v.sigma} for k, v in self.prior.items()},
        }


def maximise(
    model: type[M],
    histories: Any,
    *,
    prior: Mapping[str, LogNormal] | None = None,
    start: Floats | None = None,
) -> Fit[M]:
    """Fit `model` to the histories; see :meth:`clv.models.base.Model.fit`.

    `start`, shape (k,), is where to begin in the log-parameters, where that is known.
    """
    prior = dict(prior or {})
    names = model.parameter_names()
    unknown = [name for name in prior if name not in names]
    if unknown:
        raise ParameterError(
            f"{model.label} has no parameter {', '.join(unknown)} to put a prior on; "
            f"it has {', '.join(names)}."
        )
    if not isinstance(getattr(histories, "customers", None), int):
        raise RequestError(
            f"{model.label} is fitted to histories, not to {type(histories).__name__}. Make them "
            "with clv.histories(orders, end=...), or from a summary table with "
            "clv.Histories.from_arrays(frequency, recency, T); of subscribers with "
            "clv.SurvivalCounts."
        )
    model.refuse_unidentified(histories)
    customers, patterns = model.size(histories)
    if start is None and patterns > 2 * SAMPLE:
        part = _Objective(model, model.sample(histories, SAMPLE), prior)
        start = part.search(part.best_start(), slope=1e-4).at
    objective = _Objective(model, histories, prior)
    found = objective.search(objective.best_start() if start is None else start)
    theta = np.exp(found.at)
    _refuse_flat(objective, found, patterns)
    if found.stopped:
        raise FitError(
            f"The {model.label} fit stopped before an optimum: the log-likelihood still rises by "
            f"{found.slope:.1e} per customer and log-parameter after {found.passes} steps, at "
            f"{', '.join(f'{n} = {v:.4g}' for n, v in zip(names, theta, strict=True))}. "
            "A prior on the parameters steadies such a fit."
        )
    log_covariance = np.linalg.inv(-found.derivatives.hessian)
    log_covariance = (log_covariance + log_covariance.T) / 2
    return Fit(
        model=model.from_vector(theta),
        log_likelihood=found.derivatives.value - float(log_prior(model, prior, found.at)),
        covariance=log_covariance * np.outer(theta, theta),
        log_covariance=log_covariance,
        covariance_kind="information",
        resampling=None,
        gradient_norm=found.slope,
        iterations=found.passes,
        converged=True,
        customers=customers,
        patterns=patterns,
        histories=histories,
        prior=prior,
    )


def log_prior(model: type[Model[Any]], prior: Mapping[str, LogNormal], log_theta: Floats) -> Floats:
    """Log-density of the prior in the log-parameters, (..., k), up to a constant."""
    centre, weight = _normal(model, prior)
    return np.asarray(-((log_theta - centre) ** 2 @ weight) / 2)


def _normal(model: type[Model[Any]], prior: Mapping[str, LogNormal]) -> tuple[Floats, Floats]:
    """Mean and precision of each log-parameter under the prior; precision 0 where there is none."""
    names = model.parameter_names()
    centre = np.array([math.log(prior[n].median) if n in prior else 0.0 for n in names])
    return centre, np.array([prior[n].sigma ** -2 if n in prior else 0.0 for n in names])


class _Objective:
    """Log-likelihood plus log-prior in the log-parameters, with derivatives."""

    def __init__(
        self, model: type[Model[Any]], histories: Any, prior: Mapping[str, LogNormal]
    ) -> None:
        self.model, self.histories, self.prior = model, histories, prior
        self.customers, self.patterns = model.size(histories)
        self.parts = model.parts(histories)
        self.starts = [np.log(start) for start in model.starts(histories)]
        self.centre, self.weight = _normal(model, prior)

    def __call__(self, log_theta: Floats) -> Derivatives:
        theta = np.exp(log_theta)
        found = side_by_side(partial(self.model.likelihood, theta), self.parts)
        value, g, h = (sum(each) for each in zip(*found, strict=True))
        g = theta * g
        h = h * np.outer(theta, theta) + np.diag(g)
        return Derivatives(
            value + float(log_prior(self.model, self.prior, log_theta)),
            g - self.weight * (log_theta - self.centre),
            h - np.diag(self.weight),
        )

    def away(self, log_theta: Floats) -> Floats:
        """How far each log-parameter is from the first start."""
        return np.asarray(np.abs(log_theta - self.starts[0]))

    def best_start(self) -> Floats:
        """Take the likeliest place to start from, on a few patterns where there are many."""
        screen = self
        if self.patterns > SCREEN:
            screen = _Objective(self.model, self.model.sample(self.histories, SCREEN), self.prior)
        return max(self.starts, key=lambda start: screen(start).value)

    def search(self, start: Floats, *, slope: float = 1e-10) -> Optimum:
        """Climb from `start`, a little beyond what is taken for an optimum."""
        return maximum(
            self,
            start,
            customers=self.customers,
            inside=lambda log_theta: float(self.away(log_theta).max()) <= FARTHEST + 12,
            slope=slope,
        )


def _refuse_flat(objective: _Objective, found: Optimum, patterns: int) -> None:
    """Refuse an optimum that is flat in some direction of the log-parameters."""
    model = objective.model
    names = model.parameter_names()
    involved = flat(-found.derivatives.hessian) | (objective.away(found.at) > FARTHEST)
    if not involved.any():
        return
    theta = np.exp(found.at)
    which = ", ".join(n for n, i in zip(names, involved, strict=True) if i)
    raise NotIdentifiedError(
        f"The data cannot tell {which} of {model.label}: the log-likelihood of {patterns:,} "
        f"distinct histories is flat there (the search ended at "
        f"{', '.join(f'{n} = {v:.3g}' for n, v in zip(names, theta, strict=True))}). "
        "Use a longer log or more customers, or give a prior."
    )
