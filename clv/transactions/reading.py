"""How the rows of a source are read as orders."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from clv.transactions.engines import Engine
from clv.transactions.layouts import named
from clv.transactions.schema import Schema
from clv.transactions.values import AMOUNT, Clock, blank, customer, day, number, zoned

__all__ = ["Reading"]


@dataclass(frozen=True)
class Reading:
    """How the rows of a source are read as orders.

    Attributes
    ----------
    schema : Schema
        Complete: which columns are taken, and how what they say is meant.
    engine : Engine
        What holds the rows.
    """

    schema: Schema
    engine: Engine

    def log(self, table: ir.Table) -> ir.Table:
        """One row per row of the source, of :meth:`expressions`."""
        return table.select(**self.expressions(table))

    def expressions(self, table: ir.Table) -> dict[str, ir.Value]:
        """What each row says, by name.

        `customer_id`, `date` and `amount` are null where the source does not say them; `bad_date`
        and `bad_amount` are true where that is a fault; `zoned` tells that the date depends on a
        time zone. A row without customer, date and amount is a blank line of a spreadsheet, not a
        fault. `currency` is there only where the source has it, beside amounts.
        """
        c = self.schema
        who = customer(table[c.customer_id])
        when = self.day(table)
        worth = self.amount(table)
        said: dict[str, ir.Value] = {
            "customer_id": who,
            "date": when,
            "amount": worth if worth is not None else ibis.null(AMOUNT),
            "bad_date": when.isnull() & (who.notnull() | ~blank(table[c.date])),
            "bad_amount": ibis.literal(value=False),
            "zoned": zoned(table[c.date]),
        }
        if worth is not None:
            nothing = functools.reduce(
                operator.and_, (blank(table[name]) for name in c.value_columns)
            )
            said["bad_amount"] = worth.isnull() & (who.notnull() | ~nothing)
            if c.currency is not None:
                said["currency"] = table[c.currency].cast(str).strip().upper().nullif("")
        return said

    def day(self, table: ir.Table) -> ir.DateValue:
        """The day that a row belongs to."""
        c = self.schema
        layout = named(c.date_layout) if c.date_layout is not None else None
        clock = Clock(c.time_zone, c.source_time_zone)
        return day(table[c.date], self.engine, None if layout is None else layout.strptime, clock)

    def amount(self, table: ir.Table) -> ir.DecimalValue | None:
        """The value of an order, to four decimals; None where the source has no amounts."""
        c = self.schema
        if c.amount is not None:
            return number(table[c.amount])
        if c.quantity is not None and c.unit_price is not None:
            worth = number(table[c.quantity]) * number(table[c.unit_price])
            # The engine's product has eight decimals; round it first, then look at its range.
            return cast("ir.DecimalValue", worth.try_cast(dt.Decimal(38, 4)).try_cast(AMOUNT))
        return None
