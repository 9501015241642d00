"""Lifetime value: its laws, and every figure of a customer beside a slow quadrature."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clv
from clv.errors import FitError, RequestError
from clv.transactions.summary import CustomerHistories
from clv.value.lifetime_value import score
from clv.value.terms import Terms
from tests.reference import lifetime_value as reference

Models = dict[str, clv.BGNBD]
MARGINS, RATES = st.floats(0.01, 1), st.floats(0, 0.9)
MONTHS = st.integers(1, 240)
FEW = settings(max_examples=12)


@pytest.fixture(scope="module")
def value(weeks: CustomerHistories, models: Models, spend: clv.GammaGamma) -> Any:
    """Values of the CDNOW customers in weeks, on terms of which some are given."""

    def on(**terms: Any) -> pd.DataFrame:
        asked = {"margin": 0.4, "discount_rate": 0.1, "horizon_months": 36} | terms
        return clv.lifetime_value(weeks, models["week"], spend, **asked)

    return on


def row_of(frame: pd.DataFrame, customer: str) -> dict[str, Any]:
    return {str(name): value for name, value in frame.loc[customer].items()}


def close(left: Any, right: Any, rel: float) -> None:
    """Hold that two columns agree, customer by customer."""
    np.testing.assert_allclose(np.asarray(left), np.asarray(right), rtol=rel, atol=0)


# -------------------------------------------------------------------------------------------- laws


def test_every_customer_is_valued_once(value: Any, weeks: CustomerHistories) -> None:
    frame = value()
    assert len(frame) == weeks.customers == 2357
    assert frame.index.is_unique
    assert frame.index.is_monotonic_increasing
    assert not frame.drop(columns="monetary_value").isna().any().any()


def test_lifetime_value_is_the_value_of_those_alive(value: Any) -> None:
    frame = value()
    close(frame["lifetime_value"], frame["p_alive"] * frame["value_if_alive"], 1e-14)
    assert (frame["p_alive"] > 0).all()
    assert (frame["p_alive"] <= 1).all()


@FEW
@given(MARGINS, MARGINS)
def test_value_is_linear_in_the_margin(value: Any, one: float, other: float) -> None:
    left, right = value(margin=one)["value_if_alive"], value(margin=other)["value_if_alive"]
    close(left * other, right * one, 1e-12)


@FEW
@given(RATES, st.floats(0.001, 0.09), MONTHS)
def test_value_falls_in_the_discount_rate(
    value: Any, rate: float, more: float, months: int
) -> None:
    low = value(discount_rate=rate, horizon_months=months)["value_if_alive"]
    high = value(discount_rate=rate + more, horizon_months=months)["value_if_alive"]
    assert (high < low).all()
    # No payment is further away than the horizon: the loss has a bound.
    years = reference.days_ahead(date(1997, 9, 30), months) / reference.DAYS_PER_YEAR
    most = ((1 + rate) / (1 + rate + more)) ** years
    assert (high >= low * most * (1 - 1e-12)).all()


@FEW
@given(RATES, MONTHS, st.integers(1, 24))
def test_value_rises_in_the_horizon_and_ever_more_slowly(
    value: Any, rate: float, months: int, more: int
) -> None:
    """Customers leave and money later is worth less: value per day ahead never rises."""
    end = date(1997, 9, 30)
    near = value(discount_rate=rate, horizon_months=months)["value_if_alive"]
    far = value(discount_rate=rate, horizon_months=months + more)["value_if_alive"]
    assert (far > near).all()
    first = reference.days_ahead(end, months)
    then = reference.days_ahead(end, months + more) - first
    assert ((far - near) / then <= near / first * (1 + 1e-9)).all()


@FEW
@given(MONTHS, MARGINS)
def test_without_discount_value_is_margin_on_the_expected_purchases(
    value: Any, months: int, margin: float
) -> None:
    frame = value(discount_rate=0, horizon_months=months, margin=margin)
    revenue = frame["expected_purchases"] * frame["expected_spend"]
    close(frame["lifetime_value"], margin * revenue, 1e-10)


def test_value_is_between_the_sums_of_the_days(
    value: Any, models: Models, weeks: CustomerHistories
) -> None:
    """A purchase within a day is discounted by no less than its morning, no more than its night.

    The purchases within (day − 1, day] are differences of the expectation; summed over a year they
    enclose the exact integral.
    """
    frame = value(margin=1, discount_rate=0.2, horizon_months=12)
    x, T = frame["frequency"].to_numpy(), frame["T"].to_numpy()
    before: Any = np.zeros(len(frame))
    night: Any = np.zeros(len(frame))
    morning: Any = np.zeros(len(frame))
    for day in range(1, 366):
        until = models["week"].expected_purchases_if_alive(day / 7, x, T)
        night += (until - before) * 1.2 ** (-day / 365.25)
        morning += (until - before) * 1.2 ** (-(day - 1) / 365.25)
        before = until
    exact = (frame["value_if_alive"] / frame["expected_spend"]).to_numpy()
    assert (night < exact).all()
    assert (exact < morning).all()
    assert (morning / night < 1.001).all()


def test_a_far_horizon_is_no_horizon(value: Any) -> None:
    """At 30 % a year, money in 100 years is worth 4e-12 of money now."""
    far, none = (value(discount_rate=0.3, horizon_months=months) for months in (1200, None))
    close(far["value_if_alive"], none["value_if_alive"], 1e-9)
    assert none["expected_purchases"].isna().all()


@FEW
@given(RATES, MONTHS)
def test_the_unit_of_time_changes_no_value(
    weeks: CustomerHistories,
    days: CustomerHistories,
    models: Models,
    spend: clv.GammaGamma,
    rate: float,
    months: int,
) -> None:
    terms: Any = {"margin": 0.4, "discount_rate": rate, "horizon_months": months}
    by_week = clv.lifetime_value(weeks, models["week"], spend, **terms)
    by_day = clv.lifetime_value(days, models["day"], spend, **terms)
    assert by_week.index.equals(by_day.index)
    for name in ("p_alive", "expected_purchases", "expected_spend", "value_if_alive"):
        close(by_week[name], by_day[name], 1e-9)
    close(by_week["T"] * 7, by_day["T"], 1e-14)


def test_leaving_is_the_complement_of_staying(
    weeks: CustomerHistories, models: Models, spend: clv.GammaGamma
) -> None:
    """Beside simulated customers, within five standard errors of their mean."""
    table = score(weeks, models["week"], spend, Terms(0.4, 0.1, 36), leave_months=6)
    frame = table.to_pyarrow().to_pandas().set_index("customer_id")
    rng = np.random.default_rng(1987)
    model = models["week"]
    ahead = reference.days_ahead(date(1997, 9, 30), 6) / 7
    for customer in ("0001", "0004", "0509"):
        row = row_of(frame, customer)
        rate = rng.gamma(model.r + row["frequency"], 1 / (model.alpha + row["T"]), 200_000)
        leaves = rng.beta(model.a, model.b + row["frequency"], 200_000)
        left = 1 - np.exp(-rate * leaves * ahead)
        error = float(left.std()) / math.sqrt(len(left))
        assert row["p_leaves"] == pytest.approx(float(left.mean()), abs=5 * error)


# ----------------------------------------------------------------------------- beside a quadrature


@pytest.mark.parametrize("unit", ["week", "day"])
@pytest.mark.parametrize(("rate", "months"), [(0.1, 36), (0.0, 12), (0.9, 1), (0.05, 240)], ids=str)
def test_a_customer_beside_the_slow_reference(
    weeks: CustomerHistories,
    days: CustomerHistories,
    models: Models,
    spend: clv.GammaGamma,
    unit: str,
    rate: float,
    months: int,
) -> None:
    """Of one order, of few and of many."""
    histories, model = (weeks if unit == "week" else days), models[unit]
    frame = clv.lifetime_value(
        histories, model, spend, margin=0.35, discount_rate=rate, horizon_months=months
    )
    for customer in ("0001", "0003", "0509", "1516"):
        row = row_of(frame, customer)
        x, k = int(row["frequency"]), int(row["spend_frequency"])
        mean = 0.0 if k == 0 else float(row["monetary_value"])
        alive = reference.p_alive(model, x, row["recency"], row["T"])
        assert row["p_alive"] == pytest.approx(alive, rel=1e-12)
        assert row["expected_spend"] == pytest.approx(
            reference.expected_spend(spend, k, mean), rel=1e-8
        )
        exact = reference.value_if_alive(
            model, spend, x=x, T=row["T"], k=k, mean=mean, margin=0.35, annual_rate=rate,
            end=date(1997, 9, 30), months=months, days_per_unit=7 if unit == "week" else 1,
        )  # fmt: skip
        assert row["value_if_alive"] == pytest.approx(exact, rel=1e-7)


def test_expected_spend_is_that_of_the_spend_model(value: Any, spend: clv.GammaGamma) -> None:
    """The engine's arithmetic and the model's agree, for customers without spend too."""
    frame = value()
    k, m = frame["spend_frequency"], frame["monetary_value"].fillna(0)
    close(frame["expected_spend"], spend.expected_spend(k.to_numpy(), m.to_numpy()), 1e-13)
    assert (k == 0).any()


def test_a_free_order_is_a_purchase_but_tells_nothing_of_paid_spend(
    models: Models, spend: clv.GammaGamma
) -> None:
    """Two repeat orders of 30 and 50, with a free one between them or without it."""
    paid = [("1997-01-01", 20.0), ("1997-03-01", 30.0), ("1997-06-01", 50.0)]
    rows = [(who, *order) for who in ("with", "without") for order in paid]
    frame = pd.DataFrame(
        [*rows, ("with", "1997-04-01", 0.0)], columns=["customer_id", "date", "amount"]
    )
    histories = clv.histories(clv.read_orders(frame), end="1997-09-30", unit="week")
    values = clv.lifetime_value(
        histories, models["week"], spend, margin=0.4, discount_rate=0.1, horizon_months=12
    )
    assert values["frequency"].to_dict() == {"with": 3, "without": 2}
    expected = 4 / 5 * reference.expected_spend(spend, 2, 40.0)  # of five repeat days four are paid
    assert values["expected_spend"].tolist() == pytest.approx([expected] * 2, rel=1e-8)
    more, less = (row_of(values, who)["value_if_alive"] for who in ("with", "without"))
    assert more > less


# -------------------------------------------------------------------------------- beside lifetimes


@pytest.mark.filterwarnings("default")  # lifetimes' own
def test_where_the_conventions_meet_lifetimes_agrees(
    days: CustomerHistories, models: Models, spend: clv.GammaGamma
) -> None:
    """`lifetimes` counts months of 30 days and discounts at their ends.

    From 30 September to 30 October are 30 days: without discount both are one month. With it ours
    is more, as money comes within the month, by less than a month's interest. Its twelve months
    are 360 days where the calendar has 365.
    """
    from lifetimes import BetaGeoFitter
    from lifetimes.utils import _customer_lifetime_value

    peer = BetaGeoFitter()
    peer.params_ = pd.Series(models["day"].parameters)
    peer.predict = peer.conditional_expected_number_of_purchases_up_to_time

    def theirs(months: int, monthly_rate: float) -> pd.Series[Any]:
        found: pd.Series[Any] = _customer_lifetime_value(
            peer, frame["frequency"], frame["recency"], frame["T"], frame["expected_spend"],
            time=months, discount_rate=monthly_rate, freq="D",
        )  # fmt: skip
        return found

    def ours(months: int, rate: float) -> pd.DataFrame:
        return clv.lifetime_value(
            days, models["day"], spend, margin=1, discount_rate=rate, horizon_months=months
        )

    frame = ours(1, 0)
    close(frame["lifetime_value"], theirs(1, 0), 1e-7)

    annual = 0.1
    monthly = (1 + annual) ** (30 / 365.25) - 1
    ratio = ours(1, annual)["lifetime_value"] / theirs(1, monthly)
    assert ((ratio > 1) & (ratio < 1 + monthly)).all()

    ratio = ours(12, 0)["lifetime_value"] / theirs(12, 0)
    assert ((ratio > 1) & (ratio < 365 / 360 + 1e-9)).all()


# ---------------------------------------------------------------------------------------- refusals


def test_spend_without_a_mean_is_refused(weeks: CustomerHistories, models: Models) -> None:
    """At q ≤ 1 the mean spend of a customer without repeat spend is infinite."""
    unknown = int((weeks.to_pandas()["spend_frequency"] == 0).sum())
    terms: Any = {"margin": 0.4, "discount_rate": 0.1, "horizon_months": 12}
    for q in (0.5, 1.0):
        with pytest.raises(FitError, match=f"{unknown:,} customers cannot be valued"):
            clv.lifetime_value(weeks, models["week"], clv.GammaGamma(p=6.25, q=q, v=15), **terms)
    just_above = clv.GammaGamma(p=6.25, q=1.001, v=15)
    values = clv.lifetime_value(weeks, models["week"], just_above, **terms)
    assert np.isfinite(values["value_if_alive"]).all()


def test_where_all_have_spent_a_small_q_will_do(weeks: CustomerHistories, models: Models) -> None:
    known = weeks.table.filter(weeks.table["spend_frequency"] > 0)
    values = clv.lifetime_value(
        replace(weeks, table=known), models["week"], clv.GammaGamma(p=6.25, q=0.5, v=15),
        margin=0.4, discount_rate=0.1, horizon_months=12,
    )  # fmt: skip
    assert len(values) == 946  # Fader, Hardie & Lee (2005b)
    assert (values["value_if_alive"] > 0).all()


def test_a_value_without_end_is_refused(
    weeks: CustomerHistories, models: Models, spend: clv.GammaGamma
) -> None:
    """No discount, no horizon, and customers who never leave (a ≤ 1)."""
    endless: Any = {"margin": 0.4, "discount_rate": 0.0, "horizon_months": None}
    with pytest.raises(RequestError, match="infinite"):
        clv.lifetime_value(weeks, models["week"], spend, **endless)
    leaving = clv.lifetime_value(weeks, replace(models["week"], a=1.5), spend, **endless)
    assert np.isfinite(leaving["value_if_alive"]).all()


def test_terms_that_make_no_sense_are_refused(
    weeks: CustomerHistories, models: Models, spend: clv.GammaGamma
) -> None:
    with pytest.raises(RequestError, match=r"0\.1"):
        clv.lifetime_value(weeks, models["week"], spend, margin=0.4, discount_rate=10)
