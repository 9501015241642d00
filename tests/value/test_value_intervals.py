"""Intervals of values: what they cover, and that a total is neither the sum of bounds nor certain.

The customers are drawn from known models at the published CDNOW parameters (Fader, Hardie & Lee
2005, table 2, and 2005b), so that what they go on to do can be drawn too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clv
from clv.models.purchase_paths import simulate_path
from clv.value.forecast_intervals import draw_sums
from clv.value.value_intervals import (
    CustomerColumns,
    bounds,
    sample_by_value,
    total_interval,
    value_intervals,
)

Floats = npt.NDArray[np.float64]
PURCHASES = clv.BGNBD(0.243, 4.414, 0.793, 2.426)
SPEND = clv.GammaGamma(6.25, 3.74, 15.44)
KNOWN: dict[str, Any] = {"margin": 0.4, "paid_share": 1.0, "rate": 0.0018, "horizon": 156.0}
WEEKS = np.arange(0.5, 157)  # middle of each week to come


def customers(n: int, seed: int = 1) -> CustomerColumns:
    rng = np.random.default_rng(seed)
    T = rng.uniform(27, 39, n)
    x, t_x = PURCHASES.simulate(T, rng)
    return CustomerColumns(x, t_x, T, x, np.nan_to_num(SPEND.simulate(x, rng)))


def discount(some: CustomerColumns) -> Floats:
    """Mean discount factor of each customer's purchases: by the model's own expectations."""
    due = PURCHASES.discounted_purchases_if_alive(
        some.x, some.T, some.t_x, rate=KNOWN["rate"], horizon=KNOWN["horizon"]
    )
    return np.asarray(due / PURCHASES.expected_purchases_if_alive(156.0, some.x, some.T, some.t_x))


def came(some: CustomerColumns, seed: int) -> Floats:
    """What each customer goes on to be worth: every purchase discounted from its own week."""
    rng = np.random.default_rng(seed)
    weekly = np.diff(
        simulate_path(PURCHASES, list(WEEKS + 0.5), rng, some.x, some.t_x, some.T),
        axis=0,
        prepend=0,
    )
    nu = rng.gamma(SPEND.q + SPEND.p * some.k) / (SPEND.v + some.k * some.m)
    worth = rng.gamma(SPEND.p * np.maximum(weekly, 1e-12)) / nu * (weekly > 0)
    return np.asarray(0.4 * np.exp(-KNOWN["rate"] * WEEKS) @ worth)


def known(some: CustomerColumns, **more: Any) -> Any:
    """Intervals with the parameters known for certain."""
    models = ([PURCHASES] * 399, [SPEND] * 399)
    return value_intervals(*models, some, discount=discount(some), **KNOWN | more)


@given(st.lists(st.floats(-1e6, 1e6), min_size=99, max_size=99))
def test_bounds_leave_ten_of_a_hundred_on_either_side(draws: list[float]) -> None:
    low, high = bounds(np.array(draws)[:, None])[:, 0]
    ranked = sorted(draws)
    assert (low, high) == (ranked[9], ranked[89])  # 10th and 90th of 99: (90 − 10)/(99 + 1) = .8


def test_eight_in_ten_customers_come_to_lie_within() -> None:
    """With every purchase dated, though the interval counts each at the mean discount.

    Who buys nothing more comes to exactly 0, a tie: the interval then holds at least .8. One in
    ten is above it all the same, and, where it is nearly certain to buy again, one in ten below.
    Within 4 standard errors of a share of so many customers and half a point.
    """
    some = customers(40_000)
    held = known(some).lifetime_value
    what = came(some, seed=2)
    alive = PURCHASES.p_alive(some.x, some.t_x, some.T)
    assert ((held[0] <= what) & (what <= held[1])).mean() >= 0.8
    again, surely = (some.x >= 1) & (alive > 0.6), (some.x >= 5) & (alive > 0.92)
    for share, of in (((what > held[1])[again], again), ((what < held[0])[surely], surely)):
        assert of.sum() > 150
        assert abs(share.mean() - 0.1) < 4 * np.sqrt(0.09 / of.sum()) + 0.005


def test_a_total_is_nearly_certain_where_the_parameters_are() -> None:
    """Chance cancels: relative width falls as 1/√n, and the sum of bounds is far too wide."""
    few, many = customers(1_000), customers(16_000)
    widths = []
    for some in (few, many):
        found = known(some)
        expected = (
            0.4 * SPEND.expected_spend(some.k, some.m) * PURCHASES.discounted_expected_transactions(
                some.x, some.t_x, some.T, rate=KNOWN["rate"], horizon=KNOWN["horizon"]
            )
        ).sum()  # fmt: skip
        low, high = found.total
        assert low < expected < high
        assert high - low < 0.2 * (found.lifetime_value[1] - found.lifetime_value[0]).sum()
        widths.append((high - low) / expected)
    assert 2.5 < widths[0] / widths[1] < 6.5  # √16 = 4, 399 and 99 draws


def test_parameters_are_shared_by_all_customers() -> None:
    """Half of the models expect twice the spend: the total is as unsure as one expectation."""
    some = customers(4_000)
    double = clv.GammaGamma(SPEND.p, SPEND.q, 2 * SPEND.v)
    new = CustomerColumns(some.x, some.t_x, some.T, 0 * some.k, 0 * some.m)  # spend not known
    spends = [SPEND if i % 2 else double for i in range(399)]
    found = value_intervals([PURCHASES] * 399, spends, new, discount=discount(some), **KNOWN)
    assert found.total is not None
    assert found.total[1] / found.total[0] > 1.7
    ratio = found.value_if_alive[1] / found.value_if_alive[0]
    assert ratio == pytest.approx(2.0, rel=1e-6)


def test_of_known_parameters_the_expectation_is_certain() -> None:
    some = customers(200)
    found = known(some)
    expected = 0.4 * SPEND.expected_spend(some.k, some.m)
    expected = expected * PURCHASES.discounted_purchases_if_alive(
        some.x, some.T, some.t_x, rate=KNOWN["rate"], horizon=KNOWN["horizon"]
    )
    assert found.value_if_alive[0] == pytest.approx(expected, rel=1e-6)
    assert found.value_if_alive[1] == pytest.approx(expected, rel=1e-6)


def test_without_a_horizon_there_is_the_expectation_alone() -> None:
    found = known(customers(50), horizon=np.inf)
    assert found.lifetime_value is None
    assert found.total is None
    assert (found.value_if_alive[0] > 0).all()


def test_half_of_the_purchases_free_halves_the_total() -> None:
    some = customers(8_000)
    full, half = known(some), known(some, paid_share=0.5)
    assert sum(half.total) == pytest.approx(0.5 * sum(full.total), rel=0.1)
    assert half.value_if_alive == pytest.approx(0.5 * full.value_if_alive, rel=1e-6)


# ---------------------------------------------------------------------------------------- forecasts


def expectations(some: CustomerColumns, times: list[float]) -> tuple[Floats, Floats]:
    until = [PURCHASES.expected_purchases(t, some.x, some.t_x, some.T) for t in times]
    each = np.diff(np.stack(until), axis=0, prepend=0)
    return each.sum(axis=1), each @ SPEND.expected_spend(some.k, some.m)


def sums(some: CustomerColumns, **more: Any) -> Any:
    times = [4.0, 8.0, 26.0]
    return draw_sums(
        [PURCHASES] * 399, [SPEND] * 399, some, times, fitted=(PURCHASES, SPEND),
        expected=expectations(some, times), paid_share=1.0, **more,
    )  # fmt: skip


def test_the_mean_of_the_draws_is_the_forecast() -> None:
    some = customers(6_000)
    for drawn, expected in zip(sums(some), expectations(some, [4.0, 8.0, 26.0]), strict=True):
        error = drawn.std(axis=0) / np.sqrt(len(drawn))
        assert (np.abs(drawn.mean(axis=0) - expected) < 5 * error).all()


def test_a_sample_says_as_much_as_all_customers() -> None:
    """Mean and spread of the draws of 4,000 of 24,000 customers are those of all of them."""
    some = customers(24_000)
    every, sampled = sums(some), sums(some, sample=4_000)
    for one, other in zip(every, sampled, strict=True):
        assert other.mean(axis=0) == pytest.approx(one.mean(axis=0), rel=0.03)
        spread = other.std(axis=0) / one.std(axis=0)
        assert (spread > 0.6).all()
        assert (spread < 1.7).all()


def test_parameters_move_a_sample_as_they_move_all() -> None:
    """Models that expect more of everyone: what a sample shows of it is what all would show."""
    some = customers(12_000)
    quick = clv.BGNBD(0.486, 4.414, 0.793, 2.426)
    models = [PURCHASES if i % 2 else quick for i in range(399)]
    times = [26.0]
    means = []
    for sample in (2_000, 12_000):
        orders, _ = draw_sums(
            models, None, some, times, fitted=(PURCHASES, SPEND),
            expected=expectations(some, times), paid_share=1.0, sample=sample,
        )  # fmt: skip
        means.append(orders[::2].mean() / orders[1::2].mean())
    assert means[0] == pytest.approx(means[1], rel=0.04)


def test_a_sample_by_value_holds_the_large_and_stands_for_all() -> None:
    rng = np.random.default_rng(1)
    values = rng.lognormal(0, 3, 50_000)  # a tenth of a percent of the customers carry a third
    sums, counts = [], []
    for _ in range(200):
        mixed = rng.permutation(values)
        rows, weight = sample_by_value(mixed, 1000)
        large = np.flatnonzero(mixed > 2 * mixed.sum() / 1000)
        assert set(large) <= set(rows)
        assert weight.max() <= 2 * len(values) / 1000
        sums.append(weight @ mixed[rows])
        counts.append(weight.sum())
    # Systematic sampling with chances in proportion is without bias; four standard errors.
    for found, true in ((sums, values.sum()), (counts, len(values))):
        error = np.std(found) / np.sqrt(len(found))
        assert abs(np.mean(found) - true) < 4 * error


def test_where_nobody_is_worth_anything_the_total_is_nothing() -> None:
    rows, weight = sample_by_value(np.zeros(5000), 1000)
    assert len(rows) == 1000
    assert weight == pytest.approx(np.full(1000, 5.0))
    some = customers(20)
    found = total_interval(
        [PURCHASES] * 99, [SPEND] * 99, some, discount=discount(some), **KNOWN | {"margin": 0.0},
        total=0.0, expected=np.zeros(20), weight=np.full(20, 5.0),
    )  # fmt: skip
    assert found == (0.0, 0.0)
