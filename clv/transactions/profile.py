"""What reading orders found: how many rows of each sort there are, what is wrong, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from clv.errors import OrdersError
from clv.transactions.column_names import currency_named, plain
from clv.transactions.dates import LayoutChoice, faults_of
from clv.transactions.layouts import ISO_8601, named
from clv.transactions.reading import AGAIN, NOBODY, OTHER_CURRENCY, REVERSAL, VOID, Reading
from clv.transactions.report import (
    CAME_TO_NOTHING,
    NEGATIVE,
    NO_CUSTOMER,
    REPEATED,
    RETURNED,
    SetAside,
    counted,
    quoted,
)
from clv.transactions.schema import Schema
from clv.transactions.sources import Source

__all__ = ["clock_notices", "currency_of", "profile", "rates_notice", "refuse", "set_aside"]

MOST_TOTALS = 3
"""Rows without a date that are looked at: a source has a total or two."""

TOTALS = frozenset(
    (
        *("total", "totals", "grandtotal", "subtotal", "sum", "overall", "summe", "gesamt"),
        *("gesamtsumme", "endsumme", "zwischensumme", "insgesamt", "totalgeneral", "somme"),
        *("soustotal", "suma", "sumatotal", "totaal", "eindtotaal", "subtotaal"),
    )
)
"""What stands in the row of a total, as :func:`plain` has it."""


def profile(source: Source, log: ir.Table) -> dict[str, Any]:
    """Count, in one pass, all that decides whether the rows can be orders.

    Parameters
    ----------
    source : Source
        The orders.
    log : ibis.Table
        Its rows, as :meth:`Reading.log` has them.

    Returns
    -------
    dict
        `rows`, `bad_dates`, `bad_amounts`, `dates`, `zoned`, `amount`; `kept` and `kept_amount`;
        `rows_1`, `amount_1` and so on of each reason to set rows aside; `first_date`,
        `last_date`; `currency` and `other`, the least and the greatest that rows kept have;
        `pointed` and `decimal` where the mark before the decimals is in doubt.
    """
    figures: dict[str, ir.Value] = {
        "rows": log.count(),
        "bad_dates": log["bad_date"].sum(),
        "bad_amounts": log["bad_amount"].sum(),
        "dates": log["date"].count(),
        "zoned": log["zoned"].sum(),
        "amount": log["amount"].sum(),
        "first_date": log["date"].min(),
        "last_date": log["date"].max(),
    }
    if "currency" in log.columns:
        figures |= {"currency": log["currency"].min(), "other": log["currency"].max()}
    if "pointed" in log.columns:
        figures |= {"pointed": log["pointed"].any(), "decimal": log["decimal"].any()}
    # One group for each reason, and one of what is kept: half the time of sums under conditions.
    groups = source.collect(log.group_by("aside").aggregate(**figures)).to_pylist()
    of = {group["aside"]: group for group in groups}
    kept = of.get(None, {})
    seen: dict[str, Any] = {
        name: sum(int(group[name] or 0) for group in groups)
        for name in ("rows", "bad_dates", "bad_amounts", "dates", "zoned")
    }
    seen |= {"kept": kept.get("rows", 0), "kept_amount": kept.get("amount") or Decimal(0)}
    seen |= {name: kept.get(name) for name in ("first_date", "last_date")}
    for reason in (NOBODY, OTHER_CURRENCY, AGAIN, REVERSAL, VOID):
        group = of.get(reason, {})
        seen[f"rows_{reason}"] = group.get("rows", 0)
        seen[f"amount_{reason}"] = group.get("amount") or Decimal(0)
    ours = [group for group in groups if group["aside"] != OTHER_CURRENCY]
    for name, extreme in (("currency", min), ("other", max)):
        if name in figures:
            said = (group[name] for group in ours if group[name] is not None)
            seen[name] = extreme(said, default=None)
    for name in ("pointed", "decimal"):
        if name in figures:
            seen[name] = any(group[name] for group in groups)
    return seen


def set_aside(
    source: Source, reading: Reading, seen: Mapping[str, Any], *, netted: bool = False
) -> list[SetAside]:
    """Return the rows that are no purchases, each reason with examples.

    Parameters
    ----------
    source : Source
        The orders.
    reading : Reading
        How they are read.
    seen : mapping of str to Any
        From :func:`profile`.
    netted : bool
        Whether returns are told elsewhere, being subtracted from orders.
    """
    found = []
    for reason in (NOBODY, OTHER_CURRENCY, AGAIN, *(() if netted else (REVERSAL,)), VOID):
        rows = seen[f"rows_{reason}"]
        if rows:
            words, amount = _reason(source, reading, seen, reason)
            found.append(SetAside(words, rows, amount, _rows_aside(source, reading, reason)))
    return found


def refuse(
    source: Source,
    reading: Reading,
    log: ir.Table,
    seen: Mapping[str, Any],
    layout: LayoutChoice | None,
    faults: Sequence[str],
) -> None:
    """Refuse rows that cannot be read as orders, all faults at once.

    Parameters
    ----------
    source : Source
        The orders.
    reading : Reading
        How they are read.
    log : ibis.Table
        Its rows, as read.
    seen : mapping of str to Any
        From :func:`profile`.
    layout : LayoutChoice or None
        How the layout of the dates was chosen.
    faults : sequence of str
        What was found wrong before.

    Raises
    ------
    OrdersError
        Where anything is wrong.
    """
    schema, rows = reading.schema, seen["rows"]
    if not rows:
        raise OrdersError(f"{source.name!r} has a header but no rows.")
    found = list(faults)
    day = str(schema.date)
    where = _examples(source, reading, "bad_date", [day]) if seen["bad_dates"] else ""
    stated = named(schema.date_layout) if schema.date_layout is not None else None
    if layout is None and stated not in {None, ISO_8601}:
        layout = LayoutChoice(stated, (), "", 0)
    totals = _totals(source, reading) if 0 < seen["bad_dates"] <= MOST_TOTALS else []
    found += totals
    found += faults_of(day, seen["bad_dates"] - len(totals), rows, where, layout)
    if unrated := _without_rate(source, schema, log):
        found.append(unrated)
    elif seen["bad_amounts"]:
        columns = " x ".join(map(repr, schema.value_columns))
        where = _examples(source, reading, "bad_amount", schema.value_columns)
        found.append(
            f"No readable amount in {seen['bad_amounts']:,} of {counted(rows, 'row')}, column "
            f"{columns} ({where}). Write each as a number below 10^14, such as "
            f"1234{schema.decimal or '.'}50; 0 where the order was free."
        )
    if not schema.rates and seen.get("currency") != seen.get("other"):
        found.append(_several_currencies(source, schema, log))
    if not found and not seen["kept"]:
        found.append(_no_purchase(source, schema, seen))
    if found:
        raise OrdersError.of(found)


def _no_purchase(source: Source, schema: Schema, seen: Mapping[str, Any]) -> str:
    """Say why no row is a purchase, and what to look at for the reason that most rows have."""
    kinds = f"Does a word of column {schema.kind!r} mean a sale? State it in a schema: [kinds]."
    amounts = "Returns are read with the orders that they reverse; sales have positive amounts."
    back = "with a negative amount" if schema.kind is None else "of returns or cancellations"
    reasons = {
        NOBODY: (
            "without a customer id",
            f"Does column {schema.customer_id!r} say who bought? Else name it: --customer-id.",
        ),
        OTHER_CURRENCY: (
            f"in another currency than {schema.currency_taken}",
            "State in a schema which is taken: currency_taken.",
        ),
        AGAIN: (
            "that repeat another",
            "Repeated rows are dropped: the first of each is no purchase.",
        ),
        REVERSAL: (back, amounts if schema.kind is None else kinds),
        VOID: ("of orders that came to nothing", kinds),
    }
    there = {reason: seen[f"rows_{reason}"] for reason in reasons if seen[f"rows_{reason}"]}
    told = ", ".join(f"{many:,} {reasons[reason][0]}" for reason, many in there.items())
    most = max(there, key=lambda reason: there[reason])
    return (
        f"No row of {source.name!r} is a purchase: of {counted(seen['rows'], 'row')}, {told}. "
        f"{reasons[most][1]}"
    )


def _totals(source: Source, reading: Reading) -> list[str]:
    """Say which of the rows without a date look like a total of the others; all, or none."""
    table, day = source.table, str(reading.schema.date)
    others = [n for n in table.columns if n != day and isinstance(table[n], ir.StringColumn)]
    texts = _texts(source, [day, *others])
    rows = source.first_rows(reading.log(source.table, **texts), "bad_date", [*texts])
    found = []
    for row in rows:
        words = [str(said) for said in row.values if plain(str(said or "")) in TOTALS]
        if words and not str(row.values[0] or "").strip():
            where = f"{row.where[0].upper()}{row.where[1:]}"
            found.append(f"{where} looks like a total ({quoted(words[0])}): delete it.")
    return found if len(found) == len(rows) else []


def rates_notice(source: Source, schema: Schema, log: ir.Table) -> list[str]:
    """Say at which rates amounts were turned into one currency, and how many rows have each.

    Parameters
    ----------
    source : Source
        The orders.
    schema : Schema
        With the rates.
    log : ibis.Table
        The rows, as read.
    """
    if not schema.rates or "currency" not in log.columns:
        return []
    found = [row for row in _currencies(source, log) if row["currency"] in schema.rates]
    told = ", ".join(
        f"{row['currency']} x {schema.rates[row['currency']]} ({counted(row['rows'], 'row')})"
        for row in found
    )
    return [f"Amounts were turned into {_base_currency(schema)}: {told}."] if told else []


def _base_currency(schema: Schema) -> str | None:
    """Return the currency whose rate is 1; None without rates."""
    return next((code for code, rate in schema.rates.items() if rate == 1), None)


def clock_notices(schema: Schema, seen: Mapping[str, Any]) -> list[str]:
    """Say which day times belong to, where that is more than the day that is written.

    Parameters
    ----------
    schema : Schema
        Complete.
    seen : mapping of str to Any
        From :func:`profile`.
    """
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


def currency_of(schema: Schema, seen: Mapping[str, Any]) -> str | None:
    """Return the currency of the amounts: as stated, as the rows say, or as their column says.

    Parameters
    ----------
    schema : Schema
        Complete.
    seen : mapping of str to Any
        From :func:`profile`.
    """
    said = _base_currency(schema) or schema.currency_taken or seen.get("currency")
    if said is None and schema.has_amount:
        return currency_named(schema.value_columns[-1])
    return said


def _reason(
    source: Source, reading: Reading, seen: Mapping[str, Any], reason: int
) -> tuple[str, Decimal | None]:
    """Say in words why rows are set aside, and what they come to together."""
    schema = reading.schema
    if reason == OTHER_CURRENCY:  # in no sum of amounts: those are all of one currency
        table = reading.log(source.table)
        others = table.filter(table["aside"] == OTHER_CURRENCY)
        sums = ", ".join(
            f"{row['amount']:,.2f} {row['currency']}" for row in _currencies(source, others)
        )
        return f"in another currency than {schema.currency_taken} ({sums})", None
    words = {
        NOBODY: NO_CUSTOMER,
        AGAIN: REPEATED,
        REVERSAL: _back(schema),
        VOID: CAME_TO_NOTHING,
    }[reason]
    return words, seen[f"amount_{reason}"] if schema.has_amount else None


def _back(schema: Schema) -> str:
    return RETURNED if schema.kind is not None else NEGATIVE


def _rows_aside(source: Source, reading: Reading, reason: int) -> tuple[str, ...]:
    """Say where the first rows stand that are set aside for a reason, and what they say."""
    if reason == AGAIN:  # which of the rows that are the same is dropped has no meaning
        return ()
    schema = reading.schema
    shown = [str(schema.customer_id), str(schema.date), *schema.value_columns]
    table = reading.log(source.table, **_texts(source, shown))
    aside = (table["aside"] == reason).fill_null(ibis.literal(value=False))
    rows = source.first_rows(table.mutate(here=aside), "here", [*_texts(source, shown)])
    return tuple(f"{row.where}: {', '.join(map(quoted, row.values))}" for row in rows)


def _examples(source: Source, reading: Reading, fault: str, shown: Sequence[str]) -> str:
    """Say where the first faulty rows are and what they say."""
    texts = _texts(source, shown)
    found = source.first_rows(reading.log(source.table, **texts), fault, [*texts])
    return "; ".join(
        f"{row.where}: {' x '.join(quoted(value) for value in row.values)}" for row in found
    )


def _texts(source: Source, columns: Sequence[str]) -> dict[str, ir.StringValue]:
    """Return columns of the source as texts, by names of their own."""
    return {f"said_{i}": source.table[name].cast(str) for i, name in enumerate(columns)}


def _currencies(source: Source, log: ir.Table) -> list[dict[str, Any]]:
    """Return the rows and the amounts of each currency."""
    grouped = log.group_by("currency").aggregate(rows=log.count(), amount=log["amount"].sum())
    found: list[dict[str, Any]] = source.collect(grouped.order_by("currency")).to_pylist()
    return found


def _without_rate(source: Source, schema: Schema, log: ir.Table) -> str:
    """Say which currencies have no rate; empty where all have."""
    if not schema.rates or "currency" not in log.columns:
        return ""
    missing = [row for row in _currencies(source, log) if row["currency"] not in schema.rates]
    missing = [row for row in missing if row["currency"] is not None or _said(source, log)]
    if not missing:
        return ""
    told = ", ".join(
        f"{row['currency'] or 'blank'} ({counted(row['rows'], 'row')})" for row in missing
    )
    return (
        f"The schema has no rate for these currencies: {told}. State what one unit of each is "
        f"worth in {_base_currency(schema)}, below [rates]."
    )


def _said(source: Source, log: ir.Table) -> bool:
    """Whether a row without a currency is an order, no blank line."""
    rows = log.filter(log["currency"].isnull() & log["bad_amount"])
    return bool(source.collect(rows.aggregate(rows=rows.count()))["rows"][0].as_py())


def _several_currencies(source: Source, schema: Schema, log: ir.Table) -> str:
    found = [row for row in _currencies(source, log) if row["currency"] is not None]
    names = ", ".join(f"{row['currency']} ({counted(row['rows'], 'row')})" for row in found)
    column = schema.currency or schema.value_columns[-1]
    most = max(found, key=lambda row: int(row["rows"]))["currency"]
    return (
        f"Column {column!r} has {len(found)} currencies: {names}. Amounts of different currencies "
        "cannot be added: read one currency at a time (in a schema: currency_taken = "
        f'"{most}"), or state rates ([rates] and below it {most} = 1 and so on).'
    )
