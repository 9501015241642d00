"""How much to spend on keeping customers, in total and customer by customer.

Spending s on a customer keeps `w(1 − exp(−ks))` of the value that would otherwise leave:

    w = A · V · d · e        k = 1 / (money scale × expected spend per purchase)

with A the probability of being alive, V the value from now on if so, d the probability that a
customer who is alive leaves within the budget's period, e the part of those that money can keep.
Who gets most is decided by what spending changes, never by risk alone (Ascarza 2018,
doi:10.1509/jmr.16.0163). The division itself is :func:`clv.recommend.allocation.allocate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.errors import RequestError
from clv.recommend.allocation import Allocation, allocate
from clv.recommend.policy import Policy, money

__all__ = ["RetentionBudget", "retention_budget", "value_kept"]


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
    gain_low, gain_high : float or None
        Interval of what the spend keeps in all, where one was drawn; see :meth:`with_range`.
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
    spend: npt.NDArray[np.float64]
    expected_gain: npt.NDArray[np.float64]
    total: float
    shadow_price: float
    optimal_total: float
    unspent: float
    assumed: tuple[str, ...]
    sentences: tuple[str, ...]
    currency: str
    policy_version: str
    gain_low: float | None = None
    gain_high: float | None = None

    @property
    def total_gain(self) -> float:
        """Value that the spend is expected to keep in all, before its cost, in money."""
        return float(np.sum(self.expected_gain))

    def with_range(self, low: float, high: float, level: float) -> RetentionBudget:
        """Return this budget with an interval of what its spend keeps, said in words too.

        Parameters
        ----------
        low, high : float
            Bounds of the value kept, in money.
        level : float
            Of the interval.
        """
        between = f"between {money(low, self.currency)} and {money(high, self.currency)}"
        told = (
            f"What the orders tell of the customers leaves that {between} ({100 * level:.0f} % "
            "interval); what money achieves is taken as the policy says."
        )
        sentences = (self.sentences[0], told, *self.sentences[1:])
        return replace(self, gain_low=low, gain_high=high, sentences=sentences)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one row a customer: `customer_id`, `spend`, `expected_gain`."""
        columns = (self.customer_id.tolist(), self.spend.tolist(), self.expected_gain.tolist())
        for customer_id, spend, gain in zip(*columns, strict=True):
            yield {"customer_id": customer_id, "spend": spend, "expected_gain": gain}

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, customers as `rows`, ready for JSON."""
        return {
            "rows": list(self.rows()),
            "total": self.total,
            "shadow_price": self.shadow_price,
            "optimal_total": self.optimal_total,
            "unspent": self.unspent,
            "total_gain": self.total_gain,
            "gain_low": self.gain_low,
            "gain_high": self.gain_high,
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
    p_leaves: npt.ArrayLike,
    expected_spend: npt.ArrayLike,
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
    p_leaves : array_like, shape (n,)
        d, probability that a customer who is alive leaves within the policy's period.
    expected_spend : array_like, shape (n,)
        Expected spend per purchase, in money, above 0 wherever there is anything to keep.
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
        Where the least per customer adds up to more than the budget.

    Examples
    --------
    >>> budget = retention_budget(
    ...     Policy(), ["a", "b"], p_alive=[0.9, 0.5], value_if_alive=[800.0, 90.0],
    ...     p_leaves=[0.4, 0.3], expected_spend=[60.0, 40.0], total=30.0,
    ... )
    >>> budget.spend.round(2).tolist(), round(budget.shadow_price, 2)
    ([30.0, 0.0], 1.06)
    """
    given = {
        "p_alive": p_alive,
        "value_if_alive": value_if_alive,
        "p_leaves": p_leaves,
        "expected_spend": expected_spend,
    }
    ids = np.asarray(customer_ids)
    A, V, d, m = _checked(ids, given)
    rules = policy.retention
    w, k = _curve(policy, A, V, d, m)
    divided = allocate(w, k, lo=rules.min_per_customer, hi=rules.max_per_customer, total=total)
    keys = tuple(key for key in policy.assumed if key.startswith("retention."))
    return RetentionBudget(
        customer_id=ids,
        spend=divided.spend,
        expected_gain=divided.gain,
        total=divided.total,
        shadow_price=divided.shadow_price,
        optimal_total=divided.optimal_total,
        unspent=divided.unspent,
        assumed=keys,
        sentences=_sentences(policy, divided),
        currency=policy.currency,
        policy_version=policy.version,
    )


def value_kept(
    policy: Policy,
    spend: npt.NDArray[np.float64],
    *,
    p_alive: npt.NDArray[np.float64],
    value_if_alive: npt.NDArray[np.float64],
    p_leaves: npt.NDArray[np.float64],
    expected_spend: npt.NDArray[np.float64],
) -> float:
    """Value that a given spend on each customer is expected to keep in all, before its cost.

    Parameters
    ----------
    policy : Policy
        Its `retention` figures are used.
    spend : ndarray, shape (n,)
        What is spent on each customer, in money.
    p_alive, value_if_alive, p_leaves, expected_spend : ndarray, shape (n,)
        As in :func:`retention_budget`, under whatever models.

    Returns
    -------
    float
        Σ w(1 − exp(−ks)), in money.

    Examples
    --------
    >>> one = np.ones(1)
    >>> kept = value_kept(Policy(), 30.0 * one, p_alive=0.9 * one, value_if_alive=800.0 * one,
    ...                   p_leaves=0.4 * one, expected_spend=60.0 * one)
    >>> round(kept, 2)  # 0.9 · 800 · 0.4 · 0.3 · (1 − exp(−30/(0.5 · 60)))
    54.62
    """
    w, k = _curve(policy, p_alive, value_if_alive, p_leaves, expected_spend)
    return float(w @ -np.expm1(-k * spend))


def _curve(
    policy: Policy,
    A: npt.NDArray[np.float64],
    V: npt.NDArray[np.float64],
    d: npt.NDArray[np.float64],
    m: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return w and k of each customer."""
    rules = policy.retention
    w = A * V * d * rules.effect
    # where nothing is at stake the scale has no meaning and no effect
    return w, 1 / (rules.money_scale * np.where(w > 0, m, 1.0))


def _checked(
    ids: npt.NDArray[Any], given: dict[str, npt.ArrayLike]
) -> tuple[npt.NDArray[np.float64], ...]:
    """Return the columns as arrays; all that makes no sense in one error."""
    columns = {name: np.asarray(column, dtype=float) for name, column in given.items()}
    wrong = [
        f"{name} {column.shape}" for name, column in columns.items() if column.shape != ids.shape
    ]
    if ids.ndim != 1 or wrong:
        raise RequestError(
            f"A retention budget needs one value a customer: customer_ids {ids.shape}"
            + "".join(f", {shape}" for shape in wrong)
            + "."
        )
    A, V, d, m = columns.values()
    rules = {
        "p_alive": ("from 0 to 1", (A >= 0) & (A <= 1)),
        "value_if_alive": ("a finite number of at least 0", np.isfinite(V) & (V >= 0)),
        "p_leaves": ("from 0 to 1", (d >= 0) & (d <= 1)),
        "expected_spend": (
            "a finite number above 0 wherever there is value to keep",
            (np.isfinite(m) & (m > 0)) | ~(A * V * d > 0),
        ),
    }
    faults = []
    for name, (kind, good) in rules.items():
        bad = np.flatnonzero(~good)
        if len(bad):
            first = ", ".join(str(i) for i in ids[bad[:3]])
            faults.append(
                f"{name} must be {kind}; it is not for {len(bad):,} of {len(ids):,} customers "
                f"(first: {first})"
            )
    if faults:
        raise RequestError.of(faults)
    return A, V, d, m


def _sentences(policy: Policy, divided: Allocation) -> tuple[str, ...]:
    """Return what the budget says, in plain words."""
    currency, months = policy.currency, policy.retention.period_months
    spend, optimal = money(divided.total, currency), money(divided.optimal_total, currency)
    funded = int((divided.spend > 0).sum())
    if not divided.optimal_total:
        told = (
            f"No customer of {len(divided.spend):,} would return what is spent on keeping them: "
            "there is nothing to ask for."
        )
        return (told,)
    spent = (
        f"{spend} over {months} months, on {funded:,} of {len(divided.spend):,} customers, is "
        f"expected to keep {money(divided.total_gain, currency)} of value."
    )
    enough = "within the policy's limits per customer nothing more returns what it costs"
    if divided.unspent > 0:
        return spent, f"{money(divided.unspent, currency)} of the budget is not spent: {enough}."
    if divided.shadow_price > 1:
        return spent, (
            f"The next {money(1, currency)} of budget would keep {divided.shadow_price:.2f}. The "
            f"total worth asking for is {optimal}."
        )
    return spent, f"{optimal} is the total worth asking for: {enough}."
