"""Claims that come unusually often: the worked numbers, quadrature, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gamma

from clv.errors import RequestError
from clv.recommend import Policy, recovery_limit
from clv.recommend.abuse import abuse_review, p_abuse
from clv.recommend.policy import AbuseRules

RULES = AbuseRules()
counts = st.integers(0, 200)


# docs/explanation/recovery.md: prior (2, 100 orders), 3 × base; four decimals printed.
@pytest.mark.parametrize(("claims", "orders", "p"), [(6, 40, 0.3987), (1, 10, 0.0400)])
def test_worked_numbers(claims: int, orders: int, p: float) -> None:
    assert p_abuse(RULES, claims, orders) == pytest.approx(p, abs=5e-5)


@pytest.mark.parametrize(("claims", "orders"), [(0, 0), (3, 1), (6, 40), (30, 200)])
def test_it_is_the_posterior_by_quadrature(claims: int, orders: int) -> None:
    """Prior times Poisson likelihood, integrated: no conjugacy used."""

    def density(rate: float) -> float:
        expected = rate * orders
        likelihood = expected**claims * 2.718281828459045**-expected if orders else 0.0**claims
        return float(gamma.pdf(rate, RULES.prior_claims, scale=1 / RULES.prior_orders)) * likelihood

    if claims and not orders:
        return
    above, whole = (quad(density, low, 2.0, limit=500, points=[0.06])[0] for low in (0.06, 0.0))
    assert p_abuse(RULES, claims, orders) == pytest.approx(above / whole, abs=1e-6)


@given(counts, counts, st.integers(1, 50))
def test_more_claims_are_more_suspicious_and_more_orders_less(k: int, n: int, more: int) -> None:
    assert p_abuse(RULES, k + more, n) >= p_abuse(RULES, k, n)
    assert p_abuse(RULES, k, n + more) <= p_abuse(RULES, k, n)
    assert 0 <= p_abuse(RULES, k, n) <= 1


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(RequestError, match="1 more fault"):
        p_abuse(RULES, [-1, 2], [3, float("nan")])


def test_it_is_looked_at_and_never_refused() -> None:
    assert abuse_review(RULES, 6, 40).review
    assert not abuse_review(RULES, 1, 10).review
    assert abuse_review(RULES, 1, 10).sentence == ""
    case: dict[str, Any] = {"loss": 40.0, "value_if_alive": 900.0, "frequency": 9}
    plain = recovery_limit(Policy(), "defective", **case)
    many = recovery_limit(Policy(), "defective", claims=8, **case)
    assert plain.review is None
    assert many.review is not None
    assert many.review.orders == 10  # nine purchases before the one that went wrong
    assert many.warnings == (many.review.sentence,)
    assert many.recommended == plain.recommended
    assert many.reasons == plain.reasons
    assert "abuse.factor" in many.assumed
    assert "abuse.factor" not in plain.assumed
