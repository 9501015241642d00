"""Read orders: every row kept, set aside with a reason, or refused with its place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import ibis.expr.operations as ops
import ibis.expr.types as ir

from clv.errors import OrdersError, RequestError
from clv.transactions.customer_ids import alike_ids, refuse_cut_ids, refuse_nested_ids
from clv.transactions.engines import Engine
from clv.transactions.from_lines import from_lines
from clv.transactions.headers import misread_header
from clv.transactions.order_lines import RolledUp, by_day, roll_up
from clv.transactions.profile import (
    clock_notices,
    currency_of,
    profile,
    rates_notice,
    refuse,
    set_aside,
)
from clv.transactions.reading import REVERSAL, Reading
from clv.transactions.recognised import doubts, recognise, stated_for
from clv.transactions.repeated_rows import repetitions, repetitions_told
from clv.transactions.report import OrdersReport
from clv.transactions.returns import NetReturns, net_returns
from clv.transactions.returns.netting import sales_and_returns
from clv.transactions.schema import NONE, Schema
from clv.transactions.settings import amounts_left, settle, with_kinds
from clv.transactions.sources import Source, open_source

if TYPE_CHECKING:
    from clv.transactions.incidents import IncidentLog

__all__ = ["Orders", "read_orders"]

POLICIES = ("net", "ignore", "incident")
Policy = Literal["net", "ignore", "incident"]
"""What is done with returns."""


@dataclass(frozen=True, eq=False)
class Orders:
    """The purchases of a company's customers.

    Attributes
    ----------
    days : ibis.Table
        One row per customer and day with a sale, held by the engine: `customer_id` (text, or
        the integers of the source), `date`, `rows` (orders of that day) and `amount` (their sum,
        an exact decimal; null where amounts are not known). :meth:`days_by` has them less what
        was returned.
    source : str
        What was read, as it was named.
    schema : Schema
        The columns that were taken, and how what they say was meant.
    report : OrdersReport
        Rows and amounts read, kept and set aside.
    first_date, last_date : date
        The first day with a sale, and the last with a sale or a return that counts.
    sha256 : str
        Of files, the hash of their content (`cat FILES | sha256sum`, in sorted order); of a
        frame, the hash of its customers, days and amounts as text.
    opened : Source
        The engine that holds `days`.
    returns_policy : {"net", "ignore", "incident"}
        What was asked to be done with returns.
    returns : NetReturns or None
        Returns and the orders they reverse; None where there are none, or they are ignored.
    repeated : mapping of date to int
        Purchases of each day that repeat an earlier row in every column.
    lines : ibis.Table or None
        Sales and returns line by line, where orders have several, to be computed when asked for.
    astride : ibis.Table or None
        Between which days (`first`, `last`) the orders are whose lines are on several.
    """

    days: ir.Table = field(repr=False)
    source: str
    schema: Schema
    report: OrdersReport = field(repr=False)
    first_date: date
    last_date: date
    sha256: str = field(repr=False)
    opened: Source = field(repr=False)
    returns_policy: Policy = "net"
    returns: NetReturns | None = field(default=None, repr=False)
    repeated: Mapping[date, int] = field(default_factory=dict, repr=False)
    lines: ir.Table | None = field(default=None, repr=False)
    astride: ir.Table | None = field(default=None, repr=False)
    _known: dict[date, Orders] = field(default_factory=dict, repr=False, init=False)

    @property
    def has_amount(self) -> bool:
        """Whether the values of the orders are known."""
        return self.schema.has_amount

    def days_by(self, end: date, *, cut: date | None = None) -> ir.Table:
        """Days with a purchase up to a day, as they stood on it: :attr:`days` less returns.

        Parameters
        ----------
        end : date
            The day. A return after it is not known yet, nor a line of an order begun before.
        cut : date, optional
            An earlier day: days up to it are as they stood on it, whatever was returned later.

        Returns
        -------
        ibis.Table
            The columns of :attr:`days`; a day whose every order was returned is not there.

        Examples
        --------
        >>> import datetime
        >>> import pandas as pd
        >>> orders = read_orders(pd.DataFrame({
        ...     "customer_id": ["007", "007", "007"],
        ...     "date": ["2024-01-01", "2024-01-15", "2024-01-20"],
        ...     "amount": [10.0, 12.5, -12.5],
        ... }))
        >>> [orders.opened.collect(orders.days_by(datetime.date(2024, 1, day))).num_rows
        ...  for day in (19, 20)]
        [2, 1]
        """
        known = self.as_of(end)
        stood = known.days.filter(known.days["date"] <= end)
        if known.returns is not None:
            stood = known.returns.net(stood, end)
        if cut is None or cut >= end or (self.returns is None and self.astride is None):
            return stood
        return self.days_by(cut).union(stood.filter(stood["date"] > cut))

    def as_of(self, end: date) -> Orders:
        """These orders as a log that ends on a day has them.

        Parameters
        ----------
        end : date
            The day. Lines after it are left out where they belong to an order begun before, for
            they would change it, and with it which orders returns reverse.

        Returns
        -------
        Orders
            These where no order goes on after that day: what is later then stands by itself.
        """
        if self.astride is None or self.lines is None or end < self.first_date:
            return self
        if end not in self._known:
            goes_on = (self.astride["first"] <= end) & (self.astride["last"] > end)
            many = self.opened.collect(self.astride.aggregate(many=goes_on.sum()))["many"][0]
            self._known[end] = self._cut(self.lines, end) if many.as_py() else self
        return self._known[end]

    def _cut(self, lines: ir.Table, end: date) -> Orders:
        made = from_lines(
            self.opened,
            lines.filter(lines["date"] <= end),
            self.returns_policy,
            has_amount=self.has_amount,
            order_id=self.schema.order_id,
        )
        return replace(self, days=made.rolled.days, returns=made.returns, astride=None)

    def schema_toml(self) -> str:
        """Return the text of a schema file that reads the same source the same again.

        Examples
        --------
        >>> import pandas as pd
        >>> print(read_orders(pd.DataFrame({
        ...     "Kunde": ["007"], "Datum": ["2024-01-15"], "Betrag": [12.5],
        ... })).schema_toml())
        customer_id = "Kunde"
        date = "Datum"
        amount = "Betrag"
        """
        return stated_for(self.schema, self.opened.table.columns).to_toml()

    def incidents(self) -> IncidentLog:
        """Returns as service incidents of type `returned_item`, reported by the customer.

        What a customer sent back at one time is one incident; its loss is what came back. A return
        is an incident whether or not the order that it reverses was found; a discount that is a
        line of its order, with its number and at its time, is none.

        Returns
        -------
        IncidentLog
            What :func:`clv.incident_histories` takes.

        Raises
        ------
        RequestError
            Where there are no returns, or they were ignored.

        Examples
        --------
        >>> import pandas as pd
        >>> orders = read_orders(pd.DataFrame({
        ...     "customer_id": ["007", "007"],
        ...     "date": ["2024-01-15", "2024-01-20"],
        ...     "amount": [12.5, -4.0],
        ... }), returns="incident")
        >>> orders.incidents().frame[["customer_id", "type", "loss_amount"]].to_numpy().tolist()
        [['007', 'returned_item', 4.0]]
        """
        from clv.transactions.incidents import read_incidents
        from clv.transactions.returns.incidents import incident_rows

        found = None
        if self.returns is not None:
            found = self.opened.collect(incident_rows(self.returns))
        if found is None or not found.num_rows:
            ignored = self.returns_policy == "ignore"
            raise RequestError(
                f"{self.source!r} was read with returns ignored; read it with returns='incident'."
                if ignored
                else f"There are no returns among the orders of {self.source!r}."
            )
        return read_incidents(found.to_pandas())


def read_orders(
    source: Any,
    *,
    schema: Schema | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    customer_id: str | None = None,
    date: str | None = None,
    amount: str | None = None,
    returns: Policy = "net",
    engine: Engine | None = None,
) -> Orders:
    """Read orders from files, tables of databases, or data frames.

    A row is an order, or a line of one: what a customer buys on one day is one transaction. Rows
    without a customer are set aside, counted in :attr:`Orders.report`. Returns (negative amounts
    or quantities, and rows that a column says are returns or cancellations) are never purchases or
    spend: each is subtracted from the order it reverses. An amount of 0 is a purchase but tells
    nothing of spend.

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
    returns : {"net", "ignore", "incident"}
        What is done with returns. "net" subtracts each from the order that it names, else from the
        latest before with the same customer, item, quantity and price, else with the same item,
        else from the customer's latest; never more than the order came to. What finds no order is
        told, and an order of which nothing is left is no purchase. "ignore" sets them aside.
        "incident" does as "net", and :meth:`Orders.incidents` has them as incidents.
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
    RequestError
        For another word about returns.

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
    if returns not in POLICIES:
        raise RequestError(f"returns is {returns!r}; it must be 'net', 'ignore' or 'incident'.")
    opened = open_source(source, engine=engine)
    columns = {"customer_id": customer_id, "date": date, "amount": amount}
    given = Schema.of(schema).with_columns({k: v for k, v in columns.items() if v is not None})
    names = list(opened.table.columns)
    try:
        taken = recognise(names, given)
    except OrdersError as error:  # perhaps of another sheet, or in another encoding
        said = [str(error), *misread_header(opened), *opened.notices]
        raise OrdersError("\n".join(said)) from None
    notices = [*opened.notices, str(taken), *doubts(names, given)]
    notices += amounts_left(opened, taken, given=given.amount == NONE)
    refuse_nested_ids(opened, taken)
    settled = with_kinds(opened, taken, given=given.kind is not None)
    log, seen = _read(opened, settled.schema)
    told = settle(opened, settled.schema, seen)
    if told.schema != settled.schema:
        _let_go(opened, log)
        log, seen = _read(opened, told.schema)
    reading = Reading(told.schema, opened.engine)
    refuse(opened, reading, log, seen, told.layout, [*settled.faults, *told.faults])
    days = opened.materialise(_days(log))
    refuse_cut_ids(opened, told.schema, days, seen["rows"])
    repeated = repetitions(opened, reading, days)
    rolled = None
    if told.schema.order_id is not None:
        rolled = roll_up(opened, reading, days, seen["kept"], sum(repeated.values()))
        days = rolled.days
    notices += [
        *told.notices,
        *clock_notices(told.schema, seen),
        *rates_notice(opened, told.schema, log),
        *(rolled.notices if rolled else ()),
        *alike_ids(opened, told.schema, days),
        *repetitions_told(repeated),
    ]
    taken_back = None
    if returns != "ignore" and seen[f"rows_{REVERSAL}"]:
        taken_back = net_returns(opened, reading, returns)
    last_date = seen["last_date"]
    orders = Orders(
        days=days,
        source=opened.name,
        schema=told.schema,
        report=_report(opened, reading, seen, sum(repeated.values()), rolled, taken_back, notices),
        first_date=seen["first_date"],
        last_date=max(last_date, taken_back.last_date) if taken_back else last_date,
        sha256=opened.sha256(log),
        opened=opened,
        returns_policy=returns,
        returns=taken_back,
        repeated=repeated,
        lines=sales_and_returns(opened, reading) if rolled and rolled.astride is not None else None,
        astride=rolled.astride if rolled else None,
    )
    _let_go(opened, log)
    return orders


def _read(source: Source, schema: Schema) -> tuple[ir.Table, dict[str, Any]]:
    """Read the rows as a schema says, and count what they are."""
    log = Reading(schema, source.engine).log(source.table)
    columns = (schema.date, *schema.value_columns)
    # Texts are read once; dates and numbers are there at once, and need no copy of all rows.
    if any(isinstance(source.table[name], ir.StringColumn) for name in columns):
        log = source.materialise(log)
    return log, profile(source, log)


def _let_go(source: Source, log: ir.Table) -> None:
    if isinstance(log.op(), ops.DatabaseTable):  # else nothing was kept
        source.engine.drop(log)


def _days(log: ir.Table) -> ir.Table:
    """One row per customer and day: how many rows, and what they are worth together."""
    return by_day(log.filter(log["aside"].isnull()))


def _report(
    source: Source,
    reading: Reading,
    seen: dict[str, Any],
    repeated: int,
    rolled: RolledUp | None,
    taken_back: NetReturns | None,
    notices: list[str],
) -> OrdersReport:
    aside = set_aside(source, reading, seen, netted=taken_back is not None)
    netted = taken_back.up_to(taken_back.last_date) if taken_back else None
    aside += netted.set_aside if netted else ()
    kept = seen["kept_amount"]
    read = kept + sum((a.amount for a in aside if a.amount is not None), start=Decimal(0))
    valued = reading.schema.has_amount
    return OrdersReport(
        rows_read=seen["rows"],
        rows_kept=seen["kept"],
        orders=rolled.orders if rolled else None,
        amount_read=read if valued else None,
        amount_kept=kept if valued else None,
        set_aside=tuple(aside),
        duplicate_rows=repeated,
        currency=currency_of(reading.schema, seen),
        notices=tuple(notices),
        returns=netted.report if netted else None,
    )
