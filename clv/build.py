"""From orders to a customer book: read, summarise, fit, value, write."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ibis
import numpy as np
import pyarrow.parquet as pq

from clv.book import Book
from clv.book.directory import (
    INCIDENTS,
    INTERVAL_COLUMNS,
    MODELS,
    POLICY,
    SCORE_COLUMNS,
    VALUES,
    refuse_other,
    write_book,
)
from clv.book.intervals import ValuedBy, draws_of, store_intervals, without_intervals
from clv.book.orders import source_beside
from clv.errors import FitError, NotIdentifiedError, OrdersError
from clv.history import Unit
from clv.inference.independence import spend_independence
from clv.models import purchase_model
from clv.models.base import Model
from clv.models.gamma_gamma import GammaGamma
from clv.models.maximum_likelihood import Fit
from clv.models.pooled_spend import PooledSpend, PooledSpendFit
from clv.quality.check import cheap_findings
from clv.quality.report import worst
from clv.recommend.policy import Policy
from clv.transactions.orders import Orders, read_orders
from clv.transactions.returns.incidents import incident_rows
from clv.transactions.summary import CustomerHistories, histories
from clv.value.lifetime_value import paid_share, score
from clv.value.terms import Terms
from clv.value.value_intervals import LEVEL

if TYPE_CHECKING:
    import os

    import ibis.expr.types as ir
    import pandas as pd

__all__ = ["build_book"]

M = TypeVar("M", bound=Model[Any])

LIBRARIES = ("clv", "ibis-framework", "numpy", "scipy")
ROW_GROUP = 20_000
"""Rows of one Parquet row group: a look-up of one customer reads one of them."""


def build_book(
    source: Orders | str | os.PathLike[str] | pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    policy: Policy | None = None,
    end: date | str | None = None,
    unit: Unit = "day",
    model: str = "bg-nbd",
    progress: Callable[[str], None] | None = None,
) -> Book:
    """Build a customer book from orders.

    Parameters
    ----------
    source : Orders, path, pattern of paths, or pandas.DataFrame
        As for :func:`clv.read_orders`.
    path : str or Path
        Directory to write; a book that stands there is replaced in one step, and what it had
        learned is gone with it: the logs must speak to the new models.
    policy : Policy, optional
        Margin, discount rate, horizon and the rules of the recommender; all assumed by default.
    end : date or "YYYY-MM-DD", optional
        Last day of observation; the last date of the orders by default, which the book says.
    unit : {"day", "week"}
        Unit of time of the models.
    model : str
        Name of the purchase model, as in `clv fit --model`.
    progress : callable, optional
        Told each step as it begins.

    Returns
    -------
    Book

    Raises
    ------
    OrdersError, RequestError, FitError, BookError
        Where there is no book to be made, with the reason; what stood at `path` is then untouched.

    Examples
    --------
    >>> import clv, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     book = clv.build_book(clv.datasets.path("cdnow"), f"{folder}/book",
    ...                           end="1997-09-30", unit="week")
    ...     book.customers
    2357
    """
    policy = policy or Policy()
    progress = progress or (lambda _step: None)
    terms = Terms(policy.margin, policy.discount_rate, policy.horizon_months)
    refuse_other(Path(path))  # before the work, not after it
    if isinstance(source, Orders):
        orders = source
    else:
        progress("Reading the orders")
        orders = read_orders(source)
    if not orders.has_amount:
        raise OrdersError(
            f"{orders.source} has no amounts, so customers cannot be valued. Name the column with "
            "the amount of an order, or fit the purchase model alone: clv fit ORDERS."
        )
    found = histories(orders, end=end, unit=unit)
    progress("Fitting the models")
    with ThreadPoolExecutor() as pool:  # two fits, each mostly in one thread
        of_spend = pool.submit(_fit_spend, found)
        purchases, steadied = _fit(purchase_model(model), found)
        spend, spend_steadied = of_spend.result()
    try:
        independence = spend_independence(found).to_dict()
    except NotIdentifiedError as error:
        independence = {"sentence": str(error)}
    progress("Drawing from the posterior")
    draws = draws_of(purchases, spend)
    progress("Valuing the customers")
    leave_months = policy.retention.period_months
    table = score(found, purchases.model, spend.model, terms, leave_months=leave_months)
    quality = cheap_findings(orders, found)
    manifest: dict[str, Any] = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": source_beside(Path(path), orders.source),
        "input_sha256": orders.sha256,
        "schema": orders.schema.to_dict(),
        "returns": orders.returns_policy,
        "rows": found.report.to_dict(),
        "quality": {
            "verdict": worst(quality),
            "findings": {finding.topic: finding.to_dict() for finding in quality},
        },
        "end": found.end.isoformat(),
        "end_assumed": found.end_assumed,
        "unit": unit,
        "engine": orders.opened.engine.name,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in (*LIBRARIES, orders.opened.engine.library)},
        "customers": found.customers,
        "repeat_customers": found.repeat_customers,
        "patterns": len(found),
        "models": {
            "purchases": _with_concerns(purchases.to_dict(), steadied),
            "spend": _with_concerns(spend.to_dict(), spend_steadied),
        },
        "independence": independence,
        "terms": terms.to_dict() | {"sentence": terms.sentence},
        "leave_months": leave_months,
        "paid_share": paid_share(found),
        "intervals": {"level": LEVEL, "without": without_intervals(draws.values())},
        "policy": {"version": policy.version, "assumed": list(policy.assumed)},
    }
    progress("Writing the book")
    with write_book(Path(path), manifest) as folder:
        _write_values(found, table, folder / VALUES)
        progress("Drawing intervals")
        about = ValuedBy(found.customers, terms, found.end, unit, manifest["paid_share"])
        manifest["intervals"] |= store_intervals(folder / VALUES, draws, about, row_group=ROW_GROUP)
        manifest["totals"] = _totals(folder / VALUES)
        models = {
            role: {
                "model": fit.model.name,
                "parameters": fit.parameters,
                "draws": draws[role].to_dict(),
            }
            for role, fit in (("purchases", purchases), ("spend", spend))
        }
        (folder / MODELS).write_text(json.dumps(models, indent=2) + "\n", encoding="utf-8")
        (folder / POLICY).write_text(policy.to_toml(), encoding="utf-8")
        if orders.returns is not None and orders.returns_policy == "incident":
            orders.opened.engine.write_parquet(incident_rows(orders.returns), folder / INCIDENTS)
    return Book(Path(path))


def _fit(model: type[M], found: CustomerHistories) -> tuple[Fit[M], tuple[str, ...]]:
    """Fit by maximum likelihood; where the data cannot tell a parameter, with the weak prior.

    A small shop needs values too. That a prior has stepped in is a concern of every figure.
    """
    try:
        return model.fit(found), ()
    except NotIdentifiedError:
        model.refuse_unidentified(
            found
        )  # with too little data there is nothing for a prior to help
        fit = model.fit(found, prior=model.weak_prior(found))
        told = (
            f"These orders alone cannot tell every parameter of {model.label}; it was fitted with "
            "a weak prior (assumed: log-normal, sigma 2). A longer log tells more."
        )
        return fit, (told,)


def _fit_spend(
    found: CustomerHistories,
) -> tuple[Fit[GammaGamma] | PooledSpendFit, tuple[str, ...]]:
    """Fit Gamma-Gamma, or its limit where customers differ no more than by chance."""
    try:
        return GammaGamma.fit(found), ()
    except FitError:
        try:
            return PooledSpend.fit(found), ()
        except NotIdentifiedError:
            return _fit(GammaGamma, found)  # a customer always pays the same: p has no bound


def _with_concerns(fit: dict[str, Any], more: tuple[str, ...]) -> dict[str, Any]:
    concerns = [*more, *fit["concerns"]]
    return fit | {"concerns": concerns, "identified": not concerns}


def _write_values(found: CustomerHistories, table: ir.Table, file: Path) -> None:
    """Write one row a customer, bounds still open."""
    values = table.select(*SCORE_COLUMNS, "first_date").order_by("customer_id")
    values = values.mutate(**{name: ibis.null("float64") for name in INTERVAL_COLUMNS})
    # Half the time of a denser compression; bounds that are stored write the file anew.
    found.opened.engine.write_parquet(values, file, row_group_size=ROW_GROUP, compression="snappy")


def _totals(values: Path) -> dict[str, float | None]:
    """Sum over the customers in the order of the file, so that the same input sums the same."""
    names = ["p_alive", "expected_purchases", "value_if_alive", "lifetime_value"]
    sums = np.zeros(len(names))
    with pq.ParquetFile(values) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=names)
            # Without a horizon the expected number of purchases is not a finite sum: null here.
            sums += [float(np.sum(table.column(name).to_numpy())) for name in names]
    totals = dict(zip(names, sums.tolist(), strict=True))
    bad = [name for name in names if np.isinf(totals[name])]
    if bad:
        raise FitError(
            f"The sum of {', '.join(bad)} over all customers is not a finite number. The fitted "
            "models do not suit these orders; look at their parameters with clv fit."
        )
    return {name: None if np.isnan(total) else total for name, total in totals.items()}
