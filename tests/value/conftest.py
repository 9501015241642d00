"""The CDNOW histories, in weeks and in days, with one model said in both."""

from __future__ import annotations

from dataclasses import replace

import pytest

import clv
from clv.transactions.summary import CustomerHistories

# Fader, Hardie & Lee (2005), table 2 (weeks), and (2005b).
PURCHASES = clv.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
SPEND = clv.GammaGamma(p=6.25, q=3.74, v=15.44)
END = "1997-09-30"


@pytest.fixture(scope="session")
def weeks() -> CustomerHistories:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    return clv.histories(orders, end=END, unit="week")


@pytest.fixture(scope="session")
def days() -> CustomerHistories:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    return clv.histories(orders, end=END, unit="day")


@pytest.fixture(scope="session")
def models() -> dict[str, clv.BGNBD]:
    """The same customers in both units: α is a time, the rest has no unit."""
    return {"week": PURCHASES, "day": replace(PURCHASES, alpha=7 * PURCHASES.alpha)}


@pytest.fixture(scope="session")
def spend() -> clv.GammaGamma:
    return SPEND
