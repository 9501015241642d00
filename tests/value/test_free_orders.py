"""Free orders are purchases without spend: values must not count them as paid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import clv


def shop(free: float) -> pd.DataFrame:
    """Orders over two years, a share of them free, drawn from BG/NBD in days."""
    rng = np.random.default_rng(5)
    rows = []
    for customer in range(1500):
        rate, leaves = rng.gamma(0.8, 1 / 40), rng.beta(1, 4)
        scale = 24 / rng.gamma(4)
        day = int(rng.integers(0, 300))
        rows.append((f"c{customer}", day, 20.0))
        while True:
            day += max(1, int(np.ceil(rng.exponential(1 / rate))))
            if day > 730:
                break
            amount = 0.0 if rng.random() < free else float(np.round(rng.gamma(4) * scale + 0.01, 2))
            rows.append((f"c{customer}", day, amount))
            if rng.random() < leaves:
                break
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    frame["date"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame


@pytest.mark.parametrize("free", [0.0, 0.5])
def test_forecast_revenue_is_what_comes(free: float, tmp_path: Path) -> None:
    orders = shop(free)
    end = pd.Timestamp("2024-06-30")
    book = clv.build_book(orders, tmp_path / "book", end=end.date())
    until = pd.Timestamp("2024-12-31")
    later = orders[(orders["date"] > end) & (orders["date"] <= until)]
    known = orders[orders["date"] <= end]["customer_id"].unique()
    came = later[later["customer_id"].isin(known)]["amount"].sum()
    expected = sum(month.revenue for month in book.forecast(6))
    # some 800 orders in the half year: their sum varies by a few percent
    assert expected == pytest.approx(float(came), rel=0.15)
    share = book.manifest["paid_share"]
    assert share == pytest.approx(1 - free, abs=0.03)


def test_where_all_is_paid_nothing_changes() -> None:
    h = clv.histories(clv.read_orders(clv.datasets.path("cdnow")), end="1997-09-30", unit="week")
    purchases, spend = clv.BGNBD.fit(h).model, clv.GammaGamma.fit(h).model
    values = clv.lifetime_value(h, purchases, spend, margin=0.4, discount_rate=0.1)
    told = spend.expected_spend(values["spend_frequency"], values["monetary_value"].fillna(0))
    assert np.allclose(values["expected_spend"], told, rtol=1e-12)
