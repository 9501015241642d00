"""Segments of campaigns: who is in which, what is learned of each, and that the budget follows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.book import Book
from clv.book.budget import curve, offers, retention_stakes
from clv.build import build_book
from clv.campaigns import CampaignFit, fit_campaigns
from clv.campaigns.segmentation import EACH, Segmentation, segment_evidence
from clv.recommend import Offer, Policy
from clv.simulated_shop import TRUTH, Arm, Shop, simulate
from clv.transactions.campaigns import read_campaigns

SMALL = replace(TRUTH, customers=3000, arms={"control": Arm(0.5, 0.0), "call": Arm(0.5, 8.0)})


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A shop whose call keeps customers, but for the most valuable: of these it drives half away.

    They stop buying: who they are is told by what they had spent before the campaign.
    """
    made = simulate(SMALL, seed=5)
    begins = str(SMALL.campaign_start)
    before = made.orders[made.orders["date"] < begins]
    worth = before.groupby("customer_id")["amount"].sum()
    best = worth.index[worth >= worth.quantile(0.8)]
    called = made.campaigns["customer_id"][made.campaigns["arm"] == "call"]
    lost = np.random.default_rng(1).permutation(np.intersect1d(best, called))
    gone = made.orders["customer_id"].isin(lost[: len(lost) // 2])
    return replace(made, orders=made.orders[~(gone & (made.orders["date"] >= begins))])


@pytest.fixture(scope="module")
def built(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("segments")
    shop.orders.to_parquet(folder / "orders.parquet")
    build_book(folder / "orders.parquet", folder / "book", end="2023-12-31")
    return folder / "book"


@pytest.fixture(scope="module")
def found(shop: Shop, built: Path) -> CampaignFit:
    return fit_campaigns(Book(built), read_campaigns(shop.campaigns))


@given(st.lists(st.floats(0, 1e4), min_size=5, max_size=60))
def test_fifths_are_those_of_the_order_where_no_two_are_equal(values: list[float]) -> None:
    worth = np.unique(values)
    fifths = Segmentation.of(Policy(), "value", [worth])
    place = np.searchsorted(fifths.bounds, worth)
    n = len(worth)
    assert place.tolist() == [i * 5 // n for i in range(n)]


def test_fifths_of_several_campaigns_have_the_same_bounds() -> None:
    one, other = np.arange(0.0, 50.0), np.arange(50.0, 100.0)
    fifths = Segmentation.of(Policy(), "value", [one, other])
    assert fifths.bounds == (19.0, 39.0, 59.0, 79.0)


def test_a_segment_with_few_in_an_arm_teaches_nothing() -> None:
    arm = np.resize([0, 1], 4 * EACH)
    code = np.zeros(4 * EACH, dtype=np.intp)
    code[: 2 * EACH - 2] = 1  # one too few in each arm
    one = np.ones(4 * EACH)
    curves = [(np.array([0.0, 1.0]), np.array([0.0, 1.0]))] * 2
    said = segment_evidence(code, arm, one[None], (one, one), curves, [1])
    assert list(said) == [0]
    assert said[0].customers == 2 * EACH + 2


def test_the_harm_of_the_shop_is_found(found: CampaignFit) -> None:
    learned = found.learned.segments
    assert learned is not None
    assert learned.by == "value"
    *others, best = learned.segments
    assert [one.code for one in learned.segments] == list(range(5))
    # alone its estimate is 2.9 standard errors below 0; leaning on the others it is less sure
    assert best.effect < 0
    assert best.p_harm > 0.85
    assert all(one.effect > best.effect for one in others)


def test_the_budget_leaves_the_harmed_alone_and_says_so(
    built: Path, found: CampaignFit, tmp_path: Path
) -> None:
    shutil.copytree(built, tmp_path / "book")
    book = Book(tmp_path / "book")
    without = book.budget()
    taught = replace(found.learned, segments=None)
    book.learn(taught)
    plain = book.policy.version
    funded = int((book.budget().spend > 0).sum())
    book.learn(found.learned)
    assert book.policy.version != plain  # other effects are other rules
    again = Book(tmp_path / "book").budget()
    learned = found.learned.segments
    assert learned is not None
    worth = np.asarray(book.values()["lifetime_value"])
    harmed = worth > learned.bounds[-1]  # P(alive) × value if alive: the lifetime value
    assert harmed.any()
    assert (without.spend[harmed] > 0).any()
    assert (again.spend[harmed] == 0).all()
    assert 0 < (again.spend > 0).sum() < funded
    (said,) = [told for told in again.sentences if told.startswith("Nothing for 'value, fifth 5'")]
    assert f"{int(harmed.sum()):,} customers, worth {worth[harmed].sum():,.2f} from here on" in said
    assert again.harmed == int(harmed.sum())
    # and so do the other forms of a budget
    assert (retention_stakes(book).w[harmed] < 0).all()
    assert curve(book).optimal_total == pytest.approx(again.total)
    served = offers(book, [Offer("letter", 1.0, 0.9)])
    assert (served.spend[harmed] == 0).all()
    assert served.total > 0
    assert any("'value, fifth 5'" in told for told in served.sentences)


def test_a_record_without_differences_takes_the_segments_back(
    built: Path, found: CampaignFit, tmp_path: Path
) -> None:
    shutil.copytree(built, tmp_path / "book")
    book = Book(tmp_path / "book")
    book.learn(found.learned)
    assert book.learned is not None
    assert book.learned.segments == found.learned.segments  # through the file
    book.learn(replace(found.learned, segments=None))
    assert book.learned.segments is None
    assert book.budget().harmed == 0


def test_what_somebody_decided_teaches_no_segment(shop: Shop, built: Path) -> None:
    unsaid = shop.campaigns.drop(columns="assignment_probability")
    told = fit_campaigns(Book(built), read_campaigns(unsaid))
    assert told.campaigns[0].basis == "associational"
    assert told.learned.segments is None
