"""Intervals of what is said of each customer, of two kinds that are never to be mixed up.

- An **expectation interval** holds the expectation itself: it is as wide as the parameters are
  unsure, and shrinks to nothing with more customers. It is the interval of an average over many
  customers with that history.
- A **predictive interval** holds what one customer will do: it contains the parameters, whether the
  customer is still one, how often the customer buys, and what is spent. More customers do not
  shrink it below the chance in one customer's behaviour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from clv.arrays import Floats
from clv.errors import RequestError
from clv.inference.posterior import Posterior
from clv.models.base import Model, PurchaseModel
from clv.models.gamma_gamma import GammaGamma
from clv.numerics import central_tails
from clv.side_by_side import side_by_side, slices

__all__ = ["Interval", "Prediction", "expectation_interval", "predict"]

M = TypeVar("M", bound=Model[Any])

CHUNK = 16_384
"""Customers predicted at once: small enough for the processor's cache."""


@dataclass(frozen=True, eq=False)
class Interval:
    """An interval for each customer, and of which kind it is.

    Attributes
    ----------
    low, high : ndarray
        Bounds.
    level : float
        Probability that it holds, such as 0.8: as much is left below as above.
    kind : {"expectation", "predictive"}
        Of the expectation (parameters only), or predictive (parameters, dropout, counts, spend).
    """

    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    level: float
    kind: str


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictive intervals of each customer's orders and value.

    Attributes
    ----------
    orders : Interval
        Of the number of purchases; its bounds are whole numbers.
    value : Interval or None
        Of margin × what those purchases are worth, undiscounted; None without a spend model.
    """

    orders: Interval
    value: Interval | None


def expectation_interval(
    post: Posterior[M],
    answer: Callable[[M], npt.ArrayLike],
    *,
    level: float = 0.8,
    draws: int = 400,
    seed: int = 1,
) -> Interval:
    """Interval of an expectation: how far the parameters leave it open.

    Parameters
    ----------
    post : Posterior
        Of the model.
    answer : callable
        Takes a model, gives a number or an array: any answer of the model.
    level : float
        Probability that the interval holds the expectation.
    draws : int
        Models drawn from the posterior.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    Interval

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> year = clv.expectation_interval(clv.posterior(fit), lambda m: m.expected_purchases(52))
    >>> bool(year.low < 1.444 < year.high)
    True
    """
    tails = central_tails(level)
    models = post.models(draws, np.random.default_rng(seed))
    answers = np.stack([np.asarray(answer(model), dtype=float) for model in models])
    low, high = np.quantile(answers, tails, axis=0)
    return Interval(low, high, level, "expectation")


def predict(
    post: Posterior[PurchaseModel],
    t: float,
    x: npt.ArrayLike = 0,
    t_x: npt.ArrayLike = 0,
    T: npt.ArrayLike = 0,
    *,
    spend: Posterior[GammaGamma] | None = None,
    spend_frequency: npt.ArrayLike = 0,
    monetary_value: npt.ArrayLike = 0,
    margin: float = 1.0,
    level: float = 0.8,
    draws: int = 200,
    seed: int = 1,
) -> Prediction:
    """Predict what each customer will do: intervals of orders and value in (T, T + t].

    For each of `draws` models of the posterior every customer's future is drawn once: whether the
    customer is still one, how many purchases follow, and, with a spend model, what they are worth
    together. The bounds are quantiles of these futures.

    Parameters
    ----------
    post : Posterior
        Of a purchase model.
    t : float
        Time ahead, in the unit of the fit.
    x, t_x, T : array_like, shape (customers,)
        Histories; one new customer by default.
    spend : Posterior of GammaGamma, optional
        What purchases are worth.
    spend_frequency, monetary_value : array_like, shape (customers,)
        Repeat transactions with a positive value, and their mean; 0 (or nan) where none is known.
    margin : float
        Share of revenue that counts as value.
    level : float
        Probability that each interval holds; at least that for orders, which are whole numbers.
    draws, seed : int
        Futures of each customer, at least 2/(1 − level) − 1; the same seed gives the same
        intervals.

    Returns
    -------
    Prediction

    Raises
    ------
    RequestError
        Where the level is none, or the draws are too few for it.

    Notes
    -----
    Orders are whole numbers: the lower bound is the largest n with P(fewer than n) ≤ (1 − level)/2,
    the upper the smallest with P(more than n) ≤ (1 − level)/2, so the interval holds at least
    `level`. Customers with one history have one distribution of orders, so its draws are shared.
    Between the k-th smallest and the k-th largest of N draws one more falls with probability
    1 − 2k/(N + 1); k is the largest for which that is at least `level`, however few the draws.

    Examples
    --------
    >>> import clv
    >>> orders = clv.read_orders(clv.datasets.path("cdnow"))
    >>> fit = clv.BGNBD.fit(clv.histories(orders, end="1997-09-30", unit="week"))
    >>> year = clv.predict(clv.posterior(fit), 52.0, [26], [30.86], [31])
    >>> bool(year.orders.low[0] < 25 < year.orders.high[0])
    True
    """
    if _rank(draws, level) < 1:
        raise RequestError(
            f"{draws:,} draws are too few for an interval of level {level:g}: not even the "
            "smallest and the largest of them hold so much. Give at least "
            f"{_draws_needed(level):,}."
        )
    columns = np.broadcast_arrays(
        *(
            np.atleast_1d(np.asarray(v, dtype=float))
            for v in (x, t_x, T, spend_frequency, monetary_value)
        )
    )
    rng = np.random.default_rng(seed)
    models = post.models(draws, rng)
    spends = spend.models(draws, rng) if spend else None
    order = np.lexsort(columns[::-1])  # by history, then spend: any order of rows, the same draws
    parts = slices(len(order), CHUNK)
    streams = rng.spawn(len(parts))
    bounds = np.empty((4, len(order)))

    def one(part: slice, stream: np.random.Generator) -> None:
        rows = order[part]
        some = tuple(c[rows] for c in columns)
        bounds[:, rows] = _futures(models, spends, t, some, margin, level, stream)

    side_by_side(one, parts, streams)
    return Prediction(
        orders=Interval(bounds[0], bounds[1], level, "predictive"),
        value=Interval(bounds[2], bounds[3], level, "predictive") if spends else None,
    )


def _futures(
    models: Sequence[PurchaseModel],
    spends: Sequence[GammaGamma] | None,
    t: float,
    columns: tuple[Floats, ...],
    margin: float,
    level: float,
    rng: np.random.Generator,
) -> Floats:
    """Draw one future a model for some customers, sorted by history; return their bounds, (4, n).

    The bounds are those of orders, low and high, and of value.
    """
    history, (k, m) = np.stack(columns[:3]), columns[3:]
    new = np.ones(len(k), dtype=bool)
    new[1:] = (history[:, 1:] != history[:, :-1]).any(axis=0)
    which = np.cumsum(new) - 1
    x, t_x, T = history[:, new]
    orders = np.empty((len(models), len(x)), dtype=np.float32)
    value = np.zeros((len(models), len(k) if spends else 0), dtype=np.float32)
    for i, model in enumerate(models):
        orders[i] = model.simulate_purchases(t, rng, x, t_x, T)
        if spends:
            bought = orders[i, which]
            some = np.flatnonzero(bought)
            worth = spends[i].simulate_total(bought[some], rng, k[some], m[some])
            value[i, some] = margin * worth
    of_orders = _bounds(orders, level)[:, which]
    of_value = _bounds(value, level) if spends else np.full_like(of_orders, np.nan)
    return np.concatenate([of_orders, of_value])


def _bounds(futures: npt.NDArray[np.float32], level: float) -> Floats:
    """Lower and upper bound over the first axis, each an outcome that was drawn."""
    rank = _rank(len(futures), level)
    low, high = rank - 1, len(futures) - rank
    parted = np.partition(futures, (low, high), axis=0)
    return np.stack([parted[low], parted[high]]).astype(float)


def _rank(draws: int, level: float) -> int:
    """Largest k with 1 − 2k/(draws + 1) ≥ level, but for rounding."""
    return math.floor(central_tails(level)[0] * (draws + 1) + 1e-9)


def _draws_needed(level: float) -> int:
    """Fewest draws with a rank of 1."""
    return math.ceil(2 / (1 - level) - 1 - 1e-9)
