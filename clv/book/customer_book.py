"""A customer book: what a build leaves behind and everything else reads.

A directory with

- `manifest.json`: what went in (hash, columns, rows set aside and why), the end and unit of time,
  the fitted models with their diagnostics, the terms, versions, totals, and the hash of each file;
- `values.parquet`: one row a customer, ordered by customer id;
- `models.json`: the parameters of the models, and draws from their posteriors;
- `policy.toml`: the policy that was used, what it assumes commented out;
- `lines.parquet`, unless the orders are many and plain: their lines, for newer orders;
- `gaps.parquet`, of models of regular customers: the times between purchases;
- `incidents.parquet`, where returns were taken for incidents: these;
- `learned.json`, once something was: figures learned from incidents and campaigns.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clv.book.directory import FORMAT, MANIFEST, MODELS, POLICY, damage, whole
from clv.book.learned import add_learned, build_of, read_learned
from clv.book.values import VALUE_COLUMNS, ids_near, read_customer, read_values
from clv.errors import BookError, RequestError, UnknownNameError
from clv.recommend.learned import Learned
from clv.recommend.policy import Policy

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from clv.inference.parameter_draws import ParameterDraws
    from clv.models.base import PurchaseModel
    from clv.models.gamma_gamma import GammaGamma
    from clv.models.pooled_spend import PooledSpend
    from clv.recommend.group import UniformOffer
    from clv.recommend.quotas import Quota
    from clv.recommend.recovery import Recovery
    from clv.recommend.response import Form
    from clv.recommend.retention import RetentionBudget
    from clv.value.forecast_intervals import Forecast

__all__ = ["Book"]

TERMS = ("margin", "discount_rate", "horizon_months")


class Book:
    """A customer book on disk, opened for reading.

    Parameters
    ----------
    path : str or Path
        The directory.
    just_written : bool
        Whether this process has hashed its files a moment ago: they are then not read again.

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

    def __init__(self, path: str | Path, *, just_written: bool = False) -> None:
        self.path = whole(Path(path))
        try:
            read: Any = json.loads((self.path / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise BookError(
                f"{self.path / MANIFEST} cannot be read ({error}). Build the book again: "
                "clv build ORDERS -o BOOK."
            ) from None
        self.manifest: dict[str, Any] = read if isinstance(read, dict) else {}
        self._build = build_of(self.path)
        self._check(just_written=just_written)

    def _check(self, *, just_written: bool) -> None:
        found = self.manifest.get("format")
        if found != FORMAT:
            raise BookError(
                f"{self.path} is a book of format {found}; this version reads format {FORMAT}. "
                "Build it again with this version: clv build ORDERS -o BOOK."
            )
        faults = [] if just_written else damage(self.path, self.manifest)
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
    def stated_policy(self) -> Policy:
        """The policy that the book was built with, without what was learned since."""
        return Policy.load(self.path / POLICY)

    @cached_property
    def learned(self) -> Learned | None:
        """What was learned from the company's own incidents and campaigns; None: nothing yet."""
        return read_learned(self.path)

    @property
    def policy(self) -> Policy:
        """The policy in effect: that of the build, with the figures learned since that count."""
        return self._policy

    @cached_property
    def _policy(self) -> Policy:
        learned = self.learned
        return self.stated_policy if learned is None else self.stated_policy.with_learned(learned)

    def learn(self, learned: Learned) -> Learned:
        """Write learned figures into the book; they count from then on.

        Parameters
        ----------
        learned : Learned
            A figure that the book has learned before is replaced.

        Returns
        -------
        Learned
            All that the book has learned.

        Raises
        ------
        PolicyError
            Where the policy has no such figure, or cannot follow it; the book is then as it was.
        BookError
            Where the book cannot be written to, or was built anew since it was opened.
        """
        self.stated_policy.with_learned(learned)  # refuses before anything is written
        add_learned(self.path, learned, build=self._build)
        for name in ("learned", "_policy"):
            self.__dict__.pop(name, None)
        return self.learned or learned

    @property
    def concerns(self) -> tuple[str, ...]:
        """What every figure of this book carries: parameters that the data hardly tell."""
        return tuple(
            concern
            for fit in self.manifest["models"].values()
            for concern in fit.get("concerns", ())
        )

    @property
    def plain_concerns(self) -> tuple[str, ...]:
        """The same in words that name no parameter, for who plans with the figures."""
        return tuple(
            concern for fit in self.manifest["models"].values() for concern in fit["in_plain_words"]
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
    def spend(self) -> GammaGamma | PooledSpend:
        """The spend model, fitted."""
        from clv.models import spend_model

        about = self._models["spend"]
        kind = spend_model(about["model"])
        model: GammaGamma | PooledSpend = kind(**about["parameters"])
        return model

    @property
    def without_intervals(self) -> str:
        """Why values and decisions have no interval; empty where they have."""
        return str(self.manifest["intervals"]["without"])

    @cached_property
    def draws(self) -> dict[str, ParameterDraws[Any]]:
        """Models drawn from the posteriors, by role: `purchases` and `spend`."""
        from clv.inference.parameter_draws import ParameterDraws
        from clv.models import purchase_model, spend_model

        kinds = {"purchases": purchase_model, "spend": spend_model}
        return {
            role: ParameterDraws.from_dict(kind(about["model"]), about["draws"])
            for role, kind in kinds.items()
            for about in [self._models[role]]
        }

    @cached_property
    def _models(self) -> dict[str, Any]:
        models: dict[str, Any] = json.loads((self.path / MODELS).read_text("utf-8"))
        return models

    # -- values -----------------------------------------------------------------------------------

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Read some columns of all customers, in the order of their ids.

        The bounds of intervals are nulls where they are drawn when asked for: see
        :meth:`with_intervals`.
        """
        return read_values(self.path, columns)

    def with_intervals(self, rows: pa.Table) -> pa.Table:
        """Fill in the bounds of intervals where the build of a large book left them open.

        Parameters
        ----------
        rows : pyarrow.Table
            Some rows of :meth:`read`, with the columns of :data:`~clv.book.values.VALUE_COLUMNS`.

        Returns
        -------
        pyarrow.Table
        """
        if self.manifest["intervals"]["drawn"] == "stored":
            return rows
        from clv.book.intervals import ValuedBy, with_intervals
        from clv.value.terms import Terms

        about = self.manifest
        terms = Terms(**{name: about["terms"][name] for name in TERMS})
        valued = ValuedBy(self.customers, terms, self.end, self.unit, about["paid_share"])
        return with_intervals(rows, self.draws, valued)

    def values(self, *, top: int | None = None) -> pd.DataFrame:
        """Values of all customers, or of the `top` most valuable, the highest first.

        Returns
        -------
        pandas.DataFrame
            The columns of :data:`~clv.book.values.VALUE_COLUMNS`; ordered by customer id, or by
            lifetime value.
        """
        table = self.read(VALUE_COLUMNS)
        if top is not None:
            if top < 1:
                raise RequestError(f"The number of customers to show is at least 1; got {top}.")
            order = [("lifetime_value", "descending"), ("customer_id", "ascending")]
            table = table.sort_by(order).slice(0, top)
        frame: pd.DataFrame = self.with_intervals(table).to_pandas()
        return frame

    def customer(self, customer_id: str) -> dict[str, Any]:
        """Values of one customer, by the names of :data:`~clv.book.values.VALUE_COLUMNS`.

        Raises
        ------
        UnknownNameError
            Where the book has no such customer, with the ids nearest to it.
        """
        row = read_customer(self.path, customer_id)
        if row is not None:
            found: dict[str, Any] = self.with_intervals(row).to_pylist()[0]
            return found
        raise UnknownNameError(
            "customer",
            customer_id,
            near=ids_near(self.path, customer_id),
            then=f"{self.path} holds {self.customers:,} customers; ids are text and keep "
            "their leading zeros.",
        )

    # -- decisions --------------------------------------------------------------------------------

    def forecast(self, months: int) -> Forecast:
        """Orders, revenue and margin of these customers by calendar month, with intervals.

        Parameters
        ----------
        months : int
            Whole calendar months after the end of observation.
        """
        from clv.book.decisions import forecast

        return forecast(self, months)

    def recover(
        self,
        customer_id: str,
        problem: str,
        loss: float,
        *,
        hours: float = 0.0,
        severity: int = 1,
        days_since_incident: float | None = None,
        already_given: float = 0.0,
        given_12_months: float = 0.0,
        claims: float | None = None,
        on: date | None = None,
        country: str = "",
        form: Form = "cash",
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
        days_since_incident : float, optional
            Days since the customer's problem before this one.
        already_given : float
            Goodwill given on this problem so far.
        given_12_months : float
            Goodwill given in the 12 months before on other problems.
        claims : float, optional
            Problems that the customer has claimed so far, this one included.
        on : date, optional
            Day of the problem, for what the law gives; today less `hours` if not given.
        country : str
            Where the customer is, as the policy's tables of the law name it.
        form : {"cash", "credit"}
            What goodwill is given in.
        """
        from clv.book.recovery import recover

        return recover(
            self,
            self.customer(customer_id),
            problem,
            loss,
            hours=hours,
            severity=severity,
            days_since_incident=days_since_incident,
            already_given=already_given,
            given_12_months=given_12_months,
            claims=claims,
            on=on,
            country=country,
            form=form,
        )

    def recover_all(
        self,
        problem: str,
        loss: float | None = None,
        *,
        customers: Sequence[str] | None = None,
        losses: npt.ArrayLike | None = None,
        hours: float = 0.0,
        severity: int = 1,
        form: Form = "cash",
    ) -> UniformOffer:
        """What to offer to many customers who have the same problem: one amount for all of them.

        Parameters
        ----------
        problem : str
            A problem type of the policy.
        loss : float, optional
            What each of them lost, in money of the orders.
        customers : sequence of str, optional
            Who is affected; all customers if not given.
        losses : array_like, shape (customers,), optional
            What each of them lost; where it is nan, `loss` counts.
        hours, severity, form
            As for :meth:`recover`.
        """
        from clv.book.recovery import recover_all

        return recover_all(
            self,
            problem,
            loss,
            customers=customers,
            losses=losses,
            hours=hours,
            severity=severity,
            form=form,
        )

    def budget(
        self,
        total: float | None = None,
        *,
        by: npt.ArrayLike | None = None,
        quotas: Mapping[Hashable, Quota] | None = None,
    ) -> RetentionBudget:
        """Split a retention budget over all customers; without `total`, the one worth asking for.

        Parameters
        ----------
        total : float, optional
            Money to spend.
        by : "stage" or array_like, shape (customers,), optional
            Tell it by the stages of the policy, or by a segment for each customer in the order of
            ids.
        quotas : mapping of label to Quota, optional
            Least and most that stages or segments get.
        """
        from clv.book.budget import budget

        return budget(self, total, by=by, quotas=quotas)
