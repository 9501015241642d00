"""`clv check`: the keys that callers may rely on, and what people read."""

from __future__ import annotations

from pathlib import Path

import clv
from tests.cli.command import CDNOW, clv_command, done

TOPICS = [
    "set_aside", "duplicates", "customer_ids", "returns", "calendar", "left_truncation",
    "cohorts", "spend", "repeat_purchases", "span", "regularity", "daily_buyers", "independence",
]  # fmt: skip


def test_json_has_the_keys_that_are_promised() -> None:
    answer = done("check", *CDNOW, "--format", "json").json
    assert answer["rows_read"] == answer["rows_kept"] + sum(a["rows"] for a in answer["set_aside"])
    (late,) = answer["set_aside"]
    assert late.keys() >= {"reason", "rows", "amount", "examples"}
    assert len(late["examples"]) == 3
    assert {"amount_read", "amount_kept", "customers", "end", "verdict"} <= answer.keys()
    assert list(answer["findings"]) == TOPICS
    assert all({"verdict", "sentence", "advice"} <= f.keys() for f in answer["findings"].values())
    found = clv.check_orders(clv.datasets.path("cdnow"), end="1997-09-30", unit="week")
    assert answer["findings"]["span"] == found["span"].to_dict()


def test_text_says_what_json_says() -> None:
    answer = done("check", *CDNOW, "--format", "json").json
    out = " ".join(done("check", *CDNOW).out.split())
    for finding in answer["findings"].values():
        assert " ".join(finding["sentence"].split()) in out
        assert " ".join(finding["advice"].split()) in out
    for example in answer["set_aside"][0]["examples"]:
        assert example in out


def test_the_schema_it_writes_reads_the_same_orders(here: Path) -> None:
    done("check", *CDNOW, "--write-schema", "orders.toml")
    schema = clv.read_orders(clv.datasets.path("cdnow"), schema="orders.toml").schema
    assert schema == clv.read_orders(clv.datasets.path("cdnow")).schema
    written = Path("orders.toml").read_bytes()
    again = clv_command("check", *CDNOW, "--write-schema", "orders.toml")
    assert again.status == 1
    assert "orders.toml is there already" in again.err
    assert Path("orders.toml").read_bytes() == written
