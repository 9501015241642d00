"""How long recovery limits take: one customer, a million at once, one offer for a million.

One customer is asked for in a process that is running, with everything that the answer holds: both
forms of goodwill, the range from 399 draws, the words. From a book, the look-up of the customer in
its file comes on top. Every round is printed, because on a machine that is busy with something else
a single short timing can be several times too long.

Run with ``python -m tests.bench.recovery``.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np

import clv
from clv.recommend.group import uniform_offer
from clv.recommend.limits import recovery_limits
from clv.recommend.recovery import recovery_limit

CUSTOMERS = 1_000_000
ROUNDS = 5
CALLS = 200
"""Answers to one customer that make up a round."""


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Time of one call on the clock."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def main() -> None:
    """Print every round and the median of each."""
    rng = np.random.default_rng(20050503)
    policy = clv.Policy()
    V = rng.lognormal(5, 1.2, CUSTOMERS)
    x = rng.poisson(2, CUSTOMERS)
    loss = rng.lognormal(3.5, 0.8, CUSTOMERS)
    hours = rng.exponential(24, CUSTOMERS)
    ids = np.arange(CUSTOMERS)
    with tempfile.TemporaryDirectory() as folder:
        book = clv.build_book(
            clv.datasets.path("cdnow"), f"{folder}/book", end="1997-09-30", unit="week"
        )
        work: dict[str, tuple[Callable[[], object], int]] = {
            "one customer": (
                lambda: recovery_limit(
                    policy, "defective", 40.0, value_if_alive=900.0, frequency=5, hours=28,
                    value_low=700.0, value_high=1200.0, value_share=0.001, days_since_first=400,
                    claims=2,
                ),
                CALLS,
            ),
            "one customer of a book": (lambda: book.recover("0801", "defective", 40.0), CALLS),
            f"{CUSTOMERS:,} limits": (
                lambda: recovery_limits(
                    policy, "defective", loss, value_if_alive=V, frequency=x, hours=hours
                ),
                1,
            ),
            f"one offer for {CUSTOMERS:,}": (
                lambda: uniform_offer(
                    policy, "outage", loss, customer_id=ids, value_if_alive=V, frequency=x,
                    value_low=0.8 * V, value_high=1.2 * V,
                ),
                1,
            ),
        }  # fmt: skip
        print(f"{os.cpu_count()} cores")
        for name, (call, times) in work.items():
            call()
            taken = [seconds(call, times) for _ in range(ROUNDS)]
            rounds = " ".join(f"{one:.4f}" for one in taken)
            print(f"{name:>26}: median {statistics.median(taken):.4f} s (rounds: {rounds})")


if __name__ == "__main__":
    main()
