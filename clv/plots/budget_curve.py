"""Budget curve: what budgets of every size keep, and the one worth asking for."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from clv.plots import style
from clv.recommend.budget_curve import BudgetCurve

__all__ = ["plot_budget_curve"]


def plot_budget_curve(
    curve: BudgetCurve, *, total: float | None = None, currency: str = "", ax: Axes | None = None
) -> Axes:
    """Value that budgets of every size are expected to keep, beside what they cost.

    The distance between the curve and the line of equal cost is what a budget gains; it is largest
    at the total worth asking for.

    Parameters
    ----------
    curve : BudgetCurve
        From :func:`clv.recommend.budget_curve.budget_curve`.
    total : float, optional
        The budget there is, to be marked.
    currency : str
        Code of the currency, as "EUR"; empty: that of the orders.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from clv.recommend.budget_curve import budget_curve
    >>> ax = plot_budget_curve(budget_curve([120, 30, 200], [.05, .05, .02]), currency="EUR")
    >>> ax.get_title(loc="left")
    'Worth asking for: 113 EUR, which keeps 260 EUR'
    """
    ax = style.begin(ax)
    best, kept = curve.optimal_total, curve.optimal_gain
    # the point worth asking for is one of the curve's own
    x, first = np.unique(np.append(curve.total, best), return_index=True)
    y = np.append(curve.gain, kept)[first]
    end, top = float(x[-1]), max(float(y[-1]), float(x[-1]))
    if curve.gain_low is not None and curve.gain_high is not None:
        band = (curve.total, curve.gain_low, curve.gain_high)
        ax.fill_between(*band, color=style.ACTUAL, alpha=0.12, lw=0, zorder=0.5)
        top = max(top, float(curve.gain_high[-1]))
    ax.plot([0, end], [0, end], color=style.QUIET, lw=1, ls=(0, (2, 2)), label="cost", zorder=1)
    worth, more = x <= best, x >= best
    ax.plot(x[worth], y[worth], color=style.ACTUAL, lw=2.4, label="kept", clip_on=False)
    ax.plot(x[more], y[more], color=style.ACTUAL, lw=2.4, ls=(0, (2, 1)), label="kept beyond")
    if best > 0:
        ax.vlines(best, best, kept, color=style.EXPECTED, lw=1.4, zorder=2, label="net gain")
        ax.annotate(
            f"net gain {kept - best:,.0f}",
            (best, (best + kept) / 2),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.TEXT,
            color=style.EXPECTED,
        )
        words = "worth asking for: the next\nunit returns just itself"
        _mark(ax, best, kept, words, above=curve.gain_high is not None)
    if total is not None and x[0] <= total < best:
        returns = float(np.interp(total, curve.total, curve.marginal_return))
        at = float(np.interp(total, x, y))
        _mark(ax, total, at, f"the budget there is: the\nnext unit returns {returns:.2f}")
    ax.set_xlim(0, end or 1)
    ax.set_ylim(0, 1.05 * top or 1)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10], integer=True))
        axis.set_major_formatter("{x:,.0f}")
    unit = currency or "in the currency of the orders"
    style.finish(
        ax,
        _finding(curve, currency),
        x=f"Retention budget, {unit}",
        y=f"Value kept, {unit}",
        source="Every budget divided so that no unit would keep more elsewhere. Dotted: its cost."
        + (" Shaded: 80 % interval." if curve.gain_low is not None else ""),
    )
    return ax


def _finding(curve: BudgetCurve, currency: str) -> str:
    if not curve.optimal_total > 0:
        return "No budget would keep what it costs"
    asked, kept = (
        f"{v:,.0f} {currency}".rstrip() for v in (curve.optimal_total, curve.optimal_gain)
    )
    return f"Worth asking for: {asked}, which keeps {kept}"


def _mark(ax: Axes, x: float, y: float, text: str, *, above: bool = False) -> None:
    """Mark a point; above it on the left is room where an interval flattens the curve."""
    ax.plot([x], [y], "o", color=style.ACTUAL, ms=7, clip_on=False, zorder=3)
    ax.annotate(
        text,
        (x, y),
        xytext=(-8, 8) if above else (8, -10),
        textcoords="offset points",
        ha="right" if above else "left",
        va="bottom" if above else "top",
        fontsize=style.TEXT,
        color=style.INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        zorder=1.5,
    )
