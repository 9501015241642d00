"""The documentation is true: its code runs, its output is what is shown, its names exist.

In README.md and docs/**/*.md ```python blocks are executed, one namespace a file. Of ```console
blocks every `$ command` is run; the lines below it, if any, are what it must print, with `...` for
anything. A last line `[exit 1]` states an exit status other than 0. Both run in an empty directory
that has `datasets/` as the checkout does. Lines that set up the checkout itself are not run.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import zlib
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from clv_cli.main import main
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser

import clv

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
WRITTEN = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(p for p in DOCS.rglob("*.md") if not {"_build", "generated"} & set(p.parts)),
]
NOT_RUN = ("make ", "pip ", "git ", "cd ", "python3 -m venv ", ".venv/")
EXIT = re.compile(r"^\[exit (\d+)\]$")


@dataclass
class Step:
    """One command of a console block, what it must print and how it must end."""

    command: str
    output: str = ""
    status: int = 0


def steps(block: str) -> list[Step]:
    """Commands of a console block; a line that ends in a backslash goes on in the next."""
    found: list[Step] = []
    going_on = False
    for line in block.splitlines():
        if going_on:
            found[-1].command += "\n" + line
        elif line.startswith("$ "):
            found.append(Step(line[2:]))
        elif not found:
            message = f"a console block begins with `$ command`, not with {line!r}"
            raise ValueError(message)
        elif stated := EXIT.match(line):
            found[-1].status = int(stated[1])
        else:
            found[-1].output += line + "\n"
        going_on = (going_on or line.startswith("$ ")) and line.endswith("\\")
    return found


def difference(step: Step, status: int, output: str) -> str:
    """How what a command did differs from what is shown; empty where it does not."""
    if status != step.status:
        return f"$ {step.command}\nended with exit status {status}, not {step.status}:\n{output}"
    shown = step.output.strip("\n")
    if not shown:
        return ""
    printed = "\n".join(line.rstrip() for line in output.strip("\n").splitlines())
    if doctest.OutputChecker().check_output(shown + "\n", printed + "\n", doctest.ELLIPSIS):
        return ""
    return f"$ {step.command}\nshown:\n{shown}\n\nprinted:\n{printed}"


def run_console(example: Example) -> str:
    """Run a console block as a user would; the first difference, or nothing."""
    for step in steps(str(example.parsed)):
        if step.command.startswith(NOT_RUN):
            continue
        command = step.command.replace("\\\n", "")  # as a shell joins lines
        words = shlex.split(command)
        plain = words[0] == "clv" and not SHELL & set(command)
        if told := difference(step, *(run_here(words) if plain else run_shell(step.command))):
            return told
    return ""


TERMINAL = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUNBUFFERED": "1"}

SHELL = set("|&;<>()$`*?~#")
"""What a shell would read otherwise than as it stands."""


def run_shell(command: str) -> tuple[int, str]:
    """Run a command in a shell; its exit status, and all that it printed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, check=False, env=os.environ | TERMINAL | {"PATH": path}, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout


def run_here(words: list[str]) -> tuple[int, str]:
    """Run `clv` as its executable does, in this process: the libraries are loaded already."""
    printed, status = io.StringIO(), 0
    with (
        mock.patch.dict(os.environ, TERMINAL),
        mock.patch.object(sys, "argv", words),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return status, printed.getvalue()


SYBIL = Sybil([PythonCodeBlockParser(), CodeBlockParser("console", run_console)])


@pytest.mark.parametrize("page", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_a_page_shows_is_what_happens(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "datasets").symlink_to(ROOT / "datasets", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for example in SYBIL.parse(page).examples():
        example.evaluate()


def test_a_console_block_is_read_as_it_is_typed() -> None:
    block = textwrap.dedent(
        """\
        $ clv value book \\
            --top 2
        0001 ...
        $ clv recover book 0001 --loss -1
        The loss is -1.
        [exit 1]
        $ true
        """
    )
    assert steps(block) == [
        Step("clv value book \\\n    --top 2", "0001 ...\n"),
        Step("clv recover book 0001 --loss -1", "The loss is -1.\n", 1),
        Step("true"),
    ]


@pytest.mark.parametrize(
    ("step", "status", "output", "holds"),
    [
        (Step("c", "a ... c\n"), 0, "a b c\n", True),
        (Step("c", "a\n...\nd\n"), 0, "a\nb\nc\nd\n", True),
        (Step("c", "a\n"), 0, "a  \n\n", True),  # no page can show blanks at the end of a line
        (Step("c", ""), 0, "anything\n", True),
        (Step("c", "a\n"), 0, "b\n", False),
        (Step("c", "a\n"), 0, "a\nb\n", False),
        (Step("c", "", 1), 0, "", False),
        (Step("c"), 1, "", False),
        (Step("c", "sorry\n", 1), 1, "sorry\n", True),
    ],
)
def test_a_difference_is_seen(step: Step, status: int, output: str, holds: bool) -> None:
    assert (difference(step, status, output) == "") is holds


def test_the_documentation_builds_and_holds_every_public_name(tmp_path: Path) -> None:
    """Warnings are errors; the index of objects is what other projects link to."""
    source = tmp_path / "docs"
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("_build", "generated"))
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", source, "html"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-6000:]
    packed = (tmp_path / "html" / "objects.inv").read_bytes().split(b"\n", 4)[4]
    entries = zlib.decompress(packed).decode().splitlines()
    documented = {entry.split()[0] for entry in entries if " py:" in entry}
    public = {f"clv.{name}" for name in clv.__all__ if name != "__version__"}
    assert not public - documented
