"""Other forms of a retention budget: its curve, offers that come whole, a split by purpose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clv_cli.book import echo_cautions, echo_caveats, own_record
from clv_cli.output import (
    PICTURES,
    between,
    echo_json,
    echo_rows,
    echo_table,
    money,
    number,
    paragraph,
    write_rows,
)
from clv_cli.progress import Progress
from clv_cli.quantity import QUANTITY

if TYPE_CHECKING:
    from clv.book import Book
    from clv.book.split import Expected
    from clv.recommend.budget_curve import BudgetCurve
    from clv.recommend.split import Project

__all__ = ["curve_budget", "offer_budget", "split_budget"]

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Budgets of the table, as parts of the one worth asking for; the other formats have more."""

SHOWN = 10


def curve_budget(book: Book, total: float | None, output: Path | None, form: str) -> None:
    """Answer with budgets of many sizes; the budget there is, is one of them."""
    from clv.book.budget import assumed, curve, segments_told

    with Progress() as progress:
        progress("Splitting budgets of many sizes")
        whole = curve(book)
    if output and output.suffix.lower() in PICTURES:
        from clv.plots.budget_curve import plot_budget_curve

        axes: Any = plot_budget_curve(whole, total=total, currency=book.policy.currency)
        axes.figure.savefig(output, dpi=150)
        click.echo(f"Wrote {output}.", err=True)
        return
    shown = whole
    if form == "table" and output is None:
        asked = {share * whole.optimal_total for share in SHARES} | ({total} if total else set())
        low, high = whole.total[0], whole.total[-1]
        shown = curve(book, sorted(at for at in asked if low <= at <= high) or [low])
    rows = _points(shown)
    if output:
        write_rows(rows, output, version=book.policy.version)
    elif form == "csv":
        echo_rows(rows, version=book.policy.version)
    elif form == "json":
        echo_json(
            {
                "rows": rows,
                "optimal_total": whole.optimal_total,
                "optimal_gain": whole.optimal_gain,
                "sentences": list(segments_told(book)),
                "without_range": book.without_intervals,
                "assumed": list(assumed(book)),
                "currency": book.policy.currency,
                "policy_version": book.policy.version,
            }
        )
    else:
        _echo_curve(book, whole, rows)


def _echo_curve(book: Book, whole: BudgetCurve, rows: list[dict[str, Any]]) -> None:
    """Print the curve for a person."""
    from clv.book.budget import assumed, segments_told

    currency = book.policy.currency
    if whole.optimal_total:
        paragraph(
            f"{money(whole.optimal_total, currency)} is the total worth asking for: its last "
            f"unit keeps just itself. It keeps {money(whole.optimal_gain, currency)} of value."
        )
    else:
        paragraph("By these figures no budget would keep what it costs.")
    for sentence in segments_told(book):
        paragraph(sentence)
    click.echo()
    unit = f" {currency}" if currency else ""
    drawn = whole.gain_low is not None
    echo_table(
        [
            f"budget{unit}",
            f"value kept{unit}",
            *(["80 % interval"] if drawn else []),
            f"net gain{unit}",
            "last unit keeps",
        ],
        (
            [
                number(row["total"]),
                number(row["expected_gain"]),
                *([between(row["gain_low"], row["gain_high"])] if drawn else []),
                number(row["net_gain"]),
                number(row["marginal_return"]),
            ]
            for row in rows
        ),
        left=0,
    )
    if drawn:
        paragraph(
            "The intervals are of the value kept: by what the orders leave open of the "
            "customers, and by what is not known of what money achieves."
        )
    elif book.without_intervals:
        paragraph(book.without_intervals)
    click.echo()
    if record := own_record(book, ["retention."]):
        paragraph(record)
    echo_cautions(book)
    echo_caveats(book, assumed(book))


def _points(shown: BudgetCurve) -> list[dict[str, Any]]:
    """One row for each budget of a curve."""
    none = [None] * len(shown.total)
    low = none if shown.gain_low is None else shown.gain_low.tolist()
    high = none if shown.gain_high is None else shown.gain_high.tolist()
    points = zip(
        *(column.tolist() for column in (shown.total, shown.gain, shown.marginal_return)),
        low,
        high,
        strict=True,
    )
    return [
        {
            "total": total,
            "expected_gain": gain,
            "gain_low": least,
            "gain_high": most,
            "net_gain": gain - total,
            "marginal_return": returns,
        }
        for total, gain, returns, least, most in points
    ]


def offer_budget(
    book: Book, file: Path, total: float | None, output: Path | None, form: str
) -> None:
    """Answer with an offer, or none, for each customer."""
    from clv.book.budget import offers
    from clv.recommend.retention_offers import read_offers

    known = read_offers(file)
    with Progress() as progress:
        progress("Splitting the budget over offers")
        answer = offers(book, known, total)
    rows = [row for row in answer.rows() if row["offer"]]
    rows.sort(key=lambda row: (-row["expected_gain"], row["customer_id"]))
    if output:
        write_rows(rows, output, version=book.policy.version)
        for sentence in answer.sentences:
            paragraph(sentence, err=True)
    elif form == "csv":
        echo_rows(rows, version=book.policy.version)
    elif form == "json":
        echo_json(answer.to_dict() | {"rows": rows, "customers": len(answer.spend)})
    else:
        for sentence in answer.sentences:
            paragraph(sentence)
        currency = f" {answer.currency}" if answer.currency else ""
        if rows:
            click.echo()
            echo_table(
                ["customer", "offer", f"cost{currency}", f"value kept{currency}"],
                (
                    [
                        str(row["customer_id"]),
                        row["offer"],
                        number(row["spend"]),
                        number(row["expected_gain"]),
                    ]
                    for row in rows[:SHOWN]
                ),
                left=2,
                title=f"The {min(SHOWN, len(rows))} with whom most is kept, of {len(rows):,}",
            )
        click.echo()
        if record := own_record(book, ["retention."]):
            paragraph(record)
        echo_cautions(book)
        echo_caveats(book, answer.assumed)


def split_budget(
    book: Book,
    total: float | None,
    expect: tuple[str, ...],
    projects: tuple[str, ...],
    output: Path | None,
    form: str,
) -> None:
    """Answer by purpose: retention, recovery, appreciation and prevention."""
    from clv.book.budget import segments_told
    from clv.book.split import split

    expected, known = [*map(_expected, expect)], [*map(_project, projects)]
    with Progress() as progress:
        progress("Splitting the budget between purposes")
        answer = split(book, total, expected=expected, projects=known)
    rows = [
        {"purpose": p.purpose, "name": p.name, "spend": p.spend, "expected_gain": p.gain}
        for p in answer.parts
    ]
    if output:
        write_rows(rows, output, version=book.policy.version)
    elif form == "csv":
        echo_rows(rows, version=book.policy.version)
    elif form == "json":
        echo_json(
            answer.to_dict()
            | {
                "rows": rows,
                "sentences": [*answer.sentences(book.policy.currency), *segments_told(book)],
                "currency": book.policy.currency,
                "policy_version": book.policy.version,
            }
        )
    else:
        currency = book.policy.currency
        for sentence in (*answer.sentences(currency), *segments_told(book)):
            paragraph(sentence)
        if book.without_intervals:
            paragraph(book.without_intervals)
        click.echo()
        unit = f" {currency}" if currency else ""
        echo_table(
            ["purpose", "", f"spend{unit}", f"value kept{unit}"],
            (
                [
                    p.purpose,
                    p.name,
                    number(p.spend),
                    "not known" if p.gain is None else number(p.gain),
                ]
                for p in answer.parts
            ),
            left=2,
        )
        click.echo()
        problems = {_expected(text).problem for text in expect}
        taught = [f"problems.{name}." for name in sorted(problems)] + ["dropout.", "recovery."]
        if record := own_record(book, ["retention.", *(taught if expect else ())]):
            paragraph(record)
        echo_cautions(book)
        echo_caveats(book, answer.assumed)


def _expected(text: str) -> Expected:
    from clv.book.split import Expected

    problem, found, rest = text.partition("=")
    count, at, loss = rest.partition("@")
    if not (problem and found and at):
        raise click.UsageError(
            f"--expect {text!r} is not PROBLEM=COUNT@LOSS, such as defective=40@35: 40 of them, "
            "each a loss of 35."
        )
    return Expected(
        problem.strip(), QUANTITY.convert(count, None, None), QUANTITY.convert(loss, None, None)
    )


def _project(text: str) -> Project:
    from clv.recommend.split import Project

    name, found, rest = text.rpartition("=")
    cost, colon, worth = rest.partition(":")
    if not (name and found and colon):
        raise click.UsageError(
            f'--project {text!r} is not NAME=COST:WORTH, such as "better boxes=50:150".'
        )
    return Project(
        name.strip(), QUANTITY.convert(cost, None, None), QUANTITY.convert(worth, None, None)
    )
