"""Spend: purchases far above the others, how much hangs on them, and free ones.

A single purchase of Gamma-Gamma is v times a beta-prime variable of shapes p and q (Fader & Hardie
2013). That is fitted to how many purchases there are of each size, in steps of 2 %, the largest and
the smallest 1 % known only as such; so a few extreme purchases cannot move what is held against
them. Large purchases come in groups, several of one customer: what is held against the number to be
expected is the number of customers who made one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
from scipy.optimize import minimize
from scipy.special import betainc, betaincc, betainccinv, pdtrc

from clv.arrays import Floats
from clv.errors import FitError
from clv.models.gamma_gamma import GammaGamma
from clv.quality.report import FINE, LOOK, Finding, percent
from clv.transactions.orders import Orders
from clv.transactions.report import counted
from clv.transactions.summary import CustomerHistories, histories

__all__ = ["spend"]

STEPS = 50
"""Steps of size for each unit of the logarithm."""

TRIMMED = 0.01
"""Share of the purchases at each end of which only the number counts in the fit."""

FAR = 1e-4
"""One purchase in 10,000 is expected above the limit."""

RARE = 1e-4
"""Probability below which so many, or such a large one, is not chance."""

ENOUGH = 1000
"""Purchases below which the tail of their sizes is not known."""


@dataclass(frozen=True)
class _Sizes:
    """How many purchases (or customers) there are of each size, and what they come to."""

    step: Floats
    count: Floats
    amount: Floats
    largest: float

    def top_share(self, share: float) -> float:
        """What the largest come to, of everything; within a step all are of its mean."""
        left, amount = share * float(self.count.sum()), 0.0
        for n, total in zip(self.count[::-1], self.amount[::-1], strict=True):
            taken = min(n, left)
            amount += total * taken / n
            left -= taken
        return float(amount) / float(self.amount.sum())


def spend(orders: Orders, found: CustomerHistories) -> Finding | None:
    """Say which purchases are far above the others, and what hangs on them.

    Parameters
    ----------
    orders : Orders
        From :func:`clv.read_orders`.
    found : CustomerHistories
        Their histories.
    """
    if not orders.has_amount:
        return None
    seen = found.days.filter(found.days["date"] <= ibis.literal(found.end))
    sizes = _sizes(orders, seen)
    per = seen.group_by("customer_id").aggregate(amount=seen["amount"].sum())
    customers = _sizes(orders, per)
    purchases = int(found.weight @ (found.frequency + 1))
    paid = int(sizes.count.sum())
    figures: dict[str, Any] = {
        "purchases": purchases,
        "free_purchases": purchases - paid,
        "top_1_percent_of_purchases": None,
        "top_1_percent_of_customers": None,
        "limit": None,
        "expected_above": None,
        "above": None,
        "above_share_of_amount": None,
        "customers_above": None,
        "largest": None,
        "examples": [],
        "with_all": None,
        "without": None,
    }
    free = (
        f" {counted(purchases - paid, 'purchase')} ({percent((purchases - paid) / purchases)}) "
        f"{'was' if purchases - paid == 1 else 'were'} free."
        if purchases > paid
        else ""
    )
    if not paid:
        return Finding("spend", FINE, f"No purchase has an amount.{free}", "", figures)
    top, top_customers = sizes.top_share(0.01), customers.top_share(0.01)
    figures |= {"top_1_percent_of_purchases": top, "top_1_percent_of_customers": top_customers}
    shares = (
        f"The largest 1 % of purchases come to {percent(top)} of the amount, the 1 % of customers "
        f"who spent most to {percent(top_customers)}."
    )
    usual = _usual_sizes(sizes) if paid >= ENOUGH else None
    if usual is None:
        return Finding(
            "spend",
            FINE,
            f"{shares}{free} {counted(paid, 'purchase')} of such sizes "
            f"{'is' if paid == 1 else 'are'} too few to say "
            "which are too large.",
            "",
            figures,
        )
    limit = usual.above(FAR)
    expected = FAR * paid
    many, who, worth, examples = _above(orders, seen, limit)
    figures |= {
        "limit": limit,
        "expected_above": expected,
        "above": many,
        "above_share_of_amount": worth / float(sizes.amount.sum()),
        "customers_above": who,
        "largest": sizes.largest,
        "examples": examples,
    }
    too_many = who > 2 * expected and pdtrc(who - 1, expected) < RARE
    too_large = paid * usual.share_above(sizes.largest) < RARE
    if not (too_many or too_large):
        told = f"{shares}{free} None is out of line with the others."
        return Finding("spend", FINE, told, "", figures)
    figures |= _changes(orders, found, limit)
    were = "was" if many == 1 else "were"
    return Finding(
        "spend",
        LOOK,
        f"{shares}{free} {counted(many, 'purchase')} of {counted(who, 'customer')} {were} above "
        f"{limit:,.2f}, where the sizes of the others let {expected:,.1f} be expected: "
        f"{percent(figures['above_share_of_amount'])} of the amount.{_said(figures)}",
        f"Look at the largest ({'; '.join(examples)}): are they errors, or wholesale customers? "
        "Correct errors; value wholesale customers apart.",
        figures,
    )


def _said(figures: dict[str, Any]) -> str:
    with_all, without = figures["with_all"], figures["without"]
    if with_all is None or without is None:
        return " Without them Gamma-Gamma cannot be compared: it fits only one of both."
    return (
        f" Without them Gamma-Gamma's q goes from {with_all['q']:.2f} to {without['q']:.2f}, and "
        f"what a customer spends on average from {_mean(with_all)} to {_mean(without)} a purchase."
    )


def _mean(fit: dict[str, float | None]) -> str:
    return "infinite" if fit["mean"] is None else f"{fit['mean']:,.2f}"


def _changes(orders: Orders, found: CustomerHistories, limit: float) -> dict[str, Any]:
    """Fit Gamma-Gamma with all purchases, and without those above a limit."""
    kept = found.days.filter(~(found.days["amount"] > ibis.literal(limit)))
    # What was returned is subtracted already, and what came after the end left out.
    bare = replace(orders, days=kept, returns=None, astride=None)
    others = histories(bare, end=found.end, unit=found.unit)
    return {"with_all": _fit(found), "without": _fit(others)}


def _fit(found: CustomerHistories) -> dict[str, float | None] | None:
    try:
        model = GammaGamma.fit(found).model
    except FitError:
        return None
    mean = model.population_mean
    return {"p": model.p, "q": model.q, "v": model.v, "mean": mean if np.isfinite(mean) else None}


def _sizes(orders: Orders, table: Any) -> _Sizes:
    paid = table.filter(table["amount"] > 0)
    size = (paid["amount"].cast("float64").ln() * STEPS).floor().cast("int64")
    paid = paid.select(step=size, amount=paid["amount"])
    per = paid.group_by("step").aggregate(
        count=paid.count(), total=paid["amount"].sum(), largest=paid["amount"].max()
    )
    rows = orders.opened.collect(per.order_by("step")).to_pylist()
    step, count, amount, largest = (
        np.array([float(row[name]) for row in rows])
        for name in ("step", "count", "total", "largest")
    )
    return _Sizes(step, count, amount, float(largest.max(initial=0.0)))


def _above(orders: Orders, seen: Any, limit: float) -> tuple[int, int, float, list[str]]:
    """Purchases above a limit, who made them, their amount, and the three largest in words."""
    far = seen.filter(seen["amount"] > ibis.literal(limit))
    (row,) = orders.opened.collect(
        far.aggregate(many=far.count(), who=far["customer_id"].nunique(), worth=far["amount"].sum())
    ).to_pylist()
    largest = far.order_by(far["amount"].desc(), "customer_id", "date").limit(3)
    examples = [
        f"{row['amount']:,.2f} of customer {row['customer_id']} on {row['date']}"
        for row in orders.opened.collect(largest).to_pylist()
    ]
    return int(row["many"]), int(row["who"]), float(row["worth"] or 0), examples


@dataclass(frozen=True)
class _BetaPrime:
    """Sizes of single purchases under Gamma-Gamma."""

    p: float
    q: float
    v: float

    def share_above(self, size: float) -> float:
        return float(betaincc(self.p, self.q, size / (size + self.v)))

    def above(self, share: float) -> float:
        part = float(betainccinv(self.p, self.q, share))
        return self.v * part / (1 - part)


def _usual_sizes(sizes: _Sizes) -> _BetaPrime | None:
    """Fit to the central purchases, the others known only to be smaller or larger; None if not."""
    reached = np.cumsum(sizes.count) / sizes.count.sum()
    middle = (reached > TRIMMED) & (np.append(0.0, reached[:-1]) < 1 - TRIMMED)
    if middle.sum() < 5:  # a few prices: nothing to fit
        return None
    edges = np.arange(sizes.step[middle][0], sizes.step[middle][-1] + 2)
    inner = np.zeros(len(edges) - 1)
    inner[(sizes.step[middle] - edges[0]).astype(int)] = sizes.count[middle]
    below = float(sizes.count[sizes.step < edges[0]].sum())
    over = float(sizes.count[sizes.step >= edges[-1]].sum())
    counts = np.concatenate([[below], inner, [over]]) / sizes.count.sum()
    at = np.exp(edges / STEPS)
    half = at[np.searchsorted(np.cumsum(counts), 0.5) - 1]

    def loss(log: Floats) -> float:
        p, q, v = np.exp(log[0]), np.exp(log[1]), half * np.exp(log[2])
        upto, beyond = betainc(p, q, at / (at + v)), betaincc(p, q, at / (at + v))
        # In the upper half differences of what lies beyond keep their digits.
        shares = np.where(upto[1:] < 0.5, np.diff(upto), -np.diff(beyond))
        shares = np.concatenate([[upto[0]], shares, [beyond[-1]]])
        return -float(counts @ np.log(np.maximum(shares, 1e-300)))

    starts = [
        (np.log(p), np.log(q), np.log(q / p)) for p, q in ((2.0, 3.0), (10.0, 3.0), (1.0, 50))
    ]
    bounds = [(-4.0, 6.0), (-1.0, 6.0), (-12.0, 12.0)]
    fits = [minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(fits, key=lambda fit: float(fit.fun))
    p, q, v = np.exp(best.x)
    return _BetaPrime(float(p), float(q), float(half * v))
