"""The models, one file each, and the purchase models by their name in files and commands."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from clv.errors import UnknownNameError

if TYPE_CHECKING:
    from clv.models.base import PurchaseModel

__all__ = ["PURCHASE_MODELS", "purchase_model"]

PURCHASE_MODELS = {
    "bg-nbd": "clv.models.bg_nbd:BGNBD",
    "mbg-nbd": "clv.models.mbg_nbd:MBGNBD",
    "pareto-nbd": "clv.models.pareto_nbd:ParetoNBD",
}
"""Name of each purchase model, and where its class is; a model is imported when it is asked for."""


def purchase_model(name: str) -> type[PurchaseModel]:
    """Return the class of the purchase model with this name.

    >>> purchase_model("bg-nbd").label
    'BG/NBD'
    """
    if name not in PURCHASE_MODELS:
        then = f"There are {', '.join(PURCHASE_MODELS)}."
        raise UnknownNameError("purchase model", name, PURCHASE_MODELS, then=then)
    module, _, kind = PURCHASE_MODELS[name].partition(":")
    model: type[PurchaseModel] = getattr(importlib.import_module(module), kind)
    return model
