"""What a schema says, what is recognised beside it, and what it cannot say."""

from __future__ import annotations

import string
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import OrdersError
from clv.transactions.column_names import ROLES
from clv.transactions.recognised import doubts, recognise, stated_for
from clv.transactions.schema import Schema


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
    assert found == Schema(
        customer_id="CustomerID", date="InvoiceDate", quantity="Quantity", unit_price=price
    )
    assert found.has_amount
    assert f"'Quantity' x {price!r}" in str(found)


def test_an_amount_goes_before_quantity_times_price() -> None:
    found = recognise(["customer_id", "date", "quantity", "price", "line_total"])
    assert (found.amount, found.quantity, found.unit_price) == ("line_total", "quantity", None)
    assert "amount 'line_total', quantity 'quantity'" in str(found)


@pytest.mark.parametrize(
    "name",
    ["Total (EUR)", "Total EUR", "total_usd", "Net Amount (USD)", "Umsatz netto", "Net sales",
     "subtotal", "Amount in €", "Betrag (brutto)", "Total incl. VAT", "Montant TTC", "Price (CHF)"],
)  # fmt: skip
def test_an_amount_with_a_currency_or_unit_beside_its_name_is_known(name: str) -> None:
    assert recognise(["customer", "date", name]).amount == name
    # Beside one that needs no such reading it is another amount.
    assert recognise(["customer", "date", name, "amount"]).amount == "amount"


@pytest.mark.parametrize(
    "name",
    ["Betrag", "Betrag (EUR)", "Betrag EUR", "Total (EUR)", "Gesamtbetrag (EUR)", "Betrag €"],
)
def test_an_amount_goes_before_the_product_whatever_stands_beside_its_name(name: str) -> None:
    names = ["Kunden-Nr.", "Bestelldatum", "Menge", "Einzelpreis", name]
    found = recognise(names)
    assert found.value_columns == (name,)
    assert doubts(names) == []
    # Whoever wants the product is told what is left.
    (said,) = doubts(names, Schema(amount="none"))
    assert f"The amount is 'Menge' x 'Einzelpreis', so {name!r} is not taken." in said


def test_a_bare_price_beside_the_product_is_told() -> None:
    names = ["customer", "date", "quantity", "unit_price", "Price (EUR)"]
    assert recognise(names).value_columns == ("quantity", "unit_price")
    (said,) = doubts(names)
    assert "'Price (EUR)' is not taken" in said
    assert "--amount 'Price (EUR)'" in said
    assert doubts(["customer", "date", "quantity", "Price (EUR)"]) == []


def test_what_is_beside_the_name_does_not_choose_between_two_amounts() -> None:
    with pytest.raises(OrdersError, match="amount could be any of 'Total net' and 'Total gross'"):
        recognise(["customer", "date", "Total net", "Total gross"])
    for name in ("Discount (EUR)", "EUR", "Amount (refunded)", "tax net"):
        assert recognise(["customer", "date", name]).amount is None


def test_a_price_with_a_currency_is_of_one_piece_where_there_is_a_quantity() -> None:
    found = recognise(["Käufer", "date", "Qty (pcs)", "Price (EUR)"])
    assert found.value_columns == ("Qty (pcs)", "Price (EUR)")
    assert found.customer_id == "Käufer"


def test_given_names_go_before_known_ones() -> None:
    names = ["customer_id", "date", "amount", "who", "when", "worth"]
    found = recognise(names, Schema(customer_id="who", date="when", amount="worth"))
    assert (found.customer_id, found.date, found.amount) == ("who", "when", "worth")


def test_a_currency_is_found() -> None:
    assert recognise(["customer_id", "date", "amount", "Currency"]).currency == "Currency"


def test_all_faults_at_once() -> None:
    with pytest.raises(OrdersError) as caught:
        recognise(
            ["Customer ID", "customer_id", "order_date", "invoice_date", "x"], Schema(amount="y")
        )
    said = str(caught.value)
    assert "The customer_id could be any of 'Customer ID' and 'customer_id'" in said
    assert "The date could be any of 'order_date' and 'invoice_date'. Say which: date=" in said
    assert "There is no column 'y'" in said
    assert "2 more faults:" in said


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (
            ["Kundennummer", "Bestelldatum", "Bestellnummer", "Artikelnummer", "Menge"],
            {"order_id": "Bestellnummer", "item": "Artikelnummer", "quantity": "Menge"},
        ),
        (
            ["Kunde", "Datum", "Menge", "Einzelpreis", "Währung", "Belegart"],
            {"quantity": "Menge", "unit_price": "Einzelpreis", "kind": "Belegart"},
        ),
        (
            ["N° client", "Numéro client", "Date de commande", "Montant TTC", "Devise"],
            {"customer_id": "Numéro client", "amount": "Montant TTC", "currency": "Devise"},
        ),
        (
            ["ID cliente", "Fecha del pedido", "Fecha", "Importe", "Número de pedido"],
            {"date": "Fecha", "amount": "Importe", "order_id": "Número de pedido"},
        ),
        (
            ["Klantnummer", "Besteldatum", "Aantal", "Stukprijs", "Factuurnummer"],
            {"unit_price": "Stukprijs", "order_id": "Factuurnummer"},
        ),
        (
            ["customer", "date", "amount", "order_id", "invoice_no", "original_order_id"],
            {"order_id": "order_id", "reverses": "original_order_id"},
        ),
    ],
)
def test_lines_of_orders_in_several_languages(names: list[str], taken: dict[str, str]) -> None:
    found = recognise(names)
    assert {role: getattr(found, role) for role in taken} == taken


def test_a_role_that_need_not_be_there_is_taken_only_where_it_is_clear() -> None:
    names = ["customer_id", "date", "amount", "order_no", "order_number"]
    assert recognise(names).order_id is None
    (said,) = doubts(names)
    assert "could be any of 'order_no' and 'order_number', so none is taken" in said
    assert "--column order_id='order_no'" in said
    assert recognise(names, Schema(order_id="order_no")).order_id == "order_no"
    assert doubts(names, Schema(order_id="order_no")) == []


def test_none_is_a_role_without_a_column() -> None:
    names = ["customer_id", "date", "amount", "quantity", "unit_price", "status"]
    found = recognise(names, Schema(amount="none", kind="none"))
    assert (found.kind, found.value_columns) == (None, ("quantity", "unit_price"))
    assert recognise(names, Schema(amount="none", quantity="none")).has_amount is False


def test_a_unit_price_that_is_named_goes_before_an_amount_that_is_recognised() -> None:
    names = ["customer_id", "date", "amount", "quantity", "net"]
    assert recognise(names, Schema(unit_price="net")).value_columns == ("quantity", "net")


text = st.text(string.printable.replace("\x0b", "").replace("\x0c", "") + 'äß"\\€', min_size=1)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    stated: dict[str, Any] = {
        role: draw(text.filter(lambda name: name != "none"))
        for role in draw(st.sets(st.sampled_from([*ROLES])))
    }
    rates = {"EUR": 1} | draw(
        st.dictionaries(
            st.text(string.ascii_uppercase, min_size=3, max_size=3),
            st.decimals("0.0001", 10_000, places=4),
        )
    )
    some: dict[str, Any] = {
        "decimal": ",",
        "id_case": "fold",
        "duplicates": "drop",
        "no_customer": ["guest@shop.com", 'Gast \\ "1"'],
        "time_zone": "Europe/Berlin",
        "source_time_zone": "UTC",
        "date_layout": "day.month.year",
        "rates": rates | {"EUR": 1},
        "kinds": {"return": ["RMA"], "void": ["storno neu"]},
    }
    stated |= {key: some[key] for key in draw(st.sets(st.sampled_from([*some])))}
    return Schema(**stated)


@given(schemas())
def test_a_schema_that_is_written_is_read_again(schema: Schema) -> None:
    assert Schema.parse(schema.to_toml()) == schema
    assert Schema.of(schema.to_dict()) == schema


@given(st.sets(st.sampled_from(["amount", "quantity", "unit_price", "order_id", "status", "item"])))
def test_a_complete_schema_takes_the_same_columns_again(others: set[str]) -> None:
    names = ["customer_id", "date", *sorted(others)]
    found = recognise(names)
    assert recognise([*names, "kind"], Schema.from_dict(found.to_dict())) == found


@given(
    st.sets(
        st.sampled_from(
            ["amount", "price", "total", "quantity", "qty", "unit_price", "order_id", "status"]
        )
    ),
    st.sets(st.sampled_from(["amount", "quantity", "unit_price", "order_id", "kind"])),
)
def test_a_complete_schema_written_for_its_columns_takes_the_same_again(
    others: set[str], denied: set[str]
) -> None:
    names = ["customer_id", "date", *sorted(others)]
    found = recognise(names, Schema.of(dict.fromkeys(denied, "none")))
    written = stated_for(found, names)
    again = recognise(names, Schema.parse(written.to_toml()))
    assert stated_for(again, names) == written
    taken = [role for role in ROLES if getattr(written, role) not in {None, "none"}]
    assert taken == [role for role in ROLES if getattr(found, role) not in {None, "none"}]


def test_a_file_tells_every_fault_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "orders.toml"
    path.write_text(
        """custmer_id = "Kunde"
date = 3
decimal = ";"

time_zone = "Berlin"
date_layout = "dd.mm.yyyy"
date_layuot = "x"

[rates]
USD = 0.92
GBP = -1

[kinds]
retrun = ["RMA"]
sale = ["SO", "RO"]
return = ["ro"]
"""
    )
    with pytest.raises(OrdersError) as caught:
        Schema.load(path)
    said = str(caught.value).splitlines()
    assert said[0] == "line 1: There is no key custmer_id. Did you mean customer_id?"
    assert said[1] == "8 more faults:"
    wanted = [
        "line 2: date must be the name of a column in quotes; got 3.",
        'line 3: decimal must be "." or ","; got ";".',
        (
            'line 5: time_zone must be a time zone such as "Europe/Berlin"; got "Berlin". '
            'Did you mean "Europe/Berlin"?'
        ),
        (
            'line 6: date_layout must be words such as "day.month.year", "excel", or a layout such '
            'as "%d.%m.%Y"; got "dd.mm.yyyy".'
        ),
        "line 7: There is no key date_layuot. Did you mean date_layout?",
        "line 11: rates.GBP must be a number, 0.0000001 to 10,000,000; got -1.",
        (
            "line 14: There is no kind retrun; they are sale, return, cancellation, void. "
            "Did you mean return?"
        ),
        "line 16: kinds: 'ro' cannot be both sale and return.",
    ]
    assert [line.removeprefix("  - ") for line in said[2:]] == wanted


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"rates": {"USD": 0.92}}, "needs one currency at 1"),
        ({"rates": {"EUR": 1}, "currency_taken": "EUR"}, "state one of them"),
        ({"customer_id": "none"}, "every source of orders has one"),
        ({"id_case": "lower"}, 'must be "keep" or "fold"'),
        ({"no_customer": "guest"}, "must be a list of customer ids in quotes"),
        ({"no_customer": [0]}, "must be a list of customer ids in quotes"),
        ({"no_customer": ["guest", " "]}, "must be a list of customer ids in quotes"),
        ({"rates": {"EUR": True}}, "rates.EUR must be a number"),
        ({"currency_taken": " "}, "must be a currency"),
    ],
)
def test_what_a_schema_cannot_say(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(OrdersError, match=said):
        Schema(**stated)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(OrdersError, match=r"orders.toml' cannot be read: No such file"):
        Schema.load(tmp_path / "orders.toml")
    (tmp_path / "orders.toml").write_text("decimal = ,")
    with pytest.raises(OrdersError, match="not a schema in TOML"):
        Schema.load(tmp_path / "orders.toml")


def test_rates_are_exact() -> None:
    stated: dict[str, Any] = {"eur": 1, "USD": 0.1}  # as TOML gives them
    assert Schema(rates=stated).rates == {"EUR": 1, "USD": Decimal("0.1")}


def test_without_an_amount_it_is_said() -> None:
    assert "not known" in str(recognise(["customer_id", "date"]))
