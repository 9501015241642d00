"""Kill -9 in the midst of builds: the book that stood there still stands, with the same values.

A book of the CDNOW sample stands; builds of another (observed for three months less) are to take
its place, and are killed. Half of the moments are drawn from the time that a whole build takes, the
others from the time in which it writes, which is short: from when its folder appears to its end. A
build that was done before it was killed is no kill, and its place is taken by another.

After each kill the book is opened, which compares the hash of every file with its manifest, and its
values are compared with those of before. After the last, one build is left to end: the new book
must stand there, and nothing beside it.

    python -m tests.studies.killed_builds --kills 20
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import clv
from tests.cli.command import executable

__all__ = ["Killed", "kill_builds"]

ORDERS = str(clv.datasets.path("cdnow"))
STANDING, TAKING = "1997-09-30", "1997-06-30"
"""Days that the two books are observed to."""
LOOK_EVERY = 0.001
"""Seconds between two looks for the folder that a build writes."""


@dataclass(frozen=True)
class Killed:
    """One kill.

    Attributes
    ----------
    while_writing : bool
        Whether the folder of the new book was there already.
    after : float
        Seconds since the build began.
    unchanged : bool
        Whether the book opened, whole and with the values of before.
    left : tuple of str
        What stood beside the book after the kill.
    """

    while_writing: bool
    after: float
    unchanged: bool
    left: tuple[str, ...]


@dataclass(frozen=True)
class Shelf:
    """A folder that holds nothing but a book."""

    folder: Path

    @property
    def book(self) -> Path:
        """Where the book stands."""
        return self.folder / "book"

    def build(self, end: str) -> subprocess.Popen[bytes]:
        """Begin to build a book."""
        line = [executable(), "build", ORDERS, "--end", end, "--unit", "week", "-o", str(self.book)]
        return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def values(self) -> tuple[str, bytes]:
        """The end of observation of the book that stands, and its values; all hashes hold."""
        opened = clv.Book(self.book)
        return opened.manifest["end"], (opened.path / "values.parquet").read_bytes()

    def beside(self) -> tuple[str, ...]:
        """What stands there but the book."""
        return tuple(sorted(path.name for path in self.folder.iterdir() if path != self.book))


def kill_builds(folder: Path, kills: int, seed: int) -> Iterator[Killed]:
    """Kill builds that would replace a book, and leave the last one to end.

    Parameters
    ----------
    folder : Path
        Empty.
    kills : int
        How many builds are killed before they are done.
    seed : int
        Of the moments.

    Yields
    ------
    Killed
        What each kill left.
    """
    shelf, moments = Shelf(folder), random.Random(seed)  # noqa: S311  no secret
    _ended(shelf.build(STANDING))
    before = shelf.values()
    whole, writing = _times(shelf)
    done = 0
    while done < kills:
        # A build that is undisturbed has put the other book there: begin with the first again.
        if shelf.values() != before:
            _ended(shelf.build(STANDING))
            before = shelf.values()
        at_writing = done % 2 == 1
        left = shelf.beside()
        start = time.monotonic()
        with shelf.build(TAKING) as run:
            if at_writing:
                _wait_for_folder(shelf, run, left)
                time.sleep(moments.uniform(0, writing))
            else:
                time.sleep(moments.uniform(0, whole))
            while_writing = _writes(shelf, left)
            run.kill()
        after = time.monotonic() - start
        now = shelf.values()
        if run.returncode != -signal.SIGKILL or now[0] == TAKING:
            continue  # it was done
        yield Killed(while_writing, after, now == before, shelf.beside())
        done += 1
    _ended(shelf.build(TAKING))


def _times(shelf: Shelf) -> tuple[float, float]:
    """Seconds that a whole build takes, and its writing."""
    start = time.monotonic()
    with shelf.build(TAKING) as run:
        _wait_for_folder(shelf, run, ())
        began = time.monotonic()
        _ended(run)
    return time.monotonic() - start, time.monotonic() - began


def _wait_for_folder(shelf: Shelf, run: subprocess.Popen[bytes], left: Collection[str]) -> None:
    while run.poll() is None and not _writes(shelf, left):
        time.sleep(LOOK_EVERY)


def _writes(shelf: Shelf, left: Collection[str]) -> bool:
    """Whether there is a folder of a book that earlier kills have not left."""
    return any(name.endswith(".part") and name not in left for name in shelf.beside())


def _ended(run: subprocess.Popen[bytes]) -> None:
    _, said = run.communicate()
    if run.returncode:
        raise RuntimeError(said.decode())


def main() -> None:
    """Print what each kill left, and what the next build did."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="clv-killed-"))
    try:
        held = 0
        for i, killed in enumerate(kill_builds(folder, asked.kills, asked.seed), start=1):
            held += killed.unchanged
            print(
                f"kill {i:2}: after {killed.after:5.2f} s"
                f"{' (writing)' if killed.while_writing else '':10}; the book is "
                f"{'unchanged' if killed.unchanged else 'NOT WHAT IT WAS'}; beside it: "
                f"{', '.join(killed.left) or 'nothing'}",
                flush=True,
            )
        shelf = Shelf(folder)
        print(f"{held} of {asked.kills} kills left the book as it was.")
        print(
            f"After one more build: a book up to {shelf.values()[0]}, beside it "
            f"{', '.join(shelf.beside()) or 'nothing'}."
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
