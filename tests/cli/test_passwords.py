"""No command prints a password, whatever it is given in place of what it asks for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from clv_cli.main import clv

from tests.cli.command import clv_command, unchanged

SECRET = "s3cretS3CRET"  # noqa: S105  the password in all of them
SPELLINGS = [
    f"postgresql://u:{SECRET}@127.0.0.1:1/x?table=t",
    f" postgresql://u:{SECRET}@127.0.0.1:1/x?table=t",
    f"postgresql:/u:{SECRET}@h/x",
    f"postgresql//u:{SECRET}@h/x",
    f"postgresql://u:{SECRET} x@h/x",
    f"u:{SECRET}@host/x",
    f"jdbc:postgresql://h/x?user=u&password={SECRET}",
    f"host=h user=u password={SECRET}",
    f"s3://b/x.csv?Expires=1&Signature={SECRET}",
]
BEHIND = ["", "/zz", ".csv", ".parquet"]
GIVEN = {
    "book": "book", "orders": "orders.csv", "output": "out", "incidents_log": "incidents.csv",
    "campaigns_log": "incidents.csv", "customer": "0001", "incident": "1", "problem": "defective",
    "loss": "14", "spend": "1", "kept": "1", "at_most": "2", "margin": "0.3",
}  # fmt: skip
"""What a command gets for what it must have, where something else is the URL."""
PLACES = {
    "orders", "schema_file", "write_schema", "policy_file", "since", "output", "book", "file", "by",
    "offers", "customers", "expect", "incidents_log", "campaigns_log", "columns", "model",
}  # fmt: skip
"""What names a file, a book or a source, so that each spelling may go a way of its own."""
ANYTHING = {"incident", "name"}
"""Numbers and names that may be whatever somebody calls them, and are not printed."""
NO_ENGINE = {"engine"}
"""A cluster that does not answer is waited for: it has tests of its own."""


def commands(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield (*above, name), command


def asked(command: click.Command, name: str, url: str) -> list[str]:
    """Arguments that give a URL for one parameter, and the others what they must have."""
    words: list[str] = []
    for parameter in command.params:
        said = url if parameter.name == name else GIVEN.get(str(parameter.name))
        if parameter.name != name and not parameter.required:
            continue
        assert said is not None, f"say in GIVEN what {parameter.name} gets"
        words += [parameter.opts[-1], said] if isinstance(parameter, click.Option) else [said]
    return words


CASES = [
    pytest.param(path, str(parameter.name), id=f"{'-'.join(path)}-{parameter.name}")
    for path, command in commands(clv)
    for parameter in command.params
    if not (isinstance(parameter, click.Option) and parameter.is_flag)
    and not isinstance(parameter.type, click.Choice)
    and parameter.name not in NO_ENGINE
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, cdnow_book: Path) -> Path:
    folder = tmp_path_factory.mktemp("passwords")
    shutil.copytree(cdnow_book, folder / "book")
    (folder / "orders.csv").write_text("customer,date,amount\na,2024-01-01,1\na,2024-02-01,1\n")
    (folder / "incidents.csv").write_text("customer_id,date,type\n1,1997-02-01,defective\n")
    return folder


@pytest.mark.parametrize(("path", "name"), CASES)
def test_no_command_prints_a_password(
    path: tuple[str, ...], name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    command = dict(commands(clv))[path]
    endings = BEHIND if name in {"output", "write_schema", "file"} else BEHIND[:1]
    spellings = SPELLINGS if name in PLACES else SPELLINGS[:1]
    with unchanged(place):
        for url in (spelling + ending for spelling in spellings for ending in endings):
            run = clv_command(*path, *asked(command, name, url))
            assert run.status in {1, 2} or name in ANYTHING, f"{url}: {run}"
            assert SECRET not in run.out + run.err


def test_nor_does_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ([SPELLINGS[0]], ["estimate", SPELLINGS[0]], ["check", f"--{SPELLINGS[0]}"]):
        run = clv_command(*words)
        assert run.status == 2
        assert SECRET not in run.out + run.err


def test_nor_does_a_traceback() -> None:
    """Of a fault of ours, which may repeat what was typed."""
    script = (
        "import sys\n"
        "from clv_cli import main\n"
        "def broken(**_):\n"
        f"    raise LookupError({SPELLINGS[2]!r})\n"
        "main.clv = broken\n"
        "main.main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert SECRET not in ran.stderr.replace(f"raise LookupError({SPELLINGS[2]!r})", "")
    assert "LookupError: postgresql:/u:***@h/x" in ran.stderr
