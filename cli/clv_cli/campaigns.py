"""`clv campaigns`: what campaigns did, learned for the retention budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from clv_cli.book import book_argument, echo_version, orders_option
from clv_cli.output import (
    between,
    echo_json,
    echo_rows,
    echo_table,
    format_option,
    number,
    paragraph,
    percent,
)
from clv_cli.progress import Progress, quiet_option
from clv_cli.quantity import QUANTITY

if TYPE_CHECKING:
    from clv.book import Book
    from clv.campaigns import ArmResult, By, CampaignFit, CampaignResult

__all__ = ["campaigns"]


@click.group(
    epilog="""\b
Example:
  clv campaigns fit book campaigns.csv"""
)
def campaigns() -> None:
    """Learn from campaigns what money spent on keeping customers does."""


@campaigns.command(
    short_help="Say what each arm of the campaigns did, and let BOOK learn from it.",
    epilog="""\b
Examples:
  clv campaigns fit book campaigns.csv
  clv campaigns fit book campaigns.csv --window 180 --by stage --dry-run""",
)
@book_argument
@click.argument("campaigns_log", metavar="CAMPAIGNS")
@orders_option
@click.option(
    "--window",
    type=QUANTITY,
    metavar="DAYS",
    help="Days to look at from a campaign's day on; without it, all that were observed, at most "
    "365.",
)
@click.option("--control", metavar="ARM", help="The arm that got nothing, if not called control.")
@click.option(
    "--randomised",
    is_flag=True,
    help="Chance decided who was treated, though the log states no probabilities.",
)
@click.option(
    "--by",
    type=click.Choice(["value", "stage"]),
    default="value",
    show_default=True,
    help="For whom to tell the effects apart: fifths by value, or stages of the relationship.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be learned; leave BOOK as it is.")
@quiet_option
@format_option
def fit(
    book: Book,
    campaigns_log: str,
    orders: str | None,
    window: float | None,
    control: str | None,
    by: By,
    *,
    randomised: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Say what each arm of the campaigns in CAMPAIGNS did, and let BOOK learn from it.

    CAMPAIGNS is a CSV or Parquet file with a customer, a date and an arm in each row, and, where
    they are known, the spend and the probability with which chance chose the arm. Only where chance
    decided are the policy's figures moved; the budget follows them from then on.
    """
    from clv.campaigns import fit_campaigns
    from clv.errors import RequestError
    from clv.transactions.campaigns import read_campaigns

    if window is not None and (window < 1 or window != int(window)):
        raise RequestError(f"--window is a whole number of days, at least 1; got {window:g}.")
    with Progress() as progress:
        progress("Reading the campaigns and the orders")
        log = read_campaigns(campaigns_log, control=control)
        found = fit_campaigns(
            book,
            log,
            orders=orders,
            window=None if window is None else int(window),
            randomised=randomised,
            by=by,
        )
    written = bool(found.learned.used) and not dry_run
    if written:
        book.learn(found.learned)
    if form == "json":
        echo_json(found.to_dict() | {"written": written})
    elif form == "csv":
        echo_rows(_rows(found), version=found.policy_version)
    else:
        _echo(book, found, written=written)


def _rows(found: CampaignFit) -> list[dict[str, Any]]:
    return [
        {"campaign": one.campaign, "basis": one.basis, "window": one.window} | arm
        for one in found.campaigns
        for arm in one.to_dict()["arms"]
    ]


def _echo(book: Book, found: CampaignFit, *, written: bool) -> None:
    for notice in (*found.notices[1:], *found.set_aside):
        paragraph(f"- {notice}")
    for one in found.campaigns:
        _echo_campaign(one, found.currency)
        click.echo()
    if found.learned.figures:
        echo_table(
            ["policy", "before", "after", "from data", ""],
            (
                [
                    figure.key,
                    _with_sd(figure.prior_mean, figure.prior_sd),
                    _with_sd(figure.posterior_mean, figure.posterior_sd),
                    percent(figure.share_from_data),
                    "" if figure.used else "not used",
                ]
                for figure in found.learned.figures.values()
            ),
            title="What the policy learns (mean ± standard deviation)",
        )
    _echo_segments(found)
    echo_version(found.policy_version)
    paragraph(_sentence(book, found, written=written))


def _echo_segments(found: CampaignFit) -> None:
    """Say whether segments differ, and what follows for each."""
    if found.learned.segments is None:
        if found.learned.used:
            paragraph(
                "The segments differ no more than chance lets expect: one effect serves all "
                "customers."
            )
        return
    click.echo()
    echo_table(
        ["retention.effect of", "customers", "mean ± sd", "drives away", ""],
        (
            [
                one.segment,
                f"{one.customers:,}",
                _with_sd(one.effect, one.sd),
                percent(one.p_harm),
                "" if one.effect > 0 else "nothing is spent",
            ]
            for one in found.learned.segments.segments
        ),
        title="Effects by segment, each leaning on the others (drives away: probability of that)",
    )


def _echo_campaign(one: CampaignResult, currency: str) -> None:
    paragraph(
        f"Campaign {one.campaign}, {one.window} days from {one.first_date} on: arm {one.control!r} "
        f"({one.control_customers:,} customers) bought {one.control_purchases:.2f} times per "
        f"customer; {one.expected_purchases:.2f} were to be expected."
    )
    paragraph(
        "Chance decided who was treated: causal."
        if one.basis == "causal"
        else "Somebody decided who was treated: associational. The figures are adjusted for what "
        "is known of the customers, and right only if nothing else decided; they are shown, not "
        "used."
    )
    for concern in (*one.concerns, *one.set_aside):
        paragraph(f"Caution: {concern}")
    money = f" {currency}" if currency else ""
    click.echo()
    echo_table(
        [
            *("arm", "customers", f"spend{money}", "purchases", "95 % interval"),
            *("leavers kept", "95 % interval"),
        ],
        [_cells(arm) for arm in one.arms],
        title="What each arm changed, per customer",
    )
    click.echo()
    echo_table(
        ["arm", "margin in the window", "95 % interval", "value kept", "95 % interval"],
        [_gains(arm) for arm in one.arms],
        title="Gained per unit of money spent",
    )
    click.echo()
    rows = [
        [
            arm,
            segment.segment,
            f"{segment.customers:,}",
            percent(segment.kept),
            f"{percent(segment.kept_low)} to {percent(segment.kept_high)}",
            "" if segment.treat else "spend nothing",
        ]
        for arm, segments in one.segments.items()
        for segment in segments
    ]
    echo_table(
        ["arm", "for whom", "customers", "leavers kept", "95 % interval", ""],
        rows,
        left=2,
        title="For whom (pooled as far as they are alike)",
    )
    for arm, curve in one.qini.items():
        low, high = curve.interval()
        told = "does" if low > 0 else "does the opposite" if high < 0 else "cannot be told to do so"
        paragraph(
            f"Ranking customers by value at stake finds those whom {arm!r} changes: it {told} "
            f"(Qini area {number(curve.area)}{money}, 95 % interval {between(low, high)})."
        )


def _cells(arm: ArmResult) -> list[str]:
    return [
        arm.arm,
        f"{arm.customers:,}",
        number(arm.spend),
        f"{arm.purchases:+.3f}",
        f"{arm.purchases_low:+.3f} to {arm.purchases_high:+.3f}",
        percent(arm.kept),
        f"{percent(arm.kept_low)} to {percent(arm.kept_high)}",
    ]


def _gains(arm: ArmResult) -> list[str]:
    return [
        arm.arm,
        number(arm.margin_per_unit),
        between(arm.margin_per_unit_low, arm.margin_per_unit_high),
        number(arm.value_per_unit),
        between(arm.value_per_unit_low, arm.value_per_unit_high),
    ]


def _with_sd(mean: float, sd: float) -> str:
    return f"{mean:.3g} ± {sd:.2g}"


def _sentence(book: Book, found: CampaignFit, *, written: bool) -> str:
    """What happens to the book."""
    if not found.learned.figures:
        return "Nothing is learned for the policy: no arm's spend is known and above 0."
    if not found.learned.used:
        return (
            "Nothing is written: without chance nobody knows whether it was the campaign. Leave "
            "some customers out of the next one, drawn by chance, and log the probability."
        )
    if not written:
        return f"Nothing is written to {book.path} (--dry-run)."
    return f"Written to {book.path}: clv budget follows these figures from now on."
