"""What was published on the CDNOW sample, from its orders themselves.

2,357 customers who first bought in the first quarter of 1997, calibration to 1997-09-30, a holdout
of 39 weeks; time in weeks of seven days. Where no other source is named the figures are those of
Fader, Hardie & Lee (2005), "Counting your customers" the easy way (BG/NBD), and of the examples of
the R package BTYD, which cites it. The tolerance is half a unit of the last digit printed.
"""

from __future__ import annotations

from math import floor, log10
from typing import Any

import numpy as np
import pytest

import clv
from clv import BGNBD, GammaGamma, Histories, datasets
from clv.models.maximum_likelihood import Fit
from clv.transactions.orders import Orders
from clv.transactions.summary import CustomerHistories


@pytest.fixture(scope="module")
def orders() -> Orders:
    return clv.read_orders(datasets.path("cdnow"))


@pytest.fixture(scope="module")
def histories(orders: Orders) -> CustomerHistories:
    return clv.histories(orders, end="1997-09-30", unit="week")


@pytest.fixture(scope="module")
def fit(histories: CustomerHistories) -> Fit[BGNBD]:
    return BGNBD.fit(histories)


@pytest.fixture(scope="module")
def spend(histories: CustomerHistories) -> Fit[GammaGamma]:
    return GammaGamma.fit(histories)


def printed(value: float, digits: int) -> Any:
    """Approximation to half a unit of the last of so many significant digits."""
    return pytest.approx(value, abs=0.5000001 * 10.0 ** (floor(log10(abs(value))) - digits + 1))


TABLE_2 = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


# -- BG/NBD ----------------------------------------------------------------------------------------


def test_customers_and_repeat_transactions(histories: CustomerHistories) -> None:
    assert histories.customers == 2357
    assert histories.weight @ histories.frequency == 2457


def test_parameters_of_table_2(fit: Fit[BGNBD]) -> None:
    assert fit.parameters == pytest.approx(TABLE_2, abs=5e-4)
    assert fit.log_likelihood == pytest.approx(-9582.4, abs=0.05)


def test_log_likelihood_to_four_decimals(fit: Fit[BGNBD], histories: CustomerHistories) -> None:
    """The published data hold recency and T to two decimals; BTYD prints -9582.4256 with them."""
    assert fit.log_likelihood == pytest.approx(-9582.4292, abs=5e-5)  # exact weeks, days/7
    rounded = Histories.from_arrays(
        histories.frequency,
        histories.recency.round(2),
        histories.T.round(2),
        weights=histories.weight,
        unit="week",
    )
    assert BGNBD.fit(rounded).log_likelihood == pytest.approx(-9582.4256, abs=5e-5)


def test_a_new_customer_in_a_year(fit: Fit[BGNBD]) -> None:
    assert fit.model.expected_purchases(52) == printed(1.4440, 5)


def test_the_customer_of_the_papers_spreadsheet() -> None:
    model = BGNBD(**TABLE_2)
    assert model.expected_purchases(39, x=2, t_x=30.43, T=38.86) == printed(1.226, 4)


STOPPED_AT = BGNBD(r=0.24259672, alpha=4.41365786, a=0.79298641, b=2.42615741)
"""Where the optimiser behind BTYD's seven digits stopped: all six of its figures below are met
there to the last one. That is short of the optimum by less than 1e-6 of log-likelihood, but far
enough to move the figures in their fifth digit."""

BTYD = {
    "purchases, x 26": 25.75659,
    "P(alive), x 26": 0.9688523,
    "purchases, x 10": 0.3474606,
    "purchases, x 15": 0.04283391,
    "purchases, x 20": 0.004158973,
    "purchases, x 25": 0.0003583685,
}
"""Walkthrough of BTYD: customer 1516 (x 26, last purchase after 216 days of 217), and the paradox
of more purchases, fewer to come (t_x 20, T 39); a year ahead."""


def btyd_figures(model: BGNBD) -> dict[str, float]:
    one = (26, 216 / 7, 31)
    paradox = model.expected_purchases(52, [10, 15, 20, 25], 20, 39)
    figures = np.array([model.expected_purchases(52, *one), model.p_alive(*one), *paradox])
    return dict(zip(BTYD, figures.tolist(), strict=True))


def test_seven_digits_of_btyd_where_its_optimiser_stopped(
    fit: Fit[BGNBD], histories: CustomerHistories
) -> None:
    figures = btyd_figures(STOPPED_AT)
    for name, value in BTYD.items():
        assert figures[name] == printed(value, 7), name
    theta = np.array(list(STOPPED_AT.parameters.values()))
    short = fit.log_likelihood - BGNBD.likelihood(theta, histories).value
    assert 0 <= short < 1e-6


def test_btyd_figures_at_the_optimum(fit: Fit[BGNBD]) -> None:
    """To a ten-thousandth: the digits beyond depend on where BTYD stopped."""
    assert btyd_figures(fit.model) == pytest.approx(BTYD, rel=1e-4)


def test_purchases_of_the_holdout(orders: Orders, histories: CustomerHistories) -> None:
    """39 weeks after the calibration 1,882 repeat transactions came; BG/NBD says 1,653.4."""
    later = clv.histories(orders, end="1998-06-30", unit="week").to_pandas()
    before = histories.to_pandas()
    assert (later["frequency"] - before["frequency"]).sum() == 1882
    model = BGNBD.fit(histories).model
    h = histories
    expected = h.weight @ model.expected_purchases(39, h.frequency, h.recency, h.T)
    assert expected == pytest.approx(1653.4, abs=0.05)


# -- Gamma-Gamma -----------------------------------------------------------------------------------


def test_gamma_gamma_parameters(spend: Fit[GammaGamma]) -> None:
    """Fader & Hardie (2013), The Gamma-Gamma model of monetary value; log-likelihood from BTYD."""
    assert spend.customers == 946
    assert spend.parameters == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, abs=5e-3)
    assert spend.log_likelihood == pytest.approx(-4055.92, abs=5e-3)


def test_expected_spend_of_the_first_ten(
    spend: Fit[GammaGamma], histories: CustomerHistories
) -> None:
    """The first ten customers of the published data, in the order of their ids."""
    first = histories.to_pandas().head(10)
    expected = spend.model.expected_spend(first["spend_frequency"], first["monetary_value"])
    figures = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert expected == pytest.approx(figures, abs=5e-3)
