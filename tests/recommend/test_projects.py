"""Projects chosen: against every set, and against dynamic programming where there are many."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.recommend.projects import Project, choose_projects

SEEDS = st.integers(0, 2**32 - 1)


def drawn(rng: np.random.Generator, n: int) -> list[Project]:
    """Projects of whole costs from 5 to 60 that return −20 to 80 % on them."""
    cost = rng.integers(5, 61, n)
    gain = cost * rng.uniform(0.8, 1.8, n)
    return [
        Project(f"p{i}", float(c), float(g))
        for i, (c, g) in enumerate(zip(cost, gain, strict=True))
    ]


def surplus(projects: tuple[Project, ...] | list[Project]) -> float:
    return sum(p.gain - p.cost for p in projects)


def nothing_else(_: float) -> tuple[float, float]:
    """A rest of the budget that nobody has a use for."""
    return 0.0, 0.0


@given(SEEDS, st.integers(0, 9))
@settings(max_examples=60)
def test_no_other_set_gains_more_with_what_is_left(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    projects = drawn(rng, n)
    room = float(rng.uniform(5, 200))
    w, k = 10 ** rng.uniform(0, 3), 10 ** rng.uniform(-3, -0.5)

    def rest(cost: float) -> tuple[float, float]:  # of one customer: w (1 − exp(−ks)) − s
        s = min(room - cost, max(0.0, math.log(w * k) / k))
        return -w * math.expm1(-k * s) - s, max(0.0, w * k * math.exp(-k * s) - 1)

    def gain(chosen: tuple[Project, ...]) -> float:
        cost = sum(p.cost for p in chosen)
        return -math.inf if cost > room else surplus(chosen) + rest(cost)[0]

    sets = (s for r in range(n + 1) for s in itertools.combinations(projects, r))
    got = gain(choose_projects(projects, room, rest))
    assert got >= max(map(gain, sets)) - 1e-6 * max([1.0, *(p.gain for p in projects)])


@pytest.mark.parametrize("seed", range(8))
def test_forty_projects_as_dynamic_programming_has_them(seed: int) -> None:
    # Bellman's recursion over whole costs; 2⁴⁰ sets are too many to try
    rng = np.random.default_rng(seed)
    projects, room = drawn(rng, 40), int(rng.integers(50, 900))
    best = np.zeros(room + 1)
    for p in projects:
        cost = int(p.cost)
        best[cost:] = np.maximum(best[cost:], best[: room + 1 - cost] + p.gain - p.cost)
    chosen = choose_projects(projects, room, nothing_else)
    assert sum(p.cost for p in chosen) <= room
    assert surplus(chosen) == pytest.approx(best[-1], rel=1e-6)


@given(SEEDS)
@settings(max_examples=20)
def test_the_order_in_which_they_are_given_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    projects = drawn(rng, 8)
    again = [projects[i] for i in rng.permutation(8)]
    one, other = (choose_projects(p, 90.0, nothing_else) for p in (projects, again))
    assert one == other


def test_where_money_is_no_limit_all_that_return_more_than_they_cost_are_done() -> None:
    projects = [Project("a", 10, 11), Project("b", 10, 9), Project("c", 10, 30)]
    chosen = choose_projects(projects, math.inf, nothing_else)
    assert [p.name for p in chosen] == ["c", "a"]


def test_a_project_gives_way_to_customers_who_return_more() -> None:
    # each unit taken from the customers loses 2 beyond itself, the project brings 1 beyond itself
    chosen = choose_projects([Project("a", 10, 20)], 100.0, lambda cost: (200 - 2 * cost, 2.0))
    assert chosen == ()
