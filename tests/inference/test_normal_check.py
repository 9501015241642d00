"""Where a posterior is a normal, draws need no weights; where it is not, that is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clv
from clv.arrays import Floats
from clv.inference import posterior as posteriors
from clv.inference.normal_check import LARGEST_SPREAD, LOOKED_AT, sample_normal
from clv.transactions.summary import CustomerHistories

RNG = np.random.default_rng


@given(size=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_a_normal_is_drawn_from_whatever_its_covariance(size: int, seed: int) -> None:
    root = RNG(seed).standard_normal((size, size)) + 3 * np.eye(size)
    covariance, centre = root @ root.T, RNG(seed + 1).standard_normal(size)

    def density(at: Floats) -> Floats:
        z = np.linalg.solve(covariance, (at - centre).T).T
        return np.asarray(17.0 - ((at - centre) * z).sum(axis=1) / 2)

    found = sample_normal(density, centre, covariance, 50, RNG(seed))
    assert found is not None
    assert found.points.shape == (50, size)
    assert found.spread < 1e-6


@given(bend=st.floats(0.001, 1.0))
def test_the_spread_is_that_of_the_log_weights(bend: float) -> None:
    """Of −z²/2 + bend·z³ the log-weights are bend·z³; sd(z³) = √15 (moments of the normal)."""
    found = sample_normal(
        lambda at: -(at[:, 0] ** 2) / 2 + bend * at[:, 0] ** 3, np.zeros(1), np.eye(1), 100, RNG(5)
    )
    z = RNG(5).standard_normal((100, 1))[:LOOKED_AT, 0]
    spread = float(np.std(bend * z**3, ddof=1))
    if spread > LARGEST_SPREAD:
        assert found is None
    else:
        assert found is not None
        assert found.spread == pytest.approx(spread, rel=1e-6)


def times(h: clv.Histories, factor: float) -> clv.Histories:
    """Return these histories as if there were `factor` customers where there is one."""
    assert h.spend is not None
    spend = replace(h.spend, weight=factor * h.spend.weight)
    return clv.Histories(h.frequency, h.recency, h.T, factor * h.weight, spend, h.unit, h.end)


@pytest.mark.parametrize("kind", [clv.BGNBD, clv.MBGNBD, clv.GammaGamma])
def test_with_very_many_customers_the_weights_say_the_same(
    kind: type[clv.BGNBD], cdnow: CustomerHistories, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = kind.fit(times(cdnow, 2_000))
    weighted = clv.posterior(fit, draws=4000)
    monkeypatch.setattr(posteriors, "MANY_HISTORIES", 1)
    normal = clv.posterior(fit, draws=4000)
    assert (weighted.method, normal.method) == ("importance", "normal")
    assert normal.spread is not None
    assert "the normal distribution at the mode" in normal.sentence
    for name, sd in weighted.standard_deviation.items():
        # Each mean of 4,000 draws has a standard error of sd/63; without weights another sd/10
        # at most (LARGEST_SPREAD).
        assert normal.mean[name] == pytest.approx(weighted.mean[name], abs=0.1 * sd)
        assert normal.standard_deviation[name] == pytest.approx(sd, rel=0.08)


@pytest.mark.parametrize("kind", [clv.BGNBD, clv.MBGNBD, clv.ParetoNBD, clv.GammaGamma])
def test_a_small_shop_keeps_its_weights(
    kind: type[clv.BGNBD], cdnow: CustomerHistories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The posterior of a hundred customers is skew."""
    monkeypatch.setattr(posteriors, "MANY_HISTORIES", 1)
    assert clv.posterior(kind.fit(times(cdnow, 0.05)), draws=400).method == "importance"
