"""Tracking plot: whether the orders that came after the fit follow what it expected."""

from __future__ import annotations

import math
from pathlib import PurePath

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from clv.evaluate.tracking import TrackingCheck
from clv.plots import style

__all__ = ["plot_tracking"]

NOTE = (115.0, 32.0)
"""Width and height in points that a note of two lines takes, with a margin."""


def plot_tracking(check: TrackingCheck, *, ax: Axes | None = None) -> Axes:
    """Cumulative repeat purchases over time, actual (solid) and expected (dashed).

    Parameters
    ----------
    check : TrackingCheck
        From :func:`clv.tracking_check`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes

    Notes
    -----
    Fader, Hardie & Lee (2005), "Counting your customers" the easy way, figure 4.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> ax = clv.plot_tracking(clv.tracking_check(orders, fit))
    >>> ax.get_xlabel()
    'Date'
    """
    ax = style.begin(ax)
    dates, cut, last = check.dates, check.dates[-1 - check.holdout_days], check.dates[-1]
    ax.fill_between([cut, last], 0, 1, transform=ax.get_xaxis_transform(), color=style.BAND, lw=0)
    ax.plot([cut, cut], [0, 1], transform=ax.get_xaxis_transform(), color=style.QUIET, lw=1)
    ax.plot(dates, check.actual, color=style.ACTUAL, lw=2.2, label="actual")
    ax.plot(dates, check.expected, color=style.EXPECTED, lw=2.2, ls=(0, (4, 2)), label="expected")

    top = max(float(check.actual[-1]), float(check.expected[-1]), 1.0)
    ax.set_ylim(0, 1.08 * top)
    ax.set_xlim(dates[0], last)
    style.counts(ax.yaxis)
    locator = AutoDateLocator(minticks=4, maxticks=8)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]

    _name_curves(ax, check)
    _explain_periods(ax, check)
    style.finish(
        ax,
        _finding(check),
        x="Date",
        y="Cumulative repeat purchases",
        source=f"{PurePath(check.source).name}: customers who first bought by "
        f"{style.day(check.calibration_end)} ({check.customers:,}). Shaded: not seen by the fit. "
        "Expected from the day of each first purchase alone. " + _total(check),
    )
    return ax


def _name_curves(ax: Axes, check: TrackingCheck) -> None:
    """Name the curves where they end, the upper one above its end and the lower one below."""
    below, above = sorted(
        [
            (float(check.actual[-1]), "actual", style.ACTUAL),
            (float(check.expected[-1]), "expected", style.EXPECTED),
        ]
    )
    for (end, name, colour), side, shift in ((above, "bottom", 1), (below, "top", -1)):
        ax.annotate(
            f"{name}\n{end:,.0f}",
            (check.dates[-1], end),
            xytext=(6, shift),
            textcoords="offset points",
            va=side,
            color=colour,
            fontsize=style.TEXT,
            fontweight="bold",
            annotation_clip=False,
        )


def _explain_periods(ax: Axes, check: TrackingCheck) -> None:
    """Say at the end of calibration what lies on its sides, where there is room off the curves."""
    width, height = style.points(ax)
    days = len(check.dates) - 1
    cut, note = days - check.holdout_days, NOTE[0] / width * days
    tall = 0.02 + NOTE[1] / height
    top = ax.get_ylim()[1]
    for side, begins, ends, shift, text in (
        (
            "right",
            cut - note,
            cut,
            -6,
            f"fitted to the orders\nup to {style.day(check.calibration_end)}",
        ),
        ("left", cut, cut + note, 6, "holdout: not seen\nby the fit"),
    ):
        if begins < 0 or ends > days:
            continue
        within = slice(math.floor(begins), math.ceil(ends) + 1)
        if min(check.actual[within][0], check.expected[within][0]) > tall * top:
            edge, at = "bottom", 0.02
        elif max(check.actual[within][-1], check.expected[within][-1]) < (1 - tall) * top:
            edge, at = "top", 0.98
        else:
            continue
        ax.annotate(
            text,
            (check.dates[cut], at),
            xycoords=("data", "axes fraction"),
            xytext=(shift, 0),
            textcoords="offset points",
            ha=side,
            va=edge,
            color=style.QUIET,
            fontsize=style.SMALL,
        )


def _finding(check: TrackingCheck) -> str:
    actual, expected = check.holdout_actual, check.holdout_expected
    period = _period(check.holdout_days)
    text = f"{check.label} expected {expected:,.0f} repeat purchases in the {period} after the fit"
    if not math.isfinite(check.holdout_error):
        return f"{text}; {actual:,} came"
    return f"{text}, {_off(check.holdout_error, 'fewer', 'more')} than the {actual:,} that came"


def _period(days: int) -> str:
    """A length of time, exactly unless it is of several years.

    >>> _period(1), _period(31), _period(273), _period(1000)
    ('day', '31 days', '39 weeks', '2.7 years')
    """
    if days > 730:
        return f"{days / 365.25:.1f} years"
    if days % 7 == 0 and days > 7:
        return f"{days // 7} weeks"
    return f"{days} days" if days > 1 else "day"


def _total(check: TrackingCheck) -> str:
    if not math.isfinite(check.error):
        return ""
    return f"Over both periods {_off(check.error, 'fewer', 'more')} were expected than came."


def _off(error: float, less: str, more: str) -> str:
    return f"{abs(error):.1%}".replace("%", " %") + f" {less if error < 0 else more}"
