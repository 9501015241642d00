"""Spark as an engine: what it needs, what it says, and what it leaves alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clv
from clv.errors import EngineError, OrdersError, RequestError
from clv.transactions.engines import open_engine
from clv.transactions.engines.spark import SparkEngine
from clv.transactions.sources import open_source


def test_without_spark_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(EngineError, match=r"Spark is not installed: pip install 'clv\[spark\]'"):
        open_engine("spark")


def test_without_java_it_is_said_how_to_get_it(
    needs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pyspark", reason="pip install -e '.[test]'")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="apt-get install openjdk-17-jre-headless"):
        open_engine("spark")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineError, match=r"Spark needs Java 17 or 21; .*java is Java 11"):
        open_engine("spark")


def test_memory_and_threads_are_not_those_of_a_cluster() -> None:
    with pytest.raises(RequestError, match="a cluster has its own"):
        open_engine("spark://host:7077", memory="4GB")
    with pytest.raises(RequestError, match="The memory is 'lots'"):
        open_engine("spark", memory="lots")


def test_a_second_spark_in_one_process_is_refused(spark: SparkEngine) -> None:
    """Else the first would silently do what was asked of the second."""
    asked: dict[str, Any]
    for asked in ({"url": "spark://127.0.0.1:7077"}, {"threads": 1}):
        with pytest.raises(EngineError, match=r"uses Spark at 'local\[2\]' already"):
            SparkEngine(**asked)
    assert SparkEngine().session.sparkContext is spark.session.sparkContext


def test_settings_of_the_session_that_is_there_are_left_alone(spark: SparkEngine) -> None:
    theirs = spark.session.newSession()
    theirs.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    theirs.sql("SELECT 1 AS x").createOrReplaceTempView("theirs")
    theirs.catalog.cacheTable("theirs")
    engine = SparkEngine.of(theirs)
    kept = engine.materialise(engine.from_arrow(pa.table({"x": [1, 2]})))
    assert engine.collect(kept).to_pylist() == [{"x": 1}, {"x": 2}]
    engine.close()
    assert theirs.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
    assert theirs.catalog.isCached("theirs")
    theirs.catalog.uncacheTable("theirs")


def test_a_table_of_somebodys_spark_is_read_where_it_lies(spark: SparkEngine) -> None:
    theirs = spark.session.newSession()
    theirs.conf.set("spark.sql.session.timeZone", "UTC")
    rows = [("007", "2024-01-31", 5.0), ("011", "2024-02-01", 7.5)]
    frame = theirs.createDataFrame(rows, "customer_id string, date string, amount double")
    frame.createOrReplaceTempView("orders")
    table = ibis.pyspark.connect(theirs).table("orders")
    orders = clv.read_orders(table)
    assert isinstance(orders.opened.engine, SparkEngine)
    assert orders.report.rows_kept == 2
    assert len(orders.sha256) == 64  # of the lines' hashes, which Spark has added up


def test_what_is_kept_is_let_go(spark: SparkEngine) -> None:
    kept = spark.materialise(spark.from_arrow(pa.table({"x": [1]})))
    name = kept.get_name()
    assert spark.session.catalog.tableExists(name)
    spark.drop(kept)
    assert not spark.session.catalog.tableExists(name)


def test_files_that_spark_cannot_read_are_told_in_a_line(
    spark: SparkEngine, tmp_path: Path
) -> None:
    path = tmp_path / "orders.parquet"
    path.write_bytes(b"PAR1 this is not")
    with pytest.raises(OrdersError) as caught:
        open_source(path, engine=spark)
    said = str(caught.value)
    assert said.startswith(f"'{path}' cannot be read: ")
    assert "\n" not in said
    assert "\tat " not in said


def test_rows_are_numbered_where_they_lie(spark: SparkEngine, tmp_path: Path) -> None:
    """In parts of a few hundred rows each: a number is the place in the file all the same."""
    path = tmp_path / "orders.parquet"
    pq.write_table(pa.table({"x": range(2_000)}), path, row_group_size=100)
    parts = "spark.sql.files.maxPartitionBytes"
    before = str(spark.session.conf.get(parts))
    spark.session.conf.set(parts, str(path.stat().st_size // 5))
    try:
        numbered = spark.numbered(spark.read_parquet([path]))
        assert spark._frame(numbered).rdd.getNumPartitions() > 3
        rows = spark.collect(numbered.filter(numbered["x"] % 7 == 0))
        plan = spark._frame(numbered)._jdf.queryExecution().executedPlan().toString()
    finally:
        spark.session.conf.set(parts, before)
    assert spark.collect(spark.numbered(spark.from_arrow(pa.table({"x": []})))).num_rows == 0
    assert rows["_row"].to_pylist() == rows["x"].to_pylist()
    assert len(rows) == 286
    assert "Exchange" not in plan
    assert "Window" not in plan
