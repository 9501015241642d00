"""Laws of the check: counts add up, the order of rows does not matter, and no fault is made up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import clv
from clv.errors import UnknownNameError
from clv.quality import VERDICTS, QualityReport
from clv.quality.check import book_findings
from clv.quality.report import FINE, UNSUITED, Finding, percent, worst
from clv.transactions.kept_lines import are_kept, lines_of
from clv.transactions.orders import Policy
from tests.bench.order_log import simulated_orders

END = "2023-12-31"  # of the simulated orders: two years from 2022-01-01

# A check opens a database of its own: few logs, many rows, and none of them made smaller.
few = settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)


@st.composite
def logs(draw: st.DrawFn) -> pa.Table:
    """Simulated orders with what real ones have: no customer, refunds, free orders, repeats."""
    table = simulated_orders(draw(st.integers(0, 1000)), draw(st.integers(20, 300)))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    n = table.num_rows
    who = np.where(rng.random(n) < 0.05, None, table["customer_id"].to_pylist())
    amount = table["amount"].to_numpy() * rng.choice([1, 1, 1, 0, -1], n)
    rows = pa.table(
        {
            "customer_id": pa.array(list(who), pa.int64()),
            "date": table["date"],
            "amount": np.round(amount, 2),
        }
    )
    return pa.concat_tables([rows, rows.take(rng.choice(n, draw(st.integers(0, 5))))])


@few
@given(logs(), st.sampled_from([END, "2023-06-30"]))
def test_counts_and_money_add_up(log: pa.Table, end: str) -> None:
    found = clv.check_orders(log, end=end)
    about = found.to_dict()
    assert about["rows_read"] == log.num_rows
    aside = about["set_aside"]
    assert about["rows_read"] == about["rows_kept"] + sum(a["rows"] for a in aside)
    rows = found.rows
    assert rows.amount_read is not None
    assert rows.amount_kept is not None
    assert rows.amount_read == rows.amount_kept + sum(
        (a.amount for a in rows.set_aside if a.amount is not None), start=Decimal(0)
    )
    assert all(a["examples"] for a in aside if "customer" in a["reason"] or "end" in a["reason"])
    months = found["cohorts"].figures["months"]
    repeat = found["repeat_purchases"].figures
    assert sum(m["customers"] for m in months) == found.customers == repeat["customers"]
    assert sum(m["bought_again"] for m in months) == repeat["repeat_customers"]
    assert repeat["one_time_customers"] + repeat["repeat_customers"] == found.customers
    assert found["duplicates"].figures["rows"] == rows.duplicate_rows


def figures(found: QualityReport) -> dict[str, Any]:
    """What must not depend on the order of rows: all but where examples stand."""
    return {
        finding.topic: {
            "verdict": finding.verdict,
            **{k: nine_digits(v) for k, v in finding.figures.items() if k != "examples"},
        }
        for finding in found.findings
    }


def nine_digits(figure: Any) -> Any:
    if isinstance(figure, dict):
        return {k: nine_digits(v) for k, v in figure.items()}
    if isinstance(figure, list):
        return [nine_digits(v) for v in figure]
    return f"{figure:.9g}" if isinstance(figure, float) else figure


@few
@given(logs(), st.integers(0, 1000))
def test_the_order_of_the_rows_does_not_matter(log: pa.Table, seed: int) -> None:
    shuffled = log.take(np.random.default_rng(seed).permutation(log.num_rows))
    one, other = clv.check_orders(log, end=END), clv.check_orders(shuffled, end=END)
    assert one.verdict == other.verdict
    assert figures(one) == figures(other)


@pytest.mark.parametrize("seed", range(4))
def test_a_clean_log_has_nothing_to_look_at(seed: int) -> None:
    """Drawn from BG/NBD and Gamma-Gamma, every verdict is "fine"."""
    found = clv.check_orders(simulated_orders(seed, 3000), end=END)
    assert found.verdict == FINE, [f.sentence for f in found.findings if f.verdict != FINE]
    assert not any(finding.advice for finding in found.findings)


@pytest.mark.parametrize("policy", ["net", "incident", "ignore"])
def test_a_book_of_few_orders_says_what_the_check_says(policy: Policy) -> None:
    """With returns, numbers of orders that several share, and rows that are there twice."""
    log = simulated_orders(0, 1200)
    numbers = pa.array([str(i // 3 % 900) for i in range(log.num_rows)])
    log = log.append_column("order_id", numbers)
    some = log.slice(5, 40)
    back = some.set_column(
        log.column_names.index("amount"), "amount", pc.negate(some.column("amount"))
    )
    last = pa.array([END] * len(back)).cast(log.schema.field("date").type)
    back = back.set_column(log.column_names.index("date"), "date", last)
    orders = clv.read_orders(pa.concat_tables([log, back, log.slice(0, 7)]), returns=policy)
    found = clv.histories(orders, end=END)
    lines = lines_of(orders) if are_kept(orders) else None
    in_book = book_findings(orders, found, found.report, lines)
    in_full = clv.check_orders(orders, end=END)
    assert [f.topic for f in in_book] == [f.topic for f in in_full.findings]
    assert {f.topic: f.to_dict() for f in in_book if f.topic != "duplicates"} == {
        f.topic: f.to_dict() for f in in_full.findings if f.topic != "duplicates"
    }
    (counted,) = [f.to_dict() for f in in_book if f.topic == "duplicates"]
    looked_at = in_full["duplicates"].to_dict()
    assert {k: v == looked_at[k] for k, v in counted.items()} == {
        **dict.fromkeys(["verdict", "advice", "rows", "share"], True),
        **dict.fromkeys(["sentence", "amount", "examples"], False),  # they take a look at rows
    }
    assert counted["rows"] == 7
    assert in_full["returns"].figures["rows"] == 40


def test_a_book_of_many_orders_says_what_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = clv.read_orders(simulated_orders(0, 200))
    found = clv.histories(orders, end=END)
    monkeypatch.setattr("clv.quality.check.FEW", orders.report.rows_read - 1)
    in_book = book_findings(orders, found, found.report, lines_of(orders))
    in_full = clv.check_orders(orders, end=END).findings
    left_out = {f.topic for f in in_full} - {f.topic for f in in_book}
    assert left_out == {"spend", "placeholder", "regularity"}
    assert all(finding in in_full for finding in in_book)


def test_orders_without_amounts_are_checked_too() -> None:
    log = simulated_orders(0, 200).drop_columns(["amount"])
    found = clv.check_orders(log, end=END)
    assert {f.topic for f in found.findings}.isdisjoint({"spend", "returns", "independence"})
    assert found.to_dict()["amount_read"] is None


def test_the_worst_verdict_counts() -> None:
    findings = [Finding(str(i), verdict, "") for i, verdict in enumerate(VERDICTS)]
    assert worst(findings) == UNSUITED
    assert worst(findings[:1]) == worst([]) == FINE


def test_a_topic_that_is_not_there_is_told() -> None:
    found = clv.check_orders(simulated_orders(0, 50), end=END)
    with pytest.raises(UnknownNameError, match="calendar"):
        found["calender"]


@given(st.floats(0, 1))
def test_a_share_is_written_near_to_what_it_is(share: float) -> None:
    said = percent(share)
    if said.startswith("under"):
        assert 0 < share < 1e-5
    else:
        assert float(said.removesuffix(" %")) / 100 == pytest.approx(share, abs=0.005)
