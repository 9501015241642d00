"""The directory of a customer book on disk: there whole, or not at all.

A book is written beside its place and moved there in one step. Where one stood before, it steps
aside first under a name that :func:`whole` knows, so that there is a whole book to read at every
moment, even when the machine stops between the two moves.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from clv.errors import BookError
from clv.passwords import no_place

__all__ = [
    "FORMAT",
    "GAPS",
    "INCIDENTS",
    "INTERVAL_COLUMNS",
    "LINES",
    "MANIFEST",
    "MODELS",
    "POLICY",
    "SCORE_COLUMNS",
    "VALUES",
    "changed_lines",
    "damage",
    "is_book",
    "refuse_other",
    "replaced",
    "whole",
    "write_book",
]

FORMAT = 6
MANIFEST, VALUES, MODELS, POLICY = "manifest.json", "values.parquet", "models.json", "policy.toml"
GAPS = "gaps.parquet"
"""How often so many days lay between two purchases: there where the purchase model needs it."""
INCIDENTS = "incidents.parquet"
"""Returns as incidents, in books that were built so."""
LINES = "lines.parquet"
"""The lines of the orders, in books whose orders could be changed by later lines or returns. Only
newer orders need them, so a reader of the book does not wait for their hash."""
SCORE_COLUMNS = (
    "customer_id",
    "frequency",
    "recency",
    "T",
    "monetary_value",
    "spend_frequency",
    "p_alive",
    "expected_purchases",
    "expected_spend",
    "value_if_alive",
    "lifetime_value",
    "p_leaves",
    "value_leaves",
)
"""The columns of `values.parquet` that hold what is known of a customer and what to expect."""
INTERVAL_COLUMNS = (
    "value_if_alive_low",
    "value_if_alive_high",
    "lifetime_value_low",
    "lifetime_value_high",
)
"""Those that hold bounds; null where there are none."""
LOCK = ".lock"
"""Held by the process that writes a folder; the system lets go of it however the process ends."""
LONG_AGO = 3600.0
"""Seconds after which nobody is between making a folder and locking it."""


@contextmanager
def write_book(path: Path, manifest: Mapping[str, Any]) -> Iterator[Path]:
    """Give a folder to write the files of a book to; move it to `path` when all went well.

    `manifest` is written last, with the size and hash of each file; it may be filled in meanwhile.

    Raises
    ------
    BookError
        Where something else stands at `path`, or the place cannot be written to.
    """
    refuse_other(path)
    try:
        with replaced(path) as aside:
            yield aside
            files = {
                file.name: {"bytes": file.stat().st_size, "sha256": _sha256(file)}
                for file in sorted(aside.iterdir())
                if file.name != LOCK
            }
            told = {"format": FORMAT, **manifest, "files": files}
            text = json.dumps(told, indent=2, allow_nan=False)
            (aside / MANIFEST).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from None


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a folder to write to; move it to `path` when all went well.

    What stood there steps aside while the new folder moves in. Folders of earlier runs that were
    killed are removed first. Where `path` is a link, it stays one, and what it points to is
    replaced.

    Raises
    ------
    OSError
        Where the place cannot be written to.
    """
    path = _place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(path)
    here = path.parent.absolute()  # to what writes there, `books:2024` alone would be a URL
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=here))
    lock = _hold(aside / LOCK)
    try:
        yield aside
        for file in aside.rglob("*"):
            if file.is_file():
                _flush(file)
        aside.chmod(0o755)
        (aside / LOCK).unlink()
        _move_in(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if lock:
            lock.close()


def _place(path: Path) -> Path:
    """Where a folder stands, or what a link to one points to."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _hold(lock: Path) -> IO[bytes] | None:
    """Take the lock of a folder, for as long as the file is open; None where another has it."""
    file = lock.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _remove_left_behind(path: Path) -> None:
    """Remove what runs that were killed left beside a folder; one that still runs keeps its own."""
    for folder in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        try:
            if not (folder / LOCK).exists():  # not yet, or no more: just begun, or about to move
                if time.time() - folder.stat().st_mtime > LONG_AGO:
                    shutil.rmtree(folder, ignore_errors=True)
                continue
            held = _hold(folder / LOCK)
        except OSError:  # of another user, or moved meanwhile
            continue
        if held:
            shutil.rmtree(folder, ignore_errors=True)
            held.close()


def _unwritable(path: Path, error: OSError) -> BookError:
    return BookError(
        f"No book can be written at {path}: {error.strerror or error}. Name another place with -o, "
        "or make room and see that you may write there."
    )


def _previous(path: Path) -> Path:
    """Name under which a book steps aside while its successor moves in."""
    return path.with_name(f".{path.name}.previous")


def is_book(path: Path) -> bool:
    """Whether there is a book, there or where it stepped aside."""
    return any((place / MANIFEST).is_file() for place in _places(path))


def _places(path: Path) -> tuple[Path, ...]:
    return (path, _previous(_place(path))) if path.name else (path,)


def whole(path: Path) -> Path:
    """Find the whole book of this path: there, or where it stepped aside."""
    for candidate in _places(path):
        if (candidate / MANIFEST).is_file():
            return candidate
    if not path.exists():
        raise BookError(
            f"There is no customer book at {path}. Build one: clv build ORDERS -o {path}."
        )
    raise BookError(
        f"{path} is not a customer book: it has no {MANIFEST}. Give the directory that clv build "
        "wrote, or build one: clv build ORDERS -o BOOK."
    )


def damage(path: Path, manifest: Any) -> list[str]:
    """Say which files of a book are not what its manifest says; nothing where it is whole."""
    try:
        files = {
            str(name): (int(f["bytes"]), str(f["sha256"])) for name, f in manifest["files"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return [f"{path / MANIFEST} does not say which files belong to the book"]
    faults = [
        f"{path / MANIFEST} does not name {name}"
        for name in (VALUES, MODELS, POLICY)
        if name not in files
    ]
    for name, (size, sha256) in files.items():
        file = path / name
        if not file.is_file():
            faults.append(f"{file} is missing")
        elif file.stat().st_size != size:
            faults.append(
                f"{file} has {file.stat().st_size:,} bytes where the manifest says {size:,}"
            )
        elif name != LINES and _sha256(file) != sha256:
            faults.append(_changed(file))
    return faults


def changed_lines(path: Path, manifest: Any) -> list[str]:
    """Say so where the lines of a whole book, if it has any, are not what its manifest says."""
    about = manifest["files"].get(LINES)
    file = path / LINES
    return [_changed(file)] if about and _sha256(file) != about["sha256"] else []


def _changed(file: Path) -> str:
    return f"{file} was changed after the book was built"


def refuse_other(path: Path) -> None:
    """Never replace a directory that is not a book, or a file."""
    if fault := no_place(str(path)):
        raise BookError(f"No book can be written: {fault}. Name another place with -o.")
    if not path.name:
        raise BookError(f"A book needs a directory of its own; {path} is none. Name one with -o.")
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        raise BookError(
            f"No book can be written at {path}: {above.name} is a file. Name another place with -o."
        )
    if _place(path).is_symlink():
        raise BookError(f"{path} is a link that leads nowhere. Name another place with -o.")
    if not path.exists() or (path / MANIFEST).is_file():
        return
    if path.is_dir() and not any(path.iterdir()):
        return
    raise BookError(
        f"{path} exists and is not a customer book; it is left as it is. Name another place "
        "with -o."
    )


def _move_in(aside: Path, path: Path) -> None:
    previous = _previous(path)
    if path.exists():
        if previous.exists():
            shutil.rmtree(previous)
        path.rename(previous)
    try:
        aside.rename(path)
    except BaseException:  # Ctrl-C between the two moves: step back
        if not path.exists() and previous.exists():
            previous.rename(path)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _flush(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
