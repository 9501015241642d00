"""The answer to one customer's problem: what may be spent, and all that it was read off."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from clv.recommend.abuse import AbuseReview
from clv.recommend.integral import RiskAverse
from clv.recommend.statutory import Owed

__all__ = ["FormFigures", "Recovery", "RecoveryInputs"]


@dataclass(frozen=True)
class RecoveryInputs:
    """What a recovery limit was computed from; amounts in money.

    Attributes
    ----------
    value_if_alive : float
        Value from now on if the customer stays.
    p_alive : float
        Probability that the customer is still one.
    frequency : float
        Purchases before the one that went wrong.
    hours, severity : float
        Hours from the problem to the answer; level 1 to 4.
    days_since_incident : float or None
        Days since the customer's problem before this one.
    word_of_mouth, given_12_months, already_given : float
        At stake through word of mouth; goodwill given in the 12 months before on other problems,
        and on this one so far.
    value_share : float or None
        The customer's value as a part of that of all; None if not known.
    form : str
        "cash" or "credit".
    unit_cost : float
        Real cost of one unit of face value.
    dropout : float
        Part of such customers who leave if nothing is done.
    promptness : float
        What the answer does after this wait, as a part of what a prompt one does.
    net_gain : float
        What the recommended amount is expected to keep, less its real cost.
    gain_of_asking, cost_of_asking : float
        What the recommended amount gains over what the agent may give now; what asking costs.
    value_low, value_high : float or None
        10 and 90 % points of the value from now on, as far as it was learned; None if not known.
    """

    value_if_alive: float
    p_alive: float
    frequency: float
    hours: float
    severity: float
    days_since_incident: float | None
    word_of_mouth: float
    given_12_months: float
    already_given: float
    value_share: float | None
    form: str
    unit_cost: float
    dropout: float
    promptness: float
    net_gain: float
    gain_of_asking: float
    cost_of_asking: float
    value_low: float | None = None
    value_high: float | None = None


@dataclass(frozen=True)
class FormFigures:
    """The figures for one form of goodwill, at face value.

    Attributes
    ----------
    form : str
        "cash" or "credit".
    unit_cost : float
        Real cost of one unit of face value.
    first_gesture, recommended, most : float
        As in :class:`~clv.recommend.limits.RecoveryLimits`.
    net_gain : float
        What `recommended` is expected to keep, less its real cost.
    """

    form: str
    unit_cost: float
    first_gesture: float
    recommended: float
    most: float
    net_gain: float


@dataclass(frozen=True)
class Recovery:
    """What may be spent on one customer's problem, on top of what the customer is owed.

    `first_gesture`, `recommended`, `most` and `pay_now` are for now: what comes on top of what has
    been given on this problem already.

    Attributes
    ----------
    customer_id : str or None
        Whose problem it is.
    sentence : str
        The answer in one sentence.
    problem : str
        Key of the problem type.
    loss : float
        What the customer lost by it.
    first_gesture, recommended, most, ceiling, floor, pay_now : float
        Amounts at face value, as in :class:`~clv.recommend.limits.RecoveryLimits`.
    authority : str
        The tier that may approve `recommended`, or "a person decides".
    escalate : bool
        Whether asking a higher tier is worth it.
    binding, amount_binding : str
        What decided `recommended`, one of :data:`~clv.recommend.limits.BINDINGS`; the second says
        it also where a person decides.
    cost_per_hour, cost_per_late_hour : float
        Value lost for each hour that the answer takes longer: now, and right after the hours that
        count as prompt.
    stage : str
        Where the customer stands, by the policy's labels; empty where not known.
    reasons : tuple of str
        Why, in plain sentences.
    warnings : tuple of str
        What somebody should look at: claims, a policy that pays more than is at stake.
    owed : tuple of Owed
        What the law gives by the policy's tables, whatever else is given.
    other_form : FormFigures
        The figures for the other form of goodwill, beside this one.
    risk_averse : RiskAverse or None
        Of an integral customer: what saving them is worth to the company.
    review : AbuseReview or None
        Whether a person should look at the customer's claims; None where their number is not known.
    assumed, learned : tuple of str
        Dotted keys of the policy values used that the company has not set itself, and of those
        that its own record has taught.
    inputs : RecoveryInputs
        What it was computed from.
    currency : str
        Code of the currency; empty where the policy does not state it.
    policy_version : str
        Of the policy used.
    recommended_low, recommended_high : float or None
        10-90 % range of `recommended`, from what is not known of the customer's value and of the
        dropout of the problem; None if it was not given.
    without_range : str
        Why there is no range; empty where there is one.
    """

    customer_id: str | None
    sentence: str
    problem: str
    loss: float
    first_gesture: float
    recommended: float
    most: float
    ceiling: float
    floor: float
    authority: str
    pay_now: float
    escalate: bool
    binding: str
    amount_binding: str
    cost_per_hour: float
    cost_per_late_hour: float
    stage: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    owed: tuple[Owed, ...]
    other_form: FormFigures
    risk_averse: RiskAverse | None
    review: AbuseReview | None
    assumed: tuple[str, ...]
    learned: tuple[str, ...]
    inputs: RecoveryInputs
    currency: str
    policy_version: str
    recommended_low: float | None = None
    recommended_high: float | None = None
    without_range: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        values = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    def row(self) -> dict[str, Any]:
        """Return one flat row, ready for CSV: sentences joined, what has parts left out."""
        told = self.to_dict()
        parts = ("inputs", "other_form", "risk_averse", "review", "owed")
        return {
            key: "; ".join(value) if isinstance(value, list) else value
            for key, value in told.items()
            if key not in parts
        }
