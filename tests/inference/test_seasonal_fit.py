"""The seasonal fit: what it recovers, what it finds where there is no season, what it refuses."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.stats import chi2, kstest

import clv
from clv import BGNBD, MBGNBD
from clv.errors import NotIdentifiedError, RequestError
from clv.inference.seasonal_fit import UNSHRUNK, fit_seasonal
from clv.inference.seasonal_mode import SeasonalMode
from clv.models.beta_geometric import BetaGeometric
from clv.models.maximum_likelihood import LogNormal
from clv.models.seasons.model import SeasonalLikelihood, SeasonalModel
from clv.models.seasons.season import Season, year_shares
from clv.transactions.orders import Orders, read_orders
from tests.models.seasonal_shop import CHRISTMAS, arrivals, counted

Floats = npt.NDArray[np.float64]

MODELS = (BGNBD, MBGNBD)
THETA = np.array([0.8, 70.0, 0.9, 2.6])  # invented: days; some 90 days between purchases
BEGIN, END = "2021-06-01", date(2023, 11, 30)  # two and a half years
TRUTH = Season.proportional("month", CHRISTMAS)


def bought(
    model: type[BetaGeometric], n: int, seed: int, season: Season = TRUTH, until: date = END
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.datetime64]]:
    rng = np.random.default_rng(seed)
    built = SeasonalModel(model.from_vector(THETA), season, until, "day")
    return built.simulate(arrivals(n, BEGIN, str(END), rng), rng)


def as_orders(customer: npt.NDArray[np.intp], day: npt.NDArray[np.datetime64]) -> Orders:
    dates = day.astype("datetime64[s]")
    return read_orders(pd.DataFrame({"customer_id": customer.astype(str), "date": dates}))


def mode_of(
    model: type[BetaGeometric],
    days: tuple[npt.NDArray[np.intp], npt.NDArray[np.datetime64]],
    prior: dict[str, LogNormal] | None = None,
) -> tuple[SeasonalMode, Floats]:
    """Return the search, and where it starts: the plain fit and a flat index."""
    likelihood = SeasonalLikelihood(
        model, *counted(*days, end=END, unit="day", index="month"), "month"
    )
    plain = model.fit(likelihood.histories, prior=prior)
    start = np.concatenate([np.log(list(plain.parameters.values())), np.zeros(11)])
    return SeasonalMode(likelihood, prior or {}), start


@pytest.mark.parametrize("model", MODELS)
def test_the_season_and_the_model_are_recovered(model: type[BetaGeometric]) -> None:
    orders = as_orders(*bought(model, 5_000, seed=1))
    found = fit_seasonal(model, orders, end=END)
    truth = np.concatenate([np.log(THETA), np.log(TRUTH.values)])
    at = np.concatenate([np.log(list(found.parameters.values())), np.log(found.season.values)])
    z = (at - truth) / np.sqrt(np.diag(found.log_covariance))
    assert np.abs(z).max() < 3.5, z
    # Jointly: 4 parameters and 11 free seasons. Beyond 1 in 10,000 would be no accident.
    distance = (at - truth) @ np.linalg.pinv(found.log_covariance, rcond=1e-10) @ (at - truth)
    assert distance < chi2.ppf(1 - 1e-4, 15)
    assert found.flat_test.p_value < 1e-20
    assert found.flat_test.degrees == 11
    assert found.concerns == ()
    assert found.identified
    assert found.log_likelihood > found.flat.log_likelihood
    assert found.index["December"] == max(found.index.values())
    low, high = found.index_interval(0.99)["July"]
    assert low < TRUTH.values[6] < high


def test_a_better_december_than_the_plain_model() -> None:
    """Fitted to the end of November, asked for December of the same customers."""
    later = date(2023, 12, 31)
    customer, day = bought(BGNBD, 5_000, seed=2, until=later)
    found = fit_seasonal(BGNBD, as_orders(customer, day), end=END)
    h = found.histories
    actual = int((day > np.datetime64(END)).sum())
    seasonal = h.weight @ found.model.expected_purchases(
        "2023-12-01", "2023-12-31", h.frequency, h.recency, h.T
    )
    plain = h.weight @ found.flat.model.expected_purchases(31, h.frequency, h.recency, h.T)
    assert abs(seasonal / actual - 1) < 0.1
    assert abs(plain / actual - 1) > 0.4
    assert h.weight @ found.model.p_alive(h.frequency, h.recency, h.T) == pytest.approx(
        h.weight @ found.fit.model.p_alive(h.frequency, *found.model.operational(h.recency, h.T))
    )


@pytest.mark.parametrize("model", MODELS)
def test_an_index_held_flat_is_the_plain_fit(model: type[BetaGeometric]) -> None:
    found = fit_seasonal(model, as_orders(*bought(model, 600, seed=3)), end=END, sigma=1e-7)
    np.testing.assert_allclose(found.season.values, 1, atol=1e-9)
    plain = found.flat
    assert plain.parameters == pytest.approx(model.fit(found.histories).parameters)
    assert found.parameters == pytest.approx(plain.parameters, rel=1e-6)
    assert found.standard_errors == pytest.approx(plain.standard_errors, rel=1e-4)
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-9)
    h = found.histories
    np.testing.assert_allclose(
        found.model.expected_purchases("2023-12-01", "2023-12-31", h.frequency, h.recency, h.T),
        plain.model.expected_purchases(31, h.frequency, h.recency, h.T),
        rtol=1e-6,
    )
    assert found.sigma_assumed


def test_data_without_a_season_give_a_nearly_flat_index() -> None:
    days = bought(BGNBD, 3_000, seed=4, season=Season.flat("month"))
    found = fit_seasonal(BGNBD, as_orders(*days), end=END)
    assert found.sigma < 0.05
    assert np.abs(found.season.values - 1).max() < 0.08
    assert found.flat_test.p_value > 0.001
    assert not found.sigma_assumed


def test_the_test_of_flatness_is_calibrated() -> None:
    """Where there is no season, p-values are uniform: Kolmogorov's test, 1 in 1,000."""
    p = []
    for seed in range(200):
        mode, start = mode_of(BGNBD, bought(BGNBD, 500, seed, season=Season.flat("month")))
        free = mode.search(start, UNSHRUNK)
        ratio = 2 * (mode.log_likelihood(free) - mode.log_likelihood(start))
        p.append(chi2.sf(ratio, 11))
    assert kstest(p, "uniform").pvalue > 0.001


def test_more_shrinkage_is_nearer_to_flat() -> None:
    mode, start = mode_of(BGNBD, bought(BGNBD, 400, seed=5))
    deviations, fits = [], []
    for sigma in (0.01, 0.03, 0.1, 0.3, 1.0, 10.0):
        phi = mode.search(start, sigma)
        deviations.append(float(phi[4:] @ phi[4:]))
        fits.append(mode.log_likelihood(phi))
    assert deviations == sorted(deviations)
    assert fits == sorted(fits)


def test_the_learned_shrinkage_has_the_spread_of_the_season() -> None:
    mode, start = mode_of(BGNBD, bought(BGNBD, 4_000, seed=6))
    log_index = np.log(TRUTH.values)
    spread = np.sqrt(((log_index - log_index.mean()) ** 2).sum() / 11)
    # The standard deviation of 11 normal deviations is known to within 1/sqrt(22), about 21 %.
    assert mode.best_sigma(start) == pytest.approx(spread, rel=0.35)


PRIORS: tuple[dict[str, LogNormal], ...] = (
    {},
    {"r": LogNormal(0.5, 0.3), "alpha": LogNormal(40, 0.2), "b": LogNormal(3, 1)},
)


@pytest.mark.parametrize("prior", PRIORS)
def test_derivatives_of_what_is_maximised(prior: dict[str, LogNormal]) -> None:
    mode, start = mode_of(MBGNBD, bought(MBGNBD, 300, seed=7), prior)
    at = start + np.random.default_rng(8).normal(0, 0.3, len(start))
    _, gradient, hessian = mode.penalised(at, 0.4)
    for i, e in enumerate(np.eye(len(at))):
        up, down = (mode.penalised(at + s * e, 0.4) for s in (1e-5, -1e-5))
        assert gradient[i] == pytest.approx((up.value - down.value) / 2e-5, rel=1e-5, abs=1e-5)
        bend = (up.gradient - down.gradient) / 2e-5
        np.testing.assert_allclose(hessian[i], bend, rtol=1e-5, atol=1e-5)


def test_the_covariance_is_carried_through_the_scaling() -> None:
    mode, start = mode_of(BGNBD, bought(BGNBD, 300, seed=9))
    phi = mode.search(start, 0.4)
    columns = []
    for e in np.eye(len(phi)):
        up, down = (np.concatenate(mode.normalised(phi + s * e)) for s in (1e-6, -1e-6))
        columns.append((up - down) / 2e-6)
    jacobian = np.stack(columns, axis=1)
    expected = jacobian @ np.linalg.inv(-mode.penalised(phi, 0.4).hessian) @ jacobian.T
    covariance = mode.log_covariance(phi, 0.4)
    np.testing.assert_allclose(covariance, expected, rtol=1e-5, atol=1e-10)
    # The mean of the index is known: it is 1.
    season = np.exp(mode.normalised(phi)[1])
    np.testing.assert_allclose(covariance[4:, 4:] @ (year_shares("month") * season), 0, atol=1e-12)


def test_standard_errors_hold_the_uncertainty_of_the_index() -> None:
    found = fit_seasonal(BGNBD, as_orders(*bought(BGNBD, 800, seed=10)), end=END)
    inner = found.fit.standard_errors
    assert all(found.standard_errors[name] > 0.999 * inner[name] for name in inner)
    assert found.standard_errors["alpha"] > 1.0001 * inner["alpha"]


def test_a_month_without_purchases_is_low_and_said() -> None:
    closed = Season.proportional("month", [1] * 7 + [1e-6] + [1] * 4)
    found = fit_seasonal(BGNBD, as_orders(*bought(BGNBD, 800, seed=11, season=closed)), end=END)
    assert found.repeats[7] == 0
    assert 0 < found.index["August"] < 0.1
    assert np.isfinite(list(found.index_standard_errors.values())).all()
    assert np.isfinite(found.flat_test.statistic)
    (concern,) = found.concerns
    assert concern.startswith("No repeat purchase was made in 1 of 12 months (August)")
    assert not found.identified


def test_weeks_find_the_season_of_months() -> None:
    found = fit_seasonal(BGNBD, as_orders(*bought(BGNBD, 5_000, seed=12)), end=END, index="week")
    assert len(found.index) == 52
    assert found.flat_test.degrees == 51
    truth = TRUTH.on([f"2023-{name}" for name in found.season.names])
    assert np.corrcoef(np.log(found.season.values), np.log(truth))[0, 1] > 0.9


def test_a_prior_is_on_the_parameters_of_the_mean_year() -> None:
    tight = {"alpha": LogNormal(70, 1e-4)}
    found = fit_seasonal(BGNBD, as_orders(*bought(BGNBD, 500, seed=13)), end=END, prior=tight)
    assert found.parameters["alpha"] == pytest.approx(70, rel=1e-3)


def test_units_are_only_units() -> None:
    orders = as_orders(*bought(MBGNBD, 500, seed=14))
    by_day = fit_seasonal(MBGNBD, orders, end=END, sigma=0.3)
    by_week = fit_seasonal(MBGNBD, orders, end=END, sigma=0.3, unit="week")
    np.testing.assert_allclose(by_week.season.values, by_day.season.values, rtol=1e-5)
    assert by_week.parameters["alpha"] * 7 == pytest.approx(by_day.parameters["alpha"], rel=1e-4)
    assert by_week.log_likelihood == pytest.approx(
        by_day.log_likelihood + by_day.repeats.sum() * np.log(7)
    )


def test_the_seasons_count_every_repeat_purchase_of_a_real_shop() -> None:
    orders = clv.read_orders(clv.datasets.path("online_retail"), returns="ignore")
    found = fit_seasonal(BGNBD, orders, unit="week")
    h = found.histories
    assert found.repeats.sum() == h.weight @ h.frequency
    assert found.index["November"] == max(found.index.values())
    assert found.season_concerns == found.concerns[-1:]
    year = found.season_concerns[0]
    assert year.startswith("The orders cover 374 days, less than two years")
    assert "One year cannot tell a season from growth" in year
    assert "2011-12-09" in found.histories.report.notices[-1]  # the end was assumed
    plain = found.to_dict()
    assert plain["index"] == found.index
    assert plain["end"] == "2011-12-09"
    assert plain["concerns"] == list(found.concerns)
    assert plain["end_assumed"] is True
    assert plain["identified"] is False


def test_what_the_parameters_hardly_tell_is_said_by_the_rules_of_a_plain_fit() -> None:
    """Online Retail: one year of a wholesaler whose customers hardly leave."""
    orders = clv.read_orders(clv.datasets.path("online_retail"), returns="ignore")
    found = fit_seasonal(BGNBD, orders, end="2011-12-09", unit="week")
    hardly, _ = found.concerns
    low, high = found.interval()["b"]
    assert hardly.startswith(f"The data hardly tell b ({low:.2g} to {high:.2g}) of BG/NBD")
    assert found.flat.concerns[0].startswith("The data hardly tell a (")  # and b
    held = fit_seasonal(
        BGNBD, orders, end="2011-12-09", unit="week",
        prior={"a": LogNormal(0.1, 0.5), "b": LogNormal(3, 0.5)},
    )  # fmt: skip
    assert "hardly tell" not in " ".join(held.concerns)


def test_less_than_a_year_is_refused() -> None:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    with pytest.raises(NotIdentifiedError) as refused:
        fit_seasonal(BGNBD, orders, end="1997-12-30")
    told = str(refused.value)
    assert "observed for 364 days, from 1997-01-01 to 1997-12-30" in told
    assert "an end of observation on 1997-12-31 or later" in told
    assert fit_seasonal(BGNBD, orders, end="1997-12-31").season.index == "month"


def test_a_request_that_makes_no_sense_is_refused_with_all_its_faults() -> None:
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    with pytest.raises(RequestError) as refused:
        fit_seasonal(clv.ParetoNBD, orders, index="quarter", sigma=-1)  # type: ignore[type-var]
    told = str(refused.value)
    assert "Pareto/NBD cannot be fitted with a season" in told
    assert "leaves in calendar time" in told
    assert "'quarter'; it must be 'month' or 'week'" in told
    assert "positive; got -1" in told
