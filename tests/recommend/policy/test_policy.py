"""The policy: what is set, what is assumed, what a file may say, and what is told about faults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from scipy.special import gammaincc

from clv.errors import PolicyError, UnknownNameError
from clv.recommend import Policy
from clv.recommend.policy import (
    PROBLEMS,
    AcquisitionFigures,
    RecoveryRules,
    RetentionRules,
    StageRules,
    StatutoryRemedy,
    money,
)
from clv.recommend.policy.reading import dotted

ASSIGNMENT = re.compile(r"(?m)^# ([a-z_0-9]+ = )")

shares = st.floats(0, 1, exclude_max=True)
amounts = st.floats(0, 1e9)
labels = st.text(min_size=1).filter(str.isprintable)
tables = st.fixed_dictionaries(
    {},
    optional={
        "currency": st.sampled_from(["", "EUR", "JPY"]),
        "margin": st.floats(0, 1, exclude_min=True, exclude_max=True),
        "discount_rate": shares,
        "horizon_months": st.integers(1, 600) | st.just("none"),
        "recovery": st.fixed_dictionaries(
            {},
            optional={
                "savable_share": shares,
                "grid": st.floats(1e-6, 1e6),
                "handling_cost": amounts,
            },
        ),
        "authority": st.fixed_dictionaries({}, optional={"manager": st.floats(150, 1e9)}),
        "dropout": st.fixed_dictionaries({}, optional={"per_log_purchases": st.floats(-9, 9)}),
        "problems": st.dictionaries(
            st.sampled_from([*PROBLEMS, "lost_luggage", "x9"]),
            st.fixed_dictionaries(
                {"dropout": shares},
                optional={"label": labels, "floor_fixed": amounts, "person_decides": st.booleans()},
            ),
        ),
        "retention": st.fixed_dictionaries(
            {}, optional={"period_months": st.integers(1, 60), "effect": st.floats(-1, 1)}
        ),
        "acquisition": st.fixed_dictionaries(
            {},
            optional={
                "cost_per_customer": amounts | st.just("none"),
                "share_by_word_of_mouth": shares | st.just("none"),
                "happy_customers": st.floats(1, 1e9) | st.just("none"),
            },
        ),
        "stages": st.fixed_dictionaries(
            {}, optional={"new_purchases": st.integers(1, 9), "label_new": labels}
        ),
        "integral": st.fixed_dictionaries({}, optional={"risk_tolerance": st.floats(1, 1e9)}),
        "fairness": st.fixed_dictionaries({}, optional={"spread": st.floats(1, 99)}),
        "learning": st.fixed_dictionaries({}, optional={"dropout_sd": st.floats(0.01, 9)}),
        "statutory": st.lists(
            st.fixed_dictionaries(
                {
                    "name": labels,
                    "amount": st.floats(0.01, 1e6),
                    "valid_from": st.dates(),
                    "source": labels,
                },
                optional={
                    "problems": st.lists(st.sampled_from([*PROBLEMS])),
                    "country": st.text().filter(str.isprintable),
                    "share_of_loss": st.floats(0, 9),
                    "valid_until": st.just("none"),
                },
            ),
            min_size=1,
            max_size=3,
        ),
    },
)


@given(tables)
def test_a_policy_survives_its_file(given_tables: dict[str, Any]) -> None:
    policy = Policy(**given_tables)
    again = Policy.parse(policy.to_toml())
    assert again == policy
    assert again.assumed == policy.assumed
    assert again.version == policy.version
    assert again.to_toml() == policy.to_toml()


@given(tables)
def test_every_figure_is_either_set_or_assumed(given_tables: dict[str, Any]) -> None:
    policy = Policy(**given_tables)
    given_keys = set(dotted(given_tables))
    # names are no figures, and what is not known is not assumed
    figures = {
        key
        for key, value in dotted(policy.model_dump()).items()
        if value is not None and not isinstance(value, str | tuple)
    }
    assert set(policy.assumed) == figures - given_keys
    for key in policy.values():
        assert (policy.origin(key) == "yours") == policy.is_set(key)
        assert (policy.origin(key) == "assumed") == (key in policy.assumed)
    assert all(policy.is_set(key) for key in given_keys)


def test_the_written_file_states_every_default_and_sets_none() -> None:
    assert Policy.parse(Policy().to_toml()) == Policy()
    assert not dotted(tomllib.loads(Policy().to_toml()))
    made_own = Policy.parse(ASSIGNMENT.sub(r"\1", Policy().to_toml()))
    assert not made_own.assumed
    assert made_own.version == Policy().version


def test_one_uncommented_line_is_set_and_nothing_else() -> None:
    text = Policy().to_toml()
    for match in ASSIGNMENT.finditer(text):
        opened = text[: match.start()] + text[match.start() + 2 :]
        policy = Policy.parse(opened)
        assert len(dotted(tomllib.loads(opened))) == 1
        assert len(Policy().assumed) - len(policy.assumed) in {0, 1}  # 0: currency, label
        assert policy.version == Policy().version


def test_every_value_is_explained_in_the_file() -> None:
    text = Policy().to_toml()
    flat = " ".join(text.replace("#", " ").split())
    models: list[type[BaseModel]] = [type(Policy())]
    models += [type(v) for v in dict(Policy()).values() if isinstance(v, BaseModel)]
    models += [type(Policy().problems["outage"]), StatutoryRemedy]
    for model in models:
        for field in model.model_fields.values():
            if field.json_schema_extra:
                assert str(field.description) in flat
                assert str(dict(field.json_schema_extra)["source"]) in flat  # type: ignore[arg-type]


def test_defaults() -> None:
    # docs/explanation/recovery.md, table of defaults.
    policy = Policy()
    rules = policy.recovery
    assert (rules.savable_share, rules.goodwill_share, rules.money_scale) == (0.6, 0.6, 0.5)
    assert (rules.slow_share, rules.prompt_hours, rules.half_life_hours) == (0.5, 4, 24)
    assert list(policy.authority.tiers.values()) == [25, 50, 150, 500]
    assert {k: (p.floor_share, p.dropout) for k, p in policy.problems.items()} == {
        "late_delivery": (0.05, 0.08),
        "out_of_stock": (0.05, 0.10),
        "defective": (0.05, 0.15),
        "wrong_item": (0.10, 0.12),
        "returned_item": (0, 0.10),
        "billing_error": (0.10, 0.18),
        "outage": (1, 0.10),  # pro rata: the loss is the price of the time without service
        "mistreated": (0, 0.25),
        "safety_or_privacy": (0, 0.45),
    }
    assert [k for k, p in policy.problems.items() if p.person_decides] == ["safety_or_privacy"]
    assert [k for k, p in policy.problems.items() if p.floor_fixed] == ["mistreated"]


def test_defaults_of_what_is_beside_recovery() -> None:
    # docs/explanation: word_of_mouth.md, stages.md, learned_figures.md, in their order.
    policy = Policy()
    told = policy.word_of_mouth
    assert (told.told_when_happy, told.told_when_unhappy) == (5, 10)
    assert (told.weight_of_bad, told.unhappy_if_ignored) == (0.55, 0.8)
    stages = policy.stages
    assert (policy.integral.value_share, stages.lapsed_below) == (0.01, 0.2)
    assert (stages.new_days, stages.new_purchases) == (90, 2)
    assert (stages.long_time_days, stages.long_time_purchases) == (365, 3)
    learning = policy.learning
    assert (learning.dropout_sd, learning.severity_sd, learning.goodwill_sd) == (0.7, 0.25, 0.5)
    assert (learning.lateness_sd, learning.unresolved_sd) == (0.5, 0.5)
    assert learning.goodwill_unknown == -0.2
    assert policy.fairness.spread == 5


def test_default_review_of_claims_is_what_its_comment_says() -> None:
    # Gamma(prior claims + claims, prior orders + orders) above factor × the usual rate; the two
    # probabilities are those of docs/explanation/recovery.md: .3987 and .0400.
    rules = Policy().abuse
    usual = rules.prior_claims / rules.prior_orders
    six, one = (
        gammaincc(rules.prior_claims + claims, (rules.prior_orders + orders) * rules.factor * usual)
        for claims, orders in ((6, 40), (1, 10))
    )
    assert (six, one) == pytest.approx((0.3987, 0.0400), abs=5e-5)
    assert one < rules.review_probability < six


def test_what_the_company_has_not_stated_is_not_known() -> None:
    policy = Policy()
    unknown = {key for key in policy.values() if policy.values()[key] is None}
    assert unknown == {
        *(f"acquisition.{name}" for name in AcquisitionFigures.model_fields),
        "integral.risk_tolerance",
    }
    assert not unknown & policy.assumed.keys()
    assert {policy.origin(key) for key in unknown} == {"not stated"}


def test_stages_with_a_budget_of_their_own() -> None:
    rules = RetentionRules(min_integral=20.0, appreciation_new=2.0)
    stages = StageRules().labels.keys() - {"prospect", "lapsed"}  # nothing is spent on these
    assert rules.stage_minimums.keys() == rules.stage_appreciation.keys() == stages
    assert rules.stage_minimums["integral"] == 20
    assert rules.stage_appreciation["new"] == 2


def test_a_default_that_is_stated_is_set() -> None:
    assert "margin" in Policy().assumed
    assert "margin" not in Policy.parse("margin = 0.40").assumed


def test_an_empty_list_of_remedies_states_nothing() -> None:
    assert Policy(statutory=()) == Policy.parse("statutory = []") == Policy()


def test_part_of_a_built_in_type_keeps_the_rest() -> None:
    policy = Policy.parse("[problems.defective]\ndropout = 0.2")
    assert policy.problem("defective").floor_share == PROBLEMS["defective"]["floor_share"]
    assert policy.problem("defective").dropout == 0.2
    assert list(policy.problems) == list(PROBLEMS)


def test_a_type_of_ones_own() -> None:
    policy = Policy.parse("[problems.lost_luggage]\ndropout = 0.2")
    assert policy.problem("lost_luggage").label == "lost luggage"
    assert "problems.lost_luggage.floor_share" in policy.assumed
    assert "problems.lost_luggage.dropout" not in policy.assumed


def test_unknown_problem_type_suggests() -> None:
    with pytest.raises(UnknownNameError, match="'late_delivery'"):
        Policy().problem("late_delivry")


def test_no_horizon() -> None:
    assert Policy.parse('horizon_months = "none"').horizon_months is None
    assert 'horizon_months = "none"' in Policy(horizon_months=None).to_toml()


def test_version_follows_the_values_in_effect_only() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", Policy().version)
    assert Policy(margin=0.4).version == Policy().version
    assert Policy(margin=0.41).version != Policy().version


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Policy().margin = 0.1


def test_sections_given_as_values() -> None:
    policy = Policy(recovery=RecoveryRules(grid=5.0))
    assert policy.is_set("recovery.grid")
    assert not policy.is_set("recovery.handling_cost")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("discount_rate = 10", ["discount_rate must be at least 0 and below 1; got 10"]),
        ("discount_rate = 10", ["10 means 1000 %; did you mean 0.10?"]),
        ("margin = 40", ["margin", "got 40", "4000 %", "did you mean 0.40?"]),
        ("margin = 1", ["margin", "1 means 100 %"]),
        ("margin = -0.1", ["margin", "above 0", "got -0.1"]),
        ("margin = 0", ["margin", "above 0", "got 0"]),  # every value would be 0
        ('margin = "0.4"', ["margin", '"0.4"']),
        ("margin = true", ["margin", "got true"]),
        ("margin = nan", ["margin", "nan"]),
        ("margn = 0.4", ["no key margn", "Did you mean margin?"]),
        ("grid = 1.0", ["no key grid", "Did you mean recovery.grid?"]),
        ("[recovry]\ngrid = 1.0", ["no key recovry", "recovery"]),
        ("[recovery]\nmargin = 0.4", ["no key recovery.margin", "Did you mean margin?"]),
        ("[recovery]\ngrid = 0", ["recovery.grid must be above 0; got 0"]),
        ("[problems.lost]\nfloor_fixed = 3", ["problems.lost.dropout is missing"]),
        ("[problems.lost]\ndropuot = 0.3\ndropout = 0.2", ["Did you mean problems.lost.dropout?"]),
        ('[problems."a b"]\ndropout = 0.2', ["'a b'", "letters, digits and _"]),
        ("[problems]\nlate = 3", ["problems.late", "a table", "got 3"]),
        ("problems = 3", ["problems", "a table", "got 3"]),
        ("recovery = 3", ["recovery", "a table", "got 3"]),
        ("[problems.outage]\nlabel = ''", ["problems.outage.label", "text"]),
        ('[problems.outage]\nlabel = "a\\nb"', ["problems.outage.label", "one line"]),
        ("[problems.outage]\nperson_decides = 1", ["person_decides must be true or false; got 1"]),
        ("[authority]\nagent = 10", ["as much as the one below", "automatic 25, agent 10"]),
        ("[retention]\nmin_per_customer = 60", ["60", "above max_per_customer 50"]),
        ("[retention]\nmin_integral = 60", ["min_integral 60 is above max_per_customer 50"]),
        ("[retention]\nperiod_months = 1.5", ["a whole number", "1.5"]),
        ("[acquisition]\ncost_per_customer = -1", ['must be at least 0, or "none"; got -1']),
        ('[acquisition]\nhappy_customers = "many"', ['above 0, or "none"; got "many"']),
        ("[acquisition]\nshare_by_word_of_mouth = 30", ["30 means 3000 %", "did you mean 0.30?"]),
        ("cost_per_customer = 3", ["Did you mean acquisition.cost_per_customer?"]),
        ("[stages]\nnew_purchases = 1.5", ["a whole number, at least 1; got 1.5"]),
        ("[stages]\nlabel_new = ''", ["stages.label_new", "text in quotes"]),
        ("[fairness]\nspread = 0.5", ["fairness.spread must be at least 1; got 0.5"]),
        ("[experiment]\ngrid_steps = 0", ["a whole number, at least 1; got 0"]),
        ("[learning]\ndropout_sd = 0", ["learning.dropout_sd must be above 0; got 0"]),
        ("statutory = 3", ["statutory", "tables of their own", "got 3"]),
        ("[statutory]\nname = 'x'", ["statutory", "tables of their own", "got a table"]),
        ("horizon_months = 0", ["horizon_months", 'at least 1, or "none"', "got 0"]),
        ('horizon_months = "x"', ["horizon_months", '"none"']),
        ('currency = "euro"', ["currency"]),
        ('currency = "eur"', ["currency", "three capital letters"]),
        ("margin = 0.4\nmargin = 0.5", ["not a policy in TOML", "line 2"]),
        ("margin = 0,40", ["not a policy in TOML", "line 1"]),
        ("margin == 0.4", ["not a policy in TOML", "line 1"]),
    ],
)  # fmt: skip
def test_faults_are_told_in_plain_words(text: str, parts: list[str]) -> None:
    with pytest.raises(PolicyError) as told:
        Policy.parse(text)
    for part in parts:
        assert part in str(told.value)
    assert "pydantic" not in str(told.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
keys = st.sampled_from([*Policy.model_fields, "defective", "name", "problems", "amount", "grid"])
nonsense = st.dictionaries(
    keys,
    values | st.dictionaries(keys, values, max_size=3) | st.lists(st.dictionaries(keys, values)),
)


@given(nonsense)
def test_whatever_is_given_is_a_policy_or_told_in_plain_words(given_tables: dict[str, Any]) -> None:
    told = ""
    try:
        told = Policy(**given_tables).version
    except PolicyError as error:
        told = str(error)
    assert told
    assert "pydantic" not in told


def test_all_faults_are_told_at_once() -> None:
    text = "margin = 40\nfoo = 1\n[recovery]\ngrid = -1\n[problems.defective]\ndropout = 2"
    with pytest.raises(PolicyError) as told:
        Policy.parse(text)
    message = str(told.value)
    assert "3 more faults" in message
    assert [int(n) for n in re.findall(r"line (\d+): ", message)] == [1, 2, 4, 6]
    for part in ("margin", "foo", "recovery.grid", "problems.defective.dropout"):
        assert part in message


def test_a_constructor_tells_the_same_faults() -> None:
    with pytest.raises(PolicyError, match=r"did you mean 0\.03"):
        Policy(margin=3)


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('margin = 0.3\ncurrency = "EUR"\n', encoding="utf-8")
    assert Policy.load(path) == Policy(margin=0.3, currency="EUR")
    path.write_text("margin = 30\n", encoding="utf-8")
    with pytest.raises(PolicyError, match=re.escape(f"{path}: line 1: margin")):
        Policy.load(path)


def test_files_that_are_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="clv policy init"):
        Policy.load(tmp_path / "none.toml")
    with pytest.raises(PolicyError, match="cannot be read as text"):
        Policy.load(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match="cannot be read as text"):
        Policy.load(tmp_path / "binary")


def test_money_is_written_with_its_currency() -> None:
    assert (money(1234567.891, "EUR"), money(0, "")) == ("1,234,567.89 EUR", "0.00")


def test_contradictions_within_a_remedy_do_not_wait_for_what_is_missing() -> None:
    text = "[[statutory]]\nvalid_from = 2024-02-01\nvalid_until = 2024-01-01\namount = 5.0\n"
    with pytest.raises(PolicyError) as refused:
        Policy.parse(text)
    said = str(refused.value)
    for fault in ("name is missing", "source is missing", "ends 2024-01-01, before it begins"):
        assert said.count(fault) == 1
    whole = text + "name = 'delay'\nsource = 'invented'\n"
    with pytest.raises(PolicyError) as refused:
        Policy.parse(whole.replace("amount = 5.0", "amount = 0.0"))
    assert str(refused.value).count("ends 2024-01-01, before it begins 2024-02-01") == 1
    assert str(refused.value).count("must owe something") == 1
