"""Every help text ends in examples, and every example runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click
import pandas as pd
import pytest
from clv_cli.main import COMMANDS
from clv_cli.main import clv as group

import clv
from tests.cli.command import done


@pytest.fixture(autouse=True)
def _folder(book_here: Path) -> None:
    """Work in a folder with a book and a policy of which only the margin is not assumed."""
    Path("policy.toml").write_text("margin = 0.3\n", encoding="utf-8")


def commands(command: click.Command, *path: str) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found += commands(below, *path, name)
    return found


ALL = dict(commands(group, "clv"))


def examples(path: Sequence[str]) -> list[str]:
    """Lines of a command's help, from `Examples:` on, as a shell would read them."""
    out = done(*path[1:], "--help").out
    _, found, tail = out.rpartition("Example")
    assert found, f"{' '.join(path)} --help shows no example"
    return [line.strip() for line in tail.partition("\n")[2].splitlines() if line.strip()]


def test_the_help_lists_every_command_once() -> None:
    out = done("--help").out
    for name, about in COMMANDS.items():
        assert len(re.findall(rf"^  {name} +{re.escape(about)}$", out, re.MULTILINE)) == 1
    assert out.rstrip().endswith("Start with: clv demo")


@pytest.mark.parametrize("path", [p for p in ALL if len(p) > 1], ids=" ".join)
def test_every_help_ends_in_examples_of_its_own_command(path: tuple[str, ...]) -> None:
    lines = examples(path)
    assert lines
    assert all(line.startswith(" ".join(path)) for line in lines)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Orders as the examples name them: those of CDNOW, 9,497 days (26 years) later."""
    folder = tmp_path_factory.mktemp("shop")
    frame = clv.datasets.load_cdnow()
    # The book of the examples ends on 1997-09-30.
    frame[frame["date"] > pd.Timestamp("1997-09-30")].to_csv(folder / "newer.csv", index=False)
    frame["date"] += pd.Timedelta(days=9497)
    frame.to_csv(folder / "orders.csv", index=False)
    frame.to_parquet(folder / "orders.parquet")
    (folder / "orders").mkdir()
    for half, part in enumerate((frame[:3000], frame[3000:])):
        part.to_parquet(folder / "orders" / f"{half}.parquet")
    (folder / "offers.csv").write_text("offer,cost,effect\nletter,1,0.02\nvoucher,10,\n", "utf-8")
    (folder / "affected.csv").write_text("customer_id,loss\n0509,\n1081,40\n", "utf-8")
    ids = sorted(clv.datasets.load_cdnow()["customer_id"].unique())
    rows = [f"{who},1997-04-01,{('control,0', 'letter,2')[i % 2]},0.5" for i, who in enumerate(ids)]
    header = "customer_id,date,arm,spend,assignment_probability"
    (folder / "campaigns.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    problems = [
        f"{who},1997-0{5 + i % 4}-1{i % 3},{('late_delivery', 'defective')[i % 2]},20,{i % 3},"
        f"{('usual,0.7', 'step,0.3')[i % 3 == 0]},{('belt-2', 'courier-9')[i % 2]}"
        for i, who in enumerate(ids[:400])
    ]
    header = "customer_id,occurred_at,type,loss_amount,goodwill_amount,assigned_arm,"
    header += "assignment_probability,problem_id"
    (folder / "incidents.csv").write_text("\n".join([header, *problems]) + "\n", "utf-8")
    tickets = [f"{i},{who},1997-05-02 10:00,High,Solved,late" for i, who in enumerate(ids[:90])]
    header = "Id,Requester external id,Created at,Priority,Status,Tags"
    (folder / "tickets.csv").write_text("\n".join([header, *tickets]) + "\n", "utf-8")
    (folder / "regions.csv").write_text("customer,region\n0509,north\n1081,south\n", "utf-8")
    return folder


EXAMPLES = [
    pytest.param(line, id=line)
    for path, command in ALL.items()
    if len(path) > 1
    for line in re.findall(r"^ *(clv .*)$", command.epilog or "", re.MULTILINE)
]


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_runs(line: str, shop: Path, here: Path) -> None:
    for file in shop.iterdir():
        (here / file.name).symlink_to(file)
    if "policy init" in line:
        Path("policy.toml").unlink()
    command, _, redirected = line.partition(" > ")
    run = done(*shlex.split(command)[1:])
    assert run.out or run.err
    assert not redirected or run.csv


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2 * (len(ALL) - 4)  # two of most commands


GROUPS = [path for path, command in ALL.items() if isinstance(command, click.Group)]


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_no_summary_of_a_command_is_cut_off(path: tuple[str, ...]) -> None:
    assert not re.findall(r"^  \w+ .*\.\.\.$", done(*path[1:], "--help").out, re.MULTILINE)
