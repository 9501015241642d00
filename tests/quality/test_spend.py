"""Which purchases are out of line: the limit, and what the largest come to."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import betaprime

from clv.history import Floats
from clv.quality import Finding
from clv.quality.check import check_orders
from clv.quality.report import FINE, LOOK
from tests.bench.order_log import SPEND


def drawn(n: int, seed: int = 0) -> Floats:
    """Single purchases of n customers under Gamma-Gamma."""
    rng = np.random.default_rng(seed)
    mean = SPEND.v / rng.gamma(SPEND.q, 1.0, n)
    return np.round(mean * rng.gamma(SPEND.p, 1.0, n), 2) + 0.01


def checked(amounts: Floats) -> Finding:
    days = [date(2024, 1, 1) + timedelta(days=i % 365) for i in range(len(amounts))]
    who = pa.array(range(len(amounts)), pa.int64())
    return check_orders(pa.table({"customer_id": who, "date": days, "amount": amounts}))["spend"]


def test_the_limit_is_gamma_gammas_own_quantile() -> None:
    found = checked(drawn(100_000)).figures
    # scipy.stats.betaprime is the distribution of the ratio of two gamma variables.
    exact = betaprime(SPEND.p, SPEND.q, scale=SPEND.v).isf(1e-4)
    assert found["limit"] == pytest.approx(exact, rel=0.15)


def test_extreme_purchases_do_not_move_their_own_limit() -> None:
    amounts = drawn(20_000)
    before = checked(amounts).figures["limit"]
    amounts[:20] = 1e6
    found = checked(amounts)
    assert found.figures["limit"] == pytest.approx(before, rel=0.15)
    assert found.verdict == LOOK
    assert found.figures["customers_above"] >= 20
    assert found.figures["largest"] == 1e6


def test_the_largest_come_to_what_they_do() -> None:
    amounts = drawn(5_000)
    found = checked(amounts).figures
    top = np.sort(amounts)[-50:].sum() / amounts.sum()
    assert found["top_1_percent_of_purchases"] == pytest.approx(top, rel=0.01)  # steps of 2 %
    assert found["top_1_percent_of_customers"] == pytest.approx(top, rel=0.01)  # one purchase each


@pytest.mark.parametrize(
    "amounts", [np.full(2000, 9.99), np.tile([5.0, 9.0], 1000), np.zeros(50), drawn(30)]
)
def test_prices_of_which_no_tail_is_known_are_fine(amounts: Floats) -> None:
    found = checked(amounts)
    assert found.verdict == FINE
    assert found.figures["limit"] is None


def test_free_purchases_are_counted() -> None:
    amounts = drawn(2000)
    amounts[:7] = 0
    assert checked(amounts).figures["free_purchases"] == 7
