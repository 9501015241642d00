"""What a new customer is worth, hence what may be spent to win one; and two rules of thumb.

Everything here is said with the company's own figures, beside the rule of thumb and never instead
of it. What winning a customer costs is stated in the policy or not known: then the comparison is
refused in words.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from clv.errors import RequestError
from clv.recommend.policy import Policy, money

__all__ = ["NewCustomer", "Ratio", "cost_ratio", "loyal_multiple", "new_customer"]

COST_RULE = "6 to 7 times"
"""A rule of thumb: winning a customer costs so many times what keeping one does."""

LOYAL_RULE = "up to 10 times"
"""A rule of thumb: a loyal customer is worth so many times the first purchase."""


@dataclass(frozen=True)
class NewCustomer:
    """A new customer's worth, in money net of the cost of goods.

    Attributes
    ----------
    first_margin : float
        Margin of the first purchase.
    value_after : float
        Value of the purchases after it.
    value : float
        Both: the most that may be spent to win one.
    prospect_value : float or None
        The same before anybody has bought: the most that may be spent on reaching one prospect;
        None where it is not known how many of them buy.
    cost : float or None
        What winning one costs; None where the policy does not state it.
    gain : float or None
        `value` less `cost`.
    return_per_unit : float or None
        `value` over `cost`: what a unit of money spent on winning customers brings.
    sentences : tuple of str
        The same in words.
    """

    first_margin: float
    value_after: float
    value: float
    prospect_value: float | None
    cost: float | None
    gain: float | None
    return_per_unit: float | None
    sentences: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return {**asdict(self), "sentences": list(self.sentences)}


def new_customer(
    policy: Policy,
    *,
    first_purchase: float,
    value_after: float,
    p_becomes: float | None = None,
) -> NewCustomer:
    """Return what a new customer is worth and the most that may be spent to win one.

    Parameters
    ----------
    policy : Policy
        Its `margin` and the cost of winning a customer are used.
    first_purchase : float
        Mean amount of a first purchase, in money, at least 0.
    value_after : float
        Value from right after a first purchase, net of margin and discount, in money, at least 0.
    p_becomes : float, optional
        Part of the prospects reached who buy.

    Returns
    -------
    NewCustomer

    Raises
    ------
    RequestError
        Where an amount or a probability makes no sense.

    Examples
    --------
    >>> worth = new_customer(Policy(), first_purchase=50.0, value_after=70.0, p_becomes=0.02)
    >>> worth.value, worth.prospect_value, worth.cost
    (90.0, 1.8, None)
    """
    faults = _not_amounts({"first_purchase": first_purchase, "value_after": value_after})
    if p_becomes is not None and not 0 <= p_becomes <= 1:
        faults.append(f"p_becomes must be from 0 to 1; got {p_becomes:g}.")
    if faults:
        raise RequestError.of(faults)
    first_margin = policy.margin * first_purchase
    value = first_margin + value_after
    cost = policy.acquisition.cost_per_customer
    prospect = None if p_becomes is None else p_becomes * value
    return NewCustomer(
        first_margin=first_margin,
        value_after=value_after,
        value=value,
        prospect_value=prospect,
        cost=cost,
        gain=None if cost is None else value - cost,
        return_per_unit=value / cost if cost else None,
        sentences=tuple(_sentences(policy, first_margin, value, prospect, p_becomes)),
    )


def _sentences(
    policy: Policy,
    first_margin: float,
    value: float,
    prospect: float | None,
    p_becomes: float | None,
) -> list[str]:
    currency, cost = policy.currency, policy.acquisition.cost_per_customer
    worth, first = money(value, currency), money(first_margin, currency)
    told = [
        f"A new customer is worth {worth}, {first} of it the margin of the first purchase.",
        f"By these figures it pays to spend up to {worth} to win one.",
    ]
    if prospect is not None and p_becomes is not None:
        part, most = f"{100 * p_becomes:.3g} %", money(prospect, currency)
        told.append(
            f"Of the prospects reached {part} buy: it pays to spend up to {most} to reach one."
        )
    if cost is None:
        told.append(f"{_NO_COST} Whether winning customers pays cannot be said.")
    elif cost > value:
        told.append(
            f"Winning one costs {money(cost, currency)}: {money(cost - value, currency)} more than "
            "a new customer is worth."
        )
    elif cost > 0:
        told.append(
            f"Winning one costs {money(cost, currency)}: each unit spent brings {value / cost:.2f}."
        )
    return told


_NO_COST = (
    "What winning a customer costs is not known: state cost_per_customer in [acquisition] of the "
    "policy."
)


@dataclass(frozen=True)
class Ratio:
    """A ratio from the company's own figures, beside the rule of thumb.

    Attributes
    ----------
    ratio : float or None
        None where a figure for it is not known.
    rule_of_thumb : str
        What is commonly said.
    sentence : str
        Both in words.
    """

    ratio: float | None
    rule_of_thumb: str
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self)


def cost_ratio(policy: Policy, cost_of_keeping: float) -> Ratio:
    r"""Return how many times as much winning a customer costs as keeping one.

    Parameters
    ----------
    policy : Policy
        States what winning one costs, or nothing can be said.
    cost_of_keeping : float
        What is spent for each customer who stays and would have left without it, in money.

    Returns
    -------
    Ratio

    Raises
    ------
    RequestError
        Where the cost is not a finite amount of at least 0.

    Examples
    --------
    >>> policy = Policy.parse("[acquisition]\ncost_per_customer = 60.0")
    >>> print(cost_ratio(policy, 20.0).sentence.replace(": 60", ":\n60"))
    Winning a customer costs 3.0 times what keeping one does (rule of thumb: 6 to 7 times):
    60.00 beside 20.00 for each who would leave otherwise.
    """
    faults = _not_amounts({"cost_of_keeping": cost_of_keeping})
    if faults:
        raise RequestError.of(faults)
    cost, rule = policy.acquisition.cost_per_customer, f"(rule of thumb: {COST_RULE})"
    if cost is None:
        return Ratio(None, COST_RULE, f"{_NO_COST} Then its ratio to keeping one is told {rule}.")
    if not cost_of_keeping:
        return Ratio(None, COST_RULE, f"Keeping a customer costs nothing here: no ratio {rule}.")
    ratio = cost / cost_of_keeping
    told = (
        f"Winning a customer costs {ratio:.1f} times what keeping one does {rule}: "
        f"{money(cost, policy.currency)} beside {money(cost_of_keeping, policy.currency)} for each "
        "who would leave otherwise."
    )
    return Ratio(ratio, COST_RULE, told)


def loyal_multiple(policy: Policy, *, first_purchase: float, value_of_loyal: float) -> Ratio:
    """Return how many times the first purchase a loyal customer is worth, margin against margin.

    Parameters
    ----------
    policy : Policy
        Its `margin` turns the first purchase into what it left.
    first_purchase : float
        Mean amount of a first purchase, in money.
    value_of_loyal : float
        What a long-time customer has left in margin since the first purchase and is expected to
        leave from here on, in money.

    Returns
    -------
    Ratio

    Raises
    ------
    RequestError
        Where an amount is not finite or below 0.

    Examples
    --------
    >>> loyal_multiple(Policy(), first_purchase=50.0, value_of_loyal=90.0).ratio
    4.5
    """
    faults = _not_amounts({"first_purchase": first_purchase, "value_of_loyal": value_of_loyal})
    if faults:
        raise RequestError.of(faults)
    rule = f"(rule of thumb: {LOYAL_RULE})"
    if not first_purchase:
        told = f"The first purchase came to nothing: no multiple of it {rule}."
        return Ratio(None, LOYAL_RULE, told)
    ratio = value_of_loyal / (policy.margin * first_purchase)
    told = f"A loyal customer is worth {ratio:.1f} times the first purchase {rule}."
    return Ratio(ratio, LOYAL_RULE, told)


def _not_amounts(asked: dict[str, float]) -> list[str]:
    return [
        f"{name} must be a finite amount of at least 0; got {value:g}."
        for name, value in asked.items()
        if not (math.isfinite(value) and value >= 0)
    ]
