"""How the posterior fares with few customers, and how wide the weak prior ought to be.

Shops are drawn with the parameters published for CDNOW, each customer seen for 27 to 39 weeks as
there, and fitted under the weak prior (which is what :func:`clv.posterior` completes any fit with).
Counted is whether the importance weights were good at once (k̂ up to 0.5), could be trusted after
the proposal was adapted, a Markov chain was needed, or nothing helped; and how many shops maximum
likelihood alone refuses. The second table varies the prior's sigma: how often 80 % intervals of the
four parameters hold the truth, and what the prior does to the posterior of CDNOW, with its 2,357
customers.

    python tests/studies/small_shops.py
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

import clv
from clv.errors import FitError
from clv.models.base import PurchaseModel

TRUE: tuple[PurchaseModel, ...] = (
    clv.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),  # Fader, Hardie & Lee (2005)
    clv.MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614),  # Batislam, Denizel & Filiztekin (2007)
)
SIZES = (100, 300, 800)
SIGMAS = (1.5, 2.0, 3.0)


def shop(model: PurchaseModel, customers: int, seed: int) -> clv.Histories:
    """Draw a shop's customers, observed as CDNOW's were."""
    rng = np.random.default_rng([customers, seed])
    T = rng.integers(27 * 7, 39 * 7, customers, endpoint=True) / 7
    return clv.Histories.from_arrays(*model.simulate(T, rng), T, unit="week")


def with_sigma(kind: type[Any], h: clv.Histories, sigma: float) -> dict[str, clv.LogNormal]:
    """Take the weak prior's medians, and another spread."""
    return {name: clv.LogNormal(p.median, sigma) for name, p in kind.weak_prior(h).items()}


def run(truth: PurchaseModel, customers: int, shops: int, sigma: float) -> Mapping[str, float]:
    """Fit shops and count what became of their posteriors."""
    kind, count = type(truth), Counter[str]()
    sizes, held = [], []
    started = time.process_time()
    for seed in range(shops):
        h = shop(truth, customers, seed)
        try:
            post = clv.posterior(kind.fit(h, prior=with_sigma(kind, h, sigma)))
        except FitError as refusal:
            print(refusal)
            count["refused"] += 1
            continue
        chain = post.method == "mcmc"
        count["chain" if chain else "adapted" if post.attempts else "at once"] += 1
        sizes.append(post.effective_size)
        intervals = post.interval(0.8)
        held += [low <= truth.parameters[n] <= high for n, (low, high) in intervals.items()]
    seconds = (time.process_time() - started) / shops
    return {
        **{way: 100 * count[way] / shops for way in ("at once", "adapted", "chain", "refused")},
        "size": float(np.median(sizes)),
        "seconds": seconds,
        "held": 100 * float(np.mean(held)),
    }


def not_identified(truth: PurchaseModel, customers: int, shops: int) -> float:
    """Count the shops, in %, that maximum likelihood alone refuses."""
    refused = 0
    for seed in range(shops):
        try:
            type(truth).fit(shop(truth, customers, seed))
        except FitError:
            refused += 1
    return 100 * refused / shops


def main() -> None:
    """Print both tables, as the documentation has them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shops", type=int, default=200)
    shops = parser.parse_args().shops
    run(TRUE[0], 100, 1, 2.0)  # loads ArviZ
    print("| model | customers | no maximum likelihood, % | good at once, % | adapted, % "
          "| Markov chain, % | refused, % | median effective size | seconds each |\n"
          "|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for truth in TRUE:
        for customers in SIZES:
            found = run(truth, customers, shops, 2.0)
            alone = not_identified(truth, customers, shops)
            ways = " | ".join(f"{found[w]:.1f}" for w in ("at once", "adapted", "chain", "refused"))
            print(f"| {truth.label} | {customers} | {alone:.1f} | {ways} | {found['size']:,.0f} "
                  f"| {found['seconds']:.2f} |", flush=True)  # fmt: skip
    print("\n| model | sigma | good at once, % | with adapting, % | 80 % intervals that hold, % "
          "| mean of ln a on CDNOW, in standard deviations from sigma 10 |\n"
          "|---|---|---|---|---|---|")  # fmt: skip
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    cdnow = clv.histories(orders, end="1997-09-30", unit="week")
    for truth in TRUE:
        kind = type(truth)
        free = _ln_a(kind, cdnow, 10.0)
        for sigma in SIGMAS:
            found = run(truth, 300, shops, sigma)
            shift = (_ln_a(kind, cdnow, sigma)[0] - free[0]) / free[1]
            print(f"| {truth.label} | {sigma:g} | {found['at once']:.1f} "
                  f"| {found['at once'] + found['adapted']:.1f} | {found['held']:.1f} "
                  f"| {shift:+.2f} |", flush=True)  # fmt: skip


def _ln_a(kind: type[Any], h: clv.Histories, sigma: float) -> tuple[float, float]:
    """Posterior mean and standard deviation of ln a."""
    post = clv.posterior(kind.fit(h, prior=with_sigma(kind, h, sigma)))
    log_a = np.log(post.draws[:, list(post.fit.parameters).index("a")])
    mean = float(post.weights @ log_a)
    return mean, math.sqrt(float(post.weights @ (log_a - mean) ** 2))


if __name__ == "__main__":
    main()
