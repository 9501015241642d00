"""The total budget without customer detail: published equations, a numerical optimiser, mpmath."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from clv.errors import AllocationError
from clv.recommend.total_budget import RetentionCurve

curves = st.builds(RetentionCurve, st.floats(0.05, 0.99), st.floats(1e-4, 10))
margins, discounts = st.floats(0.1, 1e4), st.floats(0, 1)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        # docs/explanation/retention.md, m 100, d .1, C .8: every printed digit
        (RetentionCurve(0.8, 0.05), (38.524182, 0.683440, 71.586059)),
        (
            RetentionCurve.from_answers(spend=20, rate=0.6, ceiling=0.8),
            (34.878404, None, 102.315486),
        ),
    ],
)
def test_worked_examples(
    curve: RetentionCurve, expected: tuple[float, float | None, float]
) -> None:
    best = curve.best(margin=100, discount_rate=0.1)
    assert best.spend == pytest.approx(expected[0], abs=5e-7)
    assert best.value == pytest.approx(expected[2], abs=5e-7)
    if expected[1] is not None:
        assert best.rate == pytest.approx(expected[1], abs=5e-7)


def test_the_rate_of_the_three_answers() -> None:
    # docs/explanation/retention.md: 20 spent keeps 60 %, 80 % are the most: ln 4 / 20
    curve = RetentionCurve.from_answers(spend=20, rate=0.6, ceiling=0.8)
    assert curve.k == pytest.approx(0.0693147, abs=5e-8)


@given(st.floats(0.01, 1e4), st.floats(0.01, 0.98), st.floats(0.005, 0.999))
def test_the_curve_passes_through_the_answers(spend: float, ceiling: float, share: float) -> None:
    curve = RetentionCurve.from_answers(spend=spend, rate=share * ceiling, ceiling=ceiling)
    assert curve.rate(spend) == pytest.approx(share * ceiling, rel=1e-9)
    assert curve.rate(0) == 0
    assert curve.rate(1e9 * spend) == pytest.approx(ceiling)


@given(curves, margins, discounts)
def test_a_numerical_optimiser_finds_nothing_better(
    curve: RetentionCurve, margin: float, discount: float
) -> None:
    best = curve.best(margin=margin, discount_rate=discount)

    def worth(spend: float) -> float:
        return curve.value(spend, margin=margin, discount_rate=discount)

    found = minimize_scalar(
        lambda spend: -worth(spend), bounds=(0, margin), method="bounded", options={"xatol": 1e-12}
    )
    assert best.value == worth(best.spend)
    assert best.value >= -found.fun - 1e-9 * (1 + abs(found.fun))
    assert best.value >= worth(0)
    if best.spend > 0:
        assert best.value == pytest.approx(-found.fun, rel=1e-6, abs=1e-9)


@given(curves, margins, discounts)
def test_the_last_unit_returns_what_it_costs(
    curve: RetentionCurve, margin: float, discount: float
) -> None:
    # d(value)/dR = 0:  r'(R) (m + value) = 1, where R > 0; the first unit returns less otherwise
    best = curve.best(margin=margin, discount_rate=discount)
    slope = curve.ceiling * curve.k * math.exp(-curve.k * best.spend)
    returned = slope * (margin + best.value)
    if best.spend > 0:
        assert returned == pytest.approx(1, rel=1e-6)
    else:
        assert returned <= 1 + 1e-9


@pytest.mark.parametrize("margin", [3.0, 1e3, 1e6, 1e12])
def test_digits_hold_where_the_exponential_overflows(margin: float) -> None:
    # Q up to 1e12: exp(Q) has 400 billion digits; mpmath takes 60 of W0(β exp(Q)) by its logarithm
    curve = RetentionCurve(0.8, 1.1)
    with mpmath.workdps(60):
        q = mpmath.mpf(1.1) * mpmath.mpf(margin) * (1 + mpmath.mpf(0.1)) - 1
        beta = (1 + mpmath.mpf(0.1) - mpmath.mpf(0.8)) / mpmath.mpf(0.8)
        x = q + mpmath.log(beta)
        omega = mpmath.findroot(
            lambda v: v + mpmath.log(v) - x, max(x - mpmath.log(abs(x) + 2), 0.3)
        )
        exact = float((q - omega) / mpmath.mpf(1.1))
    assert curve.best(margin=margin, discount_rate=0.1).spend == pytest.approx(exact, rel=1e-13)


@given(curves, margins, discounts)
def test_who_brings_more_is_worth_more_spending(
    curve: RetentionCurve, margin: float, discount: float
) -> None:
    best = curve.best(margin=margin, discount_rate=discount)
    more = curve.best(margin=1.1 * margin, discount_rate=discount)
    assert more.spend >= best.spend
    assert more.value >= best.value


def test_a_customer_who_brings_nothing_gets_nothing() -> None:
    for margin in (0.0, -20.0):
        best = RetentionCurve(0.8, 0.05).best(margin=margin, discount_rate=0.1)
        assert (best.spend, best.rate) == (0, 0)


def test_figures_that_make_no_sense_are_all_told() -> None:
    with pytest.raises(AllocationError) as told:
        RetentionCurve.from_answers(spend=0, rate=0.9, ceiling=0.8)
    assert "spent now" in str(told.value)
    assert "0.9, must be below" in str(told.value)
    with pytest.raises(AllocationError, match="1 more fault"):
        RetentionCurve(1.2, -1)
    with pytest.raises(AllocationError, match="no finite worth"):
        RetentionCurve(1, 0.05).best(margin=100, discount_rate=0)
    with pytest.raises(AllocationError, match=r"margin(?s:.*)discount rate"):
        RetentionCurve(0.8, 0.05).best(margin=np.inf, discount_rate=-0.1)
    with pytest.raises(AllocationError, match="kept now"):
        RetentionCurve.from_answers(spend=20, rate=1.5, ceiling=0.8)
