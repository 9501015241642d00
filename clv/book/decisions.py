"""The forecast of a customer book, and what decisions read of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from clv.book.intervals import customer_columns
from clv.inference.parameter_draws import ParameterDraws
from clv.models.base import PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.models.pooled_spend import PooledSpend
from clv.recommend.policy import Policy
from clv.value.forecast import forecast as monthly
from clv.value.forecast import months_after
from clv.value.forecast_intervals import Forecast, draw_sums, total_of, with_intervals
from clv.value.terms import days_per_unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["HISTORY", "Opened", "forecast"]

HISTORY = ("frequency", "recency", "T", "spend_frequency", "monetary_value")
"""Columns that say what a customer has done."""


class Opened(Protocol):
    """What is read here of a book: see :class:`clv.Book`."""

    @property
    def manifest(self) -> dict[str, Any]:
        """What the book was made from and with."""

    @property
    def end(self) -> date:
        """Last day of observation."""

    @property
    def unit(self) -> str:
        """Unit of recency and T."""

    @property
    def policy(self) -> Policy:
        """The policy of the book."""

    @property
    def purchases(self) -> PurchaseModel:
        """The purchase model, fitted."""

    @property
    def spend(self) -> GammaGamma | PooledSpend:
        """The spend model, fitted."""

    @property
    def draws(self) -> dict[str, ParameterDraws[Any]]:
        """Models drawn from the posteriors, by role."""

    @property
    def without_intervals(self) -> str:
        """Why values have no interval; empty where they have."""

    @property
    def assumed_terms(self) -> tuple[str, ...]:
        """Keys of the terms that nobody has confirmed."""

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Read some columns of all customers."""

    def with_intervals(self, rows: pa.Table) -> pa.Table:
        """Fill in bounds that the build left open."""


def forecast(book: Opened, months: int) -> Forecast:
    """Forecast by calendar month, in expectation and with predictive intervals.

    Parameters
    ----------
    book : Opened
        Whose customers.
    months : int
        Whole calendar months after the end of observation.

    Returns
    -------
    Forecast
    """
    import duckdb

    spans = months_after(book.end, months)
    table = book.read((*HISTORY, "p_alive", "expected_spend"))
    with duckdb.connect() as engine:
        engine.register("book", table)
        sums = engine.execute(
            "select frequency, recency, T, sum(p_alive) as alive, "
            "sum(p_alive * expected_spend) as alive_spend "
            "from book group by all order by all"
        ).fetchnumpy()
    x, t_x, T, alive, alive_spend = (np.asarray(column, dtype=float) for column in sums.values())
    margin = book.policy.margin
    rows = tuple(
        monthly(
            book.purchases, x, T, alive, alive_spend,
            t_x=t_x, end=book.end, unit=book.unit, margin=margin, months=months,
        )
    )  # fmt: skip
    without = " ".join(drawn.sentence for drawn in book.draws.values() if not drawn)
    if not book.draws["purchases"]:
        return Forecast(rows, total_of(rows), without_intervals=without)
    orders, revenue = draw_sums(
        book.draws["purchases"].models,
        book.draws["spend"].models or None,
        customer_columns(table),
        [(last - book.end).days / days_per_unit(book.unit) for _, last in spans],
        fitted=(book.purchases, book.spend),
        expected=(
            np.array([row.orders for row in rows]),
            np.array([row.revenue for row in rows]),
        ),
        paid_share=book.manifest["paid_share"],
    )
    return Forecast(*with_intervals(rows, orders, revenue, margin), without_intervals=without)
