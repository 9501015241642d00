"""Why a recovery limit is what it is, in plain sentences that can be read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clv.recommend.limits import PERSON
from clv.recommend.policy import Policy, money

if TYPE_CHECKING:
    from clv.recommend.answer import Recovery

__all__ = ["percent", "reasons_for", "sentence_of", "warnings_of"]


def percent(share: float) -> str:
    """Write a share as people do.

    >>> percent(0.05)
    '5 %'
    """
    return f"{100 * share:.0f} %"


def sentence_of(answer: Recovery) -> str:
    """Return the answer in one sentence: what to offer, how far to go, whom to ask."""
    so_far = answer.inputs.already_given
    if answer.binding == PERSON:
        return "A person decides this one: pass it on at once, and promise nothing."
    if answer.recommended == 0:
        given = f"{money(so_far, answer.currency)} has been given on this problem already"
        return f"Offer nothing more: {given}." if so_far else "Fix it and apologise; no goodwill."
    amount = money(answer.recommended, answer.currency)
    ask = f"ask: {_tier(answer)} may give {amount}{' more' if so_far else ''}"
    if answer.pay_now == 0:
        stop = "Offer nothing more: what is left to you is used up, and asking does not pay."
        return f"{ask.capitalize()}." if answer.escalate else stop
    if answer.recommended <= answer.pay_now:
        asked = (
            "Nobody need be asked" if answer.authority == "automatic" else "The agent may give it"
        )
        return f"{_offer(answer)}. {asked}."
    if answer.escalate:
        return f"{_offer(answer)} now, and {ask}."
    return f"{_offer(answer)} now; do not ask for more, the wait would cost more than it gains."


def _offer(answer: Recovery) -> str:
    """Say what may be offered without asking."""
    more = " more" if answer.inputs.already_given else ""
    first, most = min(answer.first_gesture, answer.pay_now), money(answer.pay_now, answer.currency)
    if first == answer.pay_now:
        return f"Offer {most}{more}"
    if first == 0:
        return f"Fix it and apologise; if that is not enough, offer up to {most}{more}"
    return f"Offer {money(first, answer.currency)}{more} first; if that is not enough, up to {most}"


def _tier(answer: Recovery) -> str:
    return "a person" if answer.authority == PERSON else f"the {answer.authority} tier"


def warnings_of(answer: Recovery, policy: Policy, *, above_ceiling: bool) -> tuple[str, ...]:
    """Return what somebody should look at, though it changes nothing in the answer."""
    currency = answer.currency
    told = []
    if above_ceiling:
        label = policy.problem(answer.problem).label
        told.append(
            f"The policy floor for this problem ({label}) costs more than all that is at stake "
            f"with this customer, {money(answer.ceiling, currency)}. It is given all the same; is "
            "it meant?"
        )
    if answer.review is not None and answer.review.review:
        told.append(answer.review.sentence)
    return tuple(told)


def reasons_for(answer: Recovery, policy: Policy) -> tuple[str, ...]:
    """Return what a support lead can read aloud, from what is at stake to who may decide."""
    by_law = (
        "A refund or anything else the customer is owed by law comes on top and counts against "
        "none of these limits."
    )
    return (
        *_at_stake(answer, policy),
        *_waiting(answer, policy),
        _decided(answer, policy),
        *_so_far(answer),
        *_range(answer),
        *_who(answer, policy),
        *_other_form(answer),
        *([one.sentence for one in answer.owed] or [by_law]),
    )


def _so_far(answer: Recovery) -> list[str]:
    so_far = answer.inputs.already_given
    if not so_far or answer.amount_binding == "given already":
        return []
    given = money(so_far, answer.currency)
    return [f"{given} has been given on this problem already; the amounts are what may follow."]


def _other_form(answer: Recovery) -> list[str]:
    """Say what the same would be in the other form, where that differs."""
    other = answer.other_form
    if answer.binding == PERSON or not (other.recommended or answer.recommended):
        return []
    form = "store credit" if other.form == "credit" else "cash"
    gain = money(abs(other.net_gain), answer.currency)
    nets = f"gain {gain}" if other.net_gain >= 0 else f"lose {gain}"
    told = (
        f"In {form} it would be {money(other.recommended, answer.currency)}: each unit of it costs "
        f"{other.unit_cost:.2f}, and it would {nets} net if customers like it as much."
    )
    return [told]


def _range(answer: Recovery) -> list[str]:
    """Say what the range holds, and what it does not."""
    low, high = answer.recommended_low, answer.recommended_high
    if answer.binding == PERSON or low is None or high is None:
        return []
    amount = money(answer.recommended, answer.currency)
    known = "What is not known of this customer's value, and of how many leave over such a problem,"
    if low == high == answer.recommended:
        return [f"{known} leaves {amount} as it is (the 10-90 % range)."]
    between = f"{low:,.2f} to {money(high, answer.currency)}"
    return [f"{known} changes {amount} to anything from {between} (the 10-90 % range)."]


def _at_stake(answer: Recovery, policy: Policy) -> list[str]:
    inputs, currency = answer.inputs, policy.currency
    label = policy.problem(answer.problem).label
    low, high = inputs.value_low, inputs.value_high
    known = "" if low is None or high is None else f" (10-90 % range {low:,.2f} to {high:,.2f})"
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


def _waiting(answer: Recovery, policy: Policy) -> list[str]:
    """Say what waiting has cost and what it goes on costing."""
    rules, currency = policy.recovery, policy.currency
    hours, late = answer.inputs.hours, money(answer.cost_per_late_hour, currency)
    prompt = f"{rules.prompt_hours:g} hour{'' if rules.prompt_hours == 1 else 's'}"
    if answer.cost_per_late_hour < 0.005:
        return []
    if hours > rules.prompt_hours:
        now, part = money(answer.cost_per_hour, currency), percent(answer.inputs.promptness)
        told = (
            f"After {hours:g} hours an answer does only {part} of what a prompt one does. Each "
            f"hour more costs {now} of what can be kept; the first after {prompt} cost {late}."
        )
    elif hours == rules.prompt_hours:
        told = f"From now on each hour that the answer takes costs {late} of what can be kept."
    else:
        told = (
            f"Answered within {prompt}, nothing is lost by waiting; after that each hour costs "
            f"{late} of what can be kept."
        )
    return [told]


def _decided(answer: Recovery, policy: Policy) -> str:
    """Say who decides, where that is a person, and what led to the recommended amount."""
    if answer.binding != PERSON:
        return _limit(answer, policy)
    decides = _by_person(answer, policy)
    value_alone = answer.amount_binding == "value at stake"  # no limit is left to be told
    return decides if value_alone else f"{decides} {_limit(answer, policy)}"


def _limit(answer: Recovery, policy: Policy) -> str:
    """Say what led to the recommended amount."""
    rules, currency, so_far = policy.recovery, policy.currency, answer.inputs.already_given
    amount, floor = money(answer.recommended, currency), money(answer.floor, currency)
    in_all, most = (money(so_far + v, currency) for v in (answer.recommended, answer.most))
    more, all_of_it = (" more", " in all") if so_far else ("", "")
    of_loss = money(rules.most_of_loss * answer.loss, currency)
    gain = money(answer.inputs.net_gain, currency)
    pays = f"goodwill pays for itself only up to {most}" if answer.most else "none pays for itself"
    return {
        "value at stake": (
            f"{amount}{more} of goodwill is where the next {rules.grid:g} would bring back less "
            f"than it costs; it is expected to gain {gain} net. Above {most}{all_of_it} it would "
            "lose money."
        ),
        "too little at stake": (
            "Goodwill would cost more than it keeps here. Fix the problem well and apologise: "
            "that takes no goodwill."
        ),
        "share of the loss": (
            f"The policy stops goodwill at {rules.most_of_loss:g} times the loss, {of_loss}; "
            f"up to {most} would still pay for itself."
        ),
        "fair spread": (
            f"For the same problem and loss nobody gets more than {policy.fairness.spread:g} times "
            f"the least that anyone gets, the policy floor: {in_all} here. This customer's value "
            f"alone would justify up to {most}."
        ),
        "given already": (
            f"{money(answer.inputs.already_given, currency)} has been given on this problem "
            "already: that is all it is worth, or all the policy allows."
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
    }[answer.amount_binding]


def _by_person(answer: Recovery, policy: Policy) -> str:
    amount = money(answer.recommended, answer.currency)
    if answer.risk_averse is None:
        return (
            "Problems of this kind are decided by a person. Goodwill alone, within the policy: "
            f"{amount}."
        )
    share = answer.inputs.value_share or 0.0
    return (
        f"This customer is {100 * share:.1f} % of the value of all customers, at least the "
        f"{100 * policy.integral.value_share:.3g} % from which a person decides. "
        f"{answer.risk_averse.sentence} Goodwill alone, within the policy: {amount}."
    )


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
        elif answer.first_gesture == answer.floor - inputs.already_given:
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
    elif answer.floor - inputs.already_given > answer.pay_now:
        told.append("Ask for the rest: the policy floor is above what the agent may give.")
    else:
        told.append(f"Ask for the rest: it gains {gain}, the asking and the wait cost {cost}.")
    return told
