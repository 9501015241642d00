"""Answers for customers who each have parameters of their own.

A model answers for many histories at once, but with one set of parameters. Where few sets occur,
each is asked once. Where a numeric column gives every customer a set of its own, the answer is a
smooth function of the logarithms of the parameters that vary, and is interpolated: with Chebyshev
points z_k in ln θ and the Lagrange polynomials L_k on them,

    f(θ_i; history_i) ≈ Σ_k L_k(ln θ_i) f(exp z_k; history_i),

so that the model is asked as often as there are points, whatever the number of customers. The
singularities of the answers lie at θ < 0, that is at ln θ + iπ, so the error falls by a constant
factor with each point; it is measured against direct answers, and points are added until it is
small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from numpy.polynomial import chebyshev

from clv.arrays import Floats, Rows, sort_rows
from clv.models.base import PurchaseModel

__all__ = ["answer_all", "each_distinct"]

Answer = Callable[[PurchaseModel, Rows], Floats]

TOLERANCE = 1e-10
"""Largest error of an interpolated answer at the customers checked, relative to 1 or more."""

CHECKED = 24
"""Customers, spread over the parameters, at whom interpolation is compared with direct answers."""

FIRST_POINTS = 12
CHUNK = 100_000
"""Customers answered at once."""


def answer_all(model: type[PurchaseModel], theta: Floats, answer: Answer) -> Floats:
    """Answer for every customer.

    Parameters
    ----------
    model : type
        Kind of model.
    theta : ndarray, shape (n, k)
        Parameters of each customer.
    answer : callable
        Takes a model and the rows of the customers who are to be answered with it.

    Returns
    -------
    ndarray, shape (n,)
    """
    groups = list(each_distinct(theta))
    found = np.empty(len(theta))
    varying = np.flatnonzero((theta != theta[:1]).any(axis=0))
    points = FIRST_POINTS
    while len(varying) and points ** len(varying) < len(groups):
        checked = groups[:: -(-len(groups) // CHECKED)]
        rows = np.array([i[0] for i in checked])
        exact = np.array([answer(model.from_vector(theta[i]), np.array([i]))[0] for i in rows])
        near = _interpolated(model, theta, varying, points, answer, rows)
        if (np.abs(near - exact) <= TOLERANCE * np.maximum(1, np.abs(exact))).all():
            for start in range(0, len(theta), CHUNK):
                some = np.arange(start, min(start + CHUNK, len(theta)))
                found[some] = _interpolated(model, theta, varying, points, answer, some)
            return found
        points *= 2
    for i in groups:
        found[i] = answer(model.from_vector(theta[i[0]]), i)
    return found


def each_distinct(theta: Floats) -> Iterator[Rows]:
    """Yield the customers of each distinct set of parameters."""
    if not len(theta):
        return
    varying = [column for column in theta.T if (column != column[0]).any()]
    order, start = sort_rows(varying) if varying else (np.arange(len(theta)), np.zeros(1, np.intp))
    yield from np.split(order, start[1:])


def _interpolated(
    model: type[PurchaseModel],
    theta: Floats,
    varying: Rows,
    points: int,
    answer: Answer,
    rows: Rows,
) -> Floats:
    """Σ_k L_k(ln θ) f(exp z_k), the points a grid over the parameters that vary."""
    nodes = chebyshev.chebpts1(points)
    to_coefficients = np.linalg.inv(chebyshev.chebvander(nodes, points - 1))
    at: list[Floats] = []
    weights: list[Floats] = []
    for j in varying:
        logs = np.log(theta[:, j])
        middle, half = (logs.max() + logs.min()) / 2, (logs.max() - logs.min()) / 2
        at.append(np.exp(middle + half * nodes))
        place = np.clip((logs[rows] - middle) / half, -1, 1)
        weights.append(chebyshev.chebvander(place, points - 1) @ to_coefficients)
    total = np.zeros(len(rows))
    for k in product(range(points), repeat=len(varying)):
        here = theta[0].copy()
        here[varying] = [values[i] for values, i in zip(at, k, strict=True)]
        share = math.prod((w[:, i] for w, i in zip(weights, k, strict=True)), start=np.ones(1))
        total += share * answer(model.from_vector(here), rows)
    return total
