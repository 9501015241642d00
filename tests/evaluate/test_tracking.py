from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.evaluate.holdout import holdout_check
from clv.evaluate.tracking import TrackingCheck, expected_tracking, tracking_check
from clv.history import Histories
from clv.models.bg_nbd import BGNBD
from clv.models.maximum_likelihood import Fit, LogNormal
from clv.transactions.orders import Orders, read_orders
from clv.transactions.summary import histories
from tests.evaluate.closed_form import new_customer

# Fader, Hardie & Lee (2005), table 2; weeks.
CDNOW = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)

cohorts = st.lists(st.integers(0, 50), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def fit(cdnow: Orders) -> Fit[BGNBD]:
    return BGNBD.fit(histories(cdnow, end="1997-09-30", unit="week"))


@pytest.fixture(scope="module")
def check(cdnow: Orders, fit: Fit[BGNBD]) -> TrackingCheck:
    return tracking_check(cdnow, fit, end="1998-06-30")


@given(cohorts, st.sampled_from(["day", "week"]))
def test_it_is_the_sum_over_customers(joined: list[int], unit: str) -> None:
    found = expected_tracking(CDNOW, joined, unit=unit)
    length = 1 if unit == "day" else 7
    for day in range(len(joined)):
        # Equation (9) for each customer who has joined, over the time since.
        one_by_one = sum(n * new_customer(CDNOW, (day - s) / length)
                         for s, n in enumerate(joined[: day + 1]))  # fmt: skip
        assert found[day] == pytest.approx(one_by_one, rel=1e-9, abs=1e-12)


@given(cohorts, cohorts)
def test_cohorts_add_up(one: list[int], other: list[int]) -> None:
    size = max(len(one), len(other))
    a, b = (np.pad(np.asarray(c, dtype=float), (0, size - len(c))) for c in (one, other))
    np.testing.assert_allclose(
        expected_tracking(CDNOW, a + b, unit="day"),
        expected_tracking(CDNOW, a, unit="day") + expected_tracking(CDNOW, b, unit="day"),
        rtol=1e-12,
    )


@given(cohorts, st.integers(1, 30))
def test_customers_who_come_later_repeat_as_much_later(joined: list[int], days: int) -> None:
    later = expected_tracking(CDNOW, [0] * days + joined, unit="week")
    assert (later[:days] == 0).all()
    np.testing.assert_allclose(later[days:], expected_tracking(CDNOW, joined, unit="week"))


@given(cohorts)
def test_it_begins_at_nothing_and_never_falls(joined: list[int]) -> None:
    found = expected_tracking(CDNOW, joined, unit="day")
    assert found[0] == 0
    assert (np.diff(found) >= -1e-12).all()


def test_cdnow_actual(check: TrackingCheck, cdnow_days: pd.DataFrame) -> None:
    # Fader, Hardie & Lee (2005), section 4: 2,357 customers; counted from the file by pandas.
    repeats = cdnow_days[
        cdnow_days["date"] > cdnow_days.groupby("customer_id")["date"].transform("min")
    ]
    assert check.customers == 2357
    for day in ("1997-01-15", "1997-05-01", "1997-09-30", "1998-06-30"):
        (at,) = np.flatnonzero(check.dates == np.datetime64(day))
        assert check.actual[at] == (repeats["date"] <= day).sum()
    assert check.holdout_actual == 1882
    assert check.actual[-1] == 2457 + 1882  # repeat transactions of the two periods
    assert check.holdout_days == 39 * 7
    assert check.calibration_end == date(1997, 9, 30)


def test_cdnow_expected(check: TrackingCheck, fit: Fit[BGNBD], cdnow_days: pd.DataFrame) -> None:
    first = cdnow_days.groupby("customer_id")["date"].min()
    totals = []
    for day in ("1997-03-31", "1997-09-30", "1998-06-30"):
        since = ((pd.Timestamp(day) - first).dt.days / 7).clip(lower=0)
        totals.append(float(new_customer(fit.model, since).sum()))
        (at,) = np.flatnonzero(check.dates == np.datetime64(day))
        assert check.expected[at] == pytest.approx(totals[-1], rel=1e-9)
    assert check.holdout_expected == pytest.approx(totals[2] - totals[1], rel=1e-9)
    assert check.error == pytest.approx((totals[2] - 4339) / 4339, rel=1e-9)
    assert check.holdout_error == pytest.approx((totals[2] - totals[1] - 1882) / 1882, rel=1e-9)


def test_it_counts_the_holdout_as_the_holdout_check_does(
    cdnow: Orders, check: TrackingCheck
) -> None:
    other = holdout_check(cdnow, BGNBD, calibration_end="1997-09-30", unit="week")
    assert check.holdout_actual == other.actual
    assert check.customers == other.fit.customers
    # Where the model is good, what it expects of customers whom it has seen buy and of the same
    # customers when they were new comes to much the same in the sum: within 2 % here.
    assert check.holdout_expected == pytest.approx(other.expected, rel=0.02)


def test_customers_who_came_after_the_fit_are_left_out(cdnow_days: pd.DataFrame) -> None:
    orders = read_orders(cdnow_days)
    # Two months do not tell the dropout of so few; what is tested does not depend on it.
    told = {"a": LogNormal(0.8, 1), "b": LogNormal(2.4, 1)}
    early = BGNBD.fit(histories(orders, end="1997-02-28", unit="day"), prior=told)
    found = tracking_check(orders, early)
    first = cdnow_days.groupby("customer_id")["date"].transform("min")
    cohort = cdnow_days[first <= "1997-02-28"]
    assert found.customers == cohort["customer_id"].nunique() < 2357
    assert found.actual[-1] == len(cohort) - found.customers


def test_a_fit_of_other_orders_is_refused(fit: Fit[BGNBD], cdnow_days: pd.DataFrame) -> None:
    some = read_orders(cdnow_days[cdnow_days["customer_id"] < "1000"])
    with pytest.raises(
        RequestError, match=r"not of these orders: it has 2,357 customers, and 999 "
    ):
        tracking_check(some, fit)


def test_a_fit_without_an_end_is_refused(cdnow: Orders, fit: Fit[BGNBD]) -> None:
    endless = replace(fit, histories=Histories.from_arrays([1, 0], [3, 0], [5, 5]))
    with pytest.raises(RequestError, match="no end of observation"):
        tracking_check(cdnow, endless)


@pytest.mark.parametrize(
    ("ends", "until", "says"),
    [
        (date(1990, 1, 1), None, "before the first order: the orders run from 1997-01-01"),
        (date(1998, 6, 30), None, "There is no holdout period"),
        (date(1997, 9, 30), "1997-09-30", "There is no holdout period"),
        (date(1997, 9, 30), "1997-06-30", "There is no holdout period"),
        (date(1997, 9, 30), "soon", "must be a date written as"),
    ],
)
def test_periods_out_of_order_are_refused(
    cdnow: Orders, fit: Fit[BGNBD], ends: date, until: str | None, says: str
) -> None:
    moved = replace(fit, histories=replace(fit.histories, end=ends))
    with pytest.raises(RequestError, match=says):
        tracking_check(cdnow, moved, end=until)
