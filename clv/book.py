"""A customer book: what a build leaves behind and everything else reads.

A directory with

- `manifest.json`: what went in (hash, columns, rows set aside and why), the end and unit of time,
  the fitted models with their diagnostics, the terms, versions, totals, and the hash of each file;
- `values.parquet`: one row a customer, ordered by customer id;
- `models.json`: the parameters of the models;
- `policy.toml`: the policy that was used, what it assumes commented out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clv.book_directory import FORMAT, MANIFEST, MODELS, POLICY, VALUES, damage, whole
from clv.errors import BookError, RequestError, UnknownNameError
from clv.recommend.policy import Policy

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from clv.models.base import PurchaseModel
    from clv.models.gamma_gamma import GammaGamma
    from clv.recommend.recovery import Recovery
    from clv.recommend.retention import RetentionBudget
    from clv.value.forecast import ForecastMonth

__all__ = ["VALUE_COLUMNS", "Book"]

VALUE_COLUMNS = (
    "customer_id",
    "frequency",
    "recency",
    "T",
    "monetary_value",
    "spend_frequency",
    "p_alive",
    "expected_purchases",
    "expected_spend",
    "value_if_alive",
    "lifetime_value",
    "p_leaves",
)
"""The columns of `values.parquet` that a value row shows, in this order."""

TERMS = ("margin", "discount_rate", "horizon_months")


class Book:
    """A customer book on disk, opened for reading.

    Parameters
    ----------
    path : str or Path
        The directory.

    Raises
    ------
    BookError
        Where the directory is missing, or not a whole book.

    Examples
    --------
    >>> import clv, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     book = clv.build_book(clv.datasets.path("cdnow"), f"{folder}/book",
    ...                           end="1997-09-30", unit="week")
    ...     book.customer("0001")["frequency"]
    2
    """

    def __init__(self, path: str | Path) -> None:
        self.path = whole(Path(path))
        try:
            read: Any = json.loads((self.path / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise BookError(
                f"{self.path / MANIFEST} cannot be read ({error}). Build the book again: "
                "clv build ORDERS -o BOOK."
            ) from None
        self.manifest: dict[str, Any] = read if isinstance(read, dict) else {}
        self._check()

    def _check(self) -> None:
        found = self.manifest.get("format")
        if found != FORMAT:
            raise BookError(
                f"{self.path} is a book of format {found}; this version reads format {FORMAT}. "
                "Build it again with this version: clv build ORDERS -o BOOK."
            )
        faults = damage(self.path, self.manifest)
        if faults:
            raise BookError.of(
                faults, then="This is not a whole book. Build it again: clv build ORDERS -o BOOK."
            )

    # -- what the book was made from and with ---------------------------------------------------

    @property
    def end(self) -> date:
        """Last day of observation."""
        return date.fromisoformat(self.manifest["end"])

    @property
    def unit(self) -> str:
        """Unit of recency and T."""
        return str(self.manifest["unit"])

    @property
    def customers(self) -> int:
        """How many customers it holds."""
        return int(self.manifest["customers"])

    @cached_property
    def policy(self) -> Policy:
        """The policy that the book was built with."""
        return Policy.load(self.path / POLICY)

    @property
    def concerns(self) -> tuple[str, ...]:
        """What every figure of this book carries: parameters that the data hardly tell."""
        return tuple(
            concern
            for fit in self.manifest["models"].values()
            for concern in fit.get("concerns", ())
        )

    @property
    def assumed_terms(self) -> tuple[str, ...]:
        """Keys of the terms of the values that nobody has confirmed: margin, discount, horizon."""
        return tuple(key for key in TERMS if key in self.policy.assumed)

    @cached_property
    def purchases(self) -> PurchaseModel:
        """The purchase model, fitted."""
        from clv.models import purchase_model

        about = self._models["purchases"]
        return purchase_model(about["model"])(**about["parameters"])

    @cached_property
    def spend(self) -> GammaGamma:
        """The spend model, fitted."""
        from clv.models.gamma_gamma import GammaGamma

        return GammaGamma(**self._models["spend"]["parameters"])

    @cached_property
    def _models(self) -> dict[str, Any]:
        models: dict[str, Any] = json.loads((self.path / MODELS).read_text("utf-8"))
        return models

    # -- values -----------------------------------------------------------------------------------

    def _file(self) -> pq.ParquetFile:
        # read_table would load pandas, half a second that a look-up of one customer waits for; and
        # to an engine `*` or `T=5` in a path would mean more than a name.
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path / VALUES)

    def _read(self, columns: Sequence[str]) -> pa.Table:
        return self._file().read(columns=list(columns)).select(list(columns))

    def values(self, *, top: int | None = None) -> pd.DataFrame:
        """Values of all customers, or of the `top` most valuable, the highest first.

        Returns
        -------
        pandas.DataFrame
            The columns of :data:`VALUE_COLUMNS`; ordered by customer id, or by lifetime value.
        """
        table = self._read(VALUE_COLUMNS)
        if top is not None:
            if top < 1:
                raise RequestError(f"The number of customers to show is at least 1; got {top}.")
            order = [("lifetime_value", "descending"), ("customer_id", "ascending")]
            table = table.sort_by(order).slice(0, top)
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def customer(self, customer_id: str) -> dict[str, Any]:
        """Values of one customer, by the names of :data:`VALUE_COLUMNS`.

        Raises
        ------
        UnknownNameError
            Where the book has no such customer, with the ids nearest to it.
        """
        file = self._file()
        for group in _likely_first(file.metadata, customer_id):
            ids = file.read_row_group(group, columns=["customer_id"]).column(0).to_pylist()
            if customer_id in ids:
                table = file.read_row_group(group, columns=list(VALUE_COLUMNS))
                row: dict[str, Any] = table.slice(ids.index(customer_id), 1).to_pylist()[0]
                return {name: row[name] for name in VALUE_COLUMNS}
        raise UnknownNameError(
            "customer",
            customer_id,
            near=self._ids_near(customer_id),
            then=f"{self.path} holds {self.customers:,} customers; ids are text and keep "
            "their leading zeros.",
        )

    def _ids_near(self, customer_id: str) -> list[str]:
        import duckdb

        with duckdb.connect() as engine:
            engine.register("book", self._read(["customer_id"]))
            rows = engine.execute(
                "select customer_id, "
                "ltrim(lower(trim(customer_id)), '0') = ltrim(lower(trim($id)), '0') as same, "
                "levenshtein(lower(customer_id), lower($id)) as edits from book "
                # An id of which more than half would have to change is not what was meant.
                "where same or 2 * edits <= greatest(length(customer_id), length($id)) "
                "order by same desc, edits, customer_id limit 3",
                {"id": customer_id},
            ).fetchall()
        same = [found for found, is_same, _ in rows if is_same]  # but for zeros, blanks and case
        return same or [found for found, _, _ in rows]

    # -- decisions --------------------------------------------------------------------------------

    def forecast(self, months: int) -> list[ForecastMonth]:
        """Expected orders, revenue and margin of these customers, by calendar month.

        Parameters
        ----------
        months : int
            Whole calendar months after the end of observation.
        """
        import duckdb

        from clv.value.forecast import forecast

        with duckdb.connect() as engine:
            engine.register(
                "book", self._read(["frequency", "recency", "T", "p_alive", "expected_spend"])
            )
            sums = engine.execute(
                "select frequency, recency, T, sum(p_alive) as alive, "
                "sum(p_alive * expected_spend) as alive_spend "
                "from book group by all order by all"
            ).fetchnumpy()
        x, t_x, T, alive, alive_spend = (
            np.asarray(column, dtype=float) for column in sums.values()
        )
        return forecast(
            self.purchases,
            x,
            T,
            alive,
            alive_spend,
            t_x=t_x,
            end=self.end,
            unit=self.unit,
            margin=self.policy.margin,
            months=months,
        )

    def recover(
        self,
        customer_id: str,
        problem: str,
        loss: float,
        *,
        hours: float = 0.0,
        severity: int = 1,
    ) -> Recovery:
        """How much may be spent on fixing one customer's problem.

        The customer has just been in contact, hence is alive: the value is `value_if_alive`.

        Parameters
        ----------
        customer_id : str
            As in the orders.
        problem : str
            A problem type of the policy.
        loss : float
            What the problem cost the customer, in money of the orders.
        hours : float
            Hours from the problem until the response.
        severity : {1, 2, 3, 4}
            1 for an ordinary case of this problem.
        """
        from clv.recommend.recovery import recovery_limit

        row = self.customer(customer_id)
        answer = recovery_limit(
            self.policy,
            problem,
            loss,
            value_if_alive=row["value_if_alive"],
            frequency=row["frequency"],
            hours=hours,
            severity=severity,
            customer_id=customer_id,
        )
        return replace(answer, assumed=(*self.assumed_terms, *answer.assumed))

    def budget(self, total: float | None = None) -> RetentionBudget:
        """Split a retention budget over all customers; without `total`, the one worth asking for.

        Parameters
        ----------
        total : float, optional
            Money to spend.
        """
        from clv.recommend.retention import retention_budget

        names = ("customer_id", "p_alive", "value_if_alive", "p_leaves", "expected_spend")
        table = self._read(names)
        ids, *columns = (table.column(name).to_numpy() for name in names)
        p_alive, value_if_alive, p_leaves, expected_spend = columns
        budget = retention_budget(
            self.policy,
            ids,
            p_alive=p_alive,
            value_if_alive=value_if_alive,
            p_leaves=p_leaves,
            expected_spend=expected_spend,
            total=total,
        )
        return replace(budget, assumed=(*self.assumed_terms, *budget.assumed))


def _likely_first(metadata: pq.FileMetaData, customer_id: str) -> list[int]:
    """Row groups, those first whose range of ids holds this one; a file may state no range."""

    def unlikely(group: int) -> bool:
        stated = metadata.row_group(group).column(VALUE_COLUMNS.index("customer_id")).statistics
        if stated is None or not stated.has_min_max:
            return True
        return not stated.min <= customer_id <= stated.max

    return sorted(range(metadata.num_row_groups), key=unlikely)
