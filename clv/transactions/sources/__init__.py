"""Sources: what can be pointed at and read as a table of rows.

:mod:`files` says which files a path means and :mod:`urls` what a URL asks for; each other module
opens one kind of source.
"""

from __future__ import annotations

import os
from typing import Any

import ibis.expr.types as ir

from clv.errors import OrdersError
from clv.transactions.engines import DuckDBEngine, Engine
from clv.transactions.sources import files
from clv.transactions.sources.base import Row, Source
from clv.transactions.sources.csv_files import open_csv
from clv.transactions.sources.databases import open_database_file, open_postgresql
from clv.transactions.sources.excel_files import open_excel
from clv.transactions.sources.frames import is_frame, open_frame, open_ibis
from clv.transactions.sources.parquet_files import open_parquet
from clv.transactions.sources.urls import TableUrl, is_url, misspelt, read_url

__all__ = ["Row", "Source", "open_source"]


def open_source(source: Any, what: str = "orders", *, engine: Engine | None = None) -> Source:
    """Open what was pointed at as one table.

    Parameters
    ----------
    source : path, pattern of paths, folder, URL, frame or table
        CSV (also .gz), Parquet or Excel files; a folder of Parquet files; a DuckDB or SQLite file
        with one table; a URL of a table or a query (:mod:`clv.transactions.sources.urls`); a frame
        of pandas or polars; a table of pyarrow or Ibis.
    what : str
        What its rows are, for messages.
    engine : Engine, optional
        What holds the table; if not given, the backend of an Ibis table where that is an engine
        here, else an embedded one of its own.

    Raises
    ------
    OrdersError
        Where there is nothing that can be read.
    """
    if isinstance(source, ir.Table):
        return open_ibis(source, engine)
    if is_frame(source):
        return open_frame(source, engine)
    if not isinstance(source, (str, os.PathLike)):
        raise OrdersError(
            f"{what.capitalize()} are read from a file (CSV, Parquet, Excel, DuckDB, SQLite), a "
            "pattern of such paths, a URL of a table, a data frame of pandas or polars, or a table "
            f"of pyarrow or Ibis; got {type(source).__name__}."
        )
    name, engine = os.fspath(source), engine or DuckDBEngine()
    if not name.strip():
        raise OrdersError(f"No source of {what} is named: the path is empty.")
    if is_url(name.strip()):
        name = name.strip()
    try:
        return _open_url(name, engine, what) if is_url(name) else _open_files(name, engine, what)
    except OSError as error:  # such as of a file that went away, or that the system has locked
        raise OrdersError(
            f"{name!r} cannot be read: {error.strerror or error}.{misspelt(name)}"
        ) from None


def _open_url(url: str, engine: Engine, what: str) -> Source:
    asked = read_url(url)
    if asked.scheme == "postgresql":
        return open_postgresql(asked, engine)
    (path,) = files.find(asked.path, what).paths
    if asked.scheme == "excel":
        return open_excel(path, asked.shown, engine, what, asked.sheet)
    return open_database_file(path, asked, engine)


def _open_files(name: str, engine: Engine, what: str) -> Source:
    paths, kind, root = files.find(name, what)
    if kind == "csv":
        return open_csv(paths, name, engine, what)
    if kind == "parquet":
        return open_parquet(paths, name, engine, root)
    (path,) = paths
    if kind == "excel":
        return open_excel(path, name, engine, what)
    return open_database_file(path, TableUrl(kind, name, path=name), engine)
