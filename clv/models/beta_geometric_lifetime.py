"""Beta-geometric lifetimes: what sBG and the dropout of BG/BB share.

Before each period a customer leaves with probability θ, the same in every period, and across
customers θ ~ Beta(a, b). So the probability of surviving t chances to leave is

    S(t) = E[(1 − θ)^t] = B(a, b + t)/B(a, b) = (b)_t / (a + b)_t,

and a customer who has survived n of them has θ ~ Beta(a, b + n): from there on the lifetime is the
same with b + n for b. (b)_t is the rising factorial b (b + 1) … (b + t − 1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from clv.arrays import Floats, Rows
from clv.errors import RequestError
from clv.numerics import mean_over_p

__all__ = [
    "discounted_periods",
    "log_rising",
    "survival",
    "survived",
    "whole",
]


def log_rising(a: float, most: int) -> tuple[Floats, Floats, Floats]:
    """ln (a)_k and its first two derivatives in a, for k = 0 … most.

    Sums, where differences of ln Γ would lose the digits that large parameters have in common.
    """
    steps = a + np.arange(most)
    sums = [np.log(steps), 1 / steps, -1 / steps**2]
    value, first, second = (np.concatenate([[0.0], np.cumsum(s)]) for s in sums)
    return value, first, second


def survival(t: Floats, a: float, b: Floats) -> Floats:
    """S(t), the probability of surviving t chances to leave."""
    return np.asarray(np.exp(betaln(a, b + t) - betaln(a, b)))


def discounted_periods(periods: Floats, rate: float, a: float, b: Floats) -> Floats:
    """Σ e^(−δi) S(i) over 0 ≤ i < `periods`, δ = `rate` ≥ 0, periods ≤ inf; arrays of shape (n,).

    Without a horizon the sum is 2F1(1, b; a + b; e^−δ), whose series crawls as δ falls to 0; with
    one and δ = 0 it is (a + b − 1)/(a − 1) times a difference that vanishes at a = 1. Given θ it is
    a geometric sum,

        Σ e^(−iy) = (1 − e^(−y·periods)) / (1 − e^(−y)),   y = δ − ln(1 − θ) > 0,

    positive and without a singularity; its mean over θ is taken here. It varies with θ over lengths
    of 1/periods or δ, whichever is longer. Without discount and horizon the mean is that of 1/θ,
    (a + b − 1)/(a − 1), infinite unless a > 1.
    """
    if rate == 0 and np.isinf(periods).all():
        return (a + b - 1) / (a - 1) if a > 1 else np.full_like(b, np.inf)

    def given_theta(theta: Floats, i: Rows) -> Floats:
        with np.errstate(divide="ignore"):  # θ = 1: y = inf, one period
            y = rate - np.log1p(-theta)
        return np.expm1(-periods[i, None] * y) / np.expm1(-y)

    reach = periods if rate == 0 else np.minimum(periods, 60 / rate)
    total = mean_over_p(given_theta, reach, np.full_like(b, _DECAY), a, b)
    return np.where(periods > 0, total, 0.0)


_DECAY = 40.0
"""Panels as narrow as a factor (1 + θσ)^−40 needs, which is nearly the e^(−40θσ) met here."""


def survived(theta: Floats, rng: np.random.Generator) -> Floats:
    """Draw how many chances to leave are survived: geometric from 0, by inversion.

    inf for θ = 0, which a small parameter of the beta distribution draws; 0 for θ = 1.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        drawn = np.floor(np.log(rng.random(theta.shape)) / np.log1p(-theta))
    return np.where(theta == 1, 0.0, drawn)


def whole(what: str, values: npt.ArrayLike, *, least: int, endless: bool = False) -> Floats:
    """Take numbers of periods as floats; refuse any that is not whole, or below `least`."""
    v = np.asarray(values, dtype=float)
    fine = (v >= least) & (v == np.floor(v)) & (np.isfinite(v) | endless)
    if not fine.all():
        bad = v[~fine].ravel()
        shown = ", ".join(f"{x:g}" for x in bad[:3])
        many = f"{bad.size:,} of {v.size:,} are not: {shown}" if v.size > 1 else f"got {shown}"
        raise RequestError(
            f"{what} must be a whole number of periods, at least {least}"
            f"{' (or infinite)' if endless else ''}; {many}."
        )
    return v
