"""What can be called is explained where it stands: a rule that holds for every public name.

A public function, class or property has a summary. Whatever takes more than one argument has a
Parameters section, its own or that of the method it overrides, which names every argument and no
other; one argument may be told by the summary alone.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from numpydoc.docscrape import NumpyDocString  # type: ignore[import-untyped]

import clv

MODULES = [name for name in clv.__all__ if inspect.ismodule(getattr(clv, name))]


def ours(member: Any) -> bool:
    return str(getattr(member, "__module__", "")).split(".")[0] == "clv"


def public() -> Iterator[tuple[str, list[Any]]]:
    """Every public name: itself, then what it overrides, nearest first."""
    for name in clv.__all__:
        thing = getattr(clv, name)
        if inspect.ismodule(thing):
            for below in getattr(thing, "__all__", []):
                if callable(getattr(thing, below)):
                    yield f"{name}.{below}", [getattr(thing, below)]
            continue
        yield name, [thing]
        if not inspect.isclass(thing):
            continue
        for member in sorted({m for kind in thing.__mro__ if ours(kind) for m in vars(kind)}):
            if member.startswith("_"):
                continue
            found = [vars(kind)[member] for kind in thing.__mro__ if member in vars(kind)]
            plain = [
                getattr(m, "__func__", getattr(m, "fget", getattr(m, "func", m))) for m in found
            ]
            if callable(plain[0]) and ours(plain[0]):
                yield f"{name}.{member}", plain


PUBLIC = dict(public())


def arguments(thing: Any) -> list[str]:
    try:
        names = [p.name for p in inspect.signature(thing).parameters.values()]
    except ValueError:  # an exception without an __init__ of its own
        return []
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def documented(thing: Any) -> list[str]:
    doc = NumpyDocString(inspect.cleandoc(thing.__doc__ or ""))
    return [
        name.strip(" *")
        for section in ("Parameters", "Other Parameters")
        for parameter in doc[section]
        for name in parameter.name.split(",")
    ]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_is_explained(name: str) -> None:
    versions = PUBLIC[name]
    thing = versions[0]
    summary = inspect.cleandoc(thing.__doc__ or "").split("\n")[0]
    assert re.search(r"\w.*[.:…]$", summary), f"{name} has no summary: {summary!r}"
    taken = arguments(thing)
    told = next((names for v in versions if (names := documented(v))), [])
    if documented(thing):
        assert set(told) <= set(taken), f"{name} tells of {set(told) - set(taken)}"
    # A class may tell its attributes instead: they are what it is made of.
    if (len(taken) > 1 and not inspect.isclass(thing)) or documented(thing):
        assert set(told) >= set(taken), f"{name} does not tell {set(taken) - set(told)}"


def test_the_rule_is_tried_on_what_people_call() -> None:
    """Else it would hold for nothing."""
    assert {"BGNBD.p_alive", "read_orders", "Fit.interval", "BGNBD.fit"} <= set(PUBLIC)
    assert len(PUBLIC) > 200
    assert arguments(PUBLIC["BGNBD.p_alive"][0]) == ["x", "t_x", "T"]
    assert documented(PUBLIC["BGNBD.p_alive"][0]) == ["x", "t_x", "T"]
