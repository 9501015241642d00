"""CSV files: their columns and delimiter, and the lines on which their rows stand."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import ibis.expr.types as ir

from clv.errors import OrdersError
from clv.transactions.engines import Engine
from clv.transactions.engines.base import LONGEST_LINE
from clv.transactions.sources.base import NEAR_HEADER, Source
from clv.transactions.sources.columns import faults_of_names
from clv.transactions.sources.encodings import as_utf8

__all__ = ["CsvSource", "open_csv"]

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LONGEST_HEADER = 1 << 20

# Python's own limit ends where a long note of a line that the engine reads still goes on.
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))


@dataclass(frozen=True, eq=False)
class CsvSource(Source):
    """CSV files of the same columns.

    Attributes
    ----------
    delimiter : str
        Between the columns.
    readable : mapping of Path to Path
        Each file, or its copy in UTF-8.
    """

    delimiter: str = ","
    readable: Mapping[Path, Path] = field(default_factory=dict)

    def one_file(self, path: Path) -> ir.Table:
        """Open one of the files alone: see :meth:`Source.one_file`."""
        return self.engine.read_csv([self.readable[path]], list(self.table.columns), self.delimiter)

    def in_file(self, path: Path, numbers: Sequence[int]) -> list[str]:
        """Say on which lines rows begin: see :meth:`Source.in_file`."""
        lines = line_numbers(self.readable[path], self.delimiter, list(numbers))
        return [f"line {n}" for n in lines]

    def below_header(self) -> list[tuple[str, list[list[str]]]]:
        """Part lines by each delimiter: see :meth:`Source.below_header`."""
        path = self.paths[0]
        with _open(self.readable[path]) as stream:
            lines = [stream.readline(LONGEST_HEADER) for _ in range(NEAR_HEADER + 1)]
        where = [f"line {n}" for n in range(2, len(lines) + 1)]
        if len(self.paths) > 1:
            where = [f"{path.name} {place}" for place in where]
        return [
            (place, [next(csv.reader([line], delimiter=sign)) for sign in DELIMITERS])
            for place, line in zip(where, lines[1:], strict=True)
            if line.strip()
        ]


def open_csv(paths: list[Path], name: str, engine: Engine, what: str) -> CsvSource:
    """Open CSV files of the same columns as one source."""
    for path in paths:
        _refuse_other_kinds(path, what)
    found = [as_utf8(path, engine.folder) for path in paths]
    readable = dict(zip(paths, (one.path for one in found), strict=True))
    columns, delimiter = csv_layout(readable)
    with engine.told(name):
        table = engine.read_csv(list(readable.values()), columns, delimiter)
    return CsvSource(
        table, name, "csv", engine, tuple(paths), tuple(f.notice for f in found if f.notice),
        delimiter, readable,
    )  # fmt: skip


def csv_layout(readable: Mapping[Path, Path]) -> tuple[list[str], str]:
    """Return the columns (the first line, which all files share) and the delimiter."""
    first, *others = readable
    columns, delimiter = _header(first, readable[first])
    faults = faults_of_names(columns, str(first))
    for other in others:
        theirs = _header(other, readable[other])
        if theirs[0] != columns:
            faults.append(
                f"{str(other)!r} has other columns ({', '.join(theirs[0])}) than "
                f"{str(first)!r} ({', '.join(columns)})."
            )
        elif theirs[1] != delimiter:
            faults.append(
                f"{str(other)!r} has {DELIMITERS[theirs[1]]} between its columns, {str(first)!r} "
                f"has {DELIMITERS[delimiter]}: export both in one way."
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


def _refuse_other_kinds(path: Path, what: str) -> None:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == b"PAR1":
        raise OrdersError(f"{str(path)!r} is a Parquet file: name it .parquet.")
    if start == b"PK\x03\x04":
        raise OrdersError(
            f"{str(path)!r} is an Excel workbook or another zip file, whatever its name. Name a "
            f"workbook .xlsx; unpack a zip file first, or save the {what} as CSV."
        )
    if path.suffix.lower() == ".gz" and start[:2] != b"\x1f\x8b":
        raise OrdersError(f"{str(path)!r} cannot be read: it is not compressed by gzip.")
    if path.suffix.lower() != ".gz" and start[:2] == b"\x1f\x8b":
        raise OrdersError(f"{str(path)!r} is compressed by gzip: name it {path.name + '.gz'!r}.")


def _header(path: Path, readable: Path) -> tuple[list[str], str]:
    first = ""
    with _open(readable) as stream:
        while not first.strip() and (line := stream.readline(LONGEST_HEADER)):
            first = line
    if not first.strip():
        raise OrdersError(f"{str(path)!r} is empty: it has no header line.")
    if len(first) >= LONGEST_HEADER or "\0" in first:
        raise OrdersError(f"{str(path)!r} does not begin with a line that names the columns.")
    delimiter = max(DELIMITERS, key=first.count)
    columns = next(csv.reader([first], delimiter=delimiter))
    return [c.strip() or f"column {i}" for i, c in enumerate(columns, start=1)], delimiter


def _open(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
