"""What a reader of any figure that rests on a fit with incidents must know."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from clv.models.concerns import concerns_of
from clv.models.incidents.covariates import SELECTION, TYPE
from clv.models.incidents.likelihood import PARAMETERS, Link
from clv.models.incidents.randomised import flaw_of_design

if TYPE_CHECKING:
    from clv.models.incidents.fit import IncidentFit

__all__ = ["concerns_of_incidents"]


LEAST_SHARE = 0.1
"""Share of an effect's variance that the data must have taken for it to count as learned."""

FAR = 2.5
"""Prior standard deviations from the prior's mean from which data and prior are at odds."""

CYCLES = 2
"""Purchase cycles of follow-up before an incident says something."""

LEAST_SEPARATED = 10
"""Incidents, all with the same outcome, from which an effect counts as perfectly separated."""

MANY_REPORTS = 0.1
"""Reports per purchase from which it matters that those who have left make none."""

LASTED = 0.95
"""Posterior probability of having left, or stayed, that counts as an outcome."""


def concerns_of_incidents(fit: IncidentFit) -> tuple[str, ...]:
    """Say what the data hardly tell, and what only looks learned; nothing where all is well."""
    told = concerns_of(fit.model.base, fit.covariance[:PARAMETERS, :PARAMETERS])
    return (
        *told,
        *_not_learned(fit),
        *_separated(fit),
        *_separated_by_goodwill(fit),
        *_at_odds(fit),
        *_goodwill(fit),
        *_unknown(fit),
        *_too_recent(fit),
        *_only_reports(fit),
    )


def _not_learned(fit: IncidentFit) -> list[str]:
    unseen, unused = [], []
    types = [e.name for e in fit.effects if not e.incidents and e.name.startswith(TYPE)]
    if types:
        unseen.append("problems of type " + _and([_label(name) for name in types], "or"))
    for effect in fit.effects:
        if effect.incidents == 0:
            if effect.name.startswith(TYPE) or effect.name == "goodwill_unknown":
                continue  # told above; all of it is known: nothing is missing
            unseen.append(_spoken(effect.name))
        elif effect.share_from_data < LEAST_SHARE:
            count = f"{effect.incidents:,} incident{'' if effect.incidents == 1 else 's'}"
            unused.append(f"{_spoken(effect.name)} ({count})")
    told = []
    if unseen:
        told.append(
            f"Nothing in the log speaks of {_and(unseen)}: what is said of it is the prior."
        )
    if unused:
        told.append(
            f"The log hardly speaks of {_and(unused)}: what is said of it is mostly the prior."
        )
    return told


def _separated(fit: IncidentFit) -> list[str]:
    """Coefficients of a yes or no, all of whose incidents ended the same way."""
    fates, likelihood = fit.likelihood.fates, fit.likelihood
    _, share = likelihood.mixture(fit.model.vector)
    gone = np.zeros(len(fates.survived))
    gone[~fates.survived] = share[fates.at_incident]
    reached = np.ones(len(gone))
    reached[~fates.survived] = fates.sums_from(share)[fates.at_incident]
    told = []
    for name, z in zip(fit.model.names, likelihood.z, strict=True):
        some = z == 1
        if not (name.startswith(TYPE) or name == "unresolved") or some.sum() < LEAST_SEPARATED:
            continue
        outcome = None
        if fates.survived[some].all():
            outcome = "was followed by a purchase or a later contact"
        elif (gone[some] > LASTED * reached[some]).all():
            outcome = "was followed by silence"
        if outcome:
            told.append(
                f"Each of the {int(some.sum()):,} {_spoken(name)} {outcome}. "
                "Such data would push the effect to infinity; where it stands, the prior holds it."
            )
    return told


def _separated_by_goodwill(fit: IncidentFit) -> list[str]:
    """An amount of goodwill that divides those who came back from those who did not."""
    ratio, survived = fit.histories.goodwill_ratio, fit.likelihood.fates.survived
    back, silent = (ratio[who & ~np.isnan(ratio)] for who in (survived, ~survived))
    if "goodwill" not in fit.model.names or min(len(back), len(silent)) < LEAST_SEPARATED:
        return []
    if back.min() > silent.max():
        which, at = "more", silent.max()
    elif back.max() < silent.min():
        which, at = "less", silent.min()
    else:
        return []
    other = "less" if which == "more" else "more"
    told = (
        f"Goodwill tells perfectly who bought or was in touch again: all {len(back):,} given "
        f"{which} than {at:.3g} of the loss, none of the {len(silent):,} given that or {other}. "
        "Was it written down after the outcome was known? Such data would push the effect to "
        "infinity; where it stands, the prior holds it."
    )
    return [told]


def _at_odds(fit: IncidentFit) -> list[str]:
    far = [
        f"{_spoken(e.name)} ({_scale(e.name, fit.model.link)} {math.exp(e.prior_mean):.2g} by the "
        f"prior, {math.exp(e.posterior_mean):.2g} by both)"
        for e in fit.effects
        if abs(e.posterior_mean - e.prior_mean) > FAR * e.prior_sd
    ]
    if not far:
        return []
    told = (
        f"Prior and data are at odds over {_and(far)}: the estimate is a compromise. Is the log "
        "complete, and is what it calls an incident what the prior was meant for?"
    )
    return [told]


def _goodwill(fit: IncidentFit) -> list[str]:
    if "goodwill" not in fit.model.names:
        return []
    ratio = fit.histories.goodwill_ratio
    ratio = ratio[~np.isnan(ratio)]
    told = []
    if len(ratio) and not (ratio > 0).any():
        told.append("No incident was given goodwill, so its effect cannot be learned here.")
    elif len(ratio) and (ratio > 0).all():
        same = np.ptp(ratio) == 0
        told.append(
            "Every incident was given goodwill"
            + (", the same share of the loss" if same else "")
            + ": how it would have gone without is "
            + ("the prior's guess." if same else "an extrapolation.")
        )
    if SELECTION not in fit.model.names and len(ratio) and (ratio > 0).any():
        told.append(
            f"The effect of goodwill is associational: {flaw_of_design(fit.histories)}. Who gets "
            "more may be who would have stayed anyway."
        )
    return told


def _unknown(fit: IncidentFit) -> list[str]:
    h, told = fit.histories, []
    for name, column, what, base in (
        ("lateness", h.hours, "how long the answer took", "prompt"),
        ("unresolved", h.resolved, "whether it was resolved", "resolved"),
    ):
        unknown = int(np.isnan(column).sum())
        if name in fit.model.names and unknown:
            counted = base if unknown == h.incidents else "the mean of the others"
            told.append(
                f"Of {unknown:,} of {h.incidents:,} "
                f"incident{'' if h.incidents == 1 else 's'} it is not known {what}; they count "
                f"as {counted}."
            )
    return told


def _too_recent(fit: IncidentFit) -> list[str]:
    """Incidents with less than two of their customer's purchase cycles after them."""
    h, model = fit.histories, fit.model
    cycle = (model.alpha + h.T) / (model.r + h.frequency)  # 1/E[λ | alive]
    who = h.incident_customer
    recent = ~fit.likelihood.fates.survived & (h.T[who] - h.time < CYCLES * cycle[who])
    count = int(recent.sum())
    if count <= h.incidents / 2:
        return []
    told = (
        f"{count:,} of {h.incidents:,} incidents lie less than two of their customer's purchase "
        "cycles before the end of the log and say almost nothing yet."
    )
    return [told]


def _only_reports(fit: IncidentFit) -> list[str]:
    """Silence about a purchase is a little evidence of having left, which no term uses."""
    h = fit.histories
    purchases = h.customers + h.plain.weight @ h.plain.frequency + h.frequency.sum()
    reports = float(h.contact.sum() / purchases)
    if reports < MANY_REPORTS:
        return []
    told = (
        f"Customers reported {reports:.2f} incidents a purchase. Who has left reports nothing, and "
        "that silence is not used: the share who leave after a purchase comes out too low. In "
        "simulated shops of 30 to 78 weeks, every incident a report, by 3 % of itself at 0.1 a "
        "purchase and by 10 % at 0.3."
    )
    return [told]


WORDS = {
    "severity": "how severe a problem is",
    "earlier_purchases": "earlier purchases",
    "earlier_incident": "a problem soon after another",
    "goodwill": "goodwill",
    SELECTION: "the reasons for which goodwill is given",
    "lateness": "waiting for the answer",
    "unresolved": "problems that were not solved",
    "goodwill_unknown": "goodwill that nobody wrote down",
}
"""What a coefficient is about, for people."""


def _scale(name: str, link: Link) -> str:
    if not name.startswith(TYPE):
        return "times"
    return "odds of leaving" if link == "separate" else "worth of purchases"


def _spoken(name: str) -> str:
    if name.startswith(TYPE):
        return f"problems of type {_label(name)}"
    return WORDS[name]


def _label(name: str) -> str:
    return name.removeprefix(TYPE).replace("_", " ")


def _and(names: list[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" {last} {names[-1]}"
