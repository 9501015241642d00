"""What a row is worth: exact, whatever the size of its parts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from clv.transactions.orders import read_orders
from tests.laws import few

QUANTITIES = st.integers(0, 10**7)
PRICES = st.decimals(0, 10**6, places=4)


@few(10)
@given(st.lists(st.tuples(QUANTITIES, PRICES), min_size=1, max_size=20))
def test_quantity_times_price_is_exact(lines: list[tuple[int, Decimal]]) -> None:
    """To four decimals; DuckDB's own product of such numbers ends at 10^10."""
    frame = pd.DataFrame(
        {
            "customer_id": "007",
            "date": "2024-01-31",
            "quantity": [str(quantity) for quantity, _ in lines],
            "unit_price": [str(price) for _, price in lines],
        }
    )
    exact = sum(
        (quantity * price).quantize(Decimal("0.0001"), ROUND_HALF_UP) for quantity, price in lines
    )
    assert read_orders(frame).report.amount_kept == exact
