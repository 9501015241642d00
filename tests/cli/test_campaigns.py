"""`clv campaigns` on a small simulated shop."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from clv.simulated_shop import TRUTH, Shop, simulate
from tests.cli.command import clv_command, done, unchanged


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(replace(TRUTH, customers=1500), seed=3)


@pytest.fixture(scope="module")
def made(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    shop.orders.to_csv(folder / "orders.csv", index=False)
    shop.campaigns.to_csv(folder / "campaigns.csv", index=False)
    done("build", folder / "orders.csv", "--end", "2023-12-31", "-o", folder / "book")
    return folder


def test_what_is_said_is_what_is_written(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "book", tmp_path / "book")
    run = done("campaigns", "fit", tmp_path / "book", made / "campaigns.csv", "--format", "json")
    assert run.json["written"] is True
    figures = {one["key"]: one for one in run.json["learned"]["figures"]}
    assert figures["retention.effect"]["basis"] == "causal"
    rows = {row["arm"]: row for row in run.json["campaigns"][0]["arms"]}
    assert rows["voucher"]["kept_low"] < rows["voucher"]["kept"] < rows["voucher"]["kept_high"]
    budget = done("budget", tmp_path / "book", "--format", "json").json
    assert "retention.effect" not in budget["assumed"]
    assert (tmp_path / "book" / "learned.json").is_file()


def test_a_new_build_says_what_it_no_longer_knows(made: Path, tmp_path: Path) -> None:
    book, orders = tmp_path / "my book", (made / "orders.csv", "--end", "2023-12-31")
    shutil.copytree(made / "book", book)
    assert "had learned" not in done("build", *orders, "-o", book).out
    done("campaigns", "fit", book, made / "campaigns.csv")
    told = " ".join(done("build", *orders, "-o", book).out.split())
    assert "is gone (retention.effect, retention.money_scale)" in told
    assert f"Learn it again: clv campaigns fit '{book}' CAMPAIGNS." in told
    assert "incidents fit" not in told
    assert not (book / "learned.json").exists()


def test_the_table_names_each_arm_and_what_becomes_of_it(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "book", tmp_path / "book")
    said = done("campaigns", "fit", tmp_path / "book", made / "campaigns.csv", "--by", "stage").out
    for part in (
        "Chance decided who was treated: causal.",
        "What each arm changed, per customer",
        "Gained per unit of money spent",
        "retention.effect",
        "clv budget follows these figures",
    ):
        assert part in " ".join(said.split())
    assert "letter" in said
    assert "voucher" in said


def test_nothing_is_written_where_nothing_may_be_used(
    made: Path, shop: Shop, tmp_path: Path
) -> None:
    unsaid = tmp_path / "unsaid.csv"
    shop.campaigns.drop(columns="assignment_probability").to_csv(unsaid, index=False)
    with unchanged(made / "book"):
        run = done("campaigns", "fit", made / "book", unsaid)
        assert "associational" in run.out
        assert "not used" in run.out
        assert "Nothing is written" in run.out
        dry = done("campaigns", "fit", made / "book", made / "campaigns.csv", "--dry-run")
        assert "--dry-run" in dry.out
        rows = done(
            "campaigns", "fit", made / "book", unsaid, "--randomised", "--dry-run",
            "--window", "100", "--format", "csv",
        ).csv  # fmt: skip
    assert [row["arm"] for row in rows] == ["letter", "voucher"]
    assert {row["window"] for row in rows} == {"100"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--window", "0.5"], "whole number of days"),
        (["--window", "9999"], "too few for a window"),
        (["--control", "holdout"], "no arm 'holdout'"),
        (["--orders", "gone.csv"], "gone.csv"),
    ],
)
def test_mistakes_are_told_without_a_traceback(made: Path, more: list[str], said: str) -> None:
    run = clv_command("campaigns", "fit", made / "book", made / "campaigns.csv", *more)
    assert run.status == 1
    assert said in run.err
    assert not run.out
