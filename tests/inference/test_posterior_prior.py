"""The weak prior that completes a posterior: on every parameter, proper, and without a unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clv
from clv.inference.posterior import log_posterior
from clv.models.base import WEAK
from clv.transactions.summary import CustomerHistories
from tests.battery import MODELS, PARAMETERS_OF_TIME, TIMED, Floats, Subject, log_uniform

of_every_model = pytest.mark.parametrize("subject", MODELS, ids=str)


@of_every_model
def test_a_posterior_has_a_prior_of_every_parameter(subject: Subject) -> None:
    h = subject.histories(300, seed=3)
    kind = type(subject.model)
    weak = kind.weak_prior(h)
    assert tuple(weak) == kind.parameter_names()
    assert {p.sigma for p in weak.values()} == {WEAK}
    with_unit = kind.scales(h)
    assert {name for name, p in weak.items() if p.median != 1} == set(with_unit)
    if subject in TIMED and h.spend is None:
        assert set(with_unit) == PARAMETERS_OF_TIME & set(kind.parameter_names())


@pytest.mark.parametrize("subject", TIMED, ids=str)
@settings(max_examples=6)
@given(unit=log_uniform(1e-3, 1e3))
def test_another_unit_of_time_or_money_only_scales_the_draws(subject: Subject, unit: float) -> None:
    """Draw for draw: α, β and v in the new unit, the shapes and the weights as they were."""
    columns = subject.columns(600, 6)
    measured = ("monetary_value",) if "monetary_value" in columns else ("recency", "T")
    kind = type(subject.model)
    one = clv.posterior(kind.fit(subject.data(columns)), draws=200)
    scaled = columns | {name: unit * columns[name] for name in measured}
    other = clv.posterior(kind.fit(subject.data(scaled)), draws=200)
    factors = [unit if name in kind.scales(one.fit.histories) else 1.0 for name in one.mean]
    assert other.draws == pytest.approx(one.draws * np.array(factors), rel=1e-5)
    assert other.weights == pytest.approx(one.weights, abs=1e-7)


@st.composite
def rays(draw: st.DrawFn) -> tuple[Floats, float]:
    """Draw a direction in the log-parameters, up to four of them, and how far to go."""
    direction = np.array([draw(st.floats(-1, 1)) for _ in range(4)])
    length = float(np.linalg.norm(direction))
    return direction / length if length > 0.1 else np.full(4, 0.5), draw(st.floats(0, 12))


@of_every_model
@settings(max_examples=25)
@given(ray=rays())
def test_the_posterior_falls_like_the_prior_in_every_direction(
    subject: Subject, ray: tuple[Floats, float]
) -> None:
    """Hence it is proper: ln L ≤ its maximum everywhere, and the prior is a normal density."""
    kind: Any = type(subject.model)
    h = subject.histories(300, seed=3)
    fit = kind.fit(h, prior=kind.weak_prior(h))
    highest = kind.fit(h).log_likelihood
    direction, far = ray
    centre = np.log([p.median for p in fit.prior.values()])
    at = centre + far * direction[: len(centre)]
    away = float(((at - centre) ** 2).sum())
    value = float(log_posterior(fit, at[None])[0])
    assert not np.isnan(value)
    assert value <= highest - away / (2 * WEAK**2) + 1e-6


def test_the_likelihood_alone_does_not_fall(cdnow: CustomerHistories) -> None:
    """Why a prior is needed: as a and b grow together all customers leave alike, and ln L stays."""
    mode = np.log(list(clv.BGNBD.fit(cdnow).parameters.values()))
    rays = mode + np.array([[14.0], [18.0]]) * (0, 0, 1, 1)
    near, far = clv.BGNBD.log_likelihoods(np.exp(rays), cdnow)
    assert near == pytest.approx(far, abs=0.01)


def test_a_posterior_is_that_of_the_fit_with_the_weak_prior(cdnow: CustomerHistories) -> None:
    """Whether the mode is found before or after, and with a prior of one's own on some."""
    own = {"a": clv.LogNormal(0.5, 0.3)}
    for prior in ({}, own):
        whole = clv.MBGNBD.weak_prior(cdnow) | prior
        one = clv.posterior(clv.MBGNBD.fit(cdnow, prior=prior), draws=500)
        other = clv.posterior(clv.MBGNBD.fit(cdnow, prior=whole), draws=500)
        assert one.prior == other.prior == whole
        assert one.draws == pytest.approx(other.draws, rel=1e-6)
        assert one.weights == pytest.approx(other.weights, rel=1e-5)


def test_the_sentence_tells_what_was_given_from_what_is_assumed(cdnow: CustomerHistories) -> None:
    fit = clv.BGNBD.fit(cdnow, prior={"a": clv.LogNormal(0.5, 0.3)})
    said = clv.posterior(fit, draws=200).sentence
    # α's median is ΣT / Σx of CDNOW in weeks: 77,095 / 2,457, to four digits.
    assert said.endswith(
        "prior: a log-normal, median 0.5, sigma 0.3; weak (assumed): log-normal, sigma 2, "
        "medians r 1, alpha 31.38, b 1."
    )
