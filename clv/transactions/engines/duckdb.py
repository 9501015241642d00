"""The embedded engine: the only file that knows DuckDB."""

from __future__ import annotations

import contextlib
import glob
import re
import weakref
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
from ibis.backends.duckdb import Backend

from clv.errors import EngineError, OrdersError
from clv.transactions.engines.attached import Attached
from clv.transactions.engines.base import LONGEST_LINE, Engine
from clv.transactions.report import counted, quoted

__all__ = ["DuckDBEngine"]

SUM = dt.Decimal(38, 4)
"""The type of a sum of amounts."""

SECONDS = len("2024-01-31 23:59:59")
"""Letters of a time to the second, which need no closer look."""

CSV_ERROR = re.compile(
    r"CSV Error on Line: (?P<line>\d+)\nOriginal Line: (?P<text>.*?)\s*\n(?:"
    r"Expected Number of Columns: (?P<wanted>\d+) Found: (?P<found>\d+)"
    r"|Maximum line size of \d+ bytes exceeded. Actual Size:(?P<size>\d+)"
    r"|Value with unterminated quote)",
    re.DOTALL,
)
DECIMAL_COMMA = re.compile(r"(?:^|,)(-?\d+,\d{1,2})(?:,\D*)?$")
"""A number at the end of a line, in which a comma may stand before the decimals."""
NOT_IN_ALL = re.compile(
    r'column "(?P<column>.*)" was read from the original file "(?P<first>.*?)", but could not be '
    r'found in file "(?P<file>.*?)"'
)


class DuckDBEngine(Engine):
    """DuckDB inside this process: one machine, all its cores, and data larger than its memory.

    Parameters
    ----------
    memory : str, optional
        The most memory that DuckDB takes, such as "4GB"; what does not fit goes to a private
        temporary folder (in the folder that the environment variable `TMPDIR` names). Four fifths
        of the machine's memory by default.
    threads : int, optional
        How many threads compute; one for each core by default.

    Raises
    ------
    RequestError
        Where either makes no sense.

    Examples
    --------
    >>> import clv
    >>> engine = clv.DuckDBEngine(memory="2GB", threads=2)
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"), engine=engine)
    >>> orders.report.rows_read
    6919
    """

    name: ClassVar[str] = "duckdb"
    library: ClassVar[str] = "duckdb"

    def __init__(self, *, memory: str | None = None, threads: int | None = None) -> None:
        self.check(memory, threads)
        self.memory = memory
        self.backend = ibis.duckdb.connect()
        super().__init__(self.backend)
        run = self.backend.con.execute
        # The date of an instant must not depend on the machine's time zone.
        run("SET TimeZone = 'UTC'")
        run(f"SET temp_directory = {_quoted(str(self.folder / 'duckdb'))}")
        if memory is not None:
            run(f"SET memory_limit = {_quoted(memory.strip())}")
        if threads is not None:
            run(f"SET threads = {int(threads)}")

    @classmethod
    def over(cls, backend: Backend) -> DuckDBEngine | None:
        """Take over the connection of somebody's Ibis tables, if dates mean the same there.

        Its settings are not changed: where its time zone is not UTC there is no engine of it.
        """
        ((zone,),) = backend.con.execute("SELECT current_setting('TimeZone')").fetchall()
        if zone not in {"UTC", "Etc/UTC"}:
            return None
        engine = cls.__new__(cls)
        engine.memory, engine.backend = None, backend
        Engine.__init__(engine, backend)
        return engine

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

    def read_parquet(self, paths: Sequence[Path], root: Path | None = None) -> ir.Table:
        """Open Parquet files: see :meth:`Engine.read_parquet`."""
        if root is None:
            return _instants_known(
                self.backend.read_parquet(
                    _literal(paths), hive_partitioning=False, binary_as_string=True
                )
            )
        table = _instants_known(
            self.backend.read_parquet(
                _literal(paths),
                hive_partitioning=True,
                hive_types_autocast=False,
                binary_as_string=True,  # Impala and old Spark do not mark their texts as text
            )
        )
        # DuckDB makes columns of the folders above the root too.
        above = set(_keys(root)) - set(_keys(paths[0].parent.relative_to(root)))
        return table.drop(*above)

    def from_arrow(self, rows: pa.Table | pa.RecordBatchReader) -> ir.Table:
        """Open or keep rows: see :meth:`Engine.from_arrow`."""
        name = ibis.util.gen_name("clv")
        if isinstance(rows, pa.Table):
            self.backend.con.register(name, rows)
            table = self.backend.table(name)
            # Every expression that is made of the table holds its operation.
            weakref.finalize(table.op(), _forget, self.backend.con, name)
            return table
        failed: list[Exception] = []
        batches = pa.RecordBatchReader.from_batches(rows.schema, _heard(rows, failed))
        self.backend.con.register(name, batches)
        try:
            return self._keep(f'FROM "{name}"')
        except duckdb.Error:
            if failed:
                raise OSError(str(failed[0])) from None
            raise
        finally:
            self.backend.con.unregister(name)

    def attach(self, file: Path) -> Attached:
        """Open a DuckDB database file for reading."""
        catalog = ibis.util.gen_name("clv")
        with self.told(str(file)):
            # Absolute: the name of an extension would stand before the colon in `shop:2024.duckdb`.
            where = _quoted(str(file.absolute()))
            self.backend.con.execute(f'ATTACH {where} AS "{catalog}" (READ_ONLY)')
        return Attached(self, catalog)

    def materialise(self, table: ir.Table) -> ir.Table:
        """Compute a table once and keep it: see :meth:`Engine.materialise`."""
        # One statement: Ibis' own create_table inserts into an empty table, which is slower.
        return self._keep(self.backend.compile(table))

    def drop(self, table: ir.Table) -> None:
        """Let a table go: see :meth:`Engine.drop`."""
        name = cast("ops.DatabaseTable", table.op()).name
        self.backend.con.execute(f'DROP TABLE "{name}"')

    def collect(self, table: ir.Table) -> pa.Table:
        """Bring a table into this process: see :meth:`Engine.collect`."""
        return self.backend.to_pyarrow(table)

    def batches(self, table: ir.Table) -> pa.RecordBatchReader:
        """Bring a table into this process batch by batch."""
        return self.backend.con.sql(self.backend.compile(table)).to_arrow_reader(50_000)

    def write_parquet(
        self,
        table: ir.Table,
        path: Path,
        *,
        partition_by: Sequence[str] = (),
        row_group_size: int | None = None,
    ) -> None:
        """Compute a table and write it: see :meth:`Engine.write_parquet`."""
        options = ["FORMAT parquet"]
        if partition_by:
            names = ", ".join(f'"{name}"' for name in partition_by)
            options += ["COMPRESSION zstd", f"PARTITION_BY ({names})", "OVERWRITE"]
        else:
            # Half the time of zstd; a dictionary of floats costs most of what is left.
            options += ["COMPRESSION snappy", "DICTIONARY_SIZE_LIMIT 2000"]
        if row_group_size is not None:
            options.append(f"ROW_GROUP_SIZE {int(row_group_size)}")
        query = self.backend.compile(table)
        try:
            self.backend.con.execute(
                f"COPY ({query}) TO {_quoted(str(path))} ({', '.join(options)})"
            )
        except duckdb.IOException as error:
            raise OSError(str(error)) from None

    def strptime(self, text: ir.StringValue, layout: str) -> ir.DateValue:
        """Read text as a date: see :meth:`Engine.strptime`."""
        found = _try_strptime(text, layout).date()
        # To DuckDB these words are dates in every layout.
        word = text.lower().isin(["epoch", "infinity", "-infinity"])
        return cast("ir.DateValue", ibis.ifelse(word, None, found))

    def wall_time(self, text: ir.StringValue) -> ir.TimestampValue:
        """Read text as a time without an offset: see :meth:`Engine.wall_time`."""
        found = text.try_cast(dt.Timestamp())
        # DuckDB passes over what stands behind a time, such as PM and EST, and `epoch` is a date.
        odd = ~text.right(1).between("0", "9") | ~text.left(1).between("0", "9")
        alone = text.re_search(r"^[\d/-]+[ Tt]+[\d:.]+$")
        longer = ibis.cases((text.length() > SECONDS, ~alone), else_=False)
        return cast("ir.TimestampValue", ibis.ifelse(odd | longer, None, found))

    def instant(self, text: ir.StringValue) -> ir.TimestampValue:
        """Read text as a time with an offset: see :meth:`Engine.instant`."""
        return cast("ir.TimestampValue", text.try_cast(dt.Timestamp("UTC")).cast(dt.Timestamp()))

    def local_time(self, utc: ir.TimestampValue, zone: str) -> ir.TimestampValue:
        """Return what clocks show: see :meth:`Engine.local_time`."""
        return cast("ir.TimestampValue", _wall(zone, _instant("UTC", utc)))

    def utc_time(self, local: ir.TimestampValue, zone: str) -> ir.TimestampValue:
        """Return times in UTC: see :meth:`Engine.utc_time`."""
        return cast("ir.TimestampValue", _wall("UTC", _instant(zone, local)))

    def on_first_day(self, amount: ir.Column, day: ir.Column) -> ir.DecimalScalar:
        """Return a group's amount on its first day: see :meth:`Engine.on_first_day`."""
        # Ibis' own argmin sorts each group here, which takes twice as long.
        return cast("ir.DecimalScalar", _arg_min(amount, day))

    def numbered(self, table: ir.Table) -> ir.Table:
        """Add the place of each row: see :meth:`Engine.numbered`."""
        return table.mutate(_row=ibis.row_number())

    def fingerprint(self, lines: ir.StringColumn) -> ir.Scalar:
        """Sum bits of the lines' hashes: see :meth:`Engine.fingerprint`."""
        return ("0x" + _md5(lines)[:15]).cast("int64").cast(dt.Decimal(38, 0)).sum()

    @contextlib.contextmanager
    def told(self, name: str) -> Iterator[None]:
        """Tell a failure as a fault of a source: see :meth:`Engine.told`."""
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            if "disk" in str(error) or "directory" in str(error):
                raise EngineError(
                    f"The disk is too small for what does not fit in memory, {self.folder}. Let "
                    "the environment variable TMPDIR name a folder with more room."
                ) from error
            limit = f" (the limit is {self.memory})" if self.memory else ""
            raise EngineError(
                f"DuckDB has not enough memory{limit}. Give it more (--memory 8GB; in Python "
                "engine=clv.DuckDBEngine(memory='8GB')), or fewer threads (--threads 1)."
            ) from error
        except duckdb.Error as error:
            raise OrdersError(f"{name!r} cannot be read: {_in_words(str(error))}") from error

    def close(self) -> None:
        """Let go of everything: see :meth:`Engine.close`."""
        self.backend.disconnect()
        super().close()

    def _keep(self, query: str) -> ir.Table:
        name = ibis.util.gen_name("clv")
        self.backend.con.execute(f'CREATE TEMP TABLE "{name}" AS {query}')
        return self.backend.table(name)


def _heard(rows: pa.RecordBatchReader, failed: list[Exception]) -> Iterator[pa.RecordBatch]:
    """The batches of a reader; what goes wrong in it is kept, for DuckDB tells it its own way."""
    try:
        yield from rows
    except Exception as error:
        failed.append(error)
        raise


def _forget(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    with contextlib.suppress(duckdb.Error):  # it may be closed already
        connection.unregister(name)


def _in_words(said: str) -> str:
    """What DuckDB says of files that it cannot read, as their owner would say it."""
    if found := CSV_ERROR.search(said):
        where = f"line {found['line']} ({quoted(found['text'])})"
        if found["wanted"]:
            more = int(found["found"]) > int(found["wanted"])
            then = "A value that holds the sign between the columns stands in quotes."
            if more and (number := DECIMAL_COMMA.search(found["text"])):
                then = (
                    f"If {number[1]} is a number with a decimal comma, export with semicolons "
                    "between the columns, or put such numbers in quotes."
                )
            return (
                f"{where} has {counted(int(found['found']), 'value')}, and the first line names "
                f"{counted(int(found['wanted']), 'column')}. {then}"
            )
        if found["size"]:
            return (
                f"{where} has {int(found['size']):,} bytes; a line may have {LONGEST_LINE:,}. Is a "
                "quote opened in it and never closed?"
            )
        return f"{where} opens a quote that is not closed where its value ends."
    if "state machine reached an invalid state" in said:
        return (
            "some of its lines end as on Windows and some do not (tr -d '\\r' < IN > OUT makes "
            "them alike), or something stands behind a quote that closes a value."
        )
    if found := NOT_IN_ALL.search(said):
        return (
            f"{found['file']!r} has no column {found['column']!r}, which {found['first']!r} has. "
            "Read files of the same columns together."
        )
    said = re.sub(r"^([A-Z]\w+ )+Error: ", "", said.strip().split("\nLINE ")[0])
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(lines[:3])


def _instants_known(table: ir.Table) -> ir.Table:
    """Times in nanoseconds and with a zone as those in microseconds: Ibis does not know them."""
    unknown = [
        name
        for name, kind in table.schema().items()
        if kind.is_unknown() and "TIMESTAMPTZ_NS" in repr(kind)
    ]
    return (
        table.mutate(**{name: table[name].cast(INSTANT) for name in unknown}) if unknown else table
    )


def _literal(paths: Sequence[Path]) -> list[str]:
    """Name these files and no others: the engine reads patterns into names, as in `orders[1].csv`.

    For the same reason a folder such as `date=2024-01-31` is no column (`hive_partitioning`).
    """
    return [glob.escape(str(path)) for path in paths]


def _keys(folder: Path) -> list[str]:
    return [part.partition("=")[0] for part in folder.parts if "=" in part]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@ibis.udf.scalar.builtin(name="try_strptime")  # type: ignore[untyped-decorator]
def _try_strptime(text: str, layout: str) -> datetime:  # type: ignore[empty-body]
    """DuckDB's own."""


@ibis.udf.scalar.builtin(name="md5")  # type: ignore[untyped-decorator]
def _md5(text: str) -> str:  # type: ignore[empty-body]
    """DuckDB's own."""


WALL, INSTANT = dt.Timestamp(), dt.Timestamp("UTC")


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, WALL), INSTANT))  # type: ignore[untyped-decorator]
def _instant(zone: str, wall: datetime) -> datetime:  # type: ignore[empty-body]
    """DuckDB's own, of a time without a zone: the instant at which its clocks show it."""


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, INSTANT), WALL))  # type: ignore[untyped-decorator]
def _wall(zone: str, instant: datetime) -> datetime:  # type: ignore[empty-body]
    """DuckDB's own, of an instant: what the clocks of the zone show."""


@ibis.udf.agg.builtin(name="arg_min", signature=((SUM, dt.date), SUM))  # type: ignore[untyped-decorator]
def _arg_min(amount: Decimal, day: date) -> Decimal:  # type: ignore[empty-body]
    """DuckDB's own."""
