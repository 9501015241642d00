"""When customers come back: the usual wait, and whether purchases come at random.

Given a customer's first and last of x + 1 days with a purchase, t days apart, every model with a
Poisson process (BG/NBD, MBG/NBD, Pareto/NBD) makes the days between an equally likely choice of
x − 1 of the t − 1 days in between, whatever the customer's rate and whenever the customer leaves.
The sum of their places then has the moments of Wilcoxon's rank sum: mean (x − 1) t / 2 and variance
(x − 1) t (t − x) / 12. The squared deviation over this variance is 1 on average; below 1 purchases
are more regular than chance, above 1 they come in clumps. Gaps that are Erlang-k, as in the CNBD
models, share t by a Dirichlet distribution, for which it is (x + 1) / (x k + 1) where t is long.
No window over the purchases of a customer is needed, only the sum of their days.
"""

from __future__ import annotations

import math
from typing import Any

import ibis
import numpy as np

from clv.arrays import Floats
from clv.quality.report import FINE, LOOK, UNSUITED, Finding
from clv.transactions.orders import Orders
from clv.transactions.report import counted
from clv.transactions.summary import CustomerHistories

__all__ = ["regularity", "usual_wait"]

REGULAR, CLUMPED = 0.8, 1.25
"""Dispersion from which purchases are too regular, or too clumped, for a Poisson process to do
(assumed); at k = 2 of BG/CNBD-k it is 0.6 for customers with two repeat purchases."""

FIXED = 0.1
"""Dispersion below which purchases come by the clock (assumed); k = 12 of BG/CNBD-k has 0.12 for
customers with two repeat purchases."""

SURE = 3.3
"""Standard errors from 1 that are needed: one time in a thousand by chance."""

MOST_REGULAR = 12.0


def usual_wait(found: CustomerHistories) -> float | None:
    """Median over repeat customers of their mean days between purchases; None without any.

    Parameters
    ----------
    found : CustomerHistories
        With the histories.
    """
    again = found.frequency > 0
    if not again.any():
        return None
    days = found.recency[again] * (7.0 if found.unit == "week" else 1.0)
    waits, weight = days / found.frequency[again], found.weight[again]
    order = np.argsort(waits, kind="stable")
    reached = np.cumsum(weight[order])
    return float(waits[order][np.searchsorted(reached, reached[-1] / 2)])


def regularity(orders: Orders, found: CustomerHistories) -> Finding:
    """Say whether purchases come at random, more regularly, or in clumps.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    rows = orders.opened.collect(_deviations(orders, found))
    x, n, ratio, square = (
        rows[name].to_numpy().astype(float) for name in ("x", "customers", "ratio", "square")
    )
    customers = int(n.sum())
    figures: dict[str, Any] = {"dispersion": None, "low": None, "high": None, "k": None}
    figures["customers"] = customers
    if customers < 30:
        return Finding(
            "regularity",
            FINE,
            (
                f"{counted(customers, 'customer')} with three purchases or more "
                f"{'is' if customers == 1 else 'are'} too few to tell how regularly customers buy."
                if customers
                else "No customer has three purchases, with days between, that could tell how "
                "regularly customers buy."
            ),
            "",
            figures,
        )
    dispersion = float(ratio.sum()) / customers
    error = math.sqrt(max(float(square.sum()) / customers - dispersion**2, 0.0) / customers)
    low, high = dispersion - 1.96 * error, dispersion + 1.96 * error
    # By chance the squared deviation has a variance below 2, that of a squared normal.
    sure = SURE * max(error, math.sqrt(2 / customers))
    k = _erlang(x, n, dispersion)
    figures |= {
        "dispersion": round(dispersion, 6),
        "low": round(low, 6),
        "high": round(high, 6),
        "k": round(k, 3),
    }
    shown = (
        f"The spread of purchases in time is {dispersion:.2f} of what chance makes (95 % interval "
        f"{low:.2f} to {high:.2f}, {customers:,} customers with three purchases or more)"
    )
    if dispersion + sure < 1 and dispersion < FIXED:
        return Finding(
            "regularity",
            UNSUITED,
            f"{shown}: customers buy at nearly fixed times, as subscribers are charged.",
            "The models of a book take a wait for chance: who misses a usual day is taken for a "
            "customer for far too long. Of the models in clv fit ORDERS --model all, bg-cnbd and "
            "mbg-cnbd come nearest; what subscribers are worth is a question of how many renew: "
            "docs/explanation/shifted_beta_geometric.md.",
            figures,
        )
    if dispersion + sure < 1 and dispersion < REGULAR:
        return Finding(
            "regularity",
            LOOK,
            f"{shown}: customers buy more regularly than by chance, about as those with "
            f"k = {k:.1f} of BG/CNBD-k do.",
            "Compare with models of regular customers: clv fit ORDERS --model all.",
            figures,
        )
    if dispersion - sure > 1 and dispersion > CLUMPED:
        return Finding(
            "regularity",
            LOOK,
            f"{shown}: purchases come in clumps or move with the season, more than the models "
            "expect.",
            "Are orders split into several, shipped on several days? Does everybody buy in one "
            "season (docs/how-to/seasonality.md)? Intervals of values come out too narrow; clv fit "
            "ORDERS --standard-errors bootstrap tells how much.",
            figures,
        )
    return Finding("regularity", FINE, f"{shown}: near enough to chance.", "", figures)


def _deviations(orders: Orders, found: CustomerHistories) -> Any:
    """Of each x: the customers, and sums of their squared deviations over the variance."""
    seen = found.days.filter(found.days["date"] <= ibis.literal(found.end))
    day = seen["date"].delta(ibis.literal(orders.first_date), unit="day")
    per = seen.group_by("customer_id").aggregate(
        n=seen.count(), first=day.min(), last=day.max(), total=day.sum()
    )
    x, t = per["n"] - 1, per["last"] - per["first"]
    per = per.select(
        x=x, t=t, inner=per["total"] - per["first"] * per["n"] - t
    )  # days of the purchases between, from the first
    per = per.filter((per["x"] >= 2) & (per["t"] > per["x"]))
    x, t = per["x"], per["t"]
    # (2 inner - (x - 1) t)² / 4 over (x - 1) t (t - x) / 12
    off = (2 * per["inner"] - (x - 1) * t).cast("float64")
    ratio = 3.0 * off * off / ((x - 1) * t).cast("float64") / (t - x).cast("float64")
    per = per.select(x=per["x"], ratio=ratio)
    return (
        per.group_by("x")
        .aggregate(
            customers=per.count(), ratio=per["ratio"].sum(), square=(per["ratio"] ** 2).sum()
        )
        .order_by("x")
    )


def _erlang(x: Floats, n: Floats, dispersion: float) -> float:
    """The k at which customers with these x have this dispersion; falls in k, so by halving."""
    low, high = 0.01, MOST_REGULAR
    for _ in range(60):
        k = (low + high) / 2
        if float(n @ ((x + 1) / (x * k + 1))) / float(n.sum()) > dispersion:
            low = k
        else:
            high = k
    return (low + high) / 2
