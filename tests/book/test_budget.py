"""Budgets of a book: who is in which stage, what a new customer is worth, problems to come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import clv
from clv.book.budget import acquisition, curve, offers, retention_stakes, stages
from clv.book.budget_range import PROBED, EffectOfMoney, _probe, kept_ranges
from clv.book.split import Expected, loyal, split
from clv.errors import RequestError, UnknownNameError
from clv.recommend.retention_offers import Offer
from clv.recommend.retention_uncertainty import MoneyDraws
from clv.recommend.split import Project
from clv.recommend.stages import STAGES
from clv.value.terms import Terms
from tests.cli.command import CDNOW_END


@pytest.fixture(scope="module")
def book(cdnow_book: Path) -> clv.Book:
    """A book of the CDNOW sample; not to be changed."""
    return clv.Book(cdnow_book)


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


def test_the_part_of_retention_has_the_interval_of_a_budget_of_its_size(book: clv.Book) -> None:
    got = split(book, 300, expected=[Expected("defective", 10, 20)])
    spent = got.spend_on("retention")
    same = book.budget(spent).gain_range
    kept = got.retention_range
    assert kept is not None
    assert same is not None
    assert kept.low == pytest.approx(same.low, rel=1e-6)
    assert kept.high == pytest.approx(same.high, rel=1e-6)
    assert kept.low < got.retention.total_gain < kept.high
    told = " ".join(got.sentences())
    assert f"keep {got.retention.total_gain:,.2f} of value. What is not known leaves that" in told
    assert "What recovery keeps hangs on what you expect, and has no interval." in told
    assert got.to_dict()["retention_low"] == kept.low


def test_what_cannot_be_expected_is_refused(book: clv.Book) -> None:
    with pytest.raises(UnknownNameError):
        split(book, expected=[Expected("defectiv", 40, 35)])
    with pytest.raises(RequestError, match="loss above 0"):
        split(book, expected=[Expected("defective", -1, 35)])
    with pytest.raises(RequestError, match="'stage', or by segments"):
        book.budget(by="region")


def test_the_range_of_a_budget_has_two_parts(book: clv.Book) -> None:
    whole = book.budget(100.0)
    kept = whole.gain_range
    assert kept is not None
    assert kept.low < kept.orders_low < whole.total_gain < kept.orders_high < kept.high
    assert 0.9 < kept.from_money < 1  # assumed: e .3 ± .15 and a factor of two in the money scale
    assert kept.origin == "assumed"
    assert any(" % of this doubt is about what money achieves" in told for told in whole.sentences)


def test_were_it_known_what_money_achieves_only_the_orders_would_be_in_doubt(
    book: clv.Book,
) -> None:
    whole = book.budget(100.0)
    n = len(whole.spend)
    e = np.full(n, book.policy.retention.effect)
    scales = np.full(399, book.policy.retention.money_scale) + 1e-9 * np.arange(399)
    known = MoneyDraws(scales, 0.0, 0.0)  # σ, as good as
    sure = EffectOfMoney(e, np.zeros(n), np.zeros(n))
    (kept,) = kept_ranges(book, whole.spend[None], whole.expected_gain[None], sure, known)
    # each of the 133 models stands there three times: the bounds are two draws next to each other
    assert (kept.low, kept.high) == pytest.approx((kept.orders_low, kept.orders_high), rel=0.01)
    assert kept.from_money == pytest.approx(0, abs=1e-6)


def test_the_interval_is_in_proportion_to_what_is_known_of_e(book: clv.Book) -> None:
    """Where only e is in doubt, what is kept is e over its mean times what is expected."""
    whole = book.budget(100.0)
    n = len(whole.spend)
    scales = np.full(399, book.policy.retention.money_scale) + 1e-9 * np.arange(399)
    flat = MoneyDraws(scales, 0.1, 0.0)
    e = EffectOfMoney(np.full(n, 0.3), np.full(n, 0.1), np.zeros(n))
    (kept,) = kept_ranges(book, whole.spend[None], whole.expected_gain[None], e, flat)
    # 10 and 90 % points of N(.3, .1): .3 ± .128; the orders' own part widens it a little
    assert kept.high - kept.low == pytest.approx(2 * 0.12816 / 0.3 * whole.total_gain, rel=0.06)


def test_the_curve_has_an_interval_at_every_budget(book: clv.Book) -> None:
    shown = curve(book, [50.0, 100.0, 200.0])
    assert shown.gain_low is not None
    assert shown.gain_high is not None
    assert (shown.gain_low < shown.gain).all()
    assert (shown.gain < shown.gain_high).all()
    assert (np.diff(shown.gain_low) > 0).all()
    kept = book.budget(100.0).gain_range
    assert kept is not None
    assert (shown.gain_low[1], shown.gain_high[1]) == pytest.approx((kept.low, kept.high), rel=1e-6)


def test_some_customers_stand_for_all_of_what_is_kept() -> None:
    """Sums over the sample are those over all, and no one large is left out."""
    gain = np.random.default_rng(1).lognormal(0, 1.5, 50_000)
    gain[::3] = 0.0
    rows, weight = _probe(gain)
    assert len(rows) <= PROBED
    assert weight @ gain[rows] == pytest.approx(gain.sum(), rel=1e-9)
    assert set(np.flatnonzero(gain > gain.sum() / PROBED)) <= set(rows)
    ratio = 1 + 0.1 * np.random.default_rng(2).standard_normal(len(gain))  # under another model
    # sd .1 over √2000 draws in proportion to gain: four of these
    assert weight @ (ratio * gain)[rows] == pytest.approx(ratio @ gain, rel=4 * 0.1 / 2000**0.5)
    few, ones = _probe(gain[:100])
    assert (ones == 1).all()
    assert len(few) == np.count_nonzero(gain[:100])
