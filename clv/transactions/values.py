"""What a source's columns say: customers, days and amounts, as Ibis expressions.

Nothing here is computed; each function turns a column, whatever its type, into an expression that
is null where the column does not say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from clv.transactions.columns import Columns
from clv.transactions.engines import Engine

__all__ = [
    "AMOUNT",
    "FIRST_DAY",
    "LAST_DAY",
    "MISSING_ID",
    "Reading",
    "blank",
    "customer",
    "date_text",
    "day",
    "moment",
    "number",
    "zoned",
]

AMOUNT = dt.Decimal(18, 4)
"""Sums of decimals do not depend on the order of the rows; sums of floats do."""

MISSING_ID = ("", "NULL", "null", "NaN", "nan", "None", "<NA>", "N/A", "n/a", "\\N")
"""How databases and data frames write a value that is missing."""

FIRST_DAY, LAST_DAY = date(1000, 1, 1), date(9999, 12, 31)
"""A year has four digits; a year 97, or `infinity`, was not meant."""

TIME = r",?\s+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s?[AaPp][Mm])?$"
ZONE = r":\d\d(:\d\d(\.\d+)?)? ?(Z|z|[+-]\d|UTC|GMT|[A-Z][a-z]+/)"


@dataclass(frozen=True)
class Reading:
    """How the rows of a source are read as orders.

    Attributes
    ----------
    columns : Columns
        Which columns are taken.
    engine : Engine
        What holds the rows.
    date_layout : str or None
        The `strptime` layout of dates that are text; None is ISO 8601.
    """

    columns: Columns
    engine: Engine
    date_layout: str | None = None

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
        c = self.columns
        who = customer(table[c.customer_id])
        when = day(table[c.date], self.engine, self.date_layout)
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
            named = [n for n in (c.amount, c.quantity, c.unit_price) if n is not None]
            nothing = blank(table[named[0]])
            for name in named[1:]:
                nothing &= blank(table[name])
            said["bad_amount"] = worth.isnull() & (who.notnull() | ~nothing)
            if c.currency is not None:
                said["currency"] = table[c.currency].cast(str).strip().upper().nullif("")
        return said

    def amount(self, table: ir.Table) -> ir.DecimalValue | None:
        """The value of an order, to four decimals; None where the source has no amounts."""
        c = self.columns
        if c.amount is not None:
            return number(table[c.amount])
        if c.quantity is not None and c.unit_price is not None:
            worth = number(table[c.quantity]) * number(table[c.unit_price])
            # The engine's product has eight decimals; round it first, then look at its range.
            return cast("ir.DecimalValue", worth.try_cast(dt.Decimal(38, 4)).try_cast(AMOUNT))
        return None


def day(column: ir.Column, engine: Engine, layout: str | None = None) -> ir.DateValue:
    """The day that was written, or the day in UTC where an offset is written too."""
    if isinstance(column, ir.DateColumn):
        found = column
    elif isinstance(column, ir.TimestampColumn):
        found = column.date()
    elif layout is not None:
        found = engine.strptime(date_text(column, time=False), layout)
    else:
        found = _written_moment(column).date()
    return cast("ir.DateValue", ibis.ifelse(found.between(FIRST_DAY, LAST_DAY), found, None))


def moment(column: ir.Column, engine: Engine, layout: str | None = None) -> ir.TimestampValue:
    """The time that was written, or in UTC where an offset is written too; without one, 0:00.

    Dates in a layout of their own keep their day only.
    """
    if isinstance(column, ir.TimestampColumn):
        # An instant's wall clock is that of the engine's time zone, which is UTC.
        found = column.cast(dt.Timestamp())
    elif isinstance(column, ir.DateColumn) or layout is not None:
        found = day(column, engine, layout).cast(dt.Timestamp())
    else:
        found = _written_moment(column)
    within = found.date().between(FIRST_DAY, LAST_DAY)
    return cast("ir.TimestampValue", ibis.ifelse(within, found, None))


def _written_moment(column: ir.Column) -> ir.TimestampValue:
    text = date_text(column)
    found = ibis.ifelse(
        zoned(column),
        text.try_cast(dt.Timestamp("UTC")).cast(dt.Timestamp()),
        text.try_cast(dt.Timestamp()),
    )
    digit_first = (text >= "0") & (text < ":")  # `epoch` is a date to some engines
    return cast("ir.TimestampValue", ibis.ifelse(digit_first, found, None))


def customer(column: ir.Column) -> ir.Column:
    """The customer's id. Integers stay what they are: grouping them is faster than text."""
    if isinstance(column, ir.IntegerColumn):
        return column
    if isinstance(column, (ir.FloatingColumn, ir.DecimalColumn)):
        # A gap among integers makes floats of them: 17850 must not become 17850.0.
        whole = column.try_cast(dt.int64)
        said = ibis.ifelse(whole == column, whole.cast(str), column.cast(str))
        return said.nullif("nan")
    text = column.cast(str).strip()
    return ibis.ifelse(text.isin(MISSING_ID), None, text)


def number(column: ir.Column) -> ir.DecimalValue:
    """A number to four decimals, null where it is none or 10^14 and more."""
    if isinstance(column, ir.NumericColumn) and not isinstance(column, ir.BooleanColumn):
        return cast("ir.DecimalValue", column.try_cast(AMOUNT))
    return cast("ir.DecimalValue", column.cast(str).strip().try_cast(AMOUNT))


def blank(column: ir.Column) -> ir.BooleanValue:
    """Whether a column says nothing."""
    if isinstance(column, ir.FloatingColumn):
        return column.isnull() | column.isnan()
    if isinstance(column, ir.StringColumn):
        return column.isnull() | (column.strip() == "")
    return column.isnull()


def zoned(column: ir.Column) -> ir.BooleanValue:
    """Whether a time is written with its offset from UTC, so that the day depends on the zone."""
    if isinstance(column, ir.TimestampColumn):
        aware = cast("dt.Timestamp", column.type()).timezone is not None
        return column.notnull() if aware else ibis.literal(value=False)
    if isinstance(column, ir.StringColumn):
        # Ten characters are a date alone; the pattern is tried on longer text only.
        return ibis.cases((column.length() > 10, column.re_search(ZONE)), else_=False)
    return ibis.literal(value=False)


def date_text(column: ir.Column, *, time: bool = True) -> ir.StringValue:
    """A date as text, with or without the time of day behind it."""
    text = column.cast(str).strip()
    return cast("ir.StringValue", text if time else text.re_replace(TIME, ""))
