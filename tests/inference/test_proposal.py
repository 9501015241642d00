"""The mixture that importance sampling draws from, and how it moves to where the density is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from clv.arrays import Floats
from clv.errors import FitError
from clv.inference.importance import sample_density
from clv.inference.proposal import NU, START, Part, Proposal


def scatter(seed: int, k: int) -> Floats:
    """Draw a covariance."""
    root = np.random.default_rng(seed).standard_normal((k, k + 2))
    return root @ root.T


@given(seed=st.integers(0, 1000), k=st.integers(1, 6))
@settings(max_examples=30)
def test_the_density_is_that_of_the_mixture(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    mode, covariance = rng.standard_normal(k), scatter(seed, k)
    proposal = Proposal.around(mode, covariance)
    points = mode + 3 * rng.standard_normal((20, k))
    # SciPy's multivariate t is the witness.
    wanted = sum(
        share * np.atleast_1d(multivariate_t(mode, width**2 * covariance, df=NU).pdf(points))
        for share, width in START
    )
    assert np.exp(proposal.log_density(points)) == pytest.approx(wanted, rel=1e-9)


def two() -> Proposal:
    """Two parts, of a quarter and three quarters, that overlap."""
    first = np.asarray(np.linalg.cholesky(scatter(3, 2)))
    return Proposal((Part(0.25, np.array([1.0, -2.0]), first), Part(0.75, np.zeros(2), np.eye(2))))


def test_draws_are_as_many_of_each_part_as_its_share() -> None:
    near, far = two().parts
    moved = Proposal((near, far._replace(centre=np.full(2, 1000.0))))
    drawn = moved.draw(1000, np.random.default_rng(1))
    assert len(drawn) == 1000
    assert int((drawn[:, 0] > 500).sum()) == 750


def test_draws_of_the_proposal_itself_leave_it_where_it_is() -> None:
    """Equal weights are those of a density that is the proposal: EM's fixed point."""
    drawn = two().draw(200_000, np.random.default_rng(2))
    again = two().adapted(drawn, np.full(len(drawn), 1 / len(drawn)))
    for old, new in zip(two().parts, again.parts, strict=True):
        assert new.share == pytest.approx(old.share, abs=0.005)
        assert new.centre == pytest.approx(old.centre, abs=0.05)
        assert new.root == pytest.approx(old.root, rel=0.05, abs=0.05)


def bent(points: Floats) -> Floats:
    """A normal bent along a parabola: u1 ~ N(0, 1) and u2 = u1²/2 + N(0, 1).

    E[u2] = 1/2 and Var u2 = Var(u1²)/4 + 1 = 3/2.
    """
    across = points[:, 1] - points[:, 0] ** 2 / 2
    return np.asarray(-(points[:, 0] ** 2 + across**2) / 2)


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_a_bent_ridge_is_followed_from_a_poor_start(scale: float) -> None:
    """The Hessian at the mode is the unit matrix: it knows nothing of the bend; or it is wrong."""
    start = scale * np.eye(2)
    found = sample_density(
        bent, np.zeros(2), start, 4000, np.random.default_rng(4), label="a valley"
    )
    assert found.method == "importance"
    assert (found.attempts > 0) == (scale < 1)
    mean = found.weights @ found.points
    variance = found.weights @ (found.points - mean) ** 2
    # Three standard errors; the fourth moments are 3 and, about, 3 · 1.5² + 12/16 + ….
    error = 3 / np.sqrt(found.effective_size)
    assert mean == pytest.approx([0, 0.5], abs=error * 1.25)
    assert variance == pytest.approx([1, 1.5], abs=error * 4)


def test_weights_of_one_draw_are_never_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mode far from a narrow density: all weight is on the nearest draw, then on none."""

    def no_chain(*args: Any, **kwargs: Any) -> None:
        del args
        raise FitError(f"k {kwargs['k_hat']}")

    def needle(points: Floats) -> Floats:
        return np.asarray(-((points - 1e3) ** 2).sum(axis=1) * 1e12)

    monkeypatch.setattr("clv.inference.markov_chain.sample", no_chain)
    with pytest.raises(FitError, match="k"):
        sample_density(
            needle, np.zeros(3), np.eye(3), 500, np.random.default_rng(5), label="a needle"
        )
