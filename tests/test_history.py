"""Histories: distinct patterns with counts."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import HistoryError
from clv.history import Histories

MEANS = st.sampled_from([0, 5, 7.5])
CUSTOMER = st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(0, 3), MEANS)
CUSTOMERS = st.lists(CUSTOMER, min_size=1, max_size=40)


def arrays(customers: list[tuple[int, int, int, float]]) -> tuple[np.ndarray, ...]:
    x, gap, after, m = (np.array(column, dtype=float) for column in zip(*customers, strict=True))
    t_x = np.where(x > 0, gap, 0)
    return x, t_x, t_x + after, np.where(x > 0, m, 0)


def triples(h: Histories) -> list[tuple[float, ...]]:
    return list(zip(h.frequency, h.recency, h.T, strict=True))


@given(CUSTOMERS)
def test_every_customer_is_in_one_pattern(customers: Any) -> None:
    x, t_x, T, m = arrays(customers)
    h = Histories.from_arrays(x, t_x, T, m, unit="week", end=date(2024, 1, 1))
    expanded: list[tuple[float, ...]] = sorted(zip(x, t_x, T, strict=True))
    patterns = triples(h)
    assert patterns == sorted(set(expanded))
    assert [expanded.count(p) for p in patterns] == h.weight.tolist()
    assert h.customers == len(customers)
    assert h.repeat_customers == int((x > 0).sum())
    assert len(h) == len(patterns)
    assert h.spend is not None
    spends = sorted((k, v) for k, v in zip(x, m, strict=True) if k > 0 and v > 0)
    pairs = list(zip(h.spend.frequency, h.spend.mean_value, strict=True))
    assert pairs == sorted(set(spends))
    assert [spends.count(p) for p in pairs] == h.spend.weight.tolist()


@given(CUSTOMERS, st.randoms(use_true_random=False))
def test_the_order_of_customers_does_not_matter(customers: Any, random: Any) -> None:
    shuffled = list(customers)
    random.shuffle(shuffled)
    left, right = (Histories.from_arrays(*arrays(c)) for c in (customers, shuffled))
    assert triples(left) == triples(right)
    assert left.weight.tobytes() == right.weight.tobytes()


@given(CUSTOMERS, st.integers(2, 5))
def test_a_weight_stands_for_that_many_customers(customers: Any, times: int) -> None:
    x, t_x, T, m = arrays(customers)
    weighted = Histories.from_arrays(x, t_x, T, m, weights=np.full(len(x), times))
    repeated = Histories.from_arrays(*(np.repeat(v, times) for v in (x, t_x, T, m)))
    assert triples(weighted) == triples(repeated)
    assert weighted.weight.tolist() == repeated.weight.tolist()
    assert weighted.spend is not None
    assert repeated.spend is not None
    assert weighted.spend.weight.tolist() == repeated.spend.weight.tolist()


def test_numbers_are_one_customer() -> None:
    h = Histories.from_arrays(2, 30.43, 38.86)
    assert (h.customers, h.spend, h.unit, h.end) == (1, None, "day", None)


def test_spend_may_rest_on_fewer_transactions() -> None:
    h = Histories.from_arrays([3, 2], [5, 5], [6, 6], [8.0, np.nan], spend_frequency=[2, 0])
    assert h.spend is not None
    assert h.spend.frequency.tolist() == [2]
    assert h.spend.mean_value.tolist() == [8]


@pytest.mark.parametrize(
    ("x", "t_x", "T", "said"),
    [
        ([1], [np.nan], [2], "not a finite number"),
        ([1], [1], [np.inf], "not a finite number"),
        ([-1], [0], [2], "a negative frequency"),
        ([1.5], [1], [2], "not a whole number"),
        ([1], [-1], [2], "a negative recency"),
        ([1], [3], [2], "recency > T"),
        ([0], [1], [2], "recency > 0 with frequency 0"),
        ([1], [0], [2], "recency 0 with frequency > 0"),
        ([0], [0], [-1], "a negative T"),
        ([], [], [], "There are no histories"),
        ([1, 2], [1], [2], "lengths 2, 1, 1"),
        ([[1]], [1], [2], "one value a customer"),
    ],
)
def test_histories_no_customer_can_have(x: Any, t_x: Any, T: Any, said: str) -> None:
    with pytest.raises(HistoryError, match=said):
        Histories.from_arrays(x, t_x, T)


def test_all_faults_at_once_with_their_rows() -> None:
    with pytest.raises(HistoryError) as caught:
        Histories.from_arrays([1, 1.5, 1, 1], [3, 1, 4, 1], [2, 2, 2, 2])
    said = str(caught.value)
    assert "1 of 4 customers have a frequency that is not a whole number (first rows: 1)" in said
    assert "2 of 4 customers have recency > T" in said
    assert "(first rows: 0, 2)" in said
    assert "1 more fault:" in said


def test_other_arguments_that_make_no_sense() -> None:
    with pytest.raises(HistoryError, match="must be 'day' or 'week'"):
        Histories.from_arrays(1, 1, 2, unit="month")
    with pytest.raises(HistoryError, match="a weight that is not positive"):
        Histories.from_arrays(1, 1, 2, weights=0)
    with pytest.raises(HistoryError, match="negative or infinite"):
        Histories.from_arrays(1, 1, 2, -5)
    with pytest.raises(HistoryError, match="got 2 for 1 customers"):
        Histories.from_arrays(1, 1, 2, [5, 6])


def test_shown_in_one_line_without_the_arrays() -> None:
    shown = repr(Histories.from_arrays([1, 0], [3, 0], [9, 9], end=date(2024, 2, 29)))
    assert shown == (
        "<Histories: 2 customers to 2024-02-29, 1 of them bought again; 2 distinct, in days>"
    )
