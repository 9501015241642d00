"""The curve of all budgets is what dividing each of them gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import AllocationError
from clv.recommend.allocation import allocate
from clv.recommend.budget_curve import POINTS, SAMPLE, budget_curve

Case = dict[str, Any]


def shop(seed: int, *, bounded: bool) -> Case:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    w, k = 10 ** rng.uniform(0, 4, n), 10 ** rng.uniform(-3, 0, n)
    w[rng.random(n) < 0.1] *= -1
    lo = rng.choice([0.0, 1.0], n) * rng.uniform(0, 5, n) if bounded else np.zeros(n)
    hi = lo + 10 ** rng.uniform(-1, 3, n) if bounded else np.full(n, np.inf)
    return {"w": w, "k": k, "lo": lo, "hi": hi}


shops = st.builds(shop, st.integers(0, 2**32 - 1), bounded=st.booleans())


@given(shops)
def test_every_point_is_what_dividing_that_budget_gives(case: Case) -> None:
    curve = budget_curve(**case)
    assert len(curve.total) == POINTS
    for total, gain, last in zip(curve.total, curve.gain, curve.marginal_return, strict=True):
        if total > curve.optimal_total:  # an allocation keeps that money
            continue
        a = allocate(**case, total=total)
        assert gain == pytest.approx(a.total_gain, rel=1e-9, abs=1e-12)
        # at a kink the last unit returned more than the next one
        assert last >= a.shadow_price * (1 - 1e-6) or total == curve.total[0]
    free = allocate(**case)
    assert curve.optimal_total == pytest.approx(free.total)
    assert curve.optimal_gain == pytest.approx(free.total_gain)


@given(shops)
def test_gain_rises_and_its_slope_is_the_marginal_return(case: Case) -> None:
    curve = budget_curve(**case)
    scale = 1e-9 * (1 + curve.gain[-1])
    assert (np.diff(curve.gain) >= -scale).all()
    assert (np.diff(curve.marginal_return) <= 1e-9 * curve.marginal_return[:-1]).all()
    # concave: the chord between two budgets returns between what their last units do
    rise, run = np.diff(curve.gain), np.diff(curve.total)
    assert (rise <= curve.marginal_return[:-1] * run + scale).all()
    assert (rise >= curve.marginal_return[1:] * run - scale).all()


@given(shops)
def test_more_than_is_worth_asking_for_returns_less_than_itself(
    case: Case,
) -> None:
    curve = budget_curve(**case)
    more = curve.total > curve.optimal_total * (1 + 1e-9)
    assert (curve.marginal_return[more] <= 1 + 1e-9).all()
    less = curve.total < curve.optimal_total * (1 - 1e-9)
    assert (curve.marginal_return[less] >= 1 - 1e-9).all()


def test_totals_asked_for() -> None:
    # one customer, by hand: 120 (1 − exp(−.05·20)) and 6·exp(−1); beyond ln(6)/.05 below 1
    curve = budget_curve([120], [0.05], totals=[0, 20, 60])
    assert curve.gain == pytest.approx(120 * -np.expm1([0, -1, -3]))
    assert curve.marginal_return == pytest.approx(6 * np.exp([0, -1, -3]))
    assert curve.optimal_total == pytest.approx(np.log(6) / 0.05)


def test_many_customers() -> None:
    # more than the sample whose prices are the start
    rng = np.random.default_rng(4)
    w, k = rng.lognormal(3, 1.5, 3 * SAMPLE), 1 / rng.lognormal(3, 1, 3 * SAMPLE)
    curve = budget_curve(w, k, lo=0.01, hi=50)
    for i in (1, 5, 15):
        a = allocate(w, k, lo=0.01, hi=50, total=curve.total[i])
        assert curve.gain[i] == pytest.approx(a.total_gain, rel=1e-9)
        assert curve.marginal_return[i] == pytest.approx(a.shadow_price, rel=1e-6)


def test_nobody_to_keep() -> None:
    curve = budget_curve([0.0, -5.0], [1.0, 1.0])
    assert (curve.total.max(), curve.gain.max(), curve.optimal_total) == (0, 0, 0)


@pytest.mark.parametrize(
    ("totals", "part"),
    [
        ([80, 40], "must rise"),
        ([5, 40], "adds up to 10.00, more than a budget of 5.00"),
        ([20, 400], "adds up to 100.00, less than a budget of 400.00"),
        ([np.nan], "amounts"),
        ([], "amounts"),
    ],
)
def test_totals_that_cannot_be_are_refused(totals: list[float], part: str) -> None:
    with pytest.raises(AllocationError, match=part):
        budget_curve([120, 30], [0.05, 0.05], lo=5, hi=50, totals=totals)
