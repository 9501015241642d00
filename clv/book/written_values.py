"""Write the values of all customers and their intervals to the file of a book."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clv.arrays import Floats
from clv.book.directory import INTERVAL_COLUMNS, SCORE_COLUMNS
from clv.book.intervals import NEEDED, ValuedBy, total_of_sample, with_bounds
from clv.inference.parameter_draws import ParameterDraws
from clv.side_by_side import beside
from clv.transactions.sources import Source
from clv.value.value_intervals import sample_by_value

if TYPE_CHECKING:
    import ibis.expr.types as ir

__all__ = ["ROW_GROUP", "write_values"]

ROW_GROUP = 122_880
"""Rows of one Parquet row group, as many as the engine puts in one part: a look-up of one customer
reads one of them."""

STORED_UP_TO = 200_000
"""Customers of whom all bounds are stored."""

SAMPLED = 1_000
"""Customers that tell the bounds of the total of a larger book."""

WITHOUT_TOTAL = "Without a horizon no interval of what is to come is drawn."


def write_values(
    scored: ir.Table,
    file: Path,
    opened: Source,
    draws: Mapping[str, ParameterDraws[Any]],
    about: ValuedBy,
) -> dict[str, Any]:
    """Write one row a customer, by id; of many customers bounds are left to be drawn when asked.

    Parameters
    ----------
    scored : ibis.Table
        From :func:`clv.value.lifetime_value.score`, in any order.
    file : Path
        Parquet file to write.
    opened : Source
        Whose engine holds the table.
    draws : mapping of str to ParameterDraws
        From :func:`clv.book.intervals.draws_of`.
    about : ValuedBy
        How the values came about.

    Returns
    -------
    dict
        `drawn`: "stored" or "asked"; `lifetime_value`: bounds of the sum over all customers, or
        None; `without_total`: why none.
    """
    scored = scored.select(*SCORE_COLUMNS, "first_date")
    some, finite = all(draws.values()), about.terms.horizon_months is not None
    told = WITHOUT_TOTAL if some and not finite else ""
    if about.customers <= STORED_UP_TO:
        rows = _with_plain_texts(opened.collect(scored.order_by("customer_id")))
        rows, total = with_bounds(rows, draws, about)
        pq.write_table(rows, file, row_group_size=ROW_GROUP, compression="zstd")
        return {"drawn": "stored", "lifetime_value": total, "without_total": told}
    if not (some and finite):
        _write_without_bounds(scored, file, opened)
        return {"drawn": "asked", "lifetime_value": None, "without_total": told}
    scored = opened.materialise(scored)
    sample, weight, whole = _sample(scored, opened)
    with beside() as pool:  # the draws keep one core busy, and the engine the others
        total_drawn = pool.submit(total_of_sample, sample, draws, about, weight, whole)
        _write_without_bounds(scored, file, opened)
    opened.engine.drop(scored)
    return {"drawn": "asked", "lifetime_value": total_drawn.result(), "without_total": told}


def _write_without_bounds(scored: ir.Table, file: Path, opened: Source) -> None:
    """Write the rows by the engine; the bounds are nulls."""
    values = scored.mutate(**{name: ibis.null("float64") for name in INTERVAL_COLUMNS})
    opened.write_parquet(values.order_by("customer_id"), file, row_group_size=ROW_GROUP)


def _sample(scored: ir.Table, opened: Source) -> tuple[pa.Table, Floats, float]:
    """Choose customers who tell the total: their rows, for how many each stands, and the total.

    An engine has the rows in no order, so they are chosen by their place in the order of values.
    Of customers with the same value the first by the other columns stands for all.
    """
    values = np.sort(opened.collect(scored.select("lifetime_value")).column(0).to_numpy())
    places, weights = sample_by_value(values, SAMPLED)
    chosen, of = np.unique(values[places], return_inverse=True)
    asked = opened.engine.from_arrow(pa.table({"lifetime_value": chosen}))
    like = scored.select(*NEEDED).semi_join(asked, "lifetime_value").distinct()
    rows = opened.collect(like.order_by(*NEEDED))
    _, first = np.unique(rows.column("lifetime_value").to_numpy(), return_index=True)
    return rows.take(first), np.bincount(of, weights).astype(float), float(np.sum(values))


def _with_plain_texts(rows: pa.Table) -> pa.Table:
    """Engines differ in whether their texts are large; the file's never are."""
    fields = [
        field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))
