r"""What goodwill does, where some of it was drawn by chance.

Goodwill is given for reasons, and some of them say how the customer will behave: agents give more
to those whom they would be sorry to lose. Only what was drawn by chance has no reasons. Write v for
ln(1 + goodwill/loss) of an incident whose goodwill was drawn, and v̄ for its mean over the draws
that could have been made there (v̄ = v where nothing was drawn). Then v = v̄ + (v − v̄): the reasons
are all in v̄; v − v̄ has mean 0 whatever is known of the incident, by anyone. With a coefficient
each,

    logit π = θ·z + θ_a v̄ + θ_g (v − v̄),

no reason, modelled or not, can reach θ_g: the centred treatment of E-estimation (Robins, Mark &
Newey 1992, https://doi.org/10.2307/2532304). θ_a and θ_g are independent under the prior, each
with that of goodwill, so nothing of θ_a is lent to θ_g.

**What goodwill would have done instead.** θ above is of incidents with v̄ = 0, which is not what
happens without goodwill to those whom v̄ was given. So v̄ is split by least squares on what happened
(type, severity, what came before) into what such an incident usually gets, u·z, and the rest. Then

    logit π = θ'·z + θ_g v + δ (v̄ − u·z),   δ = θ_a − θ_g,   θ' = θ + δ u

says the same, θ' is of such incidents without goodwill, and δ, "goodwill_selection", is what the
reasons say of the customer. That is what the coefficients are called; their prior is the one
above, carried over.

v̄ needs what either arm would have given: a step is an amount of money, and what it adds to v
depends on the offer below it and on the loss, so that no mean step stands for all.

**Whether it was chance.** Everything above rests on the probabilities that the log states. Where a
step is drawn with probability e, and I says whether it was, Σ(I − e) over any set of incidents
chosen by what was known before has mean 0 and variance Σ e(1 − e). So it is held against chance
over all incidents and for each e: a probability written down for the wrong arm, a third arm, or an
arm that somebody chose shows there. What does not stand is not used.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc

from clv.arrays import Floats
from clv.incident_history import IncidentHistories

Mask = npt.NDArray[np.bool_]

__all__ = ["LEAST_ARM", "drawn_by_chance", "flaw_of_design", "not_chance"]

LEAST_ARM = 15
"""Incidents in each arm from which the effect of goodwill rests on what was drawn by chance."""

INCOMPLETE = 0.05
"""Share of the drawn incidents that may lack v̄ before the rest is no random part of them."""

UNLIKELY = 1e-3
"""Probability below which draws are not what the stated probabilities give, all tests together."""

FAR = 4.0
"""Standard deviations of a sum of draws from 0 that no chance explains."""

STRATA = 10
"""Groups of like probabilities, where there are more of these."""


def drawn_by_chance(histories: IncidentHistories) -> Floats:
    """v − v̄ of each incident, shape (m,); 0 where its goodwill was not drawn by chance."""
    away = np.log1p(histories.goodwill_ratio) - histories.expected_goodwill
    return np.where(np.isnan(away), 0.0, away)


def flaw_of_design(histories: IncidentHistories) -> str:
    """Say why the effect of goodwill cannot rest on what chance decided; nothing where it can.

    Parameters
    ----------
    histories : IncidentHistories
        The m incidents.

    Returns
    -------
    str
        A clause, to stand after a colon.
    """
    h, away = histories, drawn_by_chance(histories)
    p, step = h.assignment_probability, h.step
    randomised = ~np.isnan(p) & (p < 1)
    if not randomised.any() and not away.any():
        return _unstated(int((np.isnan(p) & ~np.isnan(step)).sum()))
    in_arm = randomised & ~np.isnan(step)
    apart = min(int((away > 0).sum()), int((away < 0).sum()))
    flaws = (
        _incomplete(h, randomised),
        not_chance(np.where(step == 1, p, 1 - p)[in_arm], step[in_arm]),
        "what was given is not on average what the draws would give"
        if abs(float(away.sum())) > FAR * math.sqrt(float(away @ away))
        else "",
        f"only {apart:,} of its draws are in one of the arms" if apart < LEAST_ARM else "",
    )
    return next((flaw for flaw in flaws if flaw), "")


def _unstated(named: int) -> str:
    """Why nothing counts as randomised: nobody drew, or nobody wrote the probabilities down."""
    if not named:
        return "none of it was randomised"
    return (
        f"{named:,} incident{' names' if named == 1 else 's name'} an arm, but with what "
        "probability it was drawn is not known (assignment_probability), so none of it counts as "
        "randomised"
    )


def _incomplete(h: IncidentHistories, randomised: Mask) -> str:
    """Whether the log lacks what makes v̄ of the randomised incidents."""
    lacking = randomised & np.isnan(np.log1p(h.goodwill_ratio) - h.expected_goodwill)
    drawn, many = int(randomised.sum()), int(lacking.sum())
    if many <= INCOMPLETE * drawn:
        return ""
    without_arm = int((lacking & np.isnan(h.step)).sum())
    return f"of {drawn:,} randomised incidents " + (
        f"{without_arm:,} are in an arm called neither usual nor step"
        if without_arm
        else f"{many:,} do not say what both arms would have given (usual_offer, step_offer), or "
        "were given something else"
    )


def not_chance(e: Floats, step: Floats) -> str:
    """Say where so many steps cannot have been drawn with these probabilities; nothing if they can.

    Parameters
    ----------
    e : ndarray, shape (m,)
        The probability of a step, from 0 to 1.
    step : ndarray, shape (m,)
        1 where it was drawn, 0 where not.

    Returns
    -------
    str
        A clause, to stand after a colon; of the group of like probabilities that is farthest off.

    Examples
    --------
    >>> step = np.repeat([0.0, 1.0], [60, 40])
    >>> not_chance(np.full(100, 0.4), step)
    ''
    >>> not_chance(np.full(100, 0.1), step)[:41]
    'a step was drawn in 40 of 100 incidents w'
    """
    if not len(e):
        return ""
    spread = math.sqrt(float(e @ (1 - e)))
    overall = math.erfc(abs(float((step - e).sum())) / (math.sqrt(2) * spread)) if spread else 0.0
    value, stratum = np.unique(e.round(3), return_inverse=True)
    if len(value) > STRATA:
        edges = np.quantile(e, np.arange(1, STRATA) / STRATA)
        stratum = np.searchsorted(edges, e, side="right")
    n, k, expected = (np.bincount(stratum, weights) for weights in (None, step, e))
    n, k, expected = (v[n > 0] for v in (n, k, expected))
    share = expected / n  # of unlike probabilities the number of steps varies less than with one
    tails = np.minimum(bdtr(k, n, share), np.where(k > 0, bdtrc(k - 1, n, share), 1.0))
    worst = int(np.argmin(tails))
    if min(overall, float(2 * tails[worst])) * (len(n) + 1) >= UNLIKELY:
        return ""
    return (
        f"a step was drawn in {int(k[worst]):,} of {int(n[worst]):,} incidents where the stated "
        f"probabilities give {expected[worst]:,.0f}, which is not chance. Is each probability that "
        "of the incident's own arm, and are there two arms?"
    )
