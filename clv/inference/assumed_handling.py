r"""What incidents do to customers, with their handling taken to work as assumed.

A model of incidents has what happened (type, severity, what came before) and how it was handled
(goodwill, waiting, solved or not) in one equation. Where the handling was somebody's choice its
coefficients are associations, and they reach the others: θ_type is of an incident without goodwill,
answered at once and solved, hence the log-odds at the handling that is usual, carried along the
associations to where there was none. Where all that was upset was given much, that carries the
wrong way.

So the coefficients of what happened are read with those of chosen handling held where the prior has
them. With the posterior of both split into c (what happened) and h (chosen handling),

    p(c) = ∫ p(c | h, data) p_prior(h) dh :

of h nothing is learned, all of its prior's doubt is kept, and on average those who leave at the
usual handling stay as many as the log says. Such a posterior is called cut: Plummer (2015),
https://doi.org/10.1007/s11222-014-9503-z. It is taken to be normal around the mode of
p(c | h, data) at the prior's mean, which moves with h by −H_cc⁻¹ H_ch, H the Hessian there. By how
much a posterior is skewed or wider than its normal approximation, the draws of the free one say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from clv.arrays import Floats
from clv.inference.incident_posterior import IncidentPosterior
from clv.models.incidents.covariates import CHOSEN, SELECTION
from clv.models.incidents.fit import fit_incidents
from clv.models.incidents.likelihood import PARAMETERS

__all__ = ["AssumedHandling", "with_assumed_handling"]

TIGHT = 1e-3
"""Of a held coefficient's prior standard deviation, what is left while it is held."""


class AssumedHandling(NamedTuple):
    """Coefficients that rest on what happened or on chance, handling as assumed.

    Attributes
    ----------
    names : tuple of str
        The K' coefficients.
    mean : ndarray, shape (K',)
        Their posterior mean.
    covariance : ndarray, shape (K', K')
        Their posterior covariance, the doubt about the handling in it.
    """

    names: tuple[str, ...]
    mean: Floats
    covariance: Floats


def with_assumed_handling(
    posterior: IncidentPosterior, prior: Mapping[str, tuple[float, float]]
) -> AssumedHandling:
    """Read what happened off a log, the effects of chosen handling held at their prior.

    Parameters
    ----------
    posterior : IncidentPosterior
        With all coefficients free.
    prior : mapping of str to (float, float)
        The one that the model was fitted with.

    Returns
    -------
    AssumedHandling
        With goodwill among them where chance decided it.

    Examples
    --------
    >>> from clv import IncidentBGNBD, incident_posterior
    >>> from clv.models.incidents.simulation import IncidentProcess
    >>> true = IncidentBGNBD(.5, 5, .8, 4, {"type:late": -1.0})
    >>> process = IncidentProcess(.2, {"late": 1.0}, handle=lambda rng, severity, bought: {
    ...     "goodwill_ratio": np.full(len(severity), .5)})
    >>> seen = true.simulate(np.full(2000, 80.0), np.random.default_rng(1), process)
    >>> prior = {"type:late": (-1.7, 0.7), "goodwill": (-0.8, 0.5)}
    >>> free = incident_posterior(IncidentBGNBD.fit(seen, prior), draws=500)
    >>> held = with_assumed_handling(free, prior)
    >>> held.names, bool(abs(held.mean[0] - (-1.0 + 0.8 * np.log(1.5))) < 0.3)
    (('type:late',), True)
    """
    fit = posterior.fit
    by_chance = {SELECTION, "goodwill"} if SELECTION in fit.model.names else set()
    chosen = CHOSEN.intersection(fit.model.names) - by_chance
    tight = {n: (mean, sd * (TIGHT if n in chosen else 1)) for n, (mean, sd) in prior.items()}
    held = fit_incidents(
        type(fit.model),
        fit.histories,
        tight,
        link=fit.model.link,
        handling=fit.model.handling,
    )
    names = fit.model.names
    c = [i for i, name in enumerate(names) if name not in chosen and name != SELECTION]
    h = [i for i, name in enumerate(names) if name in chosen]
    near = held.covariance[PARAMETERS:, PARAMETERS:]
    moves = np.linalg.solve(near[np.ix_(h, h)], near[np.ix_(h, c)]).T  # −H_cc⁻¹ H_ch
    doubt = np.array([fit.prior[names[i]][1] ** 2 for i in h])
    kept = tuple(names[i] for i in c)
    skew = [posterior.mean[n] - fit.parameters[n] for n in kept]
    wider = np.array([posterior.standard_deviation[n] / fit.standard_errors[n] for n in kept])
    return AssumedHandling(
        kept,
        held.mode[PARAMETERS:][c] + skew,
        near[np.ix_(c, c)] * np.outer(wider, wider) + (moves * doubt) @ moves.T,
    )
