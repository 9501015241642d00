"""Every BG/NBD answer against mpmath, where closed forms overflow, cancel or divide by zero.

What must hold (x ≤ 1,000, t ≤ 10,000 units, parameters from .01 to 1,000, a = 1 included): within
1e-8 relative of the reference, never nan, inf or negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.models.bg_nbd import BGNBD
from clv.numerics import mean_over_p, on_distinct
from tests.reference import bg_nbd_mpmath as reference
from tests.reference.bg_nbd_discounted import stored
from tests.reference.bg_nbd_grid import DURATIONS, PURCHASES, grid
from tests.reference.bg_nbd_mpmath import Case

TOLERANCE = 1e-8
SMALLEST = 1e-300
"""Below this a double loses digits and then vanishes; the difference must vanish too."""

GRID = list(grid())


def model(c: Case) -> BGNBD:
    return BGNBD(c.r, c.alpha, c.a, c.b)


def far_from(
    got: Callable[[Case], Any], want: Callable[[Case], Any], cases: list[Case]
) -> list[str]:
    """The cases in which `got` misses `want`, said so that one can be run again."""
    faults = []
    for c in cases:
        value, exact = float(got(c)), want(c)
        off = abs(mp.mpf(value) - exact) if math.isfinite(value) and value >= 0 else mp.inf
        if off > TOLERANCE * exact + SMALLEST:
            faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    return faults


def test_the_grid_holds_the_edges_that_it_is_made_for() -> None:
    assert len(GRID) >= 200
    assert {c.x for c in GRID} == set(PURCHASES)
    assert sum(c.a == 1 for c in GRID) >= 20
    assert sum(0 < abs(c.a - 1) < 1e-3 for c in GRID) >= 10
    assert sum(c.x == 0 and abs(c.a + c.b - 1) < 1e-8 for c in GRID) >= 20
    assert sum(c.x == 0 and c.a + c.b < 1 for c in GRID) >= 20
    assert sum(c.T == 0 for c in GRID) >= 20
    assert sum(c.t_x == c.T > 0 for c in GRID) >= 20
    assert sum(c.t == 10_000 for c in GRID) >= 20
    assert sum(c.t == 1e-9 for c in GRID) >= 20
    for name in ("r", "alpha", "a", "b"):
        values = [getattr(c, name) for c in GRID]
        assert min(values) == 0.01
        assert max(values) == 1000


def test_p_alive_is_that_of_equation_6() -> None:
    assert not far_from(lambda c: model(c).p_alive(c.x, c.t_x, c.T), reference.p_alive, GRID)


def test_log_likelihood_is_that_of_equation_6() -> None:
    # Relative to the likelihood where |ln L| < 1, to its logarithm elsewhere.
    faults = []
    for c in GRID:
        value, exact = float(model(c).log_likelihood(c.x, c.t_x, c.T)), reference.log_likelihood(c)
        if not abs(mp.mpf(value) - exact) <= TOLERANCE * max(1, abs(exact)):
            faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    assert not faults


def test_expected_purchases_of_the_alive_are_those_of_equation_10() -> None:
    assert not far_from(
        lambda c: model(c).expected_purchases_if_alive(c.t, c.x, c.T),
        reference.expected_purchases,
        GRID,
    )


def test_expected_purchases_of_a_customer_are_those_of_equation_10() -> None:
    assert not far_from(
        lambda c: model(c).expected_purchases(c.t, c.x, c.t_x, c.T),
        lambda c: reference.p_alive(c) * reference.expected_purchases(c),
        GRID,
    )


def test_survival_is_eulers_integral() -> None:
    assert not far_from(
        lambda c: model(c).survival_if_alive(c.t, c.x, c.T), reference.survival, GRID
    )


@pytest.mark.parametrize("n", [0, 1, 2, 7, 60, 400])
def test_pmf_is_that_of_equation_8(n: int) -> None:
    def want(c: Case) -> Any:
        alive = reference.p_alive(c)
        return alive * reference.pmf_if_alive(c, n) + (1 - alive if n == 0 else 0)

    cases = GRID[n % 3 :: 3]
    assert not far_from(lambda c: model(c).pmf(n, c.t, c.x, c.t_x, c.T), want, cases)


def test_discounted_purchases_are_the_integral_over_time() -> None:
    faults = []
    for c, rate, horizon, exact in stored():
        answer = model(c).discounted_purchases_if_alive(c.x, c.T, rate=rate, horizon=horizon)
        if not abs(mp.mpf(float(answer)) - exact) <= TOLERANCE * exact:
            faults.append(f"{answer!r}, not {mp.nstr(exact, 12)}: {c}, {rate=}, {horizon=}")
    assert not faults


def test_the_stored_integrals_over_time_reach_the_edges_too() -> None:
    rows = stored()
    assert len(rows) >= 100
    assert sum(row.horizon == math.inf for row in rows) >= 30
    assert sum(row.rate == 0 for row in rows) >= 15
    assert sum(row.case.a == 1 for row in rows) >= 5
    assert sum(row.case.x >= 500 for row in rows) >= 10


def test_purchases_without_discount_and_horizon_are_the_mean_of_1_over_p() -> None:
    leaving = [c for c in GRID if c.a > 1]
    assert not far_from(
        lambda c: model(c).discounted_purchases_if_alive(c.x, c.T, rate=0),
        lambda c: mp.beta(mp.mpf(c.a) - 1, c.alive[3]) / mp.beta(*c.alive[2:]),
        leaving,
    )
    for c in GRID:
        if c.a <= 1:
            with pytest.raises(RequestError, match="some customers never leave"):
                model(c).discounted_purchases_if_alive(c.x, c.T, rate=0)


# -- the references, against each other ------------------------------------------------------------

BENIGN = [
    Case(0.243, 4.414, 0.793, 2.426, 2, 30.43, 38.86, 39.0),  # models.md, CDNOW
    Case(0.243, 4.414, 1.0, 2.426, 0, 0.0, 0.0, 52.0),
    Case(2.5, 10.0, 0.4, 0.3, 0, 0.0, 5.0, 500.0),
    Case(0.5, 0.5, 3.0, 40.0, 7, 9.0, 20.0, 200.0),
    Case(30.0, 200.0, 1.7, 12.0, 50, 90.0, 100.0, 1000.0),
    Case(1.5, 50.0, 120.0, 300.0, 3, 40.0, 60.0, 25.0),
]


@pytest.mark.parametrize("c", BENIGN, ids=str)
def test_the_references_agree_by_different_routes(c: Case) -> None:
    """2F1 and the integral over time, against the integral over p."""
    routes = [
        (reference.expected_purchases(c), reference.expected_purchases_over_p(c)),
        (reference.survival(c), reference.survival_over_p(c)),
        (
            reference.discounted_purchases(c, rate=0.01),
            reference.discounted_purchases_over_p(c, rate=0.01),
        ),
        (reference.discounted_purchases(c, rate=0.0, horizon=c.t), reference.expected_purchases(c)),
    ]
    for one, other in routes:
        assert abs(one - other) <= 1e-11 * one


# -- many customers at once ------------------------------------------------------------------------


def test_a_customer_gets_the_same_answer_alone_and_among_others() -> None:
    """Rows of like size share a quadrature rule; whom one shares it with must not matter."""
    rng = np.random.default_rng(3)
    x = rng.choice(PURCHASES, 200).astype(float)
    T = rng.choice(DURATIONS[1:], 200)
    t = 10 ** rng.uniform(-3, 4, 200)
    m = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
    answers: list[tuple[Any, Callable[[int], Any]]] = [
        (
            m.expected_purchases_if_alive(t, x, T),
            lambda i: m.expected_purchases_if_alive(t[i], x[i], T[i]),
        ),
        (m.survival_if_alive(t, x, T), lambda i: m.survival_if_alive(t[i], x[i], T[i])),
        (
            m.discounted_purchases_if_alive(x, T, rate=0.002),
            lambda i: m.discounted_purchases_if_alive(x[i], T[i], rate=0.002),
        ),
    ]
    for together, alone in answers:
        one_by_one = np.array([float(alone(i)) for i in range(200)])
        assert together == pytest.approx(one_by_one, rel=1e-10)


@pytest.mark.parametrize(
    ("m", "x"),
    [
        (BGNBD(0.243, 4.414, 0.793, 2.426), [0.0, 1.0, 29.0]),  # CDNOW
        (BGNBD(0.04, 0.05, 0.03, 0.06), [0.0, 1.0, 29.0]),  # next to nobody leaves, or all at once
        (BGNBD(700.0, 0.15, 250.0, 0.5), [0.0, 1.0, 1000.0]),  # all p near 1: a sharp curve
        (BGNBD(0.5, 0.1, 1000.0, 0.01), [0.0, 3.0]),
    ],
)
@pytest.mark.parametrize(("rate", "horizon"), [(0.0018, 156.0), (1e-4, math.inf), (0.0, 1e4)])
def test_discounted_purchases_of_many_lie_on_the_curve_of_one(
    m: BGNBD, x: list[float], rate: float, horizon: float
) -> None:
    """Of many with the same x the rate left after a time is interpolated; of one it is computed."""
    many = np.repeat(x, 60)
    T = np.tile(np.geomspace(0.01, 200.0, 60), len(x))
    together = m.discounted_purchases_if_alive(many, T, rate=rate, horizon=horizon)
    for i in range(0, len(many), 7):
        alone = m.discounted_purchases_if_alive(many[i], T[i], rate=rate, horizon=horizon)
        assert together[i] == pytest.approx(alone, rel=1e-10)


@given(
    a=st.sampled_from([0.05, 0.5, 1.0, 2.0, 60.0]),
    B=st.lists(st.floats(0.01, 90.0), min_size=2, max_size=8).map(np.array),
)
def test_means_over_p_of_any_beta_parameters_are_the_betas_moments(a: float, B: Any) -> None:
    """E[p] = a/(a+B) and E[1−p] = B/(a+B), also where the B of one call differ by parts of one."""
    one = np.ones_like(B)
    left = mean_over_p(lambda p, i: np.broadcast_to(p, (len(i), len(p))), one, one, a, B)
    stayed = mean_over_p(lambda p, i: np.broadcast_to(1 - p, (len(i), len(p))), one, one, a, B)
    assert left == pytest.approx(a / (a + B), rel=1e-10)
    assert stayed == pytest.approx(B / (a + B), rel=1e-10)


def test_parts_of_a_purchase_are_answered_together_as_alone() -> None:
    """Such x come from averages; with small b a rule shared between them erred by 2e-3."""
    m, x = BGNBD(0.5, 4.0, 2.0, 0.02), np.array([0.0, 1 / 3, 0.5, 1.0, 5.7])
    together = m.expected_purchases_if_alive(1e4, x, 30.0)
    alone = [m.expected_purchases_if_alive(1e4, one, 30.0) for one in x]
    assert together == pytest.approx(alone, rel=1e-10)


def test_on_distinct_computes_each_row_once_and_keeps_shape_and_order() -> None:
    seen: list[int] = []

    def f(u: Any, v: Any) -> Any:
        seen.append(len(u))
        return 10 * u + v

    u = np.array([[3.0, 1.0, 3.0], [1.0, 2.0, 1.0]])
    v = np.array([5.0, 6.0, 5.0])
    assert np.array_equal(on_distinct(f, u, v), 10 * u + v)
    assert seen == [4]  # (3, 5), (1, 6), (1, 5), (2, 6)
    assert on_distinct(f, 2, 1).shape == ()
    assert on_distinct(f, np.empty((0, 3)), 1).shape == (0, 3)
