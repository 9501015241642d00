"""A book that newer orders are added to: what it knows of its customers, and what must agree.

The book of all orders follows from the book of the earlier ones and the orders since, in one of two
ways. Where it keeps the lines of its orders, these and the newer ones are put together as if they
had been read at once. Where it does not, there were many and nothing but sales: what a purchase
history and a mean of spend are made of adds up, and `values.parquet` holds both exactly: whole
days, and a mean of amounts with four decimals from which their total comes back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clv.book import Book
from clv.book.directory import GAPS, INCIDENTS, LINES, VALUES, changed_lines
from clv.book.orders import rebased
from clv.errors import BookError, OrdersError, RequestError
from clv.history import Unit
from clv.models import purchase_model
from clv.models.family_of_k import FamilyOfK
from clv.recommend.policy import Policy
from clv.transactions.continued import Known, beyond, continued, no_orders, too_early
from clv.transactions.engines import Engine
from clv.transactions.joined import joined
from clv.transactions.kept_lines import are_kept
from clv.transactions.orders import Orders, read_orders
from clv.transactions.orders import Policy as ReturnsPolicy
from clv.transactions.report import OrdersReport, counted
from clv.transactions.schema import Schema
from clv.transactions.summary import CustomerHistories, histories

__all__ = ["Added", "Since"]

MEANING = ("time_zone", "source_time_zone", "id_case", "no_customer", "currency_taken", "rates")
"""Settings of a schema that change what the same rows say."""
ONCE = "Or build once from all orders: clv build ORDERS -o BOOK."
LINES_TOLD = ("order_id", "item", "currency", "kind", "reverses")
"""Roles that change what is made of the rows, if they are there."""


@dataclass(frozen=True, eq=False)
class Added:
    """The orders of a book and newer ones.

    Attributes
    ----------
    orders : Orders
        All of them, where the book keeps their lines; else the newer ones alone.
    found : CustomerHistories
        The histories of all.
    rows : OrdersReport
        Of all sources.
    newest : OrdersReport
        Of the newer one alone.
    lines : ibis.Table or None
        All lines, where they are kept.
    """

    orders: Orders
    found: CustomerHistories
    rows: OrdersReport
    newest: OrdersReport
    lines: ir.Table | None


@dataclass(frozen=True, eq=False)
class Since:
    """A book that newer orders are added to.

    Attributes
    ----------
    book : Book
        Opened; it is read only.
    """

    book: Book

    @classmethod
    def of(cls, book: Book | str | os.PathLike[str]) -> Since:
        """Open a book, if it is not open."""
        return cls(book if isinstance(book, Book) else Book(Path(book)))

    @property
    def policy(self) -> Policy:
        """The policy it was built with."""
        return self.book.stated_policy

    def schema(self, given: Schema | None = None) -> Schema:
        """How newer orders are read: as those of the book, unless they are said to differ.

        Words of `kinds` are added to those of the book; a word that is in both means what is said.

        Parameters
        ----------
        given : Schema, optional
            What is said of the newer ones.
        """
        stated = dict(self.book.manifest["sources"][-1]["schema"])
        said = given.to_dict() if given else {}
        if "kinds" in said and "kinds" in stated:
            said["kinds"] = _kinds(stated["kinds"], said["kinds"])
        return Schema.from_dict(stated | said)

    @property
    def returns(self) -> ReturnsPolicy:
        """What is done with returns."""
        return cast("ReturnsPolicy", self.book.manifest["returns"])

    def settings(
        self, unit: Unit | None, model: str | None, end: date | None, *, silent: bool
    ) -> tuple[Unit, str]:
        """The unit of time and the purchase model: those of the book, unless another is asked.

        Parameters
        ----------
        unit, model, end
            As asked; None where nothing was.
        silent : bool
            Whether there are no newer orders.

        Raises
        ------
        RequestError
            Where they do not go with the book; all faults at once.
        """
        book, about = self.book, self.book.manifest
        model = model or str(about["model"])
        faults = []
        if unit not in {None, book.unit}:
            faults.append(f"The unit of {book.path} is {book.unit!r}, not {unit!r}.")
        has_gaps = self.has_lines or (book.path / GAPS).is_file()
        if issubclass(purchase_model(model), FamilyOfK) and not has_gaps:
            faults.append(
                f"{model} needs the times between all orders, which {book.path} does not keep, "
                f"being built with {about['model']}."
            )
        if end is not None and end <= book.end:
            faults.append(
                f"The end of observation {end} is not after {book.end}, that of {book.path}."
            )
        if silent and end is None:
            faults.append(
                "Without newer orders only a later end can change a book: give the day up to "
                "which nobody bought anything, such as --end 2024-12-31 (in Python end=)."
            )
        before = about["sources"][-1]
        if silent and before["rows_after_end"]:
            faults.append(
                f"{book.path} was built without {counted(before['rows_after_end'], 'row')} of "
                f"{before['source']!r} that came after {before['end']}: it was not silent then. "
                "Name the orders since."
            )
        if faults:
            raise RequestError.of(faults, then=ONCE)
        return book.unit, model

    def read(self, source: Any, engine: Engine | None = None, **stated: Any) -> Orders:
        """Read newer orders as those of the book, but for what is stated.

        Parameters
        ----------
        source, engine, **stated
            As for :func:`clv.read_orders`.
        """
        reading = {"schema": self.schema(), "returns": self.returns, "engine": engine} | stated
        try:
            return read_orders(source, **reading)
        except OrdersError as error:
            if "There is no column" not in str(error):
                raise
            taken = str(self.schema()).removeprefix("Columns taken: ")
            raise OrdersError(
                f"{error}\nOf the orders of {self.book.path} these columns were taken: {taken} "
                "Where newer orders have others, say which (--column customer_id=..., or a schema "
                "file)."
            ) from None

    def no_orders(self, engine: Engine | None = None) -> Orders:
        """Return the newer orders where there are none.

        Parameters
        ----------
        engine : Engine, optional
            What computes; DuckDB by default.
        """
        return no_orders(self.schema(), self.book.end, returns=self.returns, engine=engine)

    @property
    def has_lines(self) -> bool:
        """Whether the book keeps the lines of its orders."""
        return LINES in self.book.manifest["files"]

    def add(self, orders: Orders, *, end: date | None, unit: Unit, regular: bool) -> Added:
        """Add newer orders to those of the book.

        Parameters
        ----------
        orders : Orders
            The newer ones.
        end : date or None
            The last day of observation; that of the last order if None.
        unit : {"day", "week"}
            That of the book.
        regular : bool
            Whether the purchase model needs the times between orders.

        Raises
        ------
        OrdersError
            Where the orders do not go with the book; all faults at once.
        BookError
            Where the lines that it keeps are not what they were.
        """
        faults = [*self._disagreements(orders), *self._overlap(orders)]
        lost, notice = self._passed_over(orders)
        if self.has_lines:
            if faults or lost:
                raise OrdersError.of([*faults, *lost], then=ONCE)
            return self._joined(orders, end, unit, notice)
        last = end or orders.last_date
        known = self._known(orders.opened.engine, regular=regular)
        if back := beyond(orders, known, last):
            faults.append(f"{back}, and {self.book.path} does not hold the lines of its orders.")
        if faults or lost:
            raise OrdersError.of([*faults, *lost], then=ONCE)
        found = continued(known, orders, end=last, unit=unit, end_assumed=end is None)
        found = replace(found, report=found.report.noting(*notice))
        rows = self._rows.plus(found.report)
        return Added(orders, found, rows, found.report, None)

    def incidents(self) -> list[pa.Table]:
        """Return the returns that the book keeps as incidents, up to its end: a table, or none."""
        file = self.book.path / INCIDENTS
        if not file.is_file():
            return []
        rows = pq.ParquetFile(file.absolute()).read()  # to pyarrow `book:2024` would be a URL
        day = pc.cast(rows["occurred_at"], pa.date32(), safe=False)
        return [rows.filter(pc.less_equal(day, pa.scalar(self.book.end)))]

    def sources(self, path: Path) -> list[dict[str, Any]]:
        """Name the sources of the book, the newest last.

        Parameters
        ----------
        path : Path
            Of another book, from whose place they must be found.
        """
        return [
            about | {"source": rebased(self.book.path, path, about["source"])}
            for about in self.book.manifest["sources"]
        ]

    @property
    def _rows(self) -> OrdersReport:
        return OrdersReport.from_dict(self.book.manifest["rows"])

    def _joined(self, orders: Orders, end: date | None, unit: Unit, notice: Sequence[str]) -> Added:
        """Put newer orders and the lines that the book keeps together."""
        if faults := changed_lines(self.book.path, self.book.manifest):
            raise BookError.of(faults, then=ONCE)
        kept = orders.opened.engine.read_parquet([self.book.path / LINES])
        both = joined(kept, self._rows, self.book.end, orders)
        if end is None and both.orders.last_date <= self.book.end:
            raise OrdersError(
                f"All rows of {orders.source!r} are lines of orders begun up to {self.book.end}, "
                f"the end of {self.book.path}, and count for their first days. Give the last day "
                "of observation: --end (in Python end=)."
            )
        found = histories(both.orders, end=end, unit=unit)
        found = replace(found, report=found.report.noting(*notice))
        newest = both.of_newer(found.report, self.book.end, found.end)
        lines = both.lines if are_kept(both.orders) else None
        return Added(both.orders, found, found.report, newest, lines)

    def _known(self, engine: Engine, *, regular: bool) -> Known:
        """What the book holds of its customers, in an engine."""
        file = self.book.path / VALUES
        values = engine.read_parquet([file])
        gaps = engine.read_parquet([self.book.path / GAPS]) if regular else None
        try:
            with engine.told(str(file)):
                return Known.of(values, engine, end=self.book.end, unit=self.book.unit, gaps=gaps)
        except OrdersError as error:
            told = f"The totals of {self.book.path} do not come back: {error}"
            raise OrdersError.of([told], then=ONCE) from None

    def _disagreements(self, orders: Orders) -> list[str]:
        """Say what of the newer orders means something else than in the book."""
        before, now = self.schema(), orders.schema
        faults = []
        if orders.returns_policy != self.returns:
            faults.append(
                f"Returns were read as {self.returns!r} in {self.book.path} and as "
                f"{orders.returns_policy!r} in {orders.source!r}."
            )
        faults += [
            f"{name} is {_said(getattr(before, name))} in {self.book.path} and "
            f"{_said(getattr(now, name))} in {orders.source!r}."
            for name in MEANING
            if getattr(before, name) != getattr(now, name)
        ]
        for role in LINES_TOLD:
            there = [getattr(schema, role) not in {None, "none"} for schema in (before, now)]
            if there[0] != there[1]:
                has, has_not = (self.book.path, orders.source)[:: 1 if there[0] else -1]
                faults.append(f"{has} was read with a column {role}, {has_not} without one.")
        currencies = (self.book.manifest["rows"]["currency"], orders.report.currency)
        if None not in currencies and currencies[0] != currencies[1]:
            faults.append(
                f"The amounts of {self.book.path} are in {currencies[0]}, those of "
                f"{orders.source!r} in {currencies[1]}."
            )
        return faults

    def _overlap(self, orders: Orders) -> list[str]:
        early = too_early(orders, self.book.end)
        if not early:
            return []
        told = (
            f"{early}, the end of {self.book.path}: the book has such orders already, or cannot "
            "know them. Hand over the orders after that day alone."
        )
        return [told]

    def _passed_over(self, orders: Orders) -> tuple[list[str], list[str]]:
        """Say where rows may be missing that the book was built without: a fault, or a notice."""
        before = self.book.manifest["sources"][-1]
        if not before["rows_after_end"]:
            return [], []
        last = date.fromisoformat(before["last_date"])
        there = orders.days.filter(orders.days["date"] <= last)
        found = orders.opened.collect(there.aggregate(rows=there["rows"].sum()))
        rows = int(found["rows"][0].as_py() or 0)
        if orders.returns is not None:
            back = orders.returns.table
            back = back.filter(back["date"] <= last)
            rows += orders.opened.collect(back.aggregate(rows=back.count()))["rows"][0].as_py()
        if rows >= before["rows_after_end"]:
            return [], []
        told = (
            f"{self.book.path} was built without {counted(before['rows_after_end'], 'row')} of "
            f"{before['source']!r} dated after its end, {self.book.end}, up to {last}; "
            f"{orders.source!r} has {rows:,} of those days"
        )
        if orders.last_date >= last:
            since = self.book.end + timedelta(days=1)
            return [f"{told}, so some are missing. Hand over all orders from {since} on."], []
        return [], [f"{told} and ends on {orders.last_date}. Orders that it misses are lost."]


def _kinds(
    before: Mapping[str, Sequence[str]], said: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Return the words of each kind: those that are said, and of those before the others."""
    meant = {word.strip().casefold() for words in said.values() for word in words}
    kept = {
        kind: [w for w in words if w.strip().casefold() not in meant]
        for kind, words in before.items()
    }
    return {kind: [*kept.get(kind, ()), *said.get(kind, ())] for kind in {**before, **said}}


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {rate}" for name, rate in value.items()) or "not given"
    if isinstance(value, tuple):
        return ", ".join(map(repr, value)) or "not given"
    return "not given" if value is None else repr(value)
