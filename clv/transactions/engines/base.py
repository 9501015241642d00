"""What an engine can do: the contract that all of them keep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import ibis.expr.types as ir
import pyarrow as pa

from clv.errors import OrdersError

__all__ = ["Engine", "not_utf8"]


class Engine(ABC):
    """What computes over the rows of a source.

    Tables belong to the engine that made them. What the engine has set up for itself (memory,
    temporary files) goes when nothing refers to it or its tables any more, or with :meth:`close`.

    Attributes
    ----------
    name : str
        What it is called in options and in a book.
    """

    name: ClassVar[str]

    @abstractmethod
    def read_csv(self, paths: Sequence[Path], columns: Sequence[str], delimiter: str) -> ir.Table:
        """Open CSV files of the same columns as one table of texts.

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
    def read_parquet(self, paths: Sequence[Path]) -> ir.Table:
        """Open Parquet files of the same columns as one table; names are taken as in CSV."""

    @abstractmethod
    def from_arrow(self, table: pa.Table) -> ir.Table:
        """Open a table of this process."""

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
    def strptime(self, text: ir.StringValue, layout: str) -> ir.DateValue:
        """Read text as a date in a `strptime` layout; null where it is not one."""

    @abstractmethod
    def on_first_day(self, amount: ir.Column, day: ir.Column) -> ir.DecimalScalar:
        """Return a group's amount on its first day; each day must be there once."""

    @abstractmethod
    def numbered(self, table: ir.Table) -> ir.Table:
        """Add `_row`: the place of each row of one file or frame, from 0."""

    @abstractmethod
    def told(self, name: str) -> AbstractContextManager[Any]:
        """Tell a failure of the engine as an OrdersError about a source of this name."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; the engine's tables are gone with it."""


def not_utf8(name: str) -> OrdersError:
    """Return the error that tells how to mend a file that is not UTF-8 text."""
    return OrdersError(
        f"{name!r} is not UTF-8 text. Save it as UTF-8 (in a spreadsheet: Save As, CSV UTF-8), or "
        "convert it: iconv -f latin1 -t utf-8 IN > OUT."
    )
