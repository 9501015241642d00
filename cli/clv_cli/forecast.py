"""`clv forecast`: expected orders, revenue and margin by calendar month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from clv_cli.book import book_argument, echo_cautions, echo_caveats
from clv_cli.output import (
    between,
    echo_json,
    echo_rows,
    echo_table,
    format_option,
    number,
    paragraph,
    percent,
)

if TYPE_CHECKING:
    from clv.book import Book
    from clv.value.forecast import ForecastMonth

__all__ = ["echo_forecast", "forecast"]

FIGURES = ("orders", "revenue", "margin")

SCOPE = (
    "Expected values for the customers in the book; customers not yet won are not in them. "
    "Revenue and margin are not discounted."
)


@click.command(
    epilog="""\b
Examples:
  clv forecast book --months 12
  clv forecast book --months 24 --format csv > forecast.csv"""
)
@book_argument
@click.option(
    "--months",
    type=click.IntRange(1, 1200),
    default=12,
    show_default=True,
    help="Whole calendar months after the end of observation.",
)
@format_option
def forecast(book: Book, months: int, form: str) -> None:
    """Forecast orders, revenue and margin of the customers in BOOK, month by month."""
    if form == "table":
        echo_forecast(book, months)
        echo_cautions(book, _too_far(book, months))
        echo_caveats(book, [key for key in book.assumed_terms if key == "margin"])
        return
    from clv.book.cautions import cautions

    found = book.forecast(months)
    rows = [row.to_dict() for row in found]
    if form == "csv":
        echo_rows(rows, version=book.policy.version)
        return
    echo_json(
        {
            "rows": rows,
            "total": {k: v for k, v in found.total.to_dict().items() if k.startswith(FIGURES)},
            "level": found.level,
            "without_intervals": found.without_intervals,
            "end": book.end.isoformat(),
            "currency": book.policy.currency,
            "margin": book.policy.margin,
            "assumed": [key for key in book.assumed_terms if key == "margin"],
            "scope": SCOPE,
            "concerns": list(book.concerns),
            "cautions": [*cautions(book.manifest), *_too_far(book, months)],
            "policy_version": book.policy.version,
        }
    )


def _too_far(book: Book, months: int) -> tuple[str, ...]:
    from clv.book.cautions import beyond_the_log
    from clv.value.forecast import months_after

    return beyond_the_log(book.manifest, months_after(book.end, months)[-1][1], "The forecast goes")


def echo_forecast(book: Book, months: int) -> None:
    """Print the forecast as a table with its total."""
    found = book.forecast(months)
    currency = f" {book.policy.currency}" if book.policy.currency else ""
    level = percent(found.level)
    held = [name for name in FIGURES if getattr(found.total, f"{name}_low") is not None]
    columns = ["month"]
    for name in FIGURES:
        columns.append(name if name == "orders" else f"{name}{currency}")
        columns += [level] * (name in held)
    cells = [_cells(row, held) for row in (*found, found.total)]
    echo_table(columns, cells)
    paragraph(SCOPE)
    if held:
        paragraph(
            f"{level}: the interval in which the figure beside it comes to lie with that "
            "probability if customers go on as the model says. Intervals of months do not add up "
            "to that of the total."
        )
    if found.without_intervals:
        paragraph(found.without_intervals)


def _cells(row: ForecastMonth, held: Sequence[str]) -> list[str]:
    part = f" (from the {row.first_day.day}.)" if row.partial else ""
    cells = [f"{row.month}{part}"]
    for name in FIGURES:
        cells.append(number(getattr(row, name), 1 if name == "orders" else 2))
        if name in held:
            cells.append(between(getattr(row, f"{name}_low"), getattr(row, f"{name}_high"), 0))
    return cells
