"""Is spend independent of frequency: right where it is, found out where it is not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare, pearsonr

from clv.errors import NotIdentifiedError
from clv.history import Histories
from clv.inference.independence import SpendIndependence, spend_independence
from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma
from clv.transactions.summary import CustomerHistories

CDNOW = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)  # models.md
CDNOW_SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)  # models.md


def spenders(customers: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Repeat transactions and mean spend where the assumption holds."""
    x, _ = CDNOW.simulate(np.full(customers, 39.0), rng)
    x = x[x > 0]
    return x, CDNOW_SPEND.simulate(x, rng)


def result_of(x: Any, m: Any, weights: Any = None) -> SpendIndependence:
    x = np.asarray(x, dtype=float)
    T = np.full(len(x), 39.0)
    return spend_independence(Histories.from_arrays(x, T, T, m, weights=weights, unit="week"))


def test_the_correlation_is_pearsons() -> None:
    x, m = spenders(3000, np.random.default_rng(1))
    result = result_of(x, m)
    assert result.correlation == pytest.approx(float(np.corrcoef(x, m)[0, 1]), rel=1e-12)
    assert result.customers == len(x)
    assert -1 <= result.low < result.correlation < result.high <= 1


def test_the_correlation_of_cdnow(cdnow: CustomerHistories) -> None:
    rows = cdnow.to_pandas().query("spend_frequency > 0")
    by_scipy = pearsonr(rows["spend_frequency"], rows["monetary_value"])
    result = spend_independence(cdnow)
    assert result.customers == 946  # models.md
    assert result.correlation == pytest.approx(by_scipy.statistic, rel=1e-12)
    # One interval for normal, equal spread; ours is wider, since a few spend very much.
    assert result.high - result.low > np.ptp(by_scipy.confidence_interval(0.95))
    assert "no sign against" in result.sentence


def test_where_spend_is_independent_the_p_value_is_uniform() -> None:
    """500 shops whose customers are drawn from both models, at what CDNOW's are like."""
    rng = np.random.default_rng(2)
    p = np.array([result_of(*spenders(6000, rng)).p_value for _ in range(500)])
    counts = np.histogram(p, bins=5, range=(0, 1))[0]
    assert counts.sum() == 500
    # Spend has heavy tails (q = 3.74), so exact uniformity is not to be had from any test.
    assert chisquare(counts).pvalue > 1e-3
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 500))


def test_a_few_customers_are_not_called_dependent_more_often_than_one_time_in_twenty() -> None:
    """1,000 small shops: who buys very often pulls the slope, and so hides the own residual."""
    rng = np.random.default_rng(7)
    p = []
    for _ in range(1000):
        x, m = spenders(300, rng)
        p.append(result_of(x[:30], m[:30]).p_value)
    assert np.mean(np.array(p) < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.parametrize("x", [[1, 2], [1, 1, 1, 5]])
def test_one_customer_who_alone_buys_so_often_proves_nothing(x: list[int]) -> None:
    """A line through two points, or through a mean and one point, meets them whatever they are."""
    result = result_of(x, [3.0, 5.0, 4.0, 9.0][: len(x)])
    assert (result.low, result.high, result.p_value) == (-1.0, 1.0, 1.0)
    assert result.sentence.endswith(
        "too wide to tell whether they are independent, as Gamma-Gamma assumes."
    )


def test_a_dependence_that_is_sure_but_small_is_told_as_such() -> None:
    x, m = spenders(100_000, np.random.default_rng(8))
    result = result_of(x, m * x**0.03)
    assert result.low > 0
    assert result.correlation < 0.1
    assert "too weakly to matter" in result.sentence


def test_the_interval_holds_where_the_spread_of_spend_goes_with_frequency() -> None:
    """One in ten buys often, and they vary five times as much: 1/√n would be far too sure."""
    rng = np.random.default_rng(3)
    inside, found, errors = 0, [], []
    for _ in range(400):
        x = rng.choice([1.0, 10.0], 2000, p=[0.9, 0.1])
        m = 100 + rng.normal(0, np.where(x == 10, 10, 2))
        result = result_of(x, m)
        inside += result.low <= 0 <= result.high
        found.append(result.correlation)
        errors.append((result.high - result.low) / 2 / 1.96)
    assert np.std(found) > 1.5 / np.sqrt(2000)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.15)
    assert inside / 400 == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / 400))


@pytest.mark.parametrize(("slope", "seldom"), [(0.5, "high"), (-0.5, "low")])
def test_dependence_is_detected_and_its_direction_told(slope: float, seldom: str) -> None:
    """Buyers of more spend more: a model without that values those who buy seldom too high."""
    x, m = spenders(6000, np.random.default_rng(4))
    result = result_of(x, m * x**slope)
    assert result.p_value < 1e-3
    assert result.correlation * slope > 0
    assert not result.low <= 0 <= result.high
    assert "against Gamma-Gamma's assumption" in result.sentence
    assert "no sign" not in result.sentence
    assert f"seldom are valued somewhat too {seldom}" in result.sentence


def test_independence_is_told() -> None:
    result = result_of(*spenders(3000, np.random.default_rng(5)))
    assert "no sign against" in result.sentence
    assert f"{result.customers:,} customers" in result.sentence


def test_weights_are_customers() -> None:
    x, m = spenders(500, np.random.default_rng(6))
    one = result_of(np.repeat(x, 3), np.repeat(m, 3))
    other = result_of(x, m, np.full(len(x), 3))
    assert one.to_dict() == other.to_dict()
    assert json.loads(json.dumps(one.to_dict(), allow_nan=False)) == one.to_dict()


@pytest.mark.parametrize(
    ("x", "m", "told"),
    [
        (
            [1, 2, 3],
            [20.0, 20.0, 20.0],
            "does not vary among the customers with repeat purchases \\(3\\)",
        ),
        (
            [2, 2, 2],
            [10.0, 20.0, 30.0],
            "does not vary among the customers with repeat purchases \\(3\\)",
        ),
        ([2], [10.0], "does not vary among the customers with repeat purchases \\(1\\)"),
        ([1, 2], [0.0, 0.0], "Nobody bought again for an amount above 0"),
        ([1, 2], None, "have no spend"),
    ],
)
def test_what_cannot_be_compared_is_refused(x: Any, m: Any, told: str) -> None:
    with pytest.raises(NotIdentifiedError, match=told):
        result_of(x, m)
