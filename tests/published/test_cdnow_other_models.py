"""What was published on the CDNOW sample for Pareto/NBD and MBG/NBD, from its orders themselves.

The sample, its calibration and its holdout are those of tests/published/test_cdnow.py. The
tolerance is half a unit of the last digit printed.
"""

from __future__ import annotations

from math import floor, log10
from typing import Any

import numpy as np
import pytest

import clv
from clv import MBGNBD, ParetoNBD, datasets
from clv.models.maximum_likelihood import Fit
from clv.transactions.summary import CustomerHistories


@pytest.fixture(scope="module")
def histories() -> CustomerHistories:
    orders = clv.read_orders(datasets.path("cdnow"))
    return clv.histories(orders, end="1997-09-30", unit="week")


@pytest.fixture(scope="module")
def pareto(histories: CustomerHistories) -> Fit[ParetoNBD]:
    return ParetoNBD.fit(histories)


@pytest.fixture(scope="module")
def mbg(histories: CustomerHistories) -> Fit[MBGNBD]:
    return MBGNBD.fit(histories)


def printed(value: float, digits: int) -> Any:
    """Approximation to half a unit of the last of so many significant digits."""
    return pytest.approx(value, abs=0.5000001 * 10.0 ** (floor(log10(abs(value))) - digits + 1))


# -- Pareto/NBD ------------------------------------------------------------------------------------


def test_pareto_nbd_parameters(pareto: Fit[ParetoNBD]) -> None:
    """Fader, Hardie & Lee (2005), table 2; the log-likelihood to three decimals from BTYD."""
    table_2 = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
    assert pareto.parameters == pytest.approx(table_2, abs=5e-4)
    assert pareto.log_likelihood == pytest.approx(-9594.976, abs=5e-4)


STOPPED_AT = ParetoNBD(r=0.55336752, alpha=10.57951988, s=0.60590481, beta=11.6579265)
"""A point at which all six figures below are met to the last digit, found by least squares: where
the optimiser behind them must have stopped, for the log-likelihood is almost flat in β."""

BTYD = {
    "purchases, x 26": (25.45647, 7),
    "P(alive), x 26": (0.997874, 6),
    "purchases, x 10": (0.7062289, 7),
    "purchases, x 15": (0.1442396, 7),
    "purchases, x 20": (0.02250658, 7),
    "purchases, x 25": (0.00309267, 6),
}
"""Walkthrough of BTYD: customer 1516 (x 26, last purchase after 216 days of 217), and the paradox
of more purchases, fewer to come (t_x 20, T 39); a year ahead. Value, and how many digits."""


def btyd_figures(model: ParetoNBD) -> dict[str, float]:
    one = (26, 216 / 7, 31)
    paradox = model.expected_purchases(52, [10, 15, 20, 25], 20, 39)
    figures = np.array([model.expected_purchases(52, *one), model.p_alive(*one), *paradox])
    return dict(zip(BTYD, figures.tolist(), strict=True))


def test_pareto_nbd_digits_of_btyd_where_its_optimiser_stopped(
    pareto: Fit[ParetoNBD], histories: CustomerHistories
) -> None:
    figures = btyd_figures(STOPPED_AT)
    for name, (value, digits) in BTYD.items():
        assert figures[name] == printed(value, digits), name
    theta = np.array(list(STOPPED_AT.parameters.values()))
    short = pareto.log_likelihood - ParetoNBD.likelihood(theta, histories).value
    assert 0 <= short < 1e-5


def test_pareto_nbd_figures_of_btyd_at_the_optimum(pareto: Fit[ParetoNBD]) -> None:
    """To a thousandth: the digits beyond depend on where BTYD stopped."""
    values = {name: value for name, (value, _) in BTYD.items()}
    assert btyd_figures(pareto.model) == pytest.approx(values, rel=1e-3)


# -- MBG/NBD ---------------------------------------------------------------------------------------


def test_mbg_nbd_parameters(mbg: Fit[MBGNBD]) -> None:
    """Model of Batislam, Denizel & Filiztekin (2007); figures of the R package BTYDplus."""
    published = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
    assert mbg.parameters == pytest.approx(published, abs=5e-4)
    assert mbg.log_likelihood == pytest.approx(-9582.136, abs=5e-4)


def test_mbg_nbd_purchases_of_the_holdout(mbg: Fit[MBGNBD], histories: CustomerHistories) -> None:
    """The 39 weeks after the calibration: 1,576.7 repeat transactions expected, 1,882 came."""
    h = histories
    expected = h.weight @ mbg.model.expected_purchases(39, h.frequency, h.recency, h.T)
    assert expected == pytest.approx(1576.7, abs=0.05)
