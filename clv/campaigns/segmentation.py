"""Which customers of campaigns are told apart, and what the campaigns say of each kind.

Fifths by value have the same bounds, in money, in every campaign of a log: those of all customers
who were compared. A book puts its customers into them by the value that they have now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from clv.arrays import Floats, Rows
from clv.recommend.campaigns import Evidence, RetentionPosterior, learned_segments
from clv.recommend.policy import Policy
from clv.recommend.retention_segments import By, RetentionSegments
from clv.recommend.stages import STAGES, stage_of
from clv.transactions.campaigns import CampaignOutcomes
from clv.value.terms import days_per_unit

__all__ = ["Segmentation", "segment_evidence"]

FIFTHS = 5

EACH = 25
"""Customers that every arm needs in a segment for something to be learned of it."""


@dataclass(frozen=True)
class Segmentation:
    """Segments of customers, as they were before a campaign.

    Attributes
    ----------
    by : {"value", "stage"}
        What tells one from another.
    bounds : tuple of float
        Highest value in each fifth but the last, in money; empty for stages.
    names : tuple of str
        What people call them.
    """

    by: By
    bounds: tuple[float, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, policy: Policy, by: By, worth: Sequence[Floats]) -> Self:
        """Return the segments of the customers of some campaigns.

        Parameters
        ----------
        policy : Policy
            Gives the names of stages.
        by : {"value", "stage"}
            What tells one from another.
        worth : sequence of ndarray
            P(alive) × value if alive of the customers of each campaign, in money.

        Examples
        --------
        >>> fifths = Segmentation.of(Policy(), "value", [np.arange(10.0)])
        >>> fifths.bounds, fifths.names[0]
        ((1.0, 3.0, 5.0, 7.0), 'value, fifth 1')
        """
        if by == "stage":
            return cls(by, (), tuple(policy.stages.labels[name] for name in STAGES))
        every = np.sort(np.concatenate(worth))
        last = [-(-len(every) * i // FIFTHS) - 1 for i in range(1, FIFTHS)]  # rounded up, less one
        names = tuple(f"value, fifth {i}" for i in range(1, FIFTHS + 1))
        return cls(by, tuple(every[last].tolist()), names)

    def codes(self, policy: Policy, o: CampaignOutcomes, alive: Floats, worth: Floats) -> Rows:
        """Segment of each customer of a campaign, as a place in `names`.

        Parameters
        ----------
        policy : Policy
            Its `stages` and `integral` figures are used.
        o : CampaignOutcomes
            Whose customers.
        alive, worth : ndarray, shape (n,)
            P(alive), and that × value if alive, in money.
        """
        if self.by == "value":
            return np.asarray(np.searchsorted(self.bounds, worth))
        total = float(worth.sum())
        return stage_of(
            policy,
            days_since_first=o.T * days_per_unit(o.unit),
            purchases=o.frequency + 1,
            p_alive=alive,
            value_share=worth / total if total else np.zeros(len(o)),
        )

    def learned(
        self, posterior: RetentionPosterior, evidence: Sequence[Mapping[int, Evidence]]
    ) -> RetentionSegments | None:
        """What the campaigns teach of the segments; None where these differ by chance alone.

        Parameters
        ----------
        posterior : RetentionPosterior
            Of all customers together.
        evidence : sequence of mapping of int to Evidence
            From :func:`segment_evidence`, of each campaign.
        """
        said = {
            code: [one[code] for one in evidence if code in one] for code in range(len(self.names))
        }
        found = learned_segments(
            posterior, {c: some for c, some in said.items() if some}, self.names
        )
        return RetentionSegments(self.by, self.bounds, found) if found else None


def segment_evidence(
    code: Rows,
    arm: Rows,
    scores: Floats,
    reach: tuple[Floats, Floats],
    curves: Sequence[tuple[Floats, Floats]],
    arms: Sequence[int],
) -> dict[int, Evidence]:
    """What a campaign says of each segment.

    Parameters
    ----------
    code, arm : ndarray of int, shape (n,)
        Segment and arm of each customer.
    scores : ndarray, shape (arms, n)
        As in :attr:`clv.recommend.campaigns.Effects.scores`.
    reach : tuple of ndarray, shape (n,)
        Spend as a multiple of expected spend per purchase, and probability of leaving.
    curves : sequence of (ndarray, ndarray)
        Of each segment: parts of the leavers kept, and the purchases per customer they bring.
    arms : sequence of int
        The arms whose spend is known; none of them the control.

    Returns
    -------
    dict of int to Evidence
        Of segments with enough customers in each of these arms and the control.
    """
    found = {}
    for g, (kept, gain) in enumerate(curves):
        inside = code == g
        size = np.bincount(arm[inside], minlength=int(arm.max(initial=0)) + 1)
        mine = [inside & (arm == j) for j in arms]
        few = not arms or min(size[[0, *arms]]) < EACH
        if few or len(kept) < 2 or not all(reach[1][rows].sum() > 0 for rows in mine):
            continue
        some = scores[np.array(arms) - 1][:, inside]
        found[g] = Evidence(
            effect=some.mean(axis=1),
            covariance=np.atleast_2d(np.cov(some)) / some.shape[1],
            kept=kept,
            gain=gain,
            reach=tuple((reach[0][rows], reach[1][rows]) for rows in mine),
            customers=int(size[[0, *arms]].sum()),
        )
    return found
