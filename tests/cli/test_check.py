"""`clv check`: the keys that callers may rely on, and what people read."""

from __future__ import annotations

from pathlib import Path

import clv
from tests.cli.command import CDNOW, clv_command, done

RETAIL = clv.datasets.path("online_retail")

TOPICS = [
    "set_aside", "duplicates", "customer_ids", "returns", "calendar", "left_truncation",
    "cohorts", "spend", "placeholder", "repeat_purchases", "span", "regularity", "daily_buyers",
    "independence",
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


def test_the_schema_it_writes_keeps_that_there_is_no_such_column(here: Path) -> None:
    Path("shop.csv").write_text(
        "customer_id,date,amount,status\n007,2024-01-01,5,bespoke\n011,2024-01-02,7,paid\n"
    )
    done("check", "shop.csv", "--column", "kind=none", "--write-schema", "shop.toml")
    assert 'kind = "none"' in Path("shop.toml").read_text()
    done("check", "shop.csv", "--schema", "shop.toml")


def test_a_book_is_checked_by_what_it_keeps(cdnow_book: Path, retail_book: Path) -> None:
    answer = done("check", cdnow_book, "--format", "json").json
    assert list(answer["findings"]) == TOPICS
    of_orders = done("check", *CDNOW, "--format", "json").json
    assert answer["findings"]["regularity"] == of_orders["findings"]["regularity"]
    out = " ".join(done("check", retail_book).out.split())
    assert "Spend: The largest 1 % of purchases" in out
    assert "Order ids: Each of 18,536 order ids is of one customer and one day." in out


def test_options_of_orders_say_nothing_of_a_book(cdnow_book: Path) -> None:
    told = clv_command("check", cdnow_book, "--end", "1997-09-30", "--memory", "2GB")
    assert told.status == 1
    assert "is a customer book" in told.err
    assert "--end, --memory cannot change it" in told.err


def test_what_the_models_see_is_told_where_something_came_back() -> None:
    """datasets/online_retail/SOURCE.md has the rows; kept less subtracted, to the penny."""
    about = done("check", RETAIL, "--end", "2011-12-09", "--format", "json").json
    kept, back = about["amount_kept"], about["returns"]["amount"]
    out = " ".join(done("check", RETAIL, "--end", "2011-12-09").out.split())
    assert f"Less the {back:,.2f} that came back, the models see {kept - back:,.2f}." in out
    assert "the models see" not in done("check", *CDNOW).out
