"""What a new customer is worth, and the two ratios beside their rules of thumb."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import RequestError
from clv.recommend.new_customers import cost_ratio, loyal_multiple, new_customer
from clv.recommend.policy import Policy

amounts = st.floats(0, 1e6)
shares = st.floats(0, 1)


def with_cost(cost: float) -> Policy:
    return Policy.parse(f"[acquisition]\ncost_per_customer = {cost!r}")


@given(amounts, amounts, shares, st.floats(0.01, 1e6))
def test_the_most_for_winning_one_leaves_nothing(
    first: float, after: float, share: float, cost: float
) -> None:
    worth = new_customer(with_cost(cost), first_purchase=first, value_after=after, p_becomes=share)
    assert worth.value == pytest.approx(0.4 * first + after)  # margin of the default policy
    assert worth.prospect_value == pytest.approx(share * worth.value)
    assert worth.gain == pytest.approx(worth.value - cost)
    if worth.value:
        spent_all = new_customer(with_cost(worth.value), first_purchase=first, value_after=after)
        assert spent_all.gain == pytest.approx(0, abs=1e-6)
        assert spent_all.return_per_unit == pytest.approx(1)


def test_in_words() -> None:
    told = new_customer(with_cost(60.0), first_purchase=50.0, value_after=70.0, p_becomes=0.02)
    assert told.sentences == (
        "A new customer is worth 90.00, 20.00 of it the margin of the first purchase.",
        "By these figures it pays to spend up to 90.00 to win one.",
        "Of the prospects reached 2 % buy: it pays to spend up to 1.80 to reach one.",
        "Winning one costs 60.00: each unit spent brings 1.50.",
    )
    dear = new_customer(with_cost(100.0), first_purchase=50.0, value_after=70.0).sentences[-1]
    assert dear == "Winning one costs 100.00: 10.00 more than a new customer is worth."
    assert json.loads(json.dumps(told.to_dict()))["gain"] == 30.0


def test_without_the_cost_of_winning_one_nothing_is_compared() -> None:
    worth = new_customer(Policy(), first_purchase=50.0, value_after=70.0)
    assert (worth.cost, worth.gain, worth.return_per_unit, worth.prospect_value) == (None,) * 4
    assert "cost_per_customer in [acquisition]" in worth.sentences[-1]
    ratio = cost_ratio(Policy(), 20.0)
    assert ratio.ratio is None
    assert "not known" in ratio.sentence
    assert "6 to 7 times" in ratio.sentence


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_cost_ratio(cost: float, keeping: float) -> None:
    assert cost_ratio(with_cost(cost), keeping).ratio == pytest.approx(cost / keeping)


def test_no_ratio_to_nothing() -> None:
    assert cost_ratio(with_cost(60.0), 0.0).ratio is None
    assert loyal_multiple(Policy(), first_purchase=0.0, value_of_loyal=9.0).ratio is None


@given(st.floats(1, 1e6), st.floats(1, 100))
def test_loyal_multiple_compares_margin_with_margin(first: float, times: float) -> None:
    told = loyal_multiple(Policy(), first_purchase=first, value_of_loyal=0.4 * first * times)
    assert told.ratio == pytest.approx(times)
    assert f"{told.ratio:.1f} times the first purchase (rule of thumb: up to 10" in told.sentence


def test_all_that_makes_no_sense_at_once() -> None:
    with pytest.raises(RequestError) as told:
        new_customer(Policy(), first_purchase=-1.0, value_after=math.nan, p_becomes=2.0)
    for part in ("first_purchase", "value_after", "p_becomes", "2 more faults"):
        assert part in str(told.value)
    with pytest.raises(RequestError, match="cost_of_keeping"):
        cost_ratio(Policy(), math.inf)
    with pytest.raises(RequestError, match="value_of_loyal"):
        loyal_multiple(Policy(), first_purchase=1.0, value_of_loyal=-1.0)
