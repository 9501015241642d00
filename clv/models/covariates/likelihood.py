"""The likelihood of a covariate model on distinct (history, covariates) patterns.

A pattern's log-likelihood depends on the coefficients through ln θ_j = D_jᵀβ alone, one row of D_j
for each of the model's parameters, so that gradient and Hessian are exact by the chain rule:

    ∂/∂β_j = Σ n ℓ_j D_j,    ∂²/∂β_j∂β_k = Σ n ℓ_jk D_j D_kᵀ,

with ℓ_j, ℓ_jk the derivatives of a pattern's log-likelihood in its log-parameters. Numeric columns
are searched in standard deviations and reported in their own units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from clv.arrays import Floats
from clv.errors import FitError, NotIdentifiedError
from clv.models.base import Derivatives, PurchaseModel
from clv.models.covariates.model import PARTS, Effect
from clv.models.newton import Optimum, flat, maximum

if TYPE_CHECKING:
    from clv.models.beta_geometric import BetaGeometric
    from clv.models.pareto_nbd import ParetoNBD

__all__ = ["Objective", "Patterns"]


FARTHEST = 40.0
"""No pattern's log-parameter is sought beyond e^±40."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """Distinct (history, covariates), how many customers share each, and the columns' values."""

    x: Floats
    t_x: Floats
    T: Floats
    n: Floats
    values: dict[str, Floats]

    def weighed(self, n: Floats) -> Patterns:
        """Return the patterns with other numbers of customers, those of none left out."""
        some = n > 0
        return Patterns(
            self.x[some],
            self.t_x[some],
            self.T[some],
            n[some],
            {name: values[some] for name, values in self.values.items()},
        )


class Objective:
    """Log-likelihood in β = (logarithms of the base parameters, scaled coefficients)."""

    def __init__(
        self, model: type[PurchaseModel], patterns: Patterns, effects: Sequence[Effect]
    ) -> None:
        self.model, self.patterns = model, patterns
        self.customers = float(patterns.n.sum())
        parameters = model.parameter_names()
        names = [f"ln {p}" for p in parameters]
        scale = [1.0] * len(parameters)
        # For each parameter the places in β that act on it, and its rows D_j.
        self.places = [[j] for j in range(len(parameters))]
        blocks: list[list[Floats]] = [[] for _ in parameters]
        for effect in effects:
            parameter, sign = PARTS[model.name][effect.part]
            j, column = parameters.index(parameter), effect.column
            blocks[j].append(sign * column.coded(patterns.values[column.name]) / column.scale)
            for level in column.levels:
                self.places[j].append(len(names))
                scale.append(column.scale)
                which = column.name if level is None else f"{column.name} = {level}"
                names.append(f"{effect.part}: {which}")
        one = np.ones((len(patterns.x), 1))
        self.rows = [np.concatenate([one, *block], axis=1) for block in blocks]
        self.names, self.scale = tuple(names), np.array(scale)

    def scaled(self, base: PurchaseModel, effects: Sequence[Effect]) -> Floats:
        """β of given parameters and coefficients."""
        logs = [math.log(v) for v in base.parameters.values()]
        beta = np.array([*logs, *(c for e in effects for c in e.coefficients)])
        return np.asarray(beta * self.scale)

    def _logs(self, beta: Floats) -> list[Any]:
        """ln θ_j of each pattern; one number where no covariate acts on it."""
        return [
            beta[place[0]] if len(place) == 1 else np.einsum("ij,j->i", rows, beta[place])
            for place, rows in zip(self.places, self.rows, strict=True)
        ]

    def __call__(self, beta: Floats) -> Derivatives:
        """Log-likelihood of all customers with derivatives in β."""
        p = self.patterns
        theta = [np.exp(log) for log in self._logs(beta)]
        model = cast("type[BetaGeometric | ParetoNBD]", self.model)
        value, g, h = model.per_history(theta, p.x, p.t_x, p.T)
        gradient, hessian = np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
        for j, (here, rows) in enumerate(zip(self.places, self.rows, strict=True)):
            slope = theta[j] * g[j]
            gradient[here] = np.einsum("i,ij->j", p.n * slope, rows)
            for k in range(j, len(self.places)):
                bend = p.n * (theta[j] * theta[k] * h[j, k] + (slope if j == k else 0))
                block = np.einsum("ij,ik->jk", bend[:, None] * rows, self.rows[k])
                hessian[np.ix_(here, self.places[k])] = block
                hessian[np.ix_(self.places[k], here)] = block.T
        return Derivatives(float(np.einsum("i,i->", p.n, value)), gradient, hessian)

    def scores(self, beta: Floats) -> Floats:
        """∂ℓ/∂β of each pattern, shape (n, k): ℓ_j D_j at the places that act on θ_j."""
        p = self.patterns
        theta = [np.exp(log) for log in self._logs(beta)]
        model = cast("type[BetaGeometric | ParetoNBD]", self.model)
        _, g, _ = model.per_history(theta, p.x, p.t_x, p.T)
        scores = np.empty((len(p.x), len(beta)))
        for j, (here, rows) in enumerate(zip(self.places, self.rows, strict=True)):
            scores[:, here] = (theta[j] * g[j])[:, None] * rows
        return scores

    def search(self, start: Floats) -> Optimum:
        """Climb from `start`, as long as no pattern's parameters run away."""
        return maximum(
            self,
            start,
            customers=self.customers,
            inside=lambda beta: max(np.abs(v).max() for v in self._logs(beta)) <= FARTHEST,
        )

    def optimum(self, start: Floats) -> Optimum:
        """Climb from `start`, and refuse what is no optimum."""
        found = self.search(start)
        involved = flat(-found.derivatives.hessian)
        if involved.any():
            which = ", ".join(repr(n) for n, i in zip(self.names, involved, strict=True) if i)
            raise NotIdentifiedError(
                f"The data cannot tell {which} of {self.model.label} with covariates: the "
                f"log-likelihood of {len(self.patterns.x):,} distinct histories is flat there. "
                "Leave the column out, put levels together, or use more customers."
            )
        if found.stopped:
            raise FitError(
                f"The {self.model.label} fit with covariates stopped before an optimum: the "
                f"log-likelihood still rises by {found.slope:.1e} per customer after "
                f"{found.passes} steps. Is a numeric column very skew? Its logarithm may do better."
            )
        return found

    def in_own_units(self, covariance: Floats) -> Floats:
        """Covariance of coefficients searched in standard deviations, in the columns' own units."""
        own = covariance / np.outer(self.scale, self.scale)
        return np.asarray((own + own.T) / 2)
