"""BG/NBD: customers buy at random and may leave after any repeat purchase.

Assumptions: while alive a customer buys at rate λ; after each repeat purchase the customer leaves
with probability p; λ ~ Gamma(r, α) and p ~ Beta(a, b) across customers, independently. A customer
without a repeat purchase is therefore alive for certain; :class:`clv.MBGNBD` changes that.

The equations, shared with MBG/NBD, are in :mod:`clv.models.beta_geometric`.

Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005), "Counting your customers" the easy way: an
alternative to the Pareto/NBD model. Marketing Science 24(2), 275-284.
https://doi.org/10.1287/mksc.1040.0098
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from clv.models.beta_geometric import BetaGeometric

__all__ = ["BGNBD"]


@dataclass(frozen=True)
class BGNBD(BetaGeometric):
    """BG/NBD with given parameters.

    Parameters
    ----------
    r, alpha : float
        Shape and rate of the gamma distribution of purchase rates; α in units of time.
    a, b : float
        Of the beta distribution of dropout probabilities.

    Examples
    --------
    >>> model = BGNBD(r=.243, alpha=4.414, a=.793, b=2.426)
    >>> round(float(model.expected_purchases(39, x=2, t_x=30.43, T=38.86)), 3)
    1.226
    """

    name: ClassVar[str] = "bg-nbd"
    label: ClassVar[str] = "BG/NBD"
    chances_before_repeat: ClassVar[int] = 0
