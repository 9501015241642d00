"""Everything the toolkit refuses, as one tree.

::

    ClvError                      a mistake in the data or the request; never a traceback in `clv`
    ├── OrdersError               a source of orders cannot be read as orders
    ├── EngineError               what computes over orders is not there, or is too small
    ├── IncidentsError            a log of incidents cannot be read as incidents
    ├── CampaignsError            a log of campaigns that nothing can be learned from
    ├── HistoryError              frequency, recency and T that no customer can have
    ├── ParameterError            a model parameter outside its domain
    ├── FitError                  the optimiser did not reach an optimum
    │   └── NotIdentifiedError    the data cannot tell the parameters
    ├── PolicyError               a policy file that cannot be followed
    ├── AllocationError           a budget whose limits contradict each other
    ├── BookError                 a directory that is not a whole customer book
    ├── RequestError              an argument that makes no sense (a negative loss, a bad date)
    └── UnknownNameError          a customer, problem type or column that is not there

A message says what is wrong, where, how many, and what to do next; where several things are
wrong it says all of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from clv.passwords import without_secrets

if TYPE_CHECKING:  # `clv --help` must not wait for numpy
    import numpy.typing as npt

__all__ = [
    "AllocationError",
    "BookError",
    "CampaignsError",
    "ClvError",
    "EngineError",
    "FitError",
    "HistoryError",
    "IncidentsError",
    "NotIdentifiedError",
    "OrdersError",
    "ParameterError",
    "PolicyError",
    "RequestError",
    "UnknownNameError",
    "rows_at_fault",
]


class ClvError(Exception):
    """A mistake in the data or the request, told so that the reader can mend it.

    A message repeats what was asked for; a password in it is hidden, whoever wrote the message.
    """

    def __init__(self, *told: object) -> None:
        super().__init__(*(without_secrets(t) if isinstance(t, str) else t for t in told))

    @classmethod
    def of(cls, faults: list[str], *, then: str = "") -> ClvError:
        """All faults in one error: the first in the lead, the others listed below it.

        Parameters
        ----------
        faults : list of str
            What is wrong, each in a sentence or the start of one; at least one.
        then : str
            What to do next.

        Returns
        -------
        ClvError
            Of the class that is asked.

        Examples
        --------
        >>> print(RequestError.of(["A loss cannot be negative.", "The date is no date."]))
        A loss cannot be negative.
        1 more fault:
          - The date is no date.
        """
        lead, *others = faults
        lines = [lead]
        if others:
            lines.append(f"{len(others)} more fault{'s' if len(others) > 1 else ''}:")
            lines += [f"  - {fault}" for fault in others]
        if then:
            lines.append(then)
        return cls("\n".join(lines))


class OrdersError(ClvError):
    """A source of orders that cannot be read as orders."""


class EngineError(ClvError):
    """An engine that is not there (no Java, no cluster), or has not enough memory or disk."""


class IncidentsError(ClvError):
    """A log of incidents that cannot be read as incidents."""


class CampaignsError(ClvError):
    """A log of campaigns that cannot be read as one, or from which nothing can be learned."""


class HistoryError(ClvError):
    """Frequency, recency and T that no customer can have."""


class ParameterError(ClvError, ValueError):
    """A model parameter outside its domain."""


class FitError(ClvError):
    """The optimiser did not reach an optimum."""


class NotIdentifiedError(FitError):
    """The data cannot tell the parameters of this model."""


class PolicyError(ClvError):
    """A policy file that cannot be followed."""


class AllocationError(ClvError):
    """A budget whose limits contradict each other."""


class BookError(ClvError):
    """A directory that is not a whole customer book."""


class RequestError(ClvError, ValueError):
    """An argument that makes no sense."""


class UnknownNameError(ClvError, LookupError):
    """A name that is not there, with the names nearest to it.

    Parameters
    ----------
    kind : str
        What was looked for: "customer", "problem type", "column".
    name : str
        What was asked.
    known : iterable of str
        The names there are (or the candidates worth suggesting).
    then : str, optional
        What to do next, where a suggestion is not enough.
    near : list of str, optional
        The names to suggest, where the caller knows better which are near.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        known: Iterable[str] = (),
        *,
        then: str = "",
        near: list[str] | None = None,
    ) -> None:
        if near is None:
            near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        super().__init__(f"There is no {kind} {name!r}.{hint}{' ' + then if then else ''}")
        self.kind, self.name, self.near = kind, name, near

    def __str__(self) -> str:  # LookupError would show the repr of a KeyError-like argument
        return str(self.args[0])


def rows_at_fault(broken: npt.NDArray[Any], what: str, who: str = "customers") -> list[str]:
    """Say how many rows break a rule and which come first; nothing where none does.

    Parameters
    ----------
    broken : ndarray of bool, shape (n,)
        The rows that do.
    what : str
        What they have, such as "a negative frequency".
    who : str
        What a row is.

    Returns
    -------
    list of str
        One fault for :meth:`ClvError.of`, or none.

    Examples
    --------
    >>> import numpy as np
    >>> rows_at_fault(np.array([2, -1, -3]) < 0, "a negative frequency")
    ['2 of 3 customers have a negative frequency (first rows: 1, 2)']
    """
    (rows,) = broken.ravel().nonzero()
    if not len(rows):
        return []
    first = ", ".join(str(i) for i in rows[:3])
    return [f"{len(rows):,} of {broken.size:,} {who} have {what} (first rows: {first})"]
