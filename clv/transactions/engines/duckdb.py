"""The embedded engine: the only file that knows DuckDB."""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, cast

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from clv.errors import OrdersError
from clv.transactions.engines.base import Engine, not_utf8

__all__ = ["DuckDBEngine"]

SUM = dt.Decimal(38, 4)
"""The type of a sum of amounts."""


class DuckDBEngine(Engine):
    """DuckDB inside this process: one machine, out of core.

    Examples
    --------
    >>> engine = DuckDBEngine()
    >>> table = engine.from_arrow(pa.table({"x": [1, 2]}))
    >>> engine.collect(table.aggregate(total=table["x"].sum())).to_pylist()
    [{'total': 3}]
    """

    name: ClassVar[str] = "duckdb"

    def __init__(self) -> None:
        self.backend = ibis.duckdb.connect()
        # The date of an instant must not depend on the machine's time zone.
        self.backend.con.execute("SET TimeZone = 'UTC'")

    def read_csv(self, paths: Sequence[Path], columns: Sequence[str], delimiter: str) -> ir.Table:
        """Open CSV files: see :meth:`Engine.read_csv`."""
        # Nothing is guessed from a sample: ids keep their zeros, every file reads the same way.
        return self.backend.read_csv(
            _literal(paths),
            hive_partitioning=False,
            header=True,
            auto_detect=False,
            columns=dict.fromkeys(columns, "VARCHAR"),
            delim=delimiter,
            quote='"',
            escape='"',
        )

    def read_parquet(self, paths: Sequence[Path]) -> ir.Table:
        """Open Parquet files: see :meth:`Engine.read_parquet`."""
        return self.backend.read_parquet(_literal(paths), hive_partitioning=False)

    def from_arrow(self, table: pa.Table) -> ir.Table:
        """Open a table of this process: see :meth:`Engine.from_arrow`."""
        name = ibis.util.gen_name("clv")
        self.backend.con.register(name, table)
        return self.backend.table(name)

    def materialise(self, table: ir.Table) -> ir.Table:
        """Compute a table once and keep it: see :meth:`Engine.materialise`."""
        name = ibis.util.gen_name("clv")
        # One statement: Ibis' own create_table inserts into an empty table, which is slower.
        query = self.backend.compile(table)
        self.backend.con.execute(f'CREATE TEMP TABLE "{name}" AS {query}')
        return self.backend.table(name)

    def drop(self, table: ir.Table) -> None:
        """Let a table go: see :meth:`Engine.drop`."""
        name = cast("ops.DatabaseTable", table.op()).name
        self.backend.con.execute(f'DROP TABLE "{name}"')

    def collect(self, table: ir.Table) -> pa.Table:
        """Bring a table into this process: see :meth:`Engine.collect`."""
        return self.backend.to_pyarrow(table)

    def strptime(self, text: ir.StringValue, layout: str) -> ir.DateValue:
        """Read text as a date: see :meth:`Engine.strptime`."""
        return cast("ir.DateValue", _try_strptime(text, layout).date())

    def on_first_day(self, amount: ir.Column, day: ir.Column) -> ir.DecimalScalar:
        """Return a group's amount on its first day: see :meth:`Engine.on_first_day`."""
        # Ibis' own argmin sorts each group here, which takes twice as long.
        return cast("ir.DecimalScalar", _arg_min(amount, day))

    def numbered(self, table: ir.Table) -> ir.Table:
        """Add the place of each row: see :meth:`Engine.numbered`."""
        return table.mutate(_row=ibis.row_number())

    @contextlib.contextmanager
    def told(self, name: str) -> Iterator[None]:
        """Tell a failure as a fault of a source: see :meth:`Engine.told`."""
        try:
            yield
        except duckdb.Error as error:
            said = str(error).strip()
            if "utf-8" in said.casefold() or "unicode" in said.casefold():
                raise not_utf8(name) from error
            reason = re.sub(r"^([A-Z]\w+ )+Error: ", "", said.split("\nLINE ")[0])
            lines = [line.strip() for line in reason.splitlines() if line.strip()]
            raise OrdersError(f"{name!r} cannot be read: {' '.join(lines[:3])}") from error

    def close(self) -> None:
        """Let go of everything: see :meth:`Engine.close`."""
        self.backend.disconnect()


def _literal(paths: Sequence[Path]) -> list[str]:
    """Name these files and no others: the engine reads patterns into names, as in `orders[1].csv`.

    For the same reason a folder such as `date=2024-01-31` is no column (`hive_partitioning`).
    """
    return [glob.escape(str(path)) for path in paths]


@ibis.udf.scalar.builtin(name="try_strptime")  # type: ignore[untyped-decorator]
def _try_strptime(text: str, layout: str) -> datetime:  # type: ignore[empty-body]
    """DuckDB's own."""


@ibis.udf.agg.builtin(name="arg_min", signature=((SUM, dt.date), SUM))  # type: ignore[untyped-decorator]
def _arg_min(amount: Decimal, day: date) -> Decimal:  # type: ignore[empty-body]
    """DuckDB's own."""
