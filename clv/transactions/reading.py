"""How the rows of a source are read as orders."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from clv.transactions.engines import Engine
from clv.transactions.kinds import REVERSING
from clv.transactions.layouts import named
from clv.transactions.schema import Schema
from clv.transactions.values import AMOUNT, Clock, blank, customer, day, moment, number, zoned
from clv.transactions.written_numbers import currency_written, in_doubt, number_written

__all__ = ["NOBODY", "OTHER_CURRENCY", "REVERSAL", "VOID", "Reading"]

NOBODY, OTHER_CURRENCY, REVERSAL, VOID = 1, 2, 3, 4
"""Why a row is no purchase: it names no customer, is in a currency that is not taken, takes back
what another row sold, or is an order that came to nothing."""

RATE = dt.Decimal(18, 10)


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
        fault. `aside` says why a row is no purchase, null where it is one. `currency` is there
        only where the source has it, beside amounts; `pointed` and `decimal` only beside amounts
        that are texts and of which it is not known what mark stands before the decimals.
        """
        c = self.schema
        who, when, worth = self.customer(table), self.day(table), self.amount(table)
        said: dict[str, ir.Value] = {
            "customer_id": who,
            "date": when,
            "amount": worth if worth is not None else ibis.null(AMOUNT),
            "bad_date": when.isnull() & (who.notnull() | ~blank(table[c.date])),
            "bad_amount": ibis.literal(value=False),
            "zoned": zoned(table[c.date]),
            "aside": self.aside(table),
        }
        if worth is not None:
            nothing = _all(blank(table[name]) for name in c.value_columns)
            said["bad_amount"] = worth.isnull() & (who.notnull() | ~nothing)
            currency = self.currency(table)
            if currency is not None:
                said["currency"] = currency
            texts = self.texts(table)
            if texts and c.decimal is None:
                doubts = [in_doubt(table[name]) for name in texts]
                for what in ("pointed", "decimal"):
                    said[what] = ~_all(~doubt[what] for doubt in doubts)
        return said

    def lines(self, table: ir.Table) -> ir.Table:
        """One row per row of the source, with all that tells which rows belong together.

        Columns `customer_id`, `date`, `at` (time), `amount`, `aside`, and as far as the source has
        them `order_id`, `item`, `reverses` (texts) and `quantity` (pieces, never negative).
        """
        c = self.schema
        worth = self.amount(table)
        said: dict[str, ir.Value] = {
            "customer_id": self.customer(table),
            "date": self.day(table),
            "at": self.moment(table),
            "amount": worth if worth is not None else ibis.null(AMOUNT),
            "aside": self.aside(table),
        }
        for role, column in (("order_id", c.order_id), ("item", c.item), ("reverses", c.reverses)):
            if column is not None:
                said[role] = customer(table[column]).cast(str)
        if c.quantity is not None:
            said["quantity"] = self.number(table[c.quantity]).abs()
        return table.select(**said)

    def customer(self, table: ir.Table) -> ir.Column:
        """The customer's id; null where there is none."""
        found = customer(table[self.schema.customer_id])
        fold = self.schema.id_case == "fold" and isinstance(found, ir.StringValue)
        return found.lower() if fold else found

    def day(self, table: ir.Table) -> ir.DateValue:
        """The day that a row belongs to; null where it cannot be read."""
        return day(table[self.schema.date], self.engine, *self._written())

    def moment(self, table: ir.Table) -> ir.TimestampValue:
        """The time of a row; 0:00 of its day where no time is said."""
        return moment(table[self.schema.date], self.engine, *self._written())

    def _written(self) -> tuple[str | None, Clock]:
        """How dates are written, and which day a time belongs to."""
        c = self.schema
        layout = named(c.date_layout) if c.date_layout is not None else None
        clock = Clock(c.time_zone, c.source_time_zone)
        return (None if layout is None else layout.strptime), clock

    def aside(self, table: ir.Table) -> ir.IntegerValue:
        """Why a row is no purchase, null where it is one; the first reason counts."""
        reasons = [(self.customer(table).isnull(), NOBODY)]
        taken, currency = self.schema.currency_taken, self.currency(table)
        if taken is not None and currency is not None:
            reasons.append((currency != taken, OTHER_CURRENCY))
        if (worth := self.amount(table)) is not None:
            reasons.append((worth < 0, REVERSAL))
        if (back := self._reversing(table)) is not None:  # also of what was free
            reasons.append((back, REVERSAL))
        if (void := self._kind(table, ["void"])) is not None:
            reasons.append((void, VOID))
        coded = [(holds, ibis.literal(reason, dt.int8)) for holds, reason in reasons]
        return cast("ir.IntegerValue", ibis.cases(*coded, else_=ibis.null(dt.int8)))

    def amount(self, table: ir.Table) -> ir.DecimalValue | None:
        """The value of a row, to four decimals; None where the source has no amounts.

        It is negative where the row takes back what another sold. Where the schema has rates, it
        is in the currency whose rate is 1, and null where its currency has no rate.
        """
        c = self.schema
        values = [self.number(table[name]) for name in c.value_columns]
        if not values:
            return None
        # The engine's product has eight decimals; round it first, then look at its range.
        worth = functools.reduce(operator.mul, values)
        if len(values) > 1:
            worth = worth.try_cast(dt.Decimal(38, 4)).try_cast(AMOUNT)
        back = self._reversing(table)
        if back is not None:
            worth = ibis.ifelse(back, -worth.abs(), worth).try_cast(AMOUNT)
        if c.rates:
            worth = (worth * self.rate(table)).try_cast(dt.Decimal(38, 4)).try_cast(AMOUNT)
        return cast("ir.DecimalValue", worth)

    def number(self, column: ir.Column) -> ir.DecimalValue:
        """A number to four decimals; null where it is none."""
        if self.schema.decimal is None or not isinstance(column, ir.StringColumn):
            return number(column)
        return number_written(column, self.schema.decimal)

    def currency(self, table: ir.Table) -> ir.StringValue | None:
        """The currency of a row; None where the source says none beside amounts."""
        c = self.schema
        if not c.has_amount:
            return None
        if c.currency is not None:
            return cast("ir.StringValue", table[c.currency].cast(str).strip().upper().nullif(""))
        texts = self.texts(table)
        if c.decimal is None or not texts:
            return None
        return currency_written(table[texts[-1]])  # of quantity and price, the price

    def rate(self, table: ir.Table) -> ir.DecimalValue:
        """What one unit of the row's currency is worth; null where no rate says it."""
        currency = self.currency(table)
        if currency is None:
            return ibis.literal(Decimal(1), RATE)
        rates = [(currency == code, ibis.literal(r, RATE)) for code, r in self.schema.rates.items()]
        return cast("ir.DecimalValue", ibis.cases(*rates, else_=ibis.null(RATE)))

    def texts(self, table: ir.Table) -> list[str]:
        """The columns of the value of a row that are texts."""
        return [n for n in self.schema.value_columns if isinstance(table[n], ir.StringColumn)]

    def _reversing(self, table: ir.Table) -> ir.BooleanValue | None:
        """Whether a row takes back what another sold, whatever the sign of its amount."""
        c = self.schema
        found = self._kind(table, REVERSING)
        if c.quantity is not None:
            fewer = (self.number(table[c.quantity]) < 0).fill_null(ibis.literal(value=False))
            found = fewer if found is None else found | fewer
        return found

    def _kind(self, table: ir.Table, kinds: Iterable[str]) -> ir.BooleanValue | None:
        """Whether a row is of one of these kinds; None where no word of the source says so."""
        words = [word for kind in kinds for word in self.schema.kinds.get(kind, ())]
        if self.schema.kind is None or not words:
            return None
        return (
            table[self.schema.kind]
            .cast(str)
            .strip()
            .isin(words)
            .fill_null(ibis.literal(value=False))
        )


def _all(flags: Iterable[ir.BooleanValue]) -> ir.BooleanValue:
    return cast("ir.BooleanValue", functools.reduce(operator.and_, flags))
