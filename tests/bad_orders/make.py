"""The broken orders that are no text, are large, or are no files: each is made when it is needed.

The others lie in `files/`. All that can be read say the same orders, those of :data:`ROWS`.

    python -m tests.bad_orders.make FOLDER
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import socket
import sqlite3
import struct
import sys
import zlib
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

__all__ = ["MADE", "ROWS", "TEXT", "make"]

FILES = Path(__file__).parent / "files"

ROWS = (
    ("007", "2024-01-15", "29.99"),
    ("007", "2024-02-14", "10.01"),
    ("007", "2024-03-15", "20.01"),
    ("011", "2024-02-29", "1234.50"),
    ("Zoë", "2024-01-31", "5.00"),
    ("Zoë", "2024-03-30", "7.50"),
    ("Zoë", "2024-03-30", "4.50"),
)
HEADER = ("customer_id", "date", "amount")
TEXT = "".join(",".join(row) + "\n" for row in (HEADER, *ROWS))

MADE: dict[str, Callable[[Path], None]] = {}


def make(folder: Path) -> None:
    """Put all broken orders into a folder: those that lie here, and those that are made."""
    shutil.copytree(FILES, folder, dirs_exist_ok=True)
    for name, maker in MADE.items():
        maker(folder / name)


def _made(name: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def keep(maker: Callable[[Path], None]) -> Callable[[Path], None]:
        MADE[name] = maker
        return maker

    return keep


# ----------------------------------------------------------------------------------------- texts

for _name, _content in {
    "utf-8-with-a-mark.csv": TEXT.encode("utf-8-sig"),
    "utf-16-little.csv": b"\xff\xfe" + TEXT.encode("utf-16-le"),
    "utf-16-big.csv": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "utf-16-no-mark.csv": TEXT.encode("utf-16-le"),
    "utf-16-half-a-letter.csv": b"\xff\xfe" + TEXT.encode("utf-16-le")[:-1],
    "windows-1252.csv": TEXT.encode("cp1252"),
    "windows-1252-euro.csv": TEXT.replace("1234.50", "€1234.50").encode("cp1252"),
    "windows-1251.csv": TEXT.replace("Zoë", "Анна").encode("cp1251"),
    "utf-8-and-latin-1.csv": TEXT.encode() + "André,2024-03-01,1.00\n".encode("latin-1"),
    "nul-bytes.csv": TEXT.replace("Zoë", "Z\0o").encode(),
    "nul-bytes-at-end.csv": TEXT.encode() + bytes(512),
    "random-bytes.csv": bytes(range(128, 256)) * 40,
    "zip-named.csv": b"PK\x03\x04" + bytes(100),
    "cut-off.csv.gz": gzip.compress(TEXT.encode() * 50, mtime=0)[:-40],
    "text-named.csv.gz": TEXT.encode(),
    "gzip-named.csv": gzip.compress(TEXT.encode(), mtime=0),
    "zeros-behind.csv.gz": gzip.compress(TEXT.encode(), mtime=0) + bytes(512),
    "two-parts.csv.gz": gzip.compress(TEXT.encode()[:60], mtime=0)
    + gzip.compress(TEXT.encode()[60:], mtime=0),
    "orders.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "orders.pdf": b"%PDF-1.7\n",
    "old-workbook-named.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "text-named.xlsx": TEXT.encode(),
    "text-named.parquet": TEXT.encode(),
    "text-named.db": TEXT.encode(),
    "empty.parquet": b"",
    "encrypted.parquet": b"PARE" + bytes(40) + b"PARE",
}.items():
    MADE[_name] = lambda path, content=_content: path.write_bytes(content) and None  # type: ignore[misc]


@_made("bomb.csv.gz")
def _(path: Path) -> None:
    """A gigabyte and a quarter in 1.3 MB: the same compressed part over and over."""
    part = gzip.compress(b"007,2024-01-15,29.99,                   \n" * (1 << 19), mtime=0)
    with path.open("wb") as file:
        file.write(gzip.compress(b"customer_id,date,amount,note\n", mtime=0))
        for _ in range(62):
            file.write(part)


@_made("a-line-of-30-million.csv")
def _(path: Path) -> None:
    path.write_text(TEXT + '011,2024-03-01,"' + "1" * 30_000_000 + '"\n', encoding="utf-8")


@_made("a-header-of-2-million.csv")
def _(path: Path) -> None:
    path.write_text("customer_id,date," * 125_000 + "\n", encoding="utf-8")


@_made("ten-thousand-columns.csv")
def _(path: Path) -> None:
    more = [f"q{i}" for i in range(10_000)]
    lines = [",".join([*HEADER, *more]), *(",".join([*row, *["x"] * 10_000]) for row in ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


# ------------------------------------------------------------------------------------------ Excel


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


@_made("orders.xlsx")
def _(path: Path) -> None:
    cells = [(who, date.fromisoformat(day), float(amount)) for who, day, amount in ROWS]
    _workbook(path, [("Orders of the first quarter",), (), HEADER, *cells])


@_made("days-as-numbers.xlsx")
def _(path: Path) -> None:
    zero = date(1899, 12, 30)
    _workbook(
        path,
        [HEADER, *((who, (date.fromisoformat(d) - zero).days, float(a)) for who, d, a in ROWS)],
    )


@_made("formula-errors.xlsx")
def _(path: Path) -> None:
    _workbook(
        path,
        [HEADER, *ROWS[:3], ("011", "2024-02-29", "=1/0 -> #DIV/0!"),
         ("Zoë", "2024-01-31", "=VLOOKUP(A6,Z:Z,1,0) -> #N/A"), *ROWS[5:]],
    )  # fmt: skip


@_made("empty-sheets.xlsx")
def _(path: Path) -> None:
    _workbook(path, [])


@_made("workbook-named.csv")
def _(path: Path) -> None:
    MADE["orders.xlsx"](path)


@_made("cut-off.xlsx")
def _(path: Path) -> None:
    MADE["orders.xlsx"](path)
    path.write_bytes(path.read_bytes()[:-100])


@_made("a-cell-far-away.xlsx")
def _(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write(1_048_575, 16_383, "x")  # the last cell that a sheet can have


@_made("with-a-password.xlsx")
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


@_made("bomb.xlsx")
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


# ---------------------------------------------------------------------------------------- Parquet


def _table(who: object = None, when: object = None, worth: object = None) -> pa.Table:
    days = [date.fromisoformat(day) for _, day, _ in ROWS]
    columns = [
        who if who is not None else pa.array([row[0] for row in ROWS]),
        when if when is not None else pa.array(days),
        worth if worth is not None else pa.array([float(row[2]) for row in ROWS]),
    ]
    return pa.table(dict(zip(HEADER, columns, strict=True)))


@_made("cut-off.parquet")
def _(path: Path) -> None:
    pq.write_table(_table(), path)
    path.write_bytes(path.read_bytes()[:-20])


@_made("damaged-inside.parquet")
def _(path: Path) -> None:
    pq.write_table(_table(), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(bytes(content))


@_made("parquet-named.csv")
def _(path: Path) -> None:
    pq.write_table(_table(), path)


@_made("no-rows.parquet")
def _(path: Path) -> None:
    pq.write_table(_table().slice(0, 0), path)


@_made("column-twice.parquet")
def _(path: Path) -> None:
    table = _table()
    pq.write_table(table.append_column("Amount", table["amount"]), path)


@_made("nested.parquet")
def _(path: Path) -> None:
    lines = pa.array([[{"sku": "a", "pieces": 1}]] * len(ROWS))
    pq.write_table(_table().append_column("lines", lines), path)


@_made("nested-ids.parquet")
def _(path: Path) -> None:
    pq.write_table(_table(who=pa.array([{"id": row[0]} for row in ROWS])), path)


@_made("nested-amounts.parquet")
def _(path: Path) -> None:
    pq.write_table(_table(worth=pa.array([[float(row[2])] for row in ROWS])), path)


@_made("dictionary.parquet")
def _(path: Path) -> None:
    pq.write_table(_table(who=pa.array([row[0] for row in ROWS]).dictionary_encode()), path)


@_made("decimal256.parquet")
def _(path: Path) -> None:
    worth = pa.array([Decimal(row[2]) for row in ROWS], pa.decimal256(50, 4))
    pq.write_table(_table(worth=worth), path)


@_made("decimal-of-38-digits.parquet")
def _(path: Path) -> None:
    worth = pa.array([Decimal(row[2]) for row in ROWS], pa.decimal128(38, 20))
    pq.write_table(_table(worth=worth), path)


@_made("large-strings.parquet")
def _(path: Path) -> None:
    rows = zip(*ROWS, strict=True)
    pq.write_table(_table(*(pa.array(column, pa.large_string()) for column in rows)), path)


@_made("nanoseconds-with-zone.parquet")
def _(path: Path) -> None:
    noon = [f"{day}T12:00:00.123456789" for _, day, _ in ROWS]
    when = pa.array(noon).cast(pa.timestamp("ns")).cast(pa.timestamp("ns", "America/New_York"))
    pq.write_table(_table(when=when), path)


@_made("int96.parquet")
def _(path: Path) -> None:
    when = pa.array([row[1] for row in ROWS]).cast(pa.timestamp("ns"))
    pq.write_table(_table(when=when), path, use_deprecated_int96_timestamps=True)


@_made("times-of-day-only.parquet")
def _(path: Path) -> None:
    pq.write_table(_table(when=pa.array([3600] * len(ROWS), pa.time32("s"))), path)


@_made("whole-number-ids-with-a-gap.parquet")
def _(path: Path) -> None:
    ids = {"007": 17850.0, "011": 13047.0, "Zoë": None}
    pq.write_table(_table(who=pa.array([ids[row[0]] for row in ROWS])), path)


@_made("amounts-nan-inf.parquet")
def _(path: Path) -> None:
    worth = [float(row[2]) for row in ROWS]
    worth[3:5] = [float("nan"), float("inf")]
    pq.write_table(_table(worth=pa.array(worth)), path)


@_made("binary-ids.parquet")
def _(path: Path) -> None:
    pq.write_table(_table(who=pa.array([row[0].encode() for row in ROWS])), path)


@_made("yes-or-no-amounts.parquet")
def _(path: Path) -> None:
    pq.write_table(_table(worth=pa.array([True] * len(ROWS))), path)


@_made("other-types/a.parquet")
def _(path: Path) -> None:
    path.parent.mkdir()
    pq.write_table(_table().slice(0, 4), path)
    worth = pa.array([row[2] for row in ROWS])
    pq.write_table(_table(worth=worth).slice(4), path.with_name("b.parquet"))


@_made("other-columns/a.parquet")
def _(path: Path) -> None:
    path.parent.mkdir()
    pq.write_table(_table().slice(0, 4), path)
    pq.write_table(_table().slice(4).drop_columns("amount"), path.with_name("b.parquet"))


# -------------------------------------------------------------------------------------- databases


def _sqlite(path: Path, *tables: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        for table in tables:
            name = '"' + table.replace('"', '""') + '"'
            shop.execute(f"CREATE TABLE {name} (customer_id, date, amount)")
            shop.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", ROWS)


@_made("no-table.db")
def _(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        shop.execute("CREATE TABLE gone (x)")
        shop.execute("DROP TABLE gone")


@_made("two-tables.db")
def _(path: Path) -> None:
    _sqlite(path, "orders", "customers")


@_made("table-of-quotes.db")
def _(path: Path) -> None:
    _sqlite(path, """my "orders"; DROP TABLE 'x' --""")


@_made("values-of-any-type.db")
def _(path: Path) -> None:
    _sqlite(path, "orders")
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        shop.execute("UPDATE orders SET amount = CAST(amount AS REAL) WHERE customer_id = '007'")
        shop.execute("UPDATE orders SET amount = x'00ff' WHERE customer_id = '011'")


@_made("cut-off.db")
def _(path: Path) -> None:
    _sqlite(path, "orders", *(f"table {i}" for i in range(8)))
    path.write_bytes(path.read_bytes()[:-4096])


@_made("cut-off.duckdb")
def _(path: Path) -> None:
    with duckdb.connect(str(path)) as shop:
        shop.execute("CREATE TABLE orders AS SELECT '007' AS customer_id FROM range(100000)")
    path.write_bytes(path.read_bytes()[:8192])


# ----------------------------------------------------------------------------- folders and places


@_made("no-parquet/notes.txt")
def _(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    path.with_name("photo.jpg").touch()


@_made("nothing-inside")
def _(path: Path) -> None:
    path.mkdir()


@_made("csv-and-parquet/b.csv")
def _(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    pq.write_table(_table(), path.with_name("a.parquet"))


@_made("delta/_delta_log/00000000000000000000.json")
def _(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    pq.write_table(_table(), path.parent.parent / "part-0.parquet")


@_made("folders-of-other-names/year=2024/a.parquet")
def _(path: Path) -> None:
    path.parent.mkdir(parents=True)
    pq.write_table(_table(), path)
    other = path.parent.parent / "month=1"
    other.mkdir()
    pq.write_table(_table(), other / "b.parquet")


@_made("other-columns/a.csv")
def _(path: Path) -> None:
    path.write_text(TEXT, encoding="utf-8")
    path.with_name("b.csv").write_text(TEXT.replace("amount", "net"), encoding="utf-8")


@_made("a-pipe.csv")
def _(path: Path) -> None:
    os.mkfifo(path)


@_made("a-device.csv")
def _(path: Path) -> None:
    path.symlink_to("/dev/zero")


@_made("a-socket.csv")
def _(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket must be short
        try:
            listening.bind(path.name)
        finally:
            os.chdir(here)


@_made("a-link-to-itself.csv")
def _(path: Path) -> None:
    path.symlink_to(path.name)


@_made("a-link-to-nothing.csv")
def _(path: Path) -> None:
    path.symlink_to("moved-away.csv")


@_made("a-folder-named.csv")
def _(path: Path) -> None:
    path.mkdir()


@_made("loop/a.parquet")
def _(path: Path) -> None:
    path.parent.mkdir()
    pq.write_table(_table(), path)
    (path.parent / "again").symlink_to(path.parent, target_is_directory=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
