"""No time ahead: nothing is bought in it, for certain and without a warning."""

from __future__ import annotations

import pytest

from clv import BGNBD, MBGNBD, ParetoNBD
from clv.models.base import PurchaseModel


@pytest.mark.parametrize(
    "model",
    [
        BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
        MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614),
        ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669),
    ],
    ids=lambda model: model.name,
)
def test_nothing_is_bought_in_no_time(model: PurchaseModel) -> None:
    assert model.pmf([0, 1, 2], 0, 2, 3, 4).tolist() == [1.0, 0.0, 0.0]
    assert model.expected_purchases(0, 2, 3, 4) == 0
