"""Dividing a budget where segments of the customers must get at least, or at most, so much.

    maximise Σ w_i (1 − exp(−k_i s_i))   subject to   Σ s_i ≤ B,   lo_i ≤ s_i ≤ hi_i,
                                                      least_g ≤ Σ_{i in g} s_i ≤ most_g

Segments do not overlap. With S_g(ln μ) what segment g would be given at a price μ, it is given

    t_g(μ) = clip( S_g(ln μ) , least_g , most_g )          and         Σ t_g(μ) = B

so the quotas are one more clip around those of the customers: one equation in ln μ, continuous,
piecewise linear and falling. A segment whose quota binds is then divided at a price of its own,
μ_g with S_g(ln μ_g) = quota: below μ where it is given more than it would earn, above where less.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import AllocationError
from clv.recommend.allocation import Allocation, allocate, check_total, exceeds
from clv.recommend.diminishing import PASSES, DiminishingReturns

__all__ = ["Quota", "QuotaAllocation", "SegmentShare", "allocate_with_quotas"]


@dataclass(frozen=True)
class Quota:
    """Least and most that a segment gets in all.

    Raises
    ------
    AllocationError
        Where these are no amounts, or the least is above the most.

    Examples
    --------
    >>> Quota(least=300, most=200)
    Traceback (most recent call last):
    clv.errors.AllocationError: A quota of at least 300.00 and at most 200.00 cannot be met.
    """

    least: float = 0.0
    most: float = np.inf

    def __post_init__(self) -> None:
        if not (np.isfinite(self.least) and self.least >= 0 and self.most >= 0):
            raise AllocationError(
                "The least and the most of a quota are amounts of at least 0; got "
                f"{self.least:g} and {self.most:g}."
            )
        if self.least > self.most:
            raise AllocationError(
                f"A quota of at least {self.least:,.2f} and at most {self.most:,.2f} cannot be met."
            )


@dataclass(frozen=True)
class SegmentShare:
    """What one segment gets.

    Attributes
    ----------
    segment : hashable
        Its label.
    customers, funded : int
        How many are in it, and how many of them get something.
    spend, gain : float
        What is spent on them, and what that is expected to keep, before its cost, in money.
    next_unit : float
        What the next unit spent in this segment would return; 0 where there is nothing to spend
        it on.
    quota : Quota
        Least and most it was to get.
    binding : str
        "least" where it gets more than it would earn, "most" where less, else "".
    """

    segment: Hashable
    customers: int
    funded: int
    spend: float
    gain: float
    next_unit: float
    quota: Quota
    binding: str

    def to_dict(self) -> dict[str, Any]:
        """Return one flat row, ready for CSV or JSON; no most is None."""
        return {
            "segment": self.segment,
            "customers": self.customers,
            "funded": self.funded,
            "spend": self.spend,
            "expected_gain": self.gain,
            "next_unit": self.next_unit,
            "least": self.quota.least,
            "most": self.quota.most if np.isfinite(self.quota.most) else None,
            "binding": self.binding,
        }


@dataclass(frozen=True, eq=False)
class QuotaAllocation:
    """A budget divided within quotas.

    Attributes
    ----------
    allocation : Allocation
        By customer. Its `optimal_total` is that within the quotas; its `shadow_price` is what the
        next unit of budget returns in the best segment still below its most.
    segments : tuple of SegmentShare
        By segment, in order of their labels.
    cost_of_quotas : float
        Net gain (value kept less money spent) that the same budget would bring more without
        quotas.
    """

    allocation: Allocation
    segments: tuple[SegmentShare, ...]
    cost_of_quotas: float


def allocate_with_quotas(
    w: npt.ArrayLike,
    k: npt.ArrayLike,
    segment: npt.ArrayLike,
    quotas: Mapping[Hashable, Quota],
    *,
    lo: npt.ArrayLike = 0.0,
    hi: npt.ArrayLike = np.inf,
    total: float | None = None,
) -> QuotaAllocation:
    """Divide a budget so that quotas hold and no unit they leave free would return more elsewhere.

    Parameters
    ----------
    w, k, lo, hi, total
        As in :func:`clv.recommend.allocation.allocate`.
    segment : array_like, shape (n,)
        Label of the segment of each customer.
    quotas : mapping of label to Quota
        For the segments that have one.

    Returns
    -------
    QuotaAllocation

    Raises
    ------
    AllocationError
        Where a number makes no sense, a quota names no segment, or quotas cannot be met: all of
        those, each with the amount that is missing.

    Examples
    --------
    >>> divided = allocate_with_quotas(
    ...     [120, 30, 200], [.05, .05, .02], ["a", "a", "b"], {"b": Quota(least=60)}, total=80,
    ... )
    >>> divided.allocation.spend.round(2).tolist()
    [20.0, 0.0, 60.0]
    >>> [(s.segment, round(s.next_unit, 2), s.binding) for s in divided.segments]
    [('a', 2.21, ''), ('b', 1.2, 'least')]
    """
    customers = DiminishingReturns.of(w, k, lo, hi)
    check_total(total)
    names, code = _segments(segment, len(customers.worth), quotas)
    of_worth = code[customers.worth]
    ends = np.cumsum(np.bincount(of_worth, minlength=len(names)))
    rows = np.split(np.argsort(of_worth, kind="stable"), ends)[:-1]
    parts = [
        _Part(customers.take(r), quotas.get(name, Quota()))
        for name, r in zip(names, rows, strict=True)
    ]
    _refuse_unmet(names, parts, total)
    optimal_total = float(sum(part.given(0.0)[0] for part in parts))
    enough = total is None or total >= optimal_total
    ln_mu = 0.0 if total is None or enough else _price(parts, total)

    spend = np.empty_like(customers.a)
    binding = [part.binding(ln_mu) for part in parts]
    for part, bound, r in zip(parts, binding, rows, strict=True):
        if bound:
            spend[r] = part.spend_all(part.quota.least if bound == "least" else part.quota.most)
    free = [r for r, bound in zip(rows, binding, strict=True) if not bound]
    if free:
        rest = np.concatenate(free)
        spend[rest] = customers.take(rest).spend(ln_mu)
        if total is not None and not enough:
            fixed = float(sum(spend[r].sum() for r, b in zip(rows, binding, strict=True) if b))
            own = spend[rest]
            customers.take(rest).settle(own, total - fixed)
            spend[rest] = own

    given, gain = customers.of_all(spend), customers.of_all(customers.gain(spend))
    members = np.bincount(code, minlength=len(names))
    shares = tuple(
        SegmentShare(
            name,
            int(members[g]),
            int(np.count_nonzero(spend[rows[g]] > 0)),
            float(spend[rows[g]].sum()),
            float(parts[g].customers.gain(spend[rows[g]]).sum()),
            parts[g].customers.next_unit(spend[rows[g]]),
            parts[g].quota,
            binding[g],
        )
        for g, name in enumerate(names)
    )
    next_unit = max([1.0, *(share.next_unit for share in shares if share.binding != "most")])
    spent = float(spend.sum())
    allocation = Allocation(
        given,
        gain,
        1.0 if enough else next_unit,
        spent,
        optimal_total,
        total - optimal_total if total is not None and enough else 0.0,
    )
    if not any(binding):
        return QuotaAllocation(allocation, shares, 0.0)
    anyhow = allocate(w, k, lo=lo, hi=hi, total=total)
    lost = (anyhow.total_gain - anyhow.total) - (allocation.total_gain - spent)
    return QuotaAllocation(allocation, shares, max(0.0, lost))


@dataclass(frozen=True, eq=False)
class _Part:
    """One segment: those of its customers with something to save, and its quota."""

    customers: DiminishingReturns
    quota: Quota

    @property
    def needs(self) -> float:
        """The least that it can be given: its quota, or the least per customer."""
        return max(self.quota.least, self.customers.floors())

    def given(self, ln_mu: float) -> tuple[float, float]:
        """t_g(ln μ), and −dt_g/d ln μ."""
        total, slope = self.customers.spent(ln_mu)
        if self.quota.least < total < self.quota.most:
            return total, slope
        return min(max(total, self.quota.least), self.quota.most), 0.0

    def binding(self, ln_mu: float) -> str:
        """Which end of the quota holds at this price: "least", "most" or "", none."""
        total, _ = self.customers.spent(ln_mu)
        if self.quota.least > self.customers.floors() and not exceeds(total, self.quota.least):
            return "least"
        return "" if exceeds(self.quota.most, total) else "most"

    def spend_all(self, total: float) -> Floats:
        """Spend of each customer where the segment gets so much."""
        spend = self.customers.spend(self.customers.price_at(total))
        self.customers.settle(spend, total)
        return spend


def _segments(
    segment: npt.ArrayLike, n: int, quotas: Mapping[Hashable, Quota]
) -> tuple[list[Hashable], npt.NDArray[np.intp]]:
    """Return the labels, and the place of each customer's among them; refuse unknown labels."""
    labels = np.asarray(segment)
    if labels.shape != (n,):
        raise AllocationError(
            f"Quotas need one segment a customer; got {labels.shape} for {n:,} customers."
        )
    found, code = np.unique(labels, return_inverse=True)
    names: list[Hashable] = found.tolist()
    unknown = [name for name in quotas if name not in set(names)]
    if unknown:
        raise AllocationError(
            f"No customer is in {', '.join(repr(name) for name in unknown)}, which "
            f"{'have' if len(unknown) > 1 else 'has'} a quota.{_meant(unknown, names)} The "
            "segments are "
            f"{', '.join(repr(name) for name in names[:10])}"
            f"{' and others' if len(names) > 10 else ''}."
        )
    return names, code.reshape(-1)


def _meant(unknown: list[Hashable], names: list[Hashable]) -> str:
    """Ask whether segments of names like these were meant."""
    known = [str(name) for name in names]
    near = [found for name in unknown for found in difflib.get_close_matches(str(name), known, n=1)]
    return f" Did you mean {', '.join(map(repr, near))}?" if near else ""


def _refuse_unmet(names: list[Hashable], parts: list[_Part], total: float | None) -> None:
    """Refuse quotas that no spending meets: which they are, and by how much."""
    faults = []
    for name, part in zip(names, parts, strict=True):
        room, floors, quota = part.customers.room(), part.customers.floors(), part.quota
        who = f"its {len(part.customers):,} customers with something to save"
        if exceeds(quota.least, room):
            faults.append(
                f"{name!r} must get at least {quota.least:,.2f}, but {who} may get {room:,.2f} "
                f"at most: {quota.least - room:,.2f} too much."
            )
        if exceeds(floors, quota.most):
            faults.append(
                f"{name!r} may get at most {quota.most:,.2f}, but the least for each of {who} "
                f"adds up to {floors:,.2f}: {floors - quota.most:,.2f} too little."
            )
    needed = sum(part.needs for part in parts)
    if total is not None and exceeds(needed, total):
        listed = ", ".join(
            f"{name!r} {part.needs:,.2f}"
            for name, part in zip(names, parts, strict=True)
            if part.needs > 0
        )
        faults.append(
            f"The least that segments must get ({listed}) adds up to {needed:,.2f}, more than the "
            f"budget of {total:,.2f}: {needed - total:,.2f} is missing."
        )
    if faults:
        raise AllocationError.of(faults)


def _price(parts: list[_Part], total: float) -> float:
    """Ln μ ≥ 0 at which the segments get `total` between them, by safeguarded Newton."""
    low, high = 0.0, max(part.customers.start() for part in parts)
    ln_mu = low
    for _ in range(PASSES):
        at = [part.given(ln_mu) for part in parts]
        over, slope = sum(t for t, _ in at) - total, sum(s for _, s in at)
        if abs(over) <= 1e-13 * total:
            break
        low, high = (ln_mu, high) if over > 0 else (low, ln_mu)
        step = ln_mu + over / slope if slope > 0 else np.nan
        ln_mu = step if low < step < high else (low + high) / 2
        if not low < ln_mu < high:
            break
    return ln_mu
