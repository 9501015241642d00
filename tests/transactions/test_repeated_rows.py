"""Rows that are there twice: kept and told, or dropped where the schema says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from clv.quality.check import check_orders
from clv.quality.report import FINE, LOOK
from clv.transactions.orders import Orders, read_orders
from clv.transactions.report import REPEATED
from clv.transactions.summary import histories

SOLD = ("c", "2024-01-01", "o0", "x", "5.00")


def days_of(orders: Orders, end: str) -> list[tuple[object, ...]]:
    found = histories(orders, end=end)
    rows = found.opened.collect(found.days.order_by("customer_id", "date"))
    return [tuple(row.values()) for row in rows.to_pylist()]


def test_dropped_rows_leave_what_a_log_without_them_has() -> None:
    """Sales, returns and rows of nobody, drawn from so few kinds that many are there twice."""
    rng = np.random.default_rng(1)
    kinds: dict[str, list[str]] = {
        "customer_id": ["a", "b", ""],
        "date": ["2024-01-01", "2024-01-02", "2024-01-09"],
        "order_id": ["o1", "o2", ""],
        "item": ["x", ""],
        "amount": ["5.00", "7.50", "-5.00"],
    }
    drawn = pd.DataFrame(
        {name: rng.choice(np.array(values), 120) for name, values in kinds.items()}
    )
    frame = pd.concat([pd.DataFrame([SOLD], columns=[*kinds]), drawn])
    once = frame.drop_duplicates()
    dropped, alone = read_orders(frame, schema={"duplicates": "drop"}), read_orders(once)
    for end in ("2024-01-01", "2024-01-09"):
        assert days_of(dropped, end) == days_of(alone, end)
    report, other = dropped.report, alone.report
    assert (report.rows_read, report.rows_kept) == (len(frame), other.rows_kept)
    assert report.amount_kept == other.amount_kept
    assert report.returns == other.returns
    assert report.duplicate_rows == 0
    # Who is nobody is no customer first, also if that is said twice.
    repeated = frame[frame.duplicated() & (frame["customer_id"] != "")]
    aside = {one.reason: one for one in report.set_aside}
    assert aside[REPEATED].rows == len(repeated) > 5
    assert aside[REPEATED].amount == repeated["amount"].astype(float).sum()
    assert report.rows_kept + sum(one.rows for one in report.set_aside) == len(frame)


def test_what_two_files_have_both_is_dropped_once(tmp_path: Path) -> None:
    for name, days in (("june", (1, 2, 3)), ("july", (2, 3, 4))):
        rows = "".join(f"a,2024-06-0{day},5.00\n" for day in days)
        (tmp_path / f"{name}.csv").write_text(f"customer_id,date,amount\n{rows}")
    orders = read_orders(str(tmp_path / "*.csv"), schema={"duplicates": "drop"})
    assert (orders.report.rows_read, orders.report.rows_kept) == (6, 4)
    assert histories(orders).to_pandas().loc["a", "frequency"] == 3
    assert 'duplicates = "drop"' in orders.schema_toml()


def test_a_double_export_is_not_taken_for_totals_on_every_line() -> None:
    sold = pd.DataFrame(
        [(f"c{i % 7}", f"2024-01-{1 + i % 28:02}", f"o{i}", 10.0 + i) for i in range(40)],
        columns=["customer_id", "date", "order_id", "amount"],
    )
    orders = read_orders(pd.concat([sold, sold]))
    told = " ".join(orders.report.notices)
    assert "40 rows, of 2024-01-01 to 2024-01-28" in told
    assert "total of the order" not in told
    found = check_orders(orders)
    assert (found["order_ids"].verdict, found["duplicates"].verdict) == (FINE, LOOK)
    assert 'duplicates = "drop"' in found["duplicates"].advice
