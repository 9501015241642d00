"""Which column of a source has which role: as the user says, or by its name."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from clv.errors import OrdersError
from clv.transactions.column_names import (
    PRICES,
    ROLES,
    in_first_tier,
    looks_like_values,
    plain,
    without_unit,
)
from clv.transactions.schema import NONE, Schema
from clv.transactions.schema_faults import near

__all__ = ["doubts", "recognise", "stated_for"]

MEANING = {
    "customer_id": "who bought",
    "date": "the day or the time of the order",
    "amount": "what it came to",
    "quantity": "how many pieces",
    "unit_price": "the price of one piece; times the quantity it is the amount",
    "order_id": "which order a line belongs to",
    "item": "what was bought",
    "currency": "the currency of the amount",
    "kind": "whether it is a sale, a return, a cancellation, or an order that came to nothing",
    "reverses": "the order that a return or a cancellation reverses",
}


def recognise(names: Sequence[str], given: Schema | None = None) -> Schema:
    """Take the columns that were named, and recognise the others.

    Parameters
    ----------
    names : sequence of str
        The columns of the source.
    given : Schema, optional
        What the user said; the columns that it names must be among `names` exactly.

    Returns
    -------
    Schema
        Complete: None is a role that no column has.

    Raises
    ------
    OrdersError
        Where a column is missing, could be more than one, or is taken twice; all faults at once.

    Examples
    --------
    >>> str(recognise(["InvoiceDate", "Quantity", "UnitPrice", "Customer ID"]))
    "Columns taken: customer 'Customer ID', date 'InvoiceDate', amount 'Quantity' x 'UnitPrice'."
    >>> recognise(["Kundennummer", "Bestelldatum", "Betrag", "Währung"]).currency
    'Währung'
    """
    given = given or Schema()
    candidates = _candidates(names, given)
    faults = [
        f"There is no column {name!r} (given as {role}).{near(name, names)}"
        for role in ROLES
        if (name := getattr(given, role)) not in {None, NONE, *names}
    ]
    faults += [
        f"The {role} could be any of {' and '.join(map(repr, found))}. Say which: "
        f"{role}={found[0]!r}."
        for role in ("customer_id", "date", *_worth(candidates))
        if len(found := candidates[role]) > 1
    ]
    faults += [
        f"No column is recognised as the {role}. Name it: {role}='...', or on the command line "
        f"--{role.replace('_', '-')} ... ({MEANING[role]})."
        for role in ("customer_id", "date")
        if not candidates[role]
    ]
    taken = {role: found[0] for role, found in candidates.items() if len(found) == 1}
    columns = list(taken.values())
    faults += [
        f"The column {name!r} is taken twice; every role needs a column of its own."
        for name in sorted({name for name in columns if columns.count(name) > 1})
    ]
    if faults:
        then = f"The columns are: {', '.join(map(repr, names))}.{looks_like_values(names)}"
        raise OrdersError.of(faults, then=then)
    return given.with_columns(dict.fromkeys(ROLES) | taken)


def doubts(names: Sequence[str], given: Schema | None = None) -> list[str]:
    """Say which columns that could have a role are not taken for it.

    That is, of roles that need not be there, where several columns could have one; and of the
    amount, where it is quantity x price.

    Parameters
    ----------
    names : sequence of str
        The columns of the source.
    given : Schema, optional
        What the user said.
    """
    candidates = _candidates(names, given or Schema())
    sure = {"customer_id", "date", *_worth(candidates)}
    told = [
        f"The {role.replace('_', ' ')} ({MEANING[role]}) could be any of "
        f"{' and '.join(map(repr, found))}, so none is taken. To say which: "
        f"--column {role}={found[0]!r}."
        for role, found in candidates.items()
        if len(found) > 1 and role not in sure
    ]
    if left := _amounts_beside(names, candidates):
        of = " x ".join(repr(candidates[role][0]) for role in ("quantity", "unit_price"))
        told.append(
            f"The amount is {of}, so {' and '.join(map(repr, left))} "
            f"{'is' if len(left) == 1 else 'are'} not taken. If that is what a row came to, name "
            f"it: --amount {shlex.quote(left[0])}, in Python amount={left[0]!r}."
        )
    return told


def stated_for(schema: Schema, names: Sequence[str]) -> Schema:
    """Return the schema that takes the same of these columns whenever it is given.

    A role without a column is "none" where one of the columns would be taken for it.

    Parameters
    ----------
    schema : Schema
        Complete.
    names : sequence of str
        The columns of the source that it is of.

    Examples
    --------
    >>> names = ["customer_id", "date", "amount", "status"]
    >>> found = recognise(names, Schema(kind="none"))
    >>> found.kind, stated_for(found, names).kind
    (None, 'none')
    """
    while more := {
        role: NONE
        for role, found in _candidates(names, schema).items()
        if found and getattr(schema, role) is None
    }:
        schema = schema.with_columns(more)
    return schema


def _candidates(names: Sequence[str], given: Schema) -> dict[str, list[str]]:
    """Return the columns that could have each role."""
    found = {}
    for role, tiers in ROLES.items():
        said = getattr(given, role)
        found[role] = in_first_tier(names, tiers) if said is None else [said] * (said != NONE)
    for role in ("quantity", "unit_price", "amount"):
        if getattr(given, role) is None and not found[role]:
            found[role] = in_first_tier(names, ROLES[role], without_unit)
    bare = bool(found["amount"]) and without_unit(found["amount"][0]) in PRICES
    # A bare price is of one piece, where there is a quantity.
    product = given.unit_price is not None or not found["amount"] or bare
    if given.amount in {None, NONE} and product and found["quantity"] and found["unit_price"]:
        found["amount"] = []
    else:
        found["unit_price"] = []
    return found


def _amounts_beside(names: Sequence[str], candidates: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns named like an amount, where quantity x price is taken."""
    if candidates["amount"] or not (candidates["quantity"] and candidates["unit_price"]):
        return []
    taken = {name for found in candidates.values() for name in found}
    known = {name for tier in ROLES["amount"] for name in tier}
    return [n for n in names if n not in taken and known & {plain(n), without_unit(n)}]


def _worth(candidates: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the roles that the value of a row is read from."""
    return ("amount",) if candidates["amount"] else ("quantity", "unit_price")
