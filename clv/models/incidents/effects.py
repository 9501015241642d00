"""What was learned of each effect: prior, posterior, how much of it is data, and from which.

An effect's share from data is 1 − (posterior standard deviation / prior's)²: 0 where the posterior
is the prior, 1 where nothing is left of the prior's doubt.

On what an effect rests:

- "data": what happened, to whom, and what had happened before. Nobody chooses it.
- "causal": goodwill, where enough of it was drawn by chance. What the company may act on.
- "associational": how the company chose to handle incidents. Goodwill given for what the model
  knows biases nothing, goodwill given for what it does not know does, and the data cannot tell
  which it was. It is shown, and no limit may rest on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from clv.models.incidents.covariates import CHOSEN, SELECTION

__all__ = ["Basis", "Effect", "effects_of"]

Basis = Literal["data", "causal", "associational"]


@dataclass(frozen=True)
class Effect:
    """One coefficient: what was assumed of it and what was learned.

    Attributes
    ----------
    name : str
        Of the coefficient.
    prior_mean, prior_sd : float
        Of its normal prior, as the fit used it.
    posterior_mean, posterior_sd : float
        What the data made of it.
    share_from_data : float
        1 − (posterior_sd/prior_sd)², at least 0.
    basis : {"data", "causal", "associational"}
        On what it rests.
    incidents : int
        Incidents in which it plays a part: the covariate is not 0.
    """

    name: str
    prior_mean: float
    prior_sd: float
    posterior_mean: float
    posterior_sd: float
    share_from_data: float
    basis: Basis
    incidents: int

    def to_dict(self) -> dict[str, Any]:
        """The same in plain types."""
        return asdict(self)


def effects_of(
    prior: Mapping[str, tuple[float, float]],
    mean: Mapping[str, float],
    sd: Mapping[str, float],
    incidents: Mapping[str, int],
) -> tuple[Effect, ...]:
    """One effect a coefficient, in the order of the prior.

    Parameters
    ----------
    prior : mapping of str to (float, float)
        Mean and standard deviation.
    mean, sd : mapping of str to float
        Of the posterior.
    incidents : mapping of str to int
        In how many incidents each plays a part.

    Returns
    -------
    tuple of Effect

    Examples
    --------
    >>> (one,) = effects_of({"severity": (.5, .25)}, {"severity": .4}, {"severity": .1},
    ...                     {"severity": 90})
    >>> round(one.share_from_data, 2), one.basis
    (0.84, 'data')
    """
    return tuple(
        Effect(
            name,
            centre,
            spread,
            mean[name],
            sd[name],
            max(0.0, 1 - (sd[name] / spread) ** 2),
            basis_of(name, drawn=SELECTION in prior),
            incidents[name],
        )
        for name, (centre, spread) in prior.items()
    )


def basis_of(name: str, *, drawn: bool) -> Basis:
    """On what the estimate of a coefficient rests; `drawn` where goodwill was, by chance."""
    if name == "goodwill" and drawn:
        return "causal"
    return "associational" if name in CHOSEN else "data"
