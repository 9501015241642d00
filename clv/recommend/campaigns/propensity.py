"""Who was likely to get which arm, where somebody decided: logistic regression, cross-fitted.

Estimated from what was known of the customers before the campaign, for all arms at once:
π_a(z) ∝ exp(z · β_a), with β = 0 for the control. Each customer's probabilities come from a fit to
the others: five folds, made of the data alone, so that the order of the rows does not matter. A
small ridge keeps coefficients finite where a covariate nearly separates.

What there is to compare ends where nobody in the other arm is alike. A probability that is small
beside the arm's share says so; below a fiftieth of the share it is cut, and how many customers lie
below a tenth is told (Crump et al. 2009, doi:10.1093/biomet/asn055, who cut at a fifth of equal
shares: 0.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from clv.arrays import Floats, Rows
from clv.errors import CampaignsError

__all__ = ["Propensity", "fit_propensity", "folds_of"]

FOLDS = 5
RIDGE = 1.0
"""Precision of a coefficient of a standardised covariate: 4 log-odds either way within a 95 %
interval need two of it; next to hundreds of customers it weighs nothing."""

CUT, RARE = 0.02, 0.1
"""Parts of an arm's share; of two arms of one size, probabilities of 1 and of 5 %."""
POOR = 0.1
"""Part of the customers below `RARE` from which the overlap is called poor."""


@dataclass(frozen=True, eq=False)
class Propensity:
    """Probability of each arm, for each customer.

    Attributes
    ----------
    probability : ndarray, shape (n, arms)
        Estimated on other customers; at least a fiftieth of the arm's share.
    beyond : ndarray, shape (arms,)
        Part of the customers whose probability of the arm is below a tenth of its share.
    """

    probability: Floats = field(repr=False)
    beyond: Floats

    def concerns(self, arms: Sequence[str]) -> list[str]:
        """What to know of the overlap; nothing where it is good.

        Parameters
        ----------
        arms : sequence of str
            Their names.

        Returns
        -------
        list of str
            One sentence for each arm of which there is something to say.
        """
        return [
            f"For {100 * part:.0f} % of the customers hardly anybody alike was in arm {arm!r} (a "
            "probability of less than a tenth of the arm's share): there the comparison rests on "
            "extrapolation."
            for arm, part in zip(arms, self.beyond.tolist(), strict=True)
            if part >= POOR
        ]


def fit_propensity(
    arm: npt.ArrayLike, covariates: npt.ArrayLike, names: Sequence[str] | None = None
) -> Propensity:
    """Estimate who was likely to get which arm.

    Parameters
    ----------
    arm : array_like of int, shape (n,)
        0 for the control, then 1, 2, …; at least two customers in each.
    covariates : array_like, shape (n,) or (n, k)
        What was known of them before.
    names : sequence of str, optional
        What errors call the arms; their numbers if not given.

    Returns
    -------
    Propensity

    Raises
    ------
    CampaignsError
        Where the covariates tell exactly who was in an arm rather than in the control: then nobody
        is there to compare with.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> z = rng.normal(size=2000)
    >>> found = fit_propensity(rng.random(2000) < 1 / (1 + np.exp(-z)), z)
    >>> found.concerns(["letter", "none"])
    []
    >>> bool(np.corrcoef(found.probability[:, 1], z)[0, 1] > 0.95)
    True
    """
    a, z = np.asarray(arm, dtype=np.intp), np.asarray(covariates, dtype=float)
    z = z[:, None] if z.ndim == 1 else z
    spread = z.std(axis=0)
    z = (z - z.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    design = np.column_stack([np.ones(len(z)), z])
    share = np.bincount(a, minlength=2) / len(a)
    score = design @ _logistic(design, a, len(share))
    called = names or [str(code) for code in range(len(share))]
    told = [
        repr(called[code])
        for code in range(1, len(share))
        if score[a == code, code].min() > score[a == 0, code].max()
    ]
    if told:
        raise CampaignsError(
            "What is known of the customers before the campaign tells exactly who was in arm "
            f"{', '.join(told)} and who in the control arm, so no treated customer has a "
            "counterpart that was not. Without chance or overlap nothing can be learned from this "
            "campaign."
        )
    folds = folds_of(a, z)
    pi = np.empty((len(a), len(share)))
    for fold in range(int(folds.max()) + 1):
        others = folds != fold
        beta = _logistic(design[others], a[others], len(share))
        pi[~others] = softmax(design[~others] @ beta, axis=1)
    return Propensity(np.maximum(pi, CUT * share), (pi < RARE * share).mean(axis=0))


def folds_of(arm: Rows, z: Floats) -> Rows:
    """Deal the customers of each arm over the folds, in the order of what is known of them.

    Neighbours get different folds, so that each fold is like the whole.
    """
    order = np.lexsort((*z.T, arm))
    size = np.bincount(arm)
    start = np.repeat(np.cumsum(size) - size, size)
    folds = np.empty(len(arm), dtype=np.intp)
    folds[order] = (np.arange(len(arm)) - start) % FOLDS
    return folds


def _logistic(design: Floats, arm: Rows, arms: int) -> Floats:
    """Coefficients of each arm, shape (k, arms), control 0; a ridge on all but the first."""
    n, k = design.shape
    ridge = np.full((k, 1), RIDGE)
    ridge[0] = 0.0
    inside = np.zeros((n, arms))
    inside[np.arange(n), arm] = 1.0

    def of_all(free: Floats) -> Floats:
        return np.column_stack([np.zeros(k), free.reshape(k, arms - 1)])

    def loss(free: Floats) -> tuple[float, Floats]:
        beta = of_all(free)
        eta = design @ beta
        slope = design.T @ (softmax(eta, axis=1) - inside) + ridge * beta
        value = -np.sum(inside * log_softmax(eta, axis=1)) + np.sum(ridge * beta**2) / 2
        return float(value), slope[:, 1:].ravel()

    def curvature(free: Floats) -> Floats:
        p = softmax(design @ of_all(free), axis=1)[:, 1:]
        bend = np.empty((k, arms - 1, k, arms - 1))
        for i in range(arms - 1):
            for j in range(arms - 1):
                weight = p[:, i] * ((i == j) - p[:, j])
                bend[:, i, :, j] = (design * weight[:, None]).T @ design
        m = k * (arms - 1)
        return np.asarray(bend.reshape(m, m) + np.diag(np.repeat(ridge, arms - 1)))

    start = np.zeros((k, arms - 1))
    share = inside.mean(axis=0)
    start[0] = np.log(share[1:] / share[0])
    found = minimize(loss, start.ravel(), jac=True, hess=curvature, method="trust-exact")
    return of_all(np.asarray(found.x))
