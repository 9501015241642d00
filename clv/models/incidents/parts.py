"""What an incident's link to dropout gives to the likelihood."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from clv.arrays import Floats

__all__ = ["Part"]


class Part(NamedTuple):
    """Logs of the dropout part of the fates' probabilities, with derivatives in (a, b, θ).

    Attributes
    ----------
    common : float
        Sum of what all fates of a customer share.
    slope, bend : ndarray, shapes (2 + K,) and (2 + K, 2 + K)
        Its gradient and Hessian.
    fates : ndarray, shape (f,)
        The rest, φ of each fate.
    rows : ndarray, shape (2 + K, f)
        ∇φ of each fate.
    curvature : callable
        Σ w ∇²φ for weights w of the fates, shape (f,); returns (2 + K, 2 + K).
    """

    common: float
    slope: Floats
    bend: Floats
    fates: Floats
    rows: Floats
    curvature: Callable[[Floats], Floats]
