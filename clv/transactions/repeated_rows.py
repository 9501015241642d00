"""Rows that are there more than once: the same in every column of the source."""

from __future__ import annotations

import ibis.expr.types as ir

from clv.transactions.reading import Reading
from clv.transactions.sources import Source

__all__ = ["TIMES", "repeated_rows", "repetitions"]

TIMES = "_times"
"""Name of the column that counts; no source has it, for those of the source are numbered."""


def repeated_rows(source: Source, reading: Reading, days: ir.Table) -> ir.Table:
    """Purchases that are there more than once, each once.

    Parameters
    ----------
    source : Source
        The orders.
    reading : Reading
        How they are read.
    days : ibis.Table
        Days with purchases: only customers with a day of several can have one twice, and all
        columns are looked at of those alone.

    Returns
    -------
    ibis.Table
        `customer_id`, `date`, `amount`, `said_0`, `said_1`, … (the columns of the source, in their
        order) and :data:`TIMES`, how often the row is there.
    """
    busy = days.filter(days["rows"] > 1).select("customer_id").distinct()
    said = {f"said_{i}": source.table[name] for i, name in enumerate(source.table.columns)}
    rows = reading.log(source.table, **said)
    rows = rows.filter(rows["aside"].isnull()).semi_join(busy, "customer_id")
    same = rows.group_by("customer_id", "date", "amount", *said).aggregate(**{TIMES: rows.count()})
    return same.filter(same[TIMES] > 1)


def repetitions(source: Source, reading: Reading, days: ir.Table) -> int:
    """Count the purchases that repeat an earlier one in every column; arguments as above."""
    if not len(source.collect(days.filter(days["rows"] > 1).limit(1))):
        return 0
    same = repeated_rows(source, reading, days)
    found = source.collect(same.aggregate(again=(same[TIMES] - 1).sum()))
    return int(found["again"][0].as_py() or 0)
