"""Engines: what computes over the rows of orders.

An engine opens files and tables as Ibis tables, computes Ibis expressions, keeps and writes what
they give. Everything that is done with rows elsewhere is such an expression, so that it is the
same on every engine; only here is it known which engine there is.
"""

from __future__ import annotations

from clv.transactions.engines.base import Engine
from clv.transactions.engines.duckdb import DuckDBEngine

__all__ = ["DuckDBEngine", "Engine"]
