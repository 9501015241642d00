"""What may be spent on fixing one customer's problem, and why, in words to be read aloud."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from clv.errors import RequestError
from clv.recommend.limits import BINDINGS, PERSON, RecoveryLimits, recovery_limits
from clv.recommend.policy import Policy
from clv.recommend.recovery_words import reasons_for
from clv.recommend.response import Form, unit_cost

__all__ = ["Recovery", "RecoveryInputs", "recovery_limit"]


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
    word_of_mouth, given_12_months : float
        At stake through word of mouth; goodwill given in the 12 months before.
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
class Recovery:
    """What may be spent on one customer's problem, on top of what the customer is owed.

    Attributes
    ----------
    customer_id : str or None
        Whose problem it is.
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
    binding : str
        What decided `recommended`, one of :data:`~clv.recommend.limits.BINDINGS`.
    reasons : tuple of str
        Why, in plain sentences.
    assumed : tuple of str
        Dotted keys of the policy values used that the company has not set itself.
    inputs : RecoveryInputs
        What it was computed from.
    currency : str
        Code of the currency; empty where the policy does not state it.
    policy_version : str
        Of the policy used.
    recommended_low, recommended_high : float or None
        10-90 % range of `recommended`, from that of the customer's value; None if not known.
    without_range : str
        Why there is no range; empty where there is one.
    """

    customer_id: str | None
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
    reasons: tuple[str, ...]
    assumed: tuple[str, ...]
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


def recovery_limit(
    policy: Policy,
    problem: str,
    loss: float,
    *,
    value_if_alive: float,
    frequency: float,
    hours: float = 0.0,
    severity: float = 1,
    days_since_incident: float | None = None,
    p_alive: float = 1.0,
    word_of_mouth: float = 0.0,
    given_12_months: float = 0.0,
    customer_id: str | None = None,
    form: Form = "cash",
    value_low: float | None = None,
    value_high: float | None = None,
    without_range: str = "The uncertainty of the customer's value was not given.",
) -> Recovery:
    """Return what may be spent on one customer's problem, and why.

    Parameters
    ----------
    policy, loss, value_if_alive, frequency, hours, severity, days_since_incident
        As in :func:`~clv.recommend.limits.recovery_limits`, one number each.
    problem : str
        Key or label of a problem type, in any case, with blanks or hyphens for underscores.
    p_alive, word_of_mouth, given_12_months, form
        The same.
    customer_id : str, optional
        Repeated in the answer.
    value_low, value_high : float, optional
        10 and 90 % points of the value from now on; the range of the answer comes from them.
    without_range : str
        Why they are not given.

    Returns
    -------
    Recovery

    Raises
    ------
    UnknownNameError
        Where the policy has no such problem type.
    RequestError
        Where an amount, a time, a level or a probability makes no sense.

    Examples
    --------
    >>> answer = recovery_limit(Policy(), "defective", 40.0, value_if_alive=2000.0, frequency=2)
    >>> answer.first_gesture, answer.recommended, answer.authority
    (13.0, 27.0, 'agent')
    >>> print(answer.reasons[0])
    Kept, this customer is worth about 2,000.00 from here on.
    """
    if days_since_incident is not None and math.isnan(days_since_incident):
        days_since_incident = None
    asked: dict[str, Any] = {
        "value_if_alive": value_if_alive,
        "p_alive": p_alive,
        "frequency": frequency,
        "hours": hours,
        "severity": severity,
        "days_since_incident": days_since_incident,
        "word_of_mouth": word_of_mouth,
        "given_12_months": given_12_months,
        "form": form,
    }
    problem = _key(policy, problem)
    limits = recovery_limits(policy, problem, loss, **asked)
    if limits.recommended.ndim:
        raise RequestError(
            "A recovery limit is for one customer; got numbers of shape "
            f"{limits.recommended.shape}. recovery_limits takes many at once."
        )
    asked |= {k: float(v) for k, v in asked.items() if k != "form" and v is not None}
    tiers = [*policy.authority.tiers, PERSON]
    inputs = RecoveryInputs(
        **asked,
        unit_cost=unit_cost(policy, form),
        dropout=float(limits.dropout),
        promptness=float(limits.promptness),
        net_gain=float(limits.net_gain),
        gain_of_asking=float(limits.gain_of_asking),
        cost_of_asking=float(limits.cost_of_asking),
        value_low=value_low,
        value_high=value_high,
    )
    # The recommended amount never falls as the value rises: its range is that of the value.
    ends: list[float] = []
    if value_low is not None and value_high is not None:
        of_value = {"value_if_alive": (value_low, value_high)}
        ends = recovery_limits(policy, problem, loss, **asked | of_value).recommended.tolist()
    answer = Recovery(
        customer_id=customer_id,
        problem=problem,
        loss=float(loss),
        first_gesture=float(limits.first_gesture),
        recommended=float(limits.recommended),
        most=float(limits.most),
        ceiling=float(limits.ceiling),
        floor=float(limits.floor),
        authority=tiers[int(limits.tier)],
        pay_now=float(limits.pay_now),
        escalate=bool(limits.escalate),
        binding=BINDINGS[int(limits.binding)],
        reasons=(),
        assumed=_assumed(policy, problem, inputs, limits),
        inputs=inputs,
        currency=policy.currency,
        policy_version=policy.version,
        recommended_low=ends[0] if ends else None,
        recommended_high=ends[1] if ends else None,
        without_range="" if ends else without_range,
    )
    return dataclasses.replace(answer, reasons=reasons_for(answer, policy))


def _key(policy: Policy, problem: str) -> str:
    """Return the key of a problem type as it was meant: `Wrong-Item`, or its label."""

    def plain(name: str) -> str:
        return "_".join(name.lower().replace("-", " ").replace("_", " ").split())

    asked = plain(problem)
    meant = [k for k, kind in policy.problems.items() if asked in (plain(k), plain(kind.label))]
    return meant[0] if problem not in policy.problems and len(meant) == 1 else problem


def _assumed(
    policy: Policy, problem: str, inputs: RecoveryInputs, limits: RecoveryLimits
) -> tuple[str, ...]:
    """Return the keys of the assumed values that had a part in this answer."""
    idle = set()
    if inputs.form == "cash":
        idle |= {"margin", "recovery.credit_redemption"}
    if limits.promptness == 1:
        idle |= {"recovery.slow_share", "recovery.half_life_hours"}
    if limits.recommended <= limits.pay_now:
        idle |= {"recovery.escalation_cost", "recovery.escalation_hours"}
    if inputs.severity == 1:
        idle |= {"dropout.per_severity_level"}
    if inputs.frequency == 0:
        idle |= {"dropout.per_log_purchases"}
    if inputs.days_since_incident is None:
        idle |= {"dropout.earlier_incident", "dropout.earlier_incident_days"}
    parts = ("margin", "recovery.", "authority.", "dropout.", f"problems.{problem}.")
    return tuple(key for key in policy.assumed if key.startswith(parts) and key not in idle)
