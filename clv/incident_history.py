"""Purchase histories with the incidents in them: what a model of incidents is fitted to.

Most customers never have an incident, and what :class:`~clv.history.Histories` does for them stays:
distinct patterns with weights. A customer with incidents is one row, since no two are alike; the
incidents of all of them lie in flat arrays beside it, in the order of the customers and of time.
Nothing here knows files, dates or a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.errors import ClvError, HistoryError, rows_at_fault
from clv.history import Floats, Histories, Unit, check

__all__ = ["IncidentHistories"]

Ints = npt.NDArray[np.int64]

OF_CUSTOMERS = ("frequency", "recency", "T")
OF_INCIDENTS = (
    *("incident_customer", "time", "contact", "kind", "severity", "earlier_purchases"),
    *("earlier_incident", "goodwill_ratio", "hours", "resolved", "assignment_probability"),
    *("step", "expected_goodwill", "row"),
)


@dataclass(frozen=True, eq=False, repr=False)
class IncidentHistories:
    """The histories of all customers, and the incidents of those who had any.

    Attributes
    ----------
    plain : Histories
        Customers without an incident, as distinct patterns with weights; may be empty.
    customer_id : ndarray of str, shape (n,)
        The customers with incidents.
    frequency, recency, T : ndarray, shape (n,)
        Their x, t_x and T, as in :class:`Histories`.
    incident_customer : ndarray of int, shape (m,)
        Whose an incident is: an index into the n customers, never falling.
    time : ndarray, shape (m,)
        From the customer's first order, in `unit`; never falling within a customer, at most T.
    contact : ndarray of bool, shape (m,)
        The customer reported it and hence was still there; else operations saw it.
    kind : ndarray of int, shape (m,)
        Its type, an index into `kinds`.
    kinds : tuple of str
        The types of incident.
    severity : ndarray, shape (m,)
        1 to 4; given as nan it counts as 1.
    earlier_purchases : ndarray, shape (m,)
        Purchases before it, without the order that went wrong.
    earlier_incident : ndarray, shape (m,)
        exp(-days since the incident before / decay_days); 0 for a customer's first.
    goodwill_ratio : ndarray, shape (m,)
        Goodwill over loss; nan where it is not known, which is not 0.
    hours : ndarray, shape (m,)
        Hours until the answer; nan where not known.
    resolved : ndarray, shape (m,)
        1 or 0; nan where not known.
    assignment_probability : ndarray, shape (m,)
        With which the arm it is in was drawn; nan where it was not randomised.
    step : ndarray, shape (m,)
        1 where a step of goodwill was drawn by chance, 0 where the usual offer was; nan where
        nothing was drawn, or not known.
    expected_goodwill : ndarray, shape (m,)
        Of incidents whose goodwill was drawn by chance, the mean of ln(1 + goodwill/loss) over what
        could have been drawn; nan for the others.
    row : ndarray of int, shape (m,)
        The row of the incident log it comes from.
    unit : str
        "day" or "week": the unit of recency, T and time.
    end : date or None
        The last day of observation.

    Raises
    ------
    HistoryError
        Where customers or incidents are impossible, all faults at once.

    Notes
    -----
    The dropout that belongs to a purchase comes before an incident at the same time: with
    ``time == recency`` an incident is after the last purchase.
    """

    plain: Histories
    customer_id: npt.NDArray[Any]
    frequency: Floats
    recency: Floats
    T: Floats
    incident_customer: Ints
    time: Floats
    contact: npt.NDArray[np.bool_]
    kind: Ints
    kinds: tuple[str, ...]
    severity: Floats
    earlier_purchases: Floats
    earlier_incident: Floats
    goodwill_ratio: Floats
    hours: Floats
    resolved: Floats
    assignment_probability: Floats
    step: Floats
    expected_goodwill: Floats
    row: Ints
    unit: Unit = "day"
    end: date | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be; a severity that is not known counts as the lightest."""
        faults = self._shapes()
        if faults:
            raise HistoryError.of(faults)
        faults = [*self._customers_at_fault(), *self._incidents_at_fault()]
        if faults:
            raise HistoryError.of(faults)
        known = np.where(np.isnan(self.severity), 1.0, self.severity)
        object.__setattr__(self, "severity", known)

    @classmethod
    def from_arrays(
        cls,
        plain: Histories,
        frequency: npt.ArrayLike,
        recency: npt.ArrayLike,
        T: npt.ArrayLike,
        *,
        incident_customer: npt.ArrayLike,
        time: npt.ArrayLike,
        contact: npt.ArrayLike,
        kind: npt.ArrayLike,
        kinds: Sequence[str],
        severity: npt.ArrayLike | None = None,
        earlier_purchases: npt.ArrayLike | None = None,
        earlier_incident: npt.ArrayLike | None = None,
        goodwill_ratio: npt.ArrayLike | None = None,
        hours: npt.ArrayLike | None = None,
        resolved: npt.ArrayLike | None = None,
        assignment_probability: npt.ArrayLike | None = None,
        step: npt.ArrayLike | None = None,
        expected_goodwill: npt.ArrayLike | None = None,
        customer_id: npt.ArrayLike | None = None,
    ) -> IncidentHistories:
        """Histories and incidents from arrays; the unit and the end are those of `plain`.

        Parameters
        ----------
        plain : Histories
            The customers without incidents.
        frequency, recency, T : array_like, shape (n,)
            One value for each customer with incidents.
        incident_customer, time, contact, kind, kinds
            As the attributes of the same name; incidents sorted by customer, then time.
        severity, goodwill_ratio, hours, resolved : array_like, optional
            As the attributes; not known where not given.
        assignment_probability, step, expected_goodwill : array_like, optional
            The same.
        earlier_purchases, earlier_incident : array_like, optional
            As the attributes; 0 where not given.
        customer_id : array_like, optional
            "0", "1", ... where not given.

        Raises
        ------
        HistoryError
            Where customers or incidents are impossible, all faults at once.

        Examples
        --------
        >>> plain = Histories.from_arrays([2, 0], [30.43, 0], [38.86, 38.86], unit="week")
        >>> IncidentHistories.from_arrays(
        ...     plain, [2], [30.43], [38.86], incident_customer=[0], time=[31.0], contact=[True],
        ...     kind=[0], kinds=["late_delivery"],
        ... )
        <IncidentHistories: 3 customers, 1 of them with 1 incident; in weeks>
        """

        def floats(given: npt.ArrayLike | None, missing: float = np.nan) -> Floats:
            return np.full(m, missing) if given is None else np.asarray(given, dtype=np.float64)

        x = np.asarray(frequency, dtype=np.float64)
        who = np.asarray(incident_customer, dtype=np.int64)
        m = len(who)
        ids = np.arange(len(x)).astype(str) if customer_id is None else np.asarray(customer_id)
        return cls(
            plain=plain,
            customer_id=ids.astype(object),
            frequency=x,
            recency=np.asarray(recency, dtype=np.float64),
            T=np.asarray(T, dtype=np.float64),
            incident_customer=who,
            time=floats(time),
            contact=np.asarray(contact, dtype=np.bool_),
            kind=np.asarray(kind, dtype=np.int64),
            kinds=tuple(kinds),
            severity=floats(severity),
            earlier_purchases=floats(earlier_purchases, 0.0),
            earlier_incident=floats(earlier_incident, 0.0),
            goodwill_ratio=floats(goodwill_ratio),
            hours=floats(hours),
            resolved=floats(resolved),
            assignment_probability=floats(assignment_probability),
            step=floats(step),
            expected_goodwill=floats(expected_goodwill),
            row=np.arange(m, dtype=np.int64),
            unit=plain.unit,
            end=plain.end,
        )

    def __repr__(self) -> str:
        """Say how many there are of what, not the arrays."""
        end = f" to {self.end}" if self.end else ""
        return (
            f"<{type(self).__name__}: {self.customers:,} customers{end}, {len(self.T):,} of them "
            f"with {self.incidents:,} incident{'' if self.incidents == 1 else 's'}; "
            f"in {self.unit}s>"
        )

    @property
    def customers(self) -> int:
        """How many customers there are, with and without incidents."""
        return self.plain.customers + len(self.T)

    @property
    def incidents(self) -> int:
        """How many incidents they had."""
        return len(self.time)

    def without_incidents(self) -> Histories:
        """Return the histories of all customers as if nothing had happened to anybody.

        Examples
        --------
        >>> plain = Histories.from_arrays([2, 0], [30.43, 0], [38.86, 38.86], unit="week")
        >>> IncidentHistories.from_arrays(
        ...     plain, [2], [30.43], [38.86], incident_customer=[0], time=[31.0], contact=[True],
        ...     kind=[0], kinds=["late_delivery"],
        ... ).without_incidents()
        <Histories: 3 customers, 2 of them bought again; 2 distinct, in weeks>
        """
        plain = self.plain
        return Histories.from_arrays(
            np.concatenate([plain.frequency, self.frequency]),
            np.concatenate([plain.recency, self.recency]),
            np.concatenate([plain.T, self.T]),
            weights=np.concatenate([plain.weight, np.ones(len(self.T))]),
            unit=self.unit,
            end=self.end,
        )

    def _shapes(self) -> list[str]:
        """Find arrays that do not have one value a customer, or one an incident."""
        faults = []
        for what, names, one in (
            ("customer", OF_CUSTOMERS, self.customer_id),
            ("incident", OF_INCIDENTS, self.incident_customer),
        ):
            lengths = {name: np.shape(getattr(self, name)) for name in names}
            wrong = {name: shape for name, shape in lengths.items() if shape != (len(one),)}
            if wrong:
                told = ", ".join(f"{name} has shape {shape}" for name, shape in wrong.items())
                faults.append(f"There must be one value for each of {len(one):,} {what}s; {told}.")
        if len(set(self.kinds)) != len(self.kinds):
            faults.append(f"The types of incident must differ; got {', '.join(self.kinds)}.")
        if self.plain.unit != self.unit or self.plain.end != self.end:
            faults.append(
                f"Customers without incidents are in {self.plain.unit}s to {self.plain.end}, those "
                f"with incidents in {self.unit}s to {self.end}; they must be the same."
            )
        return faults

    def _customers_at_fault(self) -> list[str]:
        n = len(self.T)
        if not n:
            return []
        faults = []
        try:
            check(self.frequency, self.recency, self.T, np.ones(n), unit=self.unit)
        except ClvError as error:
            faults.append(str(error))
        if len(set(self.customer_id.tolist())) < n:
            faults.append("A customer with incidents must be there once; customer_id repeats.")
        with_any = np.zeros(n, dtype=np.bool_)
        who = self.incident_customer
        with_any[who[(who >= 0) & (who < n)]] = True
        return faults + rows_at_fault(~with_any, "no incident; they belong to `plain`")

    def _incidents_at_fault(self) -> list[str]:
        n, who, time = len(self.T), self.incident_customer, self.time
        faults = rows_at_fault((who < 0) | (who >= n), "a customer that is not there", "incidents")
        if faults or not len(who):
            return faults
        falls = np.zeros(len(who), dtype=np.bool_)
        falls[1:] = who[1:] < who[:-1]
        back = np.zeros(len(who), dtype=np.bool_)
        back[1:] = (who[1:] == who[:-1]) & (time[1:] < time[:-1])
        severity, earlier = self.severity, self.earlier_purchases
        goodwill, hours, expected = self.goodwill_ratio, self.hours, self.expected_goodwill
        rules = (
            ("a customer before that of the incident above (sort by customer, then time)", falls),
            ("a time before that of the customer's incident above (sort by customer, time)", back),
            (
                "a time that is not from 0 (the first order) to T",
                ~((time >= 0) & (time <= self.T[who])),
            ),
            (
                "a type that is not among the kinds",
                (self.kind < 0) | (self.kind >= len(self.kinds)),
            ),
            ("a severity outside 1 to 4", (severity < 1) | (severity > 4)),
            (
                "earlier purchases that are no whole number from 0",
                ~((earlier >= 0) & (earlier == np.floor(earlier)) & np.isfinite(earlier)),
            ),
            (
                "an earlier incident outside 0 to 1",
                ~((self.earlier_incident >= 0) & (self.earlier_incident <= 1)),
            ),
            ("a negative or infinite goodwill ratio", (goodwill < 0) | np.isinf(goodwill)),
            ("negative or infinite hours", (hours < 0) | np.isinf(hours)),
            (
                "`resolved` other than 0, 1 or nan",
                ~np.isin(self.resolved, (0, 1)) & ~np.isnan(self.resolved),
            ),
            (
                "an assignment probability that is not above 0 and at most 1",
                (self.assignment_probability <= 0) | (self.assignment_probability > 1),
            ),
            ("a step other than 0, 1 or nan", ~np.isin(self.step, (0, 1)) & ~np.isnan(self.step)),
            ("a negative or infinite expected goodwill", (expected < 0) | np.isinf(expected)),
        )
        return [f for what, broken in rules for f in rows_at_fault(broken, what, "incidents")]
