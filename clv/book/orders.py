"""The orders that a book was built from, read again; or those that came later."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from clv.book import Book
from clv.errors import OrdersError, RequestError
from clv.transactions.orders import Orders, read_orders

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BookOrders", "orders_of"]


@dataclass(frozen=True, eq=False)
class BookOrders:
    """Orders to hold a book against.

    Attributes
    ----------
    orders : Orders
        As read.
    end : date
        The last day of their observation: that of the book where they are its own, else their
        last date, if later.
    notices : tuple of str
        What to know of them.
    """

    orders: Orders
    end: date
    notices: tuple[str, ...] = ()


def orders_of(
    book: Book, source: Orders | str | os.PathLike[str] | pd.DataFrame | None = None
) -> BookOrders:
    """Read the orders of a book again, or others that take their place.

    Parameters
    ----------
    book : Book
        Its manifest names the source, its columns and its hash.
    source : Orders, path, pattern of paths, or pandas.DataFrame, optional
        Other orders of the same customers, such as the same file some months later.

    Returns
    -------
    BookOrders

    Raises
    ------
    RequestError
        Where the book's own source is gone, or is not the same any more.
    OrdersError
        Where others cannot be read.
    """
    if isinstance(source, Orders):
        return _later(book, source)
    if source is not None:
        return _later(book, read_orders(source))
    about = book.manifest
    told = about["columns"]
    named = {role: told[role] for role in ("customer_id", "date", "amount")}
    try:
        orders = read_orders(about["source"], **named)
    except OrdersError as error:
        raise RequestError(
            f"The orders that {book.path} was built from, {about['source']!r}, cannot be read "
            f"again. Name them: --orders ORDERS (in Python: orders=). {error}"
        ) from None
    if orders.sha256 != about["input_sha256"]:
        raise RequestError(
            f"{about['source']!r} is no longer what {book.path} was built from. Where it has only "
            "grown, name it: --orders ORDERS (in Python: orders=)."
        )
    return BookOrders(orders, book.end)


def _later(book: Book, orders: Orders) -> BookOrders:
    if orders.sha256 == book.manifest["input_sha256"]:
        return BookOrders(orders, book.end)
    if orders.last_date <= book.end:
        return BookOrders(orders, book.end)
    told = (
        f"These orders run to {orders.last_date}, and are taken to be observed up to then; the "
        f"book ends on {book.end}."
    )
    return BookOrders(orders, orders.last_date, (told,))
