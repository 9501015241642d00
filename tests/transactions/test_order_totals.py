"""Totals of orders that each of their lines states."""

from __future__ import annotations

import pandas as pd
import pytest

from clv.quality.check import check_orders
from clv.quality.report import FINE, LOOK
from clv.transactions.orders import read_orders


def of_several_lines(totals: list[float], *, repeated: bool) -> pd.DataFrame:
    """Orders of three lines each that state the total of the order, or what they came to."""
    lines = [
        (
            f"c{i % 7}",
            f"2024-01-{1 + i % 28:02}",
            f"o{i}",
            item,
            total if repeated else total * share,
        )
        for i, total in enumerate(totals)
        for item, share in (("x", 0.5), ("y", 0.3), ("z", 0.2))
    ]
    return pd.DataFrame(lines, columns=["customer_id", "date", "order_id", "item", "amount"])


@pytest.mark.parametrize(
    ("orders", "repeated", "told"),
    [
        ([10.0 + i for i in range(40)], True, True),
        ([10.0 + i for i in range(40)], False, False),
        ([10.0 + i for i in range(19)], True, False),  # fewer orders than tell
        ([10.0 + i % 3 for i in range(40)], True, False),  # a shop of three prices
        ([0.0] * 40, True, False),
    ],
)
def test_a_total_that_every_line_repeats_is_asked_about(
    orders: list[float], *, repeated: bool, told: bool
) -> None:
    found = read_orders(of_several_lines(orders, repeated=repeated))
    said = [notice for notice in found.report.notices if "total of the order" in notice]
    assert len(said) == told
    if told:
        assert said[0].startswith("40 of 40 orders with several lines have one amount on all")
    checked = check_orders(found)["order_ids"]
    assert checked.verdict == (LOOK if told else FINE)
    assert checked.figures["of_several_lines"] == len(orders)
    assert checked.figures["of_one_amount"] == (len(orders) if repeated and any(orders) else 0)
