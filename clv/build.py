"""From orders to a customer book: read, summarise, fit, value, write; or newer orders to one."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clv.book import Book
from clv.book.directory import (
    GAPS,
    INCIDENTS,
    LINES,
    MODELS,
    POLICY,
    VALUES,
    refuse_other,
    write_book,
)
from clv.book.intervals import ValuedBy, draws_of, without_intervals
from clv.book.orders import entry_of
from clv.book.since import Added, Since
from clv.book.written_values import write_values
from clv.errors import FitError, NotIdentifiedError, OrdersError, RequestError
from clv.history import Unit
from clv.inference.independence import spend_independence
from clv.models import purchase_model
from clv.models.base import Model
from clv.models.family_of_k import FamilyOfK
from clv.models.gamma_gamma import GammaGamma
from clv.models.maximum_likelihood import Fit
from clv.models.pooled_spend import PooledSpend, PooledSpendFit
from clv.quality.check import book_findings
from clv.quality.report import worst
from clv.recommend.policy import Policy
from clv.side_by_side import beside
from clv.transactions.kept_lines import are_kept, lines_of, write_lines
from clv.transactions.orders import Orders, read_orders
from clv.transactions.returns.incidents import incident_rows
from clv.transactions.settings import NO_AMOUNT
from clv.transactions.summary import CustomerHistories, histories, read_date
from clv.value.lifetime_value import paid_share, score
from clv.value.terms import Terms
from clv.value.value_intervals import LEVEL

if TYPE_CHECKING:
    import os

    import pandas as pd

    from clv.transactions.engines import Engine

__all__ = ["build_book"]

M = TypeVar("M", bound=Model[Any])

STEADIED = (
    "These orders alone do not tell all of {}; a weak prior (assumed) stands in for what they "
    "leave open. A longer log tells more."
)

LIBRARIES = ("clv", "ibis-framework", "numpy", "scipy")


def build_book(
    source: Orders | str | os.PathLike[str] | pd.DataFrame | None,
    path: str | os.PathLike[str],
    *,
    policy: Policy | None = None,
    end: date | str | None = None,
    unit: Unit | None = None,
    model: str | None = None,
    since: Book | str | os.PathLike[str] | None = None,
    engine: Engine | None = None,
    progress: Callable[[str], None] | None = None,
) -> Book:
    """Build a customer book from orders, or from a book and newer orders.

    Parameters
    ----------
    source : Orders, path, pattern of paths, or pandas.DataFrame
        As for :func:`clv.read_orders`. With `since`, the orders after the end of that book; None
        where there were none up to a later `end`.
    path : str or Path
        Directory to write; a book that stands there is replaced in one step, and what it had
        learned is gone with it: the logs must speak to the new models.
    policy : Policy, optional
        Margin, discount rate, horizon and the rules of the recommender; by default that of
        `since`, or else all assumed. Where it states no currency, that of the orders is taken.
    end : date or "YYYY-MM-DD", optional
        Last day of observation; the last date of the orders by default, which the book says.
    unit : {"day", "week"}, optional
        Unit of time of the models; that of `since`, or else days, by default.
    model : str, optional
        Name of the purchase model, as in `clv fit --model`; that of `since`, or else "bg-nbd", by
        default.
    since : Book or path, optional
        A book of the orders up to some end, which is read instead of them; it may stand at
        `path`. What comes of it is the book of all orders.
    engine : Engine, optional
        What computes, as for :func:`clv.read_orders`; :class:`clv.Orders` have theirs already.
    progress : callable, optional
        Told each step as it begins.

    Returns
    -------
    Book

    Raises
    ------
    OrdersError, RequestError, PolicyError, FitError, BookError
        Where there is no book to be made, or `since` and the newer orders do not go together, with
        the reason; what stood at `path` is then untouched.

    Examples
    --------
    >>> import clv, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     book = clv.build_book(clv.datasets.path("cdnow"), f"{folder}/book", unit="week")
    ...     later = clv.build_book(None, f"{folder}/later", end="1998-09-30", since=book)
    ...     round(book.manifest["totals"]["p_alive"]), round(later.manifest["totals"]["p_alive"])
    (1855, 1658)
    """
    progress = progress or (lambda _step: None)
    refuse_other(Path(path))  # before the work, not after it
    given = _read(source, since, end, unit, model, engine, progress)
    orders, found, lines = given.added.orders, given.added.found, given.added.lines
    unit, kind = given.unit, purchase_model(given.model)
    policy = policy or (given.before.policy if given.before else Policy())
    policy = policy.in_currency(found.report.currency)
    terms = Terms(policy.margin, policy.discount_rate, policy.horizon_months)
    if found.gaps is not None and issubclass(kind, FamilyOfK):  # for the fit and for the book
        found = replace(found, gaps=orders.opened.materialise(found.gaps)).with_log_gaps()
    progress("Fitting the models")
    with beside() as pool:
        of_quality = pool.submit(given.quality)  # alone asks the engine until it is done
        of_spend = pool.submit(_fit_spend, found)
        purchases, steadied = _fit(kind, found)
        spend, spend_steadied = of_spend.result()
        try:
            independence = spend_independence(found).to_dict()
        except NotIdentifiedError as error:
            independence = {"sentence": str(error)}
        progress("Drawing from the posterior")
        draws = draws_of(purchases, spend)
        quality = of_quality.result()
    progress("Valuing the customers")
    leave_months = policy.retention.period_months
    table = score(found, purchases.model, spend.model, terms, leave_months=leave_months)
    manifest: dict[str, Any] = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **given.accounted_for(Path(path)),
        "returns": orders.returns_policy,
        "quality": quality,
        "end": found.end.isoformat(),
        "end_assumed": found.end_assumed,
        "unit": unit,
        "model": given.model,
        "engine": orders.opened.engine.name,
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in (*LIBRARIES, orders.opened.engine.library)},
        "customers": found.customers,
        "repeat_customers": found.repeat_customers,
        "patterns": len(found),
        "models": {
            "purchases": _with_concerns(purchases, steadied),
            "spend": _with_concerns(spend, spend_steadied),
        },
        "independence": independence,
        "terms": terms.to_dict() | {"sentence": terms.sentence},
        "leave_months": leave_months,
        "paid_share": paid_share(found),
        "intervals": {"level": LEVEL, "without": without_intervals(draws.values())},
        "policy": {"version": policy.version, "assumed": list(policy.assumed)},
    }
    progress("Drawing intervals and writing the book")
    with write_book(Path(path), manifest) as folder:
        about = ValuedBy(found.customers, terms, found.end, unit, manifest["paid_share"])
        manifest["intervals"] |= write_values(table, folder / VALUES, orders.opened, draws, about)
        manifest["totals"] = _totals(folder / VALUES)
        if found.gaps is not None and issubclass(kind, FamilyOfK):
            gaps = orders.opened.collect(found.gaps.order_by("gap").select("gap", "times"))
            whole = pa.schema({"gap": pa.int64(), "times": pa.int64()})  # an engine's sum is wider
            pq.write_table(gaps.cast(whole), folder / GAPS)
        if lines is not None:
            write_lines(lines, found.end, orders.opened, folder / LINES)
        models = {
            role: {
                "model": fit.model.name,
                "parameters": fit.parameters,
                "draws": draws[role].to_dict(),
            }
            for role, fit in (("purchases", purchases), ("spend", spend))
        }
        (folder / MODELS).write_text(json.dumps(models, indent=2) + "\n", encoding="utf-8")
        (folder / POLICY).write_text(policy.to_toml(), encoding="utf-8")
        if incidents := given.incidents():
            pq.write_table(incidents, folder / INCIDENTS)
    return Book(Path(path), just_written=True)


@dataclass(frozen=True, eq=False)
class _Given:
    """What a book is built from."""

    read: Orders
    added: Added  # to those of the book before, if there is one
    unit: Unit
    model: str
    before: Since | None
    newest: bool  # whether there were orders to read

    def quality(self) -> dict[str, Any]:
        """Whether the orders suit the models; where there is none to look at, as it was."""
        if self.before is not None and not self.newest and self.added.lines is None:
            return dict(self.before.book.manifest["quality"])
        added = self.added
        found = book_findings(added.orders, added.found, added.rows, added.lines)
        return {
            "verdict": worst(found),
            "findings": {finding.topic: finding.to_dict() for finding in found},
        }

    def incidents(self) -> pa.Table | None:
        """Return the returns as incidents, where they are to be kept as such."""
        orders = self.added.orders
        if orders.returns_policy != "incident":
            return None
        parts = self.before.incidents() if self.before and self.added.lines is None else []
        if (returns := orders.returns) is not None:
            parts.append(orders.opened.collect(incident_rows(returns)))
        if not parts:
            return None
        # Engines differ in whether their texts are large.
        found = pa.concat_tables(parts, promote_options="permissive")
        return found.sort_by([("customer_id", "ascending"), ("occurred_at", "ascending")])

    def accounted_for(self, path: Path) -> dict[str, Any]:
        """Name all sources, and account for their rows."""
        sources = self.before.sources(path) if self.before else []
        if self.newest:
            end = self.added.found.end
            sources.append(entry_of(path, self.read, self.added.newest, end))
        return {"sources": sources, "rows": self.added.rows.to_dict()}


def _read(
    source: Orders | str | os.PathLike[str] | pd.DataFrame | None,
    since: Book | str | os.PathLike[str] | None,
    end: date | str | None,
    unit: Unit | None,
    model: str | None,
    engine: Engine | None,
    progress: Callable[[str], None],
) -> _Given:
    """Read the orders, and summarise them with those of the book before."""
    last = None if end is None else read_date(end, "end")
    before = None if since is None else Since.of(since)
    if before is None:
        unit, model = unit or "day", model or "bg-nbd"
    else:
        unit, model = before.settings(unit, model, last, silent=source is None)
    regular = issubclass(purchase_model(model), FamilyOfK)
    if isinstance(source, Orders):
        if engine is not None:
            raise RequestError("The orders are read already, by their own engine: name no other.")
        orders = source
    elif source is None and before is not None:
        orders = before.no_orders(engine)
    else:
        progress("Reading the orders")
        orders = (before.read if before else read_orders)(source, engine=engine)
    if not orders.has_amount:
        left = [told for told in orders.report.notices if told.startswith(NO_AMOUNT)]
        name = left[0] if left else "Name the column with the amount of an order."
        raise OrdersError(
            f"{orders.source} has no amounts, so customers cannot be valued. {name} Or fit the "
            "purchase model alone: clv fit ORDERS."
        )
    if before is None:
        found = histories(orders, end=last, unit=unit)
        lines = lines_of(orders) if are_kept(orders) else None
        added = Added(orders, found, found.report, found.report, lines)
    else:
        added = before.add(orders, end=last, unit=unit, regular=regular)
    return _Given(orders, added, unit, model, before, newest=source is not None)


def _fit(model: type[M], found: CustomerHistories) -> tuple[Fit[M], tuple[str, ...]]:
    """Fit by maximum likelihood; where the data cannot tell a parameter, with the weak prior.

    A small shop needs values too. That a prior has stepped in is a concern of every figure.
    """
    try:
        return model.fit(found), ()
    except NotIdentifiedError:
        model.refuse_unidentified(
            found
        )  # with too little data there is nothing for a prior to help
        fit = model.fit(found, prior=model.weak_prior(found))
        told = (
            f"These orders alone cannot tell every parameter of {model.label}; it was fitted with "
            "a weak prior (assumed: log-normal, sigma 2). A longer log tells more."
        )
        return fit, (told,)


def _fit_spend(
    found: CustomerHistories,
) -> tuple[Fit[GammaGamma] | PooledSpendFit, tuple[str, ...]]:
    """Fit Gamma-Gamma, or its limit where customers differ no more than by chance."""
    try:
        return GammaGamma.fit(found), ()
    except FitError:
        try:
            return PooledSpend.fit(found), ()
        except NotIdentifiedError:
            return _fit(GammaGamma, found)  # a customer always pays the same: p has no bound


def _with_concerns(fit: Fit[Any] | PooledSpendFit, more: tuple[str, ...]) -> dict[str, Any]:
    """Say in the manifest what stands against a fit, and the same for who knows no parameters."""
    concerns = [*more, *fit.concerns]
    plain = [*([STEADIED.format(fit.model.learns)] if more else []), *fit.plain_concerns]
    return fit.to_dict() | {
        "concerns": concerns,
        "identified": not concerns,
        "in_plain_words": plain,
    }


def _totals(values: Path) -> dict[str, float | None]:
    """Sum over the customers in the order of the file, so that the same input sums the same."""
    names = ["p_alive", "expected_purchases", "value_if_alive", "lifetime_value"]
    sums = np.zeros(len(names))
    with pq.ParquetFile(values) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=names)
            # Without a horizon the expected number of purchases is not a finite sum: null here.
            sums += [float(np.sum(table.column(name).to_numpy())) for name in names]
    totals = dict(zip(names, sums.tolist(), strict=True))
    bad = [name for name in names if np.isinf(totals[name])]
    if bad:
        raise FitError(
            f"The sum of {', '.join(bad)} over all customers is not a finite number. The fitted "
            "models do not suit these orders; look at their parameters with clv fit."
        )
    return {name: None if np.isnan(total) else total for name, total in totals.items()}
