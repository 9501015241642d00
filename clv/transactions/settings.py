"""Settings that the rows of a source tell: how dates and numbers are written, and kinds of rows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir

from clv.transactions.column_names import ROLES
from clv.transactions.dates import LayoutChoice, choose
from clv.transactions.kinds import kinds_of
from clv.transactions.layouts import ISO_8601
from clv.transactions.reading import Reading
from clv.transactions.report import counted
from clv.transactions.schema import Schema
from clv.transactions.sources import Source
from clv.transactions.values import blank, day
from clv.transactions.written_numbers import choose_mark, number_written

__all__ = ["NO_AMOUNT", "Settled", "amounts_left", "settle", "with_kinds"]

NO_AMOUNT = "No amount was recognised."
"""How it begins what is said of columns with numbers, none of which was taken as the amount."""

LOOKED_AT = 200
"""Rows whose columns are looked at for numbers."""

NAMED = 5
"""Columns or words that a message names."""

MANY_WORDS = 50
"""A column with more words than that says something else than the kinds of rows."""


@dataclass(frozen=True)
class Settled:
    """A schema with what the rows have settled.

    Attributes
    ----------
    schema : Schema
        With the layout of its dates, and the mark before the decimals, where they matter.
    layout : LayoutChoice or None
        How the layout was chosen; None where dates are ISO 8601, or it was stated.
    notices, faults : tuple of str
        What was settled, and what the rows leave open.
    """

    schema: Schema
    layout: LayoutChoice | None = None
    notices: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def settle(source: Source, schema: Schema, seen: Mapping[str, Any]) -> Settled:
    """Find how dates and numbers are written that are not so as is usual.

    Parameters
    ----------
    source : Source
        The orders.
    schema : Schema
        Which columns are taken.
    seen : mapping of str to Any
        The profile of the rows as the schema reads them.
    """
    found = _with_layout(source, Settled(schema), seen)
    return _with_mark(source, found, seen)


def amounts_left(source: Source, schema: Schema, *, given: bool) -> list[str]:
    """Say which columns that were not taken hold numbers, where no column was taken as the amount.

    Parameters
    ----------
    source : Source
        The orders.
    schema : Schema
        Which columns are taken.
    given : bool
        Whether somebody said that there is no amount.
    """
    if given or schema.has_amount:
        return []
    taken = {getattr(schema, role) for role in ROLES}
    left = [name for name in source.table.columns if name not in taken]
    some = source.table.select(*left).limit(LOOKED_AT) if left else source.table
    flags: dict[str, ir.Value] = {}
    for i, name in enumerate(left):
        column = some[name]
        if isinstance(column, ir.StringColumn):
            read = number_written(column, ".").notnull() | number_written(column, ",").notnull()
            flags[f"odd_{i}"] = (~read & ~blank(column)).sum()
        elif isinstance(column, ir.NumericColumn) and not isinstance(column, ir.BooleanColumn):
            flags[f"odd_{i}"] = ibis.literal(0)
        else:
            continue
        flags[f"said_{i}"] = (~blank(column)).sum()
    found = source.collect(some.aggregate(**flags)).to_pylist()[0] if flags else {}
    names = [
        name for i, name in enumerate(left) if found.get(f"said_{i}") and not found[f"odd_{i}"]
    ]
    if not names:
        return []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [
        (
            f"{NO_AMOUNT} Columns with numbers that were not taken: "
            f"{', '.join(map(repr, names[:NAMED]))}{more}. If one says what an order came to, name "
            f"it: --amount {shlex.quote(names[0])}, in Python amount={names[0]!r}."
        )
    ]


def with_kinds(source: Source, schema: Schema, *, given: bool) -> Settled:
    """Find which words of the column `kind` mean which kind of row.

    Parameters
    ----------
    source : Source
        The orders.
    schema : Schema
        Which columns are taken.
    given : bool
        Whether somebody named the column; one that is only named like it may be about something
        else.
    """
    if schema.kind is None:
        return Settled(schema)
    word = source.table[schema.kind].cast(str).strip().nullif("")
    table = source.table.select(word=word).group_by("word")
    found = source.collect(
        table.aggregate(rows=lambda t: t.count())
        .filter(lambda t: t["word"].notnull())
        .order_by("word")
        .limit(MANY_WORDS + 1)
    ).to_pylist()
    kinds, unknown = kinds_of({row["word"]: row["rows"] for row in found}, schema.kinds)
    if not unknown:
        return Settled(replace(schema, kinds=kinds))
    some = ", ".join(f"{w!r} ({counted(n, 'row')})" for w, n in list(unknown.items())[:NAMED])
    left = len(unknown) - NAMED
    # The others of very many words were not asked for.
    more = " and more" if len(found) > MANY_WORDS else f" and {left} more" if left > 0 else ""
    if given or set(kinds) - {"sale"}:
        fault = (
            f"Column {schema.kind!r} says what is not known as a kind of row: {some}{more}. Say "
            f"in a schema what they are, such as [kinds] and below it sale = [{_first(unknown)}] "
            '(also return, cancellation, void), or kind = "none" if it is no kind of row.'
        )
        return Settled(replace(schema, kinds=kinds), faults=(fault,))
    return Settled(replace(schema, kind=None))


def _first(words: Mapping[str, int]) -> str:
    return '"' + next(iter(words)).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _with_layout(source: Source, so_far: Settled, seen: Mapping[str, Any]) -> Settled:
    schema = so_far.schema
    if not seen["bad_dates"]:
        return so_far
    choice = choose(source, str(schema.date))
    if schema.date_layout is not None:
        return _but_stated(so_far, "date_layout", _other_layout(source, schema, choice, seen))
    if choice is None or choice.dates <= seen["dates"]:
        return so_far
    faults = so_far.faults
    if schema.source_time_zone is not None:
        faults += (
            (
                "Times are read from dates in ISO 8601 only, so source_time_zone cannot be "
                f"followed for dates such as {choice.example!r}."
            ),
        )
    return replace(
        so_far,
        schema=replace(schema, date_layout=choice.layout.words),
        layout=choice,
        notices=(*so_far.notices, choice.notice),
        faults=faults,
    )


def _with_mark(source: Source, so_far: Settled, seen: Mapping[str, Any]) -> Settled:
    schema = so_far.schema
    texts = Reading(schema, source.engine).texts(source.table)
    doubtful = seen["bad_amounts"] or (seen.get("pointed") and not seen.get("decimal"))
    if not texts or not doubtful:
        return so_far
    choice = choose_mark(source, texts)
    if schema.decimal is not None:
        other = choice.mark if choice.mark != schema.decimal and not choice.mixed else None
        return _but_stated(so_far, "decimal", other)
    columns = " x ".join(map(repr, texts))
    if fault := choice.fault(columns):
        so_far = replace(so_far, faults=(*so_far.faults, fault))
    if choice.mark is None:
        return so_far
    return replace(
        so_far,
        schema=replace(schema, decimal=choice.mark),
        notices=(*so_far.notices, choice.notice),
    )


def _other_layout(
    source: Source, schema: Schema, choice: LayoutChoice | None, seen: Mapping[str, Any]
) -> str | None:
    """Return the layout that reads more dates than the one that is stated; None where none does."""
    written = source.table[str(schema.date)]
    iso = source.table.select(date=day(written, source.engine))
    many = int(source.collect(iso.aggregate(many=iso["date"].count()))["many"][0].as_py())
    if many > seen["dates"] and (choice is None or many >= choice.dates):
        return ISO_8601.words
    return choice.layout.words if choice is not None and choice.dates > seen["dates"] else None


def _but_stated(so_far: Settled, key: str, other: str | None) -> Settled:
    """Say that the rows are written otherwise than the schema states, if it is known how."""
    if other is None:
        return so_far
    said = getattr(so_far.schema, key)
    fault = (
        f'The schema says {key} = "{said}" (with --since, the schema of the book), but this source '
        f'looks otherwise: state {key} = "{other}" in a schema for it (--schema FILE).'
    )
    return replace(so_far, faults=(*so_far.faults, fault))
