"""The command as its user meets it: arguments in; exit status, output and messages out."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from clv_cli.main import main

import clv.datasets

CDNOW_END = "1997-09-30"  # Fader, Hardie & Lee (2005): calibration to the end of September 1997
CDNOW = [str(clv.datasets.path("cdnow")), "--end", CDNOW_END, "--unit", "week"]


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    status: int
    out: str
    err: str
    raised: BaseException | None = None
    """What the command ended with, and with it what it was raised from."""

    @property
    def json(self) -> Any:
        """Standard output, which must be JSON and nothing else; NaN is not JSON."""

        def refuse(constant: str) -> None:
            raise ValueError(f"{constant} is not JSON")

        return json.loads(self.out, parse_constant=refuse)

    @property
    def csv(self) -> list[dict[str, str]]:
        """Standard output, which must be CSV with a header and nothing else."""
        header, *rows = list(csv.reader(io.StringIO(self.out), strict=True))
        return [dict(zip(header, row, strict=True)) for row in rows]


def clv_command(*arguments: object) -> Run:
    """Run `clv` in this process. Whatever is no plain exit is a traceback, and fails the test."""
    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    raised: BaseException | None = None
    with (
        mock.patch.object(sys, "argv", ["clv", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status, raised = end.code or 0, end.__context__
    assert isinstance(status, int), status
    return Run(status, out.getvalue(), err.getvalue(), raised)


def done(*arguments: object) -> Run:
    """Run `clv`, which must succeed."""
    run = clv_command(*arguments)
    assert run.status == 0, run.err
    return run


def executable() -> str:
    """Where the installed command is."""
    found = shutil.which("clv", path=str(Path(sys.executable).parent))
    assert found, "the command clv is not installed beside this Python"
    return found


def cold(*arguments: object, cwd: Path | None = None) -> Run:
    """Run the installed `clv` in a process of its own."""
    ran = subprocess.run(
        [executable(), *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd, timeout=120,
        env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip
    return Run(ran.returncode, ran.stdout, ran.stderr)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, hidden or not: what each file holds, None for a directory."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@contextlib.contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Hold that nothing below a folder was added, removed or changed."""
    before = contents(folder)
    yield
    after = contents(folder)
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] == []
