"""How regular purchases are: its mean by enumeration, its k by simulation."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

import clv
from clv.quality.check import check_orders
from clv.quality.purchase_times import usual_wait

START = date(2014, 1, 1)


def orders(days: list[list[int]]) -> pa.Table:
    """One customer a list of days."""
    return pa.table(
        {
            "customer_id": pa.array([i for i, some in enumerate(days) for _ in some], pa.int64()),
            "date": [START + timedelta(days=int(d)) for some in days for d in some],
        }
    )


@pytest.mark.parametrize(("x", "t"), [(2, 5), (2, 30), (3, 7), (4, 9), (6, 8)])
def test_purchases_at_random_have_a_dispersion_of_one(x: int, t: int) -> None:
    """Every choice of x - 1 days between the first and the last is as likely: all of them."""
    every = [[0, *between, t] for between in combinations(range(1, t), x - 1)]
    while len(every) < 30:  # below that the check says nothing
        every += every
    found = check_orders(orders(every))["regularity"]
    assert found.figures["customers"] == len(every)
    assert found.figures["dispersion"] == pytest.approx(1, abs=1e-6)
    assert found.figures["k"] == pytest.approx(1, abs=1e-3)


def test_the_dispersion_is_the_mean_over_customers() -> None:
    """By the definition, in fractions, on customers who buy by chance."""
    rng = np.random.default_rng(0)
    days = [sorted(rng.choice(200, rng.integers(3, 9), replace=False).tolist()) for _ in range(60)]
    squares = []
    for some in days:
        x, t = len(some) - 1, some[-1] - some[0]
        if t > x:
            off = sum(d - some[0] for d in some[1:-1]) - Fraction((x - 1) * t, 2)
            squares.append(off**2 / Fraction((x - 1) * t * (t - x), 12))
    found = check_orders(orders(days))["regularity"].figures
    assert found["customers"] == len(squares)
    assert found["dispersion"] == pytest.approx(float(sum(squares) / len(squares)), abs=1e-6)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_k_of_erlang_waits_is_found(k: int) -> None:
    """Waits drawn from Gamma(k, 60 days / k), up to eight of them a customer."""
    rng = np.random.default_rng(k)
    days = []
    for many in rng.integers(2, 9, 3000):
        waits = rng.gamma(k, 60 / k, many)
        days.append(sorted({0, *np.cumsum(waits).astype(int).tolist()}))
    found = check_orders(orders(days))["regularity"].figures
    # Standard error of the dispersion, by the interval, as that of ln k: k falls about as 1/D.
    error = k * (found["high"] - found["low"]) / 3.92 / found["dispersion"]
    assert found["k"] == pytest.approx(k, abs=5 * error)


def test_the_usual_wait_is_the_median_of_the_mean_waits() -> None:
    days = [[0, 10], [0, 10, 40], [0, 50], [3], [0, 30]]
    found = clv.histories(clv.read_orders(orders(days)), unit="week")
    assert usual_wait(found) == pytest.approx(20)  # of 10, 20, 30, 50 the lower of the middle
    assert usual_wait(clv.histories(clv.read_orders(orders([[0], [4]])))) is None


def test_without_three_purchases_of_anybody_nothing_is_counted() -> None:
    found = check_orders(orders([[0, 5], [3]]))["regularity"]
    assert found.sentence.startswith("No customer has three purchases")
