"""Compare purchase models: which the data prefer, and what hangs on the choice.

The models are not nested, so they are compared by information criteria on all the data and, where a
calibration end is given, by the log-likelihood of what the same customers did after it: a sum of
ln P(that many purchases | history), which no model has seen. What hangs on the choice is said in
the terms of its user: how many one-time buyers each model takes to be customers still, and how
many orders it expects of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from clv.errors import ClvError, NotIdentifiedError, RequestError
from clv.history import Floats, Histories
from clv.models import PURCHASE_MODELS, purchase_model
from clv.models.base import PurchaseModel
from clv.models.maximum_likelihood import Fit
from clv.transactions.orders import Orders
from clv.transactions.split import Holdout, holdout
from clv.value.terms import DAYS_PER_YEAR, days_per_unit

__all__ = ["Compared", "Comparison", "compare", "holdout_log_likelihood"]

DECISIVE = 10.0
"""Difference of AIC from which the worse model has essentially no support (Burnham & Anderson 2002,
section 2.6)."""


FAR_OFF = 0.1
"""Part of the orders that came by which all models must miss them for it to be said (assumed)."""


@dataclass(frozen=True)
class Compared:
    """One model of a comparison; the figures are None where it could not be fitted.

    Attributes
    ----------
    model, label : str
        Its name in commands, and in sentences.
    fit : Fit or None
        On all the data.
    reason : str
        Why there is no fit.
    one_time_alive : float or None
        Mean P(alive) of the customers who bought once.
    orders, one_time_orders : float or None
        Orders expected in the 365.25 days after the end, of all customers and of those.
    holdout_log_likelihood, holdout_expected : float or None
        Of the holdout period, by the model fitted to the calibration period.
    of_customers : tuple of ndarray or None
        Customers with one history and outcome, and the log-likelihood of that outcome.
    """

    model: str
    label: str
    fit: Fit[PurchaseModel] | None
    reason: str = ""
    one_time_alive: float | None = None
    orders: float | None = None
    one_time_orders: float | None = None
    holdout_log_likelihood: float | None = None
    holdout_expected: float | None = None
    of_customers: tuple[Floats, Floats] | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        fit = self.fit
        return {
            "model": self.model,
            "converged": fit is not None,
            "reason": self.reason,
            "parameters": fit.parameters if fit else None,
            "log_likelihood": fit.log_likelihood if fit else None,
            "aic": fit.aic if fit else None,
            "bic": fit.bic if fit else None,
            "one_time_alive": self.one_time_alive,
            "orders": self.orders,
            "one_time_orders": self.one_time_orders,
            "holdout_log_likelihood": self.holdout_log_likelihood,
            "holdout_expected": self.holdout_expected,
        }


@dataclass(frozen=True)
class Comparison:
    """Purchase models on the same data.

    Attributes
    ----------
    rows : tuple of Compared
        One a model, the lowest AIC first, those without a fit last.
    one_time_customers : int
        Customers who bought once.
    holdout_actual : int or None
        Purchases in the holdout period, where there is one.
    not_regular : tuple of str
        Labels of models of regular customers whose best k is 1: they are no models of their own.
    """

    rows: tuple[Compared, ...]
    one_time_customers: int
    holdout_actual: int | None
    not_regular: tuple[str, ...] = ()

    @property
    def best(self) -> Compared:
        """The model to use: highest holdout log-likelihood where there is one, else lowest AIC."""
        fitted = [row for row in self.rows if row.fit]
        if all(row.holdout_log_likelihood is not None for row in fitted):
            return max(fitted, key=_of_holdout)
        return fitted[0]

    @property
    def sentences(self) -> list[str]:
        """Which model to use and why, and what hangs on it."""
        fitted = [row for row in self.rows if row.fit]
        told = [self._choice(fitted), *self._off(fitted)]
        told += [
            self._one_time(row, self.best)
            for row in fitted
            if row.one_time_alive == 1 and self.one_time_customers
        ]
        if self.not_regular:
            told.append(
                f"{' and '.join(self.not_regular)}: k = 1 fits best, which is the model without "
                "regularity. Purchases come no more regularly than at random."
            )
        told += [f"{row.label} is left out: {row.reason}" for row in self.rows if not row.fit]
        return told

    def _ahead(self, best: Compared, other: Compared) -> tuple[float, float]:
        """Difference of two holdout log-likelihoods, and its standard error over customers."""
        one, two = best.of_customers, other.of_customers
        if one is None or two is None:
            return np.nan, np.nan
        (n, terms), (_, others) = one, two
        away = terms - others
        total = float(n.sum())
        mean = float(n @ away) / total
        return total * mean, float(np.sqrt(n @ (away - mean) ** 2))

    def _choice(self, fitted: list[Compared]) -> str:
        best = self.best
        if len(fitted) == 1:
            return f"{best.label} is the only model that these data identify."
        if best.holdout_log_likelihood is not None:
            other = max(
                (row for row in fitted if row is not best),
                key=_of_holdout,
            )
            ahead, error = self._ahead(best, other)
            told = (
                f"Use {best.label}: it gives what customers did after the calibration period the "
                f"highest probability (log-likelihood {ahead:,.1f} ± {error:,.1f} above "
                f"{other.label}"
            )
            hardly = ahead < 2 * error
            return told + ("; the holdout hardly tells them apart)." if hardly else ").")
        first, second = (row.fit.aic if row.fit else np.inf for row in fitted[:2])
        ahead = second - first
        if ahead < DECISIVE:
            return (
                f"{best.label} fits best, but {fitted[1].label} is close (AIC {ahead:,.1f} higher; "
                f"below {DECISIVE:g} the data hardly tell them apart). Judge by a holdout: give a "
                "calibration end."
            )
        return f"Use {best.label}: its AIC is {ahead:,.1f} below that of {fitted[1].label}."

    def _off(self, fitted: list[Compared]) -> list[str]:
        """Say that all models miss the sum on the same side, which no choice among them mends."""
        actual = self.holdout_actual
        expected = [r.holdout_expected for r in fitted if r.holdout_expected is not None]
        if not actual or not expected:
            return []
        away = sorted((one / actual - 1 for one in expected), key=abs)
        if abs(away[0]) < FAR_OFF or min(away) * max(away) < 0:
            return []
        least, most = (f"{100 * abs(one):.0f}" for one in (away[0], away[-1]))
        span = least if least == most else f"{least} to {most}"
        side = "more" if away[0] > 0 else "fewer"
        who = f"All {len(expected)} models expect" if len(expected) > 1 else "It expects"
        told = (
            f"{who} {span} % {side} orders than came after the calibration period ({actual:,}): "
            "the choice of a model does not mend that, and a forecast may be as far off again. "
            "Look for what the models do not know: a season, a change of prices, campaigns, "
            "customers of another kind."
        )
        return [told]

    def _one_time(self, row: Compared, best: Compared) -> str:
        said = (
            f"{row.label} takes every one of the {self.one_time_customers:,} one-time buyers to be "
            f"a customer still, and expects {row.one_time_orders:,.0f} of {row.orders:,.0f} orders "
            "in the next year of them"
        )
        others = [r for r in self.rows if r.fit and r.one_time_alive not in (None, 1.0)]
        if not others:
            return said + "."
        other = best if best in others else others[0]
        alive = 100 * (other.one_time_alive or 0.0)
        return (
            f"{said}; {other.label} gives them a probability of {alive:.0f} % and expects "
            f"{other.one_time_orders:,.0f} of {other.orders:,.0f}. Their lifetime values "
            "differ by as much."
        )

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "best": self.best.model,
            "one_time_customers": self.one_time_customers,
            "holdout_actual": self.holdout_actual,
            "not_regular": list(self.not_regular),
            "sentences": self.sentences,
        }


def _of_holdout(row: Compared) -> float:
    return -np.inf if row.holdout_log_likelihood is None else row.holdout_log_likelihood


def compare(
    histories: Histories,
    *,
    models: Iterable[str] = tuple(PURCHASE_MODELS),
    orders: Orders | None = None,
    calibration_end: date | str | None = None,
) -> Comparison:
    """Fit several purchase models to the same histories and set them side by side.

    No priors: AIC and BIC then use the likelihood at its maximum, where those of a fit with a prior
    use the likelihood at the mode and do not compare.

    Parameters
    ----------
    histories : Histories
        All the data.
    models : iterable of str
        Names as in `clv fit --model`; all of them by default.
    orders : Orders, optional
        Where the histories come from, needed for a holdout.
    calibration_end : date or "YYYY-MM-DD", optional
        Fit on the orders up to here as well, and judge by what follows.

    Returns
    -------
    Comparison

    Raises
    ------
    NotIdentifiedError
        Where no model can be fitted.
    RequestError
        Where a calibration end is given without the orders.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> h = clv.histories(orders, end="1997-09-30", unit="week")
    >>> [row.model for row in clv.compare(h, models=["bg-nbd", "mbg-nbd"]).rows]
    ['mbg-nbd', 'bg-nbd']
    """
    split = None
    if calibration_end is not None:
        if orders is None:
            raise RequestError(
                "A holdout needs the orders that the histories come from: "
                "clv.compare(histories, orders=..., calibration_end=...)."
            )
        split = holdout(
            orders, calibration_end=calibration_end, end=histories.end, unit=histories.unit
        )
    rows = [_compared(purchase_model(name), histories, split) for name in models]
    if not any(row.fit for row in rows):
        raise NotIdentifiedError.of([f"{row.label}: {row.reason}" for row in rows])
    plain = [row.label for row in rows if row.fit and getattr(row.fit.model, "k", 0) == 1]
    rows = [row for row in rows if row.label not in plain]
    rows.sort(key=lambda row: row.fit.aic if row.fit else np.inf)
    return Comparison(
        rows=tuple(rows),
        one_time_customers=int(histories.weight[histories.frequency == 0].sum()),
        not_regular=tuple(plain),
        holdout_actual=split.transactions if split else None,
    )


def _compared(model: type[PurchaseModel], histories: Histories, split: Holdout | None) -> Compared:
    try:
        fit: Fit[PurchaseModel] = model.fit(histories)
        calibrated = model.fit(split.calibration) if split else None
    except ClvError as error:
        return Compared(model.name, model.label, None, reason=str(error))
    h = histories
    year = DAYS_PER_YEAR / days_per_unit(h.unit)
    once = h.frequency == 0
    p_alive = np.asarray(fit.model.p_alive(h.frequency, h.recency, h.T))
    orders = p_alive * fit.model.expected_purchases_if_alive(year, h.frequency, h.T, h.recency)
    customers_once = float(h.weight[once].sum())
    of_holdout, expected, of_customers = None, None, None
    if split and calibrated:
        of_customers, expected = holdout_log_likelihood(calibrated.model, split)
        of_holdout = float(of_customers[0] @ of_customers[1])
    return Compared(
        model.name,
        model.label,
        fit,
        one_time_alive=float(h.weight[once] @ p_alive[once]) / customers_once
        if customers_once
        else None,
        orders=float(h.weight @ orders),
        one_time_orders=float(h.weight[once] @ orders[once]),
        holdout_log_likelihood=of_holdout,
        holdout_expected=expected,
        of_customers=of_customers,
    )


def holdout_log_likelihood(
    model: PurchaseModel, split: Holdout
) -> tuple[tuple[Floats, Floats], float]:
    """Log-likelihood of the holdout purchases given the histories, and their expected number.

    ln P(y purchases in the holdout | x, t_x, T) of the customers of the calibration period, as
    (customers, their ln P) over distinct histories and outcomes: its sum is `n @ ln_p`.
    """
    x, t_x, T, y, n = split.outcomes()
    ln_p = np.log(model.pmf(y, split.duration, x, t_x, T))
    expected = model.expected_purchases(split.duration, x, t_x, T)
    return (n, ln_p), float(n @ expected)
