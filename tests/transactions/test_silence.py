"""An end of observation long after the last order is questioned."""

from __future__ import annotations

import pandas as pd
import pytest

import clv
from clv.transactions.orders import Orders


@pytest.fixture(scope="module")
def orders() -> Orders:
    return clv.read_orders(clv.datasets.path("cdnow"))


def test_an_end_years_after_the_last_order_is_questioned(orders: Orders) -> None:
    notices = " ".join(clv.histories(orders, end="2030-01-01").report.notices)
    # 1998-06-30 to 2030-01-01, counted by datetime.date
    assert "no order in the 11,508 days before the end of observation, 2030-01-01" in notices
    assert "complete only to 1998-06-30" in notices


@pytest.mark.parametrize("end", ["1997-09-30", "1998-06-30", "1998-07-02", None])
def test_an_end_near_the_last_order_is_not(orders: Orders, end: str | None) -> None:
    notices = " ".join(clv.histories(orders, end=end).report.notices)
    assert "There is no order" not in notices


def log(*rows: tuple[str, str, float]) -> Orders:
    """One customer's lines: order, day and amount."""
    table = pd.DataFrame(rows, columns=["order_id", "date", "amount"])
    return clv.read_orders(table.assign(customer_id="a"))


SOLD = [("1", "2024-01-01", 5.0), ("2", "2024-01-03", 7.0)]


def test_an_end_that_is_the_day_of_a_return_is_told_as_such() -> None:
    orders = log(*SOLD, ("2", "2024-01-20", -7.0))
    (told,) = [n for n in clv.histories(orders).report.notices if n.startswith("The end")]
    assert "2024-01-20, that of a return; the last order is of 2024-01-03." in told
    assert "that of a return" not in " ".join(clv.histories(log(*SOLD)).report.notices)


def test_silence_is_counted_from_the_last_order_whatever_is_dated_later() -> None:
    shipped = log(*SOLD, ("2", "2024-01-05", 1.0))
    told = " ".join(clv.histories(shipped, end="2024-01-31").report.notices)
    assert "no order in the 28 days before the end of observation, 2024-01-31" in told
    assert "complete only to 2024-01-05" in told  # a line of that day was recorded
    returned = log(*SOLD, ("2", "2024-01-30", -7.0))
    told = " ".join(clv.histories(returned, end="2024-01-31").report.notices)
    assert "no order in the 28 days" in told
    assert "complete only to 2024-01-03" in told


def test_returns_after_the_end_are_not_told_as_unmatched() -> None:
    returned = log(*SOLD, ("2", "2024-01-30", -7.0))
    said = str(clv.histories(returned, end="2024-01-10").report.returns)
    assert said.startswith("All returns lie after the end of observation")
