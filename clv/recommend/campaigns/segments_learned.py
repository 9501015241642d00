"""What campaigns teach of e, the part of leavers that money can keep, segment by segment.

With the money scale σ at its posterior mean, campaigns say of segment g alone

    y_g = argmin_e Σ (τ̂_g − g_g(e f_g(σ)))ᵀ V_g⁻¹ (τ̂_g − g_g(e f_g(σ))),      σ_g² its curvature⁻¹,

in the letters of :mod:`clv.recommend.campaigns.retention_learned`. Segments are draws around a
centre that starts from the policy's own figure:

    θ_g ~ N(μ, ω²),    μ ~ N(e₀, s_e²),    y_g ~ N(θ_g, σ_g²),

with the ω² of Paule & Mandel (1982, doi:10.6028/jres.087.022), as in
:mod:`clv.recommend.campaigns.segments`. Where they differ no more than by chance ω is 0, and one
effect serves all. What σ leaves open of e is added: it moves all segments alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clv.arrays import Floats
from clv.recommend.campaigns.retention_learned import Evidence, RetentionPosterior
from clv.recommend.campaigns.segments import between_variance, pooled
from clv.recommend.retention_segments import LearnedSegment

__all__ = ["learned_segments"]

GRID = np.linspace(-1.0, 1.0, 2001)
"""Effects that are tried; the step is far below any standard error."""


def learned_segments(
    posterior: RetentionPosterior,
    evidence: Mapping[int, Sequence[Evidence]],
    names: Sequence[str],
) -> tuple[LearnedSegment, ...]:
    """Effects of the segments, partially pooled, where segments differ more than by chance.

    Parameters
    ----------
    posterior : RetentionPosterior
        Of all customers together.
    evidence : mapping of int to sequence of Evidence
        Of each segment that the campaigns reached, by its place in `names`.
    names : sequence of str
        What the segments are called.

    Returns
    -------
    tuple of LearnedSegment
        Empty where the segments differ no more than by chance, and for fewer than two.

    Examples
    --------
    >>> from clv.recommend.campaigns.retention_learned import retention_posterior
    >>> from clv.recommend.policy import Policy
    >>> def letters(effect):
    ...     return Evidence(
    ...         effect=np.array([effect]), covariance=np.array([[0.01**2]]),
    ...         kept=np.array([-1.0, 0.0, 1.0]), gain=np.array([-0.5, 0.0, 0.5]),
    ...         reach=((2 * np.ones(1), np.ones(1)),), customers=2000)
    >>> both = {0: [letters(0.15)], 1: [letters(-0.10)]}
    >>> found = retention_posterior(Policy(), [letters(0.025)])
    >>> [round(one.effect, 2) for one in learned_segments(found, both, ["old", "new"])]
    [0.31, -0.21]
    """
    alone = {code: _alone(some, posterior.money_scale[0]) for code, some in evidence.items()}
    told = [code for code, found in sorted(alone.items()) if found is not None]
    if len(told) < 2:
        return ()
    y, error = np.array([alone[code] for code in told]).T
    between = between_variance(y, error)
    if not between > 0:
        return ()
    mean, sd = pooled(y, error, between, prior=posterior.effect_prior)
    of_scale = posterior.correlation * posterior.effect[1]
    whole = np.hypot(sd, of_scale)
    return tuple(
        LearnedSegment(
            code,
            names[code],
            float(np.clip(mean[i], -1, 1)),
            float(whole[i]),
            float(of_scale / whole[i]),
            sum(one.customers for one in evidence[code]),
        )
        for i, code in enumerate(told)
    )


def _alone(evidence: Sequence[Evidence], money_scale: float) -> tuple[float, float] | None:
    """Effect and standard error from these customers alone; None where they say nothing of it."""
    scale = np.array([money_scale])
    misfit, information = np.zeros_like(GRID), np.zeros_like(GRID)
    for one in evidence:
        share = one.shares(scale)[:, 0]
        expected = _expected(one, GRID[:, None] * share)
        slope = (_expected(one, (GRID[:, None] + 1e-3) * share)
                 - _expected(one, (GRID[:, None] - 1e-3) * share)) / 2e-3  # fmt: skip
        inverse = np.linalg.pinv(one.covariance)
        left = one.effect - expected
        misfit += np.einsum("ka,ab,kb->k", left, inverse, left)
        information += np.einsum("ka,ab,kb->k", slope, inverse, slope)
    best = int(np.argmin(misfit))
    if not information[best] > 0:
        return None
    return float(GRID[best]), float(information[best] ** -0.5)


def _expected(one: Evidence, kept: Floats) -> Floats:
    return np.asarray(np.interp(kept, one.kept, one.gain))
