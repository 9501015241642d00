"""Dividing a budget over customers, each with returns that diminish.

    maximise Σ w_i (1 − exp(−k_i s_i))   subject to   Σ s_i ≤ B,   lo_i ≤ s_i ≤ hi_i

The last unit spent on customer i returns `w_i k_i exp(−k_i s_i)`. At the optimum it returns the
same, μ, for everyone who is not at a bound:

    s_i(μ) = clip( (ln(w_i k_i) − ln μ) / k_i , lo_i , hi_i ),   μ ≥ 1

μ, the shadow price, is what the next unit of budget returns. It never goes below 1: money that
would return less than itself is not spent, so the total at μ = 1 is the one worth asking for.

`S(ln μ) = Σ s_i(μ)` is continuous, piecewise linear and falling. Newton's method on it, kept
inside a bracket, needs a few passes over the customers whatever their number; no sorting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clv.errors import AllocationError, rows_at_fault

__all__ = ["Allocation", "allocate"]

Floats = npt.NDArray[np.float64]

BLOCK = 1 << 16
"""Customers worked on at a time: their temporaries stay in the processor's cache."""

PASSES = 200
"""More than bisection alone needs to exhaust the digits of ln μ."""


@dataclass(frozen=True, eq=False)
class Allocation:
    """A budget divided.

    Attributes
    ----------
    spend : ndarray, shape (n,)
        What to spend on each, in money.
    gain : ndarray, shape (n,)
        What that is expected to keep of each, before its cost: w(1 − exp(−ks)).
    shadow_price : float
        μ ≥ 1: what the next unit of budget returns; 1 where there is enough budget.
    total : float
        What is spent, the sum of `spend`.
    optimal_total : float
        The total at which the last unit returns just itself: the budget worth asking for.
    unspent : float
        What is left of the budget because it would return less than itself.
    """

    spend: Floats
    gain: Floats
    shadow_price: float
    total: float
    optimal_total: float
    unspent: float

    @property
    def total_gain(self) -> float:
        """The sum of `gain`."""
        return float(self.gain.sum())


def allocate(
    w: npt.ArrayLike,
    k: npt.ArrayLike,
    *,
    lo: npt.ArrayLike = 0.0,
    hi: npt.ArrayLike = np.inf,
    total: float | None = None,
) -> Allocation:
    """Divide a budget so that no unit would return more elsewhere.

    Parameters
    ----------
    w : array_like, shape (n,)
        Most that spend can keep of each customer, in money. Customers with w ≤ 0 get nothing,
        not even `lo`: there is nothing to save, or the effect is harm.
    k : array_like, shape (n,)
        How fast returns diminish, per unit of money, above 0.
    lo, hi : array_like, shape (n,) or scalar
        Least and most to spend on each customer with w > 0.
    total : float, optional
        The budget; the optimal total if not given.

    Returns
    -------
    Allocation

    Raises
    ------
    AllocationError
        Where a number makes no sense, lo is above hi, or the floors alone exceed the budget.

    Examples
    --------
    >>> a = allocate([120, 30, 200], [.05, .05, .02], lo=5, hi=[50, 50, 60], total=80)
    >>> a.spend.round(5).tolist(), round(a.shadow_price, 7), round(a.total_gain, 6)
    ([27.22093, 5.0, 47.77907], 1.5383539, 218.951202)
    """
    customers = _Customers.of(w, k, lo, hi)
    if total is not None and not (np.isfinite(total) and total >= 0):
        raise AllocationError(f"The budget must be an amount of at least 0; got {total:g}.")
    floors = customers.floors()
    if total is not None and floors > total * (1 + 1e-12):
        raise AllocationError(
            f"The least to spend on each of {len(customers.a):,} customers adds up to "
            f"{floors:,.2f}, more than the budget of {total:,.2f}. Lower the least per customer "
            f"or raise the budget by {floors - total:,.2f}."
        )
    optimal_total, _ = customers.spent(0.0)
    if total is None or total >= optimal_total:
        spend = customers.spend(0.0)
        price, unspent = 1.0, 0.0 if total is None else total - optimal_total
    else:
        spend = customers.spend(customers.solve(total))
        customers.settle(spend, total)
        price, unspent = max(1.0, customers.next_unit(spend)), 0.0
    gain = customers.gain(spend)
    return Allocation(
        customers.all_of(spend),
        customers.all_of(gain),
        price,
        float(spend.sum()),
        optimal_total,
        unspent,
    )


@dataclass(frozen=True, eq=False)
class _Customers:
    """Those with something to save (w > 0), ready for many passes."""

    worth: npt.NDArray[np.bool_]  # which of all the customers they are
    a: Floats  # ln(wk), the log of what the first unit returns
    k: Floats
    lo: Floats
    hi: Floats

    @classmethod
    def of(
        cls, w: npt.ArrayLike, k: npt.ArrayLike, lo: npt.ArrayLike, hi: npt.ArrayLike
    ) -> _Customers:
        try:
            w, k, lo, hi = np.broadcast_arrays(
                *(np.asarray(v, dtype=float) for v in (np.atleast_1d(w), k, lo, hi))
            )
        except ValueError:
            raise AllocationError(
                "w, k, lo and hi need one value a customer or one for all; got shapes "
                f"{', '.join(str(np.shape(v)) for v in (w, k, lo, hi))}."
            ) from None
        worth = w > 0
        rules = [
            ("a w that is not a finite number", ~np.isfinite(w)),
            ("a k that is not a finite number above 0", worth & ~(np.isfinite(k) & (k > 0))),
            (
                "a least spend that is not a finite number of at least 0",
                ~(np.isfinite(lo) & (lo >= 0)),
            ),
            ("a most spend below the least", ~(hi >= lo)),
        ]
        faults = [fault for what, broken in rules for fault in rows_at_fault(broken, what)]
        if faults:
            raise AllocationError.of(faults)
        every = bool(worth.all())
        w, k, lo, hi = ((v if every else v[worth]) for v in (w, k, lo, hi))
        return cls(worth, np.log(w) + np.log(k), k, lo, hi)

    def blocks(self) -> list[slice]:
        return [slice(i, i + BLOCK) for i in range(0, len(self.a), BLOCK)]

    def floors(self) -> float:
        return float(np.sum(self.lo))

    def spend(self, ln_mu: float) -> Floats:
        s = np.empty_like(self.a)
        for b in self.blocks():
            np.clip((self.a[b] - ln_mu) / self.k[b], self.lo[b], self.hi[b], out=s[b])
        return s

    def spent(self, ln_mu: float) -> tuple[float, float]:
        """S(ln μ) and −dS/d ln μ, the sum of 1/k over those between their bounds."""
        total, slope = [0.0], [0.0]
        for b in self.blocks():
            per_log = 1 / self.k[b]
            free = (self.a[b] - ln_mu) * per_log
            s = np.clip(free, self.lo[b], self.hi[b])
            total.append(float(s.sum()))
            slope.append(float(np.dot(per_log, s == free)))
        return float(np.sum(total)), float(np.sum(slope))

    def solve(self, total: float) -> float:
        """Ln μ ≥ 0 with S(ln μ) = total, for a total between the floors and S(0)."""
        low, high = 0.0, float(np.max(self.a - self.k * self.lo, initial=0.0))
        ln_mu = low
        for _ in range(PASSES):
            over, slope = self.spent(ln_mu)
            over -= total
            if abs(over) <= 1e-13 * total:
                break
            low, high = (ln_mu, high) if over > 0 else (low, ln_mu)
            step = ln_mu + over / slope if slope > 0 else np.nan
            ln_mu = step if low < step < high else (low + high) / 2
            if not low < ln_mu < high:  # the bracket holds no further number
                break
        return ln_mu

    def settle(self, spend: Floats, total: float) -> None:
        """Move what the last digit of ln μ leaves over to those between their bounds, in place.

        Spread like one more Newton step, in proportion to 1/k, so that μ stays equal for all.
        Where everyone is at a bound, the one whose unit returns most gains or least gives it.
        """
        for _ in range(3):
            left = total - float(spend.sum())
            if left == 0:
                return
            inner = np.where((spend < self.hi) & (spend > self.lo), 1 / self.k, 0.0)
            if inner.any():
                np.clip(spend + left * (inner / inner.sum()), self.lo, self.hi, out=spend)
                continue
            room = (spend < self.hi) if left > 0 else (spend > self.lo)
            if not room.any():
                return
            returns = np.where(room, (self.a - self.k * spend) * np.sign(left), -np.inf)
            one = int(np.argmax(returns))
            spend[one] = np.clip(spend[one] + left, self.lo[one], self.hi[one])

    def next_unit(self, spend: Floats) -> float:
        """What the next unit returns: the most that anyone below the own maximum offers."""
        offers = np.where(spend < self.hi, self.a - self.k * spend, -np.inf)
        return float(np.exp(np.max(offers, initial=-np.inf)))

    def gain(self, spend: Floats) -> Floats:
        return np.exp(self.a) / self.k * -np.expm1(-self.k * spend)

    def all_of(self, values: Floats) -> Floats:
        if len(values) == len(self.worth):
            return values
        full = np.zeros(len(self.worth))
        full[self.worth] = values
        return full
