"""The intervals of a customer book: drawn when it is built, read where a figure is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clv.arrays import Floats
from clv.book.directory import INTERVAL_COLUMNS
from clv.history import Unit
from clv.inference.parameter_draws import ParameterDraws, draw_parameters
from clv.models.base import PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.models.maximum_likelihood import Fit
from clv.models.pooled_spend import PooledSpendFit
from clv.value.terms import Terms
from clv.value.value_intervals import CustomerColumns, ValueIntervals, value_intervals

__all__ = [
    "add_intervals",
    "customer_columns",
    "draws_of",
    "without_intervals",
]


def draws_of(
    purchases: Fit[PurchaseModel], spend: Fit[GammaGamma] | PooledSpendFit
) -> dict[str, ParameterDraws[Any]]:
    """Draw the parameters of both models, by role; where there are no draws, give the reason.

    Parameters
    ----------
    purchases : Fit
        When customers buy and leave.
    spend : Fit or PooledSpendFit
        What a purchase is worth; how customers differ in it is not known of the latter.
    """
    of_spend: ParameterDraws[Any]
    if isinstance(spend, PooledSpendFit):
        of_spend = ParameterDraws(
            (),
            "How customers differ in what they spend was not learned, so no interval is shown of "
            "anything in money.",
        )
    else:
        of_spend = draw_parameters(spend, seed=2)
    return {"purchases": draw_parameters(purchases, seed=1), "spend": of_spend}


def without_intervals(draws: Iterable[ParameterDraws[Any]]) -> str:
    """Why there are no intervals of values; empty where there are.

    Parameters
    ----------
    draws : iterable of ParameterDraws
        Of both models.
    """
    return " ".join(d.sentence for d in draws if not d)


def add_intervals(
    file: Path,
    draws: Mapping[str, ParameterDraws[Any]],
    terms: Terms,
    *,
    end: date,
    unit: Unit,
    paid_share: float,
    row_group: int,
) -> dict[str, Any]:
    """Add the bounds to a file of values; return what to say of the total.

    Parameters
    ----------
    file : Path
        Parquet file with the expectations.
    draws : mapping of str to ParameterDraws
        From :func:`draws_of`.
    terms : Terms
        Of the values.
    end, unit : date, str
        Last day of observation; unit of the models.
    paid_share : float
        Share of purchases that are paid for.
    row_group : int
        Rows of one group of the file.

    Returns
    -------
    dict
        `lifetime_value`: bounds of the sum over all customers, or None; `without_total`: why none.
    """
    table = pq.read_table(file)
    found: ValueIntervals | None = None
    if all(draws.values()):
        found = value_intervals(
            draws["purchases"].models,
            draws["spend"].models,
            customer_columns(table),
            discount=_mean_discount(table, terms),
            margin=terms.margin,
            paid_share=paid_share,
            rate=terms.rate(unit),
            horizon=terms.horizon(end, unit),
        )
    for name, column in zip(INTERVAL_COLUMNS, _columns(found, len(table)), strict=True):
        table = table.append_column(name, column)
    pq.write_table(table, file, row_group_size=row_group, compression="zstd")
    total = found.total if found else None
    why = "" if total or not found else "Without a horizon no interval of what is to come is drawn."
    return {"lifetime_value": list(total) if total else None, "without_total": why}


def customer_columns(table: pa.Table) -> CustomerColumns:
    """Histories and spend of the customers in a table of values; 0 where none is known."""
    names = ("frequency", "recency", "T", "spend_frequency", "monetary_value")
    x, t_x, T, k, m = (table.column(name).to_numpy().astype(float) for name in names)
    return CustomerColumns(x, t_x, T, k, np.nan_to_num(m))


def _columns(found: ValueIntervals | None, rows: int) -> list[pa.Array]:
    none = pa.nulls(rows, pa.float64())
    if found is None:
        return [none] * 4
    lives = [none, none] if found.lifetime_value is None else map(pa.array, found.lifetime_value)
    return [*map(pa.array, found.value_if_alive), *lives]


def _mean_discount(table: pa.Table, terms: Terms) -> Floats:
    """E[discounted purchases] / E[purchases] of each customer; 1 where none are expected."""
    names = ("expected_purchases", "expected_spend", "lifetime_value")
    expected, spend, value = (table.column(name).to_numpy().astype(float) for name in names)
    undiscounted = terms.margin * spend * expected
    some = undiscounted > 0  # nan without a horizon, where it is not used
    return np.where(some, value / np.where(some, undiscounted, 1.0), 1.0)
