"""`clv incidents` and `clv experiment` on the bundled shop and on Online Retail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import clv.datasets
from clv.book import Book
from clv.incidents.learning import IncidentLearning, learn_from_incidents
from clv.models.incidents.likelihood import Link
from tests.cli.command import clv_command, done, unchanged

LOG = clv.datasets.path("simulated_shop_incidents")
RETURNS = clv.datasets.path("online_retail_incidents")


@pytest.fixture
def shop(shop_book: Path) -> Path:
    """A book of the shop up to its campaign; not to be changed."""
    return shop_book


@pytest.fixture
def retail(retail_book: Path) -> Path:
    return retail_book


@pytest.fixture
def learned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a test, what a log teaches a book is learned once, however often it is told."""
    kept: dict[object, IncidentLearning] = {}

    def learn(book: Book, log: str, *, link: Link = "separate", orders: None) -> IncidentLearning:
        asked = (book.path, log, link, orders)
        if asked not in kept:
            kept[asked] = learn_from_incidents(book, log, orders=orders, link=link)
        return kept[asked]

    for module in ("learning", "causes", "experiment", "experiment_plan"):
        monkeypatch.setattr(f"clv.incidents.{module}.learn_from_incidents", learn)


def test_what_was_learned_moves_the_limit(shop: Path, tmp_path: Path) -> None:
    """Defective goods drive away more than the policy assumed: more may be spent on them."""
    book = Path(shutil.copytree(shop, tmp_path / "book"))
    asked = ("recover", book, "c00091", "--problem", "defective", "--loss", 60, "--format", "json")
    before = done(*asked).json
    told = done("incidents", "fit", book, LOG, "--format", "json").json
    assert told["written"] is True
    after = done(*asked).json
    assert after["recommended"] > before["recommended"]
    assert after["policy_version"] != before["policy_version"] == told["policy_version"]
    assert "problems.defective.dropout" in before["assumed"]
    assert "problems.defective.dropout" not in after["assumed"]


@pytest.mark.usefixtures("learned_once")
def test_a_dry_run_and_the_shared_link_leave_the_book_as_it_is(shop: Path) -> None:
    with unchanged(shop.parent):
        dry = done("incidents", "fit", shop, LOG, "--dry-run")
        shared = done("incidents", "fit", shop, LOG, "--link", "shared")
        done("incidents", "report", shop, LOG)
    assert "Nothing is written to" in dry.out
    assert "Nothing is written: the policy's figures" in shared.out


@pytest.mark.usefixtures("learned_once")
def test_every_effect_is_told_with_its_basis(shop: Path) -> None:
    out = done("incidents", "fit", shop, LOG, "--dry-run").out
    for told in ("causal", "associational", "shown, not used", "defective item", "from data"):
        assert told in out
    rows = done("incidents", "fit", shop, LOG, "--dry-run", "--format", "csv").csv
    assert {row["problem"] for row in rows} >= {"defective", "late_delivery"}


def test_online_retail_is_told_to_be_harmless(retail: Path) -> None:
    out = " ".join(done("incidents", "fit", retail, RETURNS, "--dry-run").out.split())
    assert "Next to nobody leaves over return friction" in out
    assert "a sign of a busy customer" in out


@pytest.mark.usefixtures("learned_once")
def test_the_report_in_every_form(shop: Path) -> None:
    asked = ("incidents", "report", shop, LOG, "--by", "problem_id")
    table, rows, told = (done(*asked, "--format", form) for form in ("table", "csv", "json"))
    names = [cause["name"] for cause in told.json["causes"]]
    assert [row["name"] for row in rows.csv] == [*names, "all"]
    for name in names:
        assert name in table.out
    assert told.json["silent"][0]["customer_id"] in table.out


def test_a_column_that_is_not_there_is_told(retail: Path) -> None:
    run = clv_command("incidents", "report", retail, RETURNS, "--by", "product")
    assert run.status == 1
    assert "has no column product" in run.err


@pytest.mark.usefixtures("learned_once")
def test_the_experiment_in_every_form(shop: Path) -> None:
    for asked in (("plan", shop, LOG, "--step", 5), ("estimate", shop, LOG)):
        table, rows, told = (
            done("experiment", *asked, "--format", form) for form in ("table", "csv", "json")
        )
        assert table.out
        assert rows.csv
        assert told.json
    again = [
        done(
            *("experiment", "assign", shop, "c00091", "t-1", "--problem", "defective"),
            *("--loss", 60, "--format", "json"),
        ).json
        for _ in range(2)
    ]
    assert again[0] == again[1]


def test_a_plan_by_hand(here: Path) -> None:
    given = ("--effect", 0.05, "--dropout", 0.15, "--returns", 0.6, "--share", 0.2)
    told = done("experiment", "plan", *given, "--incidents", 13556, "--format", "json").json
    assert told["incidents_80"] == 13556  # tests/recommend/test_experiment.py, by hand
    assert told["power"] == pytest.approx(0.8, abs=1e-4)
    assert told["smallest_effect"] == pytest.approx(0.05, abs=1e-4)
    assert "13,556 incidents" in done("experiment", "plan", *given).out
    few = done("experiment", "plan", *given, "--incidents", 10).out
    assert "would show nothing, however large" in " ".join(few.split())


def test_a_plan_needs_all_or_a_book(shop: Path, here: Path) -> None:
    half = clv_command("experiment", "plan", "--effect", 0.05)
    assert half.status == 2
    assert "--dropout, --returns, --share" in half.err
    both = clv_command("experiment", "plan", shop, LOG, "--effect", 0.05)
    assert both.status == 2
    assert "--effect: only without BOOK" in both.err
    alone = clv_command("experiment", "plan", shop)
    assert alone.status == 2
