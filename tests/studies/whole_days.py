"""What counting in whole days does to forecasts of customers who buy at some time of a day.

Customers of BG/NBD are drawn purchase by purchase, at times within days: won over half a year,
observed for a year, and followed for another. The same customers are then fitted as they were, and
as whole days have them: all purchases of one day are one, recency and T run from day to day, and T
ends with the last day, a day's purchases being known when it is over. One column is with T half a
day longer, two more do one of both things alone. Printed is how many more purchases of the second
year a fit expects than came, and by how much that differs from the fit to exact times: the mean of
all replications, and its standard error. The last line is how much that varies from shop to shop by
chance, which is what intervals are for.

    python -m tests.studies.whole_days
"""

from __future__ import annotations

import argparse

import numpy as np

import clv
from clv.arrays import Floats

TRUE = {"r": 0.8, "alpha": 60.0, "a": 0.8, "b": 2.5}
"""Assumed, in days: who is there buys every 75 days on average."""

WON, SEEN, AFTER = 180.0, 365.0, 365.0
KINDS = {
    "exact times": (False, False, 0.0),
    "whole days, as clv counts": (True, True, 0.0),
    "whole days, T half a day longer": (True, True, 0.5),
    "purchases of a day are one, times exact": (True, False, 0.0),
    "times rounded to days, purchases apart": (False, True, 0.0),
}
"""What is done: purchases of one day become one, times become days, and what is added to T."""


class Shop:
    """Customers and the times of all their purchases."""

    def __init__(self, customers: int, rng: np.random.Generator) -> None:
        rate = rng.gamma(TRUE["r"], 1 / TRUE["alpha"], customers)
        leaving = rng.beta(TRUE["a"], TRUE["b"], customers)
        self.born: Floats = rng.uniform(0, WON, customers)
        who, time = np.arange(customers), self.born
        found = []
        while len(who):
            time = time + rng.exponential(1 / rate[who])
            who, time = who[time < SEEN + AFTER], time[time < SEEN + AFTER]
            found.append((who, time))
            stays = rng.random(len(who)) >= leaving[who]
            who, time = who[stays], time[stays]
        self.who = np.concatenate([w for w, _ in found])
        self.time: Floats = np.concatenate([t for _, t in found])

    def error(self, *, merged: bool, rounded: bool, longer: float) -> float:
        """Fit the first year and tell by how much more the second is expected to have than came."""
        who, time = self.who, self.time
        if merged:
            day = np.floor(time)
            first = np.lexsort((time, who))
            who, time, day = who[first], time[first], day[first]
            new = np.append(True, (np.diff(who) > 0) | (np.diff(day) > 0))
            new &= day > np.floor(self.born)[who]
            who, time = who[new], time[new]
        seen = time < SEEN
        n = len(self.born)
        x = np.bincount(who[seen], minlength=n).astype(float)
        last = self.born.copy()
        np.maximum.at(last, who[seen], time[seen])
        born, end = (np.floor(self.born), SEEN - 1) if rounded else (self.born, SEEN)
        recency = (np.floor(last) if rounded else last) - born
        T = end - born + longer
        if rounded and not merged:  # a purchase later on the first day was not at its beginning
            recency = np.where((x > 0) & (recency == 0), 0.25, recency)
            T = np.maximum(T, recency)
        model = clv.BGNBD.fit(clv.Histories.from_arrays(x, recency, T, unit="day")).model
        return float(model.expected_purchases(AFTER, x, recency, T).sum() / (~seen).sum() - 1)


def main() -> None:
    """Draw shops, fit each in every way and print how they differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--replications", type=int, default=24)
    asked = parser.parse_args()
    errors = []
    for seed in range(asked.replications):
        shop = Shop(asked.customers, np.random.default_rng(seed))
        errors.append(
            [shop.error(merged=m, rounded=r, longer=more) for m, r, more in KINDS.values()]
        )
    found = 100 * np.array(errors)
    print("| counted | expected beyond what came | beyond the fit to exact times |\n|---|---|---|")
    for name, own in zip(KINDS, found.T, strict=True):
        print(f"| {name} | {_told(own)} | {_told(own - found[:, 0])} |")
    deviation = found[:, 0].std(ddof=1)
    print(f"\nStandard deviation from shop to shop, exact times: {deviation:.2f} %")


def _told(percent: Floats) -> str:
    error = percent.std(ddof=1) / np.sqrt(len(percent)) if len(percent) > 1 else np.nan
    return f"{percent.mean():+.2f} ± {error:.2f} %"


if __name__ == "__main__":
    main()
