"""Orders of several sources, put together line by line: all of them, as if they were read at once.

No source is read twice: of the earlier ones there are the lines that were kept.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import ibis
import ibis.expr.types as ir

from clv.transactions.continued import strangers_told
from clv.transactions.from_lines import from_lines
from clv.transactions.kept_lines import LINES, lines_of, typed
from clv.transactions.order_lines import days_of_orders
from clv.transactions.orders import Orders
from clv.transactions.repeated_rows import repeated_by
from clv.transactions.report import (
    SUBTRACTED,
    UNMATCHED,
    OrdersReport,
    after_the_end,
    counted,
)
from clv.transactions.sources import Source

__all__ = ["Joined", "joined", "one_after_another"]


@dataclass(frozen=True, eq=False)
class Joined:
    """Lines that were kept and newer orders, put together.

    Attributes
    ----------
    orders : Orders
        All of them; their report is of all sources.
    lines : ibis.Table
        What they were made of.
    before : OrdersReport
        Of the earlier sources, but for their returns.
    newer : Orders
        As read.
    """

    orders: Orders
    lines: ir.Table = field(repr=False)
    before: OrdersReport = field(repr=False)
    newer: Orders = field(repr=False)

    def of_newer(self, every: OrdersReport, cut: date, end: date) -> OrdersReport:
        """Account for the rows of the newer source alone.

        Parameters
        ----------
        every : OrdersReport
            Of all sources up to the end.
        cut, end : date
            The last day of the earlier ones, and that of all.
        """
        own = repeated_by(self.newer.report, self.newer.repeated, end)
        own, back = _without_returns(own), self.orders.as_of(end).returns
        found = None if back is None else back.up_to(end, after=cut)
        late = [aside for aside in every.set_aside if aside.reason == after_the_end(end)]
        amount = None
        if every.amount_kept is not None and self.before.amount_kept is not None:
            amount = every.amount_kept - self.before.amount_kept
        return replace(
            own,
            rows_kept=every.rows_kept - self.before.rows_kept,
            amount_kept=amount,
            set_aside=(*own.set_aside, *(found.set_aside if found else ()), *late),
            notices=every.notices,
            returns=found.report if found and self.newer.returns else None,
        )


def joined(kept: ir.Table, before: OrdersReport, cut: date, newer: Orders) -> Joined:
    """Put lines that were kept and newer orders together.

    Parameters
    ----------
    kept : ibis.Table
        From :func:`clv.transactions.kept_lines.write_lines`, in the engine of the newer orders.
    before : OrdersReport
        Of their sources.
    cut : date
        Up to when they were kept.
    newer : Orders
        None of them up to that day; there may be none at all.

    Returns
    -------
    Joined
        To the last bit what one source with all their rows gives.
    """
    source, kept = newer.opened, typed(kept)
    before = _without_returns(before)
    report = before.plus(_without_returns(newer.report))
    if not newer.report.rows_read:
        return Joined(_of_lines(kept, newer, report), kept, before, newer)
    later = source.materialise(lines_of(newer))
    lines = _stacked([kept, later])
    notices = [*_straddling(lines, cut, source), *_strangers(kept, later, source)]
    return Joined(_of_lines(lines, newer, report.noting(*notices)), lines, before, newer)


def one_after_another(parts: Sequence[Orders], ends: Sequence[date]) -> Orders:
    """Return the orders of several sources, of which each goes on where the one before ended.

    Parameters
    ----------
    parts : sequence of Orders
        The oldest first, all held by one engine.
    ends : sequence of date
        Up to when each counts, but for the last, of which all counts that came later.

    Returns
    -------
    Orders
    """
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return first
    report = functools.reduce(OrdersReport.plus, (orders.report for orders in parts))
    whole = replace(
        last,
        source=", ".join(orders.source for orders in parts),
        report=report,
        first_date=first.first_date,
        sha256=hashlib.sha256(" ".join(orders.sha256 for orders in parts).encode()).hexdigest(),
        opened=first.opened,
    )
    if any(orders.returns or orders.schema.order_id for orders in parts):
        lines = [_within(lines_of(orders), i, ends) for i, orders in enumerate(parts)]
        return _of_lines(_stacked(lines), whole, _without_returns(report))
    columns = ("customer_id", "date", "rows", "amount")
    days = [
        _within(orders.days, i, ends).select(*columns).cast({"customer_id": "string"})
        for i, orders in enumerate(parts)
    ]
    return replace(whole, days=first.opened.materialise(ibis.union(*days)))


def _within(rows: ir.Table, i: int, ends: Sequence[date]) -> ir.Table:
    """Rows of one of several sources, of the time in which it counts."""
    if i > 0:
        rows = rows.filter(rows["date"] > ends[i - 1])
    return rows.filter(rows["date"] <= ends[i]) if i < len(ends) - 1 else rows


def _stacked(parts: Sequence[ir.Table]) -> ir.Table:
    """Lines of several sources, with the columns that any of them has."""
    told = {name for part in parts for name in part.columns}
    return ibis.union(
        *(
            typed(
                part.mutate(
                    **{name: ibis.null(LINES[name]) for name in told - {*part.columns}},
                )
            )
            for part in parts
        )
    )


def _of_lines(lines: ir.Table, like: Orders, report: OrdersReport) -> Orders:
    """Make of lines what reading makes of the rows of a source."""
    made = from_lines(
        like.opened,
        lines,
        like.returns_policy,
        has_amount=like.has_amount,
        order_id=like.schema.order_id,
    )
    if "order_id" in lines.columns:
        report = replace(report, orders=made.rolled.orders)
    if made.returns is not None:
        found = made.returns.up_to(made.returns.last_date)
        aside = (*report.set_aside, *found.set_aside)
        report = replace(report, set_aside=aside, returns=found.report)
    return replace(
        like,
        days=made.rolled.days,
        report=report,
        first_date=made.first_date,
        last_date=made.last_date,
        returns=made.returns,
        lines=lines,
        astride=made.rolled.astride,
    )


def _without_returns(report: OrdersReport) -> OrdersReport:
    """Leave out what became of returns: among all lines it may be something else."""
    others = [a for a in report.set_aside if a.reason not in {SUBTRACTED, UNMATCHED}]
    return replace(report, set_aside=tuple(others), returns=None)


def _straddling(lines: ir.Table, cut: date, source: Source) -> list[str]:
    """Say how many orders have lines before and after a day."""
    if "order_id" not in lines.columns:
        return []
    per = days_of_orders(lines.filter(~lines["back"] & lines["order_id"].notnull()))
    both = per["split"] & (per["first"] <= cut) & (per["last"] > cut)
    many = source.collect(per.aggregate(many=both.sum()))["many"][0].as_py()
    if not many:
        return []
    told = (
        f"The lines of {counted(int(many), 'order')} are dated up to {cut} and after it; each "
        "order counts for the first of its days."
    )
    return [told]


def _strangers(kept: ir.Table, later: ir.Table, source: Source) -> list[str]:
    """Say so where nobody who came later was known before."""
    came = later.filter(~later["back"]).select("customer_id").distinct()
    known = came.semi_join(kept, "customer_id")
    counts = [source.collect(t.aggregate(n=t.count()))["n"][0].as_py() for t in (came, known)]
    return strangers_told(*counts)
