"""Excel workbooks: one sheet, its cells as text."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from clv.errors import OrdersError, UnknownNameError
from clv.transactions.engines import Engine
from clv.transactions.sources.base import NEAR_HEADER, Source
from clv.transactions.sources.cells import cell_text

__all__ = ["ExcelSource", "open_excel"]

LARGEST, MOST_CELLS = 2 << 30, 32_000_000
"""A workbook is read up to 2 GiB unpacked and a sheet up to 32 million cells, counted from A1 to
the last row and column, because all are held in memory: a small file can ask for any size."""

CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BLOCK, OVERLAP = 1 << 20, 256
ROWS = 50_000


@dataclass(frozen=True, eq=False)
class ExcelSource(Source):
    """A sheet of an Excel workbook.

    Attributes
    ----------
    first_row : int
        Where the first row after the header stands, as Excel counts.
    """

    first_row: int = 2

    def in_file(self, path: Path, numbers: Sequence[int]) -> list[str]:
        """Say where rows stand as Excel counts them: see :meth:`Source.in_file`."""
        del path
        return [f"row {self.first_row + n}" for n in numbers]

    def below_header(self) -> list[tuple[str, list[list[str]]]]:
        """Cells as they are: see :meth:`Source.below_header`."""
        numbered = self.engine.numbered(self.table)
        found = self.collect(numbered.order_by("_row").limit(NEAR_HEADER)).to_pylist()
        return [
            (f"row {self.first_row + row.pop('_row')}", [[cell or "" for cell in row.values()]])
            for row in found
        ]


def open_excel(
    path: Path, name: str, engine: Engine, what: str = "orders", sheet: str | None = None
) -> ExcelSource:
    """Open the first sheet that has rows, or the one that is named."""
    import python_calamine as calamine

    _refuse_compound(path, what)
    _refuse_too_large(path, what)
    try:
        with calamine.load_workbook(path) as book:
            names = book.sheet_names
            if sheet is not None and sheet not in names:
                raise UnknownNameError(
                    "sheet", sheet, names, then=f"{name!r} has {_listed(names)}."
                )
            filled = [n for n in names if book.get_sheet_by_name(n).total_height]
            if not filled:
                raise OrdersError(f"{name!r} has no rows: its sheets are {_listed(names)}.")
            taken = sheet or filled[0]
            rows = iter(book.get_sheet_by_name(taken).iter_rows())
            try:
                above, columns = _header(rows, path, taken)
            except OrdersError as error:
                others = "" if sheet is not None else _others(path, filled, taken)
                raise OrdersError(f"{error}{f' Not read: {others}.' if others else ''}") from None
            table = engine.from_arrow(_reader(rows, columns))
    except (calamine.CalamineError, calamine.PasswordError, calamine.ZipError, OSError) as error:
        raise OrdersError(
            f"{str(path)!r} cannot be read as an Excel workbook: {error}. Open it in a spreadsheet "
            f"and save the {what} as CSV."
        ) from error
    told = f"Sheet {taken!r} of {path.name!r} was read"
    if sheet is None and (others := _others(path, filled, taken)):
        told += f", the first with rows; not {others}"
    return ExcelSource(table, name, "excel", engine, (path,), (f"{told}.",), above + 2)


def _others(path: Path, filled: Sequence[str], taken: str) -> str:
    """Name the sheets that were not read, and say how to read one; empty where there are none."""
    left = [name for name in filled if name != taken]
    if not left:
        return ""
    return f"{_listed(left)}. To read another: excel:///{quote(str(path))}?sheet={quote(left[0])}"


def _header(rows: Iterator[list[Any]], path: Path, sheet: str) -> tuple[int, list[tuple[int, str]]]:
    """Number of rows above the header, and the place and name of each column.

    A line with one cell is a title, not the names of columns.
    """
    for above, row in enumerate(rows):
        said = [cell_text(cell) for cell in row]
        if sum(text is not None for text in said) > 1:
            # A column without a name may hold notes; one beyond the last name is no column.
            last = max(i for i, text in enumerate(said) if text is not None)
            names = [text or f"column {i}" for i, text in enumerate(said[: last + 1], start=1)]
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise OrdersError(
                    f"Sheet {sheet!r} of {str(path)!r} has more than one column named "
                    f"{', '.join(map(repr, twice))}."
                )
            return above, list(enumerate(names))
    raise OrdersError(f"Sheet {sheet!r} of {str(path)!r} has no row that names its columns.")


def _reader(rows: Iterator[list[Any]], columns: list[tuple[int, str]]) -> pa.RecordBatchReader:
    schema = pa.schema([(name, pa.string()) for _, name in columns])
    return pa.RecordBatchReader.from_batches(
        schema,
        (
            pa.record_batch(
                [pa.array([cell_text(row[i]) for row in some], pa.string()) for i, _ in columns],
                schema=schema,
            )
            for some in iter(lambda: list(islice(rows, ROWS)), [])
        ),
    )


def _refuse_compound(path: Path, what: str) -> None:
    """Refuse what Excel before 2007 wrote, and what hides a workbook behind a password."""
    with path.open("rb") as stream:
        if stream.read(len(COMPOUND)) != COMPOUND:
            return
        folder = stream.read(BLOCK)
    if "EncryptedPackage".encode("utf-16-le") in folder:
        raise OrdersError(
            f"{str(path)!r} is protected by a password. Open it in Excel and save it without one, "
            f"or save the {what} as CSV."
        )
    raise OrdersError(
        f"{str(path)!r} is a workbook of Excel before 2007, or another old document. Open it in a "
        f"spreadsheet and save it as .xlsx, or save the {what} as CSV."
    )


def _refuse_too_large(path: Path, what: str) -> None:
    """Refuse a file whose contents would not fit in memory, whatever it says of its size."""
    left = LARGEST
    try:
        with zipfile.ZipFile(path) as packed:
            for part in packed.infolist():
                # The size that is stated may be a lie: read to the end of what is packed.
                part.file_size = 1 << 62
                rows = columns = 0
                sheet = part.filename.startswith("xl/worksheets/sheet")
                with packed.open(part) as stream:
                    tail = b""
                    while block := stream.read(BLOCK):
                        left -= len(block)
                        if left < 0:
                            raise OrdersError(
                                f"{str(path)!r} unpacks to more than {LARGEST >> 30} GiB: that is "
                                "no log of orders. If it is, save it as CSV."
                            )
                        if sheet:
                            rows, columns = _extent(tail + block, rows, columns)
                            tail = block[-OVERLAP:]
                if rows * columns > MOST_CELLS:
                    raise OrdersError(
                        f"A sheet of {str(path)!r} reaches to row {rows:,} and column {columns:,}; "
                        f"sheets are read up to {MOST_CELLS:,} cells. Delete the empty rows and "
                        "columns beyond the orders, or save it as CSV."
                    )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise OrdersError(
            f"{str(path)!r} cannot be read as an Excel workbook: {error}. Open it in a spreadsheet "
            f"and save the {what} as CSV."
        ) from error


def _extent(xml: bytes, rows: int, columns: int) -> tuple[int, int]:
    """The last row and column of the cells, and of those seen before."""
    found = CELL.findall(xml)
    for letters in {letters for letters, _ in found}:
        column = 0
        for letter in letters:
            column = column * 26 + letter - ord("A") + 1
        columns = max(columns, column)
    return max([rows, *(int(number) for number in {number for _, number in found})]), columns


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
