"""The embedded engine: what it takes of the machine, and what it leaves behind."""

from __future__ import annotations

import gc
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clv
from clv.errors import EngineError, RequestError
from clv.transactions.engines import DuckDBEngine, open_engine
from clv.transactions.sources import Source, open_source


def setting(engine: DuckDBEngine, name: str) -> object:
    return engine.backend.con.execute(f"SELECT current_setting('{name}')").fetchall()[0][0]


def test_memory_and_threads_are_as_asked() -> None:
    engine = DuckDBEngine(memory="1.5 GiB", threads=1)
    assert setting(engine, "memory_limit") == "1.5 GiB"
    assert setting(engine, "threads") == 1


def test_what_makes_no_sense_is_refused_all_at_once() -> None:
    with pytest.raises(RequestError) as caught:
        DuckDBEngine(memory="lots", threads=0)
    assert "The memory is 'lots'; write it as 4GB or 500MB." in str(caught.value)
    assert "The number of threads is 0" in str(caught.value)
    with pytest.raises(RequestError, match="'100000000TB', which no machine has"):
        DuckDBEngine(memory="100000000TB")
    with pytest.raises(RequestError, match="Did you mean 'duckdb'"):
        open_engine("duckbd")


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000,000 orders of 1,000,000 customers: more than 60 MB hold at once."""
    path = tmp_path_factory.mktemp("orders") / "orders.parquet"
    rng = np.random.default_rng(1)
    n = 2_000_000
    customers = pa.array(rng.integers(1_000_000, size=n)).cast(pa.string())
    days = pa.array(rng.integers(18_000, 18_700, size=n), pa.int32()).cast(pa.date32())
    amounts = pa.array(rng.integers(100, 10_000, size=n) / 100)
    table = pa.table({"customer_id": customers, "date": days, "amount": amounts})
    pq.write_table(table, path, row_group_size=100_000)
    return path


def test_what_does_not_fit_in_memory_goes_to_disk_and_goes_away(million: Path) -> None:
    engine = DuckDBEngine(memory="60MB", threads=1)
    opened = open_source(million, engine=engine)
    table = opened.table
    days = table.group_by("customer_id", "date").aggregate(amount=table["amount"].sum())
    kept = opened.materialise(days)
    again = kept.group_by("customer_id").aggregate(n=kept.count())
    found = opened.collect(again.aggregate(customers=again.count(), days=again["n"].sum()))
    # Counted with pyarrow, apart from the engine.
    by_day = pq.read_table(million).group_by(["customer_id", "date"]).aggregate([])
    assert found.to_pylist() == [
        {
            "customers": len(by_day.column("customer_id").unique()),
            "days": len(by_day),
        }
    ]
    assert (engine.folder / "duckdb").is_dir()  # made when the first part went to disk
    folder = engine.folder
    engine.close()
    assert not folder.exists()


def test_too_little_memory_says_what_to_do(million: Path) -> None:
    engine = DuckDBEngine(memory="10MB", threads=2)
    with pytest.raises(EngineError) as caught:
        clv.read_orders(million, engine=engine)
    said = str(caught.value)
    assert "DuckDB has not enough memory (the limit is 10MB). Give it more (--memory 8GB" in said
    assert "--threads 1" in said


def test_too_little_memory_to_write_is_told_too(million: Path, tmp_path: Path) -> None:
    engine = DuckDBEngine(memory="10MB", threads=1)
    held = Source(engine.read_parquet([million]), "many rows", "parquet", engine)
    with pytest.raises(EngineError, match="DuckDB has not enough memory"):
        held.write_parquet(held.table.order_by("date"), tmp_path / "sorted.parquet")


def test_temporary_files_stay_as_long_as_a_table_does() -> None:
    engine = DuckDBEngine()
    folder, table = engine.folder, engine.from_arrow(pa.table({"x": [1]}))
    del engine
    gc.collect()
    assert folder.exists()
    assert table.count().to_pyarrow().as_py() == 1
    del table
    gc.collect()
    assert not folder.exists()


def test_a_table_that_nobody_needs_is_let_go() -> None:
    """Else every value computed in a notebook would stay in memory."""
    engine = DuckDBEngine()
    table = engine.from_arrow(pa.table({"x": [1]}))
    doubled = table.mutate(y=table["x"] * 2)
    del table
    gc.collect()
    assert engine.collect(doubled).to_pylist() == [{"x": 1, "y": 2}]
    del doubled
    gc.collect()
    views = engine.backend.con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal")
    assert views.fetchall() == []


def test_batches_that_stop_coming_are_told() -> None:
    def batches() -> object:
        yield pa.record_batch({"x": [1]})
        raise ValueError("the line is dead")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("x", pa.int64())]), batches())
    with pytest.raises(OSError, match=r"the line is dead$"):
        DuckDBEngine().from_arrow(reader)


def test_parquet_is_written_in_groups_or_in_folders(tmp_path: Path) -> None:
    engine = DuckDBEngine()
    table = engine.from_arrow(pa.table({"x": range(5000), "y": ["a", "b"] * 2500}))
    engine.write_parquet(
        table.order_by(ibis.desc("x")), tmp_path / "x.parquet", row_group_size=2048
    )
    file = pq.ParquetFile(tmp_path / "x.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(3)] == [2048, 2048, 904]
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    assert file.read()["x"][0].as_py() == 4999
    for _ in range(2):  # what stands there is replaced
        engine.write_parquet(table, tmp_path / "parts", partition_by=["y"])
        assert pq.read_table(tmp_path / "parts").num_rows == 5000
    assert sorted(p.name for p in (tmp_path / "parts").iterdir()) == ["y=a", "y=b"]
    part = pq.ParquetFile(next((tmp_path / "parts" / "y=a").iterdir()))
    assert part.metadata.row_group(0).column(0).compression == "ZSTD"
    with pytest.raises(OSError, match="nowhere"):
        engine.write_parquet(table, tmp_path / "nowhere" / "x.parquet")
