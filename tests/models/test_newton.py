"""The search that every likelihood is maximised by, and what it says of a flat optimum."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.models.base import Derivatives
from clv.models.newton import LOOSEST, flat, maximum

Floats = npt.NDArray[np.float64]


def everywhere(_: Floats) -> bool:
    return True


@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.lists(st.floats(0.1, 50), min_size=3, max_size=3),
    st.integers(0, 1000),
)
def test_the_top_of_a_parabola(top: list[float], bends: list[float], seed: int) -> None:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    bend = turn @ np.diag(bends) @ turn.T

    def parabola(v: Floats) -> Derivatives:
        away = v - np.array(top)
        return Derivatives(-float(away @ bend @ away) / 2, -bend @ away, -bend)

    found = maximum(parabola, np.zeros(3), customers=1, inside=everywhere)
    assert found.at == pytest.approx(top, abs=1e-7)
    assert not found.stopped
    assert found.slope == pytest.approx(np.abs(found.derivatives.gradient).max())


def banana(v: Floats) -> Derivatives:
    """Minus Rosenbrock's (1960) function, whose top is 0 at (1, 1), along a bent ridge."""
    x, y = v
    value = -((1 - x) ** 2) - 100 * (y - x**2) ** 2
    gradient = np.array([2 * (1 - x) + 400 * x * (y - x**2), -200 * (y - x**2)])
    hessian = np.array([[-2 + 400 * (y - 3 * x**2), 400 * x], [400 * x, -200.0]])
    return Derivatives(value, gradient, hessian)


def test_a_bent_ridge_is_followed_and_no_point_is_computed_twice() -> None:
    seen: list[bytes] = []

    def watched(v: Floats) -> Derivatives:
        seen.append(v.tobytes())
        return banana(v)

    found = maximum(watched, np.array([-1.2, 1.0]), customers=1, inside=everywhere)
    assert found.at == pytest.approx([1, 1], abs=1e-8)
    assert found.passes == len(seen)
    assert all(one != other for one, other in pairwise(seen))
    assert found.derivatives.value == banana(found.at).value


def test_customers_scale_the_slope_and_not_the_place() -> None:
    one = maximum(banana, np.array([-1.2, 1.0]), customers=1, inside=everywhere)

    def thousand(v: Floats) -> Derivatives:
        value, gradient, hessian = banana(v)
        return Derivatives(1000 * value, 1000 * gradient, 1000 * hessian)

    many = maximum(thousand, np.array([-1.2, 1.0]), customers=1000, inside=everywhere)
    assert many.at == pytest.approx(one.at, abs=1e-9)
    assert many.passes == one.passes


def test_a_slope_without_a_top_is_said_to_be_none() -> None:
    def rises(v: Floats) -> Derivatives:
        return Derivatives(float(v[0]), np.ones(1), np.zeros((1, 1)))

    found = maximum(rises, np.zeros(1), customers=1, inside=lambda v: abs(float(v[0])) <= 7)
    assert found.stopped
    assert found.at[0] <= 7


@pytest.mark.parametrize("k", [1, 4, 60])
def test_a_flat_direction_names_its_parameters(k: int) -> None:
    """One direction, the sum of all of k: each takes part by 1/√k, however small that is."""
    direction = np.full(k, 1 / np.sqrt(k))
    known = np.eye(k) - np.outer(direction, direction)
    told, untold = 1.1 * LOOSEST**-2, 0.9 * LOOSEST**-2
    assert flat(known + untold * np.outer(direction, direction)).all()
    assert not flat(known + told * np.outer(direction, direction)).any()


def test_only_those_who_take_part_are_named() -> None:
    direction = np.array([1.0, -1.0, 0.0]) / np.sqrt(2)
    precision = np.eye(3) - np.outer(direction, direction)
    assert flat(precision).tolist() == [True, True, False]
