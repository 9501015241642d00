"""What a book adds to recovery limits: stage, word of mouth, the law of today, who is affected."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import clv
from clv.book.budget import acquisition, stages
from clv.book.recovery import read_affected
from clv.errors import RequestError
from clv.recommend.group import uniform_offer
from clv.recommend.stages import STAGES
from clv.recommend.word_of_mouth import word_of_mouth

STATED = """
[acquisition]
cost_per_customer = 1.0
acquired_per_year = 1000
share_by_word_of_mouth = 0.3
happy_customers = 2000
[integral]
value_share = 0.015
[[statutory]]
name = "an invented remedy"
amount = 5.0
valid_from = 2022-01-01
source = "an invented law"
[[statutory]]
name = "a remedy of the past"
amount = 7.0
valid_from = 2001-01-01
valid_until = 2001-12-31
source = "an invented law"
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> clv.Book:
    return clv.build_book(
        clv.datasets.path("cdnow"),
        tmp_path_factory.mktemp("recovery") / "book",
        end="1997-09-30",
        unit="week",
        policy=clv.Policy.parse(STATED),
    )


def test_what_customers_tell_is_priced_by_the_books_own_new_customer(book: clv.Book) -> None:
    worth = word_of_mouth(book.policy, acquisition(book).value)
    answer = book.recover("0801", "defective", 40.0)
    assert worth.at_stake > 0
    assert answer.inputs.word_of_mouth == worth.at_stake
    of_value = answer.inputs.dropout * answer.inputs.value_if_alive
    assert answer.ceiling == pytest.approx(of_value + worth.at_stake)
    assert "word_of_mouth.told_when_unhappy" in answer.assumed
    assert not any("not priced" in warning for warning in answer.warnings)


def test_the_stage_is_that_of_the_book(book: clv.Book) -> None:
    table = book.read(("customer_id",))
    codes = dict(zip(table.column(0).to_pylist(), stages(book), strict=True))
    for who in ("0001", "0509", "0801", "0157"):  # all far from being lapsed
        label = book.policy.stages.labels[STAGES[codes[who]]]
        assert book.recover(who, "defective", 40.0).stage == label
    assert STAGES[codes["0509"]] == "integral"


def test_the_law_is_that_of_the_day_of_the_problem(book: clv.Book) -> None:
    def owed(**more: object) -> list[str]:
        answer = book.recover("0801", "defective", 40.0, **more)  # type: ignore[arg-type]
        return [one.name for one in answer.owed]

    assert owed() == ["an invented remedy"]
    assert owed(on=date(2001, 6, 1)) == ["a remedy of the past"]
    hours = (datetime.now() - datetime(2001, 6, 1)) / timedelta(hours=1)
    assert owed(hours=hours) == ["a remedy of the past"]


def test_a_second_problem_soon_after_the_first_puts_more_at_stake(book: clv.Book) -> None:
    never, long_ago, now = (
        book.recover("0801", "defective", 40.0, days_since_incident=days).ceiling
        for days in (None, 300.0, 5.0)
    )
    assert never < long_ago < now


def test_all_customers_count_with_their_probability_of_being_there(book: clv.Book) -> None:
    offer = book.recover_all("outage", 10.0)
    names = ("value_if_alive", "frequency", "p_alive", "lifetime_value")
    V, x, alive, lifetime = (np.asarray(c) for c in book.read(names).columns)
    same = uniform_offer(
        book.policy,
        "outage",
        10.0,
        customer_id=np.arange(len(V)),
        value_if_alive=V,
        frequency=x,
        p_alive=alive,
        word_of_mouth=word_of_mouth(book.policy, acquisition(book).value).at_stake,
        value_share=lifetime / lifetime.sum(),
    )
    assert offer.offer == same.offer
    assert offer.gain == pytest.approx(same.gain)
    assert int(offer.person.sum()) == int((lifetime >= 0.015 * lifetime.sum()).sum())


def test_losses_of_their_own_count_before_the_common_one(book: clv.Book) -> None:
    offer = book.recover_all(
        "outage", 10.0, customers=["0801", "0001"], losses=[30.0, float("nan")]
    )
    assert offer.spend.tolist() == [30, 10]  # an outage gives back what was lost
    with pytest.raises(RequestError, match="what 1 of 2 customers lost"):
        book.recover_all("outage", customers=["0801", "0001"], losses=[30.0, float("nan")])


def test_a_file_of_customers(tmp_path: Path) -> None:
    file = tmp_path / "hit.csv"
    file.write_text("order,customer_id,loss\n1, 007 ,12.50\n2,8\n\n", encoding="utf-8-sig")
    who, losses = read_affected(file)
    assert who == ["007", "8"]
    assert losses is not None
    assert losses[0] == 12.5
    assert np.isnan(losses[1])
    file.write_text("id\n007\n", encoding="utf-8")
    assert read_affected(file) == (["007"], None)


def test_all_faults_of_a_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "hit.csv"
    file.write_text("customer_id,loss\n7,much\n,1\n7,2\n", encoding="utf-8")
    with pytest.raises(RequestError) as told:
        read_affected(file)
    for part in ("name nobody (first: line 3)", "7", "line 2, 'much'", "2 more faults"):
        assert part in str(told.value)
