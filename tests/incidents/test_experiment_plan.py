"""A plan for an experiment in the bundled shop: what it takes until a step shows."""

from __future__ import annotations

import json

import pytest

from clv.book import Book
from clv.errors import RequestError
from clv.incidents import IncidentLearning, plan_experiment
from tests.incidents.conftest import SHOP_LOG


def test_larger_steps_show_sooner_and_cost_more(
    shop: Book, learning: IncidentLearning, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_experiment(shop, SHOP_LOG)
    for less, more in zip(plan.steps, plan.steps[1:], strict=False):
        assert less.effect < more.effect < plan.dropout
        assert less.incidents_80 > more.incidents_80
        assert less.cost_per_year < more.cost_per_year
        assert less.incidents_80 < less.incidents_90
    assert plan.goodwill == "causal"
    # What the plans below rest on was learned from the same log: once is enough.
    monkeypatch.setattr(
        "clv.incidents.experiment_plan.learn_from_incidents", lambda *_, **__: learning
    )
    assert plan_experiment(shop, SHOP_LOG, share=0.4, steps=[10]).steps[0].years_80 < (
        plan_experiment(shop, SHOP_LOG, share=0.1, steps=[10]).steps[0].years_80
    )
    assert json.loads(json.dumps(plan.to_dict()))["steps"][0]["step"] == 1.0


def test_steps_that_are_none_are_refused(shop: Book) -> None:
    with pytest.raises(RequestError, match="an amount above 0"):
        plan_experiment(shop, SHOP_LOG, steps=[5, 0])
