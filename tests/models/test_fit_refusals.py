"""Data that cannot tell the parameters are refused, and why; bad parameters cannot exist."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import clv
from clv.errors import NotIdentifiedError, ParameterError, RequestError
from clv.history import Histories
from clv.models.gamma_gamma import GammaGamma
from clv.models.maximum_likelihood import LogNormal
from tests.battery import MEMORYLESS, MODELS, PURCHASE_MODELS, Subject

of_every_kind = pytest.mark.parametrize(
    "kind", [type(model) for model in PURCHASE_MODELS], ids=lambda kind: kind.name
)


def bought(x: Any, t_x: Any, T: Any = 39.0) -> Histories:
    columns = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (x, t_x, T)))
    return Histories.from_arrays(*columns, unit="week")


def loyal(rates: Any, seed: int) -> Histories:
    """Customers who never leave, with these purchase rates, observed for 39 weeks."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(rates * 39)
    return bought(x, np.where(x > 0, 39 * rng.beta(np.maximum(x, 1), 1), 0))


# -- purchases -------------------------------------------------------------------------------------


@of_every_kind
def test_one_customer(kind: Any) -> None:
    with pytest.raises(NotIdentifiedError, match="one customer only"):
        kind.fit(bought([3], [20]))


@of_every_kind
@pytest.mark.parametrize("T", [np.linspace(10, 39, 50), np.zeros(50)])
def test_nobody_bought_again(kind: Any, T: Any) -> None:
    with pytest.raises(NotIdentifiedError, match="None of the 50 customers bought again"):
        kind.fit(bought(0, 0, T))


@of_every_kind
@pytest.mark.parametrize(
    ("x", "t_x", "T"),
    [
        (np.full(500, 3), 20, 39),
        (np.append(np.full(500, 3), 1), np.append(np.full(500, 20), 5), 39),
        ([2, 0], [20, 0], 39),
        ([0, 0, 0, 1], [0, 0, 0, 2], [0, 0, 0, 3]),
    ],
    ids=["identical", "identical but one", "two customers", "one of four observed at all"],
)
def test_customers_who_do_not_differ(kind: Any, x: Any, t_x: Any, T: Any) -> None:
    with pytest.raises(NotIdentifiedError, match=r"cannot tell .* flat there .* give a prior"):
        kind.fit(bought(x, t_x, T))


@pytest.mark.parametrize("kind", [type(model) for model in MEMORYLESS], ids=lambda kind: kind.name)
def test_customers_who_never_leave(kind: Any) -> None:
    """a → 0 or b → ∞: the parameters of leaving are the ones that cannot be told.

    These customers buy at random. To a model of regular ones their long silences are a departure.
    """
    rates = np.random.default_rng(1).gamma(1.0, 0.2, 3000)
    leaving = {"a", "b"} & set(kind.parameter_names()) or {"s", "beta"}
    with pytest.raises(NotIdentifiedError) as refusal:
        kind.fit(loyal(rates, seed=2))
    assert f"cannot tell {', '.join(sorted(leaving, key=kind.parameter_names().index))} of" in str(
        refusal.value
    )


@of_every_kind
def test_customers_who_buy_at_one_rate_and_never_leave(kind: Any) -> None:
    with pytest.raises(NotIdentifiedError, match="cannot tell"):
        kind.fit(loyal(np.full(3000, 0.1), seed=3))


@of_every_kind
def test_everyone_bought_on_the_last_day(kind: Any) -> None:
    x = np.random.default_rng(4).integers(1, 6, 300)
    with pytest.raises(NotIdentifiedError, match="cannot tell"):
        kind.fit(bought(x, 39))


@of_every_kind
def test_a_prior_makes_a_fit_of_what_alone_is_refused(kind: Any) -> None:
    prior = {name: LogNormal(1.0, 1.0) for name in kind.parameter_names()}
    fit = kind.fit(bought(np.full(500, 3), 20), prior=prior)
    assert fit.converged
    assert fit.gradient_norm < 1e-6
    assert all(0 < low < high < math.inf for low, high in fit.interval().values())


# -- spend -----------------------------------------------------------------------------------------


def spent(x: Any, m: Any) -> Histories:
    x = np.asarray(x, dtype=float)
    return Histories.from_arrays(x, 10 * (x > 0), np.full(len(x), 39.0), m, unit="week")


def test_no_amounts() -> None:
    with pytest.raises(NotIdentifiedError, match="have no spend: give the amount column"):
        GammaGamma.fit(bought([1, 2], [10, 10]))


@pytest.mark.parametrize(
    ("x", "m", "told"),
    [
        ([3], [20.0], "1 of 1 customers"),
        ([3, 0, 0], [20.0, 0, 0], "1 of 3 customers"),
        ([0, 0], [0, 0], "0 of 2 customers"),
        ([1, 2], [math.nan, math.nan], "0 of 2 customers"),
    ],
)
def test_fewer_than_two_customers_with_spend(x: Any, m: Any, told: str) -> None:
    with pytest.raises(NotIdentifiedError, match=told):
        GammaGamma.fit(spent(x, m))


def test_all_spend_the_same() -> None:
    with pytest.raises(
        NotIdentifiedError, match=r"All 3 customers .* spend the same, 20 each time"
    ):
        GammaGamma.fit(spent([1, 2, 3], [20.0, 20.0, 20.0]))
    with pytest.raises(NotIdentifiedError, match="cannot tell"):
        GammaGamma.fit(spent(np.tile([1, 2, 3], 50), np.append(np.full(149, 20.0), 20.0001)))


def test_no_customer_varies() -> None:
    """p → ∞: every customer spends one amount, whatever the number of purchases."""
    rng = np.random.default_rng(5)
    with pytest.raises(NotIdentifiedError, match="cannot tell p, v of Gamma-Gamma"):
        GammaGamma.fit(spent(rng.integers(1, 8, 2000), 30 / rng.gamma(3, size=2000)))


@pytest.mark.parametrize("currency", [1e-7, 1e9])
def test_the_currency_does_not_decide_what_can_be_told(currency: float) -> None:
    """Of a fit to amounts in another currency only v and the log-likelihood are others."""
    rng = np.random.default_rng(6)
    x = rng.integers(1, 8, 3000)
    m = GammaGamma(p=6.25, q=3.74, v=15.44).simulate(x, rng)
    one, other = GammaGamma.fit(spent(x, m)), GammaGamma.fit(spent(x, currency * m))
    scale = {"p": 1.0, "q": 1.0, "v": currency}
    for name, value in one.parameters.items():
        assert other.parameters[name] == pytest.approx(scale[name] * value, rel=1e-5)
    shift = 3000 * math.log(currency)
    assert other.log_likelihood == pytest.approx(one.log_likelihood - shift, rel=1e-9)


# -- parameters ------------------------------------------------------------------------------------

of_every_model = pytest.mark.parametrize("subject", MODELS, ids=str)


@of_every_model
@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, -math.inf])
def test_bad_parameters_are_all_told_at_once(subject: Subject, bad: float) -> None:
    kind = type(subject.model)
    names = kind.parameter_names()
    with pytest.raises(ParameterError) as refusal:
        kind(**dict.fromkeys(names, bad))
    message = str(refusal.value)
    assert message.count(f"{kind.label} needs ") == len(names)
    assert all(f"{name} > 0; got {name} = {bad:g}" in message for name in names)
    for name in names:
        with pytest.raises(ParameterError, match=f"{name} > 0") as refusal:
            kind(**(subject.model.parameters | {name: bad}))
        assert "more fault" not in str(refusal.value)


@of_every_model
def test_a_prior_on_an_unknown_parameter(subject: Subject) -> None:
    kind = type(subject.model)
    with pytest.raises(ParameterError, match=f"{kind.label} has no parameter kappa, omega"):
        kind.fit(
            subject.histories(100, seed=1),
            prior={"kappa": LogNormal(1, 1), "omega": LogNormal(1, 1)},
        )


@pytest.mark.parametrize(("median", "sigma"), [(0, 1), (1, 0), (-1, -1), (math.nan, math.inf)])
def test_a_prior_that_is_none(median: float, sigma: float) -> None:
    with pytest.raises(ParameterError, match="log-normal prior needs"):
        LogNormal(median, sigma)


@pytest.mark.parametrize("model", [clv.BGNBD, clv.GammaGamma, clv.ShiftedBetaGeometric])
@pytest.mark.parametrize("given", [pd.DataFrame({"customers": [1]}), "orders.csv", None], ids=type)
def test_what_is_not_histories_is_told_how_to_become_them(model: Any, given: Any) -> None:
    with pytest.raises(RequestError, match=r"not to \w+\. Make them with clv.histories\("):
        model.fit(given)
