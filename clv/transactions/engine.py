"""The embedded engine: the only file that knows DuckDB.

A source becomes an Ibis table with all its columns; everything that is done with rows elsewhere
is an Ibis expression. Each source has its own embedded database, which goes when nothing refers
to it any more.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, cast

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from clv.errors import OrdersError
from clv.transactions import files

__all__ = [
    "NAME",
    "Row",
    "Source",
    "drop",
    "first_rows",
    "in_order",
    "materialise",
    "on_first_day",
    "open_source",
    "parse_date",
    "places",
    "sha256",
]

NAME = "duckdb"

SUM = dt.Decimal(38, 4)
"""The type of a sum of amounts."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where orders come from.

    Attributes
    ----------
    table : ibis.Table
        All columns. Those of a CSV file are text.
    name : str
        What the user called it, for messages.
    kind : {"csv", "parquet", "frame"}
        What it is.
    paths : tuple of Path
        The files, in sorted order; none for a frame.
    delimiter : str
        Between the columns of a CSV file.
    """

    table: ir.Table
    name: str
    kind: Literal["csv", "parquet", "frame"]
    backend: Backend
    paths: tuple[Path, ...] = ()
    delimiter: str = ","


@dataclass(frozen=True)
class Row:
    """One row of a source: where it stands, and what some of its columns say."""

    where: str
    values: tuple[Any, ...]


def open_source(source: str | os.PathLike[str] | pd.DataFrame, what: str = "orders") -> Source:
    """Open files or a frame as one table; `what` says in messages what its rows are.

    Raises
    ------
    OrdersError
        Where there is nothing that can be read.
    """
    if isinstance(source, pd.DataFrame):
        backend = _connect()
        return Source(_frame(backend, source), "the data frame", "frame", backend)
    if not isinstance(source, (str, os.PathLike)):
        raise OrdersError(
            f"{what.capitalize()} are read from the path of a CSV or Parquet file, a pattern of "
            f"such paths, or a pandas DataFrame; got {type(source).__name__}."
        )
    paths, kind = files.find(source, what)
    name, backend = os.fspath(source), _connect()
    if kind == "csv":
        columns, delimiter = files.csv_layout(paths, what)
        table = _csv(backend, paths, columns, delimiter)
        return Source(table, name, "csv", backend, tuple(paths), delimiter)
    with _told(name):
        table = backend.read_parquet(_literal(paths), hive_partitioning=False)
    return Source(table, name, "parquet", backend, tuple(paths))


def materialise(source: Source, table: ir.Table) -> ir.Table:
    """Compute a table once and keep it in the engine."""
    name = ibis.util.gen_name("clv")
    with _told(source.name):
        # One statement: Ibis' own create_table inserts into an empty table, which is slower.
        query = source.backend.compile(table)
        source.backend.con.execute(f'CREATE TEMP TABLE "{name}" AS {query}')
    return source.backend.table(name)


def drop(source: Source, table: ir.Table) -> None:
    """Let a table go that :func:`materialise` made."""
    name = cast("ops.DatabaseTable", table.op()).name
    source.backend.con.execute(f'DROP TABLE "{name}"')


def parse_date(text: ir.StringValue, layout: str) -> ir.DateValue:
    """Read text as a date in a `strptime` layout; null where it is not one."""
    return cast("ir.DateValue", _try_strptime(text, layout).date())


def on_first_day(amount: ir.Column, day: ir.Column) -> ir.DecimalScalar:
    """Return a group's amount on its first day; each day must be there once."""
    # Ibis' own argmin sorts each group here, which takes twice as long.
    return cast("ir.DecimalScalar", _arg_min(amount, day))


def first_rows(source: Source, table: ir.Table, where: str, shown: Sequence[str]) -> list[Row]:
    """Return the first three rows of the source for which a column is true.

    Parameters
    ----------
    source : Source
        Where the rows stand: the line of a CSV file with the header as line 1, the row of a
        Parquet file with the first as row 1, the position in a frame with the first as 0.
    table : ibis.Table
        Made of ``source.table`` row by row.
    where : str
        A column of `table` that is true for the rows that are looked for.
    shown : sequence of str
        The columns whose values are returned.
    """
    rows: list[Row] = []
    opened = source.table
    for path in source.paths or (None,):
        if path is not None:  # one file after the other: a row's number is its place in its file
            part = _one_file(source, path)
            one = cast("ir.Table", table.op().replace({opened.op(): part.op()}).to_expr())
        else:
            one = table
        numbered = one.mutate(_row=ibis.row_number())
        found = (
            numbered.filter(numbered[where])
            .order_by("_row")
            .limit(3 - len(rows))
            .select("_row", *shown)
            .to_pyarrow()
            .to_pylist()
        )
        numbers = [int(f["_row"]) for f in found]
        where_they_are = (
            [f"row {n}" for n in numbers] if path is None else _in_file(source, path, numbers)
        )
        rows += [
            Row(place, tuple(f[column] for column in shown))
            for place, f in zip(where_they_are, found, strict=True)
        ]
        if len(rows) >= 3:
            break
    return rows


def in_order(source: Source, table: ir.Table) -> pa.Table:
    """Collect a table made of ``source.table`` row by row, in the order of the rows of the source.

    An engine with several threads may hand over the rows of several files in any order.
    """
    if len(source.paths) < 2:
        return table.to_pyarrow()
    opened = source.table.op()
    parts = [
        cast("ir.Table", table.op().replace({opened: _one_file(source, path).op()}).to_expr())
        for path in source.paths
    ]
    return pa.concat_tables([part.to_pyarrow() for part in parts], promote_options="permissive")


def places(source: Source, rows: Sequence[int]) -> list[str]:
    """Say where rows of the source stand, as :func:`first_rows` does.

    `rows` are numbers from 0 of the rows of ``source.table``, sorted.
    """
    if not source.paths:
        return [f"row {n}" for n in rows]
    said: list[str] = []
    before, left = 0, list(rows)
    for path in source.paths:
        if not left:
            break
        many = len(source.paths) > 1
        size = int(_one_file(source, path).count().to_pyarrow().as_py()) if many else left[-1] + 1
        here = [n - before for n in left if n - before < size]
        left, before = left[len(here) :], before + size
        said += _in_file(source, path, here)
    return said


def sha256(source: Source, log: ir.Table) -> str:
    """Hash what was read: the bytes of files; of a frame the orders, one a line, as text."""
    if source.paths:
        return files.sha256(list(source.paths))
    digest = hashlib.sha256()
    fields = [log[c].cast(str).fill_null("") for c in ("customer_id", "date", "amount")]
    line = fields[0]
    for field in fields[1:]:
        line = line + "\t" + field
    for chunk in log.select(line=line + "\n").to_pyarrow()["line"].chunks:
        text = chunk.cast(pa.large_string())
        # The lines lie one after the other in the array's buffer: hash it as it is.
        _, offsets, data = text.buffers()
        at = np.frombuffer(offsets, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
        digest.update(memoryview(data)[int(at[0]) : int(at[-1])])
    return digest.hexdigest()


def _connect() -> Backend:
    backend = ibis.duckdb.connect()
    # The date of an instant must not depend on the machine's time zone.
    backend.con.execute("SET TimeZone = 'UTC'")
    return backend


def _literal(paths: list[Path]) -> list[str]:
    """Name these files and no others: the engine reads patterns into names, as in `orders[1].csv`.

    For the same reason a folder such as `date=2024-01-31` is no column (`hive_partitioning`).
    """
    return [glob.escape(str(path)) for path in paths]


def _csv(backend: Backend, paths: list[Path], columns: list[str], delimiter: str) -> ir.Table:
    # Nothing is guessed from a sample: ids keep their zeros, and every file reads the same way.
    with _told(", ".join(map(str, paths[:1]))):
        return backend.read_csv(
            _literal(paths),
            hive_partitioning=False,
            header=True,
            auto_detect=False,
            columns=dict.fromkeys(columns, "VARCHAR"),
            delim=delimiter,
            quote='"',
            escape='"',
        )


def _one_file(source: Source, path: Path) -> ir.Table:
    """Open one of the files of a source alone."""
    if source.kind == "csv":
        return _csv(source.backend, [path], list(source.table.columns), source.delimiter)
    return source.backend.read_parquet(_literal([path]), hive_partitioning=False)


def _in_file(source: Source, path: Path, numbers: list[int]) -> list[str]:
    """Say where rows of one file stand: by the line of a CSV file, or the row from 1."""
    if source.kind == "csv":
        said = [f"line {n}" for n in files.line_numbers(path, source.delimiter, numbers)]
    else:
        said = [f"row {n + 1}" for n in numbers]
    return [f"{path.name} {place}" for place in said] if len(source.paths) > 1 else said


def _frame(backend: Backend, frame: pd.DataFrame) -> ir.Table:
    names = [str(c) for c in frame.columns]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise OrdersError(f"The data frame has more than one column {', '.join(map(repr, twice))}.")
    if not names:
        raise OrdersError("The data frame has no columns.")
    arrays = [_array(frame.iloc[:, i]) for i in range(len(names))]
    name = ibis.util.gen_name("frame")
    backend.con.register(name, pa.table(dict(zip(names, arrays, strict=True))))
    return backend.table(name)


def _array(column: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
        # Values of several types in one column: read what they say.
        return pa.array(column.map(str, na_action="ignore"), from_pandas=True)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell a failure of the engine as a fault of the source."""
    try:
        yield
    except duckdb.Error as error:
        said = str(error).strip()
        if "utf-8" in said.casefold() or "unicode" in said.casefold():
            raise files.not_utf8(name) from error
        reason = re.sub(r"^([A-Z]\w+ )+Error: ", "", said.split("\nLINE ")[0])
        lines = [line.strip() for line in reason.splitlines() if line.strip()]
        raise OrdersError(f"{name!r} cannot be read: {' '.join(lines[:3])}") from error


@ibis.udf.scalar.builtin(name="try_strptime")  # type: ignore[untyped-decorator]
def _try_strptime(text: str, layout: str) -> datetime:  # type: ignore[empty-body]
    """DuckDB's own."""


@ibis.udf.agg.builtin(name="arg_min", signature=((SUM, dt.date), SUM))  # type: ignore[untyped-decorator]
def _arg_min(amount: Decimal, day: date) -> Decimal:  # type: ignore[empty-body]
    """DuckDB's own."""
