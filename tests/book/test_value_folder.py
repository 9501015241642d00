"""The values of a book as partitioned Parquet, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import clv
from clv.book import value_folder
from clv.book.value_folder import write_value_folder
from clv.book.values import VALUE_COLUMNS
from clv.errors import RequestError
from tests.cli.command import clv_command, done


def test_the_folders_hold_what_the_book_holds(cdnow_book: Path, tmp_path: Path) -> None:
    book = clv.Book(cdnow_book)
    assert write_value_folder(book, tmp_path / "values") == book.customers
    read = ds.dataset(tmp_path / "values", partitioning="hive").to_table().to_pandas()
    assert set(read["policy_version"]) == {book.policy.version}
    ordered = read.sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(ordered[list(VALUE_COLUMNS)], book.values())
    # By hand, from the first day that the book's file has of each.
    first = pq.read_table(cdnow_book / "values.parquet")["first_date"].to_pandas()
    assert ordered["cohort"].astype(str).tolist() == [f"{day:%Y-%m}" for day in first]
    folders = sorted(folder.name for folder in (tmp_path / "values").iterdir())
    assert folders == ["cohort=1997-01", "cohort=1997-02", "cohort=1997-03"]


def test_bounds_that_are_drawn_when_asked_for_are_there(
    cdnow_book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clv.book.written_values.STORED_UP_TO", 100)
    monkeypatch.setattr("clv.book.value_folder.GROUPS", 1)
    path = tmp_path / "book"
    book = clv.build_book(clv.datasets.path("cdnow"), path, end="1997-09-30", unit="week")
    assert book.manifest["intervals"]["drawn"] != "stored"
    write_value_folder(book, tmp_path / "values")
    read = ds.dataset(tmp_path / "values").to_table().to_pandas()
    ordered = read.sort_values("customer_id", ignore_index=True)
    pd.testing.assert_frame_equal(ordered[list(VALUE_COLUMNS)], book.values())


def test_what_was_written_before_is_replaced_and_nothing_else(
    cdnow_book: Path, tmp_path: Path
) -> None:
    book, place = clv.Book(cdnow_book), tmp_path / "values"
    (place / "cohort=1990-01").mkdir(parents=True)
    (place / "cohort=1990-01" / "old.parquet").write_text("old")
    write_value_folder(book, place)
    assert not (place / "cohort=1990-01").exists()
    assert [there.name for there in tmp_path.iterdir()] == ["values"]
    (place / "notes.txt").write_text("mine")
    with pytest.raises(RequestError, match=r"holds other things than values \(notes\.txt\)"):
        write_value_folder(book, place)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RequestError, match="it is a file"):
        write_value_folder(book, tmp_path / "file")
    with pytest.raises(RequestError, match="There is no folder"):
        write_value_folder(book, tmp_path / "missing" / "values")
    assert sorted(there.name for there in tmp_path.iterdir()) == ["file", "values"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_leaves_what_was_there(
    cdnow_book: Path, tmp_path: Path, error: BaseException
) -> None:
    book, place = clv.Book(cdnow_book), tmp_path / "values"
    write_value_folder(book, place)
    before = {file: file.read_bytes() for file in place.rglob("*.parquet")}
    with pq.ParquetFile(cdnow_book / "values.parquet") as file:
        head = value_folder._parts(book, file, slice(0, 0))
    with (
        mock.patch.object(value_folder, "_parts", side_effect=[head, error]),
        pytest.raises((RequestError, KeyboardInterrupt)),
    ):
        write_value_folder(book, place)
    assert {file: file.read_bytes() for file in place.rglob("*.parquet")} == before
    assert [there.name for there in tmp_path.iterdir()] == ["values"]


def test_the_command_writes_them(cdnow_book: Path, tmp_path: Path) -> None:
    told = done("value", cdnow_book, "--by-cohort", tmp_path / "values")
    assert f"Wrote 2,357 rows to {tmp_path / 'values'}." in told.err
    assert pq.read_table(tmp_path / "values" / "cohort=1997-01").num_rows == 781
    assert not told.out
    for other in (("--top", "3"), ("--format", "json")):
        both = clv_command("value", cdnow_book, "--by-cohort", tmp_path / "values", *other)
        assert both.status == 2
        assert "give it alone" in both.err
