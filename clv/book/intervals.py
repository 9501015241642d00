"""The intervals of a customer book: drawn when it is built, read where a figure is shown.

Futures of a million customers take longer than all else that a build does, and hardly anyone reads
them all. So the bounds of a large book are drawn when they are asked for: of one customer, of the
most valuable, of those whom a failure hit. The total is drawn at the build all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypedDict

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
from clv.side_by_side import beside
from clv.value.terms import Terms
from clv.value.value_intervals import (
    CustomerColumns,
    ValueIntervals,
    sample_by_value,
    total_interval,
    value_intervals,
)

__all__ = [
    "NEEDED",
    "ValuedBy",
    "customer_columns",
    "draws_of",
    "store_intervals",
    "with_intervals",
    "without_intervals",
]

STORED_UP_TO = 200_000
"""Customers of whom all bounds are stored."""

SAMPLED = 1_000
"""Customers that tell the bounds of the total of a larger book."""

NEEDED = (
    *("frequency", "recency", "T", "monetary_value", "spend_frequency"),
    *("expected_purchases", "expected_spend", "lifetime_value"),
)
"""What is read of a customer to draw bounds."""

WITHOUT_TOTAL = "Without a horizon no interval of what is to come is drawn."


class DrawnWith(TypedDict):
    """Arguments of :func:`~clv.value.value_intervals.value_intervals` by name."""

    margin: float
    paid_share: float
    rate: float
    horizon: float


@dataclass(frozen=True)
class ValuedBy:
    """How the values of a book came about.

    Attributes
    ----------
    customers : int
        How many there are.
    terms : Terms
        Margin, discount rate, horizon.
    end, unit : date, str
        Last day of observation; unit of the models.
    paid_share : float
        Share of purchases that are paid for.
    """

    customers: int
    terms: Terms
    end: date
    unit: Unit
    paid_share: float

    def drawn_with(self) -> DrawnWith:
        """What intervals are drawn with; the rate and the horizon in the unit of the models."""
        return {
            "margin": self.terms.margin,
            "paid_share": self.paid_share,
            "rate": self.terms.rate(self.unit),
            "horizon": self.terms.horizon(self.end, self.unit),
        }


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
    with beside() as pool:  # each is mostly in one thread
        of_purchases = pool.submit(draw_parameters, purchases, seed=1)
        of_spend = _draws_of_spend(spend)
        return {"purchases": of_purchases.result(), "spend": of_spend}


def _draws_of_spend(spend: Fit[GammaGamma] | PooledSpendFit) -> ParameterDraws[Any]:
    if not isinstance(spend, PooledSpendFit):
        return draw_parameters(spend, seed=2)
    return ParameterDraws(
        (),
        "How customers differ in what they spend was not learned, so no interval is shown of "
        "anything in money.",
    )


def without_intervals(draws: Iterable[ParameterDraws[Any]]) -> str:
    """Why there are no intervals of values; empty where there are.

    Parameters
    ----------
    draws : iterable of ParameterDraws
        Of both models.
    """
    return " ".join(d.sentence for d in draws if not d)


def store_intervals(
    file: Path,
    draws: Mapping[str, ParameterDraws[Any]],
    about: ValuedBy,
    *,
    row_group: int,
) -> dict[str, Any]:
    """Add the bounds to a file of values; of many customers leave them to be drawn when asked for.

    Parameters
    ----------
    file : Path
        Parquet file with the expectations.
    draws : mapping of str to ParameterDraws
        From :func:`draws_of`.
    about : ValuedBy
        How the values came about.
    row_group : int
        Rows of one group of the file.

    Returns
    -------
    dict
        `drawn`: "stored" or "asked"; `lifetime_value`: bounds of the sum over all customers, or
        None; `without_total`: why none.
    """
    some, finite = all(draws.values()), about.terms.horizon_months is not None
    told = WITHOUT_TOTAL if some and not finite else ""
    if about.customers > STORED_UP_TO:
        total = _total_of_many(file, draws, about) if some and finite else None
        return {"drawn": "asked", "lifetime_value": total, "without_total": told}
    table = pq.read_table(file)
    found = _drawn(table, draws, about)
    pq.write_table(_with(table, found), file, row_group_size=row_group, compression="zstd")
    total = list(found.total) if found and found.total else None
    return {"drawn": "stored", "lifetime_value": total, "without_total": told}


def with_intervals(
    table: pa.Table, draws: Mapping[str, ParameterDraws[Any]], about: ValuedBy
) -> pa.Table:
    """Draw the bounds of the customers in a table of values, which has :data:`NEEDED` columns."""
    return _with(table, _drawn(table, draws, about))


def _drawn(
    table: pa.Table, draws: Mapping[str, ParameterDraws[Any]], about: ValuedBy
) -> ValueIntervals | None:
    if not all(draws.values()) or not len(table):
        return None
    return value_intervals(
        draws["purchases"].models,
        draws["spend"].models,
        customer_columns(table),
        discount=_mean_discount(table, about),
        **about.drawn_with(),
    )


def _total_of_many(
    file: Path, draws: Mapping[str, ParameterDraws[Any]], about: ValuedBy
) -> list[float]:
    """Bounds of the sum over all customers, from some of them."""
    parts, at = [], 0
    with pq.ParquetFile(file) as opened:
        values = opened.read(columns=["lifetime_value"]).column(0).to_numpy()
        chosen, weight = sample_by_value(values, SAMPLED)
        for group in range(opened.num_row_groups):
            size = opened.metadata.row_group(group).num_rows
            first, last = np.searchsorted(chosen, [at, at + size])
            if last > first:
                rows = opened.read_row_group(group, columns=list(NEEDED))
                parts.append(rows.take(chosen[first:last] - at))
            at += size
    some = pa.concat_tables(parts)
    return list(
        total_interval(
            draws["purchases"].models,
            draws["spend"].models,
            customer_columns(some),
            discount=_mean_discount(some, about),
            **about.drawn_with(),
            total=float(np.sum(values)),
            expected=some.column("lifetime_value").to_numpy(),
            weight=weight,
        )
    )


def customer_columns(table: pa.Table) -> CustomerColumns:
    """Histories and spend of the customers in a table of values; 0 where none is known."""
    names = ("frequency", "recency", "T", "spend_frequency", "monetary_value")
    x, t_x, T, k, m = (table.column(name).to_numpy().astype(float) for name in names)
    return CustomerColumns(x, t_x, T, k, np.nan_to_num(m))


def _with(table: pa.Table, found: ValueIntervals | None) -> pa.Table:
    none = pa.nulls(len(table), pa.float64())
    bounds = [none] * 4
    if found is not None:
        lives = (
            [none, none] if found.lifetime_value is None else map(pa.array, found.lifetime_value)
        )
        bounds = [*map(pa.array, found.value_if_alive), *lives]
    for name, column in zip(INTERVAL_COLUMNS, bounds, strict=True):
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, column)
        else:
            table = table.append_column(name, column)
    return table


def _mean_discount(table: pa.Table, about: ValuedBy) -> Floats:
    """E[discounted purchases] / E[purchases] of each customer; 1 where none are expected."""
    names = ("expected_purchases", "expected_spend", "lifetime_value")
    expected, spend, value = (table.column(name).to_numpy().astype(float) for name in names)
    undiscounted = about.terms.margin * spend * expected
    some = undiscounted > 0  # nan without a horizon, where it is not used
    return np.where(some, value / np.where(some, undiscounted, 1.0), 1.0)
