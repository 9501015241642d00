from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest

from clv.evaluate.tracking import TrackingCheck
from clv.plots.tracking import plot_tracking
from tests.plots.drawn import draw, line, source, title, xy


def check(
    actual: object, expected: object, *, cut: int, start: str = "2024-01-01", customers: int = 9
) -> TrackingCheck:
    a, e = np.asarray(actual, dtype=np.int64), np.asarray(expected, dtype=float)
    days = np.datetime64(start, "D") + np.arange(len(a))
    ends: date = days[cut].item()
    return TrackingCheck(days, a, e, ends, customers, "BG/NBD", "/some/where/orders.csv")


def test_the_curves_are_the_data() -> None:
    shown = check([0, 1, 3, 6, 10], [0.0, 1.5, 3.0, 4.5, 8.0], cut=2)
    ax = plot_tracking(shown)
    for label, values, style in (
        ("actual", shown.actual, "-"),
        ("expected", shown.expected, "--"),
    ):
        one = line(ax, label)
        np.testing.assert_array_equal(one.get_xdata(), shown.dates)
        np.testing.assert_array_equal(one.get_ydata(), values)
        assert one.get_linestyle() == style


def test_the_holdout_is_shaded_from_the_end_of_calibration_to_the_end() -> None:
    shown = check([0, 1, 3, 6, 10], [0.0, 1.5, 3.0, 4.5, 8.0], cut=2)
    ax = plot_tracking(shown)
    (band,) = ax.collections
    box = band.get_paths()[0].get_extents()
    whole = xy(line(ax, "actual"))[0][[2, 4]].tolist()
    assert [box.x0, box.x1] == whole
    assert ax.get_xlim()[1] == whole[1]


def test_the_title_says_the_error_of_the_holdout() -> None:
    # 7 came in the two days, 5 were expected: 2/7 = 28.6 % fewer; in all 8 of 10: 20 % fewer.
    ax = plot_tracking(check([0, 1, 3, 6, 10], [0.0, 1.5, 3.0, 4.5, 8.0], cut=2))
    assert title(ax) == (
        "BG/NBD expected 5 repeat purchases in the 2 days after the fit, "
        "28.6 % fewer than the 7 that came"
    )
    said = source(ax).get_text().replace("\n", " ")
    assert said.startswith("orders.csv: customers who first bought by 3 Jan 2024 (9).")
    assert "Over both periods 20.0 % fewer were expected than came." in said


def test_too_many_expected_is_said_as_more() -> None:
    ax = plot_tracking(check([0, 2, 4], [0.0, 2.0, 5.0], cut=1))
    assert "50.0 % more than the 2 that came" in title(ax)


@pytest.mark.parametrize("over", [True, False])
def test_the_names_of_the_curves_do_not_overlap(*, over: bool) -> None:
    actual = np.arange(100) * 10
    shown = check(actual, actual * (1.0001 if over else 0.9999), cut=50)
    ax = plot_tracking(shown)
    draw(ax)
    names = {t.get_text().split("\n")[0]: t.get_window_extent() for t in ax.texts}
    assert not names["actual"].overlaps(names["expected"])
    upper, lower = ("expected", "actual") if over else ("actual", "expected")
    assert names[upper].y0 > names[lower].y1


@pytest.mark.parametrize("cut", [5, 50, 150, 250, 360, 363])
@pytest.mark.parametrize("power", [0.5, 1, 3])
def test_notes_are_within_the_axes_and_off_the_curves(cut: int, power: float) -> None:
    curve = (np.arange(365) ** power * 10).astype(int)
    ax = plot_tracking(check(curve, curve * 1.01, cut=cut))
    draw(ax)
    inside = ax.get_window_extent()
    drawn = ax.transData.transform(np.column_stack(xy(line(ax, "actual"))))
    notes = [t for t in ax.texts if t.get_text().startswith(("fitted", "holdout"))]
    if power == 1 and cut in {150, 250}:
        assert len(notes) == 2
    for note in notes:
        box = note.get_window_extent()
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        across = (drawn[:, 0] >= box.x0) & (drawn[:, 0] <= box.x1)
        assert not ((drawn[across, 1] >= box.y0) & (drawn[across, 1] <= box.y1)).any()


def test_the_vertical_axis_begins_at_none() -> None:
    ax = plot_tracking(check([5, 6, 9], [5.0, 6.0, 8.0], cut=1))
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylabel() == "Cumulative repeat purchases"


def test_one_customer_who_never_came_back() -> None:
    ax = plot_tracking(check([0, 0, 0], [0.0, 0.0, 0.0], cut=1, customers=1))
    draw(ax)
    assert title(ax) == "BG/NBD expected 0 repeat purchases in the day after the fit; 0 came"
    assert "Over both" not in source(ax).get_text()


def test_ten_years() -> None:
    days = np.arange(3653)
    ax = plot_tracking(check(days * 7, days * 7.5, cut=3000, start="2015-01-01"))
    draw(ax)
    assert 4 <= len(ax.get_xticklabels()) <= 9
    boxes = [t.get_window_extent() for t in ax.get_xticklabels() if t.get_text()]
    assert not any(a.overlaps(b) for a, b in pairwise(boxes))


def test_a_name_with_dollar_signs_is_no_formula() -> None:
    ax = plot_tracking(replace(check([0, 1, 2], [0.0, 1.0, 2.0], cut=1), source="a$b_{$.csv"))
    draw(ax)
    assert source(ax).get_text().startswith("a$b_{$.csv:")


def test_it_draws_on_the_axes_given() -> None:
    figure, ax = plt.subplots()
    assert plot_tracking(check([0, 1, 2], [0.0, 1.0, 2.0], cut=1), ax=ax) is ax
    assert plt.get_fignums() == [figure.number]
