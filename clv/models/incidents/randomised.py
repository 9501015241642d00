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
happens without goodwill to those whom v̄ was given. So v̄ is split by least squares on the other
covariates into what such an incident usually gets, u·z, and the rest. Then

    logit π = θ'·z + θ_g v + δ (v̄ − u·z),   δ = θ_a − θ_g,   θ' = θ + δ u

says the same, θ' is of such incidents without goodwill, and δ, "goodwill_selection", is what the
reasons say of the customer. That is what the coefficients are called; their prior is the one
above, carried over.

v̄ is known to whoever drew. Where it is not handed over, a design with two arms is assumed: a step
drawn with probability e < 1/2, or none. The assignment probability p then says which arm it was,
and h = [p < 1/2] − e, e = min(p, 1 − p), has mean 0 over the draw. The mean step is Σ h v / Σ h²,
for E[h v] = E[h²] · step, and step · h stands for v − v̄. With p = 1/2 the arms cannot be told apart
and the incident counts as not randomised. Designs of more arms need v̄.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import RequestError, rows_at_fault
from clv.incident_history import IncidentHistories

__all__ = ["centred_assignment", "randomised_step", "randomised_variation"]


def centred_assignment(histories: IncidentHistories) -> Floats:
    """h of each incident: whether the step was drawn, less the probability that it would be.

    Returns
    -------
    ndarray, shape (m,)
        0 where nothing was randomised, where the arm cannot be told, or the goodwill is unknown.
    """
    p = histories.assignment_probability
    told = ~np.isnan(p) & ~np.isnan(histories.goodwill_ratio) & (p != 0.5) & (p < 1)
    p = np.where(told, p, 1.0)
    return np.where(told, (p < 0.5) - np.minimum(p, 1 - p), 0.0)


def randomised_step(histories: IncidentHistories) -> float:
    """Mean change of ln(1 + goodwill/loss) by a step drawn by chance; 0 where none was drawn."""
    h = centred_assignment(histories)
    power = float(h @ h)
    if power == 0:
        return 0.0
    v = np.log1p(np.nan_to_num(histories.goodwill_ratio))
    return float(h @ v) / power


def randomised_variation(
    histories: IncidentHistories, step: float, expected_goodwill: npt.ArrayLike | None = None
) -> Floats:
    """v − v̄ of each incident, 0 where its goodwill was not drawn by chance.

    Parameters
    ----------
    histories : IncidentHistories
        The m incidents.
    step : float
        Mean step of a design with two arms.
    expected_goodwill : array_like, shape (m,), optional
        v̄, the mean of ln(1 + goodwill/loss) over what could have been drawn; nan where nothing was
        drawn.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    RequestError
        Where `expected_goodwill` has not one value an incident, or a negative one.
    """
    if expected_goodwill is None:
        return step * centred_assignment(histories)
    mean = np.asarray(expected_goodwill, dtype=float)
    if mean.shape != histories.time.shape:
        raise RequestError(
            f"expected_goodwill needs one value for each of {histories.incidents:,} incidents; got "
            f"shape {mean.shape}."
        )
    faults = rows_at_fault(
        (mean < 0) | np.isinf(mean), "an impossible expected goodwill", "incidents"
    )
    if faults:
        raise RequestError.of(faults)
    away = np.log1p(histories.goodwill_ratio) - mean
    return np.where(np.isnan(away), 0.0, away)
