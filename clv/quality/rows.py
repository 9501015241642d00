"""Rows: what was set aside, what is there twice, and what was returned."""

from __future__ import annotations

import functools
import operator
from datetime import date
from decimal import Decimal
from typing import Any

import ibis

from clv.quality.report import FINE, LOOK, Finding, percent
from clv.transactions.orders import Orders
from clv.transactions.reading import REVERSAL, Reading
from clv.transactions.repeated_rows import TIMES, repeated_rows
from clv.transactions.report import (
    BACK,
    NO_CUSTOMER,
    OrdersReport,
    ReturnsReport,
    SetAside,
    counted,
    quoted,
)
from clv.transactions.summary import CustomerHistories

__all__ = ["duplicates", "repetitions_counted", "returns", "returns_counted", "rows_set_aside"]

MUCH_ASIDE = 0.05
"""Share of the rows without a customer from which it should be looked at (assumed)."""

MANY_DUPLICATES = 0.001
"""Share of the rows kept from which identical ones are hardly chance (assumed)."""

MANY_RETURNS = 0.2
"""Share of the money sold that comes back from which it should be looked at (assumed)."""

MANY_UNMATCHED = 0.1
"""Share of the money returned that has no order from which it should be looked at (assumed)."""


def rows_set_aside(orders: Orders, found: CustomerHistories) -> Finding:
    """Say how much was set aside besides returns, and whether that is much.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    del found  # rows after the end are set aside because of what was asked
    report = orders.report
    aside = [aside for aside in report.set_aside if aside.reason not in BACK]
    rows = sum(one.rows for one in aside)
    nobody = sum(one.rows for one in aside if one.reason == NO_CUSTOMER)
    share = rows / report.rows_read
    figures = {"rows": rows, "share": share, "rows_without_customer": nobody}
    but = " besides returns" if len(aside) < len(report.set_aside) else ""
    if not rows:
        return Finding("set_aside", FINE, f"Every row{but} is an order of a customer.", "", figures)
    told = (
        f"{counted(rows, 'row')} ({percent(share)}){but} "
        f"{'is' if rows == 1 else 'are'} set aside: {_reasons(aside)}."
    )
    if nobody / report.rows_read <= MUCH_ASIDE:
        return Finding("set_aside", FINE, told, "", figures)
    return Finding(
        "set_aside",
        LOOK,
        f"{told} {nobody:,} ({percent(nobody / report.rows_read)}) name no customer.",
        "What guests buy is in no value and no forecast. If the shop knows them by e-mail address "
        "or card, put that into the customer column.",
        figures,
    )


def _reasons(aside: list[SetAside]) -> str:
    if len(aside) == 1:
        return aside[0].reason
    return ", ".join(f"{one.reason} ({counted(one.rows, 'row')})" for one in aside)


def returns(orders: Orders, found: CustomerHistories) -> Finding | None:
    """Say how much money came back.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    if not orders.has_amount:
        return None
    reading, table = Reading(orders.schema, orders.opened.engine), orders.opened.table
    rows = reading.log(table)
    rows = rows.filter(rows["date"] <= ibis.literal(found.end))
    back, sold = rows["aside"] == REVERSAL, rows["aside"].isnull()
    (row,) = orders.opened.collect(
        rows.aggregate(
            rows=back.sum(),
            amount=rows["amount"].sum(where=back),
            sold=rows["amount"].sum(where=sold),
        )
    ).to_pylist()
    many = int(row["rows"] or 0)
    money, netted = abs(row["amount"] or Decimal(0)), found.report.returns or orders.report.returns
    return _told_of_returns(many, money, row["sold"], netted)


def returns_counted(report: OrdersReport) -> Finding:
    """Say how much money came back, from what a report has of it: no row is looked at.

    Parameters
    ----------
    report : OrdersReport
        Up to the end of observation, with amounts. Returns that were ignored are those of the
        whole log.
    """
    netted = report.returns
    if netted is not None:
        money = (netted.amount or Decimal(0)) + (netted.unmatched_amount or Decimal(0))
        many = netted.rows + netted.unmatched_rows
    else:
        ignored = [aside for aside in report.set_aside if aside.reason in BACK]
        many = sum(aside.rows for aside in ignored)
        money = abs(sum((aside.amount or Decimal(0) for aside in ignored), start=Decimal(0)))
    return _told_of_returns(many, money, report.amount_kept, netted)


def _told_of_returns(
    many: int, money: Decimal, sold: Decimal | None, netted: ReturnsReport | None
) -> Finding:
    share = float(money / sold) if sold else 0.0
    lost = netted.unmatched_amount if netted is not None and netted.unmatched_amount else Decimal(0)
    figures = {
        "rows": many,
        "amount": float(money),
        "share_of_sales": share,
        "unmatched_amount": None if netted is None else float(lost),
    }
    if not many:
        return Finding(
            "returns", FINE, "No row is a return or cancellation up to the end.", "", figures
        )
    what = "is a return or cancellation" if many == 1 else "are returns or cancellations"
    told = f"{counted(many, 'row')} {what}, {money:,.2f} in all: {percent(share)} of what was sold."
    if money and lost / money > MANY_UNMATCHED:
        told += f" {lost:,.2f} of it could not be matched with an order, and is subtracted nowhere."
        advice = (
            "Does the log begin after these were sold, or do the returns name other customers? "
            "The values of such customers come out too high. A column with the order that a "
            "return reverses settles it: --column reverses=COLUMN."
        )
        return Finding("returns", LOOK, told, advice, figures)
    if share < MANY_RETURNS:
        return Finding("returns", FINE, told, "", figures)
    advice = (
        "Are these returns of goods, or corrections of entries? What a customer is worth depends "
        "on which orders they reverse."
    )
    return Finding("returns", LOOK, told, advice, figures)


def duplicates(orders: Orders, found: CustomerHistories) -> Finding:
    """Say how many rows repeat another in every column, and show some.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    report = found.report
    if not report.duplicate_rows:
        return repetitions_counted(report)
    same = _repeated(orders, found.end)
    worth = float(same["amount"]) if report.amount_kept is not None else None
    return _told_of_repetitions(report, worth, same["examples"])


def repetitions_counted(report: OrdersReport) -> Finding:
    """Say how many rows repeat another in every column, without a look at any.

    Parameters
    ----------
    report : OrdersReport
        That has their number.
    """
    return _told_of_repetitions(report, None, [])


def _told_of_repetitions(report: OrdersReport, worth: float | None, examples: list[str]) -> Finding:
    many = report.duplicate_rows
    share = many / report.rows_kept
    figures: dict[str, Any] = {
        "rows": many,
        "share": share,
        "amount": worth if many else 0.0,
        "examples": examples,
    }
    if not many:
        return Finding("duplicates", FINE, "No row repeats another in every column.", "", figures)
    money = f", {worth:,.2f} in all" if worth is not None else ""
    told = f"{counted(many, 'row')} ({percent(share)}) repeat an earlier one in every column{money}"
    if many == 1:
        told = told.replace("repeat", "repeats")
    told += f": for example {examples[0]}." if examples else "."
    advice = (
        "They are kept, for two identical orders can be real. If the export doubled them, drop "
        'them, duplicates = "drop" in a schema: each adds to a purchase of the same day, so they '
        "raise what customers spend, not how often they buy."
    )
    if share <= MANY_DUPLICATES:
        return Finding("duplicates", FINE, told, "", figures)
    return Finding("duplicates", LOOK, told, advice, figures)


def _repeated(orders: Orders, end: date) -> dict[str, Any]:
    """What the repeated rows come to, and the three that are there most often."""
    reading, columns = Reading(orders.schema, orders.opened.engine), orders.opened.table.columns
    same = repeated_rows(orders.opened, reading, orders.days)
    same = orders.opened.materialise(same.filter(same["date"] <= ibis.literal(end)))
    more = same[TIMES] - 1
    said = [f"said_{i}" for i in range(len(columns))]
    total = same.aggregate(amount=(same["amount"] * more).sum())
    shown = same.order_by(ibis.desc(TIMES), "customer_id", "date", *said).limit(3)
    examples = [
        {name: row[place] for name, place in zip(columns, said, strict=True)} | {TIMES: row[TIMES]}
        for row in orders.opened.collect(shown).to_pylist()
    ]
    amount = orders.opened.collect(total)["amount"][0].as_py()
    orders.opened.engine.drop(same)
    told = [_example(orders, row) for row in examples[:1]]
    told += [f"{_values(orders, row)}, {row[TIMES]} times" for row in examples[1:]]
    return {"amount": amount or Decimal(0), "examples": told}


def _values(orders: Orders, row: dict[str, Any]) -> str:
    schema = orders.schema
    columns = [schema.customer_id, schema.date, schema.order_id, schema.item, *schema.value_columns]
    return ", ".join(quoted(row[column]) for column in columns if column is not None)


def _example(orders: Orders, row: dict[str, Any]) -> str:
    """Say where the first copies of a row stand, and what they say."""
    table = orders.opened.table
    equal = functools.reduce(
        operator.and_,
        [
            table[name].identical_to(ibis.literal(row[name], table[name].type()))
            for name in table.columns
        ],
    )
    marked = table.select(same=equal.fill_null(ibis.literal(value=False)))
    places = [found.where for found in orders.opened.first_rows(marked, "same", [])]
    return f"{_values(orders, row)}, {row[TIMES]} times ({', '.join(places)})"
