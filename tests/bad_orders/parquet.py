"""Broken orders in Parquet files."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bad_orders.orders import HEADER, ROWS, made


def orders_table(who: object = None, when: object = None, worth: object = None) -> pa.Table:
    days = [date.fromisoformat(day) for _, day, _ in ROWS]
    columns = [
        who if who is not None else pa.array([row[0] for row in ROWS]),
        when if when is not None else pa.array(days),
        worth if worth is not None else pa.array([float(row[2]) for row in ROWS]),
    ]
    return pa.table(dict(zip(HEADER, columns, strict=True)))


@made("cut-off.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table(), path)
    path.write_bytes(path.read_bytes()[:-20])


@made("damaged-inside.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table(), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[4:200] = bytes(196)
    path.write_bytes(bytes(content))


@made("parquet-named.csv")
def _(path: Path) -> None:
    pq.write_table(orders_table(), path)


@made("no-rows.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table().slice(0, 0), path)


@made("column-twice.parquet")
def _(path: Path) -> None:
    table = orders_table()
    pq.write_table(table.append_column("Amount", table["amount"]), path)


@made("nested.parquet")
def _(path: Path) -> None:
    lines = pa.array([[{"sku": "a", "pieces": 1}]] * len(ROWS))
    pq.write_table(orders_table().append_column("lines", lines), path)


@made("nested-ids.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table(who=pa.array([{"id": row[0]} for row in ROWS])), path)


@made("nested-amounts.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table(worth=pa.array([[float(row[2])] for row in ROWS])), path)


@made("dictionary.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table(who=pa.array([row[0] for row in ROWS]).dictionary_encode()), path)


@made("decimal256.parquet")
def _(path: Path) -> None:
    worth = pa.array([Decimal(row[2]) for row in ROWS], pa.decimal256(50, 4))
    pq.write_table(orders_table(worth=worth), path)


@made("decimal-of-38-digits.parquet")
def _(path: Path) -> None:
    worth = pa.array([Decimal(row[2]) for row in ROWS], pa.decimal128(38, 20))
    pq.write_table(orders_table(worth=worth), path)


@made("large-strings.parquet")
def _(path: Path) -> None:
    rows = zip(*ROWS, strict=True)
    pq.write_table(orders_table(*(pa.array(column, pa.large_string()) for column in rows)), path)


@made("nanoseconds-with-zone.parquet")
def _(path: Path) -> None:
    noon = [f"{day}T12:00:00.123456789" for _, day, _ in ROWS]
    when = pa.array(noon).cast(pa.timestamp("ns")).cast(pa.timestamp("ns", "America/New_York"))
    pq.write_table(orders_table(when=when), path)


@made("int96.parquet")
def _(path: Path) -> None:
    when = pa.array([row[1] for row in ROWS]).cast(pa.timestamp("ns"))
    pq.write_table(orders_table(when=when), path, use_deprecated_int96_timestamps=True)


@made("times-of-day-only.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table(when=pa.array([3600] * len(ROWS), pa.time32("s"))), path)


@made("whole-number-ids-with-a-gap.parquet")
def _(path: Path) -> None:
    ids = {"007": 17850.0, "011": 13047.0, "Zoë": None}
    pq.write_table(orders_table(who=pa.array([ids[row[0]] for row in ROWS])), path)


@made("amounts-nan-inf.parquet")
def _(path: Path) -> None:
    worth = [float(row[2]) for row in ROWS]
    worth[3:5] = [float("nan"), float("inf")]
    pq.write_table(orders_table(worth=pa.array(worth)), path)


@made("binary-ids.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table(who=pa.array([row[0].encode() for row in ROWS])), path)


@made("yes-or-no-amounts.parquet")
def _(path: Path) -> None:
    pq.write_table(orders_table(worth=pa.array([True] * len(ROWS))), path)


@made("durations-as-amounts.parquet")
def _(path: Path) -> None:
    worth = pa.array([int(float(row[2])) for row in ROWS]).cast(pa.duration("s"))
    pq.write_table(orders_table(worth=worth), path)


@made("other-types/a.parquet")
def _(path: Path) -> None:
    path.parent.mkdir()
    pq.write_table(orders_table().slice(0, 4), path)
    worth = pa.array([row[2] for row in ROWS])
    pq.write_table(orders_table(worth=worth).slice(4), path.with_name("b.parquet"))


@made("other-columns/a.parquet")
def _(path: Path) -> None:
    path.parent.mkdir()
    pq.write_table(orders_table().slice(0, 4), path)
    pq.write_table(orders_table().slice(4).drop_columns("amount"), path.with_name("b.parquet"))
