"""Sources: what can be pointed at and read as a table of rows.

:mod:`files` says which files a path means; each other module opens one kind of source.
"""

from __future__ import annotations

import os

import pandas as pd

from clv.errors import OrdersError
from clv.transactions.engines import DuckDBEngine, Engine
from clv.transactions.sources import files
from clv.transactions.sources.base import Row, Source
from clv.transactions.sources.csv_files import open_csv
from clv.transactions.sources.frames import open_frame
from clv.transactions.sources.parquet_files import open_parquet

__all__ = ["Row", "Source", "open_source"]


def open_source(
    source: str | os.PathLike[str] | pd.DataFrame,
    what: str = "orders",
    *,
    engine: Engine | None = None,
) -> Source:
    """Open what was pointed at as one table.

    Parameters
    ----------
    source : path, pattern of paths, or pandas.DataFrame
        CSV or Parquet files, or a frame.
    what : str
        What its rows are, for messages.
    engine : Engine, optional
        What holds the table; an embedded one of its own if not given.

    Raises
    ------
    OrdersError
        Where there is nothing that can be read.
    """
    engine = engine or DuckDBEngine()
    if isinstance(source, pd.DataFrame):
        return open_frame(source, engine)
    if not isinstance(source, (str, os.PathLike)):
        raise OrdersError(
            f"{what.capitalize()} are read from the path of a CSV or Parquet file, a pattern of "
            f"such paths, or a pandas DataFrame; got {type(source).__name__}."
        )
    paths, kind = files.find(source, what)
    if kind == "csv":
        return open_csv(paths, os.fspath(source), engine, what)
    return open_parquet(paths, os.fspath(source), engine)
