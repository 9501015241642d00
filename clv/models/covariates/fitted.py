"""What a fit with covariates says: coefficients, how sure they are, and which of them matter."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import chdtrc

from clv.arrays import Floats
from clv.models.concerns import Uncertain, concerns_of, log_interval
from clv.models.covariance import CovarianceKind, Resampling, bootstrap, refuse_kind, sandwich
from clv.models.covariates.effects import Coefficient, LikelihoodRatio
from clv.models.covariates.likelihood import Objective, Patterns
from clv.models.covariates.model import PARTS, CovariateModel
from clv.models.maximum_likelihood import Fit
from clv.numerics import central_tails

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CovariateFit"]


@dataclass(frozen=True, eq=False)
class CovariateFit:
    """A fitted covariate model, how sure it is, and what the covariates add.

    Attributes
    ----------
    model : CovariateModel
        The parameters at the optimum, able to answer for any customer.
    plain : Fit
        The same model without covariates on the same customers.
    log_likelihood : float
        Of the data at the optimum, with all constants.
    names : tuple of str
        What the rows of the covariance are: "ln r", ..., "purchase: channel = web", ...
    covariance : ndarray, shape (k, k)
        Of the logarithms of the base parameters, then the coefficients.
    covariance_kind : {"information", "sandwich", "bootstrap"}
        Where it comes from; the exact Hessian unless :meth:`with_covariance` was asked.
    resampling : Resampling or None
        How many resamples a bootstrap made, and how many could not be fitted.
    gradient_norm : float
        Largest slope of the log-likelihood per customer, numeric columns in standard deviations.
    iterations : int
        Newton steps.
    customers, patterns : int
        Customers fitted, and the distinct (history, covariates) that stand for them.
    unit : str
        Unit of time.
    """

    model: CovariateModel
    plain: Fit[Any]
    log_likelihood: float
    names: tuple[str, ...]
    covariance: Floats
    covariance_kind: CovarianceKind
    resampling: Resampling | None
    gradient_norm: float
    iterations: int
    customers: int
    patterns: int
    unit: str
    _patterns: Patterns = field(repr=False)

    @property
    def standard_errors(self) -> dict[str, float]:
        """Standard error of each base parameter."""
        errors = np.sqrt(np.diag(self.covariance))
        base = self.model.base.parameters
        return {n: value * float(e) for (n, value), e in zip(base.items(), errors, strict=False)}

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """Each coefficient with its standard error, in the order of `names`."""
        base = self.model.base
        errors = iter(np.sqrt(np.diag(self.covariance))[len(base.parameters) :].tolist())
        return tuple(
            Coefficient(
                effect.part,
                effect.column,
                level,
                value,
                next(errors),
                self.unit,
                PARTS[base.name][effect.part][0],
            )
            for effect in self.model.effects
            for level, value in zip(effect.column.levels, effect.coefficients, strict=True)
        )

    def interval(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Interval of each base parameter, normal in its logarithm, hence positive.

        Parameters
        ----------
        level : float
            Between 0 and 1.

        Returns
        -------
        dict of str to (float, float)
        """
        central_tails(level)  # refuses a level that is none
        errors = np.sqrt(np.diag(self.covariance)).tolist()
        base = self.model.base.parameters
        return {
            name: log_interval(value, error, level)
            for (name, value), error in zip(base.items(), errors, strict=False)
        }

    @property
    def identified(self) -> bool:
        """Whether every figure can be taken as it is; `concerns` says what stands against it."""
        return not self.concerns

    @property
    def concerns(self) -> tuple[str, ...]:
        """What a reader of any figure that rests on this fit must know.

        The rules are those of :attr:`clv.models.maximum_likelihood.Fit.concerns`; of a number the
        factor is that of one standard deviation more.
        """
        base = self.model.base
        k = len(base.parameters)
        effects = tuple(
            Uncertain(
                f"the factor of {name!r}",
                math.exp(c.estimate * c.column.scale),
                c.standard_error * c.column.scale,
            )
            for name, c in zip(self.names[k:], self.coefficients, strict=True)
        )
        told = concerns_of(base, self.covariance[:k, :k], more=effects)
        return (*told, *(self.resampling.concerns if self.resampling else ()))

    def with_covariance(
        self, kind: CovarianceKind, *, resamples: int = 1000, seed: int = 0
    ) -> CovariateFit:
        """Return the same fit with another covariance; all that rests on it follows.

        Parameters
        ----------
        kind : {"information", "sandwich", "bootstrap"}
            As in :meth:`clv.models.maximum_likelihood.Fit.with_covariance`, which says when to take
            which.
        resamples, seed : int
            How many samples a bootstrap draws, and the seed of the draws.

        Returns
        -------
        CovariateFit
            Its likelihood-ratio tests stay what they are: they take the model to be right.

        Raises
        ------
        RequestError
            For another kind, or too few resamples.
        NotIdentifiedError
            Where hardly any sample could be fitted.
        """
        refuse_kind(kind, resamples)
        model, effects = type(self.model.base), self.model.effects
        objective = Objective(model, self._patterns, effects)
        beta = objective.scaled(self.model.base, effects)
        resampling = None
        if kind == "bootstrap":

            def refit(n: Floats) -> Floats:
                again = Objective(model, self._patterns.weighed(n), effects)
                return again.optimum(beta).at

            covariance, resampling = bootstrap(
                refit, self._patterns.n, resamples=resamples, seed=seed
            )
        else:
            covariance = np.asarray(np.linalg.inv(-objective(beta).hessian))
            if kind == "sandwich":
                covariance = sandwich(covariance, objective.scores(beta), self._patterns.n)
        return replace(
            self,
            covariance=objective.in_own_units(covariance),
            covariance_kind=kind,
            resampling=resampling,
        )

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2k − 2 ln L."""
        return 2 * len(self.names) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, k ln(customers) − 2 ln L."""
        return len(self.names) * math.log(self.customers) - 2 * self.log_likelihood

    @property
    def likelihood_ratio(self) -> LikelihoodRatio:
        """Test of all covariates at once: this fit against the plain model."""
        return self._against("all covariates", self.plain.log_likelihood, 0)

    def likelihood_ratio_tests(self) -> tuple[LikelihoodRatio, ...]:
        """Test each column by fitting without it, and all at once.

        Returns
        -------
        tuple of LikelihoodRatio
            One for each column of each part, in order, then one for all.

        Notes
        -----
        Twice the log-likelihood lost has, where the column does nothing, about a chi-squared
        distribution with a degree of freedom for each coefficient (Wilks 1938).
        """
        tests = []
        for effect in self.model.effects:
            rest = [e for e in self.model.effects if e is not effect]
            value, count = self.plain.log_likelihood, 0
            if rest:
                objective = Objective(type(self.model.base), self._patterns, rest)
                value = objective.search(objective.scaled(self.model.base, rest)).derivatives.value
                count = sum(len(e.coefficients) for e in rest)
            tests.append(self._against(f"{effect.part}: {effect.column.name}", value, count))
        return (*tests, self.likelihood_ratio)

    def _against(self, dropped: str, log_likelihood: float, coefficients: int) -> LikelihoodRatio:
        statistic = max(0.0, 2 * (self.log_likelihood - log_likelihood))
        degrees = len(self.names) - len(self.model.base.parameters) - coefficients
        return LikelihoodRatio(dropped, statistic, degrees, float(chdtrc(degrees, statistic)))

    def summary(self) -> pd.DataFrame:
        """One row a coefficient: estimate, standard error, z, p, e^γ, and what it says.

        Returns
        -------
        DataFrame
            Columns part, column, level, estimate, standard_error, z, p_value, factor, meaning.
        """
        import pandas as pd

        return pd.DataFrame([c.to_dict() for c in self.coefficients])

    def to_dict(self) -> dict[str, Any]:
        """All that a file needs, in plain types."""
        return {
            "model": self.model.base.name,
            "parameters": self.model.base.parameters,
            "standard_errors": self.standard_errors,
            "coefficients": [c.to_dict() for c in self.coefficients],
            "names": list(self.names),
            "covariance": self.covariance.tolist(),
            "covariance_kind": self.covariance_kind,
            "resampling": self.resampling.to_dict() if self.resampling else None,
            "identified": self.identified,
            "concerns": list(self.concerns),
            "log_likelihood": self.log_likelihood,
            "log_likelihood_plain": self.plain.log_likelihood,
            "aic": self.aic,
            "bic": self.bic,
            "customers": self.customers,
            "patterns": self.patterns,
            "unit": self.unit,
            "gradient_norm": self.gradient_norm,
            "iterations": self.iterations,
        }
