"""`lifetimes` as a witness: it agrees on CDNOW, a difference is told, models convert both ways."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv.datasets import load_donations
from clv.errors import FitError, ParameterError
from clv.history import Histories
from clv.inference import lifetimes_bridge
from clv.inference.lifetimes_bridge import cross_check, from_lifetimes, to_lifetimes
from clv.models.bg_bb import BGBB
from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma
from clv.models.maximum_likelihood import LogNormal
from clv.models.mbg_cnbd import MBGCNBD
from clv.models.mbg_nbd import MBGNBD
from clv.models.pareto_nbd import ParetoNBD
from clv.transactions.summary import CustomerHistories

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what lifetimes and autograd say of newer releases of NumPy
    from lifetimes import (
        BetaGeoBetaBinomFitter,
        BetaGeoFitter,
        GammaGammaFitter,
        ModifiedBetaGeoFitter,
        ParetoNBDFitter,
    )
    from lifetimes.fitters import ConvergenceError

KINDS = pytest.mark.parametrize(
    "kind", [BGNBD, MBGNBD, ParetoNBD, BGBB, GammaGamma], ids=lambda kind: kind.name
)


@pytest.fixture(scope="module")
def donations() -> Histories:
    d = load_donations()
    return Histories.from_arrays(
        d.frequency, d.recency, d.periods, weights=d.weights, unit="period"
    )


@pytest.fixture
def data(kind: Any, cdnow: CustomerHistories, donations: Histories) -> Histories:
    """What the model is for: CDNOW, or for BG/BB the donations of its paper."""
    return donations if kind is BGBB else cdnow


class Perturbed:
    """A fit of `lifetimes` with one parameter moved."""

    def __init__(self, fitter: Any, name: str, by: float) -> None:
        self.params_ = fitter.params_.copy()
        self.params_[name] += by
        if hasattr(fitter, "standard_errors_"):
            self.standard_errors_ = fitter.standard_errors_


# -- the second witness ----------------------------------------------------------------------------


@KINDS
def test_both_programs_agree(kind: Any, data: Histories) -> None:
    fit = kind.fit(data)
    check = cross_check(fit)
    assert check.agree
    assert check.sentence.startswith("lifetimes agrees")
    assert [row.parameter for row in check.rows] == list(fit.parameters)
    for row in check.rows:
        assert row.clv == fit.parameters[row.parameter]
        assert row.clv_standard_error == fit.standard_errors[row.parameter]
        assert row.lifetimes == pytest.approx(row.clv, rel=5e-3)
        if kind is ParetoNBD:  # it has none
            assert math.isnan(row.lifetimes_standard_error)
        else:
            assert row.lifetimes_standard_error == pytest.approx(row.clv_standard_error, rel=0.02)
    # Ours is the higher, but for rounding, since Newton's method goes on to the optimum.
    assert -1e-8 <= check.clv_log_likelihood - check.lifetimes_log_likelihood < 1e-3
    assert check.clv_log_likelihood == fit.log_likelihood
    assert check.known_defects


def test_the_witness_of_pareto_nbd_says_the_same_whatever_random_numbers_are_drawn(
    cdnow: CustomerHistories,
) -> None:
    """Its own fit starts from the global state of NumPy's."""
    fit, state = ParetoNBD.fit(cdnow), np.random.get_state()  # noqa: NPY002 - whose state it is
    one = cross_check(fit)
    np.random.seed(1)  # noqa: NPY002
    other = cross_check(fit)
    np.random.set_state(state)  # noqa: NPY002
    assert [row.lifetimes for row in one.rows] == [row.lifetimes for row in other.rows]


def test_the_witness_is_lifetimes_itself(cdnow: CustomerHistories) -> None:
    """The same figures as from `lifetimes` on one row a customer, as its users have them."""
    rows = cdnow.to_pandas()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = BetaGeoFitter().fit(rows["frequency"], rows["recency"], rows["T"])
    for row in cross_check(BGNBD.fit(cdnow)).rows:
        assert row.lifetimes == pytest.approx(theirs.params_[row.parameter], rel=1e-4)


@KINDS
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_perturbed_witness_disagrees(
    kind: Any, sign: int, data: Histories, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = kind.fit(data)
    name, error = list(fit.standard_errors.items())[1]
    honest = lifetimes_bridge._fit_lifetimes
    monkeypatch.setattr(
        lifetimes_bridge,
        "_fit_lifetimes",
        lambda model, histories: Perturbed(honest(model, histories), name, sign * error / 20),
    )
    check = cross_check(fit)
    assert not check.agree
    moved = next(row for row in check.rows if row.parameter == name)
    assert moved.difference_in_standard_errors == pytest.approx(sign / 20, abs=0.01)
    assert check.sentence.startswith(f"lifetimes differs: its {name} of {kind.label} is 0.0")
    assert "Our log-likelihood is higher" in check.sentence
    ahead = check.clv_log_likelihood - check.lifetimes_log_likelihood
    assert ahead > 0


def test_a_better_witness_is_admitted(
    cdnow: CustomerHistories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where our own fit were the worse one, the sentence must not say otherwise."""
    check = cross_check(BGNBD.fit(cdnow))
    r, *others = check.rows
    off = type(r)("r", r.clv + r.clv_standard_error, r.lifetimes, r.clv_standard_error, 1.0)
    worse = type(check)(
        check.model, (off, *others), check.lifetimes_log_likelihood - 0.5,
        check.lifetimes_log_likelihood, 0.0, 0.0, (),
    )  # fmt: skip
    assert not worse.agree
    assert "Its log-likelihood is higher by 0.5" in worse.sentence


@KINDS
def test_a_cross_check_goes_through_json(kind: Any, data: Histories) -> None:
    said = cross_check(kind.fit(data)).to_dict()
    assert json.loads(json.dumps(said, allow_nan=False)) == said


@KINDS
def test_a_fit_with_a_prior_has_no_witness(kind: Any, data: Histories) -> None:
    fit = kind.fit(data, prior={kind.parameter_names()[0]: LogNormal(1, 1)})
    with pytest.raises(ParameterError, match="used a prior, which lifetimes does not have"):
        cross_check(fit)


def test_a_witness_that_does_not_converge_is_an_error_of_ours(
    cdnow: CustomerHistories, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*_: object) -> None:
        raise ConvergenceError("Try a penalizer.")

    monkeypatch.setattr(BetaGeoFitter, "fit", give_up)
    with pytest.raises(FitError, match=r"does not converge .* BG/NBD .* Try a penalizer"):
        cross_check(BGNBD.fit(cdnow))


# -- conversion ------------------------------------------------------------------------------------


@KINDS
def test_there_and_back(kind: Any, data: Histories) -> None:
    fit = kind.fit(data)
    assert from_lifetimes(to_lifetimes(fit)) == fit.model


@pytest.mark.parametrize("kind", [BGNBD, MBGNBD, ParetoNBD], ids=lambda kind: kind.name)
def test_its_predictions_are_ours(kind: Any, cdnow: CustomerHistories) -> None:
    fit = kind.fit(cdnow)
    theirs = to_lifetimes(fit)
    x, t_x, T = cdnow.frequency, cdnow.recency, cdnow.T
    ours = fit.model.expected_purchases(39, x, t_x, T)
    assert theirs.predict(39, x, t_x, T) == pytest.approx(ours, rel=1e-8)
    p_alive = theirs.conditional_probability_alive(x, t_x, T)
    assert p_alive == pytest.approx(fit.model.p_alive(x, t_x, T), rel=1e-12)
    new = theirs.expected_number_of_purchases_up_to_time(52)
    assert new == pytest.approx(fit.model.expected_purchases(52), rel=1e-8)
    for n in (0, 1, 5):
        if kind is ParetoNBD:
            given = theirs.conditional_probability_of_n_purchases_up_to_time(n, 39, x, t_x, T)
            assert given == pytest.approx(fit.model.pmf(n, 39, x, t_x, T), rel=1e-8)
        else:
            theirs_n = theirs.probability_of_n_purchases_up_to_time(39, n)
            assert theirs_n == pytest.approx(fit.model.pmf(n, 39), rel=1e-8)


def test_its_predictions_over_opportunities_are_ours(donations: Histories) -> None:
    fit = BGBB.fit(donations)
    theirs, h = to_lifetimes(fit), (donations.frequency, donations.recency, donations.T)
    expected = theirs.conditional_expected_number_of_purchases_up_to_time(5, *h)
    assert expected == pytest.approx(fit.model.expected_purchases(5, *h), rel=1e-8)
    next_one = theirs.conditional_probability_alive(1, *h)  # its is of any opportunity
    assert next_one == pytest.approx(fit.model.p_alive(*h), rel=1e-8)


def test_its_expected_spend_is_ours(cdnow: CustomerHistories) -> None:
    fit = GammaGamma.fit(cdnow)
    assert cdnow.spend is not None
    k, m = cdnow.spend.frequency, cdnow.spend.mean_value
    theirs = to_lifetimes(fit).conditional_expected_average_profit(k, m)
    assert theirs == pytest.approx(fit.model.expected_spend(k, m), rel=1e-12)


@KINDS
def test_its_summary_is_ours(kind: Any, data: Histories) -> None:
    fit = kind.fit(data)
    theirs = to_lifetimes(fit)
    summary = theirs.summary
    assert summary["coef"].to_dict() == fit.parameters
    assert summary["se(coef)"].to_dict() == pytest.approx(fit.standard_errors, rel=1e-12)
    assert theirs.variance_matrix_.to_numpy() == pytest.approx(fit.covariance, rel=1e-12)
    assert theirs.data["weights"].sum() == fit.customers
    # Its log-likelihood is a mean over customers, without constants being dropped here.
    assert -theirs._negative_log_likelihood_ * fit.customers == pytest.approx(fit.log_likelihood)


@KINDS
def test_a_model_that_lifetimes_fitted_answers_here(
    kind: Any, data: Histories, cdnow: CustomerHistories
) -> None:
    rows, h = cdnow.to_pandas(), data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind is GammaGamma:
            some = rows[rows["spend_frequency"] > 0]
            theirs = GammaGammaFitter().fit(some["spend_frequency"], some["monetary_value"])
        else:
            fitter = {
                BGNBD: BetaGeoFitter,
                MBGNBD: ModifiedBetaGeoFitter,
                ParetoNBD: ParetoNBDFitter,
                BGBB: BetaGeoBetaBinomFitter,
            }[kind]
            theirs = fitter().fit(h.frequency, h.recency, h.T, h.weight)
    model = from_lifetimes(theirs)
    assert type(model) is kind
    assert model.parameters == pytest.approx(dict(theirs.params_), rel=1e-15)
    # No standard error is smaller than a hundredth of a parameter here.
    assert model.parameters == pytest.approx(kind.fit(data).parameters, rel=5e-3)


def test_what_cannot_be_converted_is_refused(cdnow: CustomerHistories) -> None:
    with pytest.raises(ParameterError, match="ModifiedBetaGeoFitter is not fitted"):
        from_lifetimes(ModifiedBetaGeoFitter())
    with pytest.raises(ParameterError, match="Cannot convert a ParetoNBDCovariates"):
        from_lifetimes(type("ParetoNBDCovariates", (), {})())
    with pytest.raises(ParameterError, match="Cannot convert a DataFrame"):
        from_lifetimes(pd.DataFrame())
    other = MBGCNBD.fit(cdnow, k=2)
    for refused in (cross_check, to_lifetimes):
        with pytest.raises(
            ParameterError, match=r"Only BG/NBD, MBG/NBD, .* and Gamma-Gamma are .* MBG/CNBD-2"
        ):
            refused(other)
    without_spend = replace(GammaGamma.fit(cdnow), histories=replace(cdnow, spend=None))
    with pytest.raises(ParameterError, match="no spend"):
        to_lifetimes(without_spend)


def test_lifetimes_covariance_is_wrong_off_the_diagonal_and_ours_is_handed_over(
    cdnow: CustomerHistories,
) -> None:
    """Why only standard errors are compared: it scales by p_j² in place of p_i p_j (models.md)."""
    fit = BGNBD.fit(cdnow)
    rows = cdnow.to_pandas()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = BetaGeoFitter().fit(rows["frequency"], rows["recency"], rows["T"])
    scaled = theirs.variance_matrix_.to_numpy() / np.array(list(fit.parameters.values())) ** 2
    assert scaled == pytest.approx(fit.log_covariance, rel=0.05)
    assert to_lifetimes(fit).variance_matrix_.to_numpy() == pytest.approx(fit.covariance)
