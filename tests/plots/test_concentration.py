from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from clv.errors import RequestError
from clv.plots.concentration import MOST, Concentration, plot_concentration
from tests.plots.drawn import draw, line, title, xy

VALUES = st.lists(st.integers(0, 10**6), min_size=1, max_size=60).filter(any)


@given(VALUES)
def test_the_curve_counts_what_the_best_hold(values: list[int]) -> None:
    curve = Concentration.of(values)
    best = sorted(values, reverse=True)
    for k in range(len(values) + 1):
        assert curve.customers[k] == pytest.approx(k / len(values))
        assert curve.held[k] == pytest.approx(sum(best[:k]) / sum(values))


@given(VALUES, st.randoms(use_true_random=False), st.floats(1e-3, 1e3))
def test_order_and_currency_do_not_matter(values: list[int], rng: object, rate: float) -> None:
    shuffled = np.random.default_rng(len(values)).permutation(values) * rate
    np.testing.assert_allclose(
        Concentration.of(shuffled).held, Concentration.of(values).held, rtol=1e-12
    )


@given(VALUES)
def test_the_curve_is_concave_and_not_below_equality(values: list[int]) -> None:
    curve = Concentration.of(values)
    assert (np.diff(curve.held, 2) <= 1e-12).all()
    assert (curve.held >= curve.customers - 1e-12).all()


@given(VALUES, st.floats(0, 1))
def test_holders_are_the_fewest_who_hold_so_much(values: list[int], share: float) -> None:
    curve = Concentration.of(values)
    holders = curve.holders_of(share)
    k = round(holders * len(values))
    assert holders == pytest.approx(k / len(values))
    assert curve.held[k] >= share - 1e-9
    assert k == 0 or curve.held[k - 1] < share


def test_shares_of_a_known_base() -> None:
    # By hand: ten customers worth 50 and ninety worth 5 make 950; the ten hold 500/950 = 52.6 %.
    ax = plot_concentration([5] * 90 + [50] * 10)
    assert title(ax) == "The top 10 % of customers hold 53 % of lifetime value"
    # 80 % of 950 is 760 = 500 + 52 x 5: with 62 customers.
    assert {t.get_text() for t in ax.texts} >= {
        "the top 10 %\nhold 53 %",
        "62 % of customers\nhold 80 %",
    }
    np.testing.assert_allclose(xy(line(ax, "held"))[1][[10, 62]], [500 / 950, 0.8])


def test_what_is_said_lies_on_the_curve() -> None:
    ax = plot_concentration(np.random.default_rng(2).gamma(0.7, 100, 5_000))
    x, y = xy(line(ax, "held"))
    marks = [one for one in ax.get_lines() if one.get_marker() == "o"]
    assert len(marks) == 2
    for mark in marks:
        at, held = (float(v[0]) for v in xy(mark))
        assert held == pytest.approx(np.interp(at, x, y), abs=1e-4)


def test_a_million_customers_are_drawn_with_few_points() -> None:
    values = np.random.default_rng(3).gamma(0.5, 100, 1_000_000)
    ax = plot_concentration(values)
    x, y = xy(line(ax, "held"))
    assert len(x) == MOST + 1
    assert (x[0], y[0], x[-1]) == (0, 0, 1)
    best = np.sort(values)[::-1]
    assert y[100] == pytest.approx(best[:100_000].sum() / values.sum())


def test_the_axes_show_all_from_none_to_all() -> None:
    ax = plot_concentration([1, 2, 3])
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 1), (0, 1))
    assert ax.get_xlabel() == "Share of customers, the most valuable first"
    assert ax.get_ylabel() == "Share of lifetime value"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([5.0], "The only customer holds 100 % of lifetime value"),
        ([3.0, 1.0, 0.0], "The most valuable customer holds 75 % of lifetime value"),
        ([0.0], "No customer has any lifetime value"),
        ([0.0] * 50, "No customer has any lifetime value"),
        ([7.0] * 50, "The top 10 % of customers hold 10 % of lifetime value"),
    ],
)
def test_small_and_flat_bases(values: list[float], says: str) -> None:
    ax = plot_concentration(values)
    draw(ax)
    assert title(ax) == says


def test_nothing_is_drawn_of_a_total_of_nothing() -> None:
    ax = plot_concentration([0.0, 0.0])
    assert [one.get_label() for one in ax.get_lines()] == ["equal"]


def test_it_draws_on_the_axes_given() -> None:
    figure, ax = plt.subplots()
    assert plot_concentration([1, 2], ax=ax) is ax
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], r"got an array of shape \(0,\)"),
        ([[1.0, 2.0]], r"got an array of shape \(1, 2\)"),
        ([1.0, -2.0, float("nan")], r"1 of 3 values are not finite \(first rows: 2\)"),
        ([1.0, -2.0, float("nan")], r"1 of 3 values are negative \(first rows: 1\)"),
    ],
)
def test_what_has_no_shares_is_refused(values: list[float], says: str) -> None:
    with pytest.raises(RequestError, match=says):
        plot_concentration(values)
    assert not plt.get_fignums()


def test_the_total_is_in_a_stated_currency() -> None:
    for currency, said in (("EUR", "worth 950 EUR."), ("", "950 in the currency of the orders.")):
        figure = plot_concentration([5] * 90 + [50] * 10, currency=currency).figure
        assert any(t.get_text().replace("\n", " ").endswith(said) for t in figure.findobj(Text))
