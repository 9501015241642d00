"""Histories of a simulated shop, counted from its purchase days without the toolkit's engine."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from clv.history import DAYS_PER_UNIT, Histories
from clv.models.seasons.season import season_names, season_of

CHRISTMAS = (0.8, 0.7, 0.9, 1.0, 1.1, 0.9, 0.7, 0.6, 0.9, 1.1, 1.5, 2.2)
"""An index invented for the tests: quiet in summer, busy before Christmas."""


def counted(
    customer: npt.NDArray[np.intp],
    day: npt.NDArray[np.datetime64],
    *,
    end: date,
    unit: str,
    index: str,
) -> tuple[Histories, npt.NDArray[np.float64]]:
    """Histories up to an end, and the repeat purchases in each season."""
    seen = day <= np.datetime64(end, "D")
    customer, day = customer[seen], day[seen]
    _, first, count = np.unique(customer, return_index=True, return_counts=True)
    begin, last = day[first], day[first + count - 1]  # sorted by customer, then day
    length = DAYS_PER_UNIT[unit]
    h = Histories.from_arrays(
        count - 1,
        (last - begin).astype(float) / length,
        (np.datetime64(end, "D") - begin).astype(float) / length,
        unit=unit,
        end=end,
    )
    repeat = np.ones(len(day), dtype=bool)
    repeat[first] = False
    seasons = len(season_names(index))
    return h, np.bincount(season_of(day[repeat], index), minlength=seasons).astype(float)


def arrivals(n: int, first: str, last: str, rng: np.random.Generator) -> npt.NDArray[np.datetime64]:
    """Days of first purchases, even over a period and on each of its ends."""
    a, b = np.datetime64(first, "D"), np.datetime64(last, "D")
    days = a + rng.integers(0, int((b - a).astype(int)) + 1, n).astype("timedelta64[D]")
    days[:2] = a, b
    return np.asarray(days)
