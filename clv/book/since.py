"""A book that newer orders are added to: what it knows of its customers, and what must agree.

The book of all orders follows from the book of the earlier ones and the orders since. What a
purchase history and a mean of spend are made of adds up, and `values.parquet` holds both exactly:
whole days, and a mean of amounts with four decimals from which their total comes back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clv.book import Book
from clv.book.directory import GAPS, INCIDENTS, VALUES
from clv.book.orders import rebased
from clv.errors import OrdersError, RequestError
from clv.history import Unit
from clv.models import purchase_model
from clv.models.family_of_k import FamilyOfK
from clv.recommend.policy import Policy
from clv.transactions.continued import Known, beyond, continued, no_orders, too_early
from clv.transactions.engines import Engine
from clv.transactions.orders import Orders, read_orders
from clv.transactions.orders import Policy as ReturnsPolicy
from clv.transactions.report import OrdersReport, counted
from clv.transactions.schema import Schema
from clv.transactions.summary import CustomerHistories

__all__ = ["Since"]

MEANING = ("time_zone", "source_time_zone", "id_case", "currency_taken", "rates")
"""Settings of a schema that change what the same rows say."""
LINES = ("order_id", "item", "currency", "kind", "reverses")
"""Roles that change what is made of the rows, if they are there."""


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

        Parameters
        ----------
        given : Schema, optional
            What is said of the newer ones.
        """
        stated = dict(self.book.manifest["sources"][-1]["schema"])
        return Schema.from_dict(stated | (given.to_dict() if given else {}))

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
        if issubclass(purchase_model(model), FamilyOfK) and not (book.path / GAPS).is_file():
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
            raise RequestError.of(faults, then=self._once)
        return book.unit, model

    def read(self, source: Any) -> Orders:
        """Read newer orders as those of the book.

        Parameters
        ----------
        source
            As for :func:`clv.read_orders`.
        """
        return read_orders(source, schema=self.schema(), returns=self.returns)

    def no_orders(self) -> Orders:
        """Return the newer orders where there are none."""
        return no_orders(self.schema(), self.book.end, returns=self.returns)

    def histories(
        self, orders: Orders, *, end: date | None, unit: Unit, regular: bool
    ) -> CustomerHistories:
        """Return the histories of the book's orders and newer ones together.

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
        """
        last = end or orders.last_date
        known = self._known(orders.opened.engine, regular=regular)
        faults = [*self._disagreements(orders), *self._overlap(orders)]
        if back := beyond(orders, known, last):
            faults.append(f"{back}, and {self.book.path} does not hold the lines of its orders.")
        lost, notice = self._passed_over(orders)
        if faults or lost:
            raise OrdersError.of([*faults, *lost], then=self._once)
        found = continued(
            known,
            orders,
            end=last,
            unit=unit,
            end_assumed=end is None,
        )
        return replace(found, report=found.report.noting(*notice))

    def incidents(self) -> list[pa.Table]:
        """Return the returns that the book keeps as incidents, up to its end: a table, or none."""
        file = self.book.path / INCIDENTS
        if not file.is_file():
            return []
        rows = pq.ParquetFile(file).read()
        day = pc.cast(rows["occurred_at"], pa.date32(), safe=False)
        return [rows.filter(pc.less_equal(day, pa.scalar(self.book.end)))]

    def report(self, newer: OrdersReport) -> OrdersReport:
        """Account for every row of all sources.

        Parameters
        ----------
        newer : OrdersReport
            Of the newest.
        """
        return OrdersReport.from_dict(self.book.manifest["rows"]).plus(newer)

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
    def _once(self) -> str:
        return "Or build once from all orders: clv build ORDERS -o BOOK."

    def _known(self, engine: Engine, *, regular: bool) -> Known:
        """What the book holds of its customers, in an engine."""
        values = engine.read_parquet([self.book.path / VALUES])
        gaps = engine.read_parquet([self.book.path / GAPS]) if regular else None
        try:
            return Known.of(values, engine, end=self.book.end, unit=self.book.unit, gaps=gaps)
        except OrdersError as error:
            told = f"The totals of {self.book.path} do not come back: {error}"
            raise OrdersError.of([told], then=self._once) from None

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
        for role in LINES:
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
        if rows >= before["rows_after_end"]:
            return [], []
        told = (
            f"{self.book.path} was built without {counted(before['rows_after_end'], 'row')} of "
            f"{before['source']!r} dated {self.book.end} to {last}, after its end; "
            f"{orders.source!r} has {rows:,} of those days"
        )
        if orders.last_date >= last:
            return [f"{told}, so some are missing. Hand over all orders since {self.book.end}."], []
        return [], [f"{told} and ends on {orders.last_date}. Orders that it misses are lost."]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {rate}" for name, rate in value.items()) or "not given"
    return "not given" if value is None else repr(value)
