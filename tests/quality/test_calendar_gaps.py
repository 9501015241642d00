"""Which days without orders are gaps, on logs whose days are known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.quality import Finding
from clv.quality.calendar_gaps import _each_weekday, gaps_of
from clv.quality.check import check_orders
from clv.quality.report import FINE, LOOK

START = date(2023, 1, 2)  # a Monday


def checked(per_day: dict[date, int], end: date | None = None) -> Finding:
    days = [day for day, n in per_day.items() for _ in range(n)]
    who = pa.array(range(len(days)), pa.int64())
    return check_orders(pa.table({"customer_id": who, "date": days}), end=end)["calendar"]


def steady(days: int, each: int = 20) -> dict[date, int]:
    return {START + timedelta(days=i): each for i in range(days)}


def test_a_shop_that_is_closed_on_sundays_has_no_gap() -> None:
    open_days = {day: n for day, n in steady(365).items() if day.weekday() != 6}
    found = checked(open_days)
    assert found.verdict == FINE
    assert found.figures["closed_weekdays"] == ["Sunday"]
    assert found.figures["days_without_orders"] == 365 // 7


@pytest.mark.parametrize("weekday", range(6))
def test_one_missing_day_of_a_busy_shop_is_a_gap(weekday: int) -> None:
    missing = START + timedelta(days=140 + weekday)
    open_days = {d: n for d, n in steady(365).items() if d.weekday() != 6 and d != missing}
    found = checked(open_days)
    assert found.verdict == LOOK
    (gap,) = found.figures["gaps"]
    assert gap == {
        # The Sunday after a missing Saturday is empty too, but nothing is missing on it.
        "first_day": (missing - timedelta(days=weekday == 0)).isoformat(),
        "last_day": (missing + timedelta(days=weekday == 5)).isoformat(),
        "days": 1 + (weekday in {0, 5}),
        "usual_orders": 20.0,
    }


def test_few_orders_a_day_leave_empty_days() -> None:
    """Poisson with a mean of 0.5: six days in ten are empty, none of it is a gap."""
    for seed in range(20):
        n = np.random.default_rng(seed).poisson(0.5, 700)
        n[0] = 1
        found = checked({START + timedelta(days=i): int(k) for i, k in enumerate(n) if k})
        assert found.verdict == FINE, seed


@pytest.mark.parametrize("shape", [2.0, 5.0])
def test_days_that_vary_more_than_by_chance_are_no_gaps(shape: float) -> None:
    """Negative binomial with a mean of 15: of shape 2, 1.4 % of the days are empty."""
    empty = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        n = rng.poisson(rng.gamma(shape, 15 / shape, 500))
        n[[0, -1]] = 1
        found = checked({START + timedelta(days=i): int(k) for i, k in enumerate(n) if k})
        assert found.verdict == FINE, seed
        empty += found.figures["days_without_orders"]
    assert empty > 0


def test_a_week_without_orders_is_a_gap_though_days_vary() -> None:
    n = np.random.default_rng(1).poisson(np.random.default_rng(2).gamma(2, 15 / 2, 500))
    n[200:207] = 0
    n[[0, 199, 207]] = 1
    found = checked({START + timedelta(days=i): int(k) for i, k in enumerate(n) if k})
    (gap,) = found.figures["gaps"]
    assert (gap["first_day"], gap["days"]) == ((START + timedelta(days=200)).isoformat(), 7)


def gaps_by_day(counts: np.ndarray) -> list[tuple[int, int]]:
    days = np.flatnonzero(counts)
    return gaps_of(days, counts[days], len(counts) - 1)


@pytest.mark.parametrize("seed", range(4))
def test_one_exceptional_day_hides_no_gap(seed: int) -> None:
    """Poisson with a mean of 8: three days without orders have probability e^-24."""
    counts = np.random.default_rng(seed).poisson(8, 730)
    counts[330] = 30 * 8
    counts[150:153] = 0
    assert any(first <= 150 and last >= 152 for first, last in gaps_by_day(counts))


@pytest.mark.parametrize("seed", range(4))
def test_a_level_that_moves_for_eight_weeks_leaves_no_gaps(seed: int) -> None:
    day = np.arange(730)
    quiet = (day % 365 > 180) & (day % 365 < 236)
    counts = np.random.default_rng(seed).poisson(8 * np.where(quiet, 0.1, 1))
    assert gaps_by_day(counts) == []


def test_a_few_orders_long_before_the_others_are_a_gap() -> None:
    found = checked({date(2003, 5, 7): 1} | steady(200))
    assert found.verdict == LOOK
    assert found.figures["gaps"][0]["first_day"] == "2003-05-08"


def test_silence_up_to_the_end_is_a_gap() -> None:
    found = checked(steady(200), end=START + timedelta(days=230))
    (gap,) = found.figures["gaps"]
    assert gap["days"] == 31
    assert gap["usual_orders"] == 31 * 20


@given(st.integers(0, 40_000), st.integers(0, 60))
def test_the_weekdays_of_a_run_are_counted(first: int, more: int) -> None:
    days = np.arange(first, first + more + 1)
    assert (
        _each_weekday(first, first + more).tolist() == np.bincount(days % 7, minlength=7).tolist()
    )


def test_at_a_gap_that_goes_on_to_the_end_the_last_day_with_orders_is_named() -> None:
    log = steady(100)
    last = max(log)
    found = checked(log, end=last + timedelta(days=1))
    assert found.verdict == LOOK
    assert found.advice.endswith(
        f"If the orders are complete only to {last}, give that as the end: --end {last}."
    )
    # Not so where the log goes on.
    log[last + timedelta(days=2)] = 20
    found = checked(log, end=last + timedelta(days=1))
    assert "complete only" not in found.advice
    assert found.advice
