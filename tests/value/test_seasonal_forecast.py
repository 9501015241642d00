"""The seasonal forecast adds up, and without a season it is the plain one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

import clv
from clv import BGNBD
from clv.errors import FitError, RequestError
from clv.inference.seasonal_fit import SeasonalFit, fit_seasonal
from clv.value.forecast import forecast
from clv.value.seasonal_forecast import seasonal_forecast

END = date(1998, 6, 30)


@pytest.fixture(scope="module")
def fits() -> tuple[SeasonalFit[BGNBD], SeasonalFit[BGNBD]]:
    """CDNOW with the season learned, and held flat."""
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    free, flat = (fit_seasonal(BGNBD, orders, end=END, sigma=sigma) for sigma in (None, 1e-7))
    return free, flat


@pytest.fixture(scope="module")
def spend(fits: tuple[SeasonalFit[BGNBD], SeasonalFit[BGNBD]]) -> clv.GammaGamma:
    return clv.GammaGamma.fit(fits[0].histories).model


def test_months_add_up_to_the_days(
    fits: tuple[SeasonalFit[BGNBD], SeasonalFit[BGNBD]], spend: clv.GammaGamma
) -> None:
    seasonal, _ = fits
    rows = seasonal_forecast(seasonal, spend, margin=0.4, months=12)
    h = seasonal.histories
    last = rows[-1].last_day
    expected, known = seasonal.model.expected_purchases, (h.frequency, h.recency, h.T)
    whole = expected("1998-07-01", last, *known)
    assert sum(row.orders for row in rows) == pytest.approx(h.weight @ whole)
    august = expected("1998-08-01", "1998-08-31", *known)
    assert rows[1].orders == pytest.approx(h.weight @ august)
    assert all(row.margin == pytest.approx(0.4 * row.revenue) for row in rows)
    assert all(row.revenue > 0 for row in rows)


def test_without_a_season_it_is_the_plain_forecast(
    fits: tuple[SeasonalFit[BGNBD], SeasonalFit[BGNBD]], spend: clv.GammaGamma
) -> None:
    _, flat = fits
    table = flat.histories.to_pandas()
    x, t_x, T, known, mean = (
        table[name].fillna(0).to_numpy(float)
        for name in ("frequency", "recency", "T", "spend_frequency", "monetary_value")
    )
    model = flat.flat.model
    alive = model.p_alive(x, t_x, T)
    worth = alive * spend.expected_spend(known, mean)
    plain = forecast(model, x, T, alive, worth, end=END, unit="day", margin=0.4, months=6)
    for row, expected in zip(
        seasonal_forecast(flat, spend, margin=0.4, months=6), plain, strict=True
    ):
        assert (row.month, row.first_day, row.last_day) == (
            expected.month, expected.first_day, expected.last_day,
        )  # fmt: skip
        np.testing.assert_allclose(
            [row.orders, row.revenue], [expected.orders, expected.revenue], rtol=1e-6
        )


def test_terms_that_make_no_sense_are_refused(
    fits: tuple[SeasonalFit[BGNBD], SeasonalFit[BGNBD]], spend: clv.GammaGamma
) -> None:
    with pytest.raises(RequestError, match="share of revenue"):
        seasonal_forecast(fits[0], spend, margin=40, months=6)
    with pytest.raises(RequestError, match="between 1 and 1200 months"):
        seasonal_forecast(fits[0], spend, margin=0.4, months=0)
    with pytest.raises(FitError, match="infinite"):
        seasonal_forecast(fits[0], clv.GammaGamma(0.5, 0.4, 10), margin=0.4, months=6)
