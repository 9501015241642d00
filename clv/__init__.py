"""Customer lifetime value with its uncertainty, and what to do with it.

>>> import clv
>>> model = clv.BGNBD(r=.243, alpha=4.414, a=.793, b=2.426)
>>> round(float(model.p_alive(x=2, t_x=30.43, T=38.86)), 3)
0.727
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clv.history import Histories as Histories
    from clv.models.bg_nbd import BGNBD as BGNBD
    from clv.models.gamma_gamma import GammaGamma as GammaGamma
    from clv.models.maximum_likelihood import Fit as Fit
    from clv.models.maximum_likelihood import LogNormal as LogNormal

__version__ = "0.1.0"

_HOME = {
    "BGNBD": "clv.models.bg_nbd",
    "Fit": "clv.models.maximum_likelihood",
    "GammaGamma": "clv.models.gamma_gamma",
    "Histories": "clv.history",
    "LogNormal": "clv.models.maximum_likelihood",
}
"""Where each public name lives. Names are imported when first used, so that a command which only
looks up one customer does not wait for the fitting machinery."""

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'clv' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
