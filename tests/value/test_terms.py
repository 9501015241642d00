"""Margin, discount rate and horizon: what they mean, to the day."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.value.terms import Terms
from tests.reference.lifetime_value import days_ahead

ENDS = st.dates(date(1900, 1, 1), date(2300, 12, 31))


@given(ENDS, st.integers(1, 1200))
def test_a_horizon_is_so_many_calendar_months(end: date, months: int) -> None:
    terms = Terms(margin=0.4, discount_rate=0.1, horizon_months=months)
    assert terms.horizon(end, "day") == days_ahead(end, months)
    assert terms.horizon(end, "week") == days_ahead(end, months) / 7


@pytest.mark.parametrize(
    ("end", "months", "days"),
    [
        (date(2024, 2, 29), 12, 365),  # to 28 February 2025
        (date(2024, 2, 29), 48, 1461),  # to 29 February 2028
        (date(2024, 1, 31), 1, 29),  # to 29 February 2024
        (date(2023, 1, 31), 1, 28),
        (date(2023, 12, 31), 12, 366),  # 2024 is a leap year
        (date(2011, 12, 9), 12, 366),  # across 29 February 2012
        (date(1997, 9, 30), 1, 30),
    ],
)
def test_horizons_over_the_ends_of_months(end: date, months: int, days: int) -> None:
    """Counted in a calendar by hand."""
    assert Terms(1, 0, months).horizon(end, "day") == days
    assert days_ahead(end, months) == days


@given(st.floats(0, 0.999))
def test_the_rate_is_effective_over_a_year(rate: float) -> None:
    """A year is 365.25 days: money at its end is worth 1 / (1 + rate)."""
    terms = Terms(margin=0.4, discount_rate=rate, horizon_months=12)
    assert math.exp(-terms.rate("day") * 365.25) == pytest.approx(1 / (1 + rate), rel=1e-12)
    assert terms.rate("week") == pytest.approx(7 * terms.rate("day"), rel=1e-15)


def test_without_a_horizon_there_is_no_end() -> None:
    assert Terms(0.4, 0.1, None).horizon(date(2024, 1, 1), "day") == math.inf


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"margin": 40}, "Did you mean 0.4?"),
        ({"margin": 0}, "margin"),
        ({"margin": -0.1}, "margin"),
        ({"margin": math.nan}, "margin"),
        ({"discount_rate": 10}, "Did you mean 0.1?"),
        ({"discount_rate": 1}, "discount rate"),
        ({"discount_rate": -0.01}, "discount rate"),
        ({"discount_rate": math.nan}, "discount rate"),
        ({"horizon_months": 0}, "horizon"),
        ({"horizon_months": 1.5}, "horizon"),
    ],
)
def test_terms_that_make_no_sense(given: dict[str, float], says: str) -> None:
    sound = {"margin": 0.4, "discount_rate": 0.1, "horizon_months": 12}
    with pytest.raises(RequestError, match=says):
        Terms(**(sound | given))  # type: ignore[arg-type]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(RequestError) as caught:
        Terms(margin=40, discount_rate=10, horizon_months=0)
    for word in ("margin", "discount rate", "horizon", "2 more faults"):
        assert word in str(caught.value)


def test_they_say_themselves_in_words() -> None:
    assert "36 calendar months" in Terms(0.4, 0.1, 36).sentence
    assert "10 % a year (effective annual rate)" in Terms(0.4, 0.1, 36).sentence
    assert "without a horizon" in Terms(0.4, 0.1, None).sentence
