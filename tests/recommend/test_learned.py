"""What was learned: how much of it is data, what may be used, and how a policy follows it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import PolicyError, RequestError
from clv.recommend.learned import Basis, Learned, LearnedFigure
from clv.recommend.policy import Policy

DAY = date(2024, 6, 30)
SEVERITY = "dropout.per_severity_level"


def figure(key: str = SEVERITY, value: float = 0.3, basis: Basis = "data", **more: Any) -> Any:
    given_too = {"prior_mean": 0.5, "prior_sd": 0.25, "posterior_mean": value, "posterior_sd": 0.1}
    return LearnedFigure(key, value, **(given_too | {"basis": basis, "observations": 7} | more))


def layer(*figures: LearnedFigure, source: str = "9f3c") -> Learned:
    return Learned.of(figures, source=source, learned_on=DAY, policy_version=Policy().version)


figures = st.builds(
    LearnedFigure,
    st.sampled_from(
        ["margin", "recovery.savable_share", "problems.defective.dropout", "retention.effect"]
    ),
    st.floats(0.01, 0.99),
    st.floats(-9, 9),
    st.floats(1e-3, 9),
    st.floats(-9, 9),
    st.floats(1e-3, 9),
    st.sampled_from(["data", "causal", "associational"]),
    st.integers(0, 10**6),
    st.sampled_from(["value", "log-odds"]),
    st.lists(st.tuples(st.sampled_from([SEVERITY, "margin"]), st.floats(-1, 1)), max_size=2).map(
        tuple
    ),
)
layers = st.lists(figures, unique_by=lambda one: one.key).map(lambda f: layer(*f))


@given(layers)
def test_a_layer_survives_json(learned: Learned) -> None:
    assert Learned.from_dict(json.loads(json.dumps(learned.to_dict()))) == learned


@given(layers)
def test_a_policy_follows_what_may_be_used_and_nothing_else(learned: Learned) -> None:
    plain, policy = Policy(), Policy().with_learned(learned)
    for key, value in policy.values().items():
        used = key in learned and learned[key].basis != "associational"
        assert value == (learned[key].value if used else plain.values()[key])
        assert (policy.origin(key) == "learned") == used
        assert (key in policy.assumed) == (key in plain.assumed and not used)
    assert policy.learned == learned
    assert (policy.version == plain.version) == (policy.model_dump() == plain.model_dump())


@given(layers, layers)
def test_learning_again_starts_from_what_was_stated(first: Learned, second: Learned) -> None:
    policy = Policy(margin=0.3)
    again = policy.with_learned(first).with_learned(second)
    assert again.version == policy.with_learned(second).version
    assert again.to_toml() == policy.to_toml()


@given(st.floats(1e-3, 9), st.floats(0.1, 1))
def test_share_from_data(prior_sd: float, ratio: float) -> None:
    share = figure(prior_sd=prior_sd, posterior_sd=prior_sd * ratio).share_from_data
    assert share == pytest.approx(1 - ratio**2)


def test_a_posterior_wider_than_its_prior_has_learned_nothing() -> None:
    assert figure(prior_sd=0.1, posterior_sd=0.2).share_from_data == 0


def test_a_stated_figure_gives_way_to_what_was_learned_from_it() -> None:
    policy = Policy.parse("[dropout]\nper_severity_level = 0.9").with_learned(layer(figure()))
    assert policy.dropout.per_severity_level == 0.3
    assert policy.origin(SEVERITY) == "learned"
    assert "per_severity_level = 0.90" in policy.to_toml()


def test_two_layers_as_one() -> None:
    effect = figure("retention.effect", 0.1, "causal")
    both = layer(figure(value=0.2), source="a").with_figures(layer(figure(), effect, source="b"))
    assert both.used == {SEVERITY: 0.3, "retention.effect": 0.1}
    assert both.source == "a+b"


def test_a_policy_without_the_figure_refuses_and_names_it() -> None:
    strange = layer(figure("problems.lost.dropout"), figure("currency"), figure("horizon"))
    with pytest.raises(PolicyError) as told:
        Policy().with_learned(strange)
    for part in ("problems.lost.dropout", "currency", "horizon", "2 more faults", "learn it again"):
        assert part in str(told.value)


def test_a_value_that_no_policy_can_follow_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"problems.defective.dropout must be .* got 1.5"):
        Policy().with_learned(layer(figure("problems.defective.dropout", 1.5)))


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"posterior_sd": 0.0}, "posterior_sd must be above 0"),
        ({"prior_sd": float("nan")}, "prior_sd must be a finite number"),
        ({"basis": "randomised"}, "basis must be one of data, causal, associational"),
        ({"observations": -1}, "observations must be at least 0"),
    ],
)
def test_figures_that_no_fit_can_have_found(wrong: dict[str, Any], part: str) -> None:
    with pytest.raises(RequestError, match=part):
        figure(**wrong)


def test_a_figure_is_there_once_and_under_its_key() -> None:
    with pytest.raises(RequestError, match=f"twice there: {SEVERITY}"):
        layer(figure(), figure())
    with pytest.raises(RequestError, match="under its own key"):
        Learned({"margin": figure()}, "9f3c", DAY)


@pytest.mark.parametrize("told", [{}, {"figures": 3}, {**layer().to_dict(), "learned_on": "June"}])
def test_what_is_no_layer_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="These are not learned figures"):
        Learned.from_dict(told)
