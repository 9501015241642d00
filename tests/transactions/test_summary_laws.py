"""Laws of the way from orders to histories, on random logs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from clv.errors import OrdersError
from clv.history import Histories
from clv.transactions.orders import Orders, read_orders
from clv.transactions.report import OrdersReport
from clv.transactions.split import holdout, tracking
from clv.transactions.summary import CustomerHistories, histories
from tests.laws import few
from tests.reference import summary as reference
from tests.reference.summary import Line

END = date(2024, 3, 31)

# Around a leap day, the days clocks change in Europe and America, and midnight.
DAYS = st.one_of(
    st.sampled_from(
        [
            date(2024, 2, 28),
            date(2024, 2, 29),
            date(2024, 3, 1),
            date(2024, 3, 10),
            date(2024, 3, 31),
            date(2023, 10, 29),
            date(2024, 4, 1),
        ]
    ),
    st.dates(date(2023, 1, 1), date(2024, 5, 31)),
)
CLOCK = st.sampled_from([(0, 0, 0), (0, 0, 1), (2, 30, 0), (12, 0, 0), (23, 59, 59)])
TIMES = st.builds(lambda d, c: datetime(d.year, d.month, d.day, *c), DAYS, CLOCK)
CENTS = st.one_of(st.just(0), st.integers(-5_000, 50_000))
LINES = st.builds(
    lambda who, time, cents: Line(who, time, Decimal(cents).scaleb(-2)),
    st.sampled_from(["7", "007", "a b", "Zoë", None, "", "  "]),
    TIMES,
    CENTS,
)
LOGS = st.lists(LINES, min_size=1, max_size=60)
FEW = few(5)


def frame(lines: list[Line]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": pd.array([line.customer for line in lines], dtype="string"),
            "date": [line.time.isoformat(sep=" ") for line in lines],
            "amount": [str(line.amount) for line in lines],
        }
    )


def read(lines: list[Line]) -> Orders:
    """Read a log; a log without a purchase is no example of these laws."""
    try:
        return read_orders(frame(lines), returns="ignore")
    except OrdersError as error:
        assume("is a purchase" not in str(error))
        raise


def summary(lines: list[Line], **options: Any) -> CustomerHistories:
    orders = read(lines)
    assume(orders.first_date <= END)
    return histories(orders, end=END, **options)


def rows(found: CustomerHistories) -> dict[str, tuple[Any, ...]]:
    columns = ["first_date", "frequency", "recency_days", "T_days"]
    columns += ["spend_frequency", "monetary_value"]
    table = found.table.select("customer_id", *columns).to_pyarrow().to_pylist()
    return {row["customer_id"]: tuple(row[column] for column in columns) for row in table}


def same(left: Histories, right: Histories) -> None:
    """Equal to the last bit: fits of equal histories must be equal."""
    for one, other in ((left, right), (left.spend, right.spend)):
        assert one is not None
        assert other is not None
        for name in ("frequency", "weight"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(left.recency, right.recency)
    np.testing.assert_array_equal(left.T, right.T)
    assert left.spend is not None
    assert right.spend is not None
    np.testing.assert_array_equal(left.spend.mean_value, right.spend.mean_value)


def without_places(report: OrdersReport) -> OrdersReport:
    """A report without where its examples stand."""
    return replace(
        report, set_aside=tuple(replace(aside, examples=()) for aside in report.set_aside)
    )


@FEW
@given(LOGS)
def test_the_engine_agrees_with_plain_python(lines: list[Line]) -> None:
    found = rows(summary(lines))
    expected = reference.histories(lines, END)
    assert found.keys() == expected.keys()
    for customer, h in expected.items():
        first, frequency, recency, big_t, spend_frequency, mean = found[customer]
        assert (first, frequency, recency, big_t) == (h.first, h.frequency, h.recency, h.T)
        assert spend_frequency == h.spend_frequency
        assert mean == (
            None if h.monetary_value is None else pytest.approx(h.monetary_value, 1e-15)
        )


@FEW
@given(LOGS)
def test_patterns_are_those_of_the_table(lines: list[Line]) -> None:
    found = summary(lines, unit="week")
    table = found.to_pandas()
    one_by_one = Histories.from_arrays(
        table["frequency"],
        table["recency"],
        table["T"],
        table["monetary_value"].fillna(0),
        spend_frequency=table["spend_frequency"],
        unit="week",
        end=END,
    )
    same(found, one_by_one)
    assert found.customers == len(table)


@FEW
@given(LOGS.flatmap(lambda log: st.tuples(st.just(log), st.permutations(log))))
def test_the_order_of_rows_does_not_matter(logs: tuple[list[Line], list[Line]]) -> None:
    left, right = (summary(log) for log in logs)
    assert rows(left) == rows(right)
    same(left, right)
    assert without_places(left.report) == without_places(right.report)


@FEW
@given(LOGS, st.integers(0, 59), st.integers(1, 99))
def test_an_order_split_in_two_on_its_day_changes_nothing(
    lines: list[Line], which: int, percent: int
) -> None:
    line = lines[which % len(lines)]
    part = (line.amount * percent / 100).quantize(Decimal("0.01"))
    evening = line.time.replace(hour=23, minute=59, second=58)
    halves = [
        Line(line.customer, line.time, part),
        Line(line.customer, evening, line.amount - part),
    ]
    others = [other for other in lines if other is not line]
    left, right = summary(lines), summary(others + halves)
    assert rows(left) == rows(right)
    assert left.report.amount_read == right.report.amount_read
    assert left.report.amount_kept == right.report.amount_kept


@FEW
@given(LOGS, st.sampled_from(["7", "new"]), st.integers(1, 400), st.integers(0, 10_000))
def test_an_order_after_the_end_changes_nothing_but_the_report(
    lines: list[Line], customer: str, days: int, cents: int
) -> None:
    late = Line(customer, datetime(2024, 3, 31) + timedelta(days=days), Decimal(cents).scaleb(-2))
    before, after = summary(lines), summary([*lines, late])
    assert rows(before) == rows(after)
    same(before, after)
    assert after.report.rows_read == before.report.rows_read + 1
    assert after.report.rows_kept == before.report.rows_kept
    assert after.report.set_aside[-1].reason == "after the end of observation (2024-03-31)"


@FEW
@given(LOGS)
def test_the_names_of_customers_do_not_matter(lines: list[Line]) -> None:
    def renamed(name: str | None) -> str | None:
        return f"x{name.strip()}y" if name and name.strip() else name

    new = [Line(renamed(line.customer), line.time, line.amount) for line in lines]
    before, after = summary(lines), summary(new)
    assert {renamed(name): row for name, row in rows(before).items()} == rows(after)
    same(before, after)


@FEW
@given(LOGS)
def test_a_week_is_seven_days(lines: list[Line]) -> None:
    days, weeks = summary(lines), summary(lines, unit="week")
    np.testing.assert_array_equal(days.recency / 7, weeks.recency)
    np.testing.assert_array_equal(days.T / 7, weeks.T)


@FEW
@given(LOGS)
def test_every_row_and_amount_is_accounted_for(lines: list[Line]) -> None:
    report = summary(lines).report
    assert report.rows_read == len(lines)
    assert report.rows_read == report.rows_kept + sum(s.rows for s in report.set_aside)
    assert report.amount_read == sum(line.amount for line in lines)
    assert report.amount_kept is not None
    aside = sum((s.amount or Decimal(0) for s in report.set_aside), start=Decimal(0))
    assert report.amount_read == report.amount_kept + aside
    assert len({s.reason for s in report.set_aside}) == len(report.set_aside)


@FEW
@given(LOGS)
def test_text_dates_and_timestamps_are_one_log(lines: list[Line]) -> None:
    text = frame(lines)
    typed = text.assign(date=pd.to_datetime(text["date"]), amount=text["amount"].astype(float))
    left = read(lines)
    right = read_orders(typed, returns="ignore")
    assert left.sha256 == right.sha256
    assert without_places(left.report) == without_places(right.report)


@FEW
@given(LOGS, st.dates(date(2023, 6, 1), date(2024, 3, 1)))
@example(
    [Line("a", datetime(2024, 1, 1), Decimal(1)), Line("late", datetime(2024, 3, 3), Decimal(1))],
    date(2024, 2, 1),
)
def test_calibration_and_holdout_make_the_whole(lines: list[Line], cut: date) -> None:
    orders = read(lines)
    assume(orders.first_date <= cut)
    split = holdout(orders, calibration_end=cut, end=END)
    table = split.to_pandas()
    whole = reference.histories(lines, END)
    for customer, row in table.iterrows():
        h = whole[str(customer)]
        assert row["frequency"] + row["holdout_frequency"] == h.frequency
    known = set(reference.histories(lines, cut))
    assert set(table.index) == known
    assert set(split.table.to_pyarrow()["customer_id"].to_pylist()) == known
    spent = sum(
        line.amount
        for line in lines
        if (line.customer or "").strip() in table.index
        and line.amount >= 0
        and cut < line.time.date() <= END
    )
    assert table["holdout_value"].sum() == pytest.approx(float(spent), rel=1e-12, abs=1e-9)


@FEW
@given(LOGS)
def test_tracking_agrees_with_plain_python(lines: list[Line]) -> None:
    orders = read(lines)
    assume(orders.first_date <= END)
    track = tracking(orders, end=END)
    assert track.dates[0] == np.datetime64(orders.first_date)
    assert track.dates[-1] == np.datetime64(END)
    for at in {0, len(track.dates) // 3, len(track.dates) - 1}:
        day = track.dates[at].item()
        assert track.repeat_transactions[at] == reference.repeats_by(lines, day)
        assert track.new_customers[: at + 1].sum() == len(reference.histories(lines, day))
