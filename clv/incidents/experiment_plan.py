"""Before an experiment with goodwill: how many incidents, and years, until its effect shows."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit

from clv.book import Book
from clv.errors import RequestError
from clv.incidents.learning import learn_from_incidents
from clv.incidents.purchases import buys_within, refuse_window
from clv.incidents.record import incident_record, learned_policy
from clv.recommend.experiment_size import incidents_needed, smallest_effect
from clv.value.terms import DAYS_PER_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from clv.transactions.incidents import IncidentLog
    from clv.transactions.orders import Orders

__all__ = ["ExperimentPlan", "StepPlan", "plan_experiment"]

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
    refuse_window(window_days)
    bad = [f"{s:g}" for s in (() if steps is None else steps) if not (math.isfinite(s) and s > 0)]
    if bad:
        raise RequestError(f"A step must be an amount above 0; got {', '.join(bad)}.")
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
    buys = buys_within(window_days, h, learning.fit.model)[offered]
    dropout = 1 - float(stays.mean())  # who was gone before is not to be kept either
    returns = float((stays * buys).sum() / stays.sum())
    (effect,) = (e for e in learning.effects if e.name == "goodwill")
    per_unit = math.log(effect.learned if effect.incidents else effect.assumed) / math.log(2)
    grid = policy.experiment.grid_steps * policy.recovery.grid
    sizes = [grid * times for times in STEPS] if steps is None else list(steps)
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
