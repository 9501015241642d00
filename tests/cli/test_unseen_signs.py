"""Ids with signs that move a terminal's cursor or are not seen: shown to people, kept in data."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from clv_cli.output import visible

from tests.cli.command import cold, done

ODD = {
    "\x1b[31mred": "\\x1b[31mred",
    "two\nlines": "two\\nlines",
    "turned\u202eround": "turned\\u202eround",
    "zero\u200bwidth": "zero\\u200bwidth",
}


@pytest.fixture
def odd_book(here: Path, few_orders: list[tuple[str, str, str]]) -> Path:
    names = dict(zip(sorted({row[0] for row in few_orders}), ODD, strict=False))
    with Path("orders.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["customer_id", "date", "amount"])
        writer.writerows((names.get(who, who), day, amount) for who, day, amount in few_orders)
    done("build", "orders.csv", "-o", "book", "--end", "1998-06-30")
    return here / "book"


def test_tables_and_sentences_write_them_out_and_data_have_them(odd_book: Path) -> None:
    for who, shown in ODD.items():
        for command in (
            ["value", odd_book, "--customer", who],
            ["recover", odd_book, who, "--problem", "defective", "--loss", "5"],
        ):
            out = done(*command).out
            assert shown in out
            assert who not in out
        read = done("value", odd_book, "--customer", who, "--format", "csv").csv
        assert [row["customer_id"] for row in read] == [who]
        rows = done("value", odd_book, "--customer", who, "--format", "json").json["rows"]
        assert [row["customer_id"] for row in rows] == [who]


def test_a_pipe_gets_the_ids_as_they_are(odd_book: Path) -> None:
    found = cold("value", odd_book, "--format", "csv").csv
    assert set(ODD) <= {row["customer_id"] for row in found}


def test_an_error_moves_no_cursor(here: Path) -> None:
    for name in ODD:
        run = cold("check", f"{name}.csv")
        assert run.status == 1
        assert "\x1b" not in run.err
        assert "\u202e" not in run.err


def test_what_is_seen_stays() -> None:
    for text in ("Zoë 5\u00a0€", "日本", "a\\b", ""):
        assert visible(text) == text
