"""Why a recovery limit is what it is, in plain sentences that can be read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clv.recommend.limits import PERSON
from clv.recommend.policy import Policy, money

if TYPE_CHECKING:
    from clv.recommend.recovery import Recovery

__all__ = ["percent", "reasons_for"]


def percent(share: float) -> str:
    """Write a share as people do.

    >>> percent(0.05)
    '5 %'
    """
    return f"{100 * share:.0f} %"


def reasons_for(answer: Recovery, policy: Policy) -> tuple[str, ...]:
    """Return what a support lead can read aloud, from what is at stake to who may decide."""
    owed = (
        "A refund or anything else the customer is owed by law comes on top and counts against "
        "none of these limits."
    )
    return (
        *_at_stake(answer, policy),
        *_waiting(answer),
        _decided(answer, policy),
        *_range(answer, policy),
        *_who(answer, policy),
        owed,
    )


def _range(answer: Recovery, policy: Policy) -> list[str]:
    """Say what the range holds, and what it does not."""
    low, high = answer.recommended_low, answer.recommended_high
    if answer.binding == PERSON or low is None or high is None:
        return []
    amount = money(answer.recommended, answer.currency)
    known = f"What the orders leave open of the customer's value changes {amount}"
    rest = "what is assumed is taken as it stands."
    if low == high:
        return [f"{known} by less than {policy.recovery.grid:g}; {rest}"]
    between = f"{low:,.2f} to {money(high, answer.currency)}"
    return [f"{known} to anything from {between} (the 10-90 % range); {rest}"]


def _at_stake(answer: Recovery, policy: Policy) -> list[str]:
    inputs, currency = answer.inputs, policy.currency
    label = policy.problem(answer.problem).label
    low, high = inputs.value_low, inputs.value_high
    known = "" if low is None or high is None else f" ({low:,.2f} to {high:,.2f})"
    worth = f"{money(inputs.value_if_alive, currency)}{known}"
    told = [f"Kept, this customer is worth about {worth} from here on."]
    if inputs.p_alive < 1:
        told.append(f"The chance that this is still a customer is {percent(inputs.p_alive)}.")
    stake = (
        f"If nothing is done, {percent(inputs.dropout)} of customers like this one leave over a "
        f"problem of this kind ({label}): {money(answer.ceiling, currency)} is at stake"
    )
    if inputs.word_of_mouth:
        stake += f", {money(inputs.word_of_mouth, currency)} of it through what others are told"
    return [*told, stake + "."]


def _waiting(answer: Recovery) -> list[str]:
    if answer.inputs.promptness == 1:
        return []
    told = (
        f"After {answer.inputs.hours:g} hours an answer does only "
        f"{percent(answer.inputs.promptness)} of what a prompt one does, and less with "
        "every hour that passes."
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
