"""Holdout check: fit on the early orders, and count the later ones that the fit expects."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from clv.history import Unit
from clv.models.base import PurchaseModel
from clv.models.maximum_likelihood import Fit
from clv.transactions.orders import Orders
from clv.transactions.split import holdout
from clv.transactions.summary import read_date

__all__ = ["HoldoutCheck", "holdout_check", "relative_error"]

P = TypeVar("P", bound=PurchaseModel)


@dataclass(frozen=True, eq=False)
class HoldoutCheck(Generic[P]):
    """Transactions expected and observed in a period that the fit has not seen.

    Attributes
    ----------
    fit : Fit
        On the calibration period.
    calibration_end, end : date
        Last days of the calibration and of the holdout period.
    duration : float
        Length of the holdout period, in the unit of the fit.
    actual : int
        Transactions (customer-days with a purchase) of the calibrated customers in the holdout
        period.
    expected : float
        Sum over the same customers of E[X(duration) | x, t_x, T].
    """

    fit: Fit[P] = field(repr=False)
    calibration_end: date
    end: date
    duration: float
    actual: int
    expected: float

    @property
    def error(self) -> float:
        """(expected − actual) / actual; nan where nothing was bought and nothing was expected."""
        return relative_error(self.expected, self.actual)


def holdout_check(
    orders: Orders,
    model: type[P],
    *,
    calibration_end: date | str,
    end: date | str | None = None,
    unit: Unit = "day",
) -> HoldoutCheck[P]:
    """Fit on the orders up to a date and compare what is expected after it with what came.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    model : type of PurchaseModel
        Such as :class:`clv.BGNBD`.
    calibration_end : date or "YYYY-MM-DD"
        Last day that the fit sees.
    end : date or "YYYY-MM-DD", optional
        Last day of the holdout period; the last date of the orders if not given.
    unit : {"day", "week"}
        Unit of time of the fit.

    Returns
    -------
    HoldoutCheck

    Raises
    ------
    RequestError
        Where a date is none, or the periods are not in order.
    FitError
        Where the calibration period does not identify the model.

    Notes
    -----
    Customers who came only in the holdout period are in neither number. Fader, Hardie & Lee
    (2005), section 4, for the conditional expectation, equation (10).

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> check = clv.holdout_check(
    ...     orders, clv.BGNBD, calibration_end="1997-09-30", end="1998-06-30", unit="week"
    ... )
    >>> check.actual, round(check.expected, 1), round(check.error, 3)
    (1882, 1653.4, -0.121)
    """
    split = holdout(orders, calibration_end=calibration_end, end=end, unit=unit)
    h = split.calibration
    fit = model.fit(h)
    per_history = fit.model.expected_purchases(split.duration, h.frequency, h.recency, h.T)
    return HoldoutCheck(
        fit=fit,
        calibration_end=read_date(calibration_end, "calibration_end"),
        end=split.end,
        duration=split.duration,
        actual=split.transactions,
        expected=float(h.weight @ per_history),
    )


def relative_error(expected: float, actual: float) -> float:
    """Relative error (expected − actual) / actual; inf or nan where nothing came.

    >>> relative_error(90, 100)
    -0.1
    """
    if actual == 0:
        return math.inf if expected > 0 else math.nan
    return (expected - actual) / actual
