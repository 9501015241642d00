"""What the customers of today will order, month by month, by a model that knows the season."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

import numpy as np

from clv.inference.seasonal_fit import SeasonalFit
from clv.models.beta_geometric import BetaGeometric
from clv.models.gamma_gamma import GammaGamma
from clv.value.forecast import ForecastMonth, forecast
from clv.value.lifetime_value import refuse_infinite_spend
from clv.value.terms import Terms

__all__ = ["seasonal_forecast"]

G = TypeVar("G", bound=BetaGeometric)


def seasonal_forecast(
    fit: SeasonalFit[G], spend: GammaGamma, *, margin: float, months: int
) -> list[ForecastMonth]:
    """Forecast orders, revenue and margin of the fitted customers by calendar month.

    Parameters
    ----------
    fit : SeasonalFit
        From :func:`clv.fit_seasonal`, on orders with amounts.
    spend : GammaGamma
        What a purchase is worth, the same in every season.
    margin : float
        Share of revenue that remains, above 0 and at most 1.
    months : int
        Whole calendar months after the end of observation, 1 to 1200.

    Returns
    -------
    list of ForecastMonth
        In expectation; customers not yet won are not in it.

    Raises
    ------
    RequestError
        For a margin that is not a share of revenue, or a number of months out of range.
    FitError
        Where the spend model has no finite mean for some customers.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.fit_seasonal(clv.BGNBD, orders, end="1998-06-30", unit="week")
    >>> spend = clv.GammaGamma.fit(fit.histories).model
    >>> for row in clv.seasonal_forecast(fit, spend, margin=.4, months=3):
    ...     print(row.month, round(row.orders))
    1998-07 176
    1998-08 156
    1998-09 158
    """
    Terms(margin, 0.0, None)  # refuses a margin that is none
    refuse_infinite_spend(fit.histories, spend)
    table = fit.histories.to_pandas()
    x, t_x, T = (table[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    t_x, T = fit.model.operational(t_x, T)
    base = fit.fit.model
    alive = base.p_alive(x, t_x, T)
    known = table["spend_frequency"].to_numpy(float)
    value = spend.expected_spend(known, np.where(known > 0, table["monetary_value"], 0.0))
    sums = (
        table.assign(x=x, T=T, alive=alive, alive_spend=alive * value)
        .groupby(["x", "T"])[["alive", "alive_spend"]]
        .sum()
        .reset_index()
    )

    def ahead(day: date) -> float:
        return float(fit.model.ahead(day))

    return forecast(
        base,
        *(sums[name].to_numpy(float) for name in ("x", "T", "alive", "alive_spend")),
        end=fit.end,
        unit=fit.fit.unit,
        margin=margin,
        months=months,
        ahead=ahead,
    )
