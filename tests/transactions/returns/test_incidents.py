"""Returns as problems: in an incident log, and in a book."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from clv import build_book, datasets
from clv.book.orders import returned_items
from clv.errors import RequestError
from clv.transactions.incidents import incident_histories
from clv.transactions.orders import Orders, read_orders
from clv.transactions.summary import histories

LOG = pd.DataFrame(
    [
        ("7", "2024-01-01 10:00", "A1", 20.0),
        ("7", "2024-01-03 10:00", "A2", 35.0),
        ("7", "2024-01-05 10:00", "A2", -10.0),
        ("7", "2024-01-05 10:00", "A2", -5.0),
        ("7", "2024-01-06 10:00", "A1", -5.0),
        ("7", "2024-01-06 10:00", "A2", -5.0),
        ("8", "2024-01-01 10:00", "R9", -9.0),
        ("8", "2024-01-02 10:00", "B1", 10.0),
    ],
    columns=["customer_id", "date", "order_id", "amount"],
)


def read(**options: Any) -> Orders:
    return read_orders(LOG, **options)


def test_what_comes_back_at_one_time_is_one_problem() -> None:
    frame = read(returns="incident").incidents().frame
    assert set(frame["type"]) == {"returned_item"}
    assert set(frame["detected_by"]) == {"customer"}
    order = frame["order_id"].fillna("")
    told = list(zip(frame["customer_id"], order, frame["loss_amount"], strict=True))
    # Of two orders at once neither is named; nor is one that was not found.
    assert told == [("7", "A2", 15.0), ("7", "", 10.0), ("8", "", 9.0)]


def test_a_discount_in_its_own_order_is_subtracted_and_no_problem() -> None:
    """Nothing came back: the line has the number of its order, and its day or time."""
    log = pd.DataFrame(
        [
            ("7", "2024-01-01 10:00", "A1", 20.0),
            ("7", "2024-01-01 10:00", "A1", -2.0),  # a voucher
            ("7", "2024-01-01 17:30", "A1", -3.0),  # a part of it, cancelled later that day
            ("7", "2024-01-09 10:00", "A2", 30.0),
            ("8", "2024-01-01 10:00", None, 9.0),
            ("8", "2024-01-01 10:00", None, -4.0),  # of which order is not said
        ],
        columns=["customer_id", "date", "order_id", "amount"],
    )
    orders = read_orders(log, returns="incident")
    frame = orders.incidents().frame
    assert list(zip(frame["customer_id"], frame["loss_amount"], strict=True)) == [
        ("7", 3.0),
        ("8", 4.0),
    ]
    days = log.assign(date=log["date"].str[:10])  # as exports without times have it
    told = read_orders(days, returns="incident").incidents().frame
    assert told["customer_id"].tolist() == ["8"]
    for read_log in (log, days):
        kept = histories(read_orders(read_log), end="2024-01-31")
        assert kept.report.returns is not None
        assert kept.report.returns.amount == 9


def test_a_log_whose_only_returns_are_discounts_has_no_problems(tmp_path: Path) -> None:
    log = pd.concat([LOG[LOG["amount"] > 0], LOG[:1].assign(amount=-1.0)])
    with pytest.raises(RequestError, match="There are no returns"):
        read_orders(log, returns="incident").incidents()


def test_problems_go_into_histories() -> None:
    orders = read(returns="incident")
    both = incident_histories(orders, orders.incidents(), end="2024-01-31")
    assert both.time.tolist() == [4.0, 5.0]
    assert [aside.reason for aside in both.report.set_aside] == [
        "before the customer's first order"
    ]


def test_where_there_are_no_returns_there_are_no_problems() -> None:
    with pytest.raises(RequestError, match="read it with returns='incident'"):
        read(returns="ignore").incidents()
    with pytest.raises(RequestError, match="There are no returns"):
        read_orders(LOG[LOG["amount"] > 0]).incidents()


def test_a_book_keeps_its_returns_and_says_what_was_done(tmp_path: Path) -> None:
    orders = read_orders(datasets.path("online_retail"), returns="incident")
    book = build_book(orders, tmp_path / "book", end="2011-12-09")
    assert book.manifest["returns"] == "incident"
    kept = pq.read_table(returned_items(book)).to_pandas()
    assert len(kept) == len(orders.incidents())
    # datasets/online_retail/SOURCE.md: what was cancelled by customers who are known.
    assert kept["loss_amount"].sum() == pytest.approx(611_342.09, abs=0.005)
    plain = build_book(datasets.path("cdnow"), tmp_path / "plain", end="1997-09-30")
    with pytest.raises(RequestError, match="--returns incident"):
        returned_items(plain)
