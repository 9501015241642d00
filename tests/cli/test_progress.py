"""Progress on a terminal, nowhere else; Ctrl-C leaves what stood there."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clv_cli.main import COMMANDS
from clv_cli.progress import Progress

from tests.cli.command import CDNOW, clv_command, done, executable, unchanged

LONG = [
    ("check",),
    ("build",), ("fit",), ("demo",), ("budget",), ("incidents", "fit"), ("incidents", "report"),
    ("campaigns", "fit"), ("experiment", "plan"), ("experiment", "estimate"),
]  # fmt: skip
"""Commands that read or draw enough to make one wait."""

TOLD = "Interrupted: nothing is left half-written.\n"


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """A job in the background ignores Ctrl-C, and so would what it starts: as if on a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def on_a_terminal(*arguments: object) -> tuple[str, str]:
    """Run `clv` with standard error on a terminal: what it answered, and what was shown there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [executable(), *map(str, arguments)], stdout=subprocess.PIPE, stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    ) as run:  # fmt: skip
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed: Linux says so with an error
            pass
        assert run.stdout is not None
        answer = run.stdout.read().decode()
        assert run.wait(60) == 0, shown.decode()
    os.close(ours)
    return answer, shown.decode()


def test_steps_are_shown_on_a_terminal_and_only_there() -> None:
    arguments = ("fit", *CDNOW, "--format", "json")
    answer, shown = on_a_terminal(*arguments)
    assert "Fitting the models" in shown
    elsewhere = done(*arguments)
    assert elsewhere.err == ""
    assert answer == elsewhere.out


def test_quiet_shows_nothing() -> None:
    _, shown = on_a_terminal("fit", *CDNOW, "--format", "json", "--quiet")
    assert shown == ""


@pytest.mark.parametrize("words", LONG, ids=" ".join)
def test_every_long_command_can_be_quiet(words: tuple[str, ...]) -> None:
    assert "--quiet" in done(*words, "--help").out


def test_nothing_else_takes_quiet() -> None:
    """An option that changes nothing is not there."""
    groups = {words[0] for words in LONG}
    for name in COMMANDS.keys() - groups:
        assert "--quiet" not in done(name, "--help").out


STEPS = [
    "Reading the orders", "Fitting the models", "Drawing from the posterior",
    "Valuing the customers", "Drawing intervals and writing the book",
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_ctrl_c_at_any_step_leaves_the_old_book(
    book_here: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Status 130 as of any interrupted command, one line, and the folder as it was."""

    def interrupt(_progress: Progress, begun: str) -> None:
        if begun == step:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "__call__", interrupt)
    with unchanged(book_here.parent):
        run = clv_command("build", *CDNOW, "-o", book_here)
    assert run.status == 130
    assert (run.out, run.err) == ("", TOLD)


def test_ctrl_c_from_outside_while_the_book_is_written(book_here: Path) -> None:
    line = [executable(), "build", *CDNOW, "-o", str(book_here)]
    with (
        unchanged(book_here.parent),
        subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run,
    ):
        while run.poll() is None and not list(book_here.parent.glob(".book.*.part/*")):
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        out, told = run.communicate(timeout=120)
    assert (out, told) == ("", TOLD)
    assert run.returncode == 130


def test_a_query_that_ctrl_c_meets_ends_as_any_work_does() -> None:
    """DuckDB tells of it as of a fault."""
    code = """
import os, signal, threading
import click, duckdb
from clv_cli import main
@click.command()
def demo():
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    duckdb.sql("select sum(a.range * b.range) from range(20000000) a, range(20) b").fetchall()
main.clv.get_command = lambda *_: demo
main.main()
"""
    run = subprocess.run(
        [sys.executable, "-c", code, "demo"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 130
    assert run.stderr == TOLD
