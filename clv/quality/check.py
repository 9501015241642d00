"""A check of orders: every subject in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from clv.history import Unit
from clv.quality.calendar_gaps import calendar_gaps
from clv.quality.customers import cohorts, left_truncation
from clv.quality.ids import customer_ids, ids_of_orders, order_ids
from clv.quality.placeholder import placeholder
from clv.quality.purchase_times import regularity
from clv.quality.report import Finding, QualityReport
from clv.quality.rows import (
    duplicates,
    repetitions_counted,
    returns,
    returns_counted,
    rows_set_aside,
)
from clv.quality.seasons import season
from clv.quality.spend import spend
from clv.quality.suitability import daily_buyers, independence, observed_span, repeat_purchases
from clv.transactions.orders import Orders, read_orders
from clv.transactions.reading import Reading
from clv.transactions.report import AFTER_THE_END, OrdersReport, quoted
from clv.transactions.summary import CustomerHistories, histories

__all__ = ["book_findings", "check_orders"]

Check = Callable[[Orders, CustomerHistories], Finding | None]

CHEAP: tuple[Check, ...] = (
    rows_set_aside,
    calendar_gaps,
    season,
    left_truncation,
    cohorts,
    repeat_purchases,
    observed_span,
    independence,
    daily_buyers,
)
"""What rests on the summary and on the number of orders of each day."""

IN_FULL: tuple[Check, ...] = (
    *(duplicates, order_ids, customer_ids, returns, spend, placeholder, regularity),
)
"""What takes another look at every order or at every row."""

FEW = 1_000_000
"""Rows up to which a book has all findings: of ten times as many those that it leaves out (spend,
regularity, placeholder) take 2.6 seconds of a processor, all others together 0.2 (measured)."""

ORDER = (
    *("set_aside", "duplicates", "order_ids", "customer_ids", "returns"),
    *("calendar", "season", "left_truncation", "cohorts", "spend", "placeholder"),
    *("repeat_purchases", "span", "regularity", "daily_buyers", "independence"),
)
"""Of the findings: the rows, then the days and the customers, then the models."""


def check_orders(
    source: Any,
    *,
    end: date | str | None = None,
    unit: Unit = "day",
    progress: Callable[[str], None] | None = None,
    **reading: Any,
) -> QualityReport:
    """Check a log of orders: what is in it, what was done to it, and whether the models suit it.

    Parameters
    ----------
    source : Orders, or what :func:`clv.read_orders` reads
        The orders.
    end : date or "YYYY-MM-DD", optional
        The last day of observation; the last date in the log if not given.
    unit : {"day", "week"}
        The unit of the histories.
    progress : callable, optional
        Told each step as it begins.
    **reading
        What :func:`clv.read_orders` takes besides, such as `schema`.

    Returns
    -------
    QualityReport
        With a verdict on each subject, and the figures that it rests on.

    Raises
    ------
    OrdersError, RequestError
        Where the source cannot be read as orders, or the end makes no sense.

    Notes
    -----
    Limits between the verdicts are rules of thumb (assumed), named in the findings' modules. The
    rows stay in the engine; what leaves it are counts by day, by size of an order, by number of
    purchases, and the distinct histories.

    Examples
    --------
    >>> import clv
    >>> found = clv.check_orders(clv.datasets.path("cdnow"), end="1997-09-30")
    >>> found.verdict, found["repeat_purchases"].verdict
    ('look at this', 'fine')
    >>> print(found["daily_buyers"].sentence)
    Nobody buys on nearly every day.
    """
    progress = progress or (lambda _step: None)
    if isinstance(source, Orders):
        orders = source
    else:
        progress("Reading the orders")
        orders = read_orders(source, **reading)
    progress("Summarising the customers")
    found = histories(orders, end=end, unit=unit)
    progress("Checking the orders")
    findings = [check(orders, found) for check in (*CHEAP, *IN_FULL)]
    return QualityReport(
        source=orders.source,
        rows=_with_late_rows(orders, found),
        first_date=orders.first_date,
        last_date=orders.last_date,
        end=found.end,
        end_assumed=found.end_assumed,
        customers=found.customers,
        findings=_in_order(findings),
    )


def book_findings(
    orders: Orders, found: CustomerHistories, report: OrdersReport, lines: ir.Table | None = None
) -> tuple[Finding, ...]:
    """Return what a book says of its orders: all of few, and of many what hardly takes time.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`, or put together with those of a book.
    found : CustomerHistories
        Of all customers.
    report : OrdersReport
        Of the rows of all sources up to the end.
    lines : ibis.Table, optional
        Those that the book keeps of all sources, as
        :func:`clv.transactions.kept_lines.lines_of` has them.
    """
    findings = [check(orders, found) for check in CHEAP]
    findings += [repetitions_counted(report), customer_ids(orders, found)]
    if orders.has_amount:
        findings.append(returns_counted(report))
    of_all = lines is not None or report.rows_read == orders.report.rows_read
    if of_all and report.rows_read <= FEW:
        findings += [check(orders, found) for check in (spend, placeholder, regularity)]
        if lines is not None and "order_id" in lines.columns:
            sold = lines.filter(~lines["back"])
            sold = sold.mutate(order=sold["order_id"])
            findings.append(ids_of_orders(orders, sold, repeated=report.duplicate_rows))
    return _in_order(findings)


def _in_order(findings: list[Finding | None]) -> tuple[Finding, ...]:
    there = [finding for finding in findings if finding is not None]
    return tuple(sorted(there, key=lambda finding: ORDER.index(finding.topic)))


def _with_late_rows(orders: Orders, found: CustomerHistories) -> OrdersReport:
    """Add to the rows after the end where the first of them stand."""
    late = [a for a in found.report.set_aside if a.reason.startswith(AFTER_THE_END)]
    if not late or late[0].examples:
        return found.report
    reading, table = Reading(orders.schema, orders.opened.engine), orders.opened.table
    shown = [str(orders.schema.customer_id), str(orders.schema.date), *orders.schema.value_columns]
    said = [f"said_{i}" for i in range(len(shown))]
    log = reading.log(
        table, **{name: table[column].cast(str) for name, column in zip(said, shown, strict=True)}
    )
    after = (log["date"] > ibis.literal(found.end)) & log["aside"].isnull()
    rows = orders.opened.first_rows(
        log.select(*said, late=after.fill_null(ibis.literal(value=False))), "late", said
    )
    examples = tuple(f"{row.where}: {', '.join(map(quoted, row.values))}" for row in rows)
    aside = [replace(a, examples=examples) if a is late[0] else a for a in found.report.set_aside]
    return replace(found.report, set_aside=tuple(aside))
