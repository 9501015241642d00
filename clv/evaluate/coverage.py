"""Check how often predictive intervals hold, on purchases that the fit has not seen.

Orders are whole numbers, so an interval cannot hold exactly 80 %: for a customer who will buy 0
times with probability 0.9, [0, 0] holds too often and nothing narrower exists. Ties are therefore
split: with F the predictive distribution, the outcome y stands for the stretch from F(y − 1) to
F(y), and counts by the part of that stretch which lies between (1 − level)/2 and (1 + level)/2 (the
randomised probability integral transform, its randomness averaged out: Czado, Gneiting & Held 2009,
Biometrics 65(4)). If the predictive distribution is right this has mean `level` exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clv.arrays import Floats
from clv.inference.posterior import Posterior
from clv.models.base import PurchaseModel
from clv.numerics import central_tails
from clv.transactions.split import Holdout

__all__ = ["Coverage", "coverage", "covered_share"]


GROUPS = ((0, 0), (1, 1), (2, 3), (4, 6), (7, 10**9))
"""Repeat purchases in the calibration period, from and to, by which coverage is reported."""


@dataclass(frozen=True)
class Coverage:
    """Share of outcomes that their predictive intervals hold, ties split.

    Attributes
    ----------
    level : float
        What it should be.
    covered : float
        What it is, of all customers.
    groups : tuple of (str, int, float)
        Repeat purchases of the group, its customers, its share.
    """

    level: float
    covered: float
    groups: tuple[tuple[str, int, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        names = ("frequency", "customers", "covered")
        return {
            "level": self.level,
            "covered": self.covered,
            "groups": [dict(zip(names, group, strict=True)) for group in self.groups],
        }


def covered_share(below: Floats, up_to: Floats, level: float) -> Floats:
    """Part of each stretch [F(y − 1), F(y)] that lies in the central interval of this level.

    An outcome so unlikely that its stretch has no length is a point, inside or not.

    >>> covered_share(np.array([0.0, 0.95]), np.array([0.9, 1.0]), 0.8).round(3)
    array([0.889, 0.   ])
    """
    low, high = central_tails(level)
    inside = np.minimum(up_to, high) - np.maximum(below, low)
    length = up_to - below
    within = (below >= low) & (below <= high)
    share: Floats = np.divide(
        np.clip(inside, 0, None), length, out=within.astype(float), where=length > 0
    )
    return share


def coverage(
    post: Posterior[PurchaseModel], split: Holdout, *, level: float = 0.8, draws: int = 100
) -> Coverage:
    """Check the predictive intervals of each customer's orders in a holdout period.

    Parameters
    ----------
    post : Posterior
        Of a purchase model fitted to the calibration period.
    split : Holdout
        From :func:`clv.holdout`.
    level : float
        Of the intervals.
    draws : int
        Models drawn from the posterior, over which the predictive distribution is averaged.

    Returns
    -------
    Coverage

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> split = clv.holdout(orders, calibration_end="1997-09-30", unit="week")
    >>> found = clv.coverage(clv.posterior(clv.BGNBD.fit(split.calibration)), split, draws=20)
    >>> abs(found.covered - 0.8) < 0.05
    True
    """
    x, t_x, T, y, n = split.outcomes()
    models = post.models(draws, np.random.default_rng(1))
    below, at = np.zeros_like(y), np.zeros_like(y)
    for model in models:
        at += model.pmf(y, split.duration, x, t_x, T) / draws
        for count in range(int(y.max())):
            later = y > count
            below[later] += model.pmf(count, split.duration, x[later], t_x[later], T[later]) / draws
    share = covered_share(below, below + at, level)
    groups = []
    for low, high in GROUPS:
        some = (x >= low) & (x <= high)
        if some.any():
            name = (
                f"{low}" if low == high else (f"{low} or more" if high > 1e6 else f"{low}-{high}")
            )
            customers = float(n[some].sum())
            groups.append((name, int(customers), float(n[some] @ share[some]) / customers))
    return Coverage(level, float(n @ share) / float(n.sum()), tuple(groups))
