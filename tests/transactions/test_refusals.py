"""Refused orders: how many rows are at fault, where they stand, what they say, what to do.

The broken files themselves are in `tests/bad_orders/`, which `test_bad_orders.py` goes through.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

from clv.errors import OrdersError, RequestError
from clv.transactions.orders import read_orders
from clv.transactions.split import holdout, tracking
from clv.transactions.summary import histories

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(text: str, name: str = "orders.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return to


def refusal(source: Any, **options: Any) -> str:
    with pytest.raises(OrdersError) as caught:
        read_orders(source, **options)
    return str(caught.value)


def test_missing_file_suggests_near_names(write: Write) -> None:
    there = write("customer_id,date\n1,2024-01-01\n", "orders_2024.csv")
    said = refusal(there.with_name("order_2024.csv"))
    assert said.startswith("There is no file")
    assert f"Did you mean {str(there)!r}?" in said


def test_directory_names_its_files(write: Write) -> None:
    folder = write("customer_id,date\n1,2024-01-01\n").parent
    said = refusal(folder)
    assert "is a directory (it holds orders.csv)" in said
    assert str(folder / "*.csv") in said


def test_given_column_that_is_not_there(write: Write) -> None:
    said = refusal(write("customer_id,date,amount\n1,2024-01-01,5\n"), amount="amonut")
    assert "There is no column 'amonut' (given as amount). Did you mean 'amount'?" in said


def test_a_header_below_titles_is_found(write: Write, tmp_path: Path) -> None:
    below = "Kundennr.;Datum;Umsatz\nK1;01.02.24;5\n"
    for title, line in (("Umsatz 2024\n\n", 3), ("a;b;c;d\n", 2), ("ERP, page 1\n" * 9, 10)):
        said = refusal(write(title + below))
        assert f"Line {line} looks like the header: delete what is above." in said
    assert "looks like the header" not in refusal(write("title\n" * 11 + below))
    cells = [["Export", "page 1"], [None, None], ["Customer No", "Date"], ["7", "2024-01-01"]]
    book = tmp_path / "orders.xlsx"
    pd.DataFrame(cells).to_excel(book, header=False, index=False)
    assert "Row 3 looks like the header: delete what is above." in refusal(book)


@pytest.mark.parametrize("sign", ["^", " ", "~"])
def test_columns_that_another_sign_parts_are_told(write: Write, sign: str) -> None:
    said = refusal(write("customer_id,date,amount\n1,2024-01-01,5\n".replace(",", sign)))
    assert f"its values seem to be parted by {sign!r}, not by a comma, semicolon" in said


def test_a_column_alone_is_told(write: Write) -> None:
    said = refusal(write("customer\n1\n"))
    assert "parted by something else than a comma, semicolon, tab or |" in said
    assert "parted" not in refusal(write("who,when\n1,2024-01-01\n"))


def test_decimal_commas_among_commas_are_told(write: Write) -> None:
    said = refusal(write("customer_id,date,quantity,amount\n1,2024-01-01,2,29,33\n"))
    assert "has 5 values, and the first line names 4 columns" in said
    assert "If 29,33 is a number with a decimal comma, export with semicolons" in said


@pytest.mark.parametrize("word", ["Grand total", "Summe:", "Total général"])
def test_a_row_of_totals_is_told(write: Write, word: str) -> None:
    rows = "customer_id,date,amount\n1,2024-01-01,5\n2,2024-01-02,6\n"
    said = refusal(write(f"{rows}{word},,11\n"))
    assert said == f"Line 4 looks like a total ({word!r}): delete it."
    assert "No readable date in 1 of 3 rows" in refusal(write(f"{rows}{word},soon,11\n"))
    assert "No readable date in 2 of 4 rows" in refusal(write(f"{rows}3,,7\n{word},,18\n"))


def test_net_and_gross_are_told_apart(write: Write) -> None:
    said = refusal(write("Kundennr.;Datum;Netto;MwSt;Brutto\nK1;01.02.24;5;1;6\n"))
    assert "The amount could be any of 'Netto' and 'Brutto'. Say which: amount='Netto'." in said
    orders = read_orders(write("Kundennr.;Datum;Brutto\nK1;13.02.24;6\n"))
    assert orders.schema.amount == "Brutto"


def test_two_columns_that_could_be_the_amount(write: Write) -> None:
    path = write("customer_id,date,revenue,total\n1,2024-01-01,5,6\n")
    said = refusal(path)
    assert "The amount could be any of 'revenue' and 'total'. Say which: amount='revenue'." in said
    assert read_orders(path, amount="total").report.amount_read == 6  # the row above


def test_one_column_for_two_roles(write: Write) -> None:
    path = write("customer_id,date,amount\n1,2024-01-01,5\n")
    assert "'date' is taken twice" in refusal(path, amount="date")


def test_unreadable_dates_name_lines_and_text(write: Write) -> None:
    good = "1,2024-01-01,5\n" * 7
    bad = "2,2024-02-30,5\n3,soon,5\n4,,5\n5,epoch,5\n6,infinity,5\n7,97-01-05,5\n"
    said = refusal(write(f"customer_id,date,amount\n{good}{bad}"))
    # The header is line 1, so the eighth row is line 9.
    assert "No readable date in 6 of 13 rows, column 'date'" in said
    assert "(line 9: '2024-02-30'; line 10: 'soon'; line 11: blank)" in said
    assert "2024-01-31 (ISO 8601)" in said


def test_lines_are_counted_as_an_editor_shows_them(write: Write) -> None:
    text = (
        'customer_id,date,note\n1,2024-01-01,"two\nlines"\n\n2,never,x\n3,2024-01-01,y\n4,nor,z\n'
    )
    said = refusal(write(text))
    assert "(line 5: 'never'; line 7: 'nor')" in said


def test_a_row_of_several_lines_is_named_by_its_first(write: Write) -> None:
    said = refusal(write('customer_id,note,date\n1,"two\nlines",never\n'))
    assert "(line 2: 'never')" in said


def test_faults_far_into_a_large_file(write: Write) -> None:
    rows = [f"{i % 999},2024-01-0{i % 9 + 1},{i}.5" for i in range(300_000)]
    rows[299_000] = "5,2024-01-01,five"
    said = refusal(write("customer_id,date,amount\n" + "\n".join(rows) + "\n"))
    assert "No readable amount in 1 of 300,000 rows" in said
    assert "(line 299002: 'five')" in said


def test_unreadable_amounts_beside_unreadable_dates(write: Write) -> None:
    rows = ["1,2024-01-01,12", '2,2024-01-01,"1,234.50"', "3,x,$5", "4,2024-01-01,", "5,y,1"]
    rows += ["6,2024-01-02,100000000000000", "7,2024-01-02,nan"]
    said = refusal(write("customer_id,date,amount\n" + "\n".join(rows) + "\n"))
    assert "No readable date in 2 of 7 rows, column 'date' (line 4: 'x'; line 6: 'y')" in said
    assert "No readable amount in 3 of 7 rows, column 'amount'" in said
    assert "(line 5: blank; line 7: '100000000000000'; line 8: 'nan')" in said
    assert "below 10^14" in said


def test_faults_of_a_quantity_or_price_show_both(write: Write) -> None:
    said = refusal(write("customer_id,date,quantity,unit_price\n1,2024-01-01,2,x\n"))
    assert "column 'quantity' x 'unit_price' (line 2: '2' x 'x')" in said


def test_faults_in_one_of_several_files(write: Write) -> None:
    path = write("customer_id,date\n1,2024-01-01\n", "a.csv")
    write("customer_id,date\n1,2024-01-01\n2,later\n", "b.csv")
    assert "(b.csv line 3: 'later')" in refusal(path.with_name("*.csv"))


def test_faults_in_parquet_and_frames_name_the_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["1", "2"], "date": ["2024-01-01", "x"]})
    assert "(row 1: 'x')" in refusal(frame)  # its position, as in frame.iloc
    frame.to_parquet(tmp_path / "orders.parquet")
    assert "(row 2: 'x')" in refusal(tmp_path / "orders.parquet")  # the first row is row 1


def test_several_currencies(write: Write) -> None:
    rows = "1,2024-01-01,5,EUR\n2,2024-01-01,5,eur\n3,2024-01-02,5,USD\n4,2024-01-02,5,\n"
    said = refusal(write("customer_id,date,amount,currency\n" + rows))
    assert "Column 'currency' has 2 currencies: EUR (2 rows), USD (1 row)" in said
    assert 'currency_taken = "EUR"' in said
    said = refusal(write("customer_id,date,amount,currency\n" + rows.replace("eur", "usd")))
    assert 'currency_taken = "USD"), or state rates ([rates] and below it USD = 1' in said
    assert "one currency at a time" in said


def test_no_row_is_a_purchase(write: Write) -> None:
    said = refusal(write("customer_id,date,amount\n,2024-01-01,5\n1,2024-01-01,-5\n"))
    assert (
        "of 2 rows, 1 without a customer id, 1 with a negative amount. Does column 'customer_id'"
        in said
    )
    said = refusal(
        write("customer_id,date,amount,currency\n1,2024-01-01,5,EUR\n"),
        schema={"currency_taken": "USD"},
    )
    assert "of 1 row, 1 in another currency than USD. State in a schema which is taken" in said
    said = refusal(write("customer_id,date,kind\n1,2024-01-01,void\n1,2024-01-02,return\n"))
    assert "of 2 rows, 1 of returns or cancellations, 1 of orders that came to nothing" in said
    assert "Does a word of column 'kind' mean a sale?" in said


def test_something_else_than_a_source() -> None:
    assert "got list" in refusal([1, 2])


def test_frames_that_cannot_be_orders() -> None:
    assert "has no columns" in refusal(pd.DataFrame())
    twice = pd.DataFrame([[1, 2]], columns=["date", "date"])
    assert "more than one column 'date'" in refusal(twice)
    assert "has a header but no rows" in refusal(pd.DataFrame({"customer": [], "date": []}))


@pytest.fixture
def orders() -> Any:
    days = ["2024-01-05", "2024-02-01"]
    return read_orders(pd.DataFrame({"customer_id": ["a", "a"], "date": days}))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda o: histories(o, end="2024-01-04"), "from 2024-01-05 to 2024-02-01"),
        (lambda o: histories(o, end="9999-12-31"), "9999-12-31 is after 2999-12-31"),
        (lambda o: histories(o, end="04.01.2024"), "must be a date written as 2024-01-31"),
        (lambda o: histories(o, end=cast("str", 20240104)), "must be a date written as 2024-01-31"),
        (lambda o: histories(o, unit="month"), "must be 'day' or 'week'"),
        (lambda o: holdout(o, calibration_end="2024-02-01"), "The holdout period is empty"),
        (lambda o: holdout(o, calibration_end="2024-01-04"), "before the first order"),
        (lambda o: tracking(o, end="2024-01-04"), "end is 2024-01-04, before the first order"),
        (lambda o: tracking(o, joined_by="2023-01-04"), "joined_by is 2023-01-04"),
    ],
)
def test_requests_that_make_no_sense(orders: Any, call: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        call(orders)


def test_an_order_of_a_day_that_is_not_yet_is_no_end_of_observation() -> None:
    """Such as the 9999-12-31 of some databases, which means never."""
    days = ["2024-01-05", "9999-12-31"]
    orders = read_orders(pd.DataFrame({"customer_id": ["a", "a"], "date": days}))
    with pytest.raises(RequestError, match="of 9999-12-31, a day that is not yet"):
        histories(orders)
    assert histories(orders, end="2024-02-01").report.rows_kept == 1
