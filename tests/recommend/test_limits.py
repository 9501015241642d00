"""Recovery limits of many customers: the order of the limits, what must rise and fall with what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError, UnknownNameError
from clv.recommend import Policy, RecoveryLimits, break_even, recovery_limits, worthwhile_spend
from clv.recommend.limits import BINDINGS
from clv.recommend.response import dropout_after

# π0 .3 whatever the history, κ 20 at a loss of 40, no floor, nothing rounded or capped: the
# setting of the worked examples in docs/explanation/recovery.md.
PLAIN = """
[recovery]
grid = 1e-9
handling_cost = 0
most_of_loss = 1e9
most_in_12_months = 1e15
[problems.plain]
dropout = 0.3
"""
BARE = Policy.parse(PLAIN)
DEFAULT = Policy()

values = st.floats(0, 1e12)
losses = st.floats(1e-6, 1e9) | st.just(0.0)
problems = st.sampled_from([*DEFAULT.problems])
forms = st.sampled_from(["cash", "credit"])
circumstances = st.fixed_dictionaries(
    {
        "frequency": st.integers(0, 1000),
        "hours": st.floats(0, 1e4),
        "severity": st.integers(1, 4),
        "days_since_incident": st.floats(0, 1e4) | st.just(np.nan),
        "p_alive": st.floats(0, 1),
        "word_of_mouth": st.floats(0, 1e6),
        "given_12_months": st.floats(0, 1e3),
        "already_given": st.floats(0, 1e3) | st.just(0.0),
        "value_share": st.floats(0, 1),
        "form": forms,
    }
)


def binding(limits: RecoveryLimits) -> str:
    return BINDINGS[int(limits.binding)]


# docs/explanation/recovery.md, worked examples: V, more -> first, recommended, most, ceiling.
@pytest.mark.parametrize(
    ("V", "more", "figures"),
    [
        (400, {}, (1.5392, 15.4022, 36.0918, 120)),
        (400, {"form": "credit"}, (18.8892, 32.7522, 102.2375, 120)),
        (400, {"p_alive": 0.5}, (0, 1.5392, 3.1190, 60)),
        (400, {"hours": 1e6}, (0, 1.5392, 3.1190, 120)),  # g = g∞ = .5
        (100, {}, (0, 0, 0, 30)),
        (5000, {}, (52.0538, 65.9167, 540.00, 1500)),
        (400, {"word_of_mouth": 0.8 * 18.9}, (3.9127, 17.7756, 42.9680, 135.12)),
        (400, {"loss": 200}, (0, 0, 0, 120)),  # κ 100
    ],
)
def test_worked_examples(V: float, more: dict[str, Any], figures: tuple[float, ...]) -> None:
    got = recovery_limits(
        BARE, "plain", **{"loss": 40, "value_if_alive": V, "frequency": 0, **more}
    )
    assert [got.first_gesture, got.recommended, got.most, got.ceiling] == pytest.approx(
        figures, abs=5e-5
    )


def test_escalation_of_the_worked_example() -> None:
    # docs/explanation/recovery.md: V 5000, agent cap 50: 8.41 left, a 24 h delay costs 225.
    # The delay begins where promptness ends, at 4 hours: g falls from 1 to .75.
    got = recovery_limits(BARE, "plain", 40, value_if_alive=5000, frequency=0, hours=4)
    assert got.gain_of_asking == pytest.approx(8.41, abs=5e-3)
    assert got.cost_of_asking == pytest.approx(225 + BARE.recovery.escalation_cost)
    assert (float(got.pay_now), bool(got.escalate)) == (50, False)


def test_escalate_where_asking_gains_more_than_it_costs() -> None:
    got = recovery_limits(
        BARE, "plain", 400, value_if_alive=5000, frequency=0, severity=[1, 4], hours=1000
    )
    assert (got.escalate == (got.gain_of_asking > got.cost_of_asking)).all()
    assert got.escalate.tolist() == [False, True]
    # so late that waiting costs nothing more: only the asking itself does
    assert got.cost_of_asking == pytest.approx(BARE.recovery.escalation_cost)


@given(losses, values, circumstances, problems)
def test_what_holds_for_every_request(
    loss: float, V: float, more: dict[str, Any], problem: str
) -> None:
    got = recovery_limits(DEFAULT, problem, loss, value_if_alive=V, **more)
    rules = DEFAULT.recovery
    so_far = more["already_given"]
    for name, figure in vars(got).items():
        assert np.isfinite(figure)
        if name not in {"net_gain", "gain_of_asking"}:  # a floor may cost more than it keeps
            assert figure >= 0
    c = 1.0 if more["form"] == "cash" else 0.42  # .7 × (1 − .4)
    assert c * got.most <= got.ceiling * (1 + 1e-12)  # no spend pays beyond all that is at stake
    still_owed = max(0.0, got.floor - so_far)
    assert still_owed <= got.first_gesture <= got.recommended
    assert got.pay_now <= np.minimum(got.recommended, DEFAULT.authority.agent)
    if got.recommended > still_owed:
        assert got.recommended % rules.grid == 0
        left = max(0.0, rules.most_in_12_months - more["given_12_months"])
        in_all = so_far + got.recommended
        kind = DEFAULT.problems[problem]
        floor = max(kind.floor_share * loss, kind.floor_fixed)
        assert got.recommended <= got.most * (1 + 1e-12)
        assert in_all <= rules.most_of_loss * loss * (1 + 1e-12)
        assert in_all <= left * (1 + 1e-12)
        assert in_all <= DEFAULT.fairness.spread * floor * (1 + 1e-12) or floor == 0
        assert got.recommended >= rules.handling_cost
        assert c * in_all <= got.ceiling * (1 + 1e-12)
        assert not got.above_ceiling
    if got.above_ceiling:
        assert got.recommended == still_owed
        assert c * (so_far + got.recommended) > got.ceiling
    if binding(got) == "policy floor, not justified by value":
        assert got.floor > got.most
    if binding(got) in {"value at stake", "fair spread"} and not so_far:
        assert got.net_gain >= -1e-9 * (1 + V)


@given(losses, values, values, circumstances, problems)
def test_more_value_never_means_less(
    loss: float, V: float, more_value: float, more: dict[str, Any], problem: str
) -> None:
    got = recovery_limits(DEFAULT, problem, loss, value_if_alive=[V, V + more_value], **more)
    for figure in (got.first_gesture, got.recommended, got.most, got.ceiling):
        assert figure[0] <= figure[1]
    assert got.floor[0] == got.floor[1]  # the floor is the same whatever the customer's value


@given(losses, values, st.floats(0, 1e4), circumstances, problems)
def test_waiting_never_means_more(
    loss: float, V: float, wait: float, more: dict[str, Any], problem: str
) -> None:
    more["hours"] += np.array([0, wait])
    got = recovery_limits(DEFAULT, problem, loss, value_if_alive=V, **more)
    for figure in (got.first_gesture, got.recommended, got.most):
        assert figure[0] >= figure[1]
    assert got.ceiling[0] == got.ceiling[1]  # what is at stake does not wait


@given(st.floats(1e-3, 1e6), st.floats(0, 1e9), st.sampled_from([0.01, 100.0]))
def test_the_unit_of_money_does_not_matter(loss: float, V: float, unit: float) -> None:
    one = recovery_limits(BARE, "plain", loss, value_if_alive=V, frequency=0)
    other = recovery_limits(BARE, "plain", loss * unit, value_if_alive=V * unit, frequency=0)
    for name in ("first_gesture", "recommended", "most", "ceiling"):
        # 1e-9 is the grid of this policy
        assert getattr(other, name) / unit == pytest.approx(
            getattr(one, name), rel=1e-6, abs=3e-7 + 1e-9 * loss
        )


@given(losses, values, circumstances, problems)
def test_one_customer_is_a_row_of_many(
    loss: float, V: float, more: dict[str, Any], problem: str
) -> None:
    one = recovery_limits(DEFAULT, problem, loss, value_if_alive=V, **more)
    many = recovery_limits(DEFAULT, problem, [1.0, loss], value_if_alive=[7.0, V], **more)
    for name, figure in vars(one).items():
        assert getattr(many, name)[1] == figure


def asked(text: str, loss: float = 40, V: float = 400, **more: Any) -> RecoveryLimits:
    return recovery_limits(
        Policy.parse(text), "plain", loss, value_if_alive=V, **{"frequency": 0, **more}
    )


# The unclipped recommendation of V 400 is 15.4022, the most 36.0918 (worked examples).
@pytest.mark.parametrize(
    ("text", "more", "recommended", "what"),
    [
        ("", {}, 15, "value at stake"),
        ("", {"V": 100}, 0, "too little at stake"),
        ("[recovery]\ngrid = 5.0", {}, 15, "value at stake"),
        ("[recovery]\ngrid = 0.05", {}, 15.4, "value at stake"),
        ("[recovery]\ngrid = 20.0", {}, 0, "too small to handle"),
        ("[recovery]\nhandling_cost = 15.5", {}, 0, "too small to handle"),
        ("[recovery]\nmost_of_loss = 0.25", {}, 10, "share of the loss"),
        ("[recovery]\nmost_in_12_months = 20.0", {"given_12_months": 8}, 12, "12-month limit"),
        ("[recovery]\nmost_in_12_months = 20.0", {"given_12_months": 30}, 0, "12-month limit"),
        # what is left of a limit, and not what would pay for itself, is too small to handle
        ("[recovery]\nmost_in_12_months = 20.0", {"given_12_months": 19.5}, 0, "12-month limit"),
        ("[recovery]\nmost_of_loss = 0.02", {}, 0, "share of the loss"),
        ("", {"loss": 0}, 0, "share of the loss"),
        ("", {"loss": 0, "V": 0}, 0, "too little at stake"),
    ],
)
def test_what_decides(text: str, more: dict[str, Any], recommended: float, what: str) -> None:
    got = asked(text + "\n[problems.plain]\ndropout = 0.3", **more)
    assert got.recommended == recommended
    assert binding(got) == what


@pytest.mark.parametrize(
    ("floor", "more", "recommended", "what"),
    [
        (12.0, {}, 15, "value at stake"),
        (20.0, {}, 20, "policy floor"),
        (20.7, {}, 20, "policy floor"),  # whole steps of the grid
        (40.0, {}, 40, "policy floor, not justified by value"),
        (40.0, {"given_12_months": 499}, 40, "policy floor, not justified by value"),
        (20.0, {"given_12_months": 499}, 20, "policy floor"),  # wins over the 12-month limit
        (70.0, {"V": 5e6}, 70, "policy floor"),  # and over 1.5 times the loss, 60
    ],
)
def test_the_floor_wins(floor: float, more: dict[str, Any], recommended: float, what: str) -> None:
    got = asked(f"[problems.plain]\ndropout = 0.3\nfloor_fixed = {floor}", **more)
    assert got.recommended == recommended
    assert binding(got) == what


def test_the_floor_stays_below_handling_cost() -> None:
    text = "[recovery]\nhandling_cost = 30\n[problems.plain]\ndropout = 0.3\nfloor_share = 0.05"
    got = asked(text)
    assert (float(got.recommended), float(got.floor)) == (2, 2)  # 5 % of 40


def test_the_larger_of_two_floors_counts() -> None:
    text = "[problems.plain]\ndropout = 0.3\nfloor_share = 0.5\nfloor_fixed = 15"
    assert asked(text, loss=40).floor == 20
    assert asked(text, loss=10).floor == 15


def test_a_floor_above_what_the_agent_may_give_is_asked_for() -> None:
    got = asked("[problems.plain]\ndropout = 0.3\nfloor_fixed = 80", V=0)
    assert (float(got.pay_now), bool(got.escalate)) == (50, True)


# The tiers are 25, 50, 150 and 500; a floor sets the amount to the cent.
@pytest.mark.parametrize(
    ("amount", "tier"), [(25, 0), (25.01, 1), (50, 1), (150, 2), (500, 3), (500.01, 4)]
)
def test_tiers_up_to_and_with_their_cap(amount: float, tier: int) -> None:
    text = f"[recovery]\ngrid = 0.01\n[problems.plain]\ndropout = 0.3\nfloor_fixed = {amount}"
    assert asked(text).tier == tier


def test_a_person_decides_about_safety() -> None:
    got = recovery_limits(DEFAULT, "safety_or_privacy", 40, value_if_alive=2000, frequency=0)
    assert binding(got) == "a person decides"
    assert got.tier == len(DEFAULT.authority.tiers)
    assert (float(got.pay_now), bool(got.escalate)) == (0, True)
    assert got.recommended > 0


@given(st.integers(0, 10**6), st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.3, 1.0, 5.0, 50.0]))
def test_whole_steps_are_not_rounded_down(steps: int, grid: float) -> None:
    amount = steps * grid
    text = f"[recovery]\ngrid = {grid}\n[problems.plain]\ndropout = 0.0\nfloor_fixed = {amount!r}"
    assert asked(text).floor == pytest.approx(amount, rel=1e-12)


def test_amounts_on_a_grid_of_cents_have_no_stray_digits() -> None:
    got = asked("[recovery]\ngrid = 0.01\n[problems.plain]\ndropout = 0.3\nfloor_fixed = 0.29")
    assert float(got.floor) == 0.29


def test_readings_are_those_of_the_curve() -> None:
    V = np.geomspace(1, 1e6, 50)
    got = recovery_limits(BARE, "plain", 40, value_if_alive=V, frequency=0)
    assert got.most == pytest.approx(break_even(0.36 * 0.3 * V, 20))  # D = e·ρ·π0·V
    assert got.recommended == pytest.approx(worthwhile_spend(0.36 * 0.3 * V, 20), abs=1e-9)


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        ({"loss": -5}, ["loss must be a finite number of at least 0; got -5"]),
        ({"loss": np.nan}, ["loss", "nan"]),
        ({"value_if_alive": np.inf}, ["value_if_alive", "inf"]),
        ({"value_if_alive": np.nan}, ["value_if_alive", "nan"]),
        ({"value_if_alive": -1}, ["value_if_alive", "-1"]),
        ({"hours": -1}, ["hours", "-1"]),
        ({"severity": 5}, ["severity must be 1, 2, 3 or 4; got 5"]),
        ({"severity": 0}, ["severity"]),
        ({"severity": 1.5}, ["severity", "1.5"]),
        ({"frequency": -1}, ["frequency"]),
        ({"days_since_incident": -1}, ["days_since_incident"]),
        ({"p_alive": 1.1}, ["p_alive must be from 0 to 1; got 1.1"]),
        ({"p_alive": np.nan}, ["p_alive"]),
        ({"word_of_mouth": -1}, ["word_of_mouth"]),
        ({"given_12_months": -1}, ["given_12_months"]),
        ({"already_given": -1}, ["already_given", "-1"]),
        ({"value_share": 1.5}, ["value_share must be from 0 to 1; got 1.5"]),
        ({"log_odds": np.inf}, ["log_odds", "inf"]),
        ({"form": "cheque"}, ["'cash'", "'credit'", "'cheque'"]),
        ({"loss": "forty"}, ["number"]),
        ({"loss": [1, 2], "hours": [1, 2, 3]}, ["number"]),
        ({"loss": [1, -2, -3]}, ["2 of 3", "rows: 1, 2", "got -2"]),
        ({"loss": -1, "hours": -2, "severity": 9}, ["2 more faults", "loss", "hours", "severity"]),
    ],
)
def test_what_makes_no_sense_is_refused(more: dict[str, Any], parts: list[str]) -> None:
    request = {"loss": 40, "value_if_alive": 400, "frequency": 0, **more}
    with pytest.raises(RequestError) as told:
        recovery_limits(DEFAULT, "defective", **request)
    for part in parts:
        assert part in str(told.value)


def test_unknown_problem_suggests() -> None:
    with pytest.raises(UnknownNameError, match="'defective'"):
        recovery_limits(DEFAULT, "defectiv", 40, value_if_alive=400, frequency=0)


# ---------------------------------------------------------------------- gestures on one problem


@given(losses, values, circumstances, problems, st.integers(0, 300))
def test_gestures_on_one_problem_add_up(
    loss: float, V: float, more: dict[str, Any], problem: str, given_so_far: int
) -> None:
    """Whatever has been given in whole steps, all of it together is what it would be at once."""
    more = {**more, "already_given": 0.0}
    whole = recovery_limits(DEFAULT, problem, loss, value_if_alive=V, **more)
    more["already_given"] = float(given_so_far)
    rest = recovery_limits(DEFAULT, problem, loss, value_if_alive=V, **more)
    for name in ("first_gesture", "recommended", "most"):
        at_once, after = getattr(whole, name), getattr(rest, name)
        assert given_so_far + after == pytest.approx(max(given_so_far, at_once))
    assert rest.ceiling == whole.ceiling
    if rest.recommended > 0:
        assert rest.tier == whole.tier  # the tier that may approve it all
        assert binding(rest) == binding(whole)


def test_what_has_been_given_is_named_where_it_leaves_nothing() -> None:
    got = asked("[problems.plain]\ndropout = 0.3", already_given=15)  # 15.40 is worthwhile
    assert (float(got.recommended), binding(got)) == (0, "given already")
    assert asked("[problems.plain]\ndropout = 0.3", already_given=14).recommended == 1


def test_what_the_agent_may_give_counts_what_was_given() -> None:
    text = "[problems.plain]\ndropout = 0.3\nfloor_fixed = 60"
    assert asked(text, already_given=45).pay_now == 5
    assert asked(text, already_given=45).recommended == 15


# ----------------------------------------------------------------------------------- fair spread


@given(losses, st.lists(values, min_size=2, max_size=9), problems)
def test_nobody_gets_more_than_five_times_what_another_gets(
    loss: float, V: list[float], problem: str
) -> None:
    kind = DEFAULT.problems[problem]
    floor = max(kind.floor_share * loss, kind.floor_fixed)
    got = recovery_limits(DEFAULT, problem, loss, value_if_alive=V, frequency=0).recommended
    if floor > 0:  # whole steps: the least may be rounded down by less than one
        assert got.max() <= 5 * (got.min() + DEFAULT.recovery.grid)


@pytest.mark.parametrize(
    ("text", "recommended", "what"),
    [
        ("floor_fixed = 2", 10, "fair spread"),
        ("floor_fixed = 2.9", 14, "fair spread"),  # of the floor before it is rounded, 14.5
        ("floor_fixed = 4", 15, "value at stake"),
        ("", 15, "value at stake"),  # no floor: nothing to be a multiple of
        ("floor_fixed = 2\n[fairness]\nspread = 1.0", 2, "fair spread"),
        ("floor_fixed = 2\n[fairness]\nspread = 100.0", 15, "value at stake"),
    ],
)
def test_where_the_spread_binds(text: str, recommended: float, what: str) -> None:
    got = asked(f"[problems.plain]\ndropout = 0.3\n{text}")
    assert (float(got.recommended), binding(got)) == (recommended, what)


# ----------------------------------------------------------------------------- an hour of delay


@given(
    st.floats(1, 1e6), st.floats(1, 1e6), st.floats(0, 200), st.integers(1, 4), st.floats(0, 100)
)
def test_an_hour_costs_what_the_value_kept_falls_by(
    loss: float, V: float, hours: float, severity: int, word_of_mouth: float
) -> None:
    """Against the difference of A π0 V + u0 W times what recovery keeps, π0 − π(s, h), over π0."""
    got = recovery_limits(
        BARE, "plain", loss, value_if_alive=V, frequency=0, hours=hours, severity=severity,
        word_of_mouth=word_of_mouth,
    )  # fmt: skip
    kappa = BARE.recovery.money_scale * loss

    def kept(h: float) -> float:
        left = dropout_after(got.recommended, h, pi0=1.0, kappa=kappa, rules=BARE.recovery)
        return float(got.ceiling * (1 - left))

    step = 1e-4
    for h, cost in ((hours, got.cost_per_hour), (4.0, got.cost_per_late_hour)):  # h0 is 4
        falls = (kept(h) - kept(h + step)) / step
        if h > 4 or h + step < 4 or h == 4:
            assert cost == pytest.approx(falls, rel=1e-4, abs=1e-7 * float(got.ceiling))
    assert got.cost_per_hour <= got.cost_per_late_hour * (1 + 1e-12)


# ------------------------------------------------------------------------- floors and ceilings


def test_a_floor_above_all_that_is_at_stake_is_flagged() -> None:
    text = "[problems.plain]\ndropout = 0.3\nfloor_fixed = 20"
    assert asked(text, V=60).above_ceiling  # 18 at stake
    assert not asked(text, V=70).above_ceiling  # 21
    assert not asked(text, V=60, form="credit").above_ceiling  # 20 of credit cost 8.40
    assert not asked(text, V=0, already_given=20).above_ceiling  # nothing more is given


def test_of_an_integral_customer_a_person_decides() -> None:
    got = recovery_limits(
        DEFAULT, "defective", 40, value_if_alive=2000, frequency=0, value_share=[0.0099, 0.01]
    )  # the policy draws the line at 1 %
    assert got.integral.tolist() == [False, True]
    assert got.tier.tolist() == [0, len(DEFAULT.authority.tiers)]
    assert got.pay_now[1] == 0
    assert got.recommended[0] == got.recommended[1]


@given(losses, values, circumstances, problems, st.floats(0, 3))
def test_more_who_would_leave_never_means_less(
    loss: float, V: float, more: dict[str, Any], problem: str, log_odds: float
) -> None:
    got = recovery_limits(
        DEFAULT, problem, loss, value_if_alive=V, **more, log_odds=np.array([0.0, log_odds])
    )
    for figure in (got.first_gesture, got.recommended, got.most, got.ceiling):
        assert figure[0] <= figure[1]
