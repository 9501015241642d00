"""Discounted purchases by quadrature over time, kept in a file: mpmath takes minutes for them.

`python -m tests.reference.bg_nbd_discounted` writes the file again. Cases that mpmath does not
settle within a minute are left out of it.
"""

from __future__ import annotations

import csv
import math
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp

from tests.reference import bg_nbd_mpmath as reference
from tests.reference.bg_nbd_grid import grid
from tests.reference.bg_nbd_mpmath import Case

FILE = Path(__file__).with_suffix(".csv")
PATIENCE = 60
"""Seconds for one case."""

COLUMNS = ["r", "alpha", "a", "b", "x", "T", "rate", "horizon", "discounted_purchases"]


class Discounted(NamedTuple):
    """A case with its rate, its horizon, and what mpmath says."""

    case: Case
    rate: float
    horizon: float
    value: Any


def stored() -> list[Discounted]:
    """What the file holds."""
    with FILE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Discounted(
            Case(
                r=float(row["r"]),
                alpha=float(row["alpha"]),
                a=float(row["a"]),
                b=float(row["b"]),
                x=int(row["x"]),
                t_x=0.0,
                T=float(row["T"]),
                t=0.0,
            ),
            float(row["rate"]),
            float(row["horizon"]),
            mp.mpf(row["discounted_purchases"]),
        )
        for row in rows
    ]


def asked() -> Iterator[tuple[Case, float, float]]:
    """Two fifths of the grid up to the case's time ahead, one fifth without end."""
    for k, c in enumerate(grid()):
        match k % 5:
            case 0 | 2:
                yield c, (0.0, 1e-5, 0.002, 0.1)[k // 5 % 4], c.t
            case 1:
                yield c, (1e-5, 0.002, 0.1)[k // 5 % 3], math.inf


def main() -> None:
    """Write the file."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    with FILE.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for c, rate, horizon in asked():
            signal.alarm(PATIENCE)
            try:
                value = reference.discounted_purchases(c, rate=rate, horizon=horizon)
            except (TimeoutError, ArithmeticError) as error:
                sys.stderr.write(f"left out, {type(error).__name__}: {c}, {rate}, {horizon}\n")
                continue
            finally:
                signal.alarm(0)
            parameters = (repr(v) for v in (c.r, c.alpha, c.a, c.b, c.x, c.T, rate, horizon))
            out.writerow([*parameters, mp.nstr(value, 14)])
            file.flush()


if __name__ == "__main__":
    main()
