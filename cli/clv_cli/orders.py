"""What the commands that read orders have in common: their options, and what they say of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from clv_cli.output import number, paragraph

__all__ = ["echo_rows_read", "orders_options"]

F = TypeVar("F", bound=Callable[..., Any])


def orders_options(command: F) -> F:
    """Add the source of orders, its columns, the end of observation and the unit of time."""
    for option in reversed(
        [
            click.argument("orders"),
            click.option(
                "--end",
                metavar="DATE",
                help="Last day of observation, as 2024-12-31. Without it, the date of the last "
                "order is taken, and the output says what that does.",
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
        ]
    ):
        command = option(command)
    return command


def echo_rows_read(report: Mapping[str, Any], *, err: bool = False) -> None:
    """Say what was read, what was kept, and what was set aside and why."""
    has_amount = report["amount_read"] is not None
    worth = f", worth {number(report['amount_kept'])}" if has_amount else ""
    paragraph(
        f"Orders: {report['rows_read']:,} rows read, {report['rows_kept']:,} kept{worth}.", err=err
    )
    for aside in report["set_aside"]:
        amount = f", {number(aside['amount'])} in all" if has_amount else ""
        paragraph(
            f"{aside['rows']:,} rows set aside: {aside['reason']}{amount}.", indent="  - ", err=err
        )
    for notice in report["notices"]:
        paragraph(notice, indent="  - ", err=err)
