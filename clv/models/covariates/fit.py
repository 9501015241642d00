"""Fit a purchase model with covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from clv.arrays import Floats
from clv.errors import ClvError, NotIdentifiedError, RequestError
from clv.history import Histories, check, distinct
from clv.models.base import PurchaseModel
from clv.models.covariates.columns import Column, read_column, refuse_unidentified
from clv.models.covariates.fitted import CovariateFit
from clv.models.covariates.likelihood import Objective, Patterns
from clv.models.covariates.model import PARTS, CovariateModel, Effect, histories_of, refuse_unknown
from clv.models.maximum_likelihood import Fit, maximise

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CovariateFit", "fit_covariates"]


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
    found = objective.optimum(objective.scaled(plain.model, effects))
    beta = found.at / objective.scale
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
        log_likelihood=found.derivatives.value,
        names=objective.names,
        covariance=objective.in_own_units(np.asarray(np.linalg.inv(-found.derivatives.hessian))),
        covariance_kind="information",
        resampling=None,
        gradient_norm=found.slope,
        iterations=found.passes,
        customers=plain.customers,
        patterns=len(patterns.x),
        unit=unit,
        _patterns=patterns,
    )
