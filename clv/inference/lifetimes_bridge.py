"""A second witness: the same data fitted by `lifetimes`, and fitted models converted both ways.

`lifetimes` is independent code, so agreement means something; it is not an oracle. What is known to
be wrong with it (:mod:`clv.inference.lifetimes_models`) goes with every comparison. Its covariance
is wrong off the diagonal (the Hessian in the log-parameters is scaled by p_j² in place of p_i p_j),
so only the standard errors, which lie on the diagonal, are compared.
"""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from clv.arrays import Floats
from clv.errors import FitError, ParameterError
from clv.history import Histories
from clv.inference.lifetimes_models import COUNTERPARTS, counterpart_of
from clv.models.base import Model
from clv.models.maximum_likelihood import Fit
from clv.models.pareto_nbd import ParetoNBD

__all__ = [
    "CrossCheck",
    "CrossCheckRow",
    "cross_check",
    "from_lifetimes",
    "to_lifetimes",
]


@dataclass(frozen=True)
class CrossCheckRow:
    """One parameter in both fits; a standard error is nan where `lifetimes` gives none."""

    parameter: str
    clv: float
    lifetimes: float
    clv_standard_error: float
    lifetimes_standard_error: float

    @property
    def difference_in_standard_errors(self) -> float:
        """The difference of the two estimates, in standard errors of ours."""
        return (self.lifetimes - self.clv) / self.clv_standard_error


@dataclass(frozen=True)
class CrossCheck:
    """The same data in two programs.

    Attributes
    ----------
    model : str
        Label of the model.
    rows : tuple of CrossCheckRow
        One a parameter.
    clv_log_likelihood, lifetimes_log_likelihood : float
        Of the two sets of parameters, both by our likelihood with all constants: the higher fits
        better.
    clv_seconds, lifetimes_seconds : float
        Time that each fit took, in this process.
    known_defects : tuple of str
        What `lifetimes` is known to get wrong with this model, whatever the data.
    """

    model: str
    rows: tuple[CrossCheckRow, ...]
    clv_log_likelihood: float
    lifetimes_log_likelihood: float
    clv_seconds: float
    lifetimes_seconds: float
    known_defects: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether all parameters lie within a hundredth of a standard error of each other."""
        return all(abs(row.difference_in_standard_errors) < 0.01 for row in self.rows)

    @property
    def sentence(self) -> str:
        """What the comparison says."""
        if self.agree:
            return (
                f"lifetimes agrees: every {self.model} parameter is within a hundredth of a "
                "standard error."
            )
        worst = max(self.rows, key=lambda row: abs(row.difference_in_standard_errors))
        ahead = self.clv_log_likelihood - self.lifetimes_log_likelihood
        better = "Our" if ahead >= 0 else "Its"
        return (
            f"lifetimes differs: its {worst.parameter} of {self.model} is "
            f"{abs(worst.difference_in_standard_errors):.2g} standard errors away. {better} "
            f"log-likelihood is higher by {abs(ahead):.2g}; the higher one is nearer the optimum."
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        return {
            "model": self.model,
            "agree": self.agree,
            "sentence": self.sentence,
            "rows": [
                {
                    "parameter": row.parameter,
                    "clv": row.clv,
                    "lifetimes": row.lifetimes,
                    "clv_standard_error": row.clv_standard_error,
                    "lifetimes_standard_error": (
                        None
                        if math.isnan(row.lifetimes_standard_error)
                        else row.lifetimes_standard_error
                    ),
                    "difference_in_standard_errors": row.difference_in_standard_errors,
                }
                for row in self.rows
            ],
            "clv_log_likelihood": self.clv_log_likelihood,
            "lifetimes_log_likelihood": self.lifetimes_log_likelihood,
            "clv_seconds": self.clv_seconds,
            "lifetimes_seconds": self.lifetimes_seconds,
            "known_defects": list(self.known_defects),
        }


def cross_check(fit: Fit[Any]) -> CrossCheck:
    """Fit the same data again with both programs, side by side.

    Parameters
    ----------
    fit : Fit
        A maximum-likelihood fit of :class:`clv.BGNBD`, :class:`clv.MBGNBD`,
        :class:`clv.ParetoNBD`, :class:`clv.BGBB` or :class:`clv.GammaGamma`.

    Returns
    -------
    CrossCheck

    Raises
    ------
    ParameterError
        Where the model is not one that `lifetimes` can fit, or was fitted with a prior.
    FitError
        Where `lifetimes` does not converge.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> clv.cross_check(fit).agree
    True
    """
    if fit.prior:
        raise ParameterError(
            "This fit used a prior, which lifetimes does not have. Cross-check a fit without one."
        )
    counterpart = counterpart_of(fit.model, "cross-checked with lifetimes")
    started = time.perf_counter()
    again = type(fit.model).fit(fit.histories)
    clv_seconds = time.perf_counter() - started
    started = time.perf_counter()
    fitter = _fit_lifetimes(fit.model, fit.histories)
    lifetimes_seconds = time.perf_counter() - started
    names = fit.model.parameter_names()
    theirs = getattr(fitter, "standard_errors_", {})
    theta = np.array([float(fitter.params_[name]) for name in names])
    rows = tuple(
        CrossCheckRow(
            parameter=name,
            clv=again.parameters[name],
            lifetimes=float(fitter.params_[name]),
            clv_standard_error=again.standard_errors[name],
            lifetimes_standard_error=float(theirs.get(name, math.nan)),
        )
        for name in names
    )
    return CrossCheck(
        model=fit.model.label,
        rows=rows,
        clv_log_likelihood=float(again.log_likelihood),
        lifetimes_log_likelihood=float(type(fit.model).likelihood(theta, fit.histories).value),
        clv_seconds=clv_seconds,
        lifetimes_seconds=lifetimes_seconds,
        known_defects=counterpart.known_defects,
    )


def _fit_lifetimes(model: Model[Any], histories: Histories) -> Any:
    counterpart = counterpart_of(model, "cross-checked with lifetimes")
    fitter = counterpart.new()
    # Else Pareto/NBD starts from the global state of NumPy's random numbers.
    start = {"initial_params": np.ones(4)} if isinstance(model, ParetoNBD) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes.fitters import ConvergenceError

        try:
            return fitter.fit(*counterpart.patterns(histories), **start)
        except ConvergenceError as error:
            raise FitError(
                f"lifetimes does not converge on these data, so there is nothing to compare our "
                f"{model.label} fit with. Its advice: {str(error).strip()}"
            ) from None


def to_lifetimes(fit: Fit[Any]) -> Any:
    """Convert a fit to the fitted object of `lifetimes`, for code that expects one.

    Its `params_`, `predict`, `summary` and plots work as after its own `fit`. Its variance matrix
    is ours, which is right off the diagonal too. `data` holds one row for each distinct history,
    with its weight.

    Parameters
    ----------
    fit : Fit
        Of :class:`clv.BGNBD`, :class:`clv.MBGNBD`, :class:`clv.ParetoNBD`, :class:`clv.BGBB` or
        :class:`clv.GammaGamma`.

    Returns
    -------
    lifetimes.BaseFitter
        A BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter, BetaGeoBetaBinomFitter or
        GammaGammaFitter.

    Raises
    ------
    ParameterError
        For a model that `lifetimes` does not have.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> round(float(clv.to_lifetimes(fit).predict(39, 2, 30.43, 38.86)), 3)
    1.226
    """
    import pandas as pd

    counterpart = counterpart_of(fit.model, "converted to lifetimes")
    fitter = counterpart.new()
    fitter.data = pd.DataFrame(
        dict(zip(counterpart.columns, counterpart.patterns(fit.histories), strict=True))
    )
    if "T" in counterpart.columns:
        fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    names = list(fit.parameters)
    fitter.params_ = pd.Series(fit.parameters)
    fitter._negative_log_likelihood_ = -fit.log_likelihood / fit.customers
    fitter._hessian_ = np.linalg.inv(fit.log_covariance) / fit.customers
    fitter.variance_matrix_ = pd.DataFrame(fit.covariance, columns=names, index=names)
    fitter.standard_errors_ = fitter._compute_standard_errors()  # noqa: SLF001 - as fit does
    fitter.confidence_intervals_ = fitter._compute_confidence_intervals()  # noqa: SLF001 - as fit does
    return fitter


def from_lifetimes(fitter: Any) -> Any:
    """Take the parameters of a fitted `lifetimes` object.

    Parameters
    ----------
    fitter : lifetimes.BaseFitter
        A BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter, BetaGeoBetaBinomFitter or
        GammaGammaFitter after its `fit`. Its unit of time stays the unit of the model.

    Returns
    -------
    BGNBD, MBGNBD, ParetoNBD, BGBB or GammaGamma

    Raises
    ------
    ParameterError
        For an object that is not fitted, or of another model.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> clv.from_lifetimes(clv.to_lifetimes(fit)) == fit.model
    True
    """
    kind = type(fitter).__name__
    homes = {counterpart.fitter: counterpart.model for counterpart in COUNTERPARTS}
    if kind not in homes:
        *others, last = homes
        raise ParameterError(
            f"Cannot convert a {kind}: only fitted {', '.join(others)} and {last} have a "
            "counterpart here."
        )
    if not hasattr(fitter, "params_"):
        raise ParameterError(f"This {kind} is not fitted: call its fit first.")
    model = homes[kind]
    theta: Floats = np.array([float(fitter.params_[name]) for name in model.parameter_names()])
    return model.from_vector(theta)
