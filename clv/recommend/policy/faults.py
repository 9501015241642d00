"""Faults of a policy in plain words, each with the line on which it stands.

Knows how a pydantic model states the kind and the range of its fields; knows no single value.
"""

from __future__ import annotations

import difflib
import json
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from clv.toml_files import Fault, Key

__all__ = ["faults_of", "limits", "range_of"]


def faults_of(
    error: ValidationError, model: type[BaseModel], given: Mapping[str, Any]
) -> list[Fault]:
    """Return every fault that pydantic found in `given`, as a sentence with its place."""
    known = list(_known(model, given))
    return [(fault["loc"], _fault(fault, model, known)) for fault in error.errors()]


# ----------------------------------------------------------------------------- the keys there are


def _parts(annotation: Any) -> tuple[Any, ...]:
    """What an annotation is made of: of ``dict[str, X]`` and ``tuple[X, ...]`` the X."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _parts(parts[0])
    if origin in (typing.Union, types.UnionType):
        return tuple(p for part in parts for p in _parts(part))
    return (parts[1] if origin is dict else parts[0],) if parts else (annotation,)


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the table that an annotation is, or holds many of."""
    first: Any = _parts(annotation)[0]
    return first if isinstance(first, type) and issubclass(first, BaseModel) else None


def _known(model: type[BaseModel], given: Any, above: str = "") -> Iterator[str]:
    """Yield every key that there is, and those of the tables of the company's own."""
    for name, field in model.model_fields.items():
        yield f"{above}{name}"
        inner = _model(field.annotation)
        own = given.get(name) if isinstance(given, Mapping) else None
        if inner is None:
            continue
        if _parts(field.annotation) == (field.annotation,):
            yield from _known(inner, own, f"{above}{name}.")
        elif isinstance(own, Mapping):
            for key, one in own.items():
                yield from _known(inner, one, f"{above}{name}.{key}.")
        elif isinstance(own, list | tuple):
            for i, one in enumerate(own):
                yield from _known(inner, one, f"{above}{name} {i + 1}, ")


def _field(model: type[BaseModel], loc: Key) -> FieldInfo | None:
    """Return the field that a fault is about; None for a whole table."""
    holder: type[BaseModel] | None = model
    many = False
    for part in loc[:-1]:
        if many:  # the name or the number of one of many tables
            many = False
            continue
        field = holder.model_fields.get(str(part)) if holder is not None else None
        if field is None:
            return None
        holder = _model(field.annotation)
        many = field.annotation is not holder
        if holder is None:  # one of a list of values
            return field
    if many or holder is None:
        return None
    return holder.model_fields.get(str(loc[-1]))


def _place(loc: Key) -> str:
    """Write a place as its file does, tables of a list by number.

    >>> _place(("recovery", "grid")), _place(("statutory", 0, "amount"))
    ('recovery.grid', 'statutory 1, amount')
    """
    way = ""
    for i, part in enumerate(loc):
        if isinstance(part, int):
            way += f" {part + 1}"
        else:
            way += (", " if i and isinstance(loc[i - 1], int) else "." if i else "") + part
    return way


# ---------------------------------------------------------------------------------- the sentences


def _fault(fault: Any, model: type[BaseModel], known: list[str]) -> str:
    where, what, got = _place(fault["loc"]), str(fault["type"]), fault["input"]
    if what == "extra_forbidden":
        return f"There is no key {where}.{_near(where, known)}"
    if what == "missing":
        table = _place(fault["loc"][:-1])
        return f"{where} is missing: it has no default, {table} must state it."
    if what == "value_error":
        return f"{where}: {fault['ctx']['error']}." if where else f"{fault['ctx']['error']}."
    field = _field(model, fault["loc"])
    return f"{where} must be {_kind(field)}; got {_shown(got)}.{_percent(field, got)}"


def _near(where: str, known: list[str]) -> str:
    """A known key like this one: the same name elsewhere, or a similar name."""
    section, _, name = where.rpartition(".")
    names = {key: key.rpartition(".")[2] for key in known}
    elsewhere = [key for key in known if names[key] == name and key.count(".") < 2]
    beside = [key for key in known if key.rpartition(".")[0] == section]
    close = difflib.get_close_matches(name, [names[key] for key in beside], n=1, cutoff=0.6)
    prefix = f"{section}." if section else ""
    near = [f"{prefix}{n}" for n in close] or elsewhere
    near = near or difflib.get_close_matches(where, known, n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""


def limits(field: FieldInfo) -> dict[str, float]:
    """Return the limits of a number, those inside "a number or none" too."""
    names = ("ge", "gt", "le", "lt")
    stated = [
        *field.metadata,
        *(
            limit
            for part in typing.get_args(field.annotation)
            for about in getattr(part, "__metadata__", ())
            for limit in getattr(about, "metadata", ())
        ),
    ]
    return {n: getattr(m, n) for m in stated for n in names if hasattr(m, n)}


def range_of(field: FieldInfo) -> str:
    """Return the limits in words."""
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return " and ".join(f"{words[n]} {limit:g}" for n, limit in limits(field).items())


def _kind(field: FieldInfo | None) -> str:
    """What a field must be, in words."""
    if field is None or field.json_schema_extra is None:  # only values say where they come from
        many = field is not None and typing.get_origin(field.annotation) is tuple
        return (
            "tables of their own ([[name]] and lines below each)"
            if many
            else "a table of its own ([name] and lines below it)"
        )
    kinds = _parts(field.annotation)
    if typing.get_origin(field.annotation) is tuple:
        return "a list of texts in quotes"
    if bool in kinds:
        return "true or false"
    if str in kinds:
        longest = next((m.max_length for m in field.metadata if hasattr(m, "max_length")), None)
        return f"text of at most {longest} letters in quotes" if longest else "text in quotes"
    if date in kinds:
        kind = "a date without quotes, as 2024-01-31"
    elif int in kinds:
        kind = f"a whole number, {range_of(field)}"
    else:
        kind = range_of(field) or "a number"
    return f'{kind}, or "none"' if type(None) in kinds else kind


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else json.dumps(value, default=str)


def _percent(field: FieldInfo | None, got: Any) -> str:
    """A hint where a share was given as a percentage."""
    top = {} if field is None else limits(field)
    if isinstance(got, bool) or not isinstance(got, int | float):
        return ""
    if top.get("le", top.get("lt")) != 1 or not 1 <= got <= 100:
        return ""
    share = f"{got / 100:.2f}" if round(got / 100, 2) == got / 100 else f"{got / 100:.6g}"
    return f" {got:g} means {got * 100:.10g} %; did you mean {share}?"
