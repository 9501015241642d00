"""Frequency/recency map: who is probably still a customer, and after how long a silence not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from scipy.optimize import brentq

from clv.errors import RequestError
from clv.history import DAYS_PER_UNIT, Floats, Unit
from clv.models.base import PurchaseModel
from clv.plots import style

__all__ = ["PAliveMap", "plot_p_alive"]

COLUMNS = 80
"""Most columns of the map: with more, the single cell of the customers who bought once is lost."""


@dataclass(frozen=True, eq=False)
class PAliveMap:
    """P(alive) of the histories that customers observed for the time T can have.

    Attributes
    ----------
    frequency : ndarray, shape (rows,)
        Repeat transactions 0, 1, 2, ...
    recency : ndarray, shape (columns,)
        Times from the first to the last purchase, evenly from 0 up to T, in the unit.
    p_alive : ndarray, shape (rows, columns)
        P(alive at T | x, t_x, T); nan where no customer can be: with no repeat purchase recency is
        0, and x repeat purchases, at most one a day, take x days.
    as_likely_gone : ndarray, shape (rows,)
        Recency at which P(alive) is 1/2; nan where no possible recency makes it so.
    """

    frequency: Floats
    recency: Floats
    p_alive: Floats
    as_likely_gone: Floats

    @classmethod
    def of(
        cls, model: PurchaseModel, *, T: float, unit: Unit, max_frequency: int | None
    ) -> PAliveMap:
        """Map of a model; for the parameters see :func:`plot_p_alive`."""
        _refuse(T, unit, max_frequency)
        a_day = 1 / DAYS_PER_UNIT[unit]
        rows = _most_likely(model, T, a_day) if max_frequency is None else int(max_frequency)
        x = np.arange(rows + 1.0)
        t_x = np.minimum(np.arange(0, T * (1 + 1e-12), _step(T, a_day)), T)  # but for rounding
        possible = np.where(x[:, None] > 0, t_x >= x[:, None] * a_day * (1 - 1e-12), t_x == 0)
        p = np.full(possible.shape, np.nan)
        row, column = np.nonzero(possible)
        p[row, column] = model.p_alive(x[row], t_x[column], T)
        even = np.array([_even(model, k, T, a_day) for k in x])
        return cls(x, t_x, p, even)


def plot_p_alive(
    model: PurchaseModel,
    *,
    T: float,
    unit: Unit,
    max_frequency: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Probability of still being a customer, by number of repeat purchases and time of the last.

    Parameters
    ----------
    model : PurchaseModel
        Such as a fitted :class:`clv.BGNBD`.
    T : float
        Time from the first purchase to the end of observation of the customers shown.
    unit : {"day", "week"}
        The unit of T and of the model.
    max_frequency : int, optional
        Most repeat purchases shown. If not given, as many as all but 1 % of new customers make
        in the time T, according to the model; at least 5.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    RequestError
        For a T that is shorter than a day, an unknown unit, or a max_frequency below 1.

    Notes
    -----
    Cells in which no customer can be are left blank. The line marks where a customer is as likely
    gone as still there.

    Examples
    --------
    >>> from clv import BGNBD
    >>> ax = plot_p_alive(BGNBD(r=.243, alpha=4.414, a=.793, b=2.426), T=38.86, unit="week")
    >>> ax.get_xlabel()
    'Weeks from first to last purchase'
    """
    shown = PAliveMap.of(model, T=T, unit=unit, max_frequency=max_frequency)
    ax = style.begin(ax)
    mesh = ax.pcolormesh(
        shown.recency,
        shown.frequency,
        np.ma.masked_invalid(shown.p_alive),
        shading="nearest",
        cmap="cividis",
        vmin=0,
        vmax=1,
    )
    bar = ax.figure.colorbar(mesh, ax=ax, format=PercentFormatter(1, decimals=0, symbol=" %"))
    bar.set_label("Probability still a customer", fontsize=style.TEXT, color=style.INK)
    bar.ax.tick_params(labelsize=style.TEXT, labelcolor=style.INK, color=style.QUIET)
    bar.outline.set_visible(False)

    crossed = bool(np.isfinite(shown.as_likely_gone).any())
    if crossed:
        ax.plot(shown.as_likely_gone, shown.frequency, color="white", lw=2)
        bar.ax.axhline(0.5, color="white", lw=2)
    once = style.share(float(shown.p_alive[0, 0]))
    if style.points(ax)[1] / len(shown.frequency) > 1.5 * style.SMALL:  # it fits in the row
        ax.annotate(
            f"bought once: {once}",
            (shown.recency[1] / 2 if len(shown.recency) > 1 else 0.5, 0),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=style.QUIET,
            fontsize=style.SMALL,
        )
    for axis in (ax.xaxis, ax.yaxis):
        style.counts(axis)
    style.finish(
        ax,
        _finding(shown, T, unit),
        x=f"{unit.capitalize()}s from first to last purchase",
        y="Repeat purchases",
        source=f"Customers whose first purchase was {T:,.4g} {unit}s ago, by {model.label} with "
        + ", ".join(f"{name}={value:.4g}" for name, value in model.parameters.items())
        + (". White line: 50 %" if crossed else "")
        + ". Blank: no such customer can exist.",
    )
    return ax


def _refuse(T: float, unit: Unit, max_frequency: int | None) -> None:
    faults = []
    if unit not in DAYS_PER_UNIT:
        faults.append(f"The unit is {unit!r}; it must be 'day' or 'week' (seven days)")
    elif not (math.isfinite(T) and T * DAYS_PER_UNIT[unit] >= 1):
        faults.append(
            f"T is the time that customers were observed, at least one day; got {T:g} {unit}s"
        )
    if max_frequency is not None and not (
        max_frequency >= 1 and max_frequency == int(max_frequency)
    ):
        faults.append(f"max_frequency is a whole number, at least 1; got {max_frequency}")
    if faults:
        raise RequestError.of(faults)


def _most_likely(model: PurchaseModel, T: float, a_day: float) -> int:
    """Number of repeat purchases that 99 % of new customers do not exceed, from 5 to one a day."""
    days = int(T / a_day)
    most, size = min(5, days), 64
    while most < days:
        below = np.cumsum(model.pmf(np.arange(size), T))
        if below[-1] >= 0.99:
            return min(days, max(most, int(np.argmax(below >= 0.99))))
        if size > days:
            return days
        size *= 4
    return max(most, 1)


def _step(T: float, a_day: float) -> float:
    """Width of a column: a day, or a round number of units, so that there are not too many."""
    round_numbers = [m * 10.0**k for k in range(9) for m in (1, 2, 5)]
    return next(s for s in (a_day, *round_numbers) if s >= a_day and T / s <= COLUMNS)


def _even(model: PurchaseModel, x: float, T: float, a_day: float) -> float:
    """Recency at which a customer with x repeat purchases is as likely gone as still there."""
    soonest = x * a_day
    if x == 0 or soonest >= T:
        return math.nan

    def above(t_x: float) -> float:
        return float(model.p_alive(x, t_x, T)) - 0.5

    if above(soonest) >= 0 or above(T) <= 0:
        return math.nan
    return float(brentq(above, soonest, T))


def _finding(shown: PAliveMap, T: float, unit: Unit) -> str:
    rows = np.flatnonzero(np.isfinite(shown.as_likely_gone))
    if not len(rows):
        if np.nanmin(shown.p_alive) >= 0.5:
            return "Every customer shown is probably still a customer"
        if np.nanmax(shown.p_alive[1:]) < 0.5:
            return "Every customer shown who bought again is probably gone"
        return "Probability of still being a customer"
    most = rows[-1]
    times, silence = int(shown.frequency[most]), T - shown.as_likely_gone[most]
    return (
        f"After {_few(silence)} {unit}s of silence, a customer with {times:,} repeat "
        f"purchase{'' if times == 1 else 's'} is as likely gone as not"
    )


def _few(time: float) -> str:
    """A length of time with a decimal where it is short.

    >>> _few(8.94), _few(26.2)
    ('8.9', '26')
    """
    return f"{time:.1f}" if time < 10 else f"{time:,.0f}"
