"""`clv fit`: parameters with standard errors, log-likelihood and diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from clv_cli.orders import echo_rows_read, orders_options
from clv_cli.output import Progress, echo_json, echo_rows, echo_table, format_option, paragraph

if TYPE_CHECKING:
    from clv.inference.lifetimes_bridge import CrossCheck
    from clv.models.maximum_likelihood import Fit


@click.command(
    epilog="""\b
Examples:
  clv fit orders.csv --end 2024-12-31 --unit week
  clv fit orders.parquet --cross-check --format json"""
)
@orders_options
@click.option(
    "--model",
    default="bg-nbd",
    show_default=True,
    metavar="NAME",
    help="Purchase model: bg-nbd.",
)
@click.option("--cross-check", is_flag=True, help="Fit with lifetimes too and show both.")
@format_option
def fit(
    orders: str,
    end: str | None,
    unit: str,
    customer_id: str | None,
    date: str | None,
    amount: str | None,
    model: str,
    *,
    cross_check: bool,
    form: str,
) -> None:
    """Fit a purchase model, and a spend model where there are amounts.

    ORDERS is a CSV or Parquet file, or a pattern of files such as 'orders/*.parquet', with a
    customer, a date and an amount in each row.
    """
    import clv
    from clv.errors import NotIdentifiedError
    from clv.models import purchase_model

    purchases = purchase_model(model)

    with Progress() as progress:
        progress("Reading the orders")
        log = clv.read_orders(orders, customer_id=customer_id, date=date, amount=amount)
        histories = clv.histories(log, end=end, unit=unit)
        progress("Fitting the models")
        fits: dict[str, Fit[Any]] = {"purchases": purchases.fit(histories)}
        without = ""
        independence = None
        if histories.spend is not None:
            try:
                fits["spend"] = clv.GammaGamma.fit(histories)
                independence = clv.spend_independence(histories)
            except NotIdentifiedError as error:
                without = f"No spend model: {error}"
        checks: dict[str, CrossCheck] = {}
        if cross_check:
            progress("Fitting again with lifetimes")
            checks = {role: clv.cross_check(found) for role, found in fits.items()}

    rows_read = histories.report.to_dict()
    if form == "json":
        answer = fits["purchases"].to_dict()
        answer["end_assumed"] = histories.end_assumed
        answer["spend"] = fits["spend"].to_dict() if "spend" in fits else None
        answer["independence"] = independence.to_dict() if independence else None
        answer["cross_check"] = {role: check.to_dict() for role, check in checks.items()} or None
        answer["rows"] = rows_read
        echo_json(answer)
        return
    if form == "csv":
        echo_rows(_row(found, name) for found in fits.values() for name in found.parameters)
        echo_rows_read(rows_read, err=True)
        return
    echo_rows_read(rows_read)
    for role, found in fits.items():
        click.echo()
        _echo_fit(found, checks.get(role))
    click.echo()
    if independence:
        paragraph(independence.sentence)
    if without:
        paragraph(without)


def _row(found: Fit[Any], name: str) -> dict[str, Any]:
    low, high = found.interval()[name]
    return {
        "model": found.model.name,
        "parameter": name,
        "estimate": found.parameters[name],
        "standard_error": found.standard_errors[name],
        "low_95": low,
        "high_95": high,
    }


def _echo_fit(found: Fit[Any], check: CrossCheck | None) -> None:
    columns = ["", "estimate", "std. error", "95 % interval"]
    rows = []
    for name in found.parameters:
        row = _row(found, name)
        rows.append(
            [
                name,
                f"{row['estimate']:.4g}",
                f"{row['standard_error']:.2g}",
                f"{row['low_95']:.4g} to {row['high_95']:.4g}",
            ]
        )
    if check:
        columns += ["lifetimes", "its std. error"]
        for row_cells, other in zip(rows, check.rows, strict=True):
            row_cells += [f"{other.lifetimes:.4g}", f"{other.lifetimes_standard_error:.2g}"]
    what = "customers with repeat spend" if found.model.name == "gamma-gamma" else "customers"
    title = (
        f"{found.model.label}, {found.customers:,} {what}, to {found.end}, time in {found.unit}s"
    )
    echo_table(columns, rows, title=title)
    paragraph(
        f"log-likelihood {found.log_likelihood:,.4f}; AIC {found.aic:,.1f}; BIC {found.bic:,.1f}; "
        f"{found.patterns:,} distinct histories; converged in {found.iterations} steps "
        f"(slope {found.gradient_norm:.0e} per customer)."
    )
    if check:
        paragraph(check.sentence)
