"""From a log of orders to a finished book of values, beside the engine's plainest summary query
and beside `lifetimes`' path, on the same Parquet file.

Each is a process of its own, which tells how long the work took (imports not counted) and the
most memory that it held; the engine may take 4 GB. They take turns; every round is printed. The
plain query answers what a
summary needs at least: `select customer_id, count(distinct date), min(date), max(date),
sum(amount) ... group by customer_id`. `lifetimes`' path is its summary, its two fits and its
customer lifetime value, as its documentation shows them.

    python -m tests.bench.orders_to_book [MILLION_ORDERS] [FOLDER]

From 20 million orders on, `lifetimes` is left out: it would not fit into the memory. FOLDER keeps
the orders for another time; only the files that the size asks for are read.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from tests.bench.order_log import order_log

ROUNDS = 3
MEMORY = "4GB"
PLAIN = (
    "create temp table summary as select customer_id, count(distinct date), min(date), max(date), "
    "sum(amount) from read_parquet({}) group by customer_id"
)


def plain(orders: list[Path]) -> Callable[[], object]:
    """The engine's own query."""
    import duckdb

    engine = duckdb.connect(config={"memory_limit": MEMORY})
    return lambda: engine.execute(PLAIN.format([str(path) for path in orders]))


def ours(orders: list[Path]) -> Callable[[], object]:
    """Everything that `clv build` does."""
    import clv.build  # noqa: F401  the import is not what is timed
    from clv import DuckDBEngine, build_book, read_orders

    folder = tempfile.TemporaryDirectory(dir=orders[0].parent)

    def work() -> object:
        read = read_orders(_pattern(orders), engine=DuckDBEngine(memory=MEMORY))
        book = build_book(read, Path(folder.name) / "book", unit="week")
        folder.cleanup()
        return book

    return work


def peer(orders: list[Path]) -> Callable[[], object]:
    """`lifetimes`: summary, both fits, lifetime values over 36 months."""
    import pandas as pd
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    from lifetimes.utils import summary_data_from_transaction_data

    def work() -> object:
        frame = pd.concat([pd.read_parquet(path) for path in orders])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own
            summary = summary_data_from_transaction_data(
                frame, "customer_id", "date", monetary_value_col="amount", freq="W"
            )
            x, t_x, T = summary["frequency"], summary["recency"], summary["T"]
            purchases = BetaGeoFitter().fit(x, t_x, T)
            again = summary[(x > 0) & (summary["monetary_value"] > 0)]
            spend = GammaGammaFitter().fit(again["frequency"], again["monetary_value"])
            return spend.customer_lifetime_value(
                purchases, x, t_x, T, summary["monetary_value"], time=36, freq="W"
            )

    return work


def run(
    work: Callable[[list[Path]], Callable[[], object]], orders: list[Path]
) -> tuple[float, float]:
    """Seconds and gigabytes of a piece of work, in a process of its own."""
    here, there = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_tell, args=(there, work, orders))
    process.start()
    there.close()
    seconds, gigabytes = here.recv()
    process.join()
    return seconds, gigabytes


def _tell(
    told: Connection, work: Callable[[list[Path]], Callable[[], object]], orders: list[Path]
) -> None:
    ready = work(orders)
    started = time.perf_counter()
    ready()
    seconds = time.perf_counter() - started
    told.send((seconds, _peak()))


def _peak() -> float:
    """Gigabytes that this process held at most."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # What getrusage tells on Linux begins with the peak of the process that started this one.
    lines = status.read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1e6


def _pattern(orders: list[Path]) -> str:
    """One pattern of paths for the first files of a folder."""
    most = len(orders) - 1
    return str(orders[0].parent / (f"orders_0[0-{most}].parquet" if most < 10 else "*.parquet"))


def main() -> None:
    """Print every round, the ratios and the memory."""
    millions = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as own:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(own) / "orders"
        orders = order_log(folder, max(1, millions // 10))
        works = {"plain query": plain, "clv": ours} | ({"lifetimes": peer} if millions < 20 else {})
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
        for i in range(ROUNDS):
            for name, work in works.items():
                if name == "lifetimes" and i:
                    continue  # minutes each; its one round is told as that
                found[name].append(run(work, orders))
    print(f"{millions} million orders to a finished book ({os.cpu_count()} cores)")
    for name, rounds in found.items():
        seconds = " ".join(f"{s:.1f}" for s, _ in rounds)
        print(f"  {name:>12} seconds: {seconds}; peak {max(m for _, m in rounds):.2f} GB")
    clocks = {name: statistics.median(s for s, _ in rounds) for name, rounds in found.items()}
    print(f"  clv / plain query: {clocks['clv'] / clocks['plain query']:.2f}")
    if "lifetimes" in clocks:
        print(f"  lifetimes / clv: {clocks['lifetimes'] / clocks['clv']:.1f}")


if __name__ == "__main__":
    main()
