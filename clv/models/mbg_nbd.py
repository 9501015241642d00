"""MBG/NBD: customers buy at random and may leave after any purchase, the first included.

Assumptions: those of BG/NBD, but the customer leaves with probability p after the first purchase
too. So a customer who bought once may have left at once, where BG/NBD takes every such customer to
be alive.

The equations, shared with BG/NBD, are in :mod:`clv.models.beta_geometric`.

Batislam, E. P., Denizel, M. and Filiztekin, A. (2007), Empirical validation and comparison of
models for customer base analysis. International Journal of Research in Marketing 24(3), 201-209.
https://doi.org/10.1016/j.ijresmar.2006.12.005
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from clv.models.beta_geometric import BetaGeometric

__all__ = ["MBGNBD"]


@dataclass(frozen=True)
class MBGNBD(BetaGeometric):
    """MBG/NBD with given parameters.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the gamma distribution of purchase rates; α in units of time.
    a, b : float
        Of the beta distribution of dropout probabilities.

    Examples
    --------
    >>> model = MBGNBD(r=.525, alpha=6.183, a=.891, b=1.614)
    >>> round(float(model.p_alive(0, 0, 38.86)), 3)
    0.39
    """

    name: ClassVar[str] = "mbg-nbd"
    label: ClassVar[str] = "MBG/NBD"
    chances_before_repeat: ClassVar[int] = 1
