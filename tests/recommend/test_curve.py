"""One curve of goodwill, three readings of it: against the equations, mpmath and a grid search."""

from __future__ import annotations

import time

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from clv.recommend import break_even, net_gain, worthwhile_spend
from clv.recommend.curve import loss_of_misjudging

amounts = st.floats(1e-6, 1e12)
scales = st.floats(1e-6, 1e9)
costs = st.floats(0.01, 1.0)

# docs/explanation/recovery.md, the table of worked examples, to the digits it prints:
# D, κ, c -> first gesture, recommended, most
WORKED = [
    (43.2, 20, 1.0, 1.5392, 15.4022, 36.0918),
    (43.2, 20, 0.42, 18.8892, 32.7522, 102.2375),
    (21.6, 20, 1.0, 0, 1.5392, 3.1190),
    (10.8, 20, 1.0, 0, 0, 0),
    (540, 20, 1.0, 52.0538, 65.9167, 540.00),
    (48.6432, 20, 1.0, 3.9127, 17.7756, 42.9680),
    (43.2, 100, 1.0, 0, 0, 0),
]


@pytest.mark.parametrize(("D", "kappa", "c", "first", "recommended", "most"), WORKED)
def test_worked_examples(
    D: float, kappa: float, c: float, first: float, recommended: float, most: float
) -> None:
    assert worthwhile_spend(D, kappa, c, mu=2) == pytest.approx(first, abs=5e-5)
    assert worthwhile_spend(D, kappa, c) == pytest.approx(recommended, abs=5e-5)
    assert break_even(D, kappa, c) == pytest.approx(most, abs=5e-5)


def test_net_gain_of_the_first_worked_example() -> None:
    # docs/explanation/recovery.md, below the table: four decimals printed.
    assert net_gain(worthwhile_spend(43.2, 20), 43.2, 20) == pytest.approx(7.7978, abs=5e-5)


def test_what_a_cap_of_50_leaves_on_the_table() -> None:
    # docs/explanation/recovery.md, escalation at V 5000: two decimals printed.
    best = worthwhile_spend(540, 20)
    assert net_gain(best, 540, 20) - net_gain(50, 540, 20) == pytest.approx(8.41, abs=5e-3)


def exact_break_even(D: float, kappa: float) -> float:
    """x + W0(−x·exp(−x)) in 60 digits, with D/κ formed from the doubles as they are."""
    with mpmath.workdps(60):
        x = mpmath.mpf(D) / mpmath.mpf(kappa)
        return float(mpmath.re(x + mpmath.lambertw(-x * mpmath.exp(-x))) * kappa)


@given(st.floats(-15.5, 9))
def test_break_even_keeps_its_digits_from_just_above_1_to_huge(exponent: float) -> None:
    kappa = 20.0
    D = kappa * (1 + 10**exponent)
    if kappa < D:
        assert break_even(D, kappa) == pytest.approx(exact_break_even(D, kappa), rel=5e-14)


@given(D=amounts, kappa=scales, c=costs)
def test_the_whole_break_even_spend_returns_what_it_costs(D: float, kappa: float, c: float) -> None:
    most = break_even(D, kappa, c)
    if most > 0:
        assert net_gain(most, D, kappa, c) == pytest.approx(0, abs=1e-12 * D)
    else:
        assert c * kappa >= D  # the first unit returns less than it costs


@given(D=amounts, kappa=scales, c=costs, mu=st.floats(1, 100))
def test_the_last_worthwhile_unit_returns_mu(D: float, kappa: float, c: float, mu: float) -> None:
    s = worthwhile_spend(D, kappa, c, mu)
    last_unit = D / kappa * np.exp(-s / kappa) / c
    if s > 0:
        assert last_unit == pytest.approx(mu, rel=1e-9)
    else:
        assert last_unit <= mu * (1 + 1e-12)


@given(D=amounts, kappa=scales, c=costs)
def test_order_of_the_readings(D: float, kappa: float, c: float) -> None:
    first, recommended = worthwhile_spend(D, kappa, c, 2), worthwhile_spend(D, kappa, c)
    most = break_even(D, kappa, c)
    # the difference of logs leaves κ·1e-15·|ln D| on the recommended amount
    assert 0 <= first <= recommended <= most + 1e-13 * kappa
    assert most <= D / c


@given(D=st.floats(1, 1e6), kappa=st.floats(1, 1e3), c=costs)
def test_no_other_spend_gains_more(D: float, kappa: float, c: float) -> None:
    best = net_gain(worthwhile_spend(D, kappa, c), D, kappa, c)
    witness = minimize_scalar(
        lambda s: -float(net_gain(s, D, kappa, c)), bounds=(0, D / c), method="bounded"
    )
    assert best >= -witness.fun - 1e-9 * D


@given(D=amounts, kappa=scales, c=costs, unit=st.sampled_from([0.01, 7.5, 1000.0]))
def test_the_unit_of_money_does_not_matter(D: float, kappa: float, c: float, unit: float) -> None:
    # near the threshold a rounded unit decides between 0 and nearly 0: 1e-12 of the scale
    for reading in (break_even, worthwhile_spend):
        assert reading(D * unit, kappa * unit, c) == pytest.approx(
            unit * reading(D, kappa, c), rel=1e-9, abs=1e-12 * kappa * unit
        )


def test_no_loss_is_the_limit_of_small_losses() -> None:
    assert break_even(43.2, 0.0, 0.5) == 43.2 / 0.5
    assert break_even(43.2, 1e-9, 0.5) == pytest.approx(43.2 / 0.5, rel=1e-12)
    assert worthwhile_spend(43.2, 0.0) == 0
    assert net_gain([0.0, 1.0], 43.2, 0.0).tolist() == [0.0, 42.2]


def test_nothing_at_stake() -> None:
    assert break_even(0.0, [0.0, 20.0]).tolist() == [0.0, 0.0]
    assert worthwhile_spend(0.0, [0.0, 20.0]).tolist() == [0.0, 0.0]


def test_smallest_losses_and_largest_values_stay_finite() -> None:
    D, kappa = np.meshgrid([0.0, 1e-300, 1.0, 1e12, 1e300], [0.0, 1e-300, 1e-6, 1e9])
    for reading in (break_even(D, kappa), worthwhile_spend(D, kappa), net_gain(1.0, D, kappa)):
        assert np.isfinite(reading).all()


def test_a_million_customers_are_read_at_once() -> None:
    D = np.linspace(0, 400, 1_000_000)
    start = time.process_time()
    most, recommended = break_even(D, 20.0), worthwhile_spend(D, 20.0)
    took = time.process_time() - start
    assert took < 2  # seconds of processor time; "at once" for a page that a person waits for
    for i in (0, 50_000, 60_000, 999_999):
        assert most[i] == break_even(D[i], 20.0)
        assert recommended[i] == worthwhile_spend(D[i], 20.0)


@given(st.floats(1e-3, 1e3), scales, costs, st.floats(1.001, 1e6))
def test_misjudging_loses_what_is_said(f: float, kappa: float, c: float, x: float) -> None:
    """Spend by f·D where D is right; both above cκ, D/(cκ) = x, f·D/(cκ) = f·x > 1."""
    if f * x <= 1.001:
        return
    D = x * c * kappa
    best, wrong = (net_gain(worthwhile_spend(d, kappa, c), D, kappa, c) for d in (D, f * D))
    assert best - wrong == pytest.approx(loss_of_misjudging(f, kappa, c), abs=1e-9 * D, rel=1e-9)


@given(st.floats(1.01, 1e3), scales)
def test_spending_too_little_loses_more_than_too_much(f: float, kappa: float) -> None:
    assert loss_of_misjudging(1 / f, kappa) > loss_of_misjudging(f, kappa) > 0
    assert loss_of_misjudging(1, kappa) == 0
