"""The difference of logs of beta functions against mpmath, where subtraction would lose it."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.models.incidents.beta_gap import beta_gap, beta_gap_derivatives

log_uniform = st.floats(np.log(0.05), np.log(50)).map(lambda u: float(np.exp(u)))
betas = st.floats(np.log(0.05), np.log(500)).map(lambda u: float(np.exp(u)))
omegas = st.floats(np.log(1e-15), np.log(50)).map(lambda u: float(np.exp(u)))


def exact(a: mpmath.mpf, beta: mpmath.mpf, omega: mpmath.mpf) -> mpmath.mpf:
    def ln_beta(b: mpmath.mpf) -> mpmath.mpf:
        return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)

    return ln_beta(beta) - ln_beta(beta + omega)


@settings(max_examples=200, deadline=None)
@given(a=log_uniform, beta=betas, omega=omegas)
def test_the_gap_is_exact_for_any_exponent(a: float, beta: float, omega: float) -> None:
    with mpmath.workdps(60):
        expected = float(exact(mpmath.mpf(a), mpmath.mpf(beta), mpmath.mpf(omega)))
    assert float(beta_gap(a, np.array([beta]), np.array([omega]))[0]) == pytest.approx(
        expected, rel=1e-11
    )


@settings(max_examples=40, deadline=None)
@given(a=log_uniform, beta=betas, omega=omegas)
def test_its_derivatives_are_exact_too(a: float, beta: float, omega: float) -> None:
    gap = beta_gap_derivatives(a, np.array([beta]), np.array([omega]))
    orders = {
        "in_a": (1, 0, 0), "in_beta": (0, 1, 0), "in_omega": (0, 0, 1), "in_a_a": (2, 0, 0),
        "in_a_beta": (1, 1, 0), "in_a_omega": (1, 0, 1), "in_beta_beta": (0, 2, 0),
        "in_beta_omega": (0, 1, 1), "in_omega_omega": (0, 0, 2),
    }  # fmt: skip
    with mpmath.workdps(60):
        at = (mpmath.mpf(a), mpmath.mpf(beta), mpmath.mpf(omega))
        for name, order in orders.items():
            expected = float(mpmath.diff(exact, at, order))
            assert float(getattr(gap, name)[0]) == pytest.approx(expected, rel=1e-8), name
