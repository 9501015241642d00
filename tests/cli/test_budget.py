"""`clv budget` by segment, over offers, of every size and for every purpose: what finance types."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.command import CDNOW, clv_command, done


@pytest.fixture(autouse=True)
def _folder(book_here: Path) -> None:
    """Work in a folder with a book, offers and regions of three of its customers."""
    Path("offers.csv").write_text("offer,cost,effect\nletter,1,0.02\nvoucher,10,\n", "utf-8")
    Path("regions.csv").write_text(
        "customer_id,region\n0509,north\n1516,north\n1081,south\n9999,south\n", "utf-8"
    )


def refused(*arguments: object, status: int = 1, says: list[str]) -> None:
    run = clv_command("budget", "book", *arguments)
    assert run.status == status
    assert run.out == ""
    assert "Traceback" not in run.err
    for part in says:
        assert part in " ".join(run.err.split())


# -------------------------------------------------------------------------- by stage and segment


def test_by_stage_adds_up_to_the_same_budget() -> None:
    plain = done("budget", "book", "--total", 150, "--format", "json").json
    told = done("budget", "book", "--total", 150, "--by", "stage", "--format", "json").json
    spent = {row["customer_id"]: row["spend"] for row in told["rows"]}
    assert spent == pytest.approx({row["customer_id"]: row["spend"] for row in plain["rows"]})
    assert math.fsum(share["spend"] for share in told["segments"]) == pytest.approx(150)
    assert sum(share["customers"] for share in told["segments"]) == told["customers"] == 2357
    for share in told["segments"]:
        rows = [row for row in told["rows"] if row["segment"] == share["segment"]]
        assert len(rows) == share["funded"]
        assert math.fsum(row["spend"] for row in rows) == pytest.approx(share["spend"])
    assert told["cost_of_quotas"] == 0


def test_a_quota_holds_and_says_what_it_costs() -> None:
    asked = ["budget", "book", "--total", 150, "--quota", "integral=..40"]  # by stage
    told = done(*asked, "--format", "json").json
    (integral,) = [share for share in told["segments"] if share["segment"] == "integral"]
    assert integral["spend"] == pytest.approx(40)
    assert (integral["most"], integral["binding"]) == (40, "most")
    assert told["cost_of_quotas"] > 0
    out = done(*asked).out
    assert "gets its most" in out
    assert f"would gain {told['cost_of_quotas']:,.2f} more" in out


def test_a_stage_goes_by_its_label_and_by_its_key_and_may_be_empty() -> None:
    """Nobody of CDNOW's nine months is a long-time customer: at most 5 for them binds nothing."""
    asked = ["budget", "book", "--total", 150, "--format", "json"]
    plain = done(*asked, "--by", "stage").json
    for name in ("long-time", "long_time"):
        assert done(*asked, "--quota", f"{name}=..5").json["segments"] == plain["segments"]
    refused("--quota", "longtime=..5", says=["no stage 'longtime'", "mean 'long-time'", "prospect"])
    refused("--quota", "long-time=5..", says=["No customer is in 'long-time'"])


def test_segments_of_a_file() -> None:
    told = done(
        "budget", "book", "--total", 150, "--by", "regions.csv", "--quota", "north=80..", "--quota",
        "south=..5", "--format", "json",
    ).json  # fmt: skip
    spent = {share["segment"]: share["spend"] for share in told["segments"]}
    assert spent["north"] == pytest.approx(80)
    assert spent["south"] == pytest.approx(5)
    assert spent["(no segment)"] == pytest.approx(65)


def test_who_is_left_over_of_a_file_of_segments_is_told() -> None:
    """9999 is in the file and not in the book; three of 2,357 customers have a region."""
    asked = ["budget", "book", "--total", 150, "--by", "regions.csv"]
    strangers = "1 of the 4 customers that regions.csv names are not in the book (first: 9999)."
    without = "2,354 customers of the book have no segment in regions.csv (first: 0001, 0002, 0003)"
    sentences = done(*asked, "--format", "json").json["sentences"]
    for told in (
        " ".join(sentences),
        done(*asked).out,
        done(*asked, "--format", "csv").err,
        done(*asked, "-o", "who.csv").err,
    ):
        assert strangers in " ".join(told.split())
        assert without in " ".join(told.split())
    assert "no segment in" not in done("budget", "book", "--total", 150, "--by", "stage").out


def test_by_stage_shows_gestures_and_what_a_prospect_is_worth() -> None:
    told = done("budget", "book", "--by", "stage", "--format", "json").json
    assert [one["stage"] for one in told["stages"]] == [s["segment"] for s in told["segments"]]
    out = " ".join(done("budget", "book", "--by", "stage").out.split())
    short = told["stages"][0]["gestures"]
    for gesture in short:
        amount = f"{gesture['recommended']:.2f}" if gesture["recommended"] else "none"
        person = gesture["authority"] == "a person decides"
        assert f"{gesture['label']} {'a person' if person else amount} a person" in out
    assert "The loss is taken to be one order" in out
    assert f"it pays to spend up to {told['new_customer']['value']:,.2f} to win one." in out


def test_segments_that_cannot_be_read_or_met() -> None:
    Path("twice.csv").write_text("id,region\n0509,north\n0509,south\n", "utf-8")
    Path("strangers.csv").write_text("id,region\nx,north\n", "utf-8")
    Path("narrow.csv").write_text("id\n0509\n", "utf-8")
    refused("--by", "none.csv", says=["no file none.csv"])
    refused("--by", "twice.csv", says=["names 1 customers twice", "0509"])
    refused("--by", "strangers.csv", says=["names none of the customers", "'x'", "'0001'"])
    refused("--by", "narrow.csv", says=["two columns", "its header has one"])
    refused("--by", "regions.csv", "--quota", "east=5..", says=["'east'", "'north'"])
    refused("--quota", "integral=60..50", says=["60.00", "50.00"])
    refused(
        "--total", 100, "--quota", "integral=900..",
        says=["'integral'", "650.00 too much", "800.00 is missing"],
    )  # fmt: skip
    refused("--quota", "integral", status=2, says=["NAME=LEAST..MOST"])
    refused("--quota", "integral=x..", status=2, says=["not a number"])


# --------------------------------------------------------------------------------------- the curve


def test_the_curve_is_what_budgets_of_its_sizes_keep() -> None:
    told = done("budget", "book", "--curve", "--format", "json").json
    for row in told["rows"][2::9]:
        if row["total"] <= told["optimal_total"]:
            same = done("budget", "book", "--total", row["total"], "--format", "json").json
            assert row["expected_gain"] == pytest.approx(same["total_gain"])
            assert row["marginal_return"] == pytest.approx(same["shadow_price"], rel=1e-6)
    assert max(told["rows"], key=lambda row: float(row["net_gain"]))["total"] == pytest.approx(
        told["optimal_total"], rel=0.1
    )


def test_the_curve_shows_the_budget_there_is() -> None:
    out = done("budget", "book", "--curve", "--total", 100).out
    assert "total worth asking for" in out
    assert any(line.split()[:1] == ["100.00"] for line in out.splitlines())


def test_the_curve_goes_into_files_and_pictures() -> None:
    done("budget", "book", "--curve", "-o", "curve.parquet")
    assert pq.read_table("curve.parquet").column_names == [
        "total", "expected_gain", "gain_low", "gain_high", "net_gain", "marginal_return",
        "policy_version",
    ]  # fmt: skip
    run = done("budget", "book", "--curve", "-o", "curve.png")
    assert "Wrote curve.png" in run.err
    assert Path("curve.png").read_bytes().startswith(b"\x89PNG")
    refused("--curve", "-o", "nowhere/curve.png", says=["no folder nowhere"])
    refused("-o", "budget.png", status=2, says=["only the curve"])


# ------------------------------------------------------------------------------------------ offers


def test_offers_add_up_within_the_budget() -> None:
    told = done("budget", "book", "--offers", "offers.csv", "--total", 200, "--format", "json").json
    cost = {"letter": 1, "voucher": 10}
    assert all(row["spend"] == cost[row["offer"]] for row in told["rows"])
    assert told["total"] == sum(row["spend"] for row in told["rows"]) <= 200
    assert told["counts"]["letter"] + told["counts"]["voucher"] == len(told["rows"])
    assert told["customers"] == 2357
    table = done("budget", "book", "--offers", "offers.csv", "--total", 200).out
    assert told["sentences"][0] in " ".join(table.split())
    done("budget", "book", "--offers", "offers.csv", "-o", "who.csv")
    header = "customer_id,offer,spend,expected_gain,policy_version\n"
    assert Path("who.csv").read_text("utf-8").startswith(header)


def test_offers_that_cannot_be_read() -> None:
    Path("bad.csv").write_text("offer,cost\nletter,cheap\n", "utf-8")
    refused("--offers", "bad.csv", says=["line 2", "'cheap'"])
    refused("--offers", "none.csv", says=["no file none.csv"])


# ---------------------------------------------------------------------------------------- purposes


def test_a_split_adds_up_and_says_what_is_behind_it() -> None:
    asked = [
        "budget", "book", "--total", 700, "--expect", "defective=40@35", "--project",
        "better boxes=50:150", "--project", "posters=50:20",
    ]  # fmt: skip
    told = done(*asked, "--format", "json").json
    assert math.fsum(row["spend"] for row in told["rows"]) == pytest.approx(told["total"])
    assert [row["purpose"] for row in told["rows"]] == [
        "retention", "recovery", "appreciation", "prevention",
    ]  # fmt: skip
    # at least the floor of the policy, 5 % of the loss, on each of 40
    assert told["rows"][1]["spend"] >= 40 * 0.05 * 35 - 1e-9
    assert told["declined"] == ["posters"]
    assert "problems.defective.dropout" in told["assumed"]
    out = done(*asked).out
    assert "posters" in out
    assert "not known" in out  # what appreciation keeps


def test_a_split_that_makes_no_sense() -> None:
    refused("--expect", "defective", status=2, says=["PROBLEM=COUNT@LOSS"])
    refused("--expect", "defective=4", status=2, says=["PROBLEM=COUNT@LOSS"])
    refused("--expect", "defectiv=4@3", says=["Did you mean 'defective'"])
    refused("--expect", "defective=4@0", says=["loss above 0"])
    refused("--project", "boxes=4", status=2, says=["NAME=COST:WORTH"])
    refused("--project", "boxes=0:4", says=["boxes", "above 0"])
    refused("--expect", "defective=400@35", "--total", 10, says=["is missing"])


def test_only_one_form_at_a_time() -> None:
    refused("--curve", "--by", "stage", status=2, says=["--by or --quota and --curve"])
    refused("--offers", "offers.csv", "--expect", "x=1@1", status=2, says=["do not go together"])


# ------------------------------------------------------------------------------------- acquisition


def test_the_next_unit_beside_acquisition_where_its_cost_is_known(here: Path) -> None:
    assert "cost_per_customer in [acquisition]" in " ".join(done("budget", "book").out.split())
    Path("policy.toml").write_text("[acquisition]\ncost_per_customer = 20.0\n", "utf-8")
    done("build", *CDNOW, "-o", "known", "--policy", "policy.toml")
    out = " ".join(done("budget", "known", "--total", 100).out.split())
    assert "on winning new ones 1.00 brings" in out
    assert "times what keeping one does (rule of thumb: 6 to 7 times)" in out


# ---------------------------------------------------------------------------------- without orders


def test_an_estimate_from_three_answers() -> None:
    # docs/explanation/retention.md: R0 20, r0 .6, C .8, m 100, d .1
    asked = ["estimate", "--spend", 20, "--kept", 0.6, "--at-most", 0.8, "--margin", 100]
    told = done(*asked, "--customers", 1000, "--format", "json").json
    now, best = told["rows"]
    assert best["spend"] == pytest.approx(34.878404, abs=5e-7)
    assert best["value"] == pytest.approx(102.315486, abs=5e-7)
    assert now["value"] == pytest.approx((100 * 0.6 - 20) / (1.1 - 0.6))
    assert told["total"] == pytest.approx(34_878.404, abs=5e-4)
    out = done(*asked, "--customers", 1000).out
    assert "34.88 a year on each customer instead of 20.00" in " ".join(out.split())
    assert "34,878.40" in out
    nothing = done(*asked[:-1], 1).out
    assert "No spending on keeping customers returns what it costs" in nothing


def test_an_estimate_that_makes_no_sense() -> None:
    run = clv_command(
        "estimate", "--spend", 0, "--kept", 0.9, "--at-most", 0.8, "--margin", 100
    )  # fmt: skip
    assert run.status == 1
    assert "spent now" in run.err
    assert "must be below" in run.err


def test_an_estimate_names_all_that_is_missing() -> None:
    told = clv_command("estimate", "--kept", 0.6)
    assert told.status == 2
    for name in ("--spend", "--at-most", "--margin"):
        assert f"\n{name} " in told.err
    assert "\n--kept " not in told.err
