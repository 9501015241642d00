"""An experiment with goodwill: who is in it, how long it takes, and what it shows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from clv.errors import RequestError
from clv.recommend.experiment import assign, estimate
from clv.recommend.experiment_size import incidents_needed, power, smallest_effect
from clv.recommend.policy import Policy

POLICY = Policy.parse("[experiment]\nshare = 0.2\ngrid_steps = 5")


# ------------------------------------------------------------------------------------ assignment


@given(st.text(max_size=8), st.text(max_size=8), st.floats(0, 100), st.floats(0, 200))
def test_an_offer_never_falls_and_never_breaks_a_limit(
    customer: str, incident: str, offer: float, most: float
) -> None:
    one = assign(POLICY, customer, incident, offer, most=most)
    assert one == assign(POLICY, customer, incident, offer, most=most)
    assert one.offer is not None  # no person decides here
    assert one.usual_offer == offer
    assert one.offer >= offer
    if one.assigned_arm is not None:  # the log says what either arm would have given
        assert one.step_offer is not None
        assert one.offer == (one.step_offer if one.assigned_arm == "step" else one.usual_offer)
        assert one.step_offer > one.usual_offer
    assert one.offer in (offer, offer + 5)
    assert one.offer <= max(most, offer)
    if one.assigned_arm is None:
        assert one.offer == offer
        assert one.assignment_probability is None
        assert one.reason
    else:
        assert one.assignment_probability == {"step": 0.2, "usual": 0.8}[one.assigned_arm]


def test_as_many_get_the_step_as_the_policy_says() -> None:
    """Hashes behave as draws: within 4 standard errors, by customer, incident and experiment."""
    n = 20_000
    for share in (0.05, 0.2, 0.45):
        policy = Policy.parse(f"[experiment]\nshare = {share}")
        for named in ("goodwill", "another"):
            drawn = [
                assign(policy, f"c{i % 700}", f"t{i}", 9.0, most=99.0, experiment=named)
                for i in range(n)
            ]
            step = np.mean([one.assigned_arm == "step" for one in drawn])
            assert abs(step - share) < 4 * math.sqrt(share * (1 - share) / n)


def test_another_experiment_draws_anew() -> None:
    arms = [
        [
            assign(POLICY, "c", f"t{i}", 9.0, most=99.0, experiment=named).assigned_arm
            for i in range(2000)
        ]
        for named in ("goodwill", "vouchers")
    ]
    both = np.mean([a == b == "step" for a, b in zip(*arms, strict=True)])
    assert both == pytest.approx(0.04, abs=4 * math.sqrt(0.04 * 0.96 / 2000))


def test_names_that_run_together_are_kept_apart() -> None:
    """c1 and ticket 23 are not c12 and ticket 3."""
    several = [
        (
            assign(POLICY, f"c{i}", f"{j}{k}", 9.0, most=99.0).assigned_arm,
            assign(POLICY, f"c{i}{j}", f"{k}", 9.0, most=99.0).assigned_arm,
        )
        for i in range(10)
        for j in range(10)
        for k in range(10)
    ]
    assert any(a != b for a, b in several)


@pytest.mark.parametrize(
    ("policy", "offer", "most", "reason"),
    [
        ("[experiment]\nshare = 0", 9.0, 99.0, "varies no offers"),
        ("[experiment]\nshare = 0.2", 0.0, 99.0, "Nothing is recommended"),
        ("[experiment]\nshare = 0.2", 9.0, 9.5, "go beyond what may be given"),
    ],
)
def test_who_is_not_in_it_is_told_why(policy: str, offer: float, most: float, reason: str) -> None:
    one = assign(Policy.parse(policy), "c", "t", offer, most=most)
    assert one.assigned_arm is None
    assert reason in one.reason


def test_amounts_that_are_none_are_refused_together() -> None:
    with pytest.raises(RequestError, match="1 more fault"):
        assign(POLICY, "c", "t", -1.0, most=math.nan)


# ------------------------------------------------------------------------------------------ size


def test_the_formula_is_that_of_the_books() -> None:
    """Fleiss, Levin & Paik 2003, section 4: (z_α/2 + z_β)² V / δ², here by hand.

    π .15, b .6, δ .05, f .2: p₀ .51, p₁ .54, V = .54·.46/.2 + .51·.49/.8.
    """
    v = 0.54 * 0.46 / 0.2 + 0.51 * 0.49 / 0.8
    n = v * (norm.ppf(0.975) + norm.ppf(0.8)) ** 2 / 0.03**2
    about = {"dropout": 0.15, "returns": 0.6, "share": 0.2}
    assert incidents_needed(0.05, **about) == math.ceil(n) == 13556


@given(
    st.floats(0.02, 0.9),
    st.floats(0.05, 1.0),
    st.floats(0.01, 0.49),
    st.floats(0.1, 1.0),
    st.floats(0.5, 0.99),
)
def test_size_power_and_smallest_effect_are_one_relation(
    dropout: float, returns: float, share: float, part: float, wanted: float
) -> None:
    about = {"dropout": dropout, "returns": returns, "share": share}
    effect = part * dropout
    n = incidents_needed(effect, power=wanted, **about)
    assert power(n, effect, **about) == pytest.approx(wanted, abs=0.01 if n < 1e4 else 1e-3) or (
        power(n, effect, **about) >= wanted >= power(n - 1, effect, **about)
    )
    assert smallest_effect(n, power=wanted, **about) <= effect * (1 + 1e-9)
    assert power(n + 1, effect, **about) > power(n, effect, **about) - 1e-15


def test_counted_power_is_the_power_of_the_formula() -> None:
    """2,000 experiments drawn, each estimated as a real one is: as many show as was said."""
    rng = np.random.default_rng(5)
    pi, b, f, delta, runs = 0.3, 0.7, 0.25, 0.1, 2000
    n = int(incidents_needed(delta, dropout=pi, returns=b, share=f))
    shown = 0
    for _ in range(runs):
        step = rng.random(n) < f
        back = rng.random(n) < (1 - pi + delta * step) * b
        shown += estimate(back, step, np.where(step, f, 1 - f), np.arange(n)).low > 0
    assert shown / runs == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / runs))


def test_so_few_incidents_show_nothing_however_large() -> None:
    assert math.isnan(smallest_effect(10, dropout=0.15, returns=0.6, share=0.1))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"effect": 0.3}, "cannot keep more than the 15.0% who leave"),
        ({"dropout": 0.0}, "between 0 and 1"),
        ({"returns": 0.0}, "above 0"),
        ({"share": 0.5}, "between 0 and 0.5"),
        ({"effect": 0.0}, "an effect of 0"),
        ({"power": 1.0}, "A power lies"),
    ],
)
def test_designs_that_cannot_be_are_refused(given: dict[str, float], told: str) -> None:
    about = {"effect": 0.05, "dropout": 0.15, "returns": 0.6, "share": 0.2} | given
    with pytest.raises(RequestError, match=told):
        incidents_needed(**about)


# -------------------------------------------------------------------------------------- estimate


def test_intervals_cover_with_repeated_customers() -> None:
    """Customers with up to five incidents that go the same way: 95 % cover in 1,000 experiments."""
    rng = np.random.default_rng(7)
    runs, covered, naive = 1000, 0, 0
    for _ in range(runs):
        who = np.repeat(np.arange(200), rng.integers(1, 6, 200))
        luck = rng.normal(0, 1.5, 200)[who]  # of the customer: the incidents are no separate draws
        arm = rng.random(200)[who] < 0.4  # drawn for the customer, the harder case
        p = 1 / (1 + np.exp(-luck - 0.5 * arm))
        one = estimate(rng.random(len(who)) < p, arm, np.where(arm, 0.4, 0.6), who)
        truth = _share(0.5) - _share(0.0)
        covered += one.low <= truth <= one.high
        alone = estimate(
            rng.random(len(who)) < p, arm, np.where(arm, 0.4, 0.6), np.arange(len(who))
        )
        naive += alone.low <= truth <= alone.high
    assert covered / runs == pytest.approx(0.95, abs=0.025)
    assert naive < covered


def test_intervals_cover_where_next_to_everybody_comes_back() -> None:
    """Of 100 incidents some 10 with the step, and 9 of 10 customers come back, 1,000 experiments.

    The variance seen in so small an arm is 0 in a third of them.
    """
    rng = np.random.default_rng(11)
    n, f, runs, covered = 100, 0.1, 1000, 0
    for _ in range(runs):
        step = rng.random(n) < f
        if step.sum() < 2:
            runs -= 1
            continue
        one = estimate(rng.random(n) < 0.9, step, np.where(step, f, 1 - f), np.arange(n))
        assert one.low <= one.difference <= one.high
        covered += one.low <= 0 <= one.high
    assert covered / runs >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / runs)


def test_two_incidents_prove_nothing() -> None:
    """Both came back, of the other forty one half: of as many draws a quarter ends like that."""
    one = estimate([1, 1] + [0, 1] * 20, [1, 1] + [0] * 40, [0.1] * 2 + [0.9] * 40, range(42))
    assert not one.shows


@given(st.integers(1, 50), st.integers(1, 50), st.data())
def test_with_one_incident_a_customer_the_interval_is_that_of_agresti_and_caffo(
    more: int, others: int, data: st.DataObject
) -> None:
    """Agresti & Caffo 2000: shares (x + 1)/(n + 2), variances of n + 2; doi above."""
    n = [more + 1, others + 1]
    came = [data.draw(st.integers(0, size)) for size in n]
    back = [i < x for x, size in zip(came, n, strict=True) for i in range(size)]
    step = [True] * n[0] + [False] * n[1]
    one = estimate(back, step, [0.3] * n[0] + [0.7] * n[1], range(sum(n)))
    share = [(x + 1) / (size + 2) for x, size in zip(came, n, strict=True)]
    variance = sum(p * (1 - p) / (size + 2) for p, size in zip(share, n, strict=True))
    middle, reach = share[0] - share[1], norm.ppf(0.975) * math.sqrt(variance)
    # what was seen counts as a sample of customers: a factor g/(g − 1) at most
    assert (one.low + one.high) / 2 == pytest.approx(middle, abs=1e-12)
    assert (
        reach - 1e-12
        <= (one.high - one.low) / 2
        <= reach * math.sqrt(sum(n) / (sum(n) - 1)) + 1e-12
    )


def test_where_there_is_no_draw_there_is_no_comparison() -> None:
    with pytest.raises(RequestError, match="above 0 and below 1"):
        estimate([1, 0, 1, 0], [1, 1, 0, 0], [0.4, 0.4, 0.6, 1.0], range(4))


def _share(shift: float) -> float:
    """E[logistic(Z + shift)], Z ~ Normal(0, 1.5²), by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    value = weights @ (1 / (1 + np.exp(-1.5 * nodes - shift)))
    return float(value / weights.sum())


def test_unequal_probabilities_are_weighted_back() -> None:
    """The eager were given the step more often; weighted by 1/p the arms are alike again."""
    rng = np.random.default_rng(3)
    n = 200_000
    eager = rng.random(n) < 0.5
    p_step = np.where(eager, 0.45, 0.05)
    step = rng.random(n) < p_step
    back = rng.random(n) < np.where(eager, 0.8, 0.3)
    one = estimate(back, step, np.where(step, p_step, 1 - p_step), np.arange(n))
    assert back[step].mean() - back[~step].mean() > 0.2
    error = (one.high - one.low) / (2 * 1.96)
    assert error < 0.005
    assert abs(one.difference) < 4 * error


def test_an_arm_with_nobody_is_told() -> None:
    with pytest.raises(RequestError, match="The arm 'step' has 0 incidents"):
        estimate([1, 0, 1], [0, 0, 0], [0.9] * 3, [1, 2, 3])
    with pytest.raises(RequestError, match="probabilities"):
        estimate([1, 0, 1, 0], [1, 1, 0, 0], [0.0, 0.1, 0.9, 0.9], range(4))
