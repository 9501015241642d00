"""The likelihood of BG/BB, a mixture over the opportunities after which a customer may have left.

A history (x, t_x, T) has T − t_x + 2 terms: one for each opportunity j from t_x to T after which
the customer may have left, and one for those who are there for the next opportunity. The log of a
term is a sum of ln (α)_k and the like, looked up in tables made once for all histories.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from clv.arrays import Floats, Rows
from clv.models.beta_geometric_lifetime import log_rising

__all__ = ["Terms", "ragged", "terms"]

CHUNK = 1_000_000
"""Largest number of terms held at once (8 MB a column)."""


class Terms(NamedTuple):
    """Terms of the mixture of some histories, one history after the other."""

    rows: Rows
    """The histories."""
    of: Rows
    """Of which of them each term is."""
    stays: Rows
    """The last term of each, the customers who are there for the next opportunity."""
    ln_total: Floats
    """ln L of each history."""
    share: Floats
    """Share of each term in L."""
    slopes: list[Floats]
    """First derivatives of the log of each term in α, β, γ, δ."""
    curves: dict[tuple[int, int], Floats]
    """Second derivatives, where they are not 0."""

    def per_row(self, values: Floats) -> Floats:
        """Add up values of the terms for each history."""
        return np.asarray(np.bincount(self.of, values, minlength=len(self.rows)), dtype=float)


def terms(theta: Floats, x: Floats, t_x: Floats, T: Floats) -> Iterator[Terms]:
    """Yield the terms of the mixture, some histories at a time."""
    gamma, delta = theta[2], theta[3]
    most = int(T.max(initial=0)) + 1
    (a0, a1, a2), (b0, b1, b2) = log_rising(theta[0], most), log_rising(theta[1], most)
    ab0, ab1, ab2 = log_rising(theta[0] + theta[1], most)
    d0, d1, d2 = log_rising(delta, most)
    cd0, cd1, cd2 = log_rising(gamma + delta, most)
    for rows, of, later in ragged(T - t_x + 2):
        ends = np.flatnonzero(np.diff(of, append=len(rows)))
        k = x[rows].astype(np.intp)[of]
        survived = t_x[rows].astype(np.intp)[of] + later
        leaves = np.ones(len(of), dtype=np.intp)
        leaves[ends] = 0
        j = survived + leaves - 1  # opportunities the customer was there for
        faced = survived + leaves  # chances to leave that were met, taken or not
        phi = a0[k] + b0[j - k] - ab0[j] + d0[survived] - cd0[faced] + leaves * math.log(gamma)
        top = np.full(len(rows), -np.inf)
        np.maximum.at(top, of, phi)
        share = np.exp(phi - top[of])
        total = np.bincount(of, share, minlength=len(rows))
        slopes = [
            a1[k] - ab1[j],
            b1[j - k] - ab1[j],
            leaves / gamma - cd1[faced],
            d1[survived] - cd1[faced],
        ]
        curves = {
            (0, 0): a2[k] - ab2[j],
            (0, 1): -ab2[j],
            (1, 1): b2[j - k] - ab2[j],
            (2, 2): -leaves / gamma**2 - cd2[faced],
            (2, 3): -cd2[faced],
            (3, 3): d2[survived] - cd2[faced],
        }
        yield Terms(rows, of, ends, top + np.log(total), share / total[of], slopes, curves)


def ragged(count: Floats) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Lay out count[i] items of row i, some rows at a time: rows, row of each item, its number."""
    counts = count.astype(np.intp)
    before = np.cumsum(counts) - counts
    part = before // CHUNK
    for first in np.unique(part):
        rows = np.flatnonzero(part == first)
        n = counts[rows]
        of = np.repeat(np.arange(len(rows)), n)
        yield rows, of, np.arange(len(of)) - np.repeat(np.cumsum(n) - n, n)
