"""Commands are told what computes over the orders, and say what is wrong with that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import clv_command, done

Rows = list[tuple[str, str, str]]


@pytest.fixture
def orders(here: Path, few_orders: Rows) -> Path:
    path = here / "orders.csv"
    path.write_text("\n".join(["customer_id,date,amount", *(",".join(r) for r in few_orders)]))
    return path


def test_limits_of_memory_and_threads_change_nothing_that_is_found(orders: Path) -> None:
    end = ("--end", "1997-09-30", "--format", "json")
    wanted = done("fit", orders, *end).json
    found = done("fit", orders, *end, "--memory", "200MB", "--threads", "1").json
    assert found["parameters"] == wanted["parameters"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--memory", "lots", "--threads", "0"), "The memory is 'lots'; write it as 4GB or 500MB."),
        (("--threads", "100000"), "The number of threads is 100000; this machine has"),
        (("--engine", "spark", "--threads", "100000"), "The number of threads is 100000;"),
        (("--engine", "duckbd"), "There is no engine 'duckbd'"),
        (("--engine", "spark://h:7077", "--memory", "4GB"), "a cluster has its own"),
        (("--memory", "1MB"), "DuckDB has not enough memory (the limit is 1MB)"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    orders: Path, options: tuple[str, ...], said: str
) -> None:
    told = clv_command("fit", orders, "--end", "1997-09-30", *options)
    assert told.status == 1
    assert said in told.err.replace("\n", " ")
    assert "Traceback" not in told.err


def test_a_url_with_a_password_is_told_without_it(here: Path) -> None:
    url = "postgresql://anna:s3cret@127.0.0.1:1/shop?table=orders"
    told = clv_command("fit", url, "--end", "1997-09-30")
    assert told.status == 1
    assert "s3cret" not in told.err + told.out
    assert "anna:***@127.0.0.1" in told.err
