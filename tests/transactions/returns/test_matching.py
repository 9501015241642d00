"""Which order a return takes back: the engine against plain Python, on small random logs."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.transactions.engines import DuckDBEngine
from clv.transactions.returns.matching import ITEM, LATEST, LINE, NAMED, match_returns
from tests.laws import few
from tests.reference import returns as reference
from tests.reference.returns import Line

FIRST = datetime(2024, 2, 26)
FIELDS = {
    "customer_id": pa.string(),
    "date": pa.date32(),
    "at": pa.timestamp("us"),
    "amount": pa.decimal128(18, 4),
    "back": pa.bool_(),
    "order_id": pa.string(),
    "item": pa.string(),
    "quantity": pa.decimal128(18, 4),
    "reverses": pa.string(),
}


def lines_of(*, ids: bool = True, items: bool = True, names: bool = True) -> st.SearchStrategy[Any]:
    """Few customers, items, prices and hours, so that much is alike."""
    line = st.builds(
        lambda who, hours, sign, cents, order, item, pieces, name: Line(
            who,
            FIRST + timedelta(hours=hours),
            Decimal(sign * cents).scaleb(-2),
            order if ids else None,
            item if items else None,
            pieces if items else None,
            name if ids and names and sign < 0 else None,
        ),
        st.sampled_from(["7", "8"]),
        st.sampled_from([0, 1, 23, 24, 25, 48, 72, 24 * 40]),
        st.sampled_from([1, 1, -1]),
        st.sampled_from([0, 500, 500, 1000, 1500]),
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from([None, "cup", "pot"]),
        st.sampled_from([None, 1, 2, 3]),
        st.sampled_from([None, None, None, "a", "z"]),
    )
    return st.lists(line, min_size=1, max_size=25)


KINDS_OF_LOGS = st.one_of(
    lines_of(),
    lines_of(names=False),
    lines_of(ids=False),
    lines_of(items=False),
    lines_of(ids=False, items=False),
)
FEW = few(6)


@pytest.fixture(scope="module")
def engine() -> DuckDBEngine:
    return DuckDBEngine(threads=1)


def table_of(engine: DuckDBEngine, lines: list[Line]) -> ir.Table:
    rows = [
        {
            "customer_id": line.customer,
            "date": line.day,
            "at": line.time,
            "amount": line.amount,
            "back": line.back,
            "order_id": line.order_id,
            "item": line.item,
            "quantity": None if line.quantity is None else Decimal(line.quantity),
            "reverses": line.reverses,
        }
        for line in lines
    ]
    return engine.from_arrow(pa.Table.from_pylist(rows, schema=pa.schema(FIELDS)))


def matches(engine: DuckDBEngine, lines: ir.Table) -> ir.Table:
    return match_returns(lines, engine.materialise, engine.drop, engine.collect, engine.from_arrow)


def matched(engine: DuckDBEngine, lines: list[Line]) -> list[dict[str, Any]]:
    table = matches(engine, table_of(engine, lines))
    rows: list[dict[str, Any]] = engine.collect(table).to_pylist()
    return rows


def told(rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    names = ("customer_id", "at", "worth", "step", "order_date", "order", "applied")
    return Counter(tuple(row[name] for name in names) for row in rows)


@FEW
@given(KINDS_OF_LOGS)
def test_the_engine_agrees_with_plain_python(engine: DuckDBEngine, lines: list[Line]) -> None:
    expected = Counter(
        (m.line.customer, m.line.time, m.line.worth, m.step, m.day, m.order, m.applied)
        for m in reference.match(lines)
    )
    assert told(matched(engine, lines)) == expected


@FEW
@given(KINDS_OF_LOGS.flatmap(lambda log: st.tuples(st.just(log), st.permutations(log))))
def test_the_order_of_rows_does_not_matter(
    engine: DuckDBEngine, logs: tuple[list[Line], list[Line]]
) -> None:
    left, right = (told(matched(engine, log)) for log in logs)
    assert left == right


@FEW
@given(KINDS_OF_LOGS)
def test_no_order_gives_back_more_than_it_came_to(engine: DuckDBEngine, lines: list[Line]) -> None:
    taken: Counter[tuple[Any, ...]] = Counter()
    worth = {}
    for row in matched(engine, lines):
        assert 0 <= row["applied"] <= row["worth"]
        if row["step"] is not None:
            order = (row["customer_id"], row["order_date"], row["order"])
            taken[order] += row["applied"]
            worth[order] = row["order_worth"]
            assert row["order_date"] <= row["date"]
    assert all(taken[order] <= worth[order] for order in worth)


@FEW
@given(KINDS_OF_LOGS, st.integers(0, 4))
def test_what_comes_later_changes_nothing_before(
    engine: DuckDBEngine, lines: list[Line], days: int
) -> None:
    # Lines of one order on several days are one order of the first: no line may be cut from it.
    end = FIRST.date() + timedelta(days=days)
    ids = {(x.customer, x.order_id) for x in lines if not x.back and x.day > end}
    lines = [x for x in lines if x.back or x.day > end or (x.customer, x.order_id) not in ids]
    early = [line for line in lines if line.day <= end]
    now = [row for row in matched(engine, lines) if row["date"] <= end]
    then = matched(engine, early) if early else []
    assert told(now) == told(then)


def one(engine: DuckDBEngine, *lines: Line) -> dict[str, Any]:
    """The last of the returns of a log."""
    return max(matched(engine, list(lines)), key=lambda row: row["at"])


def line(day: int, amount: str, **about: Any) -> Line:
    return Line("7", datetime(2024, 3, day), Decimal(amount), **about)


def test_the_order_that_is_named(engine: DuckDBEngine) -> None:
    named = one(
        engine, line(1, "20", order_id="a"), line(2, "20", order_id="b"),
        line(3, "-5", order_id="r", reverses="a"),
    )  # fmt: skip
    assert (named["step"], named["order"], named["order_worth"]) == (NAMED, "a", 20)


def test_a_return_under_the_number_of_its_order(engine: DuckDBEngine) -> None:
    found = one(
        engine, line(1, "20", order_id="a"), line(2, "20", order_id="b"),
        line(3, "-20", order_id="a"),
    )  # fmt: skip
    assert (found["step"], found["order"]) == (NAMED, "a")


def test_an_order_that_is_named_but_not_there_takes_from_no_other(engine: DuckDBEngine) -> None:
    lost = one(engine, line(1, "20", order_id="a"), line(3, "-20", order_id="r", reverses="z"))
    assert (lost["step"], lost["applied"]) == (None, 0)


def test_the_latest_of_the_same_lines_goes_back_first(engine: DuckDBEngine) -> None:
    log = [
        line(1, "20", order_id="a", item="cup", quantity=2),
        line(2, "20", order_id="b", item="cup", quantity=2),
        line(3, "-20", order_id="r", item="cup", quantity=2),
        line(4, "-20", order_id="s", item="cup", quantity=2),
    ]
    found = sorted(matched(engine, log), key=lambda row: row["at"])
    assert [(row["step"], row["order"]) for row in found] == [(LINE, "b"), (LINE, "a")]


def test_a_row_that_was_named_is_not_there_for_later_returns(engine: DuckDBEngine) -> None:
    log = [
        line(1, "20", order_id="a", item="cup", quantity=1),
        line(2, "20", order_id="b", item="cup", quantity=1),
        line(3, "-20", order_id="r", item="cup", quantity=1, reverses="b"),
        line(4, "-20", order_id="s", item="cup", quantity=1),
        line(5, "-10", order_id="t", item="cup", quantity=1),
    ]
    found = sorted(matched(engine, log), key=lambda row: row["at"])
    assert [(row["step"], row["order"]) for row in found] == [
        (NAMED, "b"), (LINE, "a"), (LATEST, "b")
    ]  # fmt: skip


def test_what_is_named_later_is_still_there_before(engine: DuckDBEngine) -> None:
    log = [
        line(1, "20", order_id="a", item="cup"),
        line(2, "20", order_id="b", item="cup"),
        line(3, "-20", order_id="s", item="cup"),
        line(4, "-20", order_id="r", item="cup", reverses="b"),
    ]
    found = sorted(matched(engine, log), key=lambda row: row["at"])
    assert [(row["step"], row["order"]) for row in found] == [(LINE, "b"), (NAMED, "b")]


def test_part_of_a_line_goes_back_to_the_latest_that_has_as_much(engine: DuckDBEngine) -> None:
    found = one(
        engine,
        line(1, "60", order_id="a", item="cup", quantity=6),
        line(2, "10", order_id="b", item="cup", quantity=1),
        line(3, "-20", order_id="r", item="cup", quantity=2),
    )
    assert (found["step"], found["order"], found["applied"]) == (ITEM, "a", 20)


def test_else_it_is_the_latest_order_and_no_more_than_that_came_to(engine: DuckDBEngine) -> None:
    found = one(
        engine,
        line(1, "60", order_id="a", item="cup", quantity=6),
        line(2, "10", order_id="b", item="cup", quantity=1),
        line(3, "-20", order_id="r", item="pot", quantity=2),
    )
    assert (found["step"], found["order"], found["applied"]) == (LATEST, "b", 10)


def test_a_free_order_has_nothing_to_take_back(engine: DuckDBEngine) -> None:
    found = one(engine, line(1, "30", order_id="a"), line(2, "0", order_id="b"), line(3, "-20"))
    assert (found["step"], found["order"]) == (LATEST, "a")


def test_without_amounts_pieces_go_back(engine: DuckDBEngine) -> None:
    rows = [
        {"customer_id": 7, "date": date(2024, 3, d), "at": datetime(2024, 3, d), "amount": None,
         "back": d == 3, "quantity": Decimal(pieces)}
        for d, pieces in ((1, 5), (2, 2), (3, 3))
    ]  # fmt: skip
    fields = {name: kind for name, kind in FIELDS.items() if name in rows[0]}
    log = pa.Table.from_pylist(rows, schema=pa.schema(fields | {"customer_id": pa.int64()}))
    table = matches(engine, engine.from_arrow(log))
    (found,) = engine.collect(table).to_pylist()
    assert (found["step"], found["order_date"], found["applied"]) == (LATEST, date(2024, 3, 2), 2)
