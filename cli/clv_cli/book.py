"""What the commands that read a book have in common: its arguments, and the word on assumptions."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clv_cli.output import between, money, paragraph, percent, plain

if TYPE_CHECKING:
    from clv.book import Book

__all__ = [
    "book_argument",
    "echo_cautions",
    "echo_caveats",
    "echo_concerns",
    "echo_version",
    "interval_name",
    "orders_option",
    "own_record",
    "total_value",
    "without_intervals",
]

SHOWN = 3
"""Assumed figures that a table names; the other formats have all."""

MATTERS = {
    "problems.*.dropout": "{} of new customers leave over such a problem",
    "retention.effect": "money keeps {} at most of those who would leave",
    "recovery.savable_share": "the best recovery keeps {} of those who would leave",
    "margin": "{} of revenue is margin",
}
"""Assumed figures that matter most, the first foremost, and what they say."""

F = TypeVar("F", bound=Callable[..., Any])


class _BookType(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.2
    name = "book"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Book:
        from clv.book import Book

        return value if isinstance(value, Book) else Book(value)


def book_argument(command: F) -> F:
    """Add the BOOK argument, opened."""
    return click.argument("book", type=_BookType())(command)


def orders_option(command: F) -> F:
    """Add the `--orders` option of the commands that read the orders of a book again."""
    return click.option(
        "--orders",
        metavar="ORDERS",
        help="The orders of BOOK, where they are elsewhere now or have grown; without it, those "
        "that BOOK was built from.",
    )(command)


def echo_caveats(book: Book, keys: Sequence[str]) -> None:
    """Say what the data hardly tell, and which figures nobody has confirmed, with their values.

    Of many the three that matter most: what is at stake and what is won are in proportion to them.
    """
    echo_concerns(book)
    if keys:
        _echo_assumed(book, keys)
    echo_version(book.policy.version)


def echo_concerns(book: Book) -> None:
    """Say what the data hardly tell, in words that name no parameter."""
    for concern in book.plain_concerns:
        paragraph(f"Caution: {concern}")


def echo_cautions(book: Book, more: Sequence[str] = ()) -> None:
    """Say what the check of the orders holds against the figures, and what there is `more`."""
    from clv.book.cautions import cautions

    for told in (*cautions(book.manifest), *more):
        paragraph(f"Caution: {told}")


def echo_version(version: str) -> None:
    """Say which policy the figures rest on: figures of one version can be set side by side."""
    click.echo(f"Policy version {version}.")


def _echo_assumed(book: Book, keys: Sequence[str]) -> None:
    values = book.policy.assumed
    if len(keys) <= SHOWN:
        told = ", ".join(f"{key} {plain(values[key])}" for key in keys)
        paragraph(f"Assumed, not confirmed by you: {told}.")
        return
    most = sorted(keys, key=_weight)[:SHOWN]
    shown = "; ".join(_in_words(key, values[key]) for key in most)
    paragraph(
        f"Assumed, not confirmed by you: {len(keys)} figures of the policy. Those that matter most "
        f"here: {shown}. All of them: --format json. To set your own: clv policy init policy.toml."
    )


def own_record(book: Book, keys: Sequence[str]) -> str:
    """Say which figures the company's own record has taught: nothing where it has none.

    Of `keys` those count that a figure's key begins with: "retention." is all of that table.
    """
    learned = book.policy.learned
    figures = [f for f in learned.figures.values() if f.used] if learned else []
    figures = [f for key in keys for f in figures if f.key.startswith(key)]
    shares = ", ".join(f"{f.key} ({100 * f.share_from_data:.0f} % data)" for f in figures)
    return f"From your own record: {shares}." if shares else ""


def total_value(book: Book) -> str:
    """Write what all customers are worth together, with its interval."""
    about = book.manifest
    told = money(about["totals"]["lifetime_value"], book.policy.currency)
    held = about["intervals"]["lifetime_value"]
    return f"{told} ({interval_name(book)} {between(held[0], held[1], 0)})" if held else told


def interval_name(book: Book) -> str:
    """Name the intervals of a book: "80 % interval"."""
    return f"{percent(book.manifest['intervals']['level'])} interval"


def without_intervals(book: Book) -> str:
    """Say why values have no interval; nothing where they have."""
    about = book.manifest["intervals"]
    return str(about["without"] or about["without_total"])


def _in_words(key: str, value: Any) -> str:
    """Say what an assumed figure says, then its key in the policy."""
    if (place := _weight(key)) == len(MATTERS):
        return f"{key} {plain(value)}"
    return f"{[*MATTERS.values()][place].format(percent(value))} ({key})"


def _weight(key: str) -> int:
    """Place of an assumed figure among those that matter most; behind them where it is none."""
    places = [i for i, pattern in enumerate(MATTERS) if fnmatch.fnmatch(key, pattern)]
    return places[0] if places else len(MATTERS)
