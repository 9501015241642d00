"""The orders that a book was built from, read again; or those that came later.

A book that newer orders were added to was built from several sources, the oldest first. Of each
those orders count that came after the end of the one before.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv.book import Book
from clv.book.directory import INCIDENTS, whole
from clv.errors import OrdersError, RequestError
from clv.transactions.joined import one_after_another
from clv.transactions.orders import Orders, read_orders
from clv.transactions.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

    from clv.transactions.engines import Engine
    from clv.transactions.report import OrdersReport

__all__ = ["BookOrders", "entry_of", "orders_of", "rebased", "returned_items", "source_beside"]


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
        Its manifest names the sources, and the schema and the hash of each.
    source : Orders, path, pattern of paths, or pandas.DataFrame, optional
        Other orders of the same customers, such as the same file some months later; read with the
        schema of the book.

    Returns
    -------
    BookOrders

    Raises
    ------
    RequestError
        Where a source of the book is gone, or is not the same any more.
    OrdersError
        Where others cannot be read.
    """
    if isinstance(source, Orders):
        return _later(book, source)
    if source is not None:
        return _later(book, _read_instead(book, source))
    sources = book.manifest["sources"]
    parts: list[Orders] = []
    for about in sources:
        engine = parts[0].opened.engine if parts else None
        parts.append(_read_again(book, about, engine))
    ends = [date.fromisoformat(about["end"]) for about in sources]
    return BookOrders(one_after_another(parts, ends), book.end)


def entry_of(path: Path, orders: Orders, report: OrdersReport, end: date) -> dict[str, Any]:
    """Say in the manifest of a book what was read, so that it is found again.

    Parameters
    ----------
    path : Path
        Of the book.
    orders : Orders
        What was read.
    report : OrdersReport
        Which of its rows count.
    end : date
        Up to when.
    """
    late = 0 if orders.returns is None else orders.returns.up_to(end).late_rows
    return {
        "source": source_beside(path, orders.source),
        "input_sha256": orders.sha256,
        "schema": orders.schema.to_dict(),
        "rows": report.to_dict(),
        "end": end.isoformat(),
        "rows_after_end": orders.report.rows_kept - report.rows_kept + late,
        "first_date": orders.first_date.isoformat(),
        "last_date": orders.last_date.isoformat(),
    }


def rebased(book: Path, path: Path, source: str) -> str:
    """Name a source of one book as :func:`source_beside` does for another.

    Parameters
    ----------
    book : Path
        The book that names the source.
    path : Path
        The other.
    source : str
        As the first names it.
    """
    there = book.absolute().parent / source
    if Path(source).is_absolute() or not _is_there(str(there)):
        return source
    return os.path.relpath(there, path.absolute().parent)


def _read_again(book: Book, about: Mapping[str, Any], engine: Engine | None) -> Orders:
    """Read one of the sources of a book, if it is still what it was."""
    source = str(about["source"])
    try:
        orders = read_orders(
            _found(book, source),
            schema=Schema.from_dict(about["schema"]),
            returns=book.manifest["returns"],
            engine=engine,
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
    return orders


def _read_instead(book: Book, source: str | os.PathLike[str] | pd.DataFrame) -> Orders:
    """Read orders that take the place of those of a book as these were read."""
    schema = Schema.from_dict(book.manifest["sources"][-1]["schema"])
    try:
        return read_orders(source, schema=schema, returns=book.manifest["returns"])
    except OrdersError as error:
        raise OrdersError(
            f"Orders that take the place of those of {book.path} are read with its schema: {error} "
            "Orders that are written otherwise are handed over in Python: "
            "orders=clv.read_orders(ORDERS, schema=SCHEMA)."
        ) from None


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
    same = [orders.sha256] == [about["input_sha256"] for about in book.manifest["sources"]]
    if same or orders.last_date <= book.end:
        return BookOrders(orders, book.end)
    told = (
        f"These orders run to {orders.last_date}, and are taken to be observed up to then; the "
        f"book ends on {book.end}."
    )
    return BookOrders(orders, orders.last_date, (told,))
