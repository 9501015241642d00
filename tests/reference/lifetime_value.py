"""The value of one customer, slowly: integrals over λ, p and ν, and a calendar of its own.

The package integrates λ and time out in closed form and sums over p in the engine's units. Here
the textbook's expectation is integrated twice by adaptive quadrature, expected spend is the mean
of the posterior by a third quadrature, and days are counted with the calendar alone.
"""

from __future__ import annotations

import calendar
import math
from datetime import date
from itertools import pairwise

import numpy as np
from scipy import integrate, stats
from scipy.special import beta, gammaln

from clv.models.bg_nbd import BGNBD
from clv.models.gamma_gamma import GammaGamma

DAYS_PER_YEAR = 365.25


def days_ahead(end: date, months: int) -> int:
    """Days from `end` to the same day so many calendar months later, or to that month's last."""
    years, month = divmod(end.month - 1 + months, 12)
    year, month = end.year + years, month + 1
    day = min(end.day, calendar.monthrange(year, month)[1])
    return date(year, month, day).toordinal() - end.toordinal()


def p_alive(model: BGNBD, x: int, t_x: float, T: float) -> float:
    """1 / (1 + a/(b + x − 1) ((α + T)/(α + t_x))^(r + x)): the alive share of equation (6)."""
    if x == 0:
        return 1.0
    grown = math.pow((model.alpha + T) / (model.alpha + t_x), model.r + x)
    return 1 / (1 + model.a / (model.b + x - 1) * grown)


def discounted_purchases(model: BGNBD, x: int, T: float, *, rate: float, horizon: float) -> float:
    """E[λ (1 − e^(−(δ + λp) h)) / (δ + λp) | alive at T], over λ inside and p outside."""
    shape, scale = model.r + x, model.alpha + T
    a, b = model.a, model.b + x

    def given_p(p: float) -> float:
        def density(u: float) -> float:  # λ = u / (α + T), so that u is of the order of r + x
            lost = rate + u / scale * p
            ahead = -math.expm1(-lost * horizon) / lost if lost * horizon > 1e-12 else horizon
            log_weight = shape * math.log(u) - u - float(gammaln(shape))
            return math.exp(log_weight) / scale * ahead

        far = shape + 40 * math.sqrt(shape) + 60
        pieces = [0.0, min(1e-3, shape / 2), shape, far]
        return sum(
            integrate.quad(density, low, high, epsabs=0, epsrel=1e-11, limit=400)[0]
            for low, high in pairwise(pieces)
        )

    # The weight p^(a−1) (1−p)^(b−1) is singular at 0 for a < 1: QAWS takes it exactly.
    total, _ = integrate.quad(
        given_p, 0, 1, weight="alg", wvar=(a - 1, b - 1), epsabs=0, epsrel=1e-10, limit=400
    )
    return float(total / beta(a, b))


def expected_spend(model: GammaGamma, k: int, mean: float) -> float:
    """E[p/ν | k purchases of this mean], ν ~ Gamma(q + pk, v + k·mean)."""
    posterior = stats.gamma(a=model.q + model.p * k, scale=1 / (model.v + k * mean))
    inside, _ = integrate.quad(
        lambda ln_nu: model.p * float(posterior.pdf(np.exp(ln_nu))),  # p/ν · pdf · ν d(ln ν)
        math.log(float(posterior.mean())) - 12,
        math.log(float(posterior.mean())) + 4,
        epsabs=0, epsrel=1e-10, limit=400,
    )  # fmt: skip
    return float(inside)


def value_if_alive(
    purchases: BGNBD,
    spend: GammaGamma,
    *,
    x: int,
    T: float,
    k: int,
    mean: float,
    margin: float,
    annual_rate: float,
    end: date,
    months: int,
    days_per_unit: int,
) -> float:
    """Margin on the purchases of so many calendar months, discounted to `end`."""
    rate = math.log(1 + annual_rate) * days_per_unit / DAYS_PER_YEAR
    horizon = days_ahead(end, months) / days_per_unit
    bought = discounted_purchases(purchases, x, T, rate=rate, horizon=horizon)
    return margin * expected_spend(spend, k, mean) * bought
