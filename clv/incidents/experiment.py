"""The experiment with goodwill in a book: how long it takes, who is in it, what it showed."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from clv.arrays import Floats
from clv.book import Book
from clv.errors import IncidentsError, RequestError
from clv.history import DAYS_PER_UNIT
from clv.incident_history import IncidentHistories
from clv.incidents.learning import IncidentLearning, learn_from_incidents
from clv.incidents.purchases import purchases_around
from clv.incidents.record import incident_record, learned_policy
from clv.models.incidents.randomised import not_chance
from clv.recommend.experiment import Assignment, ExperimentEstimate, assign, estimate
from clv.recommend.experiment_size import incidents_needed, smallest_effect
from clv.value.terms import DAYS_PER_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from clv.recommend.recovery import Recovery
    from clv.transactions.incidents import IncidentLog
    from clv.transactions.orders import Orders

__all__ = [
    "ExperimentPlan",
    "ExperimentResult",
    "StepPlan",
    "assign_offer",
    "estimate_experiment",
    "plan_experiment",
]

Mask = npt.NDArray[np.bool_]

POWERS = (0.8, 0.9)
STEPS = (1, 5, 10, 20, 50)
"""Multiples of the policy's step that a plan compares."""


@dataclass(frozen=True)
class StepPlan:
    """How long one size of step would take to show.

    Attributes
    ----------
    step : float
        In money at face value.
    effect : float
        By how much it is thought to lower the part who leave; 0.02 is two points.
    incidents_80, incidents_90 : float
        Incidents until it shows with a power of 80 and 90 %.
    years_80, years_90 : float
        Years that these take.
    cost_per_year : float
        What the steps themselves cost a year.
    """

    step: float
    effect: float
    incidents_80: float
    incidents_90: float
    years_80: float
    years_90: float
    cost_per_year: float


@dataclass(frozen=True)
class ExperimentPlan:
    """How many incidents until what a step of goodwill does can be seen.

    Attributes
    ----------
    share : float
        Part of the offers that is varied.
    window_days : float
        Days of follow-up.
    dropout, returns : float
        Part who leave with the usual offer; of those who stay, part who buy within the window.
    per_year : float
        Incidents a year with an offer to vary.
    smallest_effect : float
        What a year of them would show with a power of 80 %; nan: nothing.
    steps : tuple of StepPlan
        Sizes of step, compared.
    goodwill : str
        Where the effects come from: "assumed", "causal" (chance decided) or "associational".
    """

    share: float
    window_days: float
    dropout: float
    returns: float
    per_year: float
    smallest_effect: float
    steps: tuple[StepPlan, ...]
    goodwill: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self)


def plan_experiment(
    book: Book,
    incidents: IncidentLog | str | os.PathLike[str] | pd.DataFrame,
    *,
    orders: Orders | str | os.PathLike[str] | pd.DataFrame | None = None,
    window_days: float = 90.0,
    share: float | None = None,
    steps: Sequence[float] | None = None,
) -> ExperimentPlan:
    """Plan an experiment with incidents like those of a log, offers as the policy recommends them.

    Parameters
    ----------
    book : Book
        Whose customers and policy.
    incidents : IncidentLog, path, pattern of paths, or pandas.DataFrame
        As for :func:`clv.read_incidents`.
    orders : Orders, path, pattern of paths, or pandas.DataFrame, optional
        Where the orders of the book are, if not where they were when it was built.
    window_days : float
        Days within which a customer must buy again to count as having come back.
    share : float, optional
        Part of the offers that is varied; the policy's by default.
    steps : sequence of float, optional
        Sizes of step to compare, in money; multiples of the policy's by default.

    Returns
    -------
    ExperimentPlan

    Raises
    ------
    RequestError
        Where a share, a window or a step makes no sense, or the policy recommends goodwill for none
        of these incidents.
    """
    _refuse_window(window_days)
    learning = learn_from_incidents(book, incidents, orders=orders)
    policy = learned_policy(book, learning)
    part = policy.experiment.share if share is None else share
    record = incident_record(book, learning, policy)
    h = learning.histories
    loss = learning.log.frame.loc[h.row]["loss_amount"].to_numpy(dtype=float)
    offered = (record.recommended > 0) & (loss > 0)
    if not offered.any():
        raise RequestError(
            f"For none of the {h.incidents:,} incidents the policy recommends goodwill with a "
            "known loss, so there is no offer to vary."
        )
    L, offer = loss[offered], record.recommended[offered]
    pi = record.dropout.mean(axis=0)[offered]
    stays = (record.there * (1 - record.dropout.mean(axis=0)))[offered]
    buys = _buys(learning, window_days)[offered]
    dropout = 1 - float(stays.mean())  # who was gone before is not to be kept either
    returns = float((stays * buys).sum() / stays.sum())
    (effect,) = (e for e in learning.effects if e.name == "goodwill")
    per_unit = math.log(effect.learned if effect.incidents else effect.assumed) / math.log(2)
    grid = policy.experiment.grid_steps * policy.recovery.grid
    sizes = [grid * times for times in STEPS] if steps is None else list(steps)
    bad = [f"{s:g}" for s in sizes if not (math.isfinite(s) and s > 0)]
    if bad:
        raise RequestError(f"A step must be an amount above 0; got {', '.join(bad)}.")
    days = min(float(record.days_ago.max()) + 1, DAYS_PER_YEAR)
    per_year = float((record.days_ago[offered] < DAYS_PER_YEAR).sum()) * DAYS_PER_YEAR / days
    told = []
    there = record.there[offered]
    for size in sizes:
        more = np.log1p((offer + size) / L) - np.log1p(offer / L)
        kept = float(np.mean(there * (pi - expit(logit(pi) + per_unit * more))))
        needed = [_needed(kept, dropout, returns, part, p) for p in POWERS]
        told.append(
            StepPlan(
                step=float(size),
                effect=kept,
                incidents_80=needed[0],
                incidents_90=needed[1],
                years_80=needed[0] / per_year,
                years_90=needed[1] / per_year,
                cost_per_year=part * per_year * float(size),
            )
        )
    return ExperimentPlan(
        share=part,
        window_days=window_days,
        dropout=dropout,
        returns=returns,
        per_year=per_year,
        smallest_effect=smallest_effect(per_year, dropout=dropout, returns=returns, share=part),
        steps=tuple(told),
        goodwill=effect.basis if effect.incidents else "assumed",
    )


def _needed(effect: float, dropout: float, returns: float, share: float, power: float) -> float:
    """Incidents needed; infinite where there is no effect to see."""
    if effect <= 0:
        return math.inf
    return float(
        incidents_needed(effect, dropout=dropout, returns=returns, share=share, power=power)
    )


def assign_offer(
    book: Book, answer: Recovery, incident_id: str, *, experiment: str = "goodwill"
) -> Assignment:
    """Draw the arm of the offer for one incident, within the limits of who may approve it.

    Parameters
    ----------
    book : Book
        Whose policy says how many offers are varied, and by how much.
    answer : Recovery
        From :meth:`clv.Book.recover`.
    incident_id : str
        Number of the ticket or the order: with the customer it names the incident.
    experiment : str
        Name of the experiment; another name draws anew.

    Returns
    -------
    Assignment
    """
    policy = book.policy
    caps = policy.authority.tiers
    most = min(policy.recovery.most_of_loss * answer.loss, caps.get(answer.authority, 0.0))
    return assign(
        policy,
        str(answer.customer_id),
        incident_id,
        answer.recommended,
        most=max(0.0, most),
        experiment=experiment,
    )


@dataclass(frozen=True)
class ExperimentResult:
    """What an experiment showed, by counting and by the model.

    Attributes
    ----------
    estimate : ExperimentEstimate
        Who came back, by arm.
    window_days : float
        Days of follow-up.
    too_recent : int
        Randomised incidents with less follow-up than that; left out.
    undrawn : int
        Incidents with an arm of probability 1: there was no other to compare with; left out.
    flaw : str
        Why the arms cannot be what chance made them; empty where nothing speaks against it. The
        estimate is then no more than a comparison of two groups.
    goodwill_usual, goodwill_step : float
        Goodwill over loss in either arm, on average.
    model_difference, model_low, model_high : float
        By how much the model says that the step raised the share who came back; 80 % interval.
    odds, odds_low, odds_high : float
        By how much goodwill of the whole loss multiplies the odds of leaving; 80 % interval.
    basis : str
        On what the model's figures rest: "causal" where chance decided.
    """

    estimate: ExperimentEstimate
    window_days: float
    too_recent: int
    undrawn: int
    flaw: str
    goodwill_usual: float
    goodwill_step: float
    model_difference: float
    model_low: float
    model_high: float
    odds: float
    odds_low: float
    odds_high: float
    basis: str

    def to_dict(self) -> dict[str, Any]:
        """Return everything under its own name, ready for JSON."""
        return asdict(self) | {"estimate": self.estimate.to_dict()}


def estimate_experiment(
    book: Book,
    incidents: IncidentLog | str | os.PathLike[str] | pd.DataFrame,
    *,
    orders: Orders | str | os.PathLike[str] | pd.DataFrame | None = None,
    window_days: float = 90.0,
) -> ExperimentResult:
    """Say what varying offers by chance did to who comes back.

    Parameters
    ----------
    book : Book
        Whose customers; its end is the last day of follow-up.
    incidents : IncidentLog, path, pattern of paths, or pandas.DataFrame
        As for :func:`clv.read_incidents`, with `assigned_arm` ("usual" or "step") and
        `assignment_probability`.
    orders : Orders, path, pattern of paths, or pandas.DataFrame, optional
        Where the orders of the book are, if not where they were when it was built.
    window_days : float
        Days within which a customer must buy again to count as having come back.

    Returns
    -------
    ExperimentResult

    Raises
    ------
    IncidentsError
        Where the log has no randomised incidents, or arms of other names.
    RequestError
        Where an arm has too few incidents with so much follow-up.
    """
    _refuse_window(window_days)
    learning = learn_from_incidents(book, incidents, orders=orders)
    h = learning.histories
    rows = learning.log.frame.loc[h.row]
    arm = rows["assigned_arm"].fillna("").str.lower().to_numpy(str)
    e = h.assignment_probability
    certain = (e == 1) & (arm != "")
    drawn = ~np.isnan(e) & (e < 1) & (arm != "")
    strange = sorted(set(arm[drawn]) - {"usual", "step"})
    if strange or not drawn.any():
        told = f"arms named {', '.join(strange)}" if strange else "no offer that chance decided"
        raise IncidentsError(
            f"The log {learning.log.source!r} has {told}. An experiment has assigned_arm 'usual' "
            "or 'step' and an assignment_probability; clv experiment assign gives both."
        )
    length = DAYS_PER_UNIT[h.unit]
    window = window_days / length
    who = h.incident_customer
    seen = drawn & (h.T[who] - h.time >= window)
    _, following = purchases_around(h)
    back = following - h.time <= window
    step = arm == "step"
    found = estimate(back[seen], step[seen], e[seen], who[seen])
    goodwill, odds = _goodwill(learning)
    policy = learned_policy(book, learning)
    record = incident_record(book, learning, policy)
    shift = _shift(h, seen, step)
    at = logit(np.clip(record.dropout[:, seen], 1e-12, 1 - 1e-12))
    usual = at - goodwill[:, None] * shift * step[seen]
    kept = expit(usual) - expit(usual + goodwill[:, None] * shift)
    more = (kept * record.there[seen] * _buys(learning, window_days)[seen]).mean(axis=1)
    low, high = np.quantile(more, [0.1, 0.9]).tolist()
    ratio = h.goodwill_ratio
    return ExperimentResult(
        estimate=found,
        window_days=window_days,
        too_recent=int((drawn & ~seen).sum()),
        undrawn=int(certain.sum()),
        flaw=not_chance(np.where(step, e, 1 - e)[drawn], step[drawn].astype(float)),
        goodwill_usual=float(np.nanmean(ratio[seen & ~step])),
        goodwill_step=float(np.nanmean(ratio[seen & step])),
        model_difference=float(more.mean()),
        model_low=low,
        model_high=high,
        odds=odds.learned,
        odds_low=odds.learned_low,
        odds_high=odds.learned_high,
        basis=odds.basis,
    )


def _goodwill(learning: IncidentLearning) -> tuple[Floats, Any]:
    """The coefficient of goodwill by each model drawn, and the effect as it is told.

    What is told, and followed by limits, has the other effects of handling held at their prior
    (:mod:`clv.inference.assumed_handling`). The models have them free; so their coefficients are
    moved to the mean and the deviation of what is told.
    """
    (told,) = (effect for effect in learning.effects if effect.name == "goodwill")
    (read,) = (effect for effect in learning.read if effect.name == "goodwill")
    free = np.array([model.coefficients["goodwill"] for model in learning.models])
    away = (free - learning.posterior.mean["goodwill"]) / (
        learning.posterior.standard_deviation["goodwill"]
    )
    return read.posterior_mean + read.posterior_sd * away, told


def _shift(h: IncidentHistories, seen: Mask, step: Mask) -> Floats:
    """What the step adds to ln(1 + goodwill/loss) of each incident; its mean where not known."""
    v = np.log1p(h.goodwill_ratio)
    away: Floats = step - np.where(step, h.assignment_probability, 1 - h.assignment_probability)
    of_each = ((v - h.expected_goodwill) / away)[seen]
    mean = float(np.nanmean(v[seen & step]) - np.nanmean(v[seen & ~step]))
    return np.where(np.isnan(of_each), mean, of_each)


def _buys(learning: IncidentLearning, window_days: float) -> Floats:
    """P(buys again within the window | still there after it) of each incident."""
    h, model = learning.histories, learning.fit.model
    window = window_days / DAYS_PER_UNIT[h.unit]
    x = h.earlier_purchases
    return np.asarray(-np.expm1(-(model.r + x) * np.log1p(window / (model.alpha + h.time))))


def _refuse_window(window_days: float) -> None:
    if not (math.isfinite(window_days) and window_days > 0):
        raise RequestError(f"The window of follow-up must be days above 0; got {window_days:g}.")
