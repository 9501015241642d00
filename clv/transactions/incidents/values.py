"""What the words of an incident log mean: types, tags, priorities, yes and no.

Each function takes texts, None where the log says nothing, and gives what they mean beside those
that mean nothing known; what is done about them is decided where they are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from clv.transactions.column_names import plain

__all__ = ["DETECTED", "SEVERITY", "TRUTH", "meanings", "type_of", "types_of_tags"]

SEVERITY: Mapping[str, float] = {
    "low": 1,
    "normal": 2,
    "medium": 2,
    "high": 3,
    "urgent": 4,
    "critical": 4,
}
"""Severity of a priority: the four of Zendesk, and the words others use for two of them."""

TRUTH: Mapping[str, float] = dict.fromkeys(
    ("true", "yes", "y", "t", "resolved", "solved", "closed"), 1.0
) | dict.fromkeys(
    ("false", "no", "n", "f", "unresolved", "new", "open", "pending", "hold", "onhold"),
    0.0,
)
"""Whether a problem was resolved: yes and no, and the states of a ticket."""

DETECTED: Mapping[str, str] = {
    "customer": "customer",
    "ops": "ops",
    "operations": "ops",
    "social": "social",
    "socialmedia": "social",
}
"""Who found a problem: the customer told, operations saw it, the customer told everybody."""

TAGS: Mapping[str, str] = {
    word: kind
    for kind, words in {
        "late_delivery": ("late", "delayed", "deliverydelay", "shippingdelay", "notdelivered"),
        "out_of_stock": ("outofstock", "stockout", "soldout", "backorder"),
        "defective": ("defective", "defect", "broken", "damaged", "faulty"),
        "wrong_item": ("wrongitem", "missingitem", "wrongproduct", "incorrectitem"),
        "returned_item": ("return", "returns", "returned", "returnrequest"),
        "billing_error": ("billing", "billingerror", "overcharged", "doublecharge", "wronginvoice"),
        "outage": ("outage", "downtime"),
        "mistreated": ("mistreated", "rude", "rudestaff", "staffcomplaint"),
        "safety_or_privacy": ("safety", "injury", "privacy", "databreach"),
    }.items()
    for word in (plain(kind), *words)
}  # fmt: skip
"""The built-in type of problem that a tag of a ticket speaks of."""


def meanings(said: Iterable[str | None], words: Mapping[str, object]) -> npt.NDArray[np.object_]:
    """Return what each text means; None where it says nothing, and "?" where nothing known.

    >>> meanings(["Urgent", None, "purple"], SEVERITY).tolist()
    [4, None, '?']
    """
    return np.array(
        [None if text is None else words.get(plain(text), "?") for text in said], dtype=object
    )


def type_of(said: str | None, kinds: Collection[str] | None) -> str | None:
    """Return the known type that a text names, however it is spelt; None where it names none.

    >>> type_of("Late delivery", ["late_delivery", "defective"])
    'late_delivery'
    """
    if said is None or kinds is None:
        return said
    return {plain(kind): kind for kind in kinds}.get(plain(said))


def types_of_tags(said: str | None, kinds: Collection[str] | None) -> list[str]:
    """Return the types that a ticket's tags speak of, in the order of the tags.

    Tags stand between spaces, commas or semicolons. A tag is the name of a known type, or one of
    the words of :data:`TAGS`; its built-in type must then be among the known.

    >>> types_of_tags("web vip delivery_delay", None)
    ['late_delivery']
    """
    if said is None:
        return []
    known = {plain(kind): kind for kind in kinds or TAGS.values()}
    found = []
    for tag in said.replace(",", " ").replace(";", " ").split():
        kind = known.get(plain(tag)) or known.get(plain(TAGS.get(plain(tag), "")))
        if kind is not None and kind not in found:
            found.append(kind)
    return found
