"""`clv recover`: what may be spent on fixing one customer's problem."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clv_cli.book import echo_caveats
from clv_cli.output import (
    between,
    echo_json,
    echo_rows,
    echo_table,
    format_option,
    money,
    paragraph,
)
from clv_cli.quantity import QUANTITY

if TYPE_CHECKING:
    from clv.book import Book
    from clv.recommend.recovery import Recovery

__all__ = ["echo_recovery", "recover"]

NO_GESTURE = "none: fix it and apologise"


@click.command(
    epilog="""\b
Examples:
  clv recover book 0001 --problem late_delivery --loss 30
  clv recover book 0001 --problem defective --loss 80 --hours 26 --severity 2 --format json"""
)
@click.argument("book")
@click.argument("customer")
@click.option(
    "--problem",
    metavar="TYPE",
    help="Type of problem, as late_delivery, defective or wrong_item; required. A name that the "
    "policy does not know is answered with those it knows.",
)
@click.option(
    "--loss", type=QUANTITY, metavar="AMOUNT", help="What it cost the customer; required."
)
@click.option(
    "--hours",
    type=QUANTITY,
    default=0.0,
    metavar="H",
    help="Hours from the problem to your answer; 0 if not given.",
)
@click.option(
    "--severity",
    type=click.IntRange(1, 4),
    default=1,
    metavar="1..4",
    help="From 1, as usual for this kind of problem, to 4, as bad as it gets; 1 if not given.",
)
@format_option
def recover(
    book: str,
    customer: str,
    problem: str | None,
    loss: float | None,
    hours: float,
    severity: int,
    form: str,
) -> None:
    """Say what may be spent on fixing one customer's problem, who may approve it, and why.

    The amounts are goodwill. What the customer is owed by law is owed besides.
    """
    opened = _opened(book, customer)
    if problem is None or loss is None:
        raise click.UsageError(_missing(opened, problem, loss))
    answer = opened.recover(customer, problem, loss, hours=hours, severity=severity)
    if form == "json":
        more = {"end": opened.end.isoformat(), "concerns": list(opened.concerns)}
        echo_json(answer.to_dict() | more)
    elif form == "csv":
        row = answer.to_dict()
        del row["inputs"]
        echo_rows([{k: "; ".join(v) if isinstance(v, list) else v for k, v in row.items()}])
    else:
        echo_recovery(opened, answer)


def _opened(book: str, customer: str) -> Book:
    """Open the book; say so where it stands in the customer's place."""
    from clv.book import Book
    from clv.book_directory import is_book

    if not is_book(Path(book)) and is_book(Path(customer)):
        raise click.UsageError(
            f"{customer} is a customer book and {book} is none: the book comes first, then the "
            f"customer: clv recover {shlex.quote(customer)} {shlex.quote(book)} ..."
        )
    return Book(book)


def _missing(book: Book, problem: str | None, loss: float | None) -> str:
    """Say which options are missing, all at once, and what they can be."""
    faults = []
    if problem is None:
        types = ", ".join(f"{key} ({kind.label})" for key, kind in book.policy.problems.items())
        faults.append(f"Say with --problem TYPE what went wrong. {book.path} knows: {types}.")
    if loss is None:
        faults.append("Say with --loss AMOUNT what it cost the customer.")
    return "\n".join(faults)


def echo_recovery(book: Book, answer: Recovery) -> None:
    """Print one answer for a person with the customer on the line."""
    label = book.policy.problem(answer.problem).label
    currency = answer.currency
    first = money(answer.first_gesture, currency) if answer.first_gesture else NO_GESTURE
    span = between(answer.recommended_low, answer.recommended_high)
    echo_table(
        [f"Customer {answer.customer_id}: {label}, loss {money(answer.loss, currency)}", ""],
        [
            ["first gesture (offer this first)", first],
            ["recommended", money(answer.recommended, currency)],
            ["  its 10-90 % range", span or "not known"],
            ["most that the customer's value justifies", money(answer.most, currency)],
            ["ceiling (even for a certain and complete fix)", money(answer.ceiling, currency)],
            ["who may approve the recommended amount", answer.authority],
        ],
    )
    click.echo()
    for reason in answer.reasons:
        paragraph(reason, indent="- ")
    if answer.without_range:
        paragraph(f"No 10-90 % range: {answer.without_range}", indent="- ")
    click.echo()
    paragraph(
        f"Learned from the orders to {book.end}: what this customer is worth. What a problem and "
        "goodwill do comes from the policy."
    )
    echo_caveats(book, answer.assumed)
