"""What is at stake with each customer, under models drawn from the posterior."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from clv.arrays import Floats
from clv.models.base import PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.value.leaving import value_leaving
from clv.value.value_intervals import CustomerColumns

__all__ = ["Stakes", "stakes_under"]


class Stakes(NamedTuple):
    """What a retention budget is about, one value a customer.

    Attributes
    ----------
    p_alive, value_if_alive, expected_spend : ndarray, shape (n,)
        As in the rows of a customer book.
    value_leaves : ndarray, shape (n,)
        Part of `value_if_alive` that leaves within the period.
    """

    p_alive: Floats
    value_if_alive: Floats
    value_leaves: Floats
    expected_spend: Floats


def stakes_under(
    purchases: Sequence[PurchaseModel],
    spends: Sequence[GammaGamma],
    customers: CustomerColumns,
    *,
    margin: float,
    paid_share: float,
    rate: float,
    horizon: float,
    leaving: float,
) -> Iterator[Stakes]:
    """Yield the stakes under each pair of models: expectations, no chance in them.

    Parameters
    ----------
    purchases, spends : sequence of models
        From the posteriors, equally likely, as many of the one as of the other.
    customers : CustomerColumns
        Histories and spend of the customers asked about.
    margin, paid_share : float
        Share of revenue that remains; share of purchases that are paid for.
    rate, horizon : float
        Continuous discount rate per unit of time; how far ahead value counts.
    leaving : float
        Time ahead in which `value_leaves` counts.
    """
    c = customers
    for model, spend in zip(purchases, spends, strict=True):
        each = paid_share * spend.expected_spend(c.k, c.m)
        bought = model.discounted_purchases_if_alive(c.x, c.T, c.t_x, rate=rate, horizon=horizon)
        yield Stakes(
            p_alive=model.p_alive(c.x, c.t_x, c.T),
            value_if_alive=margin * each * bought,
            value_leaves=value_leaving(
                model,
                c.x,
                c.t_x,
                c.T,
                rate=rate,
                horizon=horizon,
                leaving=leaving,
                discounted=bought,
            ),
            expected_spend=each,
        )
