"""Draws of a model's parameters that can be kept in a file, or the reason why there are none.

Whoever shows an interval later needs models drawn from the posterior, equally likely, and not the
fit, its data or its weights. Where the data do not tell the parameters, or the posterior is
refused, an interval would claim to know how wrong the figure may be; then there are no draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from clv.errors import FitError
from clv.inference.posterior import posterior
from clv.models.base import Model
from clv.models.maximum_likelihood import Fit

__all__ = ["COUNT", "ParameterDraws", "draw_parameters"]

COUNT = 400
"""Models kept: the 10 % and 90 % bounds then have a Monte Carlo error of 1.5 points."""

WEIGHTED = 1_000
"""Weighted draws that they are chosen from; each costs a pass over all distinct histories."""

M_co = TypeVar("M_co", bound=Model[Any], covariant=True)
M = TypeVar("M", bound=Model[Any])


@dataclass(frozen=True, eq=False)
class ParameterDraws(Generic[M_co]):
    """Equally likely models from a posterior, or why there are none.

    Attributes
    ----------
    models : tuple of Model
        The draws; empty where there are none.
    sentence : str
        How good the posterior is, or why there is none.
    """

    models: tuple[M_co, ...] = field(repr=False)
    sentence: str

    def __bool__(self) -> bool:
        """Whether there are draws."""
        return bool(self.models)

    def to_dict(self) -> dict[str, Any]:
        """Parameters by name, a list each, and the sentence."""
        names = list(self.models[0].parameters) if self.models else []
        return {
            "parameters": {n: [m.parameters[n] for m in self.models] for n in names},
            "sentence": self.sentence,
        }

    @classmethod
    def from_dict(cls, kind: type[Any], about: Mapping[str, Any]) -> ParameterDraws[Any]:
        """Make the models of this kind again.

        Parameters
        ----------
        kind : type of Model
            Class of the models.
        about : mapping
            From :meth:`to_dict`.

        Returns
        -------
        ParameterDraws
        """
        columns = about["parameters"]
        rows = zip(*columns.values(), strict=True)
        models = tuple(kind(**dict(zip(columns, row, strict=True))) for row in rows)
        return cls(models, about["sentence"])


def draw_parameters(fit: Fit[M], *, count: int = COUNT, seed: int = 1) -> ParameterDraws[M]:
    """Draw models from the posterior of a fit, unless it has concerns or the posterior is refused.

    Parameters
    ----------
    fit : Fit
        The mode; any fit that is not identified gives the reason instead of draws.
    count : int
        Models to draw.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    ParameterDraws

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> len(draw_parameters(fit).models)
    400
    """
    if not fit.identified:
        why = f"The orders hardly tell {fit.model.learns}, so no interval is shown."
        return ParameterDraws((), why)
    try:
        drawn = posterior(fit, draws=WEIGHTED, seed=seed)
    except FitError as error:
        return ParameterDraws((), f"No interval is shown. {error}")
    models = drawn.models(count, np.random.default_rng(seed))
    return ParameterDraws(tuple(models), drawn.sentence)
