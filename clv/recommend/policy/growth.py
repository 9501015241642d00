"""New customers: what winning one costs, and what customers tell each other.

What winning customers costs differs between companies by orders of magnitude: it is stated or not
known, never assumed. What is not known is not priced.
"""

from __future__ import annotations

from clv.recommend.policy.section import Amount, Count, Section, Share, figure, unstated

__all__ = ["AcquisitionFigures", "WordOfMouthRules"]


class AcquisitionFigures(Section):
    """What the company knows about winning customers; without it word of mouth is not priced."""

    cost_per_customer: Amount = unstated(
        "What winning one new customer costs: advertising, selling, welcome discounts."
    )
    acquired_per_year: Count = unstated("New customers in a year.")
    share_by_word_of_mouth: Share = unstated(
        "Part of the new customers who come because a customer told them; ask them."
    )
    happy_customers: Count = unstated(
        "Customers of that year who were happy with what they got, hence may tell others."
    )


class WordOfMouthRules(Section):
    """What customers tell others. It is priced from the figures of [acquisition], or not at all."""

    told_when_happy: float = figure(
        5.0,
        "People whom a happy customer tells; only told_when_unhappy / told_when_happy matters.",
        "assumed",
        gt=0,
        letter="n_pos",
    )
    told_when_unhappy: float = figure(
        10.0,
        "People whom an unhappy customer tells.",
        "assumed: twice as many; rules of thumb say two to five times as many",
        ge=0,
        letter="n_neg",
    )
    weight_of_bad: float = figure(
        0.55,
        "What one bad word takes away, as a multiple of what one good word brings.",
        "assumed, after East, Hammond & Lomax 2008: a good word moves more than a bad one",
        ge=0,
        letter="ν",
    )
    unhappy_if_ignored: float = figure(
        0.8,
        "Probability that a customer whose problem is left alone is unhappy.",
        ge=0,
        le=1,
        letter="u0",
    )
