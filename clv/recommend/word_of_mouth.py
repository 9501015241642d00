"""Word of mouth, priced so that it explains the customers whom it has in fact brought.

Counting people told, times a guess of how many of them buy, times a value gives any figure one
likes. Instead the share of new customers who came by word of mouth closes the account: each happy
customer brought

    q · n_pos = (acquired × share by word of mouth) / happy customers

new ones, with n_pos the people a happy customer tells and q the new customers per person told.
With V_new the value of a new customer net of what winning one costs, n_neg the people an unhappy
customer tells, and ν the weight of a bad word against a good one (East, Hammond & Lomax 2008,
doi:10.1016/j.ijresmar.2008.04.001):

    W_happy = q · n_pos · V_new        W_unhappy = q · ν · n_neg · V_new

n_pos cancels: only n_neg / n_pos matters. What hangs on one customer's being happy or unhappy is
the sum of both, and a problem left alone puts u0 times that at stake. Without the company's own
figures of acquisition nothing closes, and nothing is priced.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from clv.errors import RequestError
from clv.recommend.policy import Policy, money

__all__ = ["WordOfMouth", "word_of_mouth"]


@dataclass(frozen=True)
class WordOfMouth:
    """What customers tell others is worth; all 0 where it cannot be priced.

    Attributes
    ----------
    priced : bool
        Whether the policy states the figures that it takes.
    per_person_told : float
        q, new customers for each person told of a good experience.
    per_happy : float
        W_happy, what a happy customer brings by telling others, in money.
    per_unhappy : float
        W_unhappy, what an unhappy one takes away, in money.
    swing : float
        W, the two together: what hangs on one customer's being happy or not.
    at_stake : float
        u0 · W, what a problem left alone puts at stake.
    warnings : tuple of str
        Why nothing is priced, or why the figures look wrong.
    assumed : tuple of str
        Dotted keys of the policy values used that nobody has stated or learned.
    """

    priced: bool
    per_person_told: float
    per_happy: float
    per_unhappy: float
    swing: float
    at_stake: float
    warnings: tuple[str, ...]
    assumed: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        told = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in told.items()}


def word_of_mouth(policy: Policy, value_of_new: float | None) -> WordOfMouth:
    """Return what word of mouth is worth by the company's own figures of acquisition.

    Parameters
    ----------
    policy : Policy
        Its `acquisition` figures close the account; without them nothing is priced.
    value_of_new : float or None
        Value of a new customer before what winning one costs, in money; None: not known.

    Returns
    -------
    WordOfMouth

    Raises
    ------
    RequestError
        Where `value_of_new` is not a finite number.

    Examples
    --------
    >>> policy = Policy.parse('''
    ... [acquisition]
    ... cost_per_customer = 30.0
    ... acquired_per_year = 100000
    ... share_by_word_of_mouth = 0.3
    ... happy_customers = 400000
    ... ''')
    >>> worth = word_of_mouth(policy, 150.0)
    >>> round(worth.per_happy, 2), round(worth.per_unhappy, 2), round(worth.swing, 2)
    (9.0, 9.9, 18.9)
    >>> word_of_mouth(Policy(), 150.0).priced
    False
    """
    if value_of_new is not None and not math.isfinite(value_of_new):
        raise RequestError(f"The value of a new customer is a finite amount; got {value_of_new}.")
    figures, rules = policy.acquisition, policy.word_of_mouth
    cost, acquired = figures.cost_per_customer, figures.acquired_per_year
    share, happy = figures.share_by_word_of_mouth, figures.happy_customers
    if cost is None or acquired is None or share is None or happy is None or value_of_new is None:
        return _not_priced(policy, value_of_new)

    net = value_of_new - cost
    if net <= 0:
        return _nothing(
            f"A new customer is worth {money(value_of_new, policy.currency)} and costs "
            f"{money(cost, policy.currency)} to win: by these figures word of mouth is worth "
            "nothing.",
            priced=True,
        )
    q = acquired * share / (happy * rules.told_when_happy)
    per_happy = q * rules.told_when_happy * net
    per_unhappy = q * rules.weight_of_bad * rules.told_when_unhappy * net
    swing = per_happy + per_unhappy
    told = (
        f"By these figures {q:.3g} new customers come for each person whom a happy customer tells; "
        "more than one cannot be. Check [acquisition]."
    )
    keys = ("told_when_happy", "told_when_unhappy", "weight_of_bad", "unhappy_if_ignored")
    return WordOfMouth(
        priced=True,
        per_person_told=q,
        per_happy=per_happy,
        per_unhappy=per_unhappy,
        swing=swing,
        at_stake=rules.unhappy_if_ignored * swing,
        warnings=(told,) if q > 1 else (),
        assumed=tuple(key for name in keys if (key := f"word_of_mouth.{name}") in policy.assumed),
    )


def _not_priced(policy: Policy, value_of_new: float | None) -> WordOfMouth:
    stated = policy.acquisition.model_dump()
    unknown = [name for name, value in stated.items() if value is None]
    if len(unknown) == len(stated):
        missing = ["the policy states nothing of [acquisition]"]
    else:
        missing = [f"[acquisition] of the policy lacks {', '.join(unknown)}"] if unknown else []
    missing += ["the value of a new customer is not known"] if value_of_new is None else []
    return _nothing(
        f"What customers tell others is not priced: {'; '.join(missing)}.",
        priced=False,
    )


def _nothing(warning: str, *, priced: bool) -> WordOfMouth:
    return WordOfMouth(
        priced=priced,
        per_person_told=0.0,
        per_happy=0.0,
        per_unhappy=0.0,
        swing=0.0,
        at_stake=0.0,
        warnings=(warning,),
        assumed=(),
    )
