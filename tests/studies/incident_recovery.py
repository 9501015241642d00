"""How often the intervals of a model of incidents hold the truth of simulated shops.

Each replication draws the effects θ from the prior that the fit then uses, so that a right Bayesian
interval holds the truth exactly as often as its level says, on average over shops; priors shrink,
and with effects held fixed far from the prior's mean no interval that uses the prior could. r, α,
a, b are the same in all shops, with a prior too weak to matter.

Customers and their incidents come from tests/reference/incident_shop.py, one event after the other,
not from the package's own `simulate`. Goodwill follows the customer's history, and a step more is
drawn by chance at every third incident, so that its effect is told by both, and the reasons for it
say nothing of the customer: the truth of "goodwill_selection" is 0 in all shops.

Ignoring incidents, BG/NBD is fitted to the same purchases: how far are its r, α, a, b from the
truth, in standard errors?

    python -m tests.studies.incident_recovery --replications 200

With `--contact` that share of the incidents is seen only where the customer reports it. The
likelihood takes the times of incidents as given, and silence of those who would have complained is
not evidence to it, so this tells what that costs.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import Any

import numpy as np

from clv.models.incidents.fit import IncidentFit
from clv.models.incidents.model import IncidentBGNBD
from tests.reference.incident_shop import Case, Shop, open_shop

BASE = {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 4.0}
"""Assumed, the unit of time a week: 0.1 purchases a week, a sixth leave after each."""

# The policy's prior (recommender.md); of handling assumed.
PRIOR = {
    "type:late": (math.log(0.08 / 0.92), 0.7),
    "type:defective": (math.log(0.15 / 0.85), 0.7),
    "severity": (0.5, 0.25),
    "earlier_purchases": (-0.35, 0.2),
    "earlier_incident": (0.8, 0.4),
    "goodwill": (-0.5, 0.5),
    "lateness": (0.6, 0.5),
    "unresolved": (0.7, 0.5),
}
LEVELS = (0.8, 0.95)
CHANCE, STEP = 0.3, 0.5


def goodwill(rng: np.random.Generator, case: Case) -> tuple[float, float, float]:
    """A fifth of the loss for each earlier purchase, at most all; by chance half the loss more."""
    base = min(1.0, 0.2 * case.earlier_purchases)
    drawn = rng.random() < CHANCE
    mean = CHANCE * math.log(1 + base + STEP) + (1 - CHANCE) * math.log(1 + base)
    return base + STEP * drawn, CHANCE if drawn else 1 - CHANCE, mean


def replication(
    seed: int, customers: int, *, shared: bool, contact: float
) -> tuple[IncidentFit, dict[str, float], float]:
    """One shop: its fit, the truth, and the seconds that the fit took."""
    rng = np.random.default_rng([seed, shared])
    prior: dict[str, tuple[float, float]] = PRIOR
    link: Any = "shared" if shared else "separate"
    theta = {name: float(rng.normal(mean, sd)) for name, (mean, sd) in _on_link(shared).items()}
    shop = Shop(
        BASE["r"], BASE["alpha"], BASE["a"], BASE["b"], theta, shared=shared, per_purchase=0.085,
        contact=contact, goodwill=goodwill,
    )  # fmt: skip
    went = open_shop(shop, rng.uniform(40, 120, customers), seed)
    began = time.perf_counter()
    fit = IncidentBGNBD.fit(went.histories, prior, link=link)
    return (
        fit,
        BASE | theta | {"goodwill_selection": 0.0},
        time.perf_counter() - began,
    )


def _on_link(shared: bool) -> dict[str, tuple[float, float]]:
    """The prior as the fit will use it, but for the sampling error of a and b."""
    if not shared:
        return PRIOR
    from clv.models.bg_nbd import BGNBD
    from clv.models.incidents.priors import on_exponents

    return on_exponents(PRIOR, BGNBD(BASE["r"], BASE["alpha"], BASE["a"], BASE["b"]))


def study(replications: int, customers: int, first: int, *, shared: bool, contact: float) -> None:
    """Replicate, and print a table."""
    held: dict[str, list[list[bool]]] = {}
    away: dict[str, list[float]] = {}
    ignoring: dict[str, list[float]] = {name: [] for name in BASE}
    incidents, seconds = [], []
    for seed in range(first, first + replications):
        fit, truth, took = replication(seed, customers, shared=shared, contact=contact)
        incidents.append(fit.incidents)
        seconds.append(took)
        intervals = [fit.interval(level) for level in LEVELS]
        for name, value in fit.parameters.items():
            inside = [low <= truth[name] <= high for low, high in (i[name] for i in intervals)]
            held.setdefault(name, []).append(inside)
            error = fit.standard_errors[name]
            off = math.log(value / truth[name]) * value if name in BASE else value - truth[name]
            away.setdefault(name, []).append(off / error)
        for k, (name, value) in enumerate(fit.plain.parameters.items()):
            error = math.sqrt(fit.plain.log_covariance[k, k])
            ignoring[name].append(math.log(value / truth[name]) / error)
    print(
        f"\n{'Shared fragility' if shared else 'Separate'}, {contact:.0%} reported: {replications} "
        f"shops of {customers:,} customers with {np.mean(incidents):,.0f} incidents on average; a "
        f"fit took {np.median(seconds):.2f} s, at most {max(seconds):.2f} s."
    )
    print("\n| share that held, % (standard error) | 80 % | 95 % | mean z | ignoring: mean z |")
    print("|---|---|---|---|---|")
    for name, inside_all in held.items():
        cells = []
        for share in np.mean(inside_all, axis=0):
            error = math.sqrt(share * (1 - share) / len(inside_all))
            cells.append(f"{100 * share:.1f} ({100 * error:.1f})")
        plain = f"{np.mean(ignoring[name]):+.2f}" if name in ignoring else ""
        print(f"| {name} | {' | '.join(cells)} | {np.mean(away[name]):+.2f} | {plain} |")
    effects = np.concatenate([np.array(v) for n, v in held.items() if n not in BASE])
    print(f"| all effects | {' | '.join(f'{100 * s:.1f}' for s in effects.mean(axis=0))} | | |")


def main() -> None:
    """Run the study with one link or both."""
    parser = argparse.ArgumentParser(description="Coverage of a model of incidents.")
    parser.add_argument("--link", choices=["separate", "shared", "both"], default="both")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--contact", type=float, default=0.0)
    parser.add_argument("--first", type=int, default=0, help="seed of the first replication")
    asked = parser.parse_args()
    for link in ("separate", "shared") if asked.link == "both" else (asked.link,):
        study(
            asked.replications, asked.customers, asked.first, shared=link == "shared",
            contact=asked.contact,
        )  # fmt: skip


if __name__ == "__main__":
    main()
