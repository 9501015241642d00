r"""What problems have cost, by type, product or cause, and what preventing them is worth.

Symbols, of incident j: V_j, the value from then on of its customer, if alive; A_j, the probability
that the customer was still there just before (1 after a contact); π0_j, the part who leave if
nothing is done; π_j, the part who leave as it was handled; ℓ_j, the probability that this customer
left over it, given all that was seen since; s_j goodwill and c_j its real cost per unit.

    at risk   Σ A_j π0_j V_j        lost, as was to be expected   Σ A_j π_j V_j
    lost, as it turned out          Σ ℓ_j V_j
    worth of preventing one         w = mean(A_j π_j V_j) + mean(c_j s_j)
    worth of preventing a year's    N w,  N incidents in the last year

Expected and seen are held against each other twice: in value lost, and in who came back. Who comes
back is expected with probability p_j; the expected share has the variance of the model's draws plus
that of chance, where the incidents of one customer are taken to go the same way (Cauchy-Schwarz),
so that the interval is rather too wide than too narrow.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import RequestError

__all__ = ["Cause", "IncidentRecord", "causes"]

DAYS_PER_YEAR = 365.25
LEVEL = 0.8
REACH = 1.2815515655446004
"""The 90 % point of the normal law: 80 % lie between it and its opposite."""


@dataclass(frozen=True, eq=False)
class IncidentRecord:
    """What is known of each of m incidents; money at face value, in that of the orders.

    Attributes
    ----------
    customer : ndarray of int, shape (m,)
        Whose it was.
    value : ndarray, shape (m,)
        V.
    there : ndarray, shape (m,)
        A.
    dropout_alone : ndarray, shape (m,)
        π0.
    dropout : ndarray, shape (D, m)
        π, by each of D equally likely models.
    left : ndarray, shape (m,)
        ℓ.
    returned : ndarray of bool, shape (m,)
        Whether the customer bought again, as far as was observed.
    p_returned : ndarray, shape (D, m)
        Probability of that, by what was known at the incident.
    goodwill, recommended : ndarray, shape (m,)
        What was given, and what the policy recommends; nan where it is not known.
    unit_cost : ndarray, shape (m,)
        c.
    again : ndarray of bool, shape (m,)
        Whether the customer had had an incident before.
    days_ago : ndarray, shape (m,)
        From the incident to the end of observation.
    """

    customer: npt.NDArray[np.int64]
    value: Floats
    there: Floats
    dropout_alone: Floats
    dropout: Floats
    left: Floats
    returned: npt.NDArray[np.bool_]
    p_returned: Floats
    goodwill: Floats
    recommended: Floats
    unit_cost: Floats
    again: npt.NDArray[np.bool_]
    days_ago: Floats

    def __post_init__(self) -> None:
        """Refuse arrays that are not of the same incidents."""
        m = len(self.customer)
        wrong = [
            f"{name} has shape {np.shape(value)}; its last axis must be the {m:,} incidents."
            for name, value in vars(self).items()
            if np.shape(value)[-1:] != (m,)
        ]
        if wrong:
            raise RequestError.of(wrong)


@dataclass(frozen=True)
class Cause:
    """What one cause has cost, and what preventing it is worth; money in that of the orders.

    Attributes
    ----------
    name : str
        The type, product or cause.
    incidents, customers : int
        How many, and of how many customers.
    per_year : float
        Incidents in the last year; where less was observed, as many as it would have been.
    last_days_ago : float
        Days from the last one to the end of observation.
    at_risk : float
        Value that would have been lost, had nothing been done.
    lost_expected, lost_low, lost_high : float
        Value lost as they were handled, as was to be expected; 80 % interval of how many leave.
    lost : float
        The same by what was seen since.
    goodwill : float
        Goodwill given, where it is known how much.
    goodwill_recommended : float
        What the policy recommends for these, where that can be said too.
    goodwill_known : int
        How many these are.
    returned : float
        Part of the incidents after which the customer bought again.
    returned_expected, returned_low, returned_high : float
        The part that was to be expected, with the 80 % interval of what chance may make of it.
    again : int
        Incidents of customers who had had one before.
    worth_of_one, worth_of_one_low, worth_of_one_high : float
        What preventing the next one is worth; 80 % interval of how many leave.
    worth_of_year : float
        What preventing a year of them is worth: the most that prevention may cost a year.
    """

    name: str
    incidents: int
    customers: int
    per_year: float
    last_days_ago: float
    at_risk: float
    lost_expected: float
    lost_low: float
    lost_high: float
    lost: float
    goodwill: float
    goodwill_recommended: float
    goodwill_known: int
    returned: float
    returned_expected: float
    returned_low: float
    returned_high: float
    again: int
    worth_of_one: float
    worth_of_one_low: float
    worth_of_one_high: float
    worth_of_year: float

    @property
    def as_expected(self) -> bool:
        """Whether as many came back as chance would let expect."""
        return self.returned_low <= self.returned <= self.returned_high

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self) | {"as_expected": self.as_expected}


def causes(names: npt.ArrayLike, record: IncidentRecord, *, days: float) -> tuple[Cause, ...]:
    """Say what each cause has cost and what preventing it is worth, the most at risk first.

    Parameters
    ----------
    names : array_like of str, shape (m,)
        The cause of each incident.
    record : IncidentRecord
        What is known of them.
    days : float
        Days of observation, from the first incident of the log to the end, above 0.

    Returns
    -------
    tuple of Cause

    Raises
    ------
    RequestError
        Where there is not one name an incident, or the days are not above 0.

    Examples
    --------
    >>> one = np.ones(4)
    >>> record = IncidentRecord(
    ...     customer=np.array([0, 1, 1, 2]), value=100 * one, there=one, dropout_alone=0.3 * one,
    ...     dropout=np.array([0.2 * one, 0.2 * one]), left=0.1 * one, returned=one > 0,
    ...     p_returned=np.array([0.7 * one, 0.9 * one]), goodwill=5 * one, recommended=4 * one,
    ...     unit_cost=one, again=np.array([False, False, True, False]),
    ...     days_ago=np.array([10.0, 400.0, 20.0, 30.0]))
    >>> late, broken = causes(["late", "late", "late", "broken"], record, days=500)
    >>> late.name, late.customers, round(late.at_risk), round(late.worth_of_year)
    ('late', 2, 90, 50)
    """
    labels = np.asarray(names).astype(str)
    if labels.shape != record.customer.shape:
        raise RequestError(
            f"There must be one name for each of {len(record.customer):,} incidents; got "
            f"shape {labels.shape}."
        )
    if not (math.isfinite(days) and days > 0):
        raise RequestError(f"The days of observation must be above 0; got {days:g}.")
    found = [_cause(name, labels == name, record, days) for name in np.unique(labels).tolist()]
    return tuple(sorted(found, key=lambda cause: (-cause.at_risk, cause.name)))


def _cause(name: str, some: npt.NDArray[np.bool_], record: IncidentRecord, days: float) -> Cause:
    n = int(some.sum())
    V, A = record.value[some], record.there[some]
    lost = record.dropout[:, some] @ (A * V)  # by each model
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(lost, tails).tolist()
    given, advised = record.goodwill[some], record.recommended[some]
    known = ~np.isnan(given) & ~np.isnan(advised)
    told = ~np.isnan(given)
    per_goodwill = float(np.mean((given * record.unit_cost[some])[told])) if told.any() else 0.0
    expected = float(lost.mean())
    recent = int((record.days_ago[some] < DAYS_PER_YEAR).sum())
    per_year = float(recent) if days >= DAYS_PER_YEAR else n * DAYS_PER_YEAR / days
    customers = record.customer[some]
    back, spread = _returned(record.p_returned[:, some], customers)
    worth = expected / n + per_goodwill
    return Cause(
        name=name,
        incidents=n,
        customers=len(np.unique(customers)),
        per_year=per_year,
        last_days_ago=float(record.days_ago[some].min()),
        at_risk=float(np.sum(A * record.dropout_alone[some] * V)),
        lost_expected=expected,
        lost_low=low,
        lost_high=high,
        lost=float(np.sum(record.left[some] * V)),
        goodwill=float(np.sum(given[known])),
        goodwill_recommended=float(np.sum(advised[known])),
        goodwill_known=int(known.sum()),
        returned=float(np.mean(record.returned[some])),
        returned_expected=back,
        returned_low=max(0.0, back - REACH * spread),
        returned_high=min(1.0, back + REACH * spread),
        again=int(record.again[some].sum()),
        worth_of_one=worth,
        worth_of_one_low=low / n + per_goodwill,
        worth_of_one_high=high / n + per_goodwill,
        worth_of_year=per_year * worth,
    )


def _returned(p: Floats, customer: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Expected share of those who come back, and its standard deviation, chance included."""
    n = p.shape[1]
    shares = p.mean(axis=1)
    mean = p.mean(axis=0)
    _, who = np.unique(customer, return_inverse=True)
    of_customers = np.bincount(who, np.sqrt(mean * (1 - mean)))
    chance = float(of_customers @ of_customers) / n**2
    return float(shares.mean()), math.sqrt(float(np.var(shares)) + chance)
