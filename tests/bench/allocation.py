"""How long budgets of ten million customers take, and how much memory; beside general solvers.

Each large case runs in a process of its own, whose peak memory is its input, its answer and what it
needs between. The general solvers get a size that they can do.

    python -m tests.bench.allocation [CUSTOMERS]
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.recommend.allocation import allocate
from clv.recommend.budget_curve import budget_curve
from clv.recommend.limits import recovery_limits
from clv.recommend.offers import allocate_offers
from clv.recommend.policy import Policy
from clv.recommend.quotas import Quota, allocate_with_quotas
from tests.bench.side_by_side import side_by_side

Floats = npt.NDArray[np.float64]

CUSTOMERS = 10_000_000
COST = np.array([1.0, 5, 10, 20, 50])
SHARES = (0.01, 0.3, 0.9)
"""Budgets as parts of the one worth asking for."""


def draw(customers: int) -> tuple[Floats, Floats]:
    """Return w and k of log-normal customers: heavy tails, a median worth of 20."""
    rng = np.random.default_rng(1)
    return rng.lognormal(3, 1.5, customers), 1 / rng.lognormal(3, 1, customers)


def draw_offers(customers: int) -> Floats:
    """Values of five offers, each with luck of its own, so that no two customers are alike."""
    w, k = draw(customers)
    rng = np.random.default_rng(2)
    value = np.empty((customers, len(COST)))
    for start in range(0, customers, 1 << 16):
        b = slice(start, start + (1 << 16))
        luck = rng.uniform(0.5, 1.5, (len(w[b]), len(COST)))
        value[b] = w[b, None] * -np.expm1(-k[b, None] * COST) * luck
    return value


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Run and print how long it took."""
    started = time.perf_counter()
    answer = work()
    print(f"  {time.perf_counter() - started:6.2f} s  {what}")
    return answer


def continuous(customers: int) -> None:
    """Divide a budget over customers, without and with quotas, and draw its curve."""
    w, k = draw(customers)
    optimal = timed("the total worth asking for", lambda: allocate(w, k, hi=50.0)).total
    for share in SHARES:
        timed(f"{share:.0%} of it", partial(allocate, w, k, hi=50.0, total=share * optimal))


def quotas(customers: int) -> None:
    """Divide a budget within quotas of six segments."""
    w, k = draw(customers)
    segment = np.arange(customers) % 6
    optimal = allocate(w, k, hi=50.0).total
    limits: dict[Hashable, Quota] = {0: Quota(least=optimal / 6), 1: Quota(most=optimal / 60)}
    timed(
        "30% of it, six segments, two quotas",
        lambda: allocate_with_quotas(w, k, segment, limits, hi=50.0, total=0.3 * optimal),
    )


def curve(customers: int) -> None:
    """Answer for 25 budgets at once."""
    w, k = draw(customers)
    timed("25 budgets", lambda: budget_curve(w, k, hi=50.0))


def offers(customers: int) -> None:
    """Divide a budget over five offers that come whole."""
    value = draw_offers(customers)
    optimal = timed("the total worth asking for", lambda: allocate_offers(value, COST)).total
    for share in SHARES:
        work = partial(allocate_offers, value, COST, total=share * optimal)
        a = timed(f"{share:.0%} of it", work)
        print(f"           relative gap {a.relative_gap:.2g}")


def limits(customers: int) -> None:
    """Recovery limits of a tenth of the customers, all with the same problem."""
    n = customers // 10
    rng = np.random.default_rng(3)
    value, loss = rng.lognormal(5, 1, n), rng.lognormal(3, 0.5, n)
    frequency = rng.integers(0, 30, n)
    timed(
        f"{n:,} recovery limits",
        lambda: recovery_limits(
            Policy(), "defective", loss, value_if_alive=value, frequency=frequency
        ),
    )


CASES = {case.__name__: case for case in (continuous, quotas, curve, offers, limits)}


def beside_solvers() -> None:
    """Time the same small problems with a general solver each."""
    from scipy.optimize import Bounds, LinearConstraint, milp, minimize
    from scipy.sparse import csr_array

    w, k = draw(200)
    total = 0.3 * allocate(w, k, hi=50.0).total
    # its stubs ask for a shape that no annotation of numpy's own states
    slsqp: Any = partial(minimize, method="SLSQP")
    within = {"type": "ineq", "fun": lambda s: total - s.sum()}
    side_by_side(
        "continuous: 200 customers",
        lambda: allocate(w, k, hi=50.0, total=total),
        lambda: slsqp(
            lambda s: float(np.sum(w * np.expm1(-k * s))),
            np.full(200, total / 200),
            jac=lambda s: np.asarray(-w * k * np.exp(-k * s)),
            bounds=Bounds(0, 50),
            constraints=within,
        ),
        peer="SLSQP",
    )
    n, m = 2_000, len(COST)
    value = draw_offers(n)
    budget = 0.3 * allocate_offers(value, COST).total
    pair = np.arange(n * m)
    one_each = csr_array((np.ones(n * m), (pair // m, pair)), shape=(n, n * m))
    side_by_side(
        "offers: 2,000 customers x 5",
        lambda: allocate_offers(value, COST, total=budget),
        lambda: milp(
            -(value - COST).ravel(),
            integrality=np.ones(n * m, dtype=int),
            bounds=Bounds(0, 1),
            constraints=[
                LinearConstraint(one_each, -np.inf, 1),
                LinearConstraint(np.tile(COST, n)[None, :], -np.inf, budget),
            ],
            options={"mip_rel_gap": 2e-6},
        ),
        peer="HiGHS",
    )


def main() -> None:
    """Print the time and the peak memory of each case."""
    if len(sys.argv) == 3:
        customers, case = int(sys.argv[1]), sys.argv[2]
        CASES[case](customers)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"  {peak:6.2f} GB at most, the customers' figures included")
        return
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    for case in CASES:
        print(f"{case}: {customers:,} customers ({os.cpu_count()} cores)", flush=True)
        again = [sys.executable, "-m", "tests.bench.allocation", str(customers), case]
        subprocess.run(again, check=True)
    beside_solvers()


if __name__ == "__main__":
    main()
