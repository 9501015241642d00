"""What each command computes: the numbers of its parts, brought to the user unchanged."""

from __future__ import annotations

import csv
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import clv
from clv.inference.lifetimes_bridge import CrossCheck, cross_check
from clv.recommend.recovery import recovery_limit
from tests.cli.command import CDNOW, CDNOW_END, Run, clv_command, cold, done, executable

RECOVER = ["recover", "book", "0801", "--problem", "defective", "--loss", "80"]


@pytest.fixture(autouse=True)
def _folder(book_here: Path) -> None:
    """Work in a folder with a book and a policy of which only the margin is not assumed."""
    Path("policy.toml").write_text("margin = 0.3\n", encoding="utf-8")


def value_rows(*more: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = done("value", "book", *more, "--format", "json").json["rows"]
    return rows


# ------------------------------------------------------------------------- values, limits, budgets


def test_fit_gives_the_published_figures() -> None:
    """Fader, Hardie & Lee (2005), table 2, and (2005b): the decimals printed there."""
    answer = done("fit", *CDNOW, "--format", "json").json
    published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert answer["parameters"] == pytest.approx(published, abs=5e-4)
    # The paper prints -9582.4, on times of two decimals; on exact sevenths of days -9582.4292.
    assert answer["log_likelihood"] == pytest.approx(-9582.4292, abs=5e-5)
    assert (answer["customers"], answer["unit"], answer["end"]) == (2357, "week", CDNOW_END)
    assert answer["converged"] is True
    spend = answer["spend"]
    assert spend["parameters"] == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, abs=5e-3)
    assert spend["log_likelihood"] == pytest.approx(-4055.92, abs=5e-3)
    assert spend["customers"] == 946


def test_fit_beside_lifetimes() -> None:
    answer = done("fit", *CDNOW, "--cross-check", "--format", "json").json
    assert set(answer["cross_check"]) == {"purchases", "spend"}
    table = done("fit", *CDNOW, "--cross-check").out
    assert "lifetimes" in table
    assert "Known of lifetimes" not in table  # it agrees


def test_fit_beside_a_lifetimes_that_differs_says_what_is_known_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def differing(fit: Any) -> CrossCheck:
        check = cross_check(fit)
        return replace(check, rows=tuple(replace(r, lifetimes=2 * r.clv) for r in check.rows))

    monkeypatch.setattr(clv, "cross_check", differing, raising=False)
    told = " ".join(done("fit", *CDNOW, "--cross-check").out.split())
    assert "Known of lifetimes with BG/NBD, whatever the data: its covariance is wrong" in told
    assert "Known of lifetimes with Gamma-Gamma" in told


def test_fit_without_amounts_fits_the_purchases_alone() -> None:
    with clv.datasets.path("cdnow").open(encoding="utf-8") as opened:
        rows = [(row["customer_id"], row["date"]) for row in csv.DictReader(opened)]
    lines = ["customer_id,date", *(",".join(row) for row in rows)]
    Path("orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    bare = done("fit", "orders.csv", *CDNOW[1:], "--format", "json").json
    full = done("fit", *CDNOW, "--format", "json").json
    assert bare["parameters"] == full["parameters"]
    assert bare["spend"] is None


@pytest.fixture(scope="module")
def python_values() -> pd.DataFrame:
    """The same values as an analyst computes them, with the policy's terms in the open."""
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    histories = clv.histories(orders, end=CDNOW_END, unit="week")
    return clv.lifetime_value(
        histories,
        clv.BGNBD.fit(histories).model,
        clv.GammaGamma.fit(histories).model,
        margin=0.4,
        discount_rate=0.1,
        horizon_months=36,
    )


def test_value_equals_lifetime_value(python_values: pd.DataFrame) -> None:
    rows = value_rows()
    assert [row["customer_id"] for row in rows] == list(python_values.index)
    for name in python_values.columns:
        theirs = [math.nan if row[name] is None else row[name] for row in rows]
        assert theirs == pytest.approx(python_values[name].tolist(), rel=1e-12, nan_ok=True)


def test_value_of_one_and_of_the_top_are_rows_of_the_whole() -> None:
    rows = value_rows()
    ranked = sorted(rows, key=lambda row: (-row["lifetime_value"], row["customer_id"]))
    assert value_rows("--top", 25) == ranked[:25]
    assert value_rows("--top", 10_000) == ranked
    for row in (rows[0], rows[1234], rows[-1]):
        assert value_rows("--customer", row["customer_id"]) == [row]


def test_forecast_adds_up_to_the_expected_purchases() -> None:
    """36 months after a month's last day are the horizon of the values themselves."""
    answer = done("forecast", "book", "--months", 36, "--format", "json").json
    rows = value_rows()
    expected = math.fsum(row["expected_purchases"] for row in rows)
    revenue = math.fsum(row["expected_purchases"] * row["expected_spend"] for row in rows)
    assert math.fsum(row["orders"] for row in answer["rows"]) == pytest.approx(expected, rel=1e-10)
    assert answer["total"]["orders"] == pytest.approx(expected, rel=1e-10)
    assert answer["total"]["revenue"] == pytest.approx(revenue, rel=1e-10)
    assert answer["total"]["margin"] == pytest.approx(0.4 * revenue, rel=1e-10)
    assert [row["month"] for row in answer["rows"]][:4] == [
        "1997-10",
        "1997-11",
        "1997-12",
        "1998-01",
    ]


def test_forecast_months_are_differences_of_the_model_at_their_last_days() -> None:
    fit = done("fit", *CDNOW, "--format", "json").json
    model = clv.BGNBD(**fit["parameters"])
    rows = value_rows()
    x, t_x, T = ([row[name] for row in rows] for name in ("frequency", "recency", "T"))
    before = 0.0
    for month in done("forecast", "book", "--months", 5, "--format", "json").json["rows"]:
        weeks = (date.fromisoformat(month["last_day"]) - date.fromisoformat(CDNOW_END)).days / 7
        until = float(model.expected_purchases(weeks, x, t_x, T).sum())
        assert month["orders"] == pytest.approx(until - before, rel=1e-9)
        before = until


@pytest.mark.parametrize("total", [None, 0, 1, 300, 5000])
def test_budget_adds_up(total: float | None) -> None:
    asked = [] if total is None else ["--total", total]
    answer = done("budget", "book", *asked, "--format", "json").json
    spent = math.fsum(row["spend"] for row in answer["rows"])
    assert spent == pytest.approx(answer["total"], abs=1e-6)
    assert answer["total"] == pytest.approx(
        answer["optimal_total"] if total is None else min(total, answer["optimal_total"]), abs=1e-6
    )
    assert answer["shadow_price"] >= 1 - 1e-9
    assert all(0 < row["spend"] <= 50 for row in answer["rows"])  # the policy's max_per_customer
    ids = [row["customer_id"] for row in answer["rows"]]
    assert len(ids) == len(set(ids))
    assert set(ids) <= {row["customer_id"] for row in value_rows()}


@pytest.mark.parametrize("customer", ["0001", "0002", "0509"])
@pytest.mark.parametrize("problem", ["late_delivery", "mistreated", "safety_or_privacy"])
def test_recover_equals_recovery_limit(customer: str, problem: str) -> None:
    (row,) = value_rows("--customer", customer)
    case = ["--problem", problem, "--loss", 80, "--hours", 26, "--severity", 2]
    answer = done("recover", "book", customer, *case, "--format", "json").json
    total = sum(row["lifetime_value"] for row in value_rows())
    same = recovery_limit(
        clv.Policy(),
        problem,
        80.0,
        value_if_alive=row["value_if_alive"],
        frequency=row["frequency"],
        hours=26,
        severity=2,
        customer_id=customer,
        value_low=row["value_if_alive_low"],
        value_high=row["value_if_alive_high"],
        value_share=row["lifetime_value"] / total,
        days_since_first=7 * row["T"],  # the book is in weeks
    ).to_dict()
    # What the value itself assumes is assumed by the limit too.
    terms = ["margin", "discount_rate", "horizon_months"]
    assert sorted(answer.pop("assumed")) == sorted({*terms, *same.pop("assumed")})
    assert answer.pop("concerns") == []  # CDNOW tells every parameter
    assert answer.pop("end") == CDNOW_END
    assert "not priced" in answer.pop("warnings")[-1]  # no figures of acquisition
    del same["warnings"]
    shares = [one["inputs"].pop("value_share") for one in (answer, same)]
    assert shares[0] == pytest.approx(shares[1])
    assert answer == same


def test_recover_says_why_in_words() -> None:
    out = " ".join(done(*RECOVER).out.split())
    answer = done(*RECOVER, "--format", "json").json
    for reason in answer["reasons"]:
        assert " ".join(reason.split()) in out
    assert f"{len(answer['assumed'])} figures of the policy" in out
    for key in ("problems.defective.dropout", "recovery.savable_share", "margin"):
        assert f"({key})" in out
    assert f"Learned from the orders to {CDNOW_END}" in out
    span = f"{answer['recommended_low']:,.2f} to {answer['recommended_high']:,.2f}"
    assert f"its 10-90 % range {span}" in out
    assert f"{answer['recommended']:,.2f}" in out
    assert answer["authority"] in out
    assert out.startswith(answer["sentence"])  # the answer first
    other = answer["other_form"]
    cash, credit = (f"{one['recommended']:,.2f}" for one in (answer, other))
    assert f"recommended {cash} {credit} its 10-90 %" in out


def test_a_person_decides_about_an_integral_customer() -> None:
    """0509 is 1.6 % of the value of all 2,357; the policy draws the line at 1 %."""
    case = ["recover", "book", "0509", *RECOVER[3:]]
    answer = done(*case, "--format", "json").json
    assert (answer["authority"], answer["stage"]) == ("a person decides", "integral")
    assert answer["risk_averse"]["expected_value"] > 0
    out = done(*case).out
    assert out.startswith("A person decides this one")
    assert "state risk_tolerance in [integral]" in " ".join(out.split())


def test_gestures_on_one_problem_add_up() -> None:
    case = ["recover", "book", "0801", "--problem", "wrong_item", "--loss", 20, "--severity", 3]
    whole = done(*case, "--format", "json").json
    first = whole["first_gesture"]
    rest = done(*case, "--already-given", first, "--format", "json").json
    assert 0 < first < whole["recommended"]
    assert first + rest["recommended"] == whole["recommended"]
    assert first + rest["most"] == pytest.approx(whole["most"])


def test_many_claims_are_looked_at_and_change_nothing() -> None:
    plain = done(*RECOVER, "--format", "json").json
    many = done(*RECOVER, "--claims", 9, "--format", "json").json
    assert many["review"]["review"]
    assert many["review"]["sentence"] in many["warnings"]
    assert many["recommended"] == plain["recommended"]


# ------------------------------------------------------------------------------------------- group


def test_where_nothing_is_recommended_nobody_approves_it(cdnow_book: Path) -> None:
    case = ["recover", cdnow_book, "0801", "--problem", "wrong_item", "--loss", 20]
    assert "who may approve the recommended amount" in done(*case).out
    nothing = done(*case, "--already-given", 500).out
    assert nothing.startswith("Offer nothing more")
    assert "who may approve" not in nothing
    group = ["recover", cdnow_book, "--all", "--problem", "returned_item", "--loss", 0.5]
    assert "of whom it keeps most" not in done(*group).out  # an offer of nothing keeps nothing


GROUP = ["recover", "book", "--all", "--problem", "outage"]


def test_one_offer_for_all() -> None:
    answer = done(*GROUP, "--loss", 10, "--format", "json").json
    assert answer["customers"] == len(answer["rows"]) == len(value_rows())
    assert {row["offer"] for row in answer["rows"]} == {answer["offer"]}
    assert answer["cost"] == pytest.approx(answer["customers"] * answer["offer"])
    assert answer["gain_low"] <= answer["gain"] <= answer["gain_high"]
    out = " ".join(done(*GROUP, "--loss", 10).out.split())
    for sentence in answer["sentences"]:
        assert sentence in out


def test_one_offer_for_those_who_are_affected() -> None:
    Path("hit.csv").write_text("customer_id,loss\n0801,\n1981,40\nnew,\n", encoding="utf-8")
    case = [*GROUP, "--customers", "hit.csv"]
    answer = done(*case, "--loss", 10, "--format", "json").json
    assert [row["customer_id"] for row in answer["rows"]] == ["0801", "1981", "new"]
    assert answer["unknown"] == 1
    assert answer["rows"][2]["value_kept"] is None
    assert answer["rows"][2]["offer"] == 10  # an outage gives back all that was lost
    assert answer["rows"][1]["offer"] == 40
    run = done(*case, "--loss", 10, "-o", "amounts.csv")
    assert "Wrote 3 rows" in run.err
    header = ",".join([*answer["rows"][0], "policy_version"])
    assert Path("amounts.csv").read_text("utf-8").splitlines()[0] == header


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([*RECOVER, "--all"], 2, "One customer or --all"),
        (["recover", "book", "--problem", "outage", "--loss", 1], 2, "--all for a failure"),
        ([*GROUP, "--loss", 1, "--claims", 3], 2, "--claims: only for one customer"),
        ([*RECOVER, "--customers", "x.csv"], 2, "--customers: only with --all"),
        ([*GROUP], 2, "--loss AMOUNT"),
        ([*GROUP, "--customers", "none.csv"], 1, "There is no file none.csv"),
        ([*GROUP, "--customers", "twice.csv", "--loss", 1], 1, "1 customers twice (first: 0801)"),
        ([*GROUP, "--customers", "words.csv"], 1, "line 2, 'much'"),
        ([*GROUP, "--customers", "strange.csv", "--loss", 1], 1, "knows none of these 1 customers"),
        ([*GROUP, "--customers", "plain.csv"], 1, "It is not known what 1 of 1 customers lost"),
        ([*GROUP, "--customers", "empty.csv", "--loss", 1], 1, "names no customers"),
    ],
)  # fmt: skip
def test_what_many_cannot_be_asked(arguments: list[object], status: int, says: str) -> None:
    files = {
        "twice": "customer_id\n0801\n0801\n",
        "words": "customer_id,loss\n0801,much\n",
        "strange": "customer_id\nnobody\n",
        "plain": "customer_id\n0801\n",
        "empty": "",
    }
    for name, text in files.items():
        Path(f"{name}.csv").write_text(text, encoding="utf-8")
    run = clv_command(*arguments)
    assert run.status == status
    assert says in " ".join(run.err.split())


# --------------------------------------------------------------------------------------- intervals


def test_every_command_shows_the_interval_that_json_has() -> None:
    (row,) = value_rows("--customer", "0509")
    assert row["lifetime_value_low"] < row["lifetime_value"] < row["lifetime_value_high"]
    assert row["value_if_alive_low"] < row["value_if_alive"] < row["value_if_alive_high"]
    table = done("value", "book", "--top", 3).out
    assert f"{row['lifetime_value_low']:,.0f} to {row['lifetime_value_high']:,.0f}" in table
    forecast = done("forecast", "book", "--months", 3, "--format", "json").json
    shown = done("forecast", "book", "--months", 3).out
    for month in (*forecast["rows"], forecast["total"]):
        for name in ("orders", "revenue", "margin"):
            low, high = month[f"{name}_low"], month[f"{name}_high"]
            assert low < month[name] < high
            assert f"{low:,.0f} to {high:,.0f}" in shown
    budget = done("budget", "book", "--total", 300, "--format", "json").json
    assert budget["gain_low"] < budget["total_gain"] < budget["gain_high"]
    assert f"between {budget['gain_low']:,.2f} and {budget['gain_high']:,.2f}" in " ".join(
        done("budget", "book", "--total", 300).out.split()
    )


def test_without_a_posterior_no_interval_but_the_reason() -> None:
    """Everybody spends 20 each time: how spend differs is not known, and each command says so."""
    with clv.datasets.path("cdnow").open(encoding="utf-8") as opened:
        rows = [(row["customer_id"], row["date"], "20") for row in csv.DictReader(opened)]
    once = {row[:2]: row for row in rows}  # one order a day, or the day's total differs
    lines = ["customer_id,date,amount", *(",".join(row) for row in once.values())]
    Path("orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    built = " ".join(done("build", "orders.csv", *CDNOW[1:], "-o", "equal").out.split())
    why = "no interval is shown of anything in money"
    assert why in built
    caution = "Caution: The 946 customers with repeat purchases differ in what they spend no more"
    assert caution in built
    for line in (["value"], ["forecast"], ["recover", "0801", *RECOVER[3:]], ["budget"]):
        told = " ".join(done(line[0], "equal", *line[1:]).out.split())
        assert why in told, line
        assert caution in told, line
    (row,) = done("value", "equal", "--customer", "0001", "--format", "json").json["rows"]
    assert row["expected_spend"] == pytest.approx(20.0)
    assert row["lifetime_value_low"] is None
    months = done("forecast", "equal", "--format", "json").json
    assert months["total"]["orders_low"] < months["total"]["orders"]  # purchases are told
    assert months["total"]["margin_low"] is None


# ------------------------------------------------------------------------------------------ policy


def test_what_the_policy_states_is_no_longer_assumed() -> None:
    Path("policy.toml").write_text(
        'currency = "EUR"\nmargin = 0.2\nhorizon_months = 12\n', encoding="utf-8"
    )
    done("build", *CDNOW, "-o", "mine", "--policy", "policy.toml")
    mine = done("value", "mine", "--format", "json").json
    assert (mine["currency"], mine["assumed"]) == ("EUR", ["discount_rate"])
    assert mine["terms"]["margin"] == 0.2
    table = done("value", "mine").out
    assert "lifetime value EUR" in table
    assert "over 12 calendar months" in " ".join(table.split())
    assert "margin 0.2" not in table.partition("Assumed")[2]
    recovery = done("recover", "mine", *RECOVER[2:], "--format", "json").json
    assert "margin" not in recovery["assumed"]
    assert recovery["currency"] == "EUR"


def test_without_a_horizon_the_number_of_purchases_is_no_number() -> None:
    Path("policy.toml").write_text('horizon_months = "none"\n', encoding="utf-8")
    done("build", *CDNOW, "-o", "mine", "--policy", "policy.toml")
    (row,) = done("value", "mine", "--customer", "0001", "--format", "json").json["rows"]
    assert row["expected_purchases"] is None
    assert row["lifetime_value"] > value_rows("--customer", "0001")[0]["lifetime_value"]
    (told,) = done("value", "mine", "--customer", "0001", "--format", "csv").csv
    assert told["expected_purchases"] == ""
    table = " ".join(done("value", "mine", "--customer", "0001").out.split())
    assert "no horizon" in table
    assert "without a horizon" in table
    assert done("forecast", "mine", "--months", 2).out
    assert done("budget", "mine").out


def test_the_default_policy_is_assumed_until_each_line_is_uncommented() -> None:
    done("policy", "init", "default.toml")
    rows = done("policy", "check", "default.toml", "--format", "json").json["rows"]
    assert {row["origin"] for row in rows} == {"assumed", "not stated"}
    assert all((row["origin"] == "not stated") == (row["value"] is None) for row in rows)
    text = Path("default.toml").read_text(encoding="utf-8")
    Path("mine.toml").write_text(re.sub(r"(?m)^# (?=\w+ = )", "", text), encoding="utf-8")
    mine = done("policy", "check", "mine.toml", "--format", "json").json["rows"]
    assert {row["origin"] for row in mine} == {"yours"}
    stated = {row["key"]: row["value"] for row in mine}
    assert {row["key"]: row["value"] for row in rows}.items() <= stated.items()


# ------------------------------------------------------------------------- in a process of its own


def test_the_installed_command_answers_as_the_function_does(here: Path) -> None:
    def run_cold(*arguments: str) -> Run:
        run = cold(*arguments, cwd=here)
        assert run.status == 0, run.err
        return run

    limit = [*RECOVER, "--format", "json"]
    assert run_cold(*limit).json == done(*limit).json
    top = ["value", "book", "--top", "5", "--format", "csv"]
    assert run_cold(*top).csv == done(*top).csv
    assert run_cold("--version").out.split()[-1] == clv.__version__


def test_a_recovery_limit_waits_for_no_library_it_does_not_need(here: Path) -> None:
    """A support lead has the customer on the line; each of these takes up to half a second."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", executable(), *RECOVER],
        capture_output=True, text=True, check=True, cwd=here,
    )  # fmt: skip
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    loaded = {line.rsplit("|", 1)[1].strip() for line in lines}
    assert "pyarrow" in loaded  # the listing was read
    slow = {"pandas", "duckdb", "ibis", "matplotlib", "lifetimes", "scipy.optimize"}
    assert not loaded & slow


def test_it_answers_into_a_pipe_that_closes_early(here: Path) -> None:
    """As in `clv value book --format csv | head -1`."""
    line = [executable(), "value", "book", "--format", "csv"]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=here
    ) as run:  # fmt: skip
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().startswith("customer_id,")
        run.stdout.close()
        assert run.stderr.read() == ""


def test_what_the_policy_gives_beyond_the_value_is_named(book_here: Path) -> None:
    """Customer 0001 is worth so little that none pays for itself; the floor of 2 stands."""
    out = done("recover", book_here, "0001", "--problem", "wrong_item", "--loss", 20).out
    (most,) = [line for line in out.splitlines() if line.startswith("most that")]
    assert "(the policy gives more)" in most
    assert most.split()[-2:] == ["none", "none"]
    valued = done("recover", book_here, "0801", "--problem", "wrong_item", "--loss", 20).out
    assert "(the policy gives more)" not in valued


def test_the_assumed_figures_that_matter_are_said_in_words(book_here: Path) -> None:
    asked = ["recover", book_here, "0801", "--problem", "wrong_item", "--loss", 20]
    told = " ".join(done(*asked).out.split())
    policy = clv.Policy()
    dropout = policy.problem("wrong_item").dropout
    assert f"{100 * dropout:.0f} % of new customers leave over such a problem" in told
    assert f"{100 * policy.margin:.0f} % of revenue is margin (margin)" in told


def test_an_offer_to_vary_says_what_is_assumed_and_leaves_persons_to_persons(
    book_here: Path,
) -> None:
    asked = ["experiment", "assign", book_here]
    about = ["t-1", "--problem", "wrong_item", "--loss", 40]
    told = " ".join(done(*asked, "0801", *about).out.split())
    assert "10 % of the offers get a step more is assumed" in told  # the policy's own default
    integral = " ".join(done(*asked, "0509", *about).out.split())
    assert integral.startswith("A person decides this one")
    assert "Offer" not in integral
    row = json.loads(done(*asked, "0509", *about, "--format", "json").out)
    assert (row["offer"], row["assigned_arm"], row["reason"]) == (None, None, "A person decides.")


def test_a_caution_is_said_once(here: Path, retail_book: Path) -> None:
    """And in words that name no parameter; JSON has the parameters."""
    book = clv.Book(retail_book)
    (concern,) = [c for c in book.plain_concerns if "in every respect" in c]
    assert "hardly tell b (" in " ".join(
        done("value", retail_book, "--format", "json").json["concerns"]
    )
    once = " ".join(concern.split())
    built = done("build", clv.datasets.path("online_retail"), "-o", "book", "--end", "2011-12-09")
    for told in (built, done("value", retail_book)):
        assert " ".join(told.out.split()).count(once) == 1
