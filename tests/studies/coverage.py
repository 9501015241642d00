"""How often intervals hold on simulated customers, whose parameters and futures are known.

Each replication draws customers with their purchase times and values, one by one from the models'
assumptions (not by the package's own `simulate`), fits purchases and spend on what was seen until
T, and asks whether

- the 80 % and 95 % intervals of each parameter hold the value the customers were drawn with, both
  those of the posterior and those of the fit (normal in the logarithm);
- the predictive distribution of each customer's orders holds what the customer then did, ties split
  as in :mod:`clv.evaluate.coverage`, so that a right one holds exactly its level on average;
- the intervals of :func:`clv.predict` hold the orders and the value; being whole numbers, or zero
  for many customers, these may hold more than their level but should not hold less.

A share over R replications has a standard error; it is printed beside each share.

    python tests/studies/coverage.py --model bg-nbd --replications 400

Importance sampling may refuse a posterior (Pareto's k̂ above 0.7) and leave it to a Markov chain of
minutes. The study does not wait for it: such replications are counted, and their posterior and
predictions left out.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import clv
from clv import BGNBD, MBGNBD, GammaGamma, ParetoNBD
from clv.errors import FitError
from clv.evaluate.coverage import covered_share
from clv.inference.posterior import Posterior
from clv.models.base import PurchaseModel

Floats = npt.NDArray[np.float64]

# The parameters published for the CDNOW sample: Fader, Hardie & Lee (2005) for BG/NBD and
# Pareto/NBD, Batislam, Denizel & Filiztekin (2007) for MBG/NBD, Fader & Hardie (2013) for spend.
TRUE: dict[str, PurchaseModel] = {
    "bg-nbd": BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
    "mbg-nbd": MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614),
    "pareto-nbd": ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669),
}
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)

LEVELS = (0.8, 0.95)
SHORTEST, LONGEST, AHEAD = 52, 104, 39.0
"""Weeks that customers were seen for, from and to, and weeks ahead that are predicted."""
DRAWS = 1000
"""Of each posterior."""
ASKED, MIXED = 300, 40
"""Customers predicted in each replication, and models their distribution is the average of."""


@dataclass(frozen=True)
class Customers:
    """What was seen of each customer until T, and what the customer did then."""

    x: Floats
    t_x: Floats
    T: Floats
    mean_value: Floats
    orders: Floats
    value: Floats


def draw(model: PurchaseModel, count: int, rng: np.random.Generator) -> Customers:
    """Draw customers, their purchase times until T + AHEAD, and what each purchase is worth."""
    T = rng.integers(SHORTEST * 7, LONGEST * 7 + 1, count) / 7
    of = model.parameters
    rate = rng.gamma(of["r"], 1 / of["alpha"], count)
    bought = rng.poisson(rate * (T + AHEAD))
    owner = np.repeat(np.arange(count), bought)
    at = rng.random(len(owner)) * (T + AHEAD)[owner]
    order = np.lexsort((at, owner))
    owner, at = owner[order], at[order]
    if isinstance(model, ParetoNBD):
        lifetime = rng.exponential(size=count) / rng.gamma(of["s"], 1 / of["beta"], count)
        stays = at <= lifetime[owner]
    else:
        p = np.maximum(rng.beta(of["a"], of["b"], count), 1e-12)
        nth = np.arange(len(owner)) - np.repeat(np.cumsum(bought) - bought, bought) + 1
        first = 1 if isinstance(model, MBGNBD) else 0  # MBG/NBD: may leave after the first purchase
        stays = nth + first <= rng.geometric(p)[owner]
    seen, later = stays & (at <= T[owner]), stays & (at > T[owner])
    t_x = np.zeros(count)
    np.maximum.at(t_x, owner[seen], at[seen])
    x, orders = (np.bincount(owner[some], minlength=count).astype(float) for some in (seen, later))
    nu = rng.gamma(SPEND.q, 1 / SPEND.v, count)
    spent, value = (rng.gamma(SPEND.p * n) / nu for n in (x, orders))
    mean_value = np.divide(spent, x, out=np.zeros(count), where=x > 0)
    return Customers(x, t_x, T, mean_value, orders, value)


class Tally:
    """What was asked and what held, by what it is of; one pair of counts a replication."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, float], list[tuple[float, int]]] = defaultdict(list)

    def add(self, what: str, level: float, held: npt.ArrayLike) -> None:
        """Note one replication: for each customer asked, how much of the outcome was held."""
        each = np.atleast_1d(np.asarray(held, dtype=float))
        self.counts[what, level].append((float(each.sum()), len(each)))

    def lines(self) -> list[str]:
        """One a quantity: at each level the share that held, and its standard error."""
        lines = []
        for what in dict.fromkeys(name for name, _ in self.counts):
            cells = []
            for level in LEVELS:
                held, asked = np.array(self.counts[what, level]).T
                share = held.sum() / asked.sum()
                # Customers of one replication share a fit; replications are independent.
                error = math.sqrt(((held - share * asked) ** 2).sum()) / asked.sum()
                cells.append(f"{100 * share:.1f} ({100 * error:.1f})")
            lines.append(f"| {what} | {' | '.join(cells)} | {len(held)} |")
        return lines


def check_parameters(
    tally: Tally, label: str, found: Any, truth: dict[str, float], level: float
) -> None:
    """Note for each parameter whether the interval holds the truth."""
    for name, (low, high) in found.interval(level).items():
        tally.add(f"{label} {name}", level, low <= truth[name] <= high)


def check_predictions(
    tally: Tally, post: Posterior[Any], spend: Posterior[GammaGamma], c: Customers, seed: int
) -> None:
    """Note how many of the customers did what was predicted."""
    some = slice(ASKED)
    x, t_x, T, y = c.x[some], c.t_x[some], c.T[some], c.orders[some]
    below, at = np.zeros_like(y), np.zeros_like(y)
    for model in post.models(MIXED, np.random.default_rng(seed)):
        at += model.pmf(y, AHEAD, x, t_x, T) / MIXED
        for n in range(int(y.max())):
            more = y > n
            below[more] += model.pmf(n, AHEAD, x[more], t_x[more], T[more]) / MIXED
    for level in LEVELS:
        tally.add("orders, ties split", level, covered_share(below, below + at, level))
        said = clv.predict(
            post,
            AHEAD,
            x,
            t_x,
            T,
            spend=spend,
            spend_frequency=x,
            monetary_value=c.mean_value[some],
            level=level,
            seed=seed,
        )
        held = (said.orders.low <= y) & (y <= said.orders.high)
        tally.add("orders, `predict`", level, held)
        value = c.value[some]
        if said.value is None:
            message = "a prediction with spend has a value"
            raise TypeError(message)
        held = (said.value.low <= value) & (value <= said.value.high)
        tally.add("value, `predict`", level, held)
        tally.add("value, of near certain buyers", level, held[said.orders.low > 0])


def study(name: str, replications: int, customers: int, seconds: float) -> None:
    """Replicate, and print a table."""
    true, tally, refused, done = TRUE[name], Tally(), 0, 0
    began = time.monotonic()
    for seed in range(replications):
        if time.monotonic() - began > seconds:
            break
        c = draw(true, customers, np.random.default_rng([len(name), seed]))
        histories = clv.Histories.from_arrays(c.x, c.t_x, c.T, c.mean_value, unit="week")
        fit, spend_fit = type(true).fit(histories), GammaGamma.fit(histories)
        done += 1
        for level in LEVELS:
            check_parameters(tally, "fit:", fit, true.parameters, level)
        try:
            post = clv.posterior(fit, draws=DRAWS, seed=seed)
            spend = clv.posterior(spend_fit, draws=DRAWS, seed=seed)
        except FitError:
            refused += 1
            continue
        for level in LEVELS:
            check_parameters(tally, "posterior:", post, true.parameters, level)
            check_parameters(tally, "spend posterior:", spend, SPEND.parameters, level)
        check_predictions(tally, post, spend, c, seed)
    print(
        f"\n{true.label}: {done} replications of {customers:,} customers seen for {SHORTEST} to "
        f"{LONGEST} weeks, {AHEAD:.0f} ahead; {refused} posteriors left to a Markov chain."
    )
    print("\n| share that held, % (standard error) | 80 % | 95 % | replications |")
    print("|---|---|---|---|")
    print("\n".join(tally.lines()), flush=True)


def main() -> None:
    """Run the study of one model, or of all."""
    parser = argparse.ArgumentParser(description="How often intervals hold on simulated customers.")
    parser.add_argument("--model", choices=[*TRUE, "all"], default="all")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop each model after")
    asked = parser.parse_args()
    sys.modules["emcee"] = None  # type: ignore[assignment]  # see above: no Markov chains here
    for name in TRUE if asked.model == "all" else [asked.model]:
        study(name, asked.replications, asked.customers, asked.seconds)


if __name__ == "__main__":
    main()
