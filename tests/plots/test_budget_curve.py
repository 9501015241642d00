from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clv.plots.budget_curve import plot_budget_curve
from clv.recommend.budget_curve import BudgetCurve, budget_curve
from tests.plots.drawn import draw, line, title, xy


def curve(seed: int = 3) -> BudgetCurve:
    rng = np.random.default_rng(seed)
    return budget_curve(rng.lognormal(3, 1, 50), 1 / rng.lognormal(2, 0.5, 50), hi=60)


@pytest.mark.parametrize("seed", range(8))
def test_the_lines_are_the_curve_with_the_point_worth_asking_for_on_both(seed: int) -> None:
    shown = curve(seed)
    ax = plot_budget_curve(shown)
    below, above = xy(line(ax, "kept")), xy(line(ax, "kept beyond"))
    drawn = dict(zip(*below, strict=True)) | dict(zip(*above, strict=True))
    for total, gain in zip(shown.total, shown.gain, strict=True):
        assert drawn[total] == pytest.approx(gain)
    assert below[0][-1] == above[0][0] == shown.optimal_total
    assert drawn[shown.optimal_total] == pytest.approx(shown.optimal_gain)


def test_a_known_curve() -> None:
    # one customer, by hand: the last unit returns itself at ln(6)/.05 = 35.84, which keeps
    # 120 (1 − 1/6) = 100; net 64.16; at 20 the next unit returns 6/e = 2.21
    ax = plot_budget_curve(
        budget_curve([120], [0.05], totals=[0, 10, 20, 30, 40]), total=20, currency="EUR"
    )
    assert title(ax) == "Worth asking for: 36 EUR, which keeps 100 EUR"
    told = [text.get_text() for text in ax.texts]
    assert "net gain 64" in told
    assert any(text.endswith("next unit returns 2.21") for text in told)
    assert ax.get_xlabel() == "Retention budget, EUR"
    draw(ax)


def test_a_budget_above_the_one_worth_asking_for_is_not_marked() -> None:
    shown = curve()
    ax = plot_budget_curve(shown, total=2 * shown.optimal_total)
    assert not any("budget there is" in text.get_text() for text in ax.texts)


def test_nothing_worth_asking_for_is_said() -> None:
    ax = plot_budget_curve(budget_curve([1.0, 2.0], [0.05, 0.05]))
    assert title(ax) == "No budget would keep what it costs"
    draw(ax)


def test_an_interval_is_a_band_between_its_bounds() -> None:
    shown = curve()
    drawn = replace(shown, gain_low=0.5 * shown.gain, gain_high=2 * shown.gain)
    ax = plot_budget_curve(drawn)
    (band,) = ax.collections[:1]
    corners = np.asarray(band.get_paths()[0].vertices)
    assert corners[:, 1].max() == pytest.approx(2 * shown.gain[-1])
    assert ax.get_ylim()[1] > 2 * shown.gain[-1]
    assert len(plot_budget_curve(shown).collections) == len(ax.collections) - 1
