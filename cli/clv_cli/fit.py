"""`clv fit`: parameters with standard errors, log-likelihood and diagnostics."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from clv_cli.orders import echo_rows_read, orders_options
from clv_cli.output import echo_json, echo_rows, echo_table, format_option, paragraph
from clv_cli.progress import Progress, quiet_option

if TYPE_CHECKING:
    from clv.inference.independence import SpendIndependence
    from clv.inference.lifetimes_bridge import CrossCheck
    from clv.inference.posterior import Posterior
    from clv.models.base import PurchaseModel
    from clv.models.covariance import CovarianceKind
    from clv.models.maximum_likelihood import Fit, LogNormal
    from clv.transactions.summary import CustomerHistories


@click.command(
    epilog="""\b
Examples:
  clv fit orders.csv --end 2024-12-31 --unit week
  clv fit orders.csv --model all
  clv fit orders.csv --model mbg-nbd --prior a=0.8:1 --posterior
  clv fit orders.csv --standard-errors bootstrap
  clv fit orders.parquet --cross-check --format json"""
)
@orders_options
@click.option(
    "--model",
    default="bg-nbd",
    show_default=True,
    metavar="NAME",
    help="Purchase model: bg-nbd, mbg-nbd, pareto-nbd, bg-cnbd or mbg-cnbd; or all, to compare.",
)
@click.option(
    "--calibration-end",
    metavar="DATE",
    help="With --model all: fit on the orders up to here too, and judge by what follows.",
)
@click.option(
    "--prior",
    "priors",
    multiple=True,
    metavar="NAME=MEDIAN:SIGMA",
    help="Log-normal prior of a parameter of the purchase model, as a=0.8:1; may be repeated.",
)
@click.option(
    "--standard-errors",
    "kind",
    type=click.Choice(["information", "sandwich", "bootstrap"]),
    default="information",
    show_default=True,
    help=(
        "Where they come from. information: the curvature of the log-likelihood, right where the "
        "model is. sandwich: at once, and near the truth where the model is not quite right. "
        "bootstrap: 1,000 samples of the customers, each fitted again; the ones to report where "
        "the others disagree."
    ),
)
@click.option("--posterior", is_flag=True, help="Draw from the joint posterior and summarise it.")
@click.option("--cross-check", is_flag=True, help="Fit with lifetimes too and show both.")
@quiet_option
@format_option
def fit(
    orders: str,
    end: str | None,
    unit: str,
    reading: dict[str, Any],
    model: str,
    calibration_end: str | None,
    priors: tuple[str, ...],
    kind: CovarianceKind,
    *,
    posterior: bool,
    cross_check: bool,
    form: str,
) -> None:
    """Fit a purchase model, and a spend model where there are amounts.

    ORDERS is a file (CSV, Parquet or Excel), a pattern such as 'orders/*.parquet', a folder of
    Parquet files, a database, or the URL of a table, with a customer, a date and an amount in each
    row.
    """
    from clv.models import purchase_model

    prior = _priors(priors)
    if model == "all":
        if prior or posterior or cross_check or kind != "information":
            raise click.UsageError(
                "--model all takes no --prior, --standard-errors, --posterior or --cross-check."
            )
        from clv_cli.comparison import echo_comparison

        echo_comparison(
            orders,
            reading=reading,
            end=end,
            unit=unit,
            calibration_end=calibration_end,
            form=form,
        )
        return
    if calibration_end is not None:
        raise click.UsageError("--calibration-end goes with --model all.")
    found = _fit(
        orders,
        reading,
        {"end": end, "unit": unit},
        purchase_model(model),
        prior,
        kind,
        posterior=posterior,
        cross_check=cross_check,
    )
    if form == "json":
        echo_json(found.to_dict())
    elif form == "csv":
        echo_rows(_row(fit, name) for fit in found.fits.values() for name in fit.parameters)
        echo_rows_read(found.histories.report.to_dict(), err=True)
    else:
        _echo(found)


@dataclass
class _Found:
    """What one call of the command found; by role, "purchases" and "spend"."""

    histories: CustomerHistories
    fits: dict[str, Fit[Any]]
    posteriors: dict[str, Posterior[Any]] = field(default_factory=dict)
    checks: dict[str, CrossCheck] = field(default_factory=dict)
    independence: SpendIndependence | None = None
    without_spend: str = ""

    def to_dict(self) -> dict[str, Any]:
        spend = self.fits.get("spend")
        return self.fits["purchases"].to_dict() | {
            "end_assumed": self.histories.end_assumed,
            "spend": spend.to_dict() if spend else None,
            "independence": self.independence.to_dict() if self.independence else None,
            "posterior": {role: p.to_dict() for role, p in self.posteriors.items()} or None,
            "cross_check": {role: c.to_dict() for role, c in self.checks.items()} or None,
            "rows": self.histories.report.to_dict(),
        }


def _fit(
    source: str,
    reading: dict[str, Any],
    period: dict[str, Any],
    model: type[PurchaseModel],
    prior: dict[str, LogNormal],
    kind: CovarianceKind,
    *,
    posterior: bool,
    cross_check: bool,
) -> _Found:
    import clv
    from clv.errors import NotIdentifiedError

    with Progress() as progress:
        progress("Reading the orders")
        histories = clv.histories(clv.read_orders(source, **reading), **period)
        progress("Fitting the models")
        found = _Found(histories, {"purchases": model.fit(histories, prior=prior)})
        if histories.spend is not None:
            try:
                found.fits["spend"] = clv.GammaGamma.fit(histories)
                found.independence = clv.spend_independence(histories)
            except NotIdentifiedError as error:
                found.without_spend = f"No spend model: {error}"
        if posterior:
            progress("Drawing from the posterior")
            found.posteriors = {role: clv.posterior(fit) for role, fit in found.fits.items()}
        if cross_check:
            progress("Fitting again with lifetimes")
            found.checks = {role: clv.cross_check(fit) for role, fit in found.fits.items()}
        if kind != "information":
            progress(f"Standard errors by the {kind}")
            found.fits = {role: fit.with_covariance(kind) for role, fit in found.fits.items()}
    return found


def _echo(found: _Found) -> None:
    echo_rows_read(found.histories.report.to_dict())
    for role, fit in found.fits.items():
        click.echo()
        _echo_fit(fit, found.checks.get(role))
        if role in found.posteriors:
            click.echo()
            _echo_posterior(found.posteriors[role])
    click.echo()
    if found.independence:
        paragraph(found.independence.sentence)
    if found.without_spend:
        paragraph(found.without_spend)


def _priors(given: tuple[str, ...]) -> dict[str, LogNormal]:
    """Read NAME=MEDIAN:SIGMA, all that cannot be read in one message."""
    from clv.errors import RequestError
    from clv.models.maximum_likelihood import LogNormal

    priors, faults = {}, []
    for text in given:
        name, _, numbers = text.partition("=")
        median, _, sigma = numbers.partition(":")
        try:
            priors[name.strip()] = LogNormal(float(median), float(sigma))
        except ValueError as error:
            why = "" if "could not convert" in str(error) else f" {error}."
            faults.append(f"--prior {text} is not NAME=MEDIAN:SIGMA, such as a=0.8:1.{why}")
    if faults:
        raise RequestError.of(faults)
    return priors


def _echo_posterior(drawn: Posterior[Any]) -> None:
    interval = drawn.interval(0.95)
    rows = [
        [
            name,
            f"{drawn.mean[name]:.4g}",
            f"{drawn.standard_deviation[name]:.2g}",
            f"{interval[name][0]:.4g} to {interval[name][1]:.4g}",
        ]
        for name in drawn.mean
    ]
    title = f"Posterior of {drawn.fit.model.label}"
    echo_table(["", "mean", "std. deviation", "95 % interval"], rows, title=title)
    paragraph(drawn.sentence)


def _row(found: Fit[Any], name: str) -> dict[str, Any]:
    low, high = found.interval()[name]
    return {
        "model": found.model.name,
        "parameter": name,
        "estimate": found.parameters[name],
        "standard_error": found.standard_errors[name],
        "low_95": low,
        "high_95": high,
        "covariance_kind": found.covariance_kind,
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
            its_error = other.lifetimes_standard_error
            row_cells += [
                f"{other.lifetimes:.4g}",
                "none given" if math.isnan(its_error) else f"{its_error:.2g}",
            ]
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
    if found.covariance_kind == "sandwich":
        paragraph(
            "Standard errors by the sandwich, which does not take the model to be right: standard "
            "deviations of the estimates over samples of such customers, to first order."
        )
    if found.resampling:
        paragraph(
            f"Standard errors by the bootstrap: the customers drawn with replacement "
            f"{found.resampling.resamples:,} times, {found.resampling.failed:,} of which could not "
            "be fitted."
        )
    if found.prior:
        paragraph(
            "Log-likelihood, AIC and BIC are those at the mode that the prior has moved; they do "
            "not compare with those of a fit without it."
        )
    for concern in found.concerns:
        paragraph(f"Caution: {concern}")
    if check:
        paragraph(check.sentence)
        if not check.agree:
            paragraph(
                f"Known of lifetimes with {check.model}, whatever the data: "
                f"{'; '.join(check.known_defects)}."
            )
