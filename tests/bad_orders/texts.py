"""Broken orders in texts."""

from __future__ import annotations

import functools
import gzip
from pathlib import Path

from tests.bad_orders.orders import HEADER, MADE, ROWS, TEXT, made


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


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
    MADE[_name] = functools.partial(_write, _content)


@made("bomb.csv.gz")
def _(path: Path) -> None:
    """A gigabyte and a quarter in 1.3 MB: the same compressed part over and over."""
    part = gzip.compress(b"007,2024-01-15,29.99,                   \n" * (1 << 19), mtime=0)
    with path.open("wb") as file:
        file.write(gzip.compress(b"customer_id,date,amount,note\n", mtime=0))
        for _ in range(62):
            file.write(part)


@made("a-line-of-30-million.csv")
def _(path: Path) -> None:
    path.write_text(TEXT + '011,2024-03-01,"' + "1" * 30_000_000 + '"\n', encoding="utf-8")


@made("a-note-of-200-thousand.csv")
def _(path: Path) -> None:
    lines = [
        ",".join((*row, "x" * 200_000 if row is ROWS[1] else "note")) for row in (HEADER, *ROWS)
    ]
    path.write_text("\n".join([*lines, ",2024-03-01,1.00,", ""]), encoding="utf-8")


@made("a-header-of-2-million.csv")
def _(path: Path) -> None:
    path.write_text("customer_id,date," * 125_000 + "\n", encoding="utf-8")


@made("ten-thousand-columns.csv")
def _(path: Path) -> None:
    more = [f"q{i}" for i in range(10_000)]
    lines = [",".join([*HEADER, *more]), *(",".join([*row, *["x"] * 10_000]) for row in ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
