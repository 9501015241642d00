"""`clv demo`: what it prints is what its book says, and what it saves can be used."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pytest

from tests.cli.command import Run, clv_command, done, unchanged


def ink(picture: npt.NDArray[np.float32]) -> float:
    """Share of the pixels that are not white."""
    return float((picture[..., :3] < 1).any(axis=-1).mean())


def empty_axes(shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """A picture of that size with axes and nothing in them."""
    figure, _ = plt.subplots(figsize=(shape[1] / 150, shape[0] / 150))
    kept = io.BytesIO()
    figure.savefig(kept, dpi=150)
    plt.close(figure)
    return plt.imread(io.BytesIO(kept.getvalue()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Run:
    """One run for all tests here; they do not change what it saved."""
    return done("demo", "-o", folder / "clv-demo")


@pytest.fixture
def there(demo: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def test_it_prints_the_whole_main_job(demo: Run) -> None:
    for title in (
        "What the customers are worth", "The next 12 months", "The ten most valuable customers",
        "One customer has a problem: what may be spent on it?", "A retention budget", "Saved",
        "Try next",
    ):  # fmt: skip
        assert demo.out.splitlines().count(title) == 1
    assert "2,357 customers" in demo.out
    assert not re.search(r"\bnan\b|\binf\b", demo.out)


def test_it_tells_the_published_holdout(demo: Run) -> None:
    """Fader, Hardie & Lee (2005): in 39 weeks 1,882 repeat purchases came, BG/NBD says 1,653.4."""
    said = " ".join(demo.out.split())
    assert "expects 1,653.4 repeat" in said
    assert "1,882 came" in said
    assert "12 % fewer" in said  # 1 - 1,653.4 / 1,882


def test_what_it_says_is_in_its_book(demo: Run, there: Path) -> None:
    out, book = demo.out, "clv-demo/book"
    top = done("value", book, "--top", 10, "--format", "json").json["rows"]
    for row in top:
        line = next(line for line in out.splitlines() if line.startswith(row["customer_id"]))
        held = f"{row['lifetime_value_low']:,.0f} to {row['lifetime_value_high']:,.0f}"
        assert f" {row['lifetime_value']:,.2f} " in line
        assert line.endswith(held)
    total = done("forecast", book, "--months", 12, "--format", "json").json["total"]
    line = next(line for line in out.splitlines() if line.startswith("total "))
    assert line.split()[1::4] == [
        f"{total['orders']:,.1f}", f"{total['revenue']:,.2f}", f"{total['margin']:,.2f}"
    ]  # fmt: skip
    budget = done("budget", book, "--format", "json").json
    assert f"{budget['optimal_total']:,.2f} USD is the total worth asking for" in out
    found = re.search(r"Customer (\S+) \([a-z-]+\): defective item, loss ([\d.,]+) USD", out)
    assert found
    customer, loss = found[1], found[2].replace(",", "")
    asked = ["--problem", "defective", "--loss", loss, "--format", "json"]
    answers = {row["customer_id"]: done("recover", book, row["customer_id"], *asked) for row in top}
    by_rule = [who for who, run in answers.items() if not run.json["risk_averse"]]
    assert customer == by_rule[0]  # the most valuable of whom no person need decide
    limit = answers[customer].json
    assert limit["sentence"] in " ".join(out.split())
    for key in ("recommended", "most", "ceiling"):
        assert f"{limit[key]:,.2f} USD" in out
    said = " ".join(out.split())
    for reason in limit["reasons"]:
        assert reason in said


def test_what_it_says_it_saved_is_there(demo: Run, there: Path) -> None:
    plots = {"p_alive.png", "tracking.png", "concentration.png"}
    assert {file.name for file in Path("clv-demo").iterdir()} == {"book", *plots}
    for name in plots:
        picture = plt.imread(Path("clv-demo") / name)
        assert ink(picture) > 1.5 * ink(empty_axes(picture.shape))
        assert f"clv-demo/{name}" in demo.out
    assert "clv-demo/book" in demo.out


def test_what_it_says_to_try_next_works(demo: Run, there: Path) -> None:
    lines = [line.strip() for line in demo.out.partition("Try next\n")[2].splitlines()]
    commands = [line.partition("    ")[0] for line in lines if line.startswith("clv ")]
    assert len(commands) >= 4
    for command in commands:
        if "YOUR-ORDERS" not in command:
            assert done(*shlex.split(command)[1:]).out
    Path("policy.toml").unlink()


def test_a_place_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine", encoding="utf-8")
    (tmp_path / "clv-demo" / "book").mkdir(parents=True)
    (tmp_path / "clv-demo" / "book" / "novel.txt").write_text("mine", encoding="utf-8")
    with unchanged(tmp_path):
        assert clv_command("demo", "-o", tmp_path / "notes").status == 2
        run = clv_command("demo", "-o", tmp_path / "clv-demo")
    assert run.status == 1
    assert "is not a customer book; it is left as it is" in run.err
