from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv.book import Book
from clv.build import build_book
from clv.campaigns import CampaignFit, fit_campaigns
from clv.campaigns.learning import _campaign, _Expected
from clv.campaigns.segmentation import Segmentation
from clv.errors import CampaignsError, RequestError
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_cnbd import MBGCNBD
from clv.recommend.policy import Policy
from clv.simulated_shop import TRUTH, Arm, Shop, simulate
from clv.transactions.campaigns import CampaignOutcomes, read_campaigns
from clv.transactions.report import LogReport
from clv.value.leaving import value_leaving
from clv.value.terms import Terms

# Two arms that keep 0.9 (1 − e^(−s/4)) of those who would leave after an order: 35 % and 78 %.
SMALL = replace(TRUTH, customers=3000)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(SMALL, seed=5)


@pytest.fixture(scope="module")
def built(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("campaigns")
    shop.orders.to_parquet(folder / "orders.parquet")
    build_book(folder / "orders.parquet", folder / "book", end="2023-12-31")
    return folder / "book"


@pytest.fixture(scope="module")
def found(shop: Shop, built: Path) -> CampaignFit:
    return fit_campaigns(Book(built), read_campaigns(shop.campaigns))


def test_the_truth_of_the_shop_lies_in_the_intervals(found: CampaignFit) -> None:
    (one,) = found.campaigns
    assert (one.basis, one.control, one.window) == ("causal", "control", 245)
    assert [arm.arm for arm in one.arms] == ["letter", "voucher"]
    # Of those who would leave within the 245 days the arms keep less than of those who would
    # after one order, TRUTH.kept: who is kept once may leave after the next. At these rates it
    # is about 26 and 69 %, by clv.campaigns.thinning, which test_thinning holds against lives.
    for arm, kept in zip(one.arms, (0.26, 0.69), strict=True):
        assert arm.kept_low < kept < arm.kept_high
        assert arm.purchases_low < arm.purchases < arm.purchases_high
        assert arm.spend == SMALL.arms[arm.arm].spend
        assert arm.margin_per_unit == pytest.approx(arm.margin / arm.spend)


def test_the_policy_learns_from_chance(found: CampaignFit) -> None:
    assert found.learned.used.keys() == {"retention.effect", "retention.money_scale"}
    assert found.learned["retention.effect"].value > 0.3
    assert found.learned["retention.money_scale"].share_from_data > 0.3


def test_rows_after_the_end_are_set_aside_and_change_nothing(
    shop: Shop, built: Path, found: CampaignFit
) -> None:
    """One row of the campaign and another campaign, both after the orders end."""
    rows = shop.campaigns.assign(campaign="2023-05-01")
    later = rows.head(300).assign(date=pd.Timestamp("2024-02-01"), campaign="later")
    one = rows.head(1).assign(customer_id="late", date=pd.Timestamp("2024-01-01"))
    log = read_campaigns(pd.concat([rows, one, later]))
    told = fit_campaigns(Book(built), log)
    assert any(
        aside.startswith("301 rows: after the end of observation, 2023-12-31")
        for aside in told.set_aside
    )
    assert [c.campaign for c in told.campaigns] == [c.campaign for c in found.campaigns]
    assert told.learned.figures == found.learned.figures
    with pytest.raises(CampaignsError, match="Up to then no campaign"):
        fit_campaigns(Book(built), read_campaigns(later.assign(campaign="later")))


def test_the_book_follows_what_it_has_learned(
    built: Path, found: CampaignFit, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(built, tmp_path / "book")
    book = Book(tmp_path / "book")
    before = book.budget()
    book.learn(found.learned)
    again = Book(tmp_path / "book")
    effect = found.learned["retention.effect"].value
    assert again.policy.retention.effect == book.policy.retention.effect == effect
    assert again.stated_policy.retention.effect == 0.3  # the default; the prior stays what it was
    assert again.budget().total_gain != before.total_gain
    assert "retention.effect" not in again.policy.assumed


def test_learning_again_starts_from_the_policy_not_from_what_was_learned(
    built: Path, shop: Shop, found: CampaignFit, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(built, tmp_path / "book")
    book = Book(tmp_path / "book")
    book.learn(found.learned)
    again = fit_campaigns(Book(tmp_path / "book"), read_campaigns(shop.campaigns))
    assert again.learned.figures == found.learned.figures


def test_without_chance_it_is_shown_and_not_used(shop: Shop, built: Path) -> None:
    unsaid = shop.campaigns.drop(columns="assignment_probability")
    told = fit_campaigns(Book(built), read_campaigns(unsaid))
    assert told.campaigns[0].basis == "associational"
    assert not told.learned.used
    assert len(told.learned.figures) == 2
    # Chance did decide, so the adjustment has nothing to adjust: much the same comes out.
    by_chance = fit_campaigns(Book(built), read_campaigns(unsaid), randomised=True)
    assert by_chance.campaigns[0].basis == "causal"
    for a, b in zip(told.campaigns[0].arms, by_chance.campaigns[0].arms, strict=True):
        assert a.purchases == pytest.approx(b.purchases, abs=0.5 * (b.purchases_high - b.purchases))


def test_an_arm_that_lost_customers_is_no_longer_taken_as_chance(shop: Shop, built: Path) -> None:
    lost = shop.campaigns[(shop.campaigns["arm"] != "voucher") | (np.arange(3000) % 4 > 0)]
    (one,) = fit_campaigns(Book(built), read_campaigns(lost)).campaigns
    assert one.basis == "associational"
    assert any("'voucher'" in concern and "probabilities" in concern for concern in one.concerns)


def test_who_was_put_into_an_arm_for_sure_has_no_say(shop: Shop, built: Path) -> None:
    """The best customers all get the voucher, the others what chance gives them.

    They are too few to show in the sizes of the arms, and buy enough to look like an effect.
    """
    bought = shop.orders[shop.orders["date"] < "2023-05-01"].groupby("customer_id").size()
    log = shop.campaigns
    best = log["customer_id"].isin(bought.nlargest(20).index)
    sure = log.assign(
        arm=log["arm"].mask(best, "voucher"),
        spend=log["spend"].mask(best, SMALL.arms["voucher"].spend),
        assignment_probability=log["assignment_probability"].mask(best, 1.0),
    )
    (one,) = fit_campaigns(Book(built), read_campaigns(sure)).campaigns
    (without,) = fit_campaigns(Book(built), read_campaigns(log[~best])).campaigns
    assert one.basis == "causal"
    assert one.arms == without.arms
    assert any(told.startswith("20 rows: a customer put into the arm") for told in one.set_aside)


def test_probabilities_of_one_are_no_draw(shop: Shop, built: Path) -> None:
    log = shop.campaigns.assign(assignment_probability=1.0)
    told = fit_campaigns(Book(built), read_campaigns(log))
    assert told.campaigns[0].basis == "associational"
    assert any("probabilities are 1" in concern for concern in told.campaigns[0].concerns)
    assert not told.learned.used


def test_what_is_expected_knows_when_regular_customers_bought_last() -> None:
    """Who buys regularly and just did buys nothing for a while, and is the less likely to leave.

    Expectation and stake are those that the model and `value_leaving` give of such customers.
    """
    model = MBGCNBD.with_k(2)(0.6, 3.0, 0.8, 2.4)
    spend = GammaGamma(6.25, 3.74, 15.44)  # CDNOW: Fader & Hardie 2013
    x, t_x, T = np.full(200, 5.0), np.resize([39.9, 30.0], 200), np.full(200, 40.0)
    arm, money = np.resize([0, 0, 1, 1], 200), np.full(200, 30.0)
    outcomes = CampaignOutcomes(
        "c", np.arange(200).astype(str).astype(object), arm, ("none", "letter"),
        spend=np.where(arm, 2.0, 0.0), assignment_probability=np.full(200, 0.5),
        frequency=x, recency=t_x, T=T, spend_frequency=x, monetary_value=money,
        purchases=np.resize([0.0, 2.0, 1.0], 200), amount=money, window=56, unit="week",
        first_date=date(2024, 1, 1), report=LogReport(200, 200),
    )  # fmt: skip
    policy = Policy()
    expect = _Expected(
        model, spend, 1.0, Terms(policy.margin, policy.discount_rate, policy.horizon_months)
    )
    fifths = Segmentation.of(policy, "value", [expect.worth(policy, outcomes)])
    one, *_ = _campaign(policy, expect, outcomes, fifths, randomised=False)
    alive = model.p_alive(x, t_x, T)
    bought = alive * model.expected_purchases_if_alive(8.0, x, T, t_x)
    assert one.expected_purchases == pytest.approx(float(bought.mean()), rel=1e-9)
    rate, horizon = expect.terms.rate("week"), expect.terms.horizon(date(2024, 1, 1), "week")
    lost = value_leaving(model, x, t_x, T, rate=rate, horizon=horizon, leaving=8.0)
    ahead = model.discounted_purchases_if_alive(x, T, t_x, rate=rate, horizon=horizon)
    stake = alive * policy.margin * spend.expected_spend(x, money) * ahead * lost
    (letter,) = one.arms
    assert letter.value_per_unit == pytest.approx(letter.kept * float(stake.mean()) / 2, rel=1e-9)


def test_choosing_the_good_customers_is_seen_through(shop: Shop, built: Path) -> None:
    # Somebody sends vouchers that do nothing to those who bought lately: the difference in means
    # is large, the adjusted one is not.
    idle = simulate(replace(SMALL, arms={"control": Arm(1.0, 0.0)}), seed=6)
    last = idle.orders[idle.orders["date"] < "2023-05-01"].groupby("customer_id")["date"].max()
    log = idle.campaigns.drop(columns="assignment_probability")
    lately = (pd.Timestamp("2023-05-01") - log["customer_id"].map(last)).dt.days < 90
    chosen = np.random.default_rng(1).random(len(log)) < np.where(lately, 0.8, 0.2)
    log["arm"], log["spend"] = np.where(chosen, "voucher", "control"), np.where(chosen, 5.0, 0.0)
    told = fit_campaigns(Book(built), read_campaigns(log), orders=idle.orders)
    (one,) = told.campaigns
    (arm,) = one.arms
    bought = idle.orders[idle.orders["date"] >= "2023-05-01"].groupby("customer_id").size()
    plain = log["customer_id"].map(bought).fillna(0).groupby(chosen).mean()
    assert plain[True] - plain[False] > 0.5
    assert arm.purchases_low < 0 < arm.purchases_high
    assert abs(arm.purchases) < 0.15


def test_customers_by_stage_and_by_value(shop: Shop, built: Path, found: CampaignFit) -> None:
    fifths = found.campaigns[0].segments["voucher"]
    assert [one.segment for one in fifths] == [f"value, fifth {i}" for i in range(1, 6)]
    assert sum(one.customers for one in fifths) == 3000
    stages = fit_campaigns(Book(built), read_campaigns(shop.campaigns), by="stage")
    names = {one.segment for one in stages.campaigns[0].segments["voucher"]}
    assert names <= set(Book(built).policy.stages.labels.values())
    with pytest.raises(RequestError, match="by value or by stage"):
        fit_campaigns(Book(built), read_campaigns(shop.campaigns), by="luck")  # type: ignore[arg-type]


def test_buying_more_than_all_leavers_would_is_a_caution(shop: Shop, built: Path) -> None:
    # In the arm everybody buys on three more days: no one need have been kept for that.
    arm = shop.campaigns["arm"] == "letter"
    more = pd.concat(
        [
            pd.DataFrame(
                {"customer_id": shop.campaigns["customer_id"][arm], "amount": 10.0}
            ).assign(date=pd.Timestamp(day), order_id="more")
            for day in ("2023-06-01", "2023-07-01", "2023-08-01")
        ]
    )
    orders = pd.concat([shop.orders, more])
    (one,) = fit_campaigns(Book(built), read_campaigns(shop.campaigns), orders=orders).campaigns
    assert any("'letter'" in told and "at most 100 %" in told for told in one.concerns)
    assert one.arms[0].kept == pytest.approx(1.0, abs=1e-4)


def test_a_window_that_saw_few_of_the_leavers_is_a_caution(
    shop: Shop, built: Path, found: CampaignFit
) -> None:
    """In 30 of 365 days about a tenth leaves; in 245 most of those who would within the year."""
    log = read_campaigns(shop.campaigns)
    (one,) = fit_campaigns(Book(built), log, window=30).campaigns
    (told,) = [said for said in one.concerns if "wears off" in said]
    assert "within the 12 months" in told
    assert 5 < float(told.split("is for, ")[1].split(" %")[0]) < 20
    assert not any("wears off" in said for said in found.campaigns[0].concerns)


def test_spend_that_is_not_known_is_not_learned_from(shop: Shop, built: Path) -> None:
    told = fit_campaigns(Book(built), read_campaigns(shop.campaigns.drop(columns="spend")))
    assert told.posterior is None
    assert not told.learned.figures
    assert [arm.margin_per_unit for arm in told.campaigns[0].arms] == [None, None]
    assert told.campaigns[0].arms[0].kept > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda log: log.assign(date="2022-01-01"), "do not tell what customers would have done"),
        (lambda log: log.assign(customer_id="x" + log["customer_id"]), "one kind"),
        (lambda log: log.assign(date="2024-02-01"), "The orders are observed up to 2023-12-31"),
    ],
)
def test_what_cannot_be_told_is_refused(
    shop: Shop, built: Path, change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    with pytest.raises(CampaignsError, match=said):
        fit_campaigns(Book(built), read_campaigns(change(shop.campaigns)))


def test_orders_that_are_gone_or_changed_are_said(shop: Shop, built: Path, tmp_path: Path) -> None:
    shop.orders.to_parquet(tmp_path / "orders.parquet")
    book = build_book(tmp_path / "orders.parquet", tmp_path / "book", end="2023-12-31")
    log = read_campaigns(shop.campaigns)
    shop.orders.iloc[:-5].to_parquet(tmp_path / "orders.parquet")
    with pytest.raises(RequestError, match="--orders"):
        fit_campaigns(book, log)
    (tmp_path / "orders.parquet").unlink()
    with pytest.raises(RequestError, match="--orders"):
        fit_campaigns(book, log)
    assert fit_campaigns(book, log, orders=shop.orders).campaigns[0].window == 245
