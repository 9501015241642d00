"""Fit a purchase model with covariates, and test which of them matter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from clv.errors import ClvError, FitError, NotIdentifiedError, RequestError
from clv.history import Histories, check, distinct
from clv.models.base import PurchaseModel
from clv.models.covariates.columns import Column, read_column, refuse_unidentified
from clv.models.covariates.effects import Coefficient, LikelihoodRatio
from clv.models.covariates.likelihood import Objective, Patterns, search
from clv.models.covariates.model import PARTS, CovariateModel, Effect, histories_of, refuse_unknown
from clv.models.maximum_likelihood import LOOSEST, Fit, maximise

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CovariateFit", "fit_covariates"]

Floats = npt.NDArray[np.float64]


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
        Of the logarithms of the base parameters, then the coefficients, from the exact Hessian.
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
                at, _ = search(objective, objective.scaled(self.model.base, rest))
                value = objective.at(at).value
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


def fit_covariates(
    model: type[PurchaseModel],
    customers: pd.DataFrame,
    *,
    purchase: str | Sequence[str] = (),
    dropout: str | Sequence[str] = (),
    dropout_b: str | Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    weights: str | None = None,
    unit: str = "day",
) -> CovariateFit:
    """Fit BG/NBD, MBG/NBD or Pareto/NBD with static covariates, by maximum likelihood.

    Parameters
    ----------
    model : type
        :class:`clv.BGNBD`, :class:`clv.MBGNBD` or :class:`clv.ParetoNBD`.
    customers : DataFrame
        One row a customer: `frequency`, `recency`, `T` and the covariates, such as
        `clv.histories(...).to_pandas().join(table)`. Numbers enter as they are; text, categories
        and truth values by level. They must have been known at the first purchase.
    purchase, dropout : str or sequence of str
        Columns that act on the purchase rate, and on dropout.
    dropout_b : str or sequence of str, optional
        BG/NBD and MBG/NBD: columns that act on b too, so that e^(γ₂ − γ₃) multiplies the odds of
        leaving; Fader & Hardie's (2007) full form.
    reference : mapping of column to level, optional
        The level that the others are compared with; the most frequent by default.
    weights : str, optional
        Column with the number of customers that each row stands for.
    unit : {"day", "week"}
        The unit of recency and T.

    Returns
    -------
    CovariateFit

    Raises
    ------
    UnknownNameError
        For a column or level that is not there.
    RequestError
        For missing values, naming column and customers.
    NotIdentifiedError
        For a column with one level, too many, or one whose customers never bought again; for
        collinear columns; where the likelihood is flat.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from clv import BGNBD
    >>> rng = np.random.default_rng(1)
    >>> shop, web = BGNBD(1, 8, 1, 4), BGNBD(1, 4, 1, 4)  # web customers buy twice as often
    >>> def bought(model, channel):
    ...     x, t_x = model.simulate(np.full(800, 52.0), rng)
    ...     return pd.DataFrame({"channel": channel, "frequency": x, "recency": t_x, "T": 52.0})
    >>> table = pd.concat([bought(shop, "shop"), bought(web, "web")])
    >>> fit = fit_covariates(BGNBD, table, purchase="channel", reference={"channel": "shop"},
    ...                      unit="week")
    >>> web = fit.coefficients[0]
    >>> low, high = web.interval()
    >>> bool(low < np.log(2) < high)
    True
    """
    parts = PARTS.get(model.name)
    if parts is None:
        raise RequestError(f"{model.label} takes no covariates; {', '.join(PARTS)} do.")
    asked = {"purchase": purchase, "dropout": dropout, "dropout_b": dropout_b}
    names = {p: (c,) if isinstance(c, str) else tuple(dict.fromkeys(c)) for p, c in asked.items()}
    if not any(names.values()):
        raise RequestError(
            "No covariates are given: name columns for purchase or dropout, or fit the plain "
            f"{model.label}."
        )
    if names["dropout_b"] and "dropout_b" not in parts:
        raise RequestError(f"{model.label} has no b; columns for its dropout go in `dropout`.")
    every = tuple(dict.fromkeys(c for columns in names.values() for c in columns))
    reference = dict(reference or {})
    refuse_unknown(customers, {*every, *reference, *([weights] if weights else [])})
    x, t_x, T = histories_of(customers)
    n = np.ones(len(x)) if weights is None else customers[weights].to_numpy(dtype=float)
    check(x, t_x, T, n, unit=unit)
    columns, values = _read(customers, every, n, reference)
    rows = (x, t_x, T)
    (x, t_x, T, *codes), m = distinct((*rows, *values.values()), n)
    patterns = Patterns(x, t_x, T, m, dict(zip(values, codes, strict=True)))
    faults = [
        fault
        for part, chosen in names.items()
        for fault in refuse_unidentified(
            part, [columns[c] for c in chosen], patterns.values, patterns.x, patterns.n
        )
    ]
    if faults:
        raise NotIdentifiedError.of(list(dict.fromkeys(faults)))
    all_histories = Histories.from_arrays(*rows, weights=n if weights else None, unit=unit)
    plain = maximise(model, all_histories)
    effects = [
        Effect(part, columns[c], (0.0,) * len(columns[c].levels))
        for part, chosen in names.items()
        for c in chosen
    ]
    return _fit(plain, patterns, effects, unit)


def _read(
    customers: pd.DataFrame, names: tuple[str, ...], weight: Floats, reference: dict[str, str]
) -> tuple[dict[str, Column], dict[str, Floats]]:
    """Read all columns; the faults of all in one error."""
    columns: dict[str, Column] = {}
    values: dict[str, Floats] = {}
    faults: list[ClvError] = []
    for name in names:
        try:
            columns[name], values[name] = read_column(customers, name, weight, reference.get(name))
        except ClvError as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        told = all(isinstance(fault, NotIdentifiedError) for fault in faults)
        kind = NotIdentifiedError if told else RequestError
        raise kind.of([str(fault) for fault in faults])
    return columns, values


def _fit(plain: Fit[Any], patterns: Patterns, effects: list[Effect], unit: str) -> CovariateFit:
    model = type(plain.model)
    objective = Objective(model, patterns, effects)
    beta, calls = search(objective, objective.scaled(plain.model, effects))
    at = objective.at(beta)
    names = objective.names
    precision = -at.hessian
    size, directions = np.linalg.eigh(precision)
    flat = size < LOOSEST**-2
    if flat.any():
        involved = np.abs(directions[:, flat]).max(axis=1) > 0.3
        which = ", ".join(repr(n) for n, i in zip(names, involved, strict=True) if i)
        raise NotIdentifiedError(
            f"The data cannot tell {which} of {model.label} with covariates: the log-likelihood of "
            f"{len(patterns.x):,} distinct histories is flat there. Leave the column out, put "
            "levels together, or use more customers."
        )
    gradient_norm = float(np.abs(at.gradient).max()) / plain.customers
    if gradient_norm > 1e-6:
        raise FitError(
            f"The {model.label} fit with covariates stopped before an optimum: the log-likelihood "
            f"still rises by {gradient_norm:.1e} per customer after {calls} steps. Is a numeric "
            "column very skew? Its logarithm may do better."
        )
    covariance = np.linalg.inv(precision) / np.outer(objective.scale, objective.scale)
    beta = beta / objective.scale
    k = len(model.parameter_names())
    coefficients = iter(beta[k:].tolist())
    return CovariateFit(
        model=CovariateModel(
            model.from_vector(np.exp(beta[:k])),
            tuple(
                replace(e, coefficients=tuple(next(coefficients) for _ in e.column.levels))
                for e in effects
            ),
        ),
        plain=plain,
        log_likelihood=at.value,
        names=names,
        covariance=(covariance + covariance.T) / 2,
        gradient_norm=gradient_norm,
        iterations=calls,
        customers=plain.customers,
        patterns=len(patterns.x),
        unit=unit,
        _patterns=patterns,
    )
