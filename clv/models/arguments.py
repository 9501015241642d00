"""The questions that no model can answer: refused in one place, with the rows at fault."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from clv.errors import RequestError, rows_at_fault

__all__ = ["refuse_endless", "refuse_impossible"]


def refuse_impossible(
    *,
    x: npt.ArrayLike = 0,
    t_x: npt.ArrayLike | None = None,
    T: npt.ArrayLike = 0,
    t: npt.ArrayLike = 0,
    n: npt.ArrayLike = 0,
) -> None:
    """Refuse histories that no customer can have, and times and counts that cannot be.

    Parameters
    ----------
    x, t_x, T : array_like
        Repeat transactions, time of the last, time observed; what is not given is not checked.
    t : array_like
        Time ahead.
    n : array_like
        Number of purchases asked for.

    Raises
    ------
    RequestError
        Saying what is wrong, of how many customers, and which come first; all faults at once.

    Examples
    --------
    >>> refuse_impossible(x=[2, 1], t_x=[50.0, 9.0], T=[39.0, 39.0])
    Traceback (most recent call last):
    clv.errors.RequestError: 1 of 2 customers have t_x > T (first rows: 0)
    """
    x, T, t, n = (np.asarray(v, dtype=float) for v in (x, T, t, n))
    rules = [
        (~(x >= 0), "x that is not a number of at least 0"),
        (~(T >= 0), "T that is not a time of at least 0"),
        (~(t >= 0), "a time ahead that is not at least 0"),
        (~((n >= 0) & (n == np.floor(n))), "a number of purchases that is not whole or below 0"),
    ]
    if t_x is not None:
        t_x = np.asarray(t_x, dtype=float)
        rules += [
            (~(t_x >= 0), "t_x that is not a time of at least 0"),
            (t_x > T, "t_x > T"),
        ]
    faults = [
        fault for broken, what in rules for fault in rows_at_fault(np.atleast_1d(broken), what)
    ]
    if faults:
        raise RequestError.of(faults)


def refuse_endless(
    rate: float, horizon: float, parameter: str, value: float, *, what: str = "purchases"
) -> None:
    """Refuse a negative discount rate or horizon, and a sum without an end that is infinite.

    Parameters
    ----------
    rate : float
        Continuous discount rate per unit of time.
    horizon : float
        How far ahead is counted; inf for without end.
    parameter, value : str, float
        The parameter of dropout that must be above 1 for the sum to be finite, and its value.
    what : str
        What is summed.

    Raises
    ------
    RequestError
    """
    if not (rate >= 0 and horizon >= 0):
        raise RequestError(
            f"The discount rate and the horizon cannot be negative; got rate = {rate}, "
            f"horizon = {horizon}."
        )
    if rate == 0 and math.isinf(horizon) and value <= 1:
        raise RequestError(
            f"Without a discount rate and a horizon the expected number of {what} is infinite, "
            f"because {parameter} = {value:.3g} is not above 1: some customers never leave. Give "
            "one of the two."
        )
