"""The look that all plots share."""

from __future__ import annotations

from datetime import date

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator, PercentFormatter

__all__ = [
    "ACTUAL",
    "BAND",
    "EXPECTED",
    "INK",
    "QUIET",
    "begin",
    "counts",
    "day",
    "finish",
    "percent",
    "points",
    "share",
]

# Okabe & Ito (2008), "Color Universal Design": told apart with any colour vision, and in grey.
ACTUAL, EXPECTED = "#0072B2", "#D55E00"
INK, QUIET, BAND = "#222222", "#595959", "#EFEFEF"
"""Text; text of the second rank (7:1 on white); shaded areas."""

TITLE, TEXT, SMALL = 13.0, 10.5, 9.0
"""Sizes of type in points, to be read on a page or slide 8 inches wide."""


def begin(ax: Axes | None) -> Axes:
    """Return the axes given, or those of a new figure of 8 by 5 inches."""
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    return ax


def finish(ax: Axes, finding: str, *, x: str, y: str, source: str) -> None:
    """Write the finding above the axes, the labels beside them and the source below.

    Parameters
    ----------
    ax : Axes
        With everything drawn.
    finding : str
        One sentence; broken into lines where the axes are narrow.
    x, y : str
        What the axes measure, with units.
    source : str
        What the figures come from.
    """
    ax.set_title(
        _lines(ax, finding, TITLE, "bold"),
        loc="left",
        fontsize=TITLE,
        fontweight="bold",
        color=INK,
        pad=12,
    )
    ax.set_xlabel(x, fontsize=TEXT, color=INK)
    ax.set_ylabel(y, fontsize=TEXT, color=INK)
    ax.tick_params(labelsize=TEXT, color=QUIET, labelcolor=INK)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(QUIET)
    # Below the label of the x axis, wherever the length of the tick labels puts that.
    ax.annotate(
        _lines(ax, source, SMALL, "normal"),
        xy=(0, 0),
        xycoords=("axes fraction", ax.xaxis.label),
        xytext=(0, -8),
        textcoords="offset points",
        va="top",
        fontsize=SMALL,
        color=QUIET,
        annotation_clip=False,
        parse_math=False,  # the name of a file may hold dollar signs
    )


def _lines(ax: Axes, text: str, size: float, weight: str) -> str:
    """Break a text into lines that are no wider than the axes, never before a percent sign."""
    room, font = points(ax)[0], FontProperties(size=size, weight=weight)
    lines: list[str] = []
    for word in text.replace(" %", "\N{NO-BREAK SPACE}%").split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if (
            lines
            and text_to_path.get_text_width_height_descent(longer, font, ismath=False)[0] <= room
        ):
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def counts(axis: XAxis | YAxis) -> None:
    """Mark an axis at a few round whole numbers."""
    axis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True))
    axis.set_major_formatter("{x:,.0f}")


def points(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes in points, before the layout makes room for labels."""
    return ax.bbox.width * 72 / ax.figure.dpi, ax.bbox.height * 72 / ax.figure.dpi


def percent(axis: XAxis | YAxis) -> None:
    """Write the shares of an axis as percentages."""
    axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def share(value: float) -> str:
    """Percentage with as many decimals as tell it from 0 and from 100.

    >>> share(.4561), share(.0042), share(.99962), share(1)
    ('46 %', '0.4 %', '99.96 %', '100 %')
    """
    for decimals in range(5):
        text = f"{value:.{decimals}%}"
        if value in {0.0, 1.0} or float(text[:-1]) not in {0.0, 100.0}:
            break
    return f"{text[:-1]} %"


def day(when: date) -> str:
    """Write a date in words.

    >>> day(date(1997, 9, 30))
    '30 Sep 1997'
    """
    return f"{when.day} {when:%b %Y}"
