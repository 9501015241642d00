"""An experiment in a book: the bundled shop's, whose effect is known."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from clv.book import Book
from clv.errors import IncidentsError, RequestError
from clv.incidents import IncidentLearning, assign_offer, estimate_experiment
from clv.incidents.experiment import ExperimentResult, _goodwill
from tests.incidents.conftest import RETURNS, SHOP_LOG


@pytest.fixture(scope="module")
def found(shop: Book) -> ExperimentResult:
    return estimate_experiment(shop, SHOP_LOG, window_days=90)


def test_counting_and_the_model_say_the_same(found: ExperimentResult) -> None:
    """Goodwill of one loss on top, drawn with .4: datasets/simulated_shop/SOURCE.md."""
    one = found.estimate
    assert one.shows
    assert one.low < found.model_difference < one.high
    assert found.model_low < found.model_difference < found.model_high
    assert found.goodwill_step - found.goodwill_usual == pytest.approx(1.0, abs=0.05)
    assert found.odds_low < 2**-1.3 < found.odds_high + 0.1  # TRUTH.goodwill is −1.3
    assert found.basis == "causal"
    log = pd.read_parquet(SHOP_LOG)
    drawn = log[log["assigned_arm"].notna() & (log["occurred_at"] < "2023-05-01")]
    assert one.usual + one.step + found.too_recent == len(drawn)


def test_a_window_that_nobody_has_had_is_told(shop: Book) -> None:
    with pytest.raises(RequestError, match="it takes two of each"):
        estimate_experiment(shop, SHOP_LOG, window_days=1000)
    with pytest.raises(RequestError, match="days above 0"):
        estimate_experiment(shop, SHOP_LOG, window_days=0)


def test_a_log_without_an_experiment_is_told(retail: Book, shop: Book) -> None:
    with pytest.raises(IncidentsError, match="no offer that chance decided"):
        estimate_experiment(retail, RETURNS)
    log = pd.read_parquet(SHOP_LOG)
    with pytest.raises(IncidentsError, match="arms named a, b"):
        estimate_experiment(
            shop, log.assign(assigned_arm=log["assigned_arm"].map({"step": "a", "usual": "b"}))
        )


def test_arms_without_their_probabilities_are_told(shop: Book, found: ExperimentResult) -> None:
    log = pd.read_parquet(SHOP_LOG)
    with pytest.raises(IncidentsError, match="with an arm, but does not say with what probab"):
        estimate_experiment(shop, log.assign(assignment_probability=None))
    named = log["assigned_arm"].notna() & (log["occurred_at"] < "2023-05-01")
    first = named & (named.cumsum() <= 100)
    some = estimate_experiment(
        shop, log.assign(assignment_probability=log["assignment_probability"].mask(first))
    )
    assert (some.unstated, found.unstated) == (100, 0)
    assert some.estimate.usual + some.estimate.step < found.estimate.usual + found.estimate.step


def test_odds_and_points_are_of_the_same_effect(learning: IncidentLearning) -> None:
    """The coefficients that points are made of have the mean and deviation of the odds told."""
    drawn, told = _goodwill(learning)
    (free,) = (e for e in learning.posterior.effects if e.name == "goodwill")
    (read,) = (e for e in learning.read if e.name == "goodwill")
    assert math.exp(math.log(2) * read.posterior_mean) == pytest.approx(told.learned)
    # with the other handling free it is another estimate
    assert abs(free.posterior_mean - read.posterior_mean) > 0.01
    error = read.posterior_sd / math.sqrt(len(drawn))
    assert drawn.mean() == pytest.approx(read.posterior_mean, abs=4 * error)
    assert drawn.std() == pytest.approx(read.posterior_sd, rel=4 / math.sqrt(2 * len(drawn)))


def test_arms_without_a_draw_are_left_out(shop: Book, found: ExperimentResult) -> None:
    """VIPs get the usual offer for sure, written down with probability 1, and come back more."""
    log = pd.read_parquet(SHOP_LOG)
    none = log["assigned_arm"].isna() & (log["occurred_at"] < "2023-05-01")
    sure = log.assign(
        assigned_arm=log["assigned_arm"].mask(none, "usual"),
        assignment_probability=log["assignment_probability"].mask(none, 1.0),
    )
    with_sure = estimate_experiment(shop, sure)
    assert with_sure.undrawn == none.sum() > 1000
    assert with_sure.estimate == found.estimate
    assert found.undrawn == 0


def test_arms_that_chance_did_not_make_are_told(shop: Book, found: ExperimentResult) -> None:
    """The probability of the other arm, written down for each."""
    log = pd.read_parquet(SHOP_LOG)
    wrong = log.assign(assignment_probability=1 - log["assignment_probability"])
    swapped = estimate_experiment(shop, wrong)
    assert "which is not chance" in swapped.flaw
    assert swapped.basis == "associational"
    assert found.flaw == ""


def test_an_offer_in_the_experiment_stays_within_authority(shop: Book) -> None:
    ids = shop.values(top=60)["customer_id"]
    tiers = shop.policy.authority.tiers
    arms = []
    for customer in ids:
        answer = shop.recover(customer, "defective", 40.0)
        one = assign_offer(shop, answer, "t-1")
        assert one == assign_offer(shop, answer, "t-1")
        assert one.offer is not None
        assert one.offer <= max(tiers[answer.authority], answer.recommended)
        assert one.offer <= max(1.5 * 40, answer.recommended)
        arms.append(one.assigned_arm)
    assert "step" in arms
    assert "usual" in arms


def test_what_a_person_decides_is_not_varied(shop: Book) -> None:
    (customer,) = shop.values(top=1)["customer_id"]
    answer = shop.recover(customer, "safety_or_privacy", 40.0)
    one = assign_offer(shop, answer, "t-1")
    assert (one.assigned_arm, one.offer, one.usual_offer) == (None, None, None)
    assert one.reason == "A person decides."
