"""What each arm of a campaign changed, against the arm that got nothing.

With m_a(z) what a customer with covariates z is expected to do in arm a, and π the probability of
the arm that the customer was in, the score of customer i for arm a is

    ψ_a(i) = m_a(z_i) + 1[A_i = a] / π_i · (Y_i − m_a(z_i)),

the effect is the mean of ψ_a − ψ_0, and its standard error that of a mean (augmented inverse
probability weighting: Robins, Rotnitzky & Zhao 1994, doi:10.1080/01621459.1994.10476818). Each
score is unbiased where either π or m is right.

*Where chance decided*, π is known, so the mean is right whatever m is: m only takes out what was
foreseeable anyway, and narrows the interval. It is a regression on the covariates in each arm (Lin
2013, doi:10.1214/12-AOAS583) with weights 1/π, whose residuals then sum to 0 in every arm.

*Where somebody decided*, π is estimated (:mod:`clv.recommend.campaigns.propensity`), m and π each
on other customers than those it is used for (cross-fitting: Chernozhukov et al. 2018,
doi:10.1111/ectj.12097). That is right where all that decided about the treatment, and also tells
what customers do, is among the covariates. Nobody can check that.

Either way each arm speaks of *all* customers of the campaign, whoever was in it, so that effects of
different arms can be compared with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from clv.arrays import Floats, Rows
from clv.errors import RequestError, rows_at_fault
from clv.recommend.campaigns.propensity import Propensity, folds_of

__all__ = ["Effects", "adjusted_effects", "randomised_effects", "shares_differ"]

MISMATCH = 4.0
"""Standard errors from which an arm is not of the size that the stated probabilities give. Chance
alone does that once in 16,000 arms."""


@dataclass(frozen=True, eq=False)
class Effects:
    """Mean effect of each arm per customer, in units of the outcome.

    Attributes
    ----------
    effect : ndarray, shape (arms,)
        Of the arms but the control.
    covariance : ndarray, shape (arms, arms)
        Of their estimates, which share the control arm; robust to unequal variances.
    scores : ndarray, shape (arms, n)
        ψ_a − ψ_0 of each customer, whose mean is the effect.
    """

    effect: Floats
    covariance: Floats = field(repr=False)
    scores: Floats = field(repr=False)

    @property
    def standard_error(self) -> Floats:
        """Of each effect."""
        return np.sqrt(np.diag(self.covariance))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the effects.

        Parameters
        ----------
        level : float
            Probability that an interval of this kind holds the effect.

        Returns
        -------
        low, high : ndarray, shape (arms,)
        """
        reach = float(ndtri(0.5 + level / 2)) * self.standard_error
        return self.effect - reach, self.effect + reach


def randomised_effects(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    probability: npt.ArrayLike,
    covariates: npt.ArrayLike | None = None,
) -> Effects:
    """Effects where chance decided who got what, with known probabilities.

    Parameters
    ----------
    outcome : array_like, shape (n,)
        What each customer did in the window.
    arm : array_like of int, shape (n,)
        0 for the control, then 1, 2, …; at least two customers in each.
    probability : array_like, shape (n,)
        With which chance put the customer into that arm, above 0.
    covariates : array_like, shape (n,) or (n, k), optional
        Known before the campaign, such as the purchases that a model expects: they narrow the
        intervals and change nothing else.

    Returns
    -------
    Effects

    Raises
    ------
    RequestError
        Where rows make no sense, or an arm has fewer than two customers.

    Examples
    --------
    >>> found = randomised_effects([3, 5, 1, 3], [1, 1, 0, 0], [0.5] * 4)
    >>> found.effect.tolist(), found.standard_error.round(3).tolist()
    ([2.0], [1.414])
    """
    y, a, pi, z = _checked(outcome, arm, probability, covariates)
    every = np.broadcast_to(1 / pi[:, None], (len(y), a.max() + 1))
    return _compared(y, a, every, z)


def adjusted_effects(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    covariates: npt.ArrayLike,
    propensity: Propensity,
) -> Effects:
    """Effects where somebody decided who got what, adjusted for what is known of the customers.

    Of each arm, what it would have done for all customers together.

    Parameters
    ----------
    outcome : array_like, shape (n,)
        What each customer did in the window.
    arm : array_like of int, shape (n,)
        0 for the control, then 1, 2, …
    covariates : array_like, shape (n, k)
        All that may have decided about the treatment and also tells what customers do.
    propensity : Propensity
        From :func:`clv.recommend.campaigns.fit_propensity`, of the same customers in that order.

    Returns
    -------
    Effects
        Associational: right only as far as nothing else decided.

    Raises
    ------
    RequestError
        Where rows make no sense, or an arm has fewer than two customers.

    Examples
    --------
    >>> from clv.recommend.campaigns import fit_propensity
    >>> rng = np.random.default_rng(1)
    >>> z = rng.normal(size=4000)
    >>> arm = (rng.random(4000) < 1 / (1 + np.exp(-z))).astype(int)
    >>> outcome = 2 * z + arm + rng.normal(size=4000)  # the arm adds 1, and went to high z
    >>> found = adjusted_effects(outcome, arm, z, fit_propensity(arm, z))
    >>> low, high = found.interval()
    >>> bool(low[0] < 1 < high[0])
    True
    """
    y, a, _, z = _checked(outcome, arm, None, covariates)
    pi = propensity.probability
    if pi.shape != (len(y), a.max() + 1):
        raise RequestError(
            f"The propensity is of {pi.shape[0]:,} customers and {pi.shape[1]} arms; the outcome "
            f"is of {len(y):,} and {a.max() + 1}."
        )
    return _compared(y, a, 1 / pi, z, folds_of(a, z))


def shares_differ(arm: npt.ArrayLike, probability: npt.ArrayLike) -> Rows:
    """Arms that are not of the size that the stated probabilities give.

    Then customers were lost or moved after chance had decided (sample ratio mismatch: Fabijan et
    al. 2019, doi:10.1145/3292500.3330722), and the arms are no longer alike.

    Parameters
    ----------
    arm : array_like of int, shape (n,)
        0 for the control, then 1, 2, …
    probability : array_like, shape (n,)
        With which chance put the customer into that arm.

    Returns
    -------
    ndarray of int
        The arms; none where chance explains the sizes.

    Examples
    --------
    >>> shares_differ([1] * 500 + [0] * 520, [0.5] * 1020).tolist()
    []
    >>> shares_differ([1] * 400 + [0] * 620, [0.5] * 1020).tolist()
    [0, 1]
    """
    a, pi = np.asarray(arm, dtype=np.intp), np.asarray(probability, dtype=float)
    # Σ 1/π over an arm has expectation n, and variance Σ (1 − π)/π over everybody.
    size = np.bincount(a, weights=1 / pi)
    variance = np.bincount(a, weights=(1 - pi) / pi**2)
    return np.flatnonzero(np.abs(size - len(a)) > MISMATCH * np.sqrt(variance))


def _compared(y: Floats, a: Rows, weight: Floats, z: Floats, folds: Rows | None = None) -> Effects:
    """Effects of the arms, given 1/π of each customer and arm."""
    parts = [_scores(y, a == code, weight[:, code], z, folds) for code in range(a.max() + 1)]
    scores = np.array([mine[0] - parts[0][0] for mine in parts[1:]])
    spread = np.array([mine[1] - parts[0][1] for mine in parts[1:]])
    return Effects(scores.mean(axis=1), np.asarray(spread @ spread.T / len(y) ** 2), scores)


def _scores(
    y: Floats,
    inside: npt.NDArray[np.bool_],
    weight: Floats,
    z: Floats,
    folds: Rows | None = None,
) -> tuple[Floats, Floats]:
    """Scores of one arm, and the same centred with residuals as leverage corrects them.

    Weights are brought to a mean of 1 over everybody in the arm (Hájek), so that a constant added
    to all outcomes adds just that.
    """
    design = np.column_stack([np.ones(len(y)), z])
    weight = np.where(inside, weight, 0.0)
    weight *= len(y) / weight.sum()
    expected = np.empty(len(y))
    leverage = np.zeros(len(y))
    for fold in range(1 if folds is None else int(folds.max()) + 1):
        used = inside if folds is None else inside & (folds != fold)
        asked = np.ones(len(y), dtype=bool) if folds is None else folds == fold
        root = np.sqrt(weight[used])
        x = design[used] * root[:, None]
        expected[asked] = design[asked] @ np.linalg.lstsq(x, y[used] * root)[0]
        if folds is None:  # residuals of those fitted vary less by a factor 1 − h (HC2)
            leverage[used] = np.einsum("ij,ji->i", x, np.linalg.pinv(x))
    residual = weight * (y - expected)
    scores = expected + residual
    corrected = expected + residual / np.sqrt(np.maximum(1 - leverage, 0.25))
    return scores, corrected - corrected.mean()


def _checked(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    probability: npt.ArrayLike | None,
    covariates: npt.ArrayLike | None,
) -> tuple[Floats, Rows, Floats, Floats]:
    """Return the columns as arrays, covariates standardised; all faults in one error."""
    y, a = np.asarray(outcome, dtype=float), np.asarray(arm, dtype=np.intp)
    pi = np.ones(y.shape) if probability is None else np.asarray(probability, dtype=float)
    z = np.empty((len(y), 0)) if covariates is None else np.asarray(covariates, dtype=float)
    z = z[:, None] if z.ndim == 1 else z
    if y.ndim != 1 or {a.shape, pi.shape, z.shape[:1]} != {y.shape}:
        raise RequestError(
            f"There must be one row a customer: outcome {y.shape}, arm {a.shape}, probability "
            f"{pi.shape}, covariates {z.shape}."
        )
    faults = rows_at_fault(~np.isfinite(y), "an outcome that is no finite number")
    faults += rows_at_fault(a < 0, "an arm below 0")
    faults += rows_at_fault(~((pi > 0) & (pi <= 1)), "a probability that is not in (0, 1]")
    faults += rows_at_fault(~np.isfinite(z).all(axis=1), "a covariate that is no finite number")
    if not faults:
        few = [f"{i} ({n:,})" for i, n in enumerate(np.bincount(a, minlength=2)) if n < 2]
        if few:
            faults.append(
                "Every arm needs at least two customers to be compared; too few in arm "
                f"{', '.join(few)}."
            )
    if faults:
        raise RequestError.of(faults)
    spread = z.std(axis=0)
    return y, a, pi, (z - z.mean(axis=0))[:, spread > 0] / spread[spread > 0]
