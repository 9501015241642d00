"""Maximum likelihood on distinct histories, by Newton's method in the log-parameters.

The log-likelihoods are smooth in a few positive parameters and come with exact gradient and
Hessian. A trust region (SciPy's) makes Newton's steps safe from a poor start; where there are many
patterns, a part of them brings the search near the optimum, so that few full passes remain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import ndtri

from clv.errors import FitError, NotIdentifiedError, ParameterError, RequestError
from clv.models.base import Derivatives, Model
from clv.models.lifetimes_names import summary_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Fit", "LogNormal", "log_prior", "maximise"]

Floats = npt.NDArray[np.float64]
M = TypeVar("M", bound=Model[Any])
M_co = TypeVar("M_co", bound=Model[Any], covariant=True)

SAMPLE = 4_000
"""Patterns that the search starts on."""

SCREEN = 100
"""Patterns on which the places to start from are compared."""

LOOSEST = 5.0
"""Standard error of a log-parameter (in any direction) above which nothing was learned of it."""

LOOSE = 1.5
"""Standard error of a log-parameter above which a fit is flagged: its 95 % interval then spans a
factor of more than e^(2 · 1.96 · 1.5) = 358."""

LENT = 0.9
"""Share of a prior's spread that remains from which the data are said to add hardly anything."""


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
        Of the parameters, from the exact Hessian, in the order of `model.parameters`.
    log_covariance : ndarray, shape (k, k)
        The same of the logarithms of the parameters.
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
        z = float(ndtri((1 + level) / 2))
        spread = np.exp(z * np.sqrt(np.diag(self.log_covariance)))
        return {
            name: (value / factor, value * factor)
            for (name, value), factor in zip(self.parameters.items(), spread.tolist(), strict=True)
        }

    @property
    def identified(self) -> bool:
        """Whether every figure can be taken as it is; `concerns` says what stands against it."""
        return not self.concerns

    @property
    def concerns(self) -> tuple[str, ...]:
        """What a reader of any figure that rests on this fit must know."""
        intervals = self.interval()
        spread = dict(zip(self.parameters, np.sqrt(np.diag(self.log_covariance)), strict=True))
        loose = [
            f"{name} ({intervals[name][0]:.2g} to {intervals[name][1]:.2g})"
            for name, sd in spread.items()
            if sd > LOOSE
        ]
        told = []
        if loose:
            told.append(
                f"The data hardly tell {' and '.join(loose)} of {self.model.label} (95 % "
                f"intervals). {self._leaving()}A longer log or a prior helps."
            )
        lent = [name for name, prior in self.prior.items() if spread[name] > LENT * prior.sigma]
        if lent:
            told.append(
                f"What is said of {' and '.join(lent)} of {self.model.label} is the prior's: the "
                "data hardly narrow it."
            )
        return (*told, *self.model.caveats(intervals))

    def _leaving(self) -> str:
        """Say whether the loose parameters leave open how many customers leave."""
        slope = self.model.dropout_slope()
        if slope is None:
            return ""
        if math.sqrt(float(slope @ self.log_covariance @ slope)) <= LOOSE:
            return "Their ratio is told better, and with it how many customers leave. "
        return (
            "How many customers leave is therefore uncertain, and with it P(alive) and every value "
            "far ahead; that P(alive) is near 1 may only say that the log is too short to see "
            "anyone leave. "
        )

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2k − 2 ln L."""
        return 2 * len(self.parameters) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, k ln(customers) − 2 ln L."""
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
    model: type[M], histories: Any, *, prior: Mapping[str, LogNormal] | None = None
) -> Fit[M]:
    """Fit `model` to the histories; see :meth:`clv.models.base.Model.fit`."""
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
    start = None
    if patterns > 2 * SAMPLE:
        start = _search(_Objective(model, model.sample(histories, SAMPLE), prior), loosely=True)
    objective = _Objective(model, histories, prior)
    log_theta = _search(objective, start=start)
    at = objective.at(log_theta)
    theta = np.exp(log_theta)
    precision = -at.hessian
    _refuse_flat(objective, precision, theta, patterns)
    gradient_norm = float(np.abs(at.gradient).max()) / customers
    if gradient_norm > 1e-6:
        raise FitError(
            f"The {model.label} fit stopped before an optimum: the log-likelihood still rises by "
            f"{gradient_norm:.1e} per customer and log-parameter after {objective.calls} steps, at "
            f"{', '.join(f'{n} = {v:.4g}' for n, v in zip(names, theta, strict=True))}. "
            "A prior on the parameters steadies such a fit."
        )
    log_covariance = np.linalg.inv(precision)
    log_covariance = (log_covariance + log_covariance.T) / 2
    return Fit(
        model=model.from_vector(theta),
        log_likelihood=at.value - float(log_prior(model, prior, log_theta)),
        covariance=log_covariance * np.outer(theta, theta),
        log_covariance=log_covariance,
        gradient_norm=gradient_norm,
        iterations=objective.calls,
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
    """Log-likelihood plus log-prior in the log-parameters, with derivatives, one pass a point."""

    def __init__(
        self, model: type[Model[Any]], histories: Any, prior: Mapping[str, LogNormal]
    ) -> None:
        self.model, self.histories = model, histories
        self.customers = model.size(histories)[0]
        self.starts = [np.log(start) for start in model.starts(histories)]
        self.origin = self.starts[0]
        self.prior = prior
        self.centre, self.weight = _normal(model, prior)
        self.calls = 0
        self._last: tuple[bytes, Derivatives] | None = None

    def at(self, log_theta: Floats) -> Derivatives:
        key = log_theta.tobytes()
        if self._last is None or self._last[0] != key:
            self.calls += 1
            self._last = key, self._compute(log_theta)
        return self._last[1]

    def _compute(self, log_theta: Floats) -> Derivatives:
        theta = np.exp(log_theta)
        value, g, h = self.model.likelihood(theta, self.histories)
        away = log_theta - self.centre
        g = theta * g
        h = h * np.outer(theta, theta) + np.diag(g)
        return Derivatives(
            value + float(log_prior(self.model, self.prior, log_theta)),
            g - self.weight * away,
            h - np.diag(self.weight),
        )

    def loss(self, log_theta: Floats) -> float:
        return -self.at(log_theta).value / self.customers

    def loss_gradient(self, log_theta: Floats) -> Floats:
        return -self.at(log_theta).gradient / self.customers

    def loss_hessian(self, log_theta: Floats) -> Floats:
        return -self.at(log_theta).hessian / self.customers


FARTHEST = 16.0
"""Log-parameters are searched within 16 of the first start, which has the units of the data: a
factor of nine million either way. An optimum beyond is none."""


def _search(objective: _Objective, *, start: Floats | None = None, loosely: bool = False) -> Floats:
    if start is None:
        model, histories, screen = objective.model, objective.histories, objective
        if model.size(histories)[1] > SCREEN:
            screen = _Objective(model, model.sample(histories, SCREEN), objective.prior)
        start = min(objective.starts, key=screen.loss)

    def loss(log_theta: Floats) -> float:
        if np.abs(log_theta - objective.origin).max() > FARTHEST + 12:
            return math.inf
        return objective.loss(log_theta)

    result = minimize(
        loss,
        start,
        jac=objective.loss_gradient,
        hess=objective.loss_hessian,
        method="trust-exact",
        options={"gtol": 1e-4 if loosely else 1e-10, "maxiter": 200, "max_trust_radius": 4.0},
    )
    return np.asarray(result.x, dtype=float)


def _refuse_flat(objective: _Objective, precision: Floats, theta: Floats, patterns: int) -> None:
    """Refuse an optimum that is flat in some direction of the log-parameters."""
    model = objective.model
    names = model.parameter_names()
    values, directions = np.linalg.eigh(precision)
    flat = values < LOOSEST**-2
    at_edge = np.abs(np.log(theta) - objective.origin) > FARTHEST
    if not (flat.any() or at_edge.any()):
        return
    involved = (np.abs(directions[:, flat]).max(axis=1, initial=0) > 0.3) | at_edge
    which = ", ".join(n for n, i in zip(names, involved, strict=True) if i)
    raise NotIdentifiedError(
        f"The data cannot tell {which} of {model.label}: the log-likelihood of {patterns:,} "
        f"distinct histories is flat there (the search ended at "
        f"{', '.join(f'{n} = {v:.3g}' for n, v in zip(names, theta, strict=True))}). "
        "Use a longer log or more customers, or give a prior."
    )
