"""Days with a purchase after returns are taken back, and what became of every return."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from clv.transactions.reading import REVERSAL, Reading
from clv.transactions.report import SUBTRACTED, UNMATCHED, ReturnsReport, SetAside
from clv.transactions.returns.matching import ITEM, LATEST, LINE, NAMED, match_returns
from clv.transactions.sources import Source

__all__ = [
    "NetReturns",
    "NettedReturns",
    "net_returns",
    "netted",
    "sales_and_returns",
]

STEPS = {NAMED: "named_order", LINE: "same_line", ITEM: "same_item", LATEST: "latest_order"}


@dataclass(frozen=True, eq=False)
class NettedReturns:
    """What became of the returns up to a day.

    Attributes
    ----------
    report : ReturnsReport
        How their orders were found, and what was subtracted.
    set_aside : tuple of SetAside
        The rows, by whether they were subtracted.
    late_rows : int
        Returns after that day.
    late_amount : Decimal or None
        Their amounts together, negative; None where the log has no amounts.
    """

    report: ReturnsReport
    set_aside: tuple[SetAside, ...]
    late_rows: int
    late_amount: Decimal | None


@dataclass(frozen=True, eq=False)
class NetReturns:
    """The returns of a log, each with the order that it takes back.

    A return counts from its own day on: who asks what was known on an earlier day sees the order
    as it stood then.

    Attributes
    ----------
    table : ibis.Table
        From :func:`match_returns`, held by the engine.
    source : Source
        What was read.
    policy : {"net", "incident"}
        What is done with returns.
    has_amount : bool
        Whether the log has amounts; if not, a return takes back pieces or lines.
    last_date : date
        The day of the last return.
    """

    table: ir.Table = field(repr=False)
    source: Source = field(repr=False)
    policy: Literal["net", "incident"]
    has_amount: bool
    last_date: date

    def orders_by(self, end: date) -> ir.Table:
        """One row per order that returns up to a day touch.

        What it came to (`order_worth`), what they take (`taken`), the day of the last of them, and
        how many orders its day has.
        """
        seen = self.table.filter((self.table["date"] <= end) & (self.table["applied"] > 0))
        return seen.group_by("customer_id", "order_date", "order").aggregate(
            taken=seen["applied"].sum().cast(dt.Decimal(38, 4)),
            order_worth=seen["order_worth"].max(),
            day_orders=seen["day_orders"].max(),
            last=seen["date"].max(),
        )

    def net(self, days: ir.Table, end: date) -> ir.Table:
        """Days with a purchase as they stood on a day.

        Parameters
        ----------
        days : ibis.Table
            `customer_id`, `date`, `rows` and `amount` of the sales alone, up to that day.
        end : date
            The day; later returns do not count.

        Returns
        -------
        ibis.Table
            The same columns, less what was returned, without days whose every order came to
            nothing by it.
        """
        orders = self.orders_by(end)
        whole = (orders["taken"] == orders["order_worth"]).cast(dt.int64)
        per_day = orders.group_by("customer_id", date="order_date").aggregate(
            taken=orders["taken"].sum().cast(dt.Decimal(38, 4)),
            gone=whole.sum(),
            orders=orders["day_orders"].max(),
        )
        both = days.left_join(per_day, ["customer_id", "date"])
        stands = both["orders"].isnull() | (both["gone"] < both["orders"])
        taken = both["taken"].fill_null(Decimal(0)).cast(dt.Decimal(38, 4))
        amount = (both["amount"] - taken).cast(days["amount"].type())
        return both.filter(stands).select("customer_id", "date", "rows", amount=amount)

    def taken_later(self, cut: date, end: date) -> Decimal:
        """What returns between two days take from orders up to the first of them."""
        t = self.table
        seen = t.filter((t["date"] > cut) & (t["date"] <= end) & (t["order_date"] <= cut))
        found = self.source.collect(seen.aggregate(taken=seen["applied"].sum()))
        return found["taken"][0].as_py() or Decimal(0)

    def up_to(self, end: date, *, after: date | None = None) -> NettedReturns:
        """Account for every return up to a day.

        Parameters
        ----------
        end : date
            The day.
        after : date, optional
            An earlier day; returns up to it are not counted again.
        """
        t = self.table if after is None else self.table.filter(self.table["date"] > after)
        seen = t["date"] <= end
        # A free line that comes back takes nothing, and is not unmatched.
        taken = t["step"].notnull() & ((t["applied"] > 0) | (t["worth"] == 0))
        figures: dict[str, ir.Value] = {
            "rows": (seen & taken).sum(),
            "amount": t["applied"].sum(where=seen),
            "unmatched": (seen & ~taken).sum(),
            "parts": (seen & taken & (t["applied"] < t["worth"])).sum(),
            "excess": (t["worth"] - t["applied"]).sum(where=seen),
            "late": (~seen).sum(),
            "late_amount": t["worth"].sum(where=~seen),
        }
        for step, name in STEPS.items():
            figures[name] = (seen & taken & (t["step"] == step)).sum()
        row = self.source.collect(t.aggregate(**figures)).to_pylist()[0]
        orders = self.orders_by(end)
        orders = orders if after is None else orders.filter(orders["last"] > after)
        gone = (orders["taken"] == orders["order_worth"]).sum()
        found = self.source.collect(orders.aggregate(orders=orders.count(), gone=gone))
        touched = found.to_pylist()[0]
        names = ("rows", "unmatched", "parts", "late", *STEPS.values())
        many = {name: int(row[name] or 0) for name in names}
        report = ReturnsReport(
            policy=self.policy,
            rows=many["rows"],
            amount=self._money(row["amount"]),
            unmatched_rows=many["unmatched"],
            unmatched_amount=self._money(row["excess"]),
            matched_by={name: many[name] for name in STEPS.values()},
            orders_reduced=int(touched["orders"]) - int(touched["gone"] or 0),
            orders_gone=int(touched["gone"] or 0),
        )
        aside = []
        if many["rows"]:
            shown = self._examples(t.filter(seen & taken), t["applied"])
            aside.append(SetAside(SUBTRACTED, many["rows"], _minus(report.amount), shown))
        if many["unmatched"] or row["excess"]:
            shown = self._examples(t.filter(seen & (t["applied"] < t["worth"])), None)
            left = _minus(report.unmatched_amount)
            aside.append(SetAside(UNMATCHED, many["unmatched"], left, shown, many["parts"]))
        late = _minus(self._money(row["late_amount"]))
        return NettedReturns(report, tuple(aside), many["late"], late)

    def _money(self, worth: Decimal | None) -> Decimal | None:
        return (worth or Decimal(0)) if self.has_amount else None

    def _examples(self, rows: ir.Table, taken: ir.Value | None) -> tuple[str, ...]:
        """Say of three returns what they are: those that are worth most."""
        worth = rows["applied"] if taken is not None else rows["worth"] - rows["applied"]
        order = [worth.desc(), "date", rows["customer_id"].cast(str), "order_id"]
        found = self.source.collect(rows.mutate(shown=worth).order_by(order).limit(3))
        return tuple(self._said(row, matched=taken is not None) for row in found.to_pylist())

    def _said(self, row: dict[str, Any], *, matched: bool) -> str:
        number = f"order {row['order_id']} of " if row["order_id"] else ""
        said = f"{number}customer {row['customer_id']} on {row['date']}"
        if self.has_amount:
            said += f": {row['shown']:,.2f}"
        if matched:
            number = f"order {row['order']} of " if row["order"] else "the order of "
            said += f" from {number}{row['order_date']}"
        return said


def _minus(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount


def net_returns(source: Source, reading: Reading, policy: Literal["net", "incident"]) -> NetReturns:
    """Find the order of every return of a log.

    Parameters
    ----------
    source : Source
        The orders; there is at least one return among them.
    reading : Reading
        How they are read.
    policy : {"net", "incident"}
        What is done with returns.
    """
    return netted(
        source, sales_and_returns(source, reading), policy, has_amount=reading.schema.has_amount
    )


def sales_and_returns(source: Source, reading: Reading) -> ir.Table:
    """One row per sale and return of a log, as :func:`match_returns` takes them.

    Parameters
    ----------
    source : Source
        The orders.
    reading : Reading
        How they are read.
    """
    lines = reading.lines(source.table)
    back = (lines["aside"] == REVERSAL).fill_null(ibis.literal(value=False))
    lines = lines.mutate(back=back)
    return lines.filter(lines["aside"].isnull() | lines["back"]).drop("aside")


def netted(
    source: Source, lines: ir.Table, policy: Literal["net", "incident"], *, has_amount: bool
) -> NetReturns:
    """Find the order of every return among lines that are read already.

    Parameters
    ----------
    source : Source
        Whose engine holds them.
    lines : ibis.Table
        As :func:`match_returns` takes them; at least one is a return.
    policy : {"net", "incident"}
        What is done with returns.
    has_amount : bool
        Whether the log has amounts.
    """
    engine = source.engine
    table = match_returns(lines, source.materialise, engine.drop, source.collect, engine.from_arrow)
    last = source.collect(table.aggregate(last=table["date"].max()))["last"][0].as_py()
    return NetReturns(table, source, policy, has_amount, last)
