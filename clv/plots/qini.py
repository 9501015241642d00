"""Qini curve: what treating the first part of a ranking gains, against a random order."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from clv.plots import style
from clv.recommend.campaigns import Qini

__all__ = ["plot_qini"]

MOST = 1_000
"""Points of the curve that are drawn; more cannot be seen."""


def plot_qini(
    curve: Qini,
    *,
    arm: str = "the campaign",
    outcome: str = "Margin gained per customer",
    ranking: str = "value at stake",
    ax: Axes | None = None,
) -> Axes:
    """Gain from treating the first customers of a ranking.

    Parameters
    ----------
    curve : Qini
        From :func:`clv.recommend.campaigns.qini`, or ``CampaignResult.qini["arm"]``.
    arm : str
        What was done, for the title.
    outcome : str
        What is gained, with its unit.
    ranking : str
        What the customers are ranked by.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> from clv.recommend.campaigns import qini
    >>> rng = np.random.default_rng(1)
    >>> benefit = rng.random(5_000)
    >>> ax = plot_qini(qini(benefit + rng.normal(size=5_000), benefit), arm="the letter")
    >>> ax.get_title(loc="left").split()[:5]
    ['Ranked', 'by', 'value', 'at', 'stake,']
    """
    ax = style.begin(ax)
    x, y = curve.treated, curve.gain
    if len(x) > MOST + 1:
        kept = np.unique(np.linspace(0, len(x) - 1, MOST + 1).round().astype(int))
        x, y = x[kept], y[kept]
    total = float(curve.gain[-1])
    ax.plot([0, 1], [0, total], color=style.QUIET, lw=1, ls=(0, (2, 2)), label="random", zorder=1)
    ax.annotate(
        "in a random order",
        (0.75, 0.75 * total),
        xytext=(6, -4),
        textcoords="offset points",
        va="top",
        fontsize=style.SMALL,
        color=style.QUIET,
    )
    ax.fill_between(x, total * x, y, color=style.BAND, lw=0, zorder=0)
    ax.plot(x, y, color=style.ACTUAL, lw=2.4, label="ranked", zorder=2)
    ax.axhline(0, color=style.QUIET, lw=0.8, zorder=1)
    ax.set_xlim(0, 1)
    style.percent(ax.xaxis)
    low, high = curve.interval()
    style.finish(
        ax,
        _finding(low, high, arm, ranking),
        x=f"Share of customers treated, those with most {ranking} first",
        y=outcome,
        source=f"{curve.customers:,} customers. Area between the curves {curve.area:.3g} (95 % "
        f"interval {low:.3g} to {high:.3g}).",
    )
    return ax


def _finding(low: float, high: float, arm: str, ranking: str) -> str:
    if low > 0:
        return f"Ranked by {ranking}, {arm} gains most among those it reaches first"
    if high < 0:
        return f"Ranked by {ranking}, {arm} reaches those first among whom it gains least"
    return f"Whether {ranking} finds those whom {arm} changes cannot be told"
