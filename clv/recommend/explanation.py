"""What a policy does, told for three invented customers: new, middling and best.

Their histories are made up; what they are worth follows from them by the policy's own margin,
discount rate and horizon, so that a change of any figure shows. A customer who buys y times a year
for m, and stays another year with probability a, is worth over H months

    V = margin · m · (y/12) · Σ_{j=1..H} (a / (1 + d))^(j/12)
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from clv.recommend.policy import Policy, money
from clv.recommend.recovery import Recovery, recovery_limit
from clv.recommend.response import promptness
from clv.recommend.retention import retention_budget
from clv.recommend.stages import STAGES, stage_of
from clv.recommend.word_of_mouth import word_of_mouth

__all__ = ["EXAMPLES", "CustomerExplained", "ExampleCustomer", "PolicyExplained", "explain_policy"]


@dataclass(frozen=True)
class ExampleCustomer:
    """An invented customer.

    Attributes
    ----------
    name : str
        What kind of customer it is.
    days_since_first : float
        Days since the first order.
    purchases : int
        Purchases so far, the first included.
    spend : float
        Amount of a purchase, in money.
    per_year : float
        Purchases expected in a year of being a customer.
    stays : float
        Probability of being a customer still a year from now.
    """

    name: str
    days_since_first: float
    purchases: int
    spend: float
    per_year: float
    stays: float

    def value(self, policy: Policy) -> float:
        """V, value from here on by the policy's margin, discount rate and horizon, in money."""
        ratio = (self.stays / (1 + policy.discount_rate)) ** (1 / 12)
        months = policy.horizon_months
        left = 1.0 if months is None else -math.expm1(months * math.log(ratio))
        monthly = policy.margin * self.spend * self.per_year / 12
        return float(monthly * ratio * left / (1 - ratio))


EXAMPLES = (
    ExampleCustomer("new", 20, 1, spend=40, per_year=2, stays=0.6),
    ExampleCustomer("middling", 430, 14, spend=40, per_year=12, stays=0.7),
    ExampleCustomer("best", 1500, 100, spend=100, per_year=24, stays=0.95),
)
LOSS = 25.0
"""What each of them loses by the problem: the same, so that the answers compare."""


@dataclass(frozen=True)
class CustomerExplained:
    """What a policy does for one customer; money at face value.

    Attributes
    ----------
    customer : ExampleCustomer
        Who it is.
    stage : str
        The label of the stage.
    value : float
        Value from here on.
    answers : tuple of Recovery
        One for each problem type told, answered at once.
    retention, appreciation : float
        What is worth spending on keeping the customer in the policy's period, and what is set
        aside as thanks.
    """

    customer: ExampleCustomer
    stage: str
    value: float
    answers: tuple[Recovery, ...]
    retention: float
    appreciation: float

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat row a problem type."""
        about = {"customer": self.customer.name, "stage": self.stage, "value": self.value}
        budget = {"retention": self.retention, "appreciation": self.appreciation}
        return [
            about
            | {
                "problem": answer.problem,
                "loss": answer.loss,
                "first_gesture": answer.first_gesture,
                "recommended": answer.recommended,
                "most": answer.most,
                "authority": answer.authority,
                "binding": answer.binding,
            }
            | budget
            for answer in self.answers
        ]


@dataclass(frozen=True)
class PolicyExplained:
    """A policy in words.

    Attributes
    ----------
    customers : tuple of CustomerExplained
        The three examples.
    paragraphs : tuple of tuple of str
        For each of them the sentences: the first says who it is.
    rules : tuple of str
        What holds for every customer.
    policy_version : str
        Of the policy.
    """

    customers: tuple[CustomerExplained, ...]
    paragraphs: tuple[tuple[str, ...], ...]
    rules: tuple[str, ...]
    policy_version: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return {
            "examples": [asdict(one.customer) for one in self.customers],
            "rows": [row for one in self.customers for row in one.rows()],
            "paragraphs": [list(one) for one in self.paragraphs],
            "rules": list(self.rules),
            "policy_version": self.policy_version,
        }


def explain_policy(policy: Policy) -> PolicyExplained:
    """Return what a policy does for three invented customers, and its rules for all, in words.

    Parameters
    ----------
    policy : Policy
        The policy.

    Returns
    -------
    PolicyExplained

    Examples
    --------
    >>> explained = explain_policy(Policy())
    >>> print(explained.paragraphs[0][0])
    New: 1 purchase of 40.00, the first 20 days ago; 2 a year to come, 60 % stay a year.
    """
    values = [one.value(policy) for one in EXAMPLES]
    codes = stage_of(
        policy,
        days_since_first=[one.days_since_first for one in EXAMPLES],
        purchases=[one.purchases for one in EXAMPLES],
        p_alive=1.0,  # they have just been in contact
        value_share=0.0,
    )
    years = policy.retention.period_months / 12
    budget = retention_budget(
        policy,
        [one.name for one in EXAMPLES],
        p_alive=[1.0] * len(EXAMPLES),
        value_if_alive=values,
        value_leaves=[1 - one.stays**years for one in EXAMPLES],
        expected_spend=[one.spend for one in EXAMPLES],
        stage=codes,
    )
    thanks = policy.retention.stage_appreciation
    customers = tuple(
        CustomerExplained(
            customer=one,
            stage=policy.stages.labels[STAGES[code]],
            value=value,
            answers=tuple(
                recovery_limit(
                    policy, problem, LOSS, value_if_alive=value, frequency=one.purchases - 1
                )
                for problem in _told_problems(policy)
            ),
            retention=float(spend),
            appreciation=thanks.get(STAGES[code], 0.0),
        )
        for one, value, code, spend in zip(EXAMPLES, values, codes, budget.spend, strict=True)
    )
    return PolicyExplained(
        customers=customers,
        paragraphs=tuple(tuple(_paragraph(policy, one)) for one in customers),
        rules=tuple(_rules(policy, values[0] + policy.margin * EXAMPLES[0].spend)),
        policy_version=policy.version,
    )


def _told_problems(policy: Policy) -> list[str]:
    """The mildest and the gravest type that the rules settle, or that there are."""
    settled = [key for key, kind in policy.problems.items() if not kind.person_decides]
    ranked = sorted(settled or policy.problems, key=lambda key: policy.problems[key].dropout)
    return list(dict.fromkeys((ranked[0], ranked[-1])))


def _paragraph(policy: Policy, one: CustomerExplained) -> list[str]:
    customer, currency = one.customer, policy.currency
    many = "1 purchase" if customer.purchases == 1 else f"{customer.purchases} purchases"
    spend, months = money(customer.spend, currency), policy.retention.period_months
    keep = (
        f"{money(one.retention, currency)} is worth spending on keeping this customer"
        if one.retention
        else "Nothing is worth spending on keeping this customer"
    )
    thanks = f", and {money(one.appreciation, currency)} is set aside as thanks"
    who = (
        f"{customer.name.capitalize()}: {many} of {spend}, the first {customer.days_since_first:g} "
        f"days ago; {customer.per_year:g} a year to come, {100 * customer.stays:.3g} % stay a year."
    )
    return [
        who,
        f"Stage: {one.stage}. Worth from here on: {money(one.value, currency)}.",
        *(_recovery(policy, answer) for answer in one.answers),
        f"{keep} over {months} months{thanks if one.appreciation else ''}.",
    ]


def _recovery(policy: Policy, answer: Recovery) -> str:
    currency, label = policy.currency, policy.problem(answer.problem).label
    about = f"{label.capitalize()}, {money(answer.loss, currency)} lost"
    if answer.recommended == 0:
        return f"{about}: fix it and apologise, no goodwill ({answer.binding})."
    amount = money(answer.recommended, currency)
    if 0 < answer.first_gesture < answer.recommended:
        amount = f"offer {money(answer.first_gesture, currency)}, then up to {amount}"
    else:
        amount = f"give {amount}"
    who = {
        "automatic": "nobody need be asked",
        "agent": "the agent may",
        "a person decides": "a person decides",
    }.get(answer.authority, f"the {answer.authority} tier may")
    return f"{about}: {amount} ({answer.binding}); {who}."


def _rules(policy: Policy, value_of_new: float) -> list[str]:
    """What holds for every customer, whatever they are worth."""
    recovery, abuse, currency = policy.recovery, policy.abuse, policy.currency
    late = recovery.prompt_hours + recovery.half_life_hours
    tiers = ", ".join(f"{name} {money(v, currency)}" for name, v in policy.authority.tiers.items())
    people = [kind.label for kind in policy.problems.values() if kind.person_decides]
    by_law = ", ".join(one.name for one in policy.statutory)
    spread, share = policy.fairness.spread, policy.integral.value_share
    told = (
        (
            f"Answer within {recovery.prompt_hours:g} hours: after {late:g} hours an answer does "
            f"only {100 * promptness(late, recovery):.3g} % of what a prompt one does."
        ),
        f"Who may give how much on one problem: {tiers}; above that a person decides.",
        (
            f"On one problem nobody gets more than {recovery.most_of_loss:g} times the loss, in 12 "
            f"months nobody more than {money(recovery.most_in_12_months, currency)}; but everyone "
            "gets the floor of the problem type."
        ),
        (
            f"For the same problem and loss nobody gets more than {spread:g} times the floor, "
            "where the problem type has one."
        ),
        (
            f"A customer with {100 * share:.3g} % or more of the value of all customers is "
            "integral: a person decides."
        ),
        f"A person decides whoever the customer is: {', '.join(people)}." if people else "",
        (
            f"A customer who claims, with a probability of {100 * abuse.review_probability:.3g} % "
            f"or more, over {abuse.factor:g} times as often as usual ({abuse.prior_claims:g} in "
            f"{abuse.prior_orders:g} orders) is looked at by a person; no rule refuses anything."
        ),
        *(
            word_of_mouth(policy, value_of_new).warnings
            or ("What customers tell others is priced from your figures of acquisition.",)
        ),
        (
            f"Owed by law, beside all of this: {by_law}."
            if by_law
            else "What the law owes is paid beside all of this; the policy has no table of it."
        ),
    )
    return [sentence for sentence in told if sentence]
