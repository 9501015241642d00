"""Recognising columns by their names."""

from __future__ import annotations

import pytest

from clv.errors import OrdersError
from clv.transactions.columns import AMOUNT, CUSTOMER, DATE, Columns, recognise


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["customer_id", "date", "quantity", "amount"], ("customer_id", "date", "amount")),
        (
            ["Customer ID", "Order Date", "Order Total"],
            ("Customer ID", "Order Date", "Order Total"),
        ),
        (["EMAIL", "created_at", "sales"], ("EMAIL", "created_at", "sales")),
        (["user", "user_id", "purchase_date", "value"], ("user_id", "purchase_date", "value")),
        (["client-id", "timestamp", "price"], ("client-id", "timestamp", "price")),
        (["email", "customer_id", "day", "total"], ("customer_id", "day", "total")),
        (["invoice", "customer", "created_at", "invoice_date"], ("customer", "invoice_date", None)),
        (["customer_id", "date", "unit_price"], ("customer_id", "date", None)),
    ],
)
def test_names_that_shops_use(names: list[str], taken: tuple[str | None, ...]) -> None:
    found = recognise(names)
    assert (found.customer_id, found.date, found.amount) == taken
    assert found.has_amount == (taken[2] is not None)


@pytest.mark.parametrize("price", ["UnitPrice", "unit price", "Price"])
def test_quantity_times_unit_price(price: str) -> None:
    found = recognise(["CustomerID", "InvoiceDate", "Quantity", price])
    assert found == Columns("CustomerID", "InvoiceDate", None, "Quantity", price)
    assert found.has_amount
    assert f"'Quantity' x {price!r}" in str(found)


def test_an_amount_goes_before_quantity_times_price() -> None:
    found = recognise(["customer_id", "date", "quantity", "price", "line_total"])
    assert (found.amount, found.quantity, found.unit_price) == ("line_total", None, None)


def test_given_names_go_before_known_ones() -> None:
    names = ["customer_id", "date", "amount", "who", "when", "worth"]
    found = recognise(names, customer_id="who", date="when", amount="worth")
    assert (found.customer_id, found.date, found.amount) == ("who", "when", "worth")


def test_a_currency_is_found() -> None:
    assert recognise(["customer_id", "date", "amount", "Currency"]).currency == "Currency"


def test_all_faults_at_once() -> None:
    with pytest.raises(OrdersError) as caught:
        recognise(["Customer ID", "customer_id", "order_date", "invoice_date", "x"], amount="y")
    said = str(caught.value)
    assert "The customer_id could be any of 'Customer ID' and 'customer_id'" in said
    assert "The date could be any of 'order_date' and 'invoice_date'. Say which: date=" in said
    assert "There is no column 'y'" in said
    assert "2 more faults:" in said


def test_a_known_name_has_one_role_and_one_tier() -> None:
    known = [name for tiers in (CUSTOMER, DATE, AMOUNT) for tier in tiers for name in tier]
    assert len(known) == len(set(known))
    assert all(name == "".join(c for c in name.casefold() if c.isalnum()) for name in known)


def test_without_an_amount_it_is_said() -> None:
    assert "not known" in str(recognise(["customer_id", "date"]))
