"""`clv budget`: a retention budget, over customers, offers and purposes."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clv_cli.book import book_argument, echo_cautions, echo_caveats, own_record
from clv_cli.budget_forms import curve_budget, offer_budget, split_budget
from clv_cli.output import (
    PICTURES,
    echo_json,
    echo_rows,
    echo_table,
    format_option,
    number,
    output_option,
    paragraph,
    write_rows,
)
from clv_cli.progress import Progress, quiet_option
from clv_cli.quantity import QUANTITY

if TYPE_CHECKING:
    from clv.book import Book
    from clv.recommend.quotas import Quota
    from clv.recommend.retention import RetentionBudget

__all__ = ["budget", "echo_budget"]

SHOWN = 10
"""Customers of the table; files and the other formats have all who get something."""


@click.command(
    epilog="""\b
Examples:
  clv budget book
  clv budget book --total 150 -o budget.csv
  clv budget book --total 150 --by stage --quota integral=..40
  clv budget book --total 150 --by regions.csv --quota north=30..
  clv budget book --curve
  clv budget book --offers offers.csv --total 100
  clv budget book --total 500 --expect defective=40@35 --project "better boxes=50:150"
"""
)
@book_argument
@click.option(
    "--total",
    type=QUANTITY,
    metavar="AMOUNT",
    help="Money to spend; without it, the total worth asking for.",
)
@click.option(
    "--by",
    metavar="stage|FILE",
    help="Tell it by stage of the relationship, or by the segments in a CSV file: customer ids, "
    "then segments.",
)
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    metavar="NAME=LEAST..MOST",
    help="What a stage or segment gets at least and at most; either may be left out. Can be "
    "repeated.",
)
@click.option(
    "--offers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Spend it on offers that come whole, from a CSV file: offer, cost and, where known, "
    "effect (part of those who would leave whom it keeps).",
)
@click.option("--curve", is_flag=True, help="Show what budgets of many sizes would keep.")
@click.option(
    "--expect",
    multiple=True,
    metavar="PROBLEM=COUNT@LOSS",
    help="Reserve a part for problems that are expected: how many, and what one costs its "
    "customer. Can be repeated.",
)
@click.option(
    "--project",
    "projects",
    multiple=True,
    metavar="NAME=COST:WORTH",
    help="Prevention to choose from: its cost, and the value that it keeps from being lost. Can "
    "be repeated.",
)
@output_option(
    "Write who gets how much (with --curve: the curve) to a .csv or .parquet file instead; the "
    "curve to a .png, .svg or .pdf picture too.",
    pictures=True,
)
@quiet_option
@format_option
def budget(
    book: Book,
    total: float | None,
    by: str | None,
    quotas: tuple[str, ...],
    offers: Path | None,
    curve: bool,  # noqa: FBT001 - click passes options by name
    expect: tuple[str, ...],
    projects: tuple[str, ...],
    output: Path | None,
    form: str,
) -> None:
    """Split a retention budget over the customers in BOOK.

    Says who gets how much, what the next unit of money would return, and the total worth asking
    for.
    """
    forms = {
        "--by or --quota": by is not None or bool(quotas),
        "--offers": offers is not None,
        "--curve": curve,
        "--expect or --project": bool(expect or projects),
    }
    asked = [name for name, given in forms.items() if given]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)} do not go together: ask for one of them.")
    if output and output.suffix.lower() in PICTURES and not curve:
        raise click.UsageError(f"{output}: only the curve (--curve) can be a picture.")
    if curve:
        curve_budget(book, total, output, form)
    elif offers:
        offer_budget(book, offers, total, output, form)
    elif expect or projects:
        split_budget(book, total, expect, projects, output, form)
    else:
        _customer_budget(book, total, by or ("stage" if quotas else None), quotas, output, form)


def _customer_budget(
    book: Book,
    total: float | None,
    by: str | None,
    quotas: tuple[str, ...],
    output: Path | None,
    form: str,
) -> None:
    """Answer by customer, and by segment where they are asked for."""
    from clv.book.budget import read_segments
    from clv.book.split import beside_acquisition

    segments, notices = (by, ()) if by in (None, "stage") else read_segments(book, by)
    given = dict(map(_quota, quotas))
    with Progress() as progress:
        progress("Splitting the budget")
        answer = book.budget(total, by=segments, quotas=given)
    answer = replace(answer, sentences=(*answer.sentences, *notices))
    if form == "table" and output is None:
        echo_budget(book, answer, by_stage=by == "stage")
        return
    rows = [row for row in answer.rows() if row["spend"] > 0]
    rows.sort(key=lambda row: (-row["spend"], row["customer_id"]))
    if output:
        write_rows(rows, output, version=answer.policy_version)
        for sentence in answer.sentences:
            paragraph(sentence, err=True)
    elif form == "csv":
        for notice in notices:
            paragraph(notice, err=True)
        echo_rows(rows, version=answer.policy_version)
    else:
        from clv.book.cautions import cautions

        echo_json(
            answer.to_dict()
            | {
                "rows": rows,
                "customers": len(answer.spend),
                "beside_acquisition": list(beside_acquisition(book, answer)),
                **(_of_stages(book) if by == "stage" else {}),
                "without_range": book.without_intervals,
                "concerns": list(book.concerns),
                "cautions": list(cautions(book.manifest)),
            }
        )


def echo_budget(book: Book, answer: RetentionBudget, *, by_stage: bool = False) -> None:
    """Print the budget for a person: what it says, then the segments, or who gets most.

    By stage, what else is done for customers of a stage stands beside it.
    """
    from clv.book.split import beside_acquisition

    for sentence in (*answer.sentences, *beside_acquisition(book, answer)):
        paragraph(sentence)
    if book.without_intervals:
        paragraph(book.without_intervals)
    currency = f" {answer.currency}" if answer.currency else ""
    if answer.segments:
        click.echo()
        _echo_segments(book, answer, currency)
        if by_stage:
            _echo_stages(book, currency)
    elif funded := sum(1 for spend in answer.spend if spend > 0):
        rows = sorted(answer.rows(), key=lambda row: (-row["spend"], row["customer_id"]))[:SHOWN]
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
    if record := own_record(book, ["retention."]):
        paragraph(record)
    echo_cautions(book)
    echo_caveats(book, answer.assumed)


def _echo_segments(book: Book, answer: RetentionBudget, currency: str) -> None:
    from clv.book.split import loyal

    held = {"least": "gets its least", "most": "gets its most", "": ""}
    echo_table(
        [
            "segment", "customers", "get something", f"spend{currency}", f"value kept{currency}",
            "next unit keeps", "quota",
        ],
        (
            [
                str(share.segment),
                number(share.customers, 0),
                number(share.funded, 0),
                number(share.spend),
                number(share.gain),
                number(share.next_unit),
                held[share.binding],
            ]
            for share in answer.segments
        ),
    )  # fmt: skip
    if told := loyal(book):
        click.echo()
        paragraph(" ".join(told))


def _of_stages(book: Book) -> dict[str, Any]:
    """What else finance asks of the stages: gestures, and the worth of who is no customer yet."""
    from clv.book.budget import acquisition
    from clv.book.gestures import ASSUMING, stage_gestures

    return {
        "stages": [one.to_dict() for one in stage_gestures(book)],
        "stages_assume": ASSUMING,
        "new_customer": acquisition(book).to_dict(),
    }


def _echo_stages(book: Book, currency: str) -> None:
    from clv.recommend.limits import PERSON

    told = _of_stages(book)
    known = told["stages"]
    click.echo()
    echo_table(
        ["", *(one["stage"] for one in known)],
        [
            [f"worth in all{currency}", *(number(one["value"]) for one in known)],
            ["one of them if kept", *(number(one["value_if_alive"]) for one in known)],
            ["one order, taken as the loss", *(number(one["loss"]) for one in known)],
            *(
                [f"  {of[0]['label']}", *(_gesture(one, PERSON) for one in of)]
                for of in zip(*(one["gestures"] for one in known), strict=True)
            ),
        ],
        title="What a stage is worth, and the goodwill recommended for a typical customer of it",
    )
    paragraph(told["stages_assume"])
    click.echo()
    paragraph(" ".join(told["new_customer"]["sentences"][:2]))


def _gesture(one: dict[str, Any], person: str) -> str:
    """Write a recommended amount, and who decides where no tier may."""
    if one["authority"] == person:
        return "a person"
    return number(one["recommended"]) if one["recommended"] else "none"


def _quota(text: str) -> tuple[Hashable, Quota]:
    from clv.recommend.quotas import Quota

    name, found, ends = text.rpartition("=")
    least, dots, most = ends.partition("..")
    if not (found and dots and name):
        raise click.UsageError(
            f"--quota {text!r} is not NAME=LEAST..MOST, such as north=1000..3000, north=1000.. or "
            "north=..3000."
        )
    return name, Quota(
        QUANTITY.convert(least, None, None) if least else 0.0,
        QUANTITY.convert(most, None, None) if most else float("inf"),
    )
