"""Numbers as people write them: read as they were meant, or refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import OrdersError
from clv.transactions.orders import Orders, read_orders
from clv.transactions.schema import Schema
from clv.transactions.sources import open_source
from clv.transactions.written_numbers import currency_written, number_written

SPACES = " \u00a0\u202f\u2009"


def written(value: Decimal, mark: str, group: str, form: str) -> str:
    """Write a number with a mark, groups of three, and a way to show a sign and a currency."""
    whole, _, decimals = f"{abs(value):f}".partition(".")
    groups = [whole[max(0, i - 3) : i] for i in range(len(whole), 0, -3)]
    digits = group.join(reversed(groups)) + (mark + decimals if decimals else "")
    return form.format(digits) if value < 0 else digits


def read(texts: list[str | None], mark: str) -> list[Decimal | None]:
    source = open_source(pd.DataFrame({"n": texts}, dtype=object))
    found = source.table.select(n=number_written(source.table["n"], mark))
    return list(source.in_order(found)["n"].to_pylist())


@settings(max_examples=20, deadline=None)  # each asks the engine for many numbers at once
@given(
    st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=50),
    st.sampled_from([(".", ","), (",", "."), (".", "'"), (".", "’"), (".", ""), (",", "")] + [
        (mark, space) for mark in ".," for space in SPACES
    ]),
    st.sampled_from(["-{}", "−{}", "({})", "{}-", "-€{}", "€-{}", "(€ {})", "-{} EUR", "{}- kr"]),
)  # fmt: skip
def test_what_is_written_is_read(values: list[Decimal], style: tuple[str, str], form: str) -> None:
    mark, group = style
    assert read([written(value, mark, group, form) for value in values], mark) == values


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("1.234", "1.234", "1234"),
        ("1,234", "1234", "1.234"),
        ("0.850", "0.85", None),  # no group of thousands begins with 0
        ("12,34,567.00", "1234567", None),  # India groups by two after the first three
        ("1.234.567", None, "1234567"),
        ("5,-", None, "5"),  # a dash stands for no cents, it is no minus
        ("1.250,--", None, "1250"),
        ("5.-", "5", None),
        ("CHF 1’250.00", "1250", None),
        ("US$ 3.50", "3.5", None),
        (".5", "0.5", None),
        ("1.2.3", None, None),
        ("1 2345", None, None),
        ("--5", None, None),
        ("(5", None, None),
        ("(-5)", None, None),
        ("12 pcs", None, None),
        ("five", None, None),
        ("nan", None, None),
        ("1e308", None, None),
        ("100000000000000", None, None),  # 10^14
        ("", None, None),
    ],
)
def test_readings_with_a_point_and_with_a_comma(
    text: str, point: str | None, comma: str | None
) -> None:
    for mark, wanted in ((".", point), (",", comma)):
        assert read([text], mark) == [None if wanted is None else Decimal(wanted)]


def test_the_currency_beside_a_number() -> None:
    texts = ["€ 5", "5 EUR", "US$ 5", "$5", "£5", "5 kr", "5", "CHF5"]
    source = open_source(pd.DataFrame({"n": texts}))
    found = source.table.select(n=currency_written(source.table["n"]))
    wanted = ["EUR", "EUR", "USD", "$", "GBP", "KR", None, "CHF"]
    assert source.in_order(found)["n"].to_pylist() == wanted


def orders(amounts: list[Any], schema: dict[str, Any] | None = None, **more: Any) -> Orders:
    frame = pd.DataFrame({"customer_id": "a", "date": "2024-01-01", "amount": amounts} | more)
    return read_orders(frame, schema=Schema.of(schema), returns="ignore")


@pytest.mark.parametrize(
    ("amounts", "total", "said"),
    [
        (["1.234,50", "7,00", "3"], "1244.5", "with a comma before the decimals"),
        (["1,234.50", "7.00"], "1241.5", "with a point before the decimals"),
        (["1 234,50", "1.000"], "2234.5", "(such as '1 234,50')"),
        (["1.234", "12,5"], "1246.5", "with a comma"),
        (["$5", "$7"], "12", "with a point"),  # both marks agree
    ],
)
def test_a_column_tells_its_mark(amounts: list[str], total: str, said: str) -> None:
    found = orders(amounts)
    assert found.report.amount_kept == Decimal(total)
    assert any(said in notice for notice in found.report.notices)
    again = orders(amounts, found.schema.to_dict())
    assert again.report.amount_kept == found.report.amount_kept


def test_amounts_below_zero_are_no_purchases() -> None:
    report = orders(["(1.234,50)", "7,00-", "3,00"]).report
    assert report.amount_kept == 3
    assert report.set_aside[0].amount == Decimal("-1241.5")


def refusal(amounts: list[Any], **more: Any) -> str:
    with pytest.raises(OrdersError) as caught:
        orders(amounts, **more)
    return str(caught.value)


@pytest.mark.parametrize("amounts", [["1.234", "2.500"], ["1,234", "2,500"], ["1.234", "5"]])
def test_a_column_that_can_be_read_in_two_ways_is_refused(amounts: list[str]) -> None:
    said = refusal(amounts)
    assert f"(such as {amounts[0]!r}) can be read with a point before the decimals" in said
    point, comma = ("1.234", "1234") if "." in amounts[0] else ("1234", "1.234")
    assert f"decimals ({point}) and with a comma ({comma}), and no row tells which" in said
    assert (
        orders(amounts, {"decimal": "."}).report.amount_kept
        != orders(amounts, {"decimal": ","}).report.amount_kept
    )


def test_two_marks_in_one_column_are_refused() -> None:
    said = refusal(["1,234.50", "9,00", "1.234,50"])
    assert "others a point" in said or "others a comma" in said
    assert "'1,234.50'" in said
    assert "'9,00'" in said


def test_plain_numbers_need_no_other_column_to_be_sure() -> None:
    assert orders(["1.234", "0.850"]).report.amount_kept == Decimal("2.084")  # three decimals
    assert orders(["1.234", "12.5"]).report.amount_kept == Decimal("13.734")
    assert orders([1.234, 2.5]).report.amount_kept == Decimal("3.734")  # no text
    assert len(orders(["1.234", "12.5"]).report.notices) == 1  # the columns only


def test_quantity_and_price_tell_each_other_their_mark() -> None:
    frame = pd.DataFrame(
        {"customer_id": "a", "date": "2024-01-01", "qty": ["1.000", "2"], "price": ["0,50", "3"]}
    )
    assert read_orders(frame).report.amount_kept == 506  # 1000 x 0.50 + 2 x 3


def test_signs_of_two_currencies_are_two_currencies() -> None:
    said = refusal(["€5", "$7"])
    assert "Column 'amount' has 2 currencies: $ (1 row), EUR (1 row)" in said
    assert orders(["€5", "5 EUR"]).report.currency == "EUR"


@pytest.mark.parametrize("amount", [1e308, float("inf"), float("-inf"), 1e14])
def test_amounts_beyond_sense_are_refused_with_their_row(amount: float) -> None:
    said = refusal([5.0, amount])
    assert "No readable amount in 1 of 2 rows, column 'amount' (row 1: " in said
    assert "below 10^14" in said
