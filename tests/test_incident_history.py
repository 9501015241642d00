"""Histories with incidents that cannot be are refused, all faults at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clv.errors import HistoryError
from clv.history import Histories
from clv.incident_history import IncidentHistories

PLAIN = Histories.from_arrays([2, 0, 0], [30.43, 0, 0], [38.86, 38.86, 20.0], unit="week")
GOOD: dict[str, Any] = {
    "frequency": [2, 0],
    "recency": [30.43, 0],
    "T": [38.86, 10.0],
    "incident_customer": [0, 0, 1],
    "time": [3.0, 30.43, 0.0],
    "contact": [True, False, True],
    "kind": [0, 1, 0],
    "kinds": ["defective", "late_delivery"],
    "severity": [4, np.nan, 1],
    "earlier_purchases": [0, 2, 0],
    "earlier_incident": [0, 0.04, 0],
    "goodwill_ratio": [0.5, np.nan, 0],
    "hours": [np.nan, 3, 0],
    "resolved": [1, 0, np.nan],
    "assignment_probability": [0.1, 1, np.nan],
    "step": [1, 0, np.nan],
    "expected_goodwill": [0.3, np.nan, np.nan],
}


def made(**other: Any) -> IncidentHistories:
    return IncidentHistories.from_arrays(PLAIN, **(GOOD | other))


def test_good_ones_are_counted_and_keep_unit_and_end() -> None:
    both = made()
    assert (both.customers, both.incidents, both.unit, both.end) == (5, 3, "week", None)
    assert repr(both) == "<IncidentHistories: 5 customers, 2 of them with 3 incidents; in weeks>"


def test_an_unknown_severity_is_the_lightest() -> None:
    assert made().severity.tolist() == [4, 1, 1]
    assert made(severity=None).severity.tolist() == [1, 1, 1]


def test_what_is_not_known_is_not_zero() -> None:
    names = (
        *("goodwill_ratio", "hours", "resolved", "assignment_probability", "step"),
        "expected_goodwill",
    )
    both = made(**dict.fromkeys(names))
    for name in names:
        assert np.isnan(getattr(both, name)).all(), name


def test_without_incidents_everybody_is_there() -> None:
    everyone = made().without_incidents()
    assert everyone.customers == 5
    assert float(everyone.frequency @ everyone.weight) == 4
    assert float(everyone.T @ everyone.weight) == pytest.approx(38.86 * 3 + 30)


def test_nobody_needs_an_incident() -> None:
    nothing: dict[str, Any] = {name: [] for name in GOOD if name != "kinds"}
    both = IncidentHistories.from_arrays(PLAIN, **nothing, kinds=[])
    assert (both.customers, both.incidents) == (3, 0)
    assert both.without_incidents().customers == 3


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"time": [3.0, 30.43]}, "one value for each of 3 incidents; time has shape (2,)"),
        ({"T": [38.86]}, "one value for each of 2 customers; T has shape (1,)"),
        ({"kinds": ["late", "late"]}, "types of incident must differ"),
        ({"recency": [40.0, 0]}, "recency > T"),
        ({"customer_id": ["a", "a"]}, "customer_id repeats"),
        ({"incident_customer": [0, 0, 0], "time": [3.0, 30.43, 31.0]}, "have no incident"),
        ({"incident_customer": [0, 0, 2]}, "a customer that is not there"),
        ({"incident_customer": [0, 1, 0]}, "sort by customer, then time"),
        ({"time": [30.43, 3.0, 0.0]}, "a time before that of the customer's incident above"),
        ({"time": [3.0, 30.43, 10.1]}, "a time that is not from 0"),
        ({"time": [np.nan, 30.43, 0.0]}, "a time that is not from 0"),
        ({"kind": [0, 2, 0]}, "not among the kinds"),
        ({"severity": [0, 1, 5]}, "2 of 3 incidents have a severity outside 1 to 4"),
        ({"earlier_purchases": [0.5, -1, 0]}, "2 of 3 incidents have earlier purchases"),
        ({"earlier_incident": [0, 1.5, 0]}, "an earlier incident outside 0 to 1"),
        ({"goodwill_ratio": [-0.1, np.inf, 0]}, "2 of 3 incidents have a negative or infinite"),
        ({"hours": [-1, 0, 0]}, "negative or infinite hours"),
        ({"resolved": [0.5, 0, 0]}, "`resolved` other than 0, 1 or nan"),
        ({"assignment_probability": [0, 1.1, 1]}, "2 of 3 incidents have an assignment"),
        ({"step": [0.5, 1, np.nan]}, "1 of 3 incidents have a step other than 0, 1 or nan"),
        ({"expected_goodwill": [-1, np.inf, 0]}, "2 of 3 incidents have a negative or infinite"),
    ],
)
def test_what_cannot_be_is_refused(broken: dict[str, Any], says: str) -> None:
    with pytest.raises(HistoryError) as refused:
        made(**broken)
    assert says in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(HistoryError) as refused:
        made(recency=[40.0, 0], severity=[9, 9, 9], hours=[-1, -1, -1])
    said = str(refused.value)
    assert "recency > T" in said
    assert "severity" in said
    assert "hours" in said
    assert "2 more faults" in said
