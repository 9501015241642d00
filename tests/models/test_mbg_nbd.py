"""Every MBG/NBD answer against mpmath, at the edges where BG/NBD's closed forms break.

What must hold: within 1e-8 relative of the reference, never nan, inf or negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath as mp
import pytest
from hypothesis import given, settings

from clv.errors import RequestError
from clv.models.bg_nbd import BGNBD
from clv.models.mbg_nbd import MBGNBD
from tests.battery import Customer, customers
from tests.reference import mbg_nbd_grid as reference
from tests.reference.bg_nbd_discounted import stored as discounted
from tests.reference.bg_nbd_mpmath import Case
from tests.reference.mbg_nbd_grid import COUNTS, Answers, stored

TOLERANCE = 1e-8
SMALLEST = 1e-300
"""Below this a double loses digits and then vanishes; the difference must vanish too."""

GRID = stored()


def model(c: Case) -> MBGNBD:
    return MBGNBD(c.r, c.alpha, c.a, c.b)


def far_from(
    got: Callable[[Case, Answers], Any], want: Callable[[Case, Answers], Any]
) -> list[str]:
    """The cases in which `got` misses `want`, said so that one can be run again."""
    faults = []
    for c, said in GRID:
        value, exact = float(got(c, said)), want(c, said)
        off = abs(mp.mpf(value) - exact) if math.isfinite(value) and value >= 0 else mp.inf
        if off > TOLERANCE * exact + SMALLEST:
            faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    return faults


def test_the_grid_is_large_and_holds_customers_without_a_repeat() -> None:
    """They are where the two models differ most; tests/test_numerics.py counts the other edges."""
    assert len(GRID) >= 200
    assert sum(c.x == 0 and c.T > 0 for c, _ in GRID) >= 40
    assert sum(c.x == 0 and c.T == 0 for c, _ in GRID) >= 20
    for n in COUNTS:
        assert sum(said.n == n for _, said in GRID) >= 30


def test_p_alive_is_the_share_of_the_alive() -> None:
    assert not far_from(
        lambda c, _: model(c).p_alive(c.x, c.t_x, c.T), lambda c, _: reference.p_alive(c)
    )


def test_log_likelihood_is_that_of_the_paper() -> None:
    # Relative to the likelihood where |ln L| < 1, to its logarithm elsewhere.
    faults = []
    for c, _ in GRID:
        value = float(model(c).log_likelihood(c.x, c.t_x, c.T))
        exact = mp.log(sum(reference.likelihood_parts(c)))
        if not abs(mp.mpf(value) - exact) <= TOLERANCE * max(1, abs(exact)):
            faults.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    assert not faults


def test_expected_purchases_are_those_of_one_chance_more() -> None:
    assert not far_from(
        lambda c, _: model(c).expected_purchases(c.t, c.x, c.t_x, c.T),
        lambda c, said: reference.p_alive(c) * said.expected_purchases_if_alive,
    )


def test_pmf_given_a_history_is_that_of_one_chance_more() -> None:
    def want(c: Case, said: Answers) -> Any:
        alive, left = reference.likelihood_parts(c)
        gone = left if said.n == 0 else 0
        return (alive * said.pmf_if_alive + gone) / (alive + left)

    assert not far_from(lambda c, said: model(c).pmf(said.n, c.t, c.x, c.t_x, c.T), want)


def test_discounted_purchases_are_the_integral_over_time() -> None:
    """Those of BG/NBD with b > 1 are cases of this model with b − 1."""
    rows = [row for row in discounted() if row.case.b > 1]
    assert len(rows) >= 50
    faults = []
    for c, rate, horizon, exact in rows:
        m = model(replace(c, b=c.b - 1))
        answer = m.discounted_purchases_if_alive(c.x, c.T, rate=rate, horizon=horizon)
        if not abs(mp.mpf(float(answer)) - exact) <= TOLERANCE * exact:
            faults.append(f"{answer!r}, not {mp.nstr(exact, 12)}: {c}, {rate=}, {horizon=}")
    assert not faults


# -- laws of this model only -----------------------------------------------------------------------


@settings(max_examples=40)
@given(customers(MBGNBD))
def test_a_one_time_buyer_may_have_left(c: Customer) -> None:
    """Where BG/NBD is sure that nobody without a repeat purchase has: the reason for the model."""
    m = MBGNBD(**c.model.parameters)
    a, b = m.a, m.b
    assert m.p_alive(0, 0, 0) == pytest.approx(b / (a + b), rel=1e-12)
    assert m.p_alive(0, 0, c.t) < m.p_alive(0, 0, 0)
    assert BGNBD(**m.parameters).p_alive(0, 0, c.t) == 1


@settings(max_examples=40)
@given(customers(MBGNBD))
def test_who_is_alive_is_a_bg_nbd_customer_who_survived_one_chance_more(c: Customer) -> None:
    m = MBGNBD(**c.model.parameters)
    other = BGNBD(**(m.parameters | {"b": m.b + 1}))
    for answer in ("expected_purchases_if_alive", "survival_if_alive"):
        got, same = (getattr(each, answer)(c.t, c.x, c.T) for each in (m, other))
        assert got == pytest.approx(same, rel=1e-12)


def test_without_end_and_discount_the_sum_is_finite_only_for_a_above_1() -> None:
    # E[1/p] = (a + B − 1)/(a − 1), p ~ Beta(a, B), B = b + x + 1
    m = MBGNBD(0.5, 10.0, 1.5, 3.0)
    sum_ = m.discounted_purchases_if_alive(2, 30, rate=0)
    assert sum_ == pytest.approx((1.5 + 6 - 1) / 0.5, rel=1e-12)
    with pytest.raises(RequestError, match="some customers never leave"):
        MBGNBD(0.5, 10.0, 1.0, 3.0).discounted_purchases_if_alive(2, 30, rate=0)
