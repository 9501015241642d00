"""A retention budget spent on offers that come whole: a letter, a voucher, a call.

What an offer keeps of a customer is either known for the offer, as the part of those who would
leave whom it keeps, or follows from what it costs by the curve of :mod:`clv.recommend.stakes`:

    v_ij = A_i · V_i · d_i · e_j          or          v_ij = w_i (1 − exp(−k_i c_j))
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import RequestError
from clv.recommend.offers import OfferAllocation, allocate_offers
from clv.recommend.policy import Policy, money
from clv.recommend.stakes import RetentionStakes
from clv.small_tables import SmallTable, read_small_table

__all__ = ["Offer", "OfferBudget", "read_offers", "retention_offers"]


@dataclass(frozen=True)
class Offer:
    """Something that can be offered to a customer once in the period.

    Attributes
    ----------
    name : str
        What it is called.
    cost : float
        What it costs for one customer, in money, at least 0.
    effect : float or None
        Part of the customers who would leave that it keeps, from -1 to 1; None: as much as its
        cost does by the policy's curve.

    Raises
    ------
    RequestError
        Where a figure makes no sense.
    """

    name: str
    cost: float
    effect: float | None = None

    def __post_init__(self) -> None:
        faults = []
        if not self.name:
            faults.append("An offer needs a name.")
        if not (math.isfinite(self.cost) and self.cost >= 0):
            faults.append(f"The cost of {self.name!r} must be at least 0; got {self.cost:g}.")
        if self.effect is not None and not -1 <= self.effect <= 1:
            faults.append(
                f"The effect of {self.name!r} must be from -1 to 1: the part of those who would "
                f"leave whom it keeps; got {self.effect:g}."
            )
        if faults:
            raise RequestError.of(faults)


@dataclass(frozen=True, eq=False)
class OfferBudget:
    """A retention budget, divided over offers.

    Attributes
    ----------
    customer_id, offer : ndarray, shape (n,)
        Whose offer it is, and its name; empty for nobody's.
    spend, expected_gain : ndarray, shape (n,)
        Its cost, and the value that it is expected to keep before that, in money.
    counts : dict of str to int
        How many customers get each offer.
    total, shadow_price, optimal_total, unspent : float
        As in :class:`clv.recommend.offers.OfferAllocation`.
    gap : float
        No other choice within the budget gains more than this one by more than so much.
    assumed : tuple of str
        Dotted keys of the policy values used that the company has not set itself.
    sentences : tuple of str
        What this says, in plain words.
    currency, policy_version : str
        Of the policy used.
    """

    customer_id: npt.NDArray[Any]
    offer: npt.NDArray[Any]
    spend: Floats
    expected_gain: Floats
    counts: dict[str, int]
    total: float
    shadow_price: float
    optimal_total: float
    unspent: float
    gap: float
    assumed: tuple[str, ...]
    sentences: tuple[str, ...]
    currency: str
    policy_version: str

    @property
    def total_gain(self) -> float:
        """Value that the offers are expected to keep in all, before their cost, in money."""
        return float(np.sum(self.expected_gain))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one row a customer: `customer_id`, `offer`, `spend`, `expected_gain`."""
        columns = {
            "customer_id": self.customer_id.tolist(),
            "offer": self.offer.tolist(),
            "spend": self.spend.tolist(),
            "expected_gain": self.expected_gain.tolist(),
        }
        for row in zip(*columns.values(), strict=True):
            yield dict(zip(columns, row, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, customers as `rows`, ready for JSON."""
        return {
            "rows": list(self.rows()),
            "counts": dict(self.counts),
            "total": self.total,
            "shadow_price": self.shadow_price,
            "optimal_total": self.optimal_total,
            "unspent": self.unspent,
            "total_gain": self.total_gain,
            "gap": self.gap,
            "assumed": list(self.assumed),
            "sentences": list(self.sentences),
            "currency": self.currency,
            "policy_version": self.policy_version,
        }


def retention_offers(
    policy: Policy,
    customer_ids: Sequence[Any] | npt.NDArray[Any],
    offers: Sequence[Offer],
    *,
    p_alive: npt.ArrayLike,
    value_if_alive: npt.ArrayLike,
    value_leaves: npt.ArrayLike,
    expected_spend: npt.ArrayLike,
    effect: npt.ArrayLike | None = None,
    total: float | None = None,
) -> OfferBudget:
    """Give each customer one of the offers, or none, so that the budget keeps the most value.

    Parameters
    ----------
    policy : Policy
        Its `retention` figures are used where an offer has no effect of its own.
    customer_ids, p_alive, value_if_alive, value_leaves, expected_spend
        As in :func:`clv.recommend.retention.retention_budget`.
    offers : sequence of Offer
        At least one.
    effect : array_like, shape (n,), optional
        e of each customer, where it was learned; the policy's if not given. Customers with an
        effect below 0 are driven away by being contacted, and get no offer whatever.
    total : float, optional
        The budget; the total worth asking for if not given.

    Returns
    -------
    OfferBudget

    Raises
    ------
    RequestError
        Where a number makes no sense, or two offers have one name.
    AllocationError
        Where the budget is no amount.

    Examples
    --------
    >>> budget = retention_offers(
    ...     Policy(), ["a", "b"], [Offer("letter", 1.0, 0.03), Offer("voucher", 20.0)],
    ...     p_alive=[0.9, 0.5], value_if_alive=[800.0, 90.0], value_leaves=[0.4, 0.3],
    ...     expected_spend=[60.0, 40.0],
    ... )
    >>> budget.offer.tolist(), budget.counts
    (['voucher', ''], {'letter': 0, 'voucher': 1})
    """
    names = [offer.name for offer in offers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not offers or twice:
        told = f"{', '.join(map(repr, twice))} stands there twice" if twice else "there is none"
        raise RequestError(f"Offers need a name each, and at least one of them; {told}.")
    stakes = RetentionStakes.of(
        policy,
        customer_ids,
        p_alive=p_alive,
        value_if_alive=value_if_alive,
        value_leaves=value_leaves,
        expected_spend=expected_spend,
        effect=effect,
    )
    at_stake = np.asarray(p_alive, dtype=float) * stakes.leaving_value * np.asarray(value_leaves)
    value = np.empty((len(stakes.w), len(offers)))
    for j, offer in enumerate(offers):
        value[:, j] = (
            stakes.w * -np.expm1(-stakes.k * offer.cost)
            if offer.effect is None
            else at_stake * offer.effect
        )
    harmed = stakes.w < 0
    if effect is not None:  # who is driven away by contact is so by any offer
        value[harmed] = np.minimum(value[harmed], stakes.w[harmed, None])
    chosen = allocate_offers(value, [offer.cost for offer in offers], total=total)
    counted = np.bincount(chosen.offer + 1, minlength=len(offers) + 1)[1:].tolist()
    counts = dict(zip(names, counted, strict=True))
    by_curve = any(offer.effect is None for offer in offers)
    used = {"retention.period_months"}
    if by_curve:
        used |= {"retention.effect", "retention.money_scale"}
    return OfferBudget(
        customer_id=stakes.customer_id,
        offer=np.array([*names, ""], dtype=object)[chosen.offer],
        spend=chosen.spend,
        expected_gain=chosen.gain,
        counts=counts,
        total=chosen.total,
        shadow_price=chosen.shadow_price,
        optimal_total=chosen.optimal_total,
        unspent=chosen.unspent,
        gap=chosen.gap,
        assumed=tuple(key for key in policy.assumed if key in used),
        sentences=tuple(_sentences(policy, chosen, counts)),
        currency=policy.currency,
        policy_version=policy.version,
    )


def _sentences(policy: Policy, chosen: OfferAllocation, counts: dict[str, int]) -> list[str]:
    currency, months, n = policy.currency, policy.retention.period_months, len(chosen.offer)
    optimal = money(chosen.optimal_total, currency)
    if not chosen.optimal_total and not chosen.total_gain:
        return [f"No offer returns what it costs with any of {n:,} customers."]
    many = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    spent, kept = money(chosen.total, currency), money(chosen.total_gain, currency)
    told = [f"{spent} over {months} months is expected to keep {kept} of value."]
    told.append(f"Of {n:,} customers {sum(counts.values()):,} get an offer: {many}.")
    if chosen.shadow_price > 1:
        told.append(
            f"The next {money(1, currency)} of budget would keep about {chosen.shadow_price:.2f}. "
            f"The total worth asking for is {optimal}."
        )
    elif chosen.unspent:
        told.append(
            f"{money(chosen.unspent, currency)} of the budget is not spent: no further offer "
            "returns what it costs."
        )
    else:
        told.append(
            f"{optimal} is the total worth asking for: no further offer returns what it costs."
        )
    if chosen.gap >= 0.005:  # half of the last digit that is shown
        told.append(
            f"No other choice of offers would gain more by over {money(chosen.gap, currency)}."
        )
    return told


def read_offers(path: str | Path) -> list[Offer]:
    """Read offers from a CSV file with the columns `offer`, `cost` and, where known, `effect`.

    Parameters
    ----------
    path : str or Path
        The file; an empty effect is one that is not known.

    Returns
    -------
    list of Offer

    Raises
    ------
    RequestError
        Where the file cannot be read, or a line of it makes no sense: all such lines.
    """
    table = read_small_table(path)
    names, costs = table.column("offer"), table.column("cost")
    if names is None or costs is None:
        raise RequestError(
            f"{path} needs the columns offer and cost, and may have effect; it has "
            f"{', '.join(table.columns) or 'none'}."
        )
    effects = table.column("effect") or [""] * len(names)
    offers, faults = [], []
    for line, name, cost, effect in zip(table.lines, names, costs, effects, strict=True):
        try:
            offers.append(
                Offer(name, _number(table, cost), _number(table, effect) if effect else None)
            )
        except RequestError as error:
            faults.append(f"{path}, line {line}: {error}")
    if faults:
        raise RequestError.of(faults)
    return offers


def _number(table: SmallTable, cell: str) -> float:
    value = table.number(cell)
    if math.isnan(value):
        raise RequestError(f"{cell!r} is not a number, or could be two; write it as 1234.50.")
    return value
