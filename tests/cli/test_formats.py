"""Every command in every format: what callers may rely on, and what goes where."""

from __future__ import annotations

import csv
import json
import math
import re
import resource
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.command import CDNOW, clv_command, contents, done

RECOVER = ["recover", "book", "0509", "--problem", "defective", "--loss", "80"]
VALUE_KEYS = [
    "customer_id", "frequency", "recency", "T", "monetary_value", "p_alive", "expected_purchases",
    "expected_spend", "value_if_alive", "lifetime_value",
]  # fmt: skip

# Keys that callers may rely on; commands may give more.
STABLE_KEYS: dict[str, tuple[list[str], list[str]]] = {
    "fit": (
        ["fit", *CDNOW],
        [
            "model", "parameters", "standard_errors", "log_likelihood", "customers", "patterns",
            "unit", "end", "converged",
        ],
    ),
    "value": (["value", "book", "--top", "3"], ["rows", *(f"rows.{key}" for key in VALUE_KEYS)]),
    "one value": (["value", "book", "--customer", "0001"], [f"rows.{key}" for key in VALUE_KEYS]),
    "recover": (
        RECOVER,
        [
            "customer_id", "problem", "first_gesture", "recommended", "most", "ceiling", "floor",
            "authority", "binding", "reasons", "assumed",
        ],
    ),
    "budget": (
        ["budget", "book", "--total", "300"],
        [
            "rows", "rows.customer_id", "rows.spend", "rows.expected_gain", "total",
            "shadow_price", "optimal_total",
        ],
    ),
    "budget by stage": (
        ["budget", "book", "--total", "300", "--by", "stage"],
        [
            "rows", "rows.customer_id", "rows.segment", "rows.spend", "rows.expected_gain",
            "segments", "segments.segment", "segments.spend", "segments.next_unit", "harmed",
            "customers_kept", "cost_of_quotas", "beside_acquisition",
        ],
    ),
    "budget curve": (
        ["budget", "book", "--curve"],
        [
            "rows", "rows.total", "rows.expected_gain", "rows.net_gain", "rows.marginal_return",
            "optimal_total", "optimal_gain", "assumed",
        ],
    ),
    "budget split": (
        ["budget", "book", "--total", "700", "--expect", "defective=40@35"],
        [
            "rows", "rows.purpose", "rows.name", "rows.spend", "rows.expected_gain", "total",
            "shadow_price", "unspent", "declined", "assumed", "sentences",
        ],
    ),
    "forecast": (
        ["forecast", "book", "--months", "3"],
        ["rows", "rows.month", "rows.orders", "rows.revenue", "rows.margin"],
    ),
    "policy": (["policy", "check", "policy.toml"], ["valid", "rows", "rows.key", "rows.value"]),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _folder(book_here: Path) -> None:
    """Work in a folder with a book and a policy of which only the margin is not assumed."""
    Path("policy.toml").write_text("margin = 0.3\n", encoding="utf-8")


@pytest.mark.parametrize(("arguments", "keys"), STABLE_KEYS.values(), ids=STABLE_KEYS)
def test_json_has_the_keys_that_are_promised(arguments: list[str], keys: list[str]) -> None:
    answer = done(*arguments, "--format", "json").json
    for key in keys:
        head, _, tail = key.partition(".")
        assert head in answer
        if tail:
            assert answer[head]
            assert all(tail in row for row in answer[head])


@pytest.mark.parametrize(
    "arguments", [arguments for arguments, _ in STABLE_KEYS.values()], ids=STABLE_KEYS
)
def test_csv_says_what_json_says(arguments: list[str]) -> None:
    """Row by row and to the last digit, with nothing else on standard output."""
    rows = done(*arguments, "--format", "csv").csv
    answer = done(*arguments, "--format", "json").json
    if arguments[0] == "fit":
        told = {row["parameter"]: row for row in rows if row["model"] == answer["model"]}
        assert {k: float(row["estimate"]) for k, row in told.items()} == answer["parameters"]
        errors = {k: float(row["standard_error"]) for k, row in told.items()}
        assert errors == answer["standard_errors"]
        return
    expected = answer.get("rows", [answer])
    assert len(rows) == len(expected)
    for row, same in zip(rows, expected, strict=True):
        for key, text in row.items():
            value = answer[key] if key == "policy_version" else same[key]
            if isinstance(value, list):
                assert text == "; ".join(value)
            elif isinstance(value, float | int) and not isinstance(value, bool):
                assert float(text) == value
            else:
                assert text == ("" if value is None else str(value))


@pytest.mark.parametrize(
    "arguments", [arguments for arguments, _ in STABLE_KEYS.values()], ids=STABLE_KEYS
)
def test_tables_are_for_people(arguments: list[str]) -> None:
    run = done(*arguments)
    assert run.err == ""
    assert len(run.out.splitlines()) >= 3
    assert not re.search(r"\bnan\b|\binf\b|None|Traceback", run.out)
    assert all(len(line) <= 160 for line in run.out.splitlines())


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_was_set_aside_is_told_and_never_among_the_data(form: str) -> None:
    """1,959 of the sample's 6,919 orders came after the calibration period."""
    run = done("fit", *CDNOW, "--format", form)
    if form == "csv":
        assert {tuple(row) for row in run.csv} == {
            (
                "model",
                "parameter",
                "estimate",
                "standard_error",
                "low_95",
                "high_95",
                "covariance_kind",
            )
        }
        assert "1,959 rows" in " ".join(run.err.split())
    else:
        (aside,) = run.json["rows"]["set_aside"]
        assert aside["rows"] == 1959
        assert run.err == ""


@pytest.mark.parametrize("command", [["value", "book"], ["budget", "book"]])
def test_files_hold_the_rows_of_the_json(command: list[str]) -> None:
    answer = done(*command, "--format", "json").json
    rows = [row | {"policy_version": answer["policy_version"]} for row in answer["rows"]]
    for name in ("rows.csv", "rows.parquet"):
        Path(name).write_bytes(b"of yesterday")
        run = done(*command, "-o", name)
        assert run.out == ""
        assert f"Wrote {len(rows):,} rows to {name}" in run.err
    assert {p.name for p in Path().iterdir()} == {"book", "policy.toml", "rows.csv", "rows.parquet"}
    typed = [
        {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
        for row in pq.read_table("rows.parquet").to_pylist()
    ]
    assert typed == rows
    with Path("rows.csv").open(encoding="utf-8", newline="") as opened:
        told = list(csv.DictReader(opened))
    assert [row["customer_id"] for row in told] == [row["customer_id"] for row in rows]
    last = "lifetime_value" if command[0] == "value" else "expected_gain"
    assert [float(row[last]) for row in told] == [row[last] for row in rows]


@pytest.mark.parametrize("name", ["values.csv", "values.parquet"])
def test_a_file_is_replaced_whole_or_not_at_all(name: str) -> None:
    """Where no file may grow past 4 KiB, the rows of yesterday stay."""
    Path(name).write_bytes(b"of yesterday")
    before = contents(Path())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        run = clv_command("value", "book", "-o", name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert run.status == 1
    assert run.err.startswith(f"Error: Cannot write {name}")
    assert contents(Path()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["value", "book", "--top", "3"],
        ["forecast", "book", "--months", "2"],
        RECOVER,
        ["recover", "book", "--all", "--problem", "late_delivery", "--loss", "15"],
        ["budget", "book", "--total", "300"],
        ["budget", "book", "--curve"],
    ],
    ids=lambda arguments: " ".join(arguments[:4]),
)
def test_every_answer_says_on_which_policy_it_rests(book_here: Path, arguments: list[str]) -> None:
    version = json.loads((book_here / "manifest.json").read_text())["policy"]["version"]
    assert re.fullmatch("[0-9a-f]{12}", version)
    assert f"\nPolicy version {version}.\n" in done(*arguments).out
    assert done(*arguments, "--format", "json").json["policy_version"] == version
