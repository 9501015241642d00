"""Engines: what computes over the rows of orders.

An engine opens files and tables as Ibis tables, computes Ibis expressions, keeps and writes what
they give. Everything that is done with rows elsewhere is such an expression, so that it is the
same on every engine; only here is it known which engine there is.
"""

from __future__ import annotations

import difflib

from clv.errors import RequestError
from clv.transactions.engines.base import Engine
from clv.transactions.engines.duckdb import DuckDBEngine

__all__ = ["DuckDBEngine", "Engine", "open_engine"]


def open_engine(
    name: str = "duckdb", *, memory: str | None = None, threads: int | None = None
) -> Engine:
    """Open an engine by its name.

    Parameters
    ----------
    name : str
        "duckdb", "spark", or the URL of a Spark cluster.
    memory : str, optional
        The most memory that it takes, such as "4GB".
    threads : int, optional
        How many threads compute.

    Raises
    ------
    RequestError
        Where there is no such engine, or memory or threads make no sense.
    EngineError
        Where it is not installed, or does not start.
    """
    if name == "duckdb":
        return DuckDBEngine(memory=memory, threads=threads)
    if name == "spark" or "://" in name:
        from clv.transactions.engines.spark import SparkEngine

        url = None if name == "spark" else name
        return SparkEngine(url, memory=memory, threads=threads)
    near = difflib.get_close_matches(name, ["duckdb", "spark"], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise RequestError(
        f"There is no engine {name!r}: it is duckdb, spark, or the URL of a Spark cluster.{hint}"
    )
