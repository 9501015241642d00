"""Spark and DuckDB give the same: every column of every answer, on one session of Spark."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clv
from clv.errors import OrdersError
from clv.transactions.engines import Engine
from clv.transactions.layouts import LAYOUTS
from clv.transactions.sources import open_source
from clv.transactions.split import holdout, tracking
from clv.transactions.values import UTC, Clock, customer, day, folded, number, zoned
from clv.transactions.written_numbers import currency_written, number_written
from clv.value.lifetime_value import score
from clv.value.terms import Terms

CUT, END = "1997-09-30", "1998-06-30"


@pytest.fixture(scope="module")
def both(spark: Engine) -> list[clv.transactions.orders.Orders]:
    """CDNOW, read by DuckDB and by Spark."""
    path = clv.datasets.path("cdnow")
    return [clv.read_orders(path, engine=engine) for engine in (None, spark)]


def identical(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_orders_are_read_alike(both: Any) -> None:
    duck, spark = both
    assert duck.report == spark.report
    assert duck.sha256 == spark.sha256
    assert (duck.first_date, duck.last_date) == (spark.first_date, spark.last_date)
    keys = ["customer_id", "date"]
    one, other = (o.opened.collect(o.days.order_by(keys).select(*keys, "amount")) for o in both)
    assert one.to_pylist() == other.to_pylist()  # amounts are decimals: equal to the cent


def test_histories_and_patterns_are_identical(both: Any) -> None:
    one, other = (clv.histories(orders, end=CUT, unit="week") for orders in both)
    identical(one.to_pandas(), other.to_pandas())
    for name in ("frequency", "recency", "T", "weight"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    for name in ("frequency", "mean_value", "weight"):
        assert np.array_equal(getattr(one.spend, name), getattr(other.spend, name))
    gaps = [h.with_log_gaps().log_gaps for h in (one, other)]
    assert gaps[0] == gaps[1]


def test_a_split_is_identical(both: Any) -> None:
    one, other = (holdout(o, calibration_end=CUT, end=END, unit="week") for o in both)
    identical(one.to_pandas(), other.to_pandas().loc[one.to_pandas().index])
    assert one.transactions == other.transactions
    assert all(map(np.array_equal, one.outcomes(), other.outcomes()))


def test_tracking_is_identical(both: Any) -> None:
    one, other = (tracking(orders, joined_by=CUT) for orders in both)
    for name in ("dates", "new_customers", "repeat_transactions"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_scores_are_equal_and_written_alike(both: Any, tmp_path: Path) -> None:
    fitted = clv.histories(both[0], end=CUT, unit="week")
    purchases, spend = clv.BGNBD.fit(fitted).model, clv.GammaGamma.fit(fitted).model
    tables = []
    for orders in both:
        h = clv.histories(orders, end=CUT, unit="week")
        scores = score(h, purchases, spend, Terms(0.4, 0.1, 36))
        engine = orders.opened.engine
        path = tmp_path / f"{engine.name}.parquet"
        engine.write_parquet(scores.order_by("customer_id"), path, row_group_size=2048)
        file = pq.ParquetFile(path)
        assert file.metadata.num_row_groups == 2
        tables.append(file.read())
        parts = tmp_path / f"{engine.name}-parts"
        clv.write_lifetime_values(
            parts, h, purchases, spend, margin=0.4, discount_rate=0.1, horizon_months=36
        )
        cohorts = sorted(p.name for p in parts.glob("cohort=*"))
        assert cohorts == ["cohort=1997-01", "cohort=1997-02", "cohort=1997-03"]
        values = pq.read_table(parts).to_pandas().set_index("customer_id").sort_index()
        wanted = clv.lifetime_value(
            h, purchases, spend, margin=0.4, discount_rate=0.1, horizon_months=36
        )
        pd.testing.assert_frame_equal(values[wanted.columns], wanted, rtol=1e-12)
        assert [p.name for p in tmp_path.glob(".*")] == []
    duck, spark = tables
    assert duck.column_names == spark.column_names
    for name in duck.column_names:
        one, other = duck[name].to_pandas(), spark[name].to_pandas()
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=0)
        else:
            assert one.equals(other), name


TIMES = [
    "2024-01-31", "2024-1-5", "2024/01/31", "  2024-01-31  ", "2024-01-31 10:00",
    "2024-01-31T10:00", "2024-01-31 10:00:00.123456", "2024-01-31T10:00:00Z",
    "2024-01-31T10:00:00.000Z", "2024-01-31 23:30:00+02:00", "2024-01-31 23:30:00-0500",
    "2024-01-31 10:00:00 Europe/Berlin", "2024-01-31 10:00 UTC", "2024-01-31T10:00:00z",
    "2024-01-31 10:00:00 +02:00", "2024-01-31 10:00 -0500", "2024-01-31 10:00:00.123 +0530",
    "2024-01-31 10:00:00 UTC+01:00", "2024-01-31 10:00:00 Z",
    "2024-01-31 23:30:00 EST", "2024-01-31 23:30 CET", "2024-01-31 23:30:00 nonsense",
    "2024-01-31 23:30:00 EST5EDT", "2024-01-31 23:30:00 GMT+1", "2024", "2024-01", "20240131",
    "2024-01-31 10:00 PM", "2024-01-31T10", "2024-01-31 25:00", "2024-02-30", "2024-01-31x",
    "-2024-01-31", "+2024-01-31", "0999-01-01", "99999-01-01", "epoch", "now", "today",
    "infinity", "31.01.2024", "31.01.24", "01/31/2024", "3/4/2024",
    "01/31/24", "31/1/24", "31-Jan-24", "31-01-2024", "2024.01.31",
    "31 Jan 2024", "31-Jan-2024", "31 January 2024", "Jan 31, 2024", "January 31, 2024",
    "MAY 5, 2024", "45292", "45292.75", "", None,
]  # fmt: skip
NUMBERS = [
    "1", "1_000", "1.5", " 1.5 ", "+5", "-2.00005", "2.00005", "1e3", "1e-5", "1.", ".5", "1,5",
    "1.234,50",
    "1,234.50", "1 234,50", "1'234.50", "(5)", "5-", "--5", "$5", "€ 5,00", "5 EUR", "US$ 7.20",
    "abc", "nan", "inf", "Infinity", "0x10", "1d", "1L", "100000000000000", "99999999999999.99994",
    "99999999999999.99996", "", None,
]  # fmt: skip
SQL = "x'; DROP TABLE orders; --"
IDS = ["a", " a ", "\ta\n", "NULL", "nan", "\\N", "", "007", "é ", SQL, None]


def alike(engines: tuple[Engine, Engine], rows: pa.Table, make: Any) -> list[dict[str, Any]]:
    """What both engines find in a table; the first's."""
    found: list[list[dict[str, Any]]] = []
    for engine in engines:
        table = engine.from_arrow(rows)
        found.append(engine.collect(table.select("text", **make(table, engine))).to_pylist())
    for one, other in zip(*found, strict=True):
        assert one == other
    return found[0]


def texts(values: list[str | None]) -> pa.Table:
    return pa.table({"text": pa.array(values, pa.string())})


def test_dates_that_are_text_are_read_alike(duck: Engine, spark: Engine) -> None:
    clocks = (UTC, Clock("America/New_York", "Europe/Berlin"), Clock(None, "Asia/Tokyo"))

    def read(table: Any, engine: Engine) -> dict[str, Any]:
        found = {f"zone_{i}": day(table["text"], engine, None, c) for i, c in enumerate(clocks)}
        found |= {
            f"layout_{i}": day(table["text"], engine, one.strptime) for i, one in enumerate(LAYOUTS)
        }
        return found | {"zoned": zoned(table["text"])}

    found = alike((duck, spark), texts(TIMES), read)
    # 10:00 on 31 January in Berlin is 4:00 in New York; 0:30 in Tokyo the day before in UTC.
    assert found[0]["zone_0"] == date(2024, 1, 31)
    assert sum(row["zone_0"] is not None for row in found) == 18  # of TIMES, the first 18
    words = [row for row in found if row["text"] in {"epoch", "now", "today", "infinity"}]
    assert {value for row in words for key, value in row.items() if key != "text"} == {None, False}


def test_numbers_that_are_text_are_read_alike(duck: Engine, spark: Engine) -> None:
    found = alike(
        (duck, spark),
        texts(NUMBERS),
        lambda table, _: {
            "plain": number(table["text"]),
            "point": number_written(table["text"], "."),
            "comma": number_written(table["text"], ","),
            "currency": currency_written(table["text"]),
        },
    )
    assert sum(row["plain"] is not None for row in found) > 8


def test_letters_are_folded_alike(duck: Engine, spark: Engine) -> None:
    """Small and large letters that are no pair: dotted I, sharp S, the sigma that ends a word."""
    letters: list[str | None] = [
        "I",
        "İ",
        "ı",
        "ß",
        "ẞ",
        "ΑΣ",
        "ας",
        "ασ",
        "Σ",
        "ﬁ",
        "FI",
        "ǅ",
        "Ä",
        "a\u0308",
    ]
    found = alike((duck, spark), texts(letters), lambda t, _: {"small": folded(t["text"])})
    assert [row["small"] for row in found[5:8]] == ["ασ"] * 3


def test_ids_are_read_alike(duck: Engine, spark: Engine) -> None:
    found = alike((duck, spark), texts(IDS), lambda table, _: {"id": customer(table["text"])})
    assert [row["id"] for row in found if row["id"]] == [
        "a", "a", "a", "007", "é", SQL
    ]  # fmt: skip
    floats = pa.array([17850.0, 1.5, None, float("nan"), -3.0])
    rows = pa.table({"text": list("abcde"), "written": floats})
    found = alike((duck, spark), rows, lambda table, _: {"id": customer(table["written"])})
    assert [row["id"] for row in found] == ["17850", "1.5", None, None, "-3"]


def test_dates_that_have_a_type_are_read_alike(duck: Engine, spark: Engine) -> None:
    late = datetime(2024, 1, 31, 23, 30)
    rows = pa.table(
        {
            "text": ["a", "b"],
            "wall": pa.array([late, None], pa.timestamp("us")),
            "instant": pa.array([late, None], pa.timestamp("us", "UTC")),
            "day": pa.array([late.date(), None]),
        }
    )
    tokyo = Clock("Asia/Tokyo")
    found = alike(
        (duck, spark),
        rows,
        lambda table, engine: {
            **{name: day(table[name], engine, None, tokyo) for name in rows.column_names[1:]},
            **{f"{name}_zoned": zoned(table[name]) for name in rows.column_names[1:]},
        },
    )
    assert found[0]["instant"] == date(2024, 2, 1)  # half past eight in the morning, there
    assert found[0]["wall"] == date(2024, 1, 31)
    assert (found[0]["instant_zoned"], found[0]["wall_zoned"]) == (True, False)


def test_files_are_read_alike(duck: Engine, spark: Engine, tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text(
        '\ufeffcustomer_id;date;note\n007;2024-01-31;"two\nlines; one ""quoted"""\n\n;;\n8;x;""\n',
        encoding="utf-8",
    )
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(b"customer_id,date\n1,2024-01-31\n2,y\n"))
    part = tmp_path / "orders" / "region=01"
    part.mkdir(parents=True)
    table = pa.table({"customer_id": ["007"], "at": pa.array([datetime(2024, 1, 31)])})
    pq.write_table(table, part / "p.parquet")
    for path in (tmp_path / "a[1].csv", packed, tmp_path / "orders", part / "p.parquet"):
        found = [open_source(path, engine=engine) for engine in (duck, spark)]
        one, other = (source.collect(source.table).to_pylist() for source in found)
        assert one == other, path
        assert found[0].table.columns == found[1].table.columns
        if "date" in found[0].table.columns:
            places = []
            for source in found:
                bad = source.table.mutate(bad=source.table["date"].isin(["x", "y"]))
                places.append(
                    [(row.where, row.values) for row in source.first_rows(bad, "bad", ["date"])]
                )
            assert places[0] == places[1] != []


def test_a_row_with_too_many_values_is_refused(spark: Engine, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("customer_id,date,amount\n1,2024-01-01,5\n2,2024-01-01,1,234.50\n")
    with pytest.raises(OrdersError, match="cannot be read: Malformed CSV record: 2,"):
        clv.read_orders(path, engine=spark)


def test_a_book_built_on_spark_is_that_of_duckdb(both: Any, tmp_path: Path) -> None:
    books = [
        clv.build_book(orders, tmp_path / orders.opened.engine.name, end=CUT, unit="week")
        for orders in both
    ]
    assert [book.manifest["engine"] for book in books] == ["duckdb", "spark"]
    assert "pyspark" in books[1].manifest["versions"]
    one, other = (book.manifest["totals"] for book in books)
    assert one == pytest.approx(other, rel=1e-9)
    top = [book.values(top=50) for book in books]
    assert top[0]["customer_id"].tolist() == top[1]["customer_id"].tolist()
