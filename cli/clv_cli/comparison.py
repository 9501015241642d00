"""`clv fit --model all`: the purchase models side by side."""

from __future__ import annotations

from typing import Any

import click

from clv_cli.orders import echo_rows_read
from clv_cli.output import echo_json, echo_rows, echo_table, number, paragraph, percent
from clv_cli.progress import Progress

__all__ = ["echo_comparison"]

DEFAULT = "bg-nbd"
"""The model that `clv build` takes where none is named."""


def echo_comparison(
    source: str,
    *,
    reading: dict[str, Any],
    end: str | None,
    unit: str,
    calibration_end: str | None,
    form: str,
) -> None:
    """Fit every purchase model to the orders; print the table and which to use."""
    import clv

    with Progress() as progress:
        progress("Reading the orders")
        orders = clv.read_orders(source, **reading)
        histories = clv.histories(orders, end=end, unit=unit)
        progress("Fitting the models")
        found = clv.compare(histories, orders=orders, calibration_end=calibration_end)
    rows_read = histories.report.to_dict()
    if form == "json":
        echo_json(found.to_dict() | {"end": str(histories.end), "unit": unit, "orders": rows_read})
        return
    if form == "csv":
        echo_rows({k: v for k, v in r.to_dict().items() if k != "parameters"} for r in found.rows)
        echo_rows_read(rows_read, err=True)
        return
    echo_rows_read(rows_read)
    click.echo()
    names = ["model", "log-likelihood", "AIC", "BIC", "one-time buyers alive", "orders next year"]
    held = found.holdout_actual is not None
    if held:
        names += ["holdout log-lik.", f"holdout orders (came: {found.holdout_actual:,})"]
    cells = []
    for row in found.rows:
        fit = row.fit
        alive = "" if row.one_time_alive is None else percent(row.one_time_alive)
        line = [
            row.label,
            number(fit.log_likelihood if fit else None),
            number(fit.aic if fit else None, 1),
            number(fit.bic if fit else None, 1),
            alive,
            number(row.orders, 0),
        ]
        if held:
            line += [number(row.holdout_log_likelihood, 1), number(row.holdout_expected, 0)]
        cells.append(line)
    echo_table(names, cells)
    click.echo()
    for sentence in found.sentences:
        paragraph(sentence)
    best = found.best.model
    if best != DEFAULT:
        paragraph(
            f"A book is built with {DEFAULT} unless you name another model: clv build ORDERS "
            f"-o BOOK --model {best}."
        )
