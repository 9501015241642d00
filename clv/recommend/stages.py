"""Where each customer stands in the relationship, and what each stage amounts to.

The first rule that holds decides:

1. prospect: no order yet;
2. integral: at least so large a part of the value of all customers;
3. lapsed: hardly a customer any more;
4. new: first order a short while ago, and few purchases;
5. long-time: first order long ago, and enough purchases;
6. short-time: whoever is left.

A large customer who has gone quiet is integral before being lapsed: a person looks at both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clv.errors import RequestError, rows_at_fault
from clv.recommend.policy import Policy

__all__ = ["INTEGRAL", "STAGES", "StageTotals", "by_stage", "stage_of"]

STAGES = ("prospect", "new", "short_time", "long_time", "integral", "lapsed")
"""The stages in the order of a relationship; codes are places in this tuple."""
PROSPECT, NEW, SHORT_TIME, LONG_TIME, INTEGRAL, LAPSED = range(len(STAGES))


def stage_of(
    policy: Policy,
    *,
    days_since_first: npt.ArrayLike,
    purchases: npt.ArrayLike,
    p_alive: npt.ArrayLike,
    value_share: npt.ArrayLike,
) -> npt.NDArray[np.intp]:
    """Return the stage of each customer, as a place in :data:`STAGES`.

    Parameters
    ----------
    policy : Policy
        Its `stages` and `integral` figures are used.
    days_since_first : array_like
        Days since the first order (T in days); nan for a prospect, who has none.
    purchases : array_like
        Purchases in all, the first included (frequency + 1); 0 for a prospect.
    p_alive : array_like
        Probability of being a customer still; 1 right after a contact. Not read for prospects.
    value_share : array_like
        Value from here on as a part of that of all customers. Not read for prospects.

    Returns
    -------
    ndarray of int
        Of the broadcast shape.

    Raises
    ------
    RequestError
        Where a number makes no sense, all such columns at once.

    Examples
    --------
    >>> codes = stage_of(
    ...     Policy(), days_since_first=[np.nan, 20, 200, 800, 800, 800],
    ...     purchases=[0, 1, 2, 5, 5, 300], p_alive=[0, 1, 0.9, 0.8, 0.1, 0.9],
    ...     value_share=[0, 0, 0, 1e-4, 0, 0.05],
    ... )
    >>> [STAGES[code] for code in codes]
    ['prospect', 'new', 'short_time', 'long_time', 'lapsed', 'integral']
    """
    columns = (days_since_first, purchases, p_alive, value_share)
    days, n, alive, share = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in columns))
    prospect = np.isnan(days)
    faults = [
        *rows_at_fault(~prospect & ~(days >= 0), "a negative time since the first order"),
        *rows_at_fault(prospect & (n > 0), "purchases, but no time since the first order"),
        *rows_at_fault(~prospect & ~(n >= 1), "a first order, but fewer than 1 purchase"),
        *rows_at_fault(~prospect & ~((alive >= 0) & (alive <= 1)), "P(alive) outside 0 to 1"),
        *rows_at_fault(~prospect & ~((share >= 0) & (share <= 1)), "a value share outside 0 to 1"),
    ]
    if faults:
        raise RequestError.of(faults)
    rules = policy.stages
    codes = np.select(
        [
            prospect,
            share >= policy.integral.value_share,
            alive < rules.lapsed_below,
            (days < rules.new_days) & (n <= rules.new_purchases),
            (days >= rules.long_time_days) & (n >= rules.long_time_purchases),
        ],
        [PROSPECT, INTEGRAL, LAPSED, NEW, LONG_TIME],
        SHORT_TIME,
    )
    return np.asarray(codes, dtype=np.intp)


@dataclass(frozen=True)
class StageTotals:
    """What one stage amounts to.

    Attributes
    ----------
    stage, label : str
        Its name in :data:`STAGES`, and what people call it.
    customers : int
        How many are in it.
    totals, shares, means : dict of str to float
        Of each column asked for: the sum over the stage, its part of the sum over all customers,
        and the mean over the stage; nan where the sum or the stage is empty.
    """

    stage: str
    label: str
    customers: int
    totals: dict[str, float]
    shares: dict[str, float]
    means: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return one flat row, ready for CSV or JSON."""
        row: dict[str, Any] = {"stage": self.label, "customers": self.customers}
        for name, total in self.totals.items():
            row |= {
                name: total,
                f"{name}_share": self.shares[name],
                f"{name}_mean": self.means[name],
            }
        return row


def by_stage(
    policy: Policy, stage: npt.ArrayLike, columns: Mapping[str, npt.ArrayLike]
) -> tuple[StageTotals, ...]:
    """Add up columns by stage.

    Parameters
    ----------
    policy : Policy
        Gives the labels.
    stage : array_like of int, shape (n,)
        From :func:`stage_of`.
    columns : mapping of str to array_like of shape (n,)
        What to add up: value, budget, recommended goodwill.

    Returns
    -------
    tuple of StageTotals
        Every stage in its order, those without customers too.

    Raises
    ------
    RequestError
        Where a column has another length than `stage`.

    Examples
    --------
    >>> totals = by_stage(Policy(), [1, 3, 3], {"value": [50.0, 100.0, 350.0]})
    >>> [(one.label, one.customers, one.totals["value"]) for one in totals if one.customers]
    [('new', 1, 50.0), ('long-time', 2, 450.0)]
    """
    codes = np.asarray(stage, dtype=np.intp)
    values = {name: np.asarray(column, dtype=float) for name, column in columns.items()}
    wrong = [f"{name} {v.shape}" for name, v in values.items() if v.shape != codes.shape]
    if codes.ndim != 1 or wrong:
        raise RequestError(
            f"There must be one value a customer: stage {codes.shape}"
            + "".join(f", {shape}" for shape in wrong)
            + "."
        )
    count = np.bincount(codes, minlength=len(STAGES))
    sums = {
        name: np.bincount(codes, weights=column, minlength=len(STAGES))
        for name, column in values.items()
    }
    labels = policy.stages.labels
    return tuple(
        StageTotals(
            stage=name,
            label=labels[name],
            customers=int(count[code]),
            totals={column: float(one[code]) for column, one in sums.items()},
            shares={column: _ratio(one[code], one.sum()) for column, one in sums.items()},
            means={column: _ratio(one[code], count[code]) for column, one in sums.items()},
        )
        for code, name in enumerate(STAGES)
    )


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
