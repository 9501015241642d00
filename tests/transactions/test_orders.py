"""What is read from the values of a source, whatever their types."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clv.transactions.orders import Orders, Policy, read_orders
from clv.transactions.report import SetAside, counted, quoted
from clv.transactions.summary import histories


def days(orders: Orders) -> list[tuple[Any, ...]]:
    rows = orders.days.order_by("customer_id", "date").to_pyarrow().to_pylist()
    return [(str(r["customer_id"]), r["date"], r["rows"], r["amount"]) for r in rows]


def one(*, returns: Policy = "net", **columns: Any) -> Orders:
    """Read a frame of given columns; customer, date and amount where they do not matter."""
    length = len(next(iter(columns.values())))
    plain: dict[str, list[Any]] = {"customer_id": ["a"], "date": ["2024-01-01"], "amount": [1]}
    frame = pd.DataFrame({k: v * length for k, v in plain.items()} | columns)
    return read_orders(frame, returns=returns)


@pytest.mark.parametrize(
    ("ids", "read"),
    [
        (["007", "7"], ["007", "7"]),
        ([17850, 13047], ["13047", "17850"]),
        (pd.array([17850.0, None]), ["17850"]),
        (pd.array([2**53 - 1, None], dtype="Int64"), ["9007199254740991"]),
        ([Decimal("17850.0")], ["17850"]),
        ([1.5], ["1.5"]),
        ([" a ", "a"], ["a"]),
        ([17850, "A1"], ["17850", "A1"]),
        (pd.Categorical(["x", "y"]), ["x", "y"]),
    ],
)
def test_customer_ids_are_text_as_a_person_writes_them(ids: Any, read: list[str]) -> None:
    found = histories(one(customer_id=ids))
    assert found.to_pandas().index.tolist() == read


@pytest.mark.parametrize("blank", [None, "", "  ", "NULL", "nan", "None", "\\N"])
def test_rows_without_a_customer_are_set_aside(blank: str | None) -> None:
    report = one(customer_id=["a", blank], amount=[1, 2]).report
    (aside,) = report.set_aside
    assert (aside.reason, aside.rows, aside.amount) == ("no customer id", 1, Decimal(2))
    assert aside.examples == (f"row 1: {quoted(blank)}, '2024-01-01', '2'",)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("2024/2/29", date(2024, 2, 29)),
        ("2024-02-29 23:59:59.999", date(2024, 2, 29)),
        ("2024-02-29T00:00:00", date(2024, 2, 29)),
        ("2024-02-29T23:30:00Z", date(2024, 2, 29)),
        ("2024-02-29T23:30:00-05:00", date(2024, 3, 1)),
        ("2024-02-29 00:30:00+09", date(2024, 2, 28)),
        ("29.02.2024", date(2024, 2, 29)),
        ("2/29/2024 8:26", date(2024, 2, 29)),
        ("29/02/2024 11:59:59 PM", date(2024, 2, 29)),
        ("29 Feb 2024", date(2024, 2, 29)),
        ("February 29, 2024", date(2024, 2, 29)),
        ("May 29, 2024", date(2024, 5, 29)),
        ("20240229", date(2024, 2, 29)),
        (20240229, date(2024, 2, 29)),
        (date(2024, 2, 29), date(2024, 2, 29)),
        (datetime(2024, 2, 29, 23, 59, 59, 999_999), date(2024, 2, 29)),
        (pd.Timestamp("2024-02-29 23:30", tz="America/New_York"), date(2024, 3, 1)),
    ],
)
def test_dates_in_every_unambiguous_form(written: Any, read: date) -> None:
    assert one(date=[written]).first_date == read


def test_offsets_and_layouts_are_said() -> None:
    zoned = one(date=["2024-02-29T23:30:00-05:00", "2024-02-29"]).report.notices
    assert "1 date came with an offset from UTC" in zoned[-1]
    layout = one(date=["1/2/2024", "1/31/2024"]).report.notices
    assert "month/day/year (such as '1/31/2024')" in layout[-1]
    aware = one(date=[pd.Timestamp("2024-02-29 23:30", tz="UTC")]).report.notices
    assert "1 date came with an offset" in aware[-1]
    assert len(one(date=["2024-02-29 10:00:00"]).report.notices) == 1  # the columns only


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12.5", "12.5"),
        (" 12.5 ", "12.5"),
        (12.5, "12.5"),
        (3, "3"),
        (Decimal("0.0001"), "0.0001"),
        ("1e3", "1000"),
        (0.1 + 0.2, "0.3"),  # a float's digits beyond the fourth are no money
        ("99999999999999.9999", "99999999999999.9999"),
    ],
)
def test_amounts_are_exact_decimals(written: Any, read: str) -> None:
    assert one(amount=[written]).report.amount_read == Decimal(read)


def test_sums_are_exact() -> None:
    # Added up as floats, one after the other, a thousand times 0.1 is 99.9999999999986.
    assert one(amount=[0.1] * 1_000).report.amount_kept == 100


def test_quantity_times_unit_price_is_rounded_to_four_decimals() -> None:
    frame = pd.DataFrame(
        {
            "customer": ["a", "b", "c"],
            "date": ["2024-01-01"] * 3,
            "qty": [3, -2, 0.5],
            "price": [0.001, 2.5, 0.0001],
        }
    )
    orders = read_orders(frame)
    assert days(orders) == [
        ("a", date(2024, 1, 1), 1, Decimal("0.0030")),
        ("c", date(2024, 1, 1), 1, Decimal("0.0001")),  # 0.00005 rounds away from 0
    ]
    assert orders.report.set_aside[0].amount == -5


def test_an_amount_of_zero_is_a_purchase_but_no_spend() -> None:
    when = ["2024-01-01", "2024-01-02", "2024-01-03"]
    found = histories(one(date=when, amount=[5, 0, 7])).to_pandas().loc["a"]
    assert (found["frequency"], found["spend_frequency"], found["monetary_value"]) == (2, 1, 7)


def test_refunds_are_neither_purchases_nor_spend() -> None:
    when = ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"]
    orders = one(date=when, amount=[5, 8, -8, -3], returns="ignore")
    found = histories(orders, end="2024-01-31").to_pandas().loc["a"]
    assert (found["frequency"], found["recency"], found["monetary_value"]) == (1, 1, 8)
    (aside,) = orders.report.set_aside
    assert (aside.reason, aside.rows, aside.amount) == ("negative amount", 2, Decimal(-11))
    assert aside.examples == ("row 2: 'a', '2024-01-02', '-8'", "row 3: 'a', '2024-01-03', '-3'")


def test_without_amounts_there_is_no_spend() -> None:
    frame = pd.DataFrame({"customer": ["a", "a"], "date": ["2024-01-01", "2024-01-02"]})
    found = histories(read_orders(frame))
    assert found.spend is None
    assert found.report.amount_read is None
    assert found.report.to_dict()["amount_kept"] is None
    assert found.to_pandas()["monetary_value"].isna().all()


def test_repeated_rows_are_kept_counted_and_said() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "a", "b", "", ""],
            "date": ["2024-01-01"] * 7,
            "amount": [5, 5, 5, 5, 5, 5, 5],
            "item": ["x", "x", "x", "y", "x", "x", "x"],  # only whole rows are repeated
        }
    )
    report = read_orders(frame).report
    assert report.duplicate_rows == 2  # the second and third of a's; those of nobody are not kept
    assert report.rows_kept == 5
    assert report.amount_kept == 25
    assert "2 rows" in report.notices[-1]
    assert 'duplicates = "drop"' in report.notices[-1]


def test_rows_repeated_after_the_end_are_not_counted() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "b", "b"],
            "date": ["2024-01-01"] * 2 + ["2024-01-09"] * 3,
            "amount": [5] * 5,
        }
    )
    orders = read_orders(frame)
    assert orders.report.duplicate_rows == 3
    for end, many in (("2024-01-09", 3), ("2024-01-08", 1)):
        report = histories(orders, end=end).report
        assert report.duplicate_rows == many
        (told,) = [n for n in report.notices if n.startswith("Kept")]
        days = "2024-01-01 to 2024-01-09" if many == 3 else "2024-01-01"
        assert f"{counted(many, 'row')}, of {days}." in told
    report = histories(read_orders(frame[1:]), end="2024-01-08").report
    assert report.duplicate_rows == 0
    assert not [n for n in report.notices if n.startswith("Kept")]


@pytest.mark.parametrize(
    ("column", "currency"), [("Betrag (EUR)", "EUR"), ("total £", "GBP"), ("amount", None)]
)
def test_a_currency_in_the_name_of_the_amount_is_reported(
    column: str, currency: str | None
) -> None:
    frame = pd.DataFrame({"customer_id": ["a"], "date": ["2024-01-15"], column: [9.5]})
    assert read_orders(frame).report.currency == currency


def test_one_currency_is_reported() -> None:
    assert one(currency=["GBP", None, " gbp "]).report.currency == "GBP"


def test_a_report_is_json() -> None:
    orders = one(amount=[1, -2], returns="ignore")
    report = histories(orders, end="2024-01-01").report.to_dict()
    assert json.loads(json.dumps(report)) == report
    example = "row 1: 'a', '2024-01-01', '-2'"
    assert report["set_aside"] == [
        {"reason": "negative amount", "rows": 1, "amount": -2.0, "examples": [example], "parts": 0}
    ]


def test_every_form_of_a_file_gives_the_same_orders(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["007", "a;b", "7", 'say "so"'],
            "date": ["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"],
            "amount": [1.25, 2.0, 3.5, 0.0],
        }
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "b.csv", index=False, sep=";", encoding="utf-8-sig")
    frame.to_csv(tmp_path / "c.tsv", index=False, sep="\t", lineterminator="\r\n")
    frame.to_csv(tmp_path / "d.csv.gz", index=False)
    frame.to_parquet(tmp_path / "e.parquet")
    wanted = days(read_orders(frame))
    for path in sorted(tmp_path.iterdir()):
        assert days(read_orders(path)) == wanted, path.name
        assert days(read_orders(str(path))) == wanted, path.name


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_pattern_reads_files_in_order_and_hashes_them_all(tmp_path: Path, kind: str) -> None:
    for name, who in (("b", "2"), ("a", "1")):
        frame = pd.DataFrame({"customer_id": [who], "date": ["2024-01-01"], "amount": [1]})
        path = tmp_path / f"{name}.{kind}"
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    orders = read_orders(tmp_path / f"*.{kind}")
    assert [row[0] for row in days(orders)] == ["1", "2"]
    content = (tmp_path / f"a.{kind}").read_bytes() + (tmp_path / f"b.{kind}").read_bytes()
    assert orders.sha256 == hashlib.sha256(content).hexdigest()


def test_the_hash_of_a_frame_is_that_of_its_orders_as_text() -> None:
    orders = read_orders(
        pd.DataFrame({"who": ["é", None], "date": ["2024-01-01"] * 2, "amount": [1, 2]}),
        customer_id="who",
    )
    text = "é\t2024-01-01\t1.0000\n\t2024-01-01\t2.0000\n"
    assert orders.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_frame_is_not_changed_and_its_index_does_not_matter() -> None:
    frame = pd.DataFrame(
        {"customer_id": ["a", "b"], "date": pd.to_datetime(["2024-01-01", "2024-01-02"])},
        index=[7, 7],
    )
    before = frame.copy()
    assert len(days(read_orders(frame))) == 2
    pd.testing.assert_frame_equal(frame, before)


def test_a_compressed_file_with_faults_counts_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(b"customer_id,date\n1,2024-01-01\n2,never\n"))
    with pytest.raises(Exception, match="line 3: 'never'"):
        read_orders(path)


def test_blank_lines_of_a_spreadsheet_are_no_orders(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("customer_id,date,amount\na,2024-01-01,5\n,,\n\n")
    report = read_orders(path).report
    assert report.set_aside == (
        SetAside("no customer id", 1, Decimal(0), ("line 3: blank, blank, blank",)),
    )


def test_an_end_is_a_date_a_time_or_text() -> None:
    orders = one(date=["2024-01-01"])
    day = date(2024, 3, 1)
    for end in ("2024-03-01", day, datetime(2024, 3, 1, 12), pd.Timestamp("2024-03-01")):
        found = histories(orders, end=end)
        assert found.end == day
        assert found.to_pandas()["T"].tolist() == [60]  # 2024 is a leap year: 31 + 29


def test_one_customer_and_no_repeats_are_no_error_here() -> None:
    found = histories(one(date=["2024-01-01"]))
    assert (found.customers, found.repeat_customers) == (1, 0)
    assert found.spend is not None
    assert found.spend.customers == 0
