"""What the law owes: which table applies to which problem on which day, and how much it says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.errors import PolicyError, RequestError, UnknownNameError
from clv.recommend.policy import Policy, StatutoryRemedy
from clv.recommend.recovery import recovery_limit
from clv.recommend.statutory import owed_by_law, without_table

TEXT = """
[[statutory]]
name = "refund of the price"
problems = ["defective", "wrong_item"]
country = "NL"
share_of_loss = 1.0
valid_from = 2022-01-01
valid_until = 2024-12-31
source = "an invented law, section 3"

[[statutory]]
name = "fixed compensation"
share_of_loss = 0.1
amount = 5.0
valid_from = 2020-06-01
source = "an invented ordinance"
"""
POLICY = Policy.parse(TEXT)
FROM_2024 = 'name = "x"\nsource = "y"\nvalid_from = 2024-01-01\n'
DAY = date(2024, 3, 1)


def names(problem: str = "defective", on: date = DAY, country: str = "NL") -> list[str]:
    return [owed.name for owed in owed_by_law(POLICY, problem, 40.0, on=on, country=country)]


def test_problem_day_and_country_decide() -> None:
    both = ["refund of the price", "fixed compensation"]
    assert names() == both
    assert names("late_delivery") == both[1:]
    assert names(country="BE") == both[1:]
    assert names(on=date(2022, 1, 1)) == both
    assert names(on=date(2021, 12, 31)) == both[1:]
    assert names(on=date(2024, 12, 31)) == both
    assert names(on=date(2025, 1, 1)) == both[1:]
    assert names(on=date(2020, 5, 31)) == []
    assert Policy().statutory == ()


@pytest.mark.parametrize("written", ["nl", "NL ", "Nl"])
def test_a_country_is_known_in_any_case(written: str) -> None:
    assert names(country=written) == names(country="NL")
    assert not without_table(POLICY, written)


def test_a_country_without_a_table_is_not_passed_over() -> None:
    told = without_table(POLICY, "Netherlands")
    assert "in 'Netherlands'" in told
    assert "its tables are for NL" in told
    assert not without_table(POLICY, "")  # not known: every table is told, with its country
    assert not without_table(Policy(), "Netherlands")  # no table names any country
    answer = recovery_limit(
        POLICY, "defective", 40.0, value_if_alive=400.0, frequency=2, on=DAY, country="Netherlands"
    )
    assert told in answer.warnings
    assert [owed.name for owed in answer.owed] == ["fixed compensation"]


def test_where_the_country_is_not_known_it_is_told() -> None:
    refund, fixed = owed_by_law(POLICY, "defective", 40.0, on=DAY)
    assert (refund.country, fixed.country) == ("NL", "")
    assert refund.sentence.startswith("Owed by law in NL, whatever else is given: 40.00, ")
    assert fixed.sentence.endswith("fixed compensation (an invented ordinance).")


@given(st.floats(0, 1e6))
def test_the_larger_of_share_and_amount(loss: float) -> None:
    refund, fixed = owed_by_law(POLICY, "defective", loss, on=DAY, country="NL")
    assert (refund.amount, fixed.amount) == (loss, max(0.1 * loss, 5.0))


@given(st.integers(-2000, 4000))
def test_a_day_is_inside_or_outside(days: int) -> None:
    day = DAY + timedelta(days)
    inside = date(2022, 1, 1) <= day <= date(2024, 12, 31)
    assert ("refund of the price" in names(on=day)) == inside


def test_tables_survive_the_file_and_count_in_the_version() -> None:
    assert Policy.parse(POLICY.to_toml()) == POLICY
    assert POLICY.is_set("statutory")
    assert POLICY.version != Policy().version
    assert "statutory" not in Policy().assumed


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        ("amount = 1.0", "line 1: statutory 1, name is missing"),
        ('name = "x"\namount = -1.0', "line 3: statutory 1, amount must be at least 0; got -1"),
        ('name = "x"\nvalid_from = "2024"', "valid_from must be a date without quotes"),
        ('name = "x"\nproblems = "defective"', "problems must be a list of texts in quotes"),
        ('name = "x"\nproblems = ["defctive"]', "line 3: statutory 1, problems: There is no"),
        ('name = "x"\nproblems = ["defctive"]', "Did you mean 'defective'"),
        ('name = "x"\nsum = 3.0', "line 3: There is no key statutory 1, sum"),
        (FROM_2024, "must owe something"),
        (
            f"{FROM_2024}amount = 1.0\nvalid_until = 2023-01-01",
            "ends 2023-01-01, before it begins 2024-01-01",
        ),
    ],
)
def test_faults_of_a_table(lines: str, part: str) -> None:
    with pytest.raises(PolicyError) as told:
        Policy.parse(f"[[statutory]]\n{lines}")
    assert part in str(told.value)


def test_a_remedy_for_a_type_of_ones_own() -> None:
    remedy = StatutoryRemedy(
        name="x", problems=("lost",), amount=1.0, valid_from=DAY, source="an invented law"
    )
    with pytest.raises(
        PolicyError, match=r"statutory 1, problems: There is no problem type 'lost'"
    ):
        Policy(statutory=(remedy,))
    own = Policy.parse("[problems.lost]\ndropout = 0.2")
    assert Policy(problems=own.problems, statutory=(remedy,)).statutory == (remedy,)


def test_requests_that_make_no_sense() -> None:
    with pytest.raises(UnknownNameError, match="defective"):
        owed_by_law(POLICY, "defectiv", 1.0, on=DAY)
    with pytest.raises(RequestError, match="loss"):
        owed_by_law(POLICY, "defective", float("nan"), on=DAY)
