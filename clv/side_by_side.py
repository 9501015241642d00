"""Parts of a computation on arrays, on all cores of the machine.

Functions of arrays let go of the interpreter while they compute, so that threads run beside each
other; a part small enough for a processor's cache is faster besides.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["beside", "side_by_side", "slices"]

R = TypeVar("R")

THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""As many as the cores that this process may use."""

_here = threading.local()
"""Of a thread of :func:`beside`: `stop`, set where nobody waits for its result any more."""


class _StoppedError(Exception):
    """Ends a computation whose result nobody waits for."""


@contextmanager
def beside() -> Iterator[ThreadPoolExecutor]:
    """Give threads for long computations beside the caller's; where that ends early, they end too.

    Ctrl-C reaches the main thread alone, which would wait for all that the others have begun. They
    end where they next call :func:`side_by_side`, as every fit does for each step.

    Examples
    --------
    >>> with beside() as pool:
    ...     largest = pool.submit(max, [1, 5, 2])
    ...     smallest = min([1, 5, 2])
    >>> smallest, largest.result()
    (1, 5)
    """
    stop = threading.Event()
    pool = ThreadPoolExecutor(initializer=setattr, initargs=(_here, "stop", stop))
    try:
        yield pool
    except BaseException:
        stop.set()
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


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
    if (stop := getattr(_here, "stop", None)) is not None and stop.is_set():
        raise _StoppedError
    calls = list(zip(*arguments, strict=True))
    if len(calls) == 1 or THREADS == 1:
        return [work(*call) for call in calls]
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            return list(pool.map(work, *zip(*calls, strict=True)))
        except BaseException:  # Ctrl-C, or a part that failed: the others need not begin
            pool.shutdown(wait=False, cancel_futures=True)
            raise


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
