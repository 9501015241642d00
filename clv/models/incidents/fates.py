"""Every way in which a history with incidents can have gone.

After the last purchase at t_x a customer left at once, or at one of the incidents that followed, or
is still there at T. A likelihood is the sum over these fates, one term each. What proves that the
customer was there strikes fates out: a purchase after an incident, and an incident that the
customer reported, of everything before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats, Rows
from clv.incident_history import IncidentHistories

__all__ = ["Fates"]


@dataclass(frozen=True, eq=False)
class Fates:
    """The fates of all customers with incidents, sorted by customer, then by time.

    Attributes
    ----------
    x, T : ndarray, shape (n,)
        Of the customers.
    survived : ndarray of bool, shape (m,)
        Incidents after which the customer was certainly still there.
    owner : ndarray of int, shape (f,)
        Whose a fate is.
    time : ndarray, shape (f,)
        When the customer left; T for those who did not.
    first : ndarray of int, shape (n,)
        Where a customer's fates begin.
    first_incident : ndarray of int, shape (n,)
        Where a customer's incidents begin.
    at_purchase, at_incident, alive : ndarray of int
        Where the fates "left at t_x", "left at an incident" and "alive at T" are. There is one
        `at_incident` for each incident that is not `survived`, in their order, and one `alive` for
        each customer.
    """

    x: Floats
    T: Floats
    survived: npt.NDArray[np.bool_]
    owner: Rows
    time: Floats
    first: Rows
    first_incident: Rows
    at_purchase: Rows
    at_incident: Rows
    alive: Rows

    @classmethod
    def of(cls, h: IncidentHistories) -> Fates:
        """List the fates that the histories leave open."""
        n, who = len(h.T), h.incident_customer
        index = np.arange(len(who))
        after = h.time >= h.recency[who]  # a purchase's own dropout comes before its incident
        reported = np.full(n, -1)  # the last incident after t_x that the customer reported
        seen = after & h.contact
        reported[who[seen]] = index[seen]  # the last assignment stays
        survived = ~after | (index < reported[who])
        (doubtful,) = np.nonzero((h.frequency > 0) & (reported < 0))
        (unsure,) = np.nonzero(~survived)
        owner = np.concatenate([doubtful, who[unsure], np.arange(n)])
        rank = np.repeat([0, 1, 2], [len(doubtful), len(unsure), n])
        time = np.concatenate([h.recency[doubtful], h.time[unsure], h.T])
        order = np.lexsort((rank, owner))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        at_purchase, at_incident, alive = np.split(
            place, [len(doubtful), len(doubtful) + len(unsure)]
        )
        return cls(
            x=h.frequency,
            T=h.T,
            survived=survived,
            owner=owner[order],
            time=time[order],
            first=np.concatenate([[0], alive[:-1] + 1]) if n else alive,
            first_incident=np.searchsorted(who, np.arange(n)),
            at_purchase=at_purchase,
            at_incident=at_incident,
            alive=alive,
        )

    @cached_property
    def distinct_x(self) -> tuple[Floats, Rows, Rows]:
        """Different x, which of them each customer has, and how many customers have each."""
        return np.unique(self.x, return_inverse=True, return_counts=True)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.owner)

    def sums_before(self, of_incidents: Floats) -> Floats:
        """For each fate, the sum over its customer's unsure incidents before it.

        Parameters
        ----------
        of_incidents : ndarray, shape (..., m')
            One value for each incident that is not `survived`.

        Returns
        -------
        ndarray, shape (..., f)
        """
        there = np.zeros((*of_incidents.shape[:-1], len(self)))
        there[..., self.at_incident] = of_incidents
        before = np.cumsum(there, axis=-1) - there
        return np.asarray(before - before[..., self.first[self.owner]])

    def sums_from(self, of_fates: Floats) -> Floats:
        """For each fate, the sum over it and the later fates of its customer, shape (f,)."""
        upto = np.cumsum(of_fates) - of_fates
        return np.asarray(
            self.by_customer(of_fates)[self.owner] - (upto - upto[self.first][self.owner])
        )

    def by_customer(self, of_fates: Floats) -> Floats:
        """Sum over the fates of each customer, shapes (..., f) to (..., n)."""
        if not len(self.first):
            return of_fates
        return np.asarray(np.add.reduceat(of_fates, self.first, axis=-1))

    def over_incidents(self, of_incidents: Floats) -> Floats:
        """Sum over all incidents of each customer, shapes (..., m) to (..., n)."""
        if not len(self.first):
            return of_incidents
        return np.asarray(np.add.reduceat(of_incidents, self.first_incident, axis=-1))

    def mixture(self, ln_fates: Floats) -> tuple[Floats, Floats]:
        """Log of the sum over the fates of each customer, and the share of each fate in it.

        Parameters
        ----------
        ln_fates : ndarray, shape (..., f)

        Returns
        -------
        ln_sum, share : ndarray, shapes (..., n) and (..., f)
        """
        if not len(self.first):
            return ln_fates, ln_fates
        most, relative = self._relative(ln_fates)
        total = self.by_customer(relative)
        return most + np.log(total), relative / total[..., self.owner]

    def ln_sum(self, ln_fates: Floats) -> Floats:
        """Return the first of what :meth:`mixture` gives, alone."""
        if not len(self.first):
            return ln_fates
        most, relative = self._relative(ln_fates)
        return np.asarray(most + np.log(self.by_customer(relative)))

    def _relative(self, ln_fates: Floats) -> tuple[Floats, Floats]:
        """Log of the likeliest fate of each customer, and each fate as a multiple of it."""
        most = np.maximum.reduceat(ln_fates, self.first, axis=-1)
        return most, np.exp(ln_fates - most[..., self.owner])
