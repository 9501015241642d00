"""For whom a campaign did what: effects by segment, pooled as far as they are alike.

The effect θ_g of segment g is estimated as y_g with standard error σ_g. Segments are taken to be
drawn from one distribution, θ_g ~ N(μ, ω²), whose spread the data tell (empirical Bayes). Small
segments then lean on the whole, and the best of many noisy ones is not taken at face value:

    E[θ_g] = B_g μ + (1 − B_g) y_g,    B_g = σ_g² / (σ_g² + ω²),
    Var[θ_g] = (1 − B_g) σ_g² + B_g² Var[μ].

ω² is that of Paule & Mandel (1982, doi:10.6028/jres.087.022): the one for which
Σ (y_g − μ)²/(σ_g² + ω²) is what chance gives, one less than the segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr

from clv.arrays import Floats
from clv.errors import RequestError

__all__ = ["SegmentEffect", "between_variance", "pooled", "segment_effects"]


@dataclass(frozen=True)
class SegmentEffect:
    """What an arm did for the customers of one segment.

    Attributes
    ----------
    segment : str
        Its name.
    customers : int
        How many were counted.
    estimate, standard_error : float
        From these customers alone, per customer in units of the outcome.
    mean, standard_deviation : float
        Pooled with the others.
    p_harm : float
        Probability that the effect is below 0.
    """

    segment: str
    customers: int
    estimate: float
    standard_error: float
    mean: float
    standard_deviation: float
    p_harm: float

    @property
    def treat(self) -> bool:
        """Whether to spend on them at all: not where contact is thought to do harm."""
        return self.mean > 0


def segment_effects(
    scores: npt.ArrayLike, segment: npt.ArrayLike, names: Sequence[str]
) -> tuple[SegmentEffect, ...]:
    """Effects by segment, partially pooled.

    Parameters
    ----------
    scores : array_like, shape (n,)
        Of one arm, as in :attr:`Effects.scores`; nan for who is not counted.
    segment : array_like of int, shape (n,)
        Place of the customer's segment in `names`; known before the campaign.
    names : sequence of str
        The segments.

    Returns
    -------
    tuple of SegmentEffect
        Of the segments with at least two customers, in the order of `names`.

    Raises
    ------
    RequestError
        Where scores and segments differ in length.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> code = np.arange(3000) % 3
    >>> found = segment_effects(rng.normal([1.0, 1.0, -1.0], 4.0, (1000, 3)).ravel(), code, "abc")
    >>> [one.treat for one in found]
    [True, True, False]
    """
    psi, code = np.asarray(scores, dtype=float), np.asarray(segment, dtype=np.intp)
    if psi.ndim != 1 or psi.shape != code.shape:
        raise RequestError(
            f"There must be one score and one segment a customer: {psi.shape} and {code.shape}."
        )
    compared = np.isfinite(psi)
    count = np.bincount(code[compared], minlength=len(names))
    there = [g for g, n in enumerate(count) if n >= 2]
    if not there:
        return ()
    groups = [psi[compared & (code == g)] for g in there]
    y = np.array([group.mean() for group in groups])
    error = np.array([group.std(ddof=1) / np.sqrt(len(group)) for group in groups])
    mean, sd = pooled(y, error, between_variance(y, error))
    harm = ndtr(-mean / np.where(sd > 0, sd, 1e-300))
    return tuple(
        SegmentEffect(
            names[g], int(count[g]), *(float(column[i]) for column in (y, error, mean, sd, harm))
        )
        for i, g in enumerate(there)
    )


def between_variance(estimate: Floats, error: Floats) -> float:
    """ω², how far segments differ beyond chance; 0 where they do not.

    Parameters
    ----------
    estimate, error : ndarray, shape (segments,)
        y_g and σ_g.

    Returns
    -------
    float

    Examples
    --------
    >>> round(between_variance(np.array([-1.0, 1.0]), np.array([0.1, 0.1])), 2)  # 2 - 0.01
    1.99
    """
    variance = np.maximum(error**2, 1e-300)

    def excess(between: float) -> float:
        weight = 1 / (variance + between)
        away = estimate - weight @ estimate / weight.sum()
        return float(weight @ away**2 - (len(estimate) - 1))

    if len(estimate) < 2 or excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, float(np.sum((estimate - estimate.mean()) ** 2)) * 2))


def pooled(
    estimate: Floats,
    error: Floats,
    between: float,
    prior: tuple[float, float] | None = None,
) -> tuple[Floats, Floats]:
    """Means and standard deviations of the θ_g.

    Parameters
    ----------
    estimate, error : ndarray, shape (segments,)
        y_g and σ_g.
    between : float
        ω², from :func:`between_variance`.
    prior : tuple of float, optional
        Mean and standard deviation of what was thought of μ before; nothing if not given.

    Returns
    -------
    mean, standard_deviation : ndarray, shape (segments,)

    Examples
    --------
    >>> mean, sd = pooled(np.array([1.0, 3.0]), np.array([1.0, 1.0]), 1.0)
    >>> mean.tolist(), sd.round(3).tolist()  # μ = 2 ± 1, B = 1/2
    ([1.5, 2.5], [0.866, 0.866])
    """
    variance = np.maximum(error**2, 1e-300)
    weight = 1 / (variance + between)
    thought, precision = (0.0, 0.0) if prior is None else (prior[0], prior[1] ** -2)
    of_centre = 1 / (weight.sum() + precision)
    centre = of_centre * (weight @ estimate + precision * thought)
    share = variance * weight
    mean = share * centre + (1 - share) * estimate
    return mean, np.sqrt((1 - share) * variance + share**2 * of_centre)
