"""What the commands that read a book have in common: the argument, and the word on assumptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clv_cli.output import paragraph, plain

if TYPE_CHECKING:
    from clv.book import Book

__all__ = ["book_argument", "echo_caveats"]

F = TypeVar("F", bound=Callable[..., Any])


class _BookType(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.2
    name = "book"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Book:
        from clv.book import Book

        return value if isinstance(value, Book) else Book(value)


def book_argument(command: F) -> F:
    """Add the BOOK argument, opened."""
    return click.argument("book", type=_BookType())(command)


def echo_caveats(book: Book, keys: Sequence[str]) -> None:
    """Say what the data hardly tell, and which figures nobody has confirmed, with their values."""
    for concern in book.concerns:
        paragraph(f"Caution: {concern}")
    if not keys:
        return
    values = book.policy.assumed
    shown = ", ".join(f"{key} {plain(values[key])}" for key in keys)
    paragraph(f"Assumed, not confirmed by you: {shown}.")
