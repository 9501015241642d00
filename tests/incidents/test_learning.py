"""What a book learns from incidents, where the truth is known and where it is not."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import clv
from clv.book import Book
from clv.build import build_book
from clv.errors import IncidentsError, RequestError
from clv.incidents import IncidentLearning, learn_from_incidents
from clv.incidents.effects import on_log_odds
from clv.models.incidents.effects import effects_of
from clv.simulated_shop import TRUTH
from tests.incidents.conftest import RETURNS, SHOP_LOG


def test_the_truth_of_the_shop_is_found(learning: IncidentLearning) -> None:
    """datasets/simulated_shop/truth.json, within 3 standard deviations of each posterior.

    Base dropouts that a log can show are lower than the truth's by .25 in log-odds, as that data
    set's SOURCE.md derives: incidents without goodwill are those of the less upset.
    """
    truth = {
        "severity": TRUTH.severity,
        "earlier_purchases": TRUTH.earlier_purchases,
        "earlier_incident": TRUTH.earlier_incident,
        "goodwill": TRUTH.goodwill,
        "lateness": TRUTH.lateness,
        "unresolved": TRUTH.unresolved,
    }
    truth |= {
        f"type:{name}": math.log(problem.dropout / (1 - problem.dropout))
        for name, problem in TRUTH.problems.items()
    }
    found = {effect.name: effect for effect in learning.posterior.effects}
    for name, value in truth.items():
        effect = found[name]
        room = 0.25 if name.startswith("type:") else 0.0
        assert abs(effect.posterior_mean - value) < 3 * effect.posterior_sd + room, name


def test_only_what_chance_decided_moves_a_limit(learning: IncidentLearning) -> None:
    used = {effect.name: effect.use for effect in learning.effects}
    assert used["goodwill"] == "used"
    assert used["lateness"] == used["goodwill_selection"] == "shown, not used"
    assert learning.learned["recovery.savable_share"].basis == "causal"
    assert not learning.learned["recovery.slow_share"].used


def test_without_chance_goodwill_is_only_an_association(
    shop: Book, learning: IncidentLearning
) -> None:
    """The same log, its draws forgotten: agents give to the upset, and it seems to do little."""
    drawn = ["assigned_arm", "assignment_probability", "usual_offer", "step_offer"]
    found = learn_from_incidents(shop, pd.read_parquet(SHOP_LOG).drop(columns=drawn))
    (goodwill,) = (effect for effect in found.effects if effect.name == "goodwill")
    assert goodwill.basis == "associational"
    assert goodwill.use == "shown, not used"
    assert not found.learned["recovery.savable_share"].used
    assert "association" in found.sentences[-1]
    truth = 2**TRUTH.goodwill
    assert goodwill.learned_low > truth  # wrong, and sure of it: hence not used
    # nor does it reach what is used: each type is as bad as where chance told
    for one in learning.types:
        key = f"problems.{one.problem}.dropout"
        figure, told = found.figures[key], learning.figures[key]
        apart = abs(figure.posterior_mean - told.posterior_mean)
        assert apart < 1.96 * math.hypot(figure.posterior_sd, told.posterior_sd)


def test_an_experiment_that_does_not_say_its_offers_is_an_association(shop: Book) -> None:
    log = pd.read_parquet(SHOP_LOG).drop(columns="step_offer")
    found = learn_from_incidents(shop, log)
    assert found.fit.goodwill_basis == "associational"
    assert any("usual_offer, step_offer" in concern for concern in found.fit.concerns)


@pytest.mark.parametrize(
    ("given", "told"), [(0.0, "none was given"), (math.nan, "no incident says how much was given")]
)
def test_goodwill_of_none_is_not_goodwill_unknown(shop: Book, given: float, told: str) -> None:
    drawn = ["assigned_arm", "assignment_probability", "usual_offer", "step_offer"]
    log = pd.read_parquet(SHOP_LOG).drop(columns=drawn).assign(goodwill_amount=given)
    assert learn_from_incidents(shop, log).sentences[-1] == (
        f"What goodwill does was not learned: {told}."
    )


def test_figures_of_one_log_vary_together(learning: IncidentLearning) -> None:
    """A type is learned at what severity and earlier purchases there were: they trade off."""
    figure = learning.figures["problems.defective.dropout"]
    rho = dict(figure.correlations)
    assert rho["dropout.per_severity_level"] < -0.1
    assert rho["dropout.per_log_purchases"] < -0.1


def test_a_return_is_a_sign_of_a_busy_customer(retail: Book) -> None:
    found = learn_from_incidents(retail, RETURNS)
    (returns,) = found.types
    assert returns.harmless
    assert returns.lost_high < 0.01 < returns.lost_assumed
    assert "busy customer" in found.sentences[0]
    assert set(found.learned.figures) <= {
        "problems.returned_item.dropout",
        "dropout.per_log_purchases",
        "dropout.earlier_incident",
    }  # no incident speaks of the others


def test_nothing_is_learned_of_what_is_not_in_the_log(learning: IncidentLearning) -> None:
    assert "problems.outage.dropout" not in learning.learned
    assert {one.problem for one in learning.types} == set(TRUTH.problems)


def test_learning_is_kept_by_the_book_and_starts_anew_each_time(
    shop_copy: Book, learning: IncidentLearning
) -> None:
    before = shop_copy.policy.problems["defective"].dropout
    shop_copy.learn(learning.learned)
    after = Book(shop_copy.path).policy.problems["defective"].dropout
    (defective,) = (one for one in learning.types if one.problem == "defective")
    assert after == defective.learned > before
    again = learn_from_incidents(Book(shop_copy.path), SHOP_LOG)
    assert again.learned.to_dict() == learning.learned.to_dict()


def test_shared_fragility_is_compared_and_not_learned(shop: Book) -> None:
    found = learn_from_incidents(shop, SHOP_LOG, link="shared")
    assert not found.learned.figures
    assert {effect.use for effect in found.effects} == {"shown, not used"}
    assert found.sentences[-1].endswith("it moves no limit here.")
    severity = {effect.name: effect for effect in found.effects}["severity"]
    assert severity.learned == pytest.approx(math.exp(TRUTH.severity), rel=0.15)


def test_the_shared_prior_comes_back_as_it_was(shop: Book) -> None:
    """Carried to ln ω and back, the policy's prior is itself."""
    from clv.recommend.incident_prior import incident_prior

    fit = learn_from_incidents(shop, SHOP_LOG, link="shared").fit
    before = {
        name: prior for name, prior in fit.prior.items() if name in incident_prior(clv.Policy())
    }
    mean, sd = ({n: pair[k] for n, pair in before.items()} for k in (0, 1))
    back = on_log_odds(fit, effects_of(before, mean, sd, dict.fromkeys(before, 1)))
    for effect in back:
        told = incident_prior(clv.Policy())[effect.name]
        assert effect.prior_mean == pytest.approx(told[0], abs=1e-9)
        assert effect.posterior_mean == pytest.approx(told[0], abs=1e-9)


def test_all_of_it_is_json(learning: IncidentLearning) -> None:
    told = json.loads(json.dumps(learning.to_dict(), allow_nan=False))
    assert told["incidents"] == learning.fit.incidents == len(learning.histories.time)
    assert {row["problem"] for row in told["types"]} == set(TRUTH.problems)


def test_orders_that_moved_are_named(shop: Book, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.parquet"
    moved.write_bytes(clv.datasets.path("simulated_shop_orders").read_bytes())
    book = build_book(moved, tmp_path / "book", end="2023-04-30")
    there = moved.rename(tmp_path / "archive.parquet")
    with pytest.raises(RequestError, match="--orders ORDERS"):
        learn_from_incidents(book, SHOP_LOG)
    assert learn_from_incidents(book, SHOP_LOG, orders=there).fit.incidents > 0


def test_a_log_of_other_customers_is_refused(shop: Book) -> None:
    log = pd.DataFrame({"customer_id": ["x"], "occurred_at": ["2022-05-01"], "type": ["defective"]})
    with pytest.raises(IncidentsError, match="belongs to a customer"):
        learn_from_incidents(shop, log)


def test_a_type_is_harmless_only_where_some_loss_was_expected(retail: Book) -> None:
    (returns,) = learn_from_incidents(retail, RETURNS).types
    assert not replace(returns, lost_assumed=0.01).harmless
    assert not replace(returns, lost_high=0.03).harmless


def test_what_is_shown_as_used_is_what_limits_use(learning: IncidentLearning) -> None:
    shown = {effect.name: effect for effect in learning.effects}
    value = learning.figures["dropout.per_severity_level"].value
    assert shown["severity"].learned == pytest.approx(math.exp(value))
