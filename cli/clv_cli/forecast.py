"""`clv forecast`: expected orders, revenue and margin by calendar month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clv_cli.book import book_argument, echo_caveats
from clv_cli.output import echo_json, echo_rows, echo_table, format_option, number, paragraph

if TYPE_CHECKING:
    from clv.book import Book

__all__ = ["echo_forecast", "forecast"]

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
        echo_caveats(book, [key for key in book.assumed_terms if key == "margin"])
        return
    rows = [row.to_dict() for row in book.forecast(months)]
    if form == "csv":
        echo_rows(rows)
        return
    echo_json(
        {
            "rows": rows,
            "total": {
                name: sum(row[name] for row in rows) for name in ("orders", "revenue", "margin")
            },
            "end": book.end.isoformat(),
            "currency": book.policy.currency,
            "margin": book.policy.margin,
            "assumed": [key for key in book.assumed_terms if key == "margin"],
            "scope": SCOPE,
            "concerns": list(book.concerns),
        }
    )


def echo_forecast(book: Book, months: int) -> None:
    """Print the forecast as a table with its total."""
    rows = book.forecast(months)
    currency = f" {book.policy.currency}" if book.policy.currency else ""
    cells = [
        [
            row.month + (f" (from the {row.first_day.day}.)" if row.partial else ""),
            number(row.orders, 1),
            number(row.revenue),
            number(row.margin),
        ]
        for row in rows
    ]
    sums = [sum(getattr(row, name) for row in rows) for name in ("orders", "revenue", "margin")]
    cells.append(["total", number(sums[0], 1), number(sums[1]), number(sums[2])])
    echo_table(["month", "orders", f"revenue{currency}", f"margin{currency}"], cells)
    paragraph(SCOPE)
