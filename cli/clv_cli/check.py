"""`clv check`: what is in a log of orders, and whether the models suit it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clv_cli.orders import ENGINE, READING, echo_rows_read, is_stated, orders_options
from clv_cli.output import counted, echo_json, echo_table, paragraph
from clv_cli.progress import Progress, quiet_option

if TYPE_CHECKING:
    from clv.quality import Finding, QualityReport

OF_ORDERS = ("end", "unit", *READING, *ENGINE, "write-schema")
"""Options that say how orders are read; the check of a book has been made."""


@click.command(
    epilog="""\b
Examples:
  clv check orders.csv --end 2024-12-31
  clv check 'orders/*.parquet' --format json
  clv check orders.csv --write-schema orders.toml
  clv check book"""
)
@orders_options
@click.option(
    "--write-schema",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write which columns were taken, and how, to a new schema file, to be edited and given "
    "as --schema.",
)
@quiet_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the answer.",
)
def check(
    orders: str,
    end: str | None,
    unit: str,
    reading: dict[str, Any],
    write_schema: Path | None,
    form: str,
) -> None:
    """Check orders before anything rests on them.

    ORDERS is read as by clv build. The answer says which rows were kept and which were set aside,
    looks for duplicates, for days and customers that are missing, for spend out of line, and says
    whether the models suit the customers: fine, look at this, or the models do not suit. Of a
    customer book it is the answer that the book keeps of the orders it was built from.
    """
    import clv
    from clv.book.checked import checked
    from clv.book.directory import is_book
    from clv.errors import RequestError
    from clv.passwords import no_place

    if write_schema is not None and (fault := no_place(str(write_schema))):
        raise RequestError(f"Cannot write the schema: {fault}. Name a file.")
    if write_schema is not None and write_schema.exists():
        raise RequestError(f"{write_schema} is there already; name a new file for the schema.")
    if is_book(Path(orders)):
        if stated := [f"--{name}" for name in OF_ORDERS if is_stated(name)]:
            raise RequestError(
                f"{orders} is a customer book, and its check is that of its orders as they were "
                f"read: {', '.join(stated)} cannot change it. Check the orders themselves."
            )
        _show(checked(clv.Book(orders)), form)
        return
    with Progress() as progress:
        progress("Reading the orders")
        log = clv.read_orders(orders, **reading)
        found = clv.check_orders(log, end=end, unit=unit, progress=progress)
    _show(found, form)
    if write_schema is not None:
        try:
            write_schema.write_text(log.schema_toml() + "\n", encoding="utf-8")
        except OSError as error:
            raise RequestError(f"Cannot write {write_schema}: {error.strerror}.") from None
        click.echo(f"Wrote the schema to {write_schema}.", err=True)


def _show(found: QualityReport, form: str) -> None:
    if form == "json":
        echo_json(found.to_dict())
    else:
        _echo(found)


def _echo(found: QualityReport) -> None:
    from clv.quality import VERDICTS

    about = found.to_dict()
    echo_rows_read(about, examples=True)
    assumed = " (assumed: the last date in the log)" if found.end_assumed else ""
    paragraph(
        f"{counted(found.customers, 'customer')} from {found.first_date} to {found.end}{assumed}."
    )
    for verdict in reversed(VERDICTS):
        findings = found.with_verdict(verdict)
        if findings:
            click.echo()
            click.echo(click.style(verdict.capitalize(), bold=True))
        for finding in findings:
            _echo_finding(finding)
    click.echo()
    echo_table(
        ["month", "customers", "bought again"],
        [
            [row["month"], f"{row['customers']:,}", f"{row['bought_again']:,}"]
            for row in found["cohorts"].figures["months"]
        ],
        title="Customers by the month in which they were first seen",
    )


def _echo_finding(finding: Finding) -> None:
    paragraph(f"{finding.title}: {finding.sentence}", indent="  - ")
    if finding.advice:
        paragraph(finding.advice, indent="    > ")
