"""What a retention budget says beside its amounts: whom it leaves alone, and how sure its gain is.

A segment that campaigns showed to be driven away by contact gets nothing. One whose effect is above
0, yet below it with a probability of a tenth or more, gets what its effect justifies, and that is
said.
"""

from __future__ import annotations

from clv.arrays import Floats, Rows
from clv.recommend.policy import money
from clv.recommend.retention_segments import RetentionSegments
from clv.recommend.retention_uncertainty import KeptRange

__all__ = ["told_of_range", "told_of_segments"]

UNSURE = 0.1
"""Probability of harm from which a segment is flagged: its 80 % interval then reaches below 0."""


def told_of_segments(
    learned: RetentionSegments, code: Rows, worth: Floats, currency: str = ""
) -> tuple[str, ...]:
    """Say which segments are left alone, and of which it is unsure whether money keeps or harms.

    Parameters
    ----------
    learned : RetentionSegments
        What campaigns taught.
    code : ndarray of int, shape (n,)
        Segment of each customer.
    worth : ndarray, shape (n,)
        Value from now on of each, in money.
    currency : str
        Code of the currency.

    Returns
    -------
    tuple of str
        A sentence for each such segment that has customers.

    Examples
    --------
    >>> import numpy as np
    >>> from clv.recommend.retention_segments import LearnedSegment
    >>> new = LearnedSegment(1, "new", -0.2, 0.05, 0.0, 900)
    >>> learned = RetentionSegments("stage", (), (new,))
    >>> for said in told_of_segments(learned, np.array([1, 1, 3]), np.array([5.0, 7.0, 90.0])):
    ...     print(said)
    Nothing for 'new' (2 customers, worth 12.00 from here on): by your campaigns contact drives \
them away (effect -0.20 ± 0.05).
    """
    told = []
    for one in learned.segments:
        inside = code == one.code
        harm = one.p_harm
        if not inside.any() or (one.effect > 0 and harm < UNSURE):
            continue
        who = (
            f"{one.segment!r} ({int(inside.sum()):,} customers, worth "
            f"{money(float(worth[inside].sum()), currency)} from here on)"
        )
        effect = f"effect {one.effect:.2f} ± {one.sd:.2f}"
        if one.effect > 0:
            told.append(
                f"Unsure for {who}: with a probability of {100 * harm:.0f} % contact drives them "
                f"away ({effect}, from your campaigns). They get what that effect justifies; a "
                "further campaign would tell."
            )
        elif harm > 1 - UNSURE:
            told.append(
                f"Nothing for {who}: by your campaigns contact drives them away ({effect})."
            )
        else:
            told.append(
                f"Nothing for {who}: by your campaigns contact rather drives them away ({effect}), "
                f"though that is unsure: with a probability of {100 * (1 - harm):.0f} % it keeps "
                "some."
            )
    return tuple(told)


FROM = {
    "assumed": "assumed",
    "yours": "stated by you",
    "learned": "learned from your campaigns",
}


def told_of_range(kept: KeptRange, currency: str = "") -> str:
    """Say between what amounts the value kept may lie, and how much of that is about money.

    Parameters
    ----------
    kept : KeptRange
        The interval.
    currency : str
        Code of the currency.

    Examples
    --------
    >>> print(told_of_range(KeptRange(70.0, 310.0, 165.0, 195.0, 0.97, "assumed")))
    What is not known leaves that between 70.00 and 310.00 (80 % interval). 97 % of this doubt \
is about what money achieves, which is assumed; what the orders tell of the customers would alone \
leave it between 165.00 and 195.00.
    """
    whole = f"between {money(kept.low, currency)} and {money(kept.high, currency)}"
    of_orders = (
        f"between {money(kept.orders_low, currency)} and {money(kept.orders_high, currency)}"
    )
    return (
        f"What is not known leaves that {whole} ({100 * kept.level:.0f} % interval). "
        f"{_part(kept.from_money)} of this doubt is about what money achieves, which is "
        f"{FROM[kept.origin]}; what the orders tell of the customers would alone leave it "
        f"{of_orders}."
    )


def _part(share: float) -> str:
    """Write a part of a variance, never as all of it."""
    return "Over 99 %" if share > 0.99 else f"{100 * share:.0f} %"
