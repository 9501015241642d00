"""What holds for the posterior of every model: it is where the truth is, and as wide as it must be.

The data are drawn from the model at known parameters, again and again. In the metric of a right
posterior covariance the squared distance of its mean from the truth has mean k, the number of
parameters (chi-square, to first order), and a central interval holds the truth as often as it says.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from clv.inference.posterior import Posterior, posterior
from tests.battery import MODELS, Subject

of_every_model = pytest.mark.parametrize("subject", MODELS, ids=str)

SHOPS, CUSTOMERS, DRAWS = 20, 2000, 500


@cache
def posteriors(name: str) -> list[Posterior[Any]]:
    """Of shops whose customers are drawn from the model."""
    subject = next(s for s in MODELS if s.model.name == name)
    kind = type(subject.model)
    return [
        posterior(kind.fit(subject.histories(CUSTOMERS, seed=500 + i)), draws=DRAWS, seed=i)
        for i in range(SHOPS)
    ]


@of_every_model
def test_the_truth_lies_as_far_from_the_mean_as_the_covariance_says(subject: Subject) -> None:
    distances = []
    for drawn in posteriors(subject.model.name):
        logs = np.log(drawn.draws)
        mean = drawn.weights @ logs
        covariance = (drawn.weights[:, None] * (logs - mean)).T @ (logs - mean)
        off = np.log(subject.theta) - mean
        distances.append(off @ np.linalg.solve(covariance, off))
    k = len(subject.theta)
    # The mean of SHOPS squared distances has standard deviation √(2k/SHOPS).
    assert np.mean(distances) == pytest.approx(k, abs=4 * np.sqrt(2 * k / SHOPS))


@of_every_model
def test_intervals_hold_the_truth_as_often_as_they_say(subject: Subject) -> None:
    held = np.array(
        [
            [low <= value <= high for (low, high), value in zip(
                drawn.interval(0.8).values(), subject.theta, strict=True
            )]
            for drawn in posteriors(subject.model.name)
        ]
    )  # fmt: skip
    # Parameters of one shop depend on each other: at worst the shares are of SHOPS draws.
    assert held.mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.8 * 0.2 / SHOPS))
    assert held.any(axis=0).all()
    assert not held.all(axis=0).all()
