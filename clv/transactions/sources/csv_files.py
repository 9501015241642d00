"""CSV files: their columns and delimiter, and the lines on which their rows stand."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import ibis.expr.types as ir

from clv.errors import OrdersError
from clv.transactions.engines.base import Engine, not_utf8
from clv.transactions.sources.base import Source

__all__ = ["CsvSource", "open_csv"]

DELIMITERS = ",;\t|"


@dataclass(frozen=True, eq=False)
class CsvSource(Source):
    """CSV files of the same columns.

    Attributes
    ----------
    delimiter : str
        Between the columns.
    """

    delimiter: str = ","

    def one_file(self, path: Path) -> ir.Table:
        """Open one of the files alone: see :meth:`Source.one_file`."""
        return self.engine.read_csv([path], list(self.table.columns), self.delimiter)

    def in_file(self, path: Path, numbers: Sequence[int]) -> list[str]:
        """Say on which lines rows begin: see :meth:`Source.in_file`."""
        return [f"line {n}" for n in line_numbers(path, self.delimiter, list(numbers))]


def open_csv(paths: list[Path], name: str, engine: Engine, what: str) -> CsvSource:
    """Open CSV files of the same columns as one source."""
    columns, delimiter = csv_layout(paths, what)
    with engine.told(str(paths[0])):
        table = engine.read_csv(paths, columns, delimiter)
    return CsvSource(table, name, "csv", engine, tuple(paths), delimiter)


def csv_layout(paths: list[Path], what: str = "orders") -> tuple[list[str], str]:
    """Return the columns (the first line, which all files share) and the delimiter."""
    columns, delimiter = _header(paths[0], what)
    faults = []
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        faults.append(
            f"{str(paths[0])!r} has more than one column named {', '.join(map(repr, twice))}."
        )
    for other in paths[1:]:
        theirs = _header(other, what)
        if theirs != (columns, delimiter):
            faults.append(
                f"{str(other)!r} has other columns ({', '.join(theirs[0])}) than "
                f"{str(paths[0])!r} ({', '.join(columns)})."
            )
    if faults:
        raise OrdersError.of(faults)
    return columns, delimiter


def line_numbers(path: Path, delimiter: str, rows: list[int]) -> list[int]:
    """Return the line on which each data row (0 is the first after the header) begins.

    The header is line 1. Line and row part where a quoted value holds a line break, or lines are
    blank. `rows` must be sorted.
    """
    wanted, lines = iter(rows), []
    want = next(wanted, None)
    with _open(path) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        for i, line in enumerate(_record_starts(reader), start=-1):
            if want is None:
                break
            if i == want:
                lines.append(line)
                want = next(wanted, None)
    return lines


def _record_starts(reader: csv._reader) -> Iterator[int]:  # type: ignore[name-defined]
    previous = 0
    for record in reader:
        if record:  # a blank line is no record
            yield previous + 1
        previous = reader.line_num


def _header(path: Path, what: str) -> tuple[list[str], str]:
    with _open(path) as stream:
        try:
            first = next((line for line in stream if line.strip()), "")
        except (OSError, EOFError) as error:
            raise OrdersError(f"{str(path)!r} cannot be read: {error}.") from error
    if first.startswith("PAR1"):
        raise OrdersError(f"{str(path)!r} is a Parquet file: name it .parquet.")
    if first.startswith("PK\x03\x04"):
        raise OrdersError(
            f"{str(path)!r} is an Excel workbook or another zip file, whatever its name: save the "
            f"{what} as CSV (in a spreadsheet: Save As, CSV UTF-8)."
        )
    if "\0" in first:  # UTF-16 of Latin letters has a zero in every other byte
        raise not_utf8(str(path))
    if not first:
        raise OrdersError(f"{str(path)!r} is empty: it has no header line.")
    delimiter = max(DELIMITERS, key=first.count)
    columns = next(csv.reader([first], delimiter=delimiter))
    return [c.strip() or f"column {i}" for i, c in enumerate(columns, start=1)], delimiter


def _open(path: Path) -> TextIO:
    # What is not UTF-8 is for the engine to refuse, with the reason.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")
