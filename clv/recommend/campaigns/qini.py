"""Qini curve: whether a ranking puts those first whom the campaign changes.

Treat the first part f of the customers in some order. With the score ψ_i of each customer, whose
mean is the effect, treating them gains, per customer of all,

    Q(f) = 1/n Σ ψ_i 1[r_i ≤ f],        and in a random order  f Q(1)

where r_i is the customer's place as a part of n. The area between the two,

    A = ∫ Q(f) − f Q(1) df = 1/n Σ ψ_i (1/2 − r_i),

is 0 where the order has nothing to do with the effect (Radcliffe 2007). Places depend on everybody:
customer j moves those ranked below by 1/n, so the influence of j on A is, but for a constant,
ψ_j (1/2 − r_j) − 1/n Σ ψ_i 1[r_i ≥ r_j], which gives the standard error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from clv.arrays import Floats
from clv.errors import RequestError, rows_at_fault

__all__ = ["Qini", "qini"]


@dataclass(frozen=True, eq=False)
class Qini:
    """A Qini curve.

    Attributes
    ----------
    treated : ndarray, shape (k + 1,)
        Part of the customers that is treated, the first in rank first, from 0 to 1.
    gain : ndarray, shape (k + 1,)
        What that gains, per customer of all, in units of the outcome.
    area : float
        Between the curve and a random order, in the same units.
    standard_error : float
        Of the area.
    customers : int
        How many there are.
    """

    treated: Floats = field(repr=False)
    gain: Floats = field(repr=False)
    area: float
    standard_error: float
    customers: int

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Lower and upper bound of the area.

        Parameters
        ----------
        level : float
            Probability that an interval of this kind holds the area.

        Returns
        -------
        low, high : float
        """
        reach = float(ndtri(0.5 + level / 2)) * self.standard_error
        return self.area - reach, self.area + reach


def qini(scores: npt.ArrayLike, rank_by: npt.ArrayLike) -> Qini:
    """Qini curve of a ranking.

    Parameters
    ----------
    scores : array_like, shape (n,)
        Of one arm, as in :attr:`Effects.scores`.
    rank_by : array_like, shape (n,)
        What the customers are ranked by, the highest first; known before the campaign. Customers
        who are equal in it stand in a random order.

    Returns
    -------
    Qini

    Raises
    ------
    RequestError
        Where lengths differ, there are fewer than two customers, or a score or rank is no number.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> benefit = rng.random(5000)
    >>> found = qini(benefit + rng.normal(size=5000), rank_by=benefit)
    >>> found.interval()[0] > 0, round(found.area, 2)  # ∫ (f − f²/2) − f/2 df = 1/12
    (True, 0.08)
    """
    psi, by = np.asarray(scores, dtype=float), np.asarray(rank_by, dtype=float)
    if psi.ndim != 1 or psi.shape != by.shape:
        raise RequestError(
            f"There must be one score and one rank a customer: {psi.shape} and {by.shape}."
        )
    faults = rows_at_fault(np.isnan(by), "nothing to be ranked by")
    faults += rows_at_fault(~np.isfinite(psi), "a score that is no finite number")
    n = len(psi)
    if n < 2:
        faults.append(f"A ranking needs at least two customers; got {n}.")
    if faults:
        raise RequestError.of(faults)
    _, group, size = np.unique(-by, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    total = np.bincount(group, weights=psi)
    gained = np.cumsum(total) / n
    place = ((last - size / 2) / n)[group]  # the middle of those who are equal
    area = float(np.mean(psi * (0.5 - place)))
    below = (gained[-1] - gained + total / n / 2)[group]
    influence = psi * (0.5 - place) - below
    error = float(influence.std(ddof=1) / np.sqrt(n))
    treated = np.concatenate([[0.0], last / n])
    return Qini(treated, np.concatenate([[0.0], gained]), area, error, n)
