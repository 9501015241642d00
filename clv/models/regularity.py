"""How regular customers are: k of BG/CNBD-k and MBG/CNBD-k by likelihood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from clv.errors import FitError, HistoryError, NotIdentifiedError
from clv.history import Histories
from clv.models.maximum_likelihood import Fit, LogNormal, maximise

if TYPE_CHECKING:
    from clv.models.family_of_k import FamilyOfK

__all__ = ["MOST_REGULAR", "RegularityFit", "fit_regular"]

C = TypeVar("C", bound="FamilyOfK")

MOST_REGULAR = 12
"""The largest k that is tried. Times between purchases then vary by 1/√12 = 29 % of their mean."""


@dataclass(frozen=True, eq=False)
class RegularityFit(Fit[C]):
    """A fit with its k, and how likely the data are under every k that was tried.

    Attributes
    ----------
    log_likelihood_by_k : dict of int to float
        Log-likelihood at the optimum of each k; one entry where k was given.
    """

    log_likelihood_by_k: dict[int, float]

    @property
    def k(self) -> int:
        """How many phases make a purchase."""
        return self.model.k

    @property
    def k_chosen(self) -> bool:
        """Whether k was chosen by likelihood, hence counts as a parameter."""
        return len(self.log_likelihood_by_k) > 1

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 (parameters) − 2 ln L; k is a parameter where it was chosen."""
        return super().aic + 2 * self.k_chosen

    @property
    def bic(self) -> float:
        """Schwarz's criterion; k is a parameter where it was chosen."""
        return super().bic + math.log(self.customers) * self.k_chosen

    def to_dict(self) -> dict[str, Any]:
        """All that a file or `clv fit --format json` needs, in plain types."""
        by_k = {str(k): value for k, value in self.log_likelihood_by_k.items()}
        return super().to_dict() | {"k": self.k, "log_likelihood_by_k": by_k}


def fit_regular(
    model: type[C],
    histories: Histories,
    *,
    prior: Mapping[str, LogNormal] | None = None,
    k: int | None = None,
) -> RegularityFit[C]:
    """Fit `model`; see :meth:`clv.models.family_of_k.FamilyOfK.fit`."""
    if k is None and model.k:
        k = model.k
    histories = histories.with_log_gaps()
    if k is not None:
        one = maximise(model.with_k(k), histories, prior=prior)
        return _with_table(one, {k: one.log_likelihood})
    if histories.log_gaps is None:
        raise HistoryError(
            f"{model.label} needs the times between purchases to choose k, and these histories "
            "have frequency, recency and T only. Make them from orders with clv.histories, give "
            "log_gaps to Histories.from_arrays, or give k."
        )
    best: Fit[C] | None = None
    refused: FitError | None = None
    by_k: dict[int, float] = {}
    for tried in range(1, MOST_REGULAR + 1):
        try:
            found = maximise(model.with_k(tried), histories, prior=prior)
        except FitError as error:  # too regular to be told by this k, or too irregular
            refused = refused or error
            continue
        by_k[tried] = found.log_likelihood
        if best is not None and found.log_likelihood < best.log_likelihood:
            return _with_table(best, by_k)
        best = found
    if best is None:
        raise NotIdentifiedError(
            f"No k of 1 to {MOST_REGULAR} could be fitted. The first reason: {refused}"
        )
    raise NotIdentifiedError(
        f"The log-likelihood of {model.label} still rises at k = {max(by_k)}, the largest that "
        f"could be fitted of 1 to {MOST_REGULAR}: these customers buy almost by the clock, and how "
        "regularly cannot be told. Are these subscriptions or standing orders? Their retention is "
        f"a matter for sBG. To fit all the same, give a k: fit(histories, k={max(by_k)})."
    )


def _with_table(fit: Fit[C], by_k: dict[int, float]) -> RegularityFit[C]:
    about = {field.name: getattr(fit, field.name) for field in fields(fit)}
    return RegularityFit(**about, log_likelihood_by_k=by_k)
