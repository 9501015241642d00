"""Published data: the CDNOW sample and the Online Retail invoices."""

from __future__ import annotations

import warnings
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from clv import datasets
from clv.transactions.orders import Orders, read_orders
from clv.transactions.report import SUBTRACTED, UNMATCHED
from clv.transactions.split import holdout, tracking
from clv.transactions.summary import CustomerHistories, histories


@pytest.fixture(scope="module")
def orders() -> Orders:
    return read_orders(datasets.path("cdnow"))


@pytest.fixture(scope="module")
def calibration(orders: Orders) -> CustomerHistories:
    return histories(orders, end="1997-09-30", unit="week")


def test_the_published_counts(orders: Orders, calibration: CustomerHistories) -> None:
    # Fader, Hardie & Lee (2005): 2,357 customers, 39 weeks; the sample has 6,919 orders
    # and 2,457 repeat transactions in calibration. Fader & Hardie (2013): 946 repeat buyers.
    assert orders.report.rows_read == orders.report.rows_kept == 6_919
    assert calibration.customers == 2_357
    assert float(calibration.frequency @ calibration.weight) == 2_457
    assert calibration.repeat_customers == 946
    assert calibration.spend is not None
    assert calibration.spend.customers == 946
    assert calibration.end == date(1997, 9, 30)
    assert not calibration.end_assumed


def test_customer_ids_keep_their_zeros(calibration: CustomerHistories) -> None:
    # First data row of cdnow_sample.csv.
    assert calibration.to_pandas().index[0] == "0001"


def test_an_order_of_zero_makes_a_customer(calibration: CustomerHistories) -> None:
    # Eight first orders of the sample have amount 0; without them there would be 2,349 customers.
    sample = pd.read_csv(datasets.path("cdnow"), dtype={"customer_id": str})
    days = sample.groupby(["customer_id", "date"])["amount"].sum()
    first = days.groupby("customer_id").first()
    free = first.index[first == 0]
    assert len(free) == 8
    assert free.isin(calibration.to_pandas().index).all()


def test_every_column_agrees_with_lifetimes(calibration: CustomerHistories) -> None:
    with warnings.catch_warnings():  # written for pandas before 1.0
        warnings.simplefilter("ignore")
        from lifetimes.utils import summary_data_from_transaction_data

        theirs = summary_data_from_transaction_data(
            pd.read_csv(datasets.path("cdnow"), dtype={"customer_id": str}),
            "customer_id",
            "date",
            monetary_value_col="amount",
            observation_period_end="1997-09-30",
        )
    ours = calibration.to_pandas()
    assert list(ours.index) == list(theirs.index)
    np.testing.assert_array_equal(ours["frequency"], theirs["frequency"])
    # A witness works in days; a week is exactly seven of them.
    np.testing.assert_array_equal(ours["recency"], theirs["recency"] / 7)
    np.testing.assert_array_equal(ours["T"], theirs["T"] / 7)
    # No repeat day of the sample has a total of 0, where lifetimes would count it.
    np.testing.assert_allclose(ours["monetary_value"].fillna(0), theirs["monetary_value"], 1e-12)


def test_two_runs_are_equal_to_the_bit(calibration: CustomerHistories) -> None:
    again = histories(read_orders(datasets.path("cdnow")), end="1997-09-30", unit="week")
    for name in ("frequency", "recency", "T", "weight"):
        assert getattr(again, name).tobytes() == getattr(calibration, name).tobytes()
    assert again.spend is not None
    assert calibration.spend is not None
    assert again.spend.mean_value.tobytes() == calibration.spend.mean_value.tobytes()
    assert again.report == calibration.report


def test_the_holdout_has_the_published_transactions(orders: Orders) -> None:
    # Fader, Hardie & Lee (2005): 39 weeks of holdout; 1,882 transactions in it.
    split = holdout(orders, calibration_end="1997-09-30", unit="week")
    table = split.to_pandas()
    assert split.duration == 39
    assert len(table) == 2_357
    assert table["holdout_frequency"].sum() == 1_882
    assert (table["holdout_frequency"] == 0).any()
    track = tracking(orders, joined_by="1997-09-30")
    by = dict(zip(track.dates.tolist(), track.repeat_transactions.tolist(), strict=True))
    assert by[date(1997, 9, 30)] == 2_457
    assert by[date(1998, 6, 30)] == 2_457 + 1_882


def test_the_hash_is_that_of_the_file(orders: Orders) -> None:
    source = datasets.path("cdnow").with_name("SOURCE.md").read_text()  # written by sha256sum
    assert orders.sha256 in source


def test_without_an_end_the_last_date_is_taken_and_said(orders: Orders) -> None:
    found = histories(orders)
    assert found.end == date(1998, 6, 30)  # last date of the sample
    assert found.end_assumed
    assert "1998-06-30" in found.report.notices[-1]
    assert "alive" in found.report.notices[-1]


def test_orders_after_the_end_are_set_aside(calibration: CustomerHistories) -> None:
    (late,) = calibration.report.set_aside
    sample = pd.read_csv(datasets.path("cdnow"))
    after = sample[sample["date"] > "1997-09-30"]
    assert late.rows == len(after)
    assert float(late.amount or 0) == pytest.approx(after["amount"].sum(), rel=1e-12)
    assert calibration.report.rows_kept + late.rows == 6_919


def test_online_retail_accounts_for_every_pound() -> None:
    # UCI data set 352: net 9,747,747.93 pounds, cancellations and guests included.
    orders = read_orders(datasets.path("online_retail"))
    report = orders.report
    aside = {s.reason: s for s in report.set_aside}
    assert set(aside) == {"no customer id", SUBTRACTED, UNMATCHED}
    assert report.rows_read == report.rows_kept + sum(s.rows for s in aside.values())
    assert report.amount_read is not None
    assert report.amount_kept is not None
    assert round(report.amount_read, 2) == Decimal("9747747.93")
    total = sum((s.amount or Decimal(0) for s in aside.values()), start=report.amount_kept)
    assert total == report.amount_read
    # 3,654 cancelled invoices name a customer (datasets/online_retail/SOURCE.md).
    assert aside[SUBTRACTED].rows + aside[UNMATCHED].rows == 3_654
    found = histories(orders)
    assert found.customers == found.table.count().to_pyarrow().as_py()
    assert found.report.notices  # the end was assumed
