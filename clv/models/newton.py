"""Newton's method in a trust region, on log-likelihoods that are smooth and come with a Hessian.

Every likelihood of the package is maximised here: of a model, of a model with covariates, of a
model with seasons. A trust region (SciPy's exact one) makes Newton's steps safe from a poor start.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from clv.arrays import Floats
from clv.models.base import Derivatives

__all__ = ["LOOSEST", "STOPPED", "Optimum", "flat", "maximum"]


STOPPED = 1e-6
"""Slope per customer and log-parameter above which a search is said to have stopped too early."""

LOOSEST = 5.0
"""Standard error of a log-parameter (in any direction) above which nothing was learned of it."""


class Optimum(NamedTuple):
    """Where a search ended.

    Attributes
    ----------
    at : ndarray, shape (k,)
        The point.
    derivatives : Derivatives
        Value, gradient and Hessian there.
    slope : float
        Largest entry of the gradient, per customer.
    passes : int
        How often the derivatives were computed.
    """

    at: Floats
    derivatives: Derivatives
    slope: float
    passes: int

    @property
    def stopped(self) -> bool:
        """Whether the search stopped before an optimum."""
        return not self.slope <= STOPPED


def maximum(
    derivatives: Callable[[Floats], Derivatives],
    start: Floats,
    *,
    customers: float,
    inside: Callable[[Floats], bool],
    slope: float = 1e-10,
) -> Optimum:
    """Climb from `start` to where the gradient vanishes.

    Parameters
    ----------
    derivatives : callable
        Value, gradient and Hessian at a point, shape (k,); each point is asked for once.
    start : ndarray, shape (k,)
        Where to begin.
    customers : float
        What the value is divided by, so that `slope` means the same for few and for many.
    inside : callable
        Whether a point may be looked at; beyond, the value counts as −∞.
    slope : float
        Norm of the gradient, per customer, at which the search ends.

    Returns
    -------
    Optimum
        Whether it is one is for the caller to see: `stopped`, and :func:`flat`.

    Examples
    --------
    >>> def bell(v):
    ...     return Derivatives(-float(v @ v) / 2, -v, -np.eye(2))
    >>> found = maximum(bell, np.array([3.0, -1.0]), customers=1, inside=lambda v: True)
    >>> found.at.round(9) + 0, found.stopped
    (array([0., 0.]), False)
    """
    passes = 0
    last: tuple[bytes, Derivatives] | None = None

    def at(point: Floats) -> Derivatives:
        nonlocal passes, last
        key = point.tobytes()
        if last is None or last[0] != key:
            passes += 1
            last = key, derivatives(point)
        return last[1]

    def loss(point: Floats) -> float:
        return -at(point).value / customers if inside(point) else math.inf

    def loss_gradient(point: Floats) -> Floats:
        return np.asarray(-at(point).gradient / customers)

    def loss_hessian(point: Floats) -> Floats:
        return np.asarray(-at(point).hessian / customers)

    result = minimize(
        loss,
        start,
        jac=loss_gradient,
        hess=loss_hessian,
        method="trust-exact",
        options={"gtol": slope, "maxiter": 200, "max_trust_radius": 4.0},
    )
    point = np.asarray(result.x, dtype=float)
    found = at(point)
    return Optimum(point, found, float(np.abs(found.gradient).max()) / customers, passes)


def flat(precision: Floats) -> npt.NDArray[np.bool_]:
    """Which log-parameters take part in a direction of which nothing was learned.

    Parameters
    ----------
    precision : ndarray, shape (k, k)
        The negative Hessian at an optimum.

    Returns
    -------
    ndarray of bool, shape (k,)

    Examples
    --------
    >>> flat(np.diag([4.0, 1e-3]))
    array([False,  True])
    """
    values, directions = np.linalg.eigh(precision)
    parts = np.abs(directions[:, values < LOOSEST**-2])
    largest = parts.max(axis=0, initial=0)  # of many parameters even that may be small
    return np.asarray((parts > np.minimum(0.3, 0.99 * largest)).any(axis=1))
