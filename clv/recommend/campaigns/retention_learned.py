"""What campaigns teach about the retention curve of the policy: e and the scale of money.

By the policy, spending s on a customer keeps the part

    κ(s) = e (1 − exp(−s / (σ m)))

of those who would leave, m being the customer's expected spend per purchase: e is
`retention.effect`, σ is `retention.money_scale`. An arm in which customer i got s_i thus keeps
e f(σ), f(σ) = Σ u_i (1 − exp(−s_i/(σ m_i))) / Σ u_i, where u_i is the customer's probability of
leaving in the window. A purchase model says how many purchases per customer that is: a rising curve
g with g(0) = 0. The effects τ̂ of the arms, in purchases per customer, are normal with a covariance
V that knows of the shared control arm. With

    e ~ N(e₀, s_e²) on [−1, 1],      ln σ ~ N(ln σ₀ − s_σ²/2, s_σ²)   (so that E[σ] = σ₀)

the posterior is ∝ prior · exp(−½ (τ̂ − g(e f(σ)))ᵀ V⁻¹ (τ̂ − g(e f(σ)))), summed over a grid of both.
One arm alone cannot tell a small effect on many from a large effect that little money hardly
reaches: the posterior then stays as wide in that direction as the prior was. Arms with different
spends can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import RequestError
from clv.recommend.learned import Basis, LearnedFigure
from clv.recommend.policy import Policy
from clv.recommend.retention_uncertainty import SCALE_SD

__all__ = ["Evidence", "RetentionPosterior", "retention_posterior"]

POINTS = 161
"""Of the grid in each direction."""

BINS = 512
"""Groups of like s/m into which many customers of an arm are put."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one campaign says.

    Attributes
    ----------
    effect : ndarray, shape (arms,)
        Purchases per customer in the window above the control arm's, of each other arm.
    covariance : ndarray, shape (arms, arms)
        Of these estimates.
    kept : ndarray, shape (k,)
        Parts of the leavers kept, rising; below 0 where more leave.
    gain : ndarray, shape (k,)
        Purchases per customer that keeping them brings, rising; 0 where `kept` is 0.
    reach : tuple of (ndarray, ndarray), one an arm
        Of its customers: s_i/m_i, what was spent as a multiple of expected spend per purchase,
        and u_i, the probability of leaving in the window.
    customers : int
        How many were compared.
    """

    effect: Floats
    covariance: Floats
    kept: Floats = field(repr=False)
    gain: Floats = field(repr=False)
    reach: tuple[tuple[Floats, Floats], ...] = field(repr=False)
    customers: int

    def __post_init__(self) -> None:
        """Refuse a curve that does not rise, and shapes that do not fit."""
        arms, faults = len(self.effect), []
        if self.covariance.shape != (arms, arms) or len(self.reach) != arms:
            faults.append(
                f"Of {arms} effects the covariance must be {arms} by {arms} and the reach of "
                f"{arms}; got {self.covariance.shape} and {len(self.reach)}."
            )
        if not (np.diff(self.kept) > 0).all() or not (np.diff(self.gain) >= 0).all():
            faults.append("Kept and gain must rise.")
        if faults:
            raise RequestError.of(faults)

    def kept_for(self, effect: npt.ArrayLike) -> Floats:
        """Part of the leavers kept that brings this many purchases per customer, within `kept`."""
        return np.asarray(np.interp(np.asarray(effect, dtype=float), self.gain, self.kept))

    def shares(self, money_scale: Floats) -> Floats:
        """f(σ) of each arm, shape (arms, len(money_scale))."""
        return np.array([_share(ratio, weight, money_scale) for ratio, weight in self.reach])


@dataclass(frozen=True)
class RetentionPosterior:
    """What is thought of e and σ before and after the campaigns.

    Attributes
    ----------
    effect_prior, effect : (float, float)
        Mean and standard deviation of e before and after.
    money_scale_prior, money_scale : (float, float)
        The same of σ.
    customers : int
        How many customers speak.
    correlation : float
        Of e and σ after them: where one arm cannot tell the two apart, below 0 or above it.
    """

    effect_prior: tuple[float, float]
    effect: tuple[float, float]
    money_scale_prior: tuple[float, float]
    money_scale: tuple[float, float]
    customers: int
    correlation: float = 0.0

    def figures(self, basis: Basis) -> tuple[LearnedFigure, ...]:
        """Return them as learned figures of the policy.

        Parameters
        ----------
        basis : {"causal", "associational"}
            Whether chance decided who was treated; else they are shown and not used.
        """
        told = (
            ("retention.effect", self.effect_prior, self.effect),
            ("retention.money_scale", self.money_scale_prior, self.money_scale),
        )
        return tuple(
            LearnedFigure(
                key,
                after[0],
                *before,
                *after,
                basis=basis,
                observations=self.customers,
                correlations=((other, self.correlation),),
            )
            for (key, before, after), (other, *_) in zip(told, told[::-1], strict=True)
        )


def retention_posterior(policy: Policy, evidence: Sequence[Evidence]) -> RetentionPosterior:
    """Pool the policy's figures and what campaigns say of them, each by its precision.

    Parameters
    ----------
    policy : Policy
        Its `retention.effect` and `retention.money_scale` are the prior's means,
        `learning.retention_effect_sd` the prior deviation of the one; that of the other is
        :data:`~clv.recommend.retention_uncertainty.SCALE_SD` on ln σ.
    evidence : sequence of Evidence
        Of campaigns that are taken to be independent; none leaves the prior.

    Returns
    -------
    RetentionPosterior

    Examples
    --------
    >>> some = np.ones(1)
    >>> letters = Evidence(
    ...     effect=np.array([0.10]), covariance=np.array([[0.02**2]]),
    ...     kept=np.array([-1.0, 0.0, 1.0]), gain=np.array([-0.5, 0.0, 0.5]),
    ...     reach=((2.0 * some, some),), customers=2000,
    ... )
    >>> found = retention_posterior(Policy(), [letters])
    >>> [round(number, 2) for number in (*found.effect, *found.money_scale)]
    [0.22, 0.05, 0.55, 0.45]
    """
    prior_e = (policy.retention.effect, policy.learning.retention_effect_sd)
    scale = policy.retention.money_scale
    centre = np.log(scale) - SCALE_SD**2 / 2
    e = np.linspace(
        max(-1.0, prior_e[0] - 6 * prior_e[1]), min(1.0, prior_e[0] + 6 * prior_e[1]), POINTS
    )
    ln_scale = centre + SCALE_SD * np.linspace(-5, 5, POINTS)
    for _ in range(4):  # where the posterior is much narrower than the grid, a finer grid
        weight = _posterior(e, ln_scale, prior_e, centre, evidence)
        moments = [_moments(e, weight.sum(axis=1)), _moments(ln_scale, weight.sum(axis=0))]
        (mean, sd), (ln_mean, ln_sd) = moments
        if sd > 3 * (e[1] - e[0]) and ln_sd > 3 * (ln_scale[1] - ln_scale[0]):
            break
        e = np.linspace(
            max(e[0], mean - 8 * sd - e[1] + e[0]), min(e[-1], mean + 8 * sd + e[1] - e[0]), POINTS
        )
        step = ln_scale[1] - ln_scale[0]
        ln_scale = np.linspace(
            max(ln_scale[0], ln_mean - 8 * ln_sd - step),
            min(ln_scale[-1], ln_mean + 8 * ln_sd + step),
            POINTS,
        )
    of_effect = _moments(e, weight.sum(axis=1))
    of_scale = _moments(np.exp(ln_scale), weight.sum(axis=0))
    together = (e - of_effect[0]) @ weight @ (np.exp(ln_scale) - of_scale[0])
    return RetentionPosterior(
        effect_prior=prior_e,
        effect=of_effect,
        money_scale_prior=(scale, float(scale * np.sqrt(np.expm1(SCALE_SD**2)))),
        money_scale=of_scale,
        customers=sum(one.customers for one in evidence),
        correlation=float(np.clip(together / (of_effect[1] * of_scale[1]), -1, 1)),
    )


def _posterior(
    e: Floats,
    ln_scale: Floats,
    prior_e: tuple[float, float],
    centre: float,
    evidence: Sequence[Evidence],
) -> Floats:
    """Probability of each point of the grid, shape (len(e), len(ln_scale))."""
    ln = -0.5 * ((e - prior_e[0]) / prior_e[1])[:, None] ** 2
    ln = ln - 0.5 * ((ln_scale - centre) / SCALE_SD) ** 2
    for one in evidence:
        kept = e[:, None] * one.shares(np.exp(ln_scale))[:, None, :]  # (arms, e, σ)
        left = one.effect[:, None, None] - np.interp(kept, one.kept, one.gain)
        ln = ln - 0.5 * np.einsum("ajk,ab,bjk->jk", left, np.linalg.pinv(one.covariance), left)
    weight = np.exp(ln - ln.max())
    return np.asarray(weight / weight.sum())


def _moments(grid: Floats, weight: Floats) -> tuple[float, float]:
    mean = float(grid @ weight)
    return mean, float(np.sqrt((grid - mean) ** 2 @ weight))


def _share(ratio: Floats, weight: Floats, money_scale: Floats) -> Floats:
    """Weighted mean of 1 − exp(−ratio/σ); of many customers in groups of like ratios."""
    if len(ratio) > BINS:
        order = np.argsort(ratio)
        begins = np.linspace(0, len(ratio), BINS, endpoint=False).astype(np.intp)
        total = np.add.reduceat(weight[order], begins)
        ratio = np.add.reduceat((ratio * weight)[order], begins) / np.maximum(total, 1e-300)
        weight = total
    return np.asarray(-np.expm1(-ratio / money_scale[:, None]) @ weight / weight.sum())
