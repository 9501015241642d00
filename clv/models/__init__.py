"""The models, one file each, and the purchase models by their name in files and commands."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from clv.errors import UnknownNameError

if TYPE_CHECKING:
    from clv.models.base import PurchaseModel

__all__ = ["PURCHASE_MODELS", "purchase_model"]

PURCHASE_MODELS = {
    "bg-nbd": "clv.models.bg_nbd:BGNBD",
    "mbg-nbd": "clv.models.mbg_nbd:MBGNBD",
    "pareto-nbd": "clv.models.pareto_nbd:ParetoNBD",
    "bg-cnbd": "clv.models.bg_cnbd:BGCNBD",
    "mbg-cnbd": "clv.models.mbg_cnbd:MBGCNBD",
}
"""Name of each purchase model, and where its class is; a model is imported when it is asked for."""


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
    module, _, kind = PURCHASE_MODELS[name].partition(":")
    model: type[PurchaseModel] = getattr(importlib.import_module(module), kind)
    return model
