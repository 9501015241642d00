"""Purchase histories: the models' only input.

A likelihood needs the distinct histories and how many customers share each, never the customers
themselves. :class:`Histories` holds those patterns: (x, t_x, T) for the purchase models, (x, m)
for the spend model. It knows nothing of files, dates or engines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats, sort_rows
from clv.errors import HistoryError, rows_at_fault

__all__ = [
    "DAYS_PER_UNIT",
    "Floats",
    "Histories",
    "SpendPatterns",
    "Unit",
    "check",
    "distinct",
]

Unit = str
"""Unit of recency, T and every time a model speaks of: "day" or "week" (seven days); "period"
where opportunities to buy are counted, whatever time lies between them."""

DAYS_PER_UNIT = {"day": 1.0, "week": 7.0}
"""Days of each unit that is a length of time."""


@dataclass(frozen=True, eq=False)
class SpendPatterns:
    """Distinct (number of repeat transactions with spend, their mean value) and their counts.

    Attributes
    ----------
    frequency : ndarray, shape (k,)
        Repeat transactions with a positive value, at least 1.
    mean_value : ndarray, shape (k,)
        Mean value of those transactions, positive, in the currency of the orders.
    weight : ndarray, shape (k,)
        Customers with that pattern.
    """

    frequency: Floats
    mean_value: Floats
    weight: Floats

    @property
    def customers(self) -> int:
        """How many customers have spend to learn from."""
        return int(self.weight.sum())


@dataclass(frozen=True, eq=False, repr=False)
class Histories:
    """Distinct purchase histories and how many customers share each.

    Attributes
    ----------
    frequency, recency, T : ndarray, shape (n,)
        x, repeat transactions; t_x, time from the first to the last; T, time from the first to
        the end of observation. Sorted by (frequency, recency, T), each triple once.
    weight : ndarray, shape (n,)
        Customers with that history.
    spend : SpendPatterns or None
        Values of the repeat transactions, where they are known.
    unit : str
        "day", "week" or "period": the unit of recency and T.
    end : date or None
        The last day of observation.
    log_gaps : float or None
        Sum, over all customers, of the logarithms of the times between their purchases, in `unit`:
        all that a model of regular customers needs of these times. None where it is not known.
    """

    frequency: Floats
    recency: Floats
    T: Floats
    weight: Floats
    spend: SpendPatterns | None = None
    unit: Unit = "day"
    end: date | None = None
    log_gaps: float | None = None

    def __len__(self) -> int:
        """Return the number of distinct histories."""
        return len(self.frequency)

    def __repr__(self) -> str:
        """Say how many there are and of what, not the arrays.

        >>> Histories.from_arrays([2, 0, 0], [30.43, 0, 0], [38.86, 38.86, 38.86], unit="week")
        <Histories: 3 customers, 1 of them bought again; 2 distinct, in weeks>
        """
        end = f" to {self.end}" if self.end else ""
        return (
            f"<{type(self).__name__}: {self.customers:,} customers{end}, "
            f"{self.repeat_customers:,} of them bought again; {len(self):,} distinct, "
            f"in {self.unit}s>"
        )

    @property
    def customers(self) -> int:
        """How many customers these histories stand for."""
        return int(self.weight.sum())

    @property
    def repeat_customers(self) -> int:
        """How many of them bought again."""
        return int(self.weight[self.frequency > 0].sum())

    def with_log_gaps(self) -> Histories:
        """Return these histories with `log_gaps`, where there is something to learn it from."""
        return self

    @classmethod
    def from_arrays(
        cls,
        frequency: npt.ArrayLike,
        recency: npt.ArrayLike,
        T: npt.ArrayLike,
        monetary_value: npt.ArrayLike | None = None,
        *,
        spend_frequency: npt.ArrayLike | None = None,
        weights: npt.ArrayLike | None = None,
        unit: Unit = "day",
        end: date | None = None,
        log_gaps: npt.ArrayLike | None = None,
    ) -> Histories:
        """Histories from one value a customer: what `lifetimes` users have in a summary table.

        Parameters
        ----------
        frequency, recency, T : array_like, shape (customers,)
            Repeat transactions, time from first to last, time from first to end of observation.
        monetary_value : array_like, shape (customers,), optional
            Mean value of the repeat transactions; 0 or nan where there are none.
        spend_frequency : array_like, shape (customers,), optional
            Of how many transactions `monetary_value` is the mean; `frequency` if not given.
        weights : array_like, shape (customers,), optional
            Customers that each row stands for; 1 if not given.
        unit : {"day", "week", "period"}
            The unit of recency and T; "period" where opportunities are counted (BG/BB).
        end : date, optional
            The last day of observation.
        log_gaps : array_like, shape (customers,), optional
            Sum of the logarithms of the times between the customer's purchases, in `unit`; 0 for
            those who did not buy again.

        Raises
        ------
        HistoryError
            Where a history is impossible, naming the rows.

        Examples
        --------
        >>> h = Histories.from_arrays([2, 0, 0], [30.43, 0, 0], [38.86, 38.86, 38.86], unit="week")
        >>> len(h), h.customers
        (2, 3)
        """
        x, t_x, big_t = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (frequency, recency, T))
        n = np.ones_like(x) if weights is None else np.atleast_1d(np.asarray(weights, dtype=float))
        check(x, t_x, big_t, n, unit=unit)
        whole = _distinct_days(x, t_x, big_t, unit) if weights is None else None
        (x, t_x, big_t), weight = whole or distinct((x, t_x, big_t), n)
        spend = None
        if monetary_value is not None:
            m = np.atleast_1d(np.asarray(monetary_value, dtype=float))
            k = np.atleast_1d(
                np.asarray(frequency if spend_frequency is None else spend_frequency, dtype=float)
            )
            spend = _spend_patterns(k, m, n)
        gaps = None
        if log_gaps is not None:
            of_each = np.atleast_1d(np.asarray(log_gaps, dtype=float))
            gaps = _all_log_gaps(of_each, np.atleast_1d(frequency), np.atleast_1d(recency), n)
        return cls(x, t_x, big_t, weight, spend, unit, end, gaps)


def check(x: Floats, t_x: Floats, T: Floats, weight: Floats, *, unit: Unit) -> None:
    """Refuse histories that no customer can have, all faults in one :class:`HistoryError`."""
    if unit not in {*DAYS_PER_UNIT, "period"}:
        raise HistoryError(
            f"The unit is {unit!r}; it must be 'day' or 'week', or 'period' where opportunities "
            "are counted."
        )
    lengths = {len(x), len(t_x), len(T), len(weight)}
    if len(lengths) > 1 or any(v.ndim != 1 for v in (x, t_x, T, weight)):
        raise HistoryError(
            "frequency, recency, T (and weights) need one value a customer; got lengths "
            f"{len(x)}, {len(t_x)}, {len(T)} and {len(weight)}."
        )
    if not len(x):
        raise HistoryError("There are no histories: frequency, recency and T are empty.")
    finite = np.isfinite(x) & np.isfinite(t_x) & np.isfinite(T) & np.isfinite(weight)
    rules: list[tuple[str, Callable[[], npt.NDArray[np.bool_]]]] = [
        ("a value that is not a finite number", lambda: ~finite),
        ("a negative frequency", lambda: finite & (x < 0)),
        ("a frequency that is not a whole number", lambda: finite & (x != np.floor(x))),
        ("a negative recency", lambda: finite & (t_x < 0)),
        (
            "recency > T (is the log cut at the same date as the end of observation?)",
            lambda: finite & (t_x > T),
        ),
        (
            (
                "recency > 0 with frequency 0 (recency runs from the first to the last purchase, "
                "not from the last to today)"
            ),
            lambda: finite & (x == 0) & (t_x > 0),
        ),
        ("recency 0 with frequency > 0", lambda: finite & (x > 0) & (t_x == 0)),
        ("a negative T", lambda: finite & (T < 0)),
        ("a weight that is not positive", lambda: finite & (weight <= 0)),
    ]
    faults = [fault for what, broken in rules for fault in rows_at_fault(broken(), what)]
    if faults:
        raise HistoryError.of(faults)


def _spend_patterns(k: Floats, m: Floats, weight: Floats) -> SpendPatterns:
    if len(k) != len(m) or len(m) != len(weight):
        raise HistoryError(
            f"monetary_value needs one value a customer; got {len(m)} for {len(weight)} customers."
        )
    bad = np.flatnonzero((m < 0) | np.isinf(m))
    if len(bad):
        raise HistoryError(
            f"{len(bad):,} of {len(m):,} customers have a monetary_value that is negative or "
            f"infinite (first rows: {', '.join(str(i) for i in bad[:3])}). Refunds are not spend."
        )
    has = (k > 0) & (m > 0)
    (k, m), n = distinct((k[has], m[has]), weight[has])
    return SpendPatterns(k, m, n)


def _all_log_gaps(gaps: Floats, x: npt.ArrayLike, t_x: npt.ArrayLike, weight: Floats) -> float:
    """Add up the customers' log_gaps, none of them above what x gaps of t_x in all can have."""
    x, t_x = np.asarray(x, dtype=float), np.asarray(t_x, dtype=float)
    if gaps.shape != x.shape:
        raise HistoryError(
            f"log_gaps needs one value a customer; got {len(gaps)} for {len(x)} customers."
        )
    most = x * np.log(np.where(x > 0, t_x, 1) / np.maximum(x, 1))  # gaps all of one length
    slack = 1e-6 * np.maximum(1, x)
    rules = (
        ("log_gaps that are not a finite number", ~np.isfinite(gaps)),
        ("log_gaps other than 0 without a repeat purchase", (x == 0) & (gaps != 0)),
        ("log_gaps other than ln(recency) with one repeat", (x == 1) & (gaps < most - slack)),
        (
            (
                "log_gaps above frequency·ln(recency/frequency), the most there can be (are they "
                "in the unit of recency, and natural logarithms?)"
            ),
            (x > 0) & (gaps > most + slack),
        ),
    )
    faults = [fault for what, broken in rules for fault in rows_at_fault(broken, what)]
    if faults:
        raise HistoryError.of(faults)
    return float(np.einsum("i,i->", gaps, weight))


def distinct(columns: tuple[Floats, ...], weight: Floats) -> tuple[tuple[Floats, ...], Floats]:
    """Sort rows by the columns in their order, and add up the weights of equal ones."""
    order, start = sort_rows(columns)
    total = np.add.reduceat(weight[order], start) if len(start) else weight[:0]
    rows = order[start]
    return tuple(c[rows] for c in columns), total


def _distinct_days(
    x: Floats, t_x: Floats, T: Floats, unit: Unit
) -> tuple[tuple[Floats, ...], Floats] | None:
    """Do the same for customers with times in whole days: one sort of one integer each.

    None where times are not whole days, or do not fit.
    """
    length = DAYS_PER_UNIT.get(unit, 1.0)
    last, end = np.rint(t_x * length), np.rint(T * length)
    size = end.max() + 1
    if (x.max() + 1) * size**2 >= 2**62:
        return None
    if not (np.array_equal(last / length, t_x) and np.array_equal(end / length, T)):
        return None
    days = int(size)
    key = (x.astype(np.int64) * days + last.astype(np.int64)) * days + end.astype(np.int64)
    key.sort()
    start = np.flatnonzero(np.diff(key, prepend=-1))
    weight = np.diff(start, append=len(key)).astype(float)
    rest, end_days = np.divmod(key[start], days)
    frequency, last_days = np.divmod(rest, days)
    return (frequency.astype(float), last_days / length, end_days / length), weight
