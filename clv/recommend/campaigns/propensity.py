"""Who was likely to be treated, where somebody decided: logistic regression, cross-fitted.

Estimated from what was known of the customers before the campaign. Each customer's probability
comes from a fit to the others: five folds, made of the data alone, so that the order of the rows
does not matter. A small ridge keeps coefficients finite where a covariate nearly separates.

What there is to compare ends where nobody on the other side is alike. A probability near 0 or 1
says so; it is cut at 0.01 and 0.99, and how many lie beyond 0.05 and 0.95 is told (Crump et al.
2009, doi:10.1093/biomet/asn055).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log1p

from clv.arrays import Floats, Rows
from clv.errors import CampaignsError

__all__ = ["Propensity", "fit_propensity", "folds_of"]

FOLDS = 5
RIDGE = 1.0
"""Precision of a coefficient of a standardised covariate: 4 log-odds either way within a 95 %
interval need two of it; next to hundreds of customers it weighs nothing."""

CUT, RARE = 0.01, 0.05
POOR = 0.1
"""Part of the customers beyond `RARE` from which the overlap is called poor."""


@dataclass(frozen=True, eq=False)
class Propensity:
    """Probability of being treated, of each customer of two arms.

    Attributes
    ----------
    treated : ndarray, shape (n,)
        Estimated on other customers, cut to 0.01 and 0.99.
    beyond : float
        Part of the customers whose probability is below 0.05 or above 0.95.
    effective : float
        How many customers without weights would tell as much as these do with theirs.
    """

    treated: Floats = field(repr=False)
    beyond: float
    effective: float

    @property
    def concern(self) -> str:
        """What to know of the overlap; empty where it is good."""
        if self.beyond < POOR:
            return ""
        return (
            f"For {100 * self.beyond:.0f} % of the customers hardly anybody alike was treated "
            "otherwise (a probability of treatment below 5 % or above 95 %): there the comparison "
            "rests on extrapolation."
        )


def fit_propensity(treated: npt.ArrayLike, covariates: npt.ArrayLike) -> Propensity:
    """Estimate who was likely to be treated.

    Parameters
    ----------
    treated : array_like of bool, shape (n,)
        Who was.
    covariates : array_like, shape (n,) or (n, k)
        What was known of them before.

    Returns
    -------
    Propensity

    Raises
    ------
    CampaignsError
        Where the covariates tell exactly who was treated: then nobody is there to compare with.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> z = rng.normal(size=2000)
    >>> found = fit_propensity(rng.random(2000) < 1 / (1 + np.exp(-z)), z)
    >>> found.concern, bool(np.corrcoef(found.treated, z)[0, 1] > 0.95)
    ('', True)
    """
    d, z = np.asarray(treated, dtype=bool), np.asarray(covariates, dtype=float)
    z = z[:, None] if z.ndim == 1 else z
    spread = z.std(axis=0)
    z = (z - z.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    design = np.column_stack([np.ones(len(z)), z])
    separated = design @ _logistic(design, d)
    if separated[d].min() > separated[~d].max():
        raise CampaignsError(
            "What is known of the customers before the campaign tells exactly who was treated, so "
            "no treated customer has a counterpart that was not. Without chance or overlap nothing "
            "can be learned from this campaign."
        )
    folds = folds_of(d, z)
    e = np.empty(len(d))
    for fold in range(int(folds.max()) + 1):
        e[folds == fold] = expit(
            design[folds == fold] @ _logistic(design[folds != fold], d[folds != fold])
        )
    beyond = float(np.mean((e < RARE) | (e > 1 - RARE)))
    e = np.clip(e, CUT, 1 - CUT)
    weight = np.where(d, 1 / e, 1 / (1 - e))
    return Propensity(e, beyond, float(weight.sum() ** 2 / (weight @ weight)))


def folds_of(treated: npt.NDArray[np.bool_], z: Floats) -> Rows:
    """Deal the customers of each arm over the folds, in the order of what is known of them.

    Neighbours get different folds, so that each fold is like the whole.
    """
    order = np.lexsort((*z.T, treated))
    folds = np.empty(len(treated), dtype=np.intp)
    start = int((~treated).sum())
    folds[order[:start]] = np.arange(start) % FOLDS
    folds[order[start:]] = np.arange(len(treated) - start) % FOLDS
    return folds


def _logistic(design: Floats, d: npt.NDArray[np.bool_]) -> Floats:
    """Coefficients of a logistic regression with a ridge on all but the first."""
    ridge = np.full(design.shape[1], RIDGE)
    ridge[0] = 0.0
    sign = np.where(d, 1.0, -1.0)

    def loss(beta: Floats) -> tuple[float, Floats]:
        margin = sign * (design @ beta)
        value = np.sum(np.maximum(-margin, 0) + log1p(np.exp(-np.abs(margin))))
        slope = -(sign * expit(-margin)) @ design
        return float(value + ridge @ beta**2 / 2), slope + ridge * beta

    def curvature(beta: Floats) -> Floats:
        p = expit(design @ beta)
        return np.asarray((design * (p * (1 - p))[:, None]).T @ design + np.diag(ridge))

    start = np.zeros(design.shape[1])
    share = np.clip(d.mean(), 1e-6, 1 - 1e-6)
    start[0] = np.log(share / (1 - share))
    return np.asarray(minimize(loss, start, jac=True, hess=curvature, method="trust-exact").x)
