"""What campaigns did, from numbers: effects, whom they helped, and what the policy learns.

::

    outcomes, arms, probabilities ──► effects       what each arm changed, by chance or adjusted
                                 ──► segments      for whom
                                 ──► qini          whether a ranking finds those it changes
    effects, purchases expected ──► retention_learned    what of it belongs into the policy
                                ──► segments_learned     and where segments differ, by segment

Nothing here knows a model, a book or a log.
"""

from __future__ import annotations

from clv.recommend.campaigns.effects import (
    Effects,
    adjusted_effects,
    randomised_effects,
    shares_differ,
)
from clv.recommend.campaigns.propensity import Propensity, fit_propensity
from clv.recommend.campaigns.qini import Qini, qini
from clv.recommend.campaigns.retention_learned import (
    Evidence,
    RetentionPosterior,
    retention_posterior,
)
from clv.recommend.campaigns.segments import SegmentEffect, segment_effects
from clv.recommend.campaigns.segments_learned import learned_segments

__all__ = [
    "Effects",
    "Evidence",
    "Propensity",
    "Qini",
    "RetentionPosterior",
    "SegmentEffect",
    "adjusted_effects",
    "fit_propensity",
    "learned_segments",
    "qini",
    "randomised_effects",
    "retention_posterior",
    "segment_effects",
    "shares_differ",
]
