"""Everything the toolkit refuses, as one tree.

::

    ClvError                      a mistake in the data or the request; never a traceback in `clv`
    ├── OrdersError               a source of orders cannot be read as orders
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

__all__ = [
    "AllocationError",
    "BookError",
    "ClvError",
    "FitError",
    "HistoryError",
    "NotIdentifiedError",
    "OrdersError",
    "ParameterError",
    "PolicyError",
    "RequestError",
    "UnknownNameError",
]


class ClvError(Exception):
    """A mistake in the data or the request, told so that the reader can mend it."""

    @classmethod
    def of(cls, faults: list[str], *, then: str = "") -> ClvError:
        """All faults in one error: the first in the lead, the others listed below it."""
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
