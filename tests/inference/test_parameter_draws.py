"""Draws that are kept: the posterior's, the same when read again, none where there is no saying."""

from __future__ import annotations

import json

import numpy as np
import pytest

import clv
from clv.inference.parameter_draws import COUNT, ParameterDraws, draw_parameters


@pytest.fixture(scope="module")
def fit() -> clv.Fit[clv.BGNBD]:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    return clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))


def test_they_have_the_moments_of_the_posterior(fit: clv.Fit[clv.BGNBD]) -> None:
    """Within 5 standard errors of the mean of 400 draws; spread within 20 %."""
    post = clv.posterior(fit)
    drawn = draw_parameters(fit)
    assert len(drawn.models) == COUNT
    for name, mean in post.mean.items():
        values = np.array([m.parameters[name] for m in drawn.models])
        sd = post.standard_deviation[name]
        assert abs(values.mean() - mean) < 5 * sd / np.sqrt(COUNT)
        assert values.std() == pytest.approx(sd, rel=0.2)


def test_a_file_brings_them_back(fit: clv.Fit[clv.BGNBD]) -> None:
    drawn = draw_parameters(fit, count=20)
    again = ParameterDraws.from_dict(clv.BGNBD, json.loads(json.dumps(drawn.to_dict())))
    assert again.models == drawn.models
    assert again.sentence == drawn.sentence


def test_none_where_the_fit_has_concerns() -> None:
    """Ten customers cannot tell the dropout: their prior does, and a concern says so."""
    h = clv.Histories.from_arrays([2, 0, 1, 4, 0, 3], [30, 0, 9, 33, 0, 20], [39] * 6, unit="week")
    tight = {name: clv.LogNormal(1.0, 0.05) for name in ("r", "alpha", "a", "b")}
    fit = clv.BGNBD.fit(h, prior=tight)
    assert fit.concerns
    drawn = draw_parameters(fit)
    assert not drawn
    assert drawn.sentence.startswith("The orders hardly tell when customers buy and leave, so no")
    assert not ParameterDraws.from_dict(clv.BGNBD, drawn.to_dict())
