"""The intervals of a customer book: drawn when it is built, read where a figure is shown.

Futures of a million customers take longer than all else that a build does, and hardly anyone reads
them all. So the bounds of a large book are drawn when they are asked for: of one customer, of the
most valuable, of those whom a failure hit. The total is drawn at the build all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

import numpy as np
import pyarrow as pa

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
    total_interval,
    value_intervals,
)

__all__ = [
    "NEEDED",
    "ValuedBy",
    "customer_columns",
    "draws_of",
    "total_of_sample",
    "with_bounds",
    "with_intervals",
    "without_intervals",
]

NEEDED = (
    *("frequency", "recency", "T", "monetary_value", "spend_frequency"),
    *("expected_purchases", "expected_spend", "lifetime_value"),
)
"""What is read of a customer to draw bounds."""


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


def with_bounds(
    table: pa.Table, draws: Mapping[str, ParameterDraws[Any]], about: ValuedBy
) -> tuple[pa.Table, list[float] | None]:
    """Draw the bounds of the customers in a table of values, and of their sum.

    Parameters
    ----------
    table : pyarrow.Table
        Values, with :data:`NEEDED` columns.
    draws : mapping of str to ParameterDraws
        From :func:`draws_of`.
    about : ValuedBy
        How the values came about.

    Returns
    -------
    table : pyarrow.Table
        With the bounds; nulls where there are none.
    total : list of float, or None
        Bounds of the sum of the lifetime values.
    """
    found = _drawn(table, draws, about)
    return _with(table, found), list(found.total) if found and found.total else None


def with_intervals(
    table: pa.Table, draws: Mapping[str, ParameterDraws[Any]], about: ValuedBy
) -> pa.Table:
    """Draw the bounds of the customers in a table of values, which has :data:`NEEDED` columns."""
    return with_bounds(table, draws, about)[0]


def total_of_sample(
    sample: pa.Table,
    draws: Mapping[str, ParameterDraws[Any]],
    about: ValuedBy,
    weight: Floats,
    total: float,
) -> list[float]:
    """Draw the bounds of the sum over all customers, from some of them.

    Parameters
    ----------
    sample : pyarrow.Table
        Values of some customers, with :data:`NEEDED` columns.
    draws, about
        As for :func:`with_bounds`.
    weight : ndarray, shape (n,)
        For how many customers each of them stands.
    total : float
        Expected lifetime value of all customers together.
    """
    return list(
        total_interval(
            draws["purchases"].models,
            draws["spend"].models,
            customer_columns(sample),
            discount=_mean_discount(sample, about),
            **about.drawn_with(),
            total=total,
            expected=sample.column("lifetime_value").to_numpy(),
            weight=weight,
        )
    )


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
