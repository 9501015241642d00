"""`clv policy`: faults with their lines, and a policy in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import clv_command, done


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_policy_in_words_and_as_rows() -> None:
    Path("policy.toml").write_text('margin = 0.3\ncurrency = "EUR"\n', encoding="utf-8")
    told = done("policy", "explain", "policy.toml").out
    told_json = done("policy", "explain", "policy.toml", "--format", "json").json
    assert told_json["policy_version"] in told
    for sentences in (*told_json["paragraphs"], told_json["rules"]):
        assert " ".join(sentences) in " ".join(told.split())
    rows = done("policy", "explain", "policy.toml", "--format", "csv").csv
    assert [float(row["value"]) for row in rows] == [row["value"] for row in told_json["rows"]]
    assert "The default policy" in done("policy", "explain").out


def test_every_fault_is_told_with_its_line() -> None:
    Path("policy.toml").write_text(
        "# comment\nmargin = 40\n\n[recovery]\nsavabl_share = 0.3\ngrid = [\n1]\n[[statutory]]\n",
        encoding="utf-8",
    )
    run = clv_command("policy", "check", "policy.toml")
    assert run.status == 1
    lines = run.err.replace("Error: policy.toml: line", "  - line").splitlines()
    numbers = [line.split(":")[0] for line in lines if line.startswith("  - ")]
    # a remedy of the law needs a name, a first day and a source, and must owe something
    wanted = [2, 5, 6, 8, 8, 8, 8]
    assert numbers == [f"  - line {number}" for number in wanted]


def test_a_floor_that_nobody_may_give_is_told() -> None:
    text = 'currency = "EUR"\n[problems.mistreated]\nfloor_fixed = {}\n'
    Path("policy.toml").write_text(text.format(500), encoding="utf-8")  # what a manager may give
    assert done("policy", "check", "policy.toml", "--format", "json").json["cautions"] == []
    Path("policy.toml").write_text(text.format(501), encoding="utf-8")
    (told,) = done("policy", "check", "policy.toml", "--format", "json").json["cautions"]
    assert "501.00 EUR (problems.mistreated.floor_fixed): more than a manager may give" in told
    assert "in 12 months (500.00 EUR, recovery.most_in_12_months); the floor wins" in told
    assert told in " ".join(done("policy", "check", "policy.toml").out.split())


def test_what_is_not_known_is_neither_assumed_nor_yours() -> None:
    Path("policy.toml").write_text("[acquisition]\nacquired_per_year = 5000\n", encoding="utf-8")
    rows = done("policy", "check", "policy.toml", "--format", "json").json["rows"]
    origin = {row["key"]: row["origin"] for row in rows}
    assert origin["acquisition.acquired_per_year"] == "yours"
    assert origin["acquisition.cost_per_customer"] == "not stated"
    counted = ", ".join(
        f"{sum(row['origin'] == name for row in rows)} {name}"
        for name in ("yours", "assumed", "not stated")
    )
    assert f"Figures: {counted}." in " ".join(done("policy", "check", "policy.toml").out.split())
