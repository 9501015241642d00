"""A policy file as values: its tables, and its keys with dots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from clv import toml_files
from clv.errors import PolicyError

__all__ = ["dotted", "read_toml"]


def read_toml(text: str) -> dict[str, Any]:
    """Return the tables of a policy; :class:`PolicyError` with the line where it is not TOML."""
    return toml_files.read_toml(text, "policy", PolicyError)


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
