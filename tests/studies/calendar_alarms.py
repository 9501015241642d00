"""How often the check of the calendar finds gaps that are there, and such as are not.

Logs of two years are drawn from shops of which the mean number of orders a day is known. The first
table has the share of logs without a gap in which one is told; the second the share of gaps, of one
to three days, that are told, in logs that may have one exceptional day of so many times the mean.

    python -m tests.studies.calendar_alarms
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.quality import calendar_gaps

DAYS = 730
MEANS = (1, 8, 20, 100)
EXCEPTIONAL = (0, 10, 30)
T = np.arange(DAYS)


def wandering(rng: np.random.Generator) -> Floats:
    """A level that wanders: the logarithm has deviation 1, and 0.95 of it the day after."""
    steps = rng.normal(0, np.sqrt(1 - 0.95**2), DAYS)
    level = np.zeros(DAYS)
    level[0] = rng.normal()
    for day in range(1, DAYS):
        level[day] = 0.95 * level[day - 1] + steps[day]
    return np.exp(level - 0.5)


SHOPS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "steady": lambda _: np.ones(DAYS),
    "closed on Sundays": lambda _: (T % 7 != 0).astype(float),
    "a year's wave, 0.2 to 1.8": lambda _: 1 + 0.8 * np.sin(2 * np.pi * T / 365),
    "grows fiftyfold": lambda _: 50 ** (T / DAYS - 0.5),
    "days vary (shape 2)": lambda rng: rng.gamma(2, 0.5, DAYS),
    "one day in 20 tenfold": lambda rng: np.where(rng.random(DAYS) < 0.05, 10.0, 1.0),
    "eight weeks a year at a tenth": lambda _: np.where(
        (T % 365 > 180) & (T % 365 < 236), 0.1, 1.0
    ),
    "first 60 days at a twentieth": lambda _: np.where(T < 60, 0.05, 1.0),
    "level wanders": wandering,
}


def told(counts: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last day of each gap that is told of orders by day."""
    days = np.flatnonzero(counts).astype(np.int64)
    return calendar_gaps.gaps_of(days, counts[days], DAYS - 1)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--logs", type=int, default=40)
    logs = parser.parse_args().logs
    rng = np.random.default_rng(1)
    print(f"| no gap; mean orders a day | {' | '.join(map(str, MEANS))} |\n|---|" + "---|" * 4)
    for name, shape in SHOPS.items():
        shares = [
            np.mean([bool(told(rng.poisson(mean * shape(rng)))) for _ in range(logs)])
            for mean in MEANS
        ]
        print(f"| {name} | {' | '.join(f'{share:.2f}' for share in shares)} |", flush=True)
    print("\n| gaps of 1, 2, 3 days; one day of so many times the mean | "
          f"{' | '.join(map(str, MEANS))} |\n|---|" + "---|" * 4)  # fmt: skip
    for times in EXCEPTIONAL:
        cells = []
        for mean in MEANS:
            found = [np.mean([_is_told(rng, mean, times, n) for _ in range(logs)])
                     for n in (1, 2, 3)]  # fmt: skip
            cells.append(", ".join(f"{share:.2f}" for share in found))
        print(f"| {times or 'none'} | {' | '.join(cells)} |", flush=True)


def _is_told(rng: np.random.Generator, mean: float, times: int, days: int) -> bool:
    counts = rng.poisson(mean, DAYS)
    if times:
        counts[330] = rng.poisson(times * mean)
    first = int(rng.integers(60, 250))
    counts[first : first + days] = 0
    return any(start <= first and end >= first + days - 1 for start, end in told(counts))


if __name__ == "__main__":
    main()
