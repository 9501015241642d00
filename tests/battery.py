"""Laws every model obeys: which models are tried, on what, and how.

A model joins by one line in :data:`PURCHASE_MODELS` or :data:`MODELS`. The laws of fits (score,
Hessian, covariance, prior) stand in tests/models/test_laws_of_fits.py, those of purchases (pmf,
expectations, discounting, simulation) in tests/models/test_laws_of_purchases.py, those of
posteriors in tests/inference/test_laws_of_posteriors.py.
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
from clv.models.bg_bb import BGBB
from clv.models.bg_cnbd import BGCNBD
from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.mbg_cnbd import MBGCNBD
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.models.shifted_beta_geometric import ShiftedBetaGeometric
from clv.models.survival_counts import SurvivalCounts

Floats = npt.NDArray[np.float64]


Columns = Callable[[int, int], dict[str, Any]]
"""(customers, seed) to one value a customer: customers drawn from the model."""


@dataclass(frozen=True)
class Subject:
    """One model under test, at the parameters published for it (models.md)."""

    model: Model[Any]
    columns: Columns
    unit: str | None = "week"
    """Of time; "period" where opportunities are counted, None where periods of a contract are."""

    def data(self, columns: dict[str, Any], *, unit: str | None = None) -> Any:
        """What the model is fitted to."""
        if self.unit is None:
            return SurvivalCounts.from_arrays(**columns)
        return Histories.from_arrays(**columns, unit=unit or self.unit)

    def histories(self, customers: int, seed: int) -> Any:
        """Histories of customers drawn from the model."""
        return self.data(self.columns(customers, seed))

    def log_likelihoods(self, columns: dict[str, Any]) -> Floats:
        """Log-likelihood of each customer, as the model answers for one."""
        model: Any = self.model
        names = {
            "sbg": ("periods", "left"),
            "gamma-gamma": ("frequency", "monetary_value"),
        }.get(model.name, ("frequency", "recency", "T"))
        return np.asarray(model.log_likelihood(*(columns[name] for name in names)))

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


def donors(model: BGBB) -> Subject:
    """Customers who were won 6 to 12 opportunities ago."""

    def columns(customers: int, seed: int) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        T = rng.integers(6, 13, customers).astype(float)
        x, t_x = model.simulate(T, rng)
        return {"frequency": x, "recency": t_x, "T": T}

    return Subject(model, columns, unit="period")


def subscribers(model: ShiftedBetaGeometric) -> Subject:
    """Subscribers who were won 5 to 24 periods ago."""

    def columns(customers: int, seed: int) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        periods, left = model.simulate(rng.integers(5, 25, customers), rng)
        return {"periods": periods, "left": left}

    return Subject(model, columns, unit=None)


def spenders(model: GammaGamma) -> Subject:
    """Customers with 1 to 12 repeat transactions."""

    def columns(customers: int, seed: int) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        x = rng.integers(1, 13, customers).astype(float)
        T = np.full(customers, 52.0)
        return {"frequency": x, "recency": T, "T": T, "monetary_value": model.simulate(x, rng)}

    return Subject(model, columns)


MEMORYLESS: list[PurchaseModel] = [
    BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
    MBGNBD(r=0.525, alpha=6.183, a=0.891, b=1.614),
    ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669),
]
"""Customers who buy as readily just after a purchase as long after it, while they are alive."""

REGULAR: list[PurchaseModel] = [
    # Chosen, for no paper gives them on CDNOW: dropout as BG/NBD and MBG/NBD find it there.
    BGCNBD(0.5, 4.0, 0.793, 2.426, k=2),
    MBGCNBD(0.525, 2.5, 0.891, 1.614, k=3),
]

PURCHASE_MODELS: list[PurchaseModel] = [*MEMORYLESS, *REGULAR]
"""Those that count time continuously; BG/BB counts opportunities, tests/models/test_bg_bb.py."""

MODELS: list[Subject] = [
    *(cohort(model) for model in PURCHASE_MODELS),
    donors(BGBB(alpha=1.204, beta=0.750, gamma=0.657, delta=2.783)),
    subscribers(ShiftedBetaGeometric(alpha=0.668, beta=3.806)),
    spenders(GammaGamma(p=6.25, q=3.74, v=15.44)),
]

TIMED: list[Subject] = [subject for subject in MODELS if subject.unit == "week"]
"""Those whose data have a unit of time."""

PARAMETERS_OF_TIME = {"alpha", "beta"}
"""Those of them that are multiplied when times are."""


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
