"""One total for all that keeps customers: retention, recovery, appreciation and prevention.

Problems will happen: N of a kind in the period, each answered with goodwill of face value s and
real cost c·s that keeps `D (1 − exp(−s/κ))`. Spending X on all N of them keeps

    N D (1 − exp(−X / (N c κ)))

which is the curve of one large customer with w = N D and k = 1/(N c κ). So retention and the
reserve for recovery are divided in one go, and their last units return the same. Appreciation is
set aside first, as the policy says: what it keeps is not known. Prevention projects come whole: of
all sets of them, the one with which everything together gains most.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.errors import AllocationError, RequestError
from clv.recommend.allocation import Allocation, allocate, check_total, exceeds
from clv.recommend.new_customers import NewCustomer
from clv.recommend.policy import money
from clv.recommend.projects import Project, choose_projects
from clv.recommend.retention_uncertainty import KeptRange
from clv.recommend.retention_words import told_of_range

__all__ = [
    "BudgetPart",
    "BudgetSplit",
    "ExpectedProblems",
    "NextUnit",
    "Project",
    "next_unit",
    "split_budget",
]


@dataclass(frozen=True)
class ExpectedProblems:
    """Problems of one kind that the period is expected to bring.

    Kinds in which customers differ much in value are better given in several parts of one name.

    Attributes
    ----------
    name : str
        What they are called.
    expected : float
        N, how many.
    most_savable : float
        D, the most that goodwill can keep of one customer with such a problem, in money.
    money_scale : float
        κ, goodwill that does 63 % of that, in money at face value, above 0.
    floor, most : float
        Least and most goodwill on one problem, in money at face value.
    unit_cost : float
        c, real cost of one unit of face value, above 0.
    """

    name: str
    expected: float
    most_savable: float
    money_scale: float
    floor: float = 0.0
    most: float = math.inf
    unit_cost: float = 1.0

    def faults(self) -> list[str]:
        """Say what of it makes no sense."""
        rules = {
            "expected": self.expected >= 0 and math.isfinite(self.expected),
            "most_savable": self.most_savable >= 0 and math.isfinite(self.most_savable),
            "money_scale": self.money_scale > 0 and math.isfinite(self.money_scale),
            "floor": 0 <= self.floor <= self.most and math.isfinite(self.floor),
            "unit_cost": self.unit_cost > 0 and math.isfinite(self.unit_cost),
        }
        return [
            f"{self.name}: {name} cannot be {getattr(self, name):g}."
            for name, good in rules.items()
            if not good
        ]


@dataclass(frozen=True)
class BudgetPart:
    """What one purpose gets.

    Attributes
    ----------
    purpose : str
        "retention", "recovery", "appreciation" or "prevention".
    name : str
        The kind of problem or the project; empty for the others.
    spend : float
        In money.
    gain : float or None
        Value it is expected to keep, before its cost; None where that is not known.
    """

    purpose: str
    name: str
    spend: float
    gain: float | None


@dataclass(frozen=True, eq=False)
class BudgetSplit:
    """A total split.

    Attributes
    ----------
    parts : tuple of BudgetPart
        What each purpose gets.
    retention : Allocation
        Retention, customer by customer.
    total : float
        What is spent in all.
    shadow_price : float
        What the next unit returns, in retention and recovery alike.
    unspent : float
        What is left because it would return less than itself.
    declined : tuple of str
        Projects that would bring less than the same money does elsewhere.
    assumed : tuple of str
        Dotted keys of the policy figures behind it that the company has not set itself, where
        they are known.
    at_floor : tuple of str
        Problems whose recovery gets its floor, and by what it keeps alone would get less.
    retention_range : KeptRange or None
        Between what amounts that lies which retention keeps, where that was drawn; what the others
        keep has no interval.
    """

    parts: tuple[BudgetPart, ...]
    retention: Allocation
    total: float
    shadow_price: float
    unspent: float
    declined: tuple[str, ...]
    assumed: tuple[str, ...] = ()
    at_floor: tuple[str, ...] = ()
    retention_range: KeptRange | None = None

    def spend_on(self, purpose: str) -> float:
        """Return what all parts of one purpose get."""
        return sum(part.spend for part in self.parts if part.purpose == purpose)

    def sentences(self, currency: str = "") -> tuple[str, ...]:
        """Return what the split says, in plain words."""
        parts = {
            purpose: self.spend_on(purpose)
            for purpose in dict.fromkeys(part.purpose for part in self.parts)
        }
        listed = ", ".join(f"{money(s, currency)} for {purpose}" for purpose, s in parts.items())
        told = [f"{money(self.total, currency)} in all: {listed}."]
        if self.retention_range is not None:
            gain = money(self.retention.total_gain, currency)
            told.append(f"Retention is expected to keep {gain} of value.")
            told.append(told_of_range(self.retention_range, currency))
            others = [p for p in ("recovery", "prevention") if p in parts]
            if others:
                told.append(
                    f"What {' and '.join(others)} keeps hangs on what you expect, and has no "
                    "interval."
                )
        if self.unspent > 0:
            told.append(
                f"{money(self.unspent, currency)} of the budget is left over: within the policy's "
                "limits no more of it would keep what it costs."
            )
        elif self.shadow_price > 1:
            told.append(
                f"The next {money(1, currency)} would keep {self.shadow_price:.2f}, wherever the "
                "policy's limits let it go."
            )
        if self.at_floor:
            told.append(
                f"For {', '.join(self.at_floor)} recovery gets the floor that the policy gives to "
                "everyone, and no more: what it keeps would not justify the last of it."
            )
        if self.declined:
            told.append(f"Not worth its cost within this budget: {', '.join(self.declined)}.")
        return tuple(told)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the single customers under its own name, ready for JSON."""
        return {
            "parts": [asdict(part) for part in self.parts],
            "total": self.total,
            "shadow_price": self.shadow_price,
            "unspent": self.unspent,
            "declined": list(self.declined),
            "at_floor": list(self.at_floor),
            "retention_low": None if self.retention_range is None else self.retention_range.low,
            "retention_high": None if self.retention_range is None else self.retention_range.high,
            "assumed": list(self.assumed),
        }


def split_budget(
    w: npt.ArrayLike,
    k: npt.ArrayLike,
    *,
    lo: npt.ArrayLike = 0.0,
    hi: npt.ArrayLike = np.inf,
    problems: Sequence[ExpectedProblems] = (),
    appreciation: float = 0.0,
    projects: Sequence[Project] = (),
    total: float | None = None,
) -> BudgetSplit:
    """Split a total so that no unit would keep more under another purpose.

    Parameters
    ----------
    w, k, lo, hi
        Retention, customer by customer: as in :func:`clv.recommend.allocation.allocate`.
    problems : sequence of ExpectedProblems
        What recovery will have to answer.
    appreciation : float
        Set aside as thanks to customers, whatever it keeps, in money.
    projects : sequence of Project
        Prevention to choose from.
    total : float, optional
        The budget; all that returns at least itself if not given.

    Returns
    -------
    BudgetSplit

    Raises
    ------
    AllocationError
        Where a number makes no sense, or what must be spent exceeds the total: by how much.

    Examples
    --------
    >>> split = split_budget(
    ...     [120, 30, 200], [.05, .05, .02], total=200, appreciation=10,
    ...     problems=[ExpectedProblems("defective", 4, most_savable=43.2, money_scale=20)],
    ...     projects=[Project("better boxes", cost=30, gain=60)],
    ... )
    >>> [(part.purpose, round(part.spend, 2)) for part in split.parts]
    [('retention', 105.39), ('recovery', 54.61), ('appreciation', 10), ('prevention', 30)]
    >>> round(split.shadow_price, 3)
    1.091
    """
    check_total(total)
    _check(problems, appreciation, projects)
    w, k, lo, hi = np.broadcast_arrays(
        *(np.asarray(v, dtype=float) for v in (np.atleast_1d(w), k, lo, hi))
    )
    n = len(w)
    # a floor is owed where goodwill keeps nothing, too
    owed = [p for p in problems if p.expected * p.most_savable <= 0]
    open_ = [p for p in problems if p.expected * p.most_savable > 0]
    cost = np.array([p.expected * p.unit_cost for p in open_])
    both = {
        "w": np.append(w, [p.expected * p.most_savable for p in open_]),
        "k": np.append(k, [1 / (x * p.money_scale) for x, p in zip(cost, open_, strict=True)]),
        "lo": np.append(lo, [x * p.floor for x, p in zip(cost, open_, strict=True)]),
        "hi": np.append(hi, [x * p.most for x, p in zip(cost, open_, strict=True)]),
    }
    fixed = appreciation + sum(p.expected * p.unit_cost * p.floor for p in owed)
    floors = float(np.sum(both["lo"][both["w"] > 0]))
    if total is not None and exceeds(fixed + floors, total):
        raise AllocationError(
            f"What must be spent adds up to {fixed + floors:,.2f} (appreciation "
            f"{appreciation:,.2f}; the least per customer and problem "
            f"{fixed + floors - appreciation:,.2f}), more than the budget of {total:,.2f}: "
            f"{fixed + floors - total:,.2f} is missing. Raise the budget, or lower what the policy "
            "gives everyone: the floors in [problems], min_ and appreciation_ in [retention]."
        )

    def divide(spent: float) -> Allocation:
        left = None if total is None else max(total - spent, floors)
        return allocate(both["w"], both["k"], lo=both["lo"], hi=both["hi"], total=left)

    def rest(cost: float) -> tuple[float, float]:
        part = divide(fixed + cost)
        return part.total_gain - part.total, part.shadow_price - 1

    # as `exceeds` has it, the last digits of a long sum do not make a project too dear
    room = math.inf if total is None else total * (1 + 1e-12) - fixed - floors
    taken = choose_projects(projects, room, rest) if projects else ()
    spent = fixed + sum(p.cost for p in taken)
    best = divide(spent)

    answered = {p.name: [0.0, 0.0] for p in problems}
    for p, *both_of in zip(open_, best.spend[n:], best.gain[n:], strict=True):
        answered[p.name] = [a + float(b) for a, b in zip(answered[p.name], both_of, strict=True)]
    above = {
        p.name for p, x, lo in zip(open_, best.spend[n:], both["lo"][n:], strict=True) if x > lo
    }
    at_floor = {p.name: None for p in problems if p.expected * p.floor > 0 and p.name not in above}
    for p in owed:
        answered[p.name][0] += p.expected * p.unit_cost * p.floor
    parts = [
        BudgetPart("retention", "", float(best.spend[:n].sum()), float(best.gain[:n].sum())),
        *(BudgetPart("recovery", name, *of) for name, of in answered.items()),
    ]
    if appreciation:
        parts.append(BudgetPart("appreciation", "", appreciation, None))
    parts += [BudgetPart("prevention", p.name, p.cost, p.gain) for p in taken]
    alone = Allocation(
        best.spend[:n],
        best.gain[:n],
        best.shadow_price,
        float(best.spend[:n].sum()),
        allocate(w, k, lo=lo, hi=hi).total,
        0.0,
    )
    return BudgetSplit(
        parts=tuple(parts),
        retention=alone,
        total=spent + best.total,
        shadow_price=best.shadow_price,
        unspent=best.unspent,
        declined=tuple(p.name for p in projects if p not in taken),
        at_floor=tuple(at_floor),
    )


def _check(
    problems: Sequence[ExpectedProblems], appreciation: float, projects: Sequence[Project]
) -> None:
    """Refuse what makes no sense, all of it at once."""
    faults = [fault for problem in problems for fault in problem.faults()]
    if not (math.isfinite(appreciation) and appreciation >= 0):
        faults.append(f"Appreciation must be an amount of at least 0; got {appreciation:g}.")
    for p in projects:
        if not (math.isfinite(p.cost) and p.cost > 0):
            faults.append(f"{p.name}: the cost must be an amount above 0; got {p.cost:g}.")
        if not math.isfinite(p.gain):
            faults.append(f"{p.name}: the gain must be an amount; got {p.gain:g}.")
    names = Counter(p.name for p in projects)
    faults += [f"{n} projects are called {name!r}." for name, n in names.items() if n > 1]
    if faults:
        raise AllocationError.of(faults)


@dataclass(frozen=True)
class NextUnit:
    """What the next unit of money brings, spent on keeping customers or on winning them.

    Attributes
    ----------
    retention : float
        What it keeps: the shadow price.
    acquisition : float or None
        What it brings in value of new customers; None where winning one has no known cost.
    sentence : str
        Both in words.
    """

    retention: float
    acquisition: float | None
    sentence: str


def next_unit(shadow_price: float, new: NewCustomer, currency: str = "") -> NextUnit:
    """Compare the next unit spent on keeping customers with the next one spent on winning them.

    Parameters
    ----------
    shadow_price : float
        What the next unit of the retention budget returns.
    new : NewCustomer
        Worth and cost of a new customer, from :func:`clv.recommend.new_customers.new_customer`.
    currency : str
        Code of the currency.

    Returns
    -------
    NextUnit

    Raises
    ------
    RequestError
        Where the shadow price is not a finite number of at least 0.

    Examples
    --------
    >>> from clv.recommend.new_customers import new_customer
    >>> from clv.recommend.policy import Policy
    >>> new = new_customer(Policy(), first_purchase=50.0, value_after=70.0)
    >>> next_unit(1.5, new).acquisition is None
    True
    """
    if not (math.isfinite(shadow_price) and shadow_price >= 0):
        raise RequestError(
            f"The shadow price must be a finite number of at least 0; got {shadow_price:g}."
        )
    one, keeps = money(1, currency), f"{shadow_price:.2f}"
    wins = new.return_per_unit
    if wins is None:
        told = (
            f"Whether the next {one} is better spent on winning new customers cannot be said: "
            "state cost_per_customer in [acquisition] of the policy."
        )
        return NextUnit(shadow_price, None, told)
    where = "on keeping customers" if shadow_price >= wins else "on winning new ones"
    told = (
        f"The next {one} keeps {keeps} if spent on keeping customers; on winning new ones {one} "
        f"brings {wins:.2f} on average (the next one may bring less). It is better spent {where}."
    )
    return NextUnit(shadow_price, wins, told)
