"""Tracking check: a cohort's cumulative repeat transactions, expected and actual, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from clv.errors import RequestError
from clv.evaluate.holdout import relative_error
from clv.history import Floats, Unit
from clv.models.base import PurchaseModel
from clv.models.maximum_likelihood import Fit
from clv.transactions.orders import Orders
from clv.transactions.split import tracking
from clv.value.terms import days_per_unit

__all__ = ["TrackingCheck", "expected_tracking", "tracking_check"]

P = TypeVar("P", bound=PurchaseModel)


@dataclass(frozen=True, eq=False)
class TrackingCheck:
    """Cumulative repeat transactions of the customers that a fit has seen.

    Attributes
    ----------
    dates : ndarray of datetime64[D], shape (days,)
        Every day from the first order to the end.
    actual : ndarray of int, shape (days,)
        Repeat transactions (customer-days) up to and including that day.
    expected : ndarray, shape (days,)
        The same as the model expects it, given only the day of each customer's first purchase.
    calibration_end : date
        Last day that the fit has seen.
    customers : int
        Customers whose first purchase was on that day or before; only theirs are counted.
    label : str
        Name of the model.
    source : str
        What the orders were read from.
    """

    dates: npt.NDArray[np.datetime64]
    actual: npt.NDArray[np.int64]
    expected: Floats
    calibration_end: date
    customers: int
    label: str
    source: str

    @property
    def holdout_days(self) -> int:
        """Days after the calibration period."""
        return len(self.dates) - 1 - self._cut

    @property
    def holdout_actual(self) -> int:
        """Repeat transactions after the calibration period."""
        return int(self.actual[-1] - self.actual[self._cut])

    @property
    def holdout_expected(self) -> float:
        """Repeat transactions that the model expects after the calibration period."""
        return float(self.expected[-1] - self.expected[self._cut])

    @property
    def holdout_error(self) -> float:
        """Relative error of the holdout period's transactions."""
        return relative_error(self.holdout_expected, self.holdout_actual)

    @property
    def error(self) -> float:
        """Relative error of the cumulative transactions on the last day."""
        return relative_error(float(self.expected[-1]), int(self.actual[-1]))

    @property
    def _cut(self) -> int:
        return int((np.datetime64(self.calibration_end, "D") - self.dates[0]).astype(int))


def expected_tracking(model: PurchaseModel, new_customers: npt.ArrayLike, *, unit: Unit) -> Floats:
    """Expected cumulative repeat transactions of customers who join day by day.

    On day t, Σ_s n_s E[X(t − s)], with n_s the customers whose first purchase was on day s.

    Parameters
    ----------
    model : PurchaseModel
        When customers buy and leave.
    new_customers : array_like, shape (days,)
        Customers whose first purchase was on each of some days in a row.
    unit : {"day", "week"}
        Unit of time of the model.

    Returns
    -------
    ndarray, shape (days,)

    Examples
    --------
    >>> from clv import BGNBD
    >>> model = BGNBD(r=.243, alpha=4.414, a=.793, b=2.426)
    >>> expected_tracking(model, [100, 0, 0, 50], unit="week").round(2).tolist()
    [0.0, 0.78, 1.56, 2.33]
    """
    joined = np.asarray(new_customers, dtype=float)
    per_customer = model.expected_purchases(np.arange(len(joined)) / days_per_unit(unit))
    return np.convolve(joined, per_customer)[: len(joined)]


def tracking_check(orders: Orders, fit: Fit[P], *, end: date | str | None = None) -> TrackingCheck:
    """Track the customers of a fit past the period that it has seen.

    Parameters
    ----------
    orders : Orders
        The orders whose early part was fitted.
    fit : Fit
        Of a purchase model; its histories say the end of calibration and the unit of time.
    end : date or "YYYY-MM-DD", optional
        Last day of the holdout period; the last date of the orders if not given.

    Returns
    -------
    TrackingCheck

    Raises
    ------
    RequestError
        Where the fit has no end of observation, is not of these orders, or nothing comes after it.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> check = clv.tracking_check(orders, fit, end="1998-06-30")
    >>> check.customers, int(check.actual[-1]), check.holdout_actual
    (2357, 4339, 1882)
    """
    h = fit.histories
    if h.end is None:
        raise RequestError(
            "The fit's histories have no end of observation, so there is no calibration period to "
            "mark. Make them with clv.histories(orders, end=...)."
        )
    if h.end < orders.first_date:
        raise RequestError(
            f"The fit ends on {h.end}, before the first order: the orders run from "
            f"{orders.first_date} to {orders.last_date}."
        )
    came = tracking(orders, joined_by=h.end, end=end)
    last = came.dates[-1].item()
    if last <= h.end:
        raise RequestError(
            f"There is no holdout period: the fit has seen the orders up to {h.end}, and tracking "
            f"ends on {last}. Fit on an earlier part of the orders, or give a later end."
        )
    customers = int(came.new_customers.sum())
    if customers != fit.customers:
        raise RequestError(
            f"The fit is not of these orders: it has {fit.customers:,} customers, and "
            f"{customers:,} made their first purchase by {h.end} here. Give the orders that were "
            "fitted."
        )
    return TrackingCheck(
        dates=came.dates,
        actual=came.repeat_transactions,
        expected=expected_tracking(fit.model, came.new_customers, unit=h.unit),
        calibration_end=h.end,
        customers=customers,
        label=fit.model.label,
        source=orders.source,
    )
