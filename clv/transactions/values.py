"""What a source's columns say: customers, days and numbers, as Ibis expressions.

Nothing here is computed; each function turns a column, whatever its type, into an expression that
is null where the column does not say it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from clv.transactions.engines import Engine
from clv.transactions.layouts import EXCEL

__all__ = [
    "AMOUNT",
    "FIRST_DAY",
    "LAST_DAY",
    "MISSING",
    "MISSING_ID",
    "UTC",
    "Clock",
    "blank",
    "customer",
    "date_text",
    "day",
    "folded",
    "moment",
    "number",
    "stripped",
    "zoned",
]

AMOUNT = dt.Decimal(18, 4)
"""Sums of decimals do not depend on the order of the rows; sums of floats do."""

MISSING = ("", "NULL", "null", "NaN", "nan", "None", "<NA>", "N/A", "n/a", "\\N")
"""How databases and data frames write a value that is missing."""

MISSING_ID = (
    *MISSING,
    # languages of programs, and signs for nothing
    *("NA", "NaT", "none", "undefined", "(null)", "(NULL)", "[null]", "[NULL]", "<null>"),
    *("<NULL>", "(none)", "-", "--"),
    # pivot tables, and look-ups of a spreadsheet that failed: in English, German, French, Spanish
    *("(blank)", "(empty)", "(Leer)", "(vide)", "#N/A", "#REF!", "#VALUE!", "#NAME?", "#NULL!"),
    *("#DIV/0!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!", "#NV", "#BEZUG!", "#WERT!", "#ZAHL!"),
    *("#NOM?", "#VALEUR!", "#NOMBRE!", "#NOMBRE?", "#VALOR!", "#¡REF!", "#¡VALOR!", "#¡DIV/0!"),
)
"""How an id that is missing is written; a word that could be a name, such as `guest`, is not."""

NO_BREAK = "\u00a0"

FIRST_DAY, LAST_DAY = date(1000, 1, 1), date(9999, 12, 31)
"""A year has four digits; a year 97, or `infinity`, was not meant."""

EXCEL_DAYS = (20_000, 60_000)
"""From 1954 to 2064: smaller and larger numbers are hardly days of orders."""

EXCEL_ZERO = datetime(1899, 12, 30)
"""Excel calls 1900-01-01 day 1 and counts a 29th of February 1900, which was not there."""

TIME = r",?\s+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s?[AaPp][Mm])?$"
ZONE = r":\d\d(:\d\d(\.\d+)?)? ?(Z|z|[+-]\d|UTC|GMT|[A-Z][a-z]+/)"


@dataclass(frozen=True)
class Clock:
    """Which day a time belongs to.

    Attributes
    ----------
    zone : str or None
        The time zone whose days count; None is UTC.
    written : str or None
        The zone in which times without an offset from UTC are written; without it, their day is
        the one that is written.
    """

    zone: str | None = None
    written: str | None = None


UTC = Clock()


def day(
    column: ir.Column, engine: Engine, layout: str | None = None, clock: Clock = UTC
) -> ir.DateValue:
    """The day that was written, or to which a time belongs.

    Parameters
    ----------
    column : ibis.Column
        Dates or times, of any type.
    engine : Engine
        What holds it.
    layout : str, optional
        The `strptime` layout of dates that are text; ISO 8601 if not given.
    clock : Clock
        Which day a time belongs to.
    """
    if isinstance(column, ir.DateColumn):
        found = column
    elif layout == EXCEL.strptime:
        found = _excel_day(column)
    elif layout is not None and not isinstance(column, ir.TimestampColumn):
        found = engine.strptime(date_text(column, time=False), layout)
    else:
        found = _written_moment(column, engine, clock).date()
    return cast("ir.DateValue", ibis.ifelse(found.between(FIRST_DAY, LAST_DAY), found, None))


def moment(
    column: ir.Column, engine: Engine, layout: str | None = None, clock: Clock = UTC
) -> ir.TimestampValue:
    """The time on the clock; without a time of day, 0:00.

    Dates in a layout of their own keep their day only.

    Parameters
    ----------
    column, engine, layout, clock
        As for :func:`day`.
    """
    if isinstance(column, ir.DateColumn) or layout is not None:
        found = day(column, engine, layout, clock).cast(dt.Timestamp())
    else:
        found = _written_moment(column, engine, clock)
    within = found.date().between(FIRST_DAY, LAST_DAY)
    return cast("ir.TimestampValue", ibis.ifelse(within, found, None))


def _written_moment(column: ir.Column, engine: Engine, clock: Clock) -> ir.TimestampValue:
    if isinstance(column, ir.TimestampColumn):
        # An instant's wall clock is that of the engine's time zone, which is UTC.
        aware = cast("dt.Timestamp", column.type()).timezone is not None
        plain = column.cast(dt.Timestamp())
        return _of_instant(plain, engine, clock) if aware else _of_naive(plain, engine, clock)
    text = date_text(column)
    naive = engine.wall_time(text)
    if clock.written is not None:  # a day without a time of day is that day everywhere
        naive = ibis.ifelse(text.length() > 10, _of_naive(naive, engine, clock), naive)
    instant = _of_instant(engine.instant(_joined(text)), engine, clock)
    return cast("ir.TimestampValue", ibis.ifelse(zoned(column), instant, naive))


def _joined(text: ir.StringValue) -> ir.StringValue:
    """A time with its offset right behind it: shops write `09:59:00 +0100` and `UTC+01:00`."""
    for space, sign in ((" UTC+", "+"), (" UTC-", "-"), (" GMT+", "+"), (" GMT-", "-")):
        text = text.replace(space, sign)
    for sign in "+-Zz":
        text = text.replace(f" {sign}", sign)
    return text


def _of_instant(utc: ir.TimestampValue, engine: Engine, clock: Clock) -> ir.TimestampValue:
    return utc if clock.zone is None else engine.local_time(utc, clock.zone)


def _of_naive(wall: ir.TimestampValue, engine: Engine, clock: Clock) -> ir.TimestampValue:
    if clock.written is None or clock.written == clock.zone:
        return wall
    return _of_instant(engine.utc_time(wall, clock.written), engine, clock)


def _excel_day(column: ir.Column) -> ir.DateValue:
    least, most = EXCEL_DAYS
    number = stripped(column.cast(str)).try_cast(dt.float64)
    whole = ibis.ifelse((number >= least) & (number <= most), number, None).floor().cast(dt.int32)
    zero: ir.TimestampScalar = ibis.literal(EXCEL_ZERO)
    return cast("ir.DateValue", (zero + whole.as_interval("D")).date())


def customer(column: ir.Column, missing: Sequence[str] = MISSING_ID) -> ir.Column:
    """The customer's id. Integers stay what they are: grouping them is faster than text."""
    if isinstance(column, ir.IntegerColumn):
        return column
    if isinstance(column, (ir.FloatingColumn, ir.DecimalColumn)):
        # A gap among integers makes floats of them: 17850 must not become 17850.0.
        whole = column.try_cast(dt.int64)
        said = ibis.ifelse(whole == column, whole.cast(str), column.cast(str))
        return ibis.ifelse(blank(column), None, said)
    said = column.cast(str)
    # No-break spaces come from web pages, `17850.0` from programs that had no whole number for a
    # missing id. As with white space, to look for them is cheaper than to take them away.
    odd = said.endswith(".0") | said.endswith(NO_BREAK) | said.startswith(NO_BREAK)
    bare = said.replace(NO_BREAK, " ").strip()
    whole = ibis.ifelse(bare.re_search(r"^\d+\.0$"), bare.substr(0, bare.length() - 2), bare)
    text = ibis.ifelse(odd, whole, stripped(said))
    return ibis.ifelse(text.isin(missing), None, text)


def number(column: ir.Column) -> ir.DecimalValue:
    """A number to four decimals, null where it is none or 10^14 and more."""
    if isinstance(column, ir.NumericColumn) and not isinstance(column, ir.BooleanColumn):
        return cast("ir.DecimalValue", column.try_cast(AMOUNT))
    text = stripped(column.cast(str))
    # To DuckDB 1_000 is a thousand, to Spark and to people it is no number.
    return cast("ir.DecimalValue", ibis.ifelse(text.contains("_"), None, text).try_cast(AMOUNT))


def stripped(text: ir.StringValue) -> ir.StringValue:
    """A text without the white space around it."""
    # White space is looked for before it is taken away, which costs the engine ten times as much.
    around = (text < "!") | (text.right(1) < "!")
    return cast("ir.StringValue", ibis.ifelse(around, text.strip(), text))


def folded(text: ir.StringValue) -> ir.StringValue:
    """A text in small letters, the same on every engine: of İ, and of Σ as it ends a word."""
    alike = text.replace("İ", "i").replace("Σ", "σ").replace("ς", "σ")
    return cast("ir.StringValue", alike.lower())


def blank(column: ir.Column) -> ir.BooleanValue:
    """Whether a column says nothing."""
    if isinstance(column, ir.FloatingColumn):
        return column.isnull() | column.isnan()
    if isinstance(column, ir.StringColumn):
        return column.isnull() | (stripped(column) == "")
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
    text = stripped(column.cast(str))
    return cast("ir.StringValue", text if time else text.re_replace(TIME, ""))
