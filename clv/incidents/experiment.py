"""The experiment with goodwill in a book: who is in it, and what it showed."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from clv.arrays import Floats
from clv.book import Book
from clv.errors import IncidentsError
from clv.history import DAYS_PER_UNIT
from clv.incident_history import IncidentHistories
from clv.incidents.learning import IncidentLearning, learn_from_incidents
from clv.incidents.purchases import buys_within, purchases_around, refuse_window
from clv.incidents.record import incident_record, learned_policy
from clv.models.incidents.randomised import not_chance
from clv.recommend.experiment import Assignment, ExperimentEstimate, assign, estimate
from clv.recommend.limits import PERSON
from clv.transactions.report import counted

if TYPE_CHECKING:
    import pandas as pd

    from clv.recommend.recovery import Recovery
    from clv.transactions.incidents import IncidentLog
    from clv.transactions.orders import Orders

__all__ = [
    "ExperimentResult",
    "assign_offer",
    "estimate_experiment",
]

Mask = npt.NDArray[np.bool_]


def assign_offer(
    book: Book, answer: Recovery, incident_id: str, *, experiment: str = "goodwill"
) -> Assignment:
    """Draw the arm of the offer for one incident, within the limits of who may approve it.

    Where a person decides, nothing is offered until they have, and nothing is drawn.

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
    if answer.binding == PERSON:
        return Assignment(
            str(answer.customer_id), incident_id, None, None, None, None, None, "A person decides."
        )
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
    unstated : int
        Incidents with an arm, usual or step, whose probability the log does not say; left out.
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
    unstated: int
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
    refuse_window(window_days)
    learning = learn_from_incidents(book, incidents, orders=orders)
    h = learning.histories
    rows = learning.log.frame.loc[h.row]
    arm = rows["assigned_arm"].fillna("").str.lower().to_numpy(str)
    e = h.assignment_probability
    certain = (e == 1) & (arm != "")
    drawn = ~np.isnan(e) & (e < 1) & (arm != "")
    strange = sorted(set(arm[drawn]) - {"usual", "step"})
    unstated = int((np.isnan(e) & ~np.isnan(h.step)).sum())
    if strange or not drawn.any():
        told = "no offer that chance decided"
        if strange:
            told = f"arms named {', '.join(strange)}"
        elif unstated:
            incidents_with = counted(unstated, "incident")
            told = f"{incidents_with} with an arm, but does not say with what probability it came"
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
    more = (kept * record.there[seen] * buys_within(window_days, h, learning.fit.model)[seen]).mean(
        axis=1
    )
    low, high = np.quantile(more, [0.1, 0.9]).tolist()
    ratio = h.goodwill_ratio
    return ExperimentResult(
        estimate=found,
        window_days=window_days,
        too_recent=int((drawn & ~seen).sum()),
        undrawn=int(certain.sum()),
        unstated=unstated,
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
