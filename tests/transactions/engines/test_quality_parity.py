"""The check of orders, and a book of newer orders, are the same on Spark as on DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import clv
from clv.transactions.engines import Engine
from tests.bench.order_log import simulated_orders

CUT, END = "2023-06-30", "2023-12-31"  # the simulated orders run from 2022-01-01 to the end


def real_orders() -> pd.DataFrame:
    """Simulated orders with guests, returns, doubled lines, ids in two cases, and a gap."""
    rng = np.random.default_rng(5)
    lines = simulated_orders(5, 150).to_pandas()
    n = len(lines)
    who = "c" + lines["customer_id"].astype(str)
    who[rng.random(n) < 0.02] = who.str.upper()
    lines["customer_id"] = who.where(rng.random(n) > 0.04)
    lines["amount"] *= rng.choice([1, 1, 1, 1, 1, 1, 0, -1], n)
    lines["order_id"] = np.arange(n) // 2
    lines = pd.concat([lines, lines.iloc[50:55]])
    in_may = lines["date"].astype(str).str.startswith("2023-05").to_numpy()
    return pd.DataFrame(lines[~in_may])


def equal(one: Any, other: Any, place: str = "") -> None:
    """Equal in all parts; floats to 1 in 10^9."""
    assert type(one) is type(other), place
    if isinstance(one, dict):
        assert list(one) == list(other), place
        for key in one:
            equal(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), place
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            equal(a, b, f"{place}[{i}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12), place
    else:
        assert one == other, place


def test_the_check_finds_the_same(duck: Engine, spark: Engine, tmp_path: Path) -> None:
    real_orders().to_csv(tmp_path / "orders.csv", index=False)
    found = [
        clv.check_orders(clv.read_orders(tmp_path / "orders.csv", engine=engine), end=END).to_dict()
        for engine in (duck, spark)
    ]
    equal(found[0], found[1])
    topics = found[0]["findings"]
    assert topics["duplicates"]["rows"] > 0  # there was something to find
    assert topics["returns"]["rows"] > 0
    assert topics["customer_ids"]["groups"] > 0
    assert topics["calendar"]["gap_count"] > 0


def test_newer_orders_continue_a_book_alike(duck: Engine, spark: Engine, tmp_path: Path) -> None:
    lines = real_orders()
    newer = lines["date"].astype(str) > CUT
    for name, part in (("older", lines[~newer]), ("newer", lines[newer])):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    for engine in (duck, spark):
        book = tmp_path / engine.name
        clv.build_book(clv.read_orders(tmp_path / "older.csv", engine=engine), book, end=CUT)
        # The newer ones are read by the other engine: a book does not ask who made it.
        other = spark if engine is duck else duck
        orders = clv.read_orders(tmp_path / "newer.csv", engine=other)
        clv.build_book(orders, book, end=END, since=book)
    one, other_one = (pq.read_table(tmp_path / e.name / "values.parquet") for e in (duck, spark))
    assert one.column_names == other_one.column_names
    for name in one.column_names:
        a, b = one[name].to_pandas(), other_one[name].to_pandas()
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=0, err_msg=name)
        else:
            assert a.equals(b), name
