"""Parameters, histories and times ahead at every edge that BG/NBD answers are known to break at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from tests.reference.bg_nbd_mpmath import Case

PURCHASES = (0, 1, 2, 3, 5, 10, 20, 50, 100, 161, 254, 500, 1000)
"""161 to 254 is where BTYD's Pareto/NBD, built on the same 2F1, is known to break down."""
DURATIONS = (0.0, 0.5, 10.0, 100.0, 1000.0, 10_000.0)


def grid() -> Iterator[Case]:
    """Corners of the parameters, then log-uniform draws with every known edge in turn."""
    rng = np.random.default_rng(20050501)
    lowest, highest = 0.01, 1000.0
    for k, (r, alpha, a, b) in enumerate(product((lowest, highest), repeat=4)):
        for x in (0, 1000):
            T = DURATIONS[1 + k % 5]
            yield Case(r, alpha, a, b, x, T * (x > 0), T, (1e-3, 39.0, 10_000.0)[k % 3])
    for k in range(240):
        r, alpha, a, b = (float(v) for v in 10 ** rng.uniform(-2, 3, 4))
        x = PURCHASES[k % len(PURCHASES)]
        T = float(rng.choice(DURATIONS[1:])) if x else DURATIONS[k // 13 % 6]
        t_x = float(T * rng.choice([1e-6, 0.2, 0.9, 1.0])) if x else 0.0
        t = float(10 ** rng.uniform(-3, 4))
        match k % 12:
            case 0:
                a = 1.0
            case 1:
                a = 1 + float(rng.choice([-1, 1])) * 10.0 ** -float(rng.integers(3, 15))
            case 2:
                x, t_x, a = 0, 0.0, float(rng.uniform(0.01, 0.99))
                b = 1 - a
            case 3:
                x, t_x, a = 0, 0.0, float(rng.uniform(0.01, 0.99))
                b = (1 - a) * (1 + 1e-9)
            case 4:
                x, t_x, a, b = 0, 0.0, *(float(v) for v in rng.uniform(0.01, 0.45, 2))
            case 5:
                t = 1e-9
            case 6:
                t = 10_000.0
            case 7:  # few, very unequal customers, far ahead: σ = t/A up to a million
                x, t_x, T, r, alpha = 0, 0.0, 0.0, float(rng.uniform(0.01, 1)), 0.01
        yield Case(r, alpha, a, b, x, t_x, T, t)
