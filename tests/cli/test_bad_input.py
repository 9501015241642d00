"""Each mistake a user can make: one clear message with the fix, and nothing half-written."""

from __future__ import annotations

import re
import resource
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from clv.book import Book
from tests.cli.command import Run, clv_command, cold, done, unchanged

Rows = list[tuple[str, str, str]]
RECOVER = ["--problem", "defective", "--loss", "30"]


def write(
    name: str, rows: Iterable[Sequence[str]], *, header: str = "customer_id,date,amount"
) -> str:
    """Write a CSV file of orders to the folder worked in."""
    lines = [header, *(",".join(row) for row in rows)]
    Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def refused(*arguments: object, says: Sequence[str], status: int = 1) -> Run:
    """Hold that a command is refused in one message with these words, and changes no file."""
    with unchanged(Path.cwd()):
        run = clv_command(*arguments)
    assert run.status == status, run.err
    assert run.out == ""
    assert "Traceback" not in run.err
    assert run.err.count("Error: ") == 1
    if status == 1:
        assert run.err.startswith("Error: ")
    for words in says:
        assert words in run.err
    return run


@pytest.fixture(params=["fresh", "replacing"])
def build(request: pytest.FixtureRequest, here: Path, book: Path) -> Callable[..., Run]:
    """Hold that a build is refused where there is no book yet, and where there is one already."""
    if request.param == "replacing":
        shutil.copytree(book, here / "book")

    def build_refused(orders: object, *more: object, says: Sequence[str]) -> Run:
        return refused("build", orders, "-o", "book", *more, says=says)

    return build_refused


# -------------------------------------------------------------------------------------- the orders


def test_missing_file(build: Callable[..., Run], few_orders: Rows) -> None:
    build("orders.csv", says=["There is no file 'orders.csv'"])
    write("orders-2024.csv", few_orders)
    build("order-2024.csv", says=["Did you mean 'orders-2024.csv'?"])
    build("2023/*.csv", says=["No file matches the pattern"])


def test_empty_file(build: Callable[..., Run]) -> None:
    Path("orders.csv").touch()
    build("orders.csv", says=["'orders.csv' is empty"])
    build(write("header.csv", []), says=["has a header but no rows"])


def test_missing_column_names_those_there_are(build: Callable[..., Run], few_orders: Rows) -> None:
    orders = write("orders.csv", few_orders, header="who,bought_on,amount")
    run = build(orders, says=["customer", "date", "The columns are: 'who', 'bought_on', 'amount'"])
    assert "1 more fault" in run.err  # both missing columns are told at once


def test_a_named_column_that_is_not_there(build: Callable[..., Run], few_orders: Rows) -> None:
    orders = write("orders.csv", few_orders)
    build(orders, "--amount", "amuont", says=["'amuont'", "Did you mean 'amount'?"])


def test_unreadable_dates_are_told_by_line(build: Callable[..., Run], few_orders: Rows) -> None:
    # The header is line 1, so the orders stand on lines 2 to 901.
    orders = write("orders.csv", [*few_orders, ("7", "soon", "3"), ("8", "1997-02-30", "3")])
    build(orders, says=["2 of 902", "line 902: 'soon'", "line 903: '1997-02-30'", "2024-01-31"])


def test_mixed_currencies(build: Callable[..., Run], few_orders: Rows) -> None:
    rows = [(*row, "EUR" if i else "USD") for i, row in enumerate(few_orders)]
    orders = write("orders.csv", rows, header="customer_id,date,amount,currency")
    build(orders, says=["EUR (899 rows)", "USD (1 row", "one currency at a time"])


def test_amounts_that_are_no_numbers(build: Callable[..., Run], few_orders: Rows) -> None:
    rows = [*few_orders, ("7", "1997-02-01", "free"), ("8", "1997-02-01", '"1,2,0"')]
    build(
        write("orders.csv", rows),
        says=["2 of 902", "line 902: 'free'", "line 903: '1,2,0'", "such as 1234.50"],
    )


@pytest.mark.parametrize("amount", ["nan", "inf", "1e400"])
def test_amounts_that_are_not_finite(
    build: Callable[..., Run], few_orders: Rows, amount: str
) -> None:
    orders = write("orders.csv", [*few_orders, ("7", "1997-02-01", amount)])
    build(orders, says=["1 of 901", f"line 902: {amount!r}"])


def test_every_fault_of_the_rows_is_told_at_once(
    build: Callable[..., Run], few_orders: Rows
) -> None:
    rows = [(*few_orders[0], "EUR"), ("7", "soon", "3", "USD"), ("8", "1997-02-01", "x", "USD")]
    orders = write("orders.csv", rows, header="customer_id,date,amount,currency")
    build(orders, says=["readable date", "more faults", "readable amount", "2 currencies"])


def test_duplicate_rows_are_kept_and_told(here: Path, few_orders: Rows) -> None:
    rows = [*few_orders, few_orders[0], few_orders[0]]
    run = done("build", write("orders.csv", rows), "-o", "book")
    said = " ".join(run.out.split())
    assert "902 rows read, 902 kept" in said
    repeated = len(rows) - len(set(rows))
    assert "earlier row in every column" in said
    assert f"{repeated} rows" in said
    assert 'duplicates = "drop"' in said


def test_orders_after_the_end_are_set_aside_and_told(here: Path, few_orders: Rows) -> None:
    orders = write("orders.csv", few_orders)
    run = done("build", orders, "-o", "book", "--end", "1997-09-30")
    late = [row for row in few_orders if row[1] > "1997-09-30"]
    cents = sum(round(100 * float(row[2])) for row in late)
    said = " ".join(run.out.split())
    assert f"900 rows read, {900 - len(late)} kept" in said
    assert "after the end of observation (1997-09-30)" in said
    assert f"{len(late)} rows" in said
    assert f"{cents / 100:,.2f}" in said


def test_end_before_the_first_order(build: Callable[..., Run], few_orders: Rows) -> None:
    build(
        write("orders.csv", few_orders), "--end", "1996-12-31",
        says=["1996-12-31 is before the first order", "run from 1997-01-01 to 1998-06-"],
    )  # fmt: skip


@pytest.mark.parametrize("end", ["30/09/1997", "tomorrow", "1997-02-30", ""])
def test_end_that_is_no_date(build: Callable[..., Run], few_orders: Rows, end: str) -> None:
    build(write("orders.csv", few_orders), "--end", end, says=[repr(end), "written as 2024-01-31"])


def test_one_customer_only(build: Callable[..., Run]) -> None:
    rows = [("7", f"1997-0{month}-01", "3") for month in range(1, 7)]
    build(write("orders.csv", rows), says=["one customer only", "a log of many customers"])


def test_no_repeat_customers(build: Callable[..., Run]) -> None:
    rows = [(str(day), f"1997-01-{day:02d}", "3") for day in range(1, 29)]
    build(write("orders.csv", rows), says=["None of the 28 customers bought again", "customer ids"])


def test_orders_of_free_goods_only(build: Callable[..., Run], few_orders: Rows) -> None:
    orders = write("orders.csv", [(who, day, "0") for who, day, _ in few_orders])
    build(orders, says=["290 customers", "repeat", "positive amount"])


def test_no_amounts(build: Callable[..., Run], few_orders: Rows) -> None:
    orders = write("orders.csv", [row[:2] for row in few_orders], header="customer_id,date")
    build(orders, says=["has no amounts", "clv fit"])
    orders = write("orders.csv", few_orders, header="customer_id,date,Brutto (EUR)")
    build(orders, says=["has no amounts", "--amount 'Brutto (EUR)'", "clv fit"])


def test_refunds_only(build: Callable[..., Run], few_orders: Rows) -> None:
    orders = write("orders.csv", [(who, day, "-3") for who, day, _ in few_orders])
    build(orders, says=["No row", "900", "negative amount"])


def test_a_file_that_is_no_table(build: Callable[..., Run]) -> None:
    Path("orders.parquet").write_bytes(b"not parquet at all" * 20)
    build("orders.parquet", says=["'orders.parquet' is no Parquet file"])
    Path("orders.xlsx").write_bytes(b"PK")
    build("orders.xlsx", says=["save the orders as CSV"])
    build(".", says=["holds Parquet files and 'orders.xlsx'", "one kind at a time"])


# --------------------------------------------------------------------------------------- the place


def test_a_directory_that_is_something_else_is_not_replaced(here: Path, few_orders: Rows) -> None:
    orders = write("orders.csv", few_orders)
    Path("photos").mkdir()
    Path("photos/holiday.jpg").write_bytes(b"irreplaceable")
    for place in ("photos", "photos/holiday.jpg", "orders.csv", ".", "/"):
        refused("build", orders, "-o", place, says=["with -o"])


def test_a_wrong_place_is_refused_before_the_orders_are_read(here: Path) -> None:
    Path("photos").mkdir()
    Path("photos/holiday.jpg").touch()
    refused(
        "build", "not-there.csv", "-o", "photos", says=["photos exists and is not a customer book"]
    )


def test_a_place_below_a_file(here: Path, few_orders: Rows) -> None:
    orders = write("orders.csv", few_orders)
    refused("build", orders, "-o", "orders.csv/book", says=["No book can be written at", "-o"])


def test_missing_folders_of_a_book_are_made(here: Path, few_orders: Rows) -> None:
    done("build", write("orders.csv", few_orders), "-o", "customers/2024/book")
    assert done("value", "customers/2024/book", "--top", "1").out


def test_a_disk_that_is_full(here: Path, few_orders: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file may grow past 4 KiB: whatever part of the book meets the limit, no part is left."""
    orders = write("orders.csv", few_orders)
    done("build", orders, "-o", "book")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with unchanged(here):
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            run = clv_command("build", orders, "-o", "book")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert run.status == 1
    assert run.err.startswith("Error: No book can be written at book")
    assert "make room" in run.err


@pytest.mark.parametrize(
    "command",
    [
        ["value"], ["budget"], ["budget", "--curve"], ["budget", "--expect", "defective=3@20"],
        ["recover", "--all", "--problem", "defective", "--loss", "20"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_where_rows_cannot_be_written(
    book_here: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before the work: no answer is computed."""
    for name in ("values", "budget", "recover_all"):
        monkeypatch.setattr(Book, name, None)
    for module, name in (("clv.book.budget", "curve"), ("clv.book.split", "split")):
        monkeypatch.setattr(f"{module}.{name}", None)
    first, *options = command
    Path("taken.csv").mkdir()
    for place, says in {
        "values.xlsx": ".csv or .parquet",
        "values": ".csv or .parquet",
        "missing/values.csv": "There is no folder missing",
        "taken.csv": "Cannot write taken.csv",
        "book/manifest.json/values.csv": "There is no folder",
        "/proc/values.csv": "Cannot write /proc/values.csv",
    }.items():
        refused(first, "book", *options, "-o", place, says=[says])


# -------------------------------------------------------------------------------------- the policy

FAULTY_POLICIES = {
    "an unknown key": ("margn = 0.3", ["There is no key margn", "Did you mean margin?"]),
    "an unknown key in a table": ("[recovery]\ngird = 1.0", ["Did you mean recovery.grid?"]),
    "a rate of 10": ("discount_rate = 10", ["discount_rate", "got 10", "did you mean 0.10?"]),
    "a margin of 40": ("margin = 40", ["margin", "did you mean 0.40?"]),
    "text for a number": ('margin = "a lot"', ["margin", '"a lot"']),
    "not a number": ("margin = nan", ["margin", "nan"]),
    "no value": ("margin =", ["not a policy in TOML", "line 1"]),
    "two faults": ("margn = 0.3\ndiscount_rate = 10", ["margn", "discount_rate", "1 more fault"]),
}


@pytest.mark.parametrize(("text", "says"), FAULTY_POLICIES.values(), ids=FAULTY_POLICIES)
def test_a_faulty_policy(
    build: Callable[..., Run], few_orders: Rows, text: str, says: list[str]
) -> None:
    Path("policy.toml").write_text(text + "\n", encoding="utf-8")
    refused("policy", "check", "policy.toml", says=["policy.toml", *says])
    build(write("orders.csv", few_orders), "--policy", "policy.toml", says=["policy.toml", *says])


def test_a_policy_that_is_no_file(build: Callable[..., Run], few_orders: Rows) -> None:
    orders = write("orders.csv", few_orders)
    build(orders, "--policy", "mine.toml", says=["no policy file mine.toml", "clv policy init"])
    Path("folder").mkdir()
    build(orders, "--policy", "folder", says=["policy file folder cannot be read"])
    Path("binary.toml").write_bytes(b"\xff\xfe\x00")
    build(orders, "--policy", "binary.toml", says=["binary.toml cannot be read as text"])


def test_a_policy_is_never_written_over(here: Path) -> None:
    Path("policy.toml").write_text("margin = 0.3\n", encoding="utf-8")
    refused("policy", "init", "policy.toml", says=["policy.toml exists and is left as it is"])
    refused("policy", "init", "missing/policy.toml", says=["Cannot write missing/policy.toml"])


# ------------------------------------------------------------------------------------ the question


def test_unknown_customer_with_near_ones(book_here: Path) -> None:
    for command in (
        ["recover", "book", "00001", *RECOVER],
        ["value", "book", "--customer", "00001"],
    ):
        refused(*command, says=["no customer '00001'", "Did you mean '0001'", "2,357 customers"])


def test_unknown_problem_type_with_near_ones(book_here: Path) -> None:
    run = refused(
        "recover", "book", "0001", "--problem", "late_deliveries", "--loss", "30",
        says=["no problem type 'late_deliveries'", "Did you mean 'late_delivery'"],
    )  # fmt: skip
    for known in ("defective", "wrong_item", "safety_or_privacy"):
        assert known in run.err


@pytest.mark.parametrize("amount", ["-5", "-0.01", "nan", "inf", "-inf"])
def test_amounts_no_loss_or_budget_can_have(book_here: Path, amount: str) -> None:
    problem = ["--problem", "defective"]
    refused("recover", "book", "0001", *problem, "--loss", amount, says=["loss", "at least 0"])
    refused("budget", "book", "--total", amount, says=["budget", "at least 0"])


@pytest.mark.parametrize("hours", ["-1", "nan", "inf"])
def test_hours_no_answer_can_take(book_here: Path, hours: str) -> None:
    refused("recover", "book", "0001", *RECOVER, "--hours", hours, says=["hours", "at least 0"])


@pytest.mark.parametrize("amount", ["20,50", "1,200.00", "€20", "much"])
def test_amounts_are_told_how_to_be_written(book_here: Path, amount: str) -> None:
    problem = ["--problem", "defective"]
    for command in (
        ["recover", "book", "0001", *problem, "--loss", amount],
        ["recover", "book", "0001", *RECOVER, "--hours", amount],
        ["budget", "book", "--total", amount],
    ):
        refused(*command, says=[repr(amount), "a point before the decimals"], status=2)


WRONG_USAGE = {
    "no such command": ["forcast", "book"],
    "no such option": ["value", "book", "--tops", "3"],
    "no orders": ["build", "-o", "other"],
    "no place": ["build", "orders.csv"],
    "no customer": ["recover", "book", *RECOVER],
    "no problem": ["recover", "book", "0001", "--loss", "30"],
    "no loss": ["recover", "book", "0001", "--problem", "defective"],
    "a loss in words": ["recover", "book", "0001", "--problem", "defective", "--loss", "much"],
    "a severity of 5": ["recover", "book", "0001", *RECOVER, "--severity", "5"],
    "a severity of 0": ["recover", "book", "0001", *RECOVER, "--severity", "0"],
    "0 months": ["forecast", "book", "--months", "0"],
    "1201 months": ["forecast", "book", "--months", "1201"],
    "half a month": ["forecast", "book", "--months", "0.5"],
    "the 0 most valuable": ["value", "book", "--top", "0"],
    "the -1 most valuable": ["value", "book", "--top", "-1"],
    "one customer and the top": ["value", "book", "--customer", "0001", "--top", "3"],
    "another unit": ["fit", "orders.csv", "--unit", "month"],
    "another format": ["value", "book", "--format", "xml"],
    "an argument too many": ["value", "book", "another"],
}


@pytest.mark.parametrize("arguments", WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_is_exit_2(book_here: Path, arguments: list[str]) -> None:
    run = refused(*arguments, status=2, says=[])
    assert run.err.startswith("Usage: clv")


# ----------------------------------------------------------------------------- a half-written book

READERS = [
    ["value", "book", "--top", "3"],
    ["value", "book", "--customer", "0001"],
    ["forecast", "book"],
    ["recover", "book", "0001", *RECOVER],
    ["budget", "book"],
]


def every_reader_refuses(*says: str) -> None:
    for command in READERS:
        refused(*command, says=[*says, "clv build"])


@pytest.mark.parametrize("name", ["manifest.json", "values.parquet", "models.json", "policy.toml"])
@pytest.mark.parametrize("harm", ["missing", "truncated", "empty", "changed", "a directory"])
def test_a_half_written_book(book_here: Path, name: str, harm: str) -> None:
    file = book_here / name
    whole = file.read_bytes()
    if harm == "missing":
        file.unlink()
    elif harm == "truncated":
        file.write_bytes(whole[: len(whole) // 2])
    elif harm == "empty":
        file.write_bytes(b"")
    elif harm == "changed":  # as long as before, so only its content tells
        file.write_bytes(bytes(255 - byte for byte in whole))
    else:
        file.unlink()
        file.mkdir()
    every_reader_refuses(name)


def test_a_policy_edited_inside_a_book_does_not_pass_for_the_one_used(book_here: Path) -> None:
    file = book_here / "policy.toml"
    text = file.read_text(encoding="utf-8")
    edited = text.replace("# margin = 0.40", "margin = 0.90  ")
    assert edited != text
    assert len(edited) == len(text)
    file.write_text(edited, encoding="utf-8")
    every_reader_refuses("policy.toml was changed")


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"format": 1}', '{"format": 1, "files": 3}'])
def test_a_manifest_that_is_none(book_here: Path, text: str) -> None:
    (book_here / "manifest.json").write_text(text, encoding="utf-8")
    every_reader_refuses()


def test_a_book_of_another_format(book_here: Path) -> None:
    file = book_here / "manifest.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r'"format": \d+', '"format": 99', text), encoding="utf-8")
    every_reader_refuses("format 99", "this version reads format")


def test_no_book_there(here: Path) -> None:
    every_reader_refuses("There is no customer book at book")
    Path("book").mkdir()
    every_reader_refuses("book is not a customer book")
    Path("book").rmdir()
    Path("book").write_text("a file", encoding="utf-8")
    every_reader_refuses("book is not a customer book")
    refused("value", "", says=["is not a customer book"])
    refused("value", "/", says=["is not a customer book"])


# ------------------------------------------------------------------------- in a process of its own


def test_the_installed_command_tells_mistakes_without_a_traceback(here: Path) -> None:
    for arguments, status in ((["value", "nowhere"], 1), (["value"], 2), (["fit", "no.csv"], 1)):
        run = cold(*arguments, cwd=here)
        assert run.status == status
        assert run.out == ""
        assert "Error: " in run.err
        assert "Traceback" not in run.err
    assert list(here.iterdir()) == []


# ----------------------------------------------------------------------------------------- recovery


def test_recover_says_what_is_missing_all_at_once(book_here: Path) -> None:
    refused(
        "recover", "book", "0001", status=2,
        says=["--problem", "wrong_item (wrong or missing item)", "safety_or_privacy", "--loss"],
    )  # fmt: skip


def test_a_book_in_the_place_of_the_customer(book_here: Path) -> None:
    refused(
        "recover", "0001", "book", *RECOVER, status=2,
        says=["the book comes first", "clv recover book 0001"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["wrong item", "Wrong-Item", "WRONG_ITEM", "wrong or missing item"]
)
def test_a_problem_may_be_written_as_it_is_said(book_here: Path, name: str) -> None:
    answer = done("recover", "book", "0001", "--problem", name, "--loss", 20, "--format", "json")
    assert answer.json["problem"] == "wrong_item"
