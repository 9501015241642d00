"""Kill -9 in the midst of a build; `tests/studies/killed_builds.py` does it twenty times."""

from __future__ import annotations

from pathlib import Path

from tests.studies.killed_builds import STANDING, TAKING, Shelf, kill_builds


def test_the_book_that_stood_there_stands_and_the_next_build_cleans_up(tmp_path: Path) -> None:
    killed = list(kill_builds(tmp_path, kills=2, seed=7))
    assert [one.unchanged for one in killed] == [True] * 2
    assert any(one.while_writing for one in killed)
    shelf = Shelf(tmp_path)
    assert STANDING != TAKING
    assert shelf.values()[0] == TAKING  # the next build is the one that was killed
    assert shelf.beside() == ()
