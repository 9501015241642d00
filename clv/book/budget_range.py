"""How sure it is what money spent on customers keeps: their value and what money achieves, drawn.

A draw is a pair of models from the posteriors, under which stakes are computed anew, and a pair of
e and money scale (:mod:`clv.recommend.retention_uncertainty`). Models cost, so that of the 400 in a
book a third is taken, each with three of the other pairs: 399 draws. What the orders leave open is
drawn with the models alone.

Of many customers only :data:`PROBED` are computed, taken in proportion to what is kept of each, at
even steps through the book: the mean of kept under a draw over kept as expected is then unbiased
for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clv.arrays import Floats, Rows
from clv.book.decisions import HISTORY, Opened
from clv.book.intervals import customer_columns
from clv.recommend.retention_uncertainty import KeptRange, MoneyDraws
from clv.recommend.stakes import value_kept
from clv.recommend.uncertainty import DRAWS
from clv.value.stake_draws import Stakes, stakes_under
from clv.value.terms import Terms
from clv.value.value_intervals import LEVEL, CustomerColumns

__all__ = ["EffectOfMoney", "kept_ranges", "under_models"]

MODELS = DRAWS // 3
"""Pairs of models. On CDNOW, of 100 spent, the standard error of the bounds that the orders alone
leave is then 7 % of their distance at the lower one and 2 % at the upper; with all 400 it would be
4 and 1 %. What money achieves is drawn 399 times."""

PROBED = 2_000
"""Customers under all draws: where customers' ratios of kept to expected differ by as much as the
models' do, the mean over so many is known to a fiftieth of that."""


@dataclass(frozen=True, eq=False)
class EffectOfMoney:
    """e of each customer, and how sure it is.

    Attributes
    ----------
    mean, sd, correlation : ndarray, shape (n,)
        The last with the money scale.
    """

    mean: Floats
    sd: Floats
    correlation: Floats

    def take(self, rows: Rows) -> EffectOfMoney:
        """Return that of some customers."""
        return EffectOfMoney(self.mean[rows], self.sd[rows], self.correlation[rows])


def kept_ranges(
    book: Opened, spend: Floats, gain: Floats, effect: EffectOfMoney, drawn: MoneyDraws
) -> list[KeptRange]:
    """Say how far what is known leaves open what money keeps.

    Parameters
    ----------
    book : Opened
        Whose customers; one with draws of its models.
    spend : ndarray, shape (budgets, n)
        What each budget spends on each customer, in money.
    gain : ndarray, shape (budgets, n)
        What that is expected to keep, in money.
    effect : EffectOfMoney
        e of each customer.
    drawn : MoneyDraws
        What money achieves.

    Returns
    -------
    list of KeptRange
        One for each budget.
    """
    rows, weight = _probe(gain.max(axis=0))
    spent = spend[:, rows]
    of_all, of_rows = gain.sum(axis=1), gain[:, rows] @ weight
    scale = np.divide(of_all, of_rows, out=np.zeros_like(of_all), where=of_rows > 0)
    some = effect.take(rows)
    effects = drawn.effects(some.mean, some.sd, some.correlation)
    purchases, spends = (book.draws[role].models[:MODELS] for role in ("purchases", "spend"))
    customers = customer_columns(book.read(HISTORY)).take(rows)
    models = under_models(book, customers, purchases, spends)

    def kept(under: Stakes, e: Floats, sigma: float | None = None) -> Floats:
        each = [
            value_kept(book.policy, one, **under._asdict(), effect=e, money_scale=sigma) @ weight
            for one in spent
        ]
        return np.asarray(np.array(each) * scale)

    by_orders = np.array([kept(under, some.mean) for under in models])
    whole = np.array(
        [
            kept(models[i % len(models)], effects[i], float(drawn.money_scale[i]))
            for i in range(len(effects))
        ]
    )
    spread, of_orders = whole.var(axis=0), by_orders.var(axis=0)
    from_money = 1 - np.divide(of_orders, spread, out=np.ones_like(spread), where=spread > 0)
    origin = book.policy.origin("retention.effect")
    return [
        KeptRange(low, high, alone_low, alone_high, float(np.clip(part, 0, 1)), origin, LEVEL)
        for (low, high), (alone_low, alone_high), part in zip(
            _bounds(whole).T.tolist(), _bounds(by_orders).T.tolist(), from_money, strict=True
        )
    ]


def _bounds(draws: Floats) -> Floats:
    """Bounds over the first axis: of 399 draws each is one of them, of 133 it lies between two."""
    return np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0, method="weibull")


def _probe(gain: Floats) -> tuple[Rows, Floats]:
    """Customers of whom something is kept, or some of them, and how many each stands for."""
    kept = np.flatnonzero(gain > 0)
    if len(kept) <= PROBED:
        return kept, np.ones(len(kept))
    upto = np.cumsum(gain[kept])
    at = (np.arange(PROBED) + 0.5) / PROBED * upto[-1]
    place, times = np.unique(np.searchsorted(upto, at), return_counts=True)
    rows = kept[place]
    return rows, times * upto[-1] / PROBED / gain[rows]


def under_models(
    book: Opened, customers: CustomerColumns, purchases: Sequence[Any], spends: Sequence[Any]
) -> list[Stakes]:
    """What is at stake with customers under models, on the book's terms.

    Parameters
    ----------
    book : Opened
        Whose terms.
    customers : CustomerColumns
        Whom it is about; any histories.
    purchases, spends : sequence of models
        As many of the one as of the other.
    """
    policy, unit = book.policy, book.unit
    terms = Terms(policy.margin, policy.discount_rate, policy.horizon_months)
    return list(
        stakes_under(
            purchases,
            spends,
            customers,
            margin=policy.margin,
            paid_share=book.manifest["paid_share"],
            rate=terms.rate(unit),
            horizon=terms.horizon(book.end, unit),
            leaving=Terms(1.0, 0.0, book.manifest["leave_months"]).horizon(book.end, unit),
        )
    )
