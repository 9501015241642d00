"""Spark: the only file that knows it. Imported where Spark is asked for, an optional extra."""

from __future__ import annotations

import contextlib
import re
import shutil
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from clv.errors import EngineError, OrdersError, RequestError
from clv.transactions.engines.base import Engine
from clv.transactions.engines.spark_session import reason
from clv.transactions.engines.spark_session import session as start

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkEngine"]

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # Folders such as `date=2024-01-31` are text: nothing is guessed.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # A row with too many values is a fault also where the columns at fault are not asked for.
    "spark.sql.csv.parser.columnPruning.enabled": "false",
}

CONSTRAINTS = "spark.sql.constraintPropagation.enabled"

PART = 1 << 33
"""Spark numbers the rows of part p from p times this; no part has as many rows."""

JAVA_PATTERNS = {
    "%Y": "yyyy", "%m": "M", "%d": "d", "%b": "MMM", "%B": "MMMM", "%y": "yy",
    "%H": "H", "%M": "m", "%S": "s",
}  # fmt: skip
"""The letters of :func:`time.strptime` as Java writes them."""


DAY, CLOCK = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}", r"\d{1,2}:\d{1,2}(:\d{1,2}(\.\d+)?)?"
OFFSET = r"(Z| ?[A-Z][A-Za-z_]+(/[A-Za-z_+-]+)+|[+-]\d{2}(:?\d{2})?)"


class SparkEngine(Engine):
    """Spark, on this machine or on a cluster: when one machine is not enough.

    Needs the extra `spark` and, on this machine, Java 17 or 21. Settings are those of a session of
    its own: other work in the same Spark application is not changed.

    Parameters
    ----------
    url : str, optional
        The cluster, such as "spark://host:7077" or, of Spark Connect, "sc://host:15002"; Spark
        inside this machine by default. Workers must see the files of the orders under the same
        paths, and the folder in which a book is built.
    memory : str, optional
        Memory of Spark where it runs on this machine, such as "4GB".
    threads : int, optional
        Cores that it uses there; all by default.

    Raises
    ------
    EngineError
        Where Spark or Java is not installed, or the cluster does not answer.
    RequestError
        Where memory or threads make no sense, or are asked for of a cluster.
    """

    name: ClassVar[str] = "spark"
    library: ClassVar[str] = "pyspark"

    def __init__(
        self, url: str | None = None, *, memory: str | None = None, threads: int | None = None
    ) -> None:
        self.check(memory, threads)
        if url is not None and (memory is not None or threads is not None):
            raise RequestError(
                "Memory and threads are those of Spark on this machine; a cluster has its own."
            )
        self._open(start(url, memory, threads))

    @classmethod
    def of(cls, session: SparkSession) -> SparkEngine:
        """Use a Spark session that is there, with settings of its own.

        Parameters
        ----------
        session : pyspark.sql.SparkSession
            Of this machine or a cluster.
        """
        engine = cls.__new__(cls)
        engine._open(session)  # noqa: SLF001  its own
        return engine

    @classmethod
    def over(cls, backend: Any) -> SparkEngine | None:
        """Use the connection of somebody's Ibis tables, if dates mean the same there.

        Its settings are not changed: where its time zone is not UTC there is no engine of it.
        """
        session = backend._session  # noqa: SLF001  Ibis has no public name for it
        if session.conf.get("spark.sql.session.timeZone") not in {"UTC", "Etc/UTC"}:
            return None
        engine = cls.__new__(cls)
        engine._take(session, backend)  # noqa: SLF001  its own
        return engine

    def _open(self, session: SparkSession) -> None:
        own = session.newSession()
        for name, value in SETTINGS.items():
            own.conf.set(name, value)
        with warnings.catch_warnings():
            # Spark is not yet sure of pandas 3; rows pass between it and us as Arrow data.
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
            self._take(own, ibis.pyspark.connect(own))

    def _take(self, session: SparkSession, backend: Any) -> None:
        self.session, self.backend = session, backend
        super().__init__(backend)

    def with_instants(self, table: ir.Table) -> ir.Table:
        """Say of a table which times are instants: to Ibis all of Spark's are those of a wall."""
        fields = self.session.sql(self.backend.compile(table)).schema.fields
        instants = [field.name for field in fields if field.dataType.typeName() == "timestamp"]
        if not instants:
            return table
        return table.mutate(**{n: table[n].cast(dt.Timestamp("UTC")) for n in instants})

    def read_csv(self, paths: Sequence[Path], columns: Sequence[str], delimiter: str) -> ir.Table:
        """Open CSV files: see :meth:`Engine.read_csv`."""
        from pyspark.sql.types import StringType, StructField, StructType

        frame = self.session.read.csv(
            _literal(paths),
            schema=StructType([StructField(name, StringType()) for name in columns]),
            sep=delimiter,
            quote='"',
            escape='"',
            header=True,
            multiLine=True,  # a quoted value may hold a line break
            mode="FAILFAST",
        )
        return self._view(frame)

    def read_parquet(self, paths: Sequence[Path], root: Path | None = None) -> ir.Table:
        """Open Parquet files: see :meth:`Engine.read_parquet`."""
        options = {} if root is None else {"basePath": str(root.absolute())}
        frame = self.session.read.options(**options).parquet(*_literal(paths))
        return self.with_instants(self._view(frame))

    def from_arrow(self, rows: pa.Table | pa.RecordBatchReader) -> ir.Table:
        """Open or keep rows: see :meth:`Engine.from_arrow`."""
        table = rows if isinstance(rows, pa.Table) else rows.read_all()
        frame = self.session.createDataFrame(_plain(table))
        for field in table.schema:  # else a time on some wall would be an instant
            if pa.types.is_timestamp(field.type) and field.type.tz is None:
                frame = frame.withColumn(field.name, frame[field.name].cast("timestamp_ntz"))
        return self.with_instants(self._view(frame))

    def materialise(self, table: ir.Table) -> ir.Table:
        """Compute a table once and keep it: see :meth:`Engine.materialise`."""
        # A view that is only cached keeps the whole plan it was made by, and plans of plans grow
        # beyond all bounds; a checkpoint on the workers forgets it.
        before = str(self.session.conf.get(CONSTRAINTS))
        self.session.conf.set(CONSTRAINTS, "false")  # kept, they refer to columns that are gone
        try:
            kept = self._view(self._frame(table).localCheckpoint(eager=True))
        finally:
            self.session.conf.set(CONSTRAINTS, before)
        zoned = {n: t for n, t in table.schema().items() if t.is_timestamp() and t.timezone}
        return kept.cast(zoned) if zoned else kept

    def drop(self, table: ir.Table) -> None:
        """Let a table go: see :meth:`Engine.drop`."""
        (kept,) = table.op().find(ops.DatabaseTable)
        self.session.catalog.dropTempView(kept.name)  # Spark lets go of what nothing refers to

    def collect(self, table: ir.Table) -> pa.Table:
        """Bring a table into this process: see :meth:`Engine.collect`."""
        found = self._frame(table).toArrow()
        walls = {n for n, t in table.schema().items() if t.is_timestamp() and t.timezone is None}
        return found.cast(
            pa.schema(
                [(f.name, pa.timestamp("us") if f.name in walls else f.type) for f in found.schema]
            )
        )

    def write_parquet(
        self,
        table: ir.Table,
        path: Path,
        *,
        partition_by: Sequence[str] = (),
        row_group_size: int | None = None,
    ) -> None:
        """Compute a table and write it: see :meth:`Engine.write_parquet`."""
        parts = path if partition_by else path.with_name(f".{path.name}.parts")
        try:
            self._frame(table).write.mode("overwrite").parquet(
                str(parts.absolute()),
                partitionBy=list(partition_by) or None,
                compression="zstd" if partition_by else "snappy",
            )
            if not partition_by:
                _merge(parts, path, row_group_size)
        except Exception as error:
            if "No space left" in str(error):
                raise OSError(reason(error)) from None
            raise
        finally:
            if not partition_by:
                shutil.rmtree(parts, ignore_errors=True)

    def strptime(self, text: ir.StringValue, layout: str) -> ir.DateValue:
        """Read text as a date: see :meth:`Engine.strptime`."""
        pattern = re.sub(r"%[A-Za-z]", lambda m: JAVA_PATTERNS[m[0]], layout)
        if layout == "%Y%m%d":  # without marks between them, months and days have two digits
            pattern = "yyyyMMdd"
        return cast("ir.DateValue", _try_to_timestamp(text, pattern).date())

    def wall_time(self, text: ir.StringValue) -> ir.TimestampValue:
        """Read text as a time without an offset: see :meth:`Engine.wall_time`."""
        return self._time(text, f"^{DAY}([ T]{CLOCK})?$")

    def instant(self, text: ir.StringValue) -> ir.TimestampValue:
        """Read text as a time with an offset: see :meth:`Engine.instant`."""
        plain = text.re_replace(" (UTC|GMT)$", "Z")
        plain = plain.re_replace(r"([ T]\d{1,2}:\d{1,2})( ?[A-Z+-])", "$1:00$2")
        return self._time(plain, f"^{DAY}[ T]{CLOCK}{OFFSET}$")

    def _time(self, text: ir.StringValue, shape: str) -> ir.TimestampValue:
        # Spark takes 2024 and 10 o'clock for whole times, and knows no slash.
        written = text.re_replace(r"^(\d{4})/(\d{1,2})/", "$1-$2-")
        found = written.try_cast(dt.Timestamp("UTC")).cast(dt.Timestamp())
        return cast("ir.TimestampValue", ibis.ifelse(text.re_search(shape), found, None))

    def on_first_day(self, amount: ir.Column, day: ir.Column) -> ir.DecimalScalar:
        """Return a group's amount on its first day: see :meth:`Engine.on_first_day`."""
        return cast("ir.DecimalScalar", amount.argmin(day))

    def numbered(self, table: ir.Table) -> ir.Table:
        """Add the place of each row: see :meth:`Engine.numbered`."""
        # A window over all rows would bring them to one worker. Spark numbers those of each part
        # by themselves; of the parts before it is enough to know how many there are.
        placed = table.mutate(_place=_monotonically_increasing_id())
        part = (placed["_place"] // PART).cast(dt.int32)
        parts = placed.group_by(part=part).aggregate(rows=placed.count())
        known = {row["part"]: row["rows"] for row in self.collect(parts).to_pylist()}
        sizes = [known.get(i, 0) for i in range(max(known, default=0) + 1)]
        before = ibis.array([ibis.literal(n, dt.int64) for n in accumulate([0, *sizes[:-1]])])
        return placed.mutate(_row=before[part] + placed["_place"] % PART).drop("_place")

    def local_time(self, utc: ir.TimestampValue, zone: str) -> ir.TimestampValue:
        """Return what clocks show: see :meth:`Engine.local_time`."""
        return cast("ir.TimestampValue", _convert_timezone("UTC", zone, utc))

    def utc_time(self, local: ir.TimestampValue, zone: str) -> ir.TimestampValue:
        """Return times in UTC: see :meth:`Engine.utc_time`."""
        return cast("ir.TimestampValue", _convert_timezone(zone, "UTC", local))

    def fingerprint(self, lines: ir.StringColumn) -> ir.Scalar:
        """Sum bits of the lines' hashes: see :meth:`Engine.fingerprint`."""
        return _conv(_md5(lines)[:15], 16, 10).cast(dt.Decimal(38, 0)).sum()

    @contextlib.contextmanager
    def told(self, name: str) -> Iterator[None]:
        """Tell a failure as a fault of a source: see :meth:`Engine.told`."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            yield
        except (PySparkException, Py4JError) as error:
            if "OutOfMemoryError" in str(error):
                raise EngineError(
                    "Spark has not enough memory. Give it more: on this machine --memory 8GB (in "
                    "Python clv.SparkEngine(memory='8GB')), on a cluster by its own settings."
                ) from error
            raise OrdersError(f"{name!r} cannot be read: {reason(error)}") from error

    def _frame(self, table: ir.Table) -> DataFrame:
        doubles = cast("ir.Table", table.op().replace(_as_double).to_expr())
        return self.session.sql(self.backend.compile(doubles))

    def _view(self, frame: DataFrame) -> ir.Table:
        name = ibis.util.gen_name("clv")
        frame.createOrReplaceTempView(name)
        return self.backend.table(name)


def _merge(parts: Path, path: Path, row_group_size: int | None) -> None:
    """Write the files of a folder, in order, as one, a group of rows at a time."""
    files = sorted(parts.glob("*.parquet"))
    size = row_group_size or 1 << 20
    schema = _opened(files[0]).schema_arrow.remove_metadata()
    with pq.ParquetWriter(path, schema, compression="snappy") as out:
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for file in files:
            for batch in _opened(file).iter_batches(batch_size=size):
                waiting.append(batch.cast(schema))
                rows += len(batch)
                while rows >= size:
                    table = pa.Table.from_batches(waiting, schema)
                    out.write_table(table.slice(0, size), row_group_size=size)
                    waiting, rows = table.slice(size).to_batches(), rows - size
        if waiting or not files:
            out.write_table(pa.Table.from_batches(waiting, schema), row_group_size=size)


def _opened(file: Path) -> pq.ParquetFile:
    """A file of Spark's; its times are of an old type, else read as nanoseconds."""
    return pq.ParquetFile(file, coerce_int96_timestamp_unit="us")


def _plain(table: pa.Table) -> pa.Table:
    """A table of types that Spark has: texts are no categories and not large."""

    def kind(of: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(of):
            return kind(of.value_type)
        if pa.types.is_large_string(of) or pa.types.is_string_view(of) or pa.types.is_null(of):
            return pa.string()
        if pa.types.is_timestamp(of):
            return pa.timestamp("us", of.tz)
        if pa.types.is_unsigned_integer(of):
            return pa.int64()
        return of

    return table.cast(pa.schema([(f.name, kind(f.type)) for f in table.schema]))


def _as_double(node: ops.Node, changed: dict[str, Any] | None) -> ops.Node:
    """To Spark 7.0 is a decimal, and so is all that is computed with it."""
    if changed:
        node = node.__recreate__(changed)
    if isinstance(node, ops.Literal) and node.dtype.is_floating():
        return ops.Cast(node, dt.float64)
    return node


def _literal(paths: Sequence[Path]) -> list[str]:
    """Name these files and no others: Hadoop reads patterns into names."""
    return [re.sub(r"([\[\]{}*?\\])", r"\\\1", str(path.absolute())) for path in paths]


@ibis.udf.scalar.builtin(name="try_to_timestamp")  # type: ignore[untyped-decorator]
def _try_to_timestamp(text: str, pattern: str) -> datetime:  # type: ignore[empty-body]
    """Spark's own."""


@ibis.udf.scalar.builtin(name="convert_timezone")  # type: ignore[untyped-decorator]
def _convert_timezone(source: str, target: str, time: datetime) -> datetime:  # type: ignore[empty-body]
    """Spark's own."""


@ibis.udf.scalar.builtin(name="monotonically_increasing_id")  # type: ignore[untyped-decorator]
def _monotonically_increasing_id() -> int:  # type: ignore[empty-body]
    """Spark's own."""


@ibis.udf.scalar.builtin(name="md5")  # type: ignore[untyped-decorator]
def _md5(text: str) -> str:  # type: ignore[empty-body]
    """Spark's own."""


@ibis.udf.scalar.builtin(name="conv")  # type: ignore[untyped-decorator]
def _conv(text: str, base: int, to: int) -> str:  # type: ignore[empty-body]
    """Spark's own."""
