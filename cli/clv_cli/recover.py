"""`clv recover`: what may be spent on fixing one customer's problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clv_cli.book import book_argument, echo_caveats
from clv_cli.output import echo_json, echo_rows, echo_table, format_option, money, paragraph
from clv_cli.quantity import QUANTITY

if TYPE_CHECKING:
    from clv.book import Book
    from clv.recommend.recovery import Recovery

__all__ = ["echo_recovery", "recover"]


@click.command(
    epilog="""\b
Examples:
  clv recover book 0001 --problem late_delivery --loss 30
  clv recover book 0001 --problem defective --loss 80 --hours 26 --severity 2 --format json"""
)
@book_argument
@click.argument("customer")
@click.option(
    "--problem",
    required=True,
    metavar="TYPE",
    help="Type of problem, as late_delivery, defective or wrong_item; a name that the policy does "
    "not know is answered with those it knows.",
)
@click.option(
    "--loss", required=True, type=QUANTITY, metavar="AMOUNT", help="What it cost the customer."
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
    book: Book,
    customer: str,
    problem: str,
    loss: float,
    hours: float,
    severity: int,
    form: str,
) -> None:
    """Say what may be spent on fixing one customer's problem, who may approve it, and why.

    The amounts are goodwill. What the customer is owed by law is owed besides.
    """
    answer = book.recover(customer, problem, loss, hours=hours, severity=severity)
    if form == "json":
        echo_json(answer.to_dict() | {"concerns": list(book.concerns)})
    elif form == "csv":
        row = answer.to_dict()
        del row["inputs"]
        echo_rows([{k: "; ".join(v) if isinstance(v, list) else v for k, v in row.items()}])
    else:
        echo_recovery(book, answer)


def echo_recovery(book: Book, answer: Recovery) -> None:
    """Print one answer for a person with the customer on the line."""
    label = book.policy.problem(answer.problem).label
    currency = answer.currency
    echo_table(
        [f"Customer {answer.customer_id}: {label}, loss {money(answer.loss, currency)}", ""],
        [
            ["first gesture (offer this first)", money(answer.first_gesture, currency)],
            ["recommended", money(answer.recommended, currency)],
            ["most (beyond it money is lost)", money(answer.most, currency)],
            ["ceiling (even for a certain and complete fix)", money(answer.ceiling, currency)],
            ["who may approve the recommended amount", answer.authority],
        ],
    )
    click.echo()
    for reason in answer.reasons:
        paragraph(reason, indent="- ")
    click.echo()
    echo_caveats(book, answer.assumed)
