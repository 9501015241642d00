"""The folder of a book: whole or not at all, also where its name is a link to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv.book.directory import VALUES, replaced, whole, write_book
from clv.errors import BookError


def write(path: Path, text: str) -> None:
    """Write what stands for a book of one file."""
    with write_book(path, {}) as folder:
        (folder / VALUES).write_text(text)


def test_a_link_to_a_book_stays_one_and_the_book_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    link, book = tmp_path / "book", tmp_path / "books" / "2024"
    write(book, "first")
    link.symlink_to(Path("books", "2024"))
    for text in ("second", "third"):
        write(link, text)
        assert link.is_symlink()
        assert (book / VALUES).read_text() == (link / VALUES).read_text() == text
    assert sorted(there.name for there in tmp_path.rglob("*") if there.is_dir()) == [
        *("2024", "book", "books")
    ]
    # The machine stops between the two moves: the old book is found through the link too.
    book.rename(book.with_name(".2024.previous"))
    assert (whole(link) / VALUES).read_text() == "third"


def test_a_link_to_a_book_that_is_to_be_leads_to_it(tmp_path: Path) -> None:
    link = tmp_path / "book"
    link.symlink_to("later")
    write(link, "first")
    assert (tmp_path / "later" / VALUES).read_text() == "first"
    assert link.is_symlink()


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "book"
    link.symlink_to("book")
    with pytest.raises(BookError, match="is a link that leads nowhere"), write_book(link, {}):
        raise AssertionError


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    place = tmp_path / "values"
    left = (tmp_path / ".values.abc.part", tmp_path / ".values.previous")
    for folder in left:
        folder.mkdir()
        (folder / ".lock").touch()  # that nobody holds
    with replaced(place) as aside:
        (aside / "part").write_text("new")
    assert [there.name for there in tmp_path.iterdir()] == ["values"]
    assert [there.name for there in place.iterdir()] == ["part"]
