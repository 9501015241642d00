"""Three covariances of a fit: from the information, by the sandwich, by the bootstrap.

With H the Hessian of the log-likelihood in the log-parameters at the optimum, g_i the score of
pattern i and n_i the customers who share it,

    information   (−H)⁻¹                            right where the model is;
    sandwich      (−H)⁻¹ (Σ n_i g_i g_iᵀ) (−H)⁻¹    right for many customers, whatever the model;
    bootstrap     the covariance of the estimates from customers drawn with replacement.

Drawing customers with replacement is drawing the n_i from a multinomial distribution, so a resample
is the same patterns with other weights, and Newton's method from the optimum is there in a few
steps.

Huber, P. J. (1967), The behavior of maximum likelihood estimates under nonstandard conditions.
Proceedings of the Fifth Berkeley Symposium on Mathematical Statistics and Probability 1, 221-233.
White, H. (1982), Maximum likelihood estimation of misspecified models. Econometrica 50(1), 1-25.
https://doi.org/10.2307/1912526
Efron, B. and Tibshirani, R. J. (1993), An Introduction to the Bootstrap. Chapman & Hall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from clv.arrays import Floats
from clv.errors import FitError, NotIdentifiedError, RequestError
from clv.history import Histories, SpendPatterns
from clv.models.maximum_likelihood import maximise
from clv.models.survival_counts import SurvivalCounts

if TYPE_CHECKING:
    from clv.models.maximum_likelihood import Fit

__all__ = ["CovarianceKind", "Resampling", "bootstrap", "of_fit", "refuse_kind", "sandwich"]


CovarianceKind = Literal["information", "sandwich", "bootstrap"]

FEWEST = 100
"""Resamples below which a bootstrap says little: a standard error from 100 is good to 7 %."""

LOST = 0.01
"""Share of resamples without a fit above which a reader must know of it."""


class Resampling(NamedTuple):
    """How a bootstrap went.

    Attributes
    ----------
    resamples : int
        Samples drawn.
    failed : int
        How many of them could not be fitted, because they do not tell the parameters.
    seed : int
        Of the draws.
    """

    resamples: int
    failed: int
    seed: int

    @property
    def concerns(self) -> tuple[str, ...]:
        """What a reader of standard errors from it must know.

        >>> Resampling(1000, 3, seed=0).concerns
        ()
        """
        if self.failed <= LOST * self.resamples:
            return ()
        told = (
            f"{self.failed:,} of {self.resamples:,} resamples of the bootstrap could not be "
            "fitted: they do not tell the parameters. The covariance is that of the others, and "
            "too small; take the posterior's intervals, a longer log or a prior."
        )
        return (told,)

    def to_dict(self) -> dict[str, int]:
        """All of it in plain types."""
        return self._asdict()


def sandwich(information: Floats, scores: Floats, customers: Floats) -> Floats:
    """(−H)⁻¹ (Σ n g gᵀ) (−H)⁻¹.

    Parameters
    ----------
    information : ndarray, shape (k, k)
        (−H)⁻¹.
    scores : ndarray, shape (n, k)
        Of each pattern.
    customers : ndarray, shape (n,)
        Customers who share it.

    Returns
    -------
    ndarray, shape (k, k)

    Examples
    --------
    >>> sandwich(np.array([[0.5]]), np.array([[1.0], [-1.0]]), np.array([2.0, 2.0]))
    array([[1.]])
    """
    middle = (customers[:, None] * scores).T @ scores
    whole = information @ middle @ information
    return np.asarray((whole + whole.T) / 2)


def bootstrap(
    refit: Callable[[Floats], Floats], customers: Floats, *, resamples: int, seed: int
) -> tuple[Floats, Resampling]:
    """Covariance of the estimates from customers drawn with replacement.

    Parameters
    ----------
    refit : callable
        Estimates, shape (k,), where that many customers share each pattern; or a
        :class:`FitError`.
    customers : ndarray, shape (n,)
        Customers who share each pattern.
    resamples, seed : int
        How many samples, and the seed of the draws.

    Returns
    -------
    covariance : ndarray, shape (k, k)
    resampling : Resampling

    Raises
    ------
    NotIdentifiedError
        Where fewer than half of the samples can be fitted.

    Examples
    --------
    >>> values = np.array([0.0, 1.0])  # the mean of four numbers, 0, 0, 1 and 1: variance 1/16
    >>> covariance, _ = bootstrap(
    ...     lambda n: np.array([n @ values / n.sum()]), np.array([2.0, 2.0]), resamples=1000, seed=1
    ... )
    >>> bool(0.055 < covariance[0, 0] < 0.07)
    True
    """
    rng = np.random.default_rng(seed)
    total = customers.sum()
    drawn = round(total)
    estimates: list[Floats] = []
    reason = ""
    for _ in range(resamples):
        weight = rng.multinomial(drawn, customers / total).astype(float)
        try:
            estimates.append(refit(weight))
        except FitError as error:
            reason = str(error)
    failed = resamples - len(estimates)
    if 2 * failed > resamples:
        raise NotIdentifiedError(
            f"{failed:,} of {resamples:,} resamples could not be fitted, so there is no bootstrap. "
            f"The last reason: {reason}"
        )
    covariance = np.atleast_2d(np.cov(np.array(estimates).T))
    return np.asarray(covariance), Resampling(resamples, failed, seed)


def refuse_kind(kind: str, resamples: int) -> None:
    """Refuse a kind that there is not, and too few resamples."""
    faults = []
    if kind not in get_args(CovarianceKind):
        faults.append(f"A covariance is one of {', '.join(get_args(CovarianceKind))}; got {kind}.")
    if resamples < FEWEST:
        faults.append(f"A bootstrap needs at least {FEWEST} resamples; got {resamples}.")
    if faults:
        raise RequestError.of(faults)


def of_fit(
    fit: Fit[Any], kind: CovarianceKind, *, resamples: int, seed: int
) -> tuple[Floats, Resampling | None]:
    """Covariance of the log-parameters; see :meth:`Fit.with_covariance`."""
    refuse_kind(kind, resamples)
    if kind != "information" and fit.prior:
        raise RequestError(
            f"The {kind} says how estimates vary from sample to sample, which is not how uncertain "
            "the parameters are where a prior holds them. Fit without the prior, or take the "
            "covariance from the information, or the posterior."
        )
    model = type(fit.model)
    log_theta = np.log(list(fit.parameters.values()))
    if kind == "bootstrap":
        customers, with_weight = _weighing(model.name, fit.histories)

        def refit(weight: Floats) -> Floats:
            again = maximise(model, with_weight(weight), start=log_theta)
            return np.log(list(again.parameters.values()))

        return bootstrap(refit, customers, resamples=resamples, seed=seed)
    information = maximise(model, fit.histories, prior=fit.prior, start=log_theta).log_covariance
    if kind == "information":
        return information, None
    from clv.models.scores import scores

    return sandwich(information, *scores(model, np.exp(log_theta), fit.histories)), None


def _weighing(model: str, data: Any) -> tuple[Floats, Callable[[Floats], Any]]:
    """Give the customers of each pattern that `model` learns from, and how to weigh them anew."""
    if isinstance(data, SurvivalCounts):
        ages = len(data.left)
        return (
            np.concatenate([data.left, data.stayed]),
            lambda n: SurvivalCounts(n[:ages], n[ages:]),
        )
    histories: Histories = data
    spend = histories.spend
    if model == "gamma-gamma" and spend is not None:
        return spend.weight, lambda n: replace(
            histories,
            spend=SpendPatterns(spend.frequency[n > 0], spend.mean_value[n > 0], n[n > 0]),
        )
    h = histories
    return h.weight, lambda n: Histories(
        h.frequency[n > 0], h.recency[n > 0], h.T[n > 0], n[n > 0], unit=h.unit
    )
