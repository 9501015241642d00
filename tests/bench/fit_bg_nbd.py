"""How long BG/NBD takes to fit one million customers, beside `lifetimes` on the same arrays.

Customers are drawn from the model at the published CDNOW parameters, with first purchases spread
evenly over two years and times in whole days, as a shop's orders have them. Both fits run in this
process; our time includes finding the distinct histories. `lifetimes` is called as its
documentation shows, with its defaults (one row a customer, BFGS on automatic gradients). Rounding
to days moves both estimates a little away from the parameters drawn with, and by the same.

Run with ``python tests/bench/fit_bg_nbd.py [CUSTOMERS]``.
"""

from __future__ import annotations

import os
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

    # The first call of any function of scipy pays for loading it; neither side should.
    some = slice(0, 2_000)
    clv.BGNBD.fit(clv.Histories.from_arrays(x[some], t_x[some], T[some], unit="week"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifetimes' own, on invalid steps of its search
        BetaGeoFitter().fit(x[some], t_x[some], T[some])
        theirs, peer = timed(lambda: BetaGeoFitter().fit(x, t_x, T))
    ours, fit = timed(lambda: clv.BGNBD.fit(clv.Histories.from_arrays(x, t_x, T, unit="week")))

    print(f"{customers:,} customers, {fit.patterns:,} distinct histories, {os.cpu_count()} cores")
    print(f"{'':>10} {'seconds':>8} " + " ".join(f"{name:>8}" for name in TRUTH.parameters))
    for name, seconds, parameters in (
        ("drawn with", None, TRUTH.parameters),
        ("clv", ours, fit.parameters),
        ("lifetimes", theirs, dict(peer.params_)),
    ):
        clock = "" if seconds is None else f"{seconds:.2f}"
        values = " ".join(f"{parameters[key]:8.4f}" for key in TRUTH.parameters)
        print(f"{name:>10} {clock:>8} {values}")
    print(f"clv is {theirs / ours:.1f} times as fast as lifetimes")


if __name__ == "__main__":
    main()
