from __future__ import annotations

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv.errors import NotIdentifiedError, RequestError
from clv.evaluate.holdout import holdout_check, relative_error
from clv.models.bg_nbd import BGNBD
from clv.transactions.orders import Orders, read_orders
from clv.transactions.split import holdout
from tests.evaluate.closed_form import known_customer


def test_cdnow(cdnow: Orders, cdnow_days: pd.DataFrame) -> None:
    check = holdout_check(cdnow, BGNBD, calibration_end="1997-09-30", end="1998-06-30", unit="week")
    # 39 weeks of calibration and 39 of holdout: Fader, Hardie & Lee (2005), section 4.
    assert (check.calibration_end, check.end) == (date(1997, 9, 30), date(1998, 6, 30))
    assert check.duration == 39
    later = cdnow_days[cdnow_days["date"] > "1997-09-30"]
    assert check.actual == len(later) == 1882  # counted from the file by pandas

    early = cdnow_days[cdnow_days["date"] <= "1997-09-30"].groupby("customer_id")["date"]
    x = early.count() - 1
    t_x = (early.max() - early.min()).dt.days / 7
    T = (pd.Timestamp("1997-09-30") - early.min()).dt.days / 7
    by_equation_10 = known_customer(check.fit.model, 39, x, t_x, T).sum()
    assert check.expected == pytest.approx(by_equation_10, rel=1e-9)
    # At the published parameters, three decimals printed (table 2), the same sum; parameters
    # rounded to .0005 of .243 move it by some tenths of a percent.
    published = known_customer(BGNBD(0.243, 4.414, 0.793, 2.426), 39, x, t_x, T).sum()
    assert check.expected == pytest.approx(published, rel=3e-3)
    assert round(check.expected, 1) == 1653.4
    assert check.error == pytest.approx((1653.4 - 1882) / 1882, abs=1e-4)


def test_the_unit_of_time_does_not_matter(cdnow: Orders) -> None:
    weeks, days = (
        holdout_check(cdnow, BGNBD, calibration_end="1997-09-30", unit=unit)
        for unit in ("week", "day")
    )
    assert weeks.actual == days.actual
    assert weeks.expected == pytest.approx(days.expected, rel=1e-6)
    assert (weeks.duration, days.duration) == (39, 273)


def simulated_log(rng: np.random.Generator, customers: int, days: int) -> pd.DataFrame:
    """Purchases by BG/NBD's own story, customers arriving evenly in the first fifth of the days."""
    rows = []
    rates, leaves = rng.gamma(0.8, 1 / 60, customers), rng.beta(0.9, 3.0, customers)
    first = rng.integers(0, days // 5, customers)
    for who, (rate, p, start) in enumerate(zip(rates, leaves, first, strict=True)):
        now = float(start)
        rows.append((who, start))
        while True:
            now += rng.exponential(1 / rate)
            if now > days:
                break
            rows.append((who, int(now)))
            if rng.random() < p:
                break
    frame = pd.DataFrame(rows, columns=["customer_id", "day"])
    frame["date"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame


def test_the_expectation_is_met_where_the_model_is_true() -> None:
    log = simulated_log(np.random.default_rng(20), 6_000, 700)
    orders = read_orders(log)
    check = holdout_check(
        orders, BGNBD, calibration_end="2023-01-05", end="2023-12-01", unit="week"
    )
    split = holdout(orders, calibration_end="2023-01-05", end="2023-12-01", unit="week")
    rows = split.to_pandas()
    expected = check.fit.model.expected_purchases(
        split.duration, rows["frequency"], rows["recency"], rows["T"]
    )
    assert check.expected == pytest.approx(expected.sum())
    # Customers are independent: the sum's standard error is that of their residuals. The parameters
    # are estimated from the first half, which adds about as much again.
    standard_error = math.sqrt(2 * float(((rows["holdout_frequency"] - expected) ** 2).sum()))
    assert standard_error < 0.06 * check.actual  # else the test could not fail
    assert abs(check.expected - check.actual) < 3 * standard_error


def test_customers_who_came_in_the_holdout_are_in_neither_number(cdnow_days: pd.DataFrame) -> None:
    some = cdnow_days[cdnow_days["customer_id"] < "0800"]
    late = pd.DataFrame(
        {"customer_id": "late", "date": pd.date_range("1997-10-01", "1998-06-30", freq="D")}
    )
    alone, together = (
        holdout_check(
            read_orders(log), BGNBD, calibration_end="1997-09-30", end="1998-06-30", unit="week"
        )
        for log in (some, pd.concat([some, late]))
    )
    assert alone.actual == together.actual
    assert alone.expected == together.expected
    assert alone.fit.customers == together.fit.customers == some["customer_id"].nunique()


def test_periods_out_of_order_are_refused(cdnow: Orders) -> None:
    with pytest.raises(RequestError, match="The holdout period is empty"):
        holdout_check(cdnow, BGNBD, calibration_end="1998-06-30", end="1997-09-30")


def test_one_customer_is_refused() -> None:
    one = read_orders(
        pd.DataFrame({"customer_id": ["1"] * 3, "date": ["2024-01-01", "2024-02-01", "2024-03-01"]})
    )
    with pytest.raises(NotIdentifiedError, match="one customer"):
        holdout_check(one, BGNBD, calibration_end="2024-02-10")


def test_relative_error() -> None:
    assert relative_error(110, 100) == pytest.approx(0.1)
    assert relative_error(1, 0) == math.inf
    assert math.isnan(relative_error(0, 0))
