"""Broken orders in databases."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import duckdb

from tests.bad_orders.orders import ROWS, made


def _sqlite(path: Path, *tables: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        for table in tables:
            name = '"' + table.replace('"', '""') + '"'
            shop.execute(f"CREATE TABLE {name} (customer_id, date, amount)")
            shop.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", ROWS)


@made("no-table.db")
def _(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        shop.execute("CREATE TABLE gone (x)")
        shop.execute("DROP TABLE gone")


@made("two-tables.db")
def _(path: Path) -> None:
    _sqlite(path, "orders", "customers")


@made("table-of-quotes.db")
def _(path: Path) -> None:
    _sqlite(path, """my "orders"; DROP TABLE 'x' --""")


@made("values-of-any-type.db")
def _(path: Path) -> None:
    _sqlite(path, "orders")
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        shop.execute("UPDATE orders SET amount = CAST(amount AS REAL) WHERE customer_id = '007'")
        shop.execute("UPDATE orders SET amount = x'00ff' WHERE customer_id = '011'")


@made("cut-off.db")
def _(path: Path) -> None:
    _sqlite(path, "orders", *(f"table {i}" for i in range(8)))
    path.write_bytes(path.read_bytes()[:-4096])


@made("cut-off.duckdb")
def _(path: Path) -> None:
    with duckdb.connect(str(path)) as shop:
        shop.execute("CREATE TABLE orders AS SELECT '007' AS customer_id FROM range(100000)")
    path.write_bytes(path.read_bytes()[:8192])
