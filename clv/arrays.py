"""Arrays: their types, and rows that are equal.

Equal rows are found by sorting: :func:`sort_rows` is what every grouping of customers who share a
history, a set of parameters or a pattern of spend stands on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Rows", "sort_rows"]

Floats = npt.NDArray[np.float64]
"""Numbers."""

Rows = npt.NDArray[np.intp]
"""Numbers of rows."""


def sort_rows(columns: Sequence[npt.NDArray[np.generic]]) -> tuple[Rows, Rows]:
    """Sort rows by their columns, the first before the second, so that equal ones are neighbours.

    Parameters
    ----------
    columns : sequence of ndarray, shape (n,)
        At least one.

    Returns
    -------
    order : ndarray of int, shape (n,)
        Rows in order; equal ones as they came.
    start : ndarray of int, shape (distinct,)
        Where in `order` each distinct row begins.

    Examples
    --------
    >>> order, start = sort_rows([np.array([2, 1, 2]), np.array([5, 7, 5])])
    >>> order.tolist(), start.tolist()
    ([1, 0, 2], [0, 1])
    """
    order = np.lexsort(tuple(columns)[::-1])
    new = np.zeros(len(order), dtype=bool)
    new[:1] = True
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(new)
