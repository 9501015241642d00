"""Policy files: reading TOML, telling its faults in plain words, writing it with comments.

Knows how a pydantic model states meaning, range and source of its fields; knows no single value.
"""

from __future__ import annotations

import difflib
import json
import textwrap
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from clv.errors import PolicyError

__all__ = ["dotted", "faults_of", "read_toml", "write_toml"]

HEAD = """\
# Policy for `clv`: what may be spent on keeping customers, and on whom.
#
# A line that starts with "# " and holds an assignment states a default that the toolkit assumes;
# every figure that rests on it is printed "assumed". To make it your company's own, remove the
# "# " before it and put your value. What you leave commented out stays assumed.
"""


def read_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text; :class:`PolicyError` with the line where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = f"at line {len(text.splitlines())}, the end"
        told = str(error).replace("at end of document", where)
        raise PolicyError(
            f"This is not a policy in TOML: {told}. Text needs quotes, numbers a decimal point "
            "and no thousands separator, every line one `key = value`."
        ) from None


def dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested tables to dotted keys.

    >>> dotted({"margin": 0.4, "recovery": {"grid": 1.0}})
    {'margin': 0.4, 'recovery.grid': 1.0}
    """
    flat: dict[str, Any] = {}
    for key, given in values.items():
        value = given
        if isinstance(given, BaseModel):
            value = given.model_dump(include=given.model_fields_set)
        if isinstance(value, Mapping):
            flat |= dotted(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


# --------------------------------------------------------------------------------------- faults


def faults_of(error: ValidationError, standard: BaseModel, given: Mapping[str, Any]) -> list[str]:
    """Return every fault as a sentence; `standard` is a policy that holds all the known keys."""
    known = dotted(standard.model_dump())
    own = given.get("problems", {})
    for key in own if isinstance(own, Mapping) else {}:
        known |= {f"problems.{key}.{name}": None for name in _problem_fields(known)}
    return [_fault(fault, standard, known) for fault in error.errors()]


def _problem_fields(known: Mapping[str, Any]) -> set[str]:
    return {key.rpartition(".")[2] for key in known if key.startswith("problems.")}


def _fault(fault: Any, standard: BaseModel, known: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    what, got = str(fault["type"]), fault["input"]
    if what == "extra_forbidden":
        return f"There is no key {where}.{_near(where, known)}"
    if what == "missing":
        return f"{where} is missing: a problem type of your own must state it."
    if what == "value_error":
        return f"{where}: {fault['ctx']['error']}." if where else f"{fault['ctx']['error']}."
    field = _field(standard, fault["loc"])
    return f"{where} must be {_kind(field)}; got {_shown(got)}.{_percent(field, got)}"


def _near(where: str, known: Mapping[str, Any]) -> str:
    """A known key like this one: the same name elsewhere, or a similar name."""
    section, _, name = where.rpartition(".")
    names = {key: key.rpartition(".")[2] for key in known}
    elsewhere = [key for key in known if names[key] == name and not key.startswith("problems.")]
    beside = [key for key in known if key.rpartition(".")[0] == section]
    close = difflib.get_close_matches(name, [names[key] for key in beside], n=1, cutoff=0.6)
    prefix = f"{section}." if section else ""
    near = [f"{prefix}{n}" for n in close] or elsewhere
    sections = list(dict.fromkeys(key.partition(".")[0] for key in known if "." in key))
    near = near or difflib.get_close_matches(where, [*known, *sections], n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""


def _field(model: BaseModel, loc: tuple[Any, ...]) -> FieldInfo | None:
    """The field that a fault is about; None for a whole table."""
    holder: Any = model
    for part in loc[:-1]:
        if isinstance(holder, BaseModel):
            holder = getattr(holder, str(part), None)
        elif isinstance(holder, Mapping):  # a problem type of the user's own: any one will do
            holder = holder.get(part, next(iter(holder.values())))
    return type(holder).model_fields.get(str(loc[-1])) if isinstance(holder, BaseModel) else None


def _limits(field: FieldInfo) -> dict[str, float]:
    names = ("ge", "gt", "le", "lt")
    return {n: getattr(m, n) for m in field.metadata for n in names if hasattr(m, n)}


def _range(field: FieldInfo) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return " and ".join(f"{words[n]} {limit:g}" for n, limit in _limits(field).items())


def _kind(field: FieldInfo | None) -> str:
    """What a field must be, in words."""
    if field is None or field.json_schema_extra is None:  # only values say where they come from
        return "a table of its own ([name] and lines below it)"
    if field.annotation is bool:
        return "true or false"
    if field.annotation is str:
        longest = next((m.max_length for m in field.metadata if hasattr(m, "max_length")), None)
        return f"text of at most {longest} letters in quotes" if longest else "text in quotes"
    if field.annotation is int:
        return f"a whole number, {_range(field)}"
    if field.annotation is float:
        return _range(field) or "a number"
    return 'a whole number, at least 1, or "none"'


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else json.dumps(value, default=str)


def _percent(field: FieldInfo | None, got: Any) -> str:
    """A hint where a share was given as a percentage."""
    top = {} if field is None else _limits(field)
    if isinstance(got, bool) or not isinstance(got, int | float):
        return ""
    if top.get("le", top.get("lt")) != 1 or not 1 <= got <= 100:
        return ""
    share = f"{got / 100:.2f}" if round(got / 100, 2) == got / 100 else f"{got / 100:.6g}"
    return f" {got:g} means {got * 100:.10g} %; did you mean {share}?"


# -------------------------------------------------------------------------------------- writing


def write_toml(model: BaseModel, is_set: Callable[[str], bool]) -> str:
    """Return the commented file: values that are set stand active, the others commented out."""
    return HEAD + "\n".join(_table(model, "", is_set)) + "\n"


def _table(model: BaseModel, name: str, is_set: Callable[[str], bool]) -> Iterator[str]:
    told = name.count(".") == 0  # problem types share their fields: told once, above the first
    later: list[tuple[str, Any]] = []
    for key, field in type(model).model_fields.items():
        value = getattr(model, key)
        if isinstance(value, BaseModel | dict):
            later.append((key, value))
            continue
        if told:
            yield ""
            yield from _comment(field)
        line = f"{key} = {_literal(value)}"
        yield line if is_set(f"{name}.{key}" if name else key) else f"# {line}"
    for key, value in later:
        if isinstance(value, dict):
            yield from _types(key, value, is_set)
        else:
            yield from ("", "", *_wrapped(type(value).__doc__ or ""), f"[{key}]")
            yield from _table(value, key, is_set)


def _types(
    name: str, types: Mapping[str, BaseModel], is_set: Callable[[str], bool]
) -> Iterator[str]:
    first = next(iter(types.values()))
    yield from ("", "", *_wrapped(type(first).__doc__ or ""))
    yield from _wrapped(
        "Add a type of your own as a table of its own, "
        f"[{name}.its_name]; it must state its dropout. What the lines mean:"
    )
    for key, field in type(first).model_fields.items():
        yield "#"
        yield f"#   {key}"
        yield from (line.replace("# ", "#     ", 1) for line in _comment(field))
    for key, one in types.items():
        yield from ("", f"[{name}.{key}]")
        yield from _table(one, f"{name}.{key}", is_set)


def _comment(field: FieldInfo) -> Iterator[str]:
    extra = field.json_schema_extra
    source, letter = (extra["source"], extra["letter"]) if isinstance(extra, dict) else ("", "")
    numeric = field.annotation in (int, float)
    allowed = _range(field) if numeric else ""
    yield from _wrapped(str(field.description))
    if field.annotation is not str:
        yield from _wrapped(
            (f"Range: {allowed}. " if allowed else "")
            + f"Source of the default: {source}."
            + (f" In the formulas: {letter}." if letter else "")
        )


def _wrapped(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, width=92)]


def _literal(value: Any) -> str:
    if value is None:
        return '"none"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.2f}" if float(f"{value:.2f}") == value else repr(value)
    return json.dumps(value, ensure_ascii=False)
