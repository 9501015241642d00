"""Seasons of the year: an index of how busy each is, and the operational time that it makes.

A season index s has one value for each month (or week) of the year and mean 1 over an average year
of 365.25 days: s = 1.8 in December says that customers buy 1.8 times as fast as in an average
month. Operational time runs s(d) days on calendar day d,

    τ(d) − τ(c) = Σ s(j),   c < j ≤ d,

so that with a flat index it is calendar time. A customer who buys at rate λ·s in calendar time buys
at the constant rate λ in operational time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats, Rows
from clv.errors import ParameterError, RequestError

__all__ = ["Season", "days_by_season", "season_names", "season_of", "year_shares"]

Days = date | npt.ArrayLike
"""Calendar days: a date, "2024-01-31", or an array of either or of datetime64[D]."""


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS_OF_MONTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
WEEKS = 52
LEAP_WEEK = 8
"""The week from 26 February, which 29 February belongs to; counted from 0."""


def season_names(index: str) -> tuple[str, ...]:
    """Names of the seasons: months, or the first days of the weeks as "12-24".

    Week k of the year begins 7(k − 1) days after 1 January of a year without a leap day, whatever
    weekday that is, so that a date is in the same week every year; 29 February belongs to the week
    of 28 February, and 31 December to the 52nd.

    >>> season_names("month")[11], season_names("week")[:2]
    ('December', ('01-01', '01-08'))
    """
    if index == "month":
        return MONTHS
    if index == "week":
        first = np.datetime64("2001-01-01", "D") + 7 * np.arange(WEEKS)  # 2001 has no leap day
        return tuple(str(day)[5:] for day in first)
    raise RequestError(f"The season index is {index!r}; it must be 'month' or 'week'.")


def year_shares(index: str) -> Floats:
    """Share of each season in an average year of 365.25 days; they sum to 1."""
    season_names(index)
    if index == "month":
        return DAYS_OF_MONTH / 365.25
    days = np.full(WEEKS, 7.0)
    days[LEAP_WEEK] += 0.25
    days[-1] += 1
    return days / 365.25


def season_of(days: Days, index: str) -> Rows:
    """Season of each calendar day, counted from 0.

    >>> season_of(["2023-01-01", "2024-02-29", "2024-12-31"], "week").tolist()
    [0, 8, 51]
    """
    season_names(index)
    day = np.asarray(days, dtype="datetime64[D]")
    month = day.astype("datetime64[M]")
    number = month.astype(np.intp) % 12
    if index == "month":
        return np.asarray(number)
    before = np.concatenate([[0], np.cumsum(np.floor(DAYS_OF_MONTH))])[number].astype(np.intp)
    of_month = np.minimum((day - month).astype(np.intp), np.where(number == 1, 27, 30))
    return np.asarray(np.minimum((before + of_month) // 7, WEEKS - 1))


def days_by_season(first: np.datetime64, last: np.datetime64, index: str) -> Floats:
    """Days of each season in (first, d], for every day d from `first` to `last`.

    Returns
    -------
    ndarray, shape (days, seasons)
        Row 0, of `first` itself, is 0.
    """
    days = np.arange(first, last, dtype="datetime64[D]") + 1
    seen = np.zeros((len(days) + 1, len(season_names(index))))
    seen[np.arange(1, len(seen)), season_of(days, index)] = 1
    return np.cumsum(seen, axis=0)


@dataclass(frozen=True, eq=False)
class Season:
    """How busy each season of the year is, and the operational time that follows.

    Parameters
    ----------
    index : {"month", "week"}
        What a season is; see :func:`season_names` for the weeks.
    values : array_like, shape (12,) or (52,)
        The index of each season: positive, mean 1 over an average year.

    Raises
    ------
    ParameterError
        Where a value is missing or not positive, or their mean is not 1.

    Examples
    --------
    >>> season = Season.proportional("month", [1] * 11 + [2])
    >>> round(float(season.values[11] / season.values[0]), 6)
    2.0
    >>> round(float(Season.flat("week").elapsed("2024-01-31", "2024-03-01")), 9)
    30.0
    """

    index: str
    values: Floats

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float)
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        count = len(self.names)
        faults = []
        if values.shape != (count,):
            raise ParameterError(
                f"An index by {self.index} has {count} values; got shape {values.shape}."
            )
        bad = [n for n, v in zip(self.names, values, strict=True) if not (np.isfinite(v) and v > 0)]
        if bad:
            faults.append(
                f"A season index is positive; {len(bad)} of {count} values are not: "
                f"{', '.join(bad[:3])}"
            )
        elif abs(mean := float(year_shares(self.index) @ values) - 1) > 1e-9:
            faults.append(
                f"A season index has mean 1 over a year of 365.25 days; got {1 + mean:g}. "
                "Season.proportional scales one."
            )
        if faults:
            raise ParameterError.of(faults)

    @classmethod
    def proportional(cls, index: str, values: npt.ArrayLike) -> Season:
        """Scale positive values, one a season, to mean 1 over a year."""
        given = np.asarray(values, dtype=float)
        shares = year_shares(index)
        mean = float(shares @ given) if given.shape == shares.shape else 1.0
        return cls(index, given / mean)

    @classmethod
    def flat(cls, index: str) -> Season:
        """The index without seasons."""
        return cls(index, np.ones(len(season_names(index))))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the seasons, in the order of `values`."""
        return season_names(self.index)

    def on(self, days: Days) -> Floats:
        """The index on each calendar day."""
        return self.values[season_of(days, self.index)]

    def elapsed(self, start: Days, end: Days) -> Floats:
        """Operational days from the end of calendar day `start` to the end of day `end`.

        Parameters
        ----------
        start, end : date or array_like of dates
            Calendar days that broadcast; negative where `end` is before `start`.

        Returns
        -------
        float or ndarray
        """
        a, b = np.broadcast_arrays(
            np.asarray(start, dtype="datetime64[D]"), np.asarray(end, dtype="datetime64[D]")
        )
        if not a.size:
            return np.zeros(a.shape)
        origin = min(a.min(), b.min())
        clock = self.clock(origin, max(a.max(), b.max()))
        return np.asarray(
            clock[(b - origin).astype(np.intp)] - clock[(a - origin).astype(np.intp)]
        )[()]

    def clock(self, first: np.datetime64, last: np.datetime64) -> Floats:
        """Operational time at the end of every day from `first`, where it is 0, to `last`."""
        # From counts of days, not a running sum of s: a flat index gives whole days to the bit.
        return np.asarray(days_by_season(first, last, self.index) @ self.values)
