"""The orders of a book are found from any folder, and where book and orders have moved together."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import clv
from clv.book.orders import orders_of, source_beside
from clv.errors import OrdersError, RequestError


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with orders in one place and a book in another; the folder worked in is a third."""
    shop = tmp_path / "shop"
    for name in ("orders", "books", "elsewhere"):
        (shop / name).mkdir(parents=True)
    lines = clv.datasets.path("cdnow").read_text(encoding="utf-8").splitlines(keepends=True)
    for part, rows in (("one", lines[1:500]), ("two", lines[500:1000])):
        file = shop / "orders" / f"{part}.csv"
        file.write_text(lines[0] + "".join(rows), encoding="utf-8")
    monkeypatch.chdir(shop)
    return shop


@pytest.mark.parametrize("source", ["orders/one.csv", "orders/*.csv", "../shop/orders/one.csv"])
def test_orders_are_found_from_everywhere(
    shop: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    built = clv.build_book(source, "books/first", unit="week")
    (about,) = built.manifest["sources"]
    assert about["source"].startswith("../orders/")
    digest = about["input_sha256"]
    monkeypatch.chdir(shop / "elsewhere")
    assert orders_of(clv.Book("../books/first")).orders.sha256 == digest
    shutil.move(shop, shop.with_name("moved"))
    moved = clv.Book(shop.with_name("moved") / "books" / "first")
    assert orders_of(moved).orders.sha256 == digest


def test_a_book_moved_alone_is_told_to_be_without_its_orders(shop: Path) -> None:
    clv.build_book("orders/one.csv", "books/first", unit="week")
    (shop / "books" / "first").rename(shop / "first")
    with pytest.raises(RequestError, match=r"one\.csv', cannot be read again.*--orders"):
        orders_of(clv.Book("first"))


def test_orders_in_their_place_are_read_as_they_were(shop: Path) -> None:
    rows = pd.read_csv("orders/one.csv", dtype=str)
    rows.rename(columns={"customer_id": "who"}).to_csv("own.csv", index=False)
    schema = clv.Schema(customer_id="who", no_customer=("0001",))
    book = clv.build_book(clv.read_orders("own.csv", schema=schema), "books/own", unit="week")
    again, instead = orders_of(book).orders, orders_of(book, "own.csv").orders
    assert again.report.rows_kept < len(rows)  # without those of nobody
    assert instead.report == again.report
    with pytest.raises(OrdersError, match=r"books/own are read with its schema: .*'who'"):
        orders_of(book, "orders/one.csv")
    del shop


def test_what_is_no_relative_path_is_kept_as_it_was_given(shop: Path) -> None:
    for source in (str(shop / "orders" / "one.csv"), "a data frame", "sqlite:///shop.db"):
        assert source_beside(Path("books/first"), source) == source
