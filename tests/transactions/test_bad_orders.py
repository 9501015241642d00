"""The corpus of broken orders: each is read right, or refused in one clear message, in seconds."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import clv
from clv.errors import ClvError
from clv.transactions import orders as reading
from clv.transactions import sources
from tests.bad_orders.cases import CASES, END, HISTORIES, Case, page
from tests.bad_orders.make import make
from tests.bad_orders.orders import MADE, ROWS, TEXT
from tests.cli.command import clv_command

ROOT = Path(__file__).parent.parent.parent
SECRET = "s3cret"  # noqa: S105  the password in the URLs of the corpus
SECONDS = 10.0
"""Of processor time, which does not depend on what else the machine does."""

REFUSED = [case for case in CASES if case.refused]
READ = [case for case in CASES if not case.refused]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad_orders")
    make(folder)
    return folder


@pytest.fixture
def here(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of broken orders, to work in; nothing may be added to it."""
    monkeypatch.chdir(corpus)
    before = sorted(path.name for path in corpus.iterdir())
    start = time.process_time()
    yield corpus
    assert time.process_time() - start < SECONDS
    assert sorted(path.name for path in corpus.iterdir()) == before


def tells_no_secret(error: BaseException | None) -> None:
    """Neither does the error, nor what it was raised from."""
    while error is not None:
        assert SECRET not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__


def refusal(source: object) -> str:
    """What a source is refused with; no secret is in it, nor in what it was raised from."""
    with pytest.raises(ClvError) as caught:
        clv.read_orders(source)
    tells_no_secret(caught.value)
    return str(caught.value)


def ids(case: Case) -> str:
    return case.name.replace(SECRET, "password")


@pytest.mark.parametrize("case", REFUSED, ids=ids)
def test_what_is_broken_is_refused_in_one_message(case: Case, here: Path, tmp_path: Path) -> None:
    run = clv_command("build", case.name, "-o", tmp_path / "book")
    assert run.status == 1
    assert run.out == ""
    assert run.err.startswith("Error: ")
    assert "Traceback" not in run.err
    assert isinstance(run.raised, ClvError)
    tells_no_secret(run.raised)
    for words in case.refused:
        assert words in str(run.raised)
        assert words in run.err
    assert len(str(run.raised)) < 2000  # what a screen shows, however long a line of the file is
    assert SECRET not in run.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("case", READ, ids=ids)
def test_what_can_be_read_is_read_right(case: Case, here: Path) -> None:
    orders = clv.read_orders(case.name, schema=case.schema or None)
    found = clv.histories(orders, end=END)
    columns = {"x": "frequency", "t_x": "recency", "T": "T", "m": "monetary_value"}
    rows = {
        who: {
            said: float(row[name])
            for said, name in columns.items()
            if row[name] == row[name]  # a customer without repeat purchases has no mean
        }
        for who, row in found.to_pandas().iterrows()
    }
    assert rows == {who: pytest.approx(one) for who, one in case.histories.items()}
    report = found.report
    for words in case.told:
        assert any(words in notice for notice in report.notices)
    assert len(report.set_aside) == len(case.aside)
    for words, aside in zip(case.aside, report.set_aside, strict=True):
        assert words in str(aside)
    assert report.rows_read == report.rows_kept + sum(a.rows for a in report.set_aside)
    assert report.amount_read is not None
    assert report.amount_kept is not None
    assert report.amount_read == report.amount_kept + sum(a.amount or 0 for a in report.set_aside)


def kind(case: Case) -> str:
    """How a source is named: by a URL of some kind, or as a file with some ending."""
    return case.name.partition("://")[0] if "://" in case.name else Path(case.name).suffix


ONE_OF_EACH_KIND = {kind(case): case for case in READ}.values()


@pytest.mark.parametrize("case", ONE_OF_EACH_KIND, ids=ids)
def test_the_command_checks_what_can_be_read(case: Case, here: Path) -> None:
    run = clv_command("check", case.name, "--end", END, "--format", "json")
    assert run.status == 0, run.err
    said = run.json
    aside = sum(one["rows"] for one in said["set_aside"])
    assert said["customers"] == len(case.histories)
    assert said["rows_read"] == said["rows_kept"] + aside
    assert len(said["set_aside"]) == len(case.aside)


def test_the_histories_are_those_that_the_rows_say() -> None:
    """By hand, once more: the corpus rests on them."""
    by_hand: dict[str, dict[str, float]] = {}
    end = date_of(END)
    for who in dict.fromkeys(row[0] for row in ROWS):
        days: dict[int, float] = {}
        for _, day, amount in (row for row in ROWS if row[0] == who):
            days[date_of(day)] = days.get(date_of(day), 0) + float(amount)
        first, *repeat = sorted(days)
        by_hand[who] = {"x": len(repeat), "t_x": max(days) - first, "T": end - first}
        if repeat:
            by_hand[who]["m"] = sum(days[day] for day in repeat) / len(repeat)
    assert {who: pytest.approx(one) for who, one in by_hand.items()} == HISTORIES


def date_of(text: str) -> int:
    return dt.date.fromisoformat(text).toordinal()


def test_every_file_of_the_corpus_is_in_the_table(corpus: Path) -> None:
    asked = {case.name.partition("?")[0].rpartition(":///")[2].partition("/")[0] for case in CASES}
    assert {path.name for path in corpus.iterdir()} <= asked
    assert len({case.name for case in CASES}) == len(CASES)
    assert set(MADE) >= {case.name for case in CASES if case.large}


def test_the_page_of_the_documentation_is_the_table() -> None:
    """Written by `python -m tests.bad_orders.cases > docs/reference/bad-orders.md`."""
    written = (ROOT / "docs" / "reference" / "bad-orders.md").read_text(encoding="utf-8")
    assert written == page()


def test_nothing_large_takes_more_than_1_gb(corpus: Path) -> None:
    """The most memory that a process of its own has held, after each of them."""
    names = [case.name for case in CASES if case.large]
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "import clv\n"
        "from clv.errors import ClvError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        clv.histories(clv.read_orders(name), end='2024-03-31').to_pandas()\n"
        "    except ClvError:\n"
        "        pass\n"
        # Not ru_maxrss: that of a new process begins at what its parent held.
        "    told = dict(line.split(':', 1) for line in Path('/proc/self/status').open())\n"
        "    print(json.dumps([name, int(told['VmHWM'].split()[0]) / 1024]))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *names],
        cwd=corpus, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    peaks = dict(json.loads(line) for line in ran.stdout.splitlines())
    assert list(peaks) == names
    assert {name: mb for name, mb in peaks.items() if mb >= 1000} == {}


def test_a_query_that_would_change_a_database_changes_nothing(here: Path) -> None:
    before = (here / "two-tables.db").read_bytes()
    for query in ("delete from orders", "drop table orders", "select 1; drop table orders"):
        refusal(f"sqlite:///two-tables.db?query={query}")
    refusal('sqlite:///two-tables.db?table=orders"; DROP TABLE orders; --')
    assert (here / "two-tables.db").read_bytes() == before


NAMES = ["orders.csv", "orders.csv.gz", "orders.parquet", "orders.xlsx", "orders.db"]


@pytest.fixture(params=NAMES)
def file(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Orders of each kind, in a folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / request.param
        write(path)
        yield path


def write(path: Path) -> None:
    if path.name == "orders.csv":
        path.write_text(TEXT, encoding="utf-8")
    elif path.name == "orders.csv.gz":
        path.write_bytes(gzip.compress(TEXT.encode()))
    else:
        {"orders.xlsx": MADE["orders.xlsx"], "orders.db": MADE["table-of-quotes.db"],
         "orders.parquet": MADE["dictionary.parquet"]}[path.name](path)  # fmt: skip


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Go on as a user who may read what all may read; root may read everything."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_file_that_may_not_be_read(file: Path) -> None:
    clv.read_orders(file)
    file.chmod(0)
    with nobody():
        assert refusal(file) == f"{str(file)!r} cannot be read: no permission."


def test_a_file_in_a_folder_that_may_not_be_looked_into(file: Path) -> None:
    file.parent.chmod(0)
    with nobody():
        said = refusal(file)
    file.parent.chmod(0o755)
    assert f"{str(file)!r}" in said


def test_a_file_that_is_said_to_be_readable_and_is_not(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server of files may say so, and so may an operating system of a file that is locked."""
    monkeypatch.setattr(os, "access", lambda *_, **__: True)
    file.chmod(0)
    with nobody():
        assert f"{str(file)!r} cannot be read" in refusal(file)


@pytest.mark.parametrize("moment", ["found", "opened", "read"])
def test_a_file_that_goes_away_while_it_is_read(
    file: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, or read to its end before."""
    steps = {"found": (sources.files, "find"), "opened": (reading, "open_source"),
             "read": (reading, "profile")}  # fmt: skip
    module, name = steps[moment]
    step = getattr(module, name)

    def then_gone(*arguments: Any, **options: Any) -> Any:
        done = step(*arguments, **options)
        file.unlink(missing_ok=True)
        return done

    monkeypatch.setattr(module, name, then_gone)
    if file.suffix == ".db" and moment != "found":  # its rows are with us already
        assert clv.read_orders(file).report.rows_kept == len(ROWS)
        return
    said = refusal(file)
    assert str(file) in said
    assert "cannot be read" in said
