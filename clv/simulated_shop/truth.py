"""What the simulated shop is made of: every figure that an estimate can be held against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

__all__ = ["GROUP_FAILURE", "TRUTH", "Arm", "Problem", "Truth"]

GROUP_FAILURE = "courier-strike"
"""The `problem_id` of the orders that are late together."""


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
