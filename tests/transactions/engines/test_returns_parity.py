"""Returns are matched and netted alike on Spark and on DuckDB."""

from __future__ import annotations

from datetime import date
from typing import Any

import clv
from clv.transactions.engines import Engine
from clv.transactions.orders import Orders
from clv.transactions.split import holdout

CUT = date(2011, 9, 30)


def rows(orders: Orders, table: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orders.opened.collect(table).to_pylist()
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


def test_returns_are_matched_and_netted_alike(spark: Engine) -> None:
    path = clv.datasets.path("online_retail")
    both = [clv.read_orders(path, engine=engine) for engine in (None, spark)]
    duck, other = both
    assert duck.report == other.report
    assert duck.returns is not None
    assert other.returns is not None
    assert rows(duck, duck.returns.table) == rows(other, other.returns.table)
    for end in (CUT, duck.last_date):
        one, two = (rows(orders, orders.days_by(end)) for orders in both)
        assert one == two
    one_split, two_split = (holdout(orders, calibration_end=CUT) for orders in both)
    assert one_split.returned_later == two_split.returned_later
    assert one_split.calibration.report == two_split.calibration.report
    assert len(duck.incidents()) == len(other.incidents())
