"""Histories that no customer can have, or that say little: one message, or none and why."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.errors import HistoryError
from clv.history import Histories
from clv.models.bg_nbd import BGNBD
from clv.models.covariates.fit import fit_covariates
from tests.battery import PURCHASE_MODELS

GOOD = {"frequency": 2.0, "recency": 5.0, "T": 9.0, "weight": 1.0}

FAULTS = [
    ({"recency": 10.0}, "recency > T"),
    ({"frequency": -1.0}, "a negative frequency"),
    ({"frequency": 1.5}, "a frequency that is not a whole number"),
    ({"frequency": 0.0}, "recency > 0 with frequency 0"),
    ({"recency": 0.0}, "recency 0 with frequency > 0"),
    ({"recency": -1.0}, "a negative recency"),
    ({"T": -1.0, "recency": -2.0}, "a negative T"),
    ({"weight": 0.0}, "a weight that is not positive"),
    ({"weight": -2.0}, "a weight that is not positive"),
    *(({name: bad}, "not a finite number") for name in GOOD for bad in (math.nan, math.inf)),
]


def table(change: dict[str, float]) -> pd.DataFrame:
    """20 customers, of whom numbers 3 and 11 have a fault."""
    rows = pd.DataFrame([GOOD] * 20).assign(channel=["web", "shop"] * 10)
    for name, value in change.items():
        rows.loc[[3, 11], name] = value
    return rows


@pytest.mark.parametrize(("change", "told"), FAULTS, ids=str)
def test_one_message_names_the_customers(change: dict[str, float], told: str) -> None:
    t = table(change)
    with pytest.raises(HistoryError) as refused:
        Histories.from_arrays(t["frequency"], t["recency"], t["T"], weights=t["weight"])
    said = str(refused.value)
    assert "2 of 20 customers have" in said
    assert told in said
    assert "(first rows: 3, 11)" in said
    with pytest.raises(HistoryError) as again:
        fit_covariates(BGNBD, t, purchase="channel", weights="weight")
    assert str(again.value) == said


@pytest.mark.parametrize("model", PURCHASE_MODELS, ids=lambda model: model.name)
def test_a_customer_won_on_the_last_day_is_one_of_whom_nothing_is_known_yet(model: Any) -> None:
    """T = 0 is accepted on purpose: logs end on a day with new customers. Their likelihood is 1,
    so they move no parameter; refusing or dropping them would lose customers who have a value."""
    kind, T = type(model), np.full(4_000, 60.0)
    x, t_x = model.simulate(T, np.random.default_rng(1))
    without = kind.fit(Histories.from_arrays(x, t_x, T))
    new = np.zeros(300)
    fit = kind.fit(Histories.from_arrays(*(np.concatenate([v, new]) for v in (x, t_x, T))))
    assert fit.customers == 4_300
    assert fit.parameters == pytest.approx(without.parameters, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(without.log_likelihood, rel=1e-12)
    assert float(fit.model.log_likelihood(0, 0, 0)) == pytest.approx(0, abs=1e-12)
