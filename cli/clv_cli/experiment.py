"""`clv experiment`: let chance vary a few offers, so that what goodwill does can be learned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from clv_cli.book import book_argument, echo_version, orders_option
from clv_cli.output import (
    between,
    echo_json,
    echo_rows,
    echo_table,
    format_option,
    money,
    number,
    paragraph,
    percent,
)
from clv_cli.progress import Progress, quiet_option
from clv_cli.quantity import QUANTITY

if TYPE_CHECKING:
    from clv.book import Book
    from clv.incidents import ExperimentPlan, ExperimentResult
    from clv.recommend.experiment import Assignment
    from clv.recommend.recovery import Recovery

__all__ = ["experiment"]

BY_HAND = ("effect", "dropout", "returns", "share")


@click.group(
    epilog="""\b
Examples:
  clv experiment plan book incidents.csv
  clv experiment assign book 0509 ticket-4711 --problem wrong_item --loss 40
  clv experiment estimate book incidents.csv"""
)
def experiment() -> None:
    """Let chance vary a few offers of goodwill, to learn what goodwill does."""


window_option = click.option(
    "--window",
    type=QUANTITY,
    default=90.0,
    metavar="DAYS",
    help="Days within which a customer must buy again to have come back; 90 if not given.",
)


@experiment.command(
    short_help="Say how many incidents a step of goodwill takes to be seen.",
    epilog="""\b
Examples:
  clv experiment plan book incidents.csv
  clv experiment plan book incidents.csv --step 10 --step 25 --share 0.3
  clv experiment plan --effect 0.03 --dropout 0.15 --returns 0.6 --share 0.2 --incidents 4000""",
)
@click.argument("book", required=False)
@click.argument("incidents_log", metavar="[INCIDENTS]", required=False)
@orders_option
@window_option
@click.option(
    "--share",
    type=QUANTITY,
    metavar="F",
    help="Part of the offers that is varied, below 0.5; without it, that of the policy.",
)
@click.option(
    "--step", "steps", type=QUANTITY, multiple=True, metavar="AMOUNT",
    help="Goodwill on top of the usual offer; may be given again. Without it, some are compared.",
)  # fmt: skip
@click.option(
    "--effect", type=QUANTITY, metavar="D",
    help="Without BOOK: by how much a step lowers the part who leave; 0.03 is three points.",
)  # fmt: skip
@click.option(
    "--dropout", type=QUANTITY, metavar="P",
    help="Without BOOK: part who leave over the incident with the usual offer.",
)  # fmt: skip
@click.option(
    "--returns", type=QUANTITY, metavar="B",
    help="Without BOOK: of those who stay, part who buy again in the window.",
)  # fmt: skip
@click.option(
    "--incidents", type=QUANTITY, metavar="N",
    help="Without BOOK: incidents that there are; says what these would show.",
)  # fmt: skip
@quiet_option
@format_option
def plan(
    book: str | None,
    incidents_log: str | None,
    *,
    orders: str | None,
    window: float,
    share: float | None,
    steps: tuple[float, ...],
    effect: float | None,
    dropout: float | None,
    returns: float | None,
    incidents: float | None,
    form: str,
) -> None:
    """Say how many incidents it takes until what a step of goodwill does can be seen.

    With BOOK and INCIDENTS: for incidents like those, offers as the policy recommends them, and
    steps of several sizes. Without: for the figures given.
    """
    by_hand = {"effect": effect, "dropout": dropout, "returns": returns, "share": share}
    if book is None:
        missing = [f"--{name}" for name in BY_HAND if by_hand[name] is None]
        if missing:
            raise click.UsageError(
                f"Without BOOK and INCIDENTS a plan needs {', '.join(missing)} too."
            )
        _plan_by_hand({n: float(v) for n, v in by_hand.items() if v is not None}, incidents, form)
        return
    if incidents_log is None:
        raise click.UsageError(
            "Give the log of incidents after BOOK: clv experiment plan BOOK LOG."
        )
    given = {"effect": effect, "dropout": dropout, "returns": returns, "incidents": incidents}
    extra = [f"--{name}" for name, value in given.items() if value is not None]
    if extra:
        raise click.UsageError(f"{', '.join(extra)}: only without BOOK, which says it itself.")
    from clv.book import Book
    from clv.incidents import plan_experiment

    opened = Book(book)
    with Progress() as progress:
        progress("Reading orders and incidents, fitting")
        found = plan_experiment(
            opened,
            incidents_log,
            orders=orders,
            window_days=window,
            share=share,
            steps=steps or None,
        )
    if form == "json":
        echo_json(found.to_dict() | {"policy_version": opened.policy.version})
    elif form == "csv":
        echo_rows([vars(step) for step in found.steps], version=opened.policy.version)
    else:
        _echo_plan(opened, found)
        echo_version(opened.policy.version)


def _plan_by_hand(given: dict[str, float], incidents: float | None, form: str) -> None:
    from clv.recommend.experiment_size import incidents_needed, power, smallest_effect

    about = {name: given[name] for name in ("dropout", "returns", "share")}
    answer = {
        **given,
        "incidents_80": float(incidents_needed(given["effect"], power=0.8, **about)),
        "incidents_90": float(incidents_needed(given["effect"], power=0.9, **about)),
    }
    if incidents is not None:
        answer["incidents"] = incidents
        answer["power"] = float(power(incidents, given["effect"], **about))
        answer["smallest_effect"] = smallest_effect(incidents, **about)
    if form == "json":
        echo_json(answer)
        return
    if form == "csv":
        echo_rows([answer])
        return
    paragraph(
        f"To see a step that keeps {percent(given['effect'], 1)} of the customers, where "
        f"{percent(given['dropout'], 1)} leave and {percent(given['returns'])} of the others buy "
        f"again in time, with {percent(given['share'])} of the offers varied: "
        f"{answer['incidents_80']:,.0f} incidents with a power of 80 %, "
        f"{answer['incidents_90']:,.0f} with 90 %."
    )
    if incidents is not None:
        smallest = answer["smallest_effect"]
        told = (
            "would show nothing, however large, with a power of 80 %"
            if math.isnan(smallest)
            else f"would show {percent(smallest, 1)} or more with a power of 80 %"
        )
        paragraph(
            f"{incidents:,.0f} incidents show this effect with a power of "
            f"{percent(answer['power'])}, and {told}."
        )


def _echo_plan(book: Book, found: ExperimentPlan) -> None:
    currency = f" {book.policy.currency}" if book.policy.currency else ""
    paragraph(
        f"{found.per_year:,.0f} incidents a year have an offer to vary. With the usual offer "
        f"{percent(found.dropout, 1)} are gone after it; of the others {percent(found.returns)} "
        f"buy again within {found.window_days:g} days. {percent(found.share)} of the offers would "
        "get a step more."
    )
    click.echo()
    echo_table(
        [f"step{currency}", "keeps", "for 80 % power", "years", "for 90 %", "years", "cost a year"],
        [
            [
                number(step.step),
                percent(step.effect, 1),
                _count(step.incidents_80),
                _years(step.years_80),
                _count(step.incidents_90),
                _years(step.years_90),
                number(step.cost_per_year, 0),
            ]
            for step in found.steps
        ],
        title="Incidents until it shows, and what the steps cost meanwhile",
    )
    click.echo()
    if not math.isnan(found.smallest_effect):
        paragraph(
            f"A year of incidents shows a step that keeps {percent(found.smallest_effect, 1)} of "
            "the customers or more, with a power of 80 %."
        )
    paragraph(
        {
            "assumed": "What a step keeps is assumed; that is what the experiment is to find out.",
            "causal": "What a step keeps was learned from what chance decided in this log.",
            "associational": "What a step keeps is an association in this log, which may be far "
            "off; that is what the experiment is to find out.",
        }[found.goodwill]
    )


def _count(incidents: float) -> str:
    return number(incidents, 0) if math.isfinite(incidents) else "never"


def _years(years: float) -> str:
    return number(years, 1) if math.isfinite(years) else "never"


@experiment.command(
    name="assign",
    short_help="Say what to offer for an incident, and what to log.",
    epilog="""\b
Example:
  clv experiment assign book 0509 ticket-4711 --problem wrong_item --loss 40""",
)
@book_argument
@click.argument("customer")
@click.argument("incident")
@click.option("--problem", required=True, metavar="TYPE", help="Type of problem; required.")
@click.option(
    "--loss", type=QUANTITY, required=True, metavar="AMOUNT", help="What it cost the customer."
)
@click.option(
    "--hours", type=QUANTITY, default=0.0, metavar="H", help="Hours from the problem to the answer."
)
@click.option(
    "--severity",
    type=click.IntRange(1, 4),
    default=1,
    metavar="1..4",
    help="From 1, as usual for this kind of problem, to 4.",
)
@click.option(
    "--experiment",
    "name",
    default="goodwill",
    show_default=True,
    metavar="NAME",
    help="Name of the experiment; another name draws anew.",
)
@format_option
def assign_arm(
    book: Book,
    customer: str,
    incident: str,
    *,
    problem: str,
    loss: float,
    hours: float,
    severity: int,
    name: str,
    form: str,
) -> None:
    """Say what to offer CUSTOMER for INCIDENT, and what to write into the incident log.

    INCIDENT is the number of the ticket or the order. Asked again, the answer is the same.
    """
    from clv.incidents import assign_offer

    answer = book.recover(customer, problem, loss, hours=hours, severity=severity)
    found = assign_offer(book, answer, incident, experiment=name)
    if form == "json":
        echo_json(found.to_dict() | {"experiment": name, "policy_version": answer.policy_version})
    elif form == "csv":
        echo_rows([found.to_dict()], version=answer.policy_version)
    else:
        _echo_assignment(book, answer, found)
        echo_version(answer.policy_version)


def _echo_assignment(book: Book, answer: Recovery, found: Assignment) -> None:
    if found.offer is None:
        paragraph(answer.sentence)
        paragraph("Not in the experiment: a person decides.")
        return
    paragraph(f"Offer {money(found.offer, answer.currency)}.")
    if found.assigned_arm is None:
        paragraph(f"Not in the experiment: {found.reason}")
        return
    paragraph(
        f"Write into the log: assigned_arm {found.assigned_arm}, assignment_probability "
        f"{found.assignment_probability:g}, usual_offer {found.usual_offer:g}, step_offer "
        f"{found.step_offer:g}, goodwill_amount {found.offer:g}."
    )
    if "experiment.share" in book.policy.assumed:
        paragraph(
            f"That {percent(book.policy.experiment.share)} of the offers get a step more is "
            "assumed, not confirmed by you: share in [experiment] of the policy."
        )


@experiment.command(
    epilog="""\b
Example:
  clv experiment estimate book incidents.csv --window 60"""
)
@book_argument
@click.argument("incidents_log", metavar="INCIDENTS")
@orders_option
@window_option
@quiet_option
@format_option
def estimate(book: Book, incidents_log: str, orders: str | None, window: float, form: str) -> None:
    """Say what the varied offers in INCIDENTS did to who came back."""
    from clv.incidents import estimate_experiment

    with Progress() as progress:
        progress("Reading orders and incidents, fitting")
        found = estimate_experiment(book, incidents_log, orders=orders, window_days=window)
    if form == "json":
        echo_json(found.to_dict() | {"policy_version": book.policy.version})
    elif form == "csv":
        about = found.to_dict()
        echo_rows([about.pop("estimate") | about], version=book.policy.version)
    else:
        _echo_estimate(found)
        echo_version(book.policy.version)


def _echo_estimate(found: ExperimentResult) -> None:
    one = found.estimate
    echo_table(
        ["arm", "incidents", "goodwill / loss", "came back"],
        [
            [
                "usual",
                f"{one.usual:,}",
                number(found.goodwill_usual),
                percent(one.returned_usual, 1),
            ],
            ["step", f"{one.step:,}", number(found.goodwill_step), percent(one.returned_step, 1)],
        ],
        title=f"Bought again within {found.window_days:g} days",
    )
    click.echo()
    shows = "It shows." if one.shows else "That can be chance alone."
    if found.flaw:
        shows = f"But chance did not make these arms, so it proves nothing: {found.flaw}"
    paragraph(
        f"The step brought back {100 * one.difference:+.1f} points more (95 % interval "
        f"{100 * one.low:+.1f} to {100 * one.high:+.1f}). {shows}"
    )
    chance = "from what chance decided" if found.basis == "causal" else "by association only"
    paragraph(
        f"The model of incidents says {100 * found.model_difference:+.1f} points (80 % interval "
        f"{100 * found.model_low:+.1f} to {100 * found.model_high:+.1f}), {chance}: goodwill of "
        f"the whole loss multiplies the odds of leaving by {found.odds:.2f} "
        f"({between(found.odds_low, found.odds_high)})."
    )
    if found.too_recent:
        paragraph(f"{found.too_recent:,} incidents of the experiment are too recent to count.")
    if found.undrawn:
        paragraph(
            f"{found.undrawn:,} incidents with assignment_probability 1 had no other arm to come "
            "into and are not counted."
        )
    if found.unstated:
        paragraph(
            f"{found.unstated:,} incidents name an arm without an assignment_probability and are "
            "not counted."
        )
