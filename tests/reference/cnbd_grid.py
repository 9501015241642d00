"""Extreme customers of BG/CNBD-k and MBG/CNBD-k, and what mpmath says of them, kept in a file.

`python -m tests.reference.cnbd_grid` writes the file again, which takes some minutes.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

from tests.reference import cnbd_mpmath as reference
from tests.reference.cnbd_mpmath import Case

FILE = Path(__file__).with_suffix(".csv")
ANSWERS = ["p_alive", "expected_purchases", "survival"]
"""The last two given alive."""

KS = (1, 2, 3, 5, 12)
PURCHASES = (0, 1, 2, 3, 5, 10, 20, 50, 100, 254, 500, 1000)
DURATIONS = (0.0, 0.5, 10.0, 100.0, 1000.0, 10_000.0)


class Answered(NamedTuple):
    """A case and what mpmath says."""

    case: Case
    answers: dict[str, Any]


def grid() -> Iterator[Case]:
    """Corners of the parameters, then log-uniform draws with every known edge in turn."""
    rng = np.random.default_rng(20160901)
    for n, (r, alpha, a, b) in enumerate(product((0.01, 1000.0), repeat=4)):
        for x in (0, 1000):
            T, t = DURATIONS[1 + n % 5], (1e-3, 39.0, 10_000.0)[n % 3]
            t_x = T * (1.0, 0.9)[n % 2] if x else 0.0
            yield Case(r, alpha, a, b, KS[n % 5], n // 5 % 2, x, t_x, T, t)
    for n in range(220):
        r, alpha, a, b = (float(v) for v in 10 ** rng.uniform(-2, 3, 4))
        k, o, x = KS[n % 5], n // 5 % 2, PURCHASES[n % 12]
        T = float(rng.choice(DURATIONS[1:])) if x else DURATIONS[n // 12 % 6]
        t_x = float(T * rng.choice([1e-6, 0.2, 0.9, 0.999, 1.0])) if x else 0.0
        t = float(10 ** rng.uniform(-3, 4))
        match n % 11:
            case 0:
                a = 1.0
            case 1:
                a = 1 + float(rng.choice([-1, 1])) * 10.0 ** -float(rng.integers(3, 12))
            case 2:
                x, t_x, a = 0, 0.0, float(rng.uniform(0.01, 0.99))
                b = 1 - a
            case 3:
                t = 1e-6
            case 4:
                t = 10_000.0
            case 5:  # few, very unequal customers, far ahead: up to a million phases and more
                x, t_x, T, r, alpha = 0, 0.0, 0.0, float(rng.uniform(0.01, 1)), 0.01
        yield Case(r, alpha, a, b, k, o, x, t_x, T, t)


def stored() -> list[Answered]:
    """What the file holds."""
    with FILE.open(newline="") as file:
        return [
            Answered(_case(row), {name: mp.mpf(row[name]) for name in ANSWERS})
            for row in csv.DictReader(file)
        ]


def _case(row: dict[str, str]) -> Case:
    r, alpha, a, b, t_x, T, t = (float(row[c]) for c in ("r", "alpha", "a", "b", "t_x", "T", "t"))
    return Case(r, alpha, a, b, int(row["k"]), int(row["o"]), int(row["x"]), t_x, T, t)


def write() -> None:
    """Ask mpmath, and write the file."""
    with FILE.open("w", newline="") as file:
        names = [*(f.name for f in fields(Case)), *ANSWERS]
        rows = csv.DictWriter(file, names, lineterminator="\n")
        rows.writeheader()
        for n, case in enumerate(grid()):
            said = {name: mp.nstr(getattr(reference, name)(case), 15) for name in ANSWERS}
            rows.writerow(asdict(case) | said)
            file.flush()
            sys.stderr.write(f"\r{n + 1}")


if __name__ == "__main__":
    write()
