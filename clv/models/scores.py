"""Scores: the gradient of each pattern's log-likelihood, which the sandwich covariance is made of.

Each model's likelihood adds up over patterns: its gradient is the weighted sum of these rows. The
likelihoods themselves never hold the rows, for their sum is cheaper; they are written out here once
for each kind of likelihood.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma

from clv.arrays import Floats
from clv.errors import RequestError
from clv.history import Histories
from clv.models.base import Model
from clv.models.beta_geometric import BetaGeometric
from clv.models.beta_geometric_lifetime import log_rising
from clv.models.bg_bb import BGBB
from clv.models.bg_bb_mixture import terms
from clv.models.condensed_beta_geometric import CondensedBetaGeometric
from clv.models.condensed_likelihood import ln_terms
from clv.models.gamma_gamma import GammaGamma
from clv.models.pareto_nbd import ParetoNBD
from clv.models.shifted_beta_geometric import ShiftedBetaGeometric
from clv.models.survival_counts import SurvivalCounts

__all__ = ["scores"]


def scores(model: type[Model[Any]], theta: Floats, data: Any) -> tuple[Floats, Floats]:
    """Gradient of each pattern's log-likelihood in the logarithms of the parameters.

    Parameters
    ----------
    model : type
        The model.
    theta : ndarray, shape (k,)
        Its parameters.
    data : Histories or SurvivalCounts
        What it is fitted to.

    Returns
    -------
    rows : ndarray, shape (n, k)
        ∂ ln L / ∂ ln θ of each pattern.
    customers : ndarray, shape (n,)
        How many customers share it.

    Raises
    ------
    RequestError
        Where the scores of the model are not written out, or it stands for a family of models.

    Examples
    --------
    >>> from clv import BGNBD
    >>> h = Histories.from_arrays([2, 0, 0], [30.43, 0, 0], [38.86, 38.86, 38.86], unit="week")
    >>> theta = np.array([.243, 4.414, .793, 2.426])
    >>> rows, n = scores(BGNBD, theta, h)
    >>> np.allclose(n @ rows, theta * BGNBD.likelihood(theta, h).gradient)
    True
    """
    if issubclass(model, BetaGeometric | ParetoNBD):
        slopes = model.per_history(theta.tolist(), data.frequency, data.recency, data.T)[1].T
        n = data.weight
    elif issubclass(model, CondensedBetaGeometric):
        if not model.k:
            raise RequestError(
                f"{model.label} stands for every k; its scores are those of one of them, such as "
                f"type(fit.model) or {model.__name__}.with_k(2)."
            )
        slopes, n = _condensed(theta, data, model.k, model.chances_before_repeat), data.weight
    elif issubclass(model, GammaGamma):
        slopes, n = _gamma_gamma(theta, data), data.spend.weight
    elif issubclass(model, BGBB):
        slopes, n = _bg_bb(theta, data), data.weight
    elif issubclass(model, ShiftedBetaGeometric):
        slopes, n = _shifted_beta_geometric(theta, data)
    else:
        raise RequestError(
            f"The scores of {model.label} are not written out, so there is no sandwich covariance "
            "of its fit; take the bootstrap's."
        )
    return theta * slopes, n


def _gamma_gamma(theta: Floats, histories: Histories) -> Floats:
    p, q, v = theta
    spend = histories.spend
    if spend is None:
        raise RequestError("Gamma-Gamma's scores need histories with spend.")
    x, total = spend.frequency, spend.frequency * spend.mean_value
    shape = p * x + q
    both = digamma(shape)
    return np.stack(
        [
            x * (both - digamma(p * x) + np.log(total / (v + total))),
            both - digamma(q) - np.log1p(total / v),
            q / v - shape / (v + total),
        ],
        axis=1,
    )


def _bg_bb(theta: Floats, histories: Histories) -> Floats:
    """Σ q φ' over the terms φ of the mixture, q the share of each."""
    rows = np.empty((len(histories), len(theta)))
    for part in terms(theta, histories.frequency, histories.recency, histories.T):
        for i, slope in enumerate(part.slopes):
            rows[part.rows, i] = part.per_row(part.share * slope)
    return rows


def _shifted_beta_geometric(theta: Floats, counts: SurvivalCounts) -> tuple[Floats, Floats]:
    """Of those who left after t = 1, 2, … periods, then of those who were seen t and stayed.

    ln P(T = t) = ln α + ln (β)_(t−1) − ln (α+β)_t and ln S(t) = ln (β)_t − ln (α+β)_t.
    """
    alpha, beta = theta
    _, of_beta, _ = log_rising(beta, len(counts.left))
    _, of_both, _ = log_rising(alpha + beta, len(counts.left))
    left = np.stack([1 / alpha - of_both[1:], of_beta[:-1] - of_both[1:]], axis=1)
    stayed = np.stack([-of_both[1:], of_beta[1:] - of_both[1:]], axis=1)
    return np.concatenate([left, stayed]), np.concatenate([counts.left, counts.stayed])


def _condensed(theta: Floats, histories: Histories, k: int, o: int) -> Floats:
    """G' + Σ q φ' over the terms φ of {...}, q the share of each; G depends on x alone.

    Slopes of φ_j (alive, j phases past the last purchase) in r and α are
    Σ_(i<j) 1/(R+i) − ln(α+T) and −(R+j)/(α+T); of the term of those who left −ln(α+t_x) and
    −R/(α+t_x), and 1/a and −1/(b+x+o−1) in a and b. The times between purchases have no part.
    """
    r, alpha, a, b = theta
    x, t_x, T = histories.frequency, histories.recency, histories.T
    R, b_x, end, last = r + k * x, b + x + o, alpha + T, alpha + t_x
    share = np.stack(list(ln_terms(theta, k, o, x, t_x, T)))
    share = np.exp(share - share.max(axis=0))
    share /= share.sum(axis=0)
    left, of_both = share[k], digamma(a + b) - digamma(a + b_x)
    slope_r = digamma(R) - digamma(r) + np.log(alpha) - left * np.log(last)
    slope_alpha = r / alpha - left * R / last
    rising = np.zeros_like(R)
    for j in range(k):
        slope_r += share[j] * (rising - np.log(end))
        slope_alpha -= share[j] * (R + j) / end
        rising = rising + 1 / (R + j)
    chances = np.where(x + o > 0, b_x - 1, 1)  # nobody has left where there was no chance: left = 0
    slope_b = of_both + digamma(b_x) - digamma(b) - left / chances
    return np.stack([slope_r, slope_alpha, of_both + left / a, slope_b], axis=1)
