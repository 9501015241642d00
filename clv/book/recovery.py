"""What a customer book answers about problems: of one customer, or of many who share a failure.

Nothing heavy is loaded for one customer: a support lead has the customer on the line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.book.values import VALUE_COLUMNS
from clv.errors import RequestError
from clv.history import DAYS_PER_UNIT
from clv.recommend.group import UniformOffer, uniform_offer
from clv.recommend.recovery import Recovery, recovery_limit
from clv.recommend.word_of_mouth import WordOfMouth, word_of_mouth
from clv.small_tables import read_small_table

if TYPE_CHECKING:
    from clv.book.decisions import Opened

__all__ = ["read_affected", "recover", "recover_all", "told_to_others"]


LONGEST = 24 * 365 * 100
"""Hours before which no problem lies whose day is looked up in the tables of the law."""


def recover(
    book: Opened,
    row: dict[str, Any],
    problem: str,
    loss: float,
    *,
    hours: float,
    on: date | None = None,
    **about: Any,
) -> Recovery:
    """Say what may be spent on the problem of one customer, who has just been in contact.

    Parameters
    ----------
    book : Opened
        Whose customer.
    row : dict
        The customer, as :meth:`clv.Book.customer` tells it.
    problem, loss, hours, **about
        As for :func:`~clv.recommend.recovery.recovery_limit`.
    on : date, optional
        Day of the problem; today less `hours` if not given.

    Returns
    -------
    Recovery
        With the stage and the word of mouth of this book.
    """
    worth = told_to_others(book)
    if on is None and 0 <= hours < LONGEST:
        on = (datetime.now() - timedelta(hours=hours)).date()
    answer = recovery_limit(
        book.policy,
        problem,
        loss,
        value_if_alive=row["value_if_alive"],
        frequency=row["frequency"],
        word_of_mouth=worth.at_stake,
        value_share=float(_shares(book, np.array(row["lifetime_value"]))),
        days_since_first=row["T"] * DAYS_PER_UNIT[book.unit],
        hours=hours,
        on=on,
        customer_id=row["customer_id"],
        value_low=row["value_if_alive_low"],
        value_high=row["value_if_alive_high"],
        without_range=book.without_intervals,
        **about,
    )
    return replace(
        answer,
        warnings=(*answer.warnings, *worth.warnings),
        assumed=(*_terms(book, answer.assumed), *worth.assumed),
    )


def recover_all(
    book: Opened,
    problem: str,
    loss: float | None,
    *,
    customers: Sequence[str] | None = None,
    losses: npt.ArrayLike | None = None,
    **about: Any,
) -> UniformOffer:
    """Say what to offer to many customers who have the same problem: one amount for all.

    They may not have noticed or not have called: they count with their probability of being alive.

    Parameters
    ----------
    book : Opened
        Whose customers.
    problem : str
        Key of a problem type of the policy.
    loss : float or None
        What each of them lost, in money.
    customers : sequence of str, optional
        Who is affected; all customers of the book if not given. Those whom the book does not know
        get the offer too.
    losses : array_like, shape (customers,), optional
        What each of them lost, in place of `loss`; nan where that counts.
    **about
        `hours`, `severity` and `form`, as for :func:`~clv.recommend.group.uniform_offer`.

    Returns
    -------
    UniformOffer
    """
    names = (
        "value_if_alive", "frequency", "p_alive", "lifetime_value", "value_if_alive_low",
        "value_if_alive_high",
    )  # fmt: skip
    table = book.read(VALUE_COLUMNS)
    ids: npt.NDArray[Any] = table.column("customer_id").to_numpy()
    rows = np.arange(len(ids))
    if customers is not None:
        rows = _rows_of(ids, customers)
        ids = np.array(customers, dtype=object)
    known = rows >= 0
    table = book.with_intervals(table.take(rows[known]) if customers is not None else table)
    columns = np.full((len(names), len(rows)), np.nan)
    columns[:, known] = [table.column(name).to_numpy() for name in names]
    each = np.full(len(ids), np.nan) if losses is None else np.asarray(losses, dtype=float)
    each = each if loss is None else np.where(np.isnan(each), loss, each)
    without = int(np.isnan(each).sum())
    if without:
        raise RequestError(
            f"It is not known what {without:,} of {len(ids):,} customers lost. Give one amount for "
            "all, or each one's."
        )
    V, x, alive, lifetime, low, high = columns
    worth = told_to_others(book)
    none = bool(book.without_intervals)
    offer = uniform_offer(
        book.policy,
        problem,
        each,
        customer_id=ids,
        value_if_alive=V,
        frequency=x,
        p_alive=alive,
        word_of_mouth=worth.at_stake,
        value_share=_shares(book, lifetime),
        value_low=None if none else low,
        value_high=None if none else high,
        **about,
    )
    return replace(
        offer,
        sentences=(*offer.sentences, *worth.warnings),
        assumed=(*_terms(book, offer.assumed), *worth.assumed),
    )


def read_affected(path: str | Path) -> tuple[list[str], Floats | None]:
    """Read who is affected by a failure from a CSV file.

    Parameters
    ----------
    path : str or Path
        With a header: `customer_id`, or else the first column, says who; `loss`, if there, what
        each of them lost.

    Returns
    -------
    customers : list of str
        Each once.
    losses : ndarray, shape (customers,), or None
        nan where a cell is empty; None without such a column.

    Raises
    ------
    RequestError
        Where the file cannot be read, names nobody or somebody twice, or a loss is no number.
    """
    table = read_small_table(path)
    customers = table.column("customer_id") or [row[0] for row in table.rows]
    faults = []
    if not customers:
        faults.append(f"{path} names no customers; it needs a header and one customer a line.")
    empty = [line for line, who in zip(table.lines, customers, strict=True) if not who]
    if empty:
        faults.append(f"{len(empty):,} lines of {path} name nobody (first: line {empty[0]}).")
    twice = [who for who, times in Counter(customers).items() if who and times > 1]
    if twice:
        faults.append(f"{path} names {len(twice):,} customers twice (first: {twice[0]}).")
    losses, cells = None, table.column("loss")
    if cells is not None:
        losses = np.array([table.number(cell) for cell in cells])
        bad = [i for i, cell in enumerate(cells) if cell and np.isnan(losses[i])]
        if bad:
            faults.append(
                f"{len(bad):,} losses of {path} are no numbers, or could be two (first: line "
                f"{table.lines[bad[0]]}, {cells[bad[0]]!r}). Write them as 1234.50."
            )
    if faults:
        raise RequestError.of(faults)
    return customers, losses


def _rows_of(ids: npt.NDArray[Any], customers: Sequence[str]) -> npt.NDArray[np.intp]:
    """Rows of these customers; -1 for those who are not there."""
    place = {who: i for i, who in enumerate(ids.tolist())}
    rows = np.array([place.get(who, -1) for who in customers], dtype=np.intp)
    if (rows < 0).all():
        raise RequestError(
            f"The book knows none of these {len(rows):,} customers; the first is "
            f"{customers[0]!r}, the book's own {ids[0]!r}. Ids are text and keep their leading "
            "zeros."
        )
    return rows


def _shares(book: Opened, lifetime: Floats) -> Floats:
    """Part of the value of all customers, as in the stages of the book."""
    total = float(book.manifest["totals"]["lifetime_value"])
    return np.minimum(1.0, lifetime / total) if total > 0 else np.zeros_like(lifetime)


def _terms(book: Opened, assumed: tuple[str, ...]) -> tuple[str, ...]:
    """What the value itself assumes is assumed by the answer too."""
    return (*book.assumed_terms, *(key for key in assumed if key not in book.assumed_terms))


def told_to_others(book: Opened) -> WordOfMouth:
    """Price what customers tell each other, where the policy states the figures that it takes.

    Parameters
    ----------
    book : Opened
        Whose policy.

    Returns
    -------
    WordOfMouth
        Nothing at stake, and why, where the policy states none.
    """
    stated = book.policy.acquisition.model_dump()
    if None in stated.values():
        return word_of_mouth(book.policy, 0.0)  # tells what is missing, and prices nothing
    from clv.book.budget import acquisition

    return word_of_mouth(book.policy, acquisition(book).value)
