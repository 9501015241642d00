"""The orders that a book was built from, read again; or those that came later."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from clv.book import Book
from clv.book.directory import INCIDENTS, whole
from clv.errors import OrdersError, RequestError
from clv.transactions.orders import Orders, read_orders
from clv.transactions.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BookOrders", "orders_of", "returned_items", "source_beside"]


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
        Its manifest names the source, its schema and its hash.
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
    about = book.manifest
    returns = about.get("returns", "ignore")  # as they were before a book said it
    if source is not None:
        return _later(book, read_orders(source, returns=returns))
    source = str(about["source"])
    try:
        orders = read_orders(
            _found(book, source), schema=Schema.from_dict(about["schema"]), returns=returns
        )
    except OrdersError as error:
        raise RequestError(
            f"The orders that {book.path} was built from, {source!r}, cannot be read "
            f"again. Name them: --orders ORDERS (in Python: orders=). {error}"
        ) from None
    if orders.sha256 != about["input_sha256"]:
        raise RequestError(
            f"{source!r} is no longer what {book.path} was built from. Where it has only "
            "grown, name it: --orders ORDERS (in Python: orders=)."
        )
    return BookOrders(orders, book.end)


def returned_items(book: Book) -> Path:
    """Where the returns among the orders of a book are, as an incident log.

    Parameters
    ----------
    book : Book
        Built with returns as incidents.

    Raises
    ------
    RequestError
        Where it was not.
    """
    file = whole(book.path) / INCIDENTS
    if INCIDENTS not in book.manifest["files"]:
        raise RequestError(
            f"Name a log of incidents: {book.path} has none of its own. clv build with "
            "--returns incident takes the returns among the orders for incidents."
        )
    return file


def source_beside(path: Path, source: str) -> str:
    """Name the orders of a book so that they are found from any folder.

    A relative path is kept as it is seen from the folder that holds the book, so the book can be
    used from everywhere, moved together with its orders, and built elsewhere to the same bytes.
    An absolute one is kept as it was given, and so is what is no path.

    Parameters
    ----------
    path : Path
        Of the book.
    source : str
        What was read, as it was named.

    Returns
    -------
    str
    """
    if Path(source).is_absolute() or not _is_there(source):
        return source
    return os.path.relpath(source, path.absolute().parent)


def _found(book: Book, source: str) -> str:
    """Where the orders are: as the book names them, or so from the folder worked in."""
    beside = str(book.path.absolute().parent / source)
    return beside if _is_there(beside) else source


def _is_there(source: str) -> bool:
    """Whether something stands at a path, or at paths of a pattern."""
    if Path(source).exists():
        return True
    return bool(glob.glob(source, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern


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
