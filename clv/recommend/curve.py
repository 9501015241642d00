"""One curve of goodwill, three readings of it.

Goodwill of face value s keeps `D · (1 − exp(−s/κ))` of a customer's value and costs `c·s`. D is
what goodwill could keep at most, κ the amount that does about 63 % of it, c the real cost of one
unit of face value. Everything here is a pure function of those numbers, element by element: one
support call or a million customers.

Where the last unit still returns μ:

    D/κ · exp(−s/κ) = μ·c      ⟹   s = κ · ln(D / (μcκ)),  0 where D ≤ μcκ

Where the whole spend returns what it costs, with x = D/(cκ) and y = s/κ:

    x · (1 − exp(−y)) = y      ⟹   y = x + W0(−x · exp(−x)),  0 where x ≤ 1

with Lambert's W0 (Corless, Gonnet, Hare, Jeffrey & Knuth 1996, doi:10.1007/BF02124750). Just above
x = 1 that form is the difference of two numbers near 1, beside W0's branch point where half the
digits are lost already; there :func:`break_even` inverts the series of y/(1 − exp(−y)) instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import lambertw

from clv.arrays import Floats

__all__ = ["break_even", "loss_of_misjudging", "net_gain", "worthwhile_spend"]


FAR = 50.0
"""From this x on exp(−x) is below the last digit of x: y = x, and break-even is D/c."""


def net_gain(
    s: npt.ArrayLike, D: npt.ArrayLike, kappa: npt.ArrayLike, c: npt.ArrayLike = 1.0
) -> Any:
    """Value that goodwill s is expected to keep, less its real cost: D(1 − exp(−s/κ)) − cs.

    Parameters
    ----------
    s : array_like
        Goodwill at face value, in money, at least 0.
    D : array_like
        Most that goodwill can keep, in money, at least 0.
    kappa : array_like
        κ, the amount of goodwill that does 1 − 1/e of that, in money, at least 0.
    c : array_like
        Real cost of one unit of face value, above 0.

    Returns
    -------
    ndarray or float
        In money, of the broadcast shape.

    Examples
    --------
    >>> round(float(net_gain(15.4022, D=43.2, kappa=20)), 4)
    7.7978
    """
    s, D, kappa, c = _arrays(s, D, kappa, c)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.where(s > 0, -np.expm1(-s / kappa), 0.0)  # κ = 0: any goodwill does it all
    return (D * share - c * s)[()]


def worthwhile_spend(
    D: npt.ArrayLike, kappa: npt.ArrayLike, c: npt.ArrayLike = 1.0, mu: npt.ArrayLike = 1.0
) -> Any:
    """Goodwill whose last unit of real cost still keeps μ of value: κ·ln(D/(μcκ)).

    Parameters
    ----------
    D, kappa, c : array_like
        As in :func:`net_gain`.
    mu : array_like
        μ, what the last unit must return: 1, or what a unit is worth elsewhere in the budget.

    Returns
    -------
    ndarray or float
        Goodwill at face value, in money; 0 where even the first unit returns less than μ.

    Examples
    --------
    >>> round(float(worthwhile_spend(D=43.2, kappa=20)), 4)
    15.4022
    >>> round(float(worthwhile_spend(D=43.2, kappa=20, mu=2)), 4)
    1.5392
    """
    D, kappa, c, mu = _arrays(D, kappa, c, mu)
    with np.errstate(divide="ignore", invalid="ignore"):
        # a difference of logs: D/(μcκ) itself overflows for the smallest losses
        y = np.log(D) - (np.log(mu) + np.log(c) + np.log(kappa))
        s = np.where((kappa > 0) & (y > 0), kappa * y, 0.0)
    return s[()]


def break_even(D: npt.ArrayLike, kappa: npt.ArrayLike, c: npt.ArrayLike = 1.0) -> Any:
    """Goodwill above which the whole spend costs more than it keeps.

    Parameters
    ----------
    D, kappa, c : array_like
        As in :func:`net_gain`.

    Returns
    -------
    ndarray or float
        Goodwill at face value, in money; 0 where even the first unit costs more than it keeps,
        and D/c, the limit, where κ is 0.

    Examples
    --------
    >>> round(float(break_even(D=43.2, kappa=20)), 4)
    36.0918
    >>> float(break_even(D=10.8, kappa=20))
    0.0
    """
    D, kappa, c = _arrays(D, kappa, c)
    first_unit = c * kappa
    s = np.where((first_unit > 0) & (FAR * first_unit > D), 0.0, D / c)
    near = (first_unit < D) & (FAR * first_unit > D)
    if near.any():
        share = _break_even_share(D[near], first_unit[near])
        s[near] = np.minimum(kappa[near] * share, D[near] / c[near])
    return s[()]


def loss_of_misjudging(f: npt.ArrayLike, kappa: npt.ArrayLike, c: npt.ArrayLike = 1.0) -> Any:
    """What it costs to spend by f · D where D is right: cκ(1/f − 1 + ln f).

    Spending too little loses more than spending too much by the same factor.

    Parameters
    ----------
    f : array_like
        Factor by which D is misjudged, above 0.
    kappa, c : array_like
        As in :func:`net_gain`.

    Returns
    -------
    ndarray or float
        Net gain forgone, in money; exact where goodwill is given either way (D and f·D above cκ).

    Examples
    --------
    >>> [round(float(loss_of_misjudging(f, kappa=20)), 4) for f in (0.5, 1, 2)]
    [6.1371, 0.0, 3.8629]
    """
    f, kappa, c, _ = _arrays(f, kappa, c, 0.0)
    return (c * kappa * (1 / f - 1 + np.log(f)))[()]


def _arrays(*values: npt.ArrayLike) -> tuple[Floats, ...]:
    return np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in values))


def _break_even_share(D: Floats, first_unit: Floats) -> Floats:
    """Solve x(1 − exp(−y)) = y for y > 0, with 1 < x = D/first_unit < FAR."""
    x = D / first_unit
    eps = (D - first_unit) / first_unit  # x − 1 without first rounding x
    near = eps < 0.02
    y = np.empty_like(x)

    # x = y/(1 − exp(−y)) = 1 + y/2 + y²/12 − y⁴/720 + y⁶/30240 − …; its inverse, then Newton
    e = eps[near]
    v = e * (2 + e * (-2 / 3 + e * 4 / 9))
    for _ in range(2):
        v2 = v * v
        f = v / 2 + v2 / 12 - v2 * v2 / 720 + v2 * v2 * v2 / 30240 - e
        v = v - f / (1 / 2 + v / 6 - v * v2 / 180)
    y[near] = v

    x = x[~near]
    z: Any = -x * np.exp(-x)  # its stubs take no array of unknown shape
    v = x + lambertw(z).real
    decay = np.expm1(-v)
    y[~near] = v + (v + x * decay) / (x * (1 + decay) - 1)  # one Newton step on x(1 − e^−y) − y
    return y
