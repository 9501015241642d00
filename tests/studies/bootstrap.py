"""The covariance of each fit on the CDNOW sample, beside those of two bootstraps.

- Customers drawn anew with replacement (as counts of the distinct histories), the model fitted
  again: the covariance of these estimates takes nothing from the model.
- Customers drawn from the fitted model itself, seen for as long: what the covariance of a fit, the
  inverse of the observed information, should agree with if it is computed rightly.

If it agrees with the second and not with the first, the model does not describe these customers
well enough, and the sandwich H⁻¹ (Σ g gᵀ) H⁻¹ (Huber 1967; White 1982), which does not take the
model to be right, should be near the first.

All of it in the logarithms of the parameters, in which estimates are closest to normal.

    python tests/studies/bootstrap.py --resamples 1000
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

import clv
from clv import BGNBD, MBGNBD, GammaGamma, Histories, ParetoNBD
from clv.errors import ClvError
from clv.history import SpendPatterns
from clv.models.base import Model
from clv.models.maximum_likelihood import Fit

Floats = npt.NDArray[np.float64]

MODELS: tuple[type[Model[Any]], ...] = (BGNBD, MBGNBD, ParetoNBD, GammaGamma)


@dataclass(frozen=True)
class Covariances:
    """Covariances of the log-parameters of one model, shape (k, k) each."""

    names: tuple[str, ...]
    of_fit: Floats
    sandwich: Floats
    of_customers: Floats
    of_model: Floats
    resamples: int
    failed: int

    @property
    def noise(self) -> float:
        """Relative standard error of a bootstrap standard error, were estimates normal."""
        return 1 / math.sqrt(2 * (self.resamples - 1))


def resampled(histories: Histories, rng: np.random.Generator) -> Histories:
    """Draw as many customers with replacement, purchases and spend each from their own."""

    def counts(weight: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        total = weight.sum()
        drawn = rng.multinomial(int(total), weight / total).astype(float)
        return drawn, drawn > 0

    h, spend = histories, histories.spend
    if spend is not None:
        n, some = counts(spend.weight)
        spend = replace(
            spend,
            frequency=spend.frequency[some],
            mean_value=spend.mean_value[some],
            weight=n[some],
        )
    n, some = counts(h.weight)
    return Histories(h.frequency[some], h.recency[some], h.T[some], n[some], spend, h.unit, h.end)


def simulated(fit: Fit[Any], rng: np.random.Generator) -> Histories:
    """Draw as many customers from the fitted model, seen for as long as those it was fitted to."""
    h: Histories = fit.histories
    model = fit.model
    if isinstance(model, GammaGamma) and h.spend is not None:
        x = np.repeat(h.spend.frequency, h.spend.weight.astype(int))
        return replace(h, spend=SpendPatterns(x, model.simulate(x, rng), np.ones(len(x))))
    T = np.repeat(h.T, h.weight.astype(int))
    x, t_x = model.simulate(T, rng)
    return Histories.from_arrays(x, t_x, T, unit=h.unit)


def scores(fit: Fit[Any]) -> tuple[Floats, Floats]:
    """Gradient of each pattern's log-likelihood in the log-parameters, (n, k), and its weight."""
    kind: Any = type(fit.model)
    h = fit.histories
    patterns: tuple[Floats, ...]
    if kind is GammaGamma:
        patterns, weight = (h.spend.frequency, h.spend.mean_value), h.spend.weight
    else:
        patterns, weight = (h.frequency, h.recency, h.T), h.weight
    at = np.log(list(fit.parameters.values()))
    step = 1e-5 * np.eye(len(at))
    columns = [
        (
            kind.from_vector(np.exp(at + d)).log_likelihood(*patterns)
            - kind.from_vector(np.exp(at - d)).log_likelihood(*patterns)
        )
        / 2e-5
        for d in step
    ]
    return np.stack(columns, axis=1), weight


def covariances(
    kind: type[Model[Any]], histories: Histories, resamples: int, seed: int
) -> Covariances:
    """Fit, and fit again to so many resamples."""
    fit = kind.fit(histories)
    g, n = scores(fit)
    middle = (n[:, None] * g).T @ g
    rng = np.random.default_rng(seed)
    found, failed = [], 0
    for from_model in (False, True):
        estimates = []
        for _ in range(resamples):
            try:
                some = simulated(fit, rng) if from_model else resampled(histories, rng)
                again = kind.fit(some)
            except ClvError:
                failed += 1
                continue
            estimates.append(np.log(list(again.parameters.values())))
        found.append(np.cov(np.array(estimates).T))
    return Covariances(
        names=tuple(fit.parameters),
        of_fit=fit.log_covariance,
        sandwich=fit.log_covariance @ middle @ fit.log_covariance,
        of_customers=found[0],
        of_model=found[1],
        resamples=resamples,
        failed=failed,
    )


def deviations(covariance: Floats) -> Floats:
    """Standard deviations."""
    return np.asarray(np.sqrt(np.diag(covariance)))


def correlations(covariance: Floats) -> Floats:
    """Correlations."""
    sd = deviations(covariance)
    return np.asarray(covariance / np.outer(sd, sd))


def table(label: str, c: Covariances) -> str:
    """Standard errors and correlations of the four."""
    four = (c.of_fit, c.of_model, c.sandwich, c.of_customers)
    intro = (
        f"\n{label}: {c.resamples} resamples of each kind, {c.failed} of all without a fit; a "
        f"bootstrap standard error is itself good to {100 * c.noise:.1f} %.\n"
    )
    lines = [
        intro,
        "| of the log-parameters | fit | customers of the model | sandwich | customers of CDNOW |",
        "|---|---|---|---|---|",
    ]
    spreads = np.stack([deviations(v) for v in four], axis=1)
    for name, row in zip(c.names, spreads, strict=True):
        cells = " | ".join(f"{v:.4f}" for v in row)
        lines.append(f"| standard error {name} | {cells} |")
    alike = np.stack([correlations(v) for v in four], axis=2)
    for i, j in combinations(range(len(c.names)), 2):
        cells = " | ".join(f"{v:.3f}" for v in alike[i, j])
        lines.append(f"| correlation {c.names[i]}, {c.names[j]} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Print a table a model."""
    parser = argparse.ArgumentParser(description="Covariances of the CDNOW fits.")
    parser.add_argument("--resamples", type=int, default=1000)
    resamples = parser.parse_args().resamples
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    histories = clv.histories(orders, end="1997-09-30", unit="week")
    for kind in MODELS:
        print(table(kind.label, covariances(kind, histories, resamples, seed=5)), flush=True)


if __name__ == "__main__":
    main()
