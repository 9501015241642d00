"""What a book has learned from the company's own record, beside what it was built with.

`learned.json` comes after the build, so the manifest does not name it; it carries a hash of its
own. It is written beside its place and moved there in one step, and whoever adds to it holds a
lock meanwhile: incidents and campaigns may be learned from at the same time.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from pathlib import Path

from clv.book_directory import MANIFEST
from clv.errors import BookError, ClvError
from clv.recommend.learned import Learned

__all__ = ["LEARNED", "add_learned", "read_learned"]

LEARNED = "learned.json"


def read_learned(folder: Path) -> Learned | None:
    """Read what the book in a folder has learned; None where it has learned nothing.

    Raises
    ------
    BookError
        Where the file is damaged.
    """
    file = folder / LEARNED
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BookError(f"{file} cannot be read: {error.strerror or error}.") from None
    again = "Learn again: remove the file, then clv incidents fit, clv campaigns fit."
    try:
        told = json.loads(text)
        stated, learned = told["sha256"], Learned.from_dict(told["learned"])
    except (ClvError, KeyError, TypeError, ValueError) as error:
        raise BookError(f"{file} cannot be read ({error}). {again}") from None
    if _sha256(told["learned"]) != stated:
        raise BookError(f"{file} was changed after it was written. {again}")
    return learned


def add_learned(folder: Path, learned: Learned) -> Learned:
    """Add figures to what the book in a folder has learned, and return all of it.

    A figure that was learned before is replaced: it starts from the policy's own figure each time,
    so that the same record never counts twice.

    Raises
    ------
    BookError
        Where the folder cannot be written to, or holds a damaged file.
    """
    try:
        with (folder / MANIFEST).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go of when the file is closed
            before = read_learned(folder)
            both = learned if before is None else before.with_figures(learned)
            _replace(folder / LEARNED, both)
    except OSError as error:
        raise BookError(
            f"What was learned cannot be written to {folder}: {error.strerror or error}."
        ) from None
    return both


def _replace(file: Path, learned: Learned) -> None:
    told = learned.to_dict()
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    aside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            json.dump({"sha256": _sha256(told), "learned": told}, opened, indent=2, allow_nan=False)
            opened.write("\n")
            opened.flush()
            os.fsync(opened.fileno())
        aside.chmod(0o644)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def _sha256(told: object) -> str:
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
