"""One fault of each kind in a clean simulated log: it is found, with its figures, and no other."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import clv
from clv.quality import Finding, QualityReport
from clv.quality.report import FINE, LOOK, UNSUITED
from tests.bench.order_log import simulated_orders

END = "2023-12-31"  # of the simulated orders: two years from 2022-01-01


@pytest.fixture(scope="module")
def clean() -> pa.Table:
    return simulated_orders(1, 3000)


def rows(customers: list[object], dates: list[date], amounts: list[float]) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array(customers, pa.int64()),
            "date": pa.array(dates, pa.date32()),
            "amount": amounts,
        }
    )


def between(log: pa.Table, first: date, last: date) -> pa.ChunkedArray:
    return pc.and_(
        pc.greater_equal(log["date"], pa.scalar(first)), pc.less_equal(log["date"], pa.scalar(last))
    )


def guests(log: pa.Table) -> pa.Table:
    who = log["customer_id"].to_pylist()
    who = [None if i % 10 == 0 else w for i, w in enumerate(who)]
    return log.set_column(0, "customer_id", pa.array(who, pa.int64()))


def doubled(log: pa.Table) -> pa.Table:
    return pa.concat_tables([log, log.slice(100, 50)])


def without_days(log: pa.Table) -> pa.Table:
    return log.filter(pc.invert(between(log, date(2023, 5, 10), date(2023, 5, 19))))


def cut_off(log: pa.Table) -> pa.Table:
    return log.filter(pc.greater_equal(log["date"], pa.scalar(date(2023, 1, 1))))


def cohort(log: pa.Table) -> pa.Table:
    first = log.group_by("customer_id").aggregate([("date", "min")])
    early = first.filter(pc.less(first["date_min"], pa.scalar(date(2022, 6, 1))))
    return log.filter(pc.is_in(log["customer_id"], early["customer_id"].combine_chunks()))


def mistyped(log: pa.Table) -> pa.Table:
    """Ten orders without the mark before their cents."""
    amount = log["amount"].to_numpy().copy()
    amount[500:5000:450] *= 100
    return log.set_column(2, "amount", pa.array(np.round(amount, 2)))


def sent_back(log: pa.Table) -> pa.Table:
    """Three in ten orders come back."""
    back = log.take(np.arange(0, log.num_rows, 3))
    return pa.concat_tables([log, back.set_column(2, "amount", pc.negate(back["amount"]))])


def never_sold(log: pa.Table) -> pa.Table:
    """Returns of customers who bought nothing."""
    days = [date(2023, 3, 1) + timedelta(days=i) for i in range(100)]
    return pa.concat_tables([log, rows(list(range(10**6, 10**6 + 100)), days, [-50.0] * 100)])


def once(log: pa.Table) -> pa.Table:
    return log.set_column(0, "customer_id", pa.array(range(log.num_rows), pa.int64()))


def short(log: pa.Table) -> pa.Table:
    """Of a shop where everybody came back after 40 days, 60 days."""
    first = [date(2022, 1, 1) + timedelta(days=i % 20) for i in range(200)]
    return rows(
        [*range(200), *range(200)],
        [*first, *(day + timedelta(days=40) for day in first)],
        [10.0 + i % 7 for i in range(400)],
    )


def by_the_month(log: pa.Table) -> pa.Table:
    """Customers who order every 30 days, give or take three."""
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 350, 400)
    days = [np.cumsum([s, *rng.integers(27, 34, 8)]) for s in starts]
    who = np.repeat(np.arange(400), 9)
    when = [date(2022, 1, 1) + timedelta(days=int(d)) for d in np.concatenate(days)]
    return rows(list(who), when, list(np.round(rng.gamma(5, 5, len(who)), 2)))


def split_up(log: pa.Table) -> pa.Table:
    """Every order but a customer's first is shipped in three parts on three days."""
    parts = [log]
    for late in (1, 2):
        dates = pc.add(log["date"].cast(pa.int32()), pa.scalar(late, pa.int32())).cast(pa.date32())
        parts.append(log.set_column(1, "date", dates))
    return pa.concat_tables(parts)


def till(log: pa.Table) -> pa.Table:
    days = [date(2023, 2, 1) + timedelta(days=i) for i in range(300) if i % 7 != 3]
    amounts = [10 + (i % 13) / 2 for i in range(len(days))]
    return pa.concat_tables([log, rows([10**6] * len(days), days, amounts)])


def strangers(log: pa.Table) -> pa.Table:
    """A tenth as many rows again, on every second Monday, of one id."""
    each = -(-len(log) // 10 // 20)
    days = [date(2023, 2, 6) + timedelta(days=14 * i) for i in range(20) for _ in range(each)]
    return pa.concat_tables([log, rows([10**6] * len(days), days, [10.0] * len(days))])


def fewer_strangers(log: pa.Table) -> pa.Table:
    """Of every 33 rows one, taken from its customer and given to one id."""
    who = log["customer_id"].to_pylist()
    who = [10**6 if i % 33 == 0 else w for i, w in enumerate(who)]
    return log.set_column(0, "customer_id", pa.array(who, pa.int64()))


def dearer_when_often(log: pa.Table) -> pa.Table:
    counts = np.bincount(log["customer_id"].to_numpy())
    factor = counts[log["customer_id"].to_numpy()]
    return log.set_column(
        2, "amount", pa.array(np.round(log["amount"].to_numpy() * np.sqrt(factor), 2))
    )


Plant = Callable[[pa.Table], pa.Table]
PLANTED: list[tuple[str, Plant, str]] = [
    ("set_aside", guests, LOOK),
    ("duplicates", doubled, LOOK),
    ("calendar", without_days, LOOK),
    ("left_truncation", cut_off, LOOK),
    ("left_truncation", cohort, LOOK),
    ("spend", mistyped, LOOK),
    ("returns", sent_back, LOOK),
    ("returns", never_sold, LOOK),
    ("repeat_purchases", once, UNSUITED),
    ("span", short, UNSUITED),
    ("regularity", by_the_month, UNSUITED),
    ("regularity", split_up, LOOK),
    ("daily_buyers", till, LOOK),
    ("placeholder", strangers, LOOK),
    ("placeholder", fewer_strangers, LOOK),
    ("independence", dearer_when_often, LOOK),
]


@pytest.mark.parametrize(
    ("topic", "plant", "verdict"), PLANTED, ids=[p.__name__ for _, p, _ in PLANTED]
)
def test_a_planted_fault_is_found(topic: str, plant: Plant, verdict: str, clean: pa.Table) -> None:
    end = "2022-03-02" if plant is short else END
    found = clv.check_orders(plant(clean), end=end)[topic]
    assert found.verdict == verdict, found.sentence
    assert found.advice


def checked(log: pa.Table) -> QualityReport:
    return clv.check_orders(log, end=END)


def test_the_doubled_rows_are_counted_and_shown(clean: pa.Table) -> None:
    found = checked(doubled(clean))["duplicates"]
    assert found.figures["rows"] == 50
    copied = pc.sum(clean.slice(100, 50)["amount"]).as_py()
    assert found.figures["amount"] == pytest.approx(copied, abs=1e-6)
    places = {f"(row {i}, row {clean.num_rows + i - 100})" for i in range(100, 150)}
    assert any(place in found.figures["examples"][0] for place in places)
    assert len(found.figures["examples"]) == 3


def test_a_line_that_is_there_twice_is_shown_wherever_its_order_was_put() -> None:
    columns = ["customer_id", "date", "order_id", "amount"]
    lines = [("a", "2024-01-01", "1", 5.0), *[("a", "2024-01-03", "1", 7.0)] * 2]
    others = [("b", "2024-01-02", "2", 3.0), ("b", "2024-03-02", "3", 4.0)]
    found = clv.check_orders(pd.DataFrame([*lines, *others], columns=columns))["duplicates"]
    assert (found.figures["rows"], found.figures["amount"]) == (1, 7.0)
    assert found.figures["examples"] == ["'a', '2024-01-03', '1', '7.0', 2 times (row 1, row 2)"]


def test_the_gap_is_the_days_that_were_taken_out(clean: pa.Table) -> None:
    found = checked(without_days(clean))["calendar"]
    (gap,) = found.figures["gaps"]
    assert (gap["first_day"], gap["last_day"], gap["days"]) == ("2023-05-10", "2023-05-19", 10)
    taken = pc.sum(between(clean, date(2023, 5, 10), date(2023, 5, 19))).as_py()
    assert gap["usual_orders"] == pytest.approx(taken, rel=0.3)  # Poisson; the least of two sides


def test_those_who_were_customers_before_are_told_about(clean: pa.Table) -> None:
    found = checked(cut_off(clean))["left_truncation"].figures
    first = clean.group_by("customer_id").aggregate([("date", "min")])
    old = first.filter(pc.less(first["date_min"], pa.scalar(date(2023, 1, 1))))["customer_id"]
    window = pc.less(
        clean["date"], pa.scalar(date(2023, 1, 1) + timedelta(days=found["window_days"]))
    )
    seen = cut_off(clean.filter(window))
    seen_old = pc.sum(pc.is_in(pc.unique(seen["customer_id"]), old.combine_chunks())).as_py()
    # Of the customers first seen in the first window, those who are there beyond the later rate.
    assert found["first_window"] - found["later_windows"] == pytest.approx(seen_old, rel=0.3)


def test_what_mistyped_orders_do_to_the_model_is_told(clean: pa.Table) -> None:
    found = checked(mistyped(clean))["spend"].figures
    truth = clv.GammaGamma.fit(clv.histories(clv.read_orders(clean), end=END)).model
    wrong = clv.GammaGamma.fit(clv.histories(clv.read_orders(mistyped(clean)), end=END)).model
    assert found["with_all"]["q"] == pytest.approx(wrong.q)
    assert abs(found["without"]["q"] - truth.q) < abs(found["with_all"]["q"] - truth.q) / 5
    assert 5 <= found["above"] <= 12  # ten were mistyped; small ones stay below, one is clean
    assert found["largest"] == pytest.approx(max(mistyped(clean)["amount"].to_numpy()))


def test_the_till_is_named(clean: pa.Table) -> None:
    found = checked(till(clean))["daily_buyers"]
    assert (found.figures["customers"], found.figures["examples"]) == (1, ["1000000"])
    assert 'no_customer = ["1000000"]' in found.advice


def test_returns_without_an_order_are_told(clean: pa.Table) -> None:
    found = checked(never_sold(clean))["returns"].figures
    assert (found["rows"], found["amount"], found["unmatched_amount"]) == (100, 5000.0, 5000.0)


def test_returns_are_not_among_what_is_set_aside() -> None:
    log = pa.table(
        {
            "customer": ["a", "a", "b", "c", None],
            "date": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"],
            "amount": [10.0, -5.0, 7.0, 8.0, 9.0],
        }
    )
    for returns in ("net", "ignore"):
        found = clv.check_orders(log, returns=returns)["set_aside"]
        assert (found.figures["rows"], found.figures["share"]) == (1, 0.2)
        assert "1 row (20 %) besides returns is set aside: no customer id." in found.sentence
        none = clv.check_orders(log.slice(0, 4), returns=returns)["set_aside"]
        assert none.sentence == "Every row besides returns is an order of a customer."


def test_ids_that_differ_only_in_case_space_or_zeros() -> None:
    who = ["a 1", "A1", "b2", "007", "7", "c3", "0"]
    log = pa.table({"customer": who, "date": ["2024-01-01"] * 7, "amount": [1.0] * 7})
    found = clv.check_orders(log)["customer_ids"]
    assert (found.verdict, found.figures["ids"], found.figures["groups"]) == (LOOK, 4, 2)
    assert found.figures["examples"] == ["'007' and '7'", "'A1' and 'a 1'"]


@pytest.mark.parametrize(
    "ids", [["Zoë", "Zoe\u0308"], ["a1", "a\u200b1"], ["a1", "\ufeffa1"], ["b2", "B\u00ad2"]]
)
def test_ids_that_differ_only_in_signs_that_are_not_seen(ids: list[str]) -> None:
    log = pa.table({"customer": [*ids, "Zoe"], "date": ["2024-01-01"] * 3, "amount": [1.0] * 3})
    found = clv.check_orders(log)["customer_ids"]
    assert (found.verdict, found.figures["ids"], found.figures["groups"]) == (LOOK, 2, 1)
    (said,) = found.figures["examples"]
    assert all(repr(one) in said or ascii(one) in said for one in ids)
    first, second = said.split(" and ")
    assert unicodedata.normalize("NFC", first) != unicodedata.normalize("NFC", second)


@pytest.mark.parametrize(
    ("orders", "customers", "days", "verdict"),
    [
        (["1", "1", "2"], 0, 0, FINE),
        (["1", "2", "1"], 1, 0, LOOK),
        (["1", "2", "2"], 0, 1, LOOK),
    ],
)
def test_order_ids_of_several_customers_or_days(
    orders: list[str], customers: int, days: int, verdict: str
) -> None:
    dates = ["2024-01-01", "2024-01-01", "2024-01-02" if days else "2024-01-01"]
    who = ["x", "y", "y"] if days else ["x", "x", "y"]
    log = pa.table({"customer": who, "date": dates, "order_id": orders, "amount": [1.0, 2.0, 3.0]})
    found: Finding = clv.check_orders(log)["order_ids"]
    assert (found.figures["of_several_customers"], found.figures["on_several_days"]) == (
        customers,
        days,
    )
    assert found.verdict == verdict
    assert ("several customers" in found.sentence) == bool(customers)
    assert ("several days" in found.sentence) == bool(days)
    # As tests/transactions/test_order_lines.py has it: one purchase, on the first day.
    assert ("one purchase on its first day" in found.advice) == (verdict == LOOK)


@pytest.mark.parametrize(
    ("word", "orders", "verdict"),
    [
        ("Gast", 6, LOOK),
        ("guest@shop.com", 6, LOOK),
        ("Unknown", 6, LOOK),
        ("0", 6, LOOK),
        ("guest", 5, FINE),  # as few as a customer of that name may have
        ("Guestin", 6, FINE),
        ("gustav@guest.com", 6, FINE),
    ],
)
def test_words_for_nobody_are_told_and_the_schema_that_is_named_sets_them_aside(
    word: str, orders: int, verdict: str
) -> None:
    who = [f"c{i % 40}" for i in range(200)] + [word] * orders
    when = [str(date(2024, 1, 1) + timedelta(days=i)) for i in range(len(who))]
    log = pa.table({"customer": who, "date": when, "amount": [1.0 + i for i in range(len(who))]})
    found = clv.check_orders(log)["placeholder"]
    assert found.verdict == verdict
    assert found.figures["words"] == [word] * (verdict == LOOK)
    if verdict == LOOK:
        stated = found.advice.partition("no_customer = ")[2].partition("]")[0] + "]"
        after = clv.check_orders(log, schema=clv.Schema.parse(f"no_customer = {stated}"))
        assert after["placeholder"].verdict == FINE
        assert after["set_aside"].figures["rows_without_customer"] == orders


def test_a_customer_0_among_numbers_is_one() -> None:
    who = [str(i % 40) for i in range(400)]
    when = [str(date(2024, 1, 1) + timedelta(days=i)) for i in range(len(who))]
    log = pa.table({"customer": who, "date": when, "amount": [1.0 + i for i in range(len(who))]})
    assert clv.check_orders(log)["placeholder"].verdict == FINE


def test_a_gap_is_the_same_in_lines_and_in_orders(clean: pa.Table) -> None:
    orders = without_days(clean)
    number = pa.array([str(i) for i in range(orders.num_rows)])
    one = orders.append_column("order_id", number)
    found = [checked(log)["calendar"] for log in (one, pa.concat_tables([one, one, one]))]
    assert found[0].to_dict() == found[1].to_dict()
    assert found[0].verdict == LOOK
