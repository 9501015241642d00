"""Database files of DuckDB that an engine has opened for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import ibis.expr.types as ir

if TYPE_CHECKING:
    from clv.transactions.engines.duckdb import DuckDBEngine

__all__ = ["Attached"]


class Attached(NamedTuple):
    """A DuckDB database file that an engine has opened.

    Attributes
    ----------
    engine : DuckDBEngine
        Which engine.
    catalog : str
        What it calls the file.
    """

    engine: DuckDBEngine
    catalog: str

    def relations(self) -> list[str]:
        """Names of the tables and views; with their schema where that is not the usual one."""
        found = self.engine.backend.con.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_catalog = $catalog ORDER BY ALL",
            {"catalog": self.catalog},
        ).fetchall()
        return [name if schema == "main" else f"{schema}.{name}" for schema, name in found]

    def table(self, name: str) -> ir.Table:
        """One of the :meth:`relations`, where it lies."""
        schema, _, relation = name.rpartition(".")
        return self.engine.backend.table(relation, database=(self.catalog, schema or "main"))

    def query(self, sql: str) -> tuple[list[str], ir.Table]:
        """Names of the columns that a query of the file returns, and the rows, which are kept."""
        run = self.engine.backend.con.execute
        run(f'USE "{self.catalog}"')
        try:
            names = [name for name, *_ in run(f"DESCRIBE ({sql})").fetchall()]
            return names, self.engine._keep(f"({sql})")  # noqa: SLF001  of the engine's own file
        finally:
            run("USE memory")


def _heard(rows: pa.RecordBatchReader, failed: list[Exception]) -> Iterator[pa.RecordBatch]:
    """The batches of a reader; what goes wrong in it is kept, for DuckDB tells it its own way."""
    try:
        yield from rows
    except Exception as error:
        failed.append(error)
        raise


def _forget(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    with contextlib.suppress(duckdb.Error):  # it may be closed already
        connection.unregister(name)


def _in_words(said: str) -> str:
    """What DuckDB says of files that it cannot read, as their owner would say it."""
    if found := CSV_ERROR.search(said):
        where = f"line {found['line']} ({quoted(found['text'])})"
        if found["wanted"]:
            return (
                f"{where} has {counted(int(found['found']), 'value')}, and the first line names "
                f"{counted(int(found['wanted']), 'column')}. A value that holds the sign between "
                "the columns stands in quotes."
            )
        if found["size"]:
            return (
                f"{where} has {int(found['size']):,} bytes; a line may have {LONGEST_LINE:,}. Is a "
                "quote opened in it and never closed?"
            )
        return f"{where} opens a quote that is not closed where its value ends."
    if "state machine reached an invalid state" in said:
        return (
            "some of its lines end as on Windows and some do not (tr -d '\\r' < IN > OUT makes "
            "them alike), or something stands behind a quote that closes a value."
        )
    if found := NOT_IN_ALL.search(said):
        return (
            f"{found['file']!r} has no column {found['column']!r}, which {found['first']!r} has. "
            "Read files of the same columns together."
        )
    said = re.sub(r"^([A-Z]\w+ )+Error: ", "", said.strip().split("\nLINE ")[0])
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(lines[:3])


def _instants_known(table: ir.Table) -> ir.Table:
    """Times in nanoseconds and with a zone as those in microseconds: Ibis does not know them."""
    unknown = [
        name
        for name, kind in table.schema().items()
        if kind.is_unknown() and "TIMESTAMPTZ_NS" in repr(kind)
    ]
    return (
        table.mutate(**{name: table[name].cast(INSTANT) for name in unknown}) if unknown else table
    )
