"""Dividing a budget: the optimality conditions, a general optimiser as witness, exact totals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize

from clv.errors import AllocationError
from clv.recommend import allocate

Floats = npt.NDArray[np.float64]
Case = tuple[Floats, Floats, Floats, Floats, float]


@st.composite
def cases(draw: st.DrawFn, *, most: int = 30, wide: bool = True) -> Case:
    """w, k, lo, hi and a budget between the floors and well above the optimum."""
    n = draw(st.integers(1, most))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    span = 6 if wide else 1
    w = 10 ** rng.uniform(2 - span, 2 + span, n)
    k = 10 ** rng.uniform(-2 - span / 2, -1 + span / 2, n)
    lo = rng.choice([0.0, 1.0], n) * 10 ** rng.uniform(-2, 1, n)
    hi = lo + 10 ** rng.uniform(-1, 3, n)
    if draw(st.booleans()):
        w[rng.random(n) < 0.2] *= -1
    free = allocate(w, k, lo=lo, hi=hi)
    floors = float(lo[w > 0].sum())
    share = draw(st.floats(0, 1.5))
    return w, k, lo, hi, floors + share * (free.optimal_total - floors)


def test_worked_example() -> None:
    # docs/explanation/retention.md: V (400, 100, 1000), e (.3, .3, .2); every printed digit.
    a = allocate([120, 30, 200], [0.05, 0.05, 0.02], lo=5, hi=[50, 50, 60], total=80)
    assert a.spend == pytest.approx([27.22093, 5, 47.77907], abs=5e-6)
    assert a.shadow_price == pytest.approx(1.5383539, abs=5e-8)
    assert a.total_gain == pytest.approx(218.951202, abs=5e-7)
    assert (a.total, a.unspent) == (80, 0)


@given(cases())
def test_optimality_conditions(case: Case) -> None:
    w, k, lo, hi, total = case
    a = allocate(w, k, lo=lo, hi=hi, total=total)
    worth = w > 0
    assert (a.spend[~worth] == 0).all()
    s, w, k, lo, hi = (v[worth] for v in (a.spend, w, k, lo, hi))
    assert ((lo <= s) & (s <= hi)).all()
    last_unit = w * k * np.exp(-k * s)
    mu, near = a.shadow_price, 1 + 1e-6
    assert mu >= 1
    assert (last_unit[s < hi] <= mu * near).all()  # no one below the maximum offers more
    moved = (s > lo) & (s < hi)
    # what is between its bounds returns μ; at a kink next to a bound it may return a little more
    assert (last_unit[moved] >= mu / near).all()
    assert (last_unit[(s > lo) & (s == hi)] >= 1 / near).all()


@given(cases())
def test_the_budget_is_spent_exactly_or_said_to_be_left(case: Case) -> None:
    w, k, lo, hi, total = case
    a = allocate(w, k, lo=lo, hi=hi, total=total)
    assert a.spend.sum() == pytest.approx(a.total, rel=1e-12)
    assert a.total + a.unspent == pytest.approx(total, rel=1e-9, abs=1e-12)
    assert (a.unspent > 0) == (total > a.optimal_total)
    if a.unspent > 0:
        assert a.shadow_price == 1
        assert a.total == pytest.approx(a.optimal_total, rel=1e-12)


# SLSQP of SciPy 1.12 steps out of the bounds by a last digit, clips, and warns of it.
@pytest.mark.filterwarnings("ignore:Values in x were outside bounds:RuntimeWarning")
@given(cases(most=5, wide=False))
def test_a_general_optimiser_finds_nothing_better(case: Case) -> None:
    w, k, lo, hi, total = case
    w = np.abs(w)
    floors = float(lo.sum())
    assume(total > floors + 1e-3)
    a = allocate(w, k, lo=lo, hi=hi, total=total)

    def objective(s: Floats) -> float:  # money not spent keeps its worth, as μ ≥ 1 says
        return float(-np.sum(w * -np.expm1(-k * s)) + np.sum(s))

    def slope(s: Floats) -> Floats:
        return np.asarray(-w * k * np.exp(-k * s) + 1)

    start = lo + (hi - lo) * min(1.0, (total - floors) / float((hi - lo).sum())) * 0.5
    within: Any = {
        "type": "ineq",
        "fun": lambda s: total - s.sum(),
        "jac": lambda s: -np.ones_like(s),
    }
    witness = minimize(
        objective,
        start,
        jac=slope,
        bounds=list(zip(lo, hi, strict=True)),
        constraints=within,
        method="SLSQP",
        options={"maxiter": 500},
        tol=1e-12,
    )
    scale = float(w.sum() + total)
    assert objective(a.spend) <= witness.fun + 1e-7 * scale  # nothing better ...
    if witness.success:
        assert objective(a.spend) == pytest.approx(
            witness.fun, abs=1e-5 * scale
        )  # ... and the same


@given(cases(), st.sampled_from([0.01, 100.0, 3.7]))
def test_the_unit_of_money_does_not_matter(case: Case, unit: float) -> None:
    w, k, lo, hi, total = case
    one = allocate(w, k, lo=lo, hi=hi, total=total)
    other = allocate(w * unit, k / unit, lo=lo * unit, hi=hi * unit, total=total * unit)
    assert other.spend / unit == pytest.approx(one.spend, rel=1e-6, abs=1e-9 * (1 + total))
    assert other.optimal_total / unit == pytest.approx(one.optimal_total, rel=1e-9)


@given(cases())
def test_the_order_of_customers_does_not_matter(case: Case) -> None:
    w, k, lo, hi, total = case
    order = np.random.default_rng(len(w)).permutation(len(w))
    one = allocate(w, k, lo=lo, hi=hi, total=total)
    other = allocate(w[order], k[order], lo=lo[order], hi=hi[order], total=total)
    assert other.spend == pytest.approx(one.spend[order], rel=1e-8, abs=1e-9 * (1 + total))


@given(cases())
def test_more_budget_never_returns_more_on_its_last_unit(case: Case) -> None:
    w, k, lo, hi, total = case
    one = allocate(w, k, lo=lo, hi=hi, total=total)
    more = allocate(w, k, lo=lo, hi=hi, total=total * 1.1 + 0.1)
    assert more.shadow_price <= one.shadow_price * (1 + 1e-9)
    assert more.total_gain >= one.total_gain * (1 - 1e-9)


def test_the_shadow_price_is_what_the_next_unit_returns() -> None:
    w, k = np.array([120.0, 30.0, 200.0]), np.array([0.05, 0.05, 0.02])
    a = allocate(w, k, total=60)
    step = 1e-4
    next_unit = (allocate(w, k, total=60 + step).total_gain - a.total_gain) / step
    assert a.shadow_price == pytest.approx(next_unit, rel=1e-5)


def test_the_shadow_price_between_two_kinks_is_that_of_the_next_customer() -> None:
    # the first is at its maximum, the second has not begun: its first unit returns w·k = 2
    a = allocate([1000, 20], [0.1, 0.1], hi=[10, 10], total=10)
    assert a.spend == pytest.approx([10, 0])
    assert a.shadow_price == pytest.approx(2)


def test_without_a_budget_the_last_unit_returns_itself() -> None:
    a = allocate([120, 30, 200], [0.05, 0.05, 0.02])
    assert a.spend == pytest.approx(np.log([6, 1.5, 4]) / [0.05, 0.05, 0.02])  # ln(wk)/k
    assert (a.shadow_price, a.unspent) == (1, 0)
    assert a.total == pytest.approx(a.optimal_total)


def test_those_with_nothing_to_save_get_not_even_the_floor() -> None:
    a = allocate([120, 0, -50], [0.05, 0.05, 0.02], lo=5)
    assert a.spend[1:].tolist() == [0, 0]
    assert a.gain[1:].tolist() == [0, 0]


def test_floors_above_the_budget_are_refused_with_the_numbers() -> None:
    with pytest.raises(AllocationError) as told:
        allocate([120, 30, -1], [0.05, 0.05, 0.02], lo=50, total=80)
    for part in ("2 customers", "100.00", "80.00", "20.00"):
        assert part in str(told.value)


def test_the_smallest_budget_goes_to_the_best_first_unit() -> None:
    # less than the last digit of any ln μ can tell apart
    a = allocate([120, 30, 200], [0.05, 0.05, 0.02], total=1e-100)
    assert a.spend.tolist() == [1e-100, 0, 0]
    assert a.shadow_price == pytest.approx(6)  # w·k of the first


def test_a_budget_of_just_the_floors() -> None:
    a = allocate([120, 30], [0.05, 0.05], lo=5, total=10)
    assert a.spend.tolist() == [5, 5]
    assert a.shadow_price == pytest.approx(
        6 * np.exp(-0.25)
    )  # the better one's next unit: wk·exp(−k·lo)


def test_no_budget_and_no_customers() -> None:
    a = allocate([120, 30], [0.05, 0.05], total=0)
    assert a.spend.tolist() == [0, 0]
    assert a.shadow_price == pytest.approx(6)  # the first unit returns w·k
    assert allocate([], [], total=10).unspent == 10
    assert allocate([0.0], [1.0]).optimal_total == 0


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"w": [np.nan, 1], "k": [1, 1]}, ["1 of 2", "w", "rows: 0"]),
        ({"w": [1, 1], "k": [1, 0]}, ["1 of 2", "k", "rows: 1"]),
        ({"w": [1, 1], "k": [1, np.inf]}, ["k"]),
        ({"w": [1, 1], "k": [1, 1], "lo": -1}, ["2 of 2", "least"]),
        ({"w": [1, 1], "k": [1, 1], "lo": 3, "hi": 2}, ["most spend below the least"]),
        (
            {"w": [np.inf, 1], "k": [-1, -1], "hi": np.nan},
            ["2 more faults", "w that", "k that", "most"],
        ),
        ({"w": [1, 1], "k": [1, 1], "total": -1}, ["budget", "-1"]),
        ({"w": [1, 1], "k": [1, 1], "total": np.nan}, ["budget", "nan"]),
        ({"w": [1, 1], "k": [1, 1, 1]}, ["(2,)", "(3,)"]),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(AllocationError) as told:
        allocate(**arguments)  # type: ignore[arg-type]
    for part in parts:
        assert part in str(told.value)


def test_extreme_scales_spend_the_budget_exactly() -> None:
    rng = np.random.default_rng(7)
    w, k = 10 ** rng.uniform(-6, 12, 500), 10 ** rng.uniform(-9, 3, 500)
    optimal = allocate(w, k).optimal_total
    for share in (1e-12, 1e-6, 0.5, 1 - 1e-12):
        a = allocate(w, k, total=share * optimal)
        assert a.spend.sum() == pytest.approx(share * optimal, rel=1e-9)
        assert np.isfinite(a.gain).all()


def test_more_customers_than_one_block() -> None:
    # 200,000 equal customers are 200,000 times one customer
    one = allocate([120.0], [0.05], total=10.0)
    many = allocate(np.full(200_000, 120.0), np.full(200_000, 0.05), total=10.0 * 200_000)
    assert np.allclose(many.spend, one.spend[0], rtol=1e-9)
    assert many.shadow_price == pytest.approx(one.shadow_price, rel=1e-9)
