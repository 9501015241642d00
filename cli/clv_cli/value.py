"""`clv value`: what customers are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from clv_cli.book import (
    book_argument,
    echo_cautions,
    echo_caveats,
    interval_name,
    total_value,
    without_intervals,
)
from clv_cli.output import (
    between,
    echo_json,
    echo_rows,
    echo_table,
    format_option,
    money,
    number,
    output_option,
    paragraph,
    write_rows,
)

if TYPE_CHECKING:
    from pathlib import Path

    from clv.book import Book

SHOWN = 20
"""Rows of a table where neither a customer nor a number is asked for."""


@click.command(
    epilog="""\b
Examples:
  clv value book --customer 0001
  clv value book --top 100 --format csv
  clv value book -o values.csv
  clv value book --by-cohort values"""
)
@book_argument
@click.option("--customer", metavar="ID", help="One customer, by id.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="The N most valuable.")
@output_option("Write the rows to a .csv or .parquet file instead.")
@click.option(
    "--by-cohort",
    metavar="FOLDER",
    help="Write the rows of all customers to FOLDER instead, as Parquet in a folder for each month "
    "of first orders, such as cohort=2024-01.",
)
@format_option
def value(
    book: Book,
    customer: str | None,
    top: int | None,
    output: Path | None,
    by_cohort: str | None,
    form: str,
) -> None:
    """Show what customers are worth, one by one.

    Without --customer or --top: all of them, by customer id (the table shows the most valuable).
    """
    if customer is not None and top is not None:
        raise click.UsageError("--customer and --top exclude each other: give one of them.")
    if by_cohort is not None:
        if not (customer is None and top is None and output is None and form == "table"):
            raise click.UsageError("--by-cohort writes all customers, as Parquet: give it alone.")
        from clv.book.value_folder import write_value_folder

        written = write_value_folder(book, by_cohort)
        click.echo(f"Wrote {written:,} rows to {by_cohort}.", err=True)
        return
    rows: list[dict[str, Any]]
    if customer is not None:
        rows = [book.customer(customer)]
    else:
        short = form == "table" and output is None and top is None
        frame = book.values(top=SHOWN if short else top)
        rows = [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]
    if output:
        write_rows(rows, output, version=book.policy.version)
        return
    if form == "json":
        from clv.book.cautions import cautions

        echo_json(
            {
                "rows": rows,
                "customers": book.customers,
                "end": book.end.isoformat(),
                "unit": book.unit,
                "currency": book.policy.currency,
                "terms": book.manifest["terms"],
                "intervals": book.manifest["intervals"],
                "assumed": list(book.assumed_terms),
                "concerns": list(book.concerns),
                "cautions": list(cautions(book.manifest)),
                "policy_version": book.policy.version,
            }
        )
        return
    if form == "csv":
        echo_rows(rows, version=book.policy.version)
        return
    if customer is not None:
        _echo_customer(book, rows[0])
    else:
        _echo_customers(book, rows)
    click.echo()
    paragraph(book.manifest["terms"]["sentence"])
    without = without_intervals(book)
    paragraph(without or _intervals(book, one=customer is not None))
    echo_cautions(book)
    echo_caveats(book, book.assumed_terms)


def _echo_customers(book: Book, rows: list[dict[str, Any]]) -> None:
    currency = f" {book.policy.currency}" if book.policy.currency else ""
    echo_table(
        ["customer", "repeat orders", "P(alive)", "expected orders", "per order",
         "if alive", f"lifetime value{currency}", interval_name(book)],
        (
            [
                str(row["customer_id"]),
                f"{row['frequency']:,.0f}",
                number(row["p_alive"]),
                number(row["expected_purchases"]),
                number(row["expected_spend"]),
                number(row["value_if_alive"]),
                number(row["lifetime_value"]),
                between(row["lifetime_value_low"], row["lifetime_value_high"], 0),
            ]
            for row in rows
        ),
        title=f"The {len(rows):,} most valuable of {book.customers:,} customers, at {book.end}",
    )  # fmt: skip


def _intervals(book: Book, *, one: bool) -> str:
    """Say what the intervals hold."""
    level = 10 * book.manifest["intervals"]["level"]
    told = (
        f"The {interval_name(book)} of a lifetime value is what {level:.0f} in 10 such customers "
        "come to: whether one stays, how often one buys and what one spends are in it"
    )
    if one:
        return f"{told}; that of the value if a customer still holds its expectation alone."
    return f"{told}. All {book.customers:,} together: {total_value(book)}."


def _echo_customer(book: Book, row: dict[str, Any]) -> None:
    currency, unit = book.policy.currency, book.unit
    spend = row["monetary_value"]
    expected = number(row["expected_purchases"]) or "no horizon"

    def interval(of: str) -> list[list[str]]:
        held = between(row[f"{of}_low"], row[f"{of}_high"])
        return [[f"  {interval_name(book)}", held]] if held else []

    echo_table(
        [f"Customer {row['customer_id']}", f"at {book.end}"],
        [
            ["repeat orders", f"{row['frequency']:,.0f}"],
            [f"first to last order, {unit}s", number(row["recency"], 1)],
            [f"first order to {book.end}, {unit}s", number(row["T"], 1)],
            ["mean value of the repeat orders", money(spend, currency) if spend else "none yet"],
            ["probability of being a customer still", number(row["p_alive"])],
            ["expected orders within the horizon", expected],
            ["expected value of an order", money(row["expected_spend"], currency)],
            ["value if a customer still", money(row["value_if_alive"], currency)],
            *interval("value_if_alive"),
            ["lifetime value", money(row["lifetime_value"], currency)],
            *interval("lifetime_value"),
        ],
    )
