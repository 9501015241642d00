"""Laws every model obeys: which models are tried, on what, and how.

A model joins by one line in :data:`PURCHASE_MODELS` or :data:`MODELS`. The laws of fits (score,
Hessian, covariance, prior) stand in tests/models/test_laws_of_fits.py, those of purchases (pmf,
expectations, discounting, simulation) in tests/models/test_laws_of_purchases.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from clv.history import Histories
from clv.models.base import Model, PurchaseModel
from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """One model under test, at the parameters published for CDNOW (models.md)."""

    model: Model[Any]
    columns: Callable[[int, int], dict[str, Any]]
    """(customers, seed) to arguments of `Histories.from_arrays`: customers drawn from the model."""

    def histories(self, customers: int, seed: int) -> Histories:
        """Histories of customers drawn from the model."""
        return Histories.from_arrays(**self.columns(customers, seed), unit="week")

    @property
    def theta(self) -> Floats:
        """The true parameters."""
        return np.array(list(self.model.parameters.values()))

    def __str__(self) -> str:
        return self.model.name


def cohort(model: PurchaseModel) -> Subject:
    """Customers whose first purchase lay 27 to 104 weeks before the end of observation."""

    def columns(customers: int, seed: int) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        T = rng.integers(27 * 7, 104 * 7, customers) / 7
        x, t_x = model.simulate(T, rng)
        return {"frequency": x, "recency": t_x, "T": T}

    return Subject(model, columns)


def spenders(model: GammaGamma) -> Subject:
    """Customers with 1 to 12 repeat transactions."""

    def columns(customers: int, seed: int) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        x = rng.integers(1, 13, customers).astype(float)
        T = np.full(customers, 52.0)
        return {"frequency": x, "recency": T, "T": T, "monetary_value": model.simulate(x, rng)}

    return Subject(model, columns)


PURCHASE_MODELS: list[PurchaseModel] = [
    BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
    MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614),
    ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669),
]

MODELS: list[Subject] = [
    *(cohort(model) for model in PURCHASE_MODELS),
    spenders(GammaGamma(p=6.25, q=3.74, v=15.44)),
]

PARAMETERS_OF_TIME = {"alpha", "beta"}
"""Those that are multiplied when times are."""


@dataclass(frozen=True)
class Customer:
    """A customer of some model: history and a time ahead."""

    model: PurchaseModel
    x: int
    t_x: float
    T: float
    t: float

    @property
    def history(self) -> tuple[int, float, float]:
        """Give (x, t_x, T)."""
        return self.x, self.t_x, self.T


def log_uniform(low: float, high: float) -> st.SearchStrategy[float]:
    """Positive numbers, each factor as likely as any other."""
    return st.floats(np.log(low), np.log(high)).map(lambda u: float(np.exp(u)))


@st.composite
def customers(draw: st.DrawFn, kind: type[PurchaseModel]) -> Customer:
    """Any customer of any model of a kind; the time ahead up to thrice the time so far."""
    model = kind(*(draw(log_uniform(0.05, 20)) for _ in kind.parameter_names()))
    x = draw(st.integers(0, 30))
    T = draw(log_uniform(0.1, 200)) if x else draw(st.just(0.0) | log_uniform(0.1, 200))
    t_x = T * draw(st.floats(0.01, 1)) if x else 0.0
    t = (T + model.parameters["alpha"]) * draw(log_uniform(0.01, 3))
    return Customer(model, x, t_x, T, t)


def slopes(f: Callable[[Floats], Any], theta: Floats) -> Floats:
    """Central differences of f (a number or an array) in each parameter, last axis."""
    columns = []
    for i, value in enumerate(theta):
        step = np.zeros_like(theta)
        step[i] = 1e-4 * value
        near = np.asarray(f(theta + step)) - np.asarray(f(theta - step))
        far = np.asarray(f(theta + 2 * step)) - np.asarray(f(theta - 2 * step))
        columns.append((8 * near - far) / (12 * step[i]))  # error of order step⁴
    return np.stack(columns, axis=-1)
