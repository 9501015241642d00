"""Parquet files, and folders of them whose names are columns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from clv.errors import OrdersError
from clv.transactions.engines import Engine
from clv.transactions.sources.base import Source
from clv.transactions.sources.columns import faults_of_names

__all__ = ["ParquetSource", "open_parquet"]

MARK, ENCRYPTED = b"PAR1", b"PARE"


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
        columns = pq.read_schema(path.absolute())
        return _durations_told(self.engine.read_parquet([path], self.root), columns)

    def in_file(self, path: Path, numbers: Sequence[int]) -> list[str]:
        """Say where rows of one file stand, the first being 1: see :meth:`Source.in_file`."""
        del path
        return [f"row {n + 1}" for n in numbers]


def open_parquet(
    paths: list[Path], name: str, engine: Engine, root: Path | None = None
) -> ParquetSource:
    """Open Parquet files of the same columns as one source."""
    faults = [fault for path in paths for fault in _faults(path)]
    if faults:
        raise OrdersError.of(faults)
    with engine.told(name):
        columns = pq.read_schema(paths[0].absolute())  # `orders:2024` alone would be a URL
        if faults := faults_of_names(columns.names, str(paths[0])):
            raise OrdersError.of(faults)
        table = _durations_told(engine.read_parquet(paths, root), columns)
    return ParquetSource(table, name, "parquet", engine, tuple(paths), root=root)


def _durations_told(table: ir.Table, columns: pa.Schema) -> ir.Table:
    """Durations as texts with their unit: in the file they are numbers, which an amount is not."""
    told = {
        one.name: table[one.name].cast(str) + f" {one.type.unit}"
        for one in columns
        if pa.types.is_duration(one.type)
    }
    return table.mutate(**told) if told else table


def _faults(path: Path) -> list[str]:
    """Say what a file is that is no whole Parquet file: each begins and ends with its mark."""
    with path.open("rb") as stream:
        start = stream.read(len(MARK))
        stream.seek(max(stream.seek(0, os.SEEK_END) - len(MARK), 0))
        end = stream.read()
    if start == end == MARK:
        return []
    if start == ENCRYPTED:
        return [f"{str(path)!r} is encrypted. Write it without encryption, or read it in Python."]
    if start == MARK:
        return [f"{str(path)!r} cannot be read: the end of the file is missing."]
    return [f"{str(path)!r} is no Parquet file, whatever its name: it does not begin like one."]
