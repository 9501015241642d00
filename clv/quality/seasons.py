"""Seasons: calendar months with far more purchases, or far fewer, than the mean month.

Of every calendar month of which at least 20 days were seen, the number of purchases is explained by

    ln E(purchases) = ln days + growth + month of the year,

where growth is a smooth curve, c + c₁ t + c₂ t² + c₃ ln t with t the months since the log began
(ln t for the first months of a log, when hardly any customer has been seen before), and the twelve
months of the year have an effect each, of mean factor 1. Counts vary by more than chance (Poisson):
by how much is told by how unlike the same month is in different years, which the curve and the
months leave unexplained. So whatever happens once, such as a campaign, adds to what is unexplained
and not to the season. Months of the year are told apart where the F-test of quasi-likelihood
(McCullagh & Nelder 1989, section 9.2) rejects that all twelve are alike at one in a thousand; a
season matters where a month besides has 1.25 times the purchases of the mean month, or 1/1.25.

A thousand simulated shops without a season of each kind, with logs of 24, 36 and 60 months, had it
thus often at most: in none, of shops that are steady (600 or 30 purchases a month), grow, double
every year, win customers evenly from nothing, or lose a cohort; in 0.1 %, where days or months vary
by more than chance (coefficients of variation 0.7 and 0.25); in 0.7 %, where a month that is 20 %
off has a neighbour that is 14 % off; in 1.1 %, with a campaign each half-year that makes three
times as many purchases for two weeks, at any time of the year.
"""

from __future__ import annotations

import calendar
import math
from datetime import date
from typing import Any

import numpy as np
from scipy.special import fdtrc

from clv.arrays import Floats
from clv.quality.report import FINE, LOOK, Finding
from clv.transactions.orders import Orders
from clv.transactions.report import counted
from clv.transactions.summary import CustomerHistories

__all__ = ["season"]

FEWEST_MONTHS = 24
FEWEST_DAYS = 20
"""Of a month at the log's start or end, for it to count."""

FEWEST_PURCHASES = 20.0
"""A month on average, below which nothing is said (assumed)."""

STRONG = 1.25
"""Factor, or its inverse, from which a month matters to a forecast (assumed)."""

LOW = 0.5
"""Factor below which a month is told of besides those that stand out above."""

SHOWN = 3

SURE = 1e-3
"""The p-value below which months of the year are told apart."""

ADVICE = (
    "The models of a book know no season: what they expect is even over the year, and where the "
    "log ends at the height of the season, or at its low, they take that for usual and the whole "
    "year comes out too high, or too low. Learn the season and forecast with it: "
    "docs/how-to/seasonality.md."
)


def season(orders: Orders, found: CustomerHistories) -> Finding | None:
    """Say whether some months of the year have far more purchases than others; None: too short.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    seen = orders.days.filter(orders.days["date"] <= found.end)
    per_day = seen.group_by("date").aggregate(orders=seen.count()).order_by("date")
    table = orders.opened.collect(per_day)
    days = table["date"].to_numpy().astype("datetime64[D]")
    counts = table["orders"].to_numpy().astype(float)
    purchases, exposed, first = by_month(days, counts, found.end)
    if len(purchases) < FEWEST_MONTHS:
        return None
    figures: dict[str, Any] = {"months": len(purchases), "factors": None, "p_value": None}
    if purchases.mean() < FEWEST_PURCHASES:
        told = f"{purchases.mean():.0f} purchases in the mean month are too few to tell a season."
        return Finding("season", FINE, told, "", figures)
    factors, p_value = seasonal_factors(purchases, exposed, first)
    if not np.isfinite(factors).all():
        return Finding("season", FINE, "Purchases come in too few months to tell.", "", figures)
    named = {calendar.month_name[i + 1]: round(float(f), 3) for i, f in enumerate(factors)}
    figures |= {"factors": named, "p_value": p_value}
    of_months = f"({counted(len(purchases), 'calendar month')}, growth and chance allowed for)"
    strong = [
        (name, f)
        for name, f in sorted(named.items(), key=lambda one: -one[1])
        if not 1 / STRONG < f < STRONG
    ]
    if p_value >= SURE or not strong:
        return Finding("season", FINE, f"No month stands out every year {of_months}.", "", figures)
    high = [(name, f"{f:.1f}") for name, f in strong if f > 1][:SHOWN]
    low = [(name, f"{f:.2f}") for name, f in reversed(strong) if f < (LOW if high else 1)][:SHOWN]
    told = " and ".join(
        f"{name} has {factor} times" if i == 0 else f"{name} {factor} times"
        for i, (name, factor) in enumerate((*high, *low))
    )
    return Finding(
        "season",
        LOOK,
        f"Purchases have a season: {told} the purchases of the mean month {of_months}.",
        ADVICE,
        figures,
    )


def by_month(days: Any, counts: Floats, end: date) -> tuple[Floats, Floats, int]:
    """Add up the purchases of each calendar month, and the days of it that were seen.

    Parameters
    ----------
    days : ndarray of datetime64[D], shape (n,)
        Days with purchases, ascending.
    counts : ndarray, shape (n,)
        Purchases on them.
    end : date
        Last day of observation.

    Returns
    -------
    purchases, days : ndarray, shape (months,)
    first : int
        Month of the year of the first, from 0.

    Examples
    --------
    >>> days = np.array(["2022-01-12", "2022-01-31", "2022-02-01"], dtype="datetime64[D]")
    >>> by_month(days, np.array([2.0, 1.0, 5.0]), date(2022, 2, 28))
    (array([3., 5.]), array([20., 28.]), 0)
    """
    last = np.datetime64(end, "D")
    months = np.arange(days[0].astype("datetime64[M]"), last.astype("datetime64[M]") + 1)
    begin = np.maximum(months.astype("datetime64[D]"), days[0])
    stop = np.minimum((months + 1).astype("datetime64[D]") - 1, last)
    exposed = (stop - begin).astype(float) + 1
    purchases = np.bincount(
        (days.astype("datetime64[M]") - months[0]).astype(int), counts, len(months)
    )
    whole = exposed >= FEWEST_DAYS
    first = int(months[whole][0].astype(int)) % 12 if whole.any() else 0  # 1970-01 is month 0
    return purchases[whole], exposed[whole], first


def seasonal_factors(purchases: Floats, exposed: Floats, first: int) -> tuple[Floats, float]:
    """Factor of each month of the year beside their mean, and the p-value of all being 1.

    Parameters
    ----------
    purchases, exposed : ndarray, shape (months,)
        Of months in a row, at least 24: purchases, and days seen.
    first : int
        Month of the year of the first, from 0.

    Returns
    -------
    factors : ndarray, shape (12,)
        nan where they cannot be told.
    p_value : float

    Examples
    --------
    >>> three_years = np.tile([100.0] * 11 + [300.0], 3) + np.tile([0.0, 9.0], 18)
    >>> factors, p_value = seasonal_factors(three_years, np.full(36, 30.0), 0)
    >>> round(float(factors[11]), 1), p_value < 1e-6
    (2.6, True)
    """
    t = np.arange(len(purchases)) + 0.5
    far = t / t[-1]
    growth = np.column_stack([np.ones_like(t), far, far**2, np.log(t)])
    of_year = (np.arange(len(t)) + first) % 12
    months = np.eye(12)[of_year][:, 1:] - np.eye(12)[of_year][:, :1]
    everything = np.column_stack([growth, months])
    flat, full = (_poisson(x, purchases, exposed) for x in (growth, everything))
    if flat is None or full is None:
        return np.full(12, np.nan), 1.0
    free = len(t) - everything.shape[1]
    mean = full[1]
    scale = max(1.0, float(((purchases - mean) ** 2 / mean).sum()) / free)
    drop = _deviance(purchases, flat[1]) - _deviance(purchases, mean)
    effects = full[0][growth.shape[1] :]
    factors = np.exp(np.append(-effects.sum(), effects))
    return factors / factors.mean(), float(fdtrc(11, free, max(drop, 0.0) / 11 / scale))


def _poisson(x: Floats, n: Floats, exposed: Floats) -> tuple[Floats, Floats] | None:
    """Coefficients and means of a log-linear model of counts, by reweighted least squares."""
    mean = n + 0.5
    before = math.inf
    for _ in range(100):
        weight = np.sqrt(mean)[:, None]
        aim = np.log(mean / exposed) + (n - mean) / mean
        found = np.linalg.lstsq(weight * x, weight[:, 0] * aim, rcond=None)[0]
        with np.errstate(over="ignore"):
            mean = exposed * np.exp(np.clip(x @ found, -30, 30))
        deviance = _deviance(n, mean)
        if not math.isfinite(deviance):
            return None
        if abs(before - deviance) < 1e-8 * (1 + deviance):
            return np.asarray(found), mean
        before = deviance
    return None


def _deviance(n: Floats, mean: Floats) -> float:
    logs = np.where(n > 0, n * np.log(np.where(n > 0, n, 1.0) / mean), 0.0)
    return float(2 * (logs - (n - mean)).sum())
