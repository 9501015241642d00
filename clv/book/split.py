"""One total of a customer book for every purpose, and what winning customers would bring."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clv.arrays import Floats
from clv.book.budget import acquisition, assumed, kept_range, retention_stakes, stages
from clv.book.decisions import Opened
from clv.errors import RequestError
from clv.recommend.new_customers import cost_ratio, loyal_multiple
from clv.recommend.response import most_savable
from clv.recommend.retention import RetentionBudget
from clv.recommend.split import (
    BudgetSplit,
    ExpectedProblems,
    Project,
    next_unit,
    split_budget,
)
from clv.recommend.stages import STAGES
from clv.recommend.uncertainty import expected_dropout

__all__ = ["Expected", "beside_acquisition", "loyal", "split"]

LOYAL = ("long_time", "integral")
"""Stages of loyal customers."""

OF_RECOVERY = (
    "recovery.savable_share",
    "recovery.goodwill_share",
    "recovery.money_scale",
    "recovery.most_of_loss",
    "recovery.most_in_12_months",
    "dropout.per_log_purchases",
)
"""Figures of the policy behind what recovery needs."""

CLASSES = 10
"""Parts into which customers are taken for a kind of problem: what a fix is worth differs."""


@dataclass(frozen=True)
class Expected:
    """Problems of one type that are expected within the budget's period.

    Attributes
    ----------
    problem : str
        A problem type of the policy.
    count : float
        How many.
    loss : float
        What one costs its customer, in money.
    """

    problem: str
    count: float
    loss: float


def split(
    book: Opened,
    total: float | None = None,
    *,
    expected: Sequence[Expected] = (),
    projects: Sequence[Project] = (),
) -> BudgetSplit:
    """Split a total between retention, recovery, appreciation and prevention.

    Problems meet customers in proportion to the purchases they are expected to make.

    Parameters
    ----------
    book : Opened
        Whose customers.
    total : float, optional
        Money to spend; all that returns at least itself if not given.
    expected : sequence of Expected
        Problems that will have to be answered.
    projects : sequence of Project
        Prevention to choose from.
    """
    at, rules = retention_stakes(book), book.policy.retention
    names = [STAGES[code] for code in stages(book)]
    thanks = sum(rules.stage_appreciation.get(name, 0.0) for name in names)
    divided = split_budget(
        at.w,
        at.k,
        lo=at.least,
        hi=at.most,
        problems=[part for one in expected for part in _problems(book, one)],
        appreciation=thanks,
        projects=projects,
        total=total,
    )
    used = ["retention.appreciation_*"]
    if expected:
        used += [*OF_RECOVERY, *(f"problems.{one.problem}.*" for one in expected)]
    if any(_floor(book, one) > 0 for one in expected):
        used.append("fairness.spread")
    further = [
        key for key in book.policy.assumed if any(fnmatch.fnmatch(key, name) for name in used)
    ]
    return replace(
        divided,
        assumed=(*assumed(book), *further),
        retention_range=kept_range(book, divided.retention.spend, divided.retention.gain),
    )


def _floor(book: Opened, one: Expected) -> float:
    """The least that everyone with such a problem gets, in money."""
    kind = book.policy.problem(one.problem)
    return max(kind.floor_share * one.loss, kind.floor_fixed)


def _problems(book: Opened, one: Expected) -> list[ExpectedProblems]:
    """Expected problems of a type, in parts of customers for whom a fix is worth alike."""
    policy, kind = book.policy, book.policy.problem(one.problem)
    if not (np.isfinite(one.loss) and one.loss > 0 and np.isfinite(one.count) and one.count >= 0):
        raise RequestError(
            f"{one.problem}: a number of at least 0 and a loss above 0 are needed; got "
            f"{one.count:g} and {one.loss:g}."
        )
    table = book.read(("frequency", "value_if_alive", "expected_purchases"))
    x, value, weight = (np.asarray(column, dtype=float) for column in table.columns)
    rules = policy.recovery
    lost = expected_dropout(policy, one.problem, frequency=x)
    savable: Floats = most_savable(lost * value, 0.0, rules)
    order = np.argsort(savable, kind="stable")
    reached = np.cumsum(weight[order])
    if not reached[-1] > 0:
        raise RequestError("Nobody is expected to buy again: no problems can be expected either.")
    places = np.minimum((reached / reached[-1] * CLASSES).astype(int), CLASSES - 1)
    floor = _floor(book, one)
    # as in recovery_limits: without a floor there is nothing to be a multiple of
    of_spread = policy.fairness.spread * floor if floor > 0 else np.inf
    most = min(rules.most_of_loss * one.loss, of_spread, rules.most_in_12_months)
    parts = []
    for place in range(CLASSES):
        rows = order[places == place]
        part = float(np.sum(weight[rows])) / float(reached[-1])
        if part > 0:
            parts.append(
                ExpectedProblems(
                    kind.label,
                    one.count * part,
                    float(np.average(savable[rows], weights=weight[rows])),
                    rules.money_scale * one.loss,
                    floor=floor,
                    most=max(floor, most),
                )
            )
    return parts


def beside_acquisition(book: Opened, divided: RetentionBudget) -> tuple[str, ...]:
    """Say how money spent on keeping customers compares with money spent on winning them.

    Parameters
    ----------
    book : Opened
        Whose customers and policy.
    divided : RetentionBudget
        Of that book.
    """
    if not divided.total:
        return ()
    told = next_unit(divided.shadow_price, acquisition(book), book.policy.currency)
    if told.acquisition is None:
        return (told.sentence,)
    return told.sentence, cost_ratio(book.policy, divided.cost_of_keeping).sentence


def loyal(book: Opened) -> tuple[str, ...]:
    """Say how many times the first purchase a loyal customer is worth, where there are any.

    What such customers have left in margin since their first purchase, and are expected to leave
    from here on, against the margin of that purchase.

    Parameters
    ----------
    book : Opened
        Whose customers.
    """
    long_time = np.isin(stages(book), [STAGES.index(name) for name in LOYAL])
    if not long_time.any():
        return ()
    table = book.read(("spend_frequency", "monetary_value", "lifetime_value"))
    k, m, value = (np.asarray(c, dtype=float)[long_time] for c in table.columns)
    first = acquisition(book).first_margin / book.policy.margin
    so_far = book.policy.margin * (first + np.where(k > 0, k * m, 0.0))
    ratio = loyal_multiple(
        book.policy, first_purchase=first, value_of_loyal=float(np.mean(so_far + value))
    )
    labels = [book.policy.stages.labels[name] for name in LOYAL]
    return ratio.sentence, (
        f"That is the mean of {int(long_time.sum()):,} {' and '.join(labels)} customers, their "
        "first purchase taken as an average one."
    )
