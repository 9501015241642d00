"""The limit of Gamma-Gamma where customers do not differ: when it is taken, and what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clv
from clv.errors import NotIdentifiedError, ParameterError
from clv.models.pooled_spend import PooledSpend, customers_differ


def histories(x: npt.NDArray[Any], m: npt.NDArray[Any]) -> clv.Histories:
    """Customers with x repeat purchases of mean m, a week apart."""
    return clv.Histories.from_arrays(x, 7.0 * x, 7.0 * x + 7, m, unit="day")


def drawn(q: float, seed: int, customers: int = 400, p: float = 4.0) -> clv.Histories:
    """Spend of customers whose purchases have mean 30; they differ as q says, inf not at all."""
    rng = np.random.default_rng(seed)
    x = 1.0 + rng.poisson(5.0, customers)
    mean = np.full(customers, 30.0) if np.isinf(q) else 30 * (q - 1) / rng.gamma(q, size=customers)
    return histories(x, mean * rng.gamma(p * x) / (p * x))


@given(st.integers(1, 40), st.floats(0.01, 1e4))
def test_all_the_same_is_the_limit(customers: int, amount: float) -> None:
    x = np.arange(1.0, customers + 2)
    found = PooledSpend.fit(histories(x, np.full(customers + 1, amount)))
    assert found.model.mean == pytest.approx(amount, rel=1e-12)


def test_the_mean_is_that_of_all_purchases() -> None:
    x, m = np.array([1.0, 4.0, 10.0]), np.array([8.0, 11.0, 10.0])
    found = PooledSpend.fit(histories(x, m))
    assert found.model.mean == pytest.approx((8 + 44 + 100) / 15)  # Σ x m / Σ x
    assert (found.customers, found.purchases) == (3, 15)
    assert found.model.expected_spend(x, m).tolist() == [found.model.mean] * 3


@pytest.mark.parametrize("seed", range(5))
def test_customers_who_differ_are_seen(seed: int) -> None:
    with pytest.raises(NotIdentifiedError, match="by more than chance"):
        PooledSpend.fit(drawn(3.0, seed))


@pytest.mark.parametrize("seed", range(8))
def test_it_decides_by_the_slope_of_the_likelihood(seed: int) -> None:
    """In 1/q at the limit: (ln L(q) − ln L(2q)) · 2q of Gamma-Gamma itself, q = 20,000."""
    spend = drawn(np.inf, seed).spend
    assert spend is not None
    x, m, n = spend.frequency, spend.mean_value, spend.weight
    mean, q = float(n @ (x * m) / (n @ x)), 20_000.0

    def of(p: float, q: float) -> float:
        return float(n @ clv.GammaGamma(p, q, mean * q / p).log_likelihood(x, m))

    grid = np.linspace(2, 8, 601)  # drawn with p = 4
    p = grid[np.argmax([of(p, 1e7) for p in grid])]
    slope = (of(p, q) - of(p, 2 * q)) * 2 * q
    if abs(slope) > 2:  # p is known to .01 only
        assert customers_differ(spend) == (slope > 0)


def test_it_carries_a_concern() -> None:
    found = PooledSpend.fit(histories(np.array([1.0, 2.0]), np.array([12.0, 12.0])))
    assert not found.identified
    assert "12.00 each" in found.concerns[0]
    assert found.to_dict()["concerns"] == list(found.concerns)


def test_too_little_to_learn_from() -> None:
    with pytest.raises(NotIdentifiedError, match="0 of 2 customers"):
        PooledSpend.fit(clv.Histories.from_arrays([1, 2], [7, 9], [30, 30]))
    with pytest.raises(NotIdentifiedError, match="1 of 1 customers"):
        PooledSpend.fit(histories(np.array([2.0]), np.array([12.0])))
    for mean in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ParameterError):
            PooledSpend(mean)
