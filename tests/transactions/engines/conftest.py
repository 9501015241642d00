"""One Spark for all tests, small: two cores, a gigabyte, no web page."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from clv.transactions.engines import DuckDBEngine, Engine

SHORT_RUN = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For Java: hardly compile what runs once. Together with the settings below a third of the time."""


@pytest.fixture(scope="session")
def spark(needs: Any) -> Iterator[Engine]:
    there = importlib.util.find_spec("pyspark") is not None
    needs("PySpark", there, "pip install -e '.[test]'")
    java = bool(os.environ.get("JAVA_HOME") or shutil.which("java"))
    needs("Java", java, "apt-get install openjdk-17-jre-headless")
    from clv.transactions.engines.spark import SparkEngine

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", SHORT_RUN)
        engine = SparkEngine(memory="1GB", threads=2)
    engine.session.sparkContext.setLogLevel("OFF")
    for name, value in (
        ("spark.sql.shuffle.partitions", "2"),
        ("spark.sql.codegen.wholeStage", "false"),
        ("spark.sql.codegen.factoryMode", "NO_CODEGEN"),
    ):
        engine.session.conf.set(name, value)
    yield engine
    engine.close()
    engine.session.stop()


@pytest.fixture
def duck() -> Iterator[Engine]:
    with DuckDBEngine() as engine:
        yield engine
