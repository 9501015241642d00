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
