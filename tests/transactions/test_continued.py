"""Histories continued by later orders are, to the last bit, those of all orders at once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clv.errors import OrdersError
from clv.history import Unit
from clv.transactions.continued import (
    MOST,
    Known,
    continued,
    no_orders,
    too_early,
)
from clv.transactions.engines import DuckDBEngine
from clv.transactions.orders import Orders, read_orders
from clv.transactions.schema import Schema
from clv.transactions.summary import CustomerHistories, histories
from tests.laws import few
from tests.reference.summary import Line

BEGIN, END = date(2023, 12, 1), date(2024, 3, 31)
LINES = st.builds(
    lambda who, day, hour, cents: Line(
        who, datetime(day.year, day.month, day.day, hour), Decimal(cents).scaleb(-2)
    ),
    st.sampled_from(["7", "007", "a b", "Zoë", "late", None]),
    st.dates(BEGIN, END),
    st.integers(0, 23),
    st.one_of(st.just(0), st.integers(0, 50_000)),  # free orders among them
)
CUTS = st.lists(st.dates(BEGIN + timedelta(days=20), END), min_size=1, max_size=3, unique=True)
FEW = few(5)


def read(lines: list[Line]) -> Orders:
    frame = pd.DataFrame(
        {
            "customer_id": pd.array([line.customer for line in lines], dtype="string"),
            "date": [line.time.isoformat(sep=" ") for line in lines],
            "amount": [str(line.amount) for line in lines],
        }
    )
    return read_orders(frame)


def bought(lines: list[Line]) -> bool:
    return any(line.customer for line in lines)


def told(found: CustomerHistories) -> pa.Table:
    """All that is known of each customer."""
    return found.opened.collect(found.table.order_by("customer_id"))


def in_another(engine: DuckDBEngine, found: CustomerHistories) -> Known:
    """What a book would keep of histories, in another engine."""
    assert found.gaps is not None
    names = ("customer_id", "first_date", "frequency", "recency")
    kept = found.table.select(*names, "monetary_value", "spend_frequency")
    return Known.of(
        engine.from_arrow(found.opened.collect(kept)),
        engine,
        end=found.end,
        unit=found.unit,
        gaps=engine.from_arrow(found.opened.collect(found.gaps)),
    )


def same(left: CustomerHistories, right: CustomerHistories) -> None:
    """Equal to the last bit: fits of equal histories must be equal."""
    ours, theirs = told(left), told(right)
    assert ours.schema == theirs.schema
    assert ours.to_pylist() == theirs.to_pylist()
    for name in ("frequency", "recency", "T", "weight"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert left.spend is not None
    assert right.spend is not None
    for name in ("frequency", "mean_value", "weight"):
        np.testing.assert_array_equal(getattr(left.spend, name), getattr(right.spend, name))
    assert (left.end, left.unit) == (right.end, right.unit)
    assert left.with_log_gaps().log_gaps == right.with_log_gaps().log_gaps


@FEW
@given(st.lists(LINES, min_size=1, max_size=80), CUTS, st.sampled_from(["day", "week"]))
@example(  # somebody new, somebody silent, a free order after paid ones, and no order at all
    [
        Line("a", datetime(2024, 1, 1), Decimal(10)),
        Line("a", datetime(2024, 1, 9), Decimal(7)),
        Line("b", datetime(2024, 1, 2), Decimal(0)),
        Line("a", datetime(2024, 2, 2, 9), Decimal(0)),
        Line("c", datetime(2024, 2, 2, 9), Decimal("3.33")),
        Line("c", datetime(2024, 2, 2, 18), Decimal("3.33")),
    ],
    [date(2024, 1, 20), date(2024, 2, 10), date(2024, 3, 1)],
    "week",
)
def test_orders_in_parts_are_the_orders_at_once(
    lines: list[Line], cuts: list[date], unit: Unit
) -> None:
    ends = [*sorted(cuts), END + timedelta(days=9)]
    begins = [date.min, *ends[:-1]]
    parts = [
        [line for line in lines if begin < line.time.date() <= end]
        for begin, end in zip(begins, ends, strict=True)
    ]
    while parts and not bought(parts[0]):  # there is no book of nothing
        del parts[0], ends[0]
    if not parts:
        return
    found = histories(read(parts[0]), end=ends[0], unit=unit)
    for before, part, end in zip(ends, parts[1:], ends[1:], strict=False):
        later = read(part) if bought(part) else no_orders(Schema(amount="amount"), before)
        engine = later.opened.engine
        assert isinstance(engine, DuckDBEngine)
        assert too_early(later, before) == ""
        found = continued(in_another(engine, found), later, end=end, unit=unit)
    kept = [line for part in parts for line in part]
    same(found, histories(read(kept), end=ends[-1], unit=unit))


def test_a_mean_tells_the_total_that_it_was_made_of() -> None:
    """Amounts have four decimals; the largest total, the smallest, and a million of all sizes."""
    rng = np.random.default_rng(1)
    size = 1_000_000
    tenths = np.floor(10 ** rng.uniform(0, np.log10(MOST * 1e4), size)).astype(np.int64)
    tenths[:2] = 1, int(MOST * 1e4) - 1
    days = rng.integers(1, 5_000, size)
    totals = pa.array(tenths).cast(pa.decimal128(38, 0))
    exact = pa.array([Decimal(int(t)).scaleb(-4) for t in tenths[:1000]], pa.decimal128(38, 4))
    engine = DuckDBEngine()
    table = engine.from_arrow(
        pa.table(
            {
                "customer_id": pa.array(np.arange(size)).cast(pa.string()),
                "first_date": pa.array([date(2024, 1, 1)] * size),
                "frequency": days,
                "recency": days / 7,
                "units": totals,
                "spend_frequency": days,
            }
        )
    )
    # The mean as histories have it: an exact total, made a float, and divided.
    total = (table["units"].cast("decimal(38, 4)") / 10_000).cast("decimal(38, 4)")
    table = engine.materialise(table.mutate(total=total))
    mean = table["total"].cast("float64") / table["spend_frequency"]
    known = Known.of(table.mutate(monetary_value=mean), engine, end=date(2024, 2, 1), unit="week")
    found = engine.collect(known.table.order_by(known.table["customer_id"].cast("int64")))
    assert found["total"].slice(0, 1000).combine_chunks().equals(exact)
    back = found["total"].to_numpy(zero_copy_only=False)
    assert [int(total.scaleb(4)) for total in back] == tenths.tolist()
    np.testing.assert_array_equal(found["recency_days"].to_numpy(), days)


def test_a_total_beyond_that_is_refused() -> None:
    lines = [Line("a", datetime(2024, 1, day), Decimal(10) ** 10) for day in (1, 2)]
    found = histories(read(lines), end="2024-01-31")
    with pytest.raises(OrdersError, match=r"1 customer spent 10,000,000,000 or more"):
        in_another(DuckDBEngine(), found)


def test_orders_of_the_time_before_are_named() -> None:
    lines = [Line("a", datetime(2024, 1, day), Decimal(1)) for day in (9, 1, 2, 3, 4)]
    said = too_early(read([*lines, Line(None, datetime(2024, 1, 1), Decimal(1))]), date(2024, 1, 3))
    assert "3 rows of 'the data frame' are dated 2024-01-03 or before" in said
    assert "row 1: 'a', '2024-01-01 00:00:00'; row 2:" in said


def test_strangers_and_silence_are_told() -> None:
    before = histories(read([Line("007", datetime(2024, 1, 1), Decimal(1))]), end="2024-01-31")
    later = read([Line("7", datetime(2024, 2, 1), Decimal(1))])
    engine = later.opened.engine
    assert isinstance(engine, DuckDBEngine)
    found = continued(in_another(engine, before), later, end=date(2024, 3, 1), unit="day")
    strangers, silence = found.report.notices[-2:]
    assert "None of the 1 customer of the newer orders was known before" in strangers
    # 1 February to 1 March of a leap year
    assert "no order in the 29 days before the end of observation, 2024-03-01" in silence
