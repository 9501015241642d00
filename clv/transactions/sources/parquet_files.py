"""Parquet files, and folders of them whose names are columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir

from clv.transactions.engines import Engine
from clv.transactions.sources.base import Source

__all__ = ["ParquetSource", "open_parquet"]


@dataclass(frozen=True, eq=False)
class ParquetSource(Source):
    """Parquet files of the same columns.

    Attributes
    ----------
    root : Path or None
        The folder below which names of folders are columns.
    """

    root: Path | None = None

    def one_file(self, path: Path) -> ir.Table:
        """Open one of the files alone: see :meth:`Source.one_file`."""
        return self.engine.read_parquet([path], self.root)

    def in_file(self, path: Path, numbers: Sequence[int]) -> list[str]:
        """Say where rows of one file stand, the first being 1: see :meth:`Source.in_file`."""
        del path
        return [f"row {n + 1}" for n in numbers]


def open_parquet(
    paths: list[Path], name: str, engine: Engine, root: Path | None = None
) -> ParquetSource:
    """Open Parquet files of the same columns as one source."""
    with engine.told(name):
        table = engine.read_parquet(paths, root)
    return ParquetSource(table, name, "parquet", engine, tuple(paths), root=root)
