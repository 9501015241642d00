"""Whom a campaign compares, whether chance put them where they are, and for how long it looked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from clv.arrays import Floats
from clv.recommend.campaigns import shares_differ
from clv.recommend.learned import Basis
from clv.transactions.campaigns import CampaignOutcomes

__all__ = ["compared_by_chance", "design_of", "short_window"]

LEAST = 2
"""Customers that every arm needs for an effect and its error."""

ENOUGH_SEEN = 0.5
"""Part of the leavers of the policy's period from which a window speaks for the period."""

OF_CUSTOMERS = (
    *("customer_id", "arm", "spend", "assignment_probability", "frequency", "recency", "T"),
    *("spend_frequency", "monetary_value", "purchases", "amount"),
)
"""What outcomes hold one value a customer of."""


def compared_by_chance(o: CampaignOutcomes) -> CampaignOutcomes:
    """Leave out who was put into an arm for sure: nobody alike can have been in another.

    They would stand for themselves in their own arm and be missing from the others, which the sizes
    of the arms do not show where they are few.

    Parameters
    ----------
    o : CampaignOutcomes
        Of one campaign.

    Returns
    -------
    CampaignOutcomes
        All of them where not everybody's probability is stated, or nobody else is there to compare.
    """
    sure = o.assignment_probability == 1
    sizes = np.bincount(o.arm[~sure], minlength=len(o.arms))
    stated = not np.isnan(o.assignment_probability).any()
    if not (stated and sure.any() and sizes.min() >= LEAST):
        return o
    shown = tuple(f"customer {who!r}" for who in o.customer_id[sure][:3])
    report = o.report.without(
        "a customer put into the arm for sure (assignment_probability 1)", int(sure.sum()), shown
    )
    rows = {name: getattr(o, name)[~sure] for name in OF_CUSTOMERS}
    return replace(o, **rows, report=report)


def design_of(o: CampaignOutcomes, *, randomised: bool) -> tuple[Floats, Basis, list[str]]:
    """Say whether chance decided who was in which arm.

    Parameters
    ----------
    o : CampaignOutcomes
        Of one campaign.
    randomised : bool
        Whether it did, in the shares seen, where nobody states the probabilities.

    Returns
    -------
    probability : ndarray, shape (n,)
        Of each customer's own arm.
    basis : {"causal", "associational"}
        Whether chance decided.
    concerns : list of str
        Why not, where probabilities are stated.
    """
    probability = o.assignment_probability
    if np.isnan(probability).any():
        if not randomised:
            return probability, "associational", []
        sizes = np.bincount(o.arm)
        return (sizes / sizes.sum())[o.arm], "causal", []
    if (probability == 1).any():
        told = (
            "Hardly anybody was put into an arm by chance: the stated probabilities are 1. What "
            "follows is taken as if somebody had chosen the customers."
        )
        return probability, "associational", [told]
    odd = shares_differ(o.arm, probability)
    if not len(odd):
        return probability, "causal", []
    names = ", ".join(repr(o.arms[a]) for a in odd)
    told = (
        f"The sizes of arm {names} are not what the stated probabilities give: customers were lost "
        "or moved after chance had decided, so the arms are not alike. What follows is taken as "
        "if somebody had chosen the customers."
    )
    return probability, "associational", [told]


def short_window(o: CampaignOutcomes, months: int, in_window: float, in_period: float) -> list[str]:
    """Say where a budget is for many more leavers than the window has seen.

    Parameters
    ----------
    o : CampaignOutcomes
        Of one campaign.
    months : int
        The period of the policy's budgets.
    in_window, in_period : float
        How many are expected to leave within the window, and within that period.

    Returns
    -------
    list of str
        One sentence, or none.
    """
    if in_window >= ENOUGH_SEEN * in_period:
        return []
    told = (
        f"Of those who would leave within the {months} months that a budget is for, "
        f"{100 * in_window / in_period:.0f} % would within these {o.window:,} days. A budget "
        "follows what was seen of these as if it held for all of them; if the effect wears off, it "
        "keeps less."
    )
    return [told]
