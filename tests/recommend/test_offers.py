"""Offers that come whole: all choices enumerated, a mixed-integer solver, a bound that holds."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from clv.errors import AllocationError
from clv.recommend import knapsack
from clv.recommend.offers import OfferAllocation, allocate_offers

Floats = npt.NDArray[np.float64]
Case = tuple[Floats, Floats, float]


@st.composite
def cases(draw: st.DrawFn, *, most: int = 200, offers: int = 5) -> Case:
    """Values, costs (shared or not) and a budget from nothing to more than is worth spending."""
    n, m = draw(st.integers(1, most)), draw(st.integers(1, offers))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost = rng.uniform(0.1, 20, (m,) if draw(st.booleans()) else (n, m)).round(2)
    value = rng.uniform(-5, 40, (n, m)) * rng.lognormal(0, 1, (n, 1))
    if draw(st.booleans()):  # many who are alike
        value = value[rng.integers(0, min(n, 3), n)]
        cost = cost if cost.ndim == 1 else cost[0]
    return value, cost, draw(st.floats(0, 1.2)) * allocate_offers(value, cost).optimal_total


def net(a: OfferAllocation) -> float:
    return a.total_gain - a.total


@given(cases())
def test_everyone_gets_one_offer_or_none_within_the_budget(case: Case) -> None:
    value, cost, total = case
    a = allocate_offers(value, cost, total=total)
    row = np.arange(len(value))
    there = a.offer >= 0
    every = np.broadcast_to(cost, value.shape)
    assert a.offer.max() < value.shape[1]
    assert a.spend.tolist() == np.where(there, every[row, a.offer], 0).tolist()
    assert a.gain.tolist() == np.where(there, value[row, a.offer], 0).tolist()
    assert a.total == pytest.approx(a.spend.sum())
    assert a.total <= total * (1 + 1e-12)
    assert a.total + a.unspent == pytest.approx(total)
    # nothing is offered that returns less than it costs
    assert (a.gain[there] > a.spend[there]).all()
    assert a.shadow_price >= 1


@given(cases())
def test_the_bound_holds_at_every_price(case: Case) -> None:
    # Lagrange: net gain ≤ Σ max(0, v − λc) + (λ − 1) B for each λ ≥ 1; so the gap is no larger
    # than what any price proves, and never negative.
    value, cost, total = case
    a = allocate_offers(value, cost, total=total)
    scale = 1e-9 * (1 + abs(net(a)) + total)
    for price in (1.0, a.shadow_price, 2 * a.shadow_price, 10.0):
        bound = np.maximum(0, (value - price * cost).max(axis=1)).sum() + (price - 1) * total
        assert net(a) <= bound + scale
        assert a.gap <= bound - net(a) + scale
    assert a.gap >= 0


def test_the_best_of_all_choices_enumerated() -> None:
    # Every choice of up to five customers among up to three offers, for 100 random shops.
    for seed in range(100):
        rng = np.random.default_rng(seed)
        n, m = rng.integers(1, 6), rng.integers(1, 4)
        cost = rng.uniform(0.1, 10, (m,) if seed % 2 else (n, m)).round(2)
        value = rng.uniform(-1, 30, (n, m)).round(2)
        total = rng.uniform(0, 1.1) * allocate_offers(value, cost).optimal_total
        every = np.broadcast_to(cost, value.shape)
        best = 0.0
        for choice in itertools.product(range(-1, m), repeat=int(n)):
            made = [(i, j) for i, j in enumerate(choice) if j >= 0]
            if sum(every[ij] for ij in made) <= total * (1 + 1e-12):
                best = max(best, sum(value[ij] - every[ij] for ij in made))
        a = allocate_offers(value, cost, total=total)
        assert net(a) == pytest.approx(best, abs=1e-9)
        assert a.gap == 0


def solver(value: Floats, cost: Floats, total: float) -> float:
    """Return the most net gain by HiGHS, given the whole problem."""
    n, m = value.shape
    every = np.broadcast_to(cost, value.shape)
    one_each = np.kron(np.eye(n), np.ones(m))
    found: Any = milp(
        -(value - every).ravel(),
        integrality=np.ones(n * m, dtype=int),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(one_each, -np.inf, 1),
            LinearConstraint(every.ravel()[None, :], -np.inf, total),
        ],
        options={"mip_rel_gap": 0.0},
    )
    assert found.success
    return -float(found.fun)


def test_a_mixed_integer_solver_finds_nothing_better() -> None:
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        n, m = rng.integers(5, 25), rng.integers(1, 6)
        cost = rng.uniform(0.5, 10, m if seed % 2 else (n, m)).round(2)
        value = (rng.lognormal(2, 1, (n, 1)) * rng.uniform(0, 1, (n, m))).round(2)
        total = rng.uniform(0.05, 0.95) * allocate_offers(value, cost).optimal_total
        a = allocate_offers(value, cost, total=total)
        best = solver(value, cost, total)
        assert net(a) <= best + 1e-5 * (1 + best)  # it keeps constraints to 1e-6
        assert best - net(a) <= a.gap + 1e-5 * (1 + best)
        assert a.gap == 0 or a.relative_gap < 1e-6


def test_many_customers_have_a_gap_of_nothing_to_speak_of() -> None:
    rng = np.random.default_rng(5)
    w, k = rng.lognormal(3, 1.5, 300_000), 1 / rng.lognormal(3, 1, 300_000)
    cost = np.array([1.0, 5, 10, 20, 50])
    value = w[:, None] * -np.expm1(-k[:, None] * cost)
    optimal = allocate_offers(value, cost).optimal_total
    for share in (0.05, 0.3, 0.9):
        a = allocate_offers(value, cost, total=share * optimal)
        assert a.total <= share * optimal
        assert a.relative_gap <= 2e-6
    small = allocate_offers(value.astype("f4"), cost, total=0.3 * optimal)
    assert net(small) == pytest.approx(
        net(allocate_offers(value, cost, total=0.3 * optimal)), rel=1e-6
    )


def test_customers_who_are_all_alike_are_told_apart_by_the_budget_alone() -> None:
    # More of them than a sample: 3 keep 6 of each, and there is enough for a fifth of them.
    n = knapsack.SAMPLE + 10_000
    value, cost = np.full((n, 1), 6.0), np.array([3.0])
    a = allocate_offers(value, cost, total=3.0 * (n // 5))
    assert int((a.offer == 0).sum()) == n // 5
    assert a.shadow_price == pytest.approx(2)
    assert a.gap == 0


def test_what_costs_nothing_is_given_to_all_whom_it_helps() -> None:
    a = allocate_offers([[2.0, 9.0], [-1.0, 9.0], [3.0, 1.0]], [0, 5], total=0)
    assert a.offer.tolist() == [0, -1, 0]
    assert a.total == 0


def test_a_small_budget_is_not_lost_to_the_best_ratio() -> None:
    # By hand: 1 that keeps 2 has no better price than 10 that keep 18, but leaves 9 unused.
    a = allocate_offers([[2.0, -1.0], [-1.0, 18.0]], [1.0, 10], total=10)
    assert a.offer.tolist() == [-1, 1]
    assert a.gap == 0


@given(cases(most=40), st.sampled_from([0.01, 100.0]))
def test_the_unit_of_money_does_not_matter(case: Case, unit: float) -> None:
    value, cost, total = case
    one = allocate_offers(value, cost, total=total)
    other = allocate_offers(value * unit, cost * unit, total=total * unit)
    assert net(other) / unit == pytest.approx(net(one), rel=2e-6, abs=1e-9 + one.gap)


@given(cases(most=40))
def test_more_budget_never_brings_less(case: Case) -> None:
    value, cost, total = case
    one = allocate_offers(value, cost, total=total)
    more = allocate_offers(value, cost, total=1.1 * total + 0.1)
    assert net(more) >= net(one) - more.gap - 1e-9


def test_no_customers() -> None:
    a = allocate_offers(np.empty((0, 2)), [1.0, 2])
    assert (len(a.offer), a.total, a.gap, a.relative_gap) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"value": [[1, np.nan]], "cost": [1, 2]}, ["1 of 1 customers", "value"]),
        ({"value": [[1, 2]], "cost": [1, -2]}, ["1 of 2 offers", "cost", "rows: 1"]),
        ({"value": [[1], [2]], "cost": [[1], [np.inf]]}, ["1 of 2 customers", "cost"]),
        ({"value": [[np.inf]], "cost": [np.nan]}, ["1 more fault", "value", "cost"]),
        ({"value": [1, 2], "cost": [1, 2]}, ["shape", "(2,)"]),
        ({"value": [[1, 2]], "cost": [1]}, ["(1, 2)", "(1,)"]),
        ({"value": [[1, 2]], "cost": [1, 2], "total": -1}, ["budget", "-1"]),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(AllocationError) as told:
        allocate_offers(**arguments)
    for part in parts:
        assert part in str(told.value)
