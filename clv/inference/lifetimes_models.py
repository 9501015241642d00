"""The models that `lifetimes` has too, under which names, and what is known to be wrong with them.

Each defect was seen in version 0.11.3, and tests/inference/test_lifetimes_models.py sees it again.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from clv.arrays import Floats
from clv.errors import ParameterError
from clv.history import Histories
from clv.models.base import Model
from clv.models.bg_bb import BGBB
from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD

__all__ = ["COUNTERPARTS", "Counterpart", "counterpart_of"]


@dataclass(frozen=True)
class Counterpart:
    """What `lifetimes` has for one of our models.

    Attributes
    ----------
    model : type
        Ours.
    fitter : str
        Name of its class.
    columns : tuple of str
        Names of the columns of its `data`, in the order of the arguments of its `fit`, and last the
        weights.
    known_defects : tuple of str
        What it is known to get wrong, one sentence each.
    """

    model: type[Model[Any]]
    fitter: str
    columns: tuple[str, ...]
    known_defects: tuple[str, ...]

    def patterns(self, histories: Histories) -> list[Floats]:
        """The data by the columns of `lifetimes`."""
        if self.model is not GammaGamma:
            return [histories.frequency, histories.recency, histories.T, histories.weight]
        if histories.spend is None:
            raise ParameterError("These histories have no spend, so there is none to fit.")
        spend = histories.spend
        return [spend.frequency, spend.mean_value, spend.weight]

    def new(self) -> Any:
        """Make an object of its class, not fitted."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it and autograd say of newer releases of NumPy
            import lifetimes
        return getattr(lifetimes, self.fitter)()


_COVARIANCE = "its covariance is wrong off the diagonal, scaled by p_j² in place of p_i p_j"
_LONG_COUNTS = "its probability of n purchases is nan for n of 200"
_HISTORY = ("frequency", "recency", "T", "weights")

COUNTERPARTS: tuple[Counterpart, ...] = (
    Counterpart(
        BGNBD,
        "BetaGeoFitter",
        _HISTORY,
        (
            _COVARIANCE,
            "its expected purchases are infinite at a = 1",
            "its expected purchases of customers without a repeat are nan at a + b = 1",
            _LONG_COUNTS,
        ),
    ),
    Counterpart(
        MBGNBD,
        "ModifiedBetaGeoFitter",
        _HISTORY,
        (_COVARIANCE, "its expected purchases are infinite at a = 1", _LONG_COUNTS),
    ),
    Counterpart(
        ParetoNBD,
        "ParetoNBDFitter",
        _HISTORY,
        (
            "it gives no standard errors",
            "it searches without derivatives and from a random start (here from 1 for all)",
        ),
    ),
    Counterpart(
        BGBB,
        "BetaGeoBetaBinomFitter",
        ("frequency", "recency", "n_periods", "weights"),
        (
            _COVARIANCE,
            "its expected purchases are nan at gamma = 1",
            "its P(alive) is of any opportunity: ours is its for 1 opportunity ahead",
        ),
    ),
    Counterpart(
        GammaGamma,
        "GammaGammaFitter",
        ("frequency", "monetary_value", "weights"),
        (_COVARIANCE, "its expected spend is negative for q < 1, where the mean is infinite"),
    ),
)
"""The models that both programs have."""


def counterpart_of(model: Model[Any], done: str) -> Counterpart:
    """Find what `lifetimes` has for a model; refuse one that it has not, saying what is `done`."""
    for counterpart in COUNTERPARTS:
        if isinstance(model, counterpart.model):
            return counterpart
    *others, last = (c.model.label for c in COUNTERPARTS)
    raise ParameterError(f"Only {', '.join(others)} and {last} are {done}; this is {model.label}.")
