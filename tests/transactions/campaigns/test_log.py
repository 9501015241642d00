from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.errors import CampaignsError
from clv.transactions.campaigns import CampaignLog, read_campaigns


def table(**columns: Any) -> pd.DataFrame:
    """A log of two treated customers and two that were not, but for what is said."""
    return pd.DataFrame(
        {"customer_id": list("abcd"), "date": "2024-02-01", "arm": ["x", "x", "none", "none"]}
        | columns
    )


def asides(log: CampaignLog) -> dict[str, int]:
    return {aside.reason: aside.rows for aside in log.report.set_aside}


def test_every_row_is_kept_or_set_aside_with_its_reason() -> None:
    rows = [
        ("a", "x"), ("b", "none"), (None, "x"), ("c", None), ("a", "x"), ("d", "x"), ("d", "none"),
    ]  # fmt: skip
    log = read_campaigns(
        pd.DataFrame(rows, columns=["customer_id", "arm"]).assign(date="2024-02-01")
    )
    assert asides(log) == {
        "no customer id": 1,
        "no arm": 1,
        "a customer in more than one arm of a campaign": 2,
        "the same as an earlier row": 1,
    }
    assert log.frame["customer_id"].tolist() == ["a", "b"]
    assert log.report.rows_kept + sum(asides(log).values()) == log.report.rows_read == 7


def test_a_customer_may_be_in_several_campaigns() -> None:
    twice = pd.concat([table(), table(date="2024-03-01", arm=["none", "none", "x", "x"])])
    log = read_campaigns(twice)
    assert log.campaigns == ("2024-02-01", "2024-03-01")
    assert asides(log) == {}


def test_campaigns_without_a_counterpart_are_set_aside() -> None:
    log = read_campaigns(pd.concat([table(campaign="one"), table(campaign="two", arm="x")]))
    assert log.campaigns == ("one",)
    assert asides(log) == {"a campaign in which everybody was treated": 4}


def test_all_treated_or_none_is_refused_in_words() -> None:
    with pytest.raises(CampaignsError, match="nobody is known to have got nothing"):
        read_campaigns(table(arm=["x", "x", "y", "y"]))
    with pytest.raises(CampaignsError, match="No row says which arm"):
        read_campaigns(table(arm=None))
    with pytest.raises(CampaignsError, match=r"No campaign .* has customers of both kinds"):
        read_campaigns(table(arm="holdout"))


@pytest.mark.parametrize("name", ["control", "Holdout", "Control group", "none", "HOLD-OUT"])
def test_the_control_arm_is_recognised(name: str) -> None:
    log = read_campaigns(table(arm=["x", "x", name, name]))
    assert log.frame["control"].tolist() == [False, False, True, True]


def test_two_spellings_of_the_control_arm_are_one() -> None:
    log = read_campaigns(table(arm=["x", "x", "None ", "none"]))
    assert log.frame["arm"].nunique() == 2


def test_the_control_arm_can_be_named() -> None:
    assert read_campaigns(table(), control="x").frame["control"].tolist() == [
        True,
        True,
        False,
        False,
    ]
    with pytest.raises(CampaignsError, match="no arm 'z'"):
        read_campaigns(table(), control="z")
    with pytest.raises(CampaignsError, match="More than one arm may be the control"):
        read_campaigns(table(arm=["x", "control", "none", "none"]))


def test_spend_that_is_not_said_is_not_nothing_but_in_the_control_arm() -> None:
    log = read_campaigns(table(spend=[5.0, None, None, 0.5]))
    np.testing.assert_array_equal(log.frame["spend"], [5.0, np.nan, 0.0, 0.5])
    assert any("not known for 1 of 2 treated rows" in notice for notice in log.report.notices)


def test_spend_beyond_sense_is_told() -> None:
    rows = {
        "customer_id": list("abcde"),
        "date": ["2024-01-01"] * 5,
        "arm": ["control", *["letter"] * 4],
    }
    odd = read_campaigns(pd.DataFrame({**rows, "spend": [0.0, 2.0, 2.0, 2.0, 2e9]}))
    assert any("was spent in 1 row (2e+09 on 'e')" in notice for notice in odd.report.notices)
    assert odd.frame["spend"].max() == 2e9  # told, not changed
    even = read_campaigns(pd.DataFrame({**rows, "spend": [0.0, 2.0, 2.0, 2.0, 200.0]}))
    assert not any("More than 100 times" in notice for notice in even.report.notices)


def test_values_that_cannot_be_are_refused_all_at_once() -> None:
    with pytest.raises(CampaignsError) as told:
        read_campaigns(
            table(spend=["5", "lots", "-1", "0"], assignment_probability=["0.5", "0.5", "0", "1.5"])
        )
    said = str(told.value)
    assert "No readable spend in 1 of 4 rows, column 'spend' (row 1: 'lots')" in said
    assert "A spend that is not 0 or more in 1 of 4 rows, column 'spend' (row 2: '-1')" in said
    assert "assignment_probability that is not above 0 and at most 1 in 2 of 4 rows" in said


def test_offsets_from_utc_count_for_the_day_in_utc() -> None:
    log = read_campaigns(table(date=["2024-02-01T23:30:00-05:00"] * 2 + ["2024-02-02"] * 2))
    assert log.campaigns == ("2024-02-02",)
    assert any("2 times came with an offset from UTC" in n for n in log.report.notices)


def test_dates_are_read_as_those_of_orders_are() -> None:
    log = read_campaigns(table(date=["31.01.2024"] * 4))
    assert log.campaigns == ("2024-01-31",)
    with pytest.raises(CampaignsError, match="No readable date in 1 of 4 rows"):
        read_campaigns(table(date=["2024-02-01", "soon", "2024-02-01", "2024-02-01"]))
    with pytest.raises(CampaignsError, match="can be read as"):
        read_campaigns(table(date=["01/02/2024"] * 4))


def test_columns_that_are_missing_or_ambiguous_are_named() -> None:
    with pytest.raises(CampaignsError) as told:
        read_campaigns(pd.DataFrame({"id": [1], "group": ["x"], "cell": ["y"]}))
    for part in (
        "customer_id (who was in the campaign)",
        "date (from which day",
        "arm could be any",
    ):
        assert part in str(told.value)


def test_files_are_read_as_frames_are(tmp_path: Path) -> None:
    frame = table(spend=[1.0, 2.0, 0.0, 0.0], assignment_probability=0.5)
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_parquet(tmp_path / "log.parquet")
    expected = read_campaigns(frame).frame
    for name in ("log.csv", "log.parquet"):
        pd.testing.assert_frame_equal(read_campaigns(tmp_path / name).frame, expected)
    with pytest.raises(CampaignsError, match="no file"):
        read_campaigns(tmp_path / "gone.csv")
    (tmp_path / "empty.csv").write_text("customer_id,date,arm\n")
    with pytest.raises(CampaignsError, match="no rows"):
        read_campaigns(tmp_path / "empty.csv")
