"""A shop that does not exist, whose truth is known: orders, problems, goodwill and a campaign.

Every customer is lived through event by event, with nothing of the formulas by which the toolkit
later estimates: what is found in these data can be held against what was put in.

A customer with rate λ ~ Gamma(r, α) orders at exponential gaps and leaves after a repeat order
with probability p ~ Beta(a, b). Every order may go wrong. A problem ends the relationship with
logit π = base + the effects of :class:`Truth`. Late and missing goods are seen by operations
whether or not the customer is still there; the other problems are in the log only where the
customer, being there, reports them. Agents give more goodwill to those who are more upset, which
the log does not say; in an experiment a further step is drawn by chance. From its day on the
campaign keeps some of those who would leave after an order.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # a table is only needed when there is a shop
    import pandas as pd

__all__ = ["GROUP_FAILURE", "TRUTH", "Arm", "Problem", "Shop", "Truth", "simulate"]


INCIDENT_COLUMNS = (
    *("customer_id", "occurred_at", "type", "order_id", "severity", "loss_amount"),
    *("goodwill_amount", "goodwill_form", "response_hours", "detected_by", "resolved"),
    *("problem_id", "fault", "assigned_arm", "assignment_probability", "usual_offer", "step_offer"),
)
GROUP_FAILURE = "courier-strike"
Order = tuple[float, str, float]  # time in days, customer, amount


@dataclass(frozen=True)
class Problem:
    """One type of problem.

    Attributes
    ----------
    per_order : float
        Share of the orders it happens to.
    dropout : float
        π of a first incident of severity 1, after the first order, answered within
        `prompt_hours` and solved, without goodwill.
    detected_by : {"customer", "ops"}
        Who sees it.
    cause : str
        The `problem_id` of `cause_share` of them; the others have none.
    delay_days : float
        Mean days from the order to the problem.
    """

    per_order: float
    dropout: float
    detected_by: str
    fault: str
    cause: str
    cause_share: float
    delay_days: float


@dataclass(frozen=True)
class Arm:
    """One arm of the campaign: its share of the customers, and what it spends on each."""

    share: float
    spend: float


@dataclass(frozen=True)
class Truth:
    """All that the shop is made of. Times in days, money in euros.

    Attributes
    ----------
    r, alpha, a, b : float
        Of orders and of leaving, as in the BG/NBD model.
    p, q, v : float
        Of the amounts of orders, as in the Gamma-Gamma model.
    problems : mapping of str to Problem
        By type.
    severity, earlier_purchases, earlier_incident, goodwill, lateness, unresolved : float
        Added to logit π: for each level above 1; times ln(1 + earlier purchases); times
        exp(-days since the incident before / `decay_days`); times ln(1 + goodwill / loss); times
        1 - g(hours); where it was not solved.
    slow_share, prompt_hours, half_life_hours : float
        g(h) = slow_share + (1 - slow_share) 2^(-max(0, h - prompt_hours) / half_life_hours).
    upset, upset_share : float
        What agents feel and the log does not say: `upset_share` of the incidents hurt more, by
        `upset` (less upset times upset_share for all, so that the mean stays).
    usual_ratio : float
        Goodwill over loss that agents give by themselves, mostly to the upset.
    randomised_share, step_probability, step_ratio : float
        Of the incidents, those in the experiment; there goodwill is the usual one, and with
        `step_probability` `step_ratio` times the loss on top.
    group_failure_start, group_failure_days, group_failure_share
        Days and share of the orders that are late together, under :data:`GROUP_FAILURE`.
    campaign_start : date
        All customers who came before it are in the campaign.
    campaign_days : int
        For so long it works.
    arms : mapping of str to Arm
        "control" gets nothing.
    kept_share, spend_scale : float
        Of those who would leave after an order, an arm keeps
        kept_share (1 - exp(-spend / spend_scale)).
    """

    customers: int = 8000
    start: date = date(2022, 1, 1)
    end: date = date(2023, 12, 31)
    acquisition_days: int = 365
    r: float = 1.5
    alpha: float = 50.0
    a: float = 0.9
    b: float = 2.5
    p: float = 6.0
    q: float = 4.0
    v: float = 20.0
    problems: Mapping[str, Problem] = field(
        default_factory=lambda: {
            "late_delivery": Problem(0.05, 0.10, "ops", "carrier", "", 0.0, 6.0),
            "out_of_stock": Problem(0.03, 0.14, "ops", "company", "supplier-7", 0.6, 1.0),
            "defective": Problem(0.03, 0.25, "customer", "company", "packaging-line-2", 0.5, 8.0),
            "wrong_item": Problem(0.02, 0.18, "customer", "company", "picking-zone-b", 0.7, 5.0),
            "billing_error": Problem(0.01, 0.30, "customer", "company", "double-charge", 0.8, 12.0),
        }
    )
    severity: float = 0.45
    earlier_purchases: float = -0.30
    earlier_incident: float = 0.9
    decay_days: float = 60.0
    goodwill: float = -1.3
    lateness: float = 1.5
    unresolved: float = 1.0
    slow_share: float = 0.5
    prompt_hours: float = 4.0
    half_life_hours: float = 24.0
    upset: float = 1.0
    upset_share: float = 0.3
    usual_ratio: float = 0.5
    randomised_share: float = 0.6
    step_probability: float = 0.4
    step_ratio: float = 1.0
    group_failure_start: date = date(2022, 11, 21)
    group_failure_days: int = 5
    group_failure_share: float = 0.7
    campaign_start: date = date(2023, 5, 1)
    campaign_days: int = 245
    arms: Mapping[str, Arm] = field(
        default_factory=lambda: {
            "control": Arm(0.4, 0.0),
            "letter": Arm(0.2, 2.0),
            "voucher": Arm(0.4, 8.0),
        }
    )
    kept_share: float = 0.9
    spend_scale: float = 4.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it; dates as text."""
        said = asdict(self)
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in said.items()}

    def kept(self, arm: str) -> float:
        """Share of those who would leave after an order that an arm keeps.

        >>> round(TRUTH.kept("letter"), 4), TRUTH.kept("control")
        (0.3541, 0.0)
        """
        return self.kept_share * -math.expm1(-self.arms[arm].spend / self.spend_scale)

    def dropout(
        self,
        kind: str,
        *,
        severity: int,
        earlier_purchases: int,
        earlier_incident: float,
        goodwill_ratio: float,
        hours: float,
        resolved: bool,
        upset: float = 0.0,
    ) -> float:
        """Probability that an incident ends the relationship; `upset` is that above the mean.

        >>> round(TRUTH.dropout("defective", severity=1, earlier_purchases=0, earlier_incident=0,
        ...                     goodwill_ratio=0, hours=1, resolved=True), 4)
        0.25
        """
        base = self.problems[kind].dropout
        late = max(0.0, hours - self.prompt_hours) / self.half_life_hours
        logit = (
            math.log(base / (1 - base))
            + self.severity * (severity - 1)
            + self.earlier_purchases * math.log1p(earlier_purchases)
            + self.earlier_incident * earlier_incident
            + self.goodwill * math.log1p(goodwill_ratio)
            + self.lateness * (1 - self.slow_share) * (1 - 2**-late)
            + self.unresolved * (not resolved)
            + self.upset * upset
        )
        return 1 / (1 + math.exp(-logit))


TRUTH = Truth()
"""The truth of the bundled shop."""


@dataclass(frozen=True, eq=False)
class Shop:
    """What a shop's systems know.

    Attributes
    ----------
    orders : pandas.DataFrame
        `order_id`, `customer_id`, `date`, `amount`.
    incidents : pandas.DataFrame
        All the columns that :func:`clv.read_incidents` knows.
    campaigns : pandas.DataFrame
        `customer_id`, `date`, `arm`, `spend`, `assignment_probability`.
    """

    orders: pd.DataFrame
    incidents: pd.DataFrame
    campaigns: pd.DataFrame


def simulate(truth: Truth = TRUTH, *, seed: int = 1) -> Shop:
    """Live through the shop's customers, one after the other.

    Parameters
    ----------
    truth : Truth
        What the shop is made of.
    seed : int
        Of the random numbers; the bundled data are of the default.

    Returns
    -------
    Shop
        Its orders, incidents and campaign.

    Examples
    --------
    >>> from dataclasses import replace
    >>> shop = simulate(replace(TRUTH, customers=50))
    >>> shop.orders["customer_id"].nunique(), sorted(shop.campaigns["arm"].unique())
    (50, ['control', 'letter', 'voucher'])
    """
    import pandas as pd

    # RandomState, because its streams are frozen: the same data with every version of NumPy.
    rng = np.random.RandomState(seed)
    orders: list[Order] = []
    incidents: list[dict[str, Any]] = []
    campaigns: list[tuple[Any, ...]] = []
    names = list(truth.arms)
    shares = np.cumsum([arm.share for arm in truth.arms.values()])
    for number in range(truth.customers):
        who = f"c{number + 1:05d}"
        arm = names[int(np.searchsorted(shares, rng.random_sample() * shares[-1], side="right"))]
        life = _Life(truth, rng, who, arm)
        life.live()
        orders += life.orders
        incidents += life.incidents
        if life.born < life.campaign:
            share = truth.arms[arm].share
            campaigns.append((who, truth.campaign_start, arm, truth.arms[arm].spend, share))
    columns = ["customer_id", "date", "arm", "spend", "assignment_probability"]
    campaign = pd.DataFrame(campaigns, columns=columns).astype({"date": "datetime64[us]"})
    orders.sort()
    ids = {order: f"o{i:06d}" for i, order in enumerate(orders, start=1)}
    start = np.datetime64(truth.start, "m")
    table = pd.DataFrame(orders, columns=["at", "customer_id", "amount"])
    table["order_id"] = list(ids.values())
    table["date"] = (start + _minutes(table["at"])).astype("datetime64[D]").astype("datetime64[us]")
    log = pd.DataFrame(incidents, columns=["at", "order", *INCIDENT_COLUMNS])
    log = log.sort_values(["at", "customer_id"], ignore_index=True)
    log["order_id"] = [ids[order] for order in log["order"]]
    log["occurred_at"] = (start + _minutes(log["at"])).astype("datetime64[us]")
    return Shop(
        orders=table[["order_id", "customer_id", "date", "amount"]],
        incidents=log[list(INCIDENT_COLUMNS)],
        campaigns=campaign,
    )


def _minutes(days: pd.Series[float]) -> npt.NDArray[np.timedelta64]:
    """Whole minutes of a time in days."""
    return np.floor(days.to_numpy(dtype=float) * 24 * 60).astype("timedelta64[m]")


class _Life:
    """One customer, from the first order to the end of the shop."""

    def __init__(self, truth: Truth, rng: np.random.RandomState, who: str, arm: str) -> None:
        self.truth, self.rng, self.who, self.arm = truth, rng, who, arm
        self.end = (truth.end - truth.start).days + 1.0
        self.campaign = float((truth.campaign_start - truth.start).days)
        self.born = rng.random_sample() * truth.acquisition_days
        self.rate = rng.gamma(truth.r) / truth.alpha
        self.leaves = rng.beta(truth.a, truth.b)
        self.worth = rng.gamma(truth.q) / truth.v
        self.alive = True
        self.orders: list[Order] = []
        self.incidents: list[dict[str, Any]] = []
        self.pending: list[tuple[float, str, str, Order]] = []

    def live(self) -> None:
        """Order, have problems, and perhaps leave, in the order of time."""
        at = self.born
        while at < self.end and self.alive:
            self._order(at)
            at += self.rng.exponential() / self.rate
            while self.pending and self.pending[0][0] < at:
                self._incident(*heapq.heappop(self.pending))
        while self.pending:
            self._incident(*heapq.heappop(self.pending))

    def _order(self, at: float) -> None:
        truth, rng = self.truth, self.rng
        amount = max(0.01, round(rng.gamma(truth.p) / self.worth, 2))
        order = (at, self.who, amount)
        if self.orders and rng.random_sample() < self.leaves:
            works = self.campaign <= at < self.campaign + truth.campaign_days
            self.alive = works and rng.random_sample() < truth.kept(self.arm)
        self.orders.append(order)
        self._may_go_wrong(order)

    def _may_go_wrong(self, order: Order) -> None:
        truth, rng = self.truth, self.rng
        at, strike = order[0], (truth.group_failure_start - truth.start).days
        draw, delay = rng.random_sample(), rng.exponential()
        if strike <= at < strike + truth.group_failure_days:
            if draw < truth.group_failure_share:
                late = truth.problems["late_delivery"].delay_days * (0.5 + delay / 2)
                heapq.heappush(self.pending, (at + late, "late_delivery", GROUP_FAILURE, order))
            return
        for kind, problem in truth.problems.items():
            if draw < problem.per_order:
                when = at + problem.delay_days * (0.5 + delay / 2)
                heapq.heappush(self.pending, (when, kind, "", order))
                return
            draw -= problem.per_order

    def _incident(self, at: float, kind: str, group: str, order: Order) -> None:
        truth, rng = self.truth, self.rng
        problem = truth.problems[kind]
        draws = rng.random_sample(10)
        if at >= self.end or (problem.detected_by == "customer" and not self.alive):
            return
        severity = 3 if group else 1 + int(np.searchsorted((0.5, 0.8, 0.95), draws[0]))
        loss = max(0.01, round(order[2] * (0.2 + 0.8 * draws[1]), 2))
        hours = round(math.exp(1.9 + 1.1 * rng.standard_normal()), 1)
        resolved = bool(draws[2] < 0.88)
        drawn, step = draws[3] < truth.randomised_share, draws[8] < truth.step_probability
        upset = bool(draws[9] < truth.upset_share)
        usual = draws[4] < (0.9 if upset else 0.05 + 0.1 * severity)
        offer = round(truth.usual_ratio * usual * loss, 2)
        with_step = round((truth.usual_ratio * usual + truth.step_ratio) * loss, 2)
        goodwill = with_step if drawn and step else offer
        day, before = int(at), [int(i["at"]) for i in self.incidents[-1:]]
        days = {int(ordered_at) for ordered_at, _, _ in self.orders}
        pi = truth.dropout(
            kind,
            severity=severity,
            earlier_purchases=len(days) - 1,  # but the one that went wrong
            earlier_incident=sum(math.exp(-(day - d) / truth.decay_days) for d in before),
            goodwill_ratio=goodwill / loss,
            hours=hours,
            resolved=resolved,
            upset=upset - truth.upset_share,
        )
        if self.alive and draws[5] < pi:
            self.alive = False
        cause = group or problem.cause
        share = truth.step_probability if step else 1 - truth.step_probability
        known = drawn or draws[6] < 0.95  # some agents do not write down what they gave
        self.incidents.append(
            {
                "at": at,
                "customer_id": self.who,
                "type": kind,
                "order": order,
                "severity": severity,
                "loss_amount": loss,
                "goodwill_amount": goodwill if known else None,
                "goodwill_form": "credit" if known and goodwill else None,
                "response_hours": hours,
                "detected_by": problem.detected_by,
                "resolved": resolved,
                "problem_id": cause if group or draws[7] < problem.cause_share else None,
                "fault": problem.fault,
                "assigned_arm": ("step" if step else "usual") if drawn else None,
                "assignment_probability": share if drawn else None,
                "usual_offer": offer if drawn else None,
                "step_offer": with_step if drawn else None,
            }
        )
