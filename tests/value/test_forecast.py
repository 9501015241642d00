"""The forecast by calendar month: its days, and that its months add up."""

from __future__ import annotations

import calendar
import math
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clv
from clv.errors import RequestError
from clv.value.forecast import ForecastMonth, forecast, months_after

ENDS = st.dates(date(1900, 1, 1), date(2300, 12, 31))
MODEL = clv.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)  # Fader, Hardie & Lee (2005), weeks
X, T = np.array([0.0, 2.0, 20.0]), np.array([38.9, 38.9, 12.0])
ALIVE, ALIVE_SPEND = np.array([900.0, 40.2, 0.7]), np.array([31_000.0, 1500.0, 40.0])


def months(end: date, count: int, **more: Any) -> list[ForecastMonth]:
    asked: dict[str, Any] = {"end": end, "unit": "week", "margin": 0.4, "months": count} | more
    return forecast(MODEL, X, T, ALIVE, ALIVE_SPEND, **asked)


@given(ENDS, st.integers(1, 60))
def test_months_follow_one_another_without_gap_or_overlap(end: date, count: int) -> None:
    spans = months_after(end, count)
    day = timedelta(days=1)
    assert spans[0][0] == end + day
    for (_, last), (first, _) in pairwise(spans):
        assert first == last + day
    for first, last in spans:
        assert (first.year, first.month) == (last.year, last.month)
        assert last.day == calendar.monthrange(last.year, last.month)[1]
    assert all(first.day == 1 for first, _ in spans[1:])
    partial = (end + day).day != 1
    assert len(spans) == count + partial  # whole months as asked, and the rest of this one


@pytest.mark.parametrize(
    ("end", "spans"),
    [
        (date(2024, 2, 28), ["2024-02-29 2024-02-29", "2024-03-01 2024-03-31"]),
        (date(2024, 2, 29), ["2024-03-01 2024-03-31"]),
        (date(2023, 2, 28), ["2023-03-01 2023-03-31"]),
        (date(2023, 12, 31), ["2024-01-01 2024-01-31"]),
        (date(2011, 12, 9), ["2011-12-10 2011-12-31", "2012-01-01 2012-01-31"]),
        (date(2100, 2, 28), ["2100-03-01 2100-03-31"]),  # no leap year
    ],
)
def test_months_around_the_ends_of_months(end: date, spans: list[str]) -> None:
    assert [f"{first} {last}" for first, last in months_after(end, 1)] == spans


@settings(max_examples=25)
@given(ENDS, st.integers(1, 36), st.sampled_from(["day", "week"]))
def test_the_months_add_up_to_the_whole_span(end: date, count: int, unit: str) -> None:
    rows = months(end, count, unit=unit)
    t = (rows[-1].last_day - end).days / (7 if unit == "week" else 1)
    whole = MODEL.expected_purchases_if_alive(t, X, T)
    assert math.fsum(r.orders for r in rows) == pytest.approx(float(ALIVE @ whole), rel=1e-12)
    revenue = math.fsum(r.revenue for r in rows)
    assert revenue == pytest.approx(float(ALIVE_SPEND @ whole), rel=1e-12)
    assert math.fsum(r.margin for r in rows) == pytest.approx(0.4 * revenue, rel=1e-12)
    assert all(r.orders > 0 for r in rows)


@settings(max_examples=25)
@given(ENDS, st.integers(1, 24), st.integers(1, 24))
def test_a_longer_forecast_begins_with_the_shorter(end: date, count: int, more: int) -> None:
    short = months(end, count)
    assert months(end, count + more)[: len(short)] == short


def test_only_the_rest_of_a_month_is_partial() -> None:
    rows = months(date(2011, 12, 9), 2)
    assert [(r.month, r.partial) for r in rows] == [
        ("2011-12", True), ("2012-01", False), ("2012-02", False)
    ]  # fmt: skip
    assert rows[0].orders < rows[1].orders  # 22 days of 31


def test_orders_per_day_never_rise() -> None:
    """Nobody joins; some leave."""
    rows = months(date(2023, 12, 31), 60)
    per_day = [r.orders / ((r.last_day - r.first_day).days + 1) for r in rows]
    assert per_day == sorted(per_day, reverse=True)


@pytest.mark.parametrize("count", [0, -1, 1201])
def test_how_many_months_a_forecast_can_have(count: int) -> None:
    with pytest.raises(RequestError, match="between 1 and 1200"):
        months_after(date(2024, 1, 1), count)


def test_a_month_in_plain_types() -> None:
    row = months(date(1997, 9, 30), 1)[0].to_dict()
    assert (row["month"], row["first_day"], row["last_day"]) == (
        "1997-10",
        "1997-10-01",
        "1997-10-31",
    )
    assert row["partial"] is False
