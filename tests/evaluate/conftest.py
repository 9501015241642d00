"""The CDNOW sample, read once."""

from __future__ import annotations

import pandas as pd
import pytest

from clv import datasets
from clv.transactions.orders import Orders, read_orders


@pytest.fixture(scope="session")
def cdnow() -> Orders:
    return read_orders(datasets.path("cdnow"))


@pytest.fixture(scope="session")
def cdnow_days() -> pd.DataFrame:
    """One row a customer and day, by pandas alone: `customer_id`, `date`."""
    log = datasets.load_cdnow()
    log["date"] = pd.to_datetime(log["date"])
    return log[["customer_id", "date"]].drop_duplicates()
