from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.recommend.campaigns import qini

ROWS = st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 5)), min_size=2, max_size=60)


@given(ROWS)
def test_the_area_is_that_between_the_lines(rows: list[tuple[int, int]]) -> None:
    psi, by = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = qini(psi, by)
    under = np.trapezoid(found.gain - found.treated * found.gain[-1], found.treated)
    assert found.area == pytest.approx(under, abs=1e-9)
    assert (found.treated[-1], found.gain[-1]) == pytest.approx((1.0, psi.mean()))


@given(ROWS)
def test_turning_the_ranking_round_turns_the_area_round(rows: list[tuple[int, int]]) -> None:
    psi, by = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assert qini(psi, -by).area == pytest.approx(-qini(psi, by).area, abs=1e-9)
    assert qini(psi + 3, by).area == pytest.approx(qini(psi, by).area, abs=1e-9)


def test_customers_who_are_equal_are_in_a_random_order() -> None:
    assert qini([5, 1, 9, 2], [1, 1, 1, 1]).area == pytest.approx(0.0)


def test_a_perfect_ranking() -> None:
    # By hand: effects 1 for the first half, 0 for the second: Q rises to 1/2 and stays; the area
    # under it is 1/8 + 1/4, under the straight line 1/4.
    found = qini(np.repeat([1.0, 0.0], 500), np.arange(1000, 0, -1))
    assert found.area == pytest.approx(1 / 8)


def test_a_random_ranking_has_no_area() -> None:
    # Of 40 intervals of 95 %, 33 or fewer cover with probability 0.003.
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(40):
        low, high = qini(rng.normal(2.0, 3.0, 500), rng.random(500)).interval()
        covered += low < 0 < high
    assert covered >= 34


def test_the_standard_error_is_that_of_drawing_other_customers() -> None:
    rng = np.random.default_rng(2)
    by = rng.random(400)
    psi = 3 * by + rng.normal(size=400)
    found = qini(psi, by)
    drawn = [
        qini(psi[rows], by[rows]).area for rows in (rng.integers(0, 400, 400) for _ in range(2000))
    ]
    # The standard deviation of 2,000 draws has a relative error of 1/√4000 = 1.6 %.
    assert found.standard_error == pytest.approx(np.std(drawn), rel=0.06)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(RequestError, match="nothing to be ranked by"):
        qini([1, 2], [np.nan, 1])
    with pytest.raises(RequestError, match="a score that is no finite number"):
        qini([1, np.nan], [2, 1])
    with pytest.raises(RequestError, match="at least two"):
        qini([1], [2])
    with pytest.raises(RequestError, match="one score and one rank"):
        qini([1, 2], [1])
