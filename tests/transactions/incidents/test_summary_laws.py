"""Laws of the way from orders and an incident log to histories with incidents, on random logs."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clv.errors import IncidentsError, RequestError
from clv.history import DAYS_PER_UNIT
from clv.transactions.incidents import CustomerIncidentHistories, incident_histories, read_incidents
from clv.transactions.orders import read_orders
from clv.transactions.summary import histories
from tests.laws import few

END = date(2024, 3, 31)
DAYS = st.dates(date(2024, 2, 1), date(2024, 4, 10))
WHO = st.sampled_from(["7", "007", "a b", "Zoë", "stranger"])
ORDERS = st.lists(
    st.tuples(st.sampled_from(["7", "007", "a b", "Zoë", "quiet"]), DAYS, st.integers(0, 9_000)),
    min_size=1,
    max_size=40,
)
INCIDENTS = st.lists(
    st.tuples(
        WHO, DAYS, st.sampled_from(["late", "defective"]), st.sampled_from(["customer", "ops"])
    ),
    min_size=1,
    max_size=25,
    unique=True,
)
FEW = few(4)

Bought = list[tuple[str, date, int]]
Happened = list[tuple[str, date, str, str]]
FLAT = (
    *("frequency", "recency", "T", "incident_customer", "time", "contact", "kind", "severity"),
    *("earlier_purchases", "earlier_incident", "goodwill_ratio", "hours", "resolved"),
)


def order_frame(bought: Bought) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": pd.array([who for who, _, _ in bought], dtype="string"),
            "date": [day.isoformat() for _, day, _ in bought],
            "amount": [f"{cents / 100:.2f}" for _, _, cents in bought],
        }
    )


def incident_frame(happened: Happened) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": pd.array([who for who, *_ in happened], dtype="string"),
            "occurred_at": [day.isoformat() for _, day, _, _ in happened],
            "type": [kind for *_, kind, _ in happened],
            "detected_by": [by for *_, by in happened],
        }
    )


def made(bought: Bought, happened: Happened, **how: Any) -> CustomerIncidentHistories:
    orders, log = read_orders(order_frame(bought)), read_incidents(incident_frame(happened))
    return incident_histories(orders, log, **({"end": END} | how))


def both(bought: Bought, happened: Happened, **how: Any) -> CustomerIncidentHistories:
    """Histories of a random log, where they can hold anything of it."""
    first: dict[str, date] = {}
    for who, day, _ in bought:
        first[who] = min(day, first.get(who, day))
    assume(any(who in first and first[who] <= day <= END for who, day, *_ in happened))
    return made(bought, happened, **how)


def by_hand(bought: Bought, happened: Happened, unit: str) -> dict[str, dict[str, list[Any]]]:
    """What each customer with incidents has, counted one by one."""
    days: dict[str, set[date]] = defaultdict(set)
    for who, day, _ in bought:
        if day <= END:
            days[who].add(day)
    length = DAYS_PER_UNIT[unit]
    found: dict[str, dict[str, list[Any]]] = {}
    seen = {(who, day, kind): by for who, day, kind, by in reversed(happened)}  # the first stays
    for who in sorted(days):
        mine = sorted((d, kind, by) for (w, d, kind), by in seen.items() if w == who)
        mine = [m for m in mine if min(days[who]) <= m[0] <= END]
        if not mine:
            continue
        first = min(days[who])
        gaps = [None, *((b[0] - a[0]).days for a, b in itertools.pairwise(mine))]
        found[who] = {
            "history": [
                len(days[who]) - 1,
                (max(days[who]) - first).days / length,
                (END - first).days / length,
            ],
            "time": [(d - first).days / length for d, _, _ in mine],
            "kind": [kind for _, kind, _ in mine],
            "contact": [by == "customer" for *_, by in mine],
            "purchases": [sum(p <= d for p in days[who]) - 1 for d, _, _ in mine],
            "earlier": [0.0 if g is None else math.exp(-g / 60) for g in gaps],
        }
    return found


@FEW
@given(ORDERS, INCIDENTS, st.sampled_from(["day", "week"]))
def test_it_is_what_counting_by_hand_gives(bought: Bought, happened: Happened, unit: str) -> None:
    found = both(bought, happened, unit=unit)
    wanted = by_hand(bought, happened, unit)
    assert sorted(found.customer_id) == sorted(wanted)
    for i, who in enumerate(found.customer_id):
        mine, want = found.incident_customer == i, wanted[who]
        assert [found.frequency[i], found.recency[i], found.T[i]] == want["history"]
        assert found.time[mine].tolist() == want["time"]
        assert [found.kinds[k] for k in found.kind[mine]] == want["kind"]
        assert found.contact[mine].tolist() == want["contact"]
        assert found.earlier_purchases[mine].tolist() == want["purchases"]
        assert found.earlier_incident[mine] == pytest.approx(want["earlier"], rel=1e-12)


@FEW
@given(ORDERS, INCIDENTS)
def test_the_others_are_those_of_histories(bought: Bought, happened: Happened) -> None:
    found = both(bought, happened)
    others = [b for b in bought if b[0] not in set(found.customer_id) and b[1] <= END]
    if not others:
        assert len(found.plain) == 0
        assert found.plain.customers == 0
        return
    plain = histories(read_orders(order_frame(others)), end=END)
    for name in ("frequency", "recency", "T", "weight"):
        assert np.array_equal(getattr(found.plain, name), getattr(plain, name)), name
    assert found.plain.spend is not None
    assert plain.spend is not None
    assert np.array_equal(found.plain.spend.mean_value, plain.spend.mean_value)
    assert np.array_equal(found.plain.spend.weight, plain.spend.weight)


@FEW
@given(ORDERS, INCIDENTS)
def test_all_customers_are_there_once(bought: Bought, happened: Happened) -> None:
    found = both(bought, happened)
    everyone = found.without_incidents()
    for name in ("frequency", "recency", "T", "weight"):
        assert np.array_equal(getattr(everyone, name), getattr(found.everyone, name)), name


@FEW
@given(ORDERS, INCIDENTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(bought: Bought, happened: Happened, random: Any) -> None:
    # Of two rows that differ in who saw it alone, the first counts: they are left out here.
    happened = list({h[:3]: h for h in happened}.values())
    there = both(bought, happened)
    other_way = random.sample(bought, len(bought)), random.sample(happened, len(happened))
    back = both(*other_way)
    assert back.customer_id.tolist() == there.customer_id.tolist()
    for name in FLAT:
        assert np.array_equal(getattr(back, name), getattr(there, name), equal_nan=True), name


@FEW
@given(ORDERS, INCIDENTS)
def test_every_row_is_accounted_for(bought: Bought, happened: Happened) -> None:
    found = both(bought, happened)
    aside = sum(s.rows for s in found.report.set_aside)
    assert found.report.rows_read == len(happened)
    assert found.report.rows_kept == found.incidents == len(happened) - aside


@FEW
@given(ORDERS, INCIDENTS)
def test_a_row_is_the_row_of_the_log(bought: Bought, happened: Happened) -> None:
    found = both(bought, happened)
    for j, row in enumerate(found.row):
        who, _, kind, by = happened[row]
        assert found.customer_id[found.incident_customer[j]] == who
        assert found.kinds[found.kind[j]] == kind
        assert found.contact[j] == (by == "customer")


@FEW
@given(ORDERS, INCIDENTS)
def test_two_shops_in_one_are_the_two_together(bought: Bought, happened: Happened) -> None:
    mine = {"7", "a b"}
    bought = [*bought, ("7", END, 100)]  # so that there is something of both
    happened = [*happened, ("7", END, "late", "ops")]
    of_mine = [b for b in bought if b[0] in mine], [h for h in happened if h[0] in mine]
    alone, together = both(*of_mine), both(bought, happened)
    keep = np.isin(together.customer_id, list(mine))
    assert together.customer_id[keep].tolist() == alone.customer_id.tolist()
    theirs = keep[together.incident_customer]
    for name in ("time", "contact", "earlier_purchases", "earlier_incident"):
        assert np.array_equal(getattr(together, name)[theirs], getattr(alone, name)), name


DAY = date(2024, 2, 10)
THREE: Bought = [("7", DAY, 100), ("7", DAY + timedelta(10), 100), ("7", DAY + timedelta(20), 100)]


def test_an_incident_on_the_day_of_the_last_purchase_comes_after_it() -> None:
    found = made(THREE, [("7", DAY + timedelta(20), "late", "ops")])
    assert found.time.tolist() == found.recency.tolist() == [20]
    assert found.earlier_purchases.tolist() == [2]


def test_what_no_history_can_hold_is_set_aside_with_examples() -> None:
    late, early = END + timedelta(1), DAY - timedelta(1)
    found = made(
        THREE,
        [
            ("7", DAY, "late", "ops"),
            ("7", early, "late", "ops"),
            ("7", late, "late", "ops"),
            ("stranger", DAY, "late", "ops"),
        ],
    )
    assert [(s.rows, s.reason, s.examples) for s in found.report.set_aside] == [
        (1, "after the end of observation (2024-03-31)", (f"customer '7' on {late}",)),
        (1, "a customer without an order up to the end", (f"customer 'stranger' on {DAY}",)),
        (1, "before the customer's first order", (f"customer '7' on {early}",)),
    ]


def test_goodwill_is_known_as_a_share_only_where_the_loss_is() -> None:
    table = incident_frame([("7", DAY + timedelta(i), "late", "ops") for i in range(5)])
    log = read_incidents(
        table.assign(loss_amount=[20, 0, np.nan, 0, np.nan], goodwill_amount=[5, 5, 5, 0, np.nan])
    )
    found = incident_histories(read_orders(order_frame(THREE)), log, end=END)
    assert found.goodwill_ratio.tolist()[::3] == [0.25, 0]
    assert np.isnan(found.goodwill_ratio).tolist() == [False, True, True, False, True]
    # 5 for a loss of 0 is beyond sense when the log is read; the loss of the third is not known.
    assert any(
        "Goodwill of 1 incident is known, the loss is not" in n for n in found.report.notices
    )


def test_what_the_draw_would_give_on_average_is_known_where_the_offer_was_given() -> None:
    """(1 − e) ln(1 + usual/loss) + e ln(1 + step/loss), by hand, with P(step) = .2 and .6."""
    table = incident_frame([("7", DAY + timedelta(i), "late", "ops") for i in range(6)])
    log = read_incidents(
        table.assign(
            loss_amount=20.0,
            usual_offer=[2.0, 2.0, 2.0, np.nan, 2.0, np.nan],
            step_offer=[12.0, 12.0, 12.0, 12.0, 12.0, np.nan],
            assigned_arm=["usual", "Step", "usual", "usual", "b", ""],
            assignment_probability=[0.8, 0.6, 0.8, 0.8, 0.8, np.nan],
            goodwill_amount=[2.0, 12.0, 12.0, 2.0, 2.0, 2.0],
        )
    )
    found = incident_histories(read_orders(order_frame(THREE)), log, end=END)
    low, high = math.log(1.1), math.log(1.6)
    nan = math.nan
    expected = [0.8 * low + 0.2 * high, 0.4 * low + 0.6 * high, nan, nan, nan, nan]
    assert found.expected_goodwill == pytest.approx(expected, rel=1e-12, nan_ok=True)
    np.testing.assert_array_equal(found.step, [0, 1, 0, 0, nan, nan])
    assert any("In 1 incident of the experiment" in n for n in found.report.notices)


def test_no_incident_of_any_customer_is_refused() -> None:
    log = read_incidents(incident_frame([("stranger", DAY, "late", "ops")]))
    with pytest.raises(IncidentsError, match=r"customer 'stranger' on 2024-02-10.*of one kind"):
        incident_histories(read_orders(order_frame(THREE)), log, end=END)


@pytest.mark.parametrize("how", [{"decay_days": 0}, {"end": "soon"}, {"unit": "month"}])
def test_senseless_requests_are_refused(how: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        made(THREE, [("7", DAY, "late", "ops")], **how)


def test_ids_that_are_whole_numbers_meet_ids_that_are_text() -> None:
    orders = order_frame(THREE).astype({"customer_id": int})
    log = read_incidents(incident_frame([("7", DAY, "late", "ops")]))
    assert incident_histories(read_orders(orders), log, end=END).customer_id.tolist() == ["7"]
