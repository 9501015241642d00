"""Simulated customers whose covariates move their purchase rate and dropout."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from clv.models.base import PurchaseModel
from clv.models.bg_nbd import BGNBD
from clv.models.covariates.columns import CategoricalColumn, NumericColumn
from clv.models.covariates.model import CovariateModel, Effect
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD

# Rates in weeks; moderately unequal customers, so that a few thousand of them tell the parameters.
BASES: dict[str, PurchaseModel] = {
    "bg-nbd": BGNBD(r=1.0, alpha=6.0, a=1.0, b=4.0),
    "mbg-nbd": MBGNBD(r=1.0, alpha=6.0, a=1.0, b=4.0),
    "pareto-nbd": ParetoNBD(r=1.0, alpha=6.0, s=1.0, beta=20.0),
}
CHANNEL = CategoricalColumn("channel", ("phone", "web"), reference="shop")
AGE = NumericColumn("age", mean=40.0, deviation=10.0)
PURCHASE, DROPOUT, AGES = (math.log(0.8), math.log(1.5)), (math.log(1.6), 0.0), (0.02,)


def truth(name: str) -> CovariateModel:
    """Channel moves purchases and dropout, age purchases."""
    effects = (
        Effect("purchase", CHANNEL, PURCHASE),
        Effect("purchase", AGE, AGES),
        Effect("dropout", CHANNEL, DROPOUT),
    )
    return CovariateModel(BASES[name], effects)


def customers(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Customers by covariates, observed for half a year to two years."""
    return pd.DataFrame(
        {
            "channel": rng.choice(["shop", "web", "phone"], n, p=[0.5, 0.3, 0.2]),
            "age": rng.normal(40, 10, n).round(),
            "T": rng.integers(26 * 7, 104 * 7, n) / 7,
        }
    )


def simulated(name: str, n: int, seed: int) -> pd.DataFrame:
    """Customers with histories drawn from :func:`truth`."""
    rng = np.random.default_rng(seed)
    return truth(name).simulate(customers(n, rng), rng)
