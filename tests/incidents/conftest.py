"""Two books with incidents: a simulated shop whose truth is known, and Online Retail."""

from __future__ import annotations

from pathlib import Path

import pytest

import clv
from clv.book import Book
from clv.build import build_book
from clv.incidents import CausesReport, IncidentLearning, incident_causes, learn_from_incidents

SHOP_LOG = clv.datasets.path("simulated_shop_incidents")
RETURNS = clv.datasets.path("online_retail_incidents")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The bundled shop up to the day before its campaign; not to be changed."""
    path = tmp_path_factory.mktemp("shop") / "book"
    return build_book(clv.datasets.path("simulated_shop_orders"), path, end="2023-04-30")


@pytest.fixture(scope="session")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """Online Retail; not to be changed."""
    path = tmp_path_factory.mktemp("retail") / "book"
    return build_book(clv.datasets.path("online_retail"), path, end="2011-12-09")


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
