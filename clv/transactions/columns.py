"""Which column of a source is the customer, the date and the amount.

Names are compared without case, spaces and punctuation: `CustomerID`, `customer id` and
`Customer_Id` are one name. Each role has tiers of known names; the first tier with a match
decides, and two matches in one tier are for the user to tell apart.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from clv.errors import OrdersError

__all__ = ["CUSTOMER", "Columns", "in_first_tier", "looks_like_values", "plain", "recognise"]

CUSTOMER = (
    ("customerid",),
    (
        *("customer", "custid", "customernumber", "customerno", "customercode", "customerkey"),
        *("clientid", "userid", "memberid", "buyerid", "accountid", "shopperid", "contactid"),
    ),
    (
        *("client", "user", "member", "buyer", "account", "shopper", "username", "cardid"),
        *("cardnumber", "householdid", "email", "customeremail", "emailaddress"),
    ),
)
DATE = (
    ("date",),
    (
        *("orderdate", "invoicedate", "purchasedate", "transactiondate", "saledate", "salesdate"),
        *("dateoforder", "dateofpurchase"),
    ),
    (
        *("orderdatetime", "orderedat", "purchasedat", "transactionat", "ordertime"),
        *("purchasetime", "transactiontime", "ordertimestamp", "transactiontimestamp"),
    ),
    ("datetime", "timestamp", "createdat", "created", "time", "day"),
)
AMOUNT = (
    ("amount",),
    (
        *("orderamount", "ordertotal", "ordervalue", "totalamount", "transactionamount"),
        *("transactionvalue", "invoiceamount", "invoicetotal", "purchaseamount", "totalprice"),
        *("linetotal", "grandtotal"),
    ),
    ("total", "revenue", "sales", "spend", "salesamount", "amountpaid", "turnover"),
    ("value", "monetaryvalue"),
    ("price",),
)
QUANTITY = (("quantity",), ("qty",), ("units",))
UNIT_PRICE = (("unitprice", "priceperunit", "itemprice", "priceeach"), ("price",))
CURRENCY = (("currency",), ("currencycode", "ordercurrency", "ccy", "currencyiso"))


@dataclass(frozen=True)
class Columns:
    """The columns of the source that were taken.

    Attributes
    ----------
    customer_id, date : str
        Always there.
    amount : str or None
        The value of an order; None where it is `quantity` x `unit_price`, or is not known.
    quantity, unit_price : str or None
        Both, where the value of a line is their product; else None.
    currency : str or None
        The column that names the currency of each amount, where there is one.
    """

    customer_id: str
    date: str
    amount: str | None = None
    quantity: str | None = None
    unit_price: str | None = None
    currency: str | None = None

    @property
    def has_amount(self) -> bool:
        """Whether the value of an order is known."""
        return self.amount is not None or self.quantity is not None

    def to_dict(self) -> dict[str, str | None]:
        """Return the role and the column's name, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """Say it in a sentence."""
        if self.amount is not None:
            value = f"amount {self.amount!r}"
        elif self.has_amount:
            value = f"amount {self.quantity!r} x {self.unit_price!r}"
        else:
            value = "no amount (values of orders are not known)"
        return f"Columns taken: customer {self.customer_id!r}, date {self.date!r}, {value}."


def recognise(
    names: Sequence[str],
    *,
    customer_id: str | None = None,
    date: str | None = None,
    amount: str | None = None,
) -> Columns:
    """Take the columns that were named, and recognise the others.

    Parameters
    ----------
    names : sequence of str
        The columns of the source.
    customer_id, date, amount : str, optional
        The names where the user gave them; they must be among `names` exactly.

    Raises
    ------
    OrdersError
        Where a column is missing, or could be more than one; all faults at once.

    Examples
    --------
    >>> str(recognise(["InvoiceDate", "Quantity", "UnitPrice", "Customer ID"]))
    "Columns taken: customer 'Customer ID', date 'InvoiceDate', amount 'Quantity' x 'UnitPrice'."
    """
    faults: list[str] = []

    def role(option: str, given: str | None, tiers: tuple[tuple[str, ...], ...]) -> str | None:
        if given is not None:
            if given not in names:
                near = difflib.get_close_matches(given, names, n=2, cutoff=0.5)
                hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
                faults.append(f"There is no column {given!r} (given as {option}).{hint}")
            return given
        found = in_first_tier(names, tiers)
        if len(found) > 1:
            faults.append(
                f"The {option} could be any of {' and '.join(map(repr, found))}. "
                f"Say which: {option}={found[0]!r}."
            )
        return found[0] if found else None

    customer = role("customer_id", customer_id, CUSTOMER)
    day = role("date", date, DATE)
    quantity = unit_price = None
    if amount is None:
        best = in_first_tier(names, AMOUNT)
        if not best or plain(best[0]) == "price":  # a bare price is of one unit, given a quantity
            units, prices = in_first_tier(names, QUANTITY), in_first_tier(names, UNIT_PRICE)
            if units and prices:
                quantity, unit_price = role("quantity", None, QUANTITY), prices[0]
                if len(prices) > 1:
                    faults.append(
                        f"The unit price could be any of {' and '.join(map(repr, prices))}. Give "
                        "the value of each order in one column: amount=..."
                    )
    value = None if quantity is not None else role("amount", amount, AMOUNT)
    for option, found in (("customer_id", customer), ("date", day)):
        if found is None:
            faults.append(
                f"No column is recognised as the {option}. Name it: {option}='...', or on the "
                f"command line --{option.replace('_', '-')} ... "
                f"({'who bought' if option == 'customer_id' else 'the day of the order'})."
            )
    taken = [c for c in (customer, day, value) if c is not None]
    faults += [
        f"The column {name!r} is taken twice; customer, date and amount must differ."
        for name in sorted({c for c in taken if taken.count(c) > 1})
    ]
    if faults or customer is None or day is None:
        then = f"The columns are: {', '.join(map(repr, names))}."
        then += looks_like_values(names)
        raise OrdersError.of(faults, then=then)
    currency = in_first_tier(names, CURRENCY)
    return Columns(
        customer, day, value, quantity, unit_price, currency[0] if len(currency) == 1 else None
    )


def looks_like_values(names: Sequence[str]) -> str:
    """Ask for a header where a name is a number or a date: the first row, where it is missing."""
    if any(any(c.isdigit() for c in name) and not any(c.isalpha() for c in name) for name in names):
        return " These look like values: does the first line name the columns?"
    return ""


def plain(name: str) -> str:
    """Return a name as it is compared: without case, spaces and punctuation."""
    return "".join(c for c in name.casefold() if c.isalnum())


def in_first_tier(names: Sequence[str], tiers: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the names that match the first tier with any match."""
    for tier in tiers:
        found = [name for name in names if plain(name) in tier]
        if found:
            return found
    return []
