"""The files a source names: which they are, whether they can be orders, and their hash."""

from __future__ import annotations

import difflib
import glob
import hashlib
import os
from pathlib import Path
from typing import Literal

from clv.errors import OrdersError

__all__ = ["Kind", "find", "sha256"]

Kind = Literal["csv", "parquet"]
KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def find(source: str | os.PathLike[str], what: str = "orders") -> tuple[list[Path], Kind]:
    """Return the files that a path or pattern names, in sorted order, and what they are.

    `what` says in messages what their rows are.

    Raises
    ------
    OrdersError
        Where there is no such file, or one of them cannot hold rows; all faults at once.
    """
    text = os.fspath(source)
    path = Path(text)
    if glob.has_magic(text) and not path.exists():
        found = glob.glob(text, recursive=True)  # noqa: PTH207  Path.glob takes no absolute pattern
        paths = sorted(p for p in map(Path, found) if not p.is_dir())
        if not paths:
            raise OrdersError(f"No file matches the pattern {text!r}.{_near(path)}")
    elif not path.exists():
        raise OrdersError(f"There is no file {text!r}.{_near(path)}")
    elif path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if _kind(p))
        holds = f"it holds {', '.join(inside[:5])}" if inside else "it holds no CSV or Parquet file"
        raise OrdersError(
            f"{text!r} is a directory ({holds}). Give a file, or a pattern such as "
            f"{str(path / ('*' + Path(inside[0]).suffix if inside else '*.csv'))!r}."
        )
    else:
        paths = [path]
    faults = []
    for p in paths:
        if _kind(p) is None:
            faults.append(
                f"{str(p)!r} is neither CSV (.csv, .tsv, .txt, also .gz) nor Parquet (.parquet): "
                f"save the {what} as CSV (in a spreadsheet: Save As, CSV UTF-8)."
            )
        elif not os.access(p, os.R_OK):
            faults.append(f"{str(p)!r} cannot be read: no permission.")
        elif p.stat().st_size == 0:
            faults.append(f"{str(p)!r} is empty (0 bytes).")
    kinds = {kind for kind in map(_kind, paths) if kind is not None}
    if len(kinds) > 1:
        faults.append(f"{text!r} names CSV and Parquet files; read one kind at a time.")
    if faults:
        raise OrdersError.of(faults)
    return paths, kinds.pop()


def sha256(paths: list[Path]) -> str:
    """Return the hash of the files' content, one after the other: `cat FILES | sha256sum`."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _kind(path: Path) -> Kind | None:
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    kind = KINDS.get(name.suffix.lower())
    return None if kind == "parquet" and name != path else kind


def _near(path: Path) -> str:
    """Say which files of the folder have a name like it, or that there is no such folder."""
    folder = path.parent
    if not folder.is_dir():
        return "" if glob.has_magic(str(folder)) else f" There is no folder {str(folder)!r} either."
    names = [p.name for p in folder.iterdir() if p.is_file()]
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(repr(str(folder / n)) for n in near)}?" if near else ""
