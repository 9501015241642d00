"""Purchase models in which what is known of a customer moves the purchase rate and the dropout.

With z a customer's covariates, numeric ones as distances from their mean and levels as indicators,

    BG/NBD, MBG/NBD   α_i = α exp(−γ₁ᵀz),  a_i = a exp(γ₂ᵀz),  b_i = b exp(γ₃ᵀz),
    Pareto/NBD        α_i = α exp(−γ₁ᵀz),  β_i = β exp(−γ₂ᵀz).

So e^γ₁ multiplies the purchase rate λ of a customer. e^γ₂ multiplies the dropout rate μ of
Pareto/NBD, and in BG/NBD the odds a/b of leaving after a purchase. γ₃ is 0 unless asked for.

Fader, P. S. and Hardie, B. G. S. (2007), Incorporating time-invariant covariates into the
Pareto/NBD and BG/NBD models. http://www.brucehardie.com/notes/019/
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from clv.arrays import Floats
from clv.errors import ParameterError, RequestError, UnknownNameError
from clv.history import check
from clv.models.base import Number, PurchaseModel
from clv.models.covariates.answers import answer_all, each_distinct
from clv.models.covariates.columns import Column

if TYPE_CHECKING:
    import pandas as pd

    from clv.models.beta_geometric import BetaGeometric
    from clv.models.pareto_nbd import ParetoNBD

__all__ = ["PARTS", "CovariateModel", "Effect", "histories_of"]


PARTS: dict[str, dict[str, tuple[str, float]]] = {
    "bg-nbd": {"purchase": ("alpha", -1.0), "dropout": ("a", 1.0), "dropout_b": ("b", 1.0)},
    "mbg-nbd": {"purchase": ("alpha", -1.0), "dropout": ("a", 1.0), "dropout_b": ("b", 1.0)},
    "pareto-nbd": {"purchase": ("alpha", -1.0), "dropout": ("beta", -1.0)},
}
"""By model and part of it: the parameter that covariates multiply, and the sign in the exponent."""


@dataclass(frozen=True)
class Effect:
    """What one column does to one part of a model.

    Attributes
    ----------
    part : {"purchase", "dropout", "dropout_b"}
        Which part.
    column : NumericColumn or CategoricalColumn
        The column, and how it is coded.
    coefficients : tuple of float
        γ, one for each of `column.levels`; of a number, for one unit more.
    """

    part: str
    column: Column
    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.coefficients) != len(self.column.levels):
            raise ParameterError(
                f"The effect of {self.column.name!r} needs {len(self.column.levels)} coefficients; "
                f"got {len(self.coefficients)}."
            )
        if not all(math.isfinite(c) for c in self.coefficients):
            raise ParameterError(f"A coefficient of {self.column.name!r} is not a finite number.")


@dataclass(frozen=True)
class CovariateModel:
    """A purchase model whose parameters depend on what is known of the customer.

    Parameters
    ----------
    base : PurchaseModel
        Parameters of a customer at the reference levels with average numbers.
    effects : tuple of Effect
        What each column does.

    Examples
    --------
    >>> from clv import BGNBD
    >>> from clv.models.covariates.columns import CategoricalColumn
    >>> channel = CategoricalColumn("channel", ("web",), reference="shop")
    >>> model = CovariateModel(BGNBD(.243, 4.414, .793, 2.426),
    ...                        (Effect("purchase", channel, (math.log(2),)),))
    >>> round(model.model_for(channel="web").alpha, 3)  # web customers buy twice as often
    2.207
    """

    base: PurchaseModel
    effects: tuple[Effect, ...]

    def __post_init__(self) -> None:
        parts = PARTS.get(self.base.name)
        if parts is None:
            raise ParameterError(f"{self.base.label} takes no covariates; {', '.join(PARTS)} do.")
        for effect in self.effects:
            if effect.part not in parts:
                raise ParameterError(
                    f"{self.base.label} has no part {effect.part!r} for covariates to act on; it "
                    f"has {', '.join(parts)}."
                )

    # -- the parameters of a customer ---------------------------------------------------------

    def parameters_for(self, customers: pd.DataFrame) -> dict[str, Floats]:
        """Parameters of each customer.

        Parameters
        ----------
        customers : DataFrame
            One row a customer, with the columns of the effects.

        Returns
        -------
        dict of str to ndarray, shape (n,)
        """
        logs = {
            name: np.full(len(customers), math.log(value))
            for name, value in self.base.parameters.items()
        }
        refuse_unknown(customers, {effect.column.name for effect in self.effects})
        for effect in self.effects:
            name, sign = PARTS[self.base.name][effect.part]
            z = effect.column.coded(effect.column.values(customers))
            logs[name] = logs[name] + sign * np.einsum("ij,j->i", z, effect.coefficients)
        return {name: np.exp(log) for name, log in logs.items()}

    def model_for(self, covariates: Mapping[str, Any] | None = None, /, **more: Any) -> Any:
        """Return the model of one customer, such as a :class:`clv.BGNBD`.

        Parameters
        ----------
        covariates : mapping, optional
            Column name to value.
        **more
            The same, as keywords.

        Returns
        -------
        PurchaseModel
            Of the kind of `base`.
        """
        import pandas as pd

        row = pd.DataFrame([{**(covariates or {}), **more}])
        theta = self.parameters_for(row)
        return type(self.base).from_vector(np.array([float(v[0]) for v in theta.values()]))

    # -- answers for all customers ------------------------------------------------------------

    def log_likelihood(self, customers: pd.DataFrame) -> Floats:
        """Log-likelihood of each customer's history.

        Parameters
        ----------
        customers : DataFrame
            One row a customer: frequency, recency, T, and the columns of the effects.

        Returns
        -------
        ndarray, shape (n,)
        """
        x, t_x, T = histories_of(customers)
        theta = list(self.parameters_for(customers).values())
        model = cast("BetaGeometric | ParetoNBD", self.base)
        return model.per_history(theta, x, t_x, T)[0]

    def p_alive(self, customers: pd.DataFrame) -> Floats:
        """P(still a customer at T) of each customer.

        Parameters
        ----------
        customers : DataFrame
            One row a customer: frequency, recency, T, and the columns of the effects.

        Returns
        -------
        ndarray, shape (n,)
        """
        x, t_x, T = histories_of(customers)
        theta, c = self._own_time(customers)
        t_x, T = c * t_x, c * T
        return answer_all(type(self.base), theta, lambda m, i: m.p_alive(x[i], t_x[i], T[i]))

    def expected_purchases(self, t: Number, customers: pd.DataFrame) -> Floats:
        """E[purchases in (T, T + t]] of each customer.

        Parameters
        ----------
        t : float or array_like, shape (n,)
            Time ahead.
        customers : DataFrame
            One row a customer: frequency, recency, T, and the columns of the effects.

        Returns
        -------
        ndarray, shape (n,)
        """
        x, t_x, T = histories_of(customers)
        theta, c = self._own_time(customers)
        ahead, t_x, T = c * np.asarray(t, dtype=float), c * t_x, c * T
        return answer_all(
            type(self.base),
            theta,
            lambda m, i: m.expected_purchases(ahead[i], x[i], t_x[i], T[i]),
        )

    def discounted_expected_transactions(
        self, customers: pd.DataFrame, *, rate: float, horizon: float = math.inf
    ) -> Floats:
        """Discounted expected transactions of each customer, each worth e^(−rate·time).

        Parameters
        ----------
        customers : DataFrame
            One row a customer: frequency, recency, T, and the columns of the effects.
        rate : float
            Continuous discount rate per unit of time.
        horizon : float, optional
            How far ahead to count; without end by default.

        Returns
        -------
        ndarray, shape (n,)
        """
        x, t_x, T = histories_of(customers)
        theta = np.stack(list(self.parameters_for(customers).values()), axis=1)
        return answer_all(
            type(self.base),
            theta,
            lambda m, i: m.discounted_expected_transactions(
                x[i], t_x[i], T[i], rate=rate, horizon=horizon
            ),
        )

    def simulate(self, customers: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Draw the histories of new customers with these covariates.

        Parameters
        ----------
        customers : DataFrame
            One row a customer: T, and the columns of the effects.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        DataFrame
            The same with frequency and recency drawn.
        """
        refuse_unknown(customers, {"T"})
        T = customers["T"].to_numpy(dtype=float)
        theta, c = self._own_time(customers)
        x, t_x = np.empty(len(T)), np.empty(len(T))
        for i in each_distinct(theta):
            x[i], t_x[i] = type(self.base).from_vector(theta[i[0]]).simulate(c[i] * T[i], rng)
        return customers.assign(frequency=x, recency=np.minimum(t_x / c, T))

    def _own_time(self, customers: pd.DataFrame) -> tuple[Floats, Floats]:
        """Parameters (n, k), and c, at which customer i's times are multiplied by c_i = α/α_i.

        α and β are times: dividing them by c and multiplying all times by c changes nothing. So all
        customers have the base's α, and those who differ in the purchase rate alone are alike.
        """
        theta = self.parameters_for(customers)
        alpha = self.base.parameters["alpha"]
        c = alpha / theta["alpha"]
        theta["alpha"] = np.full(len(c), alpha)
        if "beta" in theta:
            theta["beta"] = theta["beta"] * c
        return np.stack(list(theta.values()), axis=1), c


def histories_of(customers: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Frequency, recency and T of a table, refused where no customer can have them."""
    names = ("frequency", "recency", "T")
    refuse_unknown(customers, names)
    x, t_x, T = (customers[name].to_numpy(dtype=float) for name in names)
    check(x, t_x, T, np.ones(len(x)), unit="day")
    return x, t_x, T


def refuse_unknown(customers: pd.DataFrame, names: Any) -> None:
    """Refuse a table without one of the columns."""
    there = [str(c) for c in customers.columns]
    for name in sorted(names):
        if name not in there:
            raise UnknownNameError(
                "column", name, there, then=f"The columns are {', '.join(there)}."
            )
        if there.count(name) > 1:
            raise RequestError(f"There are {there.count(name)} columns named {name!r}.")
