"""What is left of orders after returns, on a day: laws on small random logs."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clv.errors import OrdersError, RequestError
from clv.transactions.orders import Orders, read_orders
from clv.transactions.split import holdout, tracking
from clv.transactions.summary import CustomerHistories, histories
from tests.laws import few
from tests.reference import returns as reference
from tests.reference.returns import Line

FIRST = date(2024, 2, 26)
END = FIRST + timedelta(days=6)
FEW = few(4)

CENTS = st.sampled_from([0, 500, 1000, 1500, -500, -1000, -1500])
ROWS = st.builds(
    lambda who, days, cents, order, item: Line(
        who,
        datetime(FIRST.year, FIRST.month, FIRST.day) + timedelta(days=days),
        Decimal(cents).scaleb(-2),
        # A number is of one order: its lines are of one day.
        f"{order}{days}{who}" + "r" * (cents < 0),
        item,
        1,
    ),
    st.sampled_from(["7", "8", "9"]),
    st.integers(0, 8),
    CENTS,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["cup", "pot"]),
)
LOGS = st.lists(ROWS, min_size=2, max_size=30)


def frame(lines: list[Line]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": pd.array([line.customer for line in lines], dtype="string"),
            "date": [line.day.isoformat() for line in lines],
            "amount": [str(line.amount) for line in lines],
            "order_id": [line.order_id for line in lines],
            "item": [line.item for line in lines],
            "quantity": [str((line.quantity or 0) * (1 - 2 * line.back)) for line in lines],
        }
    )


def read(lines: list[Line], **options: Any) -> Orders:
    try:
        return read_orders(frame(lines), **options)
    except OrdersError as error:
        assume("is a purchase" not in str(error))
        raise


def summed(orders: Orders, end: date = END) -> CustomerHistories:
    try:
        return histories(orders, end=end)
    except RequestError as error:
        assume("was returned" not in str(error) and "before the first order" not in str(error))
        raise


def days(orders: Orders, end: date) -> dict[tuple[str, date], Decimal]:
    rows = orders.opened.collect(orders.days_by(end)).to_pylist()
    return {(row["customer_id"], row["date"]): row["amount"] for row in rows}


def rows(found: CustomerHistories) -> dict[str, tuple[Any, ...]]:
    columns = ["first_date", "frequency", "recency_days", "T_days"]
    columns += ["spend_frequency", "monetary_value"]
    table = found.opened.collect(found.table.select("customer_id", *columns)).to_pylist()
    return {row["customer_id"]: tuple(row[column] for column in columns) for row in table}


@FEW
@given(LOGS, st.integers(0, 9))
def test_the_engine_agrees_with_plain_python(lines: list[Line], after: int) -> None:
    end = FIRST + timedelta(days=after)
    assert days(read(lines), end) == reference.net_days(lines, end)


@FEW
@given(LOGS)
def test_every_row_and_cent_is_accounted_for(lines: list[Line]) -> None:
    orders = read(lines)
    for report in (orders.report, summed(orders).report):
        assert report.rows_read == len(lines)
        assert report.rows_read == report.rows_kept + sum(a.rows for a in report.set_aside)
        assert report.amount_read == sum(line.amount for line in lines)
        assert report.amount_kept is not None
        aside = sum((a.amount or Decimal(0) for a in report.set_aside), start=Decimal(0))
        assert report.amount_read == report.amount_kept + aside


@FEW
@given(LOGS)
def test_what_is_kept_less_what_was_subtracted_is_what_the_models_see(lines: list[Line]) -> None:
    found = summed(read(lines))
    seen = found.opened.collect(found.days.aggregate(total=found.days["amount"].sum()))
    kept, netted = found.report.amount_kept, found.report.returns
    assert kept is not None
    taken = netted.amount if netted is not None and netted.amount is not None else Decimal(0)
    assert (seen["total"][0].as_py() or 0) == kept - taken


@FEW
@given(LOGS)
def test_no_day_is_worth_less_than_nothing(lines: list[Line]) -> None:
    orders = read(lines)
    free = {
        (x.customer, x.day)
        for x in lines
        if not x.back
        and not sum(y.amount for y in lines if (y.order_id, y.back) == (x.order_id, False))
    }
    for day, amount in days(orders, END).items():
        assert amount > 0 or (amount == 0 and day in free)


@FEW
@given(LOGS)
def test_without_returns_ignoring_is_netting(lines: list[Line]) -> None:
    sales = [line for line in lines if not line.back]
    assume(sales)
    net, ignore = (read(sales, returns=policy) for policy in ("net", "ignore"))
    assert net.returns is None
    assert net.report == ignore.report
    assume(net.first_date <= END)
    assert rows(summed(net)) == rows(summed(ignore))


@FEW
@given(LOGS, st.integers(0, 30))
def test_a_whole_order_returned_is_an_order_that_never_was(lines: list[Line], which: int) -> None:
    sales = [line for line in lines if not line.back]
    assume(sales)
    of = sales[which % len(sales)]
    order = [line for line in sales if line.order_id == of.order_id]
    others = [line for line in sales if line.order_id != of.order_id]
    assume(sum(line.amount for line in order) > 0)
    assume(any(line.day <= END for line in others))
    back = [
        Line(x.customer, x.time + timedelta(days=1), -x.amount, x.order_id, x.item, x.quantity)
        for x in order
        if x.amount > 0
    ]
    assume(of.day < END)
    assert rows(summed(read(sales + back))) == rows(summed(read(others)))


@FEW
@given(LOGS, st.integers(0, 8))
def test_who_asks_about_a_day_sees_nothing_of_later_ones(lines: list[Line], after: int) -> None:
    end = FIRST + timedelta(days=after)
    early = [line for line in lines if line.day <= end]
    assume(any(not line.back for line in early))
    now, then = read(lines), read(early)
    assert days(now, end) == days(then, end)
    assert rows(summed(now, end)) == rows(summed(then, end))


@FEW
@given(LOGS)
def test_the_later_one_asks_the_less_is_left_of_an_order(lines: list[Line]) -> None:
    orders = read(lines)
    taken: Counter[tuple[Any, ...]] = Counter()
    assume(orders.returns is not None)
    assert orders.returns is not None
    for after in range(10):
        found = orders.opened.collect(orders.returns.orders_by(FIRST + timedelta(days=after)))
        now = {
            (row["customer_id"], row["order_date"], row["order"]): row["taken"]
            for row in found.to_pylist()
        }
        assert all(now.get(order, 0) >= before for order, before in taken.items())
        taken = Counter(now)


@FEW
@given(LOGS.flatmap(lambda log: st.tuples(st.just(log), st.permutations(log))))
def test_the_order_of_rows_does_not_matter(logs: tuple[list[Line], list[Line]]) -> None:
    left, right = (summed(read(log)) for log in logs)
    assert rows(left) == rows(right)
    assert left.report == right.report


@FEW
@given(LOGS, st.integers(0, 7))
def test_a_holdout_is_what_histories_say_of_its_two_ends(lines: list[Line], after: int) -> None:
    cut = FIRST + timedelta(days=after)
    orders = read(lines)
    assume(orders.last_date > cut)
    known = summed(orders, cut)
    split = holdout(orders, calibration_end=cut)
    assert rows(split.calibration) == rows(known)
    later = {day: a for day, a in days(orders, orders.last_date).items() if day[1] > cut}
    table = split.to_pandas()
    assert set(table.index) == set(rows(known))
    for customer, row in table.iterrows():
        mine = [amount for (who, _), amount in later.items() if who == customer]
        assert (row["holdout_frequency"], row["holdout_value"]) == (len(mine), float(sum(mine)))
    track = tracking(orders, joined_by=cut)
    assert track.new_customers.sum() == known.customers
    repeats = float(np.sum(known.frequency * known.weight)) + split.transactions
    assert track.repeat_transactions[-1] == repeats


def orders_of(*amounts: tuple[str, float], **options: Any) -> Orders:
    log = pd.DataFrame({"customer_id": "a", "date": [d for d, _ in amounts],
                        "amount": [a for _, a in amounts]})  # fmt: skip
    return read_orders(log, **options)


BOUGHT = (("2024-01-01", 5), ("2024-01-05", 8), ("2024-01-09", 7), ("2024-02-10", -8))


def test_a_return_counts_from_its_own_day_on() -> None:
    orders = orders_of(*BOUGHT)
    before, after = (histories(orders, end=end) for end in ("2024-02-09", "2024-02-10"))
    assert rows(before)["a"][1::4] == (2, 7.5)  # frequency, monetary_value
    assert rows(after)["a"][1::4] == (1, 7)
    (late,) = before.report.set_aside
    assert (late.reason, late.rows) == ("after the end of observation (2024-02-09)", 1)
    assert late.amount == -8


def test_a_return_in_the_holdout_is_not_its_loss_and_is_told() -> None:
    split = holdout(orders_of(*BOUGHT, ("2024-02-01", 6)), calibration_end="2024-01-31")
    row = split.to_pandas().loc["a"]
    assert (row["frequency"], row["holdout_value"]) == (2, 6)
    assert split.returned_later == 8


LATER_LINES = (
    # customer, date, order, item, amount
    ("a", "2024-01-05", "1", "cup", 10),
    ("a", "2024-03-28", "2", "pot", 20),
    ("a", "2024-04-03", "2", "pan", 70),
    ("b", "2024-02-01", "3", "cup", 5),
    ("b", "2024-04-10", "4", "cup", 8),
    ("c", "2024-04-11", "5", "cup", 9),
)
RETURNED_LATER = (("a", "2024-04-05", "2", "pan", -30), ("b", "2024-04-12", "4", "cup", -3))
BEYOND_ITS_ORDER = (("a", "2024-03-30", "2", "pot", -50),)


@pytest.mark.parametrize(
    ("returns", "added", "returned"),
    [((), 70, 0), (RETURNED_LATER, 70, 30), (BEYOND_ITS_ORDER, 40, 0)],
    ids=["no returns", "returned later", "a return of 50 from an order of 20, then of 90"],
)
def test_all_money_of_both_periods_is_told(
    returns: tuple[Any, ...], added: int, returned: int
) -> None:
    names = ["customer_id", "date", "order_id", "item", "amount"]
    orders = read_orders(pd.DataFrame([*LATER_LINES, *returns], columns=names))
    cut, end = date(2024, 3, 31), date(2024, 4, 30)
    split = holdout(orders, calibration_end=cut, end=end)
    assert split.added_later == added
    assert split.returned_later == returned
    on_the_last_day, calibration = days(orders, end), days(orders, cut)
    begun_later = {day: amount for day, amount in on_the_last_day.items() if day[1] > cut}
    later = sum(begun_later.values()) + added - returned
    assert sum(on_the_last_day.values()) == sum(calibration.values()) + later
    known = sum(amount for day, amount in begun_later.items() if day[0] != "c")
    assert split.to_pandas()["holdout_value"].sum() == known


def test_the_log_ends_with_its_last_return() -> None:
    assert orders_of(*BOUGHT).last_date == date(2024, 2, 10)
    assert orders_of(*BOUGHT, returns="ignore").last_date == date(2024, 1, 9)


def test_ignored_returns_are_set_aside() -> None:
    orders = orders_of(*BOUGHT, returns="ignore")
    (aside,) = orders.report.set_aside
    assert (aside.reason, aside.rows, aside.amount) == ("negative amount", 1, Decimal(-8))
    assert orders.report.returns is None
    assert rows(histories(orders, end="2024-02-29"))["a"][1::4] == (2, 7.5)


def test_a_return_before_any_order_is_told_with_its_amount() -> None:
    report = orders_of(("2024-01-01", -3), ("2024-01-05", 8)).report
    (aside,) = report.set_aside
    assert (aside.rows, aside.amount) == (1, Decimal(-3))
    assert aside.reason.startswith("return or cancellation that could not be matched")
    assert aside.examples == ("customer a on 2024-01-01: 3.00",)
    assert report.returns is not None
    assert str(report.returns) == "No return could be subtracted from an order before it."


def test_what_is_beyond_the_order_is_unmatched() -> None:
    orders = orders_of(("2024-01-01", 5), ("2024-01-05", 8), ("2024-01-06", -10))
    subtracted, beyond = orders.report.set_aside
    assert (subtracted.rows, subtracted.amount) == (1, Decimal(-8))
    assert (beyond.rows, beyond.amount) == (0, Decimal(-2))


def test_nobody_is_left_where_everything_came_back() -> None:
    orders = orders_of(("2024-01-01", 5), ("2024-01-06", -5))
    with pytest.raises(RequestError, match="Every order up to 2024-01-06 was returned"):
        histories(orders)
    assert histories(orders, end="2024-01-05").customers == 1


def test_a_free_order_stays_a_purchase() -> None:
    orders = orders_of(("2024-01-01", 0), ("2024-01-05", 8), ("2024-01-06", -8))
    assert list(days(orders, date(2024, 1, 31))) == [("a", date(2024, 1, 1))]


def test_kinds_without_amounts_take_back_pieces() -> None:
    log = pd.DataFrame(
        {
            "customer_id": "a",
            "date": ["2024-01-01", "2024-01-05", "2024-01-06"],
            "kind": ["sale", "sale", "return"],
        }
    )
    orders = read_orders(log)
    seen = orders.opened.collect(orders.days_by(date(2024, 1, 31))).to_pylist()
    assert [row["date"] for row in seen] == [date(2024, 1, 1)]
    assert orders.report.returns is not None
    assert orders.report.returns.amount is None


def test_another_word_about_returns_is_refused() -> None:
    with pytest.raises(RequestError, match="returns is 'drop'"):
        orders_of(*BOUGHT, returns="drop")


LINES = Path(__file__).parents[4] / "shared" / "data" / "online_retail" / "online_retail.parquet"


@pytest.mark.skipif(not LINES.is_file(), reason=f"the lines of Online Retail are not at {LINES}")
def test_online_retail_adds_up_to_the_published_amount() -> None:
    report = read_orders(LINES).report
    # UCI 352: 541,909 lines, 9,747,747.934 pounds; 8,905 of the negative lines name a customer.
    assert report.rows_read == report.rows_kept + sum(a.rows for a in report.set_aside) == 541_909
    aside = sum((a.amount or Decimal(0) for a in report.set_aside), start=Decimal(0))
    assert report.amount_kept is not None
    assert report.amount_kept + aside == report.amount_read == Decimal("9747747.934")
    assert report.returns is not None
    assert report.returns.rows + report.returns.unmatched_rows == 8_905
    assert sum(report.returns.matched_by.values()) == report.returns.rows
