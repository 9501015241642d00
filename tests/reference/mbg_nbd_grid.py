"""What mpmath says of MBG/NBD on the grid of BG/NBD, kept in a file.

Given alive a customer of MBG/NBD is one of BG/NBD with b + 1 for b, so the closed forms of
:mod:`tests.reference.bg_nbd_mpmath` serve; the likelihood, in which the two models differ, is
written out here.

`python -m tests.reference.mbg_nbd_grid` writes the file again (some minutes).
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp

from tests.reference import bg_nbd_mpmath as reference
from tests.reference.bg_nbd_grid import grid
from tests.reference.bg_nbd_mpmath import Case

FILE = Path(__file__).with_name("mbg_nbd_grid.csv")
COUNTS = (0, 1, 2, 7, 60, 400)


class Answers(NamedTuple):
    """Of a customer who is alive: expected purchases in t, and P(n purchases in t)."""

    n: int
    expected_purchases_if_alive: Any
    pmf_if_alive: Any


def likelihood_parts(c: Case) -> tuple[Any, Any]:
    """Batislam et al. (2007): those alive after x + 1 chances to leave, those who took the last."""
    with mp.workdps(60):
        r, alpha, a, b, t_x, T = (mp.mpf(v) for v in (c.r, c.alpha, c.a, c.b, c.t_x, c.T))
        before = mp.gamma(r + c.x) * alpha**r / mp.gamma(r) / mp.beta(a, b)
        alive = before * mp.beta(a, b + c.x + 1) / (alpha + T) ** (r + c.x)
        left = before * mp.beta(a + 1, b + c.x) / (alpha + t_x) ** (r + c.x)
        return alive, left


def p_alive(c: Case) -> Any:
    """Share of the alive in the likelihood."""
    alive, left = likelihood_parts(c)
    return alive / (alive + left)


def stored() -> list[tuple[Case, Answers]]:
    """The grid, with what the file holds."""
    with FILE.open(newline="") as file:
        rows = [
            Answers(int(n), mp.mpf(expected), mp.mpf(pmf))
            for n, expected, pmf in list(csv.reader(file))[1:]
        ]
    return list(zip(grid(), rows, strict=True))


def main() -> None:
    """Write the file, one row a case of the grid."""
    with FILE.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(Answers._fields)
        for k, c in enumerate(grid()):
            alive = replace(c, b=c.b + 1)  # p ~ Beta(a, b + x + 1)
            n = COUNTS[k // 2 % len(COUNTS)]
            answers = reference.expected_purchases(alive), reference.pmf_if_alive(alive, n)
            out.writerow([n, *(mp.nstr(v, 15) for v in answers)])
            file.flush()


if __name__ == "__main__":
    main()
