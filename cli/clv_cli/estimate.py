"""`clv estimate`: a retention budget from three answers, without orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from clv_cli.output import echo_json, echo_rows, echo_table, format_option, number, paragraph
from clv_cli.quantity import QUANTITY

__all__ = ["estimate"]

F = TypeVar("F", bound=Callable[..., Any])

ASKED = {
    "--spend": ("AMOUNT", "Spent now on keeping one customer, a year"),
    "--kept": ("SHARE", "Part of the customers kept from one year to the next with it, as 0.60"),
    "--at-most": ("SHARE", "Part that would be kept at most, whatever were spent, as 0.80"),
    "--margin": ("AMOUNT", "Margin that a kept customer brings in a year, before that spend"),
}
"""Options that have to be given, and what they are; click would name one missing at a time."""


def _asked(command: F) -> F:
    for name, (metavar, what) in reversed(ASKED.items()):
        said = click.option(name, type=QUANTITY, metavar=metavar, help=f"{what}; required.")
        command = said(command)
    return command


@click.command(
    epilog="""\b
Examples:
  clv estimate --spend 20 --kept 0.60 --at-most 0.80 --margin 100 --discount 0.10
  clv estimate --spend 20 --kept 0.60 --at-most 0.80 --margin 100 --discount 0.10 --customers 5000
"""
)
@_asked
@click.option(
    "--discount",
    type=QUANTITY,
    default=0.1,
    show_default=True,
    metavar="RATE",
    help="What a year's wait costs, as 0.10 for 10 %.",
)
@click.option(
    "--customers", type=click.IntRange(1), metavar="N", help="How many customers there are."
)
@format_option
def estimate(
    spend: float | None,
    kept: float | None,
    at_most: float | None,
    margin: float | None,
    discount: float,
    customers: int | None,
    form: str,
) -> None:
    """Estimate what to spend on keeping a customer, from three answers and without orders.

    After Blattberg & Deighton (1996). With orders, `clv build` and `clv budget` say more.
    """
    from clv.recommend.total_budget import RetentionCurve

    if spend is None or kept is None or at_most is None or margin is None:
        given = {"--spend": spend, "--kept": kept, "--at-most": at_most, "--margin": margin}
        missing = [
            f"{name} {' '.join(ASKED[name])}" for name, value in given.items() if value is None
        ]
        raise click.UsageError("\n".join(["Options are missing:", *missing]))
    curve = RetentionCurve.from_answers(spend=spend, rate=kept, ceiling=at_most)
    best = curve.best(margin=margin, discount_rate=discount)
    now = curve.value(spend, margin=margin, discount_rate=discount)
    rows: list[dict[str, Any]] = [
        {"budget": "now", "spend": spend, "kept": kept, "value": now},
        {"budget": "best", "spend": best.spend, "kept": best.rate, "value": best.value},
    ]
    told = (
        f"Spend {number(best.spend)} a year on each customer instead of {number(spend)}: it keeps "
        f"{100 * best.rate:.1f} % of them instead of {100 * kept:.1f} %, and a customer is worth "
        f"{number(best.value)} instead of {number(now)}."
        if best.spend
        else "No spending on keeping customers returns what it costs."
    )
    total = None if customers is None else customers * best.spend
    if form == "csv":
        echo_rows(rows)
    elif form == "json":
        echo_json({"rows": rows, "total": total, "k": curve.k, "sentence": told})
    else:
        paragraph(told)
        if customers is not None and total is not None:
            paragraph(f"For {customers:,} customers that is {number(total)} a year.")
        click.echo()
        echo_table(
            ["", "spend per customer", "kept", "worth of a customer"],
            (
                [
                    row["budget"],
                    number(row["spend"]),
                    f"{100 * row['kept']:.1f} %",
                    number(row["value"]),
                ]
                for row in rows
            ),
        )
        click.echo()
        paragraph(
            f"All of it rests on these answers, and on {100 * discount:g} % as what a year's wait "
            "costs; nothing was learned from orders."
        )
