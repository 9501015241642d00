"""What a schema cannot say: unknown keys, values of another kind, zones and rates that are none."""

from __future__ import annotations

import difflib
import json
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from clv.toml_files import Fault
from clv.transactions.column_names import ROLES
from clv.transactions.layouts import ISO_8601, LAYOUTS, named

__all__ = ["KINDS", "faults_of_values", "near"]

KINDS = ("sale", "return", "cancellation", "void")
"""What a row can be; `void` is an order that came to nothing, such as a cancelled one."""

LEAST_RATE, MOST_RATE = Decimal("0.0000001"), Decimal(10_000_000)
"""Rates are kept to ten decimals: the least has three digits that count, the most stays exact."""


def faults_of_values(values: Mapping[str, Any]) -> list[Fault]:
    """Return everything that is wrong with the keys and values of a schema.

    Parameters
    ----------
    values : mapping
        As a schema file has them.
    """
    faults: list[Fault] = []
    for key, value in values.items():
        if key in ROLES:
            faults += _fault_of_role(key, value)
        elif key in SETTINGS:
            faults += [((key, *way), said) for way, said in SETTINGS[key](key, value)]
        else:
            faults.append(((key,), f"There is no key {key}.{near(key, KEYS, quote=False)}"))
    if values.get("rates") and values.get("currency_taken"):
        said = "rates turns all currencies into one, currency_taken takes one: state one of them."
        faults.append((("currency_taken",), said))
    return faults


def near(name: str, known: Iterable[str], *, quote: bool = True) -> str:
    """Ask whether one of the names that there are was meant, where one is like this one.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        The names there are.
    quote : bool
        Whether they are shown in quotes, and there may be two.
    """
    found = difflib.get_close_matches(name, list(known), n=2 if quote else 1, cutoff=0.5)
    shown = [repr(n) if quote else n for n in found]
    return f" Did you mean {' or '.join(shown)}?" if shown else ""


def _fault_of_role(role: str, value: Any) -> list[Fault]:
    if not isinstance(value, str) or not value:
        return [((role,), f"{role} must be the name of a column in quotes; got {_shown(value)}.")]
    if value == "none" and role in {"customer_id", "date"}:
        return [((role,), f'{role} cannot be "none": every source of orders has one.')]
    return []


def _layout(key: str, value: Any) -> list[Fault]:
    if isinstance(value, str) and named(value) is not None:
        return []
    known = list(dict.fromkeys(one.words for one in (*LAYOUTS, ISO_8601)))
    hint = near(value, known) if isinstance(value, str) else ""
    told = f'{key} must be words such as "day.month.year", "excel", or a layout such as "%d.%m.%Y"'
    return [((), f"{told}; got {_shown(value)}.{hint}")]


def _zone(key: str, value: Any) -> list[Fault]:
    if isinstance(value, str):
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            known = zoneinfo.available_timezones()
            found = [z for z in sorted(known) if value and value.casefold() in z.casefold()][:1]
            hint = f' Did you mean "{found[0]}"?' if found else near(value, known)
        else:
            return []
    else:
        hint = ""
    return [((), f'{key} must be a time zone such as "Europe/Berlin"; got {_shown(value)}.{hint}')]


def _one_of(*allowed: str) -> Callable[[str, Any], list[Fault]]:
    def check(key: str, value: Any) -> list[Fault]:
        if value in allowed:
            return []
        words = " or ".join(f'"{a}"' for a in allowed)
        return [((), f"{key} must be {words}; got {_shown(value)}.")]

    return check


def _currency(key: str, value: Any) -> list[Fault]:
    if isinstance(value, str) and value.strip():
        return []
    return [((), f'{key} must be a currency such as "EUR"; got {_shown(value)}.')]


def _nobody(key: str, value: Any) -> list[Fault]:
    if isinstance(value, list | tuple) and all(isinstance(v, str) and v.strip() for v in value):
        return []
    told = f'{key} must be a list of customer ids in quotes, such as ["guest@shop.com"]'
    return [((), f"{told}; got {_shown(value)}.")]


def _rates(key: str, value: Any) -> list[Fault]:
    if not isinstance(value, Mapping):
        return [((), f"{key} must be a table of its own ([rates] and lines such as USD = 0.92).")]
    faults: list[Fault] = []
    read = {code: _rate(rate) for code, rate in value.items()}
    for code, rate in read.items():
        if rate is None:
            said = f"{LEAST_RATE:f} to {MOST_RATE:,}"
            told = f"{key}.{code} must be a number, {said}; got {_shown(value[code])}."
            faults.append(((code,), told))
    if read and not faults and Decimal(1) not in read.values():
        faults.append(
            ((), f"{key} needs one currency at 1: the one that all amounts are turned into.")
        )
    return faults


def _rate(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        rate = Decimal(str(value))
    except InvalidOperation:
        return None
    return rate if rate.is_finite() and LEAST_RATE <= rate <= MOST_RATE else None


def _kinds(key: str, value: Any) -> list[Fault]:
    if not isinstance(value, Mapping):
        told = 'must be a table of its own ([kinds] and lines such as return = ["RMA"])'
        return [((), f"{key} {told}.")]
    faults: list[Fault] = []
    meant: dict[str, str] = {}
    for kind, words in value.items():
        if kind not in KINDS:
            hint = near(kind, KINDS, quote=False)
            faults.append(((kind,), f"There is no kind {kind}; they are {', '.join(KINDS)}.{hint}"))
        elif isinstance(words, str) or not all(isinstance(w, str) for w in words):
            faults.append(((kind,), f"{key}.{kind} must be a list of texts in quotes."))
        else:
            for word in (w.strip().casefold() for w in words):
                if meant.setdefault(word, kind) != kind:
                    said = f"{key}: {word!r} cannot be both {meant[word]} and {kind}."
                    faults.append(((kind,), said))
    return faults


SETTINGS: Mapping[str, Callable[[str, Any], list[Fault]]] = {
    "date_layout": _layout,
    "time_zone": _zone,
    "source_time_zone": _zone,
    "decimal": _one_of(".", ","),
    "id_case": _one_of("keep", "fold"),
    "duplicates": _one_of("keep", "drop"),
    "no_customer": _nobody,
    "currency_taken": _currency,
    "rates": _rates,
    "kinds": _kinds,
}
KEYS = (*ROLES, *SETTINGS)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a table"
    return json.dumps(value, ensure_ascii=False, default=str)
