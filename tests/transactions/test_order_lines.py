"""Lines of orders: an order is one purchase, on the day it was placed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.transactions.order_lines import ORDER_DAYS
from clv.transactions.orders import Orders, read_orders
from clv.transactions.summary import histories
from tests.laws import few

START = date(2024, 1, 1)

Line = tuple[str, str | None, int, int]
"""Customer, order, days after the start, cents."""

lines = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["1", "2", "3", None]),
        st.sampled_from([0, 1, 2, 5, ORDER_DAYS, ORDER_DAYS + 1, 70]),
        st.integers(0, 5_000),
    ),
    min_size=1,
    max_size=30,
)


def read(some: list[Line]) -> Orders:
    rows = [(who, order, START + timedelta(day), cents / 100) for who, order, day, cents in some]
    frame = pd.DataFrame(rows, columns=["customer_id", "order_id", "date", "amount"])
    return read_orders(frame.astype({"order_id": object}))


def days(orders: Orders, end: date = START + timedelta(1000)) -> list[tuple[Any, ...]]:
    known = orders.days_by(end).order_by("customer_id", "date")
    rows = orders.opened.collect(known).to_pylist()
    return [(r["customer_id"], r["date"], r["rows"], round(r["amount"] * 100)) for r in rows]


def rolled_up(some: list[Line]) -> tuple[list[tuple[Any, ...]], int]:
    """The same by hand, order by order."""
    orders = defaultdict(list)
    for i, (who, order, day, cents) in enumerate(some):
        orders[who, order if order is not None else f"row {i}"].append((day, cents))
    found: dict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0])
    for (who, _), its in orders.items():
        first, last = min(its)[0], max(its)[0]
        for day, cents in its:
            at = first if last - first <= ORDER_DAYS else day
            place = found[who, START + timedelta(at)]
            place[0], place[1] = place[0] + 1, place[1] + cents
    return [(*key, *place) for key, place in sorted(found.items())], len(orders)


@few(8)
@given(lines)
def test_an_order_counts_on_the_day_of_its_first_line(some: list[Line]) -> None:
    wanted, many = rolled_up(some)
    orders = read(some)
    assert days(orders) == wanted
    assert orders.report.orders == many
    assert orders.report.rows_kept == len(some)
    assert orders.last_date == START + timedelta(max(day for _, _, day, _ in some))
    assert days(read(some[::-1])) == wanted


@few(8)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from(["1", "2", None]),
            st.sampled_from([0, 1, 2, 5, ORDER_DAYS, ORDER_DAYS + 1, 50]),
            st.integers(-5_000, 5_000),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([0, 1, 3, ORDER_DAYS, ORDER_DAYS + 2]),
)
def test_an_order_is_known_as_far_as_its_lines_have_come(some: list[Line], end: int) -> None:
    seen = [line for line in some if line[2] <= end]
    assume(any(cents >= 0 for *_, cents in seen))
    last = START + timedelta(end)
    whole, cut = read(some), read(seen)
    assert days(whole, last) == days(cut, last)
    if not days(whole, last):  # all came back
        for orders in (whole, cut):
            with pytest.raises(RequestError, match="was returned: nobody is a customer"):
                histories(orders, end=last)
        return
    later, known = (histories(orders, end=last) for orders in (whole, cut))
    assert later.to_pandas().equals(known.to_pandas())
    ours, its = later.report, known.report
    assert (ours.rows_kept, ours.amount_kept) == (its.rows_kept, its.amount_kept)
    if its.returns is not None:  # a log that ends before the first return does not know of any
        assert ours.returns == its.returns
    assert ours.rows_read == ours.rows_kept + sum(a.rows for a in ours.set_aside)
    money = sum(a.amount for a in ours.set_aside if a.amount is not None)
    assert ours.amount_kept is not None
    assert ours.amount_read == ours.amount_kept + money


def test_a_return_takes_what_had_come_of_an_order() -> None:
    lines: list[Line] = [("b", "0", 0, 2000), ("a", "1", 31, 1000), ("c", "2", 33, 400)]
    lines += [("a", "1", 40, 5000), ("a", None, 35, -4000)]
    found = histories(read(lines), end=START + timedelta(37))
    assert found.customers == 2  # of the order of 10 nothing was left
    assert found.report.returns is not None
    assert found.report.returns.unmatched_amount == 30


def test_lines_and_orders_are_told() -> None:
    notices = read([("a", "1", 0, 5), ("a", "1", 1, 5), ("a", "2", 1, 5)]).report.notices
    assert "The rows kept are 3 lines of 2 orders." in notices
    assert "The lines of 1 order are dated on several days" in notices[-1]


def test_numbers_that_do_not_name_orders_are_told() -> None:
    orders = read([("a", "till 1", 0, 5), ("a", "till 1", 90, 5)])
    assert len(days(orders)) == 2
    assert (
        "1 order id of one customer has lines more than 31 days apart ('till 1' from"
        in (orders.report.notices[-1])
    )


def test_orders_of_one_line_need_no_word() -> None:
    orders = read([("a", "1", 0, 5), ("b", "2", 1, 5), ("b", None, 1, 5)])
    assert orders.report.orders == 3
    assert len(orders.report.notices) == 1  # the columns
