"""The check that a book keeps is the check of its orders."""

from __future__ import annotations

from pathlib import Path

import clv
from clv.book.checked import checked


def test_a_book_keeps_the_check_of_its_orders(cdnow_book: Path) -> None:
    kept = checked(clv.Book(cdnow_book))
    made = clv.check_orders(clv.datasets.path("cdnow"), end="1997-09-30", unit="week")
    in_book, anew = kept.to_dict(), made.to_dict()
    assert list(in_book["findings"]) == list(anew["findings"])
    # Rows that are there twice are counted; which they are is looked up by the check alone.
    twice = in_book["findings"].pop("duplicates"), anew["findings"].pop("duplicates")
    assert twice[0]["rows"] == twice[1]["rows"] > 0
    assert in_book["findings"] == anew["findings"]
    # The book's source is named from its place, and rows after the end come without examples.
    others = {"first_date", "end", "end_assumed", "customers", "verdict", "rows_read", "rows_kept"}
    assert {k: in_book[k] for k in others} == {k: anew[k] for k in others}
    assert kept.verdict == made.verdict
