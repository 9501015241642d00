"""Rows that are there more than once: the same in every column of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import ibis.expr.types as ir

from clv.transactions.reading import Reading
from clv.transactions.report import OrdersReport, counted
from clv.transactions.sources import Source

__all__ = ["TIMES", "repeated_by", "repeated_rows", "repetitions", "repetitions_told"]

TIMES = "_times"
"""Name of the column that counts; no source has it, for those of the source are numbered."""


def repeated_rows(
    source: Source, reading: Reading, days: ir.Table, *, by: Sequence[str] = ("customer_id",)
) -> ir.Table:
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
    by : sequence of str
        With "date" too, only rows of such days are looked at: where no line was put on another.

    Returns
    -------
    ibis.Table
        `customer_id`, `date`, `amount`, `said_0`, `said_1`, … (the columns of the source, in their
        order) and :data:`TIMES`, how often the row is there.
    """
    busy = days.filter(days["rows"] > 1).select(*by).distinct()
    said = {f"said_{i}": source.table[name] for i, name in enumerate(source.table.columns)}
    rows = reading.log(source.table, **said)
    rows = rows.filter(rows["aside"].isnull()).semi_join(busy, list(by))
    same = rows.group_by("customer_id", "date", "amount", *said).aggregate(**{TIMES: rows.count()})
    return same.filter(same[TIMES] > 1)


def repetitions(source: Source, reading: Reading, days: ir.Table) -> dict[date, int]:
    """Count on each day of the lines the purchases that repeat an earlier one; as above."""
    if reading.schema.duplicates == "drop":
        return {}
    if not len(source.collect(days.filter(days["rows"] > 1).limit(1))):
        return {}
    same = repeated_rows(source, reading, days, by=("customer_id", "date"))
    found = same.group_by("date").aggregate(again=(same[TIMES] - 1).sum()).order_by("date")
    return {row["date"]: int(row["again"]) for row in source.collect(found).to_pylist()}


def repetitions_told(repeated: Mapping[date, int]) -> list[str]:
    """Say how many rows repeat an earlier one, and what to do; nothing where none does.

    Parameters
    ----------
    repeated : mapping of date to int
        From :func:`repetitions`.
    """
    if not repeated:
        return []
    first, last = min(repeated), max(repeated)
    when = f"of {first}" if first == last else f"of {first} to {last}"
    told = (
        f"Kept, though the same as an earlier row in every column: "
        f"{counted(sum(repeated.values()), 'row')}, {when}. Two identical orders can be real; if "
        'the export doubled them, drop them: duplicates = "drop" in a schema.'
    )
    return [told]


def repeated_by(report: OrdersReport, repeated: Mapping[date, int], end: date) -> OrdersReport:
    """Return a report without the repetitions after the end of observation.

    Parameters
    ----------
    report : OrdersReport
        Of all rows.
    repeated : mapping of date to int
        From :func:`repetitions`.
    end : date
        The last day that counts.
    """
    late = sum(many for day, many in repeated.items() if day > end)
    if not late:
        return report
    before = repetitions_told(repeated)
    now = repetitions_told({day: many for day, many in repeated.items() if day <= end})
    notices: list[str] = []
    for told in report.notices:
        notices += now if told in before else [told]
    many = report.duplicate_rows - late
    return replace(report, duplicate_rows=many, notices=tuple(notices))
