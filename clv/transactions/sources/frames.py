"""Frames and tables of this process."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from clv.errors import OrdersError
from clv.transactions.engines.base import Engine
from clv.transactions.sources.base import Source

__all__ = ["open_frame"]


def open_frame(frame: pd.DataFrame, engine: Engine) -> Source:
    """Open a pandas data frame; its index does not matter."""
    names = [str(c) for c in frame.columns]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise OrdersError(f"The data frame has more than one column {', '.join(map(repr, twice))}.")
    if not names:
        raise OrdersError("The data frame has no columns.")
    arrays = [_array(frame.iloc[:, i]) for i in range(len(names))]
    table = engine.from_arrow(pa.table(dict(zip(names, arrays, strict=True))))
    return Source(table, "the data frame", "frame", engine)


def _array(column: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
        # Values of several types in one column: read what they say.
        return pa.array(column.map(str, na_action="ignore"), from_pandas=True)
