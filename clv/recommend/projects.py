"""Projects that keep problems from happening: which to do, each whole or not at all.

What a set of projects costs is taken from a budget that keeps customers, too. With R(C) the net
gain of that budget once C is spent on projects, the set sought is the one for which

    Σ (gain_j − cost_j) y_j + R(Σ cost_j y_j),    y_j = 0 or 1,    Σ cost_j y_j ≤ room

is greatest. Where returns diminish R is concave, so no tangent of it lies below it: with the
tangents in its place the problem is linear, and its solution bounds the true one. Each solution
adds the tangent at its own cost, until bound and best agree (outer approximation: Duran &
Grossmann 1986, doi:10.1007/BF02592064). Taking those that return most per unit first would not do:
one project can leave a rest of the budget in which two better ones do not fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import AllocationError

__all__ = ["Project", "choose_projects"]

AGREE = 1e-6
"""What bound and best may differ by, as a part of the best project's own surplus: the solver keeps
its constraints no better than that."""

Tangent = tuple[float, float]
"""(level, slope): R(C) − R(0) ≤ level − slope·C."""


@dataclass(frozen=True)
class Project:
    """Something that keeps problems from happening, done or not done.

    Attributes
    ----------
    name : str
        What it is called.
    cost : float
        What it costs in the period, in money, above 0.
    gain : float
        Value that it keeps from being lost, goodwill saved included, in money.
    """

    name: str
    cost: float
    gain: float


def choose_projects(
    projects: Sequence[Project], room: float, rest: Callable[[float], tuple[float, float]]
) -> tuple[Project, ...]:
    """Choose the set of projects that gains most together with the rest of the budget.

    Parameters
    ----------
    projects : sequence of Project
        To choose from.
    room : float
        The most that all of them may cost, in money; may be infinite.
    rest : callable
        Given what projects cost, the net gain of the rest of the budget, R, and the return of its
        next unit above that unit, −R′ ≥ 0. R must be concave.

    Returns
    -------
    tuple of Project
        The set, those that return most per unit first. None is better by more than a millionth of
        the greatest surplus of a single project.

    Raises
    ------
    AllocationError
        Where the solver gives up.

    Examples
    --------
    >>> three = [Project("A", 60, 90), Project("B", 50, 70), Project("C", 50, 70)]
    >>> [project.name for project in choose_projects(three, 100, rest=lambda cost: (0.0, 0.0))]
    ['B', 'C']
    """
    without, price = rest(0.0)
    # one more unit for projects costs the rest at least `price` units, and more the more they take
    worth = [p for p in projects if p.gain - p.cost > price * p.cost and p.cost <= room]
    worth.sort(key=lambda p: (-p.gain / p.cost, p.name))
    if not worth or math.isinf(room):
        return tuple(worth)
    cost = np.array([p.cost for p in worth])
    surplus = np.array([p.gain - p.cost for p in worth])
    tangents: list[Tangent] = [(0.0, price)]
    too_dear: list[npt.NDArray[np.bool_]] = []
    best, taken = 0.0, np.zeros(len(worth), dtype=bool)
    tried: set[bytes] = set()
    while True:
        chosen, bound = _solve(cost, surplus, room, tangents, too_dear)
        if bound <= best + AGREE * surplus.max() or chosen.tobytes() in tried:
            return tuple(p for p, yes in zip(worth, taken, strict=True) if yes)
        tried.add(chosen.tobytes())
        spent = float(cost[chosen].sum())
        if spent > room:  # the solver keeps the room to a millionth only
            too_dear.append(chosen)
            continue
        left, slope = rest(spent)
        change = left - without
        tangents.append((change + slope * spent, slope))
        if change + float(surplus[chosen].sum()) > best:
            best, taken = change + float(surplus[chosen].sum()), chosen


def _solve(
    cost: Floats,
    surplus: Floats,
    room: float,
    tangents: Sequence[Tangent],
    too_dear: Sequence[npt.NDArray[np.bool_]],
) -> tuple[npt.NDArray[np.bool_], float]:
    """Return the best set were R the least of its tangents, and what it would gain."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, unit, most = len(cost), float(surplus.max()), float(cost.max())
    level, slope = np.array(tangents).T
    # the variables: y, and R(C) − R(0) in units of the greatest surplus
    below = np.column_stack([np.outer(slope, cost / unit), np.ones(len(slope))])
    constraints = [
        LinearConstraint(np.append(cost / most, 0.0)[None, :], -np.inf, room / most),
        LinearConstraint(below, -np.inf, level / unit),
    ]
    constraints += [
        LinearConstraint(np.append(these.astype(float), 0.0)[None, :], -np.inf, these.sum() - 1)
        for these in too_dear
    ]
    found = milp(
        -np.append(surplus / unit, 1.0),
        integrality=np.append(np.ones(n), 0.0),
        bounds=Bounds(
            np.append(np.zeros(n), -float(surplus.sum()) / unit), np.append(np.ones(n), 0.0)
        ),
        constraints=constraints,
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None or found.mip_dual_bound is None:  # no project at all is always a solution
        raise AllocationError(f"Which projects to do could not be computed: {found.message}")
    return found.x[:n] > 0.5, -float(found.mip_dual_bound) * unit
