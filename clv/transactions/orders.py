"""Read orders: every row kept, set aside with a reason, or refused with its place."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import ibis.expr.types as ir

from clv.errors import OrdersError
from clv.transactions.dates import LayoutChoice, choose, faults_of
from clv.transactions.engines import Engine
from clv.transactions.layouts import named
from clv.transactions.reading import Reading
from clv.transactions.report import OrdersReport, SetAside, counted, quoted
from clv.transactions.schema import Schema, doubts, recognise
from clv.transactions.sources import Source, open_source

__all__ = ["Orders", "read_orders"]

NO_CUSTOMER = "no customer id"
NEGATIVE = "negative amount"


@dataclass(frozen=True, eq=False)
class Orders:
    """The purchases of a company's customers.

    Attributes
    ----------
    days : ibis.Table
        One row per customer and day with a purchase, held by the engine: `customer_id` (text, or
        the integers of the source), `date`, `rows` (orders of that day) and `amount` (their sum,
        an exact decimal; null where amounts are not known).
    source : str
        What was read, as it was named.
    schema : Schema
        The columns that were taken, and how what they say was meant.
    report : OrdersReport
        Rows and amounts read, kept and set aside.
    first_date, last_date : date
        The first and the last day with a purchase.
    sha256 : str
        Of files, the hash of their content (`cat FILES | sha256sum`, in sorted order); of a
        frame, the hash of its customers, days and amounts as text.
    opened : Source
        The engine that holds `days`.
    """

    days: ir.Table = field(repr=False)
    source: str
    schema: Schema
    report: OrdersReport = field(repr=False)
    first_date: date
    last_date: date
    sha256: str = field(repr=False)
    opened: Source = field(repr=False)

    @property
    def has_amount(self) -> bool:
        """Whether the values of the orders are known."""
        return self.schema.has_amount


def read_orders(
    source: Any,
    *,
    schema: Schema | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    customer_id: str | None = None,
    date: str | None = None,
    amount: str | None = None,
    engine: Engine | None = None,
) -> Orders:
    """Read orders from files, tables of databases, or data frames.

    A row is an order, or a line of one: what a customer buys on one day is one transaction. Rows
    without a customer and rows with a negative amount (refunds, cancellations) are set aside,
    counted in :attr:`Orders.report`; they are never purchases or spend. An amount of 0 is a
    purchase but tells nothing of spend.

    Parameters
    ----------
    source : path, pattern of paths, folder, URL, or data frame
        CSV (.csv, .tsv, .txt, also .gz; with a header line), Parquet or Excel (.xlsx) files; a
        folder of Parquet files; a DuckDB or SQLite file; a URL such as
        `postgresql://user:password@host/database?table=orders`; a frame of pandas or polars; a
        table of pyarrow or Ibis.
    schema : Schema, mapping, or path of a schema file, optional
        Which column is what, and how what it says is meant; what it leaves open is recognised.
    customer_id, date, amount : str, optional
        The names of these columns; they go before those of the schema. Without an amount,
        quantity times unit price is taken; without those, the values of the orders are not known.
    engine : Engine, optional
        What computes: :class:`clv.DuckDBEngine`, by default with all of the machine's cores and
        four fifths of its memory.

    Returns
    -------
    Orders
        What :func:`histories` needs.

    Raises
    ------
    OrdersError
        Where there is no such file, a column is missing or could be several, dates or amounts
        cannot be read (how many, where, and what they say), or currencies are mixed.
    EngineError
        Where the engine has not enough memory or disk, or is not there.

    Notes
    -----
    Customer ids are text and keep leading zeros; whole numbers stay whole. Amounts are kept to
    four decimals. Dates are ISO 8601 or in one other layout that reads the whole column and has
    no rival; a time written with its offset from UTC counts for its day in UTC.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = read_orders(pd.DataFrame({
    ...     "customer": ["007", "007", "011", None],
    ...     "order_date": ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-01"],
    ...     "total": [10.0, 12.5, 8.0, 3.0],
    ... }))
    >>> orders.report.rows_read, orders.report.rows_kept, str(orders.report.amount_kept)
    (4, 3, '30.5000')
    >>> orders.report.set_aside[0].reason
    'no customer id'
    """
    opened = open_source(source, engine=engine)
    columns = {"customer_id": customer_id, "date": date, "amount": amount}
    given = Schema.of(schema).with_columns({k: v for k, v in columns.items() if v is not None})
    names = list(opened.table.columns)
    taken = recognise(names, given)
    notices = [*opened.notices, str(taken), *doubts(names, given)]
    reading = Reading(taken, opened.engine)
    log = opened.materialise(reading.log(opened.table))
    seen = _profile(log)
    choice: LayoutChoice | None = None
    if seen["bad_dates"] and taken.date_layout is None:
        choice = choose(opened, str(taken.date))
        if choice is not None and choice.dates > seen["dates"]:
            opened.engine.drop(log)
            taken = replace(taken, date_layout=choice.layout.words)
            reading = Reading(taken, opened.engine)
            log = opened.materialise(reading.log(opened.table))
            seen = _profile(log)
            notices.append(choice.notice)
        else:
            choice = None
    _refuse(opened, reading, log, seen, choice)
    days = opened.materialise(_days(log))
    notices += _clock_notices(taken, seen)
    repeated = _duplicates(opened, reading, days)
    if repeated:
        notices.append(
            f"Kept, though the same as an earlier row in every column: {counted(repeated, 'row')}. "
            "Two identical orders can be real; if the export doubled them, remove them first."
        )
    orders = Orders(
        days=days,
        source=opened.name,
        schema=taken,
        report=_report(taken, seen, repeated, notices),
        first_date=seen["first_date"],
        last_date=seen["last_date"],
        sha256=opened.sha256(log),
        opened=opened,
    )
    opened.engine.drop(log)
    return orders


def _clock_notices(schema: Schema, seen: Mapping[str, Any]) -> list[str]:
    """Say which day times belong to, where that is more than the day that is written."""
    zone = schema.time_zone or "UTC"
    told = []
    if seen["zoned"]:
        stated = "" if schema.time_zone else " (state time_zone in a schema for another)"
        told.append(
            f"{counted(seen['zoned'], 'date')} came with an offset from UTC; an order belongs to "
            f"its day in {zone}{stated}."
        )
    if schema.source_time_zone is not None and schema.source_time_zone != schema.time_zone:
        told.append(
            f"Times without an offset are taken to be those of {schema.source_time_zone}; an order "
            f"belongs to its day in {zone}."
        )
    return told


def _kept(log: ir.Table) -> ir.BooleanValue:
    """Whether a row is a purchase: it has a customer, and its amount is not negative."""
    return log["customer_id"].notnull() & ~_negative(log)


def _negative(log: ir.Table) -> ir.BooleanValue:
    return log["amount"].fill_null(0) < 0


def _days(log: ir.Table) -> ir.Table:
    """One row per customer and day: how many rows, and what they are worth together."""
    kept = log.filter(_kept(log))
    return kept.group_by("customer_id", "date").aggregate(
        rows=kept.count(), amount=kept["amount"].sum()
    )


def _profile(log: ir.Table) -> dict[str, Any]:
    """Count, in one pass, all that decides whether the rows can be orders."""
    kept = _kept(log)
    nobody = log["customer_id"].isnull()
    refund = ~nobody & _negative(log)
    currency = "currency" in log.columns
    figures = {
        "rows": log.count(),
        "bad_dates": log["bad_date"].sum(),
        "bad_amounts": log["bad_amount"].sum(),
        "dates": log["date"].count(),
        "zoned": log["zoned"].sum(),
        "amount": log["amount"].sum(),
        "kept": kept.sum(),
        "kept_amount": log["amount"].sum(where=kept),
        "nobody": nobody.sum(),
        "nobody_amount": log["amount"].sum(where=nobody),
        "refunds": refund.sum(),
        "refunds_amount": log["amount"].sum(where=refund),
        "first_date": log["date"].min(where=kept),
        "last_date": log["date"].max(where=kept),
    }
    if currency:
        figures |= {"currency": log["currency"].min(), "other": log["currency"].max()}
    row: dict[str, Any] = log.aggregate(**figures).to_pyarrow().to_pylist()[0]
    counts = ("bad_dates", "bad_amounts", "zoned", "kept", "nobody", "refunds")
    return row | {name: int(row[name] or 0) for name in counts}


def _refuse(
    source: Source,
    reading: Reading,
    log: ir.Table,
    seen: dict[str, Any],
    choice: LayoutChoice | None,
) -> None:
    """Refuse rows that cannot be read as orders, all faults at once."""
    schema, rows = reading.schema, seen["rows"]
    if not rows:
        raise OrdersError(f"{source.name!r} has a header but no rows.")
    faults = []
    day = str(schema.date)
    where = _examples(source, reading, "bad_date", [day]) if seen["bad_dates"] else ""
    stated = named(schema.date_layout) if schema.date_layout is not None else None
    if choice is None and stated is not None:
        choice = LayoutChoice(stated, (), "", 0)
    faults += faults_of(day, seen["bad_dates"], rows, where, choice)
    if seen["bad_amounts"]:
        where = _examples(source, reading, "bad_amount", schema.value_columns)
        faults.append(
            f"No readable amount in {seen['bad_amounts']:,} of {counted(rows, 'row')}, column "
            f"{' x '.join(map(repr, schema.value_columns))} ({where}). Write plain numbers such as "
            "1234.50, with a point before the decimals and without signs of currency or separators "
            "of thousands, below 10^14; 0 where the order was free."
        )
    if seen.get("currency") != seen.get("other"):
        table = log.group_by("currency").aggregate(rows=log.count()).order_by("currency")
        found = [r for r in table.to_pyarrow().to_pylist() if r["currency"] is not None]
        names = ", ".join(f"{r['currency']} ({counted(r['rows'], 'row')})" for r in found)
        faults.append(
            f"Column {schema.currency!r} has {len(found)} currencies: {names}. Amounts of "
            "different currencies cannot be added: read the orders of one currency at a time, or "
            "convert them first."
        )
    if not faults and not seen["kept"]:
        faults.append(
            f"No row of {source.name!r} is a purchase: of {counted(rows, 'row')}, "
            f"{seen['nobody']:,} with {NO_CUSTOMER} and {seen['refunds']:,} with a {NEGATIVE}."
        )
    if faults:
        raise OrdersError.of(faults)


def _examples(source: Source, reading: Reading, fault: str, shown: Sequence[str]) -> str:
    """Say where the first faulty rows are and what they say."""
    table = source.table.select(
        **{fault: reading.expressions(source.table)[fault]},
        **{f"said_{i}": source.table[name].cast(str) for i, name in enumerate(shown)},
    )
    found = source.first_rows(table, fault, [f"said_{i}" for i in range(len(shown))])
    return "; ".join(
        f"{row.where}: {' x '.join(quoted(value) for value in row.values)}" for row in found
    )


def _duplicates(source: Source, reading: Reading, days: ir.Table) -> int:
    """Count the rows kept that repeat an earlier one in every column of the source."""
    # Only days with several orders can hold a repeated one: look at all columns of those alone.
    busy = days.filter(days["rows"] > 1)
    if not busy.count().to_pyarrow().as_py():
        return 0
    said = reading.expressions(source.table)
    rows = source.table.mutate(
        _customer=said["customer_id"], _date=said["date"], _amount=said["amount"]
    )
    same_day = [rows["_customer"] == busy["customer_id"], rows["_date"] == busy["date"]]
    among = rows.semi_join(busy, same_day)
    among = among.filter(among["_amount"].fill_null(0) >= 0)
    same = among.group_by(*among.columns).aggregate(_times=among.count())
    return int((same["_times"] - 1).sum().to_pyarrow().as_py() or 0)


def _report(
    schema: Schema, seen: dict[str, Any], repeated: int, notices: list[str]
) -> OrdersReport:
    def money(value: Decimal | None) -> Decimal | None:
        return (value if value is not None else Decimal(0)) if schema.has_amount else None

    aside = tuple(
        SetAside(reason, seen[key], money(seen[f"{key}_amount"]))
        for reason, key in ((NO_CUSTOMER, "nobody"), (NEGATIVE, "refunds"))
        if seen[key]
    )
    return OrdersReport(
        rows_read=seen["rows"],
        rows_kept=seen["kept"],
        amount_read=money(seen["amount"]),
        amount_kept=money(seen["kept_amount"]),
        set_aside=aside,
        duplicate_rows=repeated,
        currency=seen.get("currency"),
        notices=tuple(notices),
    )
