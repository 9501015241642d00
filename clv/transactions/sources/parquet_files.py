"""Parquet files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir

from clv.transactions.engines.base import Engine
from clv.transactions.sources.base import Source

__all__ = ["ParquetSource", "open_parquet"]


@dataclass(frozen=True, eq=False)
class ParquetSource(Source):
    """Parquet files of the same columns."""

    def one_file(self, path: Path) -> ir.Table:
        """Open one of the files alone: see :meth:`Source.one_file`."""
        return self.engine.read_parquet([path])


def open_parquet(paths: list[Path], name: str, engine: Engine) -> ParquetSource:
    """Open Parquet files of the same columns as one source."""
    with engine.told(name):
        table = engine.read_parquet(paths)
    return ParquetSource(table, name, "parquet", engine, tuple(paths))
