"""What an engine can do: the contract that all of them keep."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import ibis.expr.types as ir
import pyarrow as pa

from clv.errors import RequestError
from clv.transactions.report import counted

__all__ = ["LONGEST_LINE", "MOST_THREADS", "Engine", "memory_bytes"]

LONGEST_LINE = 2_000_000
"""Bytes of a line of a CSV file: as many as DuckDB reads by default."""

MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", re.IGNORECASE)
"""How an amount of memory is written: 4GB is 4 * 1000**3 bytes, 4GiB 4 * 1024**3."""

MOST_MEMORY = 1000**6
"""A million terabytes, which no machine has; what engines can count ends not far above it."""

MOST_THREADS = 8
"""The most threads for each core (assumed): more wait for each other, and each takes memory."""


def memory_bytes(written: str) -> int | None:
    """Return how many bytes an amount of memory is; None where it is not written as one.

    Parameters
    ----------
    written : str
        Such as "4GB" or "1.5 GiB".

    Examples
    --------
    >>> memory_bytes("1.5 GiB")
    1610612736
    """
    found = MEMORY.fullmatch(written.strip())
    if found is None:
        return None
    size, unit = found.groups()
    base = 1024 if "i" in unit.lower() else 1000
    return int(Decimal(size) * base ** ("KMGT".index(unit[0].upper()) + 1))


class Engine(ABC):
    """What computes over the rows of a source.

    Tables belong to the engine that made them. What the engine has set up for itself goes when
    nothing refers to it or its tables any more, or with :meth:`close`.

    Attributes
    ----------
    name : str
        What it is called in options and in a book.
    library : str
        The distribution that it is.
    folder : Path
        A private folder for temporary files, which goes with the engine.
    """

    name: ClassVar[str]
    library: ClassVar[str]

    def __init__(self, owner: object) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="clv-"))
        # Tables refer to the backend, not to this object: the folder stays as long as it does.
        self._remove_folder = weakref.finalize(owner, shutil.rmtree, self.folder, True)  # noqa: FBT003

    @staticmethod
    def check(memory: str | None, threads: int | None) -> None:
        """Refuse an amount of memory or a number of threads that makes no sense.

        Parameters
        ----------
        memory : str or None
            Such as "4GB".
        threads : int or None
            At least 1, and at most :data:`MOST_THREADS` for each core.
        """
        faults = []
        cores = os.cpu_count() or 1
        size = None if memory is None else memory_bytes(memory)
        if memory is not None and size is None:
            faults.append(f"The memory is {memory!r}; write it as 4GB or 500MB.")
        if size is not None and size > MOST_MEMORY:
            faults.append(
                f"The memory is {memory!r}, which no machine has; write it as 4GB or 500MB."
            )
        if threads is not None and threads < 1:
            faults.append(f"The number of threads is {threads}; it must be at least 1.")
        if threads is not None and threads > MOST_THREADS * cores:
            faults.append(
                f"The number of threads is {threads}; this machine has {counted(cores, 'core')}, "
                f"and more than {MOST_THREADS * cores} ({MOST_THREADS} a core) only wait for each "
                "other."
            )
        if faults:
            raise RequestError.of(faults)

    @abstractmethod
    def read_csv(self, paths: Sequence[Path], columns: Sequence[str], delimiter: str) -> ir.Table:
        """Open CSV files in UTF-8 with the same columns as one table of texts.

        Parameters
        ----------
        paths : sequence of Path
            The files, taken by name: no character of a name is a pattern.
        columns : sequence of str
            Names for their columns, whatever the header line says.
        delimiter : str
            Between the columns.

        Returns
        -------
        ibis.Table
            One row per record after the header.
        """

    @abstractmethod
    def read_parquet(self, paths: Sequence[Path], root: Path | None = None) -> ir.Table:
        """Open Parquet files of the same columns as one table.

        Parameters
        ----------
        paths : sequence of Path
            The files, taken by name: no character of a name is a pattern.
        root : Path, optional
            The folder below which names of folders such as `region=eu` are columns of texts.
        """

    @abstractmethod
    def from_arrow(self, rows: pa.Table | pa.RecordBatchReader) -> ir.Table:
        """Open a table of this process, or keep rows that come in batches.

        Raises
        ------
        OSError
            Where batches stop coming: the reason without where it happened.
        """

    @abstractmethod
    def materialise(self, table: ir.Table) -> ir.Table:
        """Compute a table once and keep it in the engine."""

    @abstractmethod
    def drop(self, table: ir.Table) -> None:
        """Let a table go that :meth:`materialise` made."""

    @abstractmethod
    def collect(self, table: ir.Table) -> pa.Table:
        """Compute a table and bring it into this process."""

    @abstractmethod
    def write_parquet(
        self,
        table: ir.Table,
        path: Path,
        *,
        partition_by: Sequence[str] = (),
        row_group_size: int | None = None,
    ) -> None:
        """Compute a table and write it: one file quickly, a folder of them densely.

        Parameters
        ----------
        table : ibis.Table
            What to write, in its order.
        path : Path
            A file, or with `partition_by` a folder of them; what stands there is replaced.
        partition_by : sequence of str
            Columns of which each combination has a folder of its own, such as `stage=new`.
        row_group_size : int, optional
            The most rows of one row group.

        Raises
        ------
        OSError
            Where it cannot be written, such as on a full disk.
        """

    @abstractmethod
    def strptime(self, text: ir.StringValue, layout: str) -> ir.DateValue:
        """Read text as a date; null where it is not one.

        Parameters
        ----------
        text : ibis string
            What is written.
        layout : str
            How, in the letters of :func:`time.strptime`.
        """

    @abstractmethod
    def local_time(self, utc: ir.TimestampValue, zone: str) -> ir.TimestampValue:
        """Return what the clocks of a time zone show.

        Parameters
        ----------
        utc : ibis timestamp
            At which times, in UTC.
        zone : str
            Name of the time zone, such as "Europe/Berlin".
        """

    @abstractmethod
    def utc_time(self, local: ir.TimestampValue, zone: str) -> ir.TimestampValue:
        """Return in UTC the times at which the clocks of a time zone show these.

        Parameters
        ----------
        local : ibis timestamp
            What the clocks show.
        zone : str
            Name of the time zone, such as "Europe/Berlin".
        """

    @abstractmethod
    def wall_time(self, text: ir.StringValue) -> ir.TimestampValue:
        """Read text as a time without an offset from UTC, ISO 8601; null where it is not one."""

    @abstractmethod
    def instant(self, text: ir.StringValue) -> ir.TimestampValue:
        """Read text as a time with an offset from UTC, and return it in UTC; else null."""

    @abstractmethod
    def on_first_day(self, amount: ir.Column, day: ir.Column) -> ir.DecimalScalar:
        """Return a group's amount on its first day.

        Parameters
        ----------
        amount : ibis column
            Of each day.
        day : ibis column
            The days, each there once.
        """

    @abstractmethod
    def numbered(self, table: ir.Table) -> ir.Table:
        """Add `_row`: the place of each row of one file or frame, from 0."""

    @abstractmethod
    def fingerprint(self, lines: ir.StringColumn) -> ir.Scalar:
        """Sum of the first 60 bits of each line's MD5: the same in any order of the lines."""

    @abstractmethod
    def told(self, name: str) -> AbstractContextManager[Any]:
        """Tell a failure of the engine as a ClvError about a source of this name."""

    def close(self) -> None:
        """Let go of everything; the engine's tables are gone with it."""
        self._remove_folder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
