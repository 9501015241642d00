"""Incident logs: what is read, what is set aside and why, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.errors import IncidentsError
from clv.transactions.incidents import IncidentLog, read_incidents

LOG = """customer_id,occurred_at,type,order,severity,loss,goodwill,detected_by,resolved
007,2024-03-01 09:30,late delivery,o1,2,40.00,5,ops,yes
011,2024-03-02,defective,o2,high,25.50,,customer,no
,2024-03-02,defective,o3,,10,,,
012,2024-03-03,,o4,1,10,0,,
012,2024-03-03,parking,o4,1,10,0,,
007,2024-03-01 09:30,late_delivery,o1,2,40.00,5,ops,yes
"""
KINDS = ["late_delivery", "defective"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(LOG, encoding="utf-8")
    return path


def test_a_type_of_a_name_like_a_known_one_is_asked_about() -> None:
    said = frame(type=["defective", "late delivrey"])
    told = "Types that are not known: 'late delivrey' (1; did you mean 'late_delivery'?)."
    assert any(
        notice.startswith(told) for notice in read_incidents(said, kinds=KINDS).report.notices
    )


def frame(**columns: Any) -> pd.DataFrame:
    """Two good incidents with some columns changed or added."""
    good: dict[str, Any] = {
        "customer_id": ["007", "011"],
        "occurred_at": ["2024-03-01", "2024-03-02"],
        "type": ["defective", "late_delivery"],
    }
    return pd.DataFrame(good | columns)


def aside(log: IncidentLog) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {s.reason: (s.rows, s.examples) for s in log.report.set_aside}


def test_every_row_is_kept_or_set_aside_with_its_line(file: Path) -> None:
    log = read_incidents(file, kinds=KINDS)
    assert aside(log) == {
        "no customer id": (1, ("line 4",)),
        "no type": (1, ("line 5",)),
        "a type that is not known": (1, ("line 6: 'parking'",)),
        "the same customer, order, type and time as an earlier row": (1, ("line 7: '007'",)),
    }
    assert (log.report.rows_read, log.report.rows_kept, len(log)) == (6, 2, 2)
    assert log.frame.index.tolist() == [0, 1]
    told = "Types that are not known: 'parking' (1). Known types: defective, late_delivery."
    assert told in log.report.notices
    asides = log.report.to_dict()["set_aside"]
    assert sum(s["rows"] for s in asides) + log.report.rows_kept == log.report.rows_read


def test_values_are_what_the_log_says(file: Path) -> None:
    one, two = read_incidents(file, kinds=KINDS).frame.to_dict("records")
    assert one["customer_id"] == "007"
    assert one["occurred_at"] == pd.Timestamp("2024-03-01 09:30")
    assert (one["type"], one["order_id"], one["detected_by"]) == ("late_delivery", "o1", "ops")
    assert (one["severity"], one["loss_amount"], one["goodwill_amount"]) == (2, 40, 5)
    assert (one["resolved"], two["resolved"]) == (1, 0)
    assert two["severity"] == 3  # "high"
    assert np.isnan(two["goodwill_amount"])  # not known, which is not 0
    assert np.isnan(two["response_hours"])
    assert two["problem_id"] is None


def test_unknown_goodwill_is_counted_never_zero(file: Path) -> None:
    notices = read_incidents(file, kinds=KINDS).report.notices
    assert any(
        "Goodwill is not known for 1 of 2 incidents; it is not taken to be 0" in n for n in notices
    )


def test_who_detected_it_is_assumed_aloud() -> None:
    log = read_incidents(frame(detected_by=["ops", None]))
    assert log.frame["detected_by"].tolist() == ["ops", "customer"]
    assert any("Who detected it is not said for 1 of 2 incidents" in n for n in log.report.notices)
    assert not any(
        "Who detected" in n
        for n in read_incidents(frame(detected_by=["ops", "Social media"])).report.notices
    )


def test_files_of_a_pattern_are_one_log(tmp_path: Path, file: Path) -> None:
    whole = read_incidents(file, kinds=KINDS)
    head, *rows = LOG.splitlines(keepends=True)
    (tmp_path / "part1.csv").write_text(head + "".join(rows[:2]), encoding="utf-8")
    (tmp_path / "part2.csv").write_text(head + "".join(rows[2:]), encoding="utf-8")
    parts = read_incidents(str(tmp_path / "part*.csv"), kinds=KINDS)
    pd.testing.assert_frame_equal(parts.frame, whole.frame)
    assert aside(parts)["a type that is not known"] == (1, ("part2.csv line 4: 'parking'",))


def test_the_order_of_rows_does_not_matter() -> None:
    table = frame(loss_amount=[10, 20], goodwill_amount=[1, 2])
    there = read_incidents(table).frame.reset_index(drop=True)
    back = read_incidents(table.iloc[::-1]).frame.iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(there, back)


def test_offsets_from_utc_count_for_the_day_in_utc() -> None:
    log = read_incidents(frame(occurred_at=["2024-03-01T23:30:00-05:00", "2024-03-02T00:10:00Z"]))
    assert log.frame["occurred_at"].tolist() == [
        pd.Timestamp("2024-03-02 04:30"),
        pd.Timestamp("2024-03-02 00:10"),
    ]
    assert any("2 times came with an offset from UTC" in n for n in log.report.notices)


def test_dates_of_one_other_layout_are_read() -> None:
    log = read_incidents(frame(occurred_at=["28/02/2024", "01/03/2024"]))
    assert log.frame["occurred_at"].tolist() == [
        pd.Timestamp("2024-02-28"),
        pd.Timestamp("2024-03-01"),
    ]
    assert any("day/month/year" in n for n in log.report.notices)


def test_a_frame_with_types_reads_as_its_text() -> None:
    typed = frame(
        customer_id=[7, 11],
        occurred_at=pd.to_datetime(["2024-03-01 10:00", "2024-03-02 00:00"]),
        severity=[2, 3],
        resolved=[True, False],
        assignment_probability=[1 / 3, 1e-9],
        response_hours=[0.5, np.nan],
    )
    log = read_incidents(typed).frame
    assert log["customer_id"].tolist() == ["7", "11"]
    assert log["resolved"].tolist() == [1, 0]
    assert log["assignment_probability"].tolist() == [1 / 3, 1e-9]  # not rounded as money is
    assert log["response_hours"].isna().tolist() == [False, True]


def test_goodwill_beyond_sense_is_not_used() -> None:
    log = read_incidents(frame(loss_amount=[10, 10], goodwill_amount=[1000, 1000.01]))
    assert log.frame["goodwill_amount"].isna().tolist() == [False, True]
    assert any("1000.01 for a loss of 10" in n for n in log.report.notices)


def test_goodwill_far_beyond_the_loss_is_told_and_counts() -> None:
    log = read_incidents(frame(loss_amount=[10, 10], goodwill_amount=[100, 200]))
    assert log.frame["goodwill_amount"].tolist() == [100, 200]
    (told,) = (n for n in log.report.notices if n.startswith("Goodwill above"))
    assert told.startswith("Goodwill above 10 times the loss in 1 incident (200 for a loss of 10)")
    assert "counts as it stands" in told


def test_copies_that_say_something_else_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "customer_id,occurred_at,type,order_id,loss,goodwill,fault\n"
        "007,2024-03-01,defective,o1,40,5,us\n"
        "011,2024-03-01,defective,,40,5,us\n"
        "007,2024-03-01,defective,o1,40,5,us\n"
        "011,2024-03-01,defective,,40,20,\n"
    )
    log = read_incidents(path)
    same = "the same customer, order, type and time as an earlier row"
    assert aside(log) == {
        f"{same}, but other facts": (1, ("line 5: '011'",)),
        same: (1, ("line 4: '007'",)),
    }
    assert log.frame["goodwill_amount"].tolist() == [5, 5]  # the earlier rows
    (told,) = (n for n in log.report.notices if "other facts" in n)
    assert told.startswith(
        "1 row tells of the incident of an earlier row with other facts (line 5 against line 3: "
        "goodwill_amount 20, not 5, fault nothing, not 'us'). The earlier row was kept."
    )


def test_names_can_be_given() -> None:
    table = frame().rename(columns={"type": "Sort", "occurred_at": "When"})
    log = read_incidents(table, columns={"type": "Sort", "occurred_at": "When"})
    assert log.kinds == ("defective", "late_delivery")


TWO_TYPES = {"type": ["a", "b"], "Type ": ["a", "b"]}


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (
            {"occurred_at": ["2024-03-01", "soon"]},
            "No readable date in 1 of 2 rows, column 'occurred_at' (row 1: 'soon')",
        ),
        (
            {"occurred_at": ["01/02/2024", "03/04/2024"]},
            "can be read as month/day/year and as day/month/year",
        ),
        (
            {"severity": ["2", "0"]},
            "severity that is not from 1 to 4 in 1 of 2 rows, column 'severity' (row 1: '0')",
        ),
        ({"severity": ["2", "bad"]}, "No readable severity in 1 of 2 rows"),
        ({"goodwill": ["-5", "1,50"]}, "1 of 2 rows, column 'goodwill' (row 1: '1,50')"),
        ({"goodwill": ["-5", "1"]}, "goodwill_amount that is not 0 or more in 1 of 2 rows"),
        ({"loss_amount": ["-5", "1"]}, "loss_amount that is not 0 or more"),
        ({"loss_amount": ["inf", "1"]}, "No readable loss_amount"),
        ({"response_hours": ["-1", "1"]}, "response_hours that is not 0 or more"),
        (
            {"assignment_probability": ["0", "1.2"]},
            "An assignment_probability that is not above 0 and at most 1 in 2 of 2 rows",
        ),
        ({"resolved": ["maybe", "yes"]}, "No readable resolved in 1 of 2 rows"),
        (
            {"detected_by": ["robot", "ops"]},
            "Neither customer, ops nor social in 1 of 2 rows, column 'detected_by' (row 0",
        ),
        ({"type": [None, " "]}, "is an incident to learn from: 2 rows: no type"),
        (TWO_TYPES, "The type could be any of 'type' and 'Type '"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(columns: dict[str, Any], says: str) -> None:
    with pytest.raises(IncidentsError) as refused:
        read_incidents(frame(**columns))
    assert says in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(IncidentsError) as refused:
        read_incidents(frame(occurred_at=["soon", "later"], severity=[9, 9], loss_amount=[-1, 2]))
    said = str(refused.value)
    assert "No readable date" in said
    assert "severity" in said
    assert "loss_amount" in said
    assert "2 more faults" in said


def test_only_unknown_types_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(IncidentsError, match=r"'late_delivery' \(1\).*Known types: outage"):
        read_incidents(frame(), kinds=["outage"])


@pytest.mark.parametrize(
    ("names", "columns", "says"),
    [
        (["customer_id", "type"], None, "No column is recognised as the occurred_at"),
        (["a", "b"], None, "2 more faults"),
        (["customer_id", "occurred_at", "type"], {"kind": "type"}, "no role 'kind' in columns="),
        (["customer_id", "occurred_at", "type"], {"type": "typ"}, "no column 'typ' (given as type"),
        (["customer_id", "occurred_at", "type"], {"type": "customer_id"}, "taken twice"),
    ],
)  # fmt: skip
def test_columns_that_are_missing_are_named(
    names: list[str], columns: dict[str, str] | None, says: str
) -> None:
    with pytest.raises(IncidentsError) as refused:
        read_incidents(pd.DataFrame({name: ["x"] for name in names}), columns=columns)
    assert says in str(refused.value)


def test_a_file_that_is_none_speaks_of_incidents(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(IncidentsError, match="save the incidents as CSV"):
        read_incidents(path)
    with pytest.raises(IncidentsError, match="has a header but no rows"):
        read_incidents(frame().iloc[:0])
