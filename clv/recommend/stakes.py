"""What is at stake with each customer, and how fast money keeps it.

Spending s on a customer keeps `w(1 − exp(−ks))` of the value that would otherwise leave:

    w = A · V · d · e        k = 1 / (money scale × expected spend per purchase)

with A the probability of being alive, V the value from now on if so, d the part of that value which
leaves within the budget's period, e the part of the leavers that money can keep.
e and the money scale are the policy's, or learned for each customer; an e below 0 is a customer
whom being contacted drives away, and who is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import RequestError
from clv.recommend.policy import Policy
from clv.recommend.stages import STAGES

__all__ = ["RetentionStakes", "value_kept"]


@dataclass(frozen=True, eq=False)
class RetentionStakes:
    """The customers of a retention budget, one value each.

    Attributes
    ----------
    customer_id : ndarray, shape (n,)
        Who they are.
    w : ndarray, shape (n,)
        Most that spending can keep of each, in money; below 0 where it drives them away.
    k : ndarray, shape (n,)
        How fast returns diminish, per unit of money.
    leaving_value : ndarray, shape (n,)
        V, what is kept with a customer who is kept, in money.
    least, most : ndarray, shape (n,)
        Least and most to spend on each who has anything to save, in money.
    assumed : tuple of str
        Dotted keys of the policy figures used that the company has not set itself.
    """

    customer_id: npt.NDArray[Any]
    w: Floats
    k: Floats
    leaving_value: Floats
    least: Floats
    most: Floats
    assumed: tuple[str, ...]

    @classmethod
    def of(
        cls,
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
    ) -> RetentionStakes:
        """Return the stakes of customers; the parameters are those of `retention_budget`.

        Raises
        ------
        RequestError
            Where a number makes no sense, naming the customers.
        """
        ids, rules = np.asarray(customer_ids), policy.retention
        given = {
            "p_alive": p_alive,
            "value_if_alive": value_if_alive,
            "value_leaves": value_leaves,
            "expected_spend": expected_spend,
        }
        learned = {"effect": effect, "money_scale": money_scale}
        given |= {name: column for name, column in learned.items() if column is not None}
        columns = _checked(ids, given)
        w, k = _curve(policy, **columns)
        least = np.full(len(ids), rules.min_per_customer)
        if stage is not None:
            least = np.maximum(least, _least_of(policy, stage, len(ids)))
        used = {"effect", "money_scale"} - set(columns) | {"max_per_customer", "period_months"}
        used |= {f"min_{name}" for name, v in rules.stage_minimums.items() if v > 0}
        used |= {"min_per_customer"}
        return cls(
            ids,
            w,
            k,
            columns["value_if_alive"],
            least,
            np.full(len(ids), rules.max_per_customer),
            tuple(key for key in policy.assumed if key.removeprefix("retention.") in used),
        )

    @property
    def harmed(self) -> int:
        """How many customers being contacted would drive away."""
        return int(np.count_nonzero(self.w < 0))

    def customers_kept(self, gain: Floats) -> float:
        """How many customers such gains keep, counted by the part of their value that is kept."""
        worth = self.leaving_value > 0
        return float(np.sum(gain[worth] / self.leaving_value[worth]))


def value_kept(
    policy: Policy,
    spend: Floats,
    *,
    p_alive: Floats,
    value_if_alive: Floats,
    value_leaves: Floats,
    expected_spend: Floats,
    effect: Floats | None = None,
    money_scale: float | None = None,
) -> Floats:
    """Value that a given spend on each customer is expected to keep, before its cost.

    Parameters
    ----------
    policy : Policy
        Its `retention` figures are used.
    spend : ndarray, shape (n,)
        What is spent on each customer, in money.
    p_alive, value_if_alive, value_leaves, expected_spend : ndarray, shape (n,)
        As in :func:`clv.recommend.retention.retention_budget`, under whatever models.
    effect : ndarray, shape (n,), optional
        e of each customer, if not the policy's; below 0 where spending drives customers away.
    money_scale : float, optional
        σ, if not the policy's.

    Returns
    -------
    ndarray, shape (n,)
        w(1 − exp(−ks)) of each, in money.

    Examples
    --------
    >>> one = np.ones(1)
    >>> kept = value_kept(Policy(), 30.0 * one, p_alive=0.9 * one, value_if_alive=800.0 * one,
    ...                   value_leaves=0.4 * one, expected_spend=60.0 * one)
    >>> kept.round(2).tolist()  # 0.9 · 800 · 0.4 · 0.3 · (1 − exp(−30/(0.5 · 60)))
    [54.62]
    """
    rules = policy.retention
    stake = p_alive * value_if_alive * value_leaves
    scale = rules.money_scale if money_scale is None else money_scale
    spread = scale * np.where(stake > 0, expected_spend, 1.0)
    e = rules.effect if effect is None else effect
    return np.asarray(stake * e * -np.expm1(-spend / spread))


def _curve(
    policy: Policy,
    p_alive: Floats,
    value_if_alive: Floats,
    value_leaves: Floats,
    expected_spend: Floats,
    effect: Floats | None = None,
    money_scale: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return w and k of each customer."""
    rules = policy.retention
    w = p_alive * value_if_alive * value_leaves * (rules.effect if effect is None else effect)
    # where nothing is at stake the scale has no meaning and no effect
    scale = rules.money_scale if money_scale is None else np.where(w > 0, money_scale, 1.0)
    return w, 1 / (scale * np.where(w > 0, expected_spend, 1.0))


def _least_of(policy: Policy, stage: npt.ArrayLike, n: int) -> Floats:
    """Least to spend on each customer by the stage, of codes as `stage_of` gives them."""
    codes = np.asarray(stage)
    if codes.shape != (n,) or not np.isin(codes, range(len(STAGES))).all():
        raise RequestError(
            f"stage needs the place in {', '.join(STAGES)} of each of {n:,} customers."
        )
    least: Floats = np.array([policy.retention.stage_minimums.get(s, 0.0) for s in STAGES])
    return np.take(least, codes)


def _checked(ids: npt.NDArray[Any], given: Mapping[str, npt.ArrayLike]) -> dict[str, Floats]:
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
    A, V, d, m = (columns[name] for name in list(columns)[:4])
    stake = A * V * d > 0
    rules = {
        "p_alive": ("from 0 to 1", (A >= 0) & (A <= 1)),
        "value_if_alive": ("a finite number of at least 0", np.isfinite(V) & (V >= 0)),
        "value_leaves": ("from 0 to 1", (d >= 0) & (d <= 1)),
        "expected_spend": (
            "a finite number above 0 wherever there is value to keep",
            (np.isfinite(m) & (m > 0)) | ~stake,
        ),
    }
    if "effect" in columns:
        e = columns["effect"]
        rules["effect"] = ("from -1 to 1", (e >= -1) & (e <= 1))
    if "money_scale" in columns:
        scale = columns["money_scale"]
        good = (np.isfinite(scale) & (scale > 0)) | ~stake
        rules["money_scale"] = ("a finite number above 0 wherever there is value to keep", good)
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
    return columns
