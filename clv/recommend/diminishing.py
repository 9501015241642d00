"""Many customers, each with returns that diminish: what a price of money makes of all of them.

Spending s on customer i keeps `w_i (1 − exp(−k_i s))`, so the last unit spent returns
`w_i k_i exp(−k_i s)`. Where every unit must return μ,

    s_i(μ) = clip( (ln(w_i k_i) − ln μ) / k_i , lo_i , hi_i )

and `S(ln μ) = Σ s_i(μ)` is continuous, piecewise linear and falling. Newton's method on it, kept
inside a bracket, needs a few passes over the customers whatever their number; no sorting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import AllocationError, rows_at_fault

__all__ = ["DiminishingReturns"]

BLOCK = 1 << 16
"""Customers worked on at a time: their temporaries stay in the processor's cache."""

PASSES = 200
"""More than bisection alone needs to exhaust the digits of ln μ."""


@dataclass(frozen=True, eq=False)
class DiminishingReturns:
    """Those with something to save (w > 0), ready for many passes.

    Attributes
    ----------
    worth : ndarray of bool, shape (n,)
        Which of all n customers they are.
    a : ndarray, shape (m,)
        ln(wk), the log of what the first unit returns, of those.
    k, lo, hi : ndarray, shape (m,)
        How fast returns diminish, and the least and most to spend on each, of those.
    """

    worth: npt.NDArray[np.bool_]
    a: Floats
    k: Floats
    lo: Floats
    hi: Floats

    @classmethod
    def of(
        cls, w: npt.ArrayLike, k: npt.ArrayLike, lo: npt.ArrayLike, hi: npt.ArrayLike
    ) -> DiminishingReturns:
        """Check the figures of all n customers and keep those with w > 0."""
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

    def __len__(self) -> int:
        """Return how many have something to save."""
        return len(self.a)

    def take(self, rows: npt.NDArray[np.intp] | slice) -> DiminishingReturns:
        """Return those rows of the ones with something to save, as customers of their own."""
        a = self.a[rows]
        every = np.ones(len(a), dtype=bool)
        return DiminishingReturns(every, a, self.k[rows], self.lo[rows], self.hi[rows])

    def blocks(self) -> list[slice]:
        """Return the customers in blocks that fit the processor's cache."""
        return [slice(i, i + BLOCK) for i in range(0, len(self.a), BLOCK)]

    def floors(self) -> float:
        """Return what the least per customer adds up to."""
        return float(np.sum(self.lo))

    def room(self) -> float:
        """Return what the most per customer adds up to; may be infinite."""
        return float(np.sum(self.hi))

    def start(self) -> float:
        """Return the ln μ from which on nobody gets more than the least, at least 0."""
        return float(np.max(self.a - self.k * self.lo, initial=0.0))

    def spend(self, ln_mu: float) -> Floats:
        """Return s_i(μ), shape (m,)."""
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

    def solve(self, total: float, low: float = 0.0) -> float:
        """Return the ln μ ≥ low with S(ln μ) = total, a total from the floors to S(low)."""
        high = max(low, self.start())
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

    def price_at(self, total: float) -> float:
        """Return the ln μ, of any sign, with S(ln μ) = total, from the floors to the room."""
        low, step = 0.0, 1.0
        while self.spent(low)[0] < min(total, self.room()) * (1 - 1e-13):
            low, step = low - step, 2 * step
        return self.solve(total, low)

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
        """Return what so much spend keeps of each: w(1 − exp(−ks))."""
        return np.exp(self.a) / self.k * -np.expm1(-self.k * spend)

    def of_all(self, values: Floats) -> Floats:
        """Return one value for each of all n customers, 0 for those with nothing to save."""
        if len(values) == len(self.worth):
            return values
        full = np.zeros(len(self.worth))
        full[self.worth] = values
        return full
