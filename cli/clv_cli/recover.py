"""`clv recover`: what may be spent on fixing one customer's problem, or one that many share."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clv_cli.book import echo_caveats, own_record
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
from clv_cli.quantity import QUANTITY

if TYPE_CHECKING:
    from clv.book import Book
    from clv.recommend.group import UniformOffer
    from clv.recommend.recovery import Recovery

__all__ = ["echo_recovery", "recover"]

FORMS = {"cash": "cash", "credit": "store credit"}

SHOWN = 10
"""Customers of the table; files and the other formats have all."""

OF_ONE = ("days_since_incident", "already_given", "given_12_months", "claims", "country")
"""Options that say something about one customer."""


@click.command(
    epilog="""\b
Examples:
  clv recover book 0001 --problem late_delivery --loss 30
  clv recover book 0001 --problem defective --loss 80 --hours 26 --already-given 10
  clv recover book --all --problem late_delivery --loss 15 --customers affected.csv -o a.csv"""
)
@click.argument("book")
@click.argument("customer", required=False)
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
@click.option(
    "--already-given", type=QUANTITY, default=0.0, metavar="AMOUNT",
    help="Goodwill given on this problem so far.",
)  # fmt: skip
@click.option(
    "--given-12-months", type=QUANTITY, default=0.0, metavar="AMOUNT",
    help="Goodwill given to this customer in the last 12 months on other problems.",
)  # fmt: skip
@click.option(
    "--days-since", "days_since_incident", type=QUANTITY, metavar="DAYS",
    help="Days since this customer's problem before this one.",
)  # fmt: skip
@click.option(
    "--claims", type=click.IntRange(min=1), metavar="N",
    help="How many problems this customer has claimed so far, this one included.",
)  # fmt: skip
@click.option(
    "--country", default="", metavar="NAME",
    help="Where the customer is, as the policy's tables of what the law gives name it.",
)  # fmt: skip
@click.option(
    "--all", "everyone", is_flag=True,
    help="A failure that many share: one uniform offer for all customers in BOOK.",
)  # fmt: skip
@click.option(
    "--customers", type=click.Path(path_type=Path), metavar="FILE",
    help="With --all: only for those in a CSV file with a header. Its column customer_id, or else "
    "its first, says who; a column loss, if there, what each of them lost.",
)  # fmt: skip
@output_option("With --all: write who gets what to a .csv or .parquet file.")
@format_option
def recover(
    book: str,
    customer: str | None,
    *,
    everyone: bool,
    problem: str | None,
    loss: float | None,
    customers: Path | None,
    output: Path | None,
    form: str,
    **about: Any,
) -> None:
    """Say what may be spent on fixing one customer's problem, who may approve it, and why.

    The amounts are goodwill. What the customer is owed by law is owed besides.

    With --all in the place of CUSTOMER: what to offer to many who have the same problem.
    """
    opened = _opened(book, customer)
    faults = _at_odds(customer, customers, output, about, everyone=everyone)
    faults += _missing(opened, problem, loss, by_file=customers is not None)
    if faults or problem is None:
        raise click.UsageError("\n".join(faults))
    if customer is None:
        _recover_all(opened, problem, loss, customers, output, form, about)
        return
    assert loss is not None  # noqa: S101 - said to be missing above
    answer = opened.recover(customer, problem, loss, **about)
    if form == "json":
        more = {"end": opened.end.isoformat(), "concerns": list(opened.concerns)}
        echo_json(answer.to_dict() | more)
    elif form == "csv":
        echo_rows([answer.row()])
    else:
        echo_recovery(opened, answer)
        if about["country"] and not opened.policy.statutory:
            paragraph(
                "--country changes nothing here: the policy has no table of what the law gives "
                "([[statutory]])."
            )


def _opened(book: str, customer: str | None) -> Book:
    """Open the book; say so where it stands in the customer's place."""
    from clv.book import Book
    from clv.book.directory import is_book

    if customer is not None and not is_book(Path(book)) and is_book(Path(customer)):
        raise click.UsageError(
            f"{customer} is a customer book and {book} is none: the book comes first, then the "
            f"customer: clv recover {shlex.quote(customer)} {shlex.quote(book)} ..."
        )
    return Book(book)


def _at_odds(
    customer: str | None,
    customers: Path | None,
    output: Path | None,
    about: dict[str, Any],
    *,
    everyone: bool,
) -> list[str]:
    """Say what asks for one customer and for many at once, or for neither."""
    if customer is not None and everyone:
        return ["One customer or --all: give one of them."]
    if customer is None and not everyone:
        told = "Say who has the problem: CUSTOMER after BOOK"
        return [f"{told}, or --all for a failure that many share."]
    if customer is not None:
        of_many = {"--customers": customers, "-o": output}
        given = [name for name, value in of_many.items() if value is not None]
        return [f"{', '.join(given)}: only with --all."] if given else []
    names = {"days_since_incident": "--days-since"}
    given = [names.get(n, "--" + n.replace("_", "-")) for n in OF_ONE if about[n]]
    return [f"{', '.join(given)}: only for one customer."] if given else []


def _missing(book: Book, problem: str | None, loss: float | None, *, by_file: bool) -> list[str]:
    """Say which options are missing, all at once, and what they can be."""
    faults = []
    if problem is None:
        types = ", ".join(f"{key} ({kind.label})" for key, kind in book.policy.problems.items())
        faults.append(f"Say with --problem TYPE what went wrong. {book.path} knows: {types}.")
    if loss is None and not by_file:
        faults.append("Say with --loss AMOUNT what it cost the customer.")
    return faults


def echo_recovery(book: Book, answer: Recovery) -> None:
    """Print one answer for a person with the customer on the line: the answer, then the reasons."""
    from clv.recommend.limits import PERSON

    label = book.policy.problem(answer.problem).label
    currency, other = answer.currency, answer.other_form
    paragraph(answer.sentence)
    for one in answer.owed:
        paragraph(one.sentence)
    click.echo()
    who = f"Customer {answer.customer_id}" + (f" ({answer.stage})" if answer.stage else "")
    span = between(answer.recommended_low, answer.recommended_high)
    rows = [
        ("first gesture (offer this first)", answer.first_gesture, other.first_gesture),
        ("recommended", answer.recommended, other.recommended),
        (_most(answer), answer.most, other.most),
    ]
    figures = [[name, *(_amount(v, currency) for v in both)] for name, *both in rows]
    figures.insert(2, ["  its 10-90 % range", span or "not known", ""])
    if answer.inputs.already_given:
        given = money(answer.inputs.already_given, currency)
        figures.insert(0, ["given on this problem already; on top of it:", given, ""])
    rules = book.policy.recovery
    late = answer.inputs.hours >= rules.prompt_hours
    hour_cost = answer.cost_per_hour if late else answer.cost_per_late_hour
    to_approve = answer.recommended or answer.binding == PERSON
    figures += [
        ["ceiling (even for a certain and complete fix)", money(answer.ceiling, currency), ""],
        *([["who may approve the recommended amount", answer.authority, ""]] if to_approve else []),
        [
            "each further hour of waiting costs"
            if late
            else f"each hour of waiting costs, from hour {rules.prompt_hours:g} on",
            money(hour_cost, currency),
            "",
        ],
    ]
    echo_table(
        [
            f"{who}: {label}, loss {money(answer.loss, currency)}",
            FORMS[answer.inputs.form],
            FORMS[other.form],
        ],
        figures,
    )
    click.echo()
    for reason in answer.reasons:
        paragraph(reason, indent="- ")
    if answer.without_range:
        paragraph(f"No 10-90 % range: {answer.without_range}", indent="- ")
    click.echo()
    for warning in answer.warnings:
        paragraph(warning, indent="! ")
    _echo_sources(book, answer.learned)
    echo_caveats(book, answer.assumed)


def _amount(value: float, currency: str) -> str:
    return money(value, currency) if value else "none"


def _most(answer: Recovery) -> str:
    """Name the break-even amount, and say so where the policy gives more than that."""
    told = "most that the customer's value justifies"
    return f"{told} (the policy gives more)" if answer.recommended > answer.most else told


def _echo_sources(book: Book, learned: tuple[str, ...]) -> None:
    """Say what was learned, from what, and what was not."""
    told = f"Learned from the orders to {book.end}: what customers are worth."
    rest = "What a problem and goodwill do comes from the policy."
    if record := own_record(book, learned):
        told += f" {record}"
        rest = "All else comes from the policy."
    paragraph(f"{told} {rest}")


def _recover_all(
    book: Book,
    problem: str,
    loss: float | None,
    customers: Path | None,
    output: Path | None,
    form: str,
    about: dict[str, Any],
) -> None:
    """Answer for many customers who have the same problem."""
    from clv.book.recovery import read_affected

    who, losses = (None, None) if customers is None else read_affected(customers)
    offer = book.recover_all(
        problem,
        loss,
        customers=who,
        losses=losses,
        hours=about["hours"],
        severity=about["severity"],
    )
    if output:
        write_rows(_rows(offer), output, version=book.policy.version)
        for sentence in offer.sentences:
            paragraph(sentence, err=True)
    elif form == "csv":
        echo_rows(_rows(offer), version=book.policy.version)
    elif form == "json":
        more = {"end": book.end.isoformat(), "concerns": list(book.concerns)}
        echo_json(offer.to_dict() | {"rows": _rows(offer)} | more)
    else:
        _echo_offer(book, offer)


def _rows(offer: UniformOffer) -> list[dict[str, Any]]:
    columns = offer.columns()
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def _echo_offer(book: Book, offer: UniformOffer) -> None:
    """Print one offer for many: the answer, then the customers of whom most is at stake."""
    for sentence in offer.sentences:
        paragraph(sentence)
    click.echo()
    currency = f" {offer.currency}" if offer.currency else ""
    rows = sorted(_rows(offer), key=lambda row: (-_known(row["value_kept"]), row["customer_id"]))
    if offer.cost:
        echo_table(
            ["customer", f"offer{currency}", f"value kept{currency}", "alone it would be"],
            (
                [
                    str(row["customer_id"])
                    + (" (a person decides)" if row["person_decides"] else ""),
                    number(row["offer"]),
                    number(row["value_kept"]),
                    number(row["individual"]),
                ]
                for row in rows[:SHOWN]
            ),
            title=f"The {min(SHOWN, len(rows))} of whom it keeps most, of {len(rows):,}",
        )
        click.echo()
    _echo_sources(book, ())
    echo_caveats(book, offer.assumed)


def _known(value: float) -> float:
    return -1.0 if math.isnan(value) else value
