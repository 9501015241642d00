"""Pareto/NBD to many digits with mpmath, and a grid of hard cases kept in a file.

The likelihood is the integral of its positive integrand over the time at which the customer may
have left (Schmittlein, Morrison & Colombo 1987), by 32 Gauss-Legendre nodes in every piece of a
geometric progression of ratio 1.5 or less; :func:`mixture_2f1` is the textbook's difference of two
2F1 (Fader & Hardie 2005, A note on deriving the Pareto/NBD model), with as many digits as it
cancels. Expected purchases are the textbook's closed form in s − 1, discounted ones that in the
exponential integral E_s, the pmf an integral like the likelihood's.

`python -m tests.reference.pareto_nbd_mpmath` writes the file again (a minute or two).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from itertools import pairwise, product
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

from tests.reference.bg_nbd_mpmath import converged, digits, gauss_legendre

FILE = Path(__file__).with_name("pareto_nbd.csv")
DIGITS = 30

PURCHASES = (0, 1, 2, 10, 161, 180, 200, 230, 254, 1000)
"""161 to 254 is where the difference of two 2F1 is known to break down in doubles."""
DURATIONS = (0.5, 10.0, 100.0, 1000.0, 10_000.0)


@dataclass(frozen=True)
class Case:
    """Parameters, a history, and what is asked: n purchases in t, a discount rate, a horizon."""

    r: float
    alpha: float
    s: float
    beta: float
    x: int
    t_x: float
    T: float
    t: float
    n: int
    rate: float
    horizon: float


class Answers(NamedTuple):
    """What mpmath says of a case; the last three of a customer who is alive, or of a new one."""

    p_alive: Any
    log_likelihood: Any
    pmf: Any
    pmf_new: Any
    expected_purchases_if_alive: Any
    discounted_purchases_if_alive: Any


def grid() -> Iterator[Case]:  # noqa: PLR0912 - one branch an edge
    """Corners of the parameters, then log-uniform draws with every known edge in turn."""
    rng = np.random.default_rng(1987)
    low, high = 0.01, 1000.0
    asked = (0, 1, 2, 7, 60, 400)
    rates = (0.0, 1e-5, 0.002, 0.1)
    for k, (r, alpha, s, beta) in enumerate(product((low, high), repeat=4)):
        for x in (0, 200, 1000):
            T = DURATIONS[k % 5]
            t_x = T * (0.9 if k % 2 else 1e-6) if x else 0.0
            horizon = (10.0, 1e4, inf)[k % 3]
            yield Case(
                r, alpha, s, beta, x, t_x, T, (1e-3, 39.0, 1e4)[k % 3], k % 3, 0.002, horizon
            )
    for k in range(240):
        r, alpha, s, beta = (float(v) for v in 10 ** rng.uniform(-2, 3, 4))
        x = PURCHASES[k % len(PURCHASES)]
        T = float(rng.choice(DURATIONS))
        share = float(rng.choice([1e-6, 0.2, 0.9, 1.0]))
        t = float(10 ** rng.uniform(-3, 4))
        rate, horizon = rates[k // 3 % 4], float(10 ** rng.uniform(0, 4))
        match k // len(PURCHASES) % 12:
            case 0:
                s = 1.0
            case 1:
                s = 1 + float(rng.choice([-1, 1])) * 10.0 ** -float(rng.integers(2, 15))
            case 2:
                alpha = beta
            case 3:
                alpha, beta, share = 1000.0, 0.01, float(rng.choice([1e-6, 0.2]))
            case 4:
                alpha, beta, share = 0.01, 1000.0, float(rng.choice([1e-6, 0.2]))
            case 5:
                beta = alpha * (1 + 1e-9)
            case 6:
                T, share = 10_000.0, 1e-6
            case 7:
                share = 1.0
            case 8:
                t, horizon = 1e-9, 1e-9
            case 9:
                t, rate, horizon = 10_000.0, max(rate, 1e-5), inf
            case 10:
                T = 0.0 if x == 0 else T
            case 11:  # like customers of a shop
                r, alpha, s, beta = (float(v) for v in 10 ** rng.uniform(-0.5, 1.5, 4))
        t_x = T * share if x else 0.0
        yield Case(r, alpha, s, beta, x, t_x, T, t, asked[k // 2 % len(asked)], rate, horizon)


def integral(f: Callable[[Any], Any], end: Any, rate: Any, *, ratio: str = "1.5") -> Any:
    """∫ f(u) du, 0 < u < end, for f that varies first over times of 1/rate and later over u."""
    grow = mp.mpf(ratio) - 1
    points = [mp.mpf(0)]
    while points[-1] < end:
        points.append(min(end, points[-1] + grow * (points[-1] + 1 / rate)))
    return sum((gauss_legendre(f, *piece) for piece in pairwise(points)), mp.mpf(0))


def mixture(c: Case) -> tuple[Any, Any]:
    """Likelihood but for its factor before the braces: the alive, and those who left."""
    r, alpha, s, beta, t_x, T = (mp.mpf(v) for v in (c.r, c.alpha, c.s, c.beta, c.t_x, c.T))
    R = r + c.x
    alive = (alpha + T) ** -R * (beta + T) ** -s

    def leaves(u: Any) -> Any:
        return s * (alpha + t_x + u) ** -R * (beta + t_x + u) ** -(s + 1)

    return alive, integral(leaves, T - t_x, R / (alpha + t_x) + (s + 1) / (beta + t_x))


def mixture_2f1(c: Case) -> tuple[Any, Any]:
    """The same, by a difference of two 2F1."""

    def left() -> Any:
        r, alpha, s, beta, t_x, T = (mp.mpf(v) for v in (c.r, c.alpha, c.s, c.beta, c.t_x, c.T))
        total = r + s + c.x
        other = s + 1 if alpha >= beta else r + c.x
        larger = max(alpha, beta)

        def term(u: Any) -> Any:
            z = abs(alpha - beta) / (larger + u)
            return mp.hyp2f1(total, other, total + 1, z) * (larger + u) ** -total

        return s / total * (term(t_x) - term(T))

    return mixture(c)[0], converged(left)


def log_likelihood(c: Case, parts: tuple[Any, Any]) -> Any:
    """ln of the likelihood."""
    r, alpha, s, beta = (mp.mpf(v) for v in (c.r, c.alpha, c.s, c.beta))
    before = mp.loggamma(r + c.x) - mp.loggamma(r) + r * mp.log(alpha) + s * mp.log(beta)
    return before + mp.log(sum(parts))


def expected_purchases_if_alive(c: Case) -> Any:
    """Equation (41) of Fader & Hardie (2005) without P(alive); its limit at s = 1."""

    def closed() -> Any:
        r, alpha, s, beta, T, t = (mp.mpf(v) for v in (c.r, c.alpha, c.s, c.beta, c.T, c.t))
        rate, B = (r + c.x) / (alpha + T), beta + T
        if s == 1:
            return rate * B * mp.log((B + t) / B)
        return rate * B / (s - 1) * (1 - (B / (B + t)) ** (s - 1))

    return converged(closed)


def discounted_purchases_if_alive(c: Case) -> Any:
    """∫ e^(−δu) (1 + u/B)^(−s) du from 0 to the horizon: B e^(δB) E_s(δB) less that from there."""
    if c.rate == 0:
        later = Case(*(*astuple(c)[:7], c.horizon, *astuple(c)[8:]))
        return expected_purchases_if_alive(later)

    def closed() -> Any:
        r, alpha, s, beta, T = (mp.mpf(v) for v in (c.r, c.alpha, c.s, c.beta, c.T))
        rate, B = mp.mpf(c.rate), beta + T
        time_alive = B * mp.expint(s, rate * B)
        if c.horizon != inf:
            end = B + c.horizon
            time_alive -= (end / B) ** -s * end * mp.expint(s, rate * end)
        return (r + c.x) / (alpha + T) * mp.exp(rate * B) * time_alive

    return converged(closed)


def pmf_if_alive(c: Case) -> Any:
    """P(n purchases in t | alive): of those who stay, and of those who leave after u."""
    r, alpha, s, beta, T, t = (mp.mpf(v) for v in (c.r, c.alpha, c.s, c.beta, c.T, c.t))
    R, A, B, n = r + c.x, alpha + T, beta + T, c.n
    ways = mp.binomial(R + n - 1, n)

    def nbd(u: Any) -> Any:
        return ways * (A / (A + u)) ** R * (u / (A + u)) ** n

    def leaves(u: Any) -> Any:
        return nbd(u) * s / B * (1 + u / B) ** -(s + 1)

    # The negative binomial peaks in ln u over lengths of 1/sqrt(min(n, R)), 1/20 or more.
    ratio = "1.25" if min(n, R) > 20 else "1.5"
    return nbd(t) * (1 + t / B) ** -s + integral(leaves, t, (R + n) / A + (s + 1) / B, ratio=ratio)


def answers(c: Case) -> Answers:
    """All that is asked of a case."""
    with digits(DIGITS):
        parts = mixture(c)
        p = parts[0] / sum(parts)
        gone = parts[1] / sum(parts) if c.n == 0 else 0
        new = Case(*(*astuple(c)[:4], 0, 0.0, 0.0, *astuple(c)[7:]))
        return Answers(
            p_alive=p,
            log_likelihood=log_likelihood(c, parts),
            pmf=p * pmf_if_alive(c) + gone,
            pmf_new=pmf_if_alive(new),
            expected_purchases_if_alive=expected_purchases_if_alive(c),
            discounted_purchases_if_alive=discounted_purchases_if_alive(c),
        )


def stored() -> list[tuple[Case, Answers]]:
    """What the file holds."""
    with FILE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        given: dict[str, Any] = {
            f.name: int(row[f.name]) if f.name in {"x", "n"} else float(row[f.name])
            for f in fields(Case)
        }
        found.append((Case(**given), Answers(*(mp.mpf(row[name]) for name in Answers._fields))))
    return found


def main() -> None:
    """Write the file."""
    with FILE.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([*(f.name for f in fields(Case)), *Answers._fields])
        for c in grid():
            out.writerow([*(repr(v) for v in astuple(c)), *(mp.nstr(v, 15) for v in answers(c))])
            file.flush()


if __name__ == "__main__":
    main()
