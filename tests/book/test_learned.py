"""What a book has learned since it was built: kept whole, beside the build that it belongs to."""

from __future__ import annotations

import json
import shutil
import threading
from datetime import date
from pathlib import Path

import pytest

import clv
from clv.book.learned import LEARNED, add_learned, build_of, read_learned
from clv.errors import BookError, PolicyError
from clv.recommend.learned import Basis, Learned, LearnedFigure


def layer(*keys: str, value: float = 0.3, source: str = "9f3c", basis: Basis = "data") -> Learned:
    """Figures with these keys, all alike."""
    return Learned.of(
        [
            LearnedFigure(
                key, value, prior_mean=0.5, prior_sd=0.25, posterior_mean=value,
                posterior_sd=0.1, basis=basis, observations=7,
            )
            for key in keys
        ],
        source=source, learned_on=date(1997, 9, 30),
    )  # fmt: skip


@pytest.fixture
def book(cdnow_book: Path, tmp_path: Path) -> clv.Book:
    """A book that may learn."""
    return clv.Book(shutil.copytree(cdnow_book, tmp_path / "book"))


SEVERITY, EFFECT = "dropout.per_severity_level", "retention.effect"


def test_what_is_learned_moves_the_policy_and_stays(book: clv.Book) -> None:
    stated = book.policy
    book.learn(layer(SEVERITY))
    for opened in (book, clv.Book(book.path)):
        assert opened.policy.dropout.per_severity_level == 0.3
        assert opened.policy.origin(SEVERITY) == "learned"
        assert opened.policy.version != stated.version == opened.stated_policy.version
        assert SEVERITY not in opened.policy.assumed


def test_what_is_associational_is_kept_and_moves_nothing(book: clv.Book) -> None:
    before = book.policy
    book.learn(layer(SEVERITY, basis="associational"))
    assert book.learned is not None
    assert SEVERITY in book.learned
    assert book.policy.version == before.version


def test_learning_again_replaces_and_other_records_stay(book: clv.Book) -> None:
    """A record that nothing was kept of is named no more."""
    book.learn(layer(EFFECT, source="campaigns"))
    book.learn(layer(SEVERITY, source="incidents of May"))
    both = book.learn(layer(SEVERITY, value=0.6, source="incidents of June"))
    assert {key: figure.value for key, figure in both.figures.items()} == {
        EFFECT: 0.3,
        SEVERITY: 0.6,
    }
    assert both.source == "campaigns+incidents of June"
    assert read_learned(book.path) == both


def test_what_the_policy_cannot_follow_is_not_kept(book: clv.Book) -> None:
    with pytest.raises(PolicyError):
        book.learn(layer("dropout.no_such_figure"))
    assert not (book.path / LEARNED).exists()


def test_a_change_by_hand_is_seen(book: clv.Book) -> None:
    book.learn(layer(SEVERITY))
    file = book.path / LEARNED
    file.write_text(file.read_text("utf-8").replace("0.3", "0.9"), encoding="utf-8")
    with pytest.raises(BookError, match="was changed"):
        _ = clv.Book(book.path).policy
    file.write_text("{", encoding="utf-8")
    with pytest.raises(BookError, match="cannot be read"):
        _ = clv.Book(book.path).learned


def test_what_was_learned_for_one_build_is_not_taken_for_another(
    book: clv.Book, tmp_path: Path
) -> None:
    book.learn(layer(SEVERITY))
    other = clv.build_book(clv.datasets.path("cdnow"), tmp_path / "other", end="1997-08-31")
    (other.path / LEARNED).write_bytes((book.path / LEARNED).read_bytes())
    with pytest.raises(BookError, match="another build"):
        _ = other.policy


def test_a_build_meanwhile_is_noticed(book: clv.Book) -> None:
    clv.build_book(clv.datasets.path("cdnow"), book.path, end="1997-08-31")
    with pytest.raises(BookError, match="built again while"):
        book.learn(layer(SEVERITY))
    assert clv.Book(book.path).learned is None


def test_two_who_learn_at_once_lose_nothing(book: clv.Book) -> None:
    keys = [key for key, value in book.policy.values().items() if isinstance(value, float)][:12]
    build = build_of(book.path)

    def learn(key: str) -> None:
        add_learned(book.path, layer(key), build=build)

    threads = [threading.Thread(target=learn, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    learned = read_learned(book.path)
    assert learned is not None
    assert sorted(learned.figures) == sorted(keys)
    assert json.loads((book.path / "manifest.json").read_text())["files"].keys() == {
        "lines.parquet", "models.json", "policy.toml", "values.parquet",
    }  # fmt: skip
    assert sorted(file.name for file in book.path.iterdir()) == [
        "learned.json", "lines.parquet", "manifest.json", "models.json", "policy.toml",
        "values.parquet",
    ]  # fmt: skip
