"""Broken orders in workbooks of Excel."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import xlsxwriter

from tests.bad_orders.orders import HEADER, MADE, ROWS, made


def _workbook(path: Path, rows: Sequence[Sequence[object]], *, first: int = 0) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Orders")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for i, row in enumerate(rows, start=first):
            for j, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(i, j, cell, day)
                elif isinstance(cell, str) and cell.startswith("="):
                    formula, _, result = cell.partition(" -> ")
                    sheet.write_formula(i, j, formula, None, result)
                else:
                    sheet.write(i, j, cell)


@made("orders.xlsx")
def _(path: Path) -> None:
    cells = [(who, date.fromisoformat(day), float(amount)) for who, day, amount in ROWS]
    _workbook(path, [("Orders of the first quarter",), (), HEADER, *cells])


@made("days-as-numbers.xlsx")
def _(path: Path) -> None:
    zero = date(1899, 12, 30)
    _workbook(
        path,
        [HEADER, *((who, (date.fromisoformat(d) - zero).days, float(a)) for who, d, a in ROWS)],
    )


@made("formula-errors.xlsx")
def _(path: Path) -> None:
    _workbook(
        path,
        [HEADER, *ROWS[:3], ("011", "2024-02-29", "=1/0 -> #DIV/0!"),
         ("Zoë", "2024-01-31", "=VLOOKUP(A6,Z:Z,1,0) -> #N/A"), *ROWS[5:]],
    )  # fmt: skip


@made("empty-sheets.xlsx")
def _(path: Path) -> None:
    _workbook(path, [])


@made("cover-sheet.xlsx")
def _(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        cover, orders = book.add_worksheet("Cover"), book.add_worksheet("Orders")
        cover.write_row(0, 0, ["Report of", "2024"])
        cover.write_row(1, 0, ["Made for", "Zoë"])
        for i, row in enumerate((HEADER, *ROWS)):
            orders.write_row(i, 0, row)


@made("workbook-named.csv")
def _(path: Path) -> None:
    MADE["orders.xlsx"](path)


@made("cut-off.xlsx")
def _(path: Path) -> None:
    MADE["orders.xlsx"](path)
    path.write_bytes(path.read_bytes()[:-100])


@made("a-cell-far-away.xlsx")
def _(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write(1_048_575, 16_383, "x")  # the last cell that a sheet can have


@made("with-a-password.xlsx")
def _(path: Path) -> None:
    """Excel hides a workbook with a password in a compound file, with these two streams."""
    end, free, no = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF

    def entry(name: str, kind: int, *, right: int = no, child: int = no, start: int = 0,
              size: int = 0) -> bytes:  # fmt: skip
        text = name.encode("utf-16-le") + b"\0\0"
        return text.ljust(64, b"\0") + struct.pack(
            "<HBBIII16sIQQIQ", len(text), kind, 1, no, right, child, b"", 0, 0, 0, start, size
        )

    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6,
        b"", 0, 1, 1, 0, 4096, end, 0, end, 0, 0,
    ) + struct.pack("<108I", *[free] * 108)  # fmt: skip
    # Sector 0 is the table of sectors, 1 the folder, 2 to 9 and 10 to 17 the streams.
    chain = [0xFFFFFFFD, end, *range(3, 10), end, *range(11, 18), end]
    table = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    folder = (
        entry("Root Entry", 5, child=1, start=end)
        + entry("EncryptionInfo", 2, right=2, start=2, size=4096)
        + entry("EncryptedPackage", 2, start=10, size=4096)
        + entry("", 0)
    )
    streams = struct.pack("<HHI", 4, 4, 0x40).ljust(4096, b"\0") + bytes(4096)
    path.write_bytes(header + table + folder + streams)


@made("bomb.xlsx")
def _(path: Path) -> None:
    """Two gigabytes and more of one sheet in 2 MB, which says that it is small."""
    MADE["orders.xlsx"](path)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = squeeze.compress(b"<worksheet><sheetData>") + squeeze.flush(zlib.Z_FULL_FLUSH)
    part = squeeze.compress(b" " * (1 << 24)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    packed = start + part * 130 + squeeze.flush()  # a part after a full flush stands alone
    name, small = b"xl/worksheets/sheet1.xml", 1000
    common = struct.pack(
        "<HHHHHIIIHH", 20, 0, 8, 0, 0x21, 0, len(packed), small, len(name), 0
    )  # fmt: skip
    entry = b"PK\x03\x04" + common + name + packed
    listed = b"PK\x01\x02" + struct.pack("<H", 20) + common
    listed += struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    ending = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(listed), len(entry), 0)
    path.write_bytes(entry + listed + ending)
