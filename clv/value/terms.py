"""The terms of a valuation: margin, discount and horizon, said once and stated everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from clv.errors import RequestError
from clv.history import DAYS_PER_UNIT, Unit

__all__ = ["DAYS_PER_YEAR", "Terms", "days_per_unit"]

DAYS_PER_YEAR = 365.25


def days_per_unit(unit: Unit) -> float:
    """Days of a unit of time; refuses opportunities that are counted, which have no length.

    >>> days_per_unit("week")
    7.0
    """
    if unit not in DAYS_PER_UNIT:
        raise RequestError(
            f"A {unit} is counted, it has no length in days: dates, months and an annual discount "
            "rate cannot be told in it. Make histories in days or weeks, as with "
            'clv.histories(orders, unit="week"); or ask the model itself, in periods, as with '
            "expected_purchases(t, ...)."
        )
    return DAYS_PER_UNIT[unit]


@dataclass(frozen=True)
class Terms:
    """Margin, discount rate and horizon of a valuation.

    Parameters
    ----------
    margin : float
        Share of revenue that remains, between 0 and 1.
    discount_rate : float
        Effective annual rate: money in a year is worth 1 / (1 + rate) of money now; compounded
        continuously in between, over years of 365.25 days. Not per day, week or month.
    horizon_months : int or None
        How many calendar months after the end of observation count; None for all the future.

    Examples
    --------
    >>> terms = Terms(margin=.4, discount_rate=.1, horizon_months=12)
    >>> terms.horizon(date(1997, 9, 30), "day")
    365.0
    >>> round(terms.rate("week"), 6)
    0.001827
    """

    margin: float
    discount_rate: float
    horizon_months: int | None

    def __post_init__(self) -> None:
        faults = []
        if not 0 < self.margin <= 1:
            faults.append(
                f"The margin is a share of revenue above 0 and at most 1; got {self.margin:g}."
                + (f" Did you mean {self.margin / 100:g}?" if 1 < self.margin <= 100 else "")
            )
        if not 0 <= self.discount_rate < 1:
            faults.append(
                f"The annual discount rate lies between 0 and 1; got {self.discount_rate:g}."
                + (
                    f" Did you mean {self.discount_rate / 100:g}?"
                    if 1 <= self.discount_rate <= 100
                    else ""
                )
            )
        months = self.horizon_months
        if months is not None and not (months >= 1 and months == int(months)):
            faults.append(
                f"The horizon is a whole number of months, at least 1, or none; got {months}."
            )
        if faults:
            raise RequestError.of(faults)

    def rate(self, unit: Unit) -> float:
        """Continuous discount rate per unit of time, ln(1 + annual rate) × unit / year."""
        return math.log1p(self.discount_rate) * days_per_unit(unit) / DAYS_PER_YEAR

    def horizon(self, end: date, unit: Unit) -> float:
        """Units of time from `end` to the same day `horizon_months` calendar months later."""
        length = days_per_unit(unit)
        if self.horizon_months is None:
            return math.inf
        last = end + relativedelta(months=self.horizon_months)
        return (last - end).days / length

    @property
    def sentence(self) -> str:
        """The terms in words, for the foot of a table."""
        months = self.horizon_months
        ahead = "without a horizon" if months is None else f"over {months} calendar months"
        return (
            f"Values are margin ({100 * self.margin:.3g} % of revenue) on future purchases "
            f"{ahead}, discounted at {100 * self.discount_rate:.3g} % a year (effective "
            "annual rate)."
        )

    def to_dict(self) -> dict[str, Any]:
        """The three numbers by name."""
        return {
            "margin": self.margin,
            "discount_rate": self.discount_rate,
            "horizon_months": self.horizon_months,
        }
