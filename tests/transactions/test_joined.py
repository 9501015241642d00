"""Lines that were kept and newer orders, put together, are all orders read at once."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import clv
from clv.errors import RequestError
from clv.history import Unit
from clv.transactions.continued import no_orders, too_early
from clv.transactions.engines import DuckDBEngine
from clv.transactions.joined import Joined, joined, one_after_another
from clv.transactions.kept_lines import are_kept, lines_of, write_lines
from clv.transactions.order_lines import ORDER_DAYS
from clv.transactions.orders import Orders, Policy, read_orders
from clv.transactions.report import SUBTRACTED, UNMATCHED, OrdersReport
from clv.transactions.returns.incidents import incident_rows
from clv.transactions.summary import CustomerHistories, histories
from tests.laws import few
from tests.reference.returns import Line
from tests.transactions.test_continued import same

FIRST, LAST = date(2024, 1, 1), date(2024, 3, 31)
ENDS = (date(2024, 1, 20), date(2024, 2, 14), LAST + timedelta(days=9))
"""Of three books: the days of lines lie around the first two."""

AROUND = (0, 3, 18, 19, 20, 21, 43, 44, 45, 46, 19 + ORDER_DAYS, 20 + ORDER_DAYS, 85)
"""Days after the first on which something happens: at the cuts, and a month after one."""

LINES = st.builds(
    lambda who, day, hours, sign, cents, order, item, pieces, name: Line(
        who,
        datetime(2024, 1, 1) + timedelta(day, hours=hours),
        Decimal(sign * cents).scaleb(-2),
        order,
        item,
        sign * pieces,
        name if sign < 0 else None,
    ),
    st.sampled_from(["7", "007", "8"]),
    st.sampled_from(AROUND),
    st.sampled_from([0, 9, 23]),
    st.sampled_from([1, 1, -1]),
    st.sampled_from([500, 500, 1000, 1550]),
    st.sampled_from([None, "a", "b", "c"]),
    st.sampled_from([None, "cup", "pot"]),
    st.sampled_from([1, 2]),
    st.sampled_from([None, None, "a", "z"]),
)
COLUMNS = st.sampled_from(
    [
        (),
        ("item", "quantity"),
        ("order_id",),
        ("order_id", "item"),
        ("order_id", "item", "quantity", "reverses"),
    ]
)
"""What logs tell besides customer, time and amount."""

FEW = few(3)


def read(lines: list[Line], told: tuple[str, ...], policy: Policy = "net") -> Orders:
    frame = pd.DataFrame(
        {
            "customer_id": pd.array([line.customer for line in lines], dtype="string"),
            "date": [line.time.isoformat(sep=" ") for line in lines],
            "amount": [str(line.amount) for line in lines],
            **{name: pd.array([getattr(x, name) for x in lines], dtype="string") for name in told},
        }
    )
    return read_orders(frame, returns=policy)


class Shelf:
    """What one book after the other keeps: lines in a file, and a report as JSON has it."""

    def __init__(self, folder: str) -> None:
        self.file = Path(folder) / "lines.parquet"
        self.report: dict[str, Any] = {}

    def put(self, orders: Orders, lines: Any, found: CustomerHistories) -> None:
        aside = self.file.with_suffix(".new")  # the lines of before are still read
        write_lines(lines, found.end, orders.opened, aside)
        aside.rename(self.file)
        self.report = found.report.to_dict()

    def join(self, newer: Orders, cut: date) -> Joined:
        kept = newer.opened.engine.read_parquet([self.file])
        return joined(kept, OrdersReport.from_dict(self.report), cut, newer)


def parted(lines: list[Line], ends: tuple[date, ...]) -> list[list[Line]]:
    begins = (date.min, *ends[:-1])
    return [
        [line for line in lines if begin < line.day <= end]
        for begin, end in zip(begins, ends, strict=True)
    ]


def summed(report: OrdersReport) -> dict[str, Any]:
    """A report without places in a source and words about it."""
    kept = {SUBTRACTED, UNMATCHED}  # examples of returns name customers, not places
    said = {k: v for k, v in report.to_dict().items() if k not in {"set_aside", "notices"}}
    return said | {
        a.reason: (a.rows, a.amount, a.examples if a.reason in kept else None)
        for a in report.set_aside
    }


def accounted_for(report: OrdersReport) -> None:
    assert report.amount_read is not None
    assert report.amount_kept is not None
    aside = sum((a.amount or Decimal(0) for a in report.set_aside), Decimal(0))
    assert report.rows_read == report.rows_kept + sum(a.rows for a in report.set_aside)
    assert report.amount_read == report.amount_kept + aside


def histories_or_none(orders: Orders, end: date, unit: Unit) -> CustomerHistories:
    """Of a shop to which everything was sent back there is no book, and nothing to be shown."""
    try:
        return histories(orders, end=end, unit=unit)
    except RequestError:
        assume(condition=False)
        raise


def returned(orders: Orders) -> list[Counter[tuple[Any, ...]]]:
    """What is told of each return: which order it took back, and as an incident."""
    if orders.returns is None:
        return []
    tables = (orders.returns.table, incident_rows(orders.returns))
    return [
        Counter(tuple(row.items()) for row in orders.opened.collect(table).to_pylist())
        for table in tables
    ]


@FEW
@given(
    st.lists(LINES, min_size=1, max_size=40),
    COLUMNS,
    st.sampled_from(["net", "incident", "ignore"]),
    st.sampled_from(["day", "week"]),
    st.booleans(),
)
@example(  # returns by number and by item, of what an earlier return had left; an order cut in two
    [
        Line("7", datetime(2024, 1, 1, 9), Decimal(20), "a", "cup", 2),
        Line("7", datetime(2024, 1, 19, 9), Decimal(10), "b", "cup", 1),
        Line("7", datetime(2024, 1, 20, 9), Decimal(-5), None, "cup", -1),
        Line("7", datetime(2024, 1, 22, 9), Decimal(30), "b", "pot", 1),
        Line("8", datetime(2024, 1, 22, 9), Decimal(30), "c", "pot", 1),
        Line("7", datetime(2024, 1, 23, 9), Decimal(-20), None, "cup", -2, "a"),
        Line("7", datetime(2024, 2, 20, 9), Decimal(-10), None, "cup", -1),
        Line("7", datetime(2024, 2, 20, 9), Decimal(10), "d", "cup", 1),
    ],
    ("order_id", "item", "quantity", "reverses"),
    "net",
    "week",
    True,
)
def test_lines_in_parts_are_the_lines_at_once(
    lines: list[Line], told: tuple[str, ...], policy: Policy, unit: Unit, whole: bool
) -> None:
    """Also where the first source holds the rows after its end already (`whole`)."""
    parts = parted(lines, ENDS)
    for part, end in zip(parts, ENDS, strict=True):
        if all(line.back for line in part) and (part or end == ENDS[0]):  # no source of orders
            part.append(Line("9", datetime(end.year, end.month, end.day), Decimal(1)))
    lines = [line for part in parts for line in part]
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(folder)
        orders = read(lines if whole else parts[0], told, policy)
        found = histories_or_none(orders, ENDS[0], unit)
        shelf.put(orders, lines_of(orders), found)
        for part, cut, end in zip(parts[1:], ENDS, ENDS[1:], strict=False):
            schema = orders.schema
            newer = read(part, told, policy) if part else no_orders(schema, cut, returns=policy)
            assert too_early(newer, cut) == ""
            both = shelf.join(newer, cut)
            found = histories_or_none(both.orders, end, unit)
            of_newer = both.of_newer(found.report, cut, end)
            accounted_for(of_newer)
            assert of_newer.rows_read == len(part)
            shelf.put(both.orders, both.lines, found)
        once = read(lines, told, policy)
        at_once = histories(once, end=ENDS[-1], unit=unit)
        same(found, at_once)
        ours, theirs = found.report, at_once.report
        accounted_for(ours)
        if whole:
            assert (ours.rows_kept, ours.amount_kept) == (theirs.rows_kept, theirs.amount_kept)
            assert (ours.orders, ours.returns) == (theirs.orders, theirs.returns)
        else:
            assert summed(ours) == summed(theirs)
        assert (both.orders.first_date, both.orders.last_date) == (once.first_date, once.last_date)
        assert returned(both.orders) == returned(once)
        file = Path(folder) / "once.parquet"
        write_lines(lines_of(once), ENDS[-1], once.opened, file)
        assert file.read_bytes() == shelf.file.read_bytes()


def test_strangers_and_orders_that_go_on_are_told(tmp_path: Path) -> None:
    told = ("order_id",)
    orders = read([Line("a", datetime(2024, 1, 20), Decimal(5), "1")], told)
    shelf = Shelf(str(tmp_path))
    shelf.put(orders, lines_of(orders), histories(orders, end=ENDS[0]))
    newer = read([Line("b", datetime(2024, 1, 21), Decimal(5), "1")], told)
    notices = shelf.join(newer, ENDS[0]).orders.report.notices
    assert "None of the 1 customer of the newer orders was known before" in notices[-1]
    newer = read([Line("a", datetime(2024, 1, 21), Decimal(5), "1")], told)
    orders = shelf.join(newer, ENDS[0]).orders
    assert orders.last_date == date(2024, 1, 21)
    assert "lines of 1 order are dated up to 2024-01-20 and after it" in orders.report.notices[-1]


@pytest.mark.parametrize("returned", [False, True])
def test_sources_one_after_another_each_count_for_their_time(returned: bool) -> None:
    """Whether it is enough to add up their days, or returns must find their orders."""
    engine = DuckDBEngine()

    def orders(*days: int) -> Orders:
        amounts = [1.0] * len(days) + [-0.25] * returned
        days = (*days, 13) if returned else days
        frame = {"customer_id": ["a"] * len(days), "amount": amounts}
        frame["date"] = [f"2024-01-{day:02}" for day in days]
        return read_orders(pd.DataFrame(frame), engine=engine)

    both = one_after_another([orders(1, 2, 9), orders(3, 9, 12)], [date(2024, 1, 2)] * 2)
    found = both.opened.collect(both.days_by(date(2024, 1, 31)).order_by("date"))
    assert [day.day for day in found["date"].to_pylist()] == [1, 2, 3, 9, 12]
    # The latest order before the return, which the first source has as well, but too late.
    assert float(found["amount"][-1].as_py()) == (0.75 if returned else 1)
    assert both.report.rows_read == 6 + 2 * returned
    assert (both.first_date.day, both.last_date.day) == (1, 13 if returned else 12)


def test_lines_of_many_plain_sales_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(told: tuple[str, ...], policy: Policy, *amounts: int) -> bool:
        lines = [
            Line("a", datetime(2024, 1, day), Decimal(amount), "n")
            for day, amount in enumerate(amounts, start=1)
        ]
        return are_kept(read(lines, told, policy))

    assert kept((), "net", 5, 5)
    monkeypatch.setattr("clv.transactions.kept_lines.FEW", 1)
    assert not kept((), "net", 5, 5)
    assert kept((), "net", 5, 5, -5)
    assert not kept((), "ignore", 5, 5, -5)
    assert kept(("order_id",), "ignore", 5, 5)


def test_online_retail_in_two_parts_is_online_retail_at_once(tmp_path: Path) -> None:
    """A real shop whose returns of the second half reverse orders of the first."""
    cut, end = date(2011, 6, 30), date(2011, 12, 9)
    log = pd.read_parquet(clv.datasets.path("online_retail"))
    early = log["date"] < pd.Timestamp(cut) + pd.Timedelta(days=1)
    before, newer, once = (read_orders(part) for part in (log[early], log[~early], log))
    shelf = Shelf(str(tmp_path))
    shelf.put(before, lines_of(before), histories(before, end=cut))
    both = shelf.join(newer, cut)
    ours, theirs = (histories(orders, end=end) for orders in (both.orders, once))
    same(ours, theirs)
    assert summed(ours.report) == summed(theirs.report)
    of_newer = both.of_newer(ours.report, cut, end)
    assert of_newer.returns is not None
    assert of_newer.returns.rows > 1_000
    back = both.orders.returns
    assert back is not None
    assert back.taken_later(cut, end) > 0
