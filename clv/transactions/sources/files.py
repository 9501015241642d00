"""The files a source names: which they are, whether they can be orders, and their hash."""

from __future__ import annotations

import difflib
import glob
import hashlib
import os
from pathlib import Path
from typing import Literal, NamedTuple

from clv.errors import OrdersError
from clv.transactions.sources.urls import misspelt

__all__ = ["Found", "Kind", "find", "sha256"]

Kind = Literal["csv", "parquet", "excel", "duckdb", "sqlite"]
KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
}
ONE_AT_A_TIME = {"excel": "Excel workbook", "duckdb": "database", "sqlite": "database"}
READ = (
    "CSV (.csv, .tsv, .txt, also .gz), Parquet (.parquet), Excel (.xlsx) nor a database (.duckdb, "
    ".sqlite)"
)
LAKES = {"_delta_log/*.json": "Delta", "metadata/*.metadata.json": "Iceberg"}


class Found(NamedTuple):
    """The files that a path names.

    Attributes
    ----------
    paths : list of Path
        In sorted order; at least one.
    kind : str
        What they are.
    root : Path or None
        The folder of Parquet files whose folders name columns, where there is one.
    """

    paths: list[Path]
    kind: Kind
    root: Path | None = None


def find(source: str | os.PathLike[str], what: str = "orders") -> Found:
    """Return the files that a path or pattern names, in sorted order, and what they are.

    `what` says in messages what their rows are.

    Raises
    ------
    OrdersError
        Where there is no such file, or one of them cannot hold rows; all faults at once.
    """
    text = os.fspath(source)
    root = Path(text) if Path(text).is_dir() else None
    paths = _named(text)
    faults = [fault for p in paths for fault in _faults(p, what)]
    kinds = {kind for kind in map(kind_of, paths) if kind is not None}
    if len(kinds) > 1:
        faults.append(f"{text!r} names files of several kinds; read one kind at a time.")
    if len(paths) > 1 and (one := kinds & set(ONE_AT_A_TIME)):
        faults.append(
            f"{text!r} names {len(paths)} files; read one {ONE_AT_A_TIME[one.pop()]} at a time."
        )
    if faults:
        raise OrdersError.of(faults)
    return Found(paths, kinds.pop(), root)


def _named(text: str) -> list[Path]:
    """The files that a path or a pattern names; at least one."""
    path = Path(text)
    try:
        there = path.exists()
    except OSError as error:  # such as a folder on the way that may not be looked into
        raise OrdersError(f"{text!r} cannot be read: {error.strerror}.") from None
    if there:
        return _parquet_below(path) if path.is_dir() else [path]
    if glob.has_magic(text):
        found = glob.glob(text, recursive=True)  # noqa: PTH207  Path.glob takes no absolute pattern
        if paths := sorted(p for p in map(Path, found) if not p.is_dir()):
            return paths
        told = misspelt(text) or _near(path)
        raise OrdersError(f"No file matches the pattern {text!r}.{told}")
    if path.is_symlink():
        raise OrdersError(f"{text!r} is a link to {str(path.readlink())!r}, where nothing is.")
    raise OrdersError(f"There is no file {text!r}.{misspelt(text) or _near(path)}")


def _faults(path: Path, what: str) -> list[str]:
    """Say why a file cannot hold rows, by its name and what the system says of it."""
    if kind_of(path) is None:
        return [
            (
                f"{str(path)!r} is neither {READ}: save the {what} as CSV (in a spreadsheet: Save "
                "As, CSV UTF-8)."
            )
        ]
    if not path.is_file():
        return [f"{str(path)!r} is a pipe, a device or a socket; give a file."]
    if not os.access(path, os.R_OK):
        return [f"{str(path)!r} cannot be read: no permission."]
    if path.stat().st_size == 0:
        return [f"{str(path)!r} is empty (0 bytes)."]
    return []


def kind_of(path: Path) -> Kind | None:
    """What a file is by its name; None where it is nothing that is read."""
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    kind = KINDS.get(name.suffix.lower())
    return None if kind != "csv" and name != path else kind


def sha256(paths: list[Path]) -> str:
    """Return the hash of the files' content, one after the other: `cat FILES | sha256sum`."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _parquet_below(root: Path) -> list[Path]:
    """The Parquet files of a folder, whose own folders may name columns: `region=eu/part.parquet`.

    Names that begin with a point or an underscore are an engine's own.
    """
    for log, lake in LAKES.items():
        if any(root.glob(log)):
            raise OrdersError(
                f"{str(root)!r} is a table of {lake}: its files hold rows that were deleted or "
                "replaced too. Read it with its own reader and give clv.read_orders what that "
                "returns: a table of pyarrow, polars or Ibis."
            )
    paths = sorted(
        p
        for p in root.rglob("*")
        if kind_of(p) == "parquet"
        and p.is_file()
        and not any(part[0] in "._" for part in p.relative_to(root).parts)
    )
    if not paths:
        inside = sorted(p.name for p in root.iterdir() if kind_of(p))
        holds = f"it holds {', '.join(inside[:5])}" if inside else "it holds no CSV or Parquet file"
        raise OrdersError(
            f"{str(root)!r} is a directory ({holds}). Give a file, or a pattern such as "
            f"{str(root / ('*' + Path(inside[0]).suffix if inside else '*.csv'))!r}."
        )
    others = sorted(str(p.relative_to(root)) for p in root.rglob("*") if _of_another_kind(p, root))
    if others:
        raise OrdersError(
            f"{str(root)!r} holds Parquet files and {', '.join(map(repr, others[:3]))}"
            f"{f' and {len(others) - 3} more' if len(others) > 3 else ''}; read one kind at a "
            f"time, such as {str(root / '**' / '*.parquet')!r}."
        )
    keys = {tuple(_keys(p.relative_to(root))): p for p in reversed(paths)}
    if len(keys) > 1:
        told = " and ".join(
            f"{', '.join(map(repr, names)) or 'none'} (as {str(p.relative_to(root))!r})"
            for names, p in list(keys.items())[:2]
        )
        raise OrdersError(f"The folders of {str(root)!r} name different columns: {told}.")
    return paths


def _of_another_kind(path: Path, root: Path) -> bool:
    """Whether a file below a folder of Parquet files may hold orders too; a .txt may be a note."""
    return (
        kind_of(path) not in {None, "parquet"}
        and path.suffix.lower() != ".txt"
        and not any(part[0] in "._" for part in path.relative_to(root).parts)
    )


def _keys(path: Path) -> list[str]:
    return [part.partition("=")[0] for part in path.parent.parts if "=" in part]


def _near(path: Path) -> str:
    """Say which files of the folder have a name like it, or that there is no such folder."""
    folder = path.parent
    if not folder.is_dir():
        return "" if glob.has_magic(str(folder)) else f" There is no folder {str(folder)!r} either."
    names = [p.name for p in folder.iterdir() if p.is_file()]
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(repr(str(folder / n)) for n in near)}?" if near else ""
