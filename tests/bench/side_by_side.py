"""Two pieces of work in turn, in one process, every round printed: what the bench scripts share."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

__all__ = ["side_by_side"]


def side_by_side(
    title: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    peer: str = "lifetimes",
    rounds: int = 3,
) -> float:
    """Time both in turn, print the rounds and the median ratio theirs / ours, and return it."""
    clocks: dict[str, list[float]] = {"clv": [], peer: []}
    for _ in range(rounds):
        for name, work in (("clv", ours), (peer, theirs)):
            started = time.perf_counter()
            work()
            clocks[name].append(time.perf_counter() - started)
    ratios = [b / a for a, b in zip(clocks["clv"], clocks[peer], strict=True)]
    print(f"{title} ({os.cpu_count()} cores)")
    for name, seconds in clocks.items():
        print(f"  {name:>10} seconds: " + " ".join(f"{s:.4g}" for s in seconds))
    ratio = statistics.median(ratios)
    print(f"  median ratio {ratio:.1f}, from {min(ratios):.1f} to {max(ratios):.1f}")
    return ratio
