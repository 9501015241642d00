"""Frames and tables of this process, whoever made them."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from clv.errors import OrdersError
from clv.quality.check import check_orders
from clv.transactions.engines import DuckDBEngine
from clv.transactions.orders import read_orders
from clv.transactions.sources import open_source

COLUMNS = {"customer_id": ["007", "011"], "amount": [1.5, None]}


def rows(source: Any, **options: Any) -> list[tuple[Any, ...]]:
    opened = open_source(source, **options)
    return [tuple(row.values()) for row in opened.collect(opened.table).to_pylist()]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pl.LazyFrame(COLUMNS),
        pa.table(COLUMNS),
        pa.table(COLUMNS).to_reader(),
        pa.RecordBatch.from_pydict(COLUMNS),
    ],
    ids=lambda frame: f"{type(frame).__module__}.{type(frame).__name__}",
)
def test_every_frame_is_the_same_table(frame: Any) -> None:
    assert rows(frame) == [("007", 1.5), ("011", None)]


def test_rows_of_a_frame_are_counted_from_0() -> None:
    assert open_source(pl.DataFrame(COLUMNS)).places([0, 1]) == ["row 0", "row 1"]


def test_a_column_of_categories_is_text() -> None:
    assert rows(pl.DataFrame({"x": ["a", "b"]}, schema={"x": pl.Categorical})) == [("a",), ("b",)]


def test_two_columns_of_one_name() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["date", "date"])
    with pytest.raises(OrdersError, match="more than one column 'date'"):
        open_source(table)
    with pytest.raises(OrdersError, match="has no columns"):
        open_source(pl.DataFrame())


def test_a_table_of_somebodys_duckdb_is_read_where_it_lies() -> None:
    backend = ibis.duckdb.connect()
    backend.con.execute("SET TimeZone = 'UTC'")
    backend.con.execute("CREATE TABLE orders AS SELECT '007' AS customer_id")
    opened = open_source(backend.table("orders"))
    assert isinstance(opened.engine, DuckDBEngine)
    assert opened.engine.backend is backend
    opened.engine.drop(opened.materialise(opened.table))
    assert backend.con.execute("SHOW TABLES").fetchall() == [("orders",)]


def test_the_time_zone_of_somebodys_duckdb_is_neither_changed_nor_used() -> None:
    """The day of an instant would depend on it."""
    backend = ibis.duckdb.connect()
    backend.con.execute("SET TimeZone = 'Asia/Tokyo'")
    backend.con.execute("CREATE TABLE orders AS SELECT '2024-01-31T20:00:00Z'::TIMESTAMPTZ AS at")
    opened = open_source(backend.table("orders"))
    found = opened.collect(opened.table.select(day=opened.table["at"].date())).to_pylist()
    assert str(found[0]["day"]) == "2024-01-31"
    zone = backend.con.execute("SELECT current_setting('TimeZone')").fetchall()
    assert zone == [("Asia/Tokyo",)]


def test_a_table_of_another_backend_comes_through_arrow() -> None:
    backend = ibis.polars.connect({"orders": pl.DataFrame(COLUMNS)})
    assert rows(backend.table("orders")) == [("007", 1.5), ("011", None)]


def test_an_ibis_table_of_no_backend_is_refused() -> None:
    with pytest.raises(OrdersError, match="The Ibis table cannot be read"):
        open_source(ibis.table({"x": "int64"}, name="nowhere"))


def test_the_hash_of_a_table_does_not_depend_on_the_order_of_its_rows() -> None:
    log = {"customer_id": ["a", "b"], "date": ["2024-01-01", "2024-01-02"], "amount": ["1", "2"]}

    def sha256(order: list[int], **columns: list[str]) -> str:
        backend = ibis.duckdb.connect()
        backend.con.execute("SET TimeZone = 'UTC'")
        backend.con.register("log", pa.table(log | columns).take(order))
        opened = open_source(backend.table("log"))
        return opened.sha256(opened.table)

    assert sha256([0, 1]) == sha256([1, 0])
    assert sha256([0, 1]) != sha256([0, 1], amount=["1", "3"])
    assert sha256([0, 1]) != sha256([0, 1, 1])


def test_one_column_alone_is_no_table() -> None:
    for column in (pd.Series([1, 2]), pl.Series([1, 2])):
        with pytest.raises(OrdersError, match="whose columns have names; got Series"):
            open_source(column)


def test_columns_of_other_kinds_say_what_a_person_sees() -> None:
    """Types that engines do not know, or would read as numbers that nobody meant."""
    frame = pd.DataFrame(
        {
            "sparse": pd.arrays.SparseArray([1.5, 0.0]),
            "word": pd.arrays.SparseArray(["a", "b"]),
            "day": pd.PeriodIndex(["2024-01-31", "2024-02-29"], freq="D"),
            "month": pd.PeriodIndex(["2024-01", "2024-02"], freq="M"),
        }
    )
    assert rows(frame) == [(1.5, "a", "2024-01-31", "2024-01"), (0, "b", "2024-02-29", "2024-02")]
    table = pa.table(
        {
            "half": pa.array([0.5], pa.float64()).cast(pa.float16()),
            "long": pa.array(["12.50"]).cast(pa.decimal256(50, 2)),
        }
    )
    assert rows(table) == [(0.5, "12.50")]
    assert rows(table.to_pandas(types_mapper=pd.ArrowDtype)) == [(0.5, "12.50")]
    thing = pl.Series("thing", [complex(1, 2), None], dtype=pl.Object)
    assert rows(pl.DataFrame([thing])) == [("(1+2j)",), (None,)]


def test_durations_are_no_amounts() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "date": ["2024-01-01", "2024-01-02"],
            "amount": pd.to_timedelta([5, 6], unit="s"),
        }
    )
    with pytest.raises(OrdersError, match="No readable amount in 2 of 2 rows"):
        read_orders(frame)
    assert rows(pa.table({"took": pa.array([7, None], pa.duration("s"))})) == [("7 s",), (None,)]


def test_a_row_with_a_duration_that_is_there_twice_is_shown() -> None:
    took = pa.array([7, 7, None], pa.duration("s"))
    log = pa.table({"customer_id": ["a", "a", "b"], "date": ["2024-01-01"] * 3, "took": took})
    assert check_orders(log)["duplicates"].figures["examples"] == [
        "'a', '2024-01-01', 2 times (row 0, row 1)"
    ]
