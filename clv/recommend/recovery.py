"""What may be spent on fixing one customer's problem, and why, in words to be read aloud."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from clv.errors import RequestError
from clv.recommend.limits import BINDINGS, PERSON, RecoveryLimits, recovery_limits
from clv.recommend.policy import Policy, money
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
) -> Recovery:
    """Return what may be spent on one customer's problem, and why.

    Parameters
    ----------
    policy, problem, loss, value_if_alive, frequency, hours, severity, days_since_incident
        As in :func:`~clv.recommend.limits.recovery_limits`, one number each.
    p_alive, word_of_mouth, given_12_months, form
        The same.
    customer_id : str, optional
        Repeated in the answer.

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
    )
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
    )
    return dataclasses.replace(answer, reasons=tuple(_reasons(answer, policy)))


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


def _reasons(answer: Recovery, policy: Policy) -> list[str]:
    """Return what a support lead can read aloud, from what is at stake to who may decide."""
    owed = (
        "A refund or anything else the customer is owed by law comes on top and counts against "
        "none of these limits."
    )
    return [
        *_at_stake(answer, policy),
        *_waiting(answer),
        _decided(answer, policy),
        *_who(answer, policy),
        owed,
    ]


def _at_stake(answer: Recovery, policy: Policy) -> list[str]:
    inputs, currency = answer.inputs, policy.currency
    label = policy.problem(answer.problem).label
    told = [
        f"Kept, this customer is worth about {money(inputs.value_if_alive, currency)} from here on."
    ]
    if inputs.p_alive < 1:
        told.append(f"The chance that this is still a customer is {inputs.p_alive:.0%}.")
    stake = (
        f"If nothing is done, {inputs.dropout:.0%} of customers like this one leave over a problem "
        f"of this kind ({label}): {money(answer.ceiling, currency)} is at stake"
    )
    if inputs.word_of_mouth:
        stake += f", {money(inputs.word_of_mouth, currency)} of it through what others are told"
    return [*told, stake + "."]


def _waiting(answer: Recovery) -> list[str]:
    if answer.inputs.promptness == 1:
        return []
    told = (
        f"After {answer.inputs.hours:g} hours an answer does only {answer.inputs.promptness:.0%} "
        "of what a prompt one does, and less with every hour that passes."
    )
    return [told]


def _decided(answer: Recovery, policy: Policy) -> str:
    """Say what led to the recommended amount."""
    rules, currency = policy.recovery, policy.currency
    amount, floor = money(answer.recommended, currency), money(answer.floor, currency)
    most = money(answer.most, currency)
    of_loss = money(rules.most_of_loss * answer.loss, currency)
    gain = money(answer.inputs.net_gain, currency)
    pays = f"goodwill pays for itself only up to {most}" if answer.most else "none pays for itself"
    return {
        "value at stake": (
            f"{amount} of goodwill is where the next {rules.grid:g} would bring back less than it "
            f"costs; it is expected to gain {gain} net. Above {most} it would lose money."
        ),
        "too little at stake": (
            "Goodwill would cost more than it keeps here. Fix the problem well and apologise: "
            "that takes no goodwill."
        ),
        "share of the loss": (
            f"The policy stops goodwill at {rules.most_of_loss:g} times the loss, {of_loss}; "
            f"up to {most} would still pay for itself."
        ),
        "12-month limit": (
            f"The policy gives one customer at most {money(rules.most_in_12_months, currency)} in "
            f"12 months, and {money(answer.inputs.given_12_months, currency)} has been given."
        ),
        "too small to handle": (
            "The goodwill that would pay for itself is too small to be worth handling: fix the "
            "problem well and apologise."
        ),
        "policy floor": (
            f"Everyone with this problem gets {floor} (policy floor); this customer's value alone "
            "would allow less within the limits."
        ),
        "policy floor, not justified by value": (
            f"Everyone with this problem gets {floor} (policy floor, not justified by value: at "
            f"this customer's value {pays})."
        ),
        PERSON: (
            f"Problems of this kind are decided by a person; {amount} is what the customer's value "
            "alone would speak for."
        ),
    }[answer.binding]


def _who(answer: Recovery, policy: Policy) -> list[str]:
    currency, inputs = policy.currency, answer.inputs
    amount, now = money(answer.recommended, currency), money(answer.pay_now, currency)
    if answer.binding == PERSON:
        return ["Pass it on at once, and give nothing before they have decided."]
    if answer.recommended == 0:
        return []
    told = []
    if answer.first_gesture < answer.recommended:
        first = money(answer.first_gesture, currency)
        if answer.first_gesture == 0:
            told.append("Apologise and fix it first; offer goodwill only if that is not enough.")
        elif answer.first_gesture == answer.floor:
            told.append(f"Offer the policy floor of {first} first.")
        else:
            told.append(
                f"Offer {first} first: up to there each unit spent brings back two or more."
            )
    if answer.authority == "automatic":
        return [*told, f"{amount} may be given without asking anyone."]
    if answer.authority == "agent":
        return [*told, f"The agent may give {amount} without asking."]
    who = (
        "A person has to approve"
        if answer.authority == PERSON
        else f"The {answer.authority} tier may approve"
    )
    told.append(f"{who} {amount}; the agent may give {now} at once.")
    gain, cost = money(inputs.gain_of_asking, currency), money(inputs.cost_of_asking, currency)
    if not answer.escalate:
        told.append(
            f"Give {now} now: asking for the rest would gain {gain} but cost {cost}, mostly by "
            "the wait."
        )
    elif answer.floor > answer.pay_now:
        told.append("Ask for the rest: the policy floor is above what the agent may give.")
    else:
        told.append(f"Ask for the rest: it gains {gain}, the asking and the wait cost {cost}.")
    return told
