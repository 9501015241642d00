"""`clv incidents`: what problems do to customers, learned; what they cost, by cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from clv_cli.book import book_argument, echo_version, orders_option
from clv_cli.output import (
    between,
    counted,
    echo_json,
    echo_rows,
    echo_table,
    format_option,
    number,
    paragraph,
    percent,
)
from clv_cli.progress import Progress, quiet_option

if TYPE_CHECKING:
    from clv.book import Book
    from clv.incidents.causes import By, CausesReport
    from clv.incidents.learning import IncidentLearning
    from clv.models.incidents.likelihood import Link
    from clv.recommend.causes import Cause

__all__ = ["incidents"]

SHOWN = 10
"""Causes, and silent customers, that a table shows; the other formats have all."""


@click.group(
    epilog="""\b
Examples:
  clv incidents fit book incidents.csv
  clv incidents report book incidents.csv"""
)
def incidents() -> None:
    """Learn from a log of what went wrong: what it does, what it costs, what to prevent."""


@incidents.command(
    short_help="Say what problems do to customers, and learn it.",
    epilog="""\b
Examples:
  clv incidents fit book incidents.csv
  clv incidents fit book tickets.csv --dry-run --format json""",
)
@book_argument
@click.argument("incidents_log", metavar="[INCIDENTS]", required=False)
@orders_option
@click.option(
    "--link",
    type=click.Choice(["separate", "shared"]),
    default="separate",
    show_default=True,
    help="separate: every problem has a probability of its own to drive a customer away; shared: "
    "the fragile leave more readily over problems too. Only the first is learned into BOOK.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be learned; leave BOOK as it is.")
@quiet_option
@format_option
def fit(
    book: Book,
    incidents_log: str | None,
    orders: str | None,
    link: Link,
    *,
    dry_run: bool,
    form: str,
) -> None:
    """Say what the problems in INCIDENTS do to customers, and let BOOK learn from it.

    INCIDENTS is a CSV or Parquet file, or an export of Zendesk tickets, with a customer, a time and
    a type in each row. What was learned moves the recovery limits from then on; of goodwill, only
    what chance decided. Without INCIDENTS, the returns among the orders are taken, in a book that
    was built with --returns incident.
    """
    from clv.incidents.learning import learn_from_incidents

    with Progress() as progress:
        progress("Reading orders and incidents, fitting")
        learning = learn_from_incidents(book, incidents_log, orders=orders, link=link)
        rows = [vars(one) for one in learning.types]  # draws are taken where they are shown
    written = bool(learning.learned.used) and not dry_run
    if written:
        book.learn(learning.learned)
    if form == "json":
        echo_json(learning.to_dict() | {"written": written})
    elif form == "csv":
        echo_rows(rows, version=learning.policy.version)
    else:
        _echo_learning(book, learning, written=written)


def _echo_learning(book: Book, learning: IncidentLearning, *, written: bool) -> None:
    _echo_rows_read(book, learning)
    click.echo()
    echo_table(
        ["problem", "incidents", "assumed", "learned", "80 % interval", "from data", "lost so far"],
        [
            [
                one.label,
                f"{one.incidents:,}",
                percent(one.assumed),
                percent(one.learned),
                f"{percent(one.learned_low)} to {percent(one.learned_high)}",
                percent(one.share_from_data),
                percent(one.lost, 1),
            ]
            for one in learning.types
        ],
        title="Of new customers with the problem, how many leave if nothing is done",
    )
    paragraph(
        "Lost so far: part of the customers still there whom these incidents drove away, handled "
        "as they were."
    )
    click.echo()
    echo_table(
        ["", "assumed", "learned", "80 % interval", "from data", "basis", ""],
        [
            [
                one.meaning,
                number(one.assumed),
                number(one.learned) if one.incidents else "",
                between(one.learned_low, one.learned_high) if one.incidents else "",
                percent(one.share_from_data) if one.incidents else "nothing",
                one.basis if one.incidents else "",
                one.use if one.incidents else "assumed",
            ]
            for one in learning.effects
        ],
        title="What multiplies the odds of leaving (1: nothing, 2: twice the odds)",
    )
    click.echo()
    for sentence in learning.sentences:
        paragraph(sentence)
    for concern in learning.fit.concerns:
        paragraph(f"Caution: {concern}")
    echo_version(learning.policy.version)
    paragraph(_of_the_book(book, learning, written=written))


def _echo_rows_read(book: Book, learning: IncidentLearning) -> None:
    report = learning.histories.report
    paragraph(
        f"{counted(report.rows_read, 'row')} read: {counted(learning.fit.incidents, 'incident')} "
        f"of {counted(len(learning.histories.T), 'customer')} up to {learning.fit.end}. "
        f"{book.path} holds {learning.fit.customers:,} customers."
    )
    for aside in report.set_aside:
        paragraph(f"{aside}", indent="  - ")
    for notice in learning.notices[1:]:  # the first names the columns
        paragraph(notice, indent="  - ")


def _of_the_book(book: Book, learning: IncidentLearning, *, written: bool) -> str:
    if learning.fit.model.link == "shared":
        return (
            f"Log-likelihood {learning.fit.log_likelihood:,.1f}. Nothing is written: the policy's "
            "figures are those of --link separate; this one is for comparison."
        )
    if not written:
        return f"Nothing is written to {book.path} (--dry-run)."
    return f"Written to {book.path}: clv recover follows what was learned from now on."


@incidents.command(
    short_help="Say what problems cost, and what to prevent.",
    epilog="""\b
Examples:
  clv incidents report book incidents.csv
  clv incidents report book incidents.csv --by problem_id --format csv""",
)
@book_argument
@click.argument("incidents_log", metavar="INCIDENTS")
@orders_option
@click.option(
    "--by",
    type=click.Choice(["type", "product", "problem_id"]),
    default="type",
    show_default=True,
    help="What tells one cause from another; a column of INCIDENTS.",
)
@quiet_option
@format_option
def report(book: Book, incidents_log: str, orders: str | None, by: By, form: str) -> None:
    """Say what the problems in INCIDENTS cost, by cause, and what preventing them is worth.

    Says how many and whom, the value put at risk and lost, goodwill given against what the policy
    recommends, whether customers came back as was to be expected, and which valuable customers went
    quiet after a failure. BOOK is left as it is.
    """
    from clv.incidents.causes import incident_causes

    with Progress() as progress:
        progress("Reading orders and incidents, fitting")
        found = incident_causes(book, incidents_log, orders=orders, by=by)
    if form == "json":
        echo_json(found.to_dict())
    elif form == "csv":
        echo_rows(
            [cause.to_dict() for cause in (*found.causes, found.total)],
            version=found.policy.version,
        )
    else:
        _echo_report(book, found)


def _echo_report(book: Book, found: CausesReport) -> None:
    currency = f" {found.policy.currency}" if found.policy.currency else ""
    _echo_rows_read(book, found.learning)
    shown = found.causes[:SHOWN]
    rows = [*shown, found.total] if len(found.causes) > 1 else list(shown)
    by = {"type": "problem", "product": "product", "problem_id": "cause"}[found.by]
    click.echo()
    echo_table(
        [by, "incidents", "customers", "repeats", "at risk", "lost", "expected", "80 % interval"],
        [
            [
                _name(found, cause),
                f"{cause.incidents:,}",
                f"{cause.customers:,}",
                f"{cause.again:,}",
                number(cause.at_risk, 0),
                number(cause.lost, 0),
                number(cause.lost_expected, 0),
                between(cause.lost_low, cause.lost_high, 0),
            ]
            for cause in rows
        ],
        title=f"Lifetime value{currency}: at risk had nothing been done, lost, and expected to be",
    )
    click.echo()
    echo_table(
        [by, "came back", "expected", "80 % interval", "goodwill given", "recommended", "known of"],
        [
            [
                _name(found, cause),
                percent(cause.returned, 1) + ("" if cause.as_expected else " *"),
                percent(cause.returned_expected, 1),
                f"{percent(cause.returned_low, 1)} to {percent(cause.returned_high, 1)}",
                number(cause.goodwill, 0) if cause.goodwill_known else "",
                number(cause.goodwill_recommended, 0) if cause.goodwill_known else "",
                f"{cause.goodwill_known:,}",
            ]
            for cause in rows
        ],
        title=f"Outcome, and goodwill{currency} where it is known",
    )
    if not all(cause.as_expected for cause in rows):
        paragraph("*: outside of what chance lets expect.")
    click.echo()
    ranked = sorted(found.causes, key=lambda cause: (-cause.worth_of_year, cause.name))[:SHOWN]
    echo_table(
        [by, "last year", "days since", "preventing one", "80 % interval", "a year of them"],
        [
            [
                _name(found, cause),
                number(cause.per_year, 0),
                number(cause.last_days_ago, 0),
                number(cause.worth_of_one),
                between(cause.worth_of_one_low, cause.worth_of_one_high),
                number(cause.worth_of_year, 0),
            ]
            for cause in ranked
        ],
        title=f"What preventing it is worth{currency}: the most that prevention may cost",
    )
    _echo_silent(found, currency)
    click.echo()
    for concern in found.learning.fit.concerns:
        paragraph(f"Caution: {concern}")
    paragraph(
        "How many leave was learned from this log; what goodwill does as the policy says, which "
        f"assumes {len(found.assumed)} of the figures here (--format json lists them). Intervals "
        "are of how many leave, not of what a customer is worth."
    )
    echo_version(found.policy.version)


def _echo_silent(found: CausesReport, currency: str) -> None:
    click.echo()
    if not found.silent:
        paragraph("Nobody is silent since a failure that your own people or systems saw.")
        return
    echo_table(
        [
            "customer",
            "problem",
            "silent since",
            "worth if there",
            "still there",
            "without",
            "stake",
        ],
        [
            [
                one.customer_id,
                found.policy.problem(one.problem).label,
                one.since,
                number(one.value_if_alive),
                percent(one.p_alive),
                percent(one.p_alive_without),
                number(one.at_stake),
            ]
            for one in found.silent[:SHOWN]
        ],
        left=3,
        title=f"Neither bought nor been in touch since a failure{currency}: write to them first "
        f"({min(SHOWN, len(found.silent))} of {len(found.silent):,})",
    )
    paragraph(
        "Stake: worth if there, times what the failure took from the probability of being there."
    )


def _name(found: CausesReport, cause: Cause) -> str:
    known: Any = found.policy.problems
    return known[cause.name].label if found.by == "type" and cause.name in known else cause.name
