"""A book on disk: whole at every moment, and answering as it was written."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

import clv
from clv.book.directory import write_book
from clv.errors import BookError, UnknownNameError
from tests.cli.command import CDNOW_END, contents, unchanged

FILES = ["lines.parquet", "manifest.json", "models.json", "policy.toml", "values.parquet"]


@pytest.fixture
def built(cdnow_book: Path) -> Path:
    """A book of the CDNOW sample; not to be changed."""
    return cdnow_book


@pytest.fixture
def book(built: Path, tmp_path: Path) -> Path:
    """A copy of that book."""
    return Path(shutil.copytree(built, tmp_path / "shelf" / "book"))


def replace(path: Path, text: str = "of tomorrow") -> None:
    """Write another book, of one file, to the same place."""
    with write_book(path, {"customers": 0}) as folder:
        (folder / "new.txt").write_text(text, encoding="utf-8")


# --------------------------------------------------------------------------- in place, in one step


def test_a_book_is_five_files_readable_by_all(built: Path) -> None:
    assert sorted(file.name for file in built.iterdir()) == FILES
    assert built.stat().st_mode & 0o777 == 0o755
    assert sorted(file.name for file in built.parent.iterdir()) == ["book"]


def test_a_book_takes_the_place_of_another(book: Path) -> None:
    replace(book)
    assert sorted(file.name for file in book.iterdir()) == ["manifest.json", "new.txt"]
    assert [file.name for file in book.parent.iterdir()] == ["book"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, BookError])
def test_a_build_that_is_broken_off_leaves_nothing(book: Path, error: type[BaseException]) -> None:
    def broken_off(path: Path) -> None:
        with write_book(path, {}) as folder:
            (folder / "values.parquet").write_bytes(b"half of it")
            raise error

    for path in (book, book.parent / "fresh"):
        with unchanged(book.parent), pytest.raises(error):
            broken_off(path)


def test_a_number_that_is_none_cannot_be_written(book: Path) -> None:
    """NaN is not JSON: other programs could not read the book."""
    with unchanged(book.parent):
        for bad in (math.nan, math.inf):
            with pytest.raises(ValueError, match="JSON"), write_book(book, {"total": bad}):
                pass


def test_between_its_two_moves_the_old_book_is_read(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine stops where the old book has stepped aside and the new one has not moved in."""
    before = clv.Book(book).customer("0001")
    rename = Path.rename
    moves: list[Path] = []

    def stop_after_the_first(self: Path, target: Path) -> Path:
        if moves:
            raise KeyboardInterrupt  # nothing the code does afterwards may be counted on
        moves.append(target)
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stop_after_the_first)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            replace(book)
    assert moves
    assert not book.exists()
    assert clv.Book(book).customer("0001") == before
    assert len(clv.Book(book).forecast(1)) == 1
    replace(book)
    assert (book / "new.txt").is_file()
    assert not moves[0].exists()


def test_after_both_moves_the_new_book_is_read(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine stops before the old book is removed."""
    other = book.parent / "other"
    shutil.copytree(book, other)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        replace(book)
    assert (book / "new.txt").is_file()
    assert len(list(book.parent.glob(".book.*"))) == 1  # the old one
    replace(book, "of the day after")
    assert (book / "new.txt").read_text(encoding="utf-8") == "of the day after"
    assert not list(book.parent.glob(".book.*"))
    assert clv.Book(other).customers == 2357


def test_a_build_that_still_runs_keeps_its_folder(book: Path) -> None:
    with write_book(book, {"customers": 1}) as folder:
        replace(book)
        assert folder.is_dir()
    assert json.loads((book / "manifest.json").read_text(encoding="utf-8"))["customers"] == 1


# --------------------------------------------------------------------------------- what is no book


def test_a_directory_that_is_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_bytes(b"irreplaceable")
    for place in (tmp_path / "photos", tmp_path / "photos" / "holiday.jpg"):
        with unchanged(tmp_path), pytest.raises(BookError, match="not a customer book"):
            replace(place)


def test_an_empty_directory_may_become_a_book(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    replace(tmp_path / "book")
    assert [file.name for file in tmp_path.iterdir()] == ["book"]


def test_all_that_is_wrong_with_a_book_is_told_at_once(book: Path) -> None:
    (book / "models.json").unlink()
    (book / "policy.toml").write_text("", encoding="utf-8")
    with pytest.raises(BookError) as caught:
        clv.Book(book)
    told = str(caught.value)
    assert "models.json is missing" in told
    assert "policy.toml has 0 bytes" in told
    assert "clv build" in told


def test_a_book_of_a_later_format_is_told_as_that(book: Path) -> None:
    manifest = json.loads((book / "manifest.json").read_text(encoding="utf-8"))
    (book / "manifest.json").write_text(json.dumps(manifest | {"format": 7}), encoding="utf-8")
    with pytest.raises(BookError, match=r"book of format 7; this version reads format 6"):
        clv.Book(book)


def test_a_model_that_this_version_does_not_know(book: Path) -> None:
    """A later version may write models that this one cannot compute with."""
    models = json.loads((book / "models.json").read_text(encoding="utf-8"))
    models["purchases"]["model"] = "of-tomorrow"
    manifest = json.loads((book / "manifest.json").read_text(encoding="utf-8"))
    shelf = book.parent / "later"
    with write_book(shelf, manifest) as folder:
        for name in ("values.parquet", "policy.toml"):
            shutil.copy(book / name, folder / name)
        (folder / "models.json").write_text(json.dumps(models), encoding="utf-8")
    with pytest.raises(clv.ClvError, match="of-tomorrow"):
        clv.Book(shelf).forecast(3)


# ------------------------------------------------------------------------------------ what it says


def answers(book: clv.Book) -> dict[str, Any]:
    """What a book answers, by all of its files."""
    return {
        "customer": book.customer("0001"),
        "forecast": book.forecast(2),
        "budget": book.budget(100.0).spend.tolist(),
        "values": book.values().to_csv(),
    }


@pytest.fixture(scope="module")
def answered(cdnow_book: Path) -> dict[str, Any]:
    """The answers where the book was built."""
    return answers(clv.Book(cdnow_book))


@pytest.mark.parametrize(
    "name", ["2024 [final]", "what?", "*", "T=5", "frequency=1", "d'été", "%s"]
)
def test_any_name_of_a_directory_will_do(
    built: Path, tmp_path: Path, name: str, answered: dict[str, Any]
) -> None:
    """Engines read patterns and partitions into the names of files; a book's place is neither."""
    there = clv.Book(shutil.copytree(built, tmp_path / name / "book"))
    for what, answer in answers(there).items():
        assert answer == answered[what], what
    with pytest.raises(UnknownNameError, match="0001"):
        there.customer("001")


def test_a_book_can_be_moved(book: Path, tmp_path: Path) -> None:
    before = clv.Book(book).customer("0001")
    book.rename(tmp_path / "elsewhere")
    assert clv.Book(tmp_path / "elsewhere").customer("0001") == before


def test_reading_changes_nothing(book: Path) -> None:
    with unchanged(book.parent):
        opened = clv.Book(book)
        opened.values(top=3)
        opened.customer("0001")
        opened.forecast(2)
        opened.recover("0001", "defective", 30.0)
        opened.budget(100.0)


def test_its_models_are_those_that_were_fitted(built: Path) -> None:
    book = clv.Book(built)
    orders = clv.read_orders(clv.datasets.path("cdnow"))
    histories = clv.histories(orders, end=CDNOW_END, unit="week")
    assert book.purchases == clv.BGNBD.fit(histories).model
    assert book.spend == clv.GammaGamma.fit(histories).model
    assert (str(book.end), book.unit, book.customers) == (CDNOW_END, "week", 2357)


def test_totals_are_the_sums_of_the_rows(built: Path) -> None:
    book = clv.Book(built)
    values = book.values()
    for name, total in book.manifest["totals"].items():
        assert total == pytest.approx(math.fsum(values[name]), rel=1e-12)
    product = values["p_alive"] * values["value_if_alive"]
    assert values["lifetime_value"].tolist() == pytest.approx(product.tolist(), rel=1e-12)


def test_requests_that_make_no_sense(built: Path) -> None:
    book = clv.Book(built)
    requests: list[Any] = [
        lambda: book.values(top=0),
        lambda: book.forecast(0),
        lambda: book.recover("0001", "defective", -1.0),
        lambda: book.recover("0001", "defective", 30.0, severity=5),
        lambda: book.budget(-1.0),
    ]
    for request in requests:
        with pytest.raises(clv.ClvError):
            request()


def test_near_names_find_what_was_meant(built: Path) -> None:
    """Leading zeros lost, blanks added, the letter O for a zero."""
    book = clv.Book(built)
    for asked, meant in (("1", "0001"), ("00509", "0509"), (" 0509", "0509"), ("O509", "0509")):
        with pytest.raises(UnknownNameError) as caught:
            book.customer(asked)
        assert meant in caught.value.near, asked
    for asked, near in (("509 ", ["0509"]), ("jo@shop.example", [])):
        with pytest.raises(UnknownNameError) as caught:
            book.customer(asked)
        assert caught.value.near == near


def test_a_copy_is_the_same_book(book: Path, built: Path) -> None:
    assert contents(book) == contents(built)
