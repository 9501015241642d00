"""What every test stands on: the same numbers on every run, and nothing skipped in silence."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator
from pathlib import Path

# Before numpy and matplotlib are imported: no display, and sums in one order on any machine.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis
import pytest

CI = os.environ.get("CI") == "true"

USUAL = hypothesis.settings(max_examples=50, deadline=None, print_blob=True)
hypothesis.settings.register_profile("ci", USUAL, derandomize=True)
hypothesis.settings.register_profile("here", USUAL)
# Asked for by --hypothesis-profile, for the tests of what is being changed: see CONTRIBUTING.md.
hypothesis.settings.register_profile("thorough", USUAL, max_examples=500)
hypothesis.settings.load_profile("ci" if CI else "here")

Needs = Callable[[str, bool, str], None]


@pytest.fixture(scope="session")
def needs() -> Needs:
    """`needs(component, there, install)`: a test stands on a real component that may be absent.

    On a user's machine the test is skipped and the reason says how to install the component;
    under CI=true its absence is a failure, because a skipped test there proves nothing.
    """

    def check(component: str, there: bool, install: str) -> None:
        if there:
            return
        reason = f"{component} is not here; {install}"
        if CI:
            pytest.fail(reason)
        pytest.skip(reason)

    return check


LONG = ("test_packaging", "test_docs", "test_build", "test_customer_book", "test_covariance")
"""Modules with the longest tests: they begin first, so that none is left at the end to wait for."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector pass over what was collected: thousands of tests stay to the end.

    Looking through them again and again takes a tenth of the time of a law on an engine.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    """Let go of all at the end, or DuckDB says on its way out what of it was left."""
    gc.unfreeze()


def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than cores (`-n auto`): there is always one that waits for a disk."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first; all else stays in its order."""
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture(scope="session")
def cdnow_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of the CDNOW sample, calibrated as published; who changes it takes a copy."""
    from tests.books import shared_book

    return shared_book("cdnow", tmp_path_factory)


@pytest.fixture(scope="session")
def shop_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of the simulated shop up to the day before its campaign; not to be changed."""
    from tests.books import shared_book

    return shared_book("simulated_shop", tmp_path_factory)


@pytest.fixture(scope="session")
def retail_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of Online Retail; not to be changed."""
    from tests.books import shared_book

    return shared_book("online_retail", tmp_path_factory)
