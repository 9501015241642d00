"""Futures at several times: each time as `simulate_purchases` draws it, and jointly one future."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import clv
from clv.errors import RequestError
from clv.models.base import PurchaseModel
from clv.models.purchase_paths import simulate_path

# Fader, Hardie & Lee (2005), table 2; Fader & Hardie's note on Pareto/NBD; k and MBG as in battery.
MODELS: list[PurchaseModel] = [
    clv.BGNBD(0.243, 4.414, 0.793, 2.426),
    clv.MBGNBD(0.525, 6.183, 0.891, 1.614),
    clv.ParetoNBD(0.553, 10.578, 0.606, 11.669),
    clv.MBGCNBD(0.525, 2.5, 0.891, 1.614, k=3),
]
TIMES = [8.0, 30.0, 52.0]
HISTORIES = [(0.0, 0.0, 38.86), (2.0, 30.43, 38.86), (12.0, 36.0, 38.86)]
DRAWS = 40_000


def drawn(model: PurchaseModel, history: tuple[float, float, float], seed: int = 1) -> Any:
    x, t_x, T = (np.full(DRAWS, value) for value in history)
    return simulate_path(model, TIMES, np.random.default_rng(seed), x, t_x, T)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.label)
@pytest.mark.parametrize("history", HISTORIES, ids=str)
def test_at_each_time_the_counts_have_the_models_pmf(
    model: PurchaseModel, history: tuple[float, float, float]
) -> None:
    """Within 5 standard errors of a share of 40,000 draws, at every time and count."""
    paths = drawn(model, history)
    assert (np.diff(paths, axis=0) >= 0).all()
    for t, counts in zip(TIMES, paths, strict=True):
        n = np.arange(6)
        p = model.pmf(n, t, *history)
        shares = (counts[:, None] == n).mean(axis=0)
        assert (np.abs(shares - p) <= 5 * np.sqrt(p * (1 - p) / DRAWS) + 1e-9).all()


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.label)
def test_the_months_of_one_future_belong_together(model: PurchaseModel) -> None:
    """Who buys early is alive and quick: later months are correlated with it, as one λ implies."""
    early, later, _ = np.diff(drawn(model, HISTORIES[2]), axis=0, prepend=0)
    assert np.corrcoef(early, later)[0, 1] > 0.2


def test_a_path_goes_forward_only() -> None:
    with pytest.raises(RequestError, match="must rise"):
        simulate_path(MODELS[0], [2.0, 1.0], np.random.default_rng(1), *np.zeros((3, 1)))


def test_a_model_that_is_not_known_here_is_refused() -> None:
    model = clv.BGBB(1.2, 0.75, 0.66, 2.78)
    with pytest.raises(RequestError, match="not drawn month by month"):
        simulate_path(model, [1.0], np.random.default_rng(1), *np.array([[2.0], [3.0], [6.0]]))
