"""How commands speak: answers to standard output, everything else to standard error."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from clv.errors import RequestError

__all__ = [
    "between",
    "counted",
    "echo_json",
    "echo_rows",
    "echo_table",
    "format_option",
    "money",
    "number",
    "output_option",
    "paragraph",
    "percent",
    "plain",
    "visible",
    "write_rows",
]

Row = Mapping[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

ROWS = (".csv", ".parquet")
PICTURES = (".png", ".svg", ".pdf")
"""Endings of the files that rows, and pictures of them, are written to."""

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of Unicode: control, format (such as signs that turn the direction), half letters, and
separators of lines and paragraphs."""

PIPE_WIDTH = 160
"""Columns of a table where standard output is no terminal."""


def format_option(command: F) -> F:
    """Add the `--format` option that every command which prints data has."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "csv", "json"]),
        default="table",
        show_default=True,
        help="How to print the answer.",
    )(command)


def output_option(told: str, *, pictures: bool = False) -> Callable[[F], F]:
    """Add the `-o` option of the commands that write rows to a file.

    Whether the place can be written to is looked at before the work, not after it.

    Parameters
    ----------
    told : str
        Its help.
    pictures : bool
        Whether it can be a picture, too.
    """

    def checked(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
        if path is not None:
            _refuse_place(path, pictures=pictures)
        return path

    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        metavar="FILE",
        callback=checked,
        help=told,
    )


def number(value: float | None, digits: int = 2) -> str:
    """Write a number for people: thousands separated, so many digits, an empty cell for none."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:,.{digits}f}"


def counted(n: int, noun: str) -> str:
    """Write how many there are: "1 incident", "2,000 incidents"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def between(low: float | None, high: float | None, digits: int = 2) -> str:
    """Write an interval for people; an empty cell for none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    return f"{number(low, digits)} to {number(high, digits)}"


def percent(share: float, digits: int = 0) -> str:
    """Write a share as a percentage."""
    return f"{100 * share:.{digits}f} %"


def money(value: float | None, currency: str = "") -> str:
    """Write an amount for people, with its currency where the policy names one."""
    return f"{number(value)} {currency}".strip()


def plain(value: object) -> str:
    """Write a figure or rule of the policy as its file does, without quotes."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def visible(text: str, *, but: str = "") -> str:
    r"""Write out the signs of a text that are not seen, and those that move a terminal's cursor.

    They come with the ids of a log. `but` are signs that stay as they are.

    >>> visible("a\x1b[31mb\nc\u200bd")
    'a\\x1b[31mb\\nc\\u200bd'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in UNSEEN and c not in but
        else c
        for c in text
    )


def echo_json(answer: Any) -> None:
    """Print an answer as JSON; what is not a number is null."""
    click.echo(json.dumps(_finite(answer), indent=2, ensure_ascii=False, allow_nan=False))


def echo_rows(rows: Iterable[Row], *, version: str = "") -> None:
    """Print rows as CSV with a header line, each with the version of the policy it rests on."""
    # color: an id with the codes of a terminal is the id that the file has, also in a pipe.
    click.echo(_csv(_stamped(rows, version)), nl=False, color=True)


def echo_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, title: str = ""
) -> None:
    """Print a table for people; the first `left` columns are text, the others numbers."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for i, column in enumerate(columns):
        side: Literal["left", "right"] = "left" if i < left else "right"
        table.add_column(visible(column), justify=side, no_wrap=True)
    for row in rows:
        table.add_row(*map(visible, row))
    if title:
        click.echo(click.style(visible(title), bold=True))
    buffer = io.StringIO()
    terminal = sys.stdout.isatty()
    console = Console(
        file=buffer,
        width=None if terminal else PIPE_WIDTH,
        force_terminal=terminal,
        markup=False,
        highlight=False,
        emoji=False,
    )
    console.print(table)
    click.echo("\n".join(line.rstrip() for line in buffer.getvalue().splitlines()))


def paragraph(text: str, *, indent: str = "", err: bool = False) -> None:
    """Print a sentence or two, wrapped to a width that reads well."""
    import textwrap

    lines = textwrap.wrap(
        visible(text, but="\n"),
        96,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_long_words=False,
        break_on_hyphens=False,  # what is to be typed stays whole: mbg-nbd, --dry-run
    )
    click.echo("\n".join(lines), err=err)


def write_rows(rows: Iterable[Row], path: Path, *, version: str) -> None:
    """Write rows to a CSV or Parquet file, whole or not at all.

    Parameters
    ----------
    rows : iterable of dict
        One for each line.
    path : Path
        Where to.
    version : str
        Of the policy that they rest on: the last column, `policy_version`.

    Raises
    ------
    RequestError
        For another ending, a folder that is not there, or a place that cannot be written to.
    """
    _refuse_place(path)
    rows = _stamped(rows, version)
    aside = _beside(path)
    try:
        if path.suffix.lower() == ".csv":
            aside.write_text(_csv(rows), encoding="utf-8", newline="")
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), aside)
        aside.chmod(0o644)
        aside.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        aside.unlink(missing_ok=True)
    click.echo(f"Wrote {counted(len(rows), 'row')} to {path}.", err=True)


def _stamped(rows: Iterable[Row], version: str) -> list[Row]:
    return [{**row, "policy_version": version} for row in rows] if version else [*rows]


def _refuse_place(path: Path, *, pictures: bool = False) -> None:
    """Refuse a place that cannot be written to, or whose ending does not say how."""
    from clv.passwords import no_place

    if fault := no_place(str(path)):
        raise RequestError(f"Cannot write: {fault}. Name a file.")
    if path.suffix.lower() not in (*ROWS, *(PICTURES if pictures else ())):
        picture = f"; of a picture, in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}"
        raise RequestError(
            f"Cannot tell how to write {path}: end its name in {' or '.join(ROWS)}"
            f"{picture if pictures else ''}."
        )
    if not path.parent.is_dir():
        raise RequestError(f"There is no folder {path.parent} to write {path.name} to.")
    if path.is_dir():
        raise RequestError(f"Cannot write {path}: it is a folder. Name another file.")
    _beside(path).unlink()


def _beside(path: Path) -> Path:
    """Return a new empty file beside a place, to be moved there once it is whole."""
    try:
        # Absolute: to what writes there, `values:2024` alone would be a URL.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent.absolute())
    except OSError as error:
        raise _unwritable(path, error) from None
    os.close(handle)
    return Path(name)


def _unwritable(path: Path, error: OSError) -> RequestError:
    return RequestError(f"Cannot write {path}: {error.strerror or error}. Name another file.")


def _csv(rows: Iterable[Row]) -> str:
    rows = list(rows)
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _finite(v) for k, v in row.items()} for row in rows)
    return buffer.getvalue()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value
