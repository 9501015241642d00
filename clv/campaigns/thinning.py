"""How many purchases it brings to keep a part of those who would leave.

Leaving is thinned: where an arm averts the part h of what would otherwise make customers leave, a
customer with purchase rate λ and hazard of leaving η has η(1 − h). Since S(t) = e^(−ηt) and
E[X(t)] = λ(1 − e^(−ηt))/η,

    S_h(t) = S((1 − h) t),        E[X_h(t)] = E[X((1 − h) t)] / (1 − h),

whatever the distribution of λ and η: exact for BG/NBD, MBG/NBD (η = λp) and Pareto/NBD, close for
models of regular customers. With A the probability of being alive and w the window, that keeps

    κ = Σ A (S_h(w) − S(w)) / Σ A (1 − S(w))

of those who would leave in the window, and brings mean A (E[X_h(w)] − E[X(w)]) purchases per
customer. The curve from one to the other turns effects into parts kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats, Rows
from clv.models.base import PurchaseModel

__all__ = ["Thinned"]

SAMPLE = 20_000
"""Customers on whom the curve is computed, evenly taken from more."""

THINNED = np.concatenate([np.geomspace(20.0, 1.05, 20), np.linspace(1.0, 0.02, 30), [0.0]])
"""1 − h: from twenty times the hazard of leaving to none."""


@dataclass(frozen=True)
class Thinned:
    """What fewer or more leavings would do for each customer, or an even sample of them.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        The customers.
    leaves : ndarray, shape (m,)
        A (1 − S(w)), the probability of leaving in the window.
    stays, buys : ndarray, shape (len(THINNED), m)
        A (S_h(w) − S(w)) and A (E[X_h(w)] − E[X(w)]).
    """

    rows: Rows = field(repr=False)
    leaves: Floats = field(repr=False)
    stays: Floats = field(repr=False)
    buys: Floats = field(repr=False)

    @classmethod
    def of(cls, model: PurchaseModel, x: Floats, T: Floats, alive: Floats, w: float) -> Self:
        """Compute it for customers with these histories.

        Parameters
        ----------
        model : PurchaseModel
            Fitted to the time before.
        x, T : ndarray, shape (n,)
            Repeat purchases, and time since the first, in the model's unit.
        alive : ndarray, shape (n,)
            A, probability of being alive.
        w : float
            The window, in the model's unit.

        Examples
        --------
        >>> from clv import BGNBD
        >>> model, x, T = BGNBD(.243, 4.414, .793, 2.426), np.array([2.0, 9.0]), np.full(2, 38.0)
        >>> thinned = Thinned.of(model, x, T, np.array([0.7, 0.9]), 26.0)
        >>> kept, gain = thinned.curve(np.array([True, True]), drift=1.0)
        >>> [round(float(np.interp(part, kept, gain)), 2) for part in (0, 0.5, 1)]
        [0.0, 0.24, 0.46]
        """
        rows = np.arange(len(x))
        if len(x) > SAMPLE:
            rows = np.linspace(0, len(x) - 1, SAMPLE).astype(np.intp)
        x, T, alive = x[rows], T[rows], alive[rows]
        near = np.maximum(THINNED, 1e-6)[:, None]  # at 0 a limit: nobody leaves
        stays = model.survival_if_alive(near * w, x, T)
        buys = model.expected_purchases_if_alive(near * w, x, T) / near
        there = int(np.flatnonzero(THINNED == 1.0)[0])
        return cls(
            rows,
            alive * (1 - stays[there]),
            alive * (stays - stays[there]),
            alive * (buys - buys[there]),
        )

    def curve(self, inside: npt.NDArray[np.bool_], drift: float) -> tuple[Floats, Floats]:
        """Return parts of the leavers kept, rising, and the purchases per customer they bring.

        `drift` is what the control arm bought over what the model expected: a season, say, raises
        what those who were kept buy as it raises what the others do.
        """
        these = inside[self.rows]
        leaves = float(self.leaves[these].sum())
        if leaves <= 0:
            return np.zeros(1), np.zeros(1)
        parts = self.stays[:, these].sum(axis=1) / leaves
        rising = np.concatenate([[True], np.diff(parts) > 0])
        gain = drift * np.maximum.accumulate(self.buys[:, these].mean(axis=1))
        return parts[rising], gain[rising]
