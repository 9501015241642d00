"""Parts of a computation on arrays, on all cores of the machine.

Functions of arrays let go of the interpreter while they compute, so that threads run beside each
other; a part small enough for a processor's cache is faster besides.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["side_by_side", "slices"]

R = TypeVar("R")

THREADS = os.cpu_count() or 1


def side_by_side(work: Callable[..., R], *arguments: Iterable[object]) -> list[R]:
    """Call a function with the first of each of the arguments, the second of each, and so on.

    Parameters
    ----------
    work : callable
        What is computed; mostly functions of arrays.
    *arguments : iterable
        One a parameter of the function, all of a length.

    Returns
    -------
    list
        What came of each call, in order, so that a sum over them is the same on any machine.

    Examples
    --------
    >>> side_by_side(max, [1, 5], [2, 3])
    [2, 5]
    """
    calls = list(zip(*arguments, strict=True))
    if len(calls) == 1 or THREADS == 1:
        return [work(*call) for call in calls]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, *zip(*calls, strict=True)))


def slices(rows: int, length: int) -> list[slice]:
    """Cut rows into parts of some length; the last may be shorter.

    Examples
    --------
    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    >>> slices(0, 2)
    []
    """
    return [slice(start, min(start + length, rows)) for start in range(0, rows, length)]
