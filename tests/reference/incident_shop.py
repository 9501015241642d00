"""A shop with incidents, one customer and one event after the other, by the assumptions alone.

No code of the package's model is used but the container that a fit reads. Unlike the package's own
`simulate` it can let agents know what the model does not: each customer has a hidden disposition
u ~ Normal(0, 1) that moves the log-odds of leaving at an incident, and goodwill may be given for
it.

Each purchase, the first too, brings an incident with a probability, some days later. One that is to
be reported is reported by those who are still there and goes unseen otherwise; all others are seen
by operations.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from clv.history import Histories
from clv.incident_history import IncidentHistories

Floats = npt.NDArray[np.float64]

Goodwill = Callable[[np.random.Generator, "Case"], tuple[float, float, float]]
"""A case to (goodwill/loss, the probability with which it was drawn or nan, v̄ or nan)."""


@dataclass(frozen=True)
class Case:
    """What is known when an incident is handled; `hidden` is what the model does not know."""

    kind: str
    severity: int
    earlier_purchases: int
    hidden: float


def no_goodwill(rng: np.random.Generator, case: Case) -> tuple[float, float, float]:
    return 0.0, math.nan, math.nan


@dataclass(frozen=True)
class Shop:
    """The truth: parameters, coefficients, and how incidents happen and are handled."""

    r: float
    alpha: float
    a: float
    b: float
    theta: dict[str, float]
    shared: bool = False
    per_purchase: float = 0.12
    delay: float = 1.0
    contact: float = 0.0
    severities: tuple[float, ...] = (0.5, 0.3, 0.15, 0.05)
    decay: float = 60.0
    hours: float = 20.0
    resolved: float = 0.8
    goodwill: Goodwill = no_goodwill
    hidden: float = 0.0
    """What one standard deviation of the hidden disposition adds to the log-odds."""

    @property
    def kinds(self) -> list[str]:
        return [n.removeprefix("type:") for n in self.theta if n.startswith("type:")]


@dataclass
class Seen:
    """What was seen, and what nobody sees."""

    histories: IncidentHistories
    alive: npt.NDArray[np.bool_]
    """At T, of the customers with incidents."""
    later: Floats
    """Their purchases in the time ahead."""
    plain_alive: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))


def one_incident(
    shop: Shop, rng: np.random.Generator, bought: int, before: float, hidden: float
) -> tuple[tuple[float, ...], float]:
    """What is known of an incident, from its kind on, and the log-odds of leaving (or ln ω)."""
    kind = int(rng.random() * len(shop.kinds))
    severity = 1 + int(np.searchsorted(np.cumsum(shop.severities), rng.random(), side="right"))
    case = Case(shop.kinds[kind], min(severity, 4), bought, hidden)
    goodwill, probability, expected = shop.goodwill(rng, case)
    hours, fixed = rng.exponential(shop.hours), float(rng.random() < shop.resolved)
    late = 0.5 * (1 - 2 ** (-max(0.0, hours - 4) / 24))
    odds = effect(shop, case, before, math.log(1 + goodwill), late, 1 - fixed)
    handled = (goodwill, hours, fixed, probability, expected)
    return (kind, case.severity, bought, before, *handled), odds


def effect(
    shop: Shop, case: Case, earlier_incident: float, v: float, late: float, bad: float
) -> float:
    """The log-odds of leaving, or ln ω; written out from the equation of the design."""
    t = shop.theta
    return (
        t[f"type:{case.kind}"]
        + t.get("severity", 0) * (case.severity - 1)
        + t.get("earlier_purchases", 0) * math.log(1 + case.earlier_purchases)
        + t.get("earlier_incident", 0) * earlier_incident
        + t.get("goodwill", 0) * v
        + t.get("lateness", 0) * late
        + t.get("unresolved", 0) * bad
        + shop.hidden * case.hidden
    )


def open_shop(
    shop: Shop, T: npt.ArrayLike, seed: int, *, ahead: float = 0.0, later_incidents: bool = True
) -> Seen:
    """Let customers come, observe them for times T, and go on for `ahead`."""
    rng = np.random.default_rng(seed)
    ends = np.asarray(T, dtype=float)
    some: list[tuple[float, float, float]] = []
    others: list[tuple[float, float, float]] = []
    columns: dict[str, list[float]] = {name: [] for name in COLUMNS}
    alive: list[bool] = []
    later: list[float] = []
    plain_alive: list[bool] = []
    for end in ends.tolist():
        x, t_x, left, more, incidents = one_customer(shop, end, rng, ahead, later_incidents)
        if incidents:
            for incident in incidents:
                for name, value in zip(COLUMNS, (len(some), *incident), strict=True):
                    columns[name].append(value)
            some.append((x, t_x, end))
            alive.append(left > end)
            later.append(more)
        else:
            others.append((x, t_x, end))
            plain_alive.append(left > end)
    plain = Histories.from_arrays(*np.array(others).T)
    v, expected = (np.array(columns[n]) for n in ("goodwill_ratio", "expected_goodwill"))
    step = np.where(np.isnan(expected), np.nan, np.log1p(v) > expected)
    histories = IncidentHistories.from_arrays(
        plain,
        *np.array(some).T,
        kinds=shop.kinds,
        step=step,
        **{name: np.array(column) for name, column in columns.items()},
    )
    return Seen(histories, np.array(alive), np.array(later), np.array(plain_alive))


COLUMNS = (
    *("incident_customer", "time", "contact", "kind", "severity", "earlier_purchases"),
    *("earlier_incident", "goodwill_ratio", "hours", "resolved", "assignment_probability"),
    "expected_goodwill",
)


def one_customer(
    shop: Shop, end: float, rng: np.random.Generator, ahead: float, later_incidents: bool
) -> tuple[float, float, float, float, list[tuple[float, ...]]]:
    """(x, t_x, time of leaving, purchases after T, incidents seen until T)."""
    rate = rng.gamma(shop.r, 1 / shop.alpha)
    p = rng.beta(shop.a, shop.b)
    hidden = rng.standard_normal()
    x, t_x, left, more, last = 0, 0.0, math.inf, 0, -math.inf
    pending: list[float] = []
    seen: list[tuple[float, ...]] = []

    def order(now: float) -> None:
        if rng.random() < shop.per_purchase and (now <= end or later_incidents):
            heapq.heappush(pending, now + rng.exponential(shop.delay))

    order(0.0)
    horizon = end + ahead
    buys = rng.exponential(1 / rate) if rate > 0 else math.inf
    while True:
        fails = pending[0] if pending else math.inf
        now = min(buys, fails)
        if now > horizon:
            break
        if buys <= fails:
            if now <= end:
                x, t_x = x + 1, now
            else:
                more += 1
            order(now)
            buys = now + rng.exponential(1 / rate)
            if rng.random() < p:
                left, buys = now, math.inf
            continue
        heapq.heappop(pending)
        reported = rng.random() < shop.contact
        here = left == math.inf
        if (reported and not here) or (now > end and not later_incidents):
            continue
        known, odds = one_incident(
            shop, rng, x + more, math.exp(-(now - last) / shop.decay), hidden
        )
        if now <= end:
            seen.append((now, reported, *known))
        last = now
        leaves = 1 - (1 - p) ** math.exp(odds) if shop.shared else 1 / (1 + math.exp(-odds))
        if here and rng.random() < leaves:
            left, buys = now, math.inf
    return x, t_x, left, more, seen
