"""Returns are matched and netted alike on Spark and on DuckDB."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import clv
from clv.transactions.engines import Engine
from clv.transactions.kept_lines import lines_of, typed, write_lines
from clv.transactions.orders import Orders
from clv.transactions.sources import Source

LOG = pd.DataFrame(
    [
        # by number, by the same row, by the item, the latest before, beyond it, before any order
        ("7", "2024-01-01", "A1", "cup", 2, 20.0),
        ("7", "2024-01-03", "A2", "pot", 1, 35.0),
        ("7", "2024-01-05", "A1", "cup", -1, -10.0),
        ("7", "2024-01-06", "R1", "pot", -1, -35.0),
        ("8", "2024-01-02", "B1", "cup", 6, 60.0),
        ("8", "2024-01-04", "B2", "pot", 1, 35.0),
        ("8", "2024-01-06", "R2", "cup", -2, -20.0),
        ("8", "2024-01-07", "R3", "lid", -1, -5.0),
        ("8", "2024-01-08", "R4", "lid", -9, -90.0),
        ("9", "2024-01-01", "R5", "cup", -1, -10.0),
        ("9", "2024-01-02", "C1", "cup", 1, 10.0),
        # of two like rows one by number, the other by what is left
        ("6", "2024-01-01", "D1", "cup", 1, 10.0),
        ("6", "2024-01-02", "D2", "cup", 1, 10.0),
        ("6", "2024-01-03", "D2", "cup", -1, -10.0),
        ("6", "2024-01-04", "R6", "cup", -1, -10.0),
    ],
    columns=["customer_id", "date", "order_id", "item", "quantity", "amount"],
)


def rows(orders: Orders, table: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orders.opened.collect(table).to_pylist()
    return sorted(found, key=lambda row: [str(row[name]) for name in sorted(row)])


def test_returns_are_matched_and_netted_alike(spark: Engine) -> None:
    duck, other = (clv.read_orders(LOG, engine=engine) for engine in (None, spark))
    assert duck.report.returns == other.report.returns
    assert duck.returns is not None
    assert other.returns is not None
    assert duck.report.returns is not None
    assert sorted(duck.report.returns.matched_by.values()) == [1, 2, 2, 2]
    assert rows(duck, duck.returns.table) == rows(other, other.returns.table)
    for end in (date(2024, 1, 5), duck.last_date):
        assert rows(duck, duck.days_by(end)) == rows(other, other.days_by(end))


def test_lines_that_one_engine_kept_are_read_by_the_other(
    duck: Engine, spark: Engine, tmp_path: Path
) -> None:
    orders = clv.read_orders(LOG, engine=duck)
    lines = duck.collect(lines_of(orders))
    wanted = lines.filter(pc.less_equal(lines["date"], pa.scalar(date(2024, 1, 5))))
    for first, second in ((duck, spark), (spark, duck)):
        file = tmp_path / f"{first.name}.parquet"
        held = Source(first.from_arrow(lines), "lines", "frame", first)
        write_lines(held.table, date(2024, 1, 5), held, file)
        assert pq.read_schema(file).field("at").type == pa.timestamp("us")
        found = second.collect(typed(second.read_parquet([file])))
        key = [(name, "ascending") for name in ("customer_id", "date", "order_id")]
        assert found.sort_by(key).to_pylist() == wanted.sort_by(key).to_pylist()
