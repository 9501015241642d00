"""BG/CNBD-k and MBG/CNBD-k: exact against mpmath, BG/NBD at k = 1, true to first principles."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1
from scipy.stats import gamma

from clv.errors import RequestError
from clv.history import Histories
from clv.models.bg_cnbd import BGCNBD
from clv.models.bg_nbd import BGNBD
from clv.models.condensed_beta_geometric import CondensedBetaGeometric
from clv.models.mbg_cnbd import MBGCNBD
from clv.models.mbg_nbd import MBGNBD
from tests.reference import cnbd_mpmath as reference
from tests.reference.cnbd_grid import KS, PURCHASES, stored
from tests.reference.cnbd_mpmath import Case

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-8
SMALLEST = 1e-300
"""Below this a double loses digits and then vanishes; the difference must vanish too."""

GRID = stored()

few = settings(max_examples=settings().max_examples * 2 // 5)  # 20 of 50
positive = st.floats(math.log(0.05), math.log(20)).map(math.exp)


def model(c: Case) -> CondensedBetaGeometric:
    kind: type[CondensedBetaGeometric] = MBGCNBD if c.o else BGCNBD
    return kind(c.r, c.alpha, c.a, c.b, k=c.k)


def faults(found: list[tuple[Case, float, Any]]) -> list[str]:
    """The cases that miss the exact answer, said so that one can be run again."""
    return [
        f"{value!r}, not {mp.nstr(exact, 12)}: {c}"
        for c, value, exact in found
        if not (value >= 0 and abs(mp.mpf(value) - exact) <= TOLERANCE * exact + SMALLEST)
    ]


# -- against mpmath --------------------------------------------------------------------------------


def test_the_grid_holds_the_edges_that_it_is_made_for() -> None:
    cases = [answered.case for answered in GRID]
    assert len(cases) >= 250
    assert {c.k for c in cases} == set(KS)
    assert {c.o for c in cases} == {0, 1}
    assert {c.x for c in cases} == set(PURCHASES)
    assert sum(c.a == 1 for c in cases) >= 20
    assert sum(0 < abs(c.a - 1) < 1e-2 for c in cases) >= 15
    assert sum(c.x == 0 and abs(c.a + c.b - 1) < 1e-8 for c in cases) >= 15
    assert sum(c.t_x == c.T > 0 for c in cases) >= 20
    assert sum(c.t == 10_000 for c in cases) >= 20
    assert sum(c.t == 1e-6 for c in cases) >= 20
    for name in ("r", "alpha", "a", "b"):
        values = [getattr(c, name) for c in cases]
        assert min(values) == 0.01
        assert max(values) == 1000


def test_p_alive_is_the_share_of_the_alive_in_the_likelihood() -> None:
    assert not faults(
        [(c, float(model(c).p_alive(c.x, c.t_x, c.T)), said["p_alive"]) for c, said in GRID]
    )


def test_expected_purchases_of_the_alive_are_the_sum_over_phases() -> None:
    assert not faults(
        [
            (c, float(model(c).expected_purchases_if_alive(c.t, c.x, c.T, c.t_x)), said)
            for c, said in ((c, answers["expected_purchases"]) for c, answers in GRID)
        ]
    )


def test_survival_is_the_sum_over_phases() -> None:
    assert not faults(
        [
            (c, float(model(c).survival_if_alive(c.t, c.x, c.T, c.t_x)), said["survival"])
            for c, said in GRID
        ]
    )


def test_log_likelihood_is_that_of_erlang_times() -> None:
    # Relative to the likelihood where |ln L| < 1, to its logarithm elsewhere.
    missed = []
    for c, _ in GRID:
        # Gaps as unequal as 1 : 2 : 3 …, the last to t_x.
        gaps = np.arange(1, c.x + 1) * 2 * c.t_x / max(1, c.x * (c.x + 1))
        log_gaps = float(np.log(gaps).sum())
        value = float(model(c).log_likelihood(c.x, c.t_x, c.T, log_gaps))
        exact = reference.log_likelihood(c, log_gaps)
        if not abs(mp.mpf(value) - exact) <= TOLERANCE * max(1, abs(exact)):
            missed.append(f"{value!r}, not {mp.nstr(exact, 12)}: {c}")
    assert not missed


@pytest.mark.parametrize("n", [0, 1, 2, 7, 60])
def test_pmf_is_the_sum_over_phases(n: int) -> None:
    cases = [c for c, _ in GRID if (c.r + c.k * c.x) * c.t < 100 * (c.alpha + c.T)][n % 3 :: 3]
    assert len(cases) >= 40

    def want(c: Case) -> Any:
        alive = reference.p_alive(c)
        return alive * reference.pmf_if_alive(c, n) + (1 - alive if n == 0 else 0)

    assert not faults([(c, float(model(c).pmf(n, c.t, c.x, c.t_x, c.T)), want(c)) for c in cases])


# -- laws ------------------------------------------------------------------------------------------


@st.composite
def customers(draw: st.DrawFn, *, k: int | None = None) -> Case:
    """Any customer of either model; the time ahead up to thrice the time so far."""
    r, alpha, a, b = (draw(positive) for _ in range(4))
    x = draw(st.integers(0, 30))
    T = draw(positive) * 10 if x else draw(st.just(0.0) | positive)
    t_x = T * draw(st.floats(0.01, 1)) if x else 0.0
    t = (T + alpha) * draw(st.floats(0.01, 3))
    k = k or draw(st.integers(1, 12))
    return Case(r, alpha, a, b, k, draw(st.integers(0, 1)), x, t_x, T, t)


@few
@given(c=customers(k=1))
def test_with_k_1_it_is_bg_nbd_or_mbg_nbd(c: Case) -> None:
    kind: type[BGNBD | MBGNBD] = MBGNBD if c.o else BGNBD
    plain, condensed = kind(c.r, c.alpha, c.a, c.b), model(c)
    history = c.x, c.t_x, c.T
    # A log-likelihood may be 0: certain, of a customer seen no time at all.
    ll = plain.log_likelihood(*history)
    assert condensed.log_likelihood(*history) == pytest.approx(ll, rel=1e-10, abs=1e-12)
    for name, arguments in (
        ("p_alive", history),
        ("expected_purchases", (c.t, *history)),
        ("expected_purchases_if_alive", (c.t, c.x, c.T)),
        ("survival_if_alive", (c.t, c.x, c.T)),
        ("pmf", (np.arange(12), c.t, *history)),
    ):
        want = getattr(plain, name)(*arguments)
        assert getattr(condensed, name)(*arguments) == pytest.approx(want, rel=1e-10, abs=1e-290), (
            name
        )
    for horizon in (c.t, math.inf):
        terms = {"rate": 0.01, "horizon": horizon}
        want = plain.discounted_expected_transactions(*history, **terms)
        got = condensed.discounted_expected_transactions(*history, **terms)
        assert got == pytest.approx(want, rel=1e-10, abs=1e-290)


@settings(max_examples=15)
@given(c=customers())
def test_pmf_sums_to_1_and_to_the_expected_purchases(c: Case) -> None:
    n = np.arange(60_000 // c.k)
    p = model(c).pmf(n, c.t, c.x, c.t_x, c.T)
    assert (p >= 0).all()
    tail = p[-1] * len(n)  # r as low as .05: the last counts may still matter
    assert p.sum() == pytest.approx(1, abs=1e-9 + tail)
    if tail < 1e-12:
        mean = float(model(c).expected_purchases(c.t, c.x, c.t_x, c.T))
        assert n @ p == pytest.approx(mean, rel=1e-9)


@few
@given(c=customers())
def test_survival_falls_and_purchases_rise_with_time(c: Case) -> None:
    t = c.t * np.arange(5)
    alive = model(c).survival_if_alive(t, c.x, c.T, c.t_x)
    bought = model(c).expected_purchases_if_alive(t, c.x, c.T, c.t_x)
    assert alive[0] == pytest.approx(1, abs=1e-14)
    assert (alive <= 1).all()
    assert (np.diff(alive) <= 1e-12).all()
    assert bought[0] == 0
    assert (np.diff(bought) >= -1e-12 * bought[-1]).all()


@few
@given(c=customers(), rate=st.floats(0.001, 0.1))
def test_discounting_is_by_parts_what_it_is_of_the_expectation(c: Case, rate: float) -> None:
    """∫ e^(−δs) dM(s) = e^(−δh) M(h) + δ ∫ e^(−δs) M(s) ds, M from the expectations."""
    m = model(c)
    z, w = np.polynomial.legendre.leggauss(200)
    s, ds = c.t * (z + 1) / 2, c.t * w / 2
    M = m.expected_purchases_if_alive(np.append(s, c.t), c.x, c.T, c.t_x)
    want = math.exp(-rate * c.t) * M[-1] + rate * float(ds @ (np.exp(-rate * s) * M[:-1]))
    got = m.discounted_purchases_if_alive(c.x, c.T, c.t_x, rate=rate, horizon=c.t)
    assert got == pytest.approx(want, rel=1e-7)


@pytest.mark.parametrize("k", [1, 2, 5, 12])
def test_discounting_without_horizon_is_the_laplace_transform(k: int) -> None:
    """A phase at rate λ is worth φ = λ/(λ+δ), and Σ q_n φ^(nk) = φ^k 2F1(1, b+1; a+b+1; φ^k)."""
    r, alpha, a, b, rate = 1.7, 12.0, 0.9, 1.6, 0.02

    def given_rate(rate_of_phases: float) -> float:
        phi = (rate_of_phases / (rate_of_phases + rate)) ** k
        return float(
            phi * hyp2f1(1, b + 1, a + b + 1, phi) * gamma.pdf(rate_of_phases, r, 0, 1 / alpha)
        )

    want = quad(given_rate, 0, 5, points=[0.01, 0.1, 0.5], limit=200, epsabs=1e-12, epsrel=1e-11)[0]
    got = MBGCNBD(r, alpha, a, b, k=k).discounted_purchases_if_alive(rate=rate)
    assert got == pytest.approx(want, rel=1e-8)


def test_without_discount_and_horizon_purchases_are_the_mean_of_1_over_p() -> None:
    # (a + B − 1)/(a − 1) with B = b + x + 1, whatever k: all phases come in the end.
    answers = [
        MBGCNBD(0.5, 3.0, 2.5, 1.6, k=k).discounted_purchases_if_alive(4, 50.0, 30.0, rate=0)
        for k in (1, 3, 12)
    ]
    assert answers == pytest.approx([(2.5 + 6.6 - 1) / 1.5] * 3, rel=1e-12)
    with pytest.raises(RequestError, match="some customers never leave"):
        MBGCNBD(0.5, 3.0, 1.0, 1.6, k=3).discounted_purchases_if_alive(rate=0)
    with pytest.raises(RequestError, match="cannot be negative"):
        MBGCNBD(0.5, 3.0, 2.0, 1.6, k=3).discounted_purchases_if_alive(rate=-0.1)


def test_without_recency_the_answer_is_the_mean_over_it() -> None:
    k, x, T, t = 3, 2, 20.0, 6.0
    m = MBGCNBD(0.8, 6.0, 0.9, 2.4, k=k)
    R = m.r + k * x

    def density(t_x: float) -> float:
        """Of t_x and alive, up to a constant: t_x^(kx−1) Σ_j (R)_j (T−t_x)^j / (j! (α+T)^j)."""
        ahead = (T - t_x) / (m.alpha + T)
        terms = sum(
            math.exp(gammaln(R + j) - gammaln(R)) * ahead**j / math.factorial(j) for j in range(k)
        )
        return float(t_x ** (k * x - 1) * terms)

    whole = quad(density, 0, T)[0]
    for name, extra in (("expected_purchases_if_alive", (t,)), ("survival_if_alive", (t,))):
        answer = getattr(m, name)
        want = quad(lambda u: density(u) * float(answer(*extra, x, T, u)), 0, T)[0] / whole  # noqa: B023
        assert answer(*extra, x, T) == pytest.approx(want, rel=1e-8)


def test_without_the_gaps_the_likelihood_is_the_mean_over_them() -> None:
    m, t_x, T = BGCNBD(0.8, 6.0, 0.9, 2.4, k=4), 12.0, 20.0

    def with_first_at(u: float) -> float:
        return math.exp(float(m.log_likelihood(2, t_x, T, math.log(u) + math.log(t_x - u))))

    mean = quad(with_first_at, 0, t_x)[0] / t_x
    assert m.log_likelihood(2, t_x, T) == pytest.approx(math.log(mean), rel=1e-9)
    once = m.log_likelihood(1, t_x, T)
    assert once == pytest.approx(float(m.log_likelihood(1, t_x, T, math.log(t_x))), rel=1e-12)


@few
@given(theta=st.tuples(positive, positive, positive, positive), k=st.integers(1, 12))
def test_score_and_hessian_are_the_slopes_of_value_and_score(
    theta: tuple[float, ...], k: int
) -> None:
    rng = np.random.default_rng(3)
    T = rng.uniform(10, 60, 40)
    for kind in (BGCNBD, MBGCNBD):
        family = kind.with_k(k)
        x, t_x = kind(0.5, 4.0 / k, 0.8, 2.4, k=k).simulate(T, rng)
        h = Histories.from_arrays(x, t_x, T)
        at, point, steps = family.likelihood(np.array(theta), h), np.array(theta), np.eye(4) * 1e-5
        up = [family.likelihood(point * (1 + step), h) for step in steps]
        down = [family.likelihood(point * (1 - step), h) for step in steps]
        score = [(u.value - d.value) / 2e-5 for u, d in zip(up, down, strict=True)]
        assert point * at.gradient == pytest.approx(score, rel=1e-5, abs=1e-4)
        slopes = np.array([(u.gradient - d.gradient) / 2e-5 for u, d in zip(up, down, strict=True)])
        scale = np.outer(point, point)
        assert scale * at.hessian == pytest.approx(slopes * point, rel=1e-5, abs=1e-5)
        assert (at.hessian == at.hessian.T).all()


@pytest.mark.parametrize("kind", [BGCNBD, MBGCNBD])
def test_likelihoods_of_many_parameters_are_those_of_each(
    kind: type[CondensedBetaGeometric],
) -> None:
    rng = np.random.default_rng(9)
    T = np.append(rng.uniform(10, 60, 200), 0.0)
    m = kind(0.5, 2.0, 0.8, 2.4, k=3)
    x, t_x = m.simulate(T, rng)
    h = Histories.from_arrays(x, t_x, T, log_gaps=m.simulate_log_gaps(x, t_x, rng))
    thetas = np.exp(rng.uniform(-3, 3, (1200, 4)))  # more than one chunk of them
    one_by_one = [kind.with_k(3).likelihood(theta, h).value for theta in thetas]
    assert kind.with_k(3).log_likelihoods(thetas, h) == pytest.approx(one_by_one, rel=1e-12)


# -- first principles ------------------------------------------------------------------------------


def drawn_one_by_one(
    m: CondensedBetaGeometric, T: float, customers: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """(x, t_x, log_gaps) by the assumptions: gap after gap is gamma(k, λ), coin after coin is p."""
    rate, p = rng.gamma(m.r, 1 / m.alpha, customers), rng.beta(m.a, m.b, customers)
    x, t_x, log_gaps = np.zeros((3, customers))
    stays = np.ones(customers, dtype=bool)
    if m.chances_before_repeat:
        stays = rng.random(customers) > p
    while stays.any():
        gap = rng.gamma(m.k, 1 / rate)
        stays &= t_x + gap <= T
        x, t_x = np.where(stays, x + 1, x), np.where(stays, t_x + gap, t_x)
        log_gaps = np.where(stays, log_gaps + np.log(gap), log_gaps)
        stays &= rng.random(customers) > p
    return x, t_x, log_gaps


@pytest.mark.parametrize("kind", [BGCNBD, MBGCNBD])
@pytest.mark.parametrize("k", [1, 3])
def test_answers_and_draws_are_those_of_the_assumptions(
    kind: type[CondensedBetaGeometric], k: int
) -> None:
    m, T, n = kind(1.2, 2.0, 0.9, 2.4, k=k), 15.0, 200_000
    rng = np.random.default_rng(11)
    slow = drawn_one_by_one(m, T, n, rng)
    x, t_x = m.simulate(np.full(n, T), rng)
    gaps = m.simulate_log_gaps(x, t_x, rng)
    # A mean of 200,000 draws lies within 4.5 of its standard errors.
    for one, other in zip(slow, (x, t_x, gaps), strict=True):
        error = math.hypot(one.std(), other.std()) / math.sqrt(n)
        assert one.mean() == pytest.approx(other.mean(), abs=4.5 * error)
        error = math.hypot((one**2).std(), (other**2).std()) / math.sqrt(n)
        assert (one**2).mean() == pytest.approx((other**2).mean(), abs=4.5 * error)
    bought = m.simulate_purchases(np.full(n, T), rng)
    for some in (slow[0], bought):
        error = some.std() / math.sqrt(n)
        assert some.mean() == pytest.approx(float(m.expected_purchases(T)), abs=4.5 * error)
        for count in range(6):
            share, p = (some == count).mean(), float(m.pmf(count, T))
            assert share == pytest.approx(p, abs=4.5 * math.sqrt(p * (1 - p) / n))


def test_the_future_of_those_with_one_history_is_what_the_model_says() -> None:
    """Of customers observed to T with x = 2, some are alive: how many buy how much up to T + t."""
    m, T, t, n = MBGCNBD(1.2, 2.0, 0.9, 2.4, k=3), 10.0, 8.0, 160_000
    whole = np.random.default_rng(5)
    rate, p = whole.gamma(m.r, 1 / m.alpha, n), whole.beta(m.a, m.b, n)
    at = np.cumsum(whole.gamma(m.k, 1 / rate[:, None], (n, 60)), axis=1)
    stays = np.cumprod(whole.random((n, 60)) > p[:, None], axis=1).astype(bool)
    bought = stays & (at < T + t)  # the first coin is tossed at the first purchase
    before = bought & (at < T)
    those = before.sum(axis=1) == 2
    t_x = at[those, 1]
    ahead = (bought & ~before)[those].sum(axis=1)
    want = m.expected_purchases(t, 2, t_x, T)
    error = ahead.std() / math.sqrt(those.sum())
    assert those.sum() > 10_000
    assert ahead.mean() == pytest.approx(want.mean(), abs=4.5 * error)
    # The overdue and the fresh are told apart: counts regress on expectations with slope 1.
    about = want - want.mean()
    slope, spread = about @ ahead / (about @ about), ahead.std() / math.sqrt(about @ about)
    assert slope == pytest.approx(1, abs=4.5 * spread)
    assert 4.5 * spread < 0.5
    drawn = m.simulate_purchases(t, whole, 2.0, t_x, T)
    assert drawn.mean() == pytest.approx(want.mean(), abs=4.5 * error)
