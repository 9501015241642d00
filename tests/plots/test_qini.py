from __future__ import annotations

import numpy as np
import pytest

from clv.plots.qini import MOST, plot_qini
from clv.recommend.campaigns import qini
from tests.plots.drawn import draw, line, title, xy


def test_it_shows_the_curve_and_a_random_order() -> None:
    # By hand: effects 4 and 0 in the right order: half treated gains 2 per customer of all.
    curve = qini([4.0, 0.0], [2, 1])
    ax = plot_qini(curve, outcome="Margin gained per customer, EUR")
    assert [one.tolist() for one in xy(line(ax, "ranked"))] == [[0, 0.5, 1], [0, 2, 2]]
    assert [one.tolist() for one in xy(line(ax, "random"))] == [[0, 1], [0, 2]]
    assert ax.get_ylabel() == "Margin gained per customer, EUR"
    draw(ax)


@pytest.mark.parametrize(
    ("slope", "said"),
    [(1.0, "gains most among those"), (-1.0, "gains least"), (0.0, "cannot be told")],
)
def test_the_title_says_what_the_interval_allows(slope: float, said: str) -> None:
    rng = np.random.default_rng(1)
    by = rng.random(4000)
    ax = plot_qini(qini(slope * by + rng.normal(size=4000), by))
    assert said in title(ax)


def test_many_customers_are_drawn_with_few_points() -> None:
    rng = np.random.default_rng(2)
    ax = plot_qini(qini(rng.normal(size=50_000), rng.random(50_000)))
    x, _ = xy(line(ax, "ranked"))
    assert len(x) == MOST + 1
    assert (x[0], x[-1]) == (0, 1)
