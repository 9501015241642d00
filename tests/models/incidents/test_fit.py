"""Fits of histories with incidents: recovery, priors, what is randomised, what is flagged."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit

from clv.errors import NotIdentifiedError, ParameterError, UnknownNameError
from clv.history import Histories
from clv.incident_history import IncidentHistories
from clv.inference.incident_posterior import IncidentPosterior, incident_posterior
from clv.models.bg_nbd import BGNBD
from clv.models.incidents.covariates import Handling
from clv.models.incidents.fit import IncidentFit
from clv.models.incidents.likelihood import Link
from clv.models.incidents.model import IncidentBGNBD
from clv.models.incidents.priors import on_exponents
from tests.reference.incident_shop import Case, Seen, Shop, open_shop

Floats = npt.NDArray[np.float64]

# The policy's priors (recommender.md; means of late delivery .08 and defective .15); those of
# handling assumed for the tests.
PRIOR = {
    "type:late": (math.log(0.08 / 0.92), 0.7),
    "type:defective": (math.log(0.15 / 0.85), 0.7),
    "severity": (0.5, 0.25),
    "earlier_purchases": (-0.35, 0.2),
    "earlier_incident": (0.8, 0.4),
    "goodwill": (-0.5, 0.5),
    "lateness": (0.6, 0.5),
    "unresolved": (0.7, 0.5),
    "goodwill_unknown": (-0.2, 0.5),
}
# Assumed for the tests: near the prior, within its standard deviations.
TRUE = {
    "type:late": -1.9,
    "type:defective": -1.2,
    "severity": 0.5,
    "earlier_purchases": -0.35,
    "earlier_incident": 0.8,
    "goodwill": -0.418,
    "lateness": 0.6,
    "unresolved": 0.7,
}
BASE = {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 4.0}


def a_shop(theta: dict[str, float], **more: Any) -> Shop:
    return Shop(BASE["r"], BASE["alpha"], BASE["a"], BASE["b"], theta, **more)


def by_chance(rng: np.random.Generator, case: Case) -> tuple[float, float, float]:
    """Half of all incidents get the whole loss back, without anyone having noted the odds."""
    return float(rng.random() < 0.5), math.nan, math.nan


@cache
def shop(link: Link, customers: int = 8000, seed: int = 1) -> Seen:
    more = 1.5 if link == "shared" else 0.0
    theta = {n: v + more * n.startswith("type:") for n, v in TRUE.items()}
    true = a_shop(theta, shared=link == "shared", goodwill=by_chance)
    T = np.random.default_rng(seed).integers(40, 121, customers)
    return open_shop(true, T, seed)


@cache
def fitted(link: Link) -> IncidentFit:
    return IncidentBGNBD.fit(shop(link).histories, PRIOR, link=link)


def far(fit: IncidentFit, name: str, truth: float) -> float:
    """Standard errors from the truth; of r, α, a, b in the logarithm."""
    value, error = fit.parameters[name], fit.standard_errors[name]
    return math.log(value / truth) * value / error if name in BASE else (value - truth) / error


@pytest.mark.parametrize("link", ["separate", "shared"])
def test_a_shops_truth_is_found_and_ignoring_incidents_misses_it(link: Link) -> None:
    fit = fitted(link)
    more = 1.5 if link == "shared" else 0.0
    for name, truth in (BASE | TRUE).items():
        shift = more if name.startswith("type:") else 0.0
        assert abs(far(fit, name, truth + shift)) < 3.5, name
    plain, truth = fit.plain, math.log(BASE["a"])
    error = math.sqrt(plain.log_covariance[2, 2])
    ignoring = (math.log(plain.parameters["a"]) - truth) / error
    if link == "separate":  # an incident like a purchase leaves the odds of leaving nearly alone
        assert ignoring > 3


@pytest.mark.parametrize("link", ["separate", "shared"])
def test_the_mode_is_one_and_its_covariance_that_of_the_posterior(link: Link) -> None:
    fit = fitted(link)
    assert fit.gradient_norm < 1e-7
    assert np.linalg.eigvalsh(fit.covariance).min() > 0
    post = incident_posterior(fit, draws=1000)
    assert post.k_hat is not None
    assert post.k_hat < 0.7
    for one, other in zip(fit.effects, post.effects, strict=True):
        # 1,000 draws tell a standard deviation to some 3 %; the posterior is a little skewed.
        assert one.posterior_sd == pytest.approx(other.posterior_sd, rel=0.15)
        assert one.posterior_mean == pytest.approx(
            other.posterior_mean, abs=0.35 * other.posterior_sd
        )
        assert one.basis == other.basis


def test_another_unit_of_time_changes_alpha_alone() -> None:
    h = shop("separate").histories
    p = h.plain
    days = replace(
        h,
        recency=h.recency * 7,
        T=h.T * 7,
        time=h.time * 7,
        plain=Histories(p.frequency, p.recency * 7, p.T * 7, p.weight),
    )
    one, other = fitted("separate"), IncidentBGNBD.fit(days, PRIOR)
    assert other.model.alpha == pytest.approx(7 * one.model.alpha, rel=1e-6)
    assert other.model.theta == pytest.approx(one.model.theta, abs=1e-6)
    purchases = p.frequency @ p.weight + h.frequency.sum()
    shift = one.log_likelihood - other.log_likelihood
    assert shift == pytest.approx(purchases * math.log(7), rel=1e-9)


def test_customers_with_incidents_alone_can_be_fitted() -> None:
    h = shop("separate").histories
    nobody = Histories(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))
    fit = IncidentBGNBD.fit(replace(h, plain=nobody), PRIOR)
    assert fit.customers == len(h.T)
    assert fit.gradient_norm < 1e-7


def test_a_fit_is_told_in_plain_types() -> None:
    fit = fitted("separate")
    told = json.loads(json.dumps(fit.to_dict()))
    assert [e["name"] for e in told["effects"]] == list(PRIOR)
    assert told["parameters"]["severity"] == fit.model.coefficients["severity"]
    low, high = fit.interval(0.95)["a"]
    assert low < fit.model.a < high
    post = incident_posterior(fit, draws=200)
    told = json.loads(json.dumps(post.to_dict()))
    assert told["draws"] == 200
    assert "Pareto k" in told["sentence"]


def test_models_drawn_from_a_posterior_have_its_mean() -> None:
    post: IncidentPosterior = incident_posterior(fitted("separate"), draws=1000)
    drawn = post.models(1000, np.random.default_rng(2))
    mean = np.mean([m.coefficients["severity"] for m in drawn])
    error = post.standard_deviation["severity"] / math.sqrt(1000)
    assert mean == pytest.approx(post.mean["severity"], abs=4 * error)
    assert drawn[0].handling == post.fit.model.handling


# -- priors ----------------------------------------------------------------------------------------


def test_what_the_log_does_not_speak_of_stays_at_its_prior() -> None:
    prior = PRIOR | {"type:privacy": (-0.2, 0.7)}
    fit = IncidentBGNBD.fit(shop("separate").histories, prior)
    unseen = next(e for e in fit.effects if e.name == "type:privacy")
    assert unseen.posterior_mean == pytest.approx(-0.2, abs=1e-9)
    assert unseen.posterior_sd == pytest.approx(0.7, rel=1e-9)
    assert unseen.share_from_data == pytest.approx(0, abs=1e-9)
    assert unseen.incidents == 0
    assert any("Nothing in the log speaks of problems of type privacy" in c for c in fit.concerns)
    seen = next(e for e in fit.effects if e.name == "severity")
    assert seen.share_from_data > 0.8
    assert fit.model.log_likelihood(fit.histories) == pytest.approx(fit.log_likelihood, rel=1e-12)


def test_a_prior_on_log_odds_says_the_same_with_shared_fragility() -> None:
    plain = BGNBD(0.5, 5, 0.8, 4)
    carried = on_exponents(PRIOR, plain)
    p = 0.8 / 4.8
    for name in ("type:late", "type:defective"):
        omega = math.exp(carried[name][0])
        assert 1 - (1 - p) ** omega == pytest.approx(expit(PRIOR[name][0]), rel=1e-12)
        # A standard deviation of the log-odds moves ln ω by as much as the slope says.
        moved = [
            math.log(-math.log1p(-expit(PRIOR[name][0] + sign * 1e-5)) / -math.log1p(-p))
            for sign in (-1, 1)
        ]
        slope = (moved[1] - moved[0]) / 2e-5
        assert carried[name][1] == pytest.approx(PRIOR[name][1] * slope, rel=1e-8)


@pytest.mark.parametrize(
    ("prior", "error", "told"),
    [
        ({"type:late": (0, 1)}, UnknownNameError, "type 'defective'.*without a prior: defective"),
        (PRIOR | {"colour": (0, 1)}, ParameterError, "no coefficient 'colour'"),
        (PRIOR | {"severity": (0, 0)}, ParameterError, "standard deviation above 0"),
    ],
)
def test_priors_that_are_none_are_refused(
    prior: dict[str, tuple[float, float]], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        IncidentBGNBD.fit(shop("separate").histories, prior)


def test_logs_that_tell_nothing_are_refused() -> None:
    plain = Histories.from_arrays([2, 0, 1], [20, 0, 9], [39, 39, 39], unit="week")
    none: dict[str, Any] = {"incident_customer": [], "time": [], "contact": [], "kind": []}
    h = IncidentHistories.from_arrays(plain, [], [], [], kinds=[], **none)
    with pytest.raises(NotIdentifiedError, match="None of the 3 customers had an incident"):
        IncidentBGNBD.fit(h, PRIOR)
    never = Histories.from_arrays([0, 0], [0, 0], [39, 30])
    one: dict[str, Any] = {"incident_customer": [0], "time": [3.0], "contact": [False], "kind": [0]}
    h = IncidentHistories.from_arrays(never, [0], [0], [39], kinds=["late"], **one)
    with pytest.raises(NotIdentifiedError, match="bought again"):
        IncidentBGNBD.fit(h, PRIOR)


# -- goodwill --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "told", "learned"),
    [
        (0.0, "No incident was given goodwill", 0.0),
        (0.5, "Every incident was given goodwill, the same share", 0.6),
        (math.nan, None, 0.0),
    ],
)
def test_goodwill_without_contrast_is_flagged(
    ratio: float, told: str | None, learned: float
) -> None:
    h = shop("separate").histories
    fit = IncidentBGNBD.fit(replace(h, goodwill_ratio=np.full(h.incidents, ratio)), PRIOR)
    (goodwill,) = (e for e in fit.effects if e.name == "goodwill")
    assert goodwill.share_from_data <= learned
    if told is not None:
        assert any(told in c for c in fit.concerns)
    if ratio == 0:
        assert goodwill.posterior_mean == pytest.approx(PRIOR["goodwill"][0], abs=1e-9)
    if math.isnan(ratio):
        unknown = next(e for e in fit.effects if e.name == "goodwill_unknown")
        assert unknown.incidents == h.incidents


# -- what is flagged -------------------------------------------------------------------------------


def test_perfectly_separated_effects_are_held_by_the_prior_and_told() -> None:
    """A third type, all of whose incidents were survived: the likelihood alone has no maximum."""
    fit = fitted("separate")
    h = fit.histories
    survived = np.flatnonzero(fit.likelihood.fates.survived)[:40]
    kind = h.kind.copy()
    kind[survived] = 2
    odd = replace(h, kind=kind, kinds=(*h.kinds, "odd"))
    found = IncidentBGNBD.fit(odd, PRIOR | {"type:odd": (-1.7, 0.7)})
    assert any("Each of the 40 problems of type odd was followed by" in c for c in found.concerns)
    wide = IncidentBGNBD.fit(odd, PRIOR | {"type:odd": (-1.7, 3.0)})
    assert wide.model.coefficients["type:odd"] < found.model.coefficients["type:odd"] < -2
    assert not any("type late" in c and "Each of the" in c for c in found.concerns)


@pytest.mark.parametrize(
    ("came_back", "silent", "told"),
    [
        (1.0, 0.0, "given more than 0 of the loss, none of the"),
        (0.0, 0.5, "given less than 0.5 of the loss, none of the"),
        (None, None, ""),
    ],
)
def test_goodwill_that_tells_perfectly_who_came_back_is_flagged(
    came_back: float | None, silent: float | None, told: str
) -> None:
    """Nobody's goodwill does that: it was written down, or given, once the outcome was known."""
    fit = fitted("separate")
    if came_back is not None and silent is not None:
        ratio = np.where(fit.likelihood.fates.survived, came_back, silent)
        fit = IncidentBGNBD.fit(replace(fit.histories, goodwill_ratio=ratio), PRIOR)
    found = [c for c in fit.concerns if c.startswith("Goodwill tells perfectly")]
    assert len(found) == bool(told)
    assert all(told in c for c in found)


def test_incidents_just_before_the_end_say_almost_nothing() -> None:
    h = shop("separate").histories
    prior = {name: PRIOR[name] for name in ("type:late", "type:defective")}
    late = replace(
        h, time=h.T[h.incident_customer] - 1e-6, contact=np.zeros(h.incidents, dtype=bool)
    )
    fit = IncidentBGNBD.fit(late, prior)
    assert max(e.share_from_data for e in fit.effects) < 0.02
    assert any("say almost nothing yet" in c for c in fit.concerns)
    assert not any("say almost nothing yet" in c for c in fitted("separate").concerns)


def test_data_at_odds_with_the_prior_are_told() -> None:
    prior = PRIOR | {"severity": (-1.0, 0.1)}
    fit = IncidentBGNBD.fit(shop("separate").histories, prior)
    assert any("at odds over how severe a problem is (times 0.37" in c for c in fit.concerns)


@pytest.mark.parametrize(("contact", "told"), [(1.0, True), (0.2, False)])
def test_where_all_is_known_by_reports_the_silent_are_spoken_of(contact: float, told: bool) -> None:
    """Left at each purchase: 3 % too few at .1 reports a purchase, 10 % at .3 (simulated)."""
    true = a_shop({"type:late": -1.4}, per_purchase=0.25, contact=contact)
    fit = IncidentBGNBD.fit(
        open_shop(true, np.full(3000, 60.0), 1).histories, {"type:late": (-1.4, 1.0)}
    )
    assert told == any("Who has left reports nothing" in c for c in fit.concerns)


def test_hours_and_outcomes_that_are_not_known_count_as_the_mean_of_the_others() -> None:
    h = shop("separate").histories
    some = np.arange(h.incidents) % 2 == 0
    partly = replace(
        h, hours=np.where(some, np.nan, h.hours), resolved=np.where(some, np.nan, h.resolved)
    )
    fit = IncidentBGNBD.fit(partly, PRIOR)
    handling = fit.model.handling
    assert handling.typical_lateness == pytest.approx(Handling().lateness(h.hours[~some]).mean())
    assert handling.typical_unresolved == pytest.approx(1 - h.resolved[~some].mean())
    assert any("how long the answer took" in c for c in fit.concerns)
    assert any("whether it was resolved" in c for c in fit.concerns)
    whole = fitted("separate")
    for name in ("type:late", "unresolved"):
        assert abs(far(fit, name, whole.parameters[name])) < 3
