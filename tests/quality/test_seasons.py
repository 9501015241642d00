"""Which months of the year stand out, on logs whose season is known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from clv.quality import Finding
from clv.quality.check import check_orders
from clv.quality.report import FINE, LOOK
from clv.quality.seasons import FEWEST_MONTHS, season, seasonal_factors
from clv.transactions.orders import read_orders
from clv.transactions.summary import histories

START = date(2022, 1, 1)


def of(days: list[date], end: date) -> Finding | None:
    who = pa.array([i % 50 for i in range(len(days))], pa.int64())
    orders = read_orders(pa.table({"customer_id": who, "date": days}))
    return season(orders, histories(orders, end=end))


def shop(last: date, december: int = 1) -> list[date]:
    """Two purchases a day, and `december` times as many in December."""
    days = [START + timedelta(days=i) for i in range((last - START).days + 1)]
    return [day for day in days for _ in range(2 * (december if day.month == 12 else 1))]


def test_a_month_that_stands_out_every_year_is_told_with_its_factor() -> None:
    found = of(shop(date(2024, 12, 31), december=3), date(2024, 12, 31))
    assert found is not None
    assert found.verdict == LOOK
    # The mean month has (11 + 3) / 12 of an ordinary one, so December 3 / (14 / 12) = 2.57.
    assert found.figures["factors"]["December"] == pytest.approx(36 / 14, rel=0.01)
    assert "December has 2.6 times the purchases of the mean month (36 calendar" in found.sentence
    assert "docs/how-to/seasonality.md" in found.advice


def test_an_even_shop_has_no_season() -> None:
    found = of(shop(date(2023, 12, 31)), date(2023, 12, 31))
    assert found is not None
    assert found.verdict == FINE
    assert "No month stands out every year" in found.sentence


def test_less_than_two_years_tell_no_season_apart_from_what_happened_once() -> None:
    last = date(2023, 12, 1)
    assert of(shop(last, december=3), last) is None
    assert "season" not in [
        f.topic
        for f in check_orders(
            pa.table({"customer_id": [1, 1, 2], "date": [START, date(2022, 3, 1), START]})
        ).findings
    ]


def test_few_purchases_tell_nothing() -> None:
    days = [START + timedelta(days=7 * i) for i in range(104)]
    found = of(days, date(2023, 12, 31))
    assert found is not None
    assert found.verdict == FINE
    assert "too few" in found.sentence


def test_what_happens_in_one_year_alone_is_no_season() -> None:
    n = np.random.default_rng(1).poisson(600, 36).astype(float)
    n[23] *= 3  # December of the second year
    assert seasonal_factors(n, np.full(36, 30.0), 0)[1] > 0.1


@pytest.mark.parametrize("months", [FEWEST_MONTHS, 36])
def test_growth_is_no_season(months: int) -> None:
    """Doubling every year, and customers won evenly from nothing: Poisson around the curve."""
    t = np.arange(months) + 0.5
    for curve in (200 * 2 ** (t / 12), 30 * t):
        for seed in range(10):
            n = np.random.default_rng(seed).poisson(curve).astype(float)
            assert seasonal_factors(n, np.full(months, 30.0), seed)[1] > 1e-3


def test_factors_do_not_hang_on_where_the_log_begins() -> None:
    n = np.random.default_rng(2).poisson(500 * np.tile([1.0] * 10 + [1.5, 2.0], 3)).astype(float)
    began = seasonal_factors(n, np.full(36, 30.0), 0)[0]
    later = seasonal_factors(n, np.full(36, 30.0), 5)[0]
    np.testing.assert_allclose(np.roll(began, 5), later, rtol=1e-9)
