"""What may be spent on fixing one customer's problem, and why, in words to be read aloud."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from clv.errors import RequestError
from clv.recommend.abuse import abuse_review
from clv.recommend.answer import FormFigures, Recovery, RecoveryInputs
from clv.recommend.assumptions import assumed_keys, learned_keys
from clv.recommend.integral import RiskAverse, risk_averse
from clv.recommend.limits import BINDINGS, PERSON, RecoveryLimits, recovery_limits
from clv.recommend.policy import Policy
from clv.recommend.recovery_words import reasons_for, sentence_of, warnings_of
from clv.recommend.response import Form, unit_cost
from clv.recommend.stages import STAGES, stage_of
from clv.recommend.statutory import owed_by_law, without_table
from clv.recommend.uncertainty import log_odds_sd, normal_draws, ten_ninety, value_draws

__all__ = ["FormFigures", "Recovery", "RecoveryInputs", "recovery_limit"]


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
    already_given: float = 0.0,
    value_share: float | None = None,
    days_since_first: float | None = None,
    claims: float | None = None,
    on: date | None = None,
    country: str = "",
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
    p_alive, word_of_mouth, given_12_months, already_given, form
        The same.
    value_share : float, optional
        The customer's value as a part of that of all customers; of an integral one a person
        decides.
    days_since_first : float, optional
        Days since the customer's first order; with `value_share` it tells the stage.
    claims : float, optional
        Problems that the customer has claimed so far, this one included.
    on : date, optional
        Day of the problem; the tables of what the law gives are read for it.
    country : str
        Where the customer is, as those tables name it, in any case; the answer says so where no
        table names it.
    customer_id : str, optional
        Repeated in the answer.
    value_low, value_high : float, optional
        10 and 90 % points of the value from now on; the range of the answer comes from them and
        from what is not known of the problem's dropout.
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
    >>> answer = recovery_limit(Policy(), "defective", 40.0, value_if_alive=800.0, frequency=2)
    >>> answer.sentence
    'Offer 2.00 first; if that is not enough, up to 8.00. Nobody need be asked.'
    >>> print(answer.reasons[0])
    Kept, this customer is worth about 800.00 from here on.
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
        "already_given": already_given,
        "value_share": value_share,
    }
    known = {name: value for name, value in asked.items() if value is not None}
    shapes = {np.shape(value) for value in (loss, *known.values())}
    if shapes != {()}:
        raise RequestError(
            "A recovery limit is for one customer; got numbers of shape "
            f"{', '.join(str(shape) for shape in shapes if shape)}. recovery_limits takes many at "
            "once."
        )
    problem = _key(policy, problem)
    other: Form = "credit" if form == "cash" else "cash"
    limits = _at(recovery_limits(policy, problem, loss, form=form, **known), 0)
    beside = _at(recovery_limits(policy, problem, loss, form=other, **known), 0)
    asked |= {name: float(value) for name, value in known.items()}
    inputs = RecoveryInputs(
        **asked,
        form=form,
        unit_cost=unit_cost(policy, form),
        dropout=limits["dropout"],
        promptness=limits["promptness"],
        net_gain=limits["net_gain"],
        gain_of_asking=limits["gain_of_asking"],
        cost_of_asking=limits["cost_of_asking"],
        value_low=value_low,
        value_high=value_high,
    )
    ends = _range(policy, problem, loss, inputs)
    part = {
        "credit": form == "credit",
        "late": inputs.promptness < 1,
        "asking": limits["recommended"] > limits["pay_now"],
        "worse": inputs.severity > 1,
        "known_before": inputs.frequency > 0,
        "again": inputs.days_since_incident is not None,
        "with_range": ends is not None,
        "of_all": value_share is not None,
        "claims": claims is not None,
    }
    tiers = [*policy.authority.tiers, PERSON]
    answer = Recovery(
        customer_id=customer_id,
        sentence="",
        problem=problem,
        loss=float(loss),
        **{name: limits[name] for name in AMOUNTS},
        authority=tiers[int(limits["tier"])],
        escalate=bool(limits["escalate"]),
        binding=BINDINGS[int(limits["binding"])],
        amount_binding=BINDINGS[int(limits["amount_binding"])],
        stage=_stage(policy, inputs, days_since_first),
        reasons=(),
        warnings=(),
        owed=() if on is None else owed_by_law(policy, problem, loss, on=on, country=country),
        other_form=FormFigures(
            form=other,
            unit_cost=unit_cost(policy, other),
            **{n: beside[n] for n in ("first_gesture", "recommended", "most", "net_gain")},
        ),
        risk_averse=_risk_averse(policy, inputs) if limits["integral"] else None,
        review=None if claims is None else abuse_review(policy.abuse, claims, frequency + 1),
        assumed=assumed_keys(policy, problem, **part),
        learned=learned_keys(policy, problem, **part),
        inputs=inputs,
        currency=policy.currency,
        policy_version=policy.version,
        recommended_low=ends[0] if ends else None,
        recommended_high=ends[1] if ends else None,
        without_range="" if ends else without_range,
    )
    no_table = without_table(policy, country)
    return replace(
        answer,
        sentence=sentence_of(answer),
        reasons=reasons_for(answer, policy),
        warnings=(
            *((no_table,) if no_table else ()),
            *warnings_of(answer, policy, above_ceiling=bool(limits["above_ceiling"])),
        ),
    )


AMOUNTS = (
    "first_gesture", "recommended", "most", "ceiling", "floor", "pay_now", "cost_per_hour",
    "cost_per_late_hour",
)  # fmt: skip


def _at(limits: RecoveryLimits, place: int) -> dict[str, float]:
    """Return the figures of one customer."""
    return {name: float(np.ravel(figure)[place]) for name, figure in vars(limits).items()}


def _range(
    policy: Policy, problem: str, loss: float, inputs: RecoveryInputs
) -> tuple[float, float] | None:
    """10 % and 90 % points of the recommended amount, over the customer's value and π0."""
    if inputs.value_low is None or inputs.value_high is None:
        return None
    days = {} if inputs.days_since_incident is None else {
        "days_since_incident": inputs.days_since_incident
    }  # fmt: skip
    of_value, of_dropout = normal_draws()
    sd = log_odds_sd(policy, problem, frequency=inputs.frequency, severity=inputs.severity, **days)
    drawn = recovery_limits(
        policy,
        problem,
        loss,
        value_if_alive=value_draws(inputs.value_low, inputs.value_high, of_value),
        log_odds=sd * of_dropout,
        form="credit" if inputs.form == "credit" else "cash",
        **days,
        **{name: getattr(inputs, name) for name in UNDRAWN},
    )
    return ten_ninety(drawn.recommended)


UNDRAWN = (
    "p_alive", "frequency", "hours", "severity", "word_of_mouth", "given_12_months",
    "already_given",
)  # fmt: skip


def _stage(policy: Policy, inputs: RecoveryInputs, days_since_first: float | None) -> str:
    if days_since_first is None or inputs.value_share is None:
        return ""
    code = stage_of(
        policy,
        days_since_first=days_since_first,
        purchases=inputs.frequency + 1,
        p_alive=inputs.p_alive,
        value_share=inputs.value_share,
    )
    return policy.stages.labels[STAGES[int(code)]]


def _risk_averse(policy: Policy, inputs: RecoveryInputs) -> RiskAverse:
    """What the best recovery is worth: nobody is kept by more goodwill than by all there is."""
    before = inputs.p_alive * inputs.dropout
    after = before * (1 - policy.recovery.savable_share * inputs.promptness)
    return risk_averse(
        inputs.value_if_alive, before, after, policy.integral.risk_tolerance, policy.currency
    )


def _key(policy: Policy, problem: str) -> str:
    """Return the key of a problem type as it was meant: `Wrong-Item`, or its label."""

    def plain(name: str) -> str:
        return "_".join(name.lower().replace("-", " ").replace("_", " ").split())

    asked = plain(problem)
    meant = [k for k, kind in policy.problems.items() if asked in (plain(k), plain(kind.label))]
    return meant[0] if problem not in policy.problems and len(meant) == 1 else problem
