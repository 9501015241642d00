"""Tables and queries of databases: DuckDB and SQLite files, and PostgreSQL servers.

What a database returns is kept in the engine, so that its rows are the same however often they
are looked at; a table of a DuckDB file is read where it lies. Nothing is ever written to one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pyarrow as pa

from clv.errors import EngineError, OrdersError, UnknownNameError
from clv.transactions.engines import DuckDBEngine, Engine
from clv.transactions.recognised import recognise
from clv.transactions.sources.base import Source
from clv.transactions.sources.cells import cell_text
from clv.transactions.sources.urls import TableUrl, is_url

__all__ = ["open_database_file", "open_postgresql"]

ROWS = 50_000
LOOKED_AT = 20
"""Tables whose columns are looked at, to suggest the one of orders."""

PLAIN = (
    *(pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean),
    *(pa.types.is_string, pa.types.is_date, pa.types.is_timestamp),
)


def open_database_file(path: Path, asked: TableUrl, engine: Engine) -> Source:
    """Open a table or a query of a DuckDB or SQLite file, whatever the file is called."""
    with path.open("rb") as stream:
        start = stream.read(32)
    if start[:16] == b"SQLite format 3\0":
        # SQLite itself reads zeros where a page is cut off.
        page = int.from_bytes(start[16:18]) if start[16:18] != b"\0\1" else 1 << 16
        if path.stat().st_size < page * int.from_bytes(start[28:32]):
            raise OrdersError(f"{str(path)!r} cannot be read: the end of the file is missing.")
        return _open_sqlite(path, replace(asked, scheme="sqlite"), engine)
    if start[8:12] == b"DUCK":
        return _open_duckdb(path, replace(asked, scheme="duckdb"), engine)
    raise OrdersError(f"{str(path)!r} is no database of SQLite or DuckDB, whatever its name.")


def _open_duckdb(path: Path, asked: TableUrl, engine: Engine) -> Source:
    own = engine if isinstance(engine, DuckDBEngine) else DuckDBEngine()
    with own.told(asked.shown):
        database = own.attach(path)
        if asked.query is not None:
            names, table = database.query(asked.query)
            _refuse_twice(names, asked.shown)
        else:
            names = database.relations()
            table = database.table(_choose(names, asked, lambda one: database.table(one).columns))
        if own is not engine:
            table = engine.from_arrow(own.batches(table))
    return Source(table, asked.shown, "duckdb", engine)


def _open_sqlite(path: Path, asked: TableUrl, engine: Engine) -> Source:
    try:
        with contextlib.closing(_connect_sqlite(path)) as database:
            run = database.execute
            if asked.query is None:
                listed = run(
                    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
                    "AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
                )
                chosen = _choose(
                    [name for (name,) in listed],
                    asked,
                    lambda one: [row[1] for row in run(f"PRAGMA table_info({_quoted(one)})")],
                )
                name = _quoted(chosen)
                query = f"SELECT * FROM {name}"  # noqa: S608  quoted
            else:
                query = asked.query
            cursor = run(query)
            names = [column[0] for column in cursor.description or ()]
            if not names:
                raise OrdersError(f"{asked.shown!r} returns no rows: ask by select.")
            _refuse_twice(names, asked.shown)
            # A column of SQLite may hold values of any types: all are read as the text they say.
            schema = pa.schema([(name, pa.string()) for name in names])
            batches = (_texts(rows, schema) for rows in iter(lambda: cursor.fetchmany(ROWS), []))
            table = engine.from_arrow(pa.RecordBatchReader.from_batches(schema, batches))
    except (sqlite3.Error, OSError) as error:
        raise OrdersError(f"{asked.shown!r} cannot be read: {error}.") from error
    return Source(table, asked.shown, "sqlite", engine)


def _connect_sqlite(path: Path) -> sqlite3.Connection:
    where = f"file:{quote(str(path.absolute()))}?mode=ro"
    return sqlite3.connect(where, uri=True, check_same_thread=False)  # an engine's thread asks


def _texts(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    texts = [pa.array(map(cell_text, column), pa.string()) for column in columns]
    return pa.record_batch(texts, schema=schema)


def open_postgresql(asked: TableUrl, engine: Engine) -> Source:
    """Open a table or a query of a PostgreSQL server.

    Raises
    ------
    OrdersError
        Where the server does not answer within 10 seconds, or refuses; the password in its URL is
        in no message.
    EngineError
        Where the driver is not installed.
    """
    try:
        import adbc_driver_postgresql.dbapi as postgresql
    except ModuleNotFoundError:
        raise EngineError(
            "PostgreSQL is read by a driver that is not installed: pip install 'clv[postgres]'."
        ) from None
    told, table = "", None
    try:
        with postgresql.connect(asked.address) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            query = asked.query or _postgresql_table(cursor, asked)
            table = engine.from_arrow(_postgresql_rows(cursor, query, asked.shown))
    except (postgresql.Error, OSError) as error:
        told = _scrubbed(str(error), asked)
    # Raised out here: the driver's error, which may repeat the URL, is no part of this one.
    if table is None:
        raise OrdersError(f"{asked.shown!r} cannot be read: {told}")
    return Source(table, asked.shown, "postgresql", engine)


def _postgresql_table(cursor: Any, asked: TableUrl) -> str:
    cursor.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
        "AND has_table_privilege(format('%I.%I', table_schema, table_name), 'SELECT') "
        "ORDER BY table_schema, table_name"
    )
    found = {
        name if schema == "public" else f"{schema}.{name}": (schema, name)
        for schema, name in cursor.fetchall()
    }

    def columns(one: str) -> list[str]:
        cursor.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        return [column for *of, column in cursor.fetchall() if tuple(of) == found[one]]

    schema, name = found[_choose(list(found), asked, columns)]
    return f"SELECT * FROM {_quoted(schema)}.{_quoted(name)}"  # noqa: S608  quoted


def _postgresql_rows(cursor: Any, query: str, shown: str) -> pa.RecordBatchReader:
    """The rows of a query, with exact numbers and other types as text."""
    cursor.execute(f"SELECT * FROM ({query}) AS said LIMIT 0")  # noqa: S608  the user's own query
    columns = cursor.fetch_record_batch().schema
    _refuse_twice(columns.names, shown)
    named = ", ".join(
        _quoted(column.name)
        if any(is_it(column.type) for is_it in PLAIN)
        else f"{_quoted(column.name)}::text AS {_quoted(column.name)}"
        for column in columns
    )
    cursor.execute(f"SELECT {named} FROM ({query}) AS said")  # noqa: S608  the user's own query
    return cursor.fetch_record_batch()


def _scrubbed(said: str, asked: TableUrl) -> str:
    """What the server or its driver said, without the password."""
    password = urlsplit(asked.address).password or ""
    for secret in {password, unquote(password)} - {""}:
        said = said.replace(secret, "***")
    said = said.partition("\nQuery was:")[0].replace("[libpq] ", "")
    return " ".join(line.strip() for line in said.splitlines() if line.strip(" ^"))


def _choose(names: Sequence[str], asked: TableUrl, columns: Callable[[str], Sequence[str]]) -> str:
    """The table that was asked for, or the only one; `columns` names those of one."""
    if asked.table is not None:
        if asked.table not in names:
            raise UnknownNameError(
                "table", asked.table, names, then=f"{asked.shown!r} has {_listed(names)}."
            )
        return asked.table
    if len(names) == 1:
        return names[0]
    if not names:
        raise OrdersError(f"{asked.shown!r} has no tables.")
    url = asked.shown if is_url(asked.shown) else f"{asked.scheme}:///{quote(asked.path)}"
    likely = next((one for one in names[:LOOKED_AT] if _of_orders(columns(one))), names[0])
    raise OrdersError(
        f"{asked.shown!r} has {len(names)} tables: {_listed(names)}. Say which: "
        f"{url}{'&' if '?' in url else '?'}table={quote(likely)}"
    )


def _of_orders(columns: Sequence[str]) -> bool:
    """Whether columns are named as those of orders are."""
    try:
        recognise(columns)
    except OrdersError:
        return False
    return True


def _refuse_twice(names: Sequence[str], shown: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OrdersError(
            f"{shown!r} has more than one column named {', '.join(map(repr, twice))}: name them in "
            "a query, such as select a.id as customer_id."
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (
        f" and {len(names) - 8} more" if len(names) > 8 else ""
    )
