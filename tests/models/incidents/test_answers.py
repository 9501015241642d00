"""What a model with incidents says of customers, against shops run event by event."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.errors import ParameterError, RequestError, UnknownNameError
from clv.history import Histories
from clv.incident_history import IncidentHistories
from clv.models.bg_nbd import BGNBD
from clv.models.incidents.answers import FutureIncidents
from clv.models.incidents.covariates import Handling
from clv.models.incidents.likelihood import Link
from clv.models.incidents.model import IncidentBGNBD
from clv.models.incidents.simulation import IncidentProcess
from tests.reference.incident_shop import Seen, Shop, open_shop

Floats = npt.NDArray[np.float64]

# Assumed for the tests: the size of the policy's defaults (recommender.md).
THETA = {
    "type:late": -1.9,
    "type:defective": -1.2,
    "severity": 0.5,
    "earlier_purchases": -0.35,
    "earlier_incident": 0.8,
    "lateness": 0.6,
    "unresolved": 0.7,
}
BASE = (0.5, 5.0, 0.8, 4.0)
CUSTOMERS, WEEKS, AHEAD = 8000, 80.0, 40.0


def theta(link: Link) -> dict[str, float]:
    """The coefficients; with the shared link ω is about 1, an incident like a purchase."""
    more = 1.5 if link == "shared" else 0.0
    return {n: v + more * n.startswith("type:") for n, v in THETA.items()}


def model(link: Link) -> IncidentBGNBD:
    return IncidentBGNBD(*BASE, theta(link), link)


def shop(link: Link) -> Shop:
    return Shop(*BASE, theta(link), shared=link == "shared")


def z_score(difference: Floats) -> float:
    return float(difference.mean() / (difference.std() / math.sqrt(len(difference))))


def seen(link: Link, seed: int, *, later_incidents: bool) -> Seen:
    return open_shop(
        shop(link), np.full(CUSTOMERS, WEEKS), seed, ahead=AHEAD, later_incidents=later_incidents
    )


@pytest.mark.parametrize("link", ["separate", "shared"])
def test_as_many_are_alive_and_buy_as_is_said(link: Link) -> None:
    """Shops run until T and on; a z-score beyond 4 has a chance of 1 in 16,000."""
    went_on = seen(link, 3, later_incidents=False)
    says = model(link)
    p = says.p_alive(went_on.histories)
    assert abs(z_score(went_on.alive - p)) < 4
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 1.01)):
        some = (p >= low) & (p < high)
        assert some.sum() > 300
        assert abs(z_score((went_on.alive - p)[some])) < 4
    expected = says.expected_purchases(AHEAD, went_on.histories)
    assert abs(z_score(went_on.later - expected)) < 4
    ignoring = BGNBD(*BASE).p_alive(
        went_on.histories.frequency, went_on.histories.recency, went_on.histories.T
    )
    assert abs(z_score(went_on.alive - ignoring)) > 10  # the test would see it


def test_silence_of_those_who_would_have_complained_is_not_used_and_costs_a_point() -> None:
    """As docs/explanation/incident_bg_nbd.md says: all incidents known by complaint alone."""
    true = Shop(*BASE, THETA, contact=1.0)
    went_on = open_shop(true, np.full(CUSTOMERS, WEEKS), 8)
    h = went_on.histories
    says = model("separate")
    there = np.concatenate([went_on.alive, went_on.plain_alive]).mean()
    plain = says.base.p_alive(h.plain.frequency, h.plain.recency, h.plain.T) @ h.plain.weight
    said = (says.p_alive(h).sum() + plain) / h.customers
    assert 0 < said - there < 0.02


@pytest.mark.parametrize("link", ["separate", "shared"])
def test_incidents_to_come_are_counted(link: Link) -> None:
    went_on = seen(link, 4, later_incidents=True)
    says = model(link)
    future = says.future_incidents(went_on.histories)
    assert future.per_purchase == pytest.approx(0.12, abs=0.01)  # Shop.per_purchase
    with_them = says.expected_purchases(AHEAD, went_on.histories, future=future)
    assert abs(z_score(went_on.later - with_them)) < 4
    assert (with_them < says.expected_purchases(AHEAD, went_on.histories)).all()


@pytest.mark.parametrize("link", ["separate", "shared"])
def test_the_own_simulation_is_that_of_the_shop(link: Link) -> None:
    """Means of what was seen, in two simulations of the same assumptions."""
    process = IncidentProcess(
        0.12,
        {"late": 0.5, "defective": 0.5},
        delay=1.0,
        severities=(0.5, 0.3, 0.15, 0.05),
        handle=lambda rng, severity, _: {
            "hours": rng.exponential(20, len(severity)),
            "resolved": (rng.random(len(severity)) < 0.8).astype(float),
        },
    )
    T = np.full(CUSTOMERS, WEEKS)
    own = model(link).simulate(T, np.random.default_rng(1), process)
    other = seen(link, 5, later_incidents=True).histories
    assert own.customers == other.customers == CUSTOMERS

    def figures(h: IncidentHistories) -> list[Floats]:
        some = np.bincount(h.incident_customer, minlength=len(h.T)).astype(float)
        plain = np.repeat(h.plain.frequency, h.plain.weight.astype(int))
        return [
            h.frequency, plain, h.recency, some, h.time, h.severity, h.earlier_purchases,
            h.earlier_incident,
        ]  # fmt: skip

    for one, two in zip(figures(own), figures(other), strict=True):
        error = math.sqrt(one.var() / len(one) + two.var() / len(two))
        assert abs(one.mean() - two.mean()) < 4.5 * error


def test_reported_incidents_happen_to_those_who_are_there() -> None:
    process = IncidentProcess(0.1, {"late": 1.0}, delay=5.0, contact=1.0)
    true = IncidentBGNBD(*BASE, {"type:late": -1.0})
    h = true.simulate(np.full(4000, 80.0), np.random.default_rng(2), process)
    assert h.contact.all()
    operations = true.simulate(
        np.full(4000, 80.0), np.random.default_rng(2), IncidentProcess(0.1, {"late": 1.0}, delay=5)
    )
    assert h.incidents < 0.9 * operations.incidents


few = settings(max_examples=30, deadline=None)
customers = st.tuples(st.integers(0, 40), st.floats(1, 200))
dropouts = st.floats(0, 1)


@few
@given(customer=customers, q=st.floats(0, 1), pi=dropouts, t=st.floats(0, 300))
def test_more_incidents_to_come_mean_fewer_purchases(
    customer: tuple[int, float], q: float, pi: float, t: float
) -> None:
    x, T = customer
    says = model("separate")
    none = says.expected_purchases_if_alive(t, x, T)
    assert none == pytest.approx(BGNBD(*BASE).expected_purchases_if_alive(t, x, T), rel=1e-12)
    some, more = (
        says.expected_purchases_if_alive(t, x, T, future=FutureIncidents(q * share, pi))
        for share in (0.5, 1)
    )
    slack = 1e-9 * (1 + none)
    assert more <= some + slack
    assert some <= none + slack


@few
@given(customer=customers, t=st.floats(0.1, 300), exponent=st.integers(1, 4))
def test_incidents_like_purchases_are_purchases_with_more_chances_to_leave(
    customer: tuple[int, float], t: float, exponent: int
) -> None:
    """ω whole and an incident with every purchase: one leaves with 1 − (1 − p)^(1+ω).

    By a mean over p drawn on a fine grid of quantiles, which does not use the package's rule.
    """
    x, T = customer
    says = model("shared")
    future = FutureIncidents(1.0, exponents=(float(exponent),))
    found = says.expected_purchases_if_alive(t, x, T, future=future)
    from scipy.stats import beta

    p = beta.ppf((np.arange(40_000) + 0.5) / 40_000, BASE[2], BASE[3] + x)
    gone = -np.expm1((1 + exponent) * np.log1p(-p))
    R, A = BASE[0] + x, BASE[1] + T
    expected = np.mean(-np.expm1(-R * np.log1p(gone * t / A)) / np.maximum(gone, 1e-300))
    assert found == pytest.approx(expected, rel=2e-3)


@few
@given(customer=customers, q=st.floats(0.01, 1), pi=st.floats(0.01, 1), link=st.booleans())
def test_without_discount_discounted_purchases_are_purchases(
    customer: tuple[int, float], q: float, pi: float, link: bool
) -> None:
    x, T = customer
    says = model("shared" if link else "separate")
    future = FutureIncidents(q, exponents=(pi, 2 * pi)) if link else FutureIncidents(q, pi)
    for ahead in (1.0, 60.0):
        purchases = says.expected_purchases_if_alive(ahead, x, T, 0.7, future=future)
        counted = says.discounted_purchases_if_alive(
            x, T, 0.7, rate=0, horizon=ahead, future=future
        )
        assert counted == pytest.approx(purchases, rel=1e-9)
    less = says.discounted_purchases_if_alive(x, T, 0.7, rate=0.01, horizon=60.0, future=future)
    assert less < counted
    forever = says.discounted_purchases_if_alive(x, T, 0.7, rate=0.01, future=future)
    assert forever >= less * (1 - 1e-12)  # those who leave at their next purchase buy it soon


def test_discounted_purchases_of_histories_are_those_alive_times_p_alive() -> None:
    went_on = seen("shared", 6, later_incidents=True)
    h, says = went_on.histories, model("shared")
    found = says.discounted_expected_transactions(h, rate=0.002, horizon=100)
    alive = says.discounted_purchases_if_alive(
        h.frequency, h.T, says.survived_exponent(h), rate=0.002, horizon=100
    )
    assert found == pytest.approx(says.p_alive(h) * alive, rel=1e-12)


# -- what is asked of one incident -----------------------------------------------------------------


def test_an_incident_that_is_asked_about_is_one_of_the_log() -> None:
    h = seen("separate", 7, later_incidents=True).histories
    says = model("separate")
    for code, kind in enumerate(h.kinds):
        some = h.kind == code
        asked = says.incident_dropout(
            kind,
            severity=h.severity[some],
            earlier_purchases=h.earlier_purchases[some],
            earlier_incident=h.earlier_incident[some],
            hours=h.hours[some],
            resolved=h.resolved[some],
        )
        assert asked == pytest.approx(says.dropout_at_incidents(h)[some], rel=1e-12)


def test_the_policys_worked_figures_of_dropout() -> None:
    """recommender.md, "Defaults": base .30 with severity, purchases and an earlier incident."""
    says = IncidentBGNBD(
        *BASE,
        {
            "type:any": math.log(0.3 / 0.7), "earlier_purchases": -0.35, "earlier_incident": 0.8,
        },
    )  # fmt: skip
    found = says.incident_dropout(
        "any",
        earlier_purchases=[5, 20, 5, 5],
        earlier_incident=[0, 0, math.exp(-10 / 60), math.exp(-180 / 60)],
    )
    assert found == pytest.approx([0.1863, 0.1287, 0.3106, 0.1924], abs=5e-5)


def test_goodwill_that_is_asked_about_has_its_effect_and_no_reasons() -> None:
    both = {"type:any": -1.0, "goodwill": -0.4, "goodwill_selection": -2.0}
    found = IncidentBGNBD(*BASE, both).incident_dropout("any", goodwill_ratio=1.0)
    assert found == pytest.approx(1 / (1 + math.exp(1 + 0.4 * math.log(2))), rel=1e-12)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"severity": 5}, "severity lies from 1 to 4"),
        ({"goodwill_ratio": -0.1, "hours": -1}, "(?s)Goodwill/loss.*1 more fault.*Hours"),
        ({"earlier_purchases": math.nan}, "Earlier purchases"),
    ],
)
def test_impossible_incidents_are_refused(asked: dict[str, float], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        model("separate").incident_dropout("late", **asked)


def test_a_type_without_a_coefficient_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'defectiv'.*Did you mean 'defective'"):
        model("separate").incident_dropout("defectiv")
    h = IncidentHistories.from_arrays(
        Histories.from_arrays([1], [2], [9]), [1], [2], [9], incident_customer=[0], time=[3],
        contact=[False], kind=[0], kinds=["mistreated"],
    )  # fmt: skip
    with pytest.raises(UnknownNameError, match="mistreated"):
        model("separate").p_alive(h)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"r": -1, "a": 0}, "(?s)r > 0.*1 more fault.*a > 0"),
        ({"coefficients": {"type:late": math.inf}}, "must be finite"),
        ({"coefficients": {"severity": 1.0}}, "no coefficient of a type"),
        ({"coefficients": {"type:late": 0.0, "colour": 1.0}}, "no coefficient 'colour'"),
        ({"link": "none"}, "link is 'separate' or 'shared'"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, Any], told: str) -> None:
    whole = dict(zip(("r", "alpha", "a", "b"), BASE, strict=True)) | {"coefficients": THETA}
    with pytest.raises(ParameterError, match=told):
        IncidentBGNBD(**(whole | parameters))


def test_bad_handling_and_futures_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"(?s)slow_share.*1 more fault.*half_life"):
        Handling(slow_share=2, half_life_hours=0)
    with pytest.raises(ParameterError, match="per_purchase"):
        FutureIncidents(1.2)
    with pytest.raises(ParameterError, match="add up to 1"):
        IncidentProcess(0.1, {"late": 0.5})
    with pytest.raises(RequestError, match="horizon"):
        model("separate").discounted_purchases_if_alive(
            2, 30, rate=0, future=FutureIncidents(0.1, 0.2)
        )
