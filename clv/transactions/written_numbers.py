"""Numbers as people write them: which mark stands before the decimals, and what else is there.

`1.234` is two numbers. A column of such numbers is read only where one mark before the decimals
reads every one of them and the other does not, or both say the same; else the user must say.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import ibis
import ibis.expr.types as ir

from clv.transactions.column_names import CODES, SIGNS
from clv.transactions.report import quoted
from clv.transactions.sources import Source
from clv.transactions.values import AMOUNT, blank, stripped

__all__ = ["MarkChoice", "choose_mark", "currency_written", "in_doubt", "number_written"]

LOCAL = (r"FR\.", "SFR", r"KR\.?", "ZŁ", "KČ", "FT", "LEI")
CURRENCY = rf"(?:[A-Z]{{0,2}}\p{{Sc}}|{'|'.join((*CODES, *LOCAL))})"

NUMBERS = {
    # 1,234.50, 1 234.50, 1'234.50, 12,34,567.00 (India), 1234.50 and .50
    ".": r"[1-9]\d{0,2}(?:(?:,\d{3})+|(?: \d{3})+|(?:'\d{3})+)(?:\.\d+)?"
    r"|[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+",
    # 1.234,50, 1 234,50, 1'234,50, 1234,50 and ,50
    ",": r"[1-9]\d{0,2}(?:(?:\.\d{3})+|(?: \d{3})+|(?:'\d{3})+)(?:,\d+)?|\d+(?:,\d+)?|,\d+",
}
SHAPES = {
    mark: rf"^\(?[-+]? ?{CURRENCY}? ?[-+]? ?({number}) ?[-+]? ?{CURRENCY}? ?[-+]?\)?$"
    for mark, number in NUMBERS.items()
}
WORDS = {".": "a point", ",": "a comma"}


def number_written(column: ir.Column, mark: str) -> ir.DecimalValue:
    """A number with this mark before its decimals, to four of them; null where it is none.

    Thousands may be set apart, by the other mark, a space or an apostrophe; a currency may stand
    beside the number; a minus before or behind it, or parentheses, make it negative.

    Parameters
    ----------
    column : ibis.Column
        Texts.
    mark : {".", ","}
        The mark.
    """
    text = _normal(column)
    digits = text.re_extract(SHAPES[mark], 1)
    plain = digits.re_replace("[, ']" if mark == "." else "[. ']", "").replace(",", ".")
    size = plain.try_cast(AMOUNT)
    signs = text.re_replace("[^()+-]", "")
    negative = signs.isin(["-", "()"])
    said = ibis.ifelse(negative, -size, size).try_cast(AMOUNT)
    return cast("ir.DecimalValue", ibis.ifelse(negative | signs.isin(["", "+"]), said, None))


def currency_written(column: ir.Column) -> ir.StringValue:
    """The code or the sign of the currency beside a number; null where there is none."""
    sign = _normal(column).re_extract(CURRENCY, 0).nullif("")
    return cast("ir.StringValue", sign.substitute(SIGNS))


def in_doubt(column: ir.Column) -> dict[str, ir.BooleanValue]:
    """Whether a text has a point (`pointed`), and one that no thousands begin at (`decimal`).

    `1.234` and `12.000` have such a point that may set thousands apart; `1.5` and `0.850` do not.
    """
    text = stripped(column)
    at = text.find(".")
    return {
        "pointed": at >= 0,
        "decimal": (at >= 0) & ((text.length() - at != 4) | text.startswith("0")),
    }


@dataclass(frozen=True)
class MarkChoice:
    """The mark before the decimals that reads the numbers of a source.

    Attributes
    ----------
    mark : {".", ","} or None
        That mark; None where both read every number, and not the same.
    example : str
        A number as it is written, which only this mark reads if there is one; without a mark,
        one that the two read differently.
    readings : tuple of str
        What the example is with a point, and with a comma.
    mixed : str
        A number that only the other mark reads.
    """

    mark: Literal[".", ","] | None
    example: str
    readings: tuple[str, ...] = ()
    mixed: str = ""

    @property
    def notice(self) -> str:
        """Say how numbers were read."""
        return (
            f"Numbers were read with {WORDS[self.mark or '.']} before the decimals (such as "
            f"{self.example})."
        )

    def fault(self, columns: str) -> str:
        """Say that numbers are written in two ways, or can be read in two; empty where not."""
        if self.mark is None:
            point, comma = self.readings
            return (
                f"The numbers in column {columns} (such as {self.example}) can be read with a "
                f"point before the decimals ({point}) and with a comma ({comma}), and no row tells "
                'which. Say which in a schema: decimal = "." or decimal = ",".'
            )
        if self.mixed:
            other = "," if self.mark == "." else "."
            return (
                f"Some numbers in column {columns} have {WORDS[self.mark]} before the decimals "
                f"({self.example}), others {WORDS[other]} ({self.mixed})."
            )
        return ""


def choose_mark(source: Source, columns: Sequence[str]) -> MarkChoice:
    """Return the mark before the decimals that reads most numbers of some columns.

    Parameters
    ----------
    source : Source
        Where the numbers are.
    columns : sequence of str
        Its columns of numbers that are texts.
    """
    table = source.table
    parts: dict[str, list[ir.BooleanValue]] = {"point": [], "comma": [], "differ": []}
    for name in columns:
        point, comma = (number_written(table[name], mark) for mark in ".,")
        parts["point"].append(point.notnull() & comma.isnull() & ~blank(table[name]))
        parts["comma"].append(comma.notnull() & point.isnull() & ~blank(table[name]))
        parts["differ"].append((point != comma).fill_null(ibis.literal(value=False)))
    said = {f"said_{i}": table[name].cast(str) for i, name in enumerate(columns)}
    flags = {f"{what}_{i}": flag for what, some in parts.items() for i, flag in enumerate(some)}
    rows = table.select(**said, **flags)
    any_of = {what: functools.reduce(operator.or_, some) for what, some in parts.items()}
    found: dict[str, Any] = source.collect(
        table.aggregate(**{what: flag.sum() for what, flag in any_of.items()})
    ).to_pylist()[0]
    many = {what: int(found[what] or 0) for what in parts}

    def example(what: str) -> str:
        for i in range(len(columns)):
            if rows_found := source.first_rows(rows, f"{what}_{i}", [f"said_{i}"]):
                return str(rows_found[0].values[0])
        return ""

    if not many["point"] and not many["comma"] and many["differ"]:
        text = example("differ")
        return MarkChoice(None, quoted(text), (_plain(text, "."), _plain(text, ",")))
    mark: Literal[".", ","]
    mark, ours, theirs = (
        (".", "point", "comma") if many["point"] >= many["comma"] else (",", "comma", "point")
    )
    text = example(ours) or example(theirs)
    if not text:  # whole numbers with a currency beside them: the two marks agree
        text = str(source.collect(rows.select("said_0").limit(1))["said_0"][0].as_py())
    return MarkChoice(
        mark, quoted(text), mixed=quoted(example(theirs)) if many[theirs] and many[ours] else ""
    )


def _plain(text: str, mark: str) -> str:
    """Write a number that both marks read as it is with one of them."""
    return "".join(c for c in text if c.isdigit() or c == mark).replace(mark, ".")


def _normal(column: ir.Column) -> ir.StringValue:
    """Write spaces, apostrophes and minus signs of all kinds as the usual ones, letters large."""
    text = column.cast(str)
    for some, one in (("\u00a0\u202f\u2009", " "), ("\u2019", "'"), ("\u2212\u2013", "-")):
        for c in some:
            text = text.replace(c, one)
    text = stripped(text).upper()
    for nothing in (",--", ",-", ",\u2014"):  # 5,- is 5.00
        text = text.replace(nothing, ",00")
    for nothing in (".--", ".-", ".\u2014"):
        text = text.replace(nothing, ".00")
    return cast("ir.StringValue", text)
