"""The value of each customer: scored on distinct histories, joined back in the engine.

    value_if_alive = margin × expected spend × E[discounted purchases within the horizon | alive]
    expected spend = share of purchases that are paid for × E[spend of a paid one]
    lifetime_value = P(alive) × value_if_alive

The purchases are an exact integral over time (no month is a step of it). The expectations need
(x, t_x, T) only, so they are computed once for each distinct history; expected spend is arithmetic
on the customer's own row and stays in the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from clv.arrays import Floats
from clv.errors import FitError
from clv.models.base import PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.models.maximum_likelihood import Fit
from clv.models.pooled_spend import PooledSpend, PooledSpendFit
from clv.side_by_side import side_by_side, slices
from clv.transactions.summary import CustomerHistories
from clv.value.leaving import value_leaving
from clv.value.terms import Terms

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

__all__ = ["lifetime_value", "score"]

PART = 65_536
"""Histories that are valued at once."""

LEAVING = ("p_leaves", "value_leaves")
INTERNAL = ("first_date", "recency_days", "T_days", "discounted_purchases", *LEAVING)


def lifetime_value(
    histories: CustomerHistories,
    purchases: PurchaseModel | Fit[PurchaseModel],
    spend: GammaGamma | PooledSpend | Fit[GammaGamma] | PooledSpendFit,
    *,
    margin: float,
    discount_rate: float,
    horizon_months: int | None = None,
) -> pd.DataFrame:
    """Value every customer.

    Parameters
    ----------
    histories : CustomerHistories
        From :func:`clv.histories`; the models must be in its unit of time.
    purchases : PurchaseModel or Fit
        When customers buy and leave: :class:`clv.BGNBD` or another, or a fit of it.
    spend : GammaGamma, PooledSpend or Fit
        What a purchase is worth, or a fit of it.
    margin : float
        Share of revenue that remains, above 0 and at most 1.
    discount_rate : float
        Effective annual rate, such as 0.10.
    horizon_months : int, optional
        Calendar months after the end of observation that count; all the future by default.

    Returns
    -------
    pandas.DataFrame
        One row a customer, by `customer_id`: frequency, recency, T, monetary_value,
        spend_frequency, p_alive, expected_purchases (within the horizon), expected_spend
        (per purchase), value_if_alive and lifetime_value (in money of the orders, at the end of
        observation). `attrs["concerns"]` has what the fits say every later figure must carry;
        models alone carry none.

    Raises
    ------
    RequestError
        Where the terms make no sense, or the value is infinite.
    FitError
        Where the spend model has no finite mean for some customers.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> h = clv.histories(orders, end="1997-09-30", unit="week")
    >>> values = clv.lifetime_value(h, clv.BGNBD.fit(h), clv.GammaGamma.fit(h),
    ...                             margin=.4, discount_rate=.1, horizon_months=36)
    >>> len(values), round(float(values.loc["0001", "expected_spend"]), 2)
    (2357, 24.65)
    """
    terms = Terms(margin, discount_rate, horizon_months)
    fits = [given for given in (purchases, spend) if isinstance(given, Fit | PooledSpendFit)]
    table = score(
        histories,
        purchases.model if isinstance(purchases, Fit) else purchases,
        spend.model if isinstance(spend, Fit | PooledSpendFit) else spend,
        terms,
    ).drop(*INTERNAL)
    frame: pd.DataFrame = histories.opened.collect(table.order_by("customer_id")).to_pandas()
    frame = frame.set_index("customer_id")
    frame.attrs["concerns"] = [concern for fit in fits for concern in fit.concerns]
    return frame


def score(
    histories: CustomerHistories,
    purchases: PurchaseModel,
    spend: GammaGamma | PooledSpend,
    terms: Terms,
    *,
    leave_months: int = 12,
) -> ir.Table:
    """Score all customers as a table in the engine, in any order.

    Besides the columns of :func:`lifetime_value` it has `first_date`, `discounted_purchases` (if
    alive), `p_leaves`, the probability that a customer who is alive leaves within `leave_months`,
    and `value_leaves`, the part of the value that leaves with such customers.
    """
    customers = histories.table
    refuse_infinite_spend(histories, spend)
    leaving = Terms(1.0, 0.0, leave_months).horizon(histories.end, histories.unit)
    scores = histories.opened.engine.from_arrow(
        pa.table(
            {
                "frequency": histories.frequency,
                "recency": histories.recency,
                "T": histories.T,
                **_expectations(histories, purchases, terms, leaving),
            }
        )
    )
    joined = customers.inner_join(scores, ["frequency", "recency", "T"])
    spent = paid_share(histories) * _expected_spend(spend, joined)
    joined = joined.mutate(expected_spend=spent)
    joined = joined.mutate(
        value_if_alive=terms.margin * joined.expected_spend * joined.discounted_purchases
    )
    return joined.mutate(lifetime_value=joined.p_alive * joined.value_if_alive)


def _expectations(
    histories: CustomerHistories, purchases: PurchaseModel, terms: Terms, leaving: float
) -> dict[str, pa.Array]:
    """What the purchase model expects of each distinct history, columns by name."""
    unit = histories.unit
    rate, horizon = terms.rate(unit), terms.horizon(histories.end, unit)

    def part(rows: slice) -> dict[str, Floats]:
        x, t_x, T = (c[rows] for c in (histories.frequency, histories.recency, histories.T))
        p_alive = purchases.p_alive(x, t_x, T)
        discounted = purchases.discounted_purchases_if_alive(x, T, t_x, rate=rate, horizon=horizon)
        if np.isinf(horizon):
            expected = np.full_like(x, np.nan)
        else:
            expected = p_alive * purchases.expected_purchases_if_alive(horizon, x, T, t_x)
        value_leaves = value_leaving(
            purchases,
            x,
            t_x,
            T,
            rate=rate,
            horizon=horizon,
            leaving=leaving,
            discounted=discounted,
        )
        return {
            "p_alive": p_alive,
            "expected_purchases": expected,
            "discounted_purchases": discounted,
            "p_leaves": 1 - purchases.survival_if_alive(leaving, x, T, t_x),
            "value_leaves": value_leaves,
        }

    parts = side_by_side(part, slices(len(histories), PART))
    columns = {name: np.concatenate([found[name] for found in parts]) for name in parts[0]}
    return {name: pa.array(column, from_pandas=True) for name, column in columns.items()}


def _expected_spend(spend: GammaGamma | PooledSpend, joined: ir.Table) -> ir.FloatingValue:
    """Return the model's `expected_spend` as arithmetic on the customer's row."""
    if isinstance(spend, PooledSpend):
        mean: ir.FloatingValue = 0.0 * joined.T + spend.mean  # to DuckDB 20.0 alone is a decimal
        return mean
    k, m = joined.spend_frequency, joined.monetary_value.fill_null(0.0)
    p, q, v = spend.p, spend.q, spend.v
    spent: ir.FloatingValue = p * (v + k * m) / (p * k + (q - 1))
    return spent


def paid_share(histories: CustomerHistories) -> float:
    """Share of the repeat purchase days that have a positive total; 1 where there is none.

    The purchase model counts free orders, the spend model does not: expected purchases times
    expected spend would value a free order as a paid one.
    """
    customers = histories.table
    sums = histories.opened.collect(
        customers.aggregate(paid=customers.spend_frequency.sum(), all=customers.frequency.sum())
    )
    paid, every = (column[0].as_py() or 0 for column in sums.columns)
    return float(paid) / float(every) if paid and every else 1.0


def refuse_infinite_spend(histories: CustomerHistories, spend: GammaGamma | PooledSpend) -> None:
    """Refuse a spend model with an infinite mean for some of these customers."""
    if isinstance(spend, PooledSpend) or spend.q > 1:
        return
    customers = histories.table
    unbounded = customers.filter(spend.p * customers.spend_frequency + spend.q <= 1)
    counted = unbounded.aggregate(customers=unbounded.count())
    count = int(histories.opened.collect(counted)["customers"][0].as_py())
    if count:
        raise FitError(
            f"Gamma-Gamma's q is {spend.q:.3g}, and at or below 1 the mean spend of a customer who "
            f"is not yet known is infinite: {count:,} customers cannot be valued. A few extreme "
            "amounts do this; look at the largest orders, or fit with a prior on q."
        )
