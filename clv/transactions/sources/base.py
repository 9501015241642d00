"""A source: rows as one table, and where each of them stands."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from clv.errors import OrdersError
from clv.transactions.engines.base import Engine
from clv.transactions.sources import files

__all__ = ["NEAR_HEADER", "Row", "Source"]


NEAR_HEADER = 10
"""Lines below the header that are looked at where it may be no header."""


@dataclass(frozen=True)
class Row:
    """One row of a source: where it stands, and what some of its columns say."""

    where: str
    values: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Source:
    """Where rows come from.

    Attributes
    ----------
    table : ibis.Table
        All columns. Those of a CSV file are text.
    name : str
        What the user called it, for messages.
    kind : str
        What it is, such as "csv".
    engine : Engine
        What holds the table.
    paths : tuple of Path
        The files, in sorted order; none for what is no file.
    notices : tuple of str
        What was decided in opening it, in sentences.
    """

    table: ir.Table
    name: str
    kind: str
    engine: Engine
    paths: tuple[Path, ...] = ()
    notices: tuple[str, ...] = ()

    def one_file(self, path: Path) -> ir.Table:
        """Open one of several files alone."""
        del path  # there is only one
        return self.table

    def in_file(self, path: Path, numbers: Sequence[int]) -> list[str]:
        """Say where rows of one file stand; `numbers` are from 0, sorted."""
        del path
        return [f"row {n}" for n in numbers]

    def below_header(self) -> list[tuple[str, list[list[str]]]]:
        """Return the first lines below the header: where each is, and ways to part it in cells."""
        return []

    def materialise(self, table: ir.Table) -> ir.Table:
        """Compute a table once and keep it in the engine."""
        with self.engine.told(self.name):
            return self.engine.materialise(table)

    def collect(self, table: ir.Table) -> pa.Table:
        """Compute a table and bring it into this process."""
        with self.engine.told(self.name):
            return self.engine.collect(table)

    def write_parquet(
        self,
        table: ir.Table,
        path: Path,
        *,
        partition_by: Sequence[str] = (),
        row_group_size: int | None = None,
    ) -> None:
        """Compute a table and write it: see :meth:`Engine.write_parquet`."""
        with self.engine.told(self.name):
            self.engine.write_parquet(
                table, path, partition_by=partition_by, row_group_size=row_group_size
            )

    def first_rows(self, table: ir.Table, where: str, shown: Sequence[str]) -> list[Row]:
        """Return the first three rows of the source for which a column is true.

        Parameters
        ----------
        table : ibis.Table
            Made of :attr:`table` row by row.
        where : str
            A column of `table` that is true for the rows that are looked for.
        shown : sequence of str
            The columns whose values are returned.

        Returns
        -------
        list of Row
            Where they stand: the line of a CSV file with the header as line 1, the row of a
            Parquet file with the first as row 1, the position in a frame with the first as 0.
        """
        rows: list[Row] = []
        for path in self.paths or (None,):
            # One file after the other: a row's number is its place in its file.
            one = table if path is None else self._of(table, path)
            numbered = self.engine.numbered(one)
            found = self.collect(
                numbered.filter(numbered[where])
                .order_by("_row")
                .limit(3 - len(rows))
                .select("_row", *shown)
            ).to_pylist()
            numbers = [int(f["_row"]) for f in found]
            rows += [
                Row(place, tuple(f[column] for column in shown))
                for place, f in zip(self._say(path, numbers), found, strict=True)
            ]
            if len(rows) >= 3:
                break
        return rows

    def in_order(self, table: ir.Table) -> pa.Table:
        """Collect a table made of :attr:`table` row by row, in the order of the source's rows.

        An engine with several threads may hand over the rows of several files in any order.
        """
        if len(self.paths) < 2:
            return self.collect(table)
        parts = [self.collect(self._of(table, path)) for path in self.paths]
        return pa.concat_tables(parts, promote_options="permissive")

    def places(self, rows: Sequence[int]) -> list[str]:
        """Say where rows stand, as :meth:`first_rows` does.

        `rows` are numbers from 0 of the rows of :attr:`table`, sorted.
        """
        if not self.paths:
            return self._say(None, rows)
        said: list[str] = []
        before, left = 0, list(rows)
        for path in self.paths:
            if not left:
                break
            many = len(self.paths) > 1
            size = self._rows(path) if many else left[-1] + 1
            here = [n - before for n in left if n - before < size]
            left, before = left[len(here) :], before + size
            said += self._say(path, here)
        return said

    def sha256(self, log: ir.Table) -> str:
        """Hash what was read: the bytes of files; else the orders, one a line, as text.

        Of a frame the lines are hashed in their order; of a table of a database, which has none,
        their number and a sum of their hashes, which the engine computes.
        """
        if self.paths:
            try:
                return files.sha256(list(self.paths))
            except OSError as error:
                raise OrdersError(
                    f"{self.name!r} cannot be read: {error.strerror}. It was there a moment ago; "
                    "read it again when it is no more being changed."
                ) from None
        fields = [log[c].cast(str).fill_null("") for c in ("customer_id", "date", "amount")]
        line = fields[0]
        for field in fields[1:]:
            line = line + "\t" + field
        lines = log.select(line=line + "\n")
        if self.kind != "frame":
            found = lines.aggregate(n=lines.count(), sum=self.engine.fingerprint(lines["line"]))
            (row,) = self.collect(found).to_pylist()
            return hashlib.sha256(f"{row['n']} {int(row['sum'] or 0)}".encode()).hexdigest()
        digest = hashlib.sha256()
        for chunk in self.collect(lines)["line"].chunks:
            text = chunk.cast(pa.large_string())
            # The lines lie one after the other in the array's buffer: hash it as it is.
            _, offsets, data = text.buffers()
            at = np.frombuffer(offsets, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
            digest.update(memoryview(data)[int(at[0]) : int(at[-1])])
        return digest.hexdigest()

    def _of(self, table: ir.Table, path: Path) -> ir.Table:
        """The same table, made of one file alone."""
        with self.engine.told(self.name):
            part = self.one_file(path)
        return cast("ir.Table", table.op().replace({self.table.op(): part.op()}).to_expr())

    def _rows(self, path: Path) -> int:
        count = self.one_file(path).aggregate(rows=lambda part: part.count())
        return int(self.collect(count)["rows"][0].as_py())

    def _say(self, path: Path | None, numbers: Sequence[int]) -> list[str]:
        if path is None:
            return [f"row {n}" for n in numbers]
        said = self.in_file(path, numbers)
        if len(self.paths) < 2:
            return said
        name = path.relative_to(os.path.commonpath([p.parent for p in self.paths]))
        return [f"{name} {place}" for place in said]
