"""Budgets of a book: who is in which stage, what a new customer is worth, problems to come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import clv
from clv.book.budget import acquisition, curve, offers, retention_stakes, stages
from clv.book.split import Expected, loyal, split
from clv.errors import RequestError, UnknownNameError
from clv.recommend.retention_offers import Offer
from clv.recommend.split import Project
from clv.recommend.stages import STAGES
from clv.value.terms import Terms
from tests.cli.command import CDNOW_END


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> clv.Book:
    """A book of the CDNOW sample; not to be changed."""
    path: Path = tmp_path_factory.mktemp("books") / "book"
    return clv.build_book(clv.datasets.path("cdnow"), path, end=CDNOW_END, unit="week")


def test_stages_follow_the_rules_of_the_policy(book: clv.Book) -> None:
    # 39 weeks and 12 of joining: nobody is new (90 days) or long-time (365 days) yet
    codes, frame = stages(book), book.values()
    share = frame["lifetime_value"] / frame["lifetime_value"].sum()
    names = np.array(STAGES)[codes]
    assert ((names == "integral") == (share >= book.policy.integral.value_share)).all()
    lapsed = (frame["p_alive"] < book.policy.stages.lapsed_below) & (names != "integral")
    assert ((names == "lapsed") == lapsed).all()
    assert set(names) == {"integral", "lapsed", "short_time"}


def test_what_a_new_customer_is_worth(book: clv.Book) -> None:
    new, model = acquisition(book), book.purchases
    terms = Terms(book.policy.margin, book.policy.discount_rate, book.policy.horizon_months)
    none = np.zeros(1)
    bought = model.discounted_purchases_if_alive(
        none, none, none, rate=terms.rate("week"), horizon=terms.horizon(book.end, "week")
    )
    spend = book.manifest["paid_share"] * float(book.spend.expected_spend(none, none)[0])
    assert new.first_margin == pytest.approx(book.policy.margin * spend)
    assert new.value_after == pytest.approx(book.policy.margin * spend * float(bought[0]))
    assert new.cost is None


def test_a_loyal_customer_beside_the_rule_of_thumb(book: clv.Book) -> None:
    ratio, of_whom = loyal(book)
    frame = book.values()
    five = frame[np.array(STAGES)[stages(book)] == "integral"]
    first = acquisition(book).first_margin
    left = book.policy.margin * five["spend_frequency"] * five["monetary_value"]
    multiple = float((first + left + five["lifetime_value"]).mean()) / first
    assert f"{multiple:.1f} times the first purchase (rule of thumb: up to 10 times)" in ratio
    assert "mean of 5 long-time and integral customers" in of_whom


def test_the_curve_and_the_budget_agree(book: clv.Book) -> None:
    whole = book.budget()
    shown = curve(book, [0.5 * whole.total, whole.total])
    assert shown.optimal_total == pytest.approx(whole.total)
    assert shown.gain[1] == pytest.approx(whole.total_gain)
    half = book.budget(0.5 * whole.total)
    assert shown.gain[0] == pytest.approx(half.total_gain)
    assert half.total_gain < whole.total_gain


def test_offers_of_a_book_use_what_is_at_stake(book: clv.Book) -> None:
    at = retention_stakes(book)
    got = offers(book, [Offer("voucher", 10.0)], 100.0)
    served = got.offer == "voucher"
    assert served.sum() == 10
    assert got.expected_gain[served] == pytest.approx((at.w * -np.expm1(-10 * at.k))[served])
    kept = at.w * -np.expm1(-10 * at.k)
    assert kept[served].min() >= kept[~served].max() - 1e-9  # the ten with whom most is kept


def test_problems_meet_customers_as_they_buy(book: clv.Book) -> None:
    got = split(book, expected=[Expected("defective", 40, 35), Expected("outage", 10, 50)])
    spent = {part.name: part for part in got.parts if part.purpose == "recovery"}
    assert set(spent) == {"defective item", "outage"}
    # all of the loss is owed in an outage, by the policy's floor; 5 % of it for a defective item
    assert spent["outage"].spend >= 10 * 50 - 1e-9
    assert spent["defective item"].spend >= 40 * 0.05 * 35 - 1e-9
    twice = split(book, expected=[Expected("defective", 80, 35)])
    (of_twice,) = [part for part in twice.parts if part.purpose == "recovery"]
    assert of_twice.spend == pytest.approx(2 * spent["defective item"].spend)
    assert {"problems.defective.dropout", "recovery.savable_share"} <= set(got.assumed)
    assert "problems.mistreated.dropout" not in got.assumed


def test_what_recovery_will_need_knows_the_fair_spread(tmp_path: Path) -> None:
    # nobody more than the floor itself: 5 % of 35 for a defective item, by the policy
    alike = clv.Policy.parse("[fairness]\nspread = 1.0")
    path = tmp_path / "book"
    book = clv.build_book(clv.datasets.path("cdnow"), path, policy=alike, end=CDNOW_END)
    got = split(book, expected=[Expected("defective", 40, 35)])
    assert got.spend_on("recovery") == pytest.approx(40 * 0.05 * 35)


def test_what_recovery_will_need_is_never_more_than_the_limits_say(book: clv.Book) -> None:
    got = split(book, expected=[Expected("defective", 40, 35)])
    rich = clv.recovery_limit(book.policy, "defective", 35, value_if_alive=1e9, frequency=0)
    assert got.spend_on("recovery") <= 40 * rich.recommended + 1e-9
    assert "fairness.spread" in got.assumed
    without_floor = split(book, expected=[Expected("returned_item", 40, 35)])
    assert "fairness.spread" not in without_floor.assumed


def test_appreciation_is_that_of_the_stages(book: clv.Book) -> None:
    got = split(book, projects=[Project("boxes", 50, 40)])
    per_stage = book.policy.retention.stage_appreciation
    thanks = sum(per_stage.get(STAGES[code], 0.0) for code in stages(book))
    assert got.spend_on("appreciation") == thanks > 0
    assert got.declined == ("boxes",)


def test_what_cannot_be_expected_is_refused(book: clv.Book) -> None:
    with pytest.raises(UnknownNameError):
        split(book, expected=[Expected("defectiv", 40, 35)])
    with pytest.raises(RequestError, match="loss above 0"):
        split(book, expected=[Expected("defective", -1, 35)])
    with pytest.raises(RequestError, match="'stage', or by segments"):
        book.budget(by="region")
