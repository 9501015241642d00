"""Concentration curve: how much of the lifetime value the most valuable customers hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from clv.errors import RequestError
from clv.history import Floats
from clv.plots import style

__all__ = ["Concentration", "plot_concentration"]

TENTH = 10
"""Customers from which on there is a tenth of them to speak of."""

MOST = 1_000
"""Points of the curve that are drawn; more cannot be seen, and would make a file of millions."""


@dataclass(frozen=True, eq=False)
class Concentration:
    """The Lorenz curve seen from the top: shares of customers against shares of value.

    Attributes
    ----------
    customers : ndarray, shape (n + 1,)
        Share of the customers, the most valuable first, from 0 to 1.
    held : ndarray, shape (n + 1,)
        Share of the total value that they hold; nan where the total is 0.
    total : float
        Value of all customers.
    """

    customers: Floats
    held: Floats
    total: float

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Self:
        """Concentration of one value a customer.

        Raises
        ------
        RequestError
            Where there are no values, or some are negative or not finite.

        Examples
        --------
        >>> curve = Concentration.of([10, 70, 0, 20])
        >>> curve.held.tolist()
        [0.0, 0.7, 0.9, 1.0, 1.0]
        >>> curve.held_by(.25), curve.holders_of(.8)
        (0.7, 0.5)
        """
        v = np.asarray(values, dtype=float)
        if v.ndim != 1 or not len(v):
            raise RequestError(f"One value a customer is needed; got an array of shape {v.shape}.")
        faults = []
        for what, bad in (("not finite", ~np.isfinite(v)), ("negative", v < 0)):
            rows = np.flatnonzero(bad)
            if len(rows):
                first = ", ".join(str(i) for i in rows[:3])
                faults.append(
                    f"{len(rows):,} of {len(v):,} values are {what} (first rows: {first})"
                )
        if faults:
            raise RequestError.of(
                faults, then="Shares of a total need values that are finite and not below 0."
            )
        sums = np.concatenate([[0.0], np.cumsum(np.sort(v)[::-1])])
        total = float(sums[-1])
        held = sums / total if total > 0 else np.full_like(sums, np.nan)
        return cls(np.arange(len(v) + 1) / len(v), held, total)

    def held_by(self, share: float) -> float:
        """Share of the value that the most valuable `share` of the customers hold.

        Straight between whole customers.
        """
        return float(np.interp(share, self.customers, self.held))

    def holders_of(self, share: float) -> float:
        """Smallest share of the customers, whole ones, who hold at least `share` of the value."""
        # Sums that differ by rounding alone count as reached.
        k = np.searchsorted(self.held, share * (1 - 1e-12))
        return float(self.customers[k])


def plot_concentration(
    values: npt.ArrayLike, *, currency: str = "", ax: Axes | None = None
) -> Axes:
    """Share of the lifetime value that the most valuable customers hold.

    Parameters
    ----------
    values : array_like, shape (customers,)
        Lifetime value of each customer, in any order, none negative.
    currency : str
        Code of the currency, as "EUR"; empty: that of the orders.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    RequestError
        Where there are no values, or some are negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> ax = plot_concentration(np.random.default_rng(1).gamma(.5, 200, 1_000))
    >>> ax.get_title(loc="left")
    'The top 10 % of customers hold 48 % of lifetime value'
    """
    curve = Concentration.of(values)
    ax = style.begin(ax)
    n = len(curve.customers) - 1
    ax.plot([0, 1], [0, 1], color=style.QUIET, lw=1, ls=(0, (2, 2)), label="equal", zorder=1)
    ax.annotate(
        "if all were worth the same",
        (0.5, 0.5),
        xytext=(6, -4),
        textcoords="offset points",
        va="top",
        fontsize=style.SMALL,
        color=style.QUIET,
    )
    if curve.total > 0:
        kept = np.unique(np.linspace(0, n, min(n, MOST) + 1).round().astype(int))
        ax.plot(
            curve.customers[kept],
            curve.held[kept],
            color=style.ACTUAL,
            lw=2.4,
            label="held",
            clip_on=False,
        )
        for at, held, text in _statements(curve):
            ax.plot([at], [held], "o", color=style.ACTUAL, ms=7, clip_on=False, zorder=3)
            ax.annotate(
                text,
                (at, held),
                xytext=(10, -3),
                textcoords="offset points",
                va="top",
                color=style.INK,
                fontsize=style.TEXT,
                # The curve rises to the right, so only the line of equality can run below the text.
                zorder=1.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            )
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    style.percent(ax.xaxis)
    style.percent(ax.yaxis)
    style.finish(
        ax,
        _finding(curve),
        x="Share of customers, the most valuable first",
        y="Share of lifetime value",
        source=f"{n:,} customer{'s' if n > 1 else ''}, together worth {curve.total:,.0f} "
        f"{currency or 'in the currency of the orders'}.",
    )
    return ax


def _finding(curve: Concentration) -> str:
    if curve.total == 0:
        return "No customer has any lifetime value"
    n = len(curve.customers) - 1
    if n < TENTH:
        who = "The most valuable customer" if n > 1 else "The only customer"
        return f"{who} holds {style.share(curve.held[1])} of lifetime value"
    return f"The top 10 % of customers hold {style.share(curve.held_by(0.1))} of lifetime value"


def _statements(curve: Concentration) -> list[tuple[float, float, str]]:
    """Where on the curve something is said, and what: of the top tenth, of four fifths."""
    if len(curve.customers) - 1 < TENTH:
        return []
    tenth, most = curve.held_by(0.1), curve.holders_of(0.8)
    hold = curve.held_by(most)
    found = [(most, hold, f"{style.share(most)} of customers\nhold {style.share(hold)}")]
    if not 0.65 < tenth < 0.95:  # else both would be said at nearly the same place
        found.insert(0, (0.1, tenth, f"the top 10 %\nhold {style.share(tenth)}"))
    return found
