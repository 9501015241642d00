"""k by likelihood: found, reported, counted, refused; and the sum of log gaps it needs."""

from __future__ import annotations

import copy
import json
import math
import pickle
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

import clv
from clv.errors import HistoryError, NotIdentifiedError, ParameterError
from clv.history import Histories
from clv.models.base import PurchaseModel
from clv.models.bg_cnbd import BGCNBD
from clv.models.bg_nbd import BGNBD
from clv.models.condensed_beta_geometric import CondensedBetaGeometric
from clv.models.maximum_likelihood import LogNormal
from clv.models.mbg_cnbd import MBGCNBD
from clv.models.mbg_nbd import MBGNBD
from clv.transactions.orders import read_orders
from clv.transactions.summary import CustomerHistories, histories

KINDS = pytest.mark.parametrize("kind", [BGCNBD, MBGCNBD])


def drawn(model: CondensedBetaGeometric, customers: int, seed: int) -> Histories:
    rng = np.random.default_rng(seed)
    T = rng.integers(20 * 7, 80 * 7, customers) / 7
    x, t_x = model.simulate(T, rng)
    gaps = model.simulate_log_gaps(x, t_x, rng)
    return Histories.from_arrays(x, t_x, T, unit="week", log_gaps=gaps)


@pytest.fixture(scope="module")
def cdnow() -> CustomerHistories:
    orders = read_orders(clv.datasets.path("cdnow"))
    return histories(orders, end="1997-09-30", unit="week")


# -- the k that customers were drawn with ----------------------------------------------------------


@KINDS
@pytest.mark.parametrize("k", [1, 3, 6])
def test_regular_customers_are_found_to_be_so(kind: type[CondensedBetaGeometric], k: int) -> None:
    truth = kind(r=0.8, alpha=1.5, a=0.9, b=2.4, k=k)
    fit = kind.fit(drawn(truth, 4000, seed=k))
    assert fit.k == k
    assert fit.model.k == k
    # By a wide margin, and not tried beyond the first fall.
    by_k = fit.log_likelihood_by_k
    assert list(by_k) == list(range(min(by_k), k + 2))
    assert by_k[k] == fit.log_likelihood == max(by_k.values())
    assert sorted(by_k.values())[-2] < fit.log_likelihood - 10
    # The log-parameters lie within 4.5 standard errors.
    off = np.log(fit.model._theta) - np.log(truth._theta)
    assert (np.abs(off) < 4.5 * np.sqrt(np.diag(fit.log_covariance))).all()
    assert (np.sqrt(np.diag(fit.log_covariance)) < 0.3).all()


@pytest.mark.parametrize(("kind", "plain"), [(BGCNBD, BGNBD), (MBGCNBD, MBGNBD)])
def test_customers_of_cdnow_buy_at_random(
    kind: type[CondensedBetaGeometric], plain: type[PurchaseModel], cdnow: CustomerHistories
) -> None:
    fit, other = kind.fit(cdnow), plain.fit(cdnow)
    assert fit.k == 1
    assert fit.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)
    assert fit.parameters == pytest.approx(other.parameters, rel=1e-6)
    assert fit.log_likelihood_by_k[2] < fit.log_likelihood - 100


def test_a_k_that_was_chosen_counts_as_a_parameter(cdnow: CustomerHistories) -> None:
    chosen, given = BGCNBD.fit(cdnow), BGCNBD.fit(cdnow, k=1)
    assert (chosen.k_chosen, given.k_chosen) == (True, False)
    assert given.log_likelihood_by_k == {1: given.log_likelihood}
    assert chosen.aic == pytest.approx(given.aic + 2, abs=1e-6)
    assert chosen.bic == pytest.approx(given.bic + math.log(2357), abs=1e-6)


def test_the_k_given_is_the_k_fitted(cdnow: CustomerHistories) -> None:
    one, other = BGCNBD.fit(cdnow, k=2), BGCNBD.with_k(2).fit(cdnow)
    assert one.model == other.model
    assert one.k == 2
    assert one.log_likelihood == BGCNBD.fit(cdnow).log_likelihood_by_k[2]


def test_parameters_do_not_need_the_gaps_but_the_likelihood_does(cdnow: CustomerHistories) -> None:
    h = cdnow
    bare = Histories(h.frequency, h.recency, h.T, h.weight, unit="week", end=h.end)
    one, other = MBGCNBD.fit(cdnow, k=3), MBGCNBD.fit(bare, k=3)
    assert one.parameters == pytest.approx(other.parameters, rel=1e-6)
    assert one.log_likelihood != pytest.approx(other.log_likelihood, abs=1)
    each = other.model.log_likelihood(h.frequency, h.recency, h.T)
    assert each @ h.weight == pytest.approx(other.log_likelihood, rel=1e-12)
    with pytest.raises(
        HistoryError, match=r"needs the times between purchases to choose k.*or give k"
    ):
        MBGCNBD.fit(bare)


def test_customers_by_the_clock_are_refused() -> None:
    rng = np.random.default_rng(8)
    every, T = np.exp(rng.normal(1.5, 0.8, 300)), 104.0
    last = np.minimum(np.floor(T / every), rng.geometric(rng.beta(0.8, 3, 300)))
    gaps = last * np.log(every)
    h = Histories.from_arrays(last, last * every, np.full(300, T), unit="week", log_gaps=gaps)
    with pytest.raises(NotIdentifiedError, match="almost by the clock"):
        BGCNBD.fit(h)
    assert BGCNBD.fit(h, k=20).k == 20


def test_where_no_k_can_be_fitted_the_first_reason_is_told() -> None:
    every, T = np.linspace(5, 5.5, 200), 52.0  # all of nearly one rate, and nobody leaves
    last = np.floor(T / every)
    h = Histories.from_arrays(last, last * every, np.full(200, T), log_gaps=last * np.log(every))
    with pytest.raises(NotIdentifiedError, match=r"No k of 1 to 12 could be fitted.*cannot tell r"):
        BGCNBD.fit(h)


def test_a_prior_reaches_every_k() -> None:
    h = drawn(BGCNBD(r=0.8, alpha=1.5, a=0.9, b=2.4, k=2), 300, seed=4)
    fit = BGCNBD.fit(h, prior={"r": LogNormal(5.0, 0.01)})
    assert fit.parameters["r"] == pytest.approx(5, rel=0.05)
    with pytest.raises(ParameterError, match="no parameter k"):
        BGCNBD.fit(h, k=2, prior={"k": LogNormal(2.0, 1.0)})


# -- a class for each k ----------------------------------------------------------------------------


@KINDS
def test_each_k_is_a_model_of_its_own(kind: type[CondensedBetaGeometric]) -> None:
    model = kind(0.5, 3.1, 0.9, 1.6, k=3)
    assert type(model) is kind.with_k(3) is kind.with_k(2).with_k(3)
    assert isinstance(model, kind)
    assert (
        model == kind.with_k(3)(0.5, 3.1, 0.9, 1.6) == replace(kind(1, 3.1, 0.9, 1.6, k=3), r=0.5)
    )
    assert model != kind(0.5, 3.1, 0.9, 1.6, k=2)
    assert model.parameters == {"r": 0.5, "alpha": 3.1, "a": 0.9, "b": 1.6}
    assert (model.name, model.label) == (f"{kind.name}-3", f"{kind.label[:-2]}-3")
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):  # noqa: S301 - our own
        assert copied == model
        assert type(copied) is type(model)


def test_a_fit_goes_through_json_with_its_k(cdnow: CustomerHistories) -> None:
    said = json.loads(json.dumps(BGCNBD.fit(cdnow, k=2).to_dict(), allow_nan=False))
    assert (said["model"], said["k"]) == ("bg-cnbd-2", 2)
    assert list(said["log_likelihood_by_k"]) == ["2"]
    assert BGCNBD(**said["parameters"], k=said["k"]) == BGCNBD.fit(cdnow, k=2).model


@KINDS
@pytest.mark.parametrize("k", [0.5, -1, math.nan, 2.5])
def test_k_is_a_whole_number(kind: type[CondensedBetaGeometric], k: float) -> None:
    with pytest.raises(ParameterError, match="needs a whole number k of at least 1"):
        kind.with_k(k)  # type: ignore[arg-type]


@KINDS
def test_a_model_without_k_says_how_to_give_it(kind: type[CondensedBetaGeometric]) -> None:
    with pytest.raises(ParameterError, match=r"needs k.*\(\.\.\., k=2\)"):
        kind(0.5, 3.1, 0.9, 1.6)
    with pytest.raises(ParameterError, match="has k = 3; got k = 2"):
        kind.with_k(3)(0.5, 3.1, 0.9, 1.6, k=2)
    with pytest.raises(ParameterError, match="CNBD-3 needs b > 0; got b = -1"):
        kind(0.5, 3.1, 0.9, -1, k=3)


# -- the sum of log gaps ---------------------------------------------------------------------------


def test_log_gaps_of_orders_are_those_counted_by_hand() -> None:
    days = {
        "007": ["2024-01-01", "2024-01-15", "2024-01-15", "2024-01-18"],  # gaps 14, 3
        "011": ["2024-01-08"],
        "013": ["2024-01-02", "2024-01-03", "2024-02-20"],  # gap 1; the last is after the end
    }
    frame = pd.DataFrame(
        [(customer, day, 5.0) for customer, some in days.items() for day in some],
        columns=["customer_id", "date", "amount"],
    )
    h = histories(read_orders(frame), end=date(2024, 1, 31))
    assert h.log_gaps is None
    known = h.with_log_gaps()
    assert known.log_gaps == pytest.approx(math.log(14) + math.log(3) + math.log(1), rel=1e-15)
    assert known.with_log_gaps() is known
    weeks = histories(read_orders(frame), end=date(2024, 1, 31), unit="week").with_log_gaps()
    assert weeks.log_gaps == pytest.approx(math.log(14 * 3) - 3 * math.log(7), rel=1e-14)


def test_log_gaps_of_arrays_are_added_up_by_weight() -> None:
    h = Histories.from_arrays(
        [2, 1, 0], [10, 4, 0], [20, 20, 20], weights=[3, 1, 5],
        log_gaps=[math.log(4 * 6), math.log(4), 0],
    )  # fmt: skip
    assert h.log_gaps == pytest.approx(3 * math.log(24) + math.log(4), rel=1e-15)
    assert h.with_log_gaps() is h
    assert Histories.from_arrays([2], [10], [20]).log_gaps is None


@pytest.mark.parametrize(
    ("log_gaps", "fault"),
    [
        ([math.log(24), math.nan, 0], r"1 of 3 customers have log_gaps that are not a finite"),
        ([math.log(24), math.log(4), 1], r"log_gaps other than 0 without a repeat purchase"),
        ([math.log(24), math.log(3), 0], r"log_gaps other than ln\(recency\) with one repeat"),
        ([math.log(26), math.log(4), 0], r"above frequency·ln\(recency/frequency\)"),
        ([0.0], r"one value a customer; got 1 for 3"),
    ],
)
def test_log_gaps_that_no_customer_can_have_are_refused(log_gaps: list[float], fault: str) -> None:
    with pytest.raises(HistoryError, match=fault):
        Histories.from_arrays([2, 1, 0], [10, 4, 0], [20, 20, 20], log_gaps=log_gaps)


def test_the_unit_of_time_only_shifts_the_log_likelihood() -> None:
    rng = np.random.default_rng(6)
    truth = MBGCNBD(r=0.8, alpha=1.5, a=0.9, b=2.4, k=2)
    T = rng.integers(20 * 7, 80 * 7, 2000) / 7
    x, t_x = truth.simulate(T, rng)
    gaps = truth.simulate_log_gaps(x, t_x, rng)
    weeks = MBGCNBD.fit(Histories.from_arrays(x, t_x, T, unit="week", log_gaps=gaps))
    days = MBGCNBD.fit(
        Histories.from_arrays(x, 7 * t_x, 7 * T, log_gaps=gaps + x * math.log(7), unit="day")
    )
    assert weeks.k == days.k == 2
    assert days.log_likelihood == pytest.approx(
        weeks.log_likelihood - math.log(7) * x.sum(), abs=1e-6
    )
    assert days.parameters["alpha"] == pytest.approx(7 * weeks.parameters["alpha"], rel=1e-5)
