"""`clv build`: from orders to a customer book, or from newer orders and a book."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clv_cli.book import echo_cautions, echo_concerns, echo_version, total_value, without_intervals
from clv_cli.orders import READING, echo_rows_read, is_stated, newer_orders_options
from clv_cli.output import counted, paragraph, percent
from clv_cli.progress import Progress, quiet_option

if TYPE_CHECKING:
    from clv.book.since import Since


@click.command(
    epilog="""\b
Examples:
  clv build orders.csv -o book --end 2024-12-31
  clv build 'orders/*.parquet' -o book --policy policy.toml --unit week
  clv build newer.csv --since book -o book"""
)
@newer_orders_options
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="BOOK",
    help="Directory for the book; a book that stands there is replaced in one step.",
)  # fmt: skip
@click.option(
    "--model",
    metavar="NAME",
    help="Purchase model: bg-nbd (if none is named), mbg-nbd, pareto-nbd, bg-cnbd or mbg-cnbd; clv "
    "fit --model all compares them.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Policy file (see clv policy init); without it every figure of the policy is assumed.",
)
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="BOOK",
    help="A book that orders and returns are added to, all of them after its end; -o may name the "
    "same. Without ORDERS nobody bought anything up to --end. Unit, model, policy and how orders "
    "are read are those of the book where you do not state them.",
)
@quiet_option
def build(
    orders: str | None,
    end: str | None,
    unit: str | None,
    reading: dict[str, Any],
    output: Path,
    model: str | None,
    policy_file: Path | None,
    since: Path | None,
) -> None:
    """Build a customer book: models, values, policy and where they come from.

    ORDERS is a file (CSV, Parquet or Excel), a pattern such as 'orders/*.parquet', a folder of
    Parquet files, a database, or the URL of a table, with a customer, a date and an amount in each
    row. The other commands read the book.
    """
    import clv
    from clv.book.cautions import horizon_beyond_the_log, mostly_integral
    from clv.book.directory import refuse_other
    from clv.errors import RequestError

    if orders is None and since is None:
        raise click.MissingParameter(param_hint="'ORDERS'", param_type="argument")
    if orders is None and (stated := [f"--{name}" for name in READING if is_stated(name)]):
        raise RequestError(
            f"Without ORDERS there is nothing to read: {', '.join(stated)} cannot change how. Name "
            f"the orders since, or leave {'it' if len(stated) == 1 else 'them'} out."
        )
    refuse_other(output)  # before the work, not after it
    before = None
    if since is not None:
        before = _since(since, reading)
        unit = unit if is_stated("unit") else None
    policy = clv.Policy.load(policy_file) if policy_file else None
    dropped = dict.fromkeys((*_learned(output), *(_learned(since) if since else ())))
    with Progress() as progress:
        log = None
        if orders is not None:
            progress("Reading the orders")
            log = (before.read if before else clv.read_orders)(orders, **reading)
        book = clv.build_book(
            log,
            output,
            policy=policy,
            end=end,
            unit=unit,
            model=model,
            since=before.book if before else None,
            engine=None if log else reading["engine"],
            progress=progress,
        )
    about = book.manifest
    _echo_sources(about, newer=orders is not None)
    policy = book.stated_policy
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
        paragraph(_paid_for(about))
    echo_cautions(book, horizon_beyond_the_log(about))
    echo_concerns(book)
    if told := mostly_integral(book):
        paragraph(told)
    if policy.assumed:
        paragraph(
            f"{len(policy.assumed)} figures of the policy are assumed. To see them and set your "
            "own: clv policy init policy.toml."
        )
    echo_version(policy.version)
    if dropped:
        paragraph(_told_again(tuple(dropped), shlex.quote(str(output))))
    click.echo(f"Wrote the customer book to {output}. Next: clv value {shlex.quote(str(output))}")


def _paid_for(about: dict[str, Any]) -> str:
    """Say how many repeat purchases were paid for; where nearly all were, how many were free."""
    paid = percent(about["paid_share"], 1)
    if paid != "100.0 %":
        told = f"{paid} of the repeat purchases were paid for, the others were free"
        return f"{told}; expected spend and values count that share."
    found = about["quality"]["findings"]["repeat_purchases"]
    again = found["purchases"] - found["customers"]
    free = round((1 - about["paid_share"]) * again)
    told = f"{free:,} of {again:,} repeat purchases {'was' if free == 1 else 'were'} free"
    return f"{told}; expected spend and values count the share of the others."


def _since(book: Path, reading: dict[str, Any]) -> Since:
    """Open the book that orders are added to; they are read as its own but for what is stated."""
    from clv.book.since import Since

    before = Since.of(book)
    reading["schema"] = before.schema(reading["schema"])
    if not is_stated("returns"):
        reading["returns"] = before.returns
    return before


def _echo_sources(about: dict[str, Any], *, newer: bool) -> None:
    """Say what was read; of a book that newer orders were added to, these, and all together."""
    sources, rows = about["sources"], about["rows"]
    if len(sources) == 1 and newer:
        echo_rows_read(rows)
        return
    if newer:
        echo_rows_read(sources[-1]["rows"])
        paragraph(
            f"With those before: {counted(rows['rows_read'], 'row')} from {len(sources)} sources, "
            f"{rows['rows_kept']:,} kept."
        )
        return
    paragraph(f"No orders since: {counted(rows['rows_kept'], 'row')} kept as before.")
    for notice in rows["notices"]:
        paragraph(notice, indent="  - ")


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
        f"Caution: what the book before had learned is gone ({', '.join(dropped)}): the "
        f"logs must speak to the new models. Learn it again: {'; '.join(again)}."
    )
