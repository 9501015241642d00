"""`clv build`: from orders to a customer book."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from clv_cli.book import echo_version, total_value, without_intervals
from clv_cli.orders import echo_rows_read, orders_options
from clv_cli.output import paragraph, percent
from clv_cli.progress import Progress, quiet_option


@click.command(
    epilog="""\b
Examples:
  clv build orders.csv -o book --end 2024-12-31
  clv build 'orders/*.parquet' -o book --policy policy.toml --unit week"""
)
@orders_options
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="BOOK",
    help="Directory for the book; a book that stands there is replaced in one step.",
)  # fmt: skip
@click.option(
    "--model",
    default="bg-nbd",
    show_default=True,
    metavar="NAME",
    help="Purchase model: bg-nbd, mbg-nbd, pareto-nbd, bg-cnbd or mbg-cnbd; clv fit --model all "
    "compares them.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Policy file (see clv policy init); without it every figure of the policy is assumed.",
)
@quiet_option
def build(
    orders: str,
    end: str | None,
    unit: str,
    reading: dict[str, Any],
    output: Path,
    model: str,
    policy_file: Path | None,
) -> None:
    """Build a customer book: models, values, policy and where they come from.

    ORDERS is a CSV or Parquet file, or a pattern of files such as 'orders/*.parquet', with a
    customer, a date and an amount in each row. The other commands read the book.
    """
    import clv
    from clv.book.directory import refuse_other
    from clv.quality.report import UNSUITED

    refuse_other(output)  # before the work, not after it
    policy = clv.Policy.load(policy_file) if policy_file else clv.Policy()
    dropped = _learned(output)
    with Progress() as progress:
        progress("Reading the orders")
        log = clv.read_orders(orders, **reading)
        book = clv.build_book(
            log, output, policy=policy, end=end, unit=unit, model=model, progress=progress
        )
    about = book.manifest
    echo_rows_read(about["rows"])
    paragraph(
        f"{about['customers']:,} customers up to {about['end']}, of whom "
        f"{about['totals']['p_alive']:,.0f} are expected to be customers still, "
        f"are worth {total_value(book)} from here on."
    )
    if without := without_intervals(book):
        paragraph(without)
    paragraph(about["terms"]["sentence"])
    paragraph(about["independence"]["sentence"])
    if about["paid_share"] < 1:
        paragraph(
            f"{percent(about['paid_share'], 1)} of the repeat purchases were paid for, the others "
            "were free; expected spend and values count that share."
        )
    for finding in about["quality"]["findings"].values():
        if finding["verdict"] == UNSUITED:
            paragraph(f"Caution: {finding['sentence']} {finding['advice']}")
    for concern in book.concerns:
        paragraph(f"Caution: {concern}")
    if policy.assumed:
        paragraph(
            f"{len(policy.assumed)} figures of the policy are assumed. To see them and set your "
            "own: clv policy init policy.toml."
        )
    echo_version(policy.version)
    if dropped:
        paragraph(_told_again(dropped, shlex.quote(str(output))))
    click.echo(f"Wrote the customer book to {output}. Next: clv value {shlex.quote(str(output))}")


def _learned(book: Path) -> tuple[str, ...]:
    """Keys of the figures that the book which stands there has learned, and follows."""
    from clv.book.learned import read_learned
    from clv.errors import BookError

    try:
        learned = read_learned(book)
    except BookError:  # it could not be followed before either
        return ()
    return tuple(learned.figures) if learned else ()


def _told_again(dropped: tuple[str, ...], book: str) -> str:
    """Say what a new build no longer knows, and what learns it again."""
    from_campaigns = [key for key in dropped if key.startswith("retention.")]
    again = [f"clv campaigns fit {book} CAMPAIGNS"] if from_campaigns else []
    if len(from_campaigns) < len(dropped):
        again.insert(0, f"clv incidents fit {book} INCIDENTS")
    return (
        f"Caution: what the book that stood there had learned is gone ({', '.join(dropped)}): the "
        f"logs must speak to the new models. Learn it again: {'; '.join(again)}."
    )
