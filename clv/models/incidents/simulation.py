"""Draw histories with incidents from the model.

Without dropout a customer would buy K ~ Poisson(λT) times at uniform times, and each purchase, the
first too, brings an incident with a probability of its own, some time later. Purchases and
incidents are gone through in the order of time, all customers at once. A purchase is made by those
who are still there, and may end the relationship. An incident happens to an order that was made;
one that customers report happens to those who are still there, one that operations see also to
those who have left since the order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from clv.arrays import Floats
from clv.errors import ParameterError
from clv.history import Histories
from clv.incident_history import IncidentHistories
from clv.models.incidents.covariates import KNOWN, covariates

if TYPE_CHECKING:
    from clv.models.incidents.model import IncidentBGNBD

__all__ = ["IncidentProcess", "simulate"]


Handle = Callable[[np.random.Generator, Floats, Floats], Mapping[str, Floats]]
"""(rng, severity, earlier purchases) of some incidents to what is done about them: any of
`goodwill_ratio`, `hours` and `resolved`."""


@dataclass(frozen=True)
class IncidentProcess:
    """When incidents happen, and what is known of them.

    Parameters
    ----------
    per_purchase : float
        Probability that a purchase brings an incident.
    kinds : mapping of str to float
        Share of each type of incident; they add up to 1.
    delay : float
        Mean time from the purchase to the incident, exponential; 0 for at once.
    contact : float
        Share of incidents that the customer reports, which only those who are still there do.
    severities : tuple of float, length 4
        Shares of the severities 1 to 4.
    decay : float
        Time over which an earlier incident's weight falls to 1/e.
    handle : callable, optional
        What is done: see :data:`Handle`; by default every incident is answered at once and
        resolved, without goodwill.
    """

    per_purchase: float
    kinds: Mapping[str, float] = field(hash=False)
    delay: float = 0.0
    contact: float = 0.0
    severities: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    decay: float = 60.0
    handle: Handle | None = None

    def __post_init__(self) -> None:
        """Refuse shares that are none, all faults at once."""
        faults = [
            f"{name} lies from 0 to 1; got {value:g}"
            for name, value in (("per_purchase", self.per_purchase), ("contact", self.contact))
            if not 0 <= value <= 1
        ]
        for name, shares in (
            ("kinds", tuple(self.kinds.values())),
            ("severities", self.severities),
        ):
            if not (all(s >= 0 for s in shares) and math.isclose(sum(shares), 1)):
                faults.append(f"The shares of {name} must add up to 1, none below 0")
        if not (self.delay >= 0 and self.decay > 0):
            faults.append("The delay cannot be negative, and the decay must be above 0")
        if faults:
            raise ParameterError.of(faults)


@dataclass(frozen=True)
class _Events:
    """What can happen, sorted by customer and time; `ordered` is when an incident's order was."""

    customer: npt.NDArray[np.intp]
    time: Floats
    ordered: Floats
    incident: npt.NDArray[np.bool_]


def simulate(
    model: IncidentBGNBD, T: Floats, rng: np.random.Generator, process: IncidentProcess
) -> IncidentHistories:
    """Draw new customers observed for times T; see :meth:`clv.IncidentBGNBD.simulate`."""
    n = len(T)
    p = rng.beta(model.a, model.b, n)
    events = _events(rng.gamma(model.r, 1 / model.alpha, n), T, rng, process)
    x, t_x, left, last = np.zeros(n), np.zeros(n), np.full(n, np.inf), np.full(n, -np.inf)
    sizes = np.bincount(events.customer, minlength=n)
    first = np.cumsum(sizes) - sizes
    noted: list[dict[str, npt.NDArray[np.generic]]] = []
    shares = list(process.kinds.values())
    for k in range(int(sizes.max(initial=0))):
        who = np.flatnonzero(sizes > k)
        at = first[who] + k
        time, incident, here = events.time[at], events.incident[at], np.isinf(left[who])
        buys = ~incident & here
        x[who[buys]] += 1
        t_x[who[buys]] = time[buys]
        goes = buys & (rng.random(len(who)) < p[who])
        left[who[goes]] = time[goes]
        reported = rng.random(len(who)) < process.contact
        made = events.ordered[at] <= left[who]
        happens = incident & made & (here | ~reported)
        whose, when = who[happens], time[happens]
        if not len(whose):
            continue
        severity = np.asarray(1.0 + rng.choice(4, len(whose), p=process.severities))
        done = process.handle(rng, severity, x[whose]) if process.handle else {}
        known = {
            "kind": rng.choice(len(shares), len(whose), p=shares),
            "severity": severity,
            # Of the x repeat and one first purchase the last is taken to be the order that failed.
            "earlier_purchases": x[whose],
            "earlier_incident": np.exp(-(when - last[whose]) / process.decay),
            "goodwill_ratio": np.zeros(len(whose)),
            "hours": np.zeros(len(whose)),
            "resolved": np.ones(len(whose)),
            **done,
        }
        noted.append({"who": whose, "time": when, "contact": reported[happens], **known})
        eta = model.theta @ covariates(
            model.names, model.handling, kinds=tuple(process.kinds), drawn=np.zeros(len(whose)),
            **known,
        )  # fmt: skip
        if model.link == "separate":
            leaves = expit(eta)
        else:
            leaves = -np.expm1(np.exp(eta) * np.log1p(-p[whose]))
        goes = np.isinf(left[whose]) & (rng.random(len(whose)) < leaves)
        left[whose[goes]] = when[goes]
        last[whose] = when
    return _histories(x, t_x, T, noted, tuple(process.kinds))


def _events(rate: Floats, T: Floats, rng: np.random.Generator, process: IncidentProcess) -> _Events:
    n = len(T)
    repeat = np.repeat(np.arange(n), rng.poisson(rate * T))
    buyer = np.concatenate([np.arange(n), repeat])  # the first purchases too bring incidents
    bought = np.concatenate([np.zeros(n), rng.random(len(repeat)) * T[repeat]])
    brings = rng.random(len(buyer)) < process.per_purchase
    later = process.delay * rng.exponential(size=int(brings.sum()))
    customer = np.concatenate([repeat, buyer[brings]])
    time = np.concatenate([bought[n:], bought[brings] + later])
    ordered = np.concatenate([bought[n:], bought[brings]])
    incident = np.arange(len(customer)) >= len(repeat)
    seen = time <= T[customer]
    customer, time, ordered, incident = (v[seen] for v in (customer, time, ordered, incident))
    order = np.lexsort((incident, time, customer))
    return _Events(customer[order], time[order], ordered[order], incident[order])


def _histories(
    x: Floats,
    t_x: Floats,
    T: Floats,
    noted: list[dict[str, npt.NDArray[np.generic]]],
    kinds: tuple[str, ...],
) -> IncidentHistories:
    """Sort what was noted by customer, and put customers without incidents into patterns."""
    columns = ("who", "time", "contact", "kind", *KNOWN)
    one = {c: np.concatenate([n[c] for n in noted]) if noted else np.zeros(0) for c in columns}
    order = np.argsort(one["who"], kind="stable")  # the rounds are in the order of time
    one = {c: v[order] for c, v in one.items()}
    with_any, whose = np.unique(one.pop("who"), return_inverse=True)
    some = np.zeros(len(x), dtype=bool)
    some[with_any.astype(np.intp)] = True
    rest = ~some
    if rest.any():
        plain = Histories.from_arrays(x[rest], t_x[rest], T[rest])
    else:
        none = np.zeros(0)
        plain = Histories(none, none, none, none)
    return IncidentHistories.from_arrays(
        plain, x[some], t_x[some], T[some], incident_customer=whose, kinds=kinds, **one
    )
