"""How much to spend on keeping customers, in total and customer by customer.

What is at stake with each is :mod:`clv.recommend.stakes`; the division is
:func:`clv.recommend.allocation.allocate`, or within quotas of segments
:func:`clv.recommend.quotas.allocate_with_quotas`. Who gets most is decided by what spending
changes, never by risk alone (Ascarza 2018, doi:10.1509/jmr.16.0163).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import RequestError
from clv.recommend.allocation import Allocation, allocate
from clv.recommend.policy import Policy, money
from clv.recommend.quotas import Quota, SegmentShare, allocate_with_quotas
from clv.recommend.retention_uncertainty import KeptRange
from clv.recommend.retention_words import told_of_range
from clv.recommend.stakes import RetentionStakes

__all__ = ["RetentionBudget", "retention_budget"]


@dataclass(frozen=True, eq=False)
class RetentionBudget:
    """A retention budget, divided.

    Attributes
    ----------
    customer_id : ndarray, shape (n,)
        Whose spend it is, in the order given.
    spend : ndarray, shape (n,)
        What to spend on each within the period, in money.
    expected_gain : ndarray, shape (n,)
        Value that this is expected to keep, before its cost, in money.
    total : float
        What is spent in all.
    shadow_price : float
        What the next unit of budget returns; 1 where there is enough budget.
    optimal_total : float
        The total worth asking for: its last unit returns just itself.
    unspent : float
        What is left of the budget because it would return less than itself.
    customers_kept : float
        How many customers it is expected to keep who would leave otherwise, counted by the part of
        their value that is kept.
    harmed : int
        Customers whom being contacted would drive away; they get nothing.
    segments : tuple of SegmentShare
        What each segment gets; empty where none were given.
    cost_of_quotas : float
        Net gain that the same budget would bring more without quotas.
    segment : ndarray, shape (n,), or None
        Segment of each customer, where they were given.
    gain_range : KeptRange or None
        Between what amounts that lies which the spend keeps in all, where that was drawn; see
        :meth:`with_range`.
    assumed : tuple of str
        Dotted keys of the policy values used that the company has not set itself.
    sentences : tuple of str
        What this says, in plain words.
    currency : str
        Code of the currency; empty where the policy does not state it.
    policy_version : str
        Of the policy used.
    """

    customer_id: npt.NDArray[Any]
    spend: Floats
    expected_gain: Floats
    total: float
    shadow_price: float
    optimal_total: float
    unspent: float
    assumed: tuple[str, ...]
    sentences: tuple[str, ...]
    currency: str
    policy_version: str
    customers_kept: float = 0.0
    harmed: int = 0
    segments: tuple[SegmentShare, ...] = ()
    cost_of_quotas: float = 0.0
    segment: npt.NDArray[Any] | None = None
    gain_range: KeptRange | None = None

    @property
    def total_gain(self) -> float:
        """Value that the spend is expected to keep in all, before its cost, in money."""
        return float(np.sum(self.expected_gain))

    @property
    def cost_of_keeping(self) -> float:
        """What is spent for each customer who is kept and would leave otherwise; nan for none."""
        return self.total / self.customers_kept if self.customers_kept > 0 else float("nan")

    def with_range(self, kept: KeptRange) -> RetentionBudget:
        """Return this budget with an interval of what its spend keeps, said in words too.

        Parameters
        ----------
        kept : KeptRange
            The interval, and which part of it what money achieves is to blame for.
        """
        told = told_of_range(kept, self.currency)
        sentences = (self.sentences[0], told, *self.sentences[1:])
        return replace(self, gain_range=kept, sentences=sentences)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one row a customer: `customer_id`, `segment` if any, `spend`, `expected_gain`."""
        columns = {"customer_id": self.customer_id.tolist()}
        if self.segment is not None:
            columns["segment"] = self.segment.tolist()
        columns |= {"spend": self.spend.tolist(), "expected_gain": self.expected_gain.tolist()}
        for row in zip(*columns.values(), strict=True):
            yield dict(zip(columns, row, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, customers as `rows`, ready for JSON."""
        kept = self.gain_range
        return {
            "rows": list(self.rows()),
            "total": self.total,
            "shadow_price": self.shadow_price,
            "optimal_total": self.optimal_total,
            "unspent": self.unspent,
            "total_gain": self.total_gain,
            "gain_low": None if kept is None else kept.low,
            "gain_high": None if kept is None else kept.high,
            "gain_low_orders": None if kept is None else kept.orders_low,
            "gain_high_orders": None if kept is None else kept.orders_high,
            "range_from_money": None if kept is None else kept.from_money,
            "customers_kept": self.customers_kept,
            "harmed": self.harmed,
            "segments": [share.to_dict() for share in self.segments],
            "cost_of_quotas": self.cost_of_quotas,
            "assumed": list(self.assumed),
            "sentences": list(self.sentences),
            "currency": self.currency,
            "policy_version": self.policy_version,
        }


def retention_budget(
    policy: Policy,
    customer_ids: Sequence[Any] | npt.NDArray[Any],
    *,
    p_alive: npt.ArrayLike,
    value_if_alive: npt.ArrayLike,
    value_leaves: npt.ArrayLike,
    expected_spend: npt.ArrayLike,
    effect: npt.ArrayLike | None = None,
    money_scale: npt.ArrayLike | None = None,
    stage: npt.ArrayLike | None = None,
    segment: npt.ArrayLike | None = None,
    quotas: Mapping[Hashable, Quota] | None = None,
    total: float | None = None,
) -> RetentionBudget:
    """Divide a retention budget so that no unit would keep more elsewhere.

    Parameters
    ----------
    policy : Policy
        Its `retention` figures are used.
    customer_ids : sequence, length n
        Who the rows are.
    p_alive : array_like, shape (n,)
        A, probability that the customer is still one.
    value_if_alive : array_like, shape (n,)
        V, value from now on if so, net of margin and discount, in money.
    value_leaves : array_like, shape (n,)
        d, part of that value which is lost within the policy's period with customers who leave: the
        probability of leaving, each customer counted by the own value.
    expected_spend : array_like, shape (n,)
        Expected spend per purchase, in money, above 0 wherever there is anything to keep.
    effect : array_like, shape (n,), optional
        e of each customer, where it was learned; the policy's if not given. Customers with an
        effect below 0 get nothing, not even the least per customer.
    money_scale : array_like, shape (n,), optional
        Spend that does 63 % of that, as a multiple of `expected_spend`, where it was learned.
    stage : array_like of int, shape (n,), optional
        From :func:`clv.recommend.stages.stage_of`: the policy's least by stage then holds.
    segment : array_like, shape (n,), optional
        Label of the segment of each customer, by which the budget is told.
    quotas : mapping of label to Quota, optional
        Least and most that segments get.
    total : float, optional
        The budget; the total worth asking for if not given.

    Returns
    -------
    RetentionBudget

    Raises
    ------
    RequestError
        Where a number makes no sense, naming the customers.
    AllocationError
        Where quotas and the least per customer cannot be met, naming which and by how much.

    Examples
    --------
    >>> budget = retention_budget(
    ...     Policy(), ["a", "b"], p_alive=[0.9, 0.5], value_if_alive=[800.0, 90.0],
    ...     value_leaves=[0.4, 0.3], expected_spend=[60.0, 40.0], total=30.0,
    ... )
    >>> budget.spend.round(2).tolist(), round(budget.shadow_price, 2)
    ([30.0, 0.0], 1.06)
    """
    stakes = RetentionStakes.of(
        policy,
        customer_ids,
        p_alive=p_alive,
        value_if_alive=value_if_alive,
        value_leaves=value_leaves,
        expected_spend=expected_spend,
        effect=effect,
        money_scale=money_scale,
        stage=stage,
    )
    if quotas and segment is None:
        raise RequestError("Quotas need the segment of each customer.")
    limits = {"lo": stakes.least, "hi": stakes.most}
    shares: tuple[SegmentShare, ...] = ()
    cost = 0.0
    if segment is None:
        divided = allocate(stakes.w, stakes.k, **limits, total=total)
    else:
        within = allocate_with_quotas(
            stakes.w, stakes.k, segment, quotas or {}, **limits, total=total
        )
        divided, shares, cost = within.allocation, within.segments, within.cost_of_quotas
    return RetentionBudget(
        customer_id=stakes.customer_id,
        spend=divided.spend,
        expected_gain=divided.gain,
        total=divided.total,
        shadow_price=divided.shadow_price,
        optimal_total=divided.optimal_total,
        unspent=divided.unspent,
        assumed=stakes.assumed,
        sentences=(
            *_sentences(policy, divided, limited=bool(quotas)),
            *_further(policy, stakes.harmed, cost, staged=stage is not None),
        ),
        currency=policy.currency,
        policy_version=policy.version,
        customers_kept=stakes.customers_kept(divided.gain),
        harmed=stakes.harmed,
        segments=shares,
        cost_of_quotas=cost,
        segment=None if segment is None else np.asarray(segment),
    )


def _sentences(policy: Policy, divided: Allocation, *, limited: bool) -> tuple[str, ...]:
    """Return what the budget says, in plain words."""
    currency, months = policy.currency, policy.retention.period_months
    spend, optimal = money(divided.total, currency), money(divided.optimal_total, currency)
    funded = int((divided.spend > 0).sum())
    if not divided.optimal_total:
        told = (
            f"By these figures no customer of {len(divided.spend):,} would return what is spent on "
            "keeping them: they are no reason to ask for a budget."
        )
        return (told,)
    spent = (
        f"{spend} over {months} months, on {funded:,} of {len(divided.spend):,} customers, is "
        f"expected to keep {money(divided.total_gain, currency)} of value."
    )
    limits = "the quotas and the policy's limits" if limited else "the policy's limits"
    enough = f"within {limits} per customer nothing more returns what it costs"
    if divided.unspent > 0:
        return spent, f"{money(divided.unspent, currency)} of the budget is not spent: {enough}."
    if divided.shadow_price > 1:
        return spent, (
            f"The next {money(1, currency)} of budget would keep {divided.shadow_price:.2f}. The "
            f"total worth asking for is {optimal}."
        )
    return spent, f"{optimal} is the total worth asking for: {enough}."


def _further(policy: Policy, harmed: int, cost: float, *, staged: bool) -> list[str]:
    """Return what else is to be said: who is left alone, what quotas cost, what was not applied."""
    told = []
    if harmed:
        many = f"{harmed:,} customers are" if harmed > 1 else "1 customer is"
        told.append(
            f"{many} left alone: by what is known of the effect, being contacted would drive them "
            "away."
        )
    if cost >= 0.005:  # half of the last digit that is shown
        told.append(
            f"Without the quotas the same budget would gain {money(cost, policy.currency)} more."
        )
    if not staged and any(policy.retention.stage_minimums.values()):
        told.append(
            "The policy's least by stage is not applied: the stages of the customers are not given."
        )
    return told
