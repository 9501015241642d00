"""CDNOW fits that several tests ask about."""

from __future__ import annotations

import pytest

import clv
from clv.transactions.split import Holdout
from clv.transactions.summary import CustomerHistories


@pytest.fixture(scope="session")
def cdnow_split() -> Holdout:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    return clv.holdout(orders, calibration_end="1997-09-30", end="1998-06-30", unit="week")


@pytest.fixture(scope="session")
def cdnow(cdnow_split: Holdout) -> CustomerHistories:
    return cdnow_split.calibration
