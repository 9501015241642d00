"""Intervals: the two kinds are what they say, and the predictive ones hold."""

from __future__ import annotations

import numpy as np
import pytest

import clv
from clv.errors import RequestError
from clv.inference.intervals import Interval
from clv.inference.posterior import Posterior
from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma
from clv.transactions.summary import CustomerHistories


@pytest.fixture(scope="module")
def post(cdnow: CustomerHistories) -> Posterior[BGNBD]:
    return clv.posterior(clv.BGNBD.fit(cdnow), draws=2000)


@pytest.fixture(scope="module")
def spend(cdnow: CustomerHistories) -> Posterior[GammaGamma]:
    return clv.posterior(clv.GammaGamma.fit(cdnow), draws=2000)


def exactly(model: BGNBD) -> Posterior[BGNBD]:
    """A posterior without any doubt: two equal draws of the given parameters."""
    theta = np.array([list(model.parameters.values())] * 2)
    nothing = object.__new__(clv.Fit)
    object.__setattr__(nothing, "model", model)
    return Posterior(nothing, theta, np.array([0.5, 0.5]), 0.0, 2.0, "importance")


def test_expectation_interval_is_as_wide_as_the_parameters_are_unsure(
    post: Posterior[BGNBD],
) -> None:
    # Delta method on the covariance of the fit, an independent route to the same width.
    fit = post.fit
    theta = np.array(list(fit.parameters.values()))

    def answer(values: np.ndarray) -> float:
        return float(BGNBD(*values).expected_purchases(52, 2, 30.43, 38.86))

    step = 1e-5 * theta
    slope = np.array(
        [
            (answer(theta + step * e) - answer(theta - step * e)) / (2 * s)
            for e, s in zip(np.eye(4), step, strict=True)
        ]
    )
    sd = float(np.sqrt(slope @ fit.covariance @ slope))
    found = clv.expectation_interval(
        post, lambda m: m.expected_purchases(52, 2, 30.43, 38.86), draws=1500
    )
    assert found.kind == "expectation"
    # 80 % of a normal lie within 1.2816 sd: half the width agrees to 8 % (1,500 draws).
    assert (found.high - found.low) / 2 == pytest.approx(1.2816 * sd, rel=0.08)


def test_predictive_interval_without_doubt_is_the_quantile_of_the_pmf() -> None:
    model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)  # Fader, Hardie & Lee (2005), table 2
    post = exactly(model)
    histories = np.array([[26, 30.86, 31], [2, 30.43, 38.86], [0, 0, 38.86], [9, 12.0, 39.0]])
    found = clv.predict(post, 52.0, *histories.T, level=0.8, draws=4000)
    counts = np.arange(400)
    for (x, t_x, T), low, high in zip(histories, found.orders.low, found.orders.high, strict=True):
        cumulative = np.cumsum(model.pmf(counts, 52.0, x, t_x, T))
        # a quantile of 4,000 draws: within three standard errors of the level it is for
        slack = 3 * np.sqrt(0.1 * 0.9 / 4000)
        assert cumulative[int(low)] >= 0.1 - slack
        assert low == 0 or cumulative[int(low) - 1] <= 0.1 + slack
        assert cumulative[int(high)] >= 0.9 - slack
        assert high == 0 or cumulative[int(high) - 1] <= 0.9 + slack


def test_value_without_doubt_and_chance_in_orders_is_gamma_gamma() -> None:
    # Margin 0.5 on the total of n transactions: mean 0.5 · n · E[M] over the customers.
    spend = GammaGamma(p=6.25, q=3.74, v=15.44)
    rng = np.random.default_rng(3)
    total = spend.simulate_total(np.full(200_000, 4.0), rng, 2.0, 22.35)
    mean = 4 * float(spend.expected_spend(2, 22.35))
    assert total.mean() == pytest.approx(mean, abs=4 * total.std() / np.sqrt(len(total)))


def test_predictive_is_wider_than_expectation(
    post: Posterior[BGNBD], spend: Posterior[GammaGamma], cdnow: CustomerHistories
) -> None:
    x, t_x, T = cdnow.frequency, cdnow.recency, cdnow.T
    both = clv.predict(post, 52.0, x, t_x, T, spend=spend, draws=100)
    mean = clv.expectation_interval(post, lambda m: m.expected_purchases(52, x, t_x, T), draws=100)
    often = (x >= 3) & (post.fit.model.p_alive(x, t_x, T) > 0.7)
    assert often.sum() > 50
    width = both.orders.high - both.orders.low
    assert np.all(width[often] >= (mean.high - mean.low)[often])
    assert both.orders.kind == "predictive"
    assert both.value is not None
    assert np.all(both.value.low <= both.value.high)
    assert np.all(np.isfinite(both.value.high))


def test_same_seed_same_interval_whatever_the_order_of_customers(
    post: Posterior[BGNBD], cdnow: CustomerHistories
) -> None:
    x, t_x, T = cdnow.frequency[:50], cdnow.recency[:50], cdnow.T[:50]
    one = clv.predict(post, 52.0, x, t_x, T, draws=50, seed=5)
    back = clv.predict(post, 52.0, x[::-1], t_x[::-1], T[::-1], draws=50, seed=5)
    assert np.array_equal(one.orders.high, back.orders.high[::-1])


def test_value_too_is_the_same_whatever_the_order_of_customers(
    post: Posterior[BGNBD], spend: Posterior[GammaGamma]
) -> None:
    """Customers with one history, told apart by what they spend."""
    spent = np.linspace(5.0, 100.0, 40)

    def value(m: np.ndarray) -> Interval:
        found = clv.predict(
            post, 52.0, 5, 35.0, 39.0, spend=spend, spend_frequency=5, monetary_value=m, draws=50
        )
        assert found.value is not None
        return found.value

    assert np.array_equal(value(spent).high, value(spent[::-1]).high[::-1])


@pytest.mark.parametrize(("level", "draws"), [(0.95, 200), (0.95, 99), (0.8, 200), (0.99, 199)])
def test_what_comes_lies_within_as_often_as_the_draws_allow(level: float, draws: int) -> None:
    """Of N draws and what comes, all alike, each has the same chance of being the k-th smallest.

    So k-th smallest to k-th largest hold 1 − 2k/(N + 1) of the outcomes that do not tie.
    """
    model, worth = BGNBD(r=50, alpha=1, a=0.01, b=1000), GammaGamma(p=6.25, q=3.74, v=15.44)
    T = np.linspace(30, 40, 20_000)
    known = exactly(model)
    spend = Posterior(
        clv.Fit.__new__(clv.Fit), np.array([[6.25, 3.74, 15.44]] * 2), known.weights, 0.0, 2.0, ""
    )
    object.__setattr__(spend.fit, "model", worth)
    found = clv.predict(known, 4.0, 0, 0, T, spend=spend, level=level, draws=draws)
    assert found.value is not None
    rng = np.random.default_rng(9)
    came = worth.simulate_total(model.simulate_purchases(4.0, rng, 0, 0, T), rng)
    share = np.mean((found.value.low <= came) & (came <= found.value.high))
    k = int((1 - level) / 2 * (draws + 1) + 1e-9)
    expected = 1 - 2 * k / (draws + 1)
    assert expected >= level - 1e-12
    assert share == pytest.approx(expected, abs=4 * np.sqrt(level * (1 - level) / len(T)))


def test_too_few_draws_for_a_level_are_refused(post: Posterior[BGNBD]) -> None:
    with pytest.raises(RequestError, match="Give at least 1,999"):
        clv.predict(post, 52.0, level=0.999, draws=200)
    clv.predict(post, 52.0, level=0.999, draws=1999)


def test_customers_with_one_history_share_their_interval(post: Posterior[BGNBD]) -> None:
    found = clv.predict(post, 52.0, [2, 5, 2], [30.0, 20.0, 30.0], [39.0, 39.0, 39.0], draws=100)
    assert found.orders.high[0] == found.orders.high[2]


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 80.0])
def test_level_is_a_probability(post: Posterior[BGNBD], level: float) -> None:
    with pytest.raises(RequestError, match="between 0 and 1"):
        clv.predict(post, 52.0, level=level)
    with pytest.raises(RequestError, match="between 0 and 1"):
        clv.expectation_interval(post, lambda m: m.expected_purchases(52), level=level)
    with pytest.raises(RequestError, match="between 0 and 1"):
        post.interval(level)
