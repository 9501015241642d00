"""What the commands that read orders have in common: their options, and what they say of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from clv_cli.output import counted, number, paragraph

__all__ = [
    "ENGINE",
    "READING",
    "echo_rows_read",
    "is_stated",
    "newer_orders_options",
    "orders_options",
]

F = TypeVar("F", bound=Callable[..., Any])

READING = ("customer-id", "date", "amount", "column", "schema", "returns")
"""Options that say how orders are read."""
ENGINE = ("engine", "memory", "threads")
"""Options that say what computes over them."""


def orders_options(command: F) -> F:
    """Add the source of orders, how it is read, the end of observation and the unit of time.

    See :func:`newer_orders_options` for what the command gets.
    """
    return _with_options(command, required=True)


def newer_orders_options(command: F) -> F:
    """Add the same for a command that also goes on where there are no orders (None).

    The command gets `orders`, `end` and `unit`; and `reading`, what :func:`clv.read_orders` takes
    beside the source.
    """
    return _with_options(command, required=False)


def _with_options(command: F, *, required: bool) -> F:
    @functools.wraps(command)
    def with_reading(
        *args: Any,
        schema_file: Path | None,
        columns: tuple[str, ...],
        customer_id: str | None,
        date: str | None,
        amount: str | None,
        returns: str,
        engine: str,
        memory: str | None,
        threads: int | None,
        **others: Any,
    ) -> Any:
        from clv.transactions.engines import open_engine

        named = {"customer_id": customer_id, "date": date, "amount": amount}
        schema = _schema(schema_file, _roles(columns) | named)
        with open_engine(engine, memory=memory, threads=threads) as opened:
            reading = {"schema": schema, "returns": returns, "engine": opened}
            return command(*args, reading=reading, **others)

    for option in reversed(
        [
            click.argument("orders", required=required),
            click.option(
                "--end",
                metavar="DATE",
                help="Last day of observation, as 2024-12-31. Without it, the last date in the log "
                "is taken, be it that of a return, and the output says what that does.",
            ),
            click.option(
                "--unit",
                type=click.Choice(["day", "week"]),
                default="day",
                show_default=True,
                help="Unit in which the models count time; a week is seven days. It changes the "
                "parameters, not the values.",
            ),
            click.option("--customer-id", metavar="COLUMN", help="Column with the customer."),
            click.option("--date", metavar="COLUMN", help="Column with the day of the order."),
            click.option("--amount", metavar="COLUMN", help="Column with the value of the order."),
            click.option(
                "--column",
                "columns",
                multiple=True,
                metavar="ROLE=COLUMN",
                help="Column with another role, as order_id='Invoice no'; may be repeated. Roles: "
                "quantity, unit_price, order_id, item, currency, kind, reverses.",
            ),
            click.option(
                "--schema",
                "schema_file",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="File that says which column is what, and how dates, decimals, time zones "
                "and currencies are meant.",
            ),
            click.option(
                "--returns",
                type=click.Choice(["net", "ignore", "incident"]),
                default="net",
                show_default=True,
                help="net: subtract each return or cancellation from the order that it reverses; "
                "ignore: set them aside; incident: as net, and record each as a problem of type "
                "returned_item.",
            ),
            click.option(
                "--engine",
                default="duckdb",
                show_default=True,
                metavar="NAME",
                help="What computes over the orders: duckdb; spark, on this machine; or the URL of "
                "a Spark cluster, such as spark://host:7077.",
            ),
            click.option(
                "--memory",
                metavar="SIZE",
                help="The most memory for that, as 4GB; what does not fit goes to disk. Four "
                "fifths of the machine's by default.",
            ),
            click.option(
                "--threads",
                type=int,
                metavar="N",
                help="Threads of the engine; one for each core by default, up to eight for each.",
            ),
        ]
    ):
        with_reading = option(with_reading)
    return cast("F", with_reading)


def _roles(columns: tuple[str, ...]) -> dict[str, str | None]:
    roles: dict[str, str | None] = {}
    for stated in columns:
        role, mark, name = stated.partition("=")
        if not (mark and name):
            raise click.BadParameter(
                f"{stated!r} is no ROLE=COLUMN, such as order_id='Invoice no'.",
                param_hint="'--column'",
            )
        roles[role.strip()] = name
    return roles


def _schema(file: Path | None, columns: Mapping[str, str | None]) -> Any:
    """Return what the schema file and the options say together; options go before the file."""
    from clv.transactions.schema import Schema

    return Schema.of(file).with_columns({k: v for k, v in columns.items() if v is not None})


def is_stated(option: str) -> bool:
    """Whether somebody gave an option of the command that runs, by the name that is typed."""
    context = click.get_current_context()
    (name,) = [str(p.name) for p in context.command.params if f"--{option}" in p.opts]
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT


def _rows_of(aside: Mapping[str, Any]) -> str:
    """Count the rows that are set aside, and those of which a part is."""
    rows, parts = aside["rows"], aside["parts"]
    if not parts:
        return counted(rows, "row")
    if not rows:
        return f"{'A part' if parts == 1 else 'Parts'} of {counted(parts, 'row')}"
    other = "a part of 1 other" if parts == 1 else f"parts of {parts:,} others"
    return f"{counted(rows, 'row')} wholly and {other}"


def echo_rows_read(report: Mapping[str, Any], *, err: bool = False, examples: bool = False) -> None:
    """Say what was read, what was kept, and what was set aside and why, if asked with examples."""
    has_amount = report["amount_read"] is not None
    worth = f", worth {number(report['amount_kept'])}" if has_amount else ""
    paragraph(
        f"Orders: {counted(report['rows_read'], 'row')} read, {report['rows_kept']:,} kept{worth}.",
        err=err,
    )
    for aside in report["set_aside"]:
        known = aside["amount"] is not None  # not of amounts in another currency
        amount = f", {number(aside['amount'])} in all" if known else ""
        paragraph(
            f"{_rows_of(aside)} set aside: {aside['reason']}{amount}.",
            indent="  - ",
            err=err,
        )
        for example in aside["examples"] if examples else ():
            paragraph(example, indent="      ", err=err)
    if report["returns"]:
        from clv.transactions.report import ReturnsReport

        back = ReturnsReport.from_dict(report["returns"])
        paragraph(str(back), indent="  - ", err=err)
        if has_amount and back.amount:
            net = report["amount_kept"] - float(back.amount)
            told = f"Less the {number(float(back.amount))} that came back, the models see"
            paragraph(f"{told} {number(net)}.", indent="  - ", err=err)
    for notice in report["notices"]:
        paragraph(notice, indent="  - ", err=err)
