"""The risk-averse figure: the worked numbers, its limit, and what must rise and fall with what."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from clv.errors import RequestError
from clv.recommend import Policy, recovery_limit
from clv.recommend.integral import risk_averse, risk_averse_limit

losses = st.floats(1e-3, 1e9) | st.just(0.0)
chances = st.floats(0, 1)
tolerances = st.floats(1, 1e12)


# Worked numbers of docs/explanation/recovery.md: L 50,000, π .3 → .1; two decimals printed.
@pytest.mark.parametrize(
    ("R", "limit"),
    [(100_000, 11_497.04), (25_000, 14_410.75), (1_000_000, 10_150.22), (math.inf, 10_000)],
)
def test_worked_numbers(R: float, limit: float) -> None:
    assert risk_averse_limit(50_000, 0.3, 0.1, R) == pytest.approx(limit, abs=5e-3)


@given(losses, chances, chances, tolerances)
def test_it_is_the_formula(L: float, before: float, after: float, R: float) -> None:
    """Against 200 digits of mpmath, where e^(L/R) can neither overflow nor cancel."""
    if L / R > 1e4:
        return
    with mp.workdps(200 + int(L / R)):
        u = mp.exp(mpf(L) / mpf(R))
        p, q = mpf(before), mpf(after)
        exact = mpf(R) * (mp.log(1 - p + p * u) - mp.log(1 - q + q * u))
    scale = max(L, 1e-300)
    assert risk_averse_limit(L, before, after, R) == pytest.approx(
        float(exact), rel=1e-6, abs=1e-9 * scale
    )


@given(losses, chances, chances, tolerances)
def test_it_lies_between_nothing_and_the_whole_loss(L: float, p: float, q: float, R: float) -> None:
    before, after = max(p, q), min(p, q)
    assert -1e-9 * L <= risk_averse_limit(L, before, after, R) <= L * (1 + 1e-9)


@given(losses, chances, chances, chances, tolerances)
def test_two_steps_are_worth_what_one_is(L: float, p: float, q: float, r: float, R: float) -> None:
    steps = risk_averse_limit(L, p, q, R) + risk_averse_limit(L, q, r, R)
    assert steps == pytest.approx(risk_averse_limit(L, p, r, R), abs=1e-6 * L + 1e-9)


@given(losses, chances, chances)
def test_a_large_tolerance_goes_by_expected_value(L: float, before: float, after: float) -> None:
    for R in (math.inf, 1e9 * max(L, 1.0)):
        assert risk_averse_limit(L, before, after, R) == pytest.approx(
            (before - after) * L, abs=1e-8 * L
        )


def test_a_loss_beyond_any_tolerance_neither_overflows_nor_is_nan() -> None:
    # L/R = 1e6: what is left is L + R ln π0 − (L + R ln π1) = R ln(π0/π1)
    assert risk_averse_limit(1e6, 0.3, 0.1, 1.0) == pytest.approx(math.log(3))
    assert risk_averse_limit(1e6, 0.3, 0.0, 1.0) == pytest.approx(1e6 + math.log(0.3))


def test_all_that_makes_no_sense_is_told() -> None:
    with pytest.raises(RequestError) as told:
        risk_averse_limit(-1, 1.5, 0.1, 0)
    for part in ("before", "loss", "tolerance", "2 more faults"):
        assert part in str(told.value)


def test_without_a_tolerance_it_is_not_made_up() -> None:
    assert risk_averse(50_000, 0.3, 0.1, None).limit is None
    stated = risk_averse(50_000, 0.3, 0.1, 25_000, "EUR")
    assert "14,410.75 EUR" in stated.sentence


def test_an_integral_customer_is_for_a_person() -> None:
    policy = Policy.parse("[integral]\nvalue_share = 0.02\nrisk_tolerance = 25000")
    below, at = (
        recovery_limit(policy, "defective", 400.0, value_if_alive=50_000.0, frequency=9,
                       value_share=share, days_since_first=900)
        for share in (0.0199, 0.02)
    )  # fmt: skip
    assert (below.risk_averse, below.stage) == (None, "long-time")
    assert (at.authority, at.stage) == ("a person decides", "integral")
    assert (at.pay_now, at.escalate) == (0.0, True)
    assert at.recommended == below.recommended
    assert at.risk_averse is not None
    # from π0 to π0(1 − e g), with e .6 and g 1
    pi0 = at.inputs.dropout
    assert at.risk_averse.limit == pytest.approx(risk_averse_limit(50_000, pi0, 0.4 * pi0, 25_000))
    assert at.risk_averse.expected_value == pytest.approx(0.6 * pi0 * 50_000)
