"""What stands on axes, for the tests of plots."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from clv.history import Floats


def draw(ax: Axes) -> None:
    """Lay out and draw the whole figure, as saving it does."""
    assert isinstance(ax.figure, Figure)
    ax.figure.draw_without_rendering()


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def source(ax: Axes) -> Text:
    """The line below the axes: it is written last."""
    return ax.texts[-1]


def line(ax: Axes, label: str) -> Line2D:
    (found,) = [one for one in ax.get_lines() if one.get_label() == label]
    return found


def xy(one: Line2D) -> tuple[Floats, Floats]:
    """Coordinates of a line; dates as matplotlib counts them."""
    points: Any = one.get_xydata()
    return np.asarray(points[:, 0], dtype=float), np.asarray(points[:, 1], dtype=float)
