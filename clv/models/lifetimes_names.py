"""The names that `lifetimes` users look for, for the answers that models here give under others.

| in `lifetimes` | here |
|---|---|
| `conditional_probability_alive(frequency, recency, T)` | `p_alive(x, t_x, T)` |
| `conditional_expected_number_of_purchases_up_to_time(t, frequency, recency, T)` | \
`expected_purchases(t, x, t_x, T)` |
| `expected_number_of_purchases_up_to_time(t)` | `expected_purchases(t)` |
| `probability_of_n_purchases_up_to_time(t, n)` | `pmf(n, t)` |
| `conditional_expected_average_profit(frequency, monetary_value)` | `expected_spend(x, m)` |
| `summary` | `Fit.summary`; `Fit.to_dict()` in plain types |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy.typing as npt

from clv.arrays import Floats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PurchaseNames", "SpendNames", "summary_table"]


class _Purchases(Protocol):
    def p_alive(
        self, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike
    ) -> Floats: ...  # pragma: no cover

    def expected_purchases(
        self,
        t: npt.ArrayLike,
        x: npt.ArrayLike = 0,
        t_x: npt.ArrayLike = 0,
        T: npt.ArrayLike = 0,
    ) -> Floats: ...  # pragma: no cover

    def pmf(self, n: npt.ArrayLike, t: npt.ArrayLike) -> Floats: ...  # pragma: no cover


class PurchaseNames:
    """Names of `lifetimes` on every model of purchases."""

    def conditional_probability_alive(
        self: _Purchases, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> Floats:
        """Call `p_alive`, by its name in `lifetimes`.

        Parameters
        ----------
        frequency, recency, T : float or array_like
            x, t_x and T: repeat transactions, time of the last, time observed.

        Returns
        -------
        float or ndarray
        """
        return self.p_alive(frequency, recency, T)

    def conditional_expected_number_of_purchases_up_to_time(
        self: _Purchases,
        t: npt.ArrayLike,
        frequency: npt.ArrayLike,
        recency: npt.ArrayLike,
        T: npt.ArrayLike,
    ) -> Floats:
        """Call `expected_purchases` with a history, by its name in `lifetimes`.

        Parameters
        ----------
        t : float or array_like
            Time ahead, in the unit of the data.
        frequency, recency, T : float or array_like
            x, t_x and T: repeat transactions, time of the last, time observed.

        Returns
        -------
        float or ndarray
        """
        return self.expected_purchases(t, frequency, recency, T)

    def expected_number_of_purchases_up_to_time(self: _Purchases, t: npt.ArrayLike) -> Floats:
        """Call `expected_purchases` for a new customer, by its name in `lifetimes`.

        Parameters
        ----------
        t : float or array_like
            Time ahead, in the unit of the data.

        Returns
        -------
        float or ndarray
        """
        return self.expected_purchases(t)

    def probability_of_n_purchases_up_to_time(
        self: _Purchases, t: npt.ArrayLike, n: npt.ArrayLike
    ) -> Floats:
        """Call `pmf` for a new customer, by its name in `lifetimes`.

        Parameters
        ----------
        t : float or array_like
            Time ahead, in the unit of the data.
        n : int or array_like
            Number of purchases.

        Returns
        -------
        float or ndarray
        """
        return self.pmf(n, t)


class _Spend(Protocol):
    def expected_spend(self, x: npt.ArrayLike, m: npt.ArrayLike) -> Floats: ...  # pragma: no cover


class SpendNames:
    """Names of `lifetimes` on the model of spend."""

    def conditional_expected_average_profit(
        self: _Spend, frequency: npt.ArrayLike, monetary_value: npt.ArrayLike
    ) -> Floats:
        """Call `expected_spend`, by its name in `lifetimes`.

        Parameters
        ----------
        frequency : float or array_like
            Repeat transactions with spend.
        monetary_value : float or array_like
            Their mean value.

        Returns
        -------
        float or ndarray
        """
        return self.expected_spend(frequency, monetary_value)


def summary_table(parameters: dict[str, float], standard_errors: dict[str, float]) -> pd.DataFrame:
    """Give a fit as `lifetimes` shows it: coef, se(coef), and 95 % bounds of a normal coef."""
    import pandas as pd

    coef, se = pd.Series(parameters), pd.Series(standard_errors)
    return pd.DataFrame(
        {
            "coef": coef,
            "se(coef)": se,
            "lower 95% bound": coef - 1.96 * se,
            "upper 95% bound": coef + 1.96 * se,
        }
    )
