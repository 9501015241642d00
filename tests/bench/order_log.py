"""A log of orders as large as asked for, drawn from BG/NBD and Gamma-Gamma: what benches read.

Every 2,000,000 customers are a Parquet file of about 10,000,000 orders over two years, in the order
of their days, as a shop's log is. Shape of the models: five orders a customer; three in ten buy
only once. Every figure is assumed; only the sizes matter here.

    python -m tests.bench.order_log FOLDER [MILLION_ORDERS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

import clv
from clv.history import Floats

__all__ = ["order_log", "simulated_orders"]

Integers = npt.NDArray[np.int64]

CUSTOMERS, DAYS = 2_000_000, 730
PURCHASES = clv.BGNBD(r=0.8, alpha=40.0, a=0.7, b=4.2)  # in days
SPEND = clv.GammaGamma(p=6.25, q=3.74, v=15.44)  # Fader & Hardie (2013), CDNOW
ROW_GROUP = 1_000_000


def order_log(folder: Path, files: int = 1) -> list[Path]:
    """Write `files` Parquet files of 2,000,000 customers each, where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"orders_{i:02d}.parquet" for i in range(files)]
    for i, path in enumerate(paths):
        if not path.exists():
            part = path.with_suffix(".part")
            pq.write_table(simulated_orders(i), part, row_group_size=ROW_GROUP, compression="zstd")
            part.rename(path)
    return paths


def simulated_orders(seed: int, size: int = CUSTOMERS) -> pa.Table:
    """Orders of `size` customers, in the order of their days."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, DAYS, size)
    rate = rng.gamma(PURCHASES.r, 1 / PURCHASES.alpha, size)
    leaves = rng.beta(PURCHASES.a, PURCHASES.b, size)
    mean = SPEND.p * SPEND.v / rng.gamma(SPEND.q, 1.0, size)
    who, time = np.arange(size), first
    customers, days = [who], [first]
    while len(who):
        who = who[rng.random(len(who)) >= leaves[who]] if len(days) > 1 else who
        time = _last(days[-1], customers[-1], who)
        time = time + rng.exponential(size=len(who)) / rate[who]
        who, time = who[time < DAYS], time[time < DAYS]
        customers.append(who)
        days.append(time)
    customer, day = np.concatenate(customers), np.concatenate(days)
    order = np.argsort(day, kind="stable")
    customer, day = customer[order], day[order]
    amount = np.round(mean[customer] * rng.gamma(SPEND.p, 1 / SPEND.p, len(customer)), 2)
    start = np.datetime64("2022-01-01", "D")
    return pa.table(
        {
            "customer_id": pa.array(customer + seed * size, pa.int64()),
            "date": pa.array(start + day.astype(np.int64), pa.date32()),
            "amount": pa.array(amount),
        }
    )


def _last(time: Floats, customers: Integers, kept: Integers) -> Floats:
    """Times of the customers kept; both are sorted."""
    return time[np.searchsorted(customers, kept)]


def main() -> None:
    """Write the files and say how many orders they hold."""
    folder = Path(sys.argv[1])
    millions = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    for path in order_log(folder, max(1, millions // 10)):
        print(f"{path}: {pq.read_metadata(path).num_rows:,} orders")


if __name__ == "__main__":
    main()
