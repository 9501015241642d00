"""What incidents cost, held against a shop whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clv.book import Book
from clv.errors import RequestError
from clv.incidents import CausesReport, IncidentLearning, incident_causes
from clv.incidents.purchases import purchases_around
from clv.incidents.record import incident_record, learned_policy
from clv.simulated_shop import GROUP_FAILURE, TRUTH
from tests.incidents.conftest import RETURNS, SHOP_LOG


def test_every_incident_has_one_cause(report: CausesReport, learning: IncidentLearning) -> None:
    assert sum(cause.incidents for cause in report.causes) == report.total.incidents
    assert report.total.incidents == learning.fit.incidents
    assert {cause.name for cause in report.causes} == {
        "(not known)", GROUP_FAILURE, *(p.cause for p in TRUTH.problems.values() if p.cause)
    }  # fmt: skip


def test_as_many_come_back_as_was_to_be_expected(report: CausesReport) -> None:
    """The model is the shop's: all incidents within the 80 % interval, no cause 3 such away."""
    assert report.total.as_expected
    for cause in report.causes:
        reach = (cause.returned_high - cause.returned_low) / 2
        assert abs(cause.returned - cause.returned_expected) < 3 * reach


def test_what_was_lost_is_what_was_to_be_lost(report: CausesReport) -> None:
    for cause in (*report.causes, report.total):
        assert cause.lost == pytest.approx(cause.lost_expected, rel=0.15)
        assert cause.lost_low < cause.lost_expected < cause.lost_high
    assert report.total.at_risk > report.total.lost  # a fix keeps some


def test_purchases_around_an_incident_by_hand(learning: IncidentLearning) -> None:
    """Against a search through the days of 300 incidents."""
    h = learning.histories
    last, following = purchases_around(h)
    days = h.everyone.days.to_pyarrow().to_pandas()
    days["customer_id"] = days["customer_id"].astype(str)
    days = days.assign(date=pd.to_datetime(days["date"])).sort_values("date")
    by_customer = {who: list(theirs["date"]) for who, theirs in days.groupby("customer_id")}
    for j in np.random.default_rng(1).choice(h.incidents, 300, replace=False):
        bought = by_customer[h.customer_id[h.incident_customer[j]]]
        since = [(day - bought[0]).days for day in bought]
        before = [t for t in since if t <= h.time[j]]
        after = [t for t in since if h.time[j] < t <= h.T[h.incident_customer[j]]]
        assert last[j] == before[-1]
        assert len(before) - 1 == h.earlier_purchases[j]
        assert following[j] == (after[0] if after else np.inf)


def test_nothing_that_came_later_is_known_at_an_incident(
    shop: Book, learning: IncidentLearning
) -> None:
    """A contact proves the customer there; seen by operations, not everybody is."""
    h = learning.histories
    record = incident_record(shop, learning, learned_policy(shop, learning))
    assert (record.there[h.contact] == 1).all()
    assert 0.5 < record.there[~h.contact].mean() < 1
    assert ((record.left >= 0) & (record.left <= 1)).all()
    assert not record.left[h.frequency[h.incident_customer] > h.earlier_purchases].any()
    np.testing.assert_array_equal(record.returned, np.isfinite(purchases_around(h)[1]))


def test_the_silent_are_silent_and_ranked(report: CausesReport) -> None:
    h = report.learning.histories
    log = pd.read_parquet(SHOP_LOG)
    log = log[log["occurred_at"] < "2023-05-01"]
    stakes = [one.at_stake for one in report.silent]
    assert stakes == sorted(stakes, reverse=True)
    assert stakes[-1] > 0
    place = {who: i for i, who in enumerate(h.customer_id)}
    for one in report.silent[:50]:
        theirs = log[log["customer_id"] == one.customer_id].sort_values("occurred_at")
        assert theirs["detected_by"].iloc[-1] == "ops"
        assert str(theirs["occurred_at"].iloc[-1].date()) == one.since
        i = place[one.customer_id]
        of = h.incident_customer == i
        assert h.recency[i] <= h.time[of].max()
        assert one.p_alive < one.p_alive_without <= 1
        assert one.at_stake == pytest.approx(
            one.value_if_alive * (one.p_alive_without - one.p_alive)
        )


def test_a_cause_needs_its_column(retail: Book) -> None:
    with pytest.raises(RequestError, match="no column problem_id"):
        incident_causes(retail, RETURNS, by="problem_id")
    with pytest.raises(RequestError, match="told apart by"):
        incident_causes(retail, RETURNS, by="colour")  # type: ignore[arg-type]


def test_causes_by_product(shop: Book) -> None:
    log = pd.read_parquet(SHOP_LOG)
    log["SKU"] = log["type"].map({"defective": "kettle"})
    found = incident_causes(shop, log, by="product")
    kettle = {cause.name: cause for cause in found.causes}["kettle"]
    by_type = {c.name: c for c in incident_causes(shop, log).causes}["defective"]
    assert kettle == replace(by_type, name="kettle")


def test_the_report_is_json_and_names_what_it_assumes(report: CausesReport) -> None:
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["assumed"]
    assert "problems.defective.dropout" not in told["assumed"]  # learned from this very log
    assert len(told["silent"]) == len(report.silent)
