from __future__ import annotations

import matplotlib.pyplot as plt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from clv.plots import style


def luminance(colour: str) -> float:
    """Relative luminance; WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("behind", ["white", style.BAND])
def test_text_and_curves_stand_out(behind: str) -> None:
    # WCAG 2.2, success criteria 1.4.3 and 1.4.11: 4.5 to 1 for text, 3 to 1 for graphics.
    assert contrast(style.INK, behind) >= 4.5
    assert contrast(style.QUIET, behind) >= 4.5
    assert contrast(style.ACTUAL, behind) >= 3
    assert contrast(style.EXPECTED, behind) >= 3


def test_a_figure_of_its_own_is_made_for_no_axes() -> None:
    ax = style.begin(None)
    assert isinstance(ax.figure, Figure)
    assert ax.figure.get_size_inches().tolist() == [8, 5]
    assert style.begin(ax) is ax


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_a_long_title_stays_within_its_axes(columns: int) -> None:
    figure, grid = plt.subplots(1, columns, figsize=(8 * columns / 2, 5), squeeze=False)
    ax = grid[0, -1]
    finding = "BG/NBD expected 1,650,485 repeat purchases in the 39 weeks after the fit " * 2
    style.finish(ax, finding, x="", y="", source=finding * 2)
    figure.draw_without_rendering()
    assert "\n" in ax.get_title(loc="left")
    for text in (ax._left_title, ax.texts[-1]):
        # Letters on a grid of pixels are up to 2 % wider than their outlines.
        assert text.get_window_extent().width <= 1.02 * ax.get_window_extent().width


def test_a_percent_sign_stays_with_its_number() -> None:
    _, ax = plt.subplots(figsize=(3, 3))
    for before in range(0, 40, 3):
        style.finish(ax, "w" * before + " 12.5 % of " + "w " * 20, x="", y="", source="")
        assert "\n%" not in ax.get_title(loc="left")


@given(st.floats(0, 1))
def test_a_share_looks_like_none_or_all_only_where_it_is(value: float) -> None:
    text = style.share(value)
    said = float(text.removesuffix(" %")) / 100
    if 1e-6 <= value <= 1 - 1e-6:
        assert 0 < said < 1
    assert said == pytest.approx(value, abs=0.005 + 1e-12)  # half a percent, and float rounding
