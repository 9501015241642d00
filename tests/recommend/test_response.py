"""The customer's response: dropout, waiting, what goodwill can keep, what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.recommend import Policy
from clv.recommend.curve import net_gain
from clv.recommend.policy import DropoutRules, RecoveryRules
from clv.recommend.response import (
    dropout_after,
    dropout_before,
    most_savable,
    promptness,
    promptness_lost,
    unit_cost,
)

RULES = RecoveryRules()
probabilities = st.floats(0, 1)
hours = st.floats(0, 1e4)


# docs/explanation/recovery.md, below the worked examples: four decimals printed.
@pytest.mark.parametrize(("h", "g"), [(28, 0.75), (52, 0.625), (100, 0.5312), (0, 1), (4, 1)])
def test_promptness(h: float, g: float) -> None:
    assert promptness(h, RULES) == pytest.approx(g, abs=5.1e-5)  # .53125 is printed .5312


# docs/explanation/recovery.md, "what moves the dropout", base .30: four decimals printed.
@pytest.mark.parametrize(
    ("purchases", "days", "pi0"),
    [(5, np.inf, 0.1863), (20, np.inf, 0.1287), (5, 10, 0.3106), (5, 180, 0.1924)],
)
def test_dropout_before(purchases: float, days: float, pi0: float) -> None:
    got = dropout_before(
        0.30, DropoutRules(), earlier_purchases=purchases, days_since_incident=days
    )
    assert got == pytest.approx(pi0, abs=5e-5)


def test_each_level_of_severity_multiplies_the_odds() -> None:
    levels = dropout_before(0.3, DropoutRules(), severity=[1, 2, 3, 4])
    odds = levels / (1 - levels)
    assert odds[1:] / odds[:-1] == pytest.approx(
        np.exp([0.5, 0.5, 0.5])
    )  # +.5 a level on the logit


@given(base=probabilities, n=st.floats(0, 1e6), days=st.floats(0, 1e5), level=st.integers(1, 4))
def test_dropout_is_a_probability(base: float, n: float, days: float, level: int) -> None:
    got = dropout_before(
        base, DropoutRules(), earlier_purchases=n, severity=level, days_since_incident=days
    )
    assert 0 <= got <= 1


@given(s=st.floats(0, 1e6), h=hours, pi0=probabilities, kappa=st.floats(0.01, 1e6))
def test_recovery_never_harms_and_never_makes_up_more_than_the_problem(
    s: float, h: float, pi0: float, kappa: float
) -> None:
    after = dropout_after(s, h, pi0=pi0, kappa=kappa, rules=RULES)
    assert 0 <= after <= pi0


@given(
    s=st.floats(0, 1e4),
    h=hours,
    pi0=probabilities,
    kappa=st.floats(0.1, 1e4),
    V=st.floats(0, 1e6),
)
def test_what_goodwill_keeps_is_the_dropout_it_prevents(
    s: float, h: float, pi0: float, kappa: float, V: float
) -> None:
    prevented = dropout_after(0, h, pi0=pi0, kappa=kappa, rules=RULES) - dropout_after(
        s, h, pi0=pi0, kappa=kappa, rules=RULES
    )
    D = most_savable(pi0 * V, h, RULES)
    assert net_gain(s, D, kappa, c=1.0) + s == pytest.approx(V * prevented, abs=1e-9 * (V + s))


@given(h=hours, later=hours)
def test_waiting_never_helps(h: float, later: float) -> None:
    assert promptness(h + later, RULES) <= promptness(h, RULES)
    assert promptness(h, RULES) >= RULES.slow_share


def test_most_savable_with_word_of_mouth() -> None:
    # docs/explanation/recovery.md, row "V 400, u0 .8, W 18.9": four decimals printed.
    assert most_savable(0.3 * 400 + 0.8 * 18.9, 0, RULES) == pytest.approx(48.6432, abs=5e-5)


def test_credit_costs_what_is_redeemed_less_the_margin() -> None:
    assert unit_cost(Policy(), "credit") == pytest.approx(0.42)  # .7 × (1 − .4), the defaults
    assert unit_cost(Policy(margin=0.25), "credit") == pytest.approx(0.7 * 0.75)
    assert unit_cost(Policy(), "cash") == 1


@given(st.floats(0, 1000))
def test_what_an_hour_takes_off_is_the_slope(h: float) -> None:
    step = 1e-5
    if abs(h - RULES.prompt_hours) > step:
        falls = (promptness(h - step / 2, RULES) - promptness(h + step / 2, RULES)) / step
        assert promptness_lost(h, RULES) == pytest.approx(falls, abs=1e-9)


def test_the_first_late_hour_costs_most() -> None:
    # (1 − g∞) ln 2 / H with g∞ .5 and H 24: .0144
    h = RULES.prompt_hours
    assert promptness_lost(h, RULES) == pytest.approx(0.5 * np.log(2) / 24)
    assert promptness_lost(np.nextafter(h, 0), RULES) == 0
