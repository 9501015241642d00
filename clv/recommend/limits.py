"""Recovery limits of any number of customers with the same type of problem.

Reads the curve of :mod:`clv.recommend.curve` three times and applies the policy's limits, in this
order: what pays for itself, the multiple of the loss, the fair spread, what is left of the 12-month
limit, what has been given on this problem already, the grid (rounding down), handling cost, and
last the policy floor, which wins over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.errors import RequestError
from clv.recommend.curve import break_even, net_gain, worthwhile_spend
from clv.recommend.policy import Policy
from clv.recommend.response import (
    Form,
    dropout_before,
    most_savable,
    promptness,
    promptness_lost,
    unit_cost,
)
from clv.recommend.uncertainty import expected_dropout

__all__ = ["BINDINGS", "PERSON", "RecoveryLimits", "payable", "recovery_limits"]

FIRST_GESTURE_RETURN = 2.0
"""What the last unit of a first gesture still returns."""

CENT_OF_A_CENT = 1e-4
"""An amount above a tier's cap by less than this is one that sums of amounts have made so."""

PERSON = "a person decides"

BINDINGS = (
    "value at stake",
    "too little at stake",
    "share of the loss",
    "fair spread",
    "12-month limit",
    "given already",
    "too small to handle",
    "policy floor",
    "policy floor, not justified by value",
    PERSON,
)
"""What can decide the recommended amount, in words."""
(
    VALUE, TOO_LITTLE, LOSS, SPREAD, YEAR, GIVEN, TOO_SMALL, FLOOR, FLOOR_ABOVE_VALUE, BY_PERSON
) = range(len(BINDINGS))  # fmt: skip


@dataclass(frozen=True, eq=False)
class RecoveryLimits:
    """What may be spent on each customer: arrays of the broadcast shape, money at face value.

    `first_gesture`, `recommended`, `most` and `pay_now` are for now: what comes on top of what has
    been given on this problem already.

    Attributes
    ----------
    first_gesture : ndarray
        Goodwill to offer first: its last unit still returns 2, within the policy's limits.
    recommended : ndarray
        Goodwill whose last unit still returns 1, within the policy's limits.
    most : ndarray
        Goodwill above which the whole spend costs more than it keeps; not limited by the policy.
    ceiling : ndarray
        What a certain and complete fix would be worth: all that is at stake.
    floor : ndarray
        Goodwill that everyone with this problem gets in all, in whole steps of the grid.
    above_ceiling : ndarray of bool
        Whether the floor makes the policy pay more on this problem than all that is at stake.
    integral : ndarray of bool
        Whether the customer is so large a part of the company's value that a person decides.
    pay_now : ndarray
        Part of `recommended` that the agent on the case may give without asking.
    escalate : ndarray of bool
        Whether asking for the rest is worth the wait and the cost of asking.
    tier : ndarray of int
        Place in the policy's tiers of who may approve `recommended`; their number: a person.
    binding, amount_binding : ndarray of int
        Place in :data:`BINDINGS` of what decided `recommended`; the second says it also where a
        person decides.
    dropout, promptness : ndarray
        π0, the part who leave if nothing is done, and g, what is left of a prompt answer's effect.
    net_gain : ndarray
        What `recommended` is expected to keep, less its real cost.
    gain_of_asking, cost_of_asking : ndarray
        What `recommended` gains over `pay_now`, and what asking costs, waiting included.
    cost_per_hour, cost_per_late_hour : ndarray
        Value lost for each hour that the answer takes longer, in money: now, and right after the
        hours that count as prompt.
    """

    first_gesture: npt.NDArray[np.float64]
    recommended: npt.NDArray[np.float64]
    most: npt.NDArray[np.float64]
    ceiling: npt.NDArray[np.float64]
    floor: npt.NDArray[np.float64]
    above_ceiling: npt.NDArray[np.bool_]
    integral: npt.NDArray[np.bool_]
    pay_now: npt.NDArray[np.float64]
    escalate: npt.NDArray[np.bool_]
    tier: npt.NDArray[np.intp]
    binding: npt.NDArray[np.intp]
    amount_binding: npt.NDArray[np.intp]
    dropout: npt.NDArray[np.float64]
    promptness: npt.NDArray[np.float64]
    net_gain: npt.NDArray[np.float64]
    gain_of_asking: npt.NDArray[np.float64]
    cost_of_asking: npt.NDArray[np.float64]
    cost_per_hour: npt.NDArray[np.float64]
    cost_per_late_hour: npt.NDArray[np.float64]


def recovery_limits(
    policy: Policy,
    problem: str,
    loss: npt.ArrayLike,
    *,
    value_if_alive: npt.ArrayLike,
    frequency: npt.ArrayLike,
    hours: npt.ArrayLike = 0.0,
    severity: npt.ArrayLike = 1,
    days_since_incident: npt.ArrayLike | None = None,
    p_alive: npt.ArrayLike = 1.0,
    word_of_mouth: npt.ArrayLike = 0.0,
    given_12_months: npt.ArrayLike = 0.0,
    already_given: npt.ArrayLike = 0.0,
    value_share: npt.ArrayLike = 0.0,
    log_odds: npt.ArrayLike | None = None,
    form: Form = "cash",
) -> RecoveryLimits:
    """Return what may be spent on each of the customers with this problem.

    Parameters
    ----------
    policy : Policy
        Figures and limits.
    problem : str
        Key of a problem type of the policy.
    loss : array_like
        What the customer lost by it, in money, at least 0.
    value_if_alive : array_like
        V, value from now on if the customer stays, net of margin and discount, in money.
    frequency : array_like
        Purchases before the one that went wrong.
    hours : array_like
        Hours from the problem to the answer.
    severity : array_like
        Level from 1 (as the problem type says) to 4 (far worse).
    days_since_incident : array_like, optional
        Days since the customer's problem before this one; nan (or None for all): there was none.
    p_alive : array_like
        A, probability that the customer is still one when the offer is made: 1 after contact.
    word_of_mouth : array_like
        u0 · W, what is at stake through word of mouth, in money.
    given_12_months : array_like
        Goodwill given in the 12 months before on other problems, at face value, in money.
    already_given : array_like
        Goodwill given on this problem so far, at face value, in money.
    value_share : array_like
        The customer's value as a part of that of all customers; of an integral one a person
        decides.
    log_odds : array_like, optional
        Added to the log-odds of leaving: how far off the policy's π0 is supposed to be. Where not
        given, π0 is the mean over all that is not known of what was learned
        (:func:`~clv.recommend.uncertainty.expected_dropout`).
    form : {"cash", "credit"}
        What goodwill is given in; credit costs less than its face value.

    Returns
    -------
    RecoveryLimits

    Raises
    ------
    UnknownNameError
        Where the policy has no such problem type.
    RequestError
        Where an amount, a time, a level or a probability makes no sense.

    Examples
    --------
    >>> limits = recovery_limits(
    ...     Policy(), "defective", 40.0, value_if_alive=[100.0, 800.0, 9000.0], frequency=2
    ... )
    >>> limits.recommended.tolist()
    [2.0, 8.0, 10.0]
    """
    kind = policy.problem(problem)
    if form not in ("cash", "credit"):
        raise RequestError(f"Goodwill is given in 'cash' or in 'credit'; got {form!r}.")
    asked = _checked(
        {
            "loss": loss,
            "value_if_alive": value_if_alive,
            "frequency": frequency,
            "hours": hours,
            "severity": severity,
            "days_since_incident": np.inf if days_since_incident is None else days_since_incident,
            "p_alive": p_alive,
            "word_of_mouth": word_of_mouth,
            "given_12_months": given_12_months,
            "already_given": already_given,
            "value_share": value_share,
            "log_odds": 0.0 if log_odds is None else log_odds,
        }
    )
    L, V, h, A = (asked[n] for n in ("loss", "value_if_alive", "hours", "p_alive"))
    so_far = asked["already_given"]
    rules, c = policy.recovery, unit_cost(policy, form)
    about = {name: asked[name] for name in ("severity", "days_since_incident")}
    if log_odds is None:
        pi0 = expected_dropout(policy, problem, frequency=asked["frequency"], **about)
    else:
        pi0 = dropout_before(
            kind.dropout,
            policy.dropout,
            earlier_purchases=asked["frequency"],
            log_odds=asked["log_odds"],
            **about,
        )
    g = promptness(h, rules)
    ceiling = A * pi0 * V + asked["word_of_mouth"]
    D, kappa = most_savable(ceiling, h, rules), rules.money_scale * L
    most = break_even(D, kappa, c)

    # Within the limits. Most itself never binds at a return of 1 or more: there the whole spend
    # has returned more than its last unit; the law is tested.
    owed_to_all = np.maximum(kind.floor_share * L, kind.floor_fixed)
    floor = _round_down(owed_to_all, rules.grid)
    still_owed = np.maximum(0.0, floor - so_far)
    of_loss = rules.most_of_loss * L
    # the least that anyone gets is the floor; without one there is nothing to be a multiple of
    of_spread = np.where(owed_to_all > 0, policy.fairness.spread * owed_to_all, np.inf)
    of_year = np.maximum(0.0, rules.most_in_12_months - asked["given_12_months"])
    most_allowed = np.minimum(of_loss, np.minimum(of_spread, of_year))
    wanted = worthwhile_spend(D, kappa, c)
    limited = np.minimum(wanted, most_allowed)
    goodwill = payable(limited - so_far, policy)
    recommended = np.maximum(goodwill, still_owed)
    first = np.minimum(worthwhile_spend(D, kappa, c, FIRST_GESTURE_RETURN), most_allowed)
    first = np.maximum(payable(first - so_far, policy), still_owed)
    in_all = so_far + recommended

    integral = asked["value_share"] >= policy.integral.value_share
    person = integral | kind.person_decides
    amount_binding = np.select(
        [
            (still_owed > goodwill) & (floor > most),
            still_owed > goodwill,
            c * kappa >= D,
            (so_far > 0) & (goodwill == 0) & (payable(limited, policy) > 0),
            (wanted > 0) & (payable(wanted, policy) == 0),
            (wanted > 0) & (limited >= wanted),
            of_year <= np.minimum(of_loss, of_spread),
            of_spread < of_loss,
        ],
        [FLOOR_ABOVE_VALUE, FLOOR, TOO_LITTLE, GIVEN, TOO_SMALL, VALUE, YEAR, SPREAD],
        LOSS,
    )
    caps = list(policy.authority.tiers.values())
    tier = np.searchsorted(caps, in_all - CENT_OF_A_CENT)
    left_to_agent = _round_down(np.maximum(0.0, policy.authority.agent - so_far), rules.grid)
    pay_now = np.where(person, 0.0, np.minimum(recommended, left_to_agent))
    kept_so_far = net_gain(so_far, D, kappa, c)
    kept_in_all = net_gain(in_all, D, kappa, c)
    gain_of_asking = kept_in_all - net_gain(so_far + pay_now, D, kappa, c)
    wait = g - promptness(h + rules.escalation_hours, rules)
    cost_of_asking = rules.escalation_cost + rules.savable_share * pi0 * A * V * wait
    escalate = (recommended > pay_now) & (
        (gain_of_asking > cost_of_asking) | (still_owed > pay_now)
    )
    # what a prompt answer with this goodwill keeps: ceiling · e · [1 − ρ exp(−s/κ)]
    prompt = rules.savable_share * ceiling * (1 - rules.goodwill_share * _left(in_all, kappa))
    return RecoveryLimits(
        first_gesture=np.asarray(first),
        recommended=np.asarray(recommended),
        most=np.asarray(np.maximum(0.0, most - so_far)),
        ceiling=np.asarray(ceiling),
        floor=np.asarray(floor),
        above_ceiling=np.asarray((recommended > 0) & (c * in_all > ceiling)),
        integral=np.asarray(integral),
        pay_now=np.asarray(pay_now),
        escalate=np.asarray(escalate | person),
        tier=np.asarray(np.where(person, len(caps), tier)),
        binding=np.asarray(np.where(person, BY_PERSON, amount_binding), dtype=np.intp),
        amount_binding=np.asarray(amount_binding, dtype=np.intp),
        dropout=np.asarray(pi0),
        promptness=np.asarray(g),
        net_gain=np.asarray(kept_in_all - kept_so_far),
        gain_of_asking=np.asarray(gain_of_asking),
        cost_of_asking=np.asarray(cost_of_asking),
        cost_per_hour=np.asarray(prompt * promptness_lost(h, rules)),
        cost_per_late_hour=np.asarray(prompt * promptness_lost(rules.prompt_hours, rules)),
    )


def _round_down(amount: npt.ArrayLike, grid: float) -> Any:
    """Return whole steps of the grid; an amount that is one but for its last digits stays."""
    steps = np.floor(np.asarray(amount, dtype=float) / grid * (1 + 1e-15) + 1e-9)
    per_unit = round(1 / grid)
    # 29 steps of 0.01 are 29/100, not 29 · 0.01, which has a last digit too many
    exact = per_unit > 0 and abs(per_unit * grid - 1) < 1e-12
    return steps / per_unit if exact else steps * grid


def payable(amount: npt.NDArray[np.float64], policy: Policy) -> npt.NDArray[np.float64]:
    """Round down to the grid; nothing where that is below the cost of handling it."""
    rounded = _round_down(np.maximum(0.0, amount), policy.recovery.grid)
    return np.where(rounded < policy.recovery.handling_cost, 0.0, rounded)


def _left(s: npt.NDArray[np.float64], kappa: npt.NDArray[np.float64]) -> Any:
    """exp(−s/κ): what goodwill s leaves to be done; with κ = 0 any goodwill does it all."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(s > 0, np.exp(-s / kappa), 1.0)


def _checked(asked: dict[str, npt.ArrayLike]) -> dict[str, npt.NDArray[np.float64]]:
    """Return the arguments as arrays of one shape; all that makes no sense in one error."""
    try:
        arrays = [np.asarray(value, dtype=float) for value in asked.values()]
        values = dict(zip(asked, np.broadcast_arrays(*arrays), strict=True))
    except (TypeError, ValueError) as error:
        raise RequestError(
            f"{', '.join(asked)} need a number, or one number a customer: {error}."
        ) from None
    days = values["days_since_incident"]
    values["days_since_incident"] = np.where(np.isnan(days), np.inf, days)
    levels = values["severity"]
    rules = {
        name: ("a finite number of at least 0", np.isfinite(v) & (v >= 0))
        for name, v in values.items()
    }
    rules["severity"] = ("1, 2, 3 or 4", np.isin(levels, (1, 2, 3, 4)))
    rules["p_alive"] = ("from 0 to 1", (values["p_alive"] >= 0) & (values["p_alive"] <= 1))
    rules["value_share"] = (
        "from 0 to 1",
        (values["value_share"] >= 0) & (values["value_share"] <= 1),
    )
    rules["log_odds"] = ("a finite number", np.isfinite(values["log_odds"]))
    rules["days_since_incident"] = ("at least 0", values["days_since_incident"] >= 0)
    faults = []
    for name, (kind, good) in rules.items():
        if good.all():
            continue
        bad = np.flatnonzero(~good)
        got = f"got {values[name].ravel()[bad[0]]:g}"
        if good.ndim:
            rows = ", ".join(str(i) for i in bad[:3])
            got = f"{len(bad):,} of {good.size:,} are not (first rows: {rows}; {got})"
        faults.append(f"{name} must be {kind}; {got}.")
    if faults:
        raise RequestError.of(faults)
    return values
