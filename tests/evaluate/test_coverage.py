"""Predictive intervals on purchases that the fit has not seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clv
from clv.evaluate.coverage import covered_share
from clv.transactions.split import Holdout


@pytest.fixture(scope="module")
def split() -> Holdout:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    return clv.holdout(orders, calibration_end="1997-09-30", end="1998-06-30", unit="week")


def test_80_percent_hold_on_cdnow_in_every_group_of_frequency(split: Holdout) -> None:
    # The target: within 5 points of 80 % over the 39 weeks held out, by frequency group.
    found = clv.coverage(clv.posterior(clv.BGNBD.fit(split.calibration)), split)
    assert found.covered == pytest.approx(0.8, abs=0.05)
    for group, customers, covered in found.groups:
        assert covered == pytest.approx(0.8, abs=0.05), (group, customers)
    assert sum(customers for _, customers, _ in found.groups) == 2357  # Fader, Hardie & Lee (2005)


def test_an_outcome_of_no_probability_is_covered_or_not() -> None:
    """A customer who buys far more than the model can say: F(y − 1) and F(y) are both 1."""
    certain = np.array([0.0, 0.5, 1.0])
    assert covered_share(certain, certain, 0.8).tolist() == [0.0, 1.0, 0.0]


@given(
    st.lists(st.floats(0.01, 1), min_size=1, max_size=8),
    st.floats(0.05, 0.95),
)
def test_the_right_distribution_is_covered_exactly(weights: list[float], level: float) -> None:
    p = np.array(weights) / sum(weights)
    up_to = np.minimum(np.cumsum(p), 1)
    below = np.concatenate([[0], up_to[:-1]])
    assert float(p @ covered_share(below, up_to, level)) == pytest.approx(level, abs=1e-9)
