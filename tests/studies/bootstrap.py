"""The covariances that a fit offers, beside bootstraps made independently of it.

- Customers drawn anew with replacement, as counts of the distinct histories, the model fitted from
  scratch: what a standard error is meant to be. The fit's own bootstrap (another seed, Newton's
  method from the optimum) must agree with it; whether the information and the sandwich do depends
  on the model and the customers.
- Customers drawn from the fitted model itself, seen for as long: what the information agrees with
  if it is computed rightly and the log-likelihood is quadratic as far as the estimates stray.

All of it in the logarithms of the parameters, in which estimates are closest to normal.

    python tests/studies/bootstrap.py --resamples 1000
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

import clv
from clv import BGBB, BGNBD, MBGNBD, GammaGamma, Histories, ParetoNBD, ShiftedBetaGeometric
from clv.datasets import load_donations, load_sbg
from clv.errors import ClvError
from clv.history import SpendPatterns
from clv.models.base import Model
from clv.models.bg_cnbd import BGCNBD
from clv.models.maximum_likelihood import Fit
from clv.models.mbg_cnbd import MBGCNBD
from clv.models.survival_counts import SurvivalCounts

Floats = npt.NDArray[np.float64]

HELD = 0.10
"""Within 10 % counts as agreement."""


@dataclass(frozen=True)
class Subject:
    """A model and the data that it is fitted to."""

    kind: type[Model[Any]]
    data: Any
    of: str


def subjects() -> list[Subject]:
    """Every model, on the data that its paper uses, or CDNOW."""
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    cdnow = clv.histories(orders, end="1997-09-30", unit="week")
    d = load_donations()
    donations = Histories.from_arrays(
        d["frequency"], d["recency"], d["periods"], weights=d["weights"], unit="period"
    )
    sbg = load_sbg()
    cohorts = ((name, sbg[f"{name}_alive"]) for name in ("regular", "highend"))
    regular = (BGCNBD.with_k(2), MBGCNBD.with_k(2))
    return [
        *(Subject(kind, cdnow, "CDNOW") for kind in (BGNBD, MBGNBD, ParetoNBD, *regular)),
        Subject(GammaGamma, cdnow, "CDNOW"),
        Subject(BGBB, donations, "donations"),
        *(
            Subject(ShiftedBetaGeometric, SurvivalCounts.from_survivors(alive), name)
            for name, alive in cohorts
        ),
    ]


def drawn(weight: Floats, rng: np.random.Generator) -> Floats:
    """Draw as many customers with replacement: how many of each pattern."""
    total = weight.sum()
    return rng.multinomial(int(total), weight / total).astype(float)


def resampled(data: Any, rng: np.random.Generator) -> Any:
    """Draw as many customers with replacement, purchases and spend each from their own."""
    if isinstance(data, SurvivalCounts):
        n = drawn(np.concatenate([data.left, data.stayed]), rng)
        return SurvivalCounts(n[: len(data.left)], n[len(data.left) :])
    h, spend = data, data.spend
    if spend is not None:
        n = drawn(spend.weight, rng)
        some = n > 0
        spend = SpendPatterns(spend.frequency[some], spend.mean_value[some], n[some])
    n = drawn(h.weight, rng)
    some = n > 0
    return Histories(h.frequency[some], h.recency[some], h.T[some], n[some], spend, h.unit, h.end)


def simulated(fit: Fit[Any], rng: np.random.Generator) -> Any:
    """Draw as many customers from the fitted model, seen for as long as those it was fitted to."""
    h, model = fit.histories, fit.model
    if isinstance(model, GammaGamma) and h.spend is not None:
        x = np.repeat(h.spend.frequency, h.spend.weight.astype(int))
        return replace(h, spend=SpendPatterns(x, model.simulate(x, rng), np.ones(len(x))))
    if isinstance(model, ShiftedBetaGeometric):
        seen = len(h.left)  # one cohort, won at once
        stays = model.survival(np.arange(seen + 1))
        n = rng.multinomial(h.customers, [*-np.diff(stays), stays[-1]]).astype(float)
        return SurvivalCounts(n[:-1], np.append(np.zeros(seen - 1), n[-1]))
    T = np.repeat(h.T, h.weight.astype(int))
    x, t_x = model.simulate(T, rng)
    return Histories.from_arrays(x, t_x, T, unit=h.unit)


def estimates(
    fit: Fit[Any], resamples: int, rng: np.random.Generator, *, from_model: bool
) -> tuple[Floats, int]:
    """Log-parameters of each resample fitted from scratch, and how many could not be."""
    found, failed = [], 0
    for _ in range(resamples):
        try:
            some = simulated(fit, rng) if from_model else resampled(fit.histories, rng)
            kind: type[Model[Any]] = type(fit.model)
            again: Fit[Any] = kind.fit(some, **({"k": fit.model.k} if hasattr(kind, "k") else {}))
        except ClvError:
            failed += 1
            continue
        found.append(np.log(list(again.parameters.values())))
    return np.array(found), failed


def errors(covariance: Floats) -> Floats:
    """Standard errors of the log-parameters."""
    return np.asarray(np.sqrt(np.diag(covariance)))


def rows(subject: Subject, resamples: int, seed: int) -> tuple[list[str], str]:
    """One row a parameter, and how many resamples failed."""
    fit: Fit[Any] = subject.kind.fit(subject.data)
    rng = np.random.default_rng(seed)
    of_customers, failed = estimates(fit, resamples, rng, from_model=False)
    of_model, failed_of_model = estimates(fit, resamples, rng, from_model=True)
    truth = of_customers.std(axis=0, ddof=1)
    own = fit.with_covariance("bootstrap", resamples=resamples, seed=seed + 1)
    offered = (fit, fit.with_covariance("sandwich"), own)
    table = []
    for i, name in enumerate(fit.parameters):
        ratios = [errors(one.log_covariance)[i] / truth[i] for one in offered]
        told = " | ".join(f"{r:.2f}{'' if abs(r - 1) <= HELD else ' ✗'}" for r in ratios)
        spread = of_model.std(axis=0, ddof=1)[i] / truth[i]
        label = f"{subject.kind.label}, {subject.of}"
        table.append(f"| {label} | {name} | {truth[i]:.4f} | {told} | {spread:.2f} |")
    lost = own.resampling.failed if own.resampling else 0
    who = f"{subject.kind.label}, {subject.of}: "
    return table, f"{who}{failed} of customers, {failed_of_model} of the model, {lost} of the fit's"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Covariances of fits beside bootstraps.")
    parser.add_argument("--resamples", type=int, default=1000)
    resamples = parser.parse_args().resamples
    noise = 1 / math.sqrt(2 * (resamples - 1))
    print(f"A standard error of {resamples:,} resamples is itself good to {100 * noise:.1f} %.\n")
    print(
        "| model, data | ln of | bootstrap | information | sandwich | fit's bootstrap | model's |"
    )
    print("|---|---|---|---|---|---|---|")
    failures = []
    for subject in subjects():
        table, failed = rows(subject, resamples, seed=5)
        failures.append(failed)
        print("\n".join(table), flush=True)
    print("\nResamples that could not be fitted:\n" + "\n".join(failures))


if __name__ == "__main__":
    main()
