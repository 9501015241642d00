"""On which line of a TOML text each key stands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv.recommend.policy.policy import Policy
from clv.toml_files import Key, lines_of

VALUES = (
    "1",
    "0.5",
    '"x"',
    '"""\na = 1\n[b]\n"""',
    "'''\n# c\n'''",
    "[\n  1,\n\n  2, # d\n]",
    "{q = 1}",
)
names = st.sampled_from(["a", "b_1", "c-2", '"d.e"', "'f g'"])


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, dict[Key, int]]:
    """A TOML text and the line of each of its keys, both written statement by statement."""
    lines: list[str] = []
    where: dict[Key, int] = {}

    def add(statement: str, *keys: Key) -> None:
        for key in keys:
            where.setdefault(key, len(lines) + 1)
        lines.extend(statement.split("\n"))

    def values(table: Key) -> None:
        for name in draw(st.lists(names, max_size=4, unique=True)):
            plain, value = name.strip("\"'"), draw(st.sampled_from(VALUES))
            inner: list[Key] = [(*table, plain)]
            if value == "{q = 1}":
                inner.append((*table, plain, "q"))
            if value.startswith("[\n"):
                inner += [(*table, plain, 0), (*table, plain, 1)]
            add(f"{name} = {value}", *inner)
            if draw(st.booleans()):
                add(draw(st.sampled_from(["", "# x = 1", "  # [t]"])))

    values(())
    for table in draw(st.lists(st.sampled_from(["T", "U", "V.W"]), max_size=3, unique=True)):
        parts = tuple(table.split("."))
        add(f"[{table}]", *(parts[: i + 1] for i in range(len(parts))))
        values(parts)
    for i in range(draw(st.integers(0, 3))):
        add("[[L]]", ("L",), ("L", i))
        values(("L", i))
        if draw(st.booleans()):
            add("[L.M]", ("L", i, "M"))
            values(("L", i, "M"))
    return "\n".join(lines), where


def keys_of(value: Any, above: Key = ()) -> Iterator[Key]:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for part, inner in parts:
        yield (*above, part)
        if isinstance(inner, dict | list):
            yield from keys_of(inner, (*above, part))


@given(texts())
def test_every_key_is_on_the_line_it_was_written_on(written: tuple[str, dict[Key, int]]) -> None:
    text, where = written
    assert lines_of(text) == where
    assert set(where) == set(keys_of(tomllib.loads(text)))
    assert lines_of(text.replace("\n", "\r\n")) == where


def test_dotted_keys() -> None:
    found = lines_of("a.b = 1\n\na.c = 2")
    assert found == {("a",): 1, ("a", "b"): 1, ("a", "c"): 3}


@pytest.mark.parametrize("key", ["margin", "recovery.grid", "stages.label_new"])
def test_a_key_of_a_written_policy_is_found_where_it_stands(key: str) -> None:
    stated = 'margin = 0.3\n[recovery]\ngrid = 2.0\n[stages]\nlabel_new = "x"'
    text, way = Policy.parse(stated).to_toml(), tuple(key.split("."))
    assert text.split("\n")[lines_of(text)[way] - 1].startswith(f"{way[-1]} = ")
    assert way not in lines_of(Policy().to_toml())  # there it stands in a comment
