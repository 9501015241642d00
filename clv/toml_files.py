"""TOML that people write: reading it, and on which line each of its keys stands.

A fault of such a file is told with its line; the reader should not have to count.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from clv.errors import ClvError

__all__ = ["Fault", "Key", "lines_of", "read_toml", "told"]

Key = tuple[str | int, ...]
"""The way to a value: names of tables, and numbers within a list of tables."""

Fault = tuple[Key, str]
"""Where a fault is, and the sentence that tells it."""


def read_toml(text: str, what: str, error: type[ClvError]) -> dict[str, Any]:
    """Return the tables of a TOML text; where it is not TOML, an error tells the line.

    Parameters
    ----------
    text : str
        What the file says.
    what : str
        What the file is, for the message: "policy".
    error : type of ClvError
        What is raised.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        where = f"at line {len(text.splitlines())}, the end"
        said = str(fault).replace("at end of document", where)
        raise error(
            f"This is not a {what} in TOML: {said}. Text needs quotes, numbers a decimal point "
            "and no thousands separator, every line one `key = value`."
        ) from None


def lines_of(text: str) -> dict[Key, int]:
    r"""Return the line, from 1, on which each key and table of a valid TOML text begins.

    A TOML statement ends with its line unless a bracket or a quote is still open, and then what
    was read of it is not valid TOML: so the shortest run of lines that parses is one statement.

    >>> lines_of("margin = 0.4\n\n[recovery]\ngrid = 1.0")
    {('margin',): 1, ('recovery',): 3, ('recovery', 'grid'): 4}
    """
    found: dict[Key, int] = {}
    table: Key = ()
    lists: dict[Key, int] = {}
    for number, said, header in _statements(text):
        keys = list(_keys(said, ()))
        if header:
            table = _numbered(keys[-1] if header == 1 else keys[-1][:-1], lists, new=header == 2)
            keys = [table[: i + 1] for i in range(len(table))]
        else:
            keys = [table + key for key in keys]
        for key in keys:
            found.setdefault(key, number)
    return found


def told(faults: list[Fault], lines: Mapping[Key, int]) -> list[str]:
    """Return the sentences in the order of the file, each after its line where that is known.

    Parameters
    ----------
    faults : list of Fault
        What is wrong, and where.
    lines : mapping of Key to int
        From :func:`lines_of`.
    """

    def line(where: Key) -> int:
        """The line of the key, or of the table that it should be in."""
        ways = (where[:n] for n in range(len(where), 0, -1))
        return next((lines[way] for way in ways if way in lines), 0)

    placed = sorted(((line(where), said) for where, said in faults), key=lambda one: one[0])
    return [f"line {at}: {said}" if at else said for at, said in placed]


def _statements(text: str) -> Iterator[tuple[int, dict[str, Any], int]]:
    """Yield line, content and kind of each statement: 0 for a value, 1 for [..], 2 for [[..]]."""
    lines = text.replace("\r\n", "\n").split("\n")  # what ends a line in TOML, and nothing else
    begin = 0
    for end in range(1, len(lines) + 1):
        try:
            said = tomllib.loads("\n".join(lines[begin:end]))
        except tomllib.TOMLDecodeError:
            continue
        if said:
            start = lines[begin].lstrip()
            yield begin + 1, said, start.startswith("[") + start.startswith("[[")
        begin = end


def _keys(values: Any, above: Key) -> Iterator[Key]:
    parts = values.items() if isinstance(values, Mapping) else enumerate(values)
    for part, value in parts:
        yield (*above, part)
        if isinstance(value, Mapping | list):
            yield from _keys(value, (*above, part))


def _numbered(names: Key, lists: dict[Key, int], *, new: bool) -> Key:
    """Put after each name of a list of tables the number of the table that is meant."""
    way: Key = ()
    for i, name in enumerate(names):
        way = (*way, name)
        if new and i == len(names) - 1:
            lists[way] = lists.get(way, -1) + 1
        if way in lists:
            way = (*way, lists[way])
    return way
