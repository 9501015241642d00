"""An end of observation long after the last order is questioned."""

from __future__ import annotations

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
