"""The simulated shop lived through: orders, problems, goodwill and the campaign, event by event."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clv.simulated_shop.truth import GROUP_FAILURE, TRUTH, Truth

if TYPE_CHECKING:  # a table is only needed when there is a shop
    import pandas as pd

__all__ = ["Shop", "simulate"]

INCIDENT_COLUMNS = (
    *("customer_id", "occurred_at", "type", "order_id", "severity", "loss_amount"),
    *("goodwill_amount", "goodwill_form", "response_hours", "detected_by", "resolved"),
    *("problem_id", "fault", "assigned_arm", "assignment_probability", "usual_offer", "step_offer"),
)
Order = tuple[float, str, float]  # time in days, customer, amount


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
