"""What is at stake with each customer, under models drawn from the posterior."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clv.models.base import PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.value.value_intervals import CustomerColumns

__all__ = ["Stakes", "stakes_under"]

Floats = npt.NDArray[np.float64]


class Stakes(NamedTuple):
    """What a retention budget is about, one value a customer.

    Attributes
    ----------
    p_alive, value_if_alive, p_leaves, expected_spend : ndarray, shape (n,)
        As in the rows of a customer book.
    """

    p_alive: Floats
    value_if_alive: Floats
    p_leaves: Floats
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
        Time ahead in which `p_leaves` counts.
    """
    c = customers
    for model, spend in zip(purchases, spends, strict=True):
        each = paid_share * spend.expected_spend(c.k, c.m)
        bought = model.discounted_purchases_if_alive(c.x, c.T, c.t_x, rate=rate, horizon=horizon)
        yield Stakes(
            p_alive=model.p_alive(c.x, c.t_x, c.T),
            value_if_alive=margin * each * bought,
            p_leaves=1 - model.survival_if_alive(leaving, c.x, c.T, c.t_x),
            expected_spend=each,
        )
