from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh

from clv.errors import RequestError
from clv.models.bg_nbd import BGNBD
from clv.plots.p_alive_map import COLUMNS, PAliveMap, plot_p_alive
from tests.plots.drawn import draw, source, title

# Fader, Hardie & Lee (2005), table 2; weeks.
CDNOW = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
FEW = BGNBD(r=2, alpha=10, a=50, b=1)  # hardly anybody stays after a repeat purchase

models = st.builds(
    BGNBD,
    r=st.floats(0.1, 5),
    alpha=st.floats(1, 50),
    a=st.floats(0.1, 5),
    b=st.floats(0.1, 5),
)


def mesh(ax: Axes) -> QuadMesh:
    (found,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    return found


@given(models, st.floats(1, 2000), st.sampled_from(["day", "week"]), st.integers(1, 40))
def test_cells_are_the_histories_that_can_be(model: BGNBD, T: float, unit: str, most: int) -> None:
    shown = PAliveMap.of(model, T=T, unit=unit, max_frequency=most)
    day = 1 if unit == "day" else 1 / 7
    assert shown.p_alive.shape == (most + 1, len(shown.recency))
    assert shown.recency[0] == 0
    assert shown.recency[-1] <= T * (1 + 1e-9)
    assert len(shown.recency) <= COLUMNS + 1
    for i, x in enumerate(shown.frequency):
        for j, t_x in enumerate(shown.recency):
            can_be = t_x == 0 if x == 0 else t_x >= x * day * (1 - 1e-9)
            assert np.isfinite(shown.p_alive[i, j]) == can_be
    assert (np.diff(shown.recency) >= day * (1 - 1e-9)).all()  # no column finer than a day


@given(models, st.floats(30, 300))
def test_the_line_is_where_p_alive_is_a_half(model: BGNBD, T: float) -> None:
    shown = PAliveMap.of(model, T=T, unit="day", max_frequency=12)
    on = np.isfinite(shown.as_likely_gone)
    x, t_x = shown.frequency[on], shown.as_likely_gone[on]
    assert model.p_alive(x, t_x, T) == pytest.approx(0.5, abs=1e-6)
    for row in np.flatnonzero(~on):  # there, all possible customers are on one side
        p = shown.p_alive[row][np.isfinite(shown.p_alive[row])]
        assert not len(p) or p.max() <= 0.5 or p.min() >= 0.5


def test_cells_show_p_alive_of_their_row_and_column() -> None:
    ax = plot_p_alive(CDNOW, T=39, unit="week", max_frequency=10)
    cells = mesh(ax).get_array()
    assert cells is not None
    assert cells.shape == (11, 40)
    # Fader, Hardie & Lee (2005), by their equation for x > 0:
    # P(alive) = 1 / (1 + a/(b+x-1) ((alpha+T)/(alpha+t_x))^(r+x)); rows are x, columns weeks.
    for x, t_x in [(1, 1), (2, 30), (10, 39), (10, 2)]:
        odds = 0.793 / (2.426 + x - 1) * ((4.414 + 39) / (4.414 + t_x)) ** (0.243 + x)
        assert cells[x, t_x] == pytest.approx(1 / (1 + odds))
    assert cells[0, 0] == 1  # the same paper, note 1
    assert np.ma.getmaskarray(cells)[0, 1:].all()
    assert np.ma.getmaskarray(cells)[1:, 0].all()
    # A cell is drawn around its recency and frequency.
    corners = np.asarray(mesh(ax).get_coordinates())
    assert corners[2, 30].tolist() == [29.5, 1.5]


def test_colours_mean_the_same_in_every_map() -> None:
    for model in (CDNOW, FEW):
        assert mesh(plot_p_alive(model, T=30, unit="week")).get_clim() == (0, 1)


def test_the_title_says_the_silence_that_the_map_shows() -> None:
    ax = plot_p_alive(CDNOW, T=39, unit="week", max_frequency=2)
    # Solve the equation above for P(alive) = 1/2 with x = 2: alpha + t_x =
    # (alpha + T) (a/(b+1))^(1/(r+2)), so 39 - t_x = 43.414 (1 - .231465^(1/2.243)) = 20.80.
    silence = 43.414 * (1 - (0.793 / 3.426) ** (1 / 2.243))
    assert title(ax) == (
        f"After {silence:.0f} weeks of silence, a customer with 2 repeat purchases is as likely "
        "gone as not"
    )
    assert "White line" in source(ax).get_text()


@pytest.mark.parametrize(
    ("model", "T", "says"),
    [
        (CDNOW, 1.0, "Every customer shown is probably still a customer"),
        (FEW, 30.0, "Every customer shown who bought again is probably gone"),
    ],
)
def test_a_map_without_a_line(model: BGNBD, T: float, says: str) -> None:
    ax = plot_p_alive(model, T=T, unit="week")
    assert title(ax) == says
    assert "White line" not in source(ax).get_text()


@given(models, st.floats(2, 400))
def test_as_many_purchases_are_shown_as_nearly_all_make(model: BGNBD, T: float) -> None:
    shown = PAliveMap.of(model, T=T, unit="day", max_frequency=None)
    most, days = int(shown.frequency[-1]), int(T)
    assert min(5, days) <= most <= days
    below = float(np.sum(model.pmf(np.arange(most + 1), T)))
    assert below >= 0.99 - 1e-12 or most == days
    if most > 5:
        assert below - float(model.pmf(most, T)) < 0.99


def test_a_long_log_of_keen_customers() -> None:
    keen = BGNBD(r=2, alpha=10, a=0.01, b=500)
    ax = plot_p_alive(keen, T=3650, unit="day")
    draw(ax)
    cells = mesh(ax).get_array()
    assert cells is not None
    assert cells.shape[1] <= COLUMNS + 1
    assert ax.get_ylim()[1] > 1000


def test_one_day_of_observation() -> None:
    ax = plot_p_alive(CDNOW, T=1 / 7, unit="week")
    draw(ax)
    cells = mesh(ax).get_array()
    assert cells is not None
    assert cells.shape == (2, 2)


def test_labels_and_the_axes_given() -> None:
    figure, ax = plt.subplots()
    assert plot_p_alive(CDNOW, T=273, unit="day", ax=ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert ax.get_xlabel() == "Days from first to last purchase"
    assert ax.get_ylabel() == "Repeat purchases"
    (bar,) = [other for other in figure.axes if other is not ax]
    assert bar.get_ylabel() == "Probability still a customer"


def test_all_that_is_wrong_is_refused_at_once() -> None:
    with pytest.raises(RequestError) as error:
        plot_p_alive(CDNOW, T=0.5, unit="month", max_frequency=0)
    for part in ("'month'", "'day' or 'week'", "max_frequency is a whole number"):
        assert part in str(error.value)
    with pytest.raises(RequestError, match=r"at least one day; got 0\.1 weeks"):
        plot_p_alive(CDNOW, T=0.1, unit="week")
    with pytest.raises(RequestError, match="got nan days"):
        plot_p_alive(CDNOW, T=float("nan"), unit="day")
    assert not plt.get_fignums()
