"""Amounts that are the total of an order, though each of its lines states them."""

from __future__ import annotations

import ibis.expr.types as ir

__all__ = ["one_amount", "totals_repeated"]

ALIKE, ALIKE_ORDERS, ALIKE_AMOUNTS = 0.95, 20, 10
"""Assumed: where at least this share of the orders of several lines, and so many of them, have one
amount on all their lines, and there are so many such amounts, it is the total of the order."""


def one_amount(per: ir.Table) -> ir.BooleanValue:
    """Which orders have several lines, and one amount that is not 0 on all of them.

    Parameters
    ----------
    per : ibis.Table
        One row per order: how many `lines`, and the `least` and the `most` of their amounts.
    """
    return (per["lines"] > 1) & (per["least"] == per["most"]) & (per["least"] != 0)


def totals_repeated(
    several: int, alike: int, amounts: int, *, further: int = 0, repeated: int = 0
) -> bool:
    """Whether what each line states is probably the total of its order.

    Not so where most of the lines that are alike repeat another in every column: then rows are
    there twice, and that is told.

    Parameters
    ----------
    several : int
        Orders of more than one line.
    alike : int
        Those of them that are :func:`one_amount`.
    amounts : int
        How many different amounts these have: where everything has one price, lines are alike too.
    further : int
        Their lines beyond the first of each.
    repeated : int
        Rows that repeat an earlier one in every column.

    Examples
    --------
    >>> totals_repeated(400, 398, 211), totals_repeated(400, 90, 60), totals_repeated(400, 400, 3)
    (True, False, False)
    """
    if repeated and 2 * repeated >= further:
        return False
    return alike >= ALIKE * several and alike >= ALIKE_ORDERS and amounts >= ALIKE_AMOUNTS
