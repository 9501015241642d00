"""What campaigns teach of e, the part of leavers that money can keep, segment by segment.

In the letters of :mod:`clv.recommend.campaigns.retention_learned`, with the money scale σ at its
posterior mean, arm a keeps e f_a of the leavers of a segment, which brings g(e f_a) purchases per
customer. Segments are compared on a scale without bounds, on which an arm brings θ d_a,
d_a = f_a g(1), so that harm beyond all measure is harm all the more:

    y = dᵀ V⁻¹ τ̂ / dᵀ V⁻¹ d,      s² = 1 / dᵀ V⁻¹ d      of each segment alone;

    θ_g ~ N(μ, ω²),    μ ~ N(θ₀, s₀²),    y_g ~ N(θ_g, s_g²),

with the ω² of Paule & Mandel (1982, doi:10.6028/jres.087.022), as in
:mod:`clv.recommend.campaigns.segments`, and the policy's own figure for θ₀. θ goes back to e by the
curve g. As g(0) = 0 the sign stays, and with it the probability of harm. Where segments differ no
more than chance lets expect ω is 0, and one effect serves all; few segments tell ω badly, so that
it is at most that of effects spread evenly from −1 to 1. What σ leaves open of e is added: it
moves all segments alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clv.arrays import Floats
from clv.recommend.campaigns.retention_learned import Evidence, RetentionPosterior
from clv.recommend.campaigns.segments import between_variance, pooled
from clv.recommend.retention_segments import LearnedSegment

__all__ = ["learned_segments"]

MOST = 1 / 3
"""ω² of effects spread evenly from -1 to 1."""

GRID = np.linspace(-1.0, 1.0, 2001)
"""Effects that are tried; the step is far below any standard error."""


def learned_segments(
    posterior: RetentionPosterior,
    evidence: Mapping[int, Sequence[Evidence]],
    names: Sequence[str],
) -> tuple[LearnedSegment, ...]:
    """Effects of the segments, pooled as far as these differ no more than chance lets expect.

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
        Empty where the segments differ no more than chance lets expect, and for fewer than two.

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
    alone = {
        code: one
        for code, some in sorted(evidence.items())
        if (one := _Alone.of(some, posterior.money_scale[0])) is not None
    }
    if len(alone) < 2:
        return ()
    y = np.array([one.estimate for one in alone.values()])
    error = np.array([one.error for one in alone.values()])
    between = min(between_variance(y, error), MOST)
    if not between > 0:
        return ()
    mean, sd = pooled(y, error, between, prior=_prior(posterior, list(alone.values())))
    of_scale = posterior.correlation * posterior.effect[1]
    found = []
    for (code, one), theta, doubt in zip(alone.items(), mean.tolist(), sd.tolist(), strict=True):
        e = one.effect(theta)
        own = doubt * abs(e / theta) if theta else doubt
        whole = float(np.hypot(own, of_scale))
        customers = sum(said.customers for said in evidence[code])
        found.append(
            LearnedSegment(code, names[code], e, whole, float(of_scale / whole), customers)
        )
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Alone:
    """What a segment says by itself: y and s, and θ of each effect in :data:`GRID`."""

    estimate: float
    error: float
    theta: Floats

    @classmethod
    def of(cls, evidence: Sequence[Evidence], money_scale: float) -> _Alone | None:
        """Return it; None where nothing can be said."""
        towards, information = 0.0, 0.0
        curve, weight = np.zeros_like(GRID), 0.0
        for one in evidence:
            share = one.shares(np.array([money_scale]))[:, 0]
            most = float(np.interp(1.0, one.kept, one.gain))
            d = share * most
            inverse = np.linalg.pinv(one.covariance)
            towards += float(d @ inverse @ one.effect)
            information += float(d @ inverse @ d)
            for f, w in zip(share, d**2 / np.diag(one.covariance), strict=True):
                if w > 0:
                    curve += w * np.interp(GRID * f, one.kept, one.gain) / (f * most)
                    weight += float(w)
        if not (information > 0 and weight > 0):
            return None
        return cls(towards / information, information**-0.5, curve / weight)

    def effect(self, theta: float) -> float:
        """Return e, from -1 to 1, at which an arm brings what it does at θ."""
        return float(np.interp(theta, self.theta, GRID))


def _prior(posterior: RetentionPosterior, segments: Sequence[_Alone]) -> tuple[float, float]:
    """Return θ₀ and s₀: what was thought of e before, on the scale of the segments."""
    mean, sd = posterior.effect_prior
    at = [np.interp([mean, mean - sd, mean + sd], GRID, one.theta) for one in segments]
    middle, low, high = np.mean(at, axis=0).tolist()
    return middle, (high - low) / 2
