"""What the rows of a source tell of its schema, and what a schema tells of the rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv.errors import OrdersError
from clv.transactions.orders import Orders, read_orders
from clv.transactions.summary import histories


def read(schema: dict[str, Any] | None = None, **columns: Any) -> Orders:
    """Read a frame of given columns; customer, date and amount where they do not matter."""
    length = len(next(iter(columns.values())))
    plain: dict[str, list[Any]] = {"customer_id": ["a"], "date": ["2024-01-01"], "amount": [10]}
    frame = pd.DataFrame({k: v * length for k, v in plain.items()} | columns)
    return read_orders(frame, schema=schema, returns="ignore")


def refusal(schema: dict[str, Any] | None = None, **columns: Any) -> str:
    with pytest.raises(OrdersError) as caught:
        read(schema, **columns)
    return str(caught.value)


def aside(orders: Orders) -> list[tuple[str, int, Decimal | None]]:
    return [(a.reason, a.rows, a.amount) for a in orders.report.set_aside]


# ------------------------------------------------------------------------------------------ dates


def test_days_as_excel_counts_them() -> None:
    # Excel shows 45351 as 2024-02-29 and 45351.99 as 23:45 of that day.
    for written in (["45351", "45352"], [45351, 45352], [45351.99, 45352.0]):
        found = read(date=written)
        assert (found.first_date, found.last_date) == (date(2024, 2, 29), date(2024, 3, 1))
        assert "Dates were read as days as Excel counts them" in found.report.notices[-1]
        assert read(found.schema.to_dict(), date=written).last_date == date(2024, 3, 1)


def test_numbers_that_are_no_days_are_refused() -> None:
    assert "No readable date in 1 of 2 rows" in refusal(date=["45351", "1709164800"])


def test_two_orders_of_day_and_month_are_refused_together() -> None:
    said = refusal(date=["31/01/2024", "30/01/2024", "01/31/2024"])
    assert "No readable date in 1 of 3 rows, column 'date' (row 2: '01/31/2024')" in said
    assert "Some are written as day/month/year (" in said
    assert "others as month/day/year ('01/31/2024')" in said


def test_a_layout_that_is_stated_is_followed() -> None:
    for layout in ("day/month/year", "%d/%m/%Y"):
        assert read({"date_layout": layout}, date=["03/04/2024"]).first_date == date(2024, 4, 3)
    said = refusal({"date_layout": "day/month/year"}, date=["03/04/2024", "2024-04-03"])
    assert "(row 1: '2024-04-03'). Write every date as day/month/year." in said


# ------------------------------------------------------------------------------------- time zones


@pytest.mark.parametrize(
    ("written", "schema", "day"),
    [
        ("2024-06-30T22:30:00Z", {}, date(2024, 6, 30)),
        ("2024-06-30T22:30:00Z", {"time_zone": "Europe/Berlin"}, date(2024, 7, 1)),
        ("2024-12-31T22:30:00Z", {"time_zone": "Europe/Berlin"}, date(2024, 12, 31)),  # UTC+1
        ("2024-07-01T03:00:00+02:00", {"time_zone": "America/New_York"}, date(2024, 6, 30)),
        ("2024-06-30 23:30:00", {"time_zone": "Asia/Tokyo"}, date(2024, 6, 30)),  # as written
        (
            "2024-06-30 23:30:00",
            {"time_zone": "Asia/Tokyo", "source_time_zone": "UTC"},
            date(2024, 7, 1),
        ),
        ("2024-06-30 01:30:00", {"source_time_zone": "Asia/Tokyo"}, date(2024, 6, 29)),
        ("2024-06-30", {"source_time_zone": "Asia/Tokyo"}, date(2024, 6, 30)),  # a day is a day
    ],
)
def test_the_day_that_a_time_belongs_to(written: str, schema: dict[str, str], day: date) -> None:
    assert read(schema, date=[written]).first_date == day
    if len(written) > 10:
        assert read(schema, date=[pd.Timestamp(written)]).first_date == day


def test_the_zone_is_said() -> None:
    stated = read({"time_zone": "Europe/Berlin"}, date=["2024-06-30T22:30:00Z"]).report.notices
    assert "an order belongs to its day in Europe/Berlin." in stated[-1]
    assumed = read(date=["2024-06-30T22:30:00Z"]).report.notices
    assert "its day in UTC (state time_zone in a schema for another)" in assumed[-1]


# ------------------------------------------------------------------------------------- currencies


def test_rates_turn_amounts_into_one_currency() -> None:
    schema = {"rates": {"EUR": 1, "USD": 0.92}}
    orders = read(schema, amount=[10, 100, 5], currency=["EUR", "usd", "USD"])
    assert orders.report.amount_kept == Decimal("106.6")  # 10 + 92 + 4.6
    assert orders.report.currency == "EUR"
    assert "Amounts were turned into EUR: EUR x 1 (1 row), USD x 0.92 (2 rows)." in (
        orders.report.notices
    )


def test_a_currency_without_a_rate_is_refused() -> None:
    said = refusal({"rates": {"EUR": 1}}, amount=[10, 100, 5], currency=["EUR", "SEK", None])
    assert "no rate for these currencies: blank (1 row), SEK (1 row)" in said or (
        "no rate for these currencies: SEK (1 row), blank (1 row)" in said
    )


def test_one_currency_is_taken_and_the_others_set_aside() -> None:
    orders = read(
        {"currency_taken": "eur"}, amount=[10, 100, 5, 7], currency=["EUR", "USD", "SEK", "USD"]
    )
    report = orders.report
    assert (report.amount_read, report.amount_kept, report.currency) == (
        Decimal(10),
        Decimal(10),
        "EUR",
    )
    assert aside(orders) == [("in another currency than EUR (5.00 SEK, 107.00 USD)", 3, None)]
    assert report.rows_read == report.rows_kept + 3


# ------------------------------------------------------------------------------------ kinds of rows


def test_returns_are_no_purchases_whatever_the_sign_of_their_amount() -> None:
    orders = read(
        amount=[50, 20, -5, 7, 9],
        transaction_type=["Sale", "Return", "Refund", "Cancellation", "sale"],
    )
    assert orders.report.amount_kept == 59
    assert aside(orders) == [("return or cancellation", 3, Decimal(-32))]
    assert orders.report.amount_read == 27  # 59 - 32


def test_an_order_that_was_cancelled_came_to_nothing() -> None:
    orders = read(amount=[50, 20, 30], Status=["Completed", "Cancelled", "refunded"])
    assert aside(orders) == [("order that came to nothing (cancelled or refunded)", 2, Decimal(50))]
    assert histories(orders, end="2024-01-01").report.amount_kept == 50


def test_a_negative_quantity_is_a_return() -> None:
    orders = read(amount=[50, 20], quantity=[2, -1])
    assert aside(orders) == [("negative amount", 1, Decimal(-20))]
    lines = read(amount=["none"] * 3, quantity=[2, -1, 0], unit_price=[5, 4, 3], schema={
        "amount": "none"
    })  # fmt: skip
    assert (lines.report.amount_kept, lines.report.amount_read) == (Decimal(10), Decimal(6))


def test_words_that_a_kind_cannot_be_told_from() -> None:
    said = refusal(amount=[50, 20, 30], ordertype=["SO", "Return", "RX"])
    assert "Column 'ordertype' says what is not known as a kind of row: 'RX' (1 row)" in said
    assert "'SO' (1 row)" in said
    schema = {"kinds": {"sale": ["SO"], "return": ["rx"]}}
    orders = read(schema, amount=[50, 20, 30], ordertype=["SO", "Return", "RX"])
    assert orders.report.amount_kept == 50
    again = read(orders.schema.to_dict(), amount=[50, 20, 30], ordertype=["SO", "Return", "RX"])
    assert again.report.amount_read == orders.report.amount_read == 0


@pytest.mark.parametrize(("words", "more"), [(5, ". Say"), (7, " and 2 more."), (80, " and more.")])
def test_not_all_of_many_words_are_told(words: int, more: str) -> None:
    rows = [f"w{i:02}" for i in range(words)]
    assert f"'w04' (1 row){more}" in refusal({"kind": "k"}, amount=[1] * words, k=rows)


def test_a_column_that_is_only_named_like_a_kind_is_left_alone() -> None:
    orders = read(amount=[50, 20], status=["gold", "silver"])
    assert (orders.schema.kind, orders.report.rows_kept) == (None, 2)
    assert "is not known as a kind" in refusal({"kind": "status"}, status=["gold", "silver"])


# -------------------------------------------------------------------------------------- customers


def test_ids_that_differ_only_in_case_are_told_and_one_if_asked() -> None:
    ids = ["Ab1", "AB1", "ab1", "C2", "c3"]
    orders = read(customer_id=ids)
    (said,) = [notice for notice in orders.report.notices if "in more than one case" in notice]
    assert "1 customer id is there in more than one case ('AB1' and 'ab1')" in said
    assert histories(orders, end="2024-01-01").customers == 5
    folded = read({"id_case": "fold"}, customer_id=ids)
    assert histories(folded, end="2024-01-01").to_pandas().index.tolist() == ["ab1", "c2", "c3"]
    assert not [notice for notice in folded.report.notices if "case" in notice]


@pytest.mark.parametrize(
    ("ids", "stated", "left"),
    [
        (["guest", " guest ", "Guest", "a1"], {"no_customer": ["guest"]}, ["Guest", "a1"]),
        (["guest", "GUEST", "A1"], {"no_customer": ["Guest"], "id_case": "fold"}, ["a1"]),
        (["x", "y", "a1"], {"no_customer": ["x", " y", "z"]}, ["a1"]),
        ([0, 0, 7], {"no_customer": ["0"]}, ["7"]),
        ([0.0, None, 7.0], {"no_customer": ["0"]}, ["7"]),
    ],
)
def test_ids_that_are_nobody_are_set_aside(
    ids: list[Any], stated: dict[str, Any], left: list[str]
) -> None:
    orders = read(stated, customer_id=ids)
    (nobody,) = orders.report.set_aside
    assert nobody.reason == "no customer id"
    assert nobody.rows == len(ids) - len(left)
    found = histories(orders, end="2024-01-01").to_pandas().index
    assert sorted(map(str, found)) == left


@pytest.mark.parametrize("ids", [["A1", "A2"], ["a1", "a2"], ["Ab", "Cd"], [1, 2]])
def test_ids_of_one_case_are_not_told(ids: list[Any]) -> None:
    assert len(read(customer_id=ids).report.notices) == 1  # the columns


def test_what_looks_like_a_query_is_an_id(tmp_path: Path) -> None:
    ids = ["'; DROP TABLE orders; --", 'say "so"', "%s", "{x}", "a\\b"]
    found = histories(read(customer_id=ids), end="2024-01-01").to_pandas()
    assert sorted(found.index) == sorted(ids)


# ----------------------------------------------------------------------------------- the whole file


def test_a_german_export_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bestellungen.csv"
    path.write_text(
        "Kundennummer;Bestelldatum;Bestellnummer;Artikel;Betrag;Währung;Belegart\n"
        "007;31.01.2024;B1;Stuhl;1.234,50 €;EUR;Rechnung\n"
        "007;01.02.2024;B2;Tisch;99,- €;EUR;Rechnung\n"
        "011;02.02.2024;B3;Bank;12,30 €;EUR;Gutschrift\n",
        encoding="utf-8",
    )
    orders = read_orders(path, returns="ignore")
    assert orders.report.amount_kept == Decimal("1333.5")
    assert orders.report.set_aside[0].amount == Decimal("-12.3")
    assert orders.report.set_aside[0].examples == ("line 4: '011', '02.02.2024', '12,30 €'",)
    assert (orders.first_date, orders.report.currency) == (date(2024, 1, 31), "EUR")
    path.with_name("schema.toml").write_text(orders.schema.to_toml())
    again = read_orders(path, schema=path.with_name("schema.toml"), returns="ignore")
    assert again.schema == orders.schema
    assert again.report.amount_read == orders.report.amount_read


# ---------------------------------------------------------------------------------------- amounts


def test_columns_of_numbers_are_named_where_no_amount_is_recognised() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "date": ["2024-01-01", "2024-01-02"],
            "note": ["gift", "12"],
            "worth it": ["1.234,50 €", " "],
            "points": [3, 4],
            "empty": ["", None],
            "paid": [True, False],
        }
    )
    found = read_orders(frame)
    assert not found.has_amount
    (said,) = (n for n in found.report.notices if "No amount was recognised" in n)
    assert "'worth it', 'points'. If one" in said
    assert "--amount 'worth it', in Python amount='worth it'" in said
    for schema in ({"amount": "none"}, {"amount": "points"}):
        notices = read_orders(frame, schema=schema).report.notices
        assert not any("No amount was recognised" in notice for notice in notices)
    few = frame[["customer_id", "date", "note"]]
    assert not any("recognised" in notice for notice in read_orders(few).report.notices)


# ------------------------------------------------------------ what is stated, and written otherwise


def test_rows_that_are_written_otherwise_than_stated_are_told_how() -> None:
    german = {"date_layout": "day.month.year", "decimal": ","}
    said = refusal(german, date=["2024-01-31", "2024-02-01"], amount=["55.47", "1.5"])
    assert 'says date_layout = "day.month.year" (with --since' in said
    assert 'state date_layout = "ISO 8601" in a schema' in said
    assert 'says decimal = ","' in said
    assert 'state decimal = "." in a schema' in said
    assert "such as 1234,50;" in said  # in the way that is stated
    said = refusal({"date_layout": "ISO 8601"}, date=["31.01.2024", "28.02.2024"])
    assert 'state date_layout = "day.month.year" in a schema' in said
    said = refusal(german, date=["31.01.2024", "31.31.2024"], amount=["1,50", "x"])
    assert "The schema says" not in said


@pytest.mark.parametrize("name", ["ISO 8601", "iso 8601", "ISO8601"])
def test_the_usual_layout_can_be_stated(name: str) -> None:
    orders = read({"date_layout": name}, date=["2024-01-31", "2024-02-01"])
    assert (orders.first_date, orders.last_date) == (date(2024, 1, 31), date(2024, 2, 1))
