"""What a book has learned from the company's own record, beside what it was built with.

`learned.json` comes after the build, so the manifest does not name it; it carries a hash of its
own, and that of the manifest of the build it belongs to. It is written beside its place and moved
there in one step, and whoever adds to it holds a lock meanwhile: incidents and campaigns may be
learned from at the same time.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clv.book.directory import MANIFEST
from clv.errors import BookError, ClvError
from clv.recommend.learned import OF_SEGMENTS, Learned

__all__ = ["LEARNED", "add_learned", "build_of", "read_learned"]

LEARNED = "learned.json"

AGAIN = "Learn again: remove the file, then clv incidents fit, clv campaigns fit."


def read_learned(folder: Path) -> Learned | None:
    """Read what the book in a folder has learned; None where it has learned nothing.

    Raises
    ------
    BookError
        Where the file is damaged, or belongs to another build.
    """
    layers = _layers(folder)
    if not layers:
        return None
    learned, *others = layers
    for layer in others:
        learned = learned.with_figures(layer)
    return learned


def add_learned(folder: Path, learned: Learned, *, build: str) -> None:
    """Add figures to what the book in a folder has learned.

    A figure that was learned before is replaced: it starts from the policy's own figure each time,
    so that the same record never counts twice.

    Parameters
    ----------
    folder : Path
        Of the book.
    learned : Learned
        The figures.
    build : str
        :func:`build_of` the book whose policy they started from.

    Raises
    ------
    BookError
        Where the folder cannot be written to, holds a damaged file, or was built anew meanwhile.
    """
    try:
        with (folder / MANIFEST).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go of when the file is closed
            if hashlib.sha256(lock.read()).hexdigest() != build:
                raise BookError(
                    f"{folder} was built again while this was learned; nothing was written. Run "
                    "the same command again."
                )
            kept = [_without(layer, learned) for layer in _layers(folder)]
            layers = [layer for layer in (*kept, learned) if layer.figures]
            _replace(folder / LEARNED, layers, build)
    except OSError as error:
        raise BookError(
            f"What was learned cannot be written to {folder}: {error.strerror or error}."
        ) from None


def build_of(folder: Path) -> str:
    """Tell one build of a book from another: the hash of its manifest."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def _layers(folder: Path) -> list[Learned]:
    """What was learned from each record, the oldest first."""
    file = folder / LEARNED
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BookError(f"{file} cannot be read: {error.strerror or error}.") from None
    try:
        told = json.loads(text)
        stated, build, layers = told["sha256"], told["build"], told["layers"]
        learned = [Learned.from_dict(layer) for layer in layers]
    except (ClvError, KeyError, TypeError, ValueError) as error:
        raise BookError(f"{file} cannot be read ({error}). {AGAIN}") from None
    if _sha256(layers) != stated:
        raise BookError(f"{file} was changed after it was written. {AGAIN}")
    if build != build_of(folder):
        raise BookError(f"{file} belongs to another build of this book. {AGAIN}")
    return learned


def _without(layer: Learned, newer: Learned) -> Learned:
    """Leave out of a layer what a newer one replaces."""
    figures = [figure for key, figure in layer.figures.items() if key not in newer]
    return Learned.of(
        figures,
        source=layer.source,
        learned_on=layer.learned_on,
        policy_version=layer.policy_version,
        segments=None if OF_SEGMENTS in newer else layer.segments,
    )


def _replace(file: Path, layers: Sequence[Learned], build: str) -> None:
    told = [layer.to_dict() for layer in layers]
    whole = {"sha256": _sha256(told), "build": build, "layers": told}
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    aside = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            json.dump(whole, opened, indent=2, allow_nan=False)
            opened.write("\n")
            opened.flush()
            os.fsync(opened.fileno())
        aside.chmod(0o644)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def _sha256(told: Any) -> str:
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
