"""Frames and tables of this process: pandas, polars, pyarrow, and Ibis tables of any backend."""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ibis.common.exceptions import IbisError

from clv.errors import OrdersError
from clv.transactions.engines import DuckDBEngine, Engine
from clv.transactions.sources.base import Source

__all__ = ["is_frame", "open_frame", "open_ibis"]


def is_frame(source: object) -> bool:
    """Whether something is a frame or table that hands over Arrow data."""
    return hasattr(source, "__arrow_c_stream__") or _is_lazy(source)


def open_frame(frame: Any, engine: Engine | None = None) -> Source:
    """Open a frame; its index, if it has one, does not matter."""
    if isinstance(frame, pd.DataFrame):
        names = [str(c) for c in frame.columns]
        arrays = [_array(frame.iloc[:, i]) for i in range(len(names))]
    else:
        if _is_lazy(frame):
            frame = frame.collect()
        try:
            table = pa.table(_without_objects(frame))
        except pa.ArrowInvalid:  # such as one column alone
            raise OrdersError(
                "Orders are read from a frame or table whose columns have names; got "
                f"{type(frame).__name__}."
            ) from None
        names, arrays = table.column_names, [_known(column) for column in table.columns]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise OrdersError(f"The data frame has more than one column {', '.join(map(repr, twice))}.")
    if not names:
        raise OrdersError("The data frame has no columns.")
    engine = engine or DuckDBEngine()
    table = engine.from_arrow(pa.table(dict(zip(names, arrays, strict=True))))
    return Source(table, "the data frame", "frame", engine)


def open_ibis(table: ir.Table, engine: Engine | None = None) -> Source:
    """Open an Ibis table: on its own backend if that is an engine here, else on ours."""
    name = "the Ibis table"
    try:
        backend = table.get_backend()
    except IbisError as error:
        raise OrdersError(f"The Ibis table cannot be read: {error}.") from error
    if engine is None and backend.name == "duckdb":
        engine = DuckDBEngine.over(backend)
    elif engine is None and backend.name == "pyspark":
        from clv.transactions.engines.spark import SparkEngine

        engine = SparkEngine.over(backend)
        if engine is None:
            raise OrdersError(
                "The Ibis table of Spark cannot be read: the days of its times depend on the time "
                "zone of the session. Set it: session.conf.set('spark.sql.session.timeZone', 'UTC')"
            )
        table = engine.with_instants(table)
    if engine is not None and getattr(engine, "backend", None) is backend:
        return Source(table, name, "ibis", engine)
    engine = engine or DuckDBEngine()
    rows = table.to_pyarrow() if backend.name == "duckdb" else table.to_pyarrow_batches()
    return Source(engine.from_arrow(rows), name, "ibis", engine)


def _is_lazy(source: object) -> bool:
    return type(source).__module__.partition(".")[0] == "polars" and hasattr(source, "collect")


def _without_objects(frame: Any) -> Any:
    """Make texts of Python's objects in a frame of polars: Arrow would have their addresses."""
    if type(frame).__module__.partition(".")[0] != "polars":
        return frame
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        return frame
    return frame.with_columns(
        pl.Series(name, [None if v is None else str(v) for v in frame[name]], pl.String)
        for name, kind in frame.schema.items()
        if kind == pl.Object
    )


def _known(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column of a type that engines know."""
    if pa.types.is_float16(column.type):
        return column.cast(pa.float64())
    if pa.types.is_duration(column.type):  # as texts with their unit, for they are no amounts
        return pc.binary_join_element_wise(
            column.cast(pa.int64()).cast(pa.string()), column.type.unit, " "
        )
    return column.cast(pa.string()) if pa.types.is_decimal256(column.type) else column


def _array(column: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(np.asarray(column))
    try:
        # A day as a period is a number to Arrow; a month is no day, and is told as it is written.
        if not isinstance(column.dtype, pd.PeriodDtype):
            return _known(pa.array(column, from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
        pass  # values of several types in one column: read what they say
    return pa.array(column.map(str, na_action="ignore"), from_pandas=True)
