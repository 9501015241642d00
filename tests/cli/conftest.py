"""One book of the CDNOW orders for all tests of commands; who changes it takes a copy."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

import clv.datasets


@pytest.fixture(scope="session")
def book(cdnow_book: Path) -> Path:
    """A book of the CDNOW sample, calibrated as published; not to be changed."""
    return cdnow_book


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def book_here(here: Path, book: Path) -> Path:
    """A copy of the book, `book` in the folder worked in."""
    shutil.copytree(book, here / "book")
    return here / "book"


@pytest.fixture(scope="session")
def few_orders() -> list[tuple[str, str, str]]:
    """Customer, date and amount of the first 290 customers of the CDNOW sample: 900 orders."""
    with clv.datasets.path("cdnow").open(encoding="utf-8") as opened:
        rows = [(row["customer_id"], row["date"], row["amount"]) for row in csv.DictReader(opened)]
    return rows[:900]
