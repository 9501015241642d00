"""Exports of Zendesk tickets are recognised and read as incidents.

The columns are those of the account's CSV export of tickets, with a custom list field.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv.errors import IncidentsError
from clv.transactions.incidents import read_incidents

TICKETS = {
    "Summation column": ["1", "1", "1", "1"],
    "Id": ["501", "502", "503", "504"],
    "Requester": ["Ann", "Ben", "Cy", "Di"],
    "Requester id": ["91", "92", "93", "94"],
    "Requester external id": [None, None, None, None],
    "Requester email": ["ann@example.org", "ben@example.org", "cy@example.org", None],
    "Subject": ["Where is it?", "Broken", "Hello", "Late"],
    "Tags": ["web delivery_delay vip", "broken late", "vip", "late"],
    "Status": ["Closed", "Open", "Solved", "Pending"],
    "Priority": ["Urgent", None, "Low", "Normal"],
    "Ticket type": ["Incident", "Problem", "Question", "Incident"],
    "Created at": ["2024-03-01 09:00", "2024-03-02 10:00", "2024-03-03 11:00", "2024-03-03 12:00"],
    "Solved at": ["2024-03-01 21:00", None, "2024-03-03 12:00", None],
    "First reply time in minutes": ["90", None, "5", "7"],
    "First reply time in minutes within business hours": ["60", None, "5", "7"],
    "Order ID [txt]": ["o1", "o2", None, "o4"],
}


def tickets(*without: str, **other: list[str | None]) -> pd.DataFrame:
    table = {name: values for name, values in TICKETS.items() if name not in without}
    return pd.DataFrame(table | other)


def test_a_ticket_is_an_incident() -> None:
    log = read_incidents(tickets())
    assert log.columns.zendesk
    assert log.frame["customer_id"].tolist() == ["ann@example.org", "ben@example.org"]
    assert log.frame["type"].tolist() == ["late_delivery", "defective"]
    assert log.frame["severity"].tolist()[0] == 4
    assert np.isnan(log.frame["severity"].tolist()[1])
    assert log.frame["response_hours"].tolist()[0] == 1.5
    assert np.isnan(log.frame["response_hours"].tolist()[1])
    assert log.frame["resolved"].tolist() == [1, 0]
    assert log.frame["order_id"].tolist() == ["o1", "o2"]
    assert set(log.frame["detected_by"]) == {"customer"}


def test_what_was_done_is_told() -> None:
    report = read_incidents(tickets()).report
    said = "\n".join(report.notices)
    assert "Read as an export of Zendesk tickets: type from 'Tags'" in said
    assert "hours until the first reply from 'First reply time in minutes'" in said
    assert "customer_id 'Requester email'" in said
    assert "1 ticket had tags of more than one type; the first was taken" in said
    assert "'vip' (1)" in said
    assert {s.reason: s.rows for s in report.set_aside} == {
        "no customer id": 1,
        "no tag that names a type": 1,
    }


def test_the_company_s_own_id_comes_first() -> None:
    table = tickets(**{"Requester external id": ["007", "011", None, "012"]})
    assert read_incidents(table).frame["customer_id"].tolist() == ["007", "011", "012"]


def test_hours_to_the_solution_where_no_reply_is_timed() -> None:
    table = tickets(
        "First reply time in minutes", "First reply time in minutes within business hours"
    )
    hours = read_incidents(table).frame["response_hours"].tolist()
    assert hours[0] == 12
    assert np.isnan(hours[1])


def test_tags_name_the_types_of_the_policy() -> None:
    log = read_incidents(tickets(), kinds=["vip", "late_delivery"])
    assert log.frame["type"].tolist() == ["late_delivery", "late_delivery", "vip"]


def test_a_custom_field_tells_the_type() -> None:
    table = tickets(**{"Ticket Category [list]": ["Outage", "outage", None, "outage"]})
    log = read_incidents(table, kinds=["outage"])
    assert log.frame["type"].tolist() == ["outage", "outage"]


def test_columns_of_the_programming_interface_are_the_same_export() -> None:
    table = pd.DataFrame(
        {
            "id": ["1"],
            "requester_id": ["91"],
            "created_at": ["2024-03-01T09:00:00Z"],
            "type": ["incident"],
            "priority": ["high"],
            "status": ["solved"],
            "tags": ["defective"],
        }
    )
    log = read_incidents(table)
    assert log.frame["type"].tolist() == ["defective"]
    assert log.frame["severity"].tolist() == [3]


def test_tickets_whose_tags_say_nothing_are_refused() -> None:
    with pytest.raises(IncidentsError, match=r"(?s)3 rows: no tag that names a type.*'zzz' \(4\)"):
        read_incidents(tickets(Tags=["zzz", "zzz", "zzz", "zzz"]))
