"""What a book learns from an incident log: the policy's figures about problems and recovery.

The orders are read again, the incidents put into them, the incident-aware BG/NBD fitted with the
policy as its prior; what the data made of the policy's figures is the answer. It always starts from
the policy as stated, so that a log that is learned from twice counts once.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from clv.arrays import Floats
from clv.book import Book
from clv.book.orders import orders_of, returned_items
from clv.incidents.effects import LearnedEffect, LearnedType, ends, learned_effects, on_log_odds
from clv.inference.assumed_handling import AssumedHandling, with_assumed_handling
from clv.inference.incident_posterior import IncidentPosterior, incident_posterior
from clv.models.incidents.covariates import SELECTION, Handling
from clv.models.incidents.effects import Effect, effects_of
from clv.models.incidents.fit import IncidentFit
from clv.models.incidents.likelihood import Link
from clv.models.incidents.model import IncidentBGNBD
from clv.recommend.incident_prior import incident_prior, learned_from_incidents
from clv.recommend.learned import Learned
from clv.recommend.policy import Policy
from clv.transactions.incidents import (
    CustomerIncidentHistories,
    IncidentLog,
    incident_histories,
    read_incidents,
)
from clv.transactions.orders import Orders
from clv.value.value_intervals import LEVEL

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["IncidentLearning", "learn_from_incidents"]

COUNT = 200
"""Models drawn from the posterior for the ranges of what is told in money and people."""


@dataclass(frozen=True, eq=False)
class IncidentLearning:
    """What one incident log teaches the policy of a book.

    Attributes
    ----------
    policy : Policy
        As stated: where the learning started.
    fit : IncidentFit
        The model of incidents.
    posterior : IncidentPosterior
        How sure it is.
    histories : CustomerIncidentHistories
        The customers and their incidents, up to the end of the book.
    log : IncidentLog
        The log.
    read : tuple of Effect
        What limits read off it, on log-odds: what happened with chosen handling as assumed
        (:mod:`clv.inference.assumed_handling`), chosen handling as the log shows it.
    figures : Learned
        Of the policy, those that the log speaks about.
    notices : tuple of str
        What to know of the orders and the log.
    """

    policy: Policy
    fit: IncidentFit
    posterior: IncidentPosterior
    histories: CustomerIncidentHistories = field(repr=False)
    log: IncidentLog = field(repr=False)
    read: tuple[Effect, ...] = field(repr=False)
    figures: Learned
    notices: tuple[str, ...]

    @property
    def learned(self) -> Learned:
        """What :meth:`clv.Book.learn` is to keep: nothing with the shared link.

        There, who has bought often is less fragile already, which the policy's figures are to say.
        """
        if self.fit.model.link == "separate":
            return self.figures
        return replace(self.figures, figures={})

    @cached_property
    def models(self) -> list[IncidentBGNBD]:
        """Equally likely models."""
        return self.posterior.models(COUNT, np.random.default_rng(1))

    @cached_property
    def dropout_draws(self) -> Floats:
        """P(left over it | was there) of each incident by each of the models, shape (D, m)."""
        return np.array([self._dropout(model) for model in self.models])

    def _dropout(self, model: IncidentBGNBD) -> Floats:
        return model.dropout_at_incidents(self.histories)

    @cached_property
    def types(self) -> tuple[LearnedType, ...]:
        """What was learned of each type in the log, the most frequent first."""
        told, h = [], self.histories
        before = {name: mean for name, (mean, _) in self.fit.prior.items()}
        assumed = self._dropout(replace(self.fit.model, coefficients=before))
        for code, key in enumerate(h.kinds):
            of_kind = h.kind == code
            kind = self.policy.problem(key)
            figure = self.figures[f"problems.{key}.dropout"]
            # the figure is the coefficient's probability in units of the share that a fix leaves
            per = figure.value / float(expit(figure.posterior_mean))
            low, high = ends(figure.posterior_mean, figure.posterior_sd)
            lost = self.dropout_draws[:, of_kind].mean(axis=1)
            lost_low, lost_high = _bounds(lost)
            told.append(
                LearnedType(
                    key,
                    kind.label,
                    int(of_kind.sum()),
                    kind.dropout,
                    figure.value,
                    min(1.0, per * float(expit(low))),
                    min(1.0, per * float(expit(high))),
                    float(assumed[of_kind].mean()),
                    float(lost.mean()),
                    lost_low,
                    lost_high,
                    figure.share_from_data,
                )
            )
        return tuple(sorted(told, key=lambda one: (-one.incidents, one.problem)))

    @cached_property
    def effects(self) -> tuple[LearnedEffect, ...]:
        """What was learned of all that is not a type of problem."""
        return learned_effects(self.fit, self.read)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a support lead should know of it."""
        return (*self._harmless(), *self._of_goodwill())

    def _harmless(self) -> list[str]:
        return [
            f"Next to nobody leaves over {one.label}: {100 * one.lost:.1f} % of those there "
            f"({100 * one.lost_low:.1f} to {100 * one.lost_high:.1f} %), where the policy made one "
            f"expect {100 * one.lost_assumed:.1f} %. In these orders it is a sign of a busy "
            "customer, not of one about to leave; goodwill for it keeps next to nobody."
            for one in self.types
            if one.harmless
        ]

    def _of_goodwill(self) -> list[str]:
        (goodwill,) = (effect for effect in self.effects if effect.name == "goodwill")
        if not goodwill.incidents:
            given = self.fit.histories.goodwill_ratio
            told = "What goodwill does was not learned: " + (
                "no incident says how much was given."
                if np.isnan(given).all()
                else "none was given."
            )
        elif goodwill.basis == "causal" and goodwill.use == "used":
            told = "What goodwill does was learned from what chance decided; limits follow it."
        elif goodwill.basis == "causal":
            told = (
                "What goodwill does was learned from what chance decided; it moves no limit here."
            )
        else:
            told = (
                "What goodwill does is only an association: it was given for reasons, and some of "
                "them say how the customer would have behaved anyway. It is shown and moves no "
                "limit. To learn it, let chance vary a few offers: clv experiment plan."
            )
        return [told]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in plain types, ready for JSON."""
        return {
            "model": self.fit.model.label,
            "link": self.fit.model.link,
            "customers": self.fit.customers,
            "incidents": self.fit.incidents,
            "end": self.fit.end.isoformat() if self.fit.end else None,
            "types": [asdict(one) | {"harmless": one.harmless} for one in self.types],
            "effects": [asdict(one) for one in self.effects],
            "sentences": list(self.sentences),
            "log_likelihood": self.fit.log_likelihood,
            "learned": self.learned.to_dict(),
            "posterior": self.posterior.to_dict(),
            "concerns": list(self.fit.concerns),
            "rows": self.histories.report.to_dict(),
            "notices": list(self.notices),
            "policy_version": self.policy.version,
        }


def learn_from_incidents(
    book: Book,
    incidents: IncidentLog | str | os.PathLike[str] | pd.DataFrame | None = None,
    *,
    orders: Orders | str | os.PathLike[str] | pd.DataFrame | None = None,
    link: Link = "separate",
) -> IncidentLearning:
    """Learn what problems do to customers, and what recovery does, from a log of incidents.

    Nothing is written: ``book.learn(learning.learned)`` keeps it.

    Parameters
    ----------
    book : Book
        Whose orders and policy.
    incidents : IncidentLog, path, pattern of paths, or pandas.DataFrame, optional
        As for :func:`clv.read_incidents`; types are those of the policy. Without it, the returns
        among the orders, in a book that was built with them as incidents.
    orders : Orders, path, pattern of paths, or pandas.DataFrame, optional
        Where the orders of the book are, if not where they were when it was built.
    link : {"separate", "shared"}
        Whether a problem ends a relationship with a probability of its own, or through how fragile
        it is.

    Returns
    -------
    IncidentLearning

    Raises
    ------
    IncidentsError, OrdersError, RequestError
        Where the log or the orders cannot be read, or belong to different customers.
    FitError
        Where the data cannot tell.

    Examples
    --------
    >>> import clv, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     book = clv.build_book(clv.datasets.path("online_retail"), f"{folder}/book",
    ...                           end="2011-12-09")
    ...     learning = learn_from_incidents(book, clv.datasets.path("online_retail_incidents"))
    ...     (returns,) = learning.types
    >>> returns.assumed, returns.harmless
    (0.1, True)
    """
    policy = book.stated_policy
    found = orders_of(book, orders)
    log = returned_items(book) if incidents is None else incidents
    if not isinstance(log, IncidentLog):
        log = read_incidents(log, kinds=policy.problems)
    histories = incident_histories(
        found.orders,
        log,
        end=book.end,
        unit=book.unit,
        decay_days=policy.dropout.earlier_incident_days,
    )
    rules = policy.recovery
    fit = IncidentBGNBD.fit(
        histories,
        incident_prior(policy),
        link=link,
        handling=Handling(
            slow_share=rules.slow_share,
            prompt_hours=rules.prompt_hours,
            half_life_hours=rules.half_life_hours,
        ),
    )
    posterior = incident_posterior(fit)
    held = with_assumed_handling(posterior, incident_prior(policy))
    read = _read(posterior, held)
    return IncidentLearning(
        policy=policy,
        fit=fit,
        posterior=posterior,
        histories=histories,
        log=log,
        read=read,
        figures=_figures(policy, fit, read, held, log, book.end),
        notices=(*found.notices, *histories.report.notices),
    )


def _figures(
    policy: Policy,
    fit: IncidentFit,
    read: tuple[Effect, ...],
    held: AssumedHandling,
    log: IncidentLog,
    end: date,
) -> Learned:
    """What of it are figures of the policy; those that no incident speaks about stay assumed."""
    told = [effect for effect in read if effect.incidents and effect.name != SELECTION]
    sd = np.sqrt(np.diag(held.covariance))
    return learned_from_incidents(
        policy,
        {effect.name: (effect.posterior_mean, effect.posterior_sd) for effect in told},
        {effect.name: effect.incidents for effect in told},
        goodwill_randomised=fit.goodwill_basis == "causal",
        source=log.sha256,
        learned_on=end,
        correlations=(held.names, held.covariance / np.outer(sd, sd)),
    )


def _read(posterior: IncidentPosterior, held: AssumedHandling) -> tuple[Effect, ...]:
    """Effects on log-odds: what happened with handling as assumed, what was chosen as it shows."""
    fit = posterior.fit
    deviations = np.sqrt(np.diag(held.covariance)).tolist()
    mean = posterior.mean | dict(zip(held.names, held.mean.tolist(), strict=True))
    sd = posterior.standard_deviation | dict(zip(held.names, deviations, strict=True))
    return on_log_odds(fit, effects_of(fit.prior, mean, sd, fit.used))


def _bounds(draws: npt.NDArray[np.float64]) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail]).tolist()
    return low, high
