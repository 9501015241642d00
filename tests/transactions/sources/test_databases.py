"""Tables and queries of databases: exact values, the table that is meant, no password shown."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
import traceback
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clv
from clv.errors import EngineError, OrdersError, UnknownNameError
from clv.transactions.sources import open_source

from .conftest import PASSWORD, PostgreSQL


def rows(source: Any) -> list[tuple[Any, ...]]:
    opened = open_source(source)
    return [tuple(row.values()) for row in opened.collect(opened.table).to_pylist()]


def refusal(source: Any) -> str:
    with pytest.raises(OrdersError) as caught:
        open_source(source)
    return str(caught.value)


@pytest.fixture
def sqlite(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        shop.execute("CREATE TABLE orders (customer_id, day TEXT, amount REAL)")
        shop.executemany(
            "INSERT INTO orders VALUES (?, ?, ?)",
            [("007", "2024-01-31", 29.99), (7, "2024-02-29", 5), (None, None, None)],
        )
    return path


@pytest.fixture
def duck(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as shop:
        shop.execute("CREATE TABLE orders AS SELECT '007' AS who, 29.99::DECIMAL(9, 2) AS paid")
    return path


def test_a_file_with_one_table_needs_no_url(sqlite: Path, duck: Path) -> None:
    assert rows(sqlite) == [
        ("007", "2024-01-31", "29.99"), ("7", "2024-02-29", "5"), (None, None, None)
    ]  # fmt: skip
    assert rows(duck) == [("007", Decimal("29.99"))]


def test_what_a_file_is_counts_and_not_its_name(duck: Path) -> None:
    named = duck.rename(duck.with_name("other.db"))
    assert rows(named) == [("007", Decimal("29.99"))]
    assert rows(f"sqlite:///{named}") == [("007", Decimal("29.99"))]
    named.write_bytes(b"neither of them")
    assert "is no database of SQLite or DuckDB" in refusal(named)


def test_of_several_tables_the_user_says_which(sqlite: Path, duck: Path) -> None:
    with contextlib.closing(sqlite3.connect(sqlite)) as shop, shop:
        shop.execute('CREATE VIEW "a ""b""" AS SELECT customer_id FROM orders')
    with duckdb.connect(str(duck)) as other:
        other.execute("CREATE SCHEMA old; CREATE TABLE old.orders AS SELECT 1 AS x")
    for path, scheme, names in (
        (sqlite, "sqlite", "'a \"b\"', 'orders'"), (duck, "duckdb", "'orders', 'old.orders'")
    ):  # fmt: skip
        said = refusal(path)
        assert f"has 2 tables: {names}. Say which: {scheme}:///{path}?table=" in said
        assert len(rows(f"{scheme}:///{path}?table=orders")) in {1, 3}
        with pytest.raises(UnknownNameError, match=r"no table 'order'\. Did you mean 'orders'"):
            open_source(f"{scheme}:///{path}?table=order")
    assert len(rows(f"sqlite:///{sqlite}?table=a%20%22b%22")) == 3
    assert rows(f"duckdb:///{duck}?table=old.orders") == [(1,)]


def test_the_table_that_is_suggested_has_the_columns_of_orders(tmp_path: Path) -> None:
    made = (
        "CREATE TABLE customers (customer_id INTEGER, name VARCHAR)",
        "CREATE TABLE orders (customer_id INTEGER, order_date DATE, total INTEGER)",
    )
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as one, one:
        for statement in made:
            one.execute(statement)
    with duckdb.connect(str(tmp_path / "b.db")) as other:
        for statement in made:
            other.execute(statement)
    for name in ("a.db", "b.db"):
        assert refusal(tmp_path / name).endswith("?table=orders")


@pytest.mark.parametrize("name", ["my shop?.db", "a%20b.db", "x#y&z.db"])
def test_the_url_that_is_suggested_works(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with contextlib.closing(sqlite3.connect(name)) as shop, shop:
        shop.execute('CREATE TABLE "a&b#1" AS SELECT 1 AS customer_id')
        shop.execute("CREATE TABLE orders AS SELECT 2 AS customer_id")
    assert rows(refusal(name).partition("Say which: ")[2]) == [("1",)]


def test_a_query_is_read_like_a_table(sqlite: Path, duck: Path) -> None:
    asked = "select customer_id, amount + 1 as paid from orders where amount > 10"
    assert rows(f"sqlite:///{sqlite}?query={asked}") == [("007", "30.99")]
    assert rows(f"duckdb:///{duck}?query=select who from orders") == [("007",)]
    for url in (f"sqlite:///{sqlite}", f"duckdb:///{duck}"):
        assert "cannot be read: " in refusal(f"{url}?query=select nothing from orders")
        assert "more than one column" in refusal(f"{url}?query=select 1 as a, 2 as a")


def test_nothing_is_written_to_a_database(sqlite: Path, duck: Path) -> None:
    before = sqlite.read_bytes(), duck.read_bytes()
    refusal(f"sqlite:///{sqlite}?query=delete from orders returning *")
    refusal(f"duckdb:///{duck}?query=delete from orders returning *")
    rows(f"duckdb:///{duck}?query=select 1 as x")
    assert (sqlite.read_bytes(), duck.read_bytes()) == before


def test_a_file_that_is_cut_off(sqlite: Path, duck: Path) -> None:
    for path in (sqlite, duck):
        path.write_bytes(path.read_bytes()[:5000])
        assert "cannot be read: " in refusal(path)


def test_a_database_without_tables(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    with contextlib.closing(sqlite3.connect(path)) as shop:
        shop.execute("VACUUM")
    assert "has no tables" in refusal(path)


@given(amounts=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_a_number_of_sqlite_loses_nothing(
    amounts: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("sqlite") / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as shop, shop:
        shop.execute("CREATE TABLE orders (amount REAL)")
        shop.executemany("INSERT INTO orders VALUES (?)", [(amount,) for amount in amounts])
    assert [float(text) for (text,) in rows(path)] == amounts


def test_a_table_of_postgresql(postgresql: PostgreSQL) -> None:
    postgresql.run(
        "CREATE TYPE channel AS ENUM ('web', 'shop'); CREATE SCHEMA sales;"
        "CREATE TABLE sales.orders (customer_id text, day date, at timestamptz, "
        "  amount numeric(12, 2), pieces int, via channel, extra jsonb);"
        "INSERT INTO sales.orders VALUES"
        "  ('007', '2024-01-31', '2024-01-31 23:30+00', 29.99, 2, 'web', '{\"a\": 1}'),"
        "  (NULL, NULL, NULL, NULL, NULL, NULL, NULL);"
        "GRANT USAGE ON SCHEMA sales TO anna; GRANT SELECT ON sales.orders TO anna"
    )
    password = quote(PASSWORD, safe="")
    opened = open_source(postgresql.url(password, "table=sales.orders"))
    first, second = opened.collect(opened.table).to_pylist()
    assert {name: first[name] for name in ("customer_id", "day", "amount", "pieces", "via")} == {
        "customer_id": "007",
        "day": date(2024, 1, 31),
        "amount": "29.99",  # an exact number as text, never a float
        "pieces": 2,
        "via": "web",
    }
    assert first["at"].isoformat() == "2024-01-31T23:30:00+00:00"
    assert set(second.values()) == {None}
    assert rows(postgresql.url(password, "query=select pieces * 2 as x from sales.orders")) == [
        (4,), (None,)
    ]  # fmt: skip
    assert len(rows(postgresql.url(password, ""))) == 2  # the only table that Anna may read


def everything_told(error: BaseException) -> str:
    """All that a traceback and whoever logs an error with its causes would show."""
    told = traceback.format_exception(error)
    seen: BaseException | None = error
    while seen is not None:
        told += [str(seen), repr(seen)]
        seen = seen.__cause__ or seen.__context__
    return "".join(told)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("table=nothing", "There is no table 'nothing'"),
        ("query=select * from nothing", 'relation "nothing" does not exist'),
        ("query=create table x (y int)", "syntax error"),
        ("query=select 1 as a, 2 as a", "more than one column named 'a'"),
        ("query=select 1) as said; drop table sales.orders; --", "cannot insert multiple commands"),
    ],
)
def test_a_fault_is_told_without_the_password(
    postgresql: PostgreSQL, asked: str, said: str
) -> None:
    password = quote(PASSWORD, safe="")
    with pytest.raises((OrdersError, UnknownNameError)) as caught:
        open_source(postgresql.url(password, asked))
    told = everything_told(caught.value)
    assert said in told
    assert PASSWORD not in told
    assert password not in told
    assert "anna:***@" in told


def test_a_wrong_password_and_a_dead_server_are_told_at_once(postgresql: PostgreSQL) -> None:
    began = time.monotonic()
    for url, said in (
        (postgresql.url("wr0ngpass", "table=x"), 'password authentication failed for user "anna"'),
        ("postgresql://anna:wr0ngpass@127.0.0.1:1/shop?table=x", "Connection refused"),
        ("postgresql://anna:wr0ngpass@nowhere.invalid/shop?table=x", "nowhere.invalid"),
    ):
        with pytest.raises(OrdersError) as caught:
            open_source(url)
        told = everything_told(caught.value)
        assert said in told
        assert "wr0ngpass" not in told
    assert time.monotonic() - began < 15  # a server that is silent is given 10 seconds


def test_a_server_may_only_be_read(postgresql: PostgreSQL) -> None:
    postgresql.run(
        "CREATE TABLE counted (n int); CREATE FUNCTION write_it() RETURNS int LANGUAGE sql AS "
        "'INSERT INTO counted VALUES (1) RETURNING n'; GRANT INSERT, SELECT ON counted TO anna"
    )
    url = postgresql.url(quote(PASSWORD, safe=""), "query=select write_it() as x")
    assert "read-only transaction" in refusal(url)


def test_without_the_driver_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(EngineError, match=r"pip install 'clv\[postgres\]'"):
        open_source("postgresql://db/shop?table=orders")


def test_no_password_is_in_a_book(postgresql: PostgreSQL, tmp_path: Path) -> None:
    postgresql.run(
        "CREATE TABLE bought AS SELECT (n % 9)::text AS customer_id, "
        "DATE '2024-01-01' + n * 3 AS date, n % 7 + 1 AS amount FROM generate_series(1, 60) AS n; "
        "GRANT SELECT ON bought TO anna"
    )
    written = quote(PASSWORD, safe="")
    clv.build_book(postgresql.url(written, "table=bought"), tmp_path / "book", end="2024-07-31")
    files = [path for path in (tmp_path / "book").rglob("*") if path.is_file()]
    assert b"anna:***@" in (tmp_path / "book" / "manifest.json").read_bytes()
    for secret in (PASSWORD, written):
        assert not [path for path in files if secret.encode() in path.read_bytes()]
