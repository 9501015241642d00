"""How sure it is what money achieves: e and the scale of money, drawn together.

What a budget keeps is in proportion to e, the part of those who would leave that money can keep,
and depends on σ, the spend that does 63 % of that. Neither is known exactly:

- learned from campaigns in which chance decided, they have the deviations and the correlation of
  their posterior (:mod:`clv.recommend.campaigns.retention_learned`), e by segment where campaigns
  showed that segments differ;
- assumed, or stated in the policy, they have the deviations from which campaigns would start:
  `learning.retention_effect_sd` of e, and :data:`SCALE_SD` of ln σ.

e is normal, between −1 and 1; σ log-normal with its own mean. They are drawn at the points of a
lattice that fills the square evenly (:func:`clv.recommend.uncertainty.normal_draws`): the answer to
one question is always the same. Effects of segments are taken to err the same way, so that an
interval over several is rather too wide than too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.recommend.policy import Policy
from clv.recommend.policy.policy import Origin
from clv.recommend.uncertainty import normal_draws

__all__ = ["SCALE_SD", "KeptRange", "MoneyDraws"]

EFFECT, SCALE = "retention.effect", "retention.money_scale"

SCALE_SD = 0.7
"""Prior standard deviation of ln money_scale: a factor of 2 either way is usual. Assumed."""


@dataclass(frozen=True)
class KeptRange:
    """Between what amounts the value lies that a budget keeps.

    Attributes
    ----------
    low, high : float
        With all that is not known, in money.
    orders_low, orders_high : float
        If what money achieves were known: what the orders leave open of the customers.
    from_money : float
        Part of the variance that is owed to what money achieves, from 0 to 1.
    origin : {"assumed", "yours", "learned", "not stated"}
        Where `retention.effect` comes from.
    level : float
        Of the intervals.
    """

    low: float
    high: float
    orders_low: float
    orders_high: float
    from_money: float
    origin: Origin
    level: float = 0.8


@dataclass(frozen=True, eq=False)
class MoneyDraws:
    """Equally likely answers to what money achieves, as many as recovery limits are drawn with.

    Attributes
    ----------
    money_scale : ndarray, shape (draws,)
        σ.
    effect_sd, correlation : float
        Of e: how sure it is, and how it goes with σ.
    """

    money_scale: Floats
    effect_sd: float
    correlation: float

    @classmethod
    def of(cls, policy: Policy) -> MoneyDraws:
        """Return those of a policy, with what was learned, if anything was.

        Parameters
        ----------
        policy : Policy
            Its `retention` figures.

        Examples
        --------
        >>> drawn = MoneyDraws.of(Policy())
        >>> round(float(drawn.money_scale.mean()), 2), round(float(drawn.money_scale.std()), 1)
        (0.5, 0.4)
        >>> e = drawn.effects(0.3, drawn.effect_sd, drawn.correlation)[:, 0]
        >>> round(float(e.mean()), 2), round(float(e.std()), 2)
        (0.3, 0.15)
        """
        mean = policy.retention.money_scale
        ln_sd, sd, rho = SCALE_SD, policy.learning.retention_effect_sd, 0.0
        learned = policy.learned
        if learned and SCALE in learned.used:
            ln_sd = float(np.sqrt(np.log1p((learned[SCALE].posterior_sd / mean) ** 2)))
        if learned and EFFECT in learned.used:
            sd = learned[EFFECT].posterior_sd
            rho = dict(learned[EFFECT].correlations).get(SCALE, 0.0)
        _, z = normal_draws()
        return cls(mean * np.exp(ln_sd * z - ln_sd**2 / 2), sd, rho)

    def effects(self, mean: npt.ArrayLike, sd: npt.ArrayLike, correlation: npt.ArrayLike) -> Floats:
        """Draws of e, shape (draws, n), together with those of σ.

        Parameters
        ----------
        mean, sd, correlation : array_like, shape (n,)
            Of e of each customer: the last with σ.

        Returns
        -------
        ndarray
            From −1 to 1.
        """
        own, _ = normal_draws()
        scale = self.money_scale
        together = (scale - scale.mean()) / scale.std()
        mean, sd, rho = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (mean, sd, correlation))
        z = rho * together[:, None] + np.sqrt(1 - rho**2) * own[:, None]
        return np.asarray(np.clip(mean + sd * z, -1, 1))
