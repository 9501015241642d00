"""How long `clv --help` and `clv recover` take from a cold start, on a book of 100,000 customers.

The customers are drawn from BG/NBD and Gamma-Gamma at the published CDNOW parameters, with first
purchases spread evenly over two years. Each command is a process of its own, as a support lead
starts it; every round is printed, because on a machine that is busy with something else a single
short timing can be several times too long; the processor's time tells the two apart.

Run with ``python -m tests.bench.recover_cold [CUSTOMERS]``.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import clv

DAYS = 730
END = pd.Timestamp("2024-12-31")
ROUNDS = 7
# Fader, Hardie & Lee (2005), table 2, in weeks; and (2005b).
PURCHASES = clv.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
SPEND = clv.GammaGamma(p=6.25, q=3.74, v=15.44)


def draw_orders(customers: int) -> pd.DataFrame:
    """One row an order; a customer's repeat orders lie evenly between the first and the last."""
    rng = np.random.default_rng(20050503)
    T = rng.integers(1, DAYS, size=customers, endpoint=True).astype(float)
    x, t_x = PURCHASES.simulate(T / 7, rng)
    owner = np.repeat(np.arange(customers), x.astype(int) + 1)
    first_row = np.r_[0, np.cumsum(x.astype(int) + 1)[:-1]]
    nth = np.arange(len(owner)) - first_row[owner]
    after = np.where(nth > 0, nth / np.maximum(x[owner], 1), 0.0) * np.ceil(7 * t_x)[owner]
    day = np.minimum(np.round(after), T[owner])
    rate = rng.gamma(SPEND.q, 1 / SPEND.v, size=customers)
    amount = rng.gamma(SPEND.p, 1 / rate[owner])
    return pd.DataFrame(
        {
            "customer_id": [f"{i:07d}" for i in owner],
            "date": END - pd.to_timedelta(T[owner] - day, unit="D"),
            "amount": amount.round(2),
        }
    )


def seconds(*command: str) -> tuple[float, float]:
    """Time of a process on the clock from its start to its end, and of the processor for it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    clock = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print every round and the median of both commands."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    command = shutil.which("clv", path=str(Path(sys.executable).parent))
    if command is None:
        sys.exit("The command clv is not installed beside this Python.")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "book"
        start = time.perf_counter()
        book = clv.build_book(draw_orders(customers), place, end=END.date(), unit="week")
        built = time.perf_counter() - start
        held = sum(file.stat().st_size for file in place.iterdir())
        print(
            f"{book.customers:,} customers, {os.cpu_count()} cores; drawn and built in "
            f"{built:.1f} s, {held / 1e6:.1f} MB"
        )
        who = f"{customers // 2:07d}"
        lines = {
            "clv --help": [command, "--help"],
            "clv recover": [
                command, "recover", str(place), who, "--problem", "defective", "--loss", "30",
            ],
        }  # fmt: skip
        clocks: dict[str, list[tuple[float, float]]] = {name: [] for name in lines}
        for _ in range(ROUNDS):
            for name, line in lines.items():
                clocks[name].append(seconds(*line))
        for name, taken in clocks.items():
            clock, processor = (statistics.median(times) for times in zip(*taken, strict=True))
            rounds = " ".join(f"{one:.2f}" for one, _ in taken)
            print(
                f"{name:>12}: median {clock:.2f} s, the processor at work {processor:.2f} s "
                f"(rounds: {rounds})"
            )


if __name__ == "__main__":
    main()
