"""Two books with incidents: a simulated shop whose truth is known, and Online Retail."""

from __future__ import annotations

from pathlib import Path

import pytest

import clv
from clv.book import Book
from clv.incidents import CausesReport, IncidentLearning, incident_causes, learn_from_incidents

SHOP_LOG = clv.datasets.path("simulated_shop_incidents")
RETURNS = clv.datasets.path("online_retail_incidents")


@pytest.fixture(scope="session")
def shop(shop_book: Path) -> Book:
    """The bundled shop up to the day before its campaign; not to be changed."""
    return Book(shop_book)


@pytest.fixture(scope="session")
def retail(retail_book: Path) -> Book:
    """Online Retail; not to be changed."""
    return Book(retail_book)


@pytest.fixture(scope="session")
def learning(shop: Book) -> IncidentLearning:
    return learn_from_incidents(shop, SHOP_LOG)


@pytest.fixture(scope="session")
def report(shop: Book) -> CausesReport:
    return incident_causes(shop, SHOP_LOG, by="problem_id")


@pytest.fixture
def shop_copy(shop: Book, tmp_path: Path) -> Book:
    """A copy that may learn."""
    import shutil

    return Book(shutil.copytree(shop.path, tmp_path / "book"))
