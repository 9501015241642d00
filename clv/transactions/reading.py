"""How the rows of a source are read as orders."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from clv.transactions.engines import Engine
from clv.transactions.kinds import REVERSING
from clv.transactions.layouts import ISO_8601, named
from clv.transactions.schema import Schema
from clv.transactions.values import (
    AMOUNT,
    Clock,
    blank,
    customer,
    day,
    folded,
    moment,
    number,
    zoned,
)
from clv.transactions.written_numbers import currency_written, in_doubt, number_written

__all__ = ["AGAIN", "NOBODY", "OTHER_CURRENCY", "REVERSAL", "VOID", "Reading"]

NOBODY, OTHER_CURRENCY, AGAIN, REVERSAL, VOID = 1, 2, 3, 4, 5
"""Why a row is no purchase: it names no customer, is in a currency that is not taken, repeats an
earlier row where such are dropped, takes back what another row sold, or is an order that came to
nothing."""

RATE = dt.Decimal(18, 10)

LARGE_PRODUCT = 1e9
"""Of quantity and price; DuckDB's product of two amounts ends at 10^10."""


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

    def log(self, table: ir.Table, **shown: ir.Value) -> ir.Table:
        """One row per row of the source: what it says, and what is wrong with it.

        `customer_id`, `date` and `amount` are null where the source does not say them; `bad_date`
        and `bad_amount` are true where that is a fault; `zoned` tells that the date depends on a
        time zone. A row without customer, date and amount is a blank line of a spreadsheet, not a
        fault. `aside` says why a row is no purchase, null where it is one; the first reason
        counts. `currency` is there only where the source has it, beside amounts; `pointed` and
        `decimal` only beside amounts that are texts and of which it is not known what mark stands
        before the decimals.

        Parameters
        ----------
        table : ibis.Table
            That of the source, or of one of its files.
        **shown
            Further columns, made of it.
        """
        said = self._said(table)
        # A view is computed once, by name; else each use of a column would compute it again.
        rows = table.select(**said, **shown).view()
        who, worth = rows["customer_id"], self._amount(rows)
        log: dict[str, ir.Value] = {
            "customer_id": who,
            "date": rows["date"],
            "amount": worth if worth is not None else ibis.null(AMOUNT),
            "bad_date": rows["date"].isnull() & (who.notnull() | ~rows["date_blank"]),
            "bad_amount": ibis.literal(value=False),
            "zoned": rows["zoned"],
            "aside": self._aside(rows, worth),
        }
        if worth is not None:
            log["bad_amount"] = worth.isnull() & (who.notnull() | ~rows["value_blank"])
        kept = [n for n in ("currency", "pointed", "decimal") if n in said]
        return rows.select(**log, **{name: rows[name] for name in (*kept, *shown)})

    def lines(self, table: ir.Table) -> ir.Table:
        """One row per row of the source, with all that tells which rows belong together.

        Columns `customer_id`, `date`, `at` (time), `amount`, `aside`, and as far as the source has
        them `order_id`, `item`, `reverses` (texts) and `quantity` (pieces, never negative).

        Parameters
        ----------
        table : ibis.Table
            That of the source.
        """
        c = self.schema
        shown: dict[str, ir.Value] = {
            role: customer(table[column]).cast(str)
            for role, column in (
                ("order_id", c.order_id),
                ("item", c.item),
                ("reverses", c.reverses),
            )
            if column is not None
        }
        if c.quantity is not None:
            shown["quantity"] = self.number(table[c.quantity]).abs()
        shown["at"] = moment(table[c.date], self.engine, *self._written())
        log = self.log(table, **shown)
        return log.select("customer_id", "date", "amount", "aside", *shown)

    def texts(self, table: ir.Table) -> list[str]:
        """The columns of the value of a row that are texts."""
        return [n for n in self.schema.value_columns if isinstance(table[n], ir.StringColumn)]

    def number(self, column: ir.Column) -> ir.DecimalValue:
        """A number to four decimals; null where it is none."""
        if self.schema.decimal is None or not isinstance(column, ir.StringColumn):
            return number(column)
        return number_written(column, self.schema.decimal)

    def _said(self, table: ir.Table) -> dict[str, ir.Value]:
        """What the columns of the source say, each by itself."""
        c = self.schema
        said: dict[str, ir.Value] = {
            "customer_id": self._customer(table),
            "date": self._day(table),
            "date_blank": blank(table[c.date]),
            "zoned": zoned(table[c.date]),
        }
        flags = {"back": self._back(table), "void": self._kind(table, ["void"])}
        said |= {name: flag for name, flag in flags.items() if flag is not None}
        if c.duplicates == "drop":
            said["again"] = _again(table, str(c.date))
        if c.value_columns:
            said["value"] = self._value(table)
            said["value_blank"] = _all(blank(table[name]) for name in c.value_columns)
            if (currency := self._currency(table)) is not None:
                said["currency"] = currency
            texts = self.texts(table)
            if texts and c.decimal is None:
                doubts = [in_doubt(table[name]) for name in texts]
                for what in ("pointed", "decimal"):
                    said[what] = ~_all(~doubt[what] for doubt in doubts)
        return said

    def _aside(self, rows: ir.Table, worth: ir.DecimalValue | None) -> ir.IntegerValue:
        """Why a row is no purchase, null where it is one."""
        reasons = [(rows["customer_id"].isnull(), NOBODY)]
        if self.schema.currency_taken is not None and "currency" in rows.columns:
            reasons.append((rows["currency"] != self.schema.currency_taken, OTHER_CURRENCY))
        if "again" in rows.columns:
            reasons.append((rows["again"], AGAIN))
        if worth is not None:
            reasons.append((worth < 0, REVERSAL))
        if "back" in rows.columns:  # also of what was free
            reasons.append((rows["back"], REVERSAL))
        if "void" in rows.columns:
            reasons.append((rows["void"], VOID))
        coded = [(holds, ibis.literal(reason, dt.int8)) for holds, reason in reasons]
        return cast("ir.IntegerValue", ibis.cases(*coded, else_=ibis.null(dt.int8)))

    def _amount(self, rows: ir.Table) -> ir.DecimalValue | None:
        """The value of a row, to four decimals; None where the source has no amounts.

        It is negative where the row takes back what another sold. Where the schema has rates, it
        is in the currency whose rate is 1, and null where its currency has no rate.
        """
        if "value" not in rows.columns:
            return None
        worth = rows["value"]
        if "back" in rows.columns:
            worth = ibis.ifelse(rows["back"], -worth.abs(), worth).try_cast(AMOUNT)
        if self.schema.rates and "currency" in rows.columns:
            rates = [
                (rows["currency"] == code, ibis.literal(rate, RATE))
                for code, rate in self.schema.rates.items()
            ]
            rate = ibis.cases(*rates, else_=ibis.null(RATE))
            worth = (worth * rate).try_cast(dt.Decimal(38, 4)).try_cast(AMOUNT)
        return cast("ir.DecimalValue", worth)

    def _customer(self, table: ir.Table) -> ir.Column:
        found = customer(table[self.schema.customer_id])
        words = self.schema.no_customer
        if self.schema.id_case == "fold" and isinstance(found, ir.StringValue):
            found = folded(found)
            nobody = found.isin([folded(ibis.literal(word)) for word in words])
        else:
            nobody = found.cast(str).isin(words)
        return ibis.ifelse(nobody, None, found) if words else found

    def _day(self, table: ir.Table) -> ir.DateValue:
        """The day that a row belongs to; null where it cannot be read."""
        return day(table[self.schema.date], self.engine, *self._written())

    def _written(self) -> tuple[str | None, Clock]:
        """How dates are written, and which day a time belongs to."""
        c = self.schema
        layout = named(c.date_layout) if c.date_layout is not None else None
        clock = Clock(c.time_zone, c.source_time_zone)
        return (None if layout in {None, ISO_8601} else layout.strptime), clock

    def _value(self, table: ir.Table) -> ir.DecimalValue:
        """The amount that a row states, or the product of its quantity and its unit price."""
        worth, *price = [self.number(table[name]) for name in self.schema.value_columns]
        if not price:
            return worth
        # The engine's product has eight decimals: its range ends where amounts still go on, and
        # the one without such an end takes ten times as long.
        large = (worth.cast(dt.float64) * price[0].cast(dt.float64)).abs() >= LARGE_PRODUCT
        product = ibis.ifelse(
            large,
            (worth.cast(dt.Decimal(38, 4)) * price[0]).try_cast(dt.Decimal(38, 4)),
            (worth * price[0]).try_cast(dt.Decimal(38, 4)),
        )
        return cast("ir.DecimalValue", product.try_cast(AMOUNT))

    def _currency(self, table: ir.Table) -> ir.StringValue | None:
        """The currency of a row; None where the source says none."""
        c = self.schema
        if c.currency is not None:
            return cast("ir.StringValue", table[c.currency].cast(str).strip().upper().nullif(""))
        texts = self.texts(table)
        if c.decimal is None or not texts:
            return None
        return currency_written(table[texts[-1]])  # of quantity and price, the price

    def _back(self, table: ir.Table) -> ir.BooleanValue | None:
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


def _again(table: ir.Table, date: str) -> ir.BooleanValue:
    """Whether a row repeats another in every column: of such rows one is not said to."""
    # An order is asked for by some engines; among rows that are the same it does not matter.
    same = ibis.window(group_by=[table[name] for name in table.columns], order_by=table[date])
    return cast("ir.BooleanValue", ibis.row_number().over(same) > 0)


def _all(flags: Iterable[ir.BooleanValue]) -> ir.BooleanValue:
    return cast("ir.BooleanValue", functools.reduce(operator.and_, flags))
