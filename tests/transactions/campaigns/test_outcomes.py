"""What customers of a campaign had done before it, and did after, against a plain count."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import CampaignsError, UnknownNameError
from clv.transactions.campaigns import campaign_outcomes, read_campaigns
from clv.transactions.orders import read_orders
from tests.laws import few
from tests.transactions.campaigns.test_log import table

DAY = st.integers(0, 60)
ORDER = st.tuples(st.sampled_from("abcdef"), DAY, st.integers(0, 30))


@given(st.lists(ORDER, min_size=8, max_size=50), st.integers(10, 40), st.integers(1, 20))
@few(15)
def test_histories_and_windows_are_those_of_a_plain_count(
    orders: list[tuple[str, int, int]], begins: int, window: int
) -> None:
    start = pd.Timestamp("2024-01-01")
    orders = [(who, 0, 5) for who in "abcd"] + orders
    frame = pd.DataFrame(orders, columns=["customer_id", "day", "amount"])
    frame["date"] = start + pd.to_timedelta(frame["day"], unit="D")
    log = read_campaigns(table(date=start + pd.Timedelta(begins, "D")))
    found = campaign_outcomes(
        read_orders(frame[["customer_id", "date", "amount"]]), log, log.campaigns[0],
        end=(start + pd.Timedelta(60, "D")).date(), window=window,
    )  # fmt: skip
    assert found.customer_id.tolist() == list("abcd")
    for i, who in enumerate("abcd"):
        mine = frame[frame["customer_id"] == who].groupby("day")["amount"].sum()
        before, after = (
            mine[mine.index < begins],
            mine[(mine.index >= begins) & (mine.index < begins + window)],
        )
        assert found.frequency[i] == len(before) - 1
        assert found.recency[i] == before.index.max() - before.index.min()
        assert found.T[i] == begins - 1 - before.index.min()
        assert found.purchases[i] == len(after)
        assert found.amount[i] == after.sum()
        repeat = before.iloc[1:]
        assert found.spend_frequency[i] == (repeat > 0).sum()
        if (repeat > 0).any():
            assert found.monetary_value[i] == pytest.approx(repeat.sum() / (repeat > 0).sum())


def orders() -> Any:
    return read_orders(
        pd.DataFrame({"customer_id": list("abcd"), "date": "2024-01-10", "amount": 5.0})
    )


def test_a_window_that_was_not_observed_is_refused() -> None:
    log = read_campaigns(table())
    with pytest.raises(CampaignsError, match="5 days, too few for a window of 10 days"):
        campaign_outcomes(orders(), log, "2024-02-01", end="2024-02-05", window=10)
    with pytest.raises(CampaignsError, match=r"observed up to 2024-01-20.*4 rows: after the end"):
        campaign_outcomes(orders(), log, "2024-02-01", end="2024-01-20")
    assert campaign_outcomes(orders(), log, "2024-02-01", end="2024-02-05").window == 5


def test_rows_after_the_end_are_set_aside() -> None:
    """The others are told as they are without them; incidents after the end are treated alike."""
    alone = read_campaigns(table().assign(campaign="spring"))
    later = table(customer_id=["e", "f", "g", "h"], date="2024-03-01")
    both = read_campaigns(pd.concat([table(), later]).assign(campaign="spring"))
    found, expected = (
        campaign_outcomes(orders(), log, "spring", end="2024-02-05") for log in (both, alone)
    )
    assert [str(aside) for aside in found.report.set_aside] == [
        "4 rows: after the end of observation, 2024-02-05"
    ]
    assert found.customer_id.tolist() == expected.customer_id.tolist() == list("abcd")
    assert (found.window, found.purchases.tolist()) == (5, expected.purchases.tolist())
    seen = both.observed("2024-02-05")
    assert seen.report.rows_kept == 4
    assert "customer 'e' on 2024-03-01" in str(seen.report.set_aside[0])
    one_sided = table(date=["2024-02-01"] * 3 + ["2024-03-01"], arm=["x", "x", "x", "none"])
    with pytest.raises(CampaignsError, match=r"1 row: after.*3 rows: .*everybody"):
        read_campaigns(one_sided.assign(campaign="spring")).observed("2024-02-05")


def test_a_campaign_after_the_end_leaves_the_others() -> None:
    log = read_campaigns(pd.concat([table(), table(date="2024-03-01")]))
    assert log.observed("2024-02-05").campaigns == ("2024-02-01",)
    with pytest.raises(CampaignsError, match="'2024-03-01' has, up to the end of observation"):
        campaign_outcomes(orders(), log, "2024-03-01", end="2024-02-05")


def test_customers_of_whom_nothing_was_known_are_set_aside() -> None:
    more = table(customer_id=["a", "b", "c", "d"])
    more = pd.concat([more, table(customer_id=["new", "b2", "d2", "e2"])])
    found = campaign_outcomes(orders(), read_campaigns(more), "2024-02-01", end="2024-02-05")
    assert [aside.rows for aside in found.report.set_aside] == [4]
    assert len(found) == 4
    assert found.arms == ("none", "x")
    assert found.arm.tolist() == [1, 1, 0, 0]


def test_an_arm_without_customers_is_refused() -> None:
    log = read_campaigns(table(customer_id=["a", "b", "y", "z"]))
    with pytest.raises(CampaignsError, match="fewer than two customers of arm 'none'"):
        campaign_outcomes(orders(), log, "2024-02-01", end="2024-02-05")
    with pytest.raises(UnknownNameError, match="no campaign 'spring'"):
        campaign_outcomes(orders(), log, "spring", end="2024-02-05")
