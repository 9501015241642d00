"""How long BG/NBD takes to fit one million customers, beside `lifetimes` on the same arrays.

Customers are drawn from the model at the published CDNOW parameters, with first purchases spread
evenly over two years and times in whole days, as a shop's orders have them. Both fits run in this
process; our time includes finding the distinct histories. `lifetimes` is called as its
documentation shows, with its defaults (one row a customer, BFGS on automatic gradients). Rounding
to days moves both estimates a little away from the parameters drawn with, and by the same.

The two take turns, and every round is printed: on a machine that is busy with something else a
single short timing can be several times too long.

Run with ``python -m tests.bench.fit_bg_nbd [CUSTOMERS]``.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import TypeVar

import numpy as np

import clv
from clv.history import Floats

R = TypeVar("R")

DAYS = 730
ROUNDS = 5
TRUTH = clv.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)  # Fader, Hardie & Lee (2005), weeks


def draw(customers: int) -> tuple[Floats, Floats, Floats]:
    """x, t_x and T in weeks, on whole days; at most one transaction a day."""
    rng = np.random.default_rng(20050503)
    T = rng.integers(1, DAYS, size=customers, endpoint=True).astype(float)
    x, t_x = TRUTH.simulate(T / 7, rng)
    last_day = np.minimum(np.ceil(t_x * 7), T)
    return np.minimum(x, last_day), last_day / 7, T / 7


def timed(work: Callable[[], R]) -> tuple[float, R]:
    """Seconds on the clock, and what came out."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Print both times, their ratio and both parameter sets."""
    from lifetimes import BetaGeoFitter

    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    x, t_x, T = draw(customers)

    def ours() -> clv.Fit[clv.BGNBD]:
        return clv.BGNBD.fit(clv.Histories.from_arrays(x, t_x, T, unit="week"))

    def theirs() -> BetaGeoFitter:
        return BetaGeoFitter().fit(x, t_x, T)

    # The first call of any function of scipy pays for loading it; neither side should.
    some = slice(0, 2_000)
    clv.BGNBD.fit(clv.Histories.from_arrays(x[some], t_x[some], T[some], unit="week"))
    clocks: dict[str, list[float]] = {"clv": [], "lifetimes": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifetimes' own, on invalid steps of its search
        BetaGeoFitter().fit(x[some], t_x[some], T[some])
        for _ in range(ROUNDS):
            seconds, fit = timed(ours)
            clocks["clv"].append(seconds)
            seconds, peer = timed(theirs)
            clocks["lifetimes"].append(seconds)

    print(f"{customers:,} customers, {fit.patterns:,} distinct histories, {os.cpu_count()} cores")
    print(f"{'':>10} {'seconds, each round':>24} " + "".join(f"{k:>9}" for k in TRUTH.parameters))
    rows = {"drawn with": TRUTH.parameters, "clv": fit.parameters, "lifetimes": dict(peer.params_)}
    for name, parameters in rows.items():
        clock = " ".join(f"{seconds:.2f}" for seconds in clocks.get(name, []))
        values = "".join(f"{parameters[key]:9.4f}" for key in TRUTH.parameters)
        print(f"{name:>10} {clock:>24} {values}")
    ratios = sorted(t / o for o, t in zip(clocks["clv"], clocks["lifetimes"], strict=True))
    print(
        f"lifetimes takes {statistics.median(ratios):.1f} times as long as clv "
        f"(median of {ROUNDS} rounds; {ratios[0]:.1f} to {ratios[-1]:.1f})"
    )


if __name__ == "__main__":
    main()
