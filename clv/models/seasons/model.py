"""Seasonal purchases: BG/NBD and MBG/NBD in operational time.

Assumptions: those of the plain model, but while alive a customer buys at rate λ·s(d) on calendar
day d, with one season index s for all. Dropout happens at purchases only, so it does not know the
calendar, and the whole process is the plain one in operational time τ
(:mod:`clv.models.seasons.season`).
The density of the purchase times in calendar time is that in operational time times Π s(d_i), so

    ln L = Σ_i ln L_plain(θ | x_i, τ(last_i) − τ(first_i), τ(end) − τ(first_i)) + Σ_m K_m ln s_m,

with K_m the repeat purchases of all customers in season m. Pareto/NBD has no such form: its
customers leave in calendar time.

A time change makes any intensity plain: Daley, D. J. and Vere-Jones, D. (2003), An Introduction to
the Theory of Point Processes, volume I, 2nd ed., section 7.4.
https://doi.org/10.1007/b97277
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import expit

from clv.arrays import Floats, Rows
from clv.errors import HistoryError, RequestError
from clv.history import DAYS_PER_UNIT, Histories, Unit
from clv.models.base import Derivatives, Number
from clv.models.beta_geometric import BetaGeometric
from clv.models.seasons.season import Days, Season, days_by_season

__all__ = ["SeasonalLikelihood", "SeasonalModel"]


@dataclass(frozen=True, eq=False)
class SeasonalModel:
    """A purchase model in operational time, and the season that makes that time.

    Parameters
    ----------
    base : BGNBD or MBGNBD
        The model in operational time.
    season : Season
        How busy each season of the year is.
    end : date
        Last day of observation: every history (x, t_x, T) ends there.
    unit : {"day", "week"}
        Unit of recency, T and the parameters.

    Examples
    --------
    >>> from clv import BGNBD
    >>> busy = Season.proportional("month", [1] * 11 + [3])
    >>> shop = SeasonalModel(BGNBD(.5, 60., .8, 2.5), busy, date(2024, 11, 30), "day")
    >>> december = shop.expected_purchases("2024-12-01", "2024-12-31", x=3, t_x=200, T=300)
    >>> january = shop.expected_purchases("2025-01-01", "2025-01-31", x=3, t_x=200, T=300)
    >>> round(float(december), 3), round(float(january), 3)
    (0.536, 0.164)
    """

    base: BetaGeometric
    season: Season
    end: date
    unit: Unit

    def ahead(self, day: Days) -> Floats:
        """Operational time from the end of observation to the end of a later day, in `unit`."""
        return self.season.elapsed(self.end, day) / DAYS_PER_UNIT[self.unit]

    def operational(self, t_x: Number, T: Number) -> tuple[Floats, Floats]:
        """Recency and T in operational time.

        Parameters
        ----------
        t_x, T : float or array_like
            Recency and T in calendar time: whole days, in `unit`.

        Returns
        -------
        t_x, T : float or ndarray

        Raises
        ------
        HistoryError
            Where they are not whole days: then the purchases have no calendar day.
        """
        big_t, last = (whole_days(v, self.unit, name) for v, name in ((T, "T"), (t_x, "recency")))
        first = np.datetime64(self.end, "D") - big_t.astype("timedelta64[D]")
        length = DAYS_PER_UNIT[self.unit]
        return (
            self.season.elapsed(first, first + last.astype("timedelta64[D]")) / length,
            self.season.elapsed(first, self.end) / length,
        )

    def p_alive(self, x: Number, t_x: Number, T: Number) -> Floats:
        """P(still a customer at the end of observation | x, t_x, T in calendar time)."""
        return self.base.p_alive(x, *self.operational(t_x, T))

    def expected_purchases(
        self, first: Days, last: Days, x: Number = 0, t_x: Number = 0, T: Number = 0
    ) -> Floats:
        """Expected purchases on the calendar days from `first` to `last`, both included.

        Parameters
        ----------
        first, last : date or "YYYY-MM-DD"
            Days after the end of observation.
        x, t_x, T : float or array_like
            History of each customer in calendar time; by default a customer whose first purchase
            is on the last day of observation.

        Returns
        -------
        float or ndarray

        Raises
        ------
        RequestError
            Where the days are not in order, or not all after the end of observation.
        """
        day, until = (np.asarray(v, dtype="datetime64[D]") for v in (first, last))
        if not ((day > np.datetime64(self.end, "D")).all() and (day <= until).all()):
            raise RequestError(
                f"Purchases are expected on days after the end of observation ({self.end}), the "
                f"first day before the last; got {day} to {until}."
            )
        recency, big_t = self.operational(t_x, T)
        expected = self.base.expected_purchases_if_alive
        inside = expected(self.ahead(until), x, big_t) - expected(self.ahead(day - 1), x, big_t)
        return self.base.p_alive(x, recency, big_t) * inside

    def simulate(
        self, first: Days, rng: np.random.Generator
    ) -> tuple[Rows, npt.NDArray[np.datetime64]]:
        """Draw the days with a purchase of new customers, up to the end of observation.

        Given (x, t_x), the x − 1 repeats before the last are uniform in operational time. Several
        purchases of a customer on one day are one, as they are in a log.

        Parameters
        ----------
        first : array_like of dates, shape (n,)
            Day of each customer's first purchase, not after the end of observation.
        rng : numpy.random.Generator
            Source of the randomness.

        Returns
        -------
        customer : ndarray of int
            Which customer bought, 0 to n − 1, in order.
        day : ndarray of datetime64[D]
            When; the first purchases are among them.

        Examples
        --------
        >>> from clv import BGNBD
        >>> shop = SeasonalModel(
        ...     BGNBD(.5, 60., .8, 2.5), Season.flat("month"), date(2024, 12, 31), "day")
        >>> customer, day = shop.simulate(["2024-01-01"] * 3, np.random.default_rng(1))
        >>> bool((np.unique(customer) == [0, 1, 2]).all() and (day >= np.datetime64("2024")).all())
        True
        """
        born = np.atleast_1d(np.asarray(first, dtype="datetime64[D]"))
        late = int((born > np.datetime64(self.end, "D")).sum())
        if late:
            raise RequestError(
                f"{late:,} of {len(born):,} customers first buy after the end of observation "
                f"({self.end})."
            )
        origin = born.min()
        clock = self.season.clock(origin, np.datetime64(self.end, "D"))
        at = (born - origin).astype(np.intp)
        length = DAYS_PER_UNIT[self.unit]
        x, t_x = self.base.simulate((clock[-1] - clock[at]) / length, rng)
        count = x.astype(np.intp)
        who = np.repeat(np.arange(len(born)), count)
        share = rng.random(len(who))
        share[np.cumsum(count)[count > 0] - 1] = 1.0  # the last of each is at t_x
        time = clock[at[who]] + share * t_x[who] * length
        # Time τ(d−1) < t ≤ τ(d) is on day d. Rounding must not carry the last past the end, nor
        # the first repeat back to the day of the first purchase.
        day = np.clip(np.searchsorted(clock, time), at[who] + 1, len(clock) - 1)
        key = np.unique(
            np.concatenate([np.arange(len(born)), who]) * len(clock) + np.concatenate([at, day])
        )
        customer, on = np.divmod(key, len(clock))
        return customer, origin + on.astype("timedelta64[D]")


class SeasonalLikelihood:
    """The log-likelihood of dated histories, exact to second order in (ln θ, ln s).

    Parameters
    ----------
    model : type of BGNBD or MBGNBD
        The model in operational time.
    histories : Histories
        In calendar time, of whole days, with the end of observation.
    repeats : array_like, shape (seasons,)
        Repeat purchases of all customers in each season.
    index : {"month", "week"}
        What a season is.

    Notes
    -----
    A history of whole days with a known end has known dates: first = end − T, last = first + t_x.
    Its operational times are linear in s, t_x = D_l s and T = D_e s, with D the days of each season
    between those dates; so every derivative in s is one of the plain likelihood in t_x and T times
    rows of D. Histories share dates: sums over histories are taken between pairs of days first.
    """

    def __init__(
        self,
        model: type[BetaGeometric],
        histories: Histories,
        repeats: npt.ArrayLike,
        index: str,
    ) -> None:
        if histories.end is None:
            raise HistoryError(
                "These histories have no end of observation, so their purchases have no calendar "
                "days. Make them with clv.histories(orders, end=...)."
            )
        self.model, self.histories, self.index = model, histories, index
        T = whole_days(histories.T, histories.unit, "T")
        recency = whole_days(histories.recency, histories.unit, "recency")
        n, span = len(T), int(T.max())
        last_day = np.datetime64(histories.end, "D")
        length = DAYS_PER_UNIT[histories.unit]
        self.days = days_by_season(last_day - span, last_day, index) / length
        self.repeats = np.asarray(repeats, dtype=float)
        total = float(histories.weight @ histories.frequency)
        if abs(self.repeats.sum() - total) > 1e-6 * max(total, 1):
            raise HistoryError(
                f"The histories have {total:,.0f} repeat purchases and the seasons "
                f"{self.repeats.sum():,.0f}: they are not of the same orders up to the same end."
            )
        first = span - T
        self.to_last = _between(first, first + recency, span)
        self.to_end = _between(first, np.full(n, span), span)

    def operational(self, season: Floats) -> Histories:
        """The histories in operational time, at an index of any mean."""
        clock = self.days @ season
        return replace(self.histories, recency=self.to_last @ clock, T=self.to_end @ clock)

    def at(self, log_theta: Floats, log_season: Floats) -> Derivatives:
        """Log-likelihood with gradient and Hessian in (ln θ, ln s), shapes (4 + seasons,)."""
        theta, s = np.exp(log_theta), np.exp(log_season)
        h = self.operational(s)
        value, g_theta, h_theta = self.model.likelihood(theta, h)
        d = _time_derivatives(self.model, theta, h)
        by_day = self.to_last.T @ d.t + self.to_end.T @ d.T
        g_s = self.days.T @ by_day
        cross = self.days.T @ (self.to_last.T @ d.t_theta + self.to_end.T @ d.T_theta)
        pairs = (
            self.to_last.T @ _scaled(self.to_last, d.t_t)
            + self.to_last.T @ _scaled(self.to_end, d.both)
            + self.to_end.T @ _scaled(self.to_last, d.both)
            + self.to_end.T @ _scaled(self.to_end, d.T_T)
        )
        h_s = self.days.T @ (pairs @ self.days)
        # From θ and s to their logarithms: f'' → f'' · vv' + diag(f' · v).
        k = len(theta)
        v, g = np.concatenate([theta, s]), np.concatenate([g_theta, g_s])
        hessian = np.block([[h_theta, cross.T], [cross, h_s]]) * np.outer(v, v) + np.diag(g * v)
        gradient = g * v
        gradient[k:] += self.repeats
        return Derivatives(value + float(self.repeats @ log_season), gradient, hessian)


@dataclass(frozen=True, eq=False)
class _TimeDerivatives:
    """First and second derivatives of each n ln L in t_x, T, both, and with θ; shapes (n, …)."""

    t: Floats
    T: Floats
    t_t: Floats
    both: Floats
    T_T: Floats
    t_theta: Floats
    T_theta: Floats


def _time_derivatives(model: type[BetaGeometric], theta: Floats, h: Histories) -> _TimeDerivatives:
    """Derive ln(e^u + e^w) as in :meth:`BetaGeometric.likelihood`, in time instead of θ alone.

    u = −y ln(α+T) of those alive and w = ln a − ln c − y ln(α+t_x) of those who left, y = r + x,
    c = b + x + o − 1; q = e^w/(e^u + e^w) is the probability of having left.
    """
    r, alpha, a, b = theta
    y, bt, bT, n = r + h.frequency, alpha + h.recency, alpha + h.T, h.weight
    chances = h.frequency + model.chances_before_repeat
    could_leave = chances > 0
    c = np.where(could_leave, b + chances - 1, 1.0)
    ln_odds = math.log(a) - np.log(c) + y * np.log(bT / bt)
    q = np.where(could_leave, expit(ln_odds), 0.0)
    u_T, w_t, mixed = -y / bT, -y / bt, q * (1 - q)
    # w_θ − u_θ, and the derivatives of u_T and w_t in θ: neither knows a and b.
    e = np.stack([np.log(bT / bt), y / bT - y / bt, np.full_like(c, 1 / a), -1 / c], axis=1)
    none = np.zeros_like(c)
    u_Tv = np.stack([-1 / bT, y / bT**2, none, none], axis=1)
    w_tv = np.stack([-1 / bt, y / bt**2, none, none], axis=1)
    stay = 1 - q
    return _TimeDerivatives(
        t=n * q * w_t,
        T=n * stay * u_T,
        t_t=n * (q * y / bt**2 + mixed * w_t**2),
        both=-n * mixed * u_T * w_t,
        T_T=n * (stay * y / bT**2 + mixed * u_T**2),
        t_theta=n[:, None] * (q[:, None] * w_tv + (mixed * w_t)[:, None] * e),
        T_theta=n[:, None] * (stay[:, None] * u_Tv - (mixed * u_T)[:, None] * e),
    )


def whole_days(times: Number, unit: Unit, name: str) -> Rows:
    """Return times as whole days; refuse those that are not, for they have no calendar dates."""
    days = np.asarray(times, dtype=float) * DAYS_PER_UNIT[unit]
    whole = np.rint(days)
    if not (np.abs(days - whole) < 1e-6).all():
        wrong = int((np.abs(days - whole) >= 1e-6).sum())
        raise HistoryError(
            f"{wrong:,} of {days.size:,} values of {name} are not whole days, so their purchases "
            "have no calendar day and no season. Make histories with clv.histories(orders)."
        )
    return np.asarray(whole.astype(np.intp))


def _between(start: Rows, end: Rows, span: int) -> csr_array:
    """A row for each history with −1 at one day and +1 at another: differences of a clock."""
    n = len(start)
    row = np.tile(np.arange(n), 2)
    sign = np.repeat([-1.0, 1.0], n)
    return csr_array((sign, (row, np.concatenate([start, end]))), shape=(n, span + 1))


def _scaled(rows: csr_array, by: Floats) -> csr_array:
    """Each row times a number."""
    scaled = rows.copy()
    scaled.data = scaled.data * np.repeat(by, np.diff(rows.indptr))
    return scaled
