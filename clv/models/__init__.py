"""The models, one file each, and the purchase models by their name in files and commands."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from clv.errors import UnknownNameError

if TYPE_CHECKING:
    from clv.models.base import PurchaseModel
    from clv.models.gamma_gamma import GammaGamma
    from clv.models.pooled_spend import PooledSpend

__all__ = ["PURCHASE_MODELS", "SPEND_MODELS", "purchase_model", "spend_model"]

PURCHASE_MODELS = {
    "bg-nbd": "clv.models.bg_nbd:BGNBD",
    "mbg-nbd": "clv.models.mbg_nbd:MBGNBD",
    "pareto-nbd": "clv.models.pareto_nbd:ParetoNBD",
    "bg-cnbd": "clv.models.bg_cnbd:BGCNBD",
    "mbg-cnbd": "clv.models.mbg_cnbd:MBGCNBD",
}
"""Name of each purchase model, and where its class is; a model is imported when it is asked for."""

SPEND_MODELS = {
    "gamma-gamma": "clv.models.gamma_gamma:GammaGamma",
    "pooled-spend": "clv.models.pooled_spend:PooledSpend",
}
"""The same of each spend model."""


def purchase_model(name: str) -> type[PurchaseModel]:
    """Return the class of the purchase model with this name.

    A number behind the name of a model of regular customers is its k.

    >>> purchase_model("bg-nbd").label, purchase_model("mbg-cnbd-2").label
    ('BG/NBD', 'MBG/CNBD-2')
    """
    family, _, k = name.rpartition("-")
    if family in PURCHASE_MODELS and k.isdecimal():
        regular: Any = purchase_model(family)
        found: type[PurchaseModel] = regular.with_k(int(k))
        return found
    if name not in PURCHASE_MODELS:
        then = f"There are {', '.join(PURCHASE_MODELS)}."
        raise UnknownNameError("purchase model", name, PURCHASE_MODELS, then=then)
    model: type[PurchaseModel] = _class(PURCHASE_MODELS[name])
    return model


def spend_model(name: str) -> type[GammaGamma | PooledSpend]:
    """Return the class of the spend model with this name.

    >>> spend_model("gamma-gamma").label
    'Gamma-Gamma'
    """
    if name not in SPEND_MODELS:
        then = f"There are {', '.join(SPEND_MODELS)}."
        raise UnknownNameError("spend model", name, SPEND_MODELS, then=then)
    model: type[GammaGamma | PooledSpend] = _class(SPEND_MODELS[name])
    return model


def _class(place: str) -> Any:
    module, _, kind = place.partition(":")
    return getattr(importlib.import_module(module), kind)
