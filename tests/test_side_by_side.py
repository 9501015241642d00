"""Parts of a computation beside each other: in order, and ended together."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from clv.side_by_side import beside, side_by_side


def test_what_runs_beside_an_interrupted_computation_ends() -> None:
    begun, times = threading.Event(), 10_000_000

    def fit() -> int:
        for step in range(times):  # minutes, if nobody ends it
            side_by_side(abs, [step])
            begun.set()
        return times

    futures: list[Future[int]] = []

    def interrupted() -> None:
        with beside() as pool:
            futures.append(pool.submit(fit))
            begun.wait()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert futures[0].exception() is not None


def test_others_go_on() -> None:
    """What another part of a program computes meanwhile is not ended with it."""
    with pytest.raises(ValueError, match="no"), beside():
        raise ValueError("no")
    assert side_by_side(abs, [-1, -2]) == [1, 2]
    with beside() as pool:
        assert pool.submit(side_by_side, abs, [-1, -2]).result() == [1, 2]
