"""The schema of orders: which column of a source is what, and how what it says is meant.

A `Schema` that a user gives says as much as the user wants to say;
:mod:`clv.transactions.recognised` adds the columns that are known by their names. What results is
complete: the same source read with it again gives the same orders.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from clv.errors import OrdersError
from clv.toml_files import lines_of, read_toml, told
from clv.transactions.column_names import ROLES
from clv.transactions.schema_faults import faults_of_values, near

__all__ = ["NONE", "Schema"]

NONE = "none"
"""What is written for a role that no column has, though one is named like it."""


@dataclass(frozen=True)
class Schema:
    """Which column of a source is what, and how what it says is meant.

    Of a schema that is given, None is *recognise it*, and the text "none" *there is no such
    column*; of the schema of :class:`Orders`, None is *there is no such column*.

    Attributes
    ----------
    customer_id, date : str or None
        Who bought, and when. Every source has them.
    amount : str or None
        The value of a row; None where it is `quantity` x `unit_price`, or is not known.
    quantity, unit_price : str or None
        Pieces of a line, and the price of one. A negative quantity is a return.
    order_id : str or None
        The order that a line belongs to; without it each row is an order.
    item : str or None
        What was bought.
    currency : str or None
        The currency of each amount.
    kind : str or None
        Whether a row is a sale, a return, a cancellation, or an order that came to nothing.
    reverses : str or None
        The `order_id` that a return or a cancellation reverses.
    date_layout : str or None
        How dates are written that are not ISO 8601: in words such as "day.month.year", "excel"
        for days as Excel counts them, or a `strptime` layout.
    time_zone : str or None
        The zone whose days count, as "Europe/Berlin"; UTC where none is given. It concerns
        times with an offset from UTC, and times without one where `source_time_zone` is given.
    source_time_zone : str or None
        The zone in which times without an offset are written; without it their day is the day
        that is written.
    decimal : {".", ","} or None
        The mark before the decimals of numbers that are text.
    id_case : {"keep", "fold"}
        Whether customer ids that differ only in case are different customers, or one.
    duplicates : {"keep", "drop"}
        Whether a row that is the same as an earlier one in every column is a purchase too, or is
        set aside.
    no_customer : tuple of str
        Ids that are nobody, such as "guest@shop.com": their rows are set aside as rows without a
        customer id.
    currency_taken : str or None
        The currency whose rows are taken, as "EUR"; those in others are set aside.
    rates : mapping of str to Decimal
        What one unit of each currency is worth; that of the amounts that result is 1.
    kinds : mapping of str to tuple of str
        Words of the column `kind` beyond the usual ones, for each of `sale`, `return`,
        `cancellation` and `void`.

    Examples
    --------
    >>> given = Schema(customer_id="Kunde", decimal=",", rates={"EUR": 1, "USD": "0.92"})
    >>> print(given.to_toml())
    customer_id = "Kunde"
    decimal = ","
    <BLANKLINE>
    [rates]
    EUR = 1
    USD = 0.92
    """

    customer_id: str | None = None
    date: str | None = None
    amount: str | None = None
    quantity: str | None = None
    unit_price: str | None = None
    order_id: str | None = None
    item: str | None = None
    currency: str | None = None
    kind: str | None = None
    reverses: str | None = None
    date_layout: str | None = None
    time_zone: str | None = None
    source_time_zone: str | None = None
    decimal: Literal[".", ","] | None = None
    id_case: Literal["keep", "fold"] = "keep"
    duplicates: Literal["keep", "drop"] = "keep"
    no_customer: tuple[str, ...] = ()
    currency_taken: str | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no source can be read with, all faults at once."""
        stated = {f.name: getattr(self, f.name) for f in fields(self)}
        faults = faults_of_values({k: v for k, v in stated.items() if v is not None})
        if faults:
            raise OrdersError.of([said for _, said in faults])
        rates = {code.upper(): _exact(rate) for code, rate in self.rates.items()}
        kinds = {kind: tuple(words) for kind, words in self.kinds.items()}
        object.__setattr__(self, "rates", rates)
        object.__setattr__(self, "kinds", kinds)
        object.__setattr__(self, "no_customer", tuple(who.strip() for who in self.no_customer))
        if self.currency_taken is not None:
            object.__setattr__(self, "currency_taken", self.currency_taken.upper())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a schema file (TOML).

        Parameters
        ----------
        path : str or Path
            The file.

        Raises
        ------
        OrdersError
            Where it is no schema: every fault with its line.
        """
        name = os.fspath(path)
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise OrdersError(f"The schema {name!r} cannot be read: {reason}.") from None
        return cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Read the text of a schema file.

        Parameters
        ----------
        text : str
            In TOML.

        Raises
        ------
        OrdersError
            Where it is no schema: every fault with its line.

        Examples
        --------
        >>> Schema.parse('custmer_id = "Kunde"\n\ndecimal = ";"')
        Traceback (most recent call last):
        ...
        clv.errors.OrdersError: line 1: There is no key custmer_id. Did you mean customer_id?
        1 more fault:
          - line 3: decimal must be "." or ","; got ";".
        """
        values = read_toml(text, "schema", OrdersError)
        faults = faults_of_values(values)
        if faults:
            raise OrdersError.of(told(faults, lines_of(text)))
        return cls(**values)

    @classmethod
    def of(cls, given: Schema | Mapping[str, Any] | str | os.PathLike[str] | None) -> Schema:
        """Return a schema as given, from the keys of one, or from a file.

        Parameters
        ----------
        given : Schema, mapping, path or None
            None says nothing: every column is recognised.
        """
        if given is None:
            return cls()
        if isinstance(given, Schema):
            return given
        if isinstance(given, Mapping):
            values = dict(given)
            faults = faults_of_values({k: v for k, v in values.items() if v is not None})
            if faults:
                raise OrdersError.of([said for _, said in faults])
            return cls(**values)
        return cls.load(given)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the schema that :meth:`to_dict` wrote, to read the same source again.

        Parameters
        ----------
        values : mapping
            As written; a role without a column stays without one.
        """
        return cls(**{role: NONE for role in ROLES if values.get(role) is None} | dict(values))

    def with_columns(self, columns: Mapping[str, str | None]) -> Self:
        """Return the schema with other columns for some roles.

        Parameters
        ----------
        columns : mapping of str to str or None
            Role to column.
        """
        changes: dict[str, Any] = dict(columns)
        faults = [
            f"There is no role {role}; they are {', '.join(ROLES)}.{near(role, ROLES, quote=False)}"
            for role in changes
            if role not in ROLES
        ]
        if faults:
            raise OrdersError.of(faults)
        return replace(self, **changes)

    @property
    def has_amount(self) -> bool:
        """Whether the value of an order is known."""
        return self.amount is not None or (
            self.quantity is not None and self.unit_price is not None
        )

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The columns that the value of a row is read from."""
        if self.amount is not None:
            return (self.amount,)
        if self.quantity is not None and self.unit_price is not None:
            return (self.quantity, self.unit_price)
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Return what is stated, by key, for JSON."""
        said: dict[str, Any] = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in {"rates", "kinds"} and getattr(self, f.name) not in {None, "keep", ()}
        }
        if self.no_customer:
            said["no_customer"] = list(self.no_customer)
        if self.rates:
            said["rates"] = {code: f"{rate:f}" for code, rate in self.rates.items()}
        if self.kinds:
            said["kinds"] = {kind: list(words) for kind, words in self.kinds.items()}
        return said

    def to_toml(self) -> str:
        """Return the text of a schema file that says the same."""
        lines, tables = [], []
        for key, value in self.to_dict().items():
            if isinstance(value, dict):
                number = key == "rates"
                tables += ["", f"[{key}]"]
                tables += [f"{k} = {v if number else _toml(v)}" for k, v in value.items()]
            else:
                lines.append(f"{key} = {_toml(value)}")
        return "\n".join([*lines, *tables])

    def __str__(self) -> str:
        """Say in a sentence which columns are taken."""
        if self.amount is not None:
            value = f"amount {self.amount!r}"
        elif self.has_amount:
            value = f"amount {self.quantity!r} x {self.unit_price!r}"
        else:
            value = "no amount (values of orders are not known)"
        others = [
            f"{role.replace('_', ' ')} {getattr(self, role)!r}"
            for role in ("quantity", "order_id", "item", "currency", "kind", "reverses")
            if getattr(self, role) not in {None, *self.value_columns}
        ]
        told = [f"customer {self.customer_id!r}", f"date {self.date!r}", value, *others]
        return f"Columns taken: {', '.join(told)}."


def _exact(rate: Any) -> Decimal:
    """Return a rate as it is written, without zeros behind it."""
    return Decimal(f"{Decimal(str(rate)).normalize():f}")


def _toml(value: Any) -> str:
    """Write a text or a list of texts."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text) + '"'
