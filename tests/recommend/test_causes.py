"""What causes cost: sums that add up, and intervals that hold what chance does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.recommend.causes import IncidentRecord, causes


def drawn(rng: np.random.Generator, m: int, models: int = 20) -> IncidentRecord:
    """Incidents of which every number is possible."""
    pi = rng.random((models, m))
    return IncidentRecord(
        customer=np.sort(rng.integers(0, m, m)),
        value=rng.gamma(2, 50, m),
        there=rng.random(m),
        dropout_alone=rng.random(m),
        dropout=pi,
        left=rng.random(m),
        returned=rng.random(m) < 0.5,
        p_returned=rng.random((models, m)),
        goodwill=np.where(rng.random(m) < 0.8, rng.gamma(2, 5, m), np.nan),
        recommended=np.where(rng.random(m) < 0.9, rng.gamma(2, 4, m), np.nan),
        unit_cost=rng.random(m),
        again=rng.random(m) < 0.3,
        days_ago=rng.uniform(0, 700, m),
    )


ADD_UP = ("incidents", "per_year", "at_risk", "lost_expected", "lost", "goodwill", "again")


@given(st.integers(1, 60), st.integers(0, 10_000), st.sampled_from([200.0, 365.25, 700.0]))
def test_causes_add_up_to_the_total(m: int, seed: int, days: float) -> None:
    rng = np.random.default_rng(seed)
    record = drawn(rng, m)
    parts = causes(rng.choice(["a", "b", "c"], m), record, days=days)
    (total,) = causes(["all"] * m, record, days=days)
    for name in (*ADD_UP, "goodwill_known", "goodwill_recommended"):
        assert sum(getattr(p, name) for p in parts) == pytest.approx(getattr(total, name))
    assert sum(p.returned * p.incidents for p in parts) == pytest.approx(total.returned * m)
    expected = sum(p.returned_expected * p.incidents for p in parts)
    assert expected == pytest.approx(total.returned_expected * m)
    assert [p.at_risk for p in parts] == sorted((p.at_risk for p in parts), reverse=True)


@given(st.integers(2, 40), st.integers(0, 10_000))
def test_the_order_of_the_incidents_does_not_matter(m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    record, names = drawn(rng, m), rng.choice(["a", "b"], m)
    order = rng.permutation(m)
    turned = IncidentRecord(**{n: np.asarray(v)[..., order] for n, v in vars(record).items()})
    for one, other in zip(
        causes(names, record, days=500), causes(names[order], turned, days=500), strict=True
    ):
        for key, value in one.to_dict().items():
            same = pytest.approx(value) if isinstance(value, float) else value
            assert getattr(other, key) == same


def test_the_worth_of_a_year_by_hand() -> None:
    """Two incidents in the last year of three; A π V = .8·.5·100; goodwill 10 at cost .42.

    40 + 4.2 = 44.2 each, 88.4 a year; at risk .8·.6·100 = 48 each.
    """
    one = np.ones(3)
    record = IncidentRecord(
        customer=np.arange(3), value=100 * one, there=0.8 * one, dropout_alone=0.6 * one,
        dropout=0.5 * one[None], left=0.1 * one, returned=one > 0, p_returned=one[None],
        goodwill=10 * one, recommended=8 * one, unit_cost=0.42 * one, again=one < 0,
        days_ago=np.array([5.0, 100.0, 500.0]),
    )  # fmt: skip
    (cause,) = causes(["late"] * 3, record, days=600)
    assert cause.at_risk == pytest.approx(144)
    assert cause.lost == pytest.approx(30)
    assert cause.worth_of_one == pytest.approx(44.2)
    assert cause.worth_of_year == pytest.approx(88.4)
    (short,) = causes(["late"] * 3, replace(record, days_ago=one), days=73.05)
    assert short.per_year == pytest.approx(15)  # 3 in a fifth of a year


def test_goodwill_that_is_not_known_is_not_nothing() -> None:
    record = replace(drawn(np.random.default_rng(1), 4), goodwill=np.array([10.0, np.nan] * 2))
    record = replace(record, recommended=np.full(4, 6.0), unit_cost=np.ones(4))
    (cause,) = causes(["a"] * 4, record, days=500)
    assert (cause.goodwill, cause.goodwill_recommended, cause.goodwill_known) == (20, 12, 2)
    free = causes(["a"] * 4, replace(record, goodwill=np.zeros(4)), days=500)[0]
    assert cause.worth_of_one - free.worth_of_one == pytest.approx(10)  # the mean of the known


@pytest.mark.parametrize("per_customer", [1, 3])
def test_chance_stays_in_the_interval_as_often_as_it_says(per_customer: int) -> None:
    """80 % of 2,000 groups of 60 whose chances are known; more where customers come again."""
    rng = np.random.default_rng(2)
    record = drawn(rng, 60, models=1)
    p = rng.uniform(0.3, 0.9, 60)
    record = replace(record, p_returned=p[None], customer=np.arange(60) // per_customer)
    inside = 0
    for _ in range(2000):
        (cause,) = causes(["a"] * 60, replace(record, returned=rng.random(60) < p), days=500)
        inside += cause.as_expected
    share = inside / 2000
    assert share > 0.78
    if per_customer == 1:
        assert share < 0.85


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"value": np.ones(3)}, "value has shape"),
        ({"dropout": np.ones((2, 5))}, "dropout has shape"),
    ],
)
def test_other_incidents_are_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        replace(drawn(np.random.default_rng(1), 4), **change)


def test_names_and_days_are_checked() -> None:
    record = drawn(np.random.default_rng(1), 4)
    with pytest.raises(RequestError, match="one name for each of 4"):
        causes(["a"], record, days=10)
    with pytest.raises(RequestError, match="above 0"):
        causes(["a"] * 4, record, days=0)
