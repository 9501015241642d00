"""One total for several purposes: last units that return the same, projects whole, plain words."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import AllocationError, RequestError
from clv.recommend.allocation import allocate
from clv.recommend.curve import net_gain, worthwhile_spend
from clv.recommend.new_customers import new_customer
from clv.recommend.policy import Policy
from clv.recommend.split import ExpectedProblems, Project, next_unit, split_budget

Case = dict[str, Any]


def shop(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 20))
    return {
        "w": 10 ** rng.uniform(0, 3, n),
        "k": 10 ** rng.uniform(-2, 0, n),
        "hi": 10 ** rng.uniform(0, 2, n),
        "appreciation": float(rng.uniform(0, 20)),
        "problems": [
            ExpectedProblems(
                f"type {i}",
                expected=float(rng.uniform(0.2, 30)),
                most_savable=float(10 ** rng.uniform(0, 3)),
                money_scale=float(10 ** rng.uniform(0, 2)),
                floor=float(rng.choice([0, 2])),
                most=float(rng.uniform(5, 100)),
                unit_cost=float(rng.uniform(0.3, 1)),
            )
            for i in range(rng.integers(0, 4))
        ],
        "projects": [
            Project(f"project {i}", *rng.uniform(5, 200, 2)) for i in range(rng.integers(0, 5))
        ],
    }


shops = st.builds(shop, st.integers(0, 2**32 - 1))


def floors(case: Case) -> float:
    owed = [p.expected * p.unit_cost * p.floor for p in case["problems"]]
    return float(case["appreciation"] + sum(owed))


@given(shops)
def test_at_its_floor_is_what_would_get_less_by_what_it_keeps(case: Case) -> None:
    """There the last unit of the floor returns less than the last one elsewhere."""
    got = split_budget(**case)
    for p in case["problems"]:
        last = p.most_savable / (p.unit_cost * p.money_scale) * np.exp(-p.floor / p.money_scale)
        assert (p.name in got.at_floor) == (p.floor > 0 and last <= got.shadow_price)
    told = " ".join(got.sentences())
    assert all(name in told for name in got.at_floor)


@given(shops)
def test_without_a_total_each_purpose_is_what_it_would_be_alone(case: Case) -> None:
    got = split_budget(**case)
    alone = allocate(case["w"], case["k"], hi=case["hi"])
    assert got.retention.spend == pytest.approx(alone.spend)
    assert got.shadow_price == 1
    for problem in case["problems"]:
        # the recommended goodwill of the recovery curve, between the floor and the most
        each = worthwhile_spend(problem.most_savable, problem.money_scale, problem.unit_cost)
        each = np.clip(each, problem.floor, problem.most)
        (part,) = [part for part in got.parts if part.name == problem.name]
        assert part.spend == pytest.approx(problem.expected * problem.unit_cost * each)
        net = net_gain(each, problem.most_savable, problem.money_scale, problem.unit_cost)
        assert part.gain is not None
        assert part.gain - part.spend == pytest.approx(problem.expected * net, abs=1e-9)
    assert set(got.declined) == {p.name for p in case["projects"] if p.gain <= p.cost}


@given(shops, st.floats(0, 1.2))
def test_a_total_is_spent_and_last_units_return_the_same(case: Case, share: float) -> None:
    total = floors(case) + share * (split_budget(**case).total - floors(case))
    got = split_budget(**case, total=total)
    assert sum(part.spend for part in got.parts) == pytest.approx(got.total)
    assert got.total + got.unspent == pytest.approx(total, rel=1e-9, abs=1e-9)
    near = 1 + 1e-6
    for problem in case["problems"]:
        (part,) = [part for part in got.parts if part.name == problem.name]
        each = part.spend / (problem.expected * problem.unit_cost)
        scale = problem.unit_cost * problem.money_scale
        last = problem.most_savable / scale * np.exp(-each / problem.money_scale)
        assert problem.floor / near <= each <= problem.most * near
        if each > problem.floor * near:
            assert last >= got.shadow_price / near
        if each < problem.most / near:
            assert last <= got.shadow_price * near


@given(shops, st.floats(0, 1))
def test_no_other_set_of_projects_brings_more(case: Case, share: float) -> None:
    # every set tried
    total = floors(case) + share * (split_budget(**case).total - floors(case))

    def net(projects: list[Project]) -> float:
        left = total - sum(p.cost for p in projects)
        if left < floors(case):
            return -np.inf
        got = split_budget(**(case | {"projects": []}), total=left)
        gains = sum(p.gain for p in projects)
        return sum(p.gain or 0.0 for p in got.parts) - got.total + gains - total + left

    got = split_budget(**case, total=total)
    taken = [p for p in case["projects"] if p.name not in got.declined]
    sets = [
        net(list(chosen))
        for r in range(len(case["projects"]) + 1)
        for chosen in itertools.combinations(case["projects"], r)
    ]
    near = 2e-6 * (1 + max((abs(p.gain) for p in case["projects"]), default=0.0))
    assert net(taken) >= max(sets) - near
    assert sum(p.gain or 0.0 for p in got.parts) - got.total == pytest.approx(net(taken), abs=near)


def test_two_projects_that_fit_are_better_than_one_that_returns_more_per_unit() -> None:
    # A nets 30 and leaves 40, in which neither of the others fits; B and C net 20 each
    three = [Project("A", 60, 90), Project("B", 50, 70), Project("C", 50, 70)]
    got = split_budget([0.0], [0.05], projects=three, total=100)
    assert [part.name for part in got.parts if part.purpose == "prevention"] == ["B", "C"]
    assert got.declined == ("A",)


def test_worked_example() -> None:
    # recommender's first recovery case, D 43.2 and κ 20, four times; beside the allocation's w, k
    problem = ExpectedProblems("defective", 4, most_savable=43.2, money_scale=20)
    got = split_budget([120, 30, 200], [0.05, 0.05, 0.02], problems=[problem])
    assert got.spend_on("recovery") == pytest.approx(4 * 15.4022, abs=2e-4)
    told = json.loads(json.dumps(got.to_dict()))
    assert set(told) == {
        "parts",
        "total",
        "shadow_price",
        "unspent",
        "declined",
        "at_floor",
        "retention_low",
        "retention_high",
        "assumed",
    }
    assert told["parts"][1]["name"] == "defective"


def test_a_floor_is_owed_where_goodwill_keeps_nothing() -> None:
    nothing = ExpectedProblems("late", 10, most_savable=0, money_scale=20, floor=2)
    got = split_budget([120], [0.05], problems=[nothing], total=50)
    assert got.spend_on("recovery") == 20
    assert got.spend_on("retention") == pytest.approx(30)


def test_what_must_be_spent_above_the_total_is_refused_with_the_amounts() -> None:
    problem = ExpectedProblems("late", 10, most_savable=30, money_scale=20, floor=2)
    with pytest.raises(AllocationError) as told:
        split_budget([120], [0.05], problems=[problem], appreciation=15, total=30)
    for part in ("35.00", "appreciation 15.00", "20.00", "30.00", "5.00 is missing"):
        assert part in str(told.value)


def test_all_faults_at_once() -> None:
    with pytest.raises(AllocationError) as told:
        split_budget(
            [120],
            [0.05],
            problems=[ExpectedProblems("late", -1, 30, money_scale=0, floor=3, most=2)],
            appreciation=np.nan,
            projects=[Project("boxes", cost=0, gain=np.inf), Project("boxes", 1, 2)],
        )
    for part in (
        *("expected", "money_scale", "floor", "Appreciation"),
        *("boxes: the cost", "the gain", "2 projects are called 'boxes'"),
    ):
        assert part in str(told.value)


def test_the_next_unit_is_compared_where_winning_has_a_known_cost() -> None:
    policy = Policy.parse('currency = "EUR"\n[acquisition]\ncost_per_customer = 60.0')
    new = new_customer(policy, first_purchase=50.0, value_after=70.0)  # worth 90
    keep, win = next_unit(1.6, new, "EUR"), next_unit(1.4, new, "EUR")
    assert (keep.acquisition, win.acquisition) == (1.5, 1.5)
    assert "1.00 EUR keeps 1.60" in keep.sentence
    assert keep.sentence.endswith("on keeping customers.")
    assert win.sentence.endswith("on winning new ones.")


def test_the_next_unit_is_not_compared_with_an_assumed_cost() -> None:
    told = next_unit(1.6, new_customer(Policy(), first_purchase=50.0, value_after=70.0))
    assert told.acquisition is None
    assert "cannot be said" in told.sentence
    with pytest.raises(RequestError):
        next_unit(np.nan, new_customer(Policy(), first_purchase=50.0, value_after=70.0))


def test_a_split_in_words() -> None:
    problem = ExpectedProblems("late", 10, most_savable=60, money_scale=20)
    boxes, posters = Project("boxes", 10, 40), Project("posters", 10, 5)
    got = split_budget(
        [120.0], [0.05], problems=[problem], appreciation=5, projects=[boxes, posters], total=50
    )
    first, second, third = got.sentences("EUR")
    assert first.startswith("50.00 EUR in all: ")
    assert "5.00 EUR for appreciation, 10.00 EUR for prevention" in first
    assert f"1.00 EUR would keep {got.shadow_price:.2f}, wherever the policy" in second
    assert third.endswith("posters.")
    rich = split_budget([120.0], [0.05], total=500).sentences()
    assert "is left over" in rich[1]


def test_kinds_given_in_parts_are_told_together() -> None:
    parts = [
        ExpectedProblems("late", 5, most_savable=value, money_scale=20, floor=1)
        for value in (0.0, 30.0, 90.0)
    ]
    got = split_budget([120.0], [0.05], problems=parts)
    (late,) = [part for part in got.parts if part.purpose == "recovery"]
    each = [np.clip(worthwhile_spend(p.most_savable, 20), 1, None) for p in parts]
    assert late.spend == pytest.approx(5 * sum(each))
