"""Bounds of a large book: drawn for those asked about, and the same as if they had been stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import clv
from clv.book import written_values

BOUNDS = ["value_if_alive_low", "value_if_alive_high", "lifetime_value_low", "lifetime_value_high"]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> clv.Book:
    """CDNOW as a book of more customers than bounds are stored of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written_values, "STORED_UP_TO", 1_000)
        patch.setattr(written_values, "SAMPLED", 800)
        path = tmp_path_factory.mktemp("large") / "book"
        return clv.build_book(clv.datasets.path("cdnow"), path, end="1997-09-30", unit="week")


@pytest.fixture(scope="module")
def stored(cdnow_book: Path) -> clv.Book:
    return clv.Book(cdnow_book)


def test_all_customers_asked_about_have_the_bounds_they_would_have(
    large: clv.Book, stored: clv.Book
) -> None:
    assert large.read(["value_if_alive_low"]).column(0).null_count == large.customers
    found, expected = large.values(), stored.values()
    assert found.equals(expected)
    assert found[BOUNDS].notna().all(axis=None)


def test_one_customer_has_bounds_and_a_range(large: clv.Book, stored: clv.Book) -> None:
    one, same = large.customer("0001"), stored.customer("0001")
    # An expectation interval has no chance of its own: the same models give the same bounds.
    for name in BOUNDS[:2]:
        assert one[name] == pytest.approx(same[name], rel=1e-6)
    # Futures are drawn anew: 399 of them hold the 10 % and 90 % points to 1.5 points of 100.
    assert one["lifetime_value_low"] <= one["lifetime_value"] <= one["lifetime_value_high"]
    assert one["lifetime_value_high"] == pytest.approx(same["lifetime_value_high"], rel=0.25)
    limits = large.recover("0001", "defective", 40.0)
    assert limits.recommended_low is not None
    assert limits == stored.recover("0001", "defective", 40.0)


def test_a_group_has_the_range_it_would_have(large: clv.Book, stored: clv.Book) -> None:
    some = ["0001", "0002", "2357", "nobody"]
    ours = large.recover_all("defective", 40.0, customers=some)
    theirs = stored.recover_all("defective", 40.0, customers=some)
    for name, told in vars(ours).items():
        np.testing.assert_equal(told, getattr(theirs, name), err_msg=name)


def test_the_total_of_a_sample_is_that_of_all(large: clv.Book, stored: clv.Book) -> None:
    ours, theirs = (b.manifest["intervals"]["lifetime_value"] for b in (large, stored))
    total = stored.manifest["totals"]["lifetime_value"]
    assert large.manifest["totals"]["lifetime_value"] == total
    # The bounds of the two differ by who is sampled and by chance: the 10 % point of 99 futures has
    # a standard error of √(.1 × .9 / 99)/φ(1.28) = .17 standard deviations, that of 399 .085, and
    # the width is 2.56 of these: .25 of it is 3.4 standard errors.
    width = theirs[1] - theirs[0]
    assert np.allclose(ours, theirs, atol=0.25 * width, rtol=0)


def test_the_total_does_not_depend_on_the_order_of_rows(
    large: clv.Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written_values, "STORED_UP_TO", 1_000)
    monkeypatch.setattr(written_values, "SAMPLED", 800)
    mixed = clv.datasets.load_cdnow().sample(frac=1, random_state=1)
    book = clv.build_book(mixed, tmp_path / "book", end="1997-09-30", unit="week")
    assert book.manifest["intervals"] == large.manifest["intervals"]


def test_without_a_horizon_a_large_book_has_expectation_intervals_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written_values, "STORED_UP_TO", 1_000)
    orders = clv.datasets.path("cdnow")
    endless = clv.Policy(horizon_months=None)
    book = clv.build_book(orders, tmp_path / "book", end="1997-09-30", policy=endless)
    assert book.manifest["intervals"]["lifetime_value"] is None
    row = book.customer("0001")
    assert row["value_if_alive_low"] < row["value_if_alive"] < row["value_if_alive_high"]
    assert row["lifetime_value_low"] is None
