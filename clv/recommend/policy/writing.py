"""Writing a policy as a commented file: every value with its meaning, range and source.

Knows how a pydantic model states those of its fields; knows no single value.
"""

from __future__ import annotations

import json
import textwrap
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from clv.recommend.policy.faults import range_of

__all__ = ["write_toml"]

HEAD = """\
# Policy for `clv`: what may be spent on keeping customers, and on whom.
#
# A line that starts with "# " and holds an assignment states a default that the toolkit assumes;
# every figure that rests on it is printed "assumed". To make it your company's own, remove the
# "# " before it and put your value. What you leave commented out stays assumed. "none" says that
# a figure is not known; nothing is assumed in its place.
"""


def write_toml(model: BaseModel, is_set: Callable[[str], bool]) -> str:
    """Return the commented file: values that are set stand active, the others commented out."""
    return HEAD + "\n".join(_table(model, "", is_set)) + "\n"


def _table(
    model: BaseModel, name: str, is_set: Callable[[str], bool], *, comments: bool = True
) -> Iterator[str]:
    later: list[tuple[str, Any]] = []
    for key, field in type(model).model_fields.items():
        value = getattr(model, key)
        if field.json_schema_extra is None:  # only values say where they come from
            later.append((key, value))
            continue
        if comments:
            yield from _comment(field)
        line = f"{key} = {_literal(value)}"
        yield line if is_set(f"{name}.{key}" if name else key) else f"# {line}"
    for key, value in later:
        if isinstance(value, BaseModel):
            yield from ("", "", *_wrapped(type(value).__doc__ or ""), f"[{key}]")
            yield from _table(value, key, is_set)
        elif isinstance(value, Mapping):
            yield from _named(key, value, is_set)
        else:
            one = typing.get_args(type(model).model_fields[key].annotation)[0]
            yield from _numbered(key, one, value)


def _named(
    name: str, tables: Mapping[str, BaseModel], is_set: Callable[[str], bool]
) -> Iterator[str]:
    """Write tables that share their fields: these are told once, above the first."""
    kind = type(next(iter(tables.values())))
    yield from ("", "", *_wrapped(kind.__doc__ or ""))
    yield from _wrapped(
        "Add a type of your own as a table of its own, "
        f"[{name}.its_name]; it must state its dropout. What the lines mean:"
    )
    yield from _meanings(kind)
    for key, one in tables.items():
        yield from ("", f"[{name}.{key}]")
        yield from _table(one, f"{name}.{key}", is_set, comments=False)


def _numbered(name: str, kind: type[BaseModel], tables: tuple[BaseModel, ...]) -> Iterator[str]:
    """Write any number of tables without a name; nothing is assumed where there is none."""
    yield from ("", "", *_wrapped(kind.__doc__ or ""))
    yield from _wrapped(f"None is assumed. Add each as [[{name}]] with these lines below it:")
    yield from _meanings(kind)
    for one in tables:
        yield from ("", f"[[{name}]]")
        for key in type(one).model_fields:
            yield f"{key} = {_literal(getattr(one, key))}"


def _meanings(kind: type[BaseModel]) -> Iterator[str]:
    for key, field in kind.model_fields.items():
        yield "#"
        yield f"#   {key}"
        yield from (line.replace("# ", "#     ", 1) for line in _comment(field) if line)


def _comment(field: FieldInfo) -> Iterator[str]:
    extra = field.json_schema_extra
    source, letter = (extra["source"], extra["letter"]) if isinstance(extra, dict) else ("", "")
    allowed = range_of(field)
    if not field.description:  # a line that goes with the one above
        return
    yield ""
    yield from _wrapped(str(field.description))
    if field.annotation is not str:
        about = (
            f"Range: {allowed}." if allowed else "",
            f"Source of the default: {source}." if source else "",
            f"In the formulas: {letter}." if letter else "",
        )
        yield from _wrapped(" ".join(part for part in about if part))


def _wrapped(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, width=92)]


def _literal(value: Any) -> str:
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.2f}" if float(f"{value:.2f}") == value else repr(value)
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)
