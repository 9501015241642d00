"""Where importance sampling draws from: a mixture of multivariate t, and how it learns.

The mixture starts with a t at the mode, for a posterior that is nearly normal, and wider ones
around it, for a ridge that the mode's curvature does not see. Weighted draws then say where the
posterior is, and an EM step on them moves the parts there (population Monte Carlo: Cappé, Douc,
Guillin, Marin & Robert 2008, Adaptive importance sampling in general mixture classes, Statistics
and Computing 18(4), 447-459, https://doi.org/10.1007/s11222-008-9059-x, section 4 for the t).
"""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np
from scipy.special import gammaln

from clv.arrays import Floats

__all__ = ["Part", "Proposal"]

NU = 7
"""Degrees of freedom: tails heavier than those of a posterior with this many customers."""

START = ((0.55, 1.0), (0.15, 1.5), (0.15, 2.5), (0.15, 4.0))
"""Share of the draws, and how many times as wide as the mode's curvature says, of each part."""

LEAST = 0.05
"""Share that no part falls below, so that none is lost."""


class Part(NamedTuple):
    """One multivariate t.

    Attributes
    ----------
    share : float
        Of the draws.
    centre : ndarray, shape (k,)
        Its mode.
    root : ndarray, shape (k, k)
        Lower triangular; root rootᵀ is its scale.
    """

    share: float
    centre: Floats
    root: Floats

    def distance(self, points: Floats) -> Floats:
        """Squared distance of each point from the centre, in the scale, shape (n,)."""
        z = np.linalg.solve(self.root, (points - self.centre).T)
        return np.asarray(np.einsum("in,in->n", z, z))

    def log_density(self, points: Floats) -> Floats:
        """Log of share × density at each point, shape (n,)."""
        k = len(self.centre)
        log_scale = np.log(np.diag(self.root)).sum() + k / 2 * math.log(NU * math.pi)
        constant = gammaln((NU + k) / 2) - gammaln(NU / 2) - log_scale + math.log(self.share)
        return np.asarray(constant - (NU + k) / 2 * np.log1p(self.distance(points) / NU))


class Proposal(NamedTuple):
    """A mixture of multivariate t with 7 degrees of freedom.

    Attributes
    ----------
    parts : tuple of Part
        Their shares sum to 1.
    """

    parts: tuple[Part, ...]

    @classmethod
    def around(cls, mode: Floats, covariance: Floats) -> Self:
        """Start from a mode, shape (k,), and the covariance there, shape (k, k)."""
        root = np.asarray(np.linalg.cholesky(covariance))
        return cls(tuple(Part(share, mode, width * root) for share, width in START))

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Draw points, shape (count, k); each part's number of them is its share, not by chance."""
        ends = np.rint(np.cumsum([part.share for part in self.parts]) * count).astype(int)
        drawn = []
        for part, size in zip(self.parts, np.diff(ends, prepend=0), strict=True):
            z = rng.standard_normal((size, len(part.centre)))
            scale = np.sqrt(NU / rng.chisquare(NU, size))
            drawn.append(part.centre + (z * scale[:, None]) @ part.root.T)
        return np.concatenate(drawn)

    def log_density(self, points: Floats) -> Floats:
        """Log-density at each point, shape (n,)."""
        return np.asarray(np.logaddexp.reduce([part.log_density(points) for part in self.parts]))

    def adapted(self, points: Floats, weights: Floats) -> Proposal:
        """Take an EM step towards what the weighted points are draws of.

        A point belongs to each part by its share in the density there, and a t counts it the less
        the farther it is: centre Σ h x / Σ h and scale Σ h (x−c)(x−c)ᵀ / Σ w, with w the weight of
        a point in the part and h = w (ν + k)/(ν + distance).

        Parameters
        ----------
        points : ndarray, shape (n, k)
            Drawn from this proposal.
        weights : ndarray, shape (n,)
            Importance weights, which sum to 1.

        Returns
        -------
        Proposal
        """
        whole = self.log_density(points)
        k = points.shape[1]
        moved = []
        for part in self.parts:
            w = weights * np.exp(part.log_density(points) - whole)
            share = float(w.sum())
            if share**2 < 4 * k * float(w @ w):  # too few points to make a covariance of
                moved.append(part)
                continue
            h = w * (NU + k) / (NU + part.distance(points))
            centre = h @ points / h.sum()
            away = points - centre
            root = np.linalg.cholesky((h[:, None] * away).T @ away / share)
            moved.append(Part(max(share, LEAST), centre, np.asarray(root)))
        total = sum(part.share for part in moved)
        return Proposal(tuple(part._replace(share=part.share / total) for part in moved))
