"""BG/NBD's expectations as Fader, Hardie & Lee (2005) print them, by SciPy's 2F1.

Independent of the package, which integrates over the dropout probability instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import hyp2f1

from clv.models.bg_nbd import BGNBD


def new_customer(model: BGNBD, t: Any) -> Any:
    """E[X(t)], equation (9)."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    t = np.asarray(t, dtype=float)
    stays = (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t))
    return (a + b - 1) / (a - 1) * (1 - stays)


def known_customer(model: BGNBD, t: float, x: Any, t_x: Any, T: Any) -> Any:
    """E[Y(t) | x, t_x, T], equation (10)."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    x, t_x, T = (np.asarray(v, dtype=float) for v in (x, t_x, T))
    f = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
    above = (a + b + x - 1) / (a - 1) * (1 - ((alpha + T) / (alpha + T + t)) ** (r + x) * f)
    odds = a / np.maximum(b + x - 1, 1e-300) * ((alpha + T) / (alpha + t_x)) ** (r + x)
    return above / (1 + np.where(x > 0, odds, 0))
