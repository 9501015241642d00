"""`clv budget`: a retention budget, split over the customers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clv_cli.book import book_argument, echo_caveats
from clv_cli.output import (
    echo_json,
    echo_rows,
    echo_table,
    format_option,
    number,
    paragraph,
    write_rows,
)
from clv_cli.quantity import QUANTITY

if TYPE_CHECKING:
    from clv.book import Book
    from clv.recommend.retention import RetentionBudget

__all__ = ["budget", "echo_budget"]

SHOWN = 10
"""Customers of the table; files and the other formats have all who get something."""


@click.command(
    epilog="""\b
Examples:
  clv budget book
  clv budget book --total 5000 -o budget.csv"""
)
@book_argument
@click.option(
    "--total",
    type=QUANTITY,
    metavar="AMOUNT",
    help="Money to spend; without it, the total worth asking for.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Write who gets how much to a .csv or .parquet file instead.",
)  # fmt: skip
@format_option
def budget(book: Book, total: float | None, output: Path | None, form: str) -> None:
    """Split a retention budget over the customers in BOOK.

    Says who gets how much, what the next unit of money would return, and the total worth asking
    for.
    """
    answer = book.budget(total)
    if form == "table" and output is None:
        echo_budget(book, answer)
        return
    rows = [row for row in answer.rows() if row["spend"] > 0]
    rows.sort(key=lambda row: (-row["spend"], row["customer_id"]))
    if output:
        write_rows(rows, output)
        for sentence in answer.sentences:
            paragraph(sentence, err=True)
    elif form == "csv":
        echo_rows(rows)
    else:
        echo_json(
            answer.to_dict()
            | {
                "rows": rows,
                "customers": len(answer.spend),
                "without_range": book.without_intervals,
                "concerns": list(book.concerns),
            }
        )


def echo_budget(book: Book, answer: RetentionBudget) -> None:
    """Print the budget for a person: what it says, then who gets most."""
    for sentence in answer.sentences:
        paragraph(sentence)
    if book.without_intervals:
        paragraph(book.without_intervals)
    funded = sum(1 for spend in answer.spend if spend > 0)
    if funded:
        rows = sorted(answer.rows(), key=lambda row: (-row["spend"], row["customer_id"]))[:SHOWN]
        currency = f" {answer.currency}" if answer.currency else ""
        click.echo()
        echo_table(
            ["customer", f"spend{currency}", f"value kept{currency}"],
            (
                [str(row["customer_id"]), number(row["spend"]), number(row["expected_gain"])]
                for row in rows
                if row["spend"] > 0
            ),
            title=f"The {min(SHOWN, funded)} who get most, of {funded:,} who get something",
        )
    click.echo()
    echo_caveats(book, answer.assumed)
