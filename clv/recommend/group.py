"""A failure that many customers have at once: one uniform offer for all of them.

Customers who share a failure talk to each other, and whoever is given less than the next has a
second reason to leave. So everyone is offered the same s, the one that is best for all together:

    maximise  Σ D_i (1 − exp(−s/κ_i)) − n c s
    ⟺  F(s) = Σ (D_i/κ_i) exp(−s/κ_i) = n c,      0 where F(0) ≤ n c

ln F is convex and falls, so Newton on it climbs to the root from the left and never passes it;
where all have lost the same it is a straight line, and one step is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp

from clv.arrays import Floats
from clv.errors import ClvError, RequestError
from clv.recommend.assumptions import assumed_keys
from clv.recommend.curve import net_gain
from clv.recommend.limits import PERSON, payable, recovery_limits
from clv.recommend.policy import Policy, money
from clv.recommend.response import Form, dropout_before, most_savable, unit_cost
from clv.recommend.uncertainty import log_odds_sd, normal_draws, ten_ninety, value_draws

__all__ = ["UniformOffer", "uniform_offer", "uniform_spend"]

STEPS = 100
"""Newton's method takes one step where all losses are equal, some ten where they are not."""

SAMPLE = 500
"""Customers, evenly over the order of value, from whom the range of the total is drawn."""


def uniform_spend(D: npt.ArrayLike, kappa: npt.ArrayLike, c: float = 1.0) -> float:
    """Goodwill that does most for all customers together when each is given the same.

    Parameters
    ----------
    D, kappa : array_like, shape (n,)
        As in :func:`~clv.recommend.curve.net_gain`, one value a customer.
    c : float
        Real cost of one unit of face value, above 0.

    Returns
    -------
    float
        Goodwill at face value for each, in money; 0 where the first unit for all costs more than
        it keeps.

    Raises
    ------
    ClvError
        Where Newton's method does not arrive.

    Examples
    --------
    >>> round(uniform_spend([43.2, 43.2], [20, 20]), 4)
    15.4022
    """
    D, kappa = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, dtype=float)) for v in (D, kappa)))
    goal = np.log(D.size * c)
    some = (D > 0) & (kappa > 0)  # who lost nothing is content with anything
    D, kappa = D[some], kappa[some]
    if not len(D):
        return 0.0
    ln_first, rate, s = np.log(D) - np.log(kappa), 1 / kappa, 0.0
    for _ in range(STEPS):
        ln_each = ln_first - s * rate
        ln_F = logsumexp(ln_each)
        if ln_F <= goal:
            return s
        weights = np.exp(ln_each - ln_F)
        step = (ln_F - goal) / float(weights @ rate)
        s += float(step)
        if step <= 1e-13 * s:
            return s
    raise ClvError(f"The uniform offer was not found in {STEPS} steps; the last was {s:g}.")


@dataclass(frozen=True, eq=False)
class UniformOffer:
    """One offer for all customers with the same problem; money at face value where not said.

    Attributes
    ----------
    customer_id : ndarray, shape (n,)
        Who is offered something, in the order given.
    problem : str
        Key of the problem type.
    offer : float
        What each is offered.
    spend : ndarray, shape (n,)
        The same by customer: less where it is above the policy's multiple of what that customer
        lost, more where the floor of that loss is higher.
    value_kept : ndarray, shape (n,)
        Value that this is expected to keep, before its cost; nan of who is not known.
    individual : ndarray, shape (n,)
        What would be recommended to each customer taken alone; nan of who is not known.
    person : ndarray of bool, shape (n,)
        Of whom a person decides: integral customers, or all where the policy says so.
    authority : str
        The tier that may approve the offer to one customer.
    cost : float
        Real cost of all offers.
    gain : float
        Value that they keep in all, net of that cost.
    gain_low, gain_high : float or None
        10-90 % range of it; None where values have none.
    individual_gain : float
        Net gain of offers customer by customer, within the policy's limits.
    unknown : int
        Customers of whom nothing is known; they cost the offer, what it keeps is not counted.
    sentences, assumed : tuple of str
        What this says, in plain words; dotted keys of the policy values used that are assumed.
    currency, policy_version : str
        Of the policy used.
    """

    customer_id: npt.NDArray[Any]
    problem: str
    offer: float
    spend: Floats
    value_kept: Floats
    individual: Floats
    person: npt.NDArray[np.bool_]
    authority: str
    cost: float
    gain: float
    gain_low: float | None
    gain_high: float | None
    individual_gain: float
    unknown: int
    sentences: tuple[str, ...]
    assumed: tuple[str, ...]
    currency: str
    policy_version: str

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return what there is for each customer, by name."""
        return {
            "customer_id": self.customer_id,
            "offer": self.spend,
            "value_kept": self.value_kept,
            "individual": self.individual,
            "person_decides": self.person,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the customers under its own name, ready for JSON."""
        names = (
            "problem", "offer", "authority", "cost", "gain", "gain_low", "gain_high",
            "individual_gain", "unknown", "currency", "policy_version",
        )  # fmt: skip
        told: dict[str, Any] = {name: getattr(self, name) for name in names}
        return told | {
            "customers": len(self.spend),
            "sentences": list(self.sentences),
            "assumed": list(self.assumed),
        }


def uniform_offer(
    policy: Policy,
    problem: str,
    loss: npt.ArrayLike,
    *,
    customer_id: npt.ArrayLike,
    value_if_alive: npt.ArrayLike,
    frequency: npt.ArrayLike,
    p_alive: npt.ArrayLike = 1.0,
    hours: float = 0.0,
    severity: float = 1,
    word_of_mouth: float = 0.0,
    value_share: npt.ArrayLike = 0.0,
    value_low: npt.ArrayLike | None = None,
    value_high: npt.ArrayLike | None = None,
    form: Form = "cash",
) -> UniformOffer:
    """Return the one offer that does most for all customers with a problem together.

    Parameters
    ----------
    policy : Policy
        Figures and limits.
    problem : str
        Key of a problem type of the policy.
    loss, value_if_alive, frequency, p_alive, value_share
        As in :func:`~clv.recommend.limits.recovery_limits`, one value a customer or one for all; a
        customer whose `value_if_alive` is nan is not known, and gets the offer.
    customer_id : array_like, shape (n,)
        Who has the problem, each once.
    hours, severity, word_of_mouth, form
        As there, one for all.
    value_low, value_high : array_like, shape (n,), optional
        10 and 90 % points of the value from now on.

    Returns
    -------
    UniformOffer

    Raises
    ------
    UnknownNameError
        Where the policy has no such problem type.
    RequestError
        Where there are no customers, none is known, or a number makes no sense.

    Examples
    --------
    >>> offer = uniform_offer(
    ...     Policy(), "late_delivery", 30.0, customer_id=["a", "b", "c"],
    ...     value_if_alive=[9000.0, 5000.0, 50.0], frequency=[9, 2, 0],
    ... )
    >>> offer.offer, offer.cost, round(offer.gain, 2)
    (24.0, 72.0, 106.12)
    """
    ids = np.asarray(customer_id)
    n = ids.size
    if not n:
        raise RequestError("There is no customer to offer anything to.")
    shown = (loss, value_if_alive, frequency, p_alive, value_share)
    try:
        L, V, x, A, share = (np.broadcast_to(np.asarray(v, dtype=float), n) for v in shown)
    except (TypeError, ValueError) as error:
        raise RequestError(f"There must be one number a customer: {error}.") from None
    known = ~np.isnan(V)
    if not known.any():
        raise RequestError(f"Of the {n:,} customers with this problem none is known.")

    limits = recovery_limits(
        policy,
        problem,
        L,
        value_if_alive=np.where(known, V, 0.0),
        frequency=np.where(known, x, 0.0),
        p_alive=np.where(known, A, 0.0),
        value_share=np.where(known, share, 0.0),
        hours=hours,
        severity=severity,
        word_of_mouth=word_of_mouth,
        form=form,
    )
    rules, c = policy.recovery, unit_cost(policy, form)
    D, kappa = most_savable(limits.ceiling, hours, rules), rules.money_scale * L
    best = min(uniform_spend(D[known], kappa[known], c), rules.most_in_12_months)
    spend = np.maximum(payable(np.minimum(best, rules.most_of_loss * L), policy), limits.floor)
    same = bool((spend == spend[0]).all())
    offer = float(spend[0]) if same else float(payable(np.asarray(best), policy))
    cost = c * float(spend.sum())
    kept = np.where(known, net_gain(spend, D, kappa, c) + c * spend, np.nan)
    ends: tuple[float, float] | None = None
    if value_low is not None and value_high is not None:
        low, high = (np.broadcast_to(np.asarray(v, float), n) for v in (value_low, value_high))
        sd = log_odds_sd(policy, problem, frequency=x, severity=severity)
        middle = dropout_before(
            policy.problem(problem).dropout,
            policy.dropout,
            earlier_purchases=x,
            severity=severity,
        )
        columns = (kept, limits.dropout, middle, A, V, low, high, sd)
        ends = _range(*(column[known] for column in columns), word_of_mouth=word_of_mouth)
    tiers = [*policy.authority.tiers, PERSON]
    tier = np.searchsorted(list(policy.authority.tiers.values()), spend.max())
    by_rule = policy.problem(problem).person_decides
    answer = UniformOffer(
        customer_id=ids,
        problem=problem,
        offer=offer,
        spend=spend,
        value_kept=kept,
        individual=np.where(known, limits.recommended, np.nan),
        person=limits.integral | by_rule,
        authority=PERSON if by_rule else tiers[int(tier)],
        cost=cost,
        gain=float(kept[known].sum()) - cost,
        gain_low=ends[0] - cost if ends else None,
        gain_high=ends[1] - cost if ends else None,
        individual_gain=float(limits.net_gain[known].sum()) - c * float(limits.floor[~known].sum()),
        unknown=int((~known).sum()),
        sentences=(),
        assumed=assumed_keys(
            policy,
            problem,
            credit=form == "credit",
            late=bool((limits.promptness < 1).any()),
            worse=severity > 1,
            known_before=bool((x[known] > 0).any()),
            with_range=ends is not None,
        ),
        currency=policy.currency,
        policy_version=policy.version,
    )
    by_floor = bool((spend > best).all())
    return replace(answer, sentences=_sentences(answer, policy, by_floor=by_floor))


def _range(
    kept: Floats,
    dropout: Floats,
    middle: Floats,
    p_alive: Floats,
    value: Floats,
    low: Floats,
    high: Floats,
    sd: Floats,
    *,
    word_of_mouth: float,
) -> tuple[float, float]:
    """10 % and 90 % points of the value kept in all.

    The parameters of the models and of the policy are the same for all customers: in one draw all
    are worth more than thought, or all less. Only that is drawn.
    """
    order = np.argsort(kept, kind="stable")
    starts = np.unique(
        np.linspace(0, len(order), min(SAMPLE, len(order)), endpoint=False).astype(int)
    )
    sums = np.add.reduceat(kept[order], starts)
    some = order[(starts + np.append(starts[1:], len(order))) // 2]  # stands for its block
    of_value, of_dropout = (z[:, None] for z in normal_draws())
    V = value_draws(low[some], high[some], of_value)
    pi0 = expit(logit(middle[some]) + sd[some] * of_dropout)
    thought = p_alive[some] * dropout[some] * value[some] + word_of_mouth
    drawn = p_alive[some] * pi0 * V + word_of_mouth
    ratio = np.divide(drawn, thought, out=np.zeros_like(drawn), where=thought > 0)
    return ten_ninety(ratio @ sums)


def _sentences(answer: UniformOffer, policy: Policy, *, by_floor: bool) -> tuple[str, ...]:
    currency, n = answer.currency, len(answer.spend)
    offer, cost = money(answer.offer, currency), money(answer.cost, currency)
    many = f"{n:,} customers" if n > 1 else "customer"
    each = f"Offer each of the {many}" if n > 1 else "Offer the customer"
    label = policy.problem(answer.problem).label
    net = (
        f"{money(abs(answer.gain), currency)} {'net' if answer.gain >= 0 else 'less than it costs'}"
    )
    expected = (
        f"{cost} in all, which is expected to keep {money(answer.gain + answer.cost, currency)} of "
        f"their value, {net}."
    )
    if not answer.cost:
        fix = f"Fix it and apologise to the {many} ({label})"
        told = [f"{fix}: one amount for all of them costs more than it keeps."]
    elif answer.offer:
        told = [f"{each} {offer} ({label}): {expected}"]
    else:
        told = [f"{each} the floor of what they lost ({label}): {expected}"]
    if answer.cost and by_floor:
        told.append(
            "That is the policy floor, which everyone with this problem gets; their value alone "
            "does not justify it."
        )
    if answer.authority == PERSON:
        told.append("A person decides about it before anything is offered.")
    if answer.gain_low is not None and answer.gain_high is not None and answer.cost:
        told.append(
            f"What the orders leave open of their value, and how unsure it is how many leave over "
            f"such a problem, makes the net anything from {answer.gain_low:,.2f} to "
            f"{money(answer.gain_high, currency)} (the 10-90 % range)."
        )
    gap = answer.individual_gain - answer.gain
    if gap > 0.005:
        told.append(
            f"Offers customer by customer would net {money(answer.individual_gain, currency)}: "
            f"treating all alike gives up {money(gap, currency)}, and nobody finds out that the "
            "next one got more."
        )
    other = int((answer.spend != answer.offer).sum())
    if other and answer.offer:
        told.append(
            f"{other:,} of them get another amount: the floor of what they lost is higher, or "
            f"{policy.recovery.most_of_loss:g} times what they lost is less."
        )
    by_person = int(answer.person.sum())
    if by_person and answer.authority != PERSON:
        verb = "is" if by_person == 1 else "are"
        told.append(f"{by_person:,} of them {verb} integral: a person speaks to them besides.")
    if answer.unknown:
        verb = "is" if answer.unknown == 1 else "are"
        told.append(
            f"{answer.unknown:,} of them {verb} not in the book: the offer to them is in its cost; "
            "what it keeps of them is not known and not counted."
        )
    told.append("What they are owed by law comes on top.")
    return tuple(told)
