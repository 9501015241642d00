"""One offer for a failure that many share: the optimum, the limits, the words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize_scalar

from clv.arrays import Floats
from clv.errors import RequestError, UnknownNameError
from clv.recommend import Policy, net_gain, recovery_limits, worthwhile_spend
from clv.recommend.group import UniformOffer, uniform_offer, uniform_spend
from clv.recommend.uncertainty import normal_draws

# No floor, nothing rounded or capped, π0 .3 whatever the history.
BARE = Policy.parse("""
[recovery]
grid = 1e-9
handling_cost = 0
most_of_loss = 1e9
most_in_12_months = 1e15
[problems.plain]
dropout = 0.3
""")

amounts = arrays(float, st.shared(st.integers(1, 30), key="n"), elements=st.floats(1e-3, 1e6))
scales = arrays(float, st.shared(st.integers(1, 30), key="n"), elements=st.floats(1e-2, 1e4))


def offered(policy: Policy = BARE, problem: str = "plain", **more: Any) -> UniformOffer:
    V = np.asarray(more.pop("value_if_alive", [400.0, 400.0]), dtype=float)
    case = {"loss": 40.0, "frequency": 0, "customer_id": np.arange(V.size), **more}
    return uniform_offer(policy, problem, case.pop("loss"), value_if_alive=V, **case)


@given(amounts, scales, st.sampled_from([1.0, 0.42]))
def test_it_is_the_best_of_all(D: Floats, kappa: Floats, c: float) -> None:
    def total(s: float) -> float:
        return float(np.sum(net_gain(s, D, kappa, c)))

    s = uniform_spend(D, kappa, c)
    at_most = float(np.max(worthwhile_spend(D, kappa, c)))
    assert 0 <= s <= at_most * (1 + 1e-9)  # nobody taken alone would want more
    best = total(s)
    scale = float(np.sum(D))
    tried = [0.0, *np.linspace(0, at_most, 50)]
    assert best >= max(map(total, tried)) - 1e-9 * scale
    if at_most > 0:
        found = minimize_scalar(lambda s: -total(s), bounds=(0, at_most), method="bounded")
        assert best >= -found.fun - 1e-9 * scale


@given(amounts, scales)
def test_the_last_unit_for_all_returns_itself(D: Floats, kappa: Floats) -> None:
    s = uniform_spend(D, kappa)
    returned = float(np.sum(D / kappa * np.exp(-s / kappa)))
    if s > 0:
        assert returned == pytest.approx(len(D), rel=1e-9)
    else:
        assert returned <= len(D) * (1 + 1e-9)


def test_customers_who_are_alike_get_what_one_alone_would() -> None:
    # recommender's first worked example: D 43.2, κ 20
    assert uniform_spend([43.2] * 7, [20] * 7) == pytest.approx(15.4022, abs=5e-5)
    assert offered().offer == pytest.approx(15.4022, abs=5e-5)


def test_with_equal_losses_it_depends_on_the_mean_alone() -> None:
    D = np.array([10.0, 100.0, 400.0])
    assert uniform_spend(D, 20) == pytest.approx(float(worthwhile_spend(D.mean(), 20)))


def test_those_who_lost_nothing_ask_for_nothing() -> None:
    assert uniform_spend([43.2, 43.2], [0, 0]) == 0
    assert offered(loss=0.0).offer == 0


@given(st.lists(st.floats(1, 1e5), min_size=2, max_size=20))
def test_it_never_beats_offers_customer_by_customer(V: list[float]) -> None:
    got = offered(value_if_alive=V)
    assert got.gain <= got.individual_gain + 1e-6 * sum(V)
    assert got.cost == pytest.approx(got.offer * len(V))
    limits = recovery_limits(BARE, "plain", 40.0, value_if_alive=V, frequency=0)
    assert got.individual_gain == pytest.approx(float(limits.net_gain.sum()))


def test_the_limits_of_the_policy_hold() -> None:
    default: dict[str, Any] = {
        "policy": Policy(),
        "problem": "defective",
        "value_if_alive": [1e6, 1e6],
    }
    assert offered(**default).offer == 60  # 1.5 × 40
    poor = offered(policy=Policy(), problem="defective", value_if_alive=[1.0, 1.0])
    assert poor.offer == 2  # 5 % of 40
    assert any("policy floor" in sentence for sentence in poor.sentences)
    assert offered(policy=Policy(), problem="safety_or_privacy").authority == "a person decides"


def test_whoever_lost_more_is_still_owed_the_floor_of_it() -> None:
    got = offered(
        policy=Policy(), problem="defective", value_if_alive=[900.0, 900.0, 900.0],
        loss=[40.0, 40.0, 2000.0],
    )  # fmt: skip
    assert got.spend.tolist() == [got.offer, got.offer, 100.0]  # 5 % of 2000
    assert any(sentence.startswith("1 of them get another amount") for sentence in got.sentences)


def test_unknown_customers_get_the_offer_and_count_as_cost() -> None:
    known = offered(value_if_alive=[400.0, 900.0])
    with_one = offered(value_if_alive=[400.0, 900.0, np.nan])
    assert with_one.offer == pytest.approx(known.offer)
    assert with_one.cost == pytest.approx(1.5 * known.cost)
    assert np.isnan(with_one.value_kept[2])
    assert with_one.unknown == 1
    assert any("not in the book" in sentence for sentence in with_one.sentences)


def test_integral_customers_are_named() -> None:
    got = offered(value_share=[0.5, 0.001])
    assert got.person.tolist() == [True, False]
    assert any("1 of them is integral" in sentence for sentence in got.sentences)


def test_the_range_is_that_of_all_customers_drawn_together() -> None:
    """The same draws for everybody, without blocks; 2,000 customers are 500 blocks of 4."""
    rng = np.random.default_rng(3)
    V = rng.lognormal(6, 1, 2000)
    more: dict[str, Any] = {
        "frequency": rng.integers(0, 9, 2000),
        "value_low": 0.8 * V,
        "value_high": 1.3 * V,
    }
    got = offered(value_if_alive=V, **more)
    totals = []
    for z_value, z_dropout in zip(*normal_draws(), strict=True):
        drawn = np.exp(np.log(0.8 * V * 1.3 * V) / 2 + z_value * np.log(1.3 / 0.8) / 2 / 1.28155)
        sd = np.sqrt(0.7**2 + (0.2 * np.log1p(more["frequency"])) ** 2)
        odds = 0.3 / 0.7 * (1.0 + more["frequency"]) ** -0.35 * np.exp(sd * z_dropout)
        D = 0.36 * odds / (1 + odds) * drawn
        totals.append(float(np.sum(net_gain(got.offer, D, 20.0))))
    low, high = np.quantile(totals, (0.1, 0.9), method="weibull")
    assert (got.gain_low, got.gain_high) == pytest.approx((low, high), rel=0.01)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(RequestError, match="no customer"):
        offered(value_if_alive=[])
    with pytest.raises(RequestError, match="none is known"):
        offered(value_if_alive=[np.nan])
    with pytest.raises(RequestError, match="one number a customer"):
        offered(loss=[1.0, 2.0, 3.0])
    with pytest.raises(RequestError, match="loss"):
        offered(loss=-1.0)
    with pytest.raises(UnknownNameError, match="defective"):
        offered(policy=Policy(), problem="defectiv")


def test_what_it_says_is_what_it_holds() -> None:
    got = offered(policy=Policy(currency="EUR"), problem="outage", value_if_alive=[9e3, 3e3, 50.0])
    told = got.to_dict()
    assert told["customers"] == 3
    assert "currency" in told
    assert f"{got.offer:,.2f} EUR" in got.sentences[0]
    assert f"{got.cost:,.2f} EUR" in got.sentences[0]
    assert {len(column) for column in got.columns().values()} == {3}
