"""What was read, what was kept, and what was set aside and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Self, TypeVar

__all__ = [
    "AFTER_THE_END",
    "BACK",
    "CAME_TO_NOTHING",
    "NEGATIVE",
    "NO_CUSTOMER",
    "REPEATED",
    "RETURNED",
    "SUBTRACTED",
    "UNMATCHED",
    "LogReport",
    "OrdersReport",
    "ReturnsReport",
    "SetAside",
    "after_the_end",
    "counted",
    "quoted",
]

NO_CUSTOMER = "no customer id"
CAME_TO_NOTHING = "order that came to nothing (cancelled or refunded)"
REPEATED = "the same as an earlier row in every column"
NEGATIVE = "negative amount"
RETURNED = "return or cancellation"
SUBTRACTED = "return or cancellation, subtracted from the order that it reverses"
UNMATCHED = "return or cancellation that could not be matched, or beyond what its order came to"
AFTER_THE_END = "after the end of observation"
"""Why rows are set aside; the last with the day behind it, see :func:`after_the_end`."""

BACK = (NEGATIVE, RETURNED, SUBTRACTED, UNMATCHED)
"""The reasons that are returns: the first two where they are ignored."""

HOW = (
    ("named_order", "because the return names it"),
    ("same_line", "by the same row with the other sign"),
    ("same_item", "by the same item"),
    ("latest_order", "as the customer's latest before"),
)
"""How the orders of returns are found, in the order in which it is tried."""

N = TypeVar("N", int, Decimal)

EXAMPLES = 3
"""How many rows are shown of each reason to set rows aside."""


@dataclass(frozen=True)
class SetAside:
    """Rows that are no purchases: why, how many, and their amounts together.

    `amount` is None where the source has no amounts, and of rows in a currency that is not taken,
    which are in no sum; `examples` say where the first of them stand
    and what they say, where that is known. `parts` are rows counted elsewhere of whose amount
    a part belongs here.
    """

    reason: str
    rows: int
    amount: Decimal | None
    examples: tuple[str, ...] = ()
    parts: int = 0

    def plus(self, later: SetAside) -> SetAside:
        """Return these rows and later ones that are none for the same reason."""
        return SetAside(
            self.reason,
            self.rows + later.rows,
            _sum(self.amount, later.amount),
            (*self.examples, *later.examples)[:EXAMPLES],
            self.parts + later.parts,
        )

    def __str__(self) -> str:
        """Say it in a line."""
        where = f" ({'; '.join(self.examples)})" if self.examples else ""
        return f"{counted(self.rows, 'row')}: {self.reason}{where}"


@dataclass(frozen=True)
class ReturnsReport:
    """What became of returns and cancellations up to the end of observation.

    Attributes
    ----------
    policy : str
        "net" or "incident".
    rows : int
        Returns that were subtracted from the order they reverse.
    amount : Decimal or None
        What they took from orders; None where the source has no amounts.
    unmatched_rows : int
        Returns for which there was no order, or nothing left of it.
    unmatched_amount : Decimal or None
        Their amounts, with what of others was beyond what their orders came to.
    matched_by : mapping of str to int
        The returns that were subtracted, by how their order was found: `named_order`,
        `same_line` (customer, item, quantity and price), `same_item`, `latest_order`.
    orders_reduced, orders_gone : int
        Orders of which something is left, and those that came to nothing and are no purchase.
    """

    policy: str
    rows: int
    amount: Decimal | None
    unmatched_rows: int
    unmatched_amount: Decimal | None
    matched_by: Mapping[str, int] = field(default_factory=dict)
    orders_reduced: int = 0
    orders_gone: int = 0

    def plus(self, later: ReturnsReport | None) -> ReturnsReport:
        """Return the report of two sources together.

        Parameters
        ----------
        later : ReturnsReport or None
            Of orders that came later.
        """
        if later is None:
            return self
        by = {how: self.matched_by.get(how, 0) + later.matched_by.get(how, 0) for how, _ in HOW}
        return ReturnsReport(
            policy=later.policy,
            rows=self.rows + later.rows,
            amount=_sum(self.amount, later.amount),
            unmatched_rows=self.unmatched_rows + later.unmatched_rows,
            unmatched_amount=_sum(self.unmatched_amount, later.unmatched_amount),
            matched_by=by,
            orders_reduced=self.orders_reduced + later.orders_reduced,
            orders_gone=self.orders_gone + later.orders_gone,
        )

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the report that :meth:`to_dict` wrote.

        Parameters
        ----------
        told : mapping
            As written.
        """
        amounts = {name: _amount(told[name]) for name in ("amount", "unmatched_amount")}
        return cls(**{**told, **amounts})

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it; amounts are numbers."""
        return {
            "policy": self.policy,
            "rows": self.rows,
            "amount": _number(self.amount),
            "unmatched_rows": self.unmatched_rows,
            "unmatched_amount": _number(self.unmatched_amount),
            "matched_by": dict(self.matched_by),
            "orders_reduced": self.orders_reduced,
            "orders_gone": self.orders_gone,
        }

    def __str__(self) -> str:
        """Say it in two sentences."""
        found = ((words, self.matched_by.get(how, 0)) for how, words in HOW)
        by = [f"for {counted(many, 'row')} {words}" for words, many in found if many]
        if not by and not self.unmatched_rows:
            return "All returns lie after the end of observation: they have taken nothing back yet."
        if not by:
            return "No return could be subtracted from an order before it."
        gone = ""
        if self.orders_gone:
            is_no = "is no purchase" if self.orders_gone == 1 else "are no purchases"
            gone = f" {counted(self.orders_gone, 'order')} came to nothing by it and {is_no}."
        return f"The order that a return reverses was found {', '.join(by)}.{gone}"


OF_THE_END = ("The end of observation was not given", "There is no order in the ")
"""How notices begin that hold only as long as the end is the same."""

EARLIER = "Of earlier orders: "
"""Stands before what was said of the rows of another source than the last."""


@dataclass(frozen=True)
class OrdersReport:
    """Every row of the source accounted for: read = kept + set aside, in rows and in money.

    Attributes
    ----------
    rows_read, rows_kept : int
        Rows of the source, and those that are purchases.
    orders : int or None
        Orders that the rows kept are lines of; None where the source has no order ids.
    amount_read, amount_kept : Decimal or None
        Their amounts together, exact; None where the source has no amounts.
    set_aside : tuple of SetAside
        The others, each with its reason.
    duplicate_rows : int
        Rows kept that repeat an earlier row in every column of the source.
    currency : str or None
        The currency of the amounts, where the source says it.
    notices : tuple of str
        What a reader of the results should know, in sentences.
    returns : ReturnsReport or None
        What became of returns; None where there are none, or they were ignored. Their rows are
        among those set aside; `amount_kept` is what the orders came to before them.
    """

    rows_read: int
    rows_kept: int
    amount_read: Decimal | None
    amount_kept: Decimal | None
    set_aside: tuple[SetAside, ...] = ()
    duplicate_rows: int = 0
    orders: int | None = None
    currency: str | None = None
    notices: tuple[str, ...] = ()
    returns: ReturnsReport | None = None

    def without(self, aside: SetAside) -> OrdersReport:
        """Return the report after more of the kept rows are set aside."""
        if not aside.rows:
            return self
        kept = self.amount_kept
        return replace(
            self,
            rows_kept=self.rows_kept - aside.rows,
            amount_kept=None if kept is None else kept - (aside.amount or 0),
            set_aside=_together(self.set_aside, (aside,)),
        )

    def noting(self, *notices: str) -> OrdersReport:
        """Return the report with further notices."""
        return replace(self, notices=(*self.notices, *notices))

    def plus(self, later: OrdersReport) -> OrdersReport:
        """Return the report of two sources together.

        What is said of the rows of the earlier one is said to be of them; what is said of its end
        is not, for the end is another now.

        Parameters
        ----------
        later : OrdersReport
            Of rows that came later.
        """
        return replace(
            self,
            rows_read=self.rows_read + later.rows_read,
            rows_kept=self.rows_kept + later.rows_kept,
            orders=_sum(self.orders, later.orders),
            amount_read=_sum(self.amount_read, later.amount_read),
            amount_kept=_sum(self.amount_kept, later.amount_kept),
            set_aside=_together(self.set_aside, later.set_aside),
            duplicate_rows=self.duplicate_rows + later.duplicate_rows,
            currency=later.currency or self.currency,
            notices=(*later.notices, *_of_earlier(self.notices, later.notices)),
            returns=self.returns.plus(later.returns) if self.returns else later.returns,
        )

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return the report that :meth:`to_dict` wrote.

        Parameters
        ----------
        told : mapping
            As written.
        """
        amounts = {name: _amount(told[name]) for name in ("amount_read", "amount_kept")}
        aside = tuple(
            SetAside(
                s["reason"],
                s["rows"],
                _amount(s["amount"]),
                tuple(s["examples"]),
                s["parts"],
            )
            for s in told["set_aside"]
        )
        back = told["returns"] and ReturnsReport.from_dict(told["returns"])
        others = {"set_aside": aside, "notices": tuple(told["notices"]), "returns": back}
        return cls(**{**told, **amounts, **others})

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it; amounts are numbers."""
        return {
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "orders": self.orders,
            "amount_read": _number(self.amount_read),
            "amount_kept": _number(self.amount_kept),
            "set_aside": [
                {
                    "reason": s.reason,
                    "rows": s.rows,
                    "amount": _number(s.amount),
                    "examples": list(s.examples),
                    "parts": s.parts,
                }
                for s in self.set_aside
            ],
            "duplicate_rows": self.duplicate_rows,
            "currency": self.currency,
            "returns": None if self.returns is None else self.returns.to_dict(),
            "notices": list(self.notices),
        }


@dataclass(frozen=True)
class LogReport:
    """Every row of a log of incidents or campaigns accounted for: read = kept + set aside.

    Attributes
    ----------
    rows_read, rows_kept : int
        Rows of the source, and those that can be learned from.
    set_aside : tuple of SetAside
        The others, each with its reason and examples.
    notices : tuple of str
        What a reader of the results should know, in sentences.

    Examples
    --------
    >>> report = LogReport(10, 10).without("no customer id", 2, ("line 4",))
    >>> report.rows_kept, str(report.set_aside[0])
    (8, '2 rows: no customer id (line 4)')
    """

    rows_read: int
    rows_kept: int
    set_aside: tuple[SetAside, ...] = ()
    notices: tuple[str, ...] = ()

    def without(self, reason: str, rows: int, examples: tuple[str, ...] = ()) -> Self:
        """Return the report after more of the kept rows are set aside."""
        if not rows:
            return self
        aside = (*self.set_aside, SetAside(reason, rows, None, examples))
        return replace(self, rows_kept=self.rows_kept - rows, set_aside=aside)

    def noting(self, *notices: str) -> Self:
        """Return the report with further notices."""
        return replace(self, notices=(*self.notices, *notices))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "set_aside": [
                {"reason": s.reason, "rows": s.rows, "examples": list(s.examples)}
                for s in self.set_aside
            ],
            "notices": list(self.notices),
        }


def after_the_end(end: date) -> str:
    """Say why rows after the end of observation are set aside."""
    return f"{AFTER_THE_END} ({end})"


def counted(n: int, noun: str) -> str:
    """Return "1 row", "2,000 rows"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def quoted(value: object) -> str:
    """Return what a source says, in quotes and not too long, or "blank"."""
    text = "" if value is None else str(value)
    return "blank" if not text.strip() else repr(text if len(text) <= 40 else text[:37] + "...")


def _together(before: Sequence[SetAside], later: Sequence[SetAside]) -> tuple[SetAside, ...]:
    """Rows that are set aside, each reason once."""
    aside = {a.reason: a for a in before}
    for more in later:
        there = aside.get(more.reason)
        aside[more.reason] = more if there is None else there.plus(more)
    return tuple(aside.values())


def _of_earlier(notices: Sequence[str], later: Sequence[str]) -> list[str]:
    """Notices of an earlier source, but for those that the later one has too."""
    of_rows = [told for told in notices if told not in later and not told.startswith(OF_THE_END)]
    return [told if told.startswith(EARLIER) else f"{EARLIER}{told}" for told in of_rows]


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _amount(number: float | None) -> Decimal | None:
    # The shortest text of a float is the decimal that it was made of, up to 15 digits.
    return None if number is None else Decimal(str(number)).quantize(Decimal("0.0001"))


def _sum(one: N | None, other: N | None) -> N | None:
    return other if one is None else one if other is None else one + other
