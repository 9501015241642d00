"""Counts of subscribers by how long they stayed: what a model of contracts is fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import HistoryError, rows_at_fault

__all__ = ["SurvivalCounts"]


@dataclass(frozen=True, eq=False)
class SurvivalCounts:
    """How many subscribers left at each age, and how many were still there when last seen.

    Attributes
    ----------
    left : ndarray, shape (k,)
        left[t − 1] subscribers left at the end of their t-th period.
    stayed : ndarray, shape (k,)
        stayed[t − 1] subscribers were seen for t periods and then were still there.

    Examples
    --------
    >>> SurvivalCounts.from_survivors([1000, 869, 743, 653]).left
    array([131., 126.,  90.])
    """

    left: Floats
    stayed: Floats

    unit: ClassVar[str] = "period"
    end: ClassVar[date | None] = None

    def __post_init__(self) -> None:
        for field in ("left", "stayed"):
            object.__setattr__(self, field, np.asarray(getattr(self, field), dtype=float))
        shapes = {self.left.shape, self.stayed.shape}
        if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
            raise HistoryError(
                "left and stayed need one number for each age, 1, 2, …; got shapes "
                f"{self.left.shape} and {self.stayed.shape}."
            )
        faults = []
        for what, counts in (("left", self.left), ("stayed", self.stayed)):
            bad = np.flatnonzero(~(np.isfinite(counts) & (counts >= 0)))
            if len(bad):
                ages = ", ".join(str(i + 1) for i in bad[:3])
                faults.append(
                    f"{what} has {len(bad)} negative or missing counts (first ages: {ages})"
                )
        if faults:
            raise HistoryError.of(faults)
        if not self.left.sum() + self.stayed.sum() > 0:
            raise HistoryError("There are no subscribers: all counts are 0.")

    @property
    def customers(self) -> int:
        """How many subscribers were counted."""
        return int(self.left.sum() + self.stayed.sum())

    @classmethod
    def from_survivors(cls, *cohorts: npt.ArrayLike) -> SurvivalCounts:
        """Counts from how many of a cohort are there at the start and after 1, 2, … periods.

        Parameters
        ----------
        *cohorts : array_like of int
            For each cohort how many were won, then how many of them were left after each period.
            Cohorts may be of different ages.

        Raises
        ------
        HistoryError
            Where a count is not a whole number, or more are there than the period before.

        Examples
        --------
        >>> both = SurvivalCounts.from_survivors([1000, 869, 743, 653], [500, 430])
        >>> both.left, both.stayed
        (array([201., 126.,  90.]), array([430.,   0., 653.]))
        """
        counts = [np.atleast_1d(np.asarray(c, dtype=float)) for c in cohorts]
        faults = [
            f"cohort {i}: {fault}" for i, c in enumerate(counts, start=1) for fault in _faults(c)
        ]
        if not counts:
            faults = ["there is no cohort"]
        if faults:
            raise HistoryError.of(
                faults,
                then="A cohort is how many were won, then how many were there after each period.",
            )
        ages = max(len(c) for c in counts) - 1
        left, stayed = np.zeros(ages), np.zeros(ages)
        for c in counts:
            left[: len(c) - 1] -= np.diff(c)
            stayed[len(c) - 2] += c[-1]
        return cls(left, stayed)

    @classmethod
    def from_arrays(
        cls,
        periods: npt.ArrayLike,
        left: npt.ArrayLike,
        *,
        weights: npt.ArrayLike | None = None,
    ) -> SurvivalCounts:
        """Counts from one value a subscriber.

        Parameters
        ----------
        periods : array_like of int, shape (customers,)
            Periods paid for, at least 1.
        left : array_like of bool, shape (customers,)
            Whether the subscriber left at the end of them; where not, the subscriber renewed.
        weights : array_like, shape (customers,), optional
            Subscribers that each row stands for; 1 if not given.

        Raises
        ------
        HistoryError
            Where a row is impossible, naming the rows.

        Examples
        --------
        >>> SurvivalCounts.from_arrays([1, 3, 3], [True, False, True]).left
        array([1., 0., 1.])
        """
        t, gone = np.atleast_1d(np.asarray(periods, dtype=float)), np.atleast_1d(np.asarray(left))
        n = np.ones(t.shape) if weights is None else np.atleast_1d(np.asarray(weights, dtype=float))
        if t.ndim != 1 or not t.shape == gone.shape == n.shape or not len(t):
            raise HistoryError(
                "periods, left (and weights) need one value a subscriber; got shapes "
                f"{t.shape}, {gone.shape} and {n.shape}."
            )
        rules = {
            "a number of periods that is not whole, or below 1": ~((t >= 1) & (t == np.floor(t)))
            | np.isinf(t),
            "a `left` that is neither true nor false": ~np.isin(gone, [0, 1]),
            "a weight that is not positive": ~((n > 0) & np.isfinite(n)),
        }
        faults = [
            fault
            for what, broken in rules.items()
            for fault in rows_at_fault(broken, what, "subscribers")
        ]
        if faults:
            raise HistoryError.of(faults)
        at, is_gone = t.astype(np.intp) - 1, gone.astype(bool)
        ages = int(t.max())
        return cls(
            np.asarray(np.bincount(at, n * is_gone, minlength=ages), dtype=float),
            np.asarray(np.bincount(at, n * ~is_gone, minlength=ages), dtype=float),
        )


def _faults(cohort: Floats) -> list[str]:
    """What is wrong with the survivors of one cohort."""
    if cohort.ndim != 1 or len(cohort) < 2:
        return [f"it needs the number won and at least one later count; got {cohort.size} numbers"]
    is_whole = np.isfinite(cohort) & (cohort >= 0) & (cohort == np.floor(cohort))
    faults = []
    if not is_whole.all():
        i = int(np.argmin(is_whole))
        faults.append(f"{cohort[i]:g} after {i} periods is not a whole number of subscribers")
    rising = np.flatnonzero(np.diff(cohort) > 0)
    if len(rising):
        i = int(rising[0])
        faults.append(
            f"{cohort[i + 1]:g} are there after {i + 1} periods but only {cohort[i]:g} after {i}; "
            "someone who comes back belongs to a new cohort"
        )
    if cohort[0] == 0:
        faults.append("nobody was won")
    return faults
