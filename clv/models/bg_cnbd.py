"""BG/CNBD-k: regular customers who may leave after any repeat purchase.

Assumptions: those of BG/NBD, but the times between a customer's purchases are Erlang-k with rate λ
instead of exponential: k phases, of mean 1/λ each, make a purchase. k is a whole number and common
to all customers; k = 1 is BG/NBD.

The equations, shared with MBG/CNBD-k, are in :mod:`clv.models.condensed_beta_geometric`.

Platzer, M. and Reutterer, T. (2016), Ticking away the moments: timing regularity helps to better
predict customer activity. Marketing Science 35(5), 779-799. https://doi.org/10.1287/mksc.2015.0963
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from clv.models.condensed_beta_geometric import CondensedBetaGeometric

__all__ = ["BGCNBD"]


@dataclass(frozen=True, init=False)
class BGCNBD(CondensedBetaGeometric):
    """BG/CNBD-k with given parameters.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the gamma distribution of phase rates; α in units of time.
    a, b : float
        Of the beta distribution of dropout probabilities.
    k : int
        How many phases make a purchase. Each k is a model of its own: the class of the value is
        `BGCNBD.with_k(k)`, with the name "bg-cnbd-" and k.

    Examples
    --------
    >>> model = BGCNBD(r=.5, alpha=3.1, a=.9, b=1.6, k=2)
    >>> model
    BGCNBD.with_k(2)(r=0.5, alpha=3.1, a=0.9, b=1.6)
    >>> round(float(model.expected_purchases(39, x=2, t_x=30.43, T=38.86)), 3)
    1.251
    """

    name: ClassVar[str] = "bg-cnbd"
    label: ClassVar[str] = "BG/CNBD-k"
    chances_before_repeat: ClassVar[int] = 0
