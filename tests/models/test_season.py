"""Laws of the season index and of operational time."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import ParameterError, RequestError
from clv.models.seasons.season import Season, days_by_season, season_names, season_of, year_shares

INDEXES = ("month", "week")
days = st.dates(date(1990, 1, 1), date(2040, 12, 31))


@st.composite
def seasons(draw: st.DrawFn) -> Season:
    index = draw(st.sampled_from(INDEXES))
    count = len(season_names(index))
    values = draw(st.lists(st.floats(0.05, 20), min_size=count, max_size=count))
    return Season.proportional(index, values)


@given(seasons(), days, st.integers(0, 900), st.integers(0, 900))
def test_operational_time_adds_up(season: Season, start: date, some: int, more: int) -> None:
    middle = start + timedelta(some)
    end = middle + timedelta(more)
    whole = season.elapsed(start, end)
    assert season.elapsed(start, middle) + season.elapsed(middle, end) == pytest.approx(whole)
    assert season.elapsed(end, start) == -whole


@given(seasons(), days)
def test_four_years_last_four_years(season: Season, start: date) -> None:
    # 1,461 days hold one leap day wherever they begin between 1901 and 2099.
    end = start + timedelta(1461)
    assert season.elapsed(start, end) == pytest.approx(1461, rel=1e-12)


@given(seasons(), days, st.integers(1, 60))
def test_a_day_lasts_as_long_as_its_index_says(season: Season, start: date, length: int) -> None:
    passed = [start + timedelta(k) for k in range(1, length + 1)]
    expected = sum(float(season.on(day)) for day in passed)
    assert season.elapsed(start, passed[-1]) == pytest.approx(expected)


@given(st.sampled_from(INDEXES), days, st.integers(0, 2000))
def test_a_flat_index_is_calendar_time_to_the_bit(index: str, start: date, length: int) -> None:
    assert Season.flat(index).elapsed(start, start + timedelta(length)) == length


@given(days)
def test_a_date_is_in_the_same_season_every_year(day: date) -> None:
    for index in INDEXES:
        if (day.month, day.day) != (2, 29):
            assert season_of(day, index) == season_of(day.replace(year=2001), index)
        else:
            assert season_of(day, index) == season_of(date(2001, 2, 28), index)


@pytest.mark.parametrize("index", INDEXES)
def test_shares_are_those_of_four_years_of_days(index: str) -> None:
    counted = days_by_season(np.datetime64("2000-12-31"), np.datetime64("2004-12-31"), index)[-1]
    np.testing.assert_allclose(year_shares(index), counted / 1461, rtol=1e-12)


def test_weeks_begin_on_the_days_they_are_named_after() -> None:
    for number, name in enumerate(season_names("week")):
        first = date.fromisoformat(f"2001-{name}")
        assert season_of(first, "week") == number
        assert season_of(first - timedelta(1), "week") == (number - 1) % 52


def test_elapsed_has_the_shape_of_its_days() -> None:
    season = Season.flat("month")
    starts = np.array(["2024-01-01", "2024-02-01"], dtype="datetime64[D]")
    assert season.elapsed(starts, "2024-03-01").tolist() == [60, 29]
    assert season.elapsed(starts[:0], "2024-03-01").shape == (0,)
    assert np.ndim(season.elapsed("2024-01-01", "2024-03-01")) == 0


def test_values_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Season.flat("month").values[0] = 2


@pytest.mark.parametrize(
    ("index", "values", "told"),
    [
        ("month", [1.0] * 11, "12 values; got shape \\(11,\\)"),
        ("month", [0.0] + [1.0] * 11, "1 of 12 values are not: January"),
        ("month", [float("nan")] + [1.0] * 11, "1 of 12 values are not: January"),
        ("month", [2.0] * 12, "mean 1 .* got 2"),
    ],
)
def test_a_bad_index_is_refused(index: str, values: list[float], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        Season(index, np.array(values))


def test_an_unknown_index_is_refused() -> None:
    with pytest.raises(RequestError, match="'quarter'; it must be 'month' or 'week'"):
        season_names("quarter")
