"""Fitting covariates: what is recovered, what may not matter, tests that keep their level."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2, kstest

from clv.errors import RequestError
from clv.models.base import PurchaseModel
from clv.models.bg_nbd import BGNBD
from clv.models.covariates.fit import CovariateFit, fit_covariates
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD
from tests.models.customers_with_covariates import (
    AGES,
    BASES,
    DROPOUT,
    PURCHASE,
    simulated,
    truth,
)

MODELS: dict[str, type[PurchaseModel]] = {
    "bg-nbd": BGNBD,
    "mbg-nbd": MBGNBD,
    "pareto-nbd": ParetoNBD,
}
SHOP = {"channel": "shop"}


@pytest.fixture(scope="module", params=MODELS)
def fitted(request: pytest.FixtureRequest) -> tuple[str, pd.DataFrame, CovariateFit]:
    name = request.param
    table = simulated(name, 3_000, seed=11)
    fit = fit_covariates(
        MODELS[name], table, purchase=["channel", "age"], dropout="channel", reference=SHOP,
        unit="week",
    )  # fmt: skip
    return name, table, fit


# -- what is found ----------------------------------------------------------------------------


def test_simulation_recovers_all_parameters(
    fitted: tuple[str, pd.DataFrame, CovariateFit],
) -> None:
    """The squared distance in the fit's own covariance is chi-squared with 9 degrees of freedom."""
    name, _, fit = fitted
    true = [*np.log(list(BASES[name].parameters.values())), *PURCHASE, *AGES, *DROPOUT]
    found = [
        *np.log(list(fit.model.base.parameters.values())),
        *(c.estimate for c in fit.coefficients),
    ]
    assert fit.names[4:] == (
        "purchase: channel = phone", "purchase: channel = web", "purchase: age",
        "dropout: channel = phone", "dropout: channel = web",
    )  # fmt: skip
    # The base belongs to the mean age of these customers, which is 40 but for sampling.
    mean = fit.model.effects[1].column.mean  # type: ignore[union-attr]
    true[1] -= AGES[0] * (mean - 40)
    away = np.array(found) - true
    assert away @ np.linalg.solve(fit.covariance, away) < chi2.ppf(0.999, 9)


def test_z_scores_are_standard_normal() -> None:
    """150 coefficients of 50 simulations; Kolmogorov-Smirnov at 1 in 1,000."""
    z = []
    for seed in range(50):
        table = simulated("bg-nbd", 800, seed=100 + seed)
        fit = fit_covariates(
            BGNBD, table, purchase=["channel", "age"], dropout="channel", reference=SHOP
        )
        true = [*PURCHASE, *AGES, *DROPOUT]
        all_z = [(c.estimate - t) / c.standard_error
                 for c, t in zip(fit.coefficients, true, strict=True)]  # fmt: skip
        z += [all_z[1], all_z[2], all_z[3]]
    assert kstest(z, "norm").pvalue > 1e-3


def test_both_shapes_of_dropout_are_recovered() -> None:
    """Fader & Hardie's (2007) full form: a and b each with a coefficient."""
    rng = np.random.default_rng(12)
    shop, web = BGNBD(1, 6, 1, 4), BGNBD(1, 6, 2, 3)
    parts = []
    for model, channel in ((shop, "shop"), (web, "web")):
        T = np.full(4_000, 80.0)
        x, t_x = model.simulate(T, rng)
        parts.append(pd.DataFrame({"channel": channel, "frequency": x, "recency": t_x, "T": T}))
    fit = fit_covariates(
        BGNBD, pd.concat(parts), dropout="channel", dropout_b="channel", reference=SHOP
    )
    a, b = fit.coefficients
    true = np.array([math.log(2), math.log(3 / 4)])
    away = np.array([a.estimate, b.estimate]) - true
    assert away @ np.linalg.solve(fit.covariance[4:, 4:], away) < chi2.ppf(0.999, 2)
    assert a.z > 3
    # One coefficient for both a and b would leave the mean dropout the same for all.
    odds = fit.model.model_for(channel="web").a / fit.model.model_for(channel="web").b
    assert odds == pytest.approx(2 / 3, rel=0.15)  # 2 s.e. of ln odds in such a sample are .1


def test_another_search_on_the_papers_formula_ends_at_the_same_place() -> None:
    """Nelder-Mead with α_i and a_i written out as in the note; α_i by the time it stretches."""
    table = simulated("bg-nbd", 600, seed=20)
    fit = fit_covariates(BGNBD, table, purchase="age", dropout="channel", reference=SHOP)
    x, t_x, T = (table[c].to_numpy() for c in ("frequency", "recency", "T"))
    age = table["age"].to_numpy() - table["age"].mean()
    channels = [table["channel"].to_numpy() == c for c in ("shop", "phone", "web")]

    def loss(beta: np.ndarray) -> float:
        r, alpha, a, b = np.exp(beta[:4])
        c = np.exp(beta[4] * age)
        total = (x * np.log(c)).sum()
        for here, gamma in zip(channels, (0, *beta[5:]), strict=True):
            own = BGNBD(r, alpha, a * math.exp(gamma), b)
            total += own.log_likelihood(x[here], (c * t_x)[here], (c * T)[here]).sum()
        return -float(total)

    start = np.array([*np.log(list(fit.plain.parameters.values())), 0, 0, 0])
    found = minimize(
        loss,
        start,
        method="Nelder-Mead",
        options={
            "maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-8, "fatol": 1e-10, "adaptive": True
        },
    )  # fmt: skip
    assert -found.fun == pytest.approx(fit.log_likelihood, abs=1e-6)
    estimates = [c.estimate for c in fit.coefficients]
    np.testing.assert_allclose(found.x[4:], estimates, atol=2e-4)


def test_the_optimum_is_the_sum_of_the_customers_log_likelihoods(
    fitted: tuple[str, pd.DataFrame, CovariateFit],
) -> None:
    _, table, fit = fitted
    assert fit.model.log_likelihood(table).sum() == pytest.approx(fit.log_likelihood, rel=1e-12)
    assert fit.gradient_norm < 1e-8


# -- what may not matter ----------------------------------------------------------------------


def test_the_reference_changes_nothing(fitted: tuple[str, pd.DataFrame, CovariateFit]) -> None:
    name, table, fit = fitted
    other = fit_covariates(
        MODELS[name], table, purchase=["channel", "age"], dropout="channel",
        reference={"channel": "web"}, unit="week",
    )  # fmt: skip
    assert other.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-7)
    for channel in ("shop", "web", "phone"):
        one = fit.model.model_for(channel=channel, age=30)
        assert other.model.model_for(channel=channel, age=30).parameters == pytest.approx(
            one.parameters, rel=1e-5
        )
    web = {c.level: c for c in fit.coefficients if c.part == "purchase"}["web"]
    shop = {c.level: c for c in other.coefficients if c.part == "purchase"}["shop"]
    assert shop.estimate == pytest.approx(-web.estimate, abs=1e-6)
    assert shop.standard_error == pytest.approx(web.standard_error, rel=1e-5)


def test_the_unit_of_a_number_scales_its_coefficient() -> None:
    table = simulated("bg-nbd", 800, seed=13)
    years = fit_covariates(BGNBD, table, purchase="age")
    months = fit_covariates(BGNBD, table.assign(age=12 * table["age"]), purchase="age")
    assert months.log_likelihood == pytest.approx(years.log_likelihood, abs=1e-7)
    assert months.coefficients[0].estimate * 12 == pytest.approx(years.coefficients[0].estimate)
    assert months.coefficients[0].z == pytest.approx(years.coefficients[0].z)
    assert months.model.base.parameters == pytest.approx(years.model.base.parameters)


def test_the_unit_of_time_shifts_the_log_likelihood_alone() -> None:
    table = simulated("pareto-nbd", 500, seed=14)
    weeks = fit_covariates(ParetoNBD, table, purchase="channel")
    in_days = table.assign(recency=7 * table["recency"], T=7 * table["T"])
    days = fit_covariates(ParetoNBD, in_days, purchase="channel")
    shift = table["frequency"].sum() * math.log(7)
    assert days.log_likelihood == pytest.approx(weeks.log_likelihood - shift, abs=1e-6)
    for one, other in zip(weeks.coefficients, days.coefficients, strict=True):
        assert other.estimate == pytest.approx(one.estimate, abs=1e-5)


def test_rows_in_any_order_and_weights_for_repetition() -> None:
    table = simulated("bg-nbd", 500, seed=15)
    counts = np.random.default_rng(15).integers(1, 4, len(table))
    repeated = table.loc[table.index.repeat(counts)].sample(frac=1, random_state=1)
    one = fit_covariates(BGNBD, repeated, purchase=["channel", "age"], dropout="age")
    other = fit_covariates(
        BGNBD, table.assign(customers=counts), purchase=["channel", "age"], dropout="age",
        weights="customers",
    )  # fmt: skip
    assert one.customers == other.customers == counts.sum()
    assert one.patterns == other.patterns <= len(table)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-6, atol=1e-12)


def test_kinds_of_columns_that_say_the_same_fit_the_same() -> None:
    table = simulated("bg-nbd", 600, seed=16)
    web = table["channel"] == "web"
    said = [
        table.assign(web=web),
        table.assign(web=web.map({True: "yes", False: "no"})),
        table.assign(web=web.astype(int)),
        table.assign(web=pd.Categorical(np.where(web, "b", "a"))),
    ]
    fits = [fit_covariates(BGNBD, t, purchase="web") for t in said]
    for fit in fits:
        assert fit.log_likelihood == pytest.approx(fits[0].log_likelihood, abs=1e-8)
        assert fit.coefficients[0].estimate == pytest.approx(fits[0].coefficients[0].estimate)


# -- tests ------------------------------------------------------------------------------------


def test_covariates_never_lose_likelihood(
    fitted: tuple[str, pd.DataFrame, CovariateFit],
) -> None:
    name, table, fit = fitted
    *each, every = fit.likelihood_ratio_tests()
    assert every == fit.likelihood_ratio
    assert [(t.dropped, t.degrees_of_freedom) for t in each] == [
        ("purchase: channel", 2), ("purchase: age", 1), ("dropout: channel", 2),
    ]  # fmt: skip
    assert every.degrees_of_freedom == 5
    assert every.statistic >= max(t.statistic for t in each) > 0
    for t in (*each, every):
        assert t.p_value == pytest.approx(chi2.sf(t.statistic, t.degrees_of_freedom))
    without_age = fit_covariates(
        MODELS[name], table, purchase="channel", dropout="channel", unit="week"
    )
    lost = 2 * (fit.log_likelihood - without_age.log_likelihood)
    assert each[1].statistic == pytest.approx(lost, abs=1e-6)


def test_what_was_put_in_is_significant_and_what_was_not_is_not(
    fitted: tuple[str, pd.DataFrame, CovariateFit],
) -> None:
    """Web customers buy half as often again, age moves purchases: both z are above 4 here."""
    _, _, fit = fitted
    z = {(c.part, c.column.name, c.level): c.z for c in fit.coefficients}
    assert z["purchase", "channel", "web"] > 4
    assert z["purchase", "age", None] > 4
    assert abs(z["dropout", "channel", "web"]) < 3.3  # 0 in truth; 1 in 1,000


def test_the_likelihood_ratio_test_keeps_its_level() -> None:
    """300 samples in which the covariate does nothing: p is uniform (Kolmogorov-Smirnov, 1e-3)."""
    rng = np.random.default_rng(17)
    T = np.full(500, 52.0)
    p = []
    for _ in range(300):
        x, t_x = BASES["bg-nbd"].simulate(T, rng)
        group = np.where(rng.random(len(T)) < 0.5, "a", "b")
        table = pd.DataFrame({"group": group, "frequency": x, "recency": t_x, "T": T})
        fit = fit_covariates(BGNBD, table, purchase="group", dropout="group")
        p.append(fit.likelihood_ratio.p_value)
    assert kstest(p, "uniform").pvalue > 1e-3
    assert 3 <= np.sum(np.array(p) < 0.05) <= 29  # binomial(300, .05): 1e-3 each side


# -- what is said -----------------------------------------------------------------------------


def test_coefficients_in_words() -> None:
    fit = fit_covariates(
        BGNBD, simulated("bg-nbd", 2_000, seed=18), purchase=["channel", "age"],
        dropout="channel", dropout_b="channel", reference=SHOP, unit="week",
    )  # fmt: skip
    phone, web, age, leave, _, stay, _ = fit.coefficients
    assert f"channel web instead of shop: {100 * (web.factor - 1):.3g} % more purchases a week" in (
        web.meaning
    )
    assert f"{100 * (1 - phone.factor):.3g} % fewer purchases a week" in phone.meaning
    assert age.meaning.startswith("One more of age: ")
    assert leave.meaning.endswith("odds of leaving after a purchase")
    assert stay.meaning.endswith("odds of staying after a purchase")
    rate = fit.model.model_for(channel="web", age=40), fit.model.model_for(channel="shop", age=40)
    assert web.factor == pytest.approx(rate[1].alpha / rate[0].alpha)
    low, high = web.interval(0.8)  # 1.2816 standard errors each side
    assert (high - low) / 2 == pytest.approx(1.2816 * web.standard_error, rel=1e-4)
    with pytest.raises(RequestError, match="between 0 and 1; got 95"):
        web.interval(95)


def test_dropout_of_pareto_nbd_in_words() -> None:
    fit = fit_covariates(
        ParetoNBD, simulated("pareto-nbd", 1_500, seed=19), dropout="channel", reference=SHOP
    )
    phone = fit.coefficients[0]
    assert phone.meaning.endswith("rate of leaving")
    shop = fit.model.model_for(channel="shop")
    assert phone.factor == pytest.approx(shop.beta / fit.model.model_for(channel="phone").beta)


def test_a_fit_as_a_table_and_as_plain_types(
    fitted: tuple[str, pd.DataFrame, CovariateFit],
) -> None:
    name, _, fit = fitted
    table = fit.summary()
    assert list(table.columns) == [
        "part", "column", "level", "estimate", "standard_error", "z", "p_value", "factor",
        "meaning",
    ]  # fmt: skip
    assert len(table) == 5
    assert json.loads(json.dumps(fit.to_dict()))["model"] == name
    assert fit.aic == pytest.approx(18 - 2 * fit.log_likelihood)
    assert fit.bic == pytest.approx(9 * math.log(3_000) - 2 * fit.log_likelihood)
    assert fit.standard_errors["r"] == pytest.approx(
        fit.model.base.parameters["r"] * math.sqrt(fit.covariance[0, 0])
    )
    assert truth(name).base.name == name
