"""The files a source names: which they are, whether they can be orders, and their hash."""

from __future__ import annotations

import csv
import difflib
import glob
import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TextIO

from clv.errors import OrdersError

__all__ = ["Kind", "csv_layout", "find", "line_numbers", "not_utf8", "sha256"]

Kind = Literal["csv", "parquet"]
KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
DELIMITERS = ",;\t|"


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


def csv_layout(paths: list[Path], what: str = "orders") -> tuple[list[str], str]:
    """Return the columns (the first line, which all files share) and the delimiter."""
    columns, delimiter = _header(paths[0], what)
    faults = []
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        faults.append(
            f"{str(paths[0])!r} has more than one column named {', '.join(map(repr, twice))}."
        )
    for other in paths[1:]:
        theirs = _header(other, what)
        if theirs != (columns, delimiter):
            faults.append(
                f"{str(other)!r} has other columns ({', '.join(theirs[0])}) than "
                f"{str(paths[0])!r} ({', '.join(columns)})."
            )
    if faults:
        raise OrdersError.of(faults)
    return columns, delimiter


def line_numbers(path: Path, delimiter: str, rows: list[int]) -> list[int]:
    """Return the line on which each data row (0 is the first after the header) begins.

    The header is line 1. Line and row part where a quoted value holds a line break, or lines are
    blank. `rows` must be sorted.
    """
    wanted, lines = iter(rows), []
    want = next(wanted, None)
    with _open(path) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        for i, line in enumerate(_record_starts(reader), start=-1):
            if want is None:
                break
            if i == want:
                lines.append(line)
                want = next(wanted, None)
    return lines


def not_utf8(name: str) -> OrdersError:
    """Return the error that tells how to mend a file that is not UTF-8 text."""
    return OrdersError(
        f"{name!r} is not UTF-8 text. Save it as UTF-8 (in a spreadsheet: Save As, CSV UTF-8), or "
        "convert it: iconv -f latin1 -t utf-8 IN > OUT."
    )


def sha256(paths: list[Path]) -> str:
    """Return the hash of the files' content, one after the other: `cat FILES | sha256sum`."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _record_starts(reader: csv._reader) -> Iterator[int]:  # type: ignore[name-defined]
    previous = 0
    for record in reader:
        if record:  # a blank line is no record
            yield previous + 1
        previous = reader.line_num


def _header(path: Path, what: str) -> tuple[list[str], str]:
    with _open(path) as stream:
        try:
            first = next((line for line in stream if line.strip()), "")
        except (OSError, EOFError) as error:
            raise OrdersError(f"{str(path)!r} cannot be read: {error}.") from error
    if first.startswith("PAR1"):
        raise OrdersError(f"{str(path)!r} is a Parquet file: name it .parquet.")
    if first.startswith("PK\x03\x04"):
        raise OrdersError(
            f"{str(path)!r} is an Excel workbook or another zip file, whatever its name: save the "
            f"{what} as CSV (in a spreadsheet: Save As, CSV UTF-8)."
        )
    if "\0" in first:  # UTF-16 of Latin letters has a zero in every other byte
        raise not_utf8(str(path))
    if not first:
        raise OrdersError(f"{str(path)!r} is empty: it has no header line.")
    delimiter = max(DELIMITERS, key=first.count)
    columns = next(csv.reader([first], delimiter=delimiter))
    return [c.strip() or f"column {i}" for i, c in enumerate(columns, start=1)], delimiter


def _open(path: Path) -> TextIO:
    # What is not UTF-8 is for the engine to refuse, with the reason.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


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
